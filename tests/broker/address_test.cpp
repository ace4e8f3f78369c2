// SPDX-License-Identifier: MIT
// Tests broker/address.cpp.
#include "broker/address.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>

namespace {

ipc::Address v4(const char* text, std::uint16_t port = 0) {
    ipc::Address address{};
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(port);
    ::inet_pton(AF_INET, text, &address.v4.sin_addr);
    return address;
}

ipc::Address v6(const char* text, std::uint16_t port = 0) {
    ipc::Address address{};
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(port);
    ::inet_pton(AF_INET6, text, &address.v6.sin6_addr);
    return address;
}

TEST(Address, IsTheSameHostWhateverThePortOrFamily) {
    EXPECT_TRUE(broker::same_host(v4("192.0.2.1", 1), v4("192.0.2.1", 2)));
    EXPECT_TRUE(broker::same_host(v4("192.0.2.1"), v6("::ffff:192.0.2.1")));
    EXPECT_FALSE(broker::same_host(v4("192.0.2.1"), v4("192.0.2.2")));
    EXPECT_FALSE(broker::same_host(v4("0.0.0.1"), v6("::1")));
    EXPECT_FALSE(broker::same_host(ipc::Address{}, ipc::Address{}));
}

TEST(Address, ChangesItsFamilyOnlyWhereThatHasAMeaning) {
    EXPECT_EQ(broker::to_text(broker::as_family(v4("192.0.2.1", 7), AF_INET6)), "::ffff:192.0.2.1");
    EXPECT_EQ(broker::port(broker::as_family(v4("192.0.2.1", 7), AF_INET6)), 7);
    EXPECT_EQ(broker::to_text(broker::as_family(v6("::ffff:192.0.2.1"), AF_INET)), "192.0.2.1");
    EXPECT_EQ(broker::length(broker::as_family(v6("2001:db8::1"), AF_INET)), 0U);
}

TEST(Network, IsAHostOrTheNetworkThatAHostChoosesFrom) {
    const auto of = [](const auto& address) { return broker::network_of(address); };
    EXPECT_EQ(of(v4("192.0.2.1")), of(v6("::ffff:192.0.2.1")));
    EXPECT_NE(of(v4("192.0.2.1")), of(v4("192.0.2.2")));
    EXPECT_EQ(of(v4("192.0.2.1", 1)), of(v4("192.0.2.1", 2)));
    EXPECT_EQ(of(v6("2001:db8:0:1::1")), of(v6("2001:db8:0:1:ffff::2")));
    EXPECT_NE(of(v6("2001:db8:0:1::1")), of(v6("2001:db8:0:2::1")));
    EXPECT_NE(of(v6("::1")), of(v4("192.0.2.1")));
    EXPECT_EQ(of(ipc::Address{}), broker::Network{});
}

TEST(Address, IsShownAsPeopleWriteIt) {
    EXPECT_EQ(broker::with_port(v4("192.0.2.1", 2121)), "192.0.2.1:2121");
    EXPECT_EQ(broker::with_port(v6("2001:db8::1", 21)), "[2001:db8::1]:21");
}

}  // namespace
