// SPDX-License-Identifier: MIT
// Comparing and showing the addresses of control and data connections; runs in the supervisor, as
// root.
#pragma once

#include "ipc/requests.hpp"

#include <array>
#include <cstdint>
#include <string>

#include <sys/socket.h>

namespace broker {

// Length of the sockaddr in use; 0 for a family that is not IP.
[[nodiscard]] socklen_t length(const ipc::Address& address);
[[nodiscard]] std::uint16_t port(const ipc::Address& address);
void set_port(ipc::Address& address, std::uint16_t port);

// The same host, whatever the port; 192.0.2.1 and ::ffff:192.0.2.1 are the same.
[[nodiscard]] bool same_host(const ipc::Address& a, const ipc::Address& b);

// An address of the given family for the same host, as a socket of that family needs it; family 0
// when there is none (an IPv6 host for an IPv4 socket).
[[nodiscard]] ipc::Address as_family(const ipc::Address& address, sa_family_t family);

// A host, or the network that an IPv6 host can take its addresses from (/64). IPv4 is
// ::ffff:a.b.c.d.
using Network = std::array<std::uint8_t, 16>;
[[nodiscard]] Network network_of(const ipc::Address& address);

// "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1" (as vsftpd shows IPv4 peers of an IPv6 listener).
[[nodiscard]] std::string to_text(const ipc::Address& address);
// With the port: "192.0.2.1:2121", "[2001:db8::1]:2121".
[[nodiscard]] std::string with_port(const ipc::Address& address);

}  // namespace broker
