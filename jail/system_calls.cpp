// SPDX-License-Identifier: MIT
// What each kind of process may ask of the kernel, as tables; compiled in the spawner.
#include "jail/system_calls.hpp"

#include "base/fd.hpp"

#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <span>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jail {

using base::Error;
using base::Result;
using base::system_error;

namespace {

// ----- the language of the tables

// (argument & mask) == value. The kernel looks at the lower half alone of what it takes as an int
// or unsigned, and so do these; without a mask everything is right.
struct Condition {
    unsigned argument = 0;
    std::uint64_t mask = 0;
    std::uint64_t value = 0;
};

constexpr std::uint64_t lower_half = 0xffff'ffff;

constexpr Condition is(unsigned argument, std::uint64_t value) {
    return {argument, lower_half, value & lower_half};
}
constexpr Condition only(unsigned argument, std::uint64_t bits) {
    return {argument, lower_half & ~bits, 0};
}
constexpr Condition lacks(unsigned argument, std::uint64_t bits) { return {argument, bits, 0}; }
constexpr Condition null(unsigned argument) { return {argument, ~std::uint64_t{0}, 0}; }

// Several rows of one name: any of them.
struct Call {
    const char* name;
    Condition first = {};
    Condition second = {};
    int number = -1;  // for libraries that do not know the name yet; equal on all architectures
};

using Set = std::span<const Call>;

constexpr std::uint64_t plain_send = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE;
constexpr std::uint64_t futex_kind = FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME;
constexpr Condition no_code = lacks(2, PROT_EXEC);

// clang-format off

// ----- the sets: what is looked at beyond the name stands behind it

constexpr Call memory[] = {
    {"brk"}, {"munmap"}, {"mremap"}, {"madvise"},
    {"mmap", no_code}, {"mprotect", no_code},
};

constexpr Call process[] = {
    {"exit"}, {"exit_group"},
    {"rt_sigreturn"}, {"rt_sigaction"}, {"rt_sigprocmask"}, {"restart_syscall"},
    {"getpid"}, {"gettid"}, {"getppid"}, {"getuid"}, {"geteuid"}, {"getgid"}, {"getegid"},
    {"futex", {1, lower_half & ~futex_kind, FUTEX_WAIT}},
    {"futex", {1, lower_half & ~futex_kind, FUTEX_WAKE}},
    {"futex", {1, lower_half & ~futex_kind, FUTEX_WAIT_BITSET}},
    {"futex", {1, lower_half & ~futex_kind, FUTEX_WAKE_BITSET}},
};

constexpr Call time[] = {
    {"clock_gettime"}, {"clock_getres"}, {"gettimeofday"}, {"time"},
    {"clock_nanosleep"}, {"nanosleep"},
};

constexpr Call waiting[] = {{"poll"}, {"ppoll"}};

constexpr Call randomness[] = {{"getrandom"}};

constexpr Call descriptors[] = {
    {"close"},
    {"fcntl", is(1, F_GETFD)}, {"fcntl", is(1, F_SETFD)},
    {"fcntl", is(1, F_GETFL)}, {"fcntl", is(1, F_SETFL)},
    {"fcntl", is(1, F_DUPFD_CLOEXEC)},
};

// To the supervisor. A name in the message means nothing to a pair's end or to a connected TCP
// socket, and what would connect one (MSG_FASTOPEN) is no plain flag.
constexpr Call messages[] = {
    {"recvmsg"},
    {"sendmsg", only(2, plain_send)},
};

// Sockets were handed over by the host's network, and nothing else confines them.
constexpr Call connections[] = {
    {"recvfrom"}, {"shutdown"},
    {"sendto", only(3, plain_send), null(4)},
    {"setsockopt", is(1, SOL_SOCKET),  is(2, SO_OOBINLINE)},
    {"setsockopt", is(1, SOL_SOCKET),  is(2, SO_KEEPALIVE)},
    {"setsockopt", is(1, IPPROTO_TCP), is(2, TCP_NODELAY)},
    {"setsockopt", is(1, IPPROTO_TCP), is(2, TCP_QUICKACK)},
    {"getsockopt", is(1, SOL_SOCKET),  is(2, SO_ERROR)},
};

constexpr Call tls[] = {{"read"}, {"write"}};

constexpr Call kernel_tls[] = {
    {"setsockopt", is(1, SOL_TCP), is(2, TCP_ULP)},
    {"setsockopt", is(1, SOL_TLS), is(2, TLS_TX)},
    {"setsockopt", is(1, SOL_TLS), is(2, TLS_RX)},
};

// openat2's flags are in memory, where a filter cannot see them: what may not be written is made so
// by a read-only mount and by Landlock.
constexpr Call reading[] = {
    {"openat", lacks(2, O_ACCMODE | O_CREAT | O_TRUNC)}, {"openat2"},
    {"fstat"}, {"newfstatat"}, {"statx"}, {"fstatfs"}, {"readlinkat"}, {"getdents64"},
    {"read"}, {"pread64"}, {"lseek"}, {"fadvise64"},
    {"fcntl", is(1, F_OFD_SETLK)},
};

constexpr Call downloads[] = {
    {"sendfile"},
    {"ioctl", is(1, SIOCOUTQ)}, {"ioctl", is(1, FIONREAD)},
};

constexpr Call uploads[] = {
    {"openat"}, {"write"}, {"pwrite64"}, {"ftruncate"},
    {"pipe2"}, {"splice"}, {"fcntl", is(1, F_SETPIPE_SZ)},
};

constexpr Call folders[]         = {{"mkdirat"}};
constexpr Call removing[]        = {{"unlinkat", is(2, 0)}};
constexpr Call folder_removing[] = {{"unlinkat", is(2, AT_REMOVEDIR)}};
constexpr Call renaming[]        = {{"renameat"}, {"renameat2", only(4, RENAME_NOREPLACE)}};
constexpr Call modes[]           = {{"fchmod"}, {"fchmodat"}, {"fchmodat2", {}, {}, 452}};
constexpr Call times[]           = {{"utimensat"}};
constexpr Call masks[]           = {{"umask"}};
constexpr Call syncing[]         = {{"fsync"}, {"syncfs"}};

#ifdef JAILFTPD_SANITIZED
// What the sanitizers' runtime asks for to say what it has found.
constexpr Call for_sanitizers[] = {
    {"write"}, {"writev"}, {"read"}, {"openat"}, {"readlink"}, {"readlinkat"}, {"newfstatat"}, {"fstat"}, {"lseek"},
    {"sigaltstack"}, {"sched_yield"}, {"sched_getaffinity"}, {"prctl"}, {"getrlimit"}, {"prlimit64"}, {"tgkill"},
    {"ioctl", is(1, TCGETS)}, {"dup"}, {"pipe"}, {"pipe2"}, {"process_vm_readv"},
};
#endif

// ----- what only the spawner does, and its children until they have their own filters

constexpr Call entering[] = {
    {"clone"}, {"clone3"}, {"wait4"}, {"waitid"}, {"kill"}, {"tgkill"},
    {"dup"}, {"dup2"}, {"dup3"}, {"close_range"}, {"memfd_create"}, {"writev"},
    {"set_robust_list"}, {"rseq"}, {"sigaltstack"},
    {"setsid"}, {"getpgrp"}, {"getpgid"}, {"keyctl"}, {"prctl"},
    {"getrlimit"}, {"setrlimit"}, {"prlimit64"},
    {"chroot"}, {"chdir"}, {"fchdir"}, {"move_mount"},
    {"open"}, {"stat"}, {"access"}, {"faccessat"}, {"faccessat2"},
    {"getgroups"}, {"setgroups"}, {"getresuid"}, {"getresgid"}, {"setresuid"}, {"setresgid"},
    {"setuid"}, {"setfsuid"}, {"setfsgid"}, {"capget"}, {"capset"},
    {"landlock_create_ruleset", {}, {}, 444}, {"landlock_add_rule", {}, {}, 445},
    {"landlock_restrict_self", {}, {}, 446}, {"seccomp"},
};

// ----- what no library ever does in a jail, whatever its version: whoever asks is an attacker

constexpr const char* hostile[] = {
    "connect", "bind", "listen", "accept", "accept4",
    "execve", "execveat", "ptrace", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
    "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "mount_setattr",
    "fsopen", "fsconfig", "fsmount", "fspick", "unshare", "setns",
    "open_by_handle_at", "name_to_handle_at", "mknod", "mknodat", "quotactl", "quotactl_fd", "acct", "fanotify_init",
    "keyctl", "add_key", "request_key",
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff",
    "iopl", "ioperm", "modify_ldt", "personality", "remap_file_pages", "syslog", "vhangup",
    "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "sethostname", "setdomainname",
    "shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semctl", "semtimedop",
    "mq_open", "mq_unlink",
#ifndef JAILFTPD_SANITIZED
    "process_vm_readv",
#endif
};

// clang-format on

// ----- putting together

// The list itself.
std::vector<Set> sets_of(const Calls& calls) {
    const auto& may = calls.rights;
    const std::pair<bool, Set> all[] = {
        {true, memory},
        {true, process},
        {true, time},
        {true, waiting},
        {true, randomness},
        {true, descriptors},
        {true, messages},
        {true, connections},
        {calls.tls, tls},
        {calls.kernel_tls, kernel_tls},
        {calls.files, reading},
        {calls.files, downloads},
        {calls.files && may.upload, uploads},
        {calls.files && may.make_folders, folders},
        {calls.files && may.remove_files, removing},
        {calls.files && may.remove_folders, folder_removing},
        {calls.files && may.rename, renaming},
        {calls.files && may.change_modes, modes},
        {calls.files && may.set_times, times},
        {calls.files && (may.upload || may.make_folders), masks},
        {calls.files && may.sync, syncing},
#ifdef JAILFTPD_SANITIZED
        {true, for_sanitizers},
#endif
    };
    std::vector<Set> wanted;
    for (const auto& [is_wanted, set] : all) {
        if (is_wanted) wanted.push_back(set);
    }
    return wanted;
}

// Whatever a greeter or session can be.
constexpr Calls all_calls{true, read_write, true, true};

bool is_for_entering(std::string_view name) {
    return std::any_of(std::begin(entering), std::end(entering),
                       [name](const Call& each) { return each.name == name; });
}

// In this process, by itself or from the spawner.
bool spawners_is_in_force = false;

class Compiler {
  public:
    Compiler(std::uint32_t architecture, std::uint32_t unlisted)
        : architecture_(architecture == 0 ? seccomp_arch_native() : architecture),
          context_(seccomp_init(unlisted)) {}
    ~Compiler() {
        if (context_ != nullptr) seccomp_release(context_);
    }
    Compiler(const Compiler&) = delete;
    Compiler& operator=(const Compiler&) = delete;

    // Calls of another architecture (i386's by int 0x80, x32's) would be other calls with the
    // numbers of these.
    Result<void> start() {
        if (context_ == nullptr) return Error{"seccomp_init", ENOMEM};
        const bool native = architecture_ == seccomp_arch_native();
        if (!native) {
            TRY(check(seccomp_arch_remove(context_, SCMP_ARCH_NATIVE), "seccomp_arch_remove"));
            TRY(check(seccomp_arch_add(context_, architecture_), "seccomp_arch_add"));
        }
        TRY(check(seccomp_attr_set(context_, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
                  "SCMP_FLTATR_ACT_BADARCH"));
        // A binary tree, for kernels before 5.11, which have no map of what is always allowed.
        // libseccomp before 2.5 makes a list of it.
        (void)seccomp_attr_set(context_, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        return base::success();
    }

    Result<void> allow(const Call& call) {
        const Condition conditions[] = {call.first, call.second};
        scmp_arg_cmp comparisons[std::size(conditions)];
        unsigned count = 0;
        for (const auto& each : conditions) {
            if (each.mask != 0)
                comparisons[count++] = {each.argument, SCMP_CMP_MASKED_EQ, each.mask, each.value};
        }
        return add(SCMP_ACT_ALLOW, call.name, call.number, {comparisons, count});
    }

    Result<void> end_for(const char* name) { return add(SCMP_ACT_KILL_PROCESS, name, -1, {}); }

    Result<std::vector<sock_filter>> program() const {
        const base::Fd memory_file{::memfd_create("filter", MFD_CLOEXEC)};
        if (!memory_file) return system_error("memfd_create");
        TRY(check(seccomp_export_bpf(context_, memory_file.get()), "seccomp_export_bpf"));
        const auto size = ::lseek(memory_file.get(), 0, SEEK_END);
        if (size < 0) return system_error("lseek");
        std::vector<sock_filter> result(static_cast<std::size_t>(size) / sizeof(sock_filter));
        if (::pread(memory_file.get(), result.data(), static_cast<std::size_t>(size), 0) != size)
            return system_error("read");
        return result;
    }

    [[nodiscard]] const std::bitset<most_calls>& listed() const { return listed_; }

  private:
    static Result<void> check(int result, const char* what) {
        if (result < 0) return system_error(what, -result);
        return base::success();
    }

    // What an architecture does not have (poll on aarch64) or the library does not know cannot be
    // asked for, or is not on the list.
    Result<void> add(std::uint32_t action, const char* name, int number,
                     std::span<const scmp_arg_cmp> comparisons) {
        const int here = seccomp_syscall_resolve_name_arch(architecture_, name);
        if (here >= 0) number = here;
        if (number < 0) return base::success();
        if (action == SCMP_ACT_ALLOW) listed_.set(static_cast<std::size_t>(number));
        // libseccomp takes this machine's number for a name, and translates.
        const int native = here >= 0 ? seccomp_syscall_resolve_name(name) : number;
        const int added =
            seccomp_rule_add_array(context_, action, native,
                                   static_cast<unsigned>(comparisons.size()), comparisons.data());
        // EEXIST: an earlier set has it. EDOM: not to be translated, as a number without a name.
        if (added == -EEXIST || (here < 0 && added == -EDOM)) return base::success();
        return check(added, name);
    }

    std::uint32_t architecture_;
    scmp_filter_ctx context_;
    std::bitset<most_calls> listed_;
};

}  // namespace

Result<SystemCallFilter> SystemCallFilter::compile(const Calls& calls, std::uint32_t architecture) {
    prepare_call_names();
    Compiler compiler(architecture, SCMP_ACT_TRAP);
    TRY(compiler.start());
    for (const auto& set : sets_of(calls)) {
        for (const auto& call : set) {
            TRY(compiler.allow(call));
        }
    }
    for (const auto* name : hostile) {
        if (calls.inherits && !is_for_entering(name)) continue;
        TRY(compiler.end_for(name));
    }
    SystemCallFilter filter;
    filter.kind_ = calls.inherits ? Kind::above_spawners : Kind::whole;
    TRY(filter.program_, compiler.program());
    filter.listed_ = compiler.listed();
    return filter;
}

// What is not listed only fails, for a trap would end the spawner, and a child's own filter, which
// traps, has the last word.
Result<SystemCallFilter> SystemCallFilter::compile_spawners(std::uint32_t architecture) {
    Compiler compiler(architecture, SCMP_ACT_ERRNO(ENOSYS));
    TRY(compiler.start());
    auto sets = sets_of(all_calls);
    sets.emplace_back(entering);
    for (const auto& set : sets) {
        for (const auto& call : set) {
            TRY(compiler.allow({call.name, {}, {}, call.number}));
        }
    }
    for (const auto* name : hostile) {
        if (is_for_entering(name)) continue;
        TRY(compiler.end_for(name));
    }
    SystemCallFilter filter;
    filter.kind_ = Kind::spawners;
    TRY(filter.program_, compiler.program());
    filter.listed_ = compiler.listed();
    return filter;
}

Result<void> SystemCallFilter::install() const {
    if (program_.empty()) return Error{"no filter was made", EINVAL};
    if (kind_ == Kind::above_spawners && !spawners_is_in_force)
        return Error{"the spawner's filter is not in force", EINVAL};
    if (kind_ != Kind::spawners) remember_listed_calls(listed_);
    // The kernel only reads.
    const sock_fprog program{static_cast<unsigned short>(program_.size()),
                             const_cast<sock_filter*>(program_.data())};
    // Before Linux 5.16 a filter turns on a mitigation that slows all memory down, against code
    // that is kept apart from others in the same process; here is no such code.
    for (const unsigned long flags : {SECCOMP_FILTER_FLAG_SPEC_ALLOW, 0UL}) {
        if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0) {
            if (kind_ == Kind::spawners) spawners_is_in_force = true;
            return base::success();
        }
        if (errno != EINVAL) break;
    }
    return system_error("seccomp");
}

Result<void> SystemCallFilters::prepare(const Calls& calls) {
    TRY(auto filter, get(calls));
    const auto same = [&](const Prepared& each) { return each.calls == calls; };
    if (std::none_of(prepared_.begin(), prepared_.end(), same))
        prepared_.push_back({calls, std::move(filter)});
    return base::success();
}

Result<SystemCallFilters::Shared> SystemCallFilters::get(const Calls& calls) const {
    for (const auto& each : prepared_) {
        if (each.calls == calls) return each.filter;
    }
    TRY(auto filter, SystemCallFilter::compile(calls));
    return std::make_shared<const SystemCallFilter>(std::move(filter));
}

std::vector<std::string> described(const Calls& calls) {
    std::vector<std::string> unconditional;
    std::vector<std::string> conditional;
    for (const auto& set : sets_of(calls)) {
        for (const auto& call : set)
            (call.first.mask == 0 ? unconditional : conditional).emplace_back(call.name);
    }
    for (auto& name : conditional) {
        if (std::find(unconditional.begin(), unconditional.end(), name) == unconditional.end())
            unconditional.push_back(name + " (some)");
    }
    std::sort(unconditional.begin(), unconditional.end());
    unconditional.erase(std::unique(unconditional.begin(), unconditional.end()),
                        unconditional.end());
    return unconditional;
}

}  // namespace jail
