// SPDX-License-Identifier: MIT
// Where the server listens besides vsftpd's options.
#include "config/listen.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using config::ListenAddress;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(ListenAddresses, AreSeparatedByBlanksOrCommas) {
    for (const auto* text : {"192.0.2.1:21,[2001:db8::1]:2121", "192.0.2.1:21 [2001:db8::1]:2121",
                             " 192.0.2.1:21 ,, [2001:db8::1]:2121, "})
        EXPECT_THAT(config::listen_addresses(text).value(),
                    ElementsAre(ListenAddress{"192.0.2.1", false, 21},
                                ListenAddress{"2001:db8::1", true, 2121}))
            << text;
    EXPECT_THAT(config::listen_addresses("").value(), IsEmpty());
    EXPECT_THAT(config::listen_addresses("[::]:21").value(),
                ElementsAre(ListenAddress{"::", true, 21}));
}

TEST(ListenAddresses, AreNumbersWithAPort) {
    for (const auto* text :
         {"192.0.2.1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:ftp",
          "localhost:21", ":21", "2001:db8::1", "2001:db8::1:21", "[2001:db8::1]", "[192.0.2.1]:21",
          "[]:21", "[:21", "192.0.2.256:21", "192.0.2.1:21:21", "*:21"}) {
        const auto addresses = config::listen_addresses(text);
        ASSERT_FALSE(addresses) << text;
        EXPECT_THAT(addresses.error().what, HasSubstr("is no address with a port")) << text;
    }
}

TEST(ListenAddresses, AreThereOnce) {
    EXPECT_EQ(config::listen_addresses("192.0.2.1:21 192.0.2.1:21").error().what,
              "192.0.2.1:21 is here twice");
    EXPECT_TRUE(config::listen_addresses("192.0.2.1:21 192.0.2.1:2121"));
}

TEST(Standalone, IsWhoeverListens) {
    config::Configuration configuration;
    EXPECT_FALSE(config::is_standalone(configuration));
    configuration.options.listen = true;
    EXPECT_TRUE(config::is_standalone(configuration));
    configuration.options.listen = false;
    configuration.options.listen_ipv6 = true;
    EXPECT_TRUE(config::is_standalone(configuration));
    configuration.options.listen_ipv6 = false;
    configuration.native.listen = "127.0.0.1:21";
    EXPECT_TRUE(config::is_standalone(configuration));
}

}  // namespace
