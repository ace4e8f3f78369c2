// SPDX-License-Identifier: MIT
// The user's files: opened, made, renamed and removed beneath the root, both ways to get there.
#include "session/files.hpp"

#include "tests/session/jail.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using session::Files;
using session::Way;
using testing_support::as_somebody;
using testing_support::Jail;
using testing_support::outcome;

std::string name_of(const testing::TestParamInfo<Way>& info) {
    return info.param == Way::kernel ? "ByTheKernel" : "InSteps";
}

class FilesIn : public testing::TestWithParam<Way> {
  protected:
    void SetUp() override {
        const session::Root root{base::Fd{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)}};
        if (GetParam() == Way::kernel && root.way() != Way::kernel)
            GTEST_SKIP() << "openat2 is not available";
    }
    void socket(const std::string& name) const {
        const base::Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        jail.path(name).copy(address.sun_path, sizeof address.sun_path - 1);
        ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    Jail jail;
    Files files = jail.files(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Ways, FilesIn, testing::Values(Way::kernel, Way::steps), name_of);

// ----- opening

TEST_P(FilesIn, OpenARegularFileToRead) {
    jail.file("d/f", "content");
    jail.link("link", "/d/f");
    for (const auto* path : {"/d/f", "/link", "/d/../link"}) {
        const auto file = files.open(path);
        ASSERT_TRUE(file) << path;
        EXPECT_EQ(file.value().status.st_size, 7);
        EXPECT_FALSE(file.value().created);
        char bytes[8] = {};
        EXPECT_EQ(::read(file.value().file.get(), bytes, sizeof bytes), 7);
        EXPECT_STREQ(bytes, "content");
        EXPECT_EQ(::fcntl(file.value().file.get(), F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_RDONLY);
        EXPECT_NE(::fcntl(file.value().file.get(), F_GETFD) & FD_CLOEXEC, 0);
    }
}

TEST_P(FilesIn, OpenNothingElse) {
    jail.file("f");
    jail.folder("d");
    jail.link("d-link", "d");
    jail.link("out", "../secret");
    jail.link("loop", "loop");
    ASSERT_EQ(::mkfifo(jail.path("fifo").c_str(), 0666), 0);
    socket("socket");
    const struct {
        const char* path;
        const char* read;
        const char* write;
    } cases[] = {
        {"/d", "EISDIR", "EISDIR"},
        {"/d/", "EISDIR", "EISDIR"},
        {"/", "EISDIR", "EISDIR"},
        {"/..", "EISDIR", "EISDIR"},
        {"/d-link", "EISDIR", "EISDIR"},
        {"/fifo", "irregular", "irregular"},
        {"/socket", "irregular", "irregular"},
        {"/f/", "ENOTDIR", "EISDIR"},
        {"/f/x", "ENOTDIR", "ENOTDIR"},
        {"/no/x", "ENOENT", "ENOENT"},
        {"/loop", "ELOOP", "ELOOP"},
    };
    for (const auto& each : cases) {
        EXPECT_EQ(outcome(files.open(each.path)), each.read) << each.path;
        EXPECT_EQ(outcome(files.create(each.path, 0666, false)), each.write) << each.path;
    }
    EXPECT_EQ(outcome(files.open("/out")), "ENOENT");
    EXPECT_EQ(outcome(files.open("/no")), "ENOENT");
    EXPECT_EQ(outcome(files.open("/" + std::string(256, 'n'))), "ENAMETOOLONG");
}

TEST_P(FilesIn, OpenNoDevice) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    if (::mknod(jail.path("null").c_str(), S_IFCHR | 0666, 1 << 8 | 3) < 0)
        GTEST_SKIP() << "no devices here";
    const auto read = outcome(files.open("/null"));
    EXPECT_TRUE(read == "irregular" || read == "EACCES") << read;  // EACCES: mounted nodev
    EXPECT_EQ(outcome(files.create("/null", 0666, false)), "irregular");
}

// A reader waits at the FIFO; it must not see a writer come and go.
TEST_P(FilesIn, NeverOpenAFifoForWriting) {
    ASSERT_EQ(::mkfifo(jail.path("fifo").c_str(), 0666), 0);
    std::atomic<bool> woken{false};
    std::thread reader([&] {
        const base::Fd end{::open(jail.path("fifo").c_str(), O_RDONLY | O_CLOEXEC)};
        woken = true;
    });
    for (int tries = 0; tries < 50; ++tries) {
        EXPECT_EQ(outcome(files.create("/fifo", 0666, false)), "irregular");
        ::usleep(1000);
    }
    EXPECT_FALSE(woken);
    const base::Fd end{::open(jail.path("fifo").c_str(), O_WRONLY | O_CLOEXEC)};
    reader.join();
}

// ----- creating

TEST_P(FilesIn, CreateAndSaySo) {
    const auto made = files.create("/new", 0666, false);
    ASSERT_TRUE(made);
    EXPECT_TRUE(made.value().created);
    EXPECT_EQ(jail.status("new").st_mode & 07777U, 0644U) << "less the umask";
    EXPECT_EQ(::write(made.value().file.get(), "12345", 5), 5);

    const auto again = files.create("/new", 0666, false);
    ASSERT_TRUE(again);
    EXPECT_FALSE(again.value().created);
    EXPECT_EQ(again.value().status.st_size, 5) << "nothing is truncated";
    EXPECT_EQ(::fcntl(again.value().file.get(), F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_WRONLY);

    EXPECT_EQ(outcome(files.create("/new", 0666, true)), "EEXIST");
    EXPECT_TRUE(files.create("/newer", 0600, true).value().created);
}

TEST_P(FilesIn, CreateThroughALinkToNothingWithinTheRoot) {
    jail.folder("d");
    jail.link("relative", "d/new");
    jail.link("absolute", "/d/newer");
    jail.link("climbing", "../../../escaped");
    jail.link("chained", "climbing");
    jail.link("nowhere", "no/x");
    jail.link("slashed", "d/x/");
    EXPECT_EQ(outcome(files.create("/relative", 0666, true)), "EEXIST");
    EXPECT_TRUE(files.create("/relative", 0666, false).value().created);
    EXPECT_TRUE(jail.exists("d/new"));
    EXPECT_FALSE(files.create("/relative", 0666, false).value().created);
    EXPECT_TRUE(files.create("/absolute", 0666, false).value().created);
    EXPECT_TRUE(jail.exists("d/newer"));
    EXPECT_TRUE(files.create("/chained", 0666, false).value().created);
    EXPECT_TRUE(jail.exists("escaped")) << "and not two folders above";
    EXPECT_EQ(outcome(files.create("/nowhere", 0666, false)), "ENOENT");
    EXPECT_EQ(outcome(files.create("/slashed", 0666, false)), "EISDIR");
}

TEST_P(FilesIn, CreateOpensWhatMayOnlyBeWritten) {
    jail.file("drop", "", 0200);
    jail.file("readable", "", 0444);
    jail.folder(".", 0755);
    jail.give_to(testing_support::somebody);
    const auto create = [&](const std::string& path) {
        return as_somebody([&] { return outcome(files.create(path, 0666, false)); });
    };
    EXPECT_EQ(create("/drop"), "ok");
    EXPECT_EQ(create("/readable"), "EACCES");
    ASSERT_EQ(::chmod(jail.path().c_str(), 0555), 0);
    EXPECT_EQ(create("/drop"), "ok") << "in a folder where nothing new can be made";
    EXPECT_EQ(create("/new"), "EACCES");
}

// While others make and remove the same file, each file that was made was made by one alone.
TEST_P(FilesIn, CreateSaysSoToOneOnly) {
    constexpr int rounds = 500;
    std::atomic<int> made{0};
    for (int round = 0; round < rounds; ++round) {
        const auto path = "/f" + std::to_string(round);
        const auto create = [&] {
            const auto file = files.create(path, 0666, false);
            if (file && file.value().created) ++made;
        };
        std::thread other(create);
        create();
        other.join();
    }
    EXPECT_EQ(made, rounds);
}

// ----- asking

TEST_P(FilesIn, TellOfLinksOrWhatIsBehindThem) {
    jail.file("f", "123");
    jail.link("link", "f");
    EXPECT_EQ(files.status("/link").value().st_size, 3);
    EXPECT_TRUE(S_ISLNK(files.status("/link", false).value().st_mode));
    EXPECT_EQ(outcome(files.status("/nothing")), "ENOENT");
    EXPECT_GT(files.space("/").value().f_blocks, 0U);
    EXPECT_EQ(outcome(files.space("/nothing")), "ENOENT");
}

TEST_P(FilesIn, OpenFoldersForTheirNames) {
    jail.folder("d");
    jail.link("link", "d");
    EXPECT_EQ(outcome(files.open_folder("/d")), "ok");
    EXPECT_EQ(outcome(files.open_folder("/link")), "ok");
    EXPECT_NE(outcome(files.open_folder("/link", false)), "ok");
    jail.file("f");
    EXPECT_EQ(outcome(files.open_folder("/f")), "ENOTDIR");
}

// ----- CWD

TEST_P(FilesIn, EnterTellsThePhysicalPath) {
    jail.folder("a/b/c");
    jail.link("link", "a/b");
    jail.link("a/b/up", "..");
    jail.link("root", "/");
    jail.link("out", "../../..");
    const struct {
        const char* path;
        const char* physical;
    } cases[] = {
        {"/", "/"},
        {"/..", "/"},
        {"/a/", "/a"},
        {"/a/./b//c", "/a/b/c"},
        {"/a/b/../b/c/..", "/a/b"},
        {"/link", "/a/b"},
        {"/link/c", "/a/b/c"},
        {"/link/..", "/a"},
        {"/link/up/b", "/a/b"},
        {"/root", "/"},
        {"/root/a", "/a"},
        {"/out", "/"},
        {"/out/a/../../..", "/"},
    };
    for (const auto& each : cases) {
        const auto entered = files.enter(each.path);
        ASSERT_TRUE(entered) << each.path;
        EXPECT_EQ(entered.value(), each.physical) << each.path;
    }
}

TEST_P(FilesIn, EnterRefusesWhatCannotBeEntered) {
    jail.file("f");
    jail.link("loop", "loop");
    jail.link("dangling", "nothing");
    jail.folder("closed", 0644);
    jail.folder("searchable", 0111);
    jail.link("to-closed", "closed");
    EXPECT_EQ(outcome(files.enter("/nothing")), "ENOENT");
    EXPECT_EQ(outcome(files.enter("/dangling")), "ENOENT");
    EXPECT_EQ(outcome(files.enter("/f")), "ENOTDIR");
    EXPECT_EQ(outcome(files.enter("/loop")), "ELOOP");
    jail.give_to(testing_support::somebody);
    const auto enter = [&](const std::string& path) {
        return as_somebody([&] { return outcome(files.enter(path)); });
    };
    EXPECT_EQ(enter("/closed"), "EACCES");
    EXPECT_EQ(enter("/to-closed"), "EACCES");
    EXPECT_EQ(enter("/searchable"), "ok");
}

TEST_P(FilesIn, EnterFailsInAFolderThatIsGone) {
    jail.folder("d/e");
    ASSERT_EQ(files.enter("/d/e").value(), "/d/e");
    ASSERT_EQ(::rmdir(jail.path("d/e").c_str()), 0);
    EXPECT_EQ(outcome(files.enter("/d/e/..")), "ENOENT");
    EXPECT_EQ(outcome(files.open_folder("/d/e/.")), "ENOENT");
}

// ----- changing

TEST_P(FilesIn, MakeFolders) {
    jail.link("dangling", "nothing");
    EXPECT_EQ(outcome(files.make_folder("/d")), "ok");
    EXPECT_EQ(jail.status("d").st_mode & 07777U, 0755U) << "less the umask";
    EXPECT_EQ(outcome(files.make_folder("/d/e/")), "ok");
    EXPECT_EQ(outcome(files.make_folder("/d/../../../f")), "ok");
    EXPECT_TRUE(jail.exists("f"));
    EXPECT_EQ(outcome(files.make_folder("/d")), "EEXIST");
    EXPECT_EQ(outcome(files.make_folder("/")), "EEXIST");
    EXPECT_EQ(outcome(files.make_folder("/d/..")), "EEXIST");
    EXPECT_EQ(outcome(files.make_folder("/no/..")), "ENOENT");
    EXPECT_EQ(outcome(files.make_folder("/no/x")), "ENOENT");
    EXPECT_EQ(outcome(files.make_folder("/dangling")), "EEXIST");
    EXPECT_EQ(outcome(files.make_folder("/dangling/")), "EEXIST");
}

TEST_P(FilesIn, RemoveFolders) {
    jail.folder("d/e");
    jail.file("f");
    jail.link("link", "d/e");
    EXPECT_EQ(outcome(files.remove_folder("/d")), "ENOTEMPTY");
    EXPECT_EQ(outcome(files.remove_folder("/f")), "ENOTDIR");
    EXPECT_EQ(outcome(files.remove_folder("/link")), "ENOTDIR");
    EXPECT_EQ(outcome(files.remove_folder("/link/")), "ENOTDIR");
    EXPECT_EQ(outcome(files.remove_folder("/")), "EBUSY");
    EXPECT_NE(outcome(files.remove_folder("/d/e/.")), "ok");
    EXPECT_NE(outcome(files.remove_folder("/d/e/..")), "ok");
    EXPECT_EQ(outcome(files.remove_folder("/d/e/")), "ok");
    EXPECT_EQ(outcome(files.remove_folder("/d/e")), "ENOENT");
}

TEST_P(FilesIn, RemoveFilesAndLinksButNoFolders) {
    jail.file("f");
    jail.folder("d");
    jail.link("link", "d");
    jail.link("out", "../secret");
    ASSERT_EQ(::mkfifo(jail.path("fifo").c_str(), 0666), 0);
    EXPECT_EQ(outcome(files.remove("/f/")), "ENOTDIR");
    EXPECT_EQ(outcome(files.remove("/f")), "ok");
    EXPECT_EQ(outcome(files.remove("/f")), "ENOENT");
    EXPECT_EQ(outcome(files.remove("/fifo")), "ok");
    EXPECT_EQ(outcome(files.remove("/d")), "EISDIR");
    EXPECT_EQ(outcome(files.remove("/")), "EISDIR");
    EXPECT_NE(outcome(files.remove("/link/")), "ok");
    EXPECT_EQ(outcome(files.remove("/link")), "ok") << "the link itself";
    EXPECT_EQ(outcome(files.remove("/out")), "ok");
    EXPECT_TRUE(jail.exists("d"));
    EXPECT_EQ(::access(jail.outside("secret").c_str(), F_OK), 0);
}

TEST_P(FilesIn, Rename) {
    jail.file("a/f", "new");
    jail.file("b/old", "old");
    jail.link("to-b", "b");
    jail.link("link", "a/f");
    EXPECT_EQ(outcome(files.rename("/a/f", "/to-b/f")), "ok") << "into another folder";
    EXPECT_EQ(jail.content("b/f"), "new");
    EXPECT_EQ(outcome(files.rename("/b/f", "/b/old")), "ok") << "over a file";
    EXPECT_EQ(jail.content("b/old"), "new");
    EXPECT_EQ(outcome(files.rename("/link", "/renamed")), "ok") << "the link itself";
    EXPECT_TRUE(S_ISLNK(jail.status("renamed").st_mode));
    EXPECT_EQ(outcome(files.rename("/b/", "/c/")), "ok") << "folders may have their slash";
    EXPECT_EQ(outcome(files.rename("/c/old/", "/d")), "ENOTDIR");
    EXPECT_EQ(outcome(files.rename("/c/old", "/d/")), "ENOTDIR");
    EXPECT_EQ(outcome(files.rename("/c", "/c/inside")), "EINVAL");
    EXPECT_EQ(outcome(files.rename("/c/old", "/no/x")), "ENOENT");
    EXPECT_EQ(outcome(files.rename("/c", "/")), "EBUSY");
    EXPECT_EQ(outcome(files.rename("/c/..", "/x")), "EBUSY");
    EXPECT_EQ(outcome(files.rename("/c/old", "/../../out")), "ok");
    EXPECT_EQ(jail.content("out"), "new") << "in the root, not above it";
}

TEST_P(FilesIn, TakeAnyNameThatTheKernelTakes) {
    for (const auto& name :
         {std::string("two\nlines"), std::string("\"quoted\""), std::string("gr\xC3\xBC\xC3\x9F"),
          std::string("\xFF\xFE not UTF-8"), std::string(" blank "), std::string("-rf"),
          std::string("*"), std::string(255, 'n'), std::string("back\\slash")}) {
        EXPECT_TRUE(files.create('/' + name, 0666, true)) << name;
        EXPECT_TRUE(jail.exists(name)) << name;
        EXPECT_EQ(outcome(files.rename('/' + name, "/other")), "ok") << name;
        EXPECT_EQ(outcome(files.rename("/other", '/' + name)), "ok") << name;
        EXPECT_EQ(outcome(files.remove('/' + name)), "ok") << name;
        EXPECT_EQ(outcome(files.make_folder('/' + name)), "ok") << name;
        EXPECT_EQ(files.enter('/' + name).value(), '/' + name);
        EXPECT_EQ(outcome(files.remove_folder('/' + name)), "ok") << name;
    }
    const std::string long_name(256, 'n');
    EXPECT_EQ(outcome(files.create('/' + long_name, 0666, false)), "ENAMETOOLONG");
    EXPECT_EQ(outcome(files.make_folder('/' + long_name)), "ENAMETOOLONG");
    EXPECT_EQ(outcome(files.remove(std::string("/a\0b", 4))), "ENOENT");
}

TEST_P(FilesIn, ChangeModes) {
    jail.file("f");
    jail.folder("d");
    jail.link("link", "f");
    jail.link("out", "../secret");
    const auto secret = jail.outside("secret");
    ASSERT_EQ(::chmod(secret.c_str(), 0644), 0);
    EXPECT_EQ(outcome(files.change_mode("/f", 0600)), "ok");
    EXPECT_EQ(jail.status("f").st_mode & 07777U, 0600U);
    EXPECT_EQ(outcome(files.change_mode("/link", 0640)), "ok") << "follows links, as vsftpd";
    EXPECT_EQ(jail.status("f").st_mode & 07777U, 0640U);
    EXPECT_EQ(outcome(files.change_mode("/d/", 0700)), "ok");
    EXPECT_EQ(jail.status("d").st_mode & 07777U, 0700U);
    EXPECT_EQ(outcome(files.change_mode("/nothing", 0600)), "ENOENT");
    EXPECT_EQ(outcome(files.change_mode("/out", 0600)), "ENOENT");
    struct stat status {};
    ASSERT_EQ(::stat(secret.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0644U);
}

TEST_P(FilesIn, ChangeModesOfWhatItsOwnerCannotOpen) {
    jail.file("closed", "", 0);
    jail.file("write-only", "", 0200);
    jail.folder("folder", 0);
    ASSERT_EQ(::mkfifo(jail.path("fifo").c_str(), 0), 0);
    jail.give_to(testing_support::somebody);
    for (const auto* name : {"closed", "write-only", "folder", "fifo"}) {
        EXPECT_EQ(
            as_somebody([&] { return outcome(files.change_mode('/' + std::string(name), 0640)); }),
            "ok")
            << name;
        EXPECT_EQ(jail.status(name).st_mode & 07777U, 0640U) << name;
    }
}

TEST_P(FilesIn, ChangeNothingOfOthers) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    jail.file("roots", "", 0666);
    EXPECT_EQ(as_somebody([&] { return outcome(files.change_mode("/roots", 0600)); }), "EPERM");
    EXPECT_EQ(as_somebody([&] { return outcome(files.set_time("/roots", 1, 0)); }), "EPERM");
}

TEST_P(FilesIn, SetTimes) {
    jail.file("f", "", 0);
    jail.link("link", "f");
    const auto before = jail.status("f");
    jail.give_to(testing_support::somebody);
    EXPECT_EQ(as_somebody([&] { return outcome(files.set_time("/link", 1583020799, 500)); }), "ok");
    const auto after = jail.status("f");
    EXPECT_EQ(after.st_mtim.tv_sec, 1583020799);
    EXPECT_EQ(after.st_mtim.tv_nsec, 500);
    EXPECT_EQ(after.st_atim.tv_sec, before.st_atim.tv_sec) << "nobody asked for that";
    EXPECT_EQ(outcome(files.set_time("/", 1000, 0)), "ok");
    EXPECT_EQ(jail.status("").st_mtim.tv_sec, 1000);
    EXPECT_EQ(outcome(files.set_time("/nothing", 1, 0)), "ENOENT");
}

TEST(FilesAtRoot, AreTheHosts) {
    const auto files = Files::open_root();
    ASSERT_TRUE(files);
    Jail jail;
    jail.file("f", "123");
    EXPECT_EQ(files.value().status(jail.path("f")).value().st_size, 3);
}

}  // namespace
