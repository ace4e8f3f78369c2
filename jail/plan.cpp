// SPDX-License-Identifier: MIT
// Carries out plans; runs in the process that is to be jailed.
#include "jail/plan.hpp"

#include <algorithm>
#include <utility>

#include <unistd.h>

namespace jail {

Maker maker(bool namespace_wanted) {
    if (::geteuid() == 0) return Maker::root;
    return namespace_wanted ? Maker::user_in_namespace : Maker::user;
}

Plan plan_of(Maker maker, std::vector<StepOf> steps) {
    Plan plan;
    for (auto& each : steps) {
        if ((each.makers & static_cast<unsigned>(maker)) != 0) plan.push_back(std::move(each.step));
    }
    return plan;
}

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
