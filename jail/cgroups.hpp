// SPDX-License-Identifier: MIT
// Cgroups (version 2): a tree of one's own, and leaves with limits to clone processes into; runs as
// root, in whoever sees /proc and /sys. A cgroup is the descriptor of its directory.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

namespace jail {

// 0: no limit of its own.
struct CgroupLimits {
    std::uint64_t memory = 0;     // bytes
    std::uint64_t processes = 0;  // and threads
    unsigned cpu_weight = 0;      // 1 to 10000; others have 100
    unsigned io_weight = 0;

    bool operator==(const CgroupLimits&) const = default;
};

// Where this process stands.
[[nodiscard]] base::Result<base::Fd> own_cgroup();

// Below it, made if it is not there, with these limits and no others; name: one path component.
[[nodiscard]] base::Result<base::Fd> make_cgroup(const base::Fd& parent, const std::string& name,
                                                 const CgroupLimits& limits = {});
void remove_cgroup(const base::Fd& parent, const std::string& name);

// A cgroup that hands controllers down may hold no processes: the supervisor moves itself first.
[[nodiscard]] base::Result<void> move_into(const base::Fd& cgroup, pid_t process);

// "memory", "pids", "cpu", "io" for the cgroups below; the result names those that are not to be
// had.
[[nodiscard]] std::vector<std::string> hand_down(const base::Fd& cgroup,
                                                 std::span<const char* const> controllers);

// Which of these controllers are not there to be handed down by this process's cgroup.
[[nodiscard]] std::vector<std::string> not_to_be_had(std::span<const char* const> controllers);

// How many processes of it the kernel has ended because it had no memory left.
[[nodiscard]] std::uint64_t kills_for_memory(const base::Fd& cgroup);

}  // namespace jail
