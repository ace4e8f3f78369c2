// SPDX-License-Identifier: MIT
// The smaller things that tie a process to others; used by everything that goes into a jail.
#pragma once

#include "base/result.hpp"

namespace jail {

// Leaves the terminal and process group that it was started in.
[[nodiscard]] base::Result<void> new_session();

// An empty session keyring instead of the parent's. Best effort, since containers forbid keyctl.
// Before the uid changes: the keyrings of one uid are few.
void new_keyring();

// No core file, no ptrace, and /proc/PID belongs to root.
[[nodiscard]] base::Result<void> forbid_dumping();

// Whom the kernel ends first when memory runs out: this process and its children, by `more` of
// 1000. Best effort; needs /proc.
void volunteer_for_oom(int more);

}  // namespace jail
