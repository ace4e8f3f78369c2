// SPDX-License-Identifier: MIT
// Counts what a login costs: the calls of crypt_r that made a hash.
#pragma once

#include <string>
#include <vector>

namespace crypt_calls {

// The settings that were asked for since the last question, without those that were refused at no
// cost.
[[nodiscard]] std::vector<std::string> since_last();

}  // namespace crypt_calls
