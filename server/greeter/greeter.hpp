// SPDX-License-Identifier: MIT
// A client from the greeting to a right password, and the TLS end of its control connection
// afterwards; runs as nopriv_user in an empty root, with
// nothing but its channel and its client.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"
#include "ipc/certificates.hpp"
#include "ipc/channel.hpp"

#include <vector>

namespace greeter {

// What greeters need of the host's files (banner_file, userlist_file) is read by the spawner,
// before it leaves them.
[[nodiscard]] base::Result<void> prepare(const config::Options& options);

// The same for TLS, with ssl_enable.
[[nodiscard]] base::Result<void> prepare_tls(const config::Configuration& configuration,
                                             std::vector<ipc::Certificate> certificates);

// Waits for an ipc::Connection and serves it; the result is the process's exit code.
int run(ipc::Channel channel, const config::Options& options);

}  // namespace greeter
