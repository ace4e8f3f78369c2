// SPDX-License-Identifier: MIT
// What FEAT announces under these options, before and after login; runs in greeter and session.
#pragma once

#include "config/options.hpp"
#include "ftp/features.hpp"

#include <string_view>

namespace control {

// The texts in it are those of `options`, which must outlive it.
[[nodiscard]] ftp::Switches announced(const config::Options& options);

// Words of HTTP: somebody makes a browser talk to us.
[[nodiscard]] bool is_http(std::string_view verb);

}  // namespace control
