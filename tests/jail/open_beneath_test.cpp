// SPDX-License-Identifier: MIT
// Opening homes on the way to which a user may have planted links.
#include "jail/open_beneath.hpp"

#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace {

using base::Fd;
using base::Result;
using observed::Directory;
using testing::HasSubstr;

constexpr uid_t ann = 31001;
constexpr uid_t bob = 31005;
constexpr gid_t users = 31002;
constexpr gid_t web = 31003;
const jail::Identity her{ann, users, {web}};

std::string where(const Fd& directory) {
    return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(directory.get()));
}

// The directory that was reached, or errno's name.
std::string reached(const Result<Fd>& result) {
    return result ? where(result.value()) : ::strerrorname_np(result.error().number);
}

struct OpenDirectory : testing::Test {
    Directory top;

    void SetUp() override { NEEDS_ROOT(); }
    [[nodiscard]] static std::string open(const std::string& path) {
        return reached(jail::open_directory(path, her));
    }
};

TEST_F(OpenDirectory, OpensAHome) {
    const auto home = top.directory("ann", ann, 0700);
    EXPECT_EQ(open(home), home);
    EXPECT_EQ(open(home + "/"), home);
    EXPECT_EQ(open(top.path() + "/.//ann/."), home);
    EXPECT_EQ(open("/"), "/");
}

TEST_F(OpenDirectory, GivesADescriptorThatCannotReadOrSurviveExec) {
    const auto home = jail::open_directory(top.directory("ann", ann), her);
    ASSERT_TRUE(home);
    EXPECT_NE(::fcntl(home.value().get(), F_GETFL) & O_PATH, 0);
    EXPECT_NE(::fcntl(home.value().get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(OpenDirectory, LooksWithTheUsersRights) {
    top.directory("closed", bob, 0700);
    top.directory("closed/ann", ann);
    EXPECT_EQ(open(top.path("closed/ann")), "EACCES");
    EXPECT_EQ(open(top.path("closed")), "EACCES");
    const auto groups = top.directory("groups", bob, 0710, web);
    EXPECT_EQ(open(groups), groups);
    // Entering needs no right to read.
    const auto unreadable = top.directory("unreadable", 0, 0711);
    EXPECT_EQ(open(unreadable), unreadable);
}

TEST_F(OpenDirectory, SaysWhatIsMissing) {
    EXPECT_EQ(open(top.path("missing")), "ENOENT");
    EXPECT_EQ(open(top.file("file")), "ENOTDIR");
    EXPECT_EQ(open("ann"), "EINVAL");
    EXPECT_EQ(open(""), "EINVAL");
    EXPECT_EQ(open(top.path() + std::string("\0/x", 3)), "EINVAL");
    const auto failed = jail::open_directory(top.path("missing/further"), her);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().what, top.path("missing"));
}

TEST_F(OpenDirectory, FollowsTheAdministratorsLinks) {
    top.directory("srv");
    const auto home = top.directory("srv/ann", ann, 0700);
    top.link("absolute", top.path("srv"));
    top.link("relative", "srv");
    top.directory("deep");
    top.link("deep/up", "../srv/../relative");
    EXPECT_EQ(open(top.path("absolute/ann")), home);
    EXPECT_EQ(open(top.path("relative/ann")), home);
    EXPECT_EQ(open(top.path("deep/up/ann")), home);
    EXPECT_EQ(open(top.link("last", "srv/ann")), home);
}

TEST_F(OpenDirectory, RefusesALinkOfTheUsersInPlaceOfTheHome) {
    top.directory("shared", 0, 0777);
    const auto planted = top.link("shared/ann", "/etc", ann);
    EXPECT_EQ(open(planted), "ELOOP");
    const auto refused = jail::open_directory(planted, her);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr(planted + " is a symbolic link"));
}

TEST_F(OpenDirectory, RefusesALinkOfTheUsersOnTheWay) {
    top.directory("ann", ann);
    top.link("ann/ftp", "/", ann);
    EXPECT_EQ(open(top.path("ann/ftp")), "ELOOP");
    EXPECT_EQ(open(top.path("ann/ftp/etc")), "ELOOP");
    EXPECT_EQ(open(top.path("ann/ftp/etc/..")), "ELOOP");
}

TEST_F(OpenDirectory, RefusesALinkOfSomebodyElse) {
    top.link("bobs", "/etc", bob);
    EXPECT_EQ(open(top.path("bobs")), "ELOOP");
}

TEST_F(OpenDirectory, RefusesRootsLinkWhereTheUserCouldHavePutIt) {
    const struct {
        const char* name;
        uid_t owner;
        mode_t mode;
        gid_t group;
        bool followed;
    } cases[] = {
        {"hers", ann, 0755, 0, false},
        {"hers-but-locked", ann, 0555, 0, false},  // she can unlock it
        {"her-gid", 0, 0775, users, false},
        {"her-group", 0, 0775, web, false},
        {"everybody", 0, 0777, 0, false},
        {"other-group", 0, 0775, 31099, true},
        {"sticky", 0, 01777, 0, true},
        {"bobs-sticky", bob, 01777, 0, false},
        {"bobs", bob, 0755, 0, true},
    };
    const auto target = top.directory("target");
    for (const auto& each : cases) {
        top.directory(each.name, each.owner, each.mode, each.group);
        const auto link = top.link(std::string(each.name) + "/link", target);
        EXPECT_EQ(open(link), each.followed ? target : "ELOOP") << each.name;
    }
}

TEST_F(OpenDirectory, KnowsAccessControlLists) {
    const auto directory = top.directory("listed");
    const auto link = top.link("listed/link", top.path());
    ASSERT_EQ(open(link), top.path());
    // user::rwx user:ann:rwx group::r-x mask::rwx other::r-x
    struct Entry {
        std::uint16_t tag, permissions;
        std::uint32_t id;
    };
    struct {
        std::uint32_t version = 2;
        Entry entries[5] = {{1, 7, ~0U}, {2, 7, ann}, {4, 5, ~0U}, {0x10, 7, ~0U}, {0x20, 5, ~0U}};
    } list;
    if (::setxattr(directory.c_str(), "system.posix_acl_access", &list, sizeof list, 0) < 0)
        GTEST_SKIP() << "no access control lists here";
    EXPECT_EQ(open(link), "ELOOP");
}

TEST_F(OpenDirectory, GivesUpOnLinksThatGoRound) {
    top.link("one", "two");
    top.link("two", "one");
    EXPECT_EQ(open(top.path("one")), "ELOOP");
    top.link("self", "self/self/self");
    EXPECT_EQ(open(top.path("self")), "ELOOP");
    EXPECT_EQ(open(top.link("dangling", "nowhere")), "ENOENT");
}

TEST_F(OpenDirectory, IsRootAgainAfterwards) {
    const auto home = top.directory("ann", ann);
    (void)open(home);
    (void)open(top.path("missing"));
    const observed::Facts facts(::getpid());
    EXPECT_EQ(facts.status("Uid"), "0 0 0 0");
    EXPECT_EQ(facts.status("Gid"), "0 0 0 0");
}

TEST_F(OpenDirectory, GoesOnFromTheHome) {
    const auto home = top.directory("ann", ann);
    const auto files = top.directory("ann/files", ann);
    top.link("ann/planted", "/etc", ann);
    const auto start = jail::open_directory(home, her);
    ASSERT_TRUE(start);
    const auto open_at = [&](const std::string& path) {
        return reached(jail::open_directory_at(start.value(), path, her));
    };
    EXPECT_EQ(open_at("files"), files);
    EXPECT_EQ(open_at(""), home);
    EXPECT_EQ(open_at(".."), top.path());
    EXPECT_EQ(open_at(files), files);
    EXPECT_EQ(open_at("planted"), "ELOOP");
    EXPECT_EQ(open_at("missing"), "ENOENT");
}

// Ann exchanges her home and a link to somewhere else as fast as she can.
TEST_F(OpenDirectory, IsNotTrickedByASwapInBetween) {
    top.directory("shared", ann);
    const auto home = top.directory("shared/ann", ann);
    const auto other = top.link("shared/other", top.directory("secret"), ann);
    const pid_t swapper = ::fork();
    if (swapper == 0) {
        for (;;)
            ::syscall(SYS_renameat2, AT_FDCWD, home.c_str(), AT_FDCWD, other.c_str(),
                      2 /* RENAME_EXCHANGE */);
    }
    ASSERT_GT(swapper, 0);
    int homes = 0;
    int refusals = 0;
    // Enough to have seen both, and many more.
    for (int i = 0; i < 20000 || ((homes == 0 || refusals == 0) && i < 2000000); ++i) {
        const auto result = jail::open_directory(home, her);
        if (!result) {
            EXPECT_EQ(result.error().number, ELOOP);
            ++refusals;
            continue;
        }
        struct stat status {};
        ASSERT_EQ(::fstat(result.value().get(), &status), 0);
        ASSERT_EQ(status.st_uid, ann);  // and not root's "secret"
        ++homes;
    }
    ::kill(swapper, SIGKILL);
    ::waitpid(swapper, nullptr, 0);
    EXPECT_GT(homes, 0);
    EXPECT_GT(refusals, 0);
}

}  // namespace
