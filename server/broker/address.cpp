// SPDX-License-Identifier: MIT
// Comparing and showing addresses; runs in the supervisor, as root.
#include "broker/address.hpp"

#include <cstring>

#include <arpa/inet.h>

namespace broker {
namespace {

// Every IP address as 16 bytes, IPv4 as ::ffff:a.b.c.d.
in6_addr canonical(const ipc::Address& address) {
    in6_addr result{};
    if (address.any.sa_family == AF_INET6) return address.v6.sin6_addr;
    if (address.any.sa_family == AF_INET) {
        result.s6_addr[10] = 0xFF;
        result.s6_addr[11] = 0xFF;
        std::memcpy(&result.s6_addr[12], &address.v4.sin_addr, 4);
    }
    return result;
}

}  // namespace

socklen_t length(const ipc::Address& address) {
    switch (address.any.sa_family) {
        case AF_INET:
            return sizeof(sockaddr_in);
        case AF_INET6:
            return sizeof(sockaddr_in6);
        default:
            return 0;
    }
}

std::uint16_t port(const ipc::Address& address) {
    switch (address.any.sa_family) {
        case AF_INET:
            return ntohs(address.v4.sin_port);
        case AF_INET6:
            return ntohs(address.v6.sin6_port);
        default:
            return 0;
    }
}

void set_port(ipc::Address& address, std::uint16_t number) {
    if (address.any.sa_family == AF_INET) address.v4.sin_port = htons(number);
    if (address.any.sa_family == AF_INET6) address.v6.sin6_port = htons(number);
}

bool same_host(const ipc::Address& a, const ipc::Address& b) {
    if (length(a) == 0 || length(b) == 0) return false;
    const auto x = canonical(a);
    const auto y = canonical(b);
    return std::memcmp(&x, &y, sizeof x) == 0;
}

Network network_of(const ipc::Address& address) {
    Network result{};
    const auto host = canonical(address);
    const bool four = IN6_IS_ADDR_V4MAPPED(&host);
    static_assert(sizeof host == sizeof result);
    std::memcpy(result.data(), &host, four ? result.size() : result.size() / 2);
    return result;
}

ipc::Address as_family(const ipc::Address& address, sa_family_t family) {
    ipc::Address result{};
    if (address.any.sa_family == family) return address;
    if (family == AF_INET6 && address.any.sa_family == AF_INET) {
        result.v6.sin6_family = AF_INET6;
        result.v6.sin6_port = address.v4.sin_port;
        result.v6.sin6_addr = canonical(address);
    } else if (family == AF_INET && address.any.sa_family == AF_INET6 &&
               IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr)) {
        result.v4.sin_family = AF_INET;
        result.v4.sin_port = address.v6.sin6_port;
        std::memcpy(&result.v4.sin_addr, &address.v6.sin6_addr.s6_addr[12], 4);
    }
    return result;
}

std::string to_text(const ipc::Address& address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (address.any.sa_family == AF_INET)
        ::inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
    else if (address.any.sa_family == AF_INET6)
        ::inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof text);
    return text;
}

std::string with_port(const ipc::Address& address) {
    const auto number = std::to_string(port(address));
    if (address.any.sa_family == AF_INET6) return '[' + to_text(address) + "]:" + number;
    return to_text(address) + ':' + number;
}

}  // namespace broker
