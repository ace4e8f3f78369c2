// SPDX-License-Identifier: MIT
// A user's own options: the file of his name in user_config_dir; runs in the authenticator's
// children and the helpers, after the password was right.
#pragma once

#include "config/problem.hpp"

#include <string>
#include <string_view>

#include <sys/types.h>

namespace config {

struct UserFile {
    std::string overrides;  // for apply_overrides; empty when there is no such file
    Problems problems;      // an error among them must end the login, as it does with vsftpd
};

// As vsftpd: a name with "/" has no file, a missing file is nothing, and everything else that is
// wrong is an error. owner: who must own it (vsftpd: the uid that runs the server). Options that
// cannot change any more for a user are left out, with a warning each.
[[nodiscard]] UserFile read_user_file(const std::string& directory, std::string_view name,
                                      uid_t owner);

}  // namespace config
