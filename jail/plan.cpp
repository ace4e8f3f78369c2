// SPDX-License-Identifier: MIT
// Carries out plans; runs in the process that is to be jailed.
#include "jail/plan.hpp"

#include <algorithm>

namespace jail {

base::Result<void> carry_out(const Plan& plan) {
    for (const auto& step : plan) {
        auto done = step.carry_out();
        if (!done) {
            auto error = done.error();
            error.what = error.what.empty() ? step.name : step.name + ": " + error.what;
            return error;
        }
    }
    return base::success();
}

std::size_t position(const Plan& plan, std::string_view step) {
    const auto found =
        std::find_if(plan.begin(), plan.end(), [&](const Step& each) { return each.name == step; });
    return static_cast<std::size_t>(found - plan.begin());
}

}  // namespace jail
