// SPDX-License-Identifier: MIT
// PORT, EPRT and EPSV: what is understood can be written down and is understood again.
#include "ftp/host_port.hpp"
#include "input.hpp"

#include <string>

#include <arpa/inet.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::Input input(data, size);
    const auto text = input.rest();

    if (const auto port = ftp::parse_port(text)) {
        HOLDS(!port->ipv6);
        const auto answer = ftp::passive_text(ftp::to_v4(*port).sin_addr, port->port);
        const auto open = answer.find('(') + 1;
        HOLDS(ftp::parse_port(answer.substr(open, answer.find(')') - open)) == port);
    }
    for (const bool ipv6_usable : {false, true}) {
        const auto result = ftp::parse_eprt(text, ipv6_usable);
        const auto* endpoint = std::get_if<ftp::Endpoint>(&result);
        if (endpoint == nullptr) continue;
        HOLDS(ipv6_usable || !endpoint->ipv6);
        char address[INET6_ADDRSTRLEN] = {};
        HOLDS(inet_ntop(endpoint->ipv6 ? AF_INET6 : AF_INET, endpoint->address.data(), address,
                        sizeof address) != nullptr);
        const auto again = std::string(endpoint->ipv6 ? "|2|" : "|1|") + address + '|' +
                           std::to_string(endpoint->port) + '|';
        HOLDS(std::get<ftp::Endpoint>(ftp::parse_eprt(again, true)) == *endpoint);
        HOLDS(ntohs(ftp::to_v6(*endpoint).sin6_port) == endpoint->port);
    }
    (void)ftp::parse_epsv(text);
    return 0;
}
