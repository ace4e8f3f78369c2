// SPDX-License-Identifier: MIT
// The table of attacks; what becomes of them is in tests/sessions/self_test_test.cpp.
#include "proof/attack.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

TEST(Attacks, HaveNamesOfTheirOwn) {
    std::set<std::string> names;
    std::size_t attacks = 0;
    for (const auto& chapter : proof::chapters()) {
        EXPECT_FALSE(chapter.attacks.empty()) << chapter.title;
        for (const auto& attack : chapter.attacks) {
            names.insert(attack.name);
            ++attacks;
            EXPECT_NE(attack.carry_out, nullptr) << attack.name;
        }
    }
    EXPECT_EQ(names.size(), attacks);
    EXPECT_GE(attacks, 100U);
}

// Each of them says so when it does not get out: here there is nothing to be reached.
TEST(Attacks, OnFilesFindNothingWhereNothingIs) {
    proof::Scene scene;
    scene.outside = scene.secret = scene.private_secret = "/no/such/place";
    scene.token = "token";
    EXPECT_FALSE(proof::read_token(scene, scene.secret));
    EXPECT_FALSE(proof::read_token(scene, "/dev/null"));
    for (const auto& attack : proof::attacks_by_paths())
        EXPECT_FALSE(attack.carry_out(scene)) << attack.name;
}
