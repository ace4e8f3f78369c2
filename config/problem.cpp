// SPDX-License-Identifier: MIT
// Problems as text; runs in the supervisor and helpers.
#include "config/problem.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace config {

std::string to_text(const Problem& problem) {
    std::string text = base::escaped(problem.file);
    if (problem.line != 0) text += ':' + std::to_string(problem.line);
    text += problem.severity == Severity::error ? ": error: " : ": warning: ";
    text += base::escaped(problem.what);
    if (!problem.remedy.empty()) text += " (" + base::escaped(problem.remedy) + ')';
    return text;
}

Problem at(std::string_view place, Severity severity, std::string option, std::string what,
           std::string remedy) {
    Problem problem{severity,          std::string(place), 0,
                    std::move(option), std::move(what),    std::move(remedy)};
    const auto colon = place.rfind(':');
    const auto number =
        colon == place.npos ? std::nullopt : base::to_number<std::size_t>(place.substr(colon + 1));
    if (number) {
        problem.line = *number;
        problem.file.resize(colon);
    }
    return problem;
}

bool any_error(const Problems& problems) {
    return std::any_of(problems.begin(), problems.end(),
                       [](const Problem& problem) { return problem.severity == Severity::error; });
}

}  // namespace config
