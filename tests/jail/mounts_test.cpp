// SPDX-License-Identifier: MIT
// Homes as mounts: what a process in one has around it, and what it cannot do.
#include "jail/mounts.hpp"

#include "jail/namespaces.hpp"
#include "jail/plans.hpp"
#include "jail/root.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using base::Error;
using base::Fd;
using base::Result;
using jail::MountFlags;
using observed::Directory;
using observed::Process;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr uid_t ann = 31001;
constexpr gid_t users = 31002;

Fd opened(const std::string& path) { return Fd{::open(path.c_str(), O_PATH | O_CLOEXEC)}; }

bool can_write(const char* path) {
    return static_cast<bool>(Fd{::open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)});
}

int lines(const std::string& text) {
    return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

struct Folder {
    std::string path;
    std::string target;
    MountFlags flags = {};
};

struct Mounts : testing::Test {
    Directory directory;
    std::string home = directory.directory("home", ann, 0755, users);

    void SetUp() override {
        NEEDS_ROOT();
        NEEDS_MOUNTS();
    }

    // As at a login: who sees the host makes the mounts, the blank process in an empty root enters
    // them.
    Result<void> enter(const MountFlags& flags, const std::vector<Folder>& folders = {}) const {
        TRY(auto mount, jail::detached_mount(opened(home), flags));
        std::vector<jail::Bind> binds;
        for (const auto& each : folders) {
            TRY(auto bind, jail::detached_mount(opened(each.path), each.flags));
            binds.push_back({std::make_shared<Fd>(std::move(bind)), each.target});
        }
        TRY(jail::enter_empty_root(""));
        return jail::enter_mount(std::move(mount), binds, {ann, users, {}});
    }
};

TEST_F(Mounts, AreOneLineWithNothingToRunOrToBeRoot) {
    const Process process([&](int) { return enter({}); });
    ASSERT_EQ(process.error(), std::nullopt);
    const auto mounts = process.facts().text("mountinfo");
    EXPECT_EQ(lines(mounts), 1) << mounts;
    EXPECT_THAT(mounts, HasSubstr(" / rw,nosuid,nodev,noexec"));
    EXPECT_THAT(mounts, Not(HasSubstr("shared:")));
    EXPECT_THAT(mounts, Not(HasSubstr("master:")));
    EXPECT_EQ(process.facts().link("root"), "/");
    EXPECT_EQ(process.facts().link("cwd"), "/");
}

TEST_F(Mounts, AreTheHome) {
    directory.file("home/file");
    const Process process([&](int) -> Result<void> {
        TRY(enter({}));
        if (::access("/file", R_OK) < 0) return base::system_error("/file");
        if (!can_write("/new")) return base::system_error("/new");
        if (::access("/proc", F_OK) == 0 || ::access("/home", F_OK) == 0)
            return Error{"the host is there", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(::access((home + "/new").c_str(), F_OK), 0);
}

TEST_F(Mounts, LeaveTheHostAlone) {
    const auto before = observed::Facts(::getpid()).text("mountinfo");
    const Process process([&](int) { return enter({}); });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(observed::Facts(::getpid()).text("mountinfo"), before);
}

TEST_F(Mounts, CanBeReadOnlyEvenForRoot) {
    const Process process([&](int) -> Result<void> {
        TRY(enter({.read_only = true}));
        if (can_write("/new") || errno != EROFS) return Error{"wrote", errno};
        return base::success();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_THAT(process.facts().text("mountinfo"), HasSubstr(" / ro,nosuid,nodev,noexec"));
    EXPECT_TRUE(can_write((home + "/new").c_str()));
}

TEST_F(Mounts, CanLetNoLinkLeadAnywhere) {
    directory.file("home/file");
    directory.link("home/link", "file");
    const Process process([&](int) -> Result<void> {
        TRY(enter({.no_links = true}));
        if (::access("/file", F_OK) < 0) return base::system_error("/file");
        if (::access("/link", F_OK) == 0 || errno != ELOOP) return Error{"followed", errno};
        return base::success();
    });
    if (process.error() && process.error()->starts_with("mount_setattr: Invalid"))
        GTEST_SKIP() << "this kernel has no nosymfollow";
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST_F(Mounts, ContainWhatTheAdministratorMountedBelow) {
    directory.directory("home/below");
    const Process process([&](int) -> Result<void> {
        if (::unshare(CLONE_NEWNS) < 0 ||
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
            ::mount("none", (home + "/below").c_str(), "tmpfs", 0, nullptr) < 0)
            return base::system_error("mount");
        TRY(enter({.read_only = true}));
        if (can_write("/below/new") || errno != EROFS) return Error{"wrote", errno};
        return base::success();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    const auto mounts = process.facts().text("mountinfo");
    EXPECT_EQ(lines(mounts), 2) << mounts;
    EXPECT_THAT(mounts, HasSubstr(" /below ro,nosuid,nodev,noexec"));
}

// A shared mount would hand to the host what is mounted in the jail.
TEST_F(Mounts, ArePrivateWhereTheHostsAreShared) {
    directory.directory("home/below");
    const auto shared = directory.directory("shared");
    const Process process([&](int) -> Result<void> {
        if (::unshare(CLONE_NEWNS) < 0 ||
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
            ::mount(home.c_str(), home.c_str(), nullptr, MS_BIND, nullptr) < 0 ||
            ::mount(nullptr, home.c_str(), nullptr, MS_SHARED, nullptr) < 0)
            return base::system_error("mount");
        return enter({}, {{shared, "/below"}});
    });
    ASSERT_EQ(process.error(), std::nullopt);
    const auto mounts = process.facts().text("mountinfo");
    EXPECT_EQ(lines(mounts), 2) << mounts;
    EXPECT_THAT(mounts, Not(HasSubstr("shared:")));
    EXPECT_THAT(mounts, Not(HasSubstr("master:")));
}

TEST_F(Mounts, HaveSharedFoldersWhereTheyAreWanted) {
    directory.directory("home/shared");
    directory.directory("home/deep");
    directory.directory("home/deep/er");
    directory.directory("srv", ann);
    directory.file("srv/file");
    directory.directory("srv2", ann);
    const Process process([&](int) -> Result<void> {
        TRY(enter({}, {{directory.path("srv"), "/shared", {.read_only = true}},
                       {directory.path("srv2"), "deep/er", {}}}));
        if (::access("/shared/file", R_OK) < 0) return base::system_error("/shared/file");
        if (can_write("/shared/new") || errno != EROFS) return Error{"wrote", errno};
        if (!can_write("/deep/er/new")) return base::system_error("/deep/er/new");
        return base::success();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    const auto mounts = process.facts().text("mountinfo");
    EXPECT_EQ(lines(mounts), 3) << mounts;
    EXPECT_THAT(mounts, HasSubstr(" /shared ro,nosuid,nodev,noexec"));
    EXPECT_THAT(mounts, HasSubstr(" /deep/er rw,nosuid,nodev,noexec"));
    EXPECT_EQ(::access((home + "/shared/file").c_str(), F_OK), -1);
}

TEST_F(Mounts, TakeNoSharedFolderWhereALinkLeadsOrNothingIs) {
    directory.directory("srv");
    directory.directory("home/real");
    directory.link("home/link", "real", ann);
    directory.file("home/file");
    const struct {
        const char* target;
        const char* error;
    } cases[] = {
        {"/link", "/link at: /link: Not a directory"},
        {"/file", "/file at: /file: Not a directory"},
        {"/missing", "/missing at: /missing: No such file or directory"},
        {"/real/../real", "/real/../real at: /real/../real is no plain path: Invalid argument"},
        {"/", "/ at: a shared folder cannot stand in the place of the root: Invalid argument"},
    };
    for (const auto& each : cases) {
        const Process process([&](int) {
            return enter({}, {{directory.path("srv"), each.target}});
        });
        EXPECT_EQ(process.error(),
                  std::string("no directory of the home to show the shared folder ") + each.error);
    }
}

TEST_F(Mounts, AreEnteredWithTheUsersRights) {
    ASSERT_EQ(::chown(home.c_str(), 0, 0), 0);
    ASSERT_EQ(::chmod(home.c_str(), 0700), 0);
    const Process process([&](int) { return enter({}); });
    EXPECT_EQ(process.error(), "fchdir: Permission denied");
}

// vsftpd's jail is left so: somebody on the host renames the session's current directory.
TEST_F(Mounts, AreNotLeftWhenTheCurrentDirectoryIsMovedOut) {
    directory.directory("home/inner", ann);
    const auto climbs_out = [&](const Process::Action& jail) {
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        const Fd in{ends[0]};
        const Fd out{ends[1]};
        const Process process([&](int kept) -> Result<void> {
            TRY(jail(kept));
            if (::chdir("/inner") < 0) return base::system_error("/inner");
            return base::success();
        });
        EXPECT_EQ(process.error(), std::nullopt);
        EXPECT_EQ(::rename((home + "/inner").c_str(), directory.path("moved").c_str()), 0);
        const auto up = "/proc/" + std::to_string(process.pid()) + "/cwd/../home";
        const bool out_there = ::access(up.c_str(), F_OK) == 0;
        EXPECT_EQ(::rename(directory.path("moved").c_str(), (home + "/inner").c_str()), 0);
        return out_there;
    };
    EXPECT_FALSE(climbs_out([&](int) { return enter({}); }));
    EXPECT_TRUE(climbs_out([&](int) { return jail::change_root(opened(home)); }));
}

TEST_F(Mounts, EndWithTheProcess) {
    {
        const Process process([&](int) { return enter({}); });
        ASSERT_EQ(process.error(), std::nullopt);
    }
    const auto mount = jail::detached_mount(opened(home), {});
    ASSERT_TRUE(mount);
    EXPECT_THAT(observed::Facts(::getpid()).text("mountinfo"), Not(HasSubstr(home)));
}

// The whole plan, in a cell of all namespaces, cloned from an empty root.
TEST_F(Mounts, AreTheRootOfAUsersPlan) {
    directory.directory("home/shared");
    directory.directory("home/start");
    directory.directory("srv");
    const Process spawner([&](int kept) -> Result<void> {
        TRY(auto mount, jail::detached_mount(opened(home), {}));
        TRY(auto bind, jail::detached_mount(opened(directory.path("srv")), {.read_only = true}));
        TRY(jail::enter_empty_root(""));
        const Process cell(
            [&](int cells_end) -> Result<void> {
                jail::Home wanted;
                wanted.root = std::make_shared<Fd>(std::move(mount));
                wanted.root_is_mount = true;
                wanted.binds = {{std::make_shared<Fd>(std::move(bind)), "/shared"}};
                wanted.user = {ann, users, {}};
                wanted.start = "/start";
                wanted.descriptors = {cells_end, kept};
                return jail::carry_out(jail::user_home(wanted));
            },
            {true, true, true, true, true});
        if (cell.error()) return Error{*cell.error(), 0};
        return base::success();
    });
    EXPECT_EQ(spawner.error(), std::nullopt);
}

TEST_F(Mounts, AreNotMadeWithoutTheRightTo) {
    const Process process([&](int) -> Result<void> {
        TRY(jail::become({ann, users, {}}));
        return jail::detached_mount(opened(home), {}).as_failure();
    });
    EXPECT_EQ(process.error(), "open_tree: Operation not permitted");
}

// Started without root: everything in a user namespace of its own.
TEST(MountsWithoutRoot, WorkInAUserNamespace) {
    const Directory directory;
    const auto home = directory.directory("home", ann, 0755, users);
    const Process process([&](int) -> Result<void> {
        if (::geteuid() == 0) {
            TRY(jail::become({ann, users, {}}));
            (void)::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);  // as one who was ann from the start
        }
        const jail::Identity self{::geteuid(), ::getegid(), {}};
        TRY(jail::enter_user_namespace());
        TRY(auto mount, jail::detached_mount(opened(home), {}));
        TRY(jail::enter_empty_root(""));
        TRY(jail::enter_mount(std::move(mount), {}, self));
        if (!can_write("/new")) return base::system_error("/new");
        return base::success();
    });
    if (process.error()) GTEST_SKIP() << *process.error();
    EXPECT_EQ(lines(process.facts().text("mountinfo")), 1);
}

}  // namespace
