// SPDX-License-Identifier: MIT
// The spawner: a root process with an empty root and a handful of descriptors, which forks greeters
// and sessions, and reaps them. It never holds a byte that a client sent.
#pragma once

#include "config/options.hpp"
#include "ipc/channel.hpp"

namespace spawner {

// What a child becomes; its result is its exit status. It has its channel (descriptor 3) and
// /dev/null as 0, 1 and 2; signals are at their defaults, but SIGPIPE is ignored. A greeter stands
// in its jail already; a session is blank: root, in the spawner's empty root, until it carries out
// a plan of its own.
struct Children {
    int (*greeter)(ipc::Channel, const config::Options&);
    int (*session)(ipc::Channel, const config::Options&);
};

// Until the channel closes or brings something malformed; children live on.
int run(ipc::Channel channel, const config::Options& options, Children children);

}  // namespace spawner
