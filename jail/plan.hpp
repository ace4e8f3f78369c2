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

// With whose rights a jail is made.
enum class Maker : unsigned {
    root = 1,
    user_in_namespace = 2,  // an ordinary user with capabilities over namespaces of its own
    user = 4,               // an ordinary user
};

// Of this process; namespace_wanted: without root, it has entered a user namespace or will.
[[nodiscard]] Maker maker(bool namespace_wanted);

// A step, and who takes it.
struct StepOf {
    unsigned makers;
    Step step;
};
inline constexpr unsigned by_root = static_cast<unsigned>(Maker::root);
inline constexpr unsigned in_namespace = static_cast<unsigned>(Maker::user_in_namespace);
inline constexpr unsigned by_user = static_cast<unsigned>(Maker::user);
inline constexpr unsigned without_root = in_namespace | by_user;
inline constexpr unsigned with_rights = by_root | in_namespace;
inline constexpr unsigned always = by_root | in_namespace | by_user;

[[nodiscard]] Plan plan_of(Maker maker, std::vector<StepOf> steps);

// The error's text starts with the name of the step that failed; nothing after it has been done,
// and the process must end: half a jail is no jail.
[[nodiscard]] base::Result<void> carry_out(const Plan& plan);

// Where in the plan a step stands; plan.size() if it is not there.
[[nodiscard]] std::size_t position(const Plan& plan, std::string_view step);

}  // namespace jail
