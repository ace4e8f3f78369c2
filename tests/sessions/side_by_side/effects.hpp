// SPDX-License-Identifier: MIT
// What the options of vsftpd.conf change, as a table: the conversation that shows it and the values
// with which it is held. Options that no conversation can show are in effects_test.cpp.
#pragma once

#include "tests/sessions/side_by_side/side_by_side.hpp"

#include <vector>

namespace sessions {

struct Effect {
    const char* option;
    Lines values;  // with each, what comes of it is another
    Talk talk{};   // options: those without which this one has no effect
};

[[nodiscard]] std::vector<Effect> effects();

}  // namespace sessions
