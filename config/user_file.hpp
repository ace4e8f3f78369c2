// SPDX-License-Identifier: MIT
// Files with options that hold for some clients only: the one of a user's name in user_config_dir,
// and the one that tcp_wrappers' rules name for a connection; read in the authenticator's children
// and the helpers.
#pragma once

#include "config/configuration.hpp"
#include "config/problem.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace config {

struct OwnFile {
    std::string overrides;            // for apply_overrides; empty when there is no such file
    std::vector<std::string> places;  // of each of them: "FILE:LINE"
    Problems problems;  // an error among them must end the login, as it does with vsftpd
};

// As vsftpd: a name with "/" has no file, a missing file is nothing, and everything else that is
// wrong is an error. owner: who must own it (vsftpd: the uid that runs the server). Options that
// cannot change any more for a user are left out, with a warning each.
[[nodiscard]] OwnFile read_user_file(const std::string& directory, std::string_view name,
                                     uid_t owner);

// VSFTPD_LOAD_CONF in a rule of hosts.allow: the same for one connection, whose file must be there.
// The rule may have put words of the client's into the path, so ".." is not followed.
[[nodiscard]] OwnFile read_peer_file(const std::string& path, uid_t owner,
                                     const Configuration& configuration);

}  // namespace config
