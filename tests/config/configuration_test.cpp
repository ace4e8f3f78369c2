// SPDX-License-Identifier: MIT
// The whole configuration on its way to another process.
#include "config/configuration.hpp"

#include "config/serialise.hpp"

#include <gtest/gtest.h>

namespace {

config::Configuration sample() {
    config::Configuration configuration;
    configuration.options.local_enable = true;
    configuration.options.ftpd_banner = "hi";
    configuration.native.grace = 7;
    configuration.native.guest_user = "ftpguest";
    configuration.native.tenants_dir = "/etc/jailftpd/tenants";
    configuration.native.json_log = "/var/log/j";
    configuration.native.log_level = "debug";
    config::Tenant ann;
    ann.name = "ann";
    ann.password = "$6$x$y";
    ann.home = "/srv/ann";
    ann.uid = 1000;
    ann.gid = 1001;
    ann.groups = {5, 6, 7};
    ann.overrides = std::string("write_enable=YES\0", 17);
    auto bob = ann;
    bob.name = "bob";
    bob.groups.clear();
    configuration.tenants = {ann, bob};
    configuration.origins = {"a:1", "", "command line"};
    return configuration;
}

TEST(Configuration, ArrivesAsItLeft) {
    const auto original = sample();
    const auto copy = config::deserialise(config::serialise(original));
    ASSERT_TRUE(copy);
    EXPECT_EQ(copy.value().options, original.options);
    EXPECT_EQ(copy.value().native.grace, 7U);
    EXPECT_EQ(copy.value().native.guest_user, "ftpguest");
    EXPECT_EQ(copy.value().native.tenants_dir, "/etc/jailftpd/tenants");
    EXPECT_EQ(copy.value().native.json_log, "/var/log/j");
    EXPECT_EQ(copy.value().native.log_level, "debug");
    EXPECT_EQ(copy.value().origins, original.origins);
    ASSERT_EQ(copy.value().tenants.size(), 2U);
    const auto& ann = copy.value().tenants.front();
    EXPECT_EQ(ann.name, "ann");
    EXPECT_EQ(ann.password, "$6$x$y");
    EXPECT_EQ(ann.home, "/srv/ann");
    EXPECT_EQ(ann.uid, 1000U);
    EXPECT_EQ(ann.gid, 1001U);
    EXPECT_EQ(ann.groups, (std::vector<gid_t>{5, 6, 7}));
    EXPECT_EQ(ann.overrides, original.tenants.front().overrides);
    EXPECT_EQ(config::serialise(copy.value()), config::serialise(original));
}

TEST(Configuration, IsRefusedWhenCutAnywhere) {
    const auto bytes = config::serialise(sample());
    for (std::size_t length = 0; length < bytes.size(); ++length)
        EXPECT_FALSE(config::deserialise(std::string_view(bytes).substr(0, length))) << length;
    EXPECT_FALSE(config::deserialise(bytes + "x"));
}

TEST(Configuration, DoesNotBelieveHugeCounts) {
    auto bytes = config::serialise(config::Configuration{});
    bytes.replace(bytes.size() - 16, 8, 8, '\x7F');  // the number of tenants
    EXPECT_FALSE(config::deserialise(bytes));
}

// Password hashes stay out of what greeters and sessions get.
TEST(Configuration, OptionsAloneHoldNoTenant) {
    const auto bytes = config::serialise(sample().options);
    EXPECT_EQ(bytes.find("$6$"), std::string::npos);
    EXPECT_EQ(bytes.find("/srv/ann"), std::string::npos);
}

TEST(FindTenant, FindsByWholeName) {
    const auto configuration = sample();
    ASSERT_NE(config::find_tenant(configuration, "bob"), nullptr);
    EXPECT_EQ(config::find_tenant(configuration, "bob")->name, "bob");
    for (const auto* name : {"", "a", "Ann", "annn", "bob ", "zed"})
        EXPECT_EQ(config::find_tenant(configuration, name), nullptr) << name;
}

}  // namespace
