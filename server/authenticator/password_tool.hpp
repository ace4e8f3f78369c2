// SPDX-License-Identifier: MIT
// jailftpd passwd [--method yescrypt|sha512|bcrypt]: makes the hash for a tenant's record; a
// command of its own, with its caller's rights.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace authenticator {

// The words after "passwd". Asks the terminal twice without showing what is typed, or reads one
// line of standard input; the hash goes to standard output. The exit status.
[[nodiscard]] int passwd_main(const std::vector<std::string_view>& arguments);

// A fresh hash; method: yescrypt, sha512 or bcrypt.
[[nodiscard]] base::Result<std::string> make_hash(std::string_view method,
                                                  const std::string& password);

}  // namespace authenticator
