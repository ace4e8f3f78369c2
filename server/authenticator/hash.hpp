// SPDX-License-Identifier: MIT
// crypt(3): comparing passwords with hashes, and costing as much where there is no hash to compare
// with; runs in the authenticator and its children.
#pragma once

#include "authenticator/secret.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace authenticator {

// False for a locked account ("!..." or "*...") too, and then without any cost.
[[nodiscard]] bool matches(const Secret& password, const std::string& hash);
[[nodiscard]] bool is_locked(std::string_view hash);

// The part of a hash that says how it is made: method, cost and salt. Empty for what is no hash.
[[nodiscard]] std::string setting_of(std::string_view hash);

// A setting of the method and cost that most of the hashes have; the C library's preferred one when
// there is no hash among them.
[[nodiscard]] std::string usual_setting(const std::vector<std::string>& hashes);

// The hashes of /etc/shadow; empty when it cannot be read.
[[nodiscard]] std::vector<std::string> system_hashes(const char* path = "/etc/shadow");

// Makes a hash for nothing but the time that it takes.
void burn(const Secret& password, const std::string& setting);

}  // namespace authenticator
