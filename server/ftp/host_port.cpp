// SPDX-License-Identifier: MIT
// PORT, EPRT and EPSV arguments, 227 and 229 answers; runs in the session.
#include "ftp/host_port.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>

namespace ftp {
namespace {

// inet_pton in a buffer of its own: the text is no C string. NUL and what is too long are no
// address.
template <typename Address>
bool parse_address(int family, std::string_view text, Address& address) {
    char buffer[INET6_ADDRSTRLEN] = {};
    if (text.size() >= sizeof buffer || text.find('\0') != text.npos) return false;
    std::copy(text.begin(), text.end(), buffer);
    return ::inet_pton(family, buffer, &address) == 1;
}

}  // namespace

sockaddr_in to_v4(const Endpoint& endpoint) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(endpoint.port);
    std::memcpy(&result.sin_addr, endpoint.address.data(), sizeof result.sin_addr);
    return result;
}

sockaddr_in6 to_v6(const Endpoint& endpoint) {
    sockaddr_in6 result{};
    result.sin6_family = AF_INET6;
    result.sin6_port = htons(endpoint.port);
    if (endpoint.ipv6) {
        std::memcpy(&result.sin6_addr, endpoint.address.data(), sizeof result.sin6_addr);
    } else {
        result.sin6_addr.s6_addr[10] = result.sin6_addr.s6_addr[11] = 0xFF;
        std::copy_n(endpoint.address.begin(), 4, result.sin6_addr.s6_addr + 12);
    }
    return result;
}

std::optional<Endpoint> parse_port(std::string_view argument) {
    const auto items = base::split(base::trim(argument), ',');
    if (items.size() != 6) return std::nullopt;
    std::array<std::uint8_t, 6> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto number = base::to_number<std::uint8_t>(items[i]);
        if (!number) return std::nullopt;
        bytes[i] = *number;
    }
    Endpoint result;
    std::copy_n(bytes.begin(), 4, result.address.begin());
    result.port = static_cast<std::uint16_t>(bytes[4] << 8 | bytes[5]);
    return result;
}

std::variant<Endpoint, EprtProblem> parse_eprt(std::string_view argument, bool ipv6_usable) {
    const auto items = base::split(base::trim(argument), '|');  // "", protocol, address, port, ""
    if (items.size() < 2 || !items[0].empty()) return EprtProblem::syntax;
    const bool ipv6 = items[1] == "2";
    if (ipv6 ? !ipv6_usable : items[1] != "1") return EprtProblem::protocol;
    // Like vsftpd, content without the closing bar.
    if (items.size() < 4 || items.size() > 5 || (items.size() == 5 && !items[4].empty())) {
        return EprtProblem::syntax;
    }
    Endpoint result;
    result.ipv6 = ipv6;
    in_addr v4{};
    in6_addr v6{};
    if (ipv6 ? !parse_address(AF_INET6, items[2], v6) : !parse_address(AF_INET, items[2], v4)) {
        return EprtProblem::syntax;
    }
    if (ipv6) {
        std::memcpy(result.address.data(), &v6, sizeof v6);
    } else {
        std::memcpy(result.address.data(), &v4, sizeof v4);
    }
    const auto port = base::to_number<std::uint16_t>(items[3]);
    if (!port) return EprtProblem::syntax;
    result.port = *port;
    return result;
}

Epsv parse_epsv(std::string_view argument) {
    argument = base::trim(argument);
    if (argument.empty()) return Epsv::any;
    if (argument == "1") return Epsv::ipv4;
    if (argument == "2") return Epsv::ipv6;
    return base::equal_ignoring_case(argument, "ALL") ? Epsv::all : Epsv::bad;
}

std::string passive_text(in_addr address, std::uint16_t port) {
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &address, bytes.size());
    std::string text = "Entering Passive Mode (";
    for (const auto byte : bytes) text += std::to_string(byte) + ',';
    return text + std::to_string(port >> 8) + ',' + std::to_string(port & 255) + ").";
}

std::string extended_passive_text(std::uint16_t port) {
    return "Entering Extended Passive Mode (|||" + std::to_string(port) + "|)";
}

}  // namespace ftp
