// SPDX-License-Identifier: MIT
// Clones greeters and sessions from an empty root with a handful of descriptors, and reaps them;
// runs as root.
#pragma once

#include "config/configuration.hpp"
#include "ipc/channel.hpp"

namespace spawner {

// What a child does once it has been made; the result is its exit code. It has its channel as
// descriptor 3, /dev/null as 0, 1 and 2, and every signal at its default but SIGPIPE, which is
// ignored.
struct Children {
    int (*greeter)(ipc::Channel, const config::Options&);  // jailed already (jail::before_login)
    int (*session)(ipc::Channel,
                   const config::Options&);  // blank: waits for ipc::Enter and jails itself
};

// Until the supervisor closes its end, or sends what makes no sense; children live on.
int run(ipc::Channel channel, const config::Configuration& configuration, const Children& children);

}  // namespace spawner
