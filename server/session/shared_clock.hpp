// SPDX-License-Identifier: MIT
// The rate of an account, kept by all of its sessions together: each step of a transfer books its
// time in memory that they share. Runs in the session.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace session {

class SharedClock {
  public:
    using Clock = std::chrono::steady_clock;

    // Maps it for the rest of the process's life.
    [[nodiscard]] static base::Result<SharedClock> map(const base::Fd& memory);

    // Books the time that a step takes at the account's rate, behind what the others have booked;
    // when it is over.
    [[nodiscard]] Clock::time_point book(Clock::duration time) const;

  private:
    explicit SharedClock(std::atomic<std::int64_t>* booked) : booked_(booked) {}
    std::atomic<std::int64_t>* booked_;  // nanoseconds of the steady clock
};

}  // namespace session
