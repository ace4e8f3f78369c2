// SPDX-License-Identifier: MIT
// What is wrong with a configuration, said so that it can be mended; used in the supervisor and
// helpers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace config {

enum class Severity : unsigned char { warning, error };

struct Problem {
    Severity severity = Severity::error;
    std::string file;      // or "command line", or "defaults"
    std::size_t line = 0;  // 0: the file as a whole
    std::string option;    // empty: none in particular
    std::string what;      // vsftpd's words where it has any
    std::string remedy;    // what would be right; may be empty
};

using Problems = std::vector<Problem>;

// Of a place "FILE:LINE", or of one without a line.
[[nodiscard]] Problem at(std::string_view place, Severity severity, std::string option,
                         std::string what, std::string remedy);

// "FILE:LINE: error: WHAT (REMEDY)" on one line; bytes from the file are escaped.
[[nodiscard]] std::string to_text(const Problem& problem);
[[nodiscard]] bool any_error(const Problems& problems);

}  // namespace config
