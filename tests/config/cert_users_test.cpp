// SPDX-License-Identifier: MIT
// Whose certificate it is: the map, tenants' own names, and neither.
#include "config/cert_users.hpp"

#include "problems.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using config::Configuration;
using config::is_certificate_of;
using testing::IsEmpty;

Configuration with_map(std::string_view content) {
    Configuration configuration;
    configuration.native.cert_username_map = "/etc/map";
    config::Problems problems;
    config::parse_cert_map(content, "/etc/map", configuration, problems);
    EXPECT_THAT(test::texts(problems), IsEmpty());
    return configuration;
}

TEST(CertUsers, AreThoseOfTheNameWithoutAMap) {
    const Configuration configuration;
    EXPECT_TRUE(is_certificate_of(configuration, "ann", "ann"));
    for (const auto* name : {"Ann", "an", "annn", "ann ", "", "bob"})
        EXPECT_FALSE(is_certificate_of(configuration, name, "ann")) << name;
}

TEST(CertUsers, AreThoseOfTheMapAndNobodyElse) {
    const auto configuration = with_map(
        "# comment\n\n \t\nann CN=Ann,O=A B\r\nann\tCN=second \n  bob   CN=Ann,O=A B\n#bob x\n"
        "carl CN=last");
    EXPECT_TRUE(is_certificate_of(configuration, "CN=Ann,O=A B", "ann"));
    EXPECT_TRUE(is_certificate_of(configuration, "CN=Ann,O=A B", "bob"));
    EXPECT_TRUE(is_certificate_of(configuration, "CN=second", "ann"));
    EXPECT_TRUE(is_certificate_of(configuration, "CN=last", "carl"));
    EXPECT_FALSE(is_certificate_of(configuration, "CN=second", "bob"));
    EXPECT_FALSE(is_certificate_of(configuration, "CN=Ann", "ann"));
    EXPECT_FALSE(is_certificate_of(configuration, "ann", "ann"));
    EXPECT_FALSE(is_certificate_of(configuration, "x", "bob"));
    EXPECT_FALSE(is_certificate_of(configuration, "", ""));
    EXPECT_FALSE(is_certificate_of(with_map(""), "ann", "ann"));
}

TEST(CertUsers, AreATenantsByItsOwnSection) {
    auto configuration = with_map("ann CN=map\n");
    config::Tenant ann;
    ann.name = "ann";
    ann.certificates = {"one", "two"};
    configuration.tenants = {ann};
    EXPECT_TRUE(is_certificate_of(configuration, "one", "ann"));
    EXPECT_TRUE(is_certificate_of(configuration, "two", "ann"));
    EXPECT_FALSE(is_certificate_of(configuration, "CN=map", "ann"));
    EXPECT_FALSE(is_certificate_of(configuration, "one", "bob"));
    configuration.tenants.front().certificates.clear();
    EXPECT_TRUE(is_certificate_of(configuration, "CN=map", "ann"));
}

TEST(CertUsers, AreNotGuessedFromWhatIsMalformed) {
    Configuration configuration;
    config::Problems problems;
    for (const auto line :
         {std::string_view("ann"), std::string_view("ann  "), std::string_view("-ann CN=x"),
          std::string_view("ann C\0N", 7), std::string_view("a\xFF CN=x")})
        config::parse_cert_map(line, "/etc/map", configuration, problems);
    EXPECT_EQ(problems.size(), 5U);
    EXPECT_THAT(configuration.cert_map, IsEmpty());
}

}  // namespace
