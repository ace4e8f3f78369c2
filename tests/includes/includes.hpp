// SPDX-License-Identifier: MIT
// Reads #include lines and compares them with the table of who may include whom.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace includes {

// What one file includes, each name as written: "base/fd.hpp" or <boost/asio.hpp>, brackets kept.
[[nodiscard]] std::vector<std::string> included_by(std::string_view source);

// "server/ftp/path.cpp" -> "ftp", "config/options.cpp" -> "config", "server/main.cpp" -> "main".
[[nodiscard]] std::string folder_of(const std::filesystem::path& file);

// Why the file may not include this, empty when it may.
[[nodiscard]] std::string objection(const std::filesystem::path& file, std::string_view included);

// "FILE includes X: reason" for all source files below config/, jail/ and server/.
struct Survey {
    std::vector<std::string> objections;
    std::size_t files = 0;
};
[[nodiscard]] Survey survey(const std::filesystem::path& tree);

}  // namespace includes
