// SPDX-License-Identifier: MIT
// The process that holds the private keys: started as root to read them, nobody with an empty root
// and hardly a system call when the first client comes.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"
#include "ipc/channel.hpp"
#include "signer/keys.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace signer {

// What an error that try_out() or run() have found is about, and what would be right.
struct Blame {
    std::string_view option;
    std::string_view remedy;
    std::string_view section{};  // of jailftpd.ini; empty: the option is vsftpd.conf's
};
[[nodiscard]] Blame blame(const config::Options& options, std::string_view error);

// Says SignerReady, then answers SignFor one at a time until the supervisor closes the channel; the
// exit status. The configuration need not hold tenants.
[[nodiscard]] int run(ipc::Channel channel, const config::Configuration& configuration);

// The same with keys from elsewhere.
[[nodiscard]] int run(ipc::Channel channel, const config::Configuration& configuration,
                      const Sources& sources);

// --check-config: everything that can be wrong with TLS, looked at by the caller's own process,
// which is to end soon. The warnings.
[[nodiscard]] base::Result<std::vector<std::string>> try_out(
    const config::Configuration& configuration);

}  // namespace signer
