// SPDX-License-Identifier: MIT
// A whole configuration as bytes and back; runs in the supervisor, the authenticator and the
// helpers. That of Options alone is in options.hpp.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"

#include <string>
#include <string_view>

namespace config {

// For the authenticator's and the helpers' memfd. Holds password hashes; the spawner gets
// serialise(Options).
[[nodiscard]] std::string serialise(const Configuration& configuration);
[[nodiscard]] base::Result<Configuration> deserialise(std::string_view bytes);

}  // namespace config
