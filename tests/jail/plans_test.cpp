// SPDX-License-Identifier: MIT
// The jails, seen from outside while a process stands in them.
#include "jail/plans.hpp"

#include "jail/capabilities.hpp"
#include "jail/landlock.hpp"
#include "jail/limits.hpp"
#include "jail/namespaces.hpp"
#include "jail/root.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using base::Error;
using base::Result;
using observed::Directory;
using observed::Process;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;
using testing::StartsWith;

constexpr uid_t ann = 31001;
constexpr gid_t users = 31002;
constexpr gid_t web = 31003;
constexpr gid_t staff = 31004;
const std::string no_capability = "0000000000000000";

std::shared_ptr<base::Fd> opened(const std::string& path) {
    return std::make_shared<base::Fd>(::open(path.c_str(), O_PATH | O_CLOEXEC));
}

// Ann's home belongs to root, so that it is not writable for her.
struct Homes : testing::Test {
    Directory directory;
    std::string path = directory.directory("ann");

    jail::Home home(int kept) const {
        jail::Home result;
        result.root = opened(path);
        result.user = {ann, users, {web, staff}};
        result.umask = 027;
        result.refuse_writable_root = true;
        result.descriptors = {kept};
        return result;
    }

    // Carries out ann's plan, changed by the test.
    [[nodiscard]] std::unique_ptr<Process> enter(const std::function<void(jail::Home&)>& change =
                                                     [](jail::Home&) {}) const {
        return std::make_unique<Process>([&](int kept) -> Result<void> {
            auto wanted = home(kept);
            change(wanted);
            return jail::carry_out(jail::user_home(wanted));
        });
    }
};

struct UserHome : Homes {};
struct BeforeLogin : testing::Test {
    [[nodiscard]] static std::unique_ptr<Process> enter() {
        return std::make_unique<Process>([](int kept) {
            return jail::carry_out(jail::before_login({ann, users, {}}, kept));
        });
    }
};

void expect_no_way_to_more(const observed::Facts& facts) {
    for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
        EXPECT_EQ(facts.status(set), no_capability) << set;
    EXPECT_EQ(facts.status("NoNewPrivs"), "1");
    EXPECT_EQ(facts.owner(), 0U) << "dumpable";
}

TEST_F(UserHome, GivesTheUsersIdentityInAllForms) {
    NEEDS_ROOT();
    const auto process = enter();
    ASSERT_EQ(process->error(), std::nullopt);
    const auto facts = process->facts();
    EXPECT_EQ(facts.status("Uid"), "31001 31001 31001 31001");
    EXPECT_EQ(facts.status("Gid"), "31002 31002 31002 31002");
    EXPECT_EQ(facts.status("Groups"), "31003 31004");
    EXPECT_EQ(facts.status("Umask"), "0027");
}

TEST_F(UserHome, LeavesNoCapabilityAndNoWayToOne) {
    NEEDS_ROOT();
    const auto process = enter();
    ASSERT_EQ(process->error(), std::nullopt);
    expect_no_way_to_more(process->facts());
}

TEST_F(UserHome, MakesTheHomeTheRoot) {
    NEEDS_ROOT();
    const auto process = enter();
    ASSERT_EQ(process->error(), std::nullopt);
    EXPECT_EQ(process->facts().link("root"), path);
    EXPECT_EQ(process->facts().link("cwd"), path);
}

TEST_F(UserHome, KeepsNothingOpenButWhatIsListed) {
    NEEDS_ROOT();
    int kept_number = -1;
    const Process process([&](int kept) -> Result<void> {
        const int outside = ::open("/", O_RDONLY);  // not close-on-exec, and far away
        if (::dup2(outside, 500) < 0) return base::system_error("dup2");
        return jail::carry_out(jail::user_home(home(kept)));
    });
    ASSERT_EQ(process.error(), std::nullopt);
    auto open = process.facts().descriptors();
    kept_number = open.rbegin()->first;
    EXPECT_THAT(open, ElementsAre(Key(0), Key(1), Key(2), Key(kept_number)));
    EXPECT_THAT(open[kept_number], StartsWith("socket:"));
}

TEST_F(UserHome, LimitsCoreFilesProcessesAndDescriptors) {
    NEEDS_ROOT();
    const auto process = enter();
    ASSERT_EQ(process->error(), std::nullopt);
    const auto facts = process->facts();
    EXPECT_EQ(facts.limit("Max core file size"), "0 0");
    EXPECT_EQ(facts.limit("Max processes"), "0 0");
    EXPECT_EQ(facts.limit("Max open files"), "64 64");
    EXPECT_EQ(facts.limit("Max file size"), "unlimited unlimited");
    EXPECT_EQ(facts.limit("Max address space"), "unlimited unlimited");
}

TEST_F(UserHome, LimitsTheAddressSpaceWhenTold) {
    NEEDS_ROOT();
#ifdef JAILFTPD_SANITIZED
    GTEST_SKIP() << "the sanitizers need it";
#endif
    const auto process = enter([](jail::Home& home) { home.address_space = 400 << 20; });
    ASSERT_EQ(process->error(), std::nullopt);
    EXPECT_EQ(process->facts().limit("Max address space"), "419430400 419430400");
}

TEST_F(UserHome, LeavesTheSessionOfItsParent) {
    NEEDS_ROOT();
    const auto process = enter();
    ASSERT_EQ(process->error(), std::nullopt);
    EXPECT_EQ(process->facts().session(), process->pid());
}

TEST_F(UserHome, CannotBeLeft) {
    NEEDS_ROOT();
    const Process process([&](int kept) -> Result<void> {
        TRY(jail::carry_out(jail::user_home(home(kept))));
        if (::setuid(0) == 0 || ::seteuid(0) == 0 || ::setresuid(0, 0, 0) == 0)
            return Error{"became root", 0};
        if (::setgroups(0, nullptr) == 0) return Error{"changed its groups", 0};
        if (::chroot("/") == 0) return Error{"changed its root", 0};
        if (::access("/etc", F_OK) == 0) return Error{"sees the host", 0};
        if (::chdir("../../..") < 0 || ::access("etc", F_OK) == 0)
            return Error{"climbs out of the root", 0};
        if (::fork() >= 0) return Error{"has a child", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST_F(UserHome, WithoutAJailIsTheHostEvenFromAnEmptyRoot) {
    NEEDS_ROOT();
    const Process process([&](int kept) -> Result<void> {
        auto wanted = home(kept);
        wanted.root = opened("/");
        wanted.jailed = false;
        wanted.start = path;
        TRY(jail::enter_empty_root(""));
        if (::access(path.c_str(), F_OK) == 0) return Error{"the root was not empty", 0};
        TRY(jail::carry_out(jail::user_home(wanted)));
        if (::access("/etc/passwd", R_OK) < 0) return base::system_error("/etc/passwd");
        return base::success();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().link("cwd"), path);
    EXPECT_EQ(process.facts().status("Uid"), "31001 31001 31001 31001");
    expect_no_way_to_more(process.facts());
}

TEST_F(UserHome, RefusesARootThatTheUserMayWriteTo) {
    NEEDS_ROOT();
    ASSERT_EQ(::chown(path.c_str(), ann, users), 0);
    const auto process = enter();
    EXPECT_EQ(process->error(), jail::writable_root_step);
}

TEST_F(UserHome, RefusesARootThatAGroupOfTheUserMayWriteTo) {
    NEEDS_ROOT();
    ASSERT_EQ(::chown(path.c_str(), 0, staff), 0);
    ASSERT_EQ(::chmod(path.c_str(), 0775), 0);
    EXPECT_EQ(enter()->error(), jail::writable_root_step);
}

TEST_F(UserHome, TakesAWritableRootWhenToldTo) {
    NEEDS_ROOT();
    ASSERT_EQ(::chown(path.c_str(), ann, users), 0);
    EXPECT_EQ(enter([](jail::Home& home) { home.refuse_writable_root = false; })->error(),
              std::nullopt);
    EXPECT_EQ(enter([](jail::Home& home) { home.jailed = false; })->error(), std::nullopt);
}

TEST_F(UserHome, TakesAHomeOfTheUserThatIsNotWritable) {
    NEEDS_ROOT();
    ASSERT_EQ(::chown(path.c_str(), ann, users), 0);
    ASSERT_EQ(::chmod(path.c_str(), 0555), 0);
    EXPECT_EQ(enter()->error(), std::nullopt);
}

TEST_F(UserHome, StartsWhereItIsTold) {
    NEEDS_ROOT();
    directory.directory("ann/files");
    const auto process = enter([](jail::Home& home) { home.start = "/files"; });
    ASSERT_EQ(process->error(), std::nullopt);
    EXPECT_EQ(process->facts().link("root"), path);
    EXPECT_EQ(process->facts().link("cwd"), path + "/files");
}

TEST_F(UserHome, StartsInTheRootWhenItsStartIsMissing) {
    NEEDS_ROOT();
    const auto process = enter([](jail::Home& home) { home.start = "/missing"; });
    ASSERT_EQ(process->error(), std::nullopt);
    EXPECT_EQ(process->facts().link("cwd"), path);
}

TEST_F(UserHome, EndsWhenAStartThatMustBeThereIsMissing) {
    NEEDS_ROOT();
    const auto process = enter([](jail::Home& home) {
        home.start = "/missing";
        home.start_may_fail = false;
    });
    EXPECT_EQ(process->error(), "start directory: /missing: No such file or directory");
}

TEST_F(UserHome, IsNotForRoot) {
    NEEDS_ROOT();
    EXPECT_THAT(enter([](jail::Home& home) { home.user.uid = 0; })->error().value_or(""),
                StartsWith("groups, gid, uid: "));
    EXPECT_THAT(enter([](jail::Home& home) { home.user.uid = static_cast<uid_t>(-1); })
                    ->error()
                    .value_or(""),
                StartsWith("root directory: "));
    EXPECT_THAT(enter([](jail::Home& home) { home.user.gid = static_cast<gid_t>(-1); })
                    ->error()
                    .value_or(""),
                StartsWith("root directory: "));
}

TEST_F(UserHome, NeedsNoRightOverOtherPeoplesFiles) {
    NEEDS_ROOT();
    // As on NFS, where root is nobody: only ann may enter.
    ASSERT_EQ(::chown(path.c_str(), ann, users), 0);
    ASSERT_EQ(::chmod(path.c_str(), 0500), 0);
    const Process process([&](int kept) -> Result<void> {
        const auto wanted = home(kept);
        const int few[] = {CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_SYS_CHROOT};
        TRY(jail::keep_capabilities(few));
        return jail::carry_out(jail::user_home(wanted));
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().link("root"), path);
}

TEST_F(UserHome, NamesTheHomeThatCannotBeEntered) {
    NEEDS_ROOT();
    ASSERT_EQ(::chmod(path.c_str(), 0700), 0);
    const auto process = enter([&](jail::Home& home) { home.path_on_host = path; });
    EXPECT_EQ(process->error(), "root directory: " + path + ": fchdir: Permission denied");
}

TEST_F(UserHome, DoesNotTakeAFileForARoot) {
    NEEDS_ROOT();
    const auto file = directory.file("file");
    EXPECT_THAT(enter([&](jail::Home& home) { home.root = opened(file); })->error().value_or(""),
                HasSubstr("Not a directory"));
    EXPECT_THAT(enter([&](jail::Home& home) { home.root.reset(); })->error().value_or(""),
                StartsWith("root directory: no root directory was opened"));
}

// Each right that a step needs is taken away before: the plan must end there, by that step's name.
TEST_F(UserHome, EndsAtTheStepThatCannotBeDone) {
    NEEDS_ROOT();
    const struct {
        int missing;
        const char* step;
    } cases[] = {
        {CAP_SYS_CHROOT, "root directory: "},
        {CAP_SETPCAP, "empty bounding set: "},
        {CAP_SETUID, "root directory: "},  // it is entered as the user
        {CAP_SETGID, "root directory: "},
    };
    for (const auto& each : cases) {
        const Process process([&](int kept) -> Result<void> {
            std::vector<int> rights;
            for (const int right : {CAP_SYS_CHROOT, CAP_SETPCAP, CAP_SETUID, CAP_SETGID}) {
                if (right != each.missing) rights.push_back(right);
            }
            const auto wanted = home(kept);
            TRY(jail::keep_capabilities(rights));
            return jail::carry_out(jail::user_home(wanted));
        });
        EXPECT_THAT(process.error().value_or("success"), StartsWith(each.step));
    }
}

TEST_F(UserHome, ChangesRootWhileItStillCan) {
    const auto plan = jail::user_home(home(3));
    EXPECT_LT(position(plan, "keyring"), position(plan, "groups, gid, uid"));
    EXPECT_LT(position(plan, "root directory"), position(plan, "groups, gid, uid"));
    EXPECT_LT(position(plan, "root directory"), position(plan, "descriptors"));
    EXPECT_LT(position(plan, "empty bounding set"), position(plan, "groups, gid, uid"));
    EXPECT_LT(position(plan, "groups, gid, uid"), position(plan, "not dumpable"));
    EXPECT_LT(position(plan, "groups, gid, uid"), position(plan, jail::writable_root_step));
    EXPECT_LT(position(plan, "groups, gid, uid"), position(plan, "start directory"));
    EXPECT_LT(position(plan, "start directory"), plan.size());
}

TEST_F(UserHome, StopsWholeWhateverStepFails) {
    const auto names = jail::user_home(home(3));
    for (std::size_t failing = 0; failing < names.size(); ++failing) {
        std::size_t done = 0;
        auto plan = names;
        for (std::size_t i = 0; i < plan.size(); ++i) {
            plan[i].carry_out = [&done, i, failing]() -> Result<void> {
                if (i == failing) return Error{"refused", EPERM};
                ++done;
                return base::success();
            };
        }
        const auto result = jail::carry_out(plan);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().what, names[failing].name + ": refused");
        EXPECT_EQ(done, failing);
    }
}

TEST_F(BeforeLogin, IsNobodyWithNoRights) {
    NEEDS_ROOT();
    const auto process = enter();
    ASSERT_EQ(process->error(), std::nullopt);
    const auto facts = process->facts();
    EXPECT_EQ(facts.status("Uid"), "31001 31001 31001 31001");
    EXPECT_EQ(facts.status("Gid"), "31002 31002 31002 31002");
    EXPECT_EQ(facts.status("Groups"), "");
    EXPECT_EQ(facts.status("Umask"), "0077");
    EXPECT_EQ(facts.session(), process->pid());
    expect_no_way_to_more(facts);
}

TEST_F(BeforeLogin, LeavesNoRoomForFilesOrProcesses) {
    NEEDS_ROOT();
    const auto process = enter();
    ASSERT_EQ(process->error(), std::nullopt);
    const auto facts = process->facts();
    EXPECT_EQ(facts.limit("Max core file size"), "0 0");
    EXPECT_EQ(facts.limit("Max processes"), "0 0");
    EXPECT_EQ(facts.limit("Max file size"), "0 0");
    EXPECT_EQ(facts.limit("Max open files"), "16 16");
    EXPECT_EQ(facts.descriptors().size(), 4U);
}

// ----- the walls, which stand only where they are asked for

jail::Walls walls(const jail::Calls& calls) {
    jail::Walls result;
    result.landlock = jail::landlock_version() >= 2;
    auto filter = jail::SystemCallFilter::compile(calls);
    EXPECT_TRUE(filter);
    result.system_calls = std::make_shared<const jail::SystemCallFilter>(std::move(filter.value()));
    return result;
}

constexpr jail::Calls writing{true, jail::read_write, false};

struct Walled : UserHome {};

TEST_F(Walled, AreOffUnlessAskedFor) {
    for (const auto& plan : {jail::user_home(home(3)), jail::before_login({ann, users, {}}, 3)}) {
        EXPECT_EQ(position(plan, "landlock"), plan.size());
        EXPECT_EQ(position(plan, "system calls"), plan.size());
    }
}

TEST_F(Walled, AreLastTheFilterVeryLast) {
    auto wanted = home(3);
    wanted.walls = walls(writing);
    wanted.walls.landlock = true;
    for (const auto& plan :
         {jail::user_home(wanted), jail::before_login({ann, users, {}}, 3, wanted.walls)}) {
        EXPECT_EQ(position(plan, "landlock"), plan.size() - 2);
        EXPECT_EQ(position(plan, "system calls"), plan.size() - 1);
        EXPECT_LT(position(plan, "no new privileges"), position(plan, "landlock"));
    }
    EXPECT_LT(position(jail::user_home(wanted), "start directory"),
              position(jail::user_home(wanted), "landlock"));
}

TEST_F(Walled, StandAroundASession) {
    NEEDS_ROOT();
    ASSERT_EQ(::chown(path.c_str(), ann, users), 0);
    const auto outside = directory.file("outside");
    const Process process([&](int kept) -> Result<void> {
        const int above = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        auto wanted = home(kept);
        wanted.refuse_writable_root = false;
        wanted.descriptors.push_back(above);  // a hole in the root
        wanted.walls = walls(writing);
        TRY(jail::carry_out(jail::user_home(wanted)));
        if (::open("/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0)
            return base::system_error("/file");
        if (::socket(AF_INET, SOCK_STREAM, 0) >= 0) return Error{"made a socket", 0};
        if (wanted.walls.landlock && ::openat(above, outside.c_str() + 1, O_RDONLY) >= 0)
            return Error{"read outside", 0};
        return base::success();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().status("Seccomp"), "2");
    expect_no_way_to_more(process.facts());
}

TEST_F(Walled, HoldASessionToWhatItMayDo) {
    NEEDS_ROOT();
    if (jail::landlock_version() < 2) GTEST_SKIP() << "needs Landlock's version 2";
    ASSERT_EQ(::chown(path.c_str(), ann, users), 0);
    const Process process([&](int kept) -> Result<void> {
        auto wanted = home(kept);
        wanted.refuse_writable_root = false;
        wanted.rights = jail::read_only;
        wanted.walls = walls({true, jail::read_only, false});
        wanted.walls.system_calls.reset();  // the one wall alone
        TRY(jail::carry_out(jail::user_home(wanted)));
        if (::open("/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 || errno != EACCES)
            return base::system_error("wrote");
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST_F(Walled, StandAroundAGreeter) {
    NEEDS_ROOT();
    const Process process([](int kept) -> Result<void> {
        TRY(jail::carry_out(
            jail::before_login({ann, users, {}}, kept, walls(jail::calls_before_login))));
        if (::open("/", O_RDONLY) >= 0) return Error{"opened a directory", 0};
        return base::success();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().status("Seccomp"), "2");
    expect_no_way_to_more(process.facts());
}

TEST_F(BeforeLogin, HasAnEmptyEnvironment) {
    NEEDS_ROOT();
    const Process process([](int kept) -> Result<void> {
        ::setenv("TZ", "UTC", 1);
        ::setenv("LD_PRELOAD", "something", 1);
        TRY(jail::carry_out(jail::before_login({ann, users, {}}, kept)));
        if (environ == nullptr || environ[0] == nullptr || environ[1] != nullptr ||
            std::string(environ[0]) != "TZ=UTC")
            return Error{"more or less than TZ", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST_F(BeforeLogin, IsNotForRoot) {
    NEEDS_ROOT();
    const Process process([](int kept) {
        return jail::carry_out(jail::before_login({0, users, {}}, kept));
    });
    EXPECT_THAT(process.error().value_or(""), StartsWith("groups, gid, uid: "));
}

// ----- started by an ordinary user

struct WithoutRoot : Homes {
    // As ann, who never was root.
    static Result<void> be_ann() {
        if (::geteuid() == 0) {
            TRY(jail::become({ann, users, {}}));
        }
        if (::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) return base::system_error("prctl");
        return base::success();
    }
    jail::Home own_home(int kept, jail::Maker maker) const {
        auto wanted = home(kept);
        wanted.maker = maker;
        wanted.user = {ann, users, {}};
        wanted.refuse_writable_root = false;
        return wanted;
    }
    // Under no filter, so that what stops an attempt is Landlock.
    static Result<void> try_to_leave(const std::string& outside) {
        for (const auto& each : {outside, std::string("/etc/passwd"), std::string("../outside"),
                                 "/proc/self/root" + outside}) {
            if (::open(each.c_str(), O_RDONLY) >= 0 || errno == EBADF) return Error{each, 0};
        }
        return base::success();
    }
};

TEST_F(WithoutRoot, NothingIsAskedForThatTakesRoot) {
    for (const auto maker : {jail::Maker::user, jail::Maker::user_in_namespace}) {
        for (const auto& plan : {jail::user_home(own_home(3, maker)),
                                 jail::before_login({ann, users, {}}, 3, {}, maker)}) {
            EXPECT_EQ(position(plan, "groups, gid, uid"), plan.size());
            EXPECT_EQ(position(plan, "keyring"), plan.size());
            EXPECT_LT(position(plan, "uid and gid as at start"), position(plan, "no capabilities"));
            EXPECT_EQ(position(plan, "empty bounding set") < plan.size(),
                      maker == jail::Maker::user_in_namespace);
            EXPECT_LT(position(plan, "not dumpable"), plan.size());
        }
    }
}

TEST_F(WithoutRoot, ASessionStaysInTheFolderByLandlock) {
    NEEDS_ROOT();
    if (jail::landlock_version() == 0) GTEST_SKIP() << "needs Landlock";
    const auto outside = directory.file("outside");
    directory.file("ann/inside");
    const Process process([&](int kept) -> Result<void> {
        auto wanted = own_home(kept, jail::Maker::user);
        TRY(be_ann());
        wanted.walls.landlock = true;
        TRY(jail::carry_out(jail::user_home(wanted)));
        if (::open("inside", O_RDONLY) < 0) return base::system_error("inside");
        return try_to_leave(outside);
    });
    ASSERT_EQ(process.error(), std::nullopt);
    const auto facts = process.facts();
    EXPECT_EQ(facts.status("Uid"), "31001 31001 31001 31001");
    EXPECT_EQ(facts.status("CapEff"), no_capability);
    EXPECT_EQ(facts.status("NoNewPrivs"), "1");
    EXPECT_EQ(facts.link("cwd"), path);
    EXPECT_EQ(facts.link("root"), "/");
    EXPECT_EQ(facts.owner(), 0U) << "dumpable";
}

TEST_F(WithoutRoot, AGreeterGetsNoFileByLandlock) {
    NEEDS_ROOT();
    if (jail::landlock_version() == 0) GTEST_SKIP() << "needs Landlock";
    const auto outside = directory.file("outside");
    const Process process([&](int kept) -> Result<void> {
        TRY(be_ann());
        jail::Walls walls;
        walls.landlock = true;
        TRY(jail::carry_out(jail::before_login({ann, users, {}}, kept, walls, jail::Maker::user)));
        return try_to_leave(outside);
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().status("CapEff"), no_capability);
}

TEST_F(WithoutRoot, AUserNamespaceIsEnoughForTheHomeAsRoot) {
    NEEDS_ROOT();
    const auto outside = directory.file("outside");
    directory.file("ann/inside");
    const Process process([&](int kept) -> Result<void> {
        auto wanted = own_home(kept, jail::Maker::user_in_namespace);
        TRY(be_ann());
        if (const auto entered = jail::enter_user_namespace(); !entered)
            return Error{"no user namespaces", 0};
        TRY(jail::carry_out(jail::user_home(wanted)));
        if (::open("/inside", O_RDONLY) < 0) return base::system_error("/inside");
        return try_to_leave(outside);
    });
    if (process.error() == "no user namespaces") GTEST_SKIP() << *process.error();
    ASSERT_EQ(process.error(), std::nullopt);
    expect_no_way_to_more(process.facts());
    EXPECT_EQ(process.facts().link("root"), path);
    EXPECT_EQ(process.facts().status("Uid"), "31001 31001 31001 31001");
}

TEST_F(WithoutRoot, SomebodyElsesJailIsNotEntered) {
    NEEDS_ROOT();
    const Process process([&](int kept) -> Result<void> {
        auto wanted = own_home(kept, jail::Maker::user);
        wanted.user.uid = ann + 1;
        TRY(be_ann());
        return jail::carry_out(jail::user_home(wanted));
    });
    EXPECT_THAT(process.error().value_or(""),
                StartsWith("uid and gid as at start: it has another"));
}

}  // namespace
