// SPDX-License-Identifier: MIT
// Identities, for good and for a moment.
#include "jail/identity.hpp"

#include "jail/capabilities.hpp"
#include "tests/jail/observed.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using base::Error;
using base::Result;
using jail::Borrowed;
using observed::Directory;
using observed::Process;

constexpr uid_t ann = 31001;
constexpr gid_t users = 31002;
constexpr gid_t web = 31003;

TEST(Become, TakesAwayTheWayBack) {
    NEEDS_ROOT();
    const Process process([](int) -> Result<void> {
        TRY(jail::become({ann, users, {}}));
        if (::setresuid(-1, 0, -1) == 0) return Error{"became root", 0};
        return base::success();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().status("Uid"), "31001 31001 31001 31001");
    EXPECT_EQ(process.facts().status("CapPrm"), "0000000000000000");
}

TEST(Become, NoticesThatRootCouldBeHadAgain) {
    NEEDS_ROOT();
    const Process process([](int) -> Result<void> {
        // Capabilities that outlive the change of uid, CAP_SETUID among them.
        if (::prctl(PR_SET_SECUREBITS, 1 << 2 /* SECBIT_NO_SETUID_FIXUP */) < 0)
            return base::system_error("prctl");
        return jail::become({ann, users, {}});
    });
    EXPECT_EQ(process.error(), "root can be regained: Operation not permitted");
}

TEST(Become, DropsTheGroupsOfBefore) {
    NEEDS_ROOT();
    const Process process([](int) -> Result<void> {
        const gid_t before[] = {0, 4, 24};
        if (::setgroups(3, before) < 0) return base::system_error("setgroups");
        return jail::become({ann, users, {web}});
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().status("Groups"), "31003");
}

TEST(Borrowed, OpensWhatTheUserMayOpenAndNothingElse) {
    NEEDS_ROOT();
    const Directory directory;
    const auto hers = directory.directory("hers", ann, 0700);
    const auto roots = directory.directory("roots", 0, 0700);
    const auto groups = directory.directory("groups", 0, 0750, web);
    const Process process([&](int) -> Result<void> {
        TRY(const auto borrowed, Borrowed::take({ann, users, {web}}));
        for (const auto& path : {hers, groups}) {
            const base::Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
            if (!fd) return base::system_error(path);
        }
        if (::open(roots.c_str(), O_RDONLY | O_CLOEXEC) >= 0) return Error{"opened root's", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST(Borrowed, ShowsTheUserForFilesOnly) {
    NEEDS_ROOT();
    std::optional<Borrowed> kept;
    const Process process([&](int) -> Result<void> {
        TRY(auto borrowed, Borrowed::take({ann, users, {web}}));
        kept.emplace(std::move(borrowed));
        return base::success();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().status("Uid"), "0 0 0 31001");
    EXPECT_EQ(process.facts().status("Gid"), "0 0 0 31002");
    EXPECT_EQ(process.facts().status("Groups"), "31003");
    EXPECT_EQ(process.facts().owner(), 0U);
}

TEST(Borrowed, GivesEverythingBack) {
    NEEDS_ROOT();
    const auto before = observed::Facts(::getpid());
    const Process process([](int) -> Result<void> {
        const gid_t groups[] = {4, 24};
        if (::setgroups(2, groups) < 0) return base::system_error("setgroups");
        TRY(const auto borrowed, Borrowed::take({ann, users, {web}}));
        return base::success();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    const auto facts = process.facts();
    EXPECT_EQ(facts.status("Uid"), "0 0 0 0");
    EXPECT_EQ(facts.status("Gid"), "0 0 0 0");
    EXPECT_EQ(facts.status("Groups"), "4 24");
    EXPECT_EQ(facts.status("CapEff"), before.status("CapEff"));
}

// The kernel takes both away from whoever changes his fsuid.
TEST(Borrowed, StaysTiedToItsParentAndUndumpable) {
    NEEDS_ROOT();
    const Process process([](int) -> Result<void> {
        const auto tied = [] {
            int signal = 0;
            (void)::prctl(PR_GET_PDEATHSIG, &signal);
            return signal == SIGKILL && ::prctl(PR_GET_DUMPABLE) == 0;
        };
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)::prctl(PR_SET_DUMPABLE, 0);
        {
            TRY(const auto borrowed, Borrowed::take({ann, users, {web}}));
            if (!tied()) return Error{"not tied while it acts as the user", 0};
        }
        if (!tied()) return Error{"not tied afterwards", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST(Borrowed, GivesBackWhenItCouldNotTakeAll) {
    NEEDS_ROOT();
    const Process process([](int) -> Result<void> {
        const int few[] = {CAP_SETGID};
        TRY(jail::keep_capabilities(few));
        if (Borrowed::take({ann, users, {web}})) return Error{"acted as the user", 0};
        return base::success();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().status("Uid"), "0 0 0 0");
    EXPECT_EQ(process.facts().status("Gid"), "0 0 0 0");
    EXPECT_EQ(process.facts().status("Groups"), "");
}

TEST(Borrowed, EndsTheProcessThatCannotGoBack) {
    NEEDS_ROOT();
    const pid_t pid = ::fork();
    if (pid == 0) {
        (void)::prctl(PR_SET_DUMPABLE, 0);
        {
            const auto borrowed = Borrowed::take({ann, users, {web}});
            if (!jail::drop_capabilities()) ::_exit(1);  // CAP_SETGID is gone
        }
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
}

}  // namespace
