// SPDX-License-Identifier: MIT
// Addresses as text and parts; runs in greeter and session.
#include "control/address.hpp"

#include <array>
#include <cstring>

#include <arpa/inet.h>

namespace control {

std::string to_text(const ipc::Address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool ipv6 = address.any.sa_family == AF_INET6;
    const void* bytes = ipv6 ? static_cast<const void*>(&address.v6.sin6_addr)
                             : static_cast<const void*>(&address.v4.sin_addr);
    if (::inet_ntop(ipv6 ? AF_INET6 : AF_INET, bytes, text.data(), text.size()) == nullptr)
        return {};
    return text.data();
}

std::optional<in_addr> ipv4(const ipc::Address& address) {
    if (address.any.sa_family == AF_INET) return address.v4.sin_addr;
    if (address.any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr))
        return std::nullopt;
    in_addr mapped{};
    std::memcpy(&mapped, address.v6.sin6_addr.s6_addr + 12, sizeof mapped);
    return mapped;
}

}  // namespace control
