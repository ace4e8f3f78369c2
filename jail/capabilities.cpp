// SPDX-License-Identifier: MIT
// Capabilities; runs in the process that is to be jailed.
#include "jail/capabilities.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jail {

using base::Error;
using base::Result;
using base::system_error;

namespace {

constexpr unsigned long locked_bits =
    SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

// Of this process or of an ancestor. What the kernel has taken it does not give back, and asking it
// forty times costs a login more than most other steps do.
bool bounding_set_is_empty = false;

// The kernel's sets without libcap, which asks for the interface's version each time.
struct Sets {
    std::uint64_t effective = 0;
    std::uint64_t permitted = 0;
    std::uint64_t inheritable = 0;

    bool operator==(const Sets&) const = default;
};

using Halves = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

constexpr std::uint64_t bit(int capability) { return std::uint64_t{1} << capability; }

Result<Sets> sets_now() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    Halves halves{};
    if (::syscall(SYS_capget, &header, halves.data()) < 0) return system_error("capget");
    const auto whole = [&](auto member) {
        return std::uint64_t{halves[1].*member} << 32 | halves[0].*member;
    };
    return Sets{whole(&__user_cap_data_struct::effective),
                whole(&__user_cap_data_struct::permitted),
                whole(&__user_cap_data_struct::inheritable)};
}

Result<void> shrink_bounding_set(std::span<const int> kept) {
    // Beyond the kernel's last capability prctl says EINVAL; that number differs between kernels.
    for (int capability = 0;; ++capability) {
        const int present = ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (present < 0) return base::success();
        if (present == 0 || std::find(kept.begin(), kept.end(), capability) != kept.end()) continue;
        if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return system_error("cannot drop capability " + std::to_string(capability));
    }
}

// The kernel answers with what is in force afterwards.
Result<void> set(const Sets& wanted) {
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return system_error("cannot clear the ambient set");
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    Halves halves{};
    for (std::size_t i = 0; i < halves.size(); ++i) {
        const auto half = [&](std::uint64_t all) {
            return static_cast<std::uint32_t>(all >> 32 * i);
        };
        halves[i] = {half(wanted.effective), half(wanted.permitted), half(wanted.inheritable)};
    }
    if (::syscall(SYS_capset, &header, halves.data()) < 0)
        return system_error("cannot set the capability sets");
    TRY(const auto now, sets_now());
    if (now != wanted) return Error{"the capability sets did not change", EPERM};
    return base::success();
}

}  // namespace

Result<void> empty_bounding_set() {
    if (bounding_set_is_empty) return base::success();
    TRY(shrink_bounding_set({}));
    if (::prctl(PR_SET_SECUREBITS, locked_bits, 0, 0, 0) < 0)
        return system_error("cannot lock the securebits");
    bounding_set_is_empty = true;
    return base::success();
}

void expect_full_bounding_set() { bounding_set_is_empty = false; }

Result<void> drop_capabilities() { return set({}); }

bool has_capability(int capability) {
    const auto now = sets_now();
    return now && (now.value().permitted & bit(capability)) != 0;
}

Result<void> keep_capabilities(std::span<const int> kept) {
    TRY(const auto now, sets_now());
    // Who was started without root and is in no user namespace has no say in the bounding set.
    if (::geteuid() == 0 || (now.permitted & bit(CAP_SETPCAP)) != 0) {
        TRY(shrink_bounding_set(kept));
    }
    std::uint64_t wanted = 0;
    for (const int each : kept) wanted |= now.permitted & bit(each);
    return set({wanted, wanted, 0});
}

Result<void> forbid_new_privileges() {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return system_error("prctl");
    return base::success();
}

Result<void> forbid_dumping() {
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return system_error("prctl");
    return base::success();
}

}  // namespace jail
