// SPDX-License-Identifier: MIT
// rlimits, descriptors and the like; runs in the process that is to be jailed.
#include "jail/limits.hpp"

#include <algorithm>
#include <vector>

#include <linux/keyctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jail {

using base::Result;
using base::system_error;

Result<void> limit(int resource, std::uint64_t value) {
    const rlimit wanted{value, value};
    if (::setrlimit(static_cast<__rlimit_resource_t>(resource), &wanted) < 0)
        return system_error("setrlimit");
    return base::success();
}

Result<void> keep_only(std::span<const int> descriptors) {
    std::vector<int> kept(descriptors.begin(), descriptors.end());
    std::sort(kept.begin(), kept.end());
    unsigned next = STDERR_FILENO + 1;
    const auto close_up_to = [](unsigned first, unsigned last) -> Result<void> {
        if (first > last) return base::success();
        if (::close_range(first, last, 0) == 0) return base::success();
        // Linux before 5.9.
        const auto most = static_cast<unsigned>(::sysconf(_SC_OPEN_MAX));
        for (unsigned each = first; each <= std::min(last, most); ++each)
            ::close(static_cast<int>(each));
        return base::success();
    };
    for (const int each : kept) {
        if (each < static_cast<int>(next)) continue;
        TRY(close_up_to(next, static_cast<unsigned>(each) - 1));
        next = static_cast<unsigned>(each) + 1;
    }
    return close_up_to(next, ~0U);
}

void join_own_keyring() { (void)::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr); }

Result<void> own_session() {
    // EPERM: it leads a group already, which it can only have made itself.
    if (::setsid() < 0 && ::getpgrp() != ::getpid()) return system_error("setsid");
    return base::success();
}

}  // namespace jail
