// SPDX-License-Identifier: MIT
// Checks passwords of system users (PAM) and tenants: a template process from which children are
// forked. One makes one attempt and ends. Where nothing can have changed it, it stays for others:
// it has admitted whom it was asked for, and the PAM service is made of nothing but known harmless
// modules. Runs as root.
#pragma once

#include "config/configuration.hpp"
#include "ipc/channel.hpp"

#include <chrono>
#include <cstddef>

namespace authenticator {

struct Bounds {
    std::size_t most_running = 16;
    std::size_t most_waiting = 4096;
    std::chrono::seconds for_an_attempt{60};
    // With the wait for its turn; less than the supervisor's patience, which ends us all.
    std::chrono::seconds for_an_answer{80};
    // So long a child stays for another attempt, with what it has taken of the memory.
    std::chrono::seconds for_another{10};
};

// Serves until the supervisor closes the channel; the exit status.
[[nodiscard]] int run(ipc::Channel channel, const config::Configuration& configuration,
                      const Bounds& bounds);
[[nodiscard]] int run(ipc::Channel channel, const config::Configuration& configuration);

}  // namespace authenticator
