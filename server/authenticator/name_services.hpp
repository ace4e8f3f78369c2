// SPDX-License-Identifier: MIT
// The modules of nsswitch.conf(5) for accounts; held by the authenticator, for its children.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace authenticator {

// Those of one database ("passwd"), in the order in which they are asked.
[[nodiscard]] std::vector<std::string> name_services(std::string_view nsswitch_conf,
                                                     std::string_view database);

// Whether whoever is found in /etc is asked of nobody else: "files [SUCCESS=merge] ldap" asks on.
[[nodiscard]] bool end_at_files(std::string_view nsswitch_conf, std::string_view database);

// Loads them, and asks none that could hang: a child that does finds them in memory. Those that the
// file names later are loaded by the children, as all were without this.
void hold_name_services(std::string_view nsswitch_conf);

}  // namespace authenticator
