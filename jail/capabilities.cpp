// SPDX-License-Identifier: MIT
// Capabilities; runs in the process that is to be jailed.
#include "jail/capabilities.hpp"

#include <cerrno>
#include <memory>

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

}  // namespace

Result<void> empty_bounding_set() {
    // Beyond the kernel's last capability prctl says EINVAL; that number differs between kernels.
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
        if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return system_error("cannot drop capability " + std::to_string(capability));
    }
    if (::prctl(PR_SET_SECUREBITS, locked_bits, 0, 0, 0) < 0)
        return system_error("cannot lock the securebits");
    return base::success();
}

Result<void> drop_capabilities() {
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return system_error("cannot clear the ambient set");
    const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> none{::cap_init(),
                                                                             ::cap_free};
    if (!none) return system_error("cap_init");
    if (::cap_set_proc(none.get()) < 0) return system_error("cannot clear the capability sets");
    const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> now{::cap_get_proc(),
                                                                            ::cap_free};
    if (!now) return system_error("cap_get_proc");
    if (::cap_compare(now.get(), none.get()) != 0)
        return Error{"the capability sets are not empty", EPERM};
    return base::success();
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
