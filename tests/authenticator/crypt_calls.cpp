// SPDX-License-Identifier: MIT
// Counts calls of crypt_r: the program's function comes before the library's.
#include "tests/authenticator/crypt_calls.hpp"

#include <crypt.h>

#include <utility>

#include <dlfcn.h>

namespace {

std::vector<std::string>& settings() {
    static std::vector<std::string> all;
    return all;
}

}  // namespace

namespace crypt_calls {

std::vector<std::string> since_last() { return std::exchange(settings(), {}); }

}  // namespace crypt_calls

extern "C" char* crypt_r(const char* phrase, const char* setting, crypt_data* data) noexcept {
    using Function = char* (*)(const char*, const char*, crypt_data*);
    static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "crypt_r"));
    char* hash = real(phrase, setting, data);
    if (hash != nullptr && hash[0] != '*') settings().emplace_back(setting);
    return hash;
}
