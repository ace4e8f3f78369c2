// SPDX-License-Identifier: MIT
// Attempts of tenants, from name and password to the answer, and what each costs.
#include "authenticator/attempt.hpp"

#include "authenticator/hash.hpp"
#include "ipc/admission.hpp"
#include "tests/authenticator/crypt_calls.hpp"
#include "tests/jail/observed.hpp"
#include "tests/sessions/sandbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace {

using namespace std::string_view_literals;
using authenticator::may_be_a_name;
using config::Configuration;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// ----- names

TEST(Name, IsWhatVsftpdTakesForOne) {
    const std::string longest(128, 'a');
    for (const auto name : {"ann"sv, "Ann"sv, "0"sv, "_ann"sv, ".ann"sv, "a-b.c@example.org"sv,
                            "DOMAIN\\ann"sv, "a/b"sv, "a$"sv, std::string_view(longest)})
        EXPECT_TRUE(may_be_a_name(name)) << name;
}

TEST(Name, IsNothingElse) {
    const std::string too_long(129, 'a');
    for (const auto name : {""sv,           "-ann"sv,
                            "@ann"sv,       "/ann"sv,
                            " ann"sv,       "ann "sv,
                            "a b"sv,        "a\tb"sv,
                            "a\nb"sv,       "a\rb"sv,
                            "a\0b"sv,       "ann\0"sv,
                            "a\x7F"sv,      "\x1B[0m"sv,
                            "\xC3\xA4nn"sv, "a\xC3\xA4"sv,
                            "$ann"sv,       "*"sv,
                            "!"sv,          "~"sv,
                            "%"sv,          std::string_view(too_long)})
        EXPECT_FALSE(may_be_a_name(name)) << name;
}

// ----- attempts

const std::string setting = "$6$rounds=1000$jailftpdtest$";

config::Tenant tenant(const std::string& name, const std::string& hash, const std::string& home) {
    return {name, hash, home, 31001, 31002, {}, {}};
}

struct Attempt : testing::Test {
    observed::Directory top;
    Configuration configuration;
    mutable authenticator::Costs costs;  // attempts learn

    void SetUp() override {
        NEEDS_ROOT();
        const auto home = top.directory("home");
        configuration.options.local_enable = false;
        configuration.native.mounts = false;  // which containers forbid
        configuration.tenants = {
            tenant("alice", sessions::hash_of("wonderland"), home),
            tenant("broken", "$2b$zz$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", home),
            tenant("homeless", sessions::hash_of("secret"), top.path("missing")),
            tenant("locked", "!" + sessions::hash_of("secret"), home),
            tenant("star", "*", home),
        };
        costs = authenticator::measure_costs(configuration);
        (void)crypt_calls::since_last();
    }

    static ipc::Login login(std::string_view user, std::string_view password) {
        ipc::Login made{};
        made.id = 42;
        made.account = ipc::Account::system;
        made.has_password = 1;
        made.peer.any.sa_family = AF_INET;
        made.user.assign(user);
        made.password.assign(password);
        return made;
    }

    [[nodiscard]] ipc::LoginAnswer answer(const ipc::Login& login) const {
        std::vector<base::Fd> descriptors;
        authenticator::Lasting lasting;
        const auto result = authenticator::attempt(configuration, costs, login,
                                                   jail::detached_mount, descriptors, lasting);
        EXPECT_EQ(descriptors.size(), result.outcome == ipc::Outcome::admitted ? 2U : 0U);
        EXPECT_EQ(result.id, 42U);
        if (result.outcome == ipc::Outcome::wrong) {
            EXPECT_EQ(result.client_text.view(), "");
        }
        return result;
    }
    [[nodiscard]] ipc::LoginAnswer answer(std::string_view user, std::string_view password) const {
        return answer(login(user, password));
    }
    // "wrong password of a tenant"; of one that was admitted its name.
    [[nodiscard]] std::string result(std::string_view user, std::string_view password) const {
        const auto given = answer(user, password);
        return std::string(given.outcome == ipc::Outcome::admitted ? given.user.view()
                                                                   : given.reason.view());
    }
};

TEST_F(Attempt, AdmitsATenantWithTheRightPassword) {
    std::vector<base::Fd> descriptors;
    authenticator::Lasting lasting;
    const auto given = authenticator::attempt(configuration, costs, login("alice", "wonderland"),
                                              jail::detached_mount, descriptors, lasting);
    EXPECT_FALSE(lasting);
    ASSERT_EQ(given.outcome, ipc::Outcome::admitted) << given.reason.view();
    EXPECT_EQ(given.account, ipc::Account::system);
    EXPECT_EQ(given.user.view(), "alice");
    ASSERT_EQ(descriptors.size(), 2U);
    const auto admission = ipc::parse_admission(ipc::read_sealed(descriptors[1]).value());
    ASSERT_TRUE(admission);
    EXPECT_EQ(admission.value().uid, 31001U);
    EXPECT_EQ(admission.value().root, top.path("home"));
    EXPECT_THAT(ipc::serialise(admission.value()), testing::Not(HasSubstr("wonderland")));
}

TEST_F(Attempt, TellsTheAdministratorTheReason) {
    EXPECT_EQ(result("alice", "looking-glass"), "wrong password of a tenant");
    EXPECT_EQ(result("alice", ""), "wrong password of a tenant");
    EXPECT_EQ(result("locked", "secret"), "the tenant is locked");
    EXPECT_EQ(result("star", "secret"), "the tenant is locked");
    EXPECT_THAT(result("broken", "secret"), StartsWith("the tenant's hash is malformed"));
    EXPECT_EQ(result("stranger", "secret"), "no such tenant (and local_enable=NO)");
    EXPECT_EQ(result("Alice", "wonderland"), "no such tenant (and local_enable=NO)");
    EXPECT_EQ(result("", "secret"), "no name, or name or password longer than 128 bytes");
    EXPECT_EQ(result("a b", "secret"), "name or password has bytes that are not allowed in them");
    EXPECT_EQ(result("alice", "wonderland\0"sv),
              "name or password has bytes that are not allowed in them");
    EXPECT_EQ(result("alice\0"sv, "wonderland"),
              "name or password has bytes that are not allowed in them");
    EXPECT_EQ(result("homeless", "wrong"), "wrong password of a tenant");
}

TEST_F(Attempt, IsWrongInAllTheseCases) {
    for (const auto& [user, password] : {std::pair{"alice"sv, "x"sv},
                                         {"locked", "secret"},
                                         {"broken", ""},
                                         {"stranger", "x"},
                                         {"", ""},
                                         {"a b", "x"},
                                         {"alice", "wonderland\0"sv}})
        EXPECT_EQ(answer(user, password).outcome, ipc::Outcome::wrong) << user;
    auto without_password = login("alice", "wonderland");
    without_password.has_password = 0;
    EXPECT_EQ(answer(without_password).outcome, ipc::Outcome::wrong);
}

TEST_F(Attempt, IsBrokenWhereOnlyTheHomeIsWrong) {
    const auto given = answer("homeless", "secret");
    EXPECT_EQ(given.outcome, ipc::Outcome::broken);
    EXPECT_EQ(given.client_text.view(), "cannot change directory:" + top.path("missing"));
    EXPECT_THAT(std::string(given.reason.view()), HasSubstr("create it for uid 31001"));
}

// ----- by certificate

TEST_F(Attempt, IsForWhomTheCertificateNames) {
    configuration.native.cert_username_field = "commonName";
    const auto shown = [&](std::string_view user, std::string_view names) {
        auto made = login(user, "");
        made.has_password = 0;
        made.by_certificate = 1;
        made.names.assign(names);
        return answer(made);
    };
    const auto given = shown("alice", "bob\0alice\0"sv);
    ASSERT_EQ(given.outcome, ipc::Outcome::admitted) << given.reason.view();
    EXPECT_EQ(given.user.view(), "alice");
    EXPECT_EQ(shown("star", "star\0"sv).outcome, ipc::Outcome::admitted);
    EXPECT_EQ(shown("locked", "locked\0"sv).reason.view(), "the tenant is locked");
    for (const auto names : {""sv, "\0"sv, "bob\0"sv, "Alice\0"sv, "alice \0"sv, "al\0ice\0"sv})
        EXPECT_EQ(shown("alice", names).outcome, ipc::Outcome::needs_password) << names;
    EXPECT_EQ(shown("", "\0"sv).outcome, ipc::Outcome::needs_password);
    configuration.native.cert_username_field.clear();
    EXPECT_EQ(shown("alice", "alice\0"sv).outcome, ipc::Outcome::needs_password);
    // Nobody's hash was made.
    EXPECT_THAT(crypt_calls::since_last(), testing::IsEmpty());
    configuration.native.cert_username_field = "commonName";
    EXPECT_EQ(shown("stranger", "stranger\0"sv).outcome, ipc::Outcome::wrong);
    // Names alone are no certificate.
    auto without = login("alice", "");
    without.has_password = 0;
    without.names.assign("alice\0"sv);
    EXPECT_EQ(answer(without).outcome, ipc::Outcome::wrong);
}

// One hash of the usual kind, whoever it is: the clock tells nobody who exists.
TEST_F(Attempt, CostsTheSameWhateverIsWrong) {
    EXPECT_EQ(costs.tenants, setting);
    for (const auto& [user, password] : {std::pair{"alice"sv, "looking-glass"sv},
                                         {"alice", "wonderland"},
                                         {"alice", ""},
                                         {"stranger", "x"},
                                         {"locked", "secret"},
                                         {"star", "x"},
                                         {"broken", "x"},
                                         {"", ""},
                                         {"a b", "x"},
                                         {"alice", "wonderland\0"sv},
                                         {"-", "x"}}) {
        (void)answer(user, password);
        const auto made = crypt_calls::since_last();
        ASSERT_EQ(made.size(), 1U) << user;
        EXPECT_EQ(authenticator::setting_of(made[0]), setting) << user;
    }
}

TEST_F(Attempt, CostsAsMuchAsMostTenants) {
    const std::string dear = "$6$rounds=2000$salt$";
    configuration.tenants.push_back(tenant("xaver", dear + std::string(86, 'x'), top.path("home")));
    configuration.tenants.push_back(
        tenant("yvonne", dear + std::string(86, 'y'), top.path("home")));
    configuration.tenants.push_back(tenant("zoe", dear + std::string(86, 'z'), top.path("home")));
    EXPECT_EQ(authenticator::measure_costs(configuration).tenants, dear);
    configuration.tenants.clear();
    EXPECT_NE(authenticator::measure_costs(configuration).tenants, "");
}

TEST_F(Attempt, MeasuresWhatASystemPasswordCosts) {
    EXPECT_NE(costs.system, "");
    EXPECT_GT(costs.of_system.count(), 0);
}

}  // namespace
