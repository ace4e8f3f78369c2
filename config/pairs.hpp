// SPDX-License-Identifier: MIT
// Options that say nothing, or something else than is meant, because of what another one says;
// runs in the supervisor.
#pragma once

#include "config/options.hpp"

#include <span>
#include <string_view>

namespace config {

struct Pair {
    std::string_view option;  // of the two, the one that is to be looked at
    bool (*is_wrong)(const Options& options);
    std::string_view what;
    std::string_view remedy;
};

// vsftpd serves with each of them, so that these are words of warning; they are for options that
// somebody has set.
[[nodiscard]] std::span<const Pair> pairs();

}  // namespace config
