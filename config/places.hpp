// SPDX-License-Identifier: MIT
// Whether the files and folders that options name are there, and whose they are; runs in the
// supervisor.
#pragma once

#include "config/load.hpp"

namespace config {

// Adds to the problems.
void look_at_places(Loaded& loaded);

}  // namespace config
