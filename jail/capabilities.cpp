// SPDX-License-Identifier: MIT
// Capabilities; runs in the process that is to be jailed.
#include "jail/capabilities.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <type_traits>

#include <linux/securebits.h>
#include <sys/capability.h>
#include <sys/prctl.h>

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

using Set = std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)>;

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
Result<void> set(const Set& wanted) {
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return system_error("cannot clear the ambient set");
    if (::cap_set_proc(wanted.get()) < 0) return system_error("cannot set the capability sets");
    const Set now{::cap_get_proc(), ::cap_free};
    if (!now) return system_error("cap_get_proc");
    if (::cap_compare(now.get(), wanted.get()) != 0)
        return Error{"the capability sets did not change", EPERM};
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

Result<void> drop_capabilities() {
    const Set none{::cap_init(), ::cap_free};
    if (!none) return system_error("cap_init");
    return set(none);
}

Result<void> keep_capabilities(std::span<const int> kept) {
    TRY(shrink_bounding_set(kept));
    const Set wanted{::cap_init(), ::cap_free};
    const Set now{::cap_get_proc(), ::cap_free};
    if (!wanted || !now) return system_error("cap_get_proc");
    for (const cap_value_t each : kept) {
        cap_flag_value_t has = CAP_CLEAR;
        if (::cap_get_flag(now.get(), each, CAP_PERMITTED, &has) < 0 || has == CAP_CLEAR) continue;
        if (::cap_set_flag(wanted.get(), CAP_PERMITTED, 1, &each, CAP_SET) < 0 ||
            ::cap_set_flag(wanted.get(), CAP_EFFECTIVE, 1, &each, CAP_SET) < 0)
            return system_error("cap_set_flag");
    }
    return set(wanted);
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
