// SPDX-License-Identifier: MIT
// The jail of a process that lives, as the kernel has it; runs in who looks at it from outside.
#pragma once

#include "base/result.hpp"

#include <string>

#include <sys/types.h>

namespace jail {

// One JSON object: ids, capabilities, seccomp, namespaces, root, mounts, cgroup, limits,
// descriptors. Reads nothing of /proc that waits for the process's memory or for a file system, so
// that a hostile process cannot hold up who asks. What the kernel does not tell is not there
// (Landlock, securebits and the keyring), or null for who may not know.
[[nodiscard]] base::Result<std::string> live_state(pid_t pid);

}  // namespace jail
