// SPDX-License-Identifier: MIT
// The signer's system call filter, as a list.
#include "signer/system_calls.hpp"

#include <seccomp.h>

#include <cerrno>
#include <memory>
#include <type_traits>

#include <sys/mman.h>

namespace signer {

using base::Error;
using base::Result;
using base::system_error;

namespace {

// clang-format off
constexpr const char* allowed[] = {
    // its channel, and standard error
    "read", "write", "recvmsg", "sendmsg", "poll", "ppoll", "close",
    // memory, never to be executed: see below
    "brk", "munmap", "mremap", "madvise",
    // what the C library and OpenSSL do by themselves
    "futex", "getrandom", "clock_gettime", "gettimeofday", "time", "getpid", "gettid",
    "futex_time64", "clock_gettime64", "ppoll_time64",
    // coming back from signals, and the end
    "rt_sigreturn", "rt_sigaction", "rt_sigprocmask", "restart_syscall", "exit", "exit_group",
#ifdef JAILFTPD_SANITIZED
    // what the sanitizers' runtime asks for to say what it has found
    "writev", "openat", "readlink", "readlinkat", "newfstatat", "fstat", "lseek", "sigaltstack", "sched_yield",
    "sched_getaffinity", "prctl", "getrlimit", "prlimit64", "tgkill", "ioctl", "dup", "pipe", "pipe2",
    "process_vm_readv", "mmap", "mprotect",
#endif
};

constexpr const char* allowed_without_execution[] = {"mmap", "mmap2", "mprotect"};
// clang-format on

using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>,
                               decltype([](scmp_filter_ctx filter) { seccomp_release(filter); })>;

// What this architecture does not have (poll on aarch64) cannot be asked for.
template <typename... Comparison>
Result<void> allow(const Filter& filter, const char* name, Comparison... comparison) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number < 0) return base::success();
    const int added = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, number,
                                       unsigned{sizeof...(comparison)}, comparison...);
    if (added < 0 && added != -EEXIST) return system_error(name, -added);
    return base::success();
}

}  // namespace

Result<void> allow_signing_only() {
    const Filter filter{seccomp_init(SCMP_ACT_KILL_PROCESS)};
    if (!filter) return Error{"seccomp_init", ENOMEM};
    for (const auto* name : allowed) {
        TRY(allow(filter, name));
    }
    constexpr scmp_arg_cmp no_code{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
    for (const auto* name : allowed_without_execution) {
        TRY(allow(filter, name, no_code));
    }
    if (const int loaded = seccomp_load(filter.get()); loaded < 0)
        return system_error("cannot install the system call filter", -loaded);
    return base::success();
}

}  // namespace signer
