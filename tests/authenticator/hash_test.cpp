// SPDX-License-Identifier: MIT
// Hashes, and what stands in for them.
#include "authenticator/hash.hpp"

#include "authenticator/password_tool.hpp"
#include "tests/authenticator/crypt_calls.hpp"
#include "tests/config/folder.hpp"

#include <crypt.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <string>
#include <string_view>

namespace {

using authenticator::Match;
using authenticator::match;
using authenticator::Secret;
using authenticator::setting_of;
using authenticator::usual_setting;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

// clang-format off
// The methods, as cheap as they can be.
constexpr const char* settings[] = {
    "$y$j75$saltsaltsalt$",
    "$2b$04$abcdefghijklmnopqrstuu",
    "$6$rounds=1000$saltsalt$",
    "$5$rounds=1000$saltsalt$",
    "$1$saltsalt$",
};
// clang-format on

std::string hash_of(const std::string& password, const std::string& setting) {
    crypt_data data{};
    const char* hash = ::crypt_r(password.c_str(), setting.c_str(), &data);
    return hash == nullptr ? "*" : hash;
}

TEST(Match, KnowsTheRightPassword) {
    for (const auto* setting : settings) {
        const auto hash = hash_of("wonderland", setting);
        ASSERT_THAT(hash, StartsWith("$")) << setting;
        EXPECT_EQ(match(Secret("wonderland"), hash), Match::yes) << hash;
        for (const auto* wrong : {"", "wonderlan", "wonderland ", "Wonderland", "wonderland2"})
            EXPECT_EQ(match(Secret(wrong), hash), Match::no) << hash << ' ' << wrong;
    }
}

TEST(Match, LooksAtAllOfALongPassword) {
    const std::string longest(128, 'x');
    const auto hash = hash_of(longest, settings[2]);
    EXPECT_EQ(match(Secret(longest), hash), Match::yes);
    EXPECT_EQ(match(Secret(std::string(127, 'x')), hash), Match::no);
    EXPECT_EQ(match(Secret(std::string(127, 'x') + 'y'), hash), Match::no);
}

TEST(Match, KnowsLockedAccounts) {
    const auto hash = hash_of("wonderland", settings[2]);
    for (const auto& locked : {std::string("!"), std::string("*"), std::string(), "!" + hash,
                               "*" + hash, "!!" + hash, std::string("*0"), std::string("*LK*")})
        EXPECT_EQ(match(Secret("wonderland"), locked), Match::locked) << locked;
}

TEST(Match, SaysWhatCannotBeMatched) {
    const auto hash = hash_of("x", settings[1]);
    for (const auto& bad :
         {std::string("$"), std::string("$$"), std::string("$zz$salt$hash"), std::string("x"),
          std::string("$6$rounds=x$salt$hash"), "$2x" + hash.substr(3, 20), hash.substr(0, 20),
          std::string("$6$sa:lt$hash")})
        EXPECT_EQ(match(Secret("x"), bad), Match::impossible) << bad;
    // Not even by what crypt(3) answers to them.
    EXPECT_EQ(match(Secret("x"), "*0"), Match::locked);
    EXPECT_EQ(match(Secret("x"), settings[2]), Match::no) << "a setting without a hash";
}

TEST(SettingOf, IsWhatComesBeforeTheHash) {
    for (const std::string setting : settings) {
        EXPECT_EQ(setting_of(hash_of("x", setting)), setting);
        EXPECT_EQ(setting_of(setting), setting);
    }
    for (const auto* none : {"", "x", "!", "*", "$", "$6", "!$6$salt$hash", "$2b$12", "$y$j9T"})
        EXPECT_EQ(setting_of(none), "") << none;
}

TEST(UsualSetting, IsTheOneOfMost) {
    const auto few = hash_of("a", settings[1]);
    const auto many = hash_of("b", settings[2]);
    EXPECT_EQ(usual_setting({few, many, "!", many, "*", ""}), settings[2]);
    EXPECT_EQ(usual_setting({many, few, few}), settings[1]);
    // Another cost is another kind.
    const auto dear = hash_of("c", "$6$rounds=2000$salt$");
    EXPECT_EQ(usual_setting({many, dear, dear}), "$6$rounds=2000$salt$");
}

TEST(UsualSetting, IsTheLibrarysWhereThereIsNoHash) {
    for (const auto& hashes :
         {std::vector<std::string>{}, {"!", "*", "", "x"}, {"!$6$salt$hash"}}) {
        const auto setting = usual_setting(hashes);
        EXPECT_THAT(hash_of("x", setting), StartsWith("$")) << setting;
    }
}

// One that costs nothing would tell apart who exists and who does not.
TEST(UsualSetting, IsNeverOneThatCannotBeUsed) {
    const auto good = hash_of("a", settings[2]);
    const std::string bad = "$2b$zz$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    EXPECT_EQ(usual_setting({bad, bad, "$zz$salt$hash", "$zz$salt$hash", "$zz$salt$hash", good}),
              settings[2]);
    EXPECT_THAT(hash_of("x", usual_setting({bad})), StartsWith("$"));
}

TEST(SystemHashes, AreThoseOfPeopleWhoCanLogIn) {
    const test::Folder folder;
    const auto shadow = folder.write("shadow",
                                     "root:*:1::::::\nann:$6$s$h:1::::::\nbob:!$6$s$i:1::::::\n"
                                     "carl::1::::::\n\ncut\ndora:$y$j9T$s$h");
    EXPECT_THAT(authenticator::system_hashes(shadow.c_str()), ElementsAre("$6$s$h", "$y$j9T$s$h"));
    EXPECT_THAT(authenticator::system_hashes(folder.path("missing").c_str()), IsEmpty());
}

TEST(Burn, CostsAsMuchAsAMatch) {
    (void)crypt_calls::since_last();
    authenticator::burn(Secret("x"), settings[2]);
    EXPECT_THAT(crypt_calls::since_last(), ElementsAre(settings[2]));
}

// ----- what holds a password

TEST(Secret, EndsForCWhereItEnds) {
    EXPECT_STREQ(Secret("wonderland").c_str(), "wonderland");
    EXPECT_STREQ(Secret("").c_str(), "");
    EXPECT_STREQ(Secret(std::string(300, 'x')).c_str(), std::string(128, 'x').c_str());
}

TEST(Secret, NoticesWhatCWouldNotRead) {
    using namespace std::string_view_literals;
    EXPECT_FALSE(Secret("x"sv).has_nul());
    EXPECT_FALSE(Secret(""sv).has_nul());
    for (const auto text : {"\0"sv, "x\0"sv, "x\0y"sv}) EXPECT_TRUE(Secret(text).has_nul());
}

TEST(Secret, LeavesNothingBehind) {
    alignas(Secret) std::array<std::byte, sizeof(Secret)> room{};
    auto* secret = new (room.data()) Secret("wonderland");
    secret->~Secret();
    const std::string_view left(reinterpret_cast<const char*>(room.data()), room.size());
    EXPECT_EQ(left.find("wonder"), left.npos);
    EXPECT_EQ(left.find("land"), left.npos);
}

}  // namespace
