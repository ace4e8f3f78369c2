// SPDX-License-Identifier: MIT
// tcp_wrappers: what hosts.allow and hosts.deny say about a connection; runs in a helper.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/configuration.hpp"
#include "ipc/channel.hpp"
#include "ipc/requests.hpp"

namespace helpers {

// libwrap is loaded here and nowhere else: with the libraries that it wants it would double what is
// mapped into every process.
[[nodiscard]] base::Result<void> load_wrappers();

// Asked in a process of its own: rules may set its user, umask and environment, and run commands.
// All that is ended when the supervisor closes its end of the channel.
[[nodiscard]] ipc::Wrapped wrap(const config::Configuration& configuration,
                                const ipc::Wrap& question, const base::Fd& connection,
                                const ipc::Channel& supervisor);

}  // namespace helpers
