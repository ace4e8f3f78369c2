// SPDX-License-Identifier: MIT
// Opens a home or jail root on a user's behalf, where the user may have planted symbolic links;
// used by root processes (authenticator, helpers).
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "jail/identity.hpp"

#include <string_view>

namespace jail {

// The directory, as an O_PATH descriptor for jail::change_root, if `as` may enter it: what
// chdir(path) with that identity would reach. A symbolic link on the way is followed only if it is
// root's and stands in a directory that the user cannot write to (/home -> /srv/home); any other is
// ELOOP, with the link's name in the error.
[[nodiscard]] base::Result<base::Fd> open_directory(std::string_view absolute_path,
                                                    const Identity& as);

}  // namespace jail
