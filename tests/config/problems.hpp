// SPDX-License-Identifier: MIT
// Problems as a test wants to see them.
#pragma once

#include "config/problem.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace test {

inline std::vector<std::string> texts(const config::Problems& problems) {
    std::vector<std::string> result;
    for (const auto& problem : problems) result.push_back(config::to_text(problem));
    return result;
}

// The what of every error, or of every warning.
inline std::vector<std::string> all(config::Severity severity, const config::Problems& problems) {
    std::vector<std::string> result;
    for (const auto& problem : problems) {
        if (problem.severity == severity) result.push_back(problem.what);
    }
    return result;
}
inline std::vector<std::string> errors(const config::Problems& problems) {
    return all(config::Severity::error, problems);
}
inline std::vector<std::string> warnings(const config::Problems& problems) {
    return all(config::Severity::warning, problems);
}

inline bool blames(const config::Problems& problems, config::Severity severity,
                   std::string_view option) {
    for (const auto& problem : problems) {
        if (problem.severity == severity && problem.option == option) return true;
    }
    return false;
}

}  // namespace test
