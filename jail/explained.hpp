// SPDX-License-Identifier: MIT
// The steps of a plan in words, with what they are carried out with; for administrators, in no
// process of the server.
#pragma once

#include "jail/plans.hpp"

#include <string>
#include <string_view>

namespace jail {

// What this step of user_home(home) does; empty for one that is not known here.
[[nodiscard]] std::string explained(std::string_view step, const Home& home);

}  // namespace jail
