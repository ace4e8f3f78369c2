// SPDX-License-Identifier: MIT
// The spawner's process, whichever program it is: what it prepares for greeters and sessions.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"
#include "ipc/channel.hpp"

namespace cells {

// The exit status. With ssl_enable the certificates are where supervisor/roles.hpp says.
[[nodiscard]] base::Result<int> run(ipc::Channel channel,
                                    const config::Configuration& configuration);

}  // namespace cells
