// SPDX-License-Identifier: MIT
// Listens to the program's own crypt_r.
#include "tests/authenticator/crypt_calls.hpp"

#include "authenticator/crypt_calls.hpp"

#include <utility>

namespace {

std::vector<std::string>& settings() {
    static std::vector<std::string> all;
    return all;
}

[[maybe_unused]] const bool listening = [] {
    authenticator::hash_observer = [](const char* setting) { settings().emplace_back(setting); };
    return true;
}();

}  // namespace

namespace crypt_calls {

std::vector<std::string> since_last() { return std::exchange(settings(), {}); }

}  // namespace crypt_calls
