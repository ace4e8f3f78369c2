// SPDX-License-Identifier: MIT
// Live greeters and sessions are made to ask for what is in the table of system calls, from
// outside: as code would that an attacker has brought in.
#include "tests/sessions/conversation.hpp"
#include "tests/sessions/injector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <seccomp.h>

#include <cerrno>
#include <chrono>
#include <csignal>

#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace sessions;
using call_table::Attempt;
using call_table::attempts;
using call_table::Verdict;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

class InjectedCalls : public testing::Test {
  protected:
    void SetUp() override {
#ifdef JAILFTPD_SANITIZED
        GTEST_SKIP() << "the sanitizers' set is allowed here";
#endif
    }

    // What ends the process costs one each, from an address of its own: the server shuts out who
    // crashes processes.
    std::string next_address() {
        ++clients_;
        return "127.1." + std::to_string(clients_ / 250) + '.' + std::to_string(1 + clients_ % 250);
    }

  private:
    int clients_ = 0;
};

bool ends(const Attempt& attempt, Verdict expected) {
    return expected == Verdict::killed || std::string_view(attempt.call).starts_with("exit");
}

int number_of(const Attempt& attempt) { return seccomp_syscall_resolve_name(attempt.call); }

}  // namespace

// ----- what leaves the process alive, all in one

void ask_all(pid_t pid, Verdict Attempt::*expected) {
    Injector injector(pid);
    ASSERT_EQ(injector.trouble(), "");
    int asked = 0;
    for (const auto& attempt : attempts) {
        if (number_of(attempt) < 0 || ends(attempt, attempt.*expected)) continue;
        EXPECT_EQ(injector.ask(number_of(attempt), attempt.arguments).verdict, attempt.*expected)
            << words(attempt);
        ++asked;
    }
    EXPECT_GT(asked, 80);
}

TEST_F(InjectedCalls, AreAnsweredInASessionAsTheListSays) {
    Server server({"chroot_local_user=YES"}, {.ini = "[server]\nsync_uploads = yes\n"});
    Conversation ftp(server, alice);
    ask_all(server.process("alice 127.0.0.1 [session]"), &Attempt::writer);
    // And it lives on.
    EXPECT_THAT(ftp.say("PWD"), StartsWith("257"));
    server.complained("the system call mknod|the system call [a-z0-9_]+ is not on");
}

TEST_F(InjectedCalls, AreAnsweredInAReadOnlySession) {
    Server server({"chroot_local_user=YES", "write_enable=NO"});
    Conversation ftp(server, alice);
    ask_all(server.process("alice 127.0.0.1 [session]"), &Attempt::reader);
    EXPECT_THAT(ftp.say("PWD"), StartsWith("257"));
}

TEST_F(InjectedCalls, AreAnsweredInAGreeter) {
    Server server;
    Conversation ftp(server);
    ask_all(server.process("127.0.0.1 [greeter]"), &Attempt::greeter);
    EXPECT_EQ(ftp.login(alice), "230 Login successful.");
}

// ----- what ends it

TEST_F(InjectedCalls, ThatAreHostileEndASession) {
    Server server({"chroot_local_user=YES"});
    int killed = 0;
    for (const auto& attempt : attempts) {
        if (number_of(attempt) < 0 || !ends(attempt, attempt.writer)) continue;
        const auto from = next_address();
        Conversation ftp(server, from);
        ASSERT_EQ(ftp.login(alice), "230 Login successful.") << words(attempt);
        const auto pid = server.process("alice " + from + " [session]");
        {
            Injector injector(pid);
            ASSERT_EQ(injector.trouble(), "");
            EXPECT_EQ(injector.ask(number_of(attempt), attempt.arguments).verdict, attempt.writer)
                << words(attempt);
        }
        EXPECT_TRUE(ftp.ended()) << words(attempt);
        ++killed;
    }
    EXPECT_GT(killed, 40);
}

TEST_F(InjectedCalls, ThatAreHostileEndAGreeter) {
    Server server;
    for (const auto* call : {"connect", "execve", "ptrace", "mount", "setns", "keyctl", "bpf",
                             "io_uring_setup", "open_by_handle_at", "userfaultfd"}) {
        const auto from = next_address();
        Conversation ftp(server, from);
        const auto pid = server.process(from + " [greeter]");
        Injector injector(pid);
        ASSERT_EQ(injector.trouble(), "") << call;
        EXPECT_EQ(injector.ask(seccomp_syscall_resolve_name(call), {-1}).verdict, Verdict::killed)
            << call;
        EXPECT_TRUE(eventually([&] { return server.processes(from).empty(); })) << call;
    }
}

// The spawner is root, with the right to mount. Whoever has come that far can start nothing, reach
// nobody and leave its empty root by nothing that the filter of its own knows.
TEST_F(InjectedCalls, ThatAreHostileEndASpawnerAlone) {
    Server server({"chroot_local_user=YES"});
    Conversation ftp(server, alice);
    // Few: each spawner that dies young lets the next one wait for longer.
    for (const auto* call : {"execve", "connect", "mount"}) {
        const auto pid = server.process("[spawner]");
        {
            Injector injector(pid);
            ASSERT_EQ(injector.trouble(), "") << call;
            const int socket = seccomp_syscall_resolve_name("socket");
            EXPECT_EQ(injector.ask(socket, {AF_INET, SOCK_STREAM}).result, -ENOSYS);
            EXPECT_EQ(injector.ask(seccomp_syscall_resolve_name(call), {-1}).verdict,
                      Verdict::killed)
                << call;
        }
        EXPECT_TRUE(eventually(
            [&] {
                const auto now = server.processes("[spawner]");
                return now.size() == 1 && now.front().pid != pid;
            },
            std::chrono::seconds(30)))
            << call;
    }
    EXPECT_THAT(ftp.say("PWD"), StartsWith("257"));
    EXPECT_EQ(Conversation(server).login(alice), "230 Login successful.");
}

// ----- what /proc does not show: asked of the process itself, its filter suspended

class BehindTheFilter : public InjectedCalls {
  protected:
    // Of a process that waits.
    static void look_at(pid_t pid) {
        const auto keyring =
            ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
        Injector injector(pid);
        ASSERT_EQ(injector.trouble(), "");
        if (!injector.suspend_filter()) GTEST_SKIP() << "this kernel cannot suspend filters";
        const auto bits = injector.ask(SYS_prctl, {PR_GET_SECUREBITS});
        constexpr long locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
                                SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
        EXPECT_EQ(bits.result, locked);
        EXPECT_EQ(injector.ask(SYS_prctl, {PR_GET_DUMPABLE}).result, 0);
        const auto own =
            injector.ask(SYS_keyctl, {KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0});
        if (own.result != -EPERM) {  // containers
            EXPECT_NE(own.result, keyring);
        }
    }

    // What holds it without the filter.
    static void try_other_layers(pid_t pid, std::uint16_t port) {
        Injector injector(pid);
        ASSERT_EQ(injector.trouble(), "");
        if (!injector.suspend_filter()) GTEST_SKIP() << "this kernel cannot suspend filters";
        const auto asked = [&](long number, const call_table::Arguments& arguments) {
            return injector.ask(number, arguments).result;
        };
        for (const auto* path : {"/etc/passwd", "/proc/1/root", "../../../../etc/passwd"})
            EXPECT_EQ(asked(SYS_openat, {AT_FDCWD, injector.put(path), O_RDONLY}), -ENOENT);
        EXPECT_EQ(asked(SYS_unshare, {CLONE_NEWNS}), -EPERM);
        EXPECT_EQ(asked(SYS_setresuid, {0, 0, 0}), -EPERM);
        EXPECT_EQ(asked(SYS_setgroups, {0, 0}), -EPERM);
        EXPECT_EQ(asked(SYS_chroot, {injector.put("/")}), -EPERM);
        EXPECT_EQ(asked(SYS_kill, {-1, 0}), -ESRCH) << "it sees no other process";
        EXPECT_EQ(asked(SYS_kill, {::getpid(), 0}), -ESRCH);
        EXPECT_EQ(asked(SYS_clone, {SIGCHLD}), -EAGAIN) << "RLIMIT_NPROC";
        EXPECT_EQ(asked(SYS_sethostname, {injector.put("x"), 1}), -EPERM);
        sockaddr_in server{};
        server.sin_family = AF_INET;
        server.sin_port = htons(port);
        server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto socket = asked(SYS_socket, {AF_INET, SOCK_STREAM, 0});
        ASSERT_GE(socket, 0);
        const auto address = injector.put({reinterpret_cast<const char*>(&server), sizeof server});
        EXPECT_THAT(asked(SYS_connect, {socket, address, sizeof server}),
                    testing::AnyOf(-ENETUNREACH, -EACCES));
        (void)asked(SYS_close, {socket});
    }
};

TEST_F(BehindTheFilter, TheOtherLayersHold) {
    Server server({"chroot_local_user=YES"});
    Conversation waiting(server);
    try_other_layers(server.process("127.0.0.1 [greeter]"), server.port());
    EXPECT_EQ(waiting.login(alice), "230 Login successful.");
    try_other_layers(server.process("alice 127.0.0.1 [session]"), server.port());
    EXPECT_THAT(waiting.say("PWD"), StartsWith("257"));
}

TEST_F(BehindTheFilter, ASessionHasLockedBitsAndItsOwnKeyring) {
    Server server({"chroot_local_user=YES"});
    Conversation ftp(server, alice);
    look_at(server.process("alice 127.0.0.1 [session]"));
    EXPECT_THAT(ftp.say("PWD"), StartsWith("257"));
}

TEST_F(BehindTheFilter, AGreeterHasThemToo) {
    Server server;
    Conversation ftp(server);
    look_at(server.process("127.0.0.1 [greeter]"));
    EXPECT_EQ(ftp.login(alice), "230 Login successful.");
}
