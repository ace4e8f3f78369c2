// SPDX-License-Identifier: MIT
// Which layers of a jail this kernel, container or service manager allows; runs at start, in who
// will make the jails or with the same rights.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jail {

struct Layer {
    const char* name;      // as in the configuration
    int number = 0;        // errno of what failed; 0: it works
    std::string why = {};  // what failed, in words for the administrator
    int version = 0;       // Landlock's
    bool deadly = false;   // a filter around us ends processes for trying it

    [[nodiscard]] bool works() const { return number == 0; }
};

// Tries each layer, in children that end: nothing is left behind. Some milliseconds.
[[nodiscard]] std::vector<Layer> probe();

[[nodiscard]] const Layer* find(std::span<const Layer> layers, std::string_view name);

// One line about what is missing; empty when nothing is.
[[nodiscard]] std::string missing(std::span<const Layer> layers);

}  // namespace jail
