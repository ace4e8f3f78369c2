// SPDX-License-Identifier: MIT
// System call filters: every verdict by asking in a process that lives under one, and for other
// architectures by running the program.
#include "jail/system_calls.hpp"

#include "jail/capabilities.hpp"
#include "jail/identity.hpp"
#include "tests/jail/filter_machine.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <seccomp.h>

#include <algorithm>
#include <array>
#include <cerrno>
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

enum class Verdict { allowed, enosys, eperm, killed };
constexpr auto allowed = Verdict::allowed;
constexpr auto enosys = Verdict::enosys;
constexpr auto eperm = Verdict::eperm;
constexpr auto killed = Verdict::killed;

void PrintTo(Verdict verdict, std::ostream* out) {
    constexpr const char* words[] = {"allowed", "ENOSYS", "EPERM", "killed"};
    *out << words[static_cast<int>(verdict)];
}

using Arguments = std::array<long, 6>;

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
Asked ask(const SystemCallFilter& filter, int number, const Arguments& arguments) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    Fd ours{ends[0]};
    Fd theirs{ends[1]};
    const pid_t pid = ::fork();
    if (pid == 0) {
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

struct Attempt {
    const char* call;
    Verdict greeter;
    Verdict reader;
    Verdict writer;
    Arguments arguments = {-1, 0, 0, 0, 0, 0};
};

// Arguments that fail for another reason where the call is allowed.
const timespec no_time{};

// clang-format off
const Attempt attempts[] = {
    // call                  greeter   reader    writer    arguments
    // memory
    {"brk",                  allowed,  allowed,  allowed,  {0}},
    {"munmap",               allowed,  allowed,  allowed,  {1}},
    {"mremap",               allowed,  allowed,  allowed,  {1}},
    {"madvise",              allowed,  allowed,  allowed,  {1}},
    {"mmap",                 allowed,  allowed,  allowed,  {0, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
    {"mmap",                 eperm,    eperm,    eperm,    {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
    {"mprotect",             allowed,  allowed,  allowed,  {0, 0, PROT_READ}},
    {"mprotect",             eperm,    eperm,    eperm,    {0, 0, PROT_READ | PROT_EXEC}},
    {"pkey_mprotect",        enosys,   enosys,   enosys,   {0, 0, PROT_EXEC, -1}},
    {"mlock",                enosys,   enosys,   enosys},
    {"memfd_create",         enosys,   enosys,   enosys,   {0}},
    {"memfd_secret",         enosys,   enosys,   enosys,   {0}},
    {"userfaultfd",          killed,   killed,   killed,   {0}},
    {"remap_file_pages",     killed,   killed,   killed},
    // the process
    {"exit",                 allowed,  allowed,  allowed,  {77}},
    {"exit_group",           allowed,  allowed,  allowed,  {77}},
    {"rt_sigaction",         allowed,  allowed,  allowed},
    {"rt_sigprocmask",       allowed,  allowed,  allowed,  {0, 0, 0, 8}},
    {"getpid",               allowed,  allowed,  allowed},
    {"gettid",               allowed,  allowed,  allowed},
    {"geteuid",              allowed,  allowed,  allowed},
    {"futex",                allowed,  allowed,  allowed,  {1, FUTEX_WAKE | FUTEX_PRIVATE_FLAG}},
    {"futex",                eperm,    eperm,    eperm,    {1, FUTEX_LOCK_PI}},
    {"futex",                eperm,    eperm,    eperm,    {1, FUTEX_CMP_REQUEUE_PI}},
    {"fork",                 enosys,   enosys,   enosys},
    {"vfork",                enosys,   enosys,   enosys},
    {"clone",                enosys,   enosys,   enosys,   {0}},
    {"clone3",               enosys,   enosys,   enosys,   {0}},
    {"execve",               killed,   killed,   killed,   {0}},
    {"execveat",             killed,   killed,   killed},
    {"kill",                 enosys,   enosys,   enosys,   {1, 0}},
    {"tgkill",               enosys,   enosys,   enosys,   {1, 1, 0}},
    {"rt_sigqueueinfo",      enosys,   enosys,   enosys,   {1}},
    {"pidfd_open",           enosys,   enosys,   enosys,   {1}},
    {"pidfd_send_signal",    enosys,   enosys,   enosys},
    {"pidfd_getfd",          killed,   killed,   killed},
    {"ptrace",               killed,   killed,   killed,   {0}},
    {"process_vm_readv",     killed,   killed,   killed},
    {"process_vm_writev",    killed,   killed,   killed},
    {"process_madvise",      killed,   killed,   killed},
    {"kcmp",                 killed,   killed,   killed},
    {"prctl",                enosys,   enosys,   enosys,   {PR_SET_NAME, 0}},
    {"prlimit64",            enosys,   enosys,   enosys,   {0}},
    {"setpriority",          enosys,   enosys,   enosys},
    {"sched_setscheduler",   enosys,   enosys,   enosys},
    {"setuid",               enosys,   enosys,   enosys},
    {"setresuid",            enosys,   enosys,   enosys,   {-1, -1, -1}},
    {"setgroups",            enosys,   enosys,   enosys},
    {"capset",               enosys,   enosys,   enosys,   {0}},
    {"setsid",               enosys,   enosys,   enosys},
    {"wait4",                enosys,   enosys,   enosys},
    {"seccomp",              enosys,   enosys,   enosys},
    {"landlock_create_ruleset", enosys, enosys,  enosys,   {0}},
    {"personality",          killed,   killed,   killed},
    // time, waiting, randomness
    {"clock_gettime",        allowed,  allowed,  allowed},
    {"clock_nanosleep",      allowed,  allowed,  allowed},
    {"poll",                 allowed,  allowed,  allowed,  {0, 0, 0}},
    {"ppoll",                allowed,  allowed,  allowed,  {0, 0, reinterpret_cast<long>(&no_time)}},
    {"getrandom",            allowed,  allowed,  allowed,  {0, 0, 0}},
    {"epoll_create1",        enosys,   enosys,   enosys},
    {"timer_create",         enosys,   enosys,   enosys},
    {"clock_settime",        killed,   killed,   killed},
    {"adjtimex",             killed,   killed,   killed,   {0}},
    // sockets that were handed over, and others
    {"recvfrom",             allowed,  allowed,  allowed},
    {"recvmsg",              allowed,  allowed,  allowed},
    {"shutdown",             allowed,  allowed,  allowed},
    {"sendto",               allowed,  allowed,  allowed,  {-1, 0, 0, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0}},
    {"sendto",               eperm,    eperm,    eperm,    {-1, 0, 0, MSG_NOSIGNAL, 8, 16}},
    {"sendto",               eperm,    eperm,    eperm,    {-1, 0, 0, MSG_NOSIGNAL, 1L << 32, 16}},
    {"sendto",               eperm,    eperm,    eperm,    {-1, 0, 0, MSG_FASTOPEN, 0, 0}},
    {"sendto",               eperm,    eperm,    eperm,    {-1, 0, 0, MSG_OOB, 0, 0}},
    {"sendmsg",              allowed,  allowed,  allowed,  {-1, 0, MSG_NOSIGNAL | MSG_DONTWAIT}},
    {"sendmsg",              eperm,    eperm,    eperm,    {-1, 0, MSG_FASTOPEN}},
    {"sendmmsg",             enosys,   enosys,   enosys},
    {"setsockopt",           allowed,  allowed,  allowed,  {-1, SOL_SOCKET, SO_OOBINLINE}},
    {"setsockopt",           allowed,  allowed,  allowed,  {-1, SOL_SOCKET, SO_KEEPALIVE}},
    {"setsockopt",           allowed,  allowed,  allowed,  {-1, IPPROTO_TCP, TCP_NODELAY}},
    {"setsockopt",           eperm,    eperm,    eperm,    {-1, IPPROTO_IP, SO_KEEPALIVE}},
    {"setsockopt",           eperm,    eperm,    eperm,    {-1, SOL_SOCKET, SO_ATTACH_FILTER}},
    {"setsockopt",           eperm,    eperm,    eperm,    {-1, SOL_SOCKET, SO_BINDTODEVICE}},
    {"setsockopt",           eperm,    eperm,    eperm,    {-1, IPPROTO_TCP, TCP_FASTOPEN_CONNECT}},
    {"setsockopt",           eperm,    eperm,    eperm,    {-1, IPPROTO_TCP, TCP_ULP}},
    {"setsockopt",           eperm,    eperm,    eperm,    {-1, IPPROTO_TCP, TCP_REPAIR}},
    {"getsockopt",           allowed,  allowed,  allowed,  {-1, SOL_SOCKET, SO_ERROR}},
    {"getsockopt",           eperm,    eperm,    eperm,    {-1, SOL_SOCKET, SO_PEERCRED}},
    {"getsockopt",           eperm,    eperm,    eperm,    {-1, SOL_SOCKET, SO_PEERGROUPS}},
    {"socket",               enosys,   enosys,   enosys,   {AF_INET, SOCK_STREAM, 0}},
    {"socketpair",           enosys,   enosys,   enosys},
    {"connect",              killed,   killed,   killed},
    {"bind",                 killed,   killed,   killed},
    {"listen",               killed,   killed,   killed},
    {"accept",               killed,   killed,   killed},
    {"accept4",              killed,   killed,   killed},
    {"getsockname",          enosys,   enosys,   enosys},
    {"getpeername",          enosys,   enosys,   enosys},
    // descriptors
    {"close",                allowed,  allowed,  allowed},
    {"fcntl",                allowed,  allowed,  allowed,  {-1, F_GETFD}},
    {"fcntl",                allowed,  allowed,  allowed,  {-1, F_SETFL}},
    {"fcntl",                allowed,  allowed,  allowed,  {-1, F_DUPFD_CLOEXEC}},
    {"fcntl",                eperm,    allowed,  allowed,  {-1, F_OFD_SETLK}},
    {"fcntl",                eperm,    eperm,    allowed,  {-1, F_SETPIPE_SZ}},
    {"fcntl",                eperm,    eperm,    eperm,    {-1, F_SETOWN}},
    {"fcntl",                eperm,    eperm,    eperm,    {-1, F_SETSIG}},
    {"fcntl",                eperm,    eperm,    eperm,    {-1, F_SETLEASE}},
    {"fcntl",                eperm,    eperm,    eperm,    {-1, F_NOTIFY}},
    {"fcntl",                eperm,    eperm,    eperm,    {-1, F_ADD_SEALS}},
    // the kernel reads the lower half alone
    {"fcntl",                eperm,    eperm,    eperm,    {-1, (1L << 32) | F_SETOWN}},
    {"fcntl",                allowed,  allowed,  allowed,  {-1, (1L << 32) | F_GETFD}},
    {"ioctl",                enosys,   allowed,  allowed,  {-1, SIOCOUTQ}},
    {"ioctl",                enosys,   allowed,  allowed,  {-1, FIONREAD}},
    {"ioctl",                enosys,   eperm,    eperm,    {-1, SIOCGIFCONF}},
    {"ioctl",                enosys,   eperm,    eperm,    {-1, SIOCGIFADDR}},
    {"ioctl",                enosys,   eperm,    eperm,    {-1, TIOCSTI}},
    {"dup",                  enosys,   enosys,   enosys},
    {"pipe2",                enosys,   enosys,   allowed,  {0}},
    // files
    {"openat",               enosys,   allowed,  allowed,  {-1, 0, O_RDONLY | O_CLOEXEC}},
    {"openat",               enosys,   allowed,  allowed,  {-1, 0, O_PATH | O_DIRECTORY}},
    {"openat",               enosys,   eperm,    allowed,  {-1, 0, O_WRONLY}},
    {"openat",               enosys,   eperm,    allowed,  {-1, 0, O_RDWR}},
    {"openat",               enosys,   eperm,    allowed,  {-1, 0, O_RDONLY | O_CREAT}},
    {"openat",               enosys,   eperm,    allowed,  {-1, 0, O_RDONLY | O_TRUNC}},
    {"openat",               enosys,   eperm,    allowed,  {-1, 0, O_TMPFILE | O_RDWR}},
    {"openat2",              enosys,   allowed,  allowed},
    {"open",                 enosys,   enosys,   enosys,   {0}},
    {"creat",                enosys,   enosys,   enosys,   {0}},
    {"read",                 enosys,   allowed,  allowed},
    {"pread64",              enosys,   allowed,  allowed},
    {"lseek",                enosys,   allowed,  allowed},
    {"getdents64",           enosys,   allowed,  allowed},
    {"newfstatat",           enosys,   allowed,  allowed},
    {"statx",                enosys,   allowed,  allowed},
    {"fstatfs",              enosys,   allowed,  allowed},
    {"readlinkat",           enosys,   allowed,  allowed},
    {"sendfile",             enosys,   allowed,  allowed,  {-1, -1}},
    {"write",                enosys,   enosys,   allowed},
    {"pwrite64",             enosys,   enosys,   allowed},
    {"writev",               enosys,   enosys,   enosys},
    {"pwritev2",             enosys,   enosys,   enosys},
    {"splice",               enosys,   enosys,   allowed,  {-1, 0, -1, 0, 1, 0}},
    {"vmsplice",             enosys,   enosys,   enosys},
    {"copy_file_range",      enosys,   enosys,   enosys,   {-1, 0, -1}},
    {"ftruncate",            enosys,   enosys,   allowed},
    {"truncate",             enosys,   enosys,   enosys,   {0}},
    {"fallocate",            enosys,   enosys,   enosys},
    {"fsync",                enosys,   enosys,   allowed},
    {"mkdirat",              enosys,   enosys,   allowed},
    {"mkdir",                enosys,   enosys,   enosys,   {0}},
    {"unlinkat",             enosys,   enosys,   allowed,  {-1, 0, 0}},
    {"unlinkat",             enosys,   enosys,   allowed,  {-1, 0, AT_REMOVEDIR}},
    {"renameat",             enosys,   enosys,   allowed,  {-1, 0, -1, 0}},
    {"renameat2",            enosys,   enosys,   allowed,  {-1, 0, -1, 0, 1}},
    {"renameat2",            enosys,   enosys,   eperm,    {-1, 0, -1, 0, 2}},  // exchange
    {"linkat",               enosys,   enosys,   enosys,   {-1, 0, -1}},
    {"symlinkat",            enosys,   enosys,   enosys,   {0, -1}},
    {"mknodat",              killed,   killed,   killed},
    {"fchmod",               enosys,   enosys,   allowed},
    {"fchmodat",             enosys,   enosys,   allowed},
    {"fchown",               enosys,   enosys,   enosys},
    {"fchownat",             enosys,   enosys,   enosys},
    {"utimensat",            enosys,   enosys,   allowed,  {-1, 0, 0}},
    {"fsetxattr",            enosys,   enosys,   enosys},
    {"umask",                enosys,   enosys,   allowed,  {077}},
    {"chdir",                enosys,   enosys,   enosys,   {0}},
    {"fchdir",               enosys,   enosys,   enosys},
    {"chroot",               killed,   killed,   killed,   {0}},
    {"inotify_init1",        enosys,   enosys,   enosys,   {0}},
    {"fanotify_init",        killed,   killed,   killed},
    {"name_to_handle_at",    killed,   killed,   killed},
    {"open_by_handle_at",    killed,   killed,   killed},
    {"quotactl",             killed,   killed,   killed},
    // mounts and namespaces
    {"mount",                killed,   killed,   killed,   {0}},
    {"umount2",              killed,   killed,   killed,   {0}},
    {"pivot_root",           killed,   killed,   killed,   {0}},
    {"open_tree",            killed,   killed,   killed},
    {"move_mount",           killed,   killed,   killed,   {-1, 0, -1}},
    {"mount_setattr",        killed,   killed,   killed},
    {"fsopen",               killed,   killed,   killed,   {0}},
    {"fsmount",              killed,   killed,   killed},
    {"unshare",              killed,   killed,   killed,   {0}},
    {"setns",                killed,   killed,   killed},
    // what else the kernel offers
    {"shmget",               killed,   killed,   killed,   {0}},
    {"shmat",                killed,   killed,   killed},
    {"msgget",               killed,   killed,   killed,   {0}},
    {"semget",               killed,   killed,   killed,   {0}},
    {"mq_open",              killed,   killed,   killed,   {0}},
    {"keyctl",               killed,   killed,   killed},
    {"add_key",              killed,   killed,   killed,   {0}},
    {"request_key",          killed,   killed,   killed,   {0}},
    {"bpf",                  killed,   killed,   killed},
    {"perf_event_open",      killed,   killed,   killed,   {0}},
    {"io_uring_setup",       killed,   killed,   killed,   {0}},
    {"io_uring_enter",       killed,   killed,   killed},
    {"io_uring_register",    killed,   killed,   killed},
    {"finit_module",         killed,   killed,   killed},
    {"kexec_load",           killed,   killed,   killed},
    {"reboot",               killed,   killed,   killed,   {0}},
    {"swapon",               killed,   killed,   killed,   {0}},
    {"sethostname",          killed,   killed,   killed,   {0}},
    {"syslog",               killed,   killed,   killed},
    {"sysinfo",              enosys,   enosys,   enosys,   {0}},
    {"uname",                enosys,   enosys,   enosys,   {0}},
};
// clang-format on

#ifdef JAILFTPD_SANITIZED
#define NEEDS_EXACT_LISTS() GTEST_SKIP() << "the sanitizers' set is allowed here"
#else
#define NEEDS_EXACT_LISTS() static_cast<void>(0)
#endif

std::string words(const Attempt& attempt) {
    std::string text = std::string(attempt.call) + '(';
    for (const auto each : attempt.arguments) text += std::to_string(each) + ", ";
    return text + ')';
}

TEST(SystemCalls, AreAnsweredAsTheListsSay) {
    NEEDS_EXACT_LISTS();
    const struct {
        const char* phase;
        SystemCallFilter filter;
        Verdict Attempt::*expected;
    } phases[] = {
        {"greeter", compiled(before_login), &Attempt::greeter},
        {"reader", compiled(reading), &Attempt::reader},
        {"writer", compiled(writing), &Attempt::writer},
    };
    for (const auto& attempt : attempts) {
        const int number = seccomp_syscall_resolve_name(attempt.call);
        if (number < 0) continue;  // another architecture's
        for (const auto& phase : phases) {
            const auto asked = ask(phase.filter, number, attempt.arguments);
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
        EXPECT_EQ(ask(compiled(with), option, {-1, IPPROTO_TCP, TCP_ULP}).verdict, allowed);
        EXPECT_EQ(ask(compiled(calls), option, {-1, IPPROTO_TCP, TCP_ULP}).verdict, eperm);
        EXPECT_EQ(ask(compiled(with), SYS_write, {-1}).verdict, allowed);
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
