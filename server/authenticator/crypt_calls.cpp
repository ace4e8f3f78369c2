// SPDX-License-Identifier: MIT
// crypt_r(3) with a counter; runs in the authenticator's children.
#include "authenticator/crypt_calls.hpp"

#include <crypt.h>

#include <dlfcn.h>

namespace authenticator {
namespace {

int made = 0;

}  // namespace

void (*hash_observer)(const char* setting) = nullptr;

int hashes_made() { return made; }

}  // namespace authenticator

extern "C" char* crypt_r(const char* phrase, const char* setting, crypt_data* data) noexcept {
    using Function = char* (*)(const char*, const char*, crypt_data*);
    static const auto of_the_library = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "crypt_r"));
    char* hash = of_the_library(phrase, setting, data);
    if (hash != nullptr && hash[0] != '*') {
        ++authenticator::made;
        if (authenticator::hash_observer != nullptr) authenticator::hash_observer(setting);
    }
    return hash;
}
