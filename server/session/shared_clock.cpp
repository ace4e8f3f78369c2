// SPDX-License-Identifier: MIT
// Booking time in shared memory; runs in the session.
#include "session/shared_clock.hpp"

#include <algorithm>

#include <sys/mman.h>

namespace session {
namespace {

// What a sibling that was taken over writes there must not stop this session for good.
constexpr std::chrono::nanoseconds longest_wait = std::chrono::minutes(10);

}  // namespace

base::Result<SharedClock> SharedClock::map(const base::Fd& memory) {
    static_assert(std::atomic<std::int64_t>::is_always_lock_free);
    void* place =
        ::mmap(nullptr, sizeof(std::int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
    if (place == MAP_FAILED) return base::system_error("cannot map the account's clock");
    return SharedClock(static_cast<std::atomic<std::int64_t>*>(place));
}

SharedClock::Clock::time_point SharedClock::book(Clock::duration time) const {
    const std::int64_t now =
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
            .count();
    const auto cost = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
    auto before = booked_->load();
    std::int64_t until = 0;
    do {
        until = std::clamp(before, now, now + longest_wait.count()) + cost;
    } while (!booked_->compare_exchange_weak(before, until));
    return Clock::time_point(std::chrono::nanoseconds(until));
}

}  // namespace session
