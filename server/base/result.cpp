// SPDX-License-Identifier: MIT
// Error texts; runs in every process.
#include "base/result.hpp"

#include <cstring>
#include <utility>

namespace base {

std::string Error::text() const {
    if (number == 0) return what;
    return what + ": " + std::strerror(number);
}

Error system_error(std::string what, int number) { return {std::move(what), number}; }

}  // namespace base
