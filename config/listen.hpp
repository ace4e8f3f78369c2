// SPDX-License-Identifier: MIT
// [server] listen in jailftpd.ini, and whether this server listens at all; runs in the supervisor.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace config {

struct ListenAddress {
    std::string host;  // without brackets
    bool ipv6 = false;
    std::uint16_t port = 0;

    bool operator==(const ListenAddress&) const = default;
};

// "192.0.2.1:21, [2001:db8::1]:21": separated by blanks or commas.
[[nodiscard]] base::Result<std::vector<ListenAddress>> listen_addresses(std::string_view text);

// It does: by vsftpd's options or by ours. Else it serves the connection that inetd has accepted.
[[nodiscard]] bool is_standalone(const Configuration& configuration);

}  // namespace config
