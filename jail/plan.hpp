// SPDX-License-Identifier: MIT
// A jail is a list of named steps, carried out in order; stops at the first failure. Runs in the
// process that is to be jailed.
#pragma once

#include "base/result.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace jail {

struct Step {
    std::string name;
    std::function<base::Result<void>()> carry_out;
};

using Plan = std::vector<Step>;

// The error's text starts with the name of the step that failed; nothing after it has been done,
// and the process must end: half a jail is no jail.
[[nodiscard]] base::Result<void> carry_out(const Plan& plan);

// Where in the plan a step stands; plan.size() if it is not there.
[[nodiscard]] std::size_t position(const Plan& plan, std::string_view step);

}  // namespace jail
