// SPDX-License-Identifier: MIT
// Anonymous logins, and later other look-ups that may hang; a helper process, as root, with few
// rights.
#pragma once

#include "config/configuration.hpp"
#include "ipc/channel.hpp"

namespace helpers {

// Answers one request at a time until the supervisor closes the channel; the exit status. The
// supervisor starts several and ends one that takes too long.
[[nodiscard]] int run(ipc::Channel channel, const config::Configuration& configuration);

// One anonymous login, as run() answers it; the two descriptors of an admission are appended.
[[nodiscard]] ipc::LoginAnswer anonymous_login(const config::Configuration& configuration,
                                               const ipc::Login& login,
                                               std::vector<base::Fd>& descriptors);

}  // namespace helpers
