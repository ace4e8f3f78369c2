// SPDX-License-Identifier: MIT
// crypt(3): comparing passwords with hashes, and costing as much where there is no hash to compare
// with; runs in the authenticator and its children.
#pragma once

#include "authenticator/secret.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace authenticator {

enum class Match : unsigned char {
    yes,
    no,
    // These without any cost:
    locked,      // "!..." or "*..."
    impossible,  // the C library does not know the method, or the hash is malformed
};
[[nodiscard]] Match match(const Secret& password, const std::string& hash);

// The part of a hash that says how it is made: method, cost and salt. Empty for what is no hash.
[[nodiscard]] std::string setting_of(std::string_view hash);

// A setting of the method and cost that most of the hashes have, as far as the C library can make
// such hashes; its preferred one when there is none among them.
[[nodiscard]] std::string usual_setting(const std::vector<std::string>& hashes);

// The hashes of /etc/shadow; empty when it cannot be read.
[[nodiscard]] std::vector<std::string> system_hashes(const char* path = "/etc/shadow");

// Makes a hash for nothing but the time that it takes.
void burn(const Secret& password, const std::string& setting);

}  // namespace authenticator
