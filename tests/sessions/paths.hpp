// SPDX-License-Identifier: MIT
// Where things lie that the tests use and that nobody has installed. Only one file is compiled with
// these paths, so that clones share what a compiler's cache has.
#pragma once

#include <filesystem>
#include <string_view>

namespace sessions {

// Below the repository.
[[nodiscard]] std::filesystem::path source_path(std::string_view below);
// The program of this build.
[[nodiscard]] std::filesystem::path built_server();
// Below what fetch_reference.sh has unpacked; the variable JAILFTPD_REFERENCE names another folder.
[[nodiscard]] std::filesystem::path reference_path(std::string_view below);
// Below what fetch_basic_ftp.sh has unpacked.
[[nodiscard]] std::filesystem::path basic_ftp_path(std::string_view below);

}  // namespace sessions
