// SPDX-License-Identifier: MIT
// vsftpd's decision table, row by row.
#include "helpers/jail_decision.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

namespace helpers {

void PrintTo(const Decision& decision, std::ostream* out) {
    *out << (decision.jailed ? "jailed" : "free") << (decision.anonymous_rights ? ", anon_*" : "")
         << (decision.writable_root_allowed ? ", writable" : "") << ": " << decision.first << " | "
         << decision.second << (decision.second_may_fail ? "?" : "") << " | " << decision.start;
}

}  // namespace helpers

namespace {

using config::Options;
using helpers::AccountKind;
using helpers::decide;
using helpers::Decision;
using testing::HasSubstr;

constexpr std::string_view home = "/home/ann";

Decision decided(const Options& options, AccountKind kind = AccountKind::local,
                 bool listed = false) {
    const auto decision = decide(options, kind, "ann", home, listed);
    EXPECT_TRUE(decision);
    return decision ? decision.value() : Decision{};
}

// ----- is the user jailed?

struct Row {
    bool chroot_local_user;
    bool chroot_list_enable;
    bool listed;
    bool jailed;
};

// clang-format off
constexpr Row rows[] = {
    // chroot_local_user  chroot_list_enable  listed  jailed
    {false,               false,              false,  false},
    {false,               false,              true,   false},
    {false,               true,               false,  false},
    {false,               true,               true,   true},
    {true,                false,              false,  true},
    {true,                false,              true,   true},
    {true,                true,               false,  true},
    {true,                true,               true,   false},
};
// clang-format on

Options options_of(const Row& row) {
    Options options;
    options.chroot_local_user = row.chroot_local_user;
    options.chroot_list_enable = row.chroot_list_enable;
    return options;
}

std::string text_of(const Row& row) {
    return std::string("chroot_local_user ") + (row.chroot_local_user ? "YES" : "NO") +
           ", chroot_list_enable " + (row.chroot_list_enable ? "YES" : "NO") +
           (row.listed ? ", listed" : ", not listed");
}

TEST(Jailed, LocalUsersByTheTable) {
    for (const auto& row : rows) {
        const auto decision = decided(options_of(row), AccountKind::local, row.listed);
        EXPECT_EQ(decision.jailed, row.jailed) << text_of(row);
        EXPECT_FALSE(decision.anonymous_rights);
    }
}

TEST(Jailed, GuestsAlways) {
    for (const auto& row : rows) {
        const auto decision = decided(options_of(row), AccountKind::guest, row.listed);
        EXPECT_TRUE(decision.jailed) << text_of(row);
        EXPECT_TRUE(decision.anonymous_rights);
    }
}

TEST(Jailed, GuestsWithLocalPrivilegesByTheTable) {
    for (const auto& row : rows) {
        auto options = options_of(row);
        options.virtual_use_local_privs = true;
        const auto decision = decided(options, AccountKind::guest, row.listed);
        EXPECT_EQ(decision.jailed, row.jailed) << text_of(row);
        EXPECT_FALSE(decision.anonymous_rights);
    }
}

TEST(Jailed, TenantsAndAnonymousAlways) {
    for (const auto& row : rows) {
        for (const bool local_privs : {false, true}) {
            auto options = options_of(row);
            options.virtual_use_local_privs = local_privs;
            const auto tenant = decided(options, AccountKind::tenant, row.listed);
            EXPECT_TRUE(tenant.jailed) << text_of(row);
            EXPECT_FALSE(tenant.anonymous_rights);
            const auto anonymous = decided(options, AccountKind::anonymous, row.listed);
            EXPECT_TRUE(anonymous.jailed) << text_of(row);
            EXPECT_TRUE(anonymous.anonymous_rights);
        }
    }
}

TEST(AllowWriteableChroot, IsForToEverybodyButAnonymous) {
    Options options;
    for (const auto kind :
         {AccountKind::local, AccountKind::guest, AccountKind::tenant, AccountKind::anonymous}) {
        options.allow_writeable_chroot = false;
        EXPECT_FALSE(decided(options, kind).writable_root_allowed);
        options.allow_writeable_chroot = true;
        EXPECT_EQ(decided(options, kind).writable_root_allowed, kind != AccountKind::anonymous);
    }
}

// ----- where?

TEST(Directories, AreTheHomeAndThenLocalRoot) {
    Options options;
    options.anon_root = "/srv/anonymous";
    for (const auto kind : {AccountKind::local, AccountKind::guest, AccountKind::tenant}) {
        options.local_root.clear();
        EXPECT_EQ(decided(options, kind).first, home);
        EXPECT_EQ(decided(options, kind).second, "");
        for (const auto* root : {"/srv/ftp", "files", "../shared"}) {
            options.local_root = root;
            EXPECT_EQ(decided(options, kind).first, home);
            EXPECT_EQ(decided(options, kind).second, root);
            EXPECT_EQ(decided(options, kind).start, "");
        }
    }
}

TEST(Directories, OfAnonymousAreTheHomeAndThenAnonRoot) {
    Options options;
    options.anon_root = "pub";
    options.local_root = "/srv/local";
    options.passwd_chroot_enable = true;
    options.user_sub_token = "ann";
    const auto decision = decide(options, AccountKind::anonymous, "ftp", "/srv/ann/./ftp", false);
    ASSERT_TRUE(decision);
    EXPECT_EQ(decision.value().first, "/srv/ann/./ftp");
    EXPECT_EQ(decision.value().second, "pub");
    EXPECT_FALSE(decision.value().second_may_fail);
    EXPECT_EQ(decision.value().start, "");
}

TEST(Directories, LocalRootMayBeMissingForOneWhoIsNotJailed) {
    Options options;
    options.local_root = "/srv/ftp";
    EXPECT_TRUE(decided(options).second_may_fail);
    options.chroot_local_user = true;
    EXPECT_FALSE(decided(options).second_may_fail);
    EXPECT_FALSE(decided(Options{}, AccountKind::tenant).second_may_fail);
}

struct Dotted {
    const char* home;
    const char* first;
    const char* second;
    const char* start;
};

// clang-format off
constexpr Dotted dotted[] = {
    // home               first               local_root   start
    {"/jail/./ann",       "/jail",            "",          "ann"},
    {"/jail/./",          "/jail",            "",          ""},
    {"/jail/./a/./b",     "/jail",            "",          "a/./b"},
    {"/jail/a/./b/c",     "/jail/a",          "",          "b/c"},
    {"/./ann",            "/./ann",           "",          "ann"},
    {"/jail/.",           "/jail/.",          "/srv/ftp",  ""},
    {"/jail/../ann",      "/jail/../ann",     "/srv/ftp",  ""},
    {"/jail/.ann",        "/jail/.ann",       "/srv/ftp",  ""},
};
// clang-format on

TEST(PasswdChroot, SplitsTheHomeAtDots) {
    Options options;
    options.local_root = "/srv/ftp";
    options.passwd_chroot_enable = true;
    for (const bool jailed : {false, true}) {
        options.chroot_local_user = jailed;
        for (const auto& each : dotted) {
            const auto decision = decide(options, AccountKind::local, "ann", each.home, false);
            ASSERT_TRUE(decision);
            EXPECT_EQ(decision.value().first, each.first) << each.home;
            EXPECT_EQ(decision.value().second, each.second) << each.home;
            EXPECT_EQ(decision.value().start, each.start) << each.home;
            EXPECT_EQ(decision.value().jailed, jailed);
        }
    }
}

TEST(PasswdChroot, IsOffByDefault) {
    Options options;
    options.local_root = "/srv/ftp";
    const auto decision = decide(options, AccountKind::local, "ann", "/jail/./ann", false);
    ASSERT_TRUE(decision);
    EXPECT_EQ(decision.value().first, "/jail/./ann");
    EXPECT_EQ(decision.value().second, "/srv/ftp");
    EXPECT_EQ(decision.value().start, "");
}

// ----- user_sub_token

TEST(UserSubToken, BecomesTheLoginName) {
    Options options;
    options.user_sub_token = "$USER";
    options.local_root = "/srv/$USER/files-of-$USER";
    for (const auto kind : {AccountKind::local, AccountKind::guest, AccountKind::tenant}) {
        const auto decision = decide(options, kind, "bob", "/home/$USER", false);
        ASSERT_TRUE(decision);
        EXPECT_EQ(decision.value().first, "/home/bob");
        EXPECT_EQ(decision.value().second, "/srv/bob/files-of-bob");
    }
}

TEST(UserSubToken, IsReplacedBeforeTheHomeIsSplit) {
    Options options;
    options.user_sub_token = "$USER";
    options.passwd_chroot_enable = true;
    const auto decision = decide(options, AccountKind::local, "bob", "/srv/$USER/./$USER", false);
    ASSERT_TRUE(decision);
    EXPECT_EQ(decision.value().first, "/srv/bob");
    EXPECT_EQ(decision.value().start, "bob");
}

TEST(UserSubToken, IsNotLookedForInTheName) {
    Options options;
    options.user_sub_token = "a";
    const auto decision = decide(options, AccountKind::local, "banana", "/a", false);
    ASSERT_TRUE(decision);
    EXPECT_EQ(decision.value().first, "/banana");
}

// What is one component in the configuration stays one, whatever people are called.
TEST(UserSubToken, TakesNoNameThatLeadsElsewhere) {
    using namespace std::string_view_literals;
    Options in_root;
    in_root.user_sub_token = "$USER";
    in_root.local_root = "/srv/$USER";
    auto beside_a_dot = in_root;
    beside_a_dot.local_root = "/srv/.$USER";
    for (const auto name :
         {""sv, "."sv, ".."sv, "../x"sv, "a/b"sv, "/etc"sv, "x/"sv, "/"sv, "x\0/y"sv, "x\0"sv}) {
        for (const auto& options : {in_root, beside_a_dot}) {
            const auto decision = decide(options, AccountKind::local, name, home, false);
            ASSERT_FALSE(decision) << name;
            EXPECT_THAT(decision.error().what, HasSubstr("user_sub_token"));
        }
        const auto in_home = decide(in_root, AccountKind::guest, name, "/home/$USER", false);
        EXPECT_FALSE(in_home) << name;
    }
    for (const auto name : {"..."sv, "..x"sv, ".x"sv, "-"sv, "a b"sv, "ann@example.org"sv})
        EXPECT_TRUE(decide(in_root, AccountKind::local, name, home, false)) << name;
}

TEST(UserSubToken, MindsNoNameWhereNoneIsPutIn) {
    Options options;
    options.user_sub_token = "$USER";
    options.local_root = "/srv/ftp";
    EXPECT_TRUE(decide(options, AccountKind::local, "../x", home, false));
    options.user_sub_token.clear();
    options.local_root = "/srv/$USER";
    const auto decision = decide(options, AccountKind::local, "../x", home, false);
    ASSERT_TRUE(decision);
    EXPECT_EQ(decision.value().second, "/srv/$USER");
}

}  // namespace
