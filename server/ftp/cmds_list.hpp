// SPDX-License-Identifier: MIT
// cmds_allowed and cmds_denied; runs in the session.
#pragma once

#include <string_view>

namespace ftp {

// Is the verb an item of "PWD,CWD,RETR"? Exactly: upper case, and blanks belong to the item.
[[nodiscard]] bool listed(std::string_view list, std::string_view verb);

// cmds_denied wins; an empty cmds_allowed allows all.
[[nodiscard]] bool command_allowed(std::string_view cmds_allowed, std::string_view cmds_denied,
                                   std::string_view verb);

}  // namespace ftp
