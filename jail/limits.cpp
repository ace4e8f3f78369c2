// SPDX-License-Identifier: MIT
// rlimits, descriptors and the like; runs in the process that is to be jailed.
#include "jail/limits.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jail {

using base::Result;
using base::system_error;

namespace {

// Where neither close_range nor /proc is there: a process whose descriptors number more than this
// does not exist among ours, and limits of a thousand million do.
constexpr unsigned most_without_proc = 65536;

bool close_range_works(unsigned first, unsigned last) { return ::close_range(first, last, 0) == 0; }

// Linux before 5.9, or a filter that does not know the call.
void close_one_by_one(const std::vector<int>& kept) {
    std::vector<int> open;
    if (auto* stream = ::opendir("/proc/self/fd")) {
        while (const auto* entry = ::readdir(stream)) {
            const auto number = base::to_number<int>(entry->d_name);
            if (number && *number != ::dirfd(stream)) open.push_back(*number);
        }
        ::closedir(stream);
    } else {
        const auto most =
            std::min(static_cast<unsigned>(::sysconf(_SC_OPEN_MAX)), most_without_proc);
        for (unsigned each = 0; each < most; ++each) open.push_back(static_cast<int>(each));
    }
    for (const int each : open) {
        if (each > STDERR_FILENO && !std::binary_search(kept.begin(), kept.end(), each))
            ::close(each);
    }
}

}  // namespace

Result<void> limit(const Limit& wanted) {
    const auto which = static_cast<__rlimit_resource_t>(wanted.resource);
    rlimit now{};
    if (::getrlimit(which, &now) < 0) return system_error("getrlimit");
    const rlimit lower{std::min<rlim_t>(wanted.soft, now.rlim_cur),
                       std::min<rlim_t>(wanted.hard, now.rlim_max)};
    if (::setrlimit(which, &lower) < 0) return system_error("setrlimit");
    return base::success();
}

Result<void> limit(int resource, std::uint64_t soft_and_hard) {
    return limit({resource, soft_and_hard, soft_and_hard});
}

std::vector<Limit> limits_now() {
    std::vector<Limit> all;
    for (int resource = 0; resource < RLIM_NLIMITS; ++resource) {
        rlimit now{};
        if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &now) == 0)
            all.push_back({resource, now.rlim_cur, now.rlim_max});
    }
    return all;
}

std::vector<Limit> lowered_since(const std::vector<Limit>& before) {
    auto now = limits_now();
    std::erase_if(now, [&](const Limit& each) {
        return std::none_of(before.begin(), before.end(), [&](const Limit& other) {
            return other.resource == each.resource &&
                   (each.soft < other.soft || each.hard < other.hard);
        });
    });
    return now;
}

Result<void> keep_only(std::span<const int> descriptors) {
    std::vector<int> kept(descriptors.begin(), descriptors.end());
    std::sort(kept.begin(), kept.end());
    unsigned next = STDERR_FILENO + 1;
    for (const int each : kept) {
        if (each < static_cast<int>(next)) continue;
        const auto number = static_cast<unsigned>(each);
        if (number > next && !close_range_works(next, number - 1))
            return close_one_by_one(kept), base::success();
        next = number + 1;
    }
    if (!close_range_works(next, ~0U)) close_one_by_one(kept);
    return base::success();
}

void join_own_keyring() { (void)::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr); }

Result<void> own_session() {
    // EPERM: it leads a group already, which it can only have made itself.
    if (::setsid() < 0 && ::getpgrp() != ::getpid()) return system_error("setsid");
    return base::success();
}

void empty_environment() {
    const auto* set = std::getenv("TZ");
    const bool is_empty = environ == nullptr || environ[0] == nullptr;
    if (is_empty || (set != nullptr && environ[1] == nullptr)) return;
    const auto zone = set == nullptr ? std::nullopt : std::optional<std::string>(set);
    ::clearenv();
    if (zone) ::setenv("TZ", zone->c_str(), 1);
}

void volunteer_for_oom(int more) {
    base::Fd file{::open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC)};
    char text[16];
    const auto length = ::read(file.get(), text, sizeof text);
    if (length <= 0) return;
    const auto now = base::to_number<int>(base::trim({text, static_cast<std::size_t>(length)}));
    if (!now) return;
    const auto wanted = std::to_string(std::min(*now + more, 1000));
    [[maybe_unused]] const auto written = ::pwrite(file.get(), wanted.data(), wanted.size(), 0);
}

}  // namespace jail
