// SPDX-License-Identifier: MIT
// Attacks on what the process may do: identity, capabilities, limits; run in a jailed process.
#include "proof/attack.hpp"

#include <cerrno>

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace proof {

using base::Error;
using base::Result;

namespace {

Result<void> become_root(const Scene&) {
    TRY(checked(::setresuid(0, 0, 0), "setresuid"));
    return base::success();
}

Result<void> become_another_user(const Scene&) {
    constexpr uid_t somebody = 54321;
    TRY(checked(::setresuid(somebody, somebody, somebody), "setresuid"));
    return base::success();
}

Result<void> join_group_root(const Scene&) {
    TRY(checked(::setresgid(0, 0, 0), "setresgid"));
    return base::success();
}

Result<void> choose_groups(const Scene&) {
    const gid_t groups[] = {0, 4, 6};
    TRY(checked(::setgroups(3, groups), "setgroups"));
    return base::success();
}

// Of the effective set alone: what is permitted already would be enough.
Result<void> raise_capabilities(const Scene&) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    data[0].effective = data[0].permitted = 1U << CAP_SYS_CHROOT;
    TRY(checked(::syscall(SYS_capset, &header, data), "capset"));
    return base::success();
}

Result<void> raise_ambient_capability(const Scene&) {
    TRY(checked(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_CHROOT, 0, 0), "prctl"));
    return base::success();
}

Result<void> unlock_securebits(const Scene&) {
    TRY(checked(::prctl(PR_SET_SECUREBITS, 0, 0, 0, 0), "prctl"));
    return base::success();
}

Result<void> become_dumpable(const Scene&) {
    TRY(checked(::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl"));
    return base::success();
}

Result<void> raise_limit(const Scene&) {
    const rlimit wanted{100000, 100000};
    TRY(checked(::setrlimit(RLIMIT_NPROC, &wanted), "setrlimit"));
    rlimit now{};
    (void)::getrlimit(RLIMIT_NPROC, &now);
    return now.rlim_max >= wanted.rlim_max ? Result<void>(base::success()) : Error{"no", EPERM};
}

// clang-format off
constexpr Attack attacks[] = {
    {"become root (setuid)",             become_root},
    {"become another user",              become_another_user},
    {"join the group root (setgid)",     join_group_root},
    {"choose groups (setgroups)",        choose_groups},
    {"raise capabilities (capset)",      raise_capabilities},
    {"raise ambient capabilities",       raise_ambient_capability},
    {"unlock the securebits",            unlock_securebits},
    {"become dumpable",                  become_dumpable},
    {"raise a hard limit",               raise_limit},
};
// clang-format on

}  // namespace

std::span<const Attack> attacks_on_privileges() { return attacks; }

}  // namespace proof
