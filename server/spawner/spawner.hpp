// SPDX-License-Identifier: MIT
// Clones greeters and sessions from an empty root with a handful of descriptors, and reaps them;
// runs as root.
#pragma once

#include "config/options.hpp"
#include "ipc/channel.hpp"

namespace spawner {

// What a child does once it has been made; the result is its exit code.
struct Children {
    int (*greeter)(ipc::Channel, const config::Options&);  // jailed already (jail::before_login)
    int (*session)(ipc::Channel,
                   const config::Options&);  // blank: waits for ipc::Enter and jails itself
};

// Until the supervisor closes its end; children live on.
int run(ipc::Channel channel, const config::Options& options, const Children& children);

}  // namespace spawner
