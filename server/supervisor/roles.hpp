// SPDX-License-Identifier: MIT
// Starts the processes that the supervisor execs (spawner, signer, authenticator, helpers); runs as
// root.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ipc/channel.hpp"

#include <string_view>

#include <sys/types.h>

namespace supervisor {

// Where an exec'ed process finds its channel to the supervisor and the configuration of its
// generation.
inline constexpr int channel_descriptor = 3;
inline constexpr int configuration_descriptor = 4;
inline constexpr int certificates_descriptor = 5;  // of a spawner, with ssl_enable

struct Started {
    pid_t pid;
    ipc::Channel channel;
};

// Fork and exec of this very program, or for a spawner of a smaller one beside it, with nothing open
// but standard streams and these descriptors, and an environment of nothing but what the C library
// needs. `name` is argv[1] ("--process=NAME").
[[nodiscard]] base::Result<Started> start_process(std::string_view name,
                                                  const base::Fd& configuration,
                                                  const base::Fd& certificates = {});

}  // namespace supervisor
