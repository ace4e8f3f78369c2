// SPDX-License-Identifier: MIT
// Namespaces, seen from outside and inside of cells.
#include "jail/namespaces.hpp"

#include "jail/identity.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using base::Error;
using base::Result;
using jail::Isolation;
using observed::Facts;
using observed::Process;
using testing::HasSubstr;

constexpr uid_t ann = 31001;
constexpr Isolation everything{true, true, true, true, true};

Result<void> nothing(int) { return base::success(); }

std::string own(const jail::Namespace& each) {
    return Facts(::getpid()).link(std::string("ns/") + each.entry);
}

TEST(Namespaces, AreNewWhereWantedAndOnlyThere) {
    NEEDS_ROOT();
    for (const auto& wanted : jail::namespaces()) {
        if (wanted.wanted == nullptr) continue;
        Isolation isolation;
        isolation.*wanted.wanted = true;
        const Process process(nothing, isolation);
        if (process.pid() < 0) GTEST_SKIP() << wanted.name << ": " << *process.error();
        ASSERT_EQ(process.error(), std::nullopt);
        for (const auto& each : jail::namespaces()) {
            const auto here = process.facts().link(std::string("ns/") + each.entry);
            EXPECT_THAT(here, HasSubstr(std::string(each.entry) + ":["));
            EXPECT_EQ(here != own(each), each.name == wanted.name) << wanted.name << each.name;
        }
    }
}

TEST(Namespaces, OfACellAreAllNewButNetworkAndUsers) {
    NEEDS_ROOT();
    NEEDS_MOUNTS();
    const Process process(nothing, everything);
    ASSERT_EQ(process.error(), std::nullopt);
    for (const auto& each : jail::namespaces()) {
        const auto here = process.facts().link(std::string("ns/") + each.entry);
        EXPECT_EQ(here != own(each), each.wanted != nullptr) << each.name;
    }
}

TEST(Cell, WithoutNamespacesIsAFork) {
    const Process process([parent = ::getpid()](int) -> Result<void> {
        if (::getppid() != parent) return Error{"another parent", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
    for (const auto& each : jail::namespaces())
        EXPECT_EQ(process.facts().link(std::string("ns/") + each.entry), own(each));
}

TEST(Cell, IsTheFirstProcessOfItsPidNamespaceAndSeesNoOther) {
    NEEDS_ROOT();
    NEEDS_MOUNTS();
    const Process process(
        [](int) -> Result<void> {
            if (::getpid() != 1 || ::getppid() != 0) return Error{"not pid 1", 0};
            if (::kill(2, 0) == 0 || errno != ESRCH) return Error{"sees another process", errno};
            return base::success();
        },
        everything);
    EXPECT_EQ(process.error(), std::nullopt);
    EXPECT_GT(process.pid(), 1);
}

// What the C library keeps of the process must still serve after a raw clone.
TEST(Cell, CanUseTheCLibrary) {
    NEEDS_ROOT();
    NEEDS_MOUNTS();
    const Process process(
        [](int) -> Result<void> {
            const auto grandchild = ::fork();
            if (grandchild == 0) ::_exit(7);
            int status = 0;
            if (::waitpid(grandchild, &status, 0) != grandchild || WEXITSTATUS(status) != 7)
                return Error{"fork", errno};
            std::string text;
            for (int i = 0; i < 100'000; ++i) text += 'x';
            ::signal(SIGUSR1, SIG_IGN);
            if (::raise(SIGUSR1) != 0) return base::system_error("raise");
            return base::success();
        },
        everything);
    EXPECT_EQ(process.error(), std::nullopt);
}

int status_after(int signal, void (*prepare)()) {
    Process process(
        [=](int) -> Result<void> {
            prepare();
            return base::success();
        },
        {.pid = true});
    if (process.error()) return -1;
    process.signal(signal);
    // Whoever ignored it ends by what nobody ignores.
    ::usleep(100'000);
    process.signal(SIGKILL);
    return process.end();
}

TEST(Init, IgnoresSignalsUnlessItLivesAsOne) {
    NEEDS_ROOT();
    NEEDS_MOUNTS();
    const auto ignored = status_after(SIGTERM, [] {});
    EXPECT_TRUE(WIFSIGNALED(ignored) && WTERMSIG(ignored) == SIGKILL) << ignored;
    for (const int each : {SIGTERM, SIGHUP, SIGINT, SIGALRM}) {
        const auto status = status_after(each, jail::live_as_init);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 128 + each) << status;
    }
}

TEST(Init, KeepsIgnoringWhatItIgnored) {
    NEEDS_ROOT();
    NEEDS_MOUNTS();
    const auto status = status_after(SIGHUP, [] {
        ::signal(SIGHUP, SIG_IGN);
        jail::live_as_init();
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
}

TEST(Init, StillEndsByItsOwnErrors) {
    NEEDS_ROOT();
    NEEDS_MOUNTS();
#ifdef JAILFTPD_SANITIZED
    GTEST_SKIP() << "the sanitizers handle them";
#endif
    void (*const errors[])() = {[] { std::abort(); }, [] { __builtin_trap(); }};
    for (const auto& error : errors) {
        Process process(
            [=](int) -> Result<void> {
                jail::live_as_init();
                error();
                return base::success();
            },
            {.pid = true});
        EXPECT_EQ(process.error(), "the process died");
        const auto status = process.end();
        EXPECT_TRUE(WIFSIGNALED(status)) << status;
    }
}

// ----- the network

bool loopback_is_up(int socket) {
    ifreq request{};
    request.ifr_name[0] = 'l';
    request.ifr_name[1] = 'o';
    return ::ioctl(socket, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
}

TEST(EmptyNetwork, HasNoInterfaceThatIsUp) {
    NEEDS_ROOT();
    const Process process([&](int) -> Result<void> {
        TRY(jail::enter_empty_network());
        const base::Fd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        if (loopback_is_up(socket.get())) return Error{"loopback is up", 0};
        struct if_nameindex* interfaces = ::if_nameindex();
        int count = 0;
        for (const auto* each = interfaces; each != nullptr && each->if_index != 0; ++each) ++count;
        ::if_freenameindex(interfaces);
        if (count > 1) return Error{"more interfaces than lo", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
    EXPECT_NE(process.facts().link("ns/net"), Facts(::getpid()).link("ns/net"));
}

// ----- without root

TEST(UserNamespace, GivesOneWithoutRootNamespacesOfItsOwn) {
    std::string reason;
    const Process process([&](int) -> Result<void> {
        if (::geteuid() == 0) {
            TRY(jail::become({ann, ann, {}}));
            (void)::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);  // as one who was ann from the start
        }
        TRY(jail::enter_user_namespace());
        if (::mount("none", "/tmp", "tmpfs", 0, nullptr) < 0) return base::system_error("mount");
        TRY(const auto pid, jail::clone_cell(everything));
        if (pid == 0) ::_exit(::getpid() == 1 ? 0 : 1);
        int status = 0;
        if (::waitpid(pid, &status, 0) != pid || status != 0) return Error{"the cell", status};
        return base::success();
    });
    if (process.error()) GTEST_SKIP() << *process.error();
    const auto uid = std::to_string(::geteuid() == 0 ? ann : ::geteuid());
    EXPECT_EQ(process.facts().status("Uid"), uid + ' ' + uid + ' ' + uid + ' ' + uid);
    EXPECT_NE(process.facts().link("ns/user"), Facts(::getpid()).link("ns/user"));
}

}  // namespace
