// SPDX-License-Identifier: MIT
// What a process may do beyond its identity, and that it cannot get any of it back; runs in every
// process that goes into a jail.
#pragma once

#include "base/result.hpp"

#include <span>

namespace jail {

// Nothing that is executed can ever have a capability. Needs CAP_SETPCAP, so it comes before the
// uid.
[[nodiscard]] base::Result<void> empty_bounding_set();

// uid 0 means nothing special any more, capabilities cannot be kept over a change of uid, and none
// of this can be undone. Needs CAP_SETPCAP.
[[nodiscard]] base::Result<void> lock_securebits();

// Permitted, effective, inheritable and ambient set empty; read back.
[[nodiscard]] base::Result<void> drop_capabilities();

// For a process that stays root: only these (CAP_SETUID ...), in every set, as far as it has them.
[[nodiscard]] base::Result<void> keep_capabilities(std::span<const int> kept);

// no_new_privs
[[nodiscard]] base::Result<void> forbid_new_privileges();

}  // namespace jail
