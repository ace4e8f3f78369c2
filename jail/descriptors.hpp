// SPDX-License-Identifier: MIT
// Which descriptors a process takes along into its jail.
#pragma once

#include "base/result.hpp"

#include <span>

namespace jail {

// Closes every descriptor above 2 that is not in the list.
[[nodiscard]] base::Result<void> keep_only(std::span<const int> kept);

}  // namespace jail
