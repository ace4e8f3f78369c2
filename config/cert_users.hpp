// SPDX-License-Identifier: MIT
// Which accounts a client certificate stands for, by what [tls] cert_username_field names in it;
// used in the supervisor (the file) and the authenticator's children (the question).
#pragma once

#include "config/configuration.hpp"
#include "config/problem.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace config {

// Lines of cert_username_map: an account, blanks, and a name, which is all the rest of the line;
// empty lines, and comments that start with #.
void parse_cert_map(std::string_view content, const std::string& path, Configuration& configuration,
                    Problems& problems);

// The file that cert_username_map names, which decides who may log in as jailftpd.ini does.
void read_cert_map(Configuration& configuration, Problems& problems);

// What is named in the certificates of an account: its own name, unless something is said of names:
// where there is a map, for all; in a tenant's section (certificate), for this tenant.
[[nodiscard]] std::vector<std::string> certificate_names(const Configuration& configuration,
                                                         std::string_view account);
[[nodiscard]] bool is_certificate_of(const Configuration& configuration, std::string_view name,
                                     std::string_view account);

}  // namespace config
