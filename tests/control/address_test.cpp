// SPDX-License-Identifier: MIT
// Addresses as clients and titles see them.
#include "control/address.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>

namespace {

ipc::Address address(const char* text) {
    ipc::Address result{};
    if (::inet_pton(AF_INET, text, &result.v4.sin_addr) == 1) {
        result.v4.sin_family = AF_INET;
    } else {
        EXPECT_EQ(::inet_pton(AF_INET6, text, &result.v6.sin6_addr), 1) << text;
        result.v6.sin6_family = AF_INET6;
    }
    return result;
}

TEST(Address, IsShownAsVsftpdShowsIt) {
    for (const char* text : {"192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7"})
        EXPECT_EQ(control::to_text(address(text)), text);
}

TEST(Address, MayContainAnIpv4One) {
    in_addr expected{};
    ::inet_pton(AF_INET, "192.0.2.7", &expected);
    for (const char* text : {"192.0.2.7", "::ffff:192.0.2.7"}) {
        const auto found = control::ipv4(address(text));
        ASSERT_TRUE(found) << text;
        EXPECT_EQ(found->s_addr, expected.s_addr) << text;
    }
    EXPECT_FALSE(control::ipv4(address("2001:db8::7")));
}

}  // namespace
