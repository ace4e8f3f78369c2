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
    ann.confinement.binds = {{"/srv/shared", "/shared", true, false}, {"/a", "/b", false, true}};
    ann.confinement.read_only = true;
    ann.confinement.memory = 1ULL << 40;
    ann.certificates = {"CN=ann", "ann@example.com"};
    auto bob = ann;
    bob.name = "bob";
    bob.groups.clear();
    configuration.tenants = {ann, bob};
    config::Group web;
    web.name = "web";
    web.gid = 33;
    web.confinement.binds = {{"/srv/web", "/shared", false, false}, {"/srv/w", "/w", false, false}};
    web.confinement.memory = 1000;
    web.confinement.processes = 9;
    web.confinement.cpu_weight = 10;
    web.confinement.io_weight = 11;
    configuration.groups = {web};
    configuration.cert_map = {{"ann", "CN=ann"}, {"bob", "CN=b"}};
    configuration.nobody = {65534, 65533};
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
    EXPECT_EQ(copy.value().nobody.uid, 65534U);
    EXPECT_EQ(copy.value().nobody.gid, 65533U);
    ASSERT_EQ(copy.value().tenants.size(), 2U);
    const auto& ann = copy.value().tenants.front();
    EXPECT_EQ(ann.name, "ann");
    EXPECT_EQ(ann.password, "$6$x$y");
    EXPECT_EQ(ann.home, "/srv/ann");
    EXPECT_EQ(ann.uid, 1000U);
    EXPECT_EQ(ann.gid, 1001U);
    EXPECT_EQ(ann.groups, (std::vector<gid_t>{5, 6, 7}));
    EXPECT_EQ(ann.overrides, original.tenants.front().overrides);
    EXPECT_EQ(ann.confinement, original.tenants.front().confinement);
    EXPECT_EQ(ann.certificates, original.tenants.front().certificates);
    ASSERT_EQ(copy.value().cert_map.size(), 2U);
    EXPECT_EQ(copy.value().cert_map.back().account, "bob");
    EXPECT_EQ(copy.value().cert_map.back().name, "CN=b");
    ASSERT_EQ(copy.value().groups.size(), 1U);
    EXPECT_EQ(copy.value().groups.front().name, "web");
    EXPECT_EQ(copy.value().groups.front().gid, 33U);
    EXPECT_EQ(copy.value().groups.front().confinement, original.groups.front().confinement);
    EXPECT_EQ(config::serialise(copy.value()), config::serialise(original));
}

TEST(Confinement, IsTheTenantsThenThatOfEachOfItsGroups) {
    const auto configuration = sample();
    const auto& ann = configuration.tenants.front();
    EXPECT_EQ(config::confinement_of(configuration, &ann, 1, {2}), ann.confinement);
    EXPECT_EQ(config::confinement_of(configuration, nullptr, 1, {2}), config::Confinement{});
    const auto& web = configuration.groups.front().confinement;
    EXPECT_EQ(config::confinement_of(configuration, nullptr, 33, {}), web);
    EXPECT_EQ(config::confinement_of(configuration, nullptr, 1, {2, 33}), web);
    auto both = ann.confinement;
    both.binds.push_back(web.binds[1]);
    both.processes = 9;
    both.cpu_weight = 10;
    both.io_weight = 11;
    EXPECT_EQ(config::confinement_of(configuration, &ann, 1, {33}), both);
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
