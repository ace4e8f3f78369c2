// SPDX-License-Identifier: MIT
// The jails: what a greeter and a session carry out before they speak to a client.
#pragma once

#include "base/result.hpp"
#include "jail/identity.hpp"
#include "jail/plan.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace jail {

// Before login: a user without rights, in the spawner's empty root.
struct Nobody {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<int> descriptors;  // that stay open, besides 0, 1 and 2
};
[[nodiscard]] Plan before_login(const Nobody& nobody);

// After login: the user, in the home (or in the host's "/").
struct Home {
    // The directory that becomes "/"; the plan closes it, so an owner must have let go of it.
    int root_descriptor = -1;
    std::string root_path;  // its name on the host, for messages only
    bool jailed = true;
    Identity user;
    mode_t umask = 077;
    std::uint64_t address_space_limit = 0;  // bytes; 0: none
    std::string start = "/";                // inside the root
    bool start_may_fail = true;             // then it starts in "/"
    bool refuse_writable_root = true;       // asked only when jailed
    std::vector<int> descriptors;           // that stay open, besides 0, 1 and 2
};
[[nodiscard]] Plan user_home(const Home& home);

// Whether user_home() ended because the user may write to the root: vsftpd's "refusing to run with
// writable root inside chroot()". The error's text names the directory, its owner and mode.
[[nodiscard]] bool refused_writable_root(const base::Error& error);

}  // namespace jail
