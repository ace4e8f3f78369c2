// SPDX-License-Identifier: MIT
// PORT, EPRT and EPSV arguments, 227 and 229 answers; runs in the session.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <netinet/in.h>

namespace ftp {

struct Endpoint {
    bool ipv6 = false;
    std::array<std::uint8_t, 16> address{};  // the first four bytes for IPv4; network order
    std::uint16_t port = 0;

    bool operator==(const Endpoint&) const = default;
};

[[nodiscard]] sockaddr_in to_v4(const Endpoint& endpoint);
[[nodiscard]] sockaddr_in6 to_v6(const Endpoint& endpoint);  // IPv4 becomes IPv4-mapped

// PORT h1,h2,h3,h4,p1,p2
[[nodiscard]] std::optional<Endpoint> parse_port(std::string_view argument);

// EPRT |1|192.0.2.1|1025| or |2|2001:db8::1|1025|. `protocol`: neither 1 nor 2, or 2 without IPv6.
enum class EprtProblem { syntax, protocol };
[[nodiscard]] std::variant<Endpoint, EprtProblem> parse_eprt(std::string_view argument,
                                                             bool ipv6_usable);

// EPSV, EPSV 1, EPSV 2, EPSV ALL; anything else is a bad protocol.
enum class Epsv { any, ipv4, ipv6, all, bad };
[[nodiscard]] Epsv parse_epsv(std::string_view argument);

// "Entering Passive Mode (h1,h2,h3,h4,p1,p2)."
[[nodiscard]] std::string passive_text(in_addr address, std::uint16_t port);

// "Entering Extended Passive Mode (|||port|)", without a full stop.
[[nodiscard]] std::string extended_passive_text(std::uint16_t port);

}  // namespace ftp
