// SPDX-License-Identifier: MIT
// cmds_allowed and cmds_denied; runs in the session.
#include "ftp/cmds_list.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace ftp {

bool listed(std::string_view list, std::string_view verb) {
    const auto items = base::split(list, ',');
    return std::find(items.begin(), items.end(), verb) != items.end();
}

bool command_allowed(std::string_view cmds_allowed, std::string_view cmds_denied,
                     std::string_view verb) {
    if (!cmds_denied.empty() && listed(cmds_denied, verb)) return false;
    return cmds_allowed.empty() || listed(cmds_allowed, verb);
}

}  // namespace ftp
