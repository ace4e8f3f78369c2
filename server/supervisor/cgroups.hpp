// SPDX-License-Identifier: MIT
// Where sessions stand among the cgroups of the host, and what their accounts may use; runs in the
// supervisor, as root.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/configuration.hpp"
#include "ipc/requests.hpp"
#include "jail/cgroups.hpp"

#include <map>
#include <span>
#include <string>

#include <sys/types.h>

namespace supervisor {

// Those that the limits of accounts need, and those of them that this host does not give.
[[nodiscard]] std::vector<const char*> controllers(const config::Configuration& configuration);
[[nodiscard]] std::string missing_controllers(const config::Configuration& configuration);

class Cgroups {
  public:
    // Only where an account has limits: for the supervisor and what it starts a leaf below its own
    // cgroup, another one for spawners and with them for cells. An error leaves everything where it
    // is.
    [[nodiscard]] base::Result<void> arrange(const config::Configuration& configuration);

    // Does nothing where nothing was arranged.
    void take_in(pid_t spawner) const;

    // The account's own leaf, with the limits that it has now, for one session more; empty where
    // nothing was arranged. To be left with the same name when that session's process is gone.
    [[nodiscard]] base::Result<base::Fd> enter(const ipc::Cgroup& wanted);
    void leave(const std::string& name);

    // Whether the kernel has ended a process of this leaf for want of memory since last asked.
    [[nodiscard]] bool ran_out_of_memory(const std::string& name);

  private:
    struct Account {
        base::Fd leaf;
        jail::CgroupLimits limits;
        std::size_t sessions = 0;
        std::uint64_t kills = 0;
    };

    [[nodiscard]] jail::CgroupLimits limits(const ipc::Cgroup& wanted) const;

    base::Fd top_;
    base::Fd cells_;
    std::vector<std::string> missing_;
    std::map<std::string, Account, std::less<>> accounts_;
};

}  // namespace supervisor
