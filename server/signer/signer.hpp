// SPDX-License-Identifier: MIT
// The process that holds the private keys: started as root to read them, nobody with an empty root
// and hardly a system call when the first client comes.
#pragma once

#include "config/configuration.hpp"
#include "ipc/channel.hpp"
#include "signer/keys.hpp"

namespace signer {

// Says SignerReady, then answers SignFor one at a time until the supervisor closes the channel; the
// exit status. The configuration need not hold tenants.
[[nodiscard]] int run(ipc::Channel channel, const config::Configuration& configuration);

// The same with keys from elsewhere.
[[nodiscard]] int run(ipc::Channel channel, const config::Configuration& configuration,
                      const Sources& sources);

}  // namespace signer
