// SPDX-License-Identifier: MIT
// A jail is a list of named steps, carried out in order by the process that goes into it.
#pragma once

#include "base/result.hpp"

#include <cstddef>
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

// Stops at the first failure; the error starts with that step's name and carries its errno. Half a
// jail is no jail: the process must then end.
[[nodiscard]] base::Result<void> carry_out(const Plan& plan);

// Where a step stands, from 0; throws std::out_of_range when the plan has no such step.
[[nodiscard]] std::size_t position(const Plan& plan, std::string_view name);

}  // namespace jail
