// SPDX-License-Identifier: MIT
// Which request a greeter or session may make, in which phase and how often; runs in the
// supervisor, as root.
#pragma once

#include "ipc/requests.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace broker {

enum class Phase : std::uint8_t {
    before_login,  // a greeter speaks
    entering,      // a session that has not said that its jail stands
    after_login,   // a session in its jail
};

enum class Verdict : std::uint8_t { allowed, misplaced, too_often };

// Counts one sender's requests. A misplaced request ends its sender; after one that comes too often
// the next has to wait.
class Permissions {
  public:
    using Clock = std::chrono::steady_clock;
    [[nodiscard]] Verdict check(ipc::Type request, Phase phase, Clock::time_point now,
                                std::size_t descriptors = 0);
    // What answering took beyond the request's own cost; with debts even what is free comes too
    // often.
    void charge(double tokens) { tokens_ -= tokens; }

  private:
    double tokens_ = 0;
    Clock::time_point refilled_{};
};

}  // namespace broker
