// SPDX-License-Identifier: MIT
// Problems as text; runs in the supervisor and helpers.
#include "config/problem.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace config {

std::string to_text(const Problem& problem) {
    std::string text = base::escaped(problem.file);
    if (problem.line != 0) text += ':' + std::to_string(problem.line);
    text += problem.severity == Severity::error ? ": error: " : ": warning: ";
    text += base::escaped(problem.what);
    if (!problem.remedy.empty()) text += " (" + base::escaped(problem.remedy) + ')';
    return text;
}

bool any_error(const Problems& problems) {
    return std::any_of(problems.begin(), problems.end(),
                       [](const Problem& problem) { return problem.severity == Severity::error; });
}

}  // namespace config
