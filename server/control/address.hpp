// SPDX-License-Identifier: MIT
// Addresses as text and parts, as clients and titles see them; runs in greeter and session.
#pragma once

#include "ipc/requests.hpp"

#include <optional>
#include <string>

#include <netinet/in.h>

namespace control {

// "192.0.2.7", "2001:db8::7"; IPv4-mapped ones as vsftpd shows them, "::ffff:192.0.2.7".
[[nodiscard]] std::string to_text(const ipc::Address& address);

// The IPv4 address that it is or contains (IPv4-mapped).
[[nodiscard]] std::optional<in_addr> ipv4(const ipc::Address& address);

}  // namespace control
