// SPDX-License-Identifier: MIT
// System call filters: every verdict by asking in a process that lives under one, and for other
// architectures by running the program.
#include "jail/system_calls.hpp"

#include "jail/capabilities.hpp"
#include "jail/identity.hpp"
#include "tests/jail/call_table.hpp"
#include "tests/jail/filter_machine.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <seccomp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using base::Fd;
using namespace call_table;
using jail::Calls;
using jail::SystemCallFilter;
using testing::Contains;
using testing::IsSupersetOf;
using testing::Not;

constexpr Calls before_login = jail::calls_before_login;
constexpr Calls reading{true, jail::read_only, false};
constexpr Calls writing{true, jail::read_write, false};

constexpr uid_t ann = 31001;

// ----- asking in a live process

struct Report {
    std::array<char, 64> name{};
    bool for_its_arguments = false;
    int count = 0;
};
Report report;

void note(const char* call, bool for_its_arguments) {
    std::strncpy(report.name.data(), call, report.name.size() - 1);
    report.for_its_arguments = for_its_arguments;
    ++report.count;
}

struct Asked {
    Verdict verdict;
    Report report;
};

// What a child under the filter hears. It is nobody, so that what is allowed by mistake harms none.
// below: the spawner's, under which it becomes that.
Asked ask(const SystemCallFilter& filter, int number, const Arguments& arguments,
          const SystemCallFilter* below = nullptr) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    Fd ours{ends[0]};
    Fd theirs{ends[1]};
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (below != nullptr && (!jail::forbid_new_privileges() || !below->install())) ::_exit(4);
        if (::geteuid() == 0 && !jail::become({ann, ann, {}})) ::_exit(2);
        if (!jail::forbid_new_privileges() || !jail::answer_denied_calls(note) || !filter.install())
            ::_exit(3);
        const auto& a = arguments;
        errno = 0;
        const auto result = ::syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        Asked asked{allowed, report};
        if (report.count > 0)
            asked.verdict = result == -1 && errno == ENOSYS  ? enosys
                            : result == -1 && errno == EPERM ? eperm
                                                             : allowed;
        (void)::send(theirs.get(), &asked, sizeof asked, MSG_NOSIGNAL);
        ::_exit(0);
    }
    theirs.close();
    Asked asked{killed, {}};
    const auto length = ::recv(ours.get(), &asked, sizeof asked, 0);
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    if (length == static_cast<ssize_t>(sizeof asked)) return asked;
    // Those that end a process are asked to do it with this code.
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return {allowed, {}};
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << "status " << status;
    return {killed, {}};
}

SystemCallFilter compiled(const Calls& calls) {
    auto filter = SystemCallFilter::compile(calls);
    EXPECT_TRUE(filter) << (filter ? "" : filter.error().text());
    return std::move(filter.value());
}

#ifdef JAILFTPD_SANITIZED
#define NEEDS_EXACT_LISTS() GTEST_SKIP() << "the sanitizers' set is allowed here"
#else
#define NEEDS_EXACT_LISTS() static_cast<void>(0)
#endif

Calls above_spawners(Calls calls) {
    calls.inherits = true;
    return calls;
}

SystemCallFilter compiled_spawners() {
    auto filter = SystemCallFilter::compile_spawners();
    EXPECT_TRUE(filter) << (filter ? "" : filter.error().text());
    return std::move(filter.value());
}

TEST(SystemCalls, AreAnsweredAsTheListsSay) {
    NEEDS_EXACT_LISTS();
    const auto spawners = compiled_spawners();
    const struct {
        const char* phase;
        SystemCallFilter filter;
        Verdict Attempt::*expected;
        const SystemCallFilter* below;
    } phases[] = {
        {"greeter", compiled(before_login), &Attempt::greeter, nullptr},
        {"reader", compiled(reading), &Attempt::reader, nullptr},
        {"writer", compiled(writing), &Attempt::writer, nullptr},
        {"spawner's greeter", compiled(above_spawners(before_login)), &Attempt::greeter, &spawners},
        {"spawner's reader", compiled(above_spawners(reading)), &Attempt::reader, &spawners},
        {"spawner's writer", compiled(above_spawners(writing)), &Attempt::writer, &spawners},
    };
    for (const auto& attempt : attempts) {
        const int number = seccomp_syscall_resolve_name(attempt.call);
        if (number < 0) continue;  // another architecture's
        for (const auto& phase : phases) {
            const auto asked = ask(phase.filter, number, attempt.arguments, phase.below);
            EXPECT_EQ(asked.verdict, attempt.*phase.expected)
                << words(attempt) << " in a " << phase.phase;
            if (asked.verdict == enosys || asked.verdict == eperm) {
                EXPECT_STREQ(asked.report.name.data(), attempt.call);
                EXPECT_EQ(asked.report.for_its_arguments, asked.verdict == eperm);
            }
        }
    }
}

TEST(SystemCalls, OfUnknownNumbersDoNotExist) {
    const auto filter = compiled(writing);
    for (const int number : {1023, 1024, 5000}) {
        const auto asked = ask(filter, number, {});
        EXPECT_EQ(asked.verdict, enosys) << number;
        EXPECT_STREQ(asked.report.name.data(), "of a number without a name");
    }
}

// Newer than the library that compiles the filters.
TEST(SystemCalls, CanBeAllowedByNumber) {
    NEEDS_EXACT_LISTS();
    EXPECT_EQ(ask(compiled(writing), 452, {-1}).verdict, allowed);
    EXPECT_EQ(ask(compiled(reading), 452, {-1}).verdict, enosys);
}

#ifdef __x86_64__
int status_after(void (*call)()) {
    const auto filter = compiled(writing);
    const pid_t pid = ::fork();
    if (pid == 0) {
        (void)::signal(SIGSEGV, SIG_DFL);  // otherwise AddressSanitizer's
        if (!jail::forbid_new_privileges() || !jail::answer_denied_calls(nullptr) ||
            !filter.install())
            ::_exit(3);
        call();
        ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
}

TEST(SystemCalls, OfOtherArchitecturesEndTheProcess) {
    const auto x32 = status_after([] { (void)::syscall(0x40000000 | SYS_getpid); });
    EXPECT_TRUE(WIFSIGNALED(x32) && WTERMSIG(x32) == SIGSYS) << x32;
    const auto i386 = status_after([] {
        long result = 20;  // getpid
        asm volatile("int $0x80" : "+a"(result) : : "memory");
    });
    // SIGSEGV: a kernel without them.
    EXPECT_TRUE(WIFSIGNALED(i386) && (WTERMSIG(i386) == SIGSYS || WTERMSIG(i386) == SIGSEGV))
        << i386;
}
#endif

// Each right by itself brings its calls and no others.
TEST(SystemCalls, FollowTheRights) {
    NEEDS_EXACT_LISTS();
    const struct {
        bool jail::FileRights::*right;
        std::vector<std::string> calls;
    } cases[] = {
        {&jail::FileRights::make_folders, {"mkdirat", "umask"}},
        {&jail::FileRights::remove_files, {"unlinkat (some)"}},
        {&jail::FileRights::remove_folders, {"unlinkat (some)"}},
        {&jail::FileRights::rename, {"renameat", "renameat2 (some)"}},
        {&jail::FileRights::change_modes, {"fchmod", "fchmodat", "fchmodat2"}},
        {&jail::FileRights::set_times, {"utimensat"}},
        {&jail::FileRights::sync, {"fsync", "syncfs"}},
    };
    const auto without = jail::described(reading);
    for (const auto& each : cases) {
        auto calls = reading;
        calls.rights.*each.right = true;
        auto more = jail::described(calls);
        std::erase_if(more, [&](const std::string& name) {
            return std::find(without.begin(), without.end(), name) != without.end();
        });
        EXPECT_EQ(more, each.calls);
    }
    auto uploads = reading;
    uploads.rights.upload = true;
    EXPECT_THAT(jail::described(uploads), IsSupersetOf({"write", "openat", "splice", "pipe2"}));
    const int removal = seccomp_syscall_resolve_name("unlinkat");
    auto files = reading;
    files.rights.remove_files = true;
    EXPECT_EQ(ask(compiled(files), removal, {-1, 0, 0}).verdict, allowed);
    EXPECT_EQ(ask(compiled(files), removal, {-1, 0, AT_REMOVEDIR}).verdict, eperm);
    auto folders = reading;
    folders.rights.remove_folders = true;
    EXPECT_EQ(ask(compiled(folders), removal, {-1, 0, 0}).verdict, eperm);
    EXPECT_EQ(ask(compiled(folders), removal, {-1, 0, AT_REMOVEDIR}).verdict, allowed);
}

TEST(SystemCalls, ForTlsAreOnlyThereWithIt) {
    NEEDS_EXACT_LISTS();
    const int option = seccomp_syscall_resolve_name("setsockopt");
    for (const Calls& calls : {before_login, reading, writing}) {
        auto with = calls;
        with.tls = true;
        EXPECT_EQ(ask(compiled(with), option, {-1, IPPROTO_TCP, TCP_ULP}).verdict, eperm);
        EXPECT_EQ(ask(compiled(with), SYS_write, {-1}).verdict, allowed);
        with.kernel_tls = true;
        EXPECT_EQ(ask(compiled(with), option, {-1, IPPROTO_TCP, TCP_ULP}).verdict, allowed);
    }
}

// ----- other architectures

// What every session lives by must be there under that architecture's names.
TEST(SystemCalls, AreListedForOtherArchitecturesToo) {
    const struct {
        std::uint32_t library;
        std::uint32_t audit;
    } architectures[] = {{SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64},
                         {SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64}};
    for (const auto& architecture : architectures) {
        const auto filter = SystemCallFilter::compile(writing, architecture.library);
        ASSERT_TRUE(filter) << filter.error().text();
        const auto& program = filter.value().program();
        const auto verdict = [&](const char* name, std::uint32_t audit) {
            const int number = seccomp_syscall_resolve_name_arch(architecture.library, name);
            EXPECT_GE(number, 0) << name;
            return filter_machine::run(program, {audit, static_cast<std::uint32_t>(number), {}});
        };
        for (const auto* each :
             {"read",    "write",      "ppoll",     "recvmsg",    "openat",       "openat2",
              "fstat",   "newfstatat", "statx",     "getdents64", "sendfile",     "splice",
              "mkdirat", "fchmodat",   "utimensat", "exit_group", "rt_sigreturn", "getrandom",
              "mmap",    "pread64",    "fadvise64", "lseek"}) {
            EXPECT_EQ(verdict(each, architecture.audit), SCMP_ACT_ALLOW) << each;
            EXPECT_EQ(verdict(each, AUDIT_ARCH_I386), SCMP_ACT_KILL_PROCESS) << each;
        }
        for (const auto* each : {"connect", "execve", "ptrace", "mount", "keyctl", "bpf"})
            EXPECT_EQ(verdict(each, architecture.audit), SCMP_ACT_KILL_PROCESS) << each;
        for (const auto* each : {"socket", "clone", "kill", "setresuid", "linkat"})
            EXPECT_EQ(verdict(each, architecture.audit), SCMP_ACT_TRAP) << each;
    }
}

// Each number that there is, with each word on the list: nothing is allowed that is not listed.
TEST(SystemCalls, AllowNoNumberThatIsNotListed) {
    for (const Calls& calls : {before_login, reading, writing}) {
        const auto filter = compiled(calls);
        const auto listed = jail::described(calls);
        std::size_t count = 0;
        for (std::uint32_t number = 0; number < 2000; ++number) {
            const auto verdict = filter_machine::run(
                filter.program(), {seccomp_arch_native() == SCMP_ARCH_AARCH64 ? AUDIT_ARCH_AARCH64
                                                                              : AUDIT_ARCH_X86_64,
                                   number,
                                   {}});
            if (verdict != SCMP_ACT_ALLOW) continue;
            ++count;
            const auto name =
                number == 452 ? "fchmodat2" : jail::call_name(static_cast<int>(number));
            EXPECT_TRUE(std::find(listed.begin(), listed.end(), name) != listed.end() ||
                        std::find(listed.begin(), listed.end(), name + " (some)") != listed.end())
                << name;
        }
        EXPECT_LE(count, listed.size());
    }
}

// ----- the spawner's filter

// As the kernel finds out what two filters say together: the lowest has its way.
std::uint32_t sterner(std::uint32_t one, std::uint32_t other) {
    const auto rank = [](std::uint32_t verdict) {
        return static_cast<std::int32_t>(verdict & SECCOMP_RET_ACTION_FULL);
    };
    return rank(one) < rank(other) ? one : other;
}

// Whatever the number and the architecture.
TEST(SpawnersFilter, AndAShortOneAboveItSayWhatAWholeOneSays) {
    const struct {
        std::uint32_t library;
        std::uint32_t audit;
    } architectures[] = {{SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64},
                         {SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64}};
    auto everything = writing;
    everything.tls = everything.kernel_tls = true;
    for (const auto& architecture : architectures) {
        const auto below = SystemCallFilter::compile_spawners(architecture.library);
        ASSERT_TRUE(below) << below.error().text();
        for (const Calls& calls :
             {before_login, jail::calls_before_login_with_tls, reading, writing, everything}) {
            const auto whole = SystemCallFilter::compile(calls, architecture.library);
            const auto above =
                SystemCallFilter::compile(above_spawners(calls), architecture.library);
            ASSERT_TRUE(whole && above);
            EXPECT_LT(above.value().program().size(), whole.value().program().size());
            EXPECT_EQ(above.value().listed(), whole.value().listed());
            const auto check = [&](const filter_machine::Request& request) {
                const auto expected = filter_machine::run(whole.value().program(), request);
                const auto together =
                    sterner(filter_machine::run(below.value().program(), request),
                            filter_machine::run(above.value().program(), request));
                EXPECT_EQ(together, expected) << request.number;
            };
            for (const auto audit : {architecture.audit, std::uint32_t{AUDIT_ARCH_I386}}) {
                for (std::uint32_t number = 0; number < 2000; ++number) {
                    check({audit, number, {}});
                    check({audit, number, {1, 2, 3, 4, 5, 6}});
                    check({audit, 0x40000000 | number, {}});
                }
            }
            for (const auto& attempt : attempts) {
                filter_machine::Request request{architecture.audit, 0, {}};
                const int number =
                    seccomp_syscall_resolve_name_arch(architecture.library, attempt.call);
                if (number < 0) continue;
                request.number = static_cast<std::uint32_t>(number);
                std::copy(attempt.arguments.begin(), attempt.arguments.end(),
                          request.arguments.begin());
                check(request);
            }
        }
    }
}

// It opens no sockets, starts no programs and takes over no processes, though it is root.
TEST(SpawnersFilter, KeepsTheSpawnerToItsWork) {
    NEEDS_EXACT_LISTS();
    const auto filter = compiled_spawners();
    const auto verdict = [&](const char* name) {
        const auto number = static_cast<std::uint32_t>(seccomp_syscall_resolve_name(name));
        const auto machine =
            seccomp_arch_native() == SCMP_ARCH_AARCH64 ? AUDIT_ARCH_AARCH64 : AUDIT_ARCH_X86_64;
        return filter_machine::run(filter.program(), {machine, number, {}});
    };
    for (const auto* each : {"clone3", "wait4", "kill", "chroot", "move_mount", "setresuid",
                             "capset", "prctl", "seccomp", "keyctl", "landlock_restrict_self"})
        EXPECT_EQ(verdict(each), SCMP_ACT_ALLOW) << each;
    for (const auto* each : {"execve", "connect", "bind", "ptrace", "mount", "unshare", "setns",
                             "pivot_root", "bpf", "open_by_handle_at", "finit_module", "mknodat"})
        EXPECT_EQ(verdict(each), SCMP_ACT_KILL_PROCESS) << each;
    for (const auto* each : {"socket", "linkat", "symlinkat", "fchown", "setxattr", "pidfd_open"})
        EXPECT_EQ(verdict(each), SCMP_ACT_ERRNO(ENOSYS)) << each;
}

TEST(SpawnersFilter, IsNotTakenForGranted) {
    const auto filter = compiled(above_spawners(writing));
    const observed::Process process([&](int) -> base::Result<void> {
        TRY(jail::forbid_new_privileges());
        return filter.install();
    });
    EXPECT_EQ(process.error(), "the spawner's filter is not in force: Invalid argument");
}

// ----- the trap

TEST(DeniedCalls, AreReportedOnce) {
    NEEDS_EXACT_LISTS();
    const auto filter = compiled(writing);
    const observed::Process process([&](int) -> base::Result<void> {
        TRY(jail::forbid_new_privileges());
        TRY(jail::answer_denied_calls(note));
        TRY(filter.install());
        for (int i = 0; i < 3; ++i) {
            if (::socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != ENOSYS)
                return base::system_error("socket");
        }
        if (report.count != 1 || std::string(report.name.data()) != "socket")
            return base::Error{"the first", report.count};
        if (::chdir("/") == 0 || report.count != 2) return base::Error{"the second", report.count};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST(DeniedCalls, NeedNobodyToListen) {
    const auto filter = compiled(writing);
    const observed::Process process([&](int) -> base::Result<void> {
        TRY(jail::forbid_new_privileges());
        TRY(jail::answer_denied_calls(nullptr));
        TRY(filter.install());
        if (::socket(AF_INET, SOCK_STREAM, 0) >= 0) return base::Error{"made a socket", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST(DeniedCalls, AreAnsweredEvenIfTheSignalWasBlocked) {
    const auto filter = compiled(writing);
    const observed::Process process([&](int) -> base::Result<void> {
        sigset_t all;
        ::sigfillset(&all);
        ::sigprocmask(SIG_BLOCK, &all, nullptr);
        TRY(jail::forbid_new_privileges());
        TRY(jail::answer_denied_calls(nullptr));
        TRY(filter.install());
        if (::socket(AF_INET, SOCK_STREAM, 0) >= 0) return base::Error{"made a socket", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

// ----- the filter as a thing

TEST(Filter, IsSeenFromOutside) {
    const auto filter = compiled(writing);
    const observed::Process process([&](int) -> base::Result<void> {
        TRY(jail::forbid_new_privileges());
        return filter.install();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().status("Seccomp"), "2");
}

TEST(Filter, NeedsNoNewPrivileges) {
    const auto filter = compiled(writing);
    const observed::Process process([&](int) -> base::Result<void> {
        if (::geteuid() == 0) {
            TRY(jail::become({ann, ann, {}}));
        }
        return filter.install();
    });
    EXPECT_EQ(process.error(), "seccomp: Permission denied");
}

TEST(Filter, ThatWasNotMadeIsAnError) {
    const observed::Process process([&](int) { return SystemCallFilter().install(); });
    EXPECT_EQ(process.error(), "no filter was made: Invalid argument");
}

TEST(Filters, AreMadeOnce) {
    jail::SystemCallFilters filters;
    ASSERT_TRUE(filters.prepare(writing));
    ASSERT_TRUE(filters.prepare(reading));
    const auto one = filters.get(writing);
    const auto other = filters.get(writing);
    ASSERT_TRUE(one && other);
    EXPECT_EQ(one.value().get(), other.value().get());
    EXPECT_NE(filters.get(reading).value().get(), one.value().get());
    EXPECT_NE(filters.get(before_login).value().get(), filters.get(before_login).value().get());
}

TEST(CallNames, AreThisMachines) {
    EXPECT_EQ(jail::call_name(SYS_read), "read");
    EXPECT_EQ(jail::call_name(1000), "system call 1000");
    EXPECT_EQ(jail::call_name(-5), "system call -5");
}

}  // namespace
