// SPDX-License-Identifier: MIT
// The jails themselves, as lists; each is carried out by the process that is to live in it.
#pragma once

#include "base/fd.hpp"
#include "jail/identity.hpp"
#include "jail/limits.hpp"
#include "jail/mounts.hpp"
#include "jail/plan.hpp"
#include "jail/rights.hpp"
#include "jail/system_calls.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace jail {

inline constexpr std::uint64_t most_of_a_session = 64;  // descriptors

// The last steps of every plan. Each stands there only if it is asked for.
struct Walls {
    bool landlock = false;
    std::shared_ptr<const SystemCallFilter> system_calls;
    DeniedCall denied = nullptr;  // hears of calls that are not on the list
};

// A greeter: stands in the spawner's empty root already and needs nothing but its channel and its
// client. Started by an ordinary user it stands where the spawner does, and Landlock keeps it from
// all files.
[[nodiscard]] Plan before_login(const Identity& nobody, int channel, const Walls& walls = {},
                                Maker maker = Maker::root);

struct Home {
    std::shared_ptr<base::Fd>
        root;  // becomes "/"; a descriptor of the host's "/" for one who is not jailed
    bool root_is_mount = false;   // detached_mount()'s: in the place of everything else
    bool root_read_only = false;  // that mount is; what is written goes into binds
    std::vector<Bind> binds;      // with such a root
    bool jailed = true;
    Identity user;
    mode_t umask = 077;
    std::uint64_t address_space = 0;  // bytes; 0: no limit
    std::vector<Limit> limits;        // those of the account
    std::string start = "/";          // inside the root
    bool start_may_fail = true;       // then the session starts in the root
    bool refuse_writable_root = false;
    std::vector<int> descriptors;    // what stays open, besides 0, 1 and 2
    std::string path_on_host;        // of the root, for messages
    FileRights rights = read_write;  // what Landlock leaves below the root
    Walls walls;
    Maker maker = Maker::root;  // Maker::user: the root becomes the current directory, not "/"
};

// The step that fails when the user may write into the root and allow_writeable_chroot=NO; that
// error's text is this and nothing else.
inline constexpr const char* writable_root_step = "root directory not writable";

[[nodiscard]] Plan user_home(const Home& home);

}  // namespace jail
