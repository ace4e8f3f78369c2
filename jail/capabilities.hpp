// SPDX-License-Identifier: MIT
// Capabilities and the ways to get them back; runs in the process that is to be jailed.
#pragma once

#include "base/result.hpp"

#include <span>

namespace jail {

// Needs CAP_SETPCAP, so it comes before the uid changes: nothing can be gained by exec from then
// on, and uid 0 is a user like any other. Who forks many does it once: a child of one in which it
// was done has nothing left to do, and needs no right to.
[[nodiscard]] base::Result<void> empty_bounding_set();

// A new user namespace fills the bounding set again.
void expect_full_bounding_set();

// Effective, permitted, inheritable and ambient; read back from the kernel.
[[nodiscard]] base::Result<void> drop_capabilities();

// Of those that this process may use.
[[nodiscard]] bool has_capability(int capability);

// For a process that stays root, or in a user namespace of its own: these (CAP_SETUID ...) and no
// others, the bounding set included; a kept one that it does not have, it does not get.
[[nodiscard]] base::Result<void> keep_capabilities(std::span<const int> kept);

[[nodiscard]] base::Result<void> forbid_new_privileges();

// No core dumps with somebody's data, and /proc/PID belongs to root.
[[nodiscard]] base::Result<void> forbid_dumping();

}  // namespace jail
