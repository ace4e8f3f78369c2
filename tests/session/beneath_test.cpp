// SPDX-License-Identifier: MIT
// Paths beneath a root: nothing leads out, and the steps find what the kernel finds.
#include "session/beneath.hpp"

#include "tests/session/jail.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using session::Root;
using session::Way;
using testing_support::as_somebody;
using testing_support::Jail;
using testing_support::outcome;

std::string name_of(const testing::TestParamInfo<Way>& info) {
    return info.param == Way::kernel ? "ByTheKernel" : "InSteps";
}

bool kernel_can() {
    return Root(base::Fd{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)}).way() == Way::kernel;
}

#define NEEDS_WAY(wanted) \
    if ((wanted) == Way::kernel && !kernel_can()) GTEST_SKIP() << "openat2 is not available"

// The host's path of what was found, or errno's name.
std::string found(const base::Result<base::Fd>& result) {
    if (!result) return outcome(result);
    return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(result.value().get()));
}

class Beneath : public testing::TestWithParam<Way> {
  protected:
    void SetUp() override {
        NEEDS_WAY(GetParam());
        jail.file("a/b/file", "x");
        jail.link("a/up", "..");
        jail.link("absolute", "/a/b");
        jail.link("relative", "a/b/file");
        jail.link("chain", "relative");
        jail.link("slashed", "a/b/");
        jail.link("out", "../../../../../etc");
        jail.link("secret", jail.outside("secret"));
        jail.link("one", "two");
        jail.link("two", "one");
        jail.link("self", "self/self");
        jail.link("dangling", "nowhere");
        jail.link("root", "/");
        jail.link("dots", "../..");
    }
    [[nodiscard]] std::string find(const std::string& path, int flags = O_PATH) const {
        auto result = found(jail.root(GetParam()).open(path, flags));
        if (result.starts_with(jail.path())) result.erase(0, jail.path().size());
        return result.empty() ? "/" : result;
    }
    Jail jail;
};

INSTANTIATE_TEST_SUITE_P(Ways, Beneath, testing::Values(Way::kernel, Way::steps), name_of);

TEST_P(Beneath, FindsWhatIsThere) {
    EXPECT_EQ(find("/"), "/");
    EXPECT_EQ(find("/a/b/file"), "/a/b/file");
    EXPECT_EQ(find("a//b/./file"), "/a/b/file");
    EXPECT_EQ(find("/a/b/"), "/a/b");
    EXPECT_EQ(find("/relative"), "/a/b/file");
    EXPECT_EQ(find("/chain"), "/a/b/file");
    EXPECT_EQ(find("/absolute/file"), "/a/b/file");
    EXPECT_EQ(find("/absolute/../b"), "/a/b") << "\"..\" is above the link's target";
    EXPECT_EQ(find("/a/up/a/b"), "/a/b");
    EXPECT_EQ(find("/absolute", O_PATH | O_NOFOLLOW), "/absolute");
    EXPECT_EQ(find("/absolute/", O_PATH | O_NOFOLLOW), "/a/b");
}

TEST_P(Beneath, NeverLeadsOut) {
    for (const auto* path : {"..", "/..", "/../..", "/a/../..", "/root", "/root/..", "/dots",
                             "/dots/../..", "/a/up/..", "/a/b/../../../../../../../.."})
        EXPECT_EQ(find(path), "/") << path;
    EXPECT_EQ(find("/out"), "ENOENT");
    EXPECT_EQ(find("/out/passwd"), "ENOENT");
    EXPECT_EQ(find("/secret"), "ENOENT");
    EXPECT_EQ(find("/../secret", O_PATH | O_NOFOLLOW), "/secret") << "the link in the root";
    EXPECT_EQ(find("/etc/passwd"), "ENOENT");
}

TEST_P(Beneath, SaysWhatIsWrong) {
    EXPECT_EQ(find("/nothing"), "ENOENT");
    EXPECT_EQ(find("/nothing/.."), "ENOENT");
    EXPECT_EQ(find("/dangling"), "ENOENT");
    EXPECT_EQ(find("/a/b/file/"), "ENOTDIR");
    EXPECT_EQ(find("/a/b/file/.."), "ENOTDIR");
    EXPECT_EQ(find("/a/b/file", O_PATH | O_DIRECTORY), "ENOTDIR");
    EXPECT_EQ(find("/one"), "ELOOP");
    EXPECT_EQ(find("/self"), "ELOOP");
    EXPECT_EQ(find("/" + std::string(256, 'x')), "ENAMETOOLONG");
    EXPECT_EQ(find("/" + std::string(5000, '/')), "ENAMETOOLONG");
    EXPECT_EQ(find(std::string("/a\0b", 4)), "EINVAL");
}

TEST_P(Beneath, GivesUpOnChainsThatTheKernelGivesUpOn) {
    for (int number = 0; number < 41; ++number)
        jail.link("chain" + std::to_string(number), "chain" + std::to_string(number + 1));
    jail.file("chain41");
    EXPECT_EQ(find("/chain1"), "/chain41") << "40 links";
    EXPECT_EQ(find("/chain0"), "ELOOP") << "41 links";
}

TEST_P(Beneath, AsksForTheRightToSearch) {
    jail.file("closed/file");
    jail.folder("closed", 0644);
    jail.give_to(testing_support::somebody);
    const auto ask = [&](const std::string& path) {
        return as_somebody([&] { return find(path); });
    };
    EXPECT_EQ(ask("/closed"), "/closed");
    EXPECT_EQ(ask("/closed/"), "/closed");
    EXPECT_EQ(ask("/closed/file"), "EACCES");
    EXPECT_EQ(ask("/closed/."), "EACCES");
    EXPECT_EQ(ask("/closed/.."), "EACCES");
}

// What one way finds, the other finds too, error for error.
TEST(Ways, Agree) {
    NEEDS_WAY(Way::kernel);
    Jail jail;
    jail.file("a/b/file", "x");
    jail.folder("a/b/c");
    jail.link("link", "a/b");
    jail.link("slashed", "a/b/");
    jail.link("file", "/a/b/file");
    jail.link("file-slash", "a/b/file/");
    jail.link("dangling", "a/new");
    jail.link("dangling-slash", "a/new/");
    jail.link("through", "dangling");
    jail.link("nowhere", "x/y/z");
    jail.link("up", "../../..");
    jail.link("root", "/");
    jail.link("dot", ".");
    jail.link("loop", "loop");
    jail.link("a/back", "../link/../b/c");
    jail.link("climb", "/../../a/../../a/./b/");
    const std::vector<std::string> beginnings{"",
                                              "/",
                                              "a",
                                              "a/b",
                                              "a/b/file",
                                              "link",
                                              "slashed",
                                              "file",
                                              "dangling",
                                              "through",
                                              "nowhere",
                                              "up",
                                              "root",
                                              "dot",
                                              "loop",
                                              "a/back",
                                              "climb",
                                              "nothing",
                                              "link/c",
                                              "a/b/c",
                                              "file-slash",
                                              "up/a",
                                              "root/a/b",
                                              "dot/dot/a",
                                              "a/back/../file",
                                              "dangling-slash"};
    const std::vector<std::string> endings{"",    "/",       "//",           "/.",    "/./",
                                           "/..", "/../",    "/../..",       "/x",    "/x/",
                                           "/b",  "/c/../c", "/../a/b/file", "/file", "/../file/"};
    const std::vector<int> flags{O_PATH,
                                 O_PATH | O_NOFOLLOW,
                                 O_PATH | O_DIRECTORY,
                                 O_PATH | O_DIRECTORY | O_NOFOLLOW,
                                 O_RDONLY | O_NONBLOCK,
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                                 O_WRONLY | O_NONBLOCK,
                                 O_WRONLY | O_NONBLOCK | O_CREAT | O_EXCL};
    const auto kernel = jail.root(Way::kernel);
    const auto steps = jail.root(Way::steps);
    const auto try_once = [&](const Root& root, const std::string& path, int flag) {
        auto said = found(root.open(path, flag, (flag & O_CREAT) != 0 ? 0600 : 0));
        if ((flag & O_CREAT) != 0 && said.starts_with('/')) (void)std::remove(said.c_str());
        return said;
    };
    for (const auto& beginning : beginnings) {
        for (const auto& ending : endings) {
            for (const auto flag : flags) {
                const auto path = '/' + beginning + ending;
                EXPECT_EQ(try_once(kernel, path, flag), try_once(steps, path, flag))
                    << path << " with flags " << flag;
            }
        }
    }
}

TEST(Steps, HoldFewDescriptors) {
    Jail jail;
    std::string path;
    for (int depth = 0; depth < 100; ++depth) path += "/d";
    jail.folder(path);
    const auto root = jail.root(Way::steps);
    const auto said = as_somebody([&] {
        const rlimit few{16, 16};
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
        return outcome(root.open(path + "/../../d", O_PATH));
    });
    EXPECT_EQ(said, "ok");
}

TEST(Steps, AreBounded) {
    Jail jail;
    std::string down;
    for (int depth = 0; depth < 200; ++depth) down += "/d";
    jail.folder(down);
    std::string path = down;
    for (int turn = 0; turn < 150; ++turn) path += "/../d";
    EXPECT_EQ(outcome(jail.root(Way::steps).open(path, O_PATH)), "ELOOP");
}

TEST(Steps, DoNotFollowWhatAStrangerLeftInAFolderForAll) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    Jail jail;
    jail.file("target");
    jail.folder("all", 01777);
    jail.link("all/mine", "/target");
    jail.link("all/strangers", "/target");
    jail.link("all/roots", "/target");
    ASSERT_EQ(::lchown(jail.path("all/mine").c_str(), testing_support::somebody, 0), 0);
    ASSERT_EQ(::lchown(jail.path("all/strangers").c_str(), testing_support::somebody + 1, 0), 0);
    const auto root = jail.root(Way::steps);
    const auto ask = [&](const std::string& path) {
        return as_somebody([&] { return outcome(root.open(path, O_PATH)); });
    };
    EXPECT_EQ(ask("/all/mine"), "ok");
    EXPECT_EQ(ask("/all/roots"), "ok") << "the folder's owner's";
    EXPECT_EQ(ask("/all/strangers"), "EACCES");
}

// Somebody on the host moves a folder out of the jail and back all the time.
TEST_P(Beneath, HoldsWhileFoldersAreMovedOut) {
    jail.folder("moving/deep");
    ASSERT_EQ(::mkdir(jail.outside("there").c_str(), 0755), 0);
    std::atomic<bool> over{false};
    std::thread mover([&] {
        const auto in = jail.path("moving");
        const auto out = jail.outside("there/moving");
        while (!over) {
            (void)std::rename(in.c_str(), out.c_str());
            (void)std::rename(out.c_str(), in.c_str());
        }
    });
    const auto root = jail.root(GetParam());
    for (int tries = 0; tries < 10'000; ++tries) {
        // From there/moving/deep two up is "there", three up is what holds the secret.
        for (const auto* path : {"/moving/deep/../../../secret", "/moving/../../secret"}) {
            const auto opened = root.open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
            ASSERT_FALSE(opened) << path << " is " << found(opened);
        }
    }
    over = true;
    mover.join();
}

}  // namespace
