// SPDX-License-Identifier: MIT
// Results: values, reasons, and TRY between them.
#include "base/result.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace {

base::Result<int> positive(int number) {
    if (number <= 0) return base::Error{"not positive", 0};
    return number;
}

base::Result<std::string> described(int number) {
    TRY(const auto value, positive(number));
    return "got " + std::to_string(value);
}

TEST(Result, PassesAValueThroughTry) {
    const auto result = described(3);
    ASSERT_TRUE(result);
    EXPECT_EQ(result.value(), "got 3");
}

TEST(Result, PassesAReasonThroughTry) {
    const auto result = described(-3);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().what, "not positive");
    EXPECT_EQ(result.error().number, 0);
}

TEST(Error, TellsWhatFailedAndWhy) {
    EXPECT_EQ((base::Error{"open /x", ENOENT}.text()), "open /x: No such file or directory");
    EXPECT_EQ((base::Error{"half a line", 0}.text()), "half a line");
}

TEST(SystemError, RemembersErrno) {
    errno = EACCES;
    const auto error = base::system_error("open /x");
    EXPECT_EQ(error.number, EACCES);
    EXPECT_EQ(base::system_error("open /x", ELOOP).number, ELOOP);
}

}  // namespace
