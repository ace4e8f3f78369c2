// SPDX-License-Identifier: MIT
// What "/" is for a process; used by the spawner for itself and by sessions.
#pragma once

#include "base/result.hpp"
#include "jail/identity.hpp"

#include <string>
#include <string_view>

namespace jail {

// The directory becomes "/" and the current directory, with the user's own right to enter it (on
// NFS root has less). Needs CAP_SYS_CHROOT and CAP_SETGID.
[[nodiscard]] base::Result<void> change_root(int directory, const Identity& user);

// An error without errno when access(2) lets this process write to "/".
[[nodiscard]] base::Result<void> refuse_writable_root(std::string_view path_on_host);

// Where a process that needs no files stands afterwards.
enum class EmptyRoot {
    own_mount,        // an empty read-only tmpfs is all that its own mount namespace holds
    given_directory,  // chroot into the directory that was proposed
    lost_directory,   // chroot into a directory that nobody can find or fill any more
};
[[nodiscard]] std::string_view description(EmptyRoot root);

// The best of these that works here: a container may forbid mounting. The proposed directory is
// taken only if it is root's, empty, and nobody else may write to it; "" proposes none.
[[nodiscard]] base::Result<EmptyRoot> enter_empty_root(const std::string& proposed);

}  // namespace jail
