// SPDX-License-Identifier: MIT
// Carrying out lists of steps.
#include "jail/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

namespace {

using testing::ElementsAre;

struct Steps {
    std::vector<std::string> done;
    jail::Step works(const std::string& name) {
        return {name, [this, name]() -> base::Result<void> {
                    done.push_back(name);
                    return base::success();
                }};
    }
    static jail::Step fails(const std::string& name, const base::Error& error) {
        return {name, [error]() -> base::Result<void> { return error; }};
    }
};

TEST(Plan, IsCarriedOutInItsOrder) {
    Steps steps;
    EXPECT_TRUE(jail::carry_out({steps.works("one"), steps.works("two"), steps.works("three")}));
    EXPECT_THAT(steps.done, ElementsAre("one", "two", "three"));
}

TEST(Plan, StopsAtTheFirstFailure) {
    Steps steps;
    const auto result = jail::carry_out(
        {steps.works("one"), Steps::fails("two", {"/home/ann", EACCES}), steps.works("three")});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().text(), "two: /home/ann: Permission denied");
    EXPECT_EQ(result.error().number, EACCES);
    EXPECT_THAT(steps.done, ElementsAre("one"));
}

TEST(Plan, NamesAStepThatHasNothingToAdd) {
    const auto result = jail::carry_out({Steps::fails("the step", {"", 0})});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().text(), "the step");
}

TEST(Plan, KnowsWhereAStepStands) {
    Steps steps;
    const jail::Plan plan{steps.works("one"), steps.works("two")};
    EXPECT_EQ(jail::position(plan, "two"), 1U);
    EXPECT_EQ(jail::position(plan, "three"), plan.size());
}

TEST(Plan, OfNothingSucceeds) { EXPECT_TRUE(jail::carry_out({})); }

}  // namespace
