// SPDX-License-Identifier: MIT
// The paths that the build knows.
#include "tests/sessions/paths.hpp"

#include <cstdlib>

namespace sessions {

namespace fs = std::filesystem;

fs::path source_path(std::string_view below) { return fs::path(JAILFTPD_SOURCE) / below; }

fs::path built_server() { return JAILFTPD_SERVER; }

fs::path reference_path(std::string_view below) {
    const auto* other = std::getenv("JAILFTPD_REFERENCE");
    return fs::path(other != nullptr ? other : JAILFTPD_REFERENCE) / below;
}

fs::path basic_ftp_path(std::string_view below) { return fs::path(JAILFTPD_BASIC_FTP) / below; }

}  // namespace sessions
