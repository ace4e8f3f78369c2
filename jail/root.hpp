// SPDX-License-Identifier: MIT
// The root directory of a process; runs in the process that is to be jailed.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "jail/identity.hpp"

#include <string>

namespace jail {

// The directory becomes "/" and the current directory; the descriptor is of no more use and closed.
[[nodiscard]] base::Result<void> change_root(base::Fd directory);

// The same with the user's own right to enter it: on NFS root may have less. Nothing but entering
// the directory is done as the user.
[[nodiscard]] base::Result<void> change_root(base::Fd directory, const Identity& user);

enum class EmptyRoot : unsigned char {
    own_mount_namespace,  // an empty, read-only tmpfs is all there is
    chroot_only,          // mounting is forbidden here: a chroot into an empty directory
};

// Nothing of the host is left: no mount to be copied with each clone, no file to be opened.
// fallback: an empty directory of root's for the case without CAP_SYS_ADMIN; when it does not
// serve (or is ""), one is made and removed.
[[nodiscard]] base::Result<EmptyRoot> enter_empty_root(const std::string& fallback);

// Whether the user that this process now is may write into "/" (vsftpd's check for
// allow_writeable_chroot).
[[nodiscard]] bool root_is_writable();

}  // namespace jail
