// SPDX-License-Identifier: MIT
// Addresses with ports; runs in the supervisor.
#include "config/listen.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <arpa/inet.h>

namespace config {

using base::Error;
using base::Result;

namespace {

Result<ListenAddress> listen_address(std::string_view word) {
    const auto wrong = [&] {
        return Error{'"' + std::string(word) +
                     "\" is no address with a port, such as 192.0.2.1:21 or [2001:db8::1]:21"};
    };
    ListenAddress address;
    const auto colon = word.rfind(':');
    if (colon == word.npos) return wrong();
    auto host = word.substr(0, colon);
    address.ipv6 = host.starts_with('[') && host.ends_with(']');
    if (address.ipv6) host = host.substr(1, host.size() - 2);
    address.host = host;
    unsigned char bytes[sizeof(in6_addr)];
    if (::inet_pton(address.ipv6 ? AF_INET6 : AF_INET, address.host.c_str(), bytes) != 1)
        return wrong();
    const auto port = base::to_number<std::uint16_t>(word.substr(colon + 1));
    if (!port || *port == 0) return wrong();
    address.port = *port;
    return address;
}

}  // namespace

Result<std::vector<ListenAddress>> listen_addresses(std::string_view text) {
    std::string words(text);
    std::replace(words.begin(), words.end(), ',', ' ');
    std::vector<ListenAddress> all;
    for (const auto word : base::split(words, ' ')) {
        if (word.empty()) continue;
        TRY(auto address, listen_address(word));
        if (std::find(all.begin(), all.end(), address) != all.end())
            return Error{std::string(word) + " is here twice"};
        all.push_back(std::move(address));
    }
    return all;
}

bool is_standalone(const Configuration& configuration) {
    const auto& options = configuration.options;
    return options.listen || options.listen_ipv6 || !configuration.native.listen.empty();
}

}  // namespace config
