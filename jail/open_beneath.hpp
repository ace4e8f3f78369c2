// SPDX-License-Identifier: MIT
// Opening a home directory by its path when its owner may have planted symbolic links; runs in
// helpers and the authenticator's children, as root.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "jail/identity.hpp"

#include <string_view>

namespace jail {

// A descriptor for fchdir and chroot. The path is walked component by component with the user's
// permissions (as vsftpd's chdir does). A symbolic link on the way is followed only when it is the
// administrator's: owned by root, in a directory in which the user can change nothing. Others are
// an error (ELOOP) that names the link.
[[nodiscard]] base::Result<base::Fd> open_directory(std::string_view absolute_path,
                                                    const Identity& user);

// The same from a directory that is open already (local_root may be relative to the home).
[[nodiscard]] base::Result<base::Fd> open_directory_at(const base::Fd& start, std::string_view path,
                                                       const Identity& user);

}  // namespace jail
