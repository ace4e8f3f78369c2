// SPDX-License-Identifier: MIT
// rlimits, descriptors and the like; runs in the process that is to be jailed.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace jail {

struct Limit {
    int resource = 0;  // RLIMIT_...
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
};

// A limit that is lower already stays as it is.
[[nodiscard]] base::Result<void> limit(const Limit& wanted);
[[nodiscard]] base::Result<void> limit(int resource, std::uint64_t soft_and_hard);

// All of them, as they are now.
[[nodiscard]] std::vector<Limit> limits_now();
// Those that are lower now than they were before.
[[nodiscard]] std::vector<Limit> lowered_since(const std::vector<Limit>& before);

// Closes everything but standard streams and these.
[[nodiscard]] base::Result<void> keep_only(std::span<const int> descriptors);

// A session keyring of its own, before the uid changes: afterwards it counts against the user's
// quota. Best effort: containers forbid keyctl(2).
void join_own_keyring();

// A process group and session of its own: no signal or terminal of anybody else reaches it by
// those.
[[nodiscard]] base::Result<void> own_session();

// Nothing but TZ, which the C library would read again if it changed.
void empty_environment();

// Whom the kernel ends first when memory runs out: this process and its children, by `more` of 1000
// points. Best effort; needs /proc, so it comes before the root changes.
void volunteer_for_oom(int more);

}  // namespace jail
