// SPDX-License-Identifier: MIT
// Who owns a descriptor closes it, once.
#include "base/fd.hpp"

#include <gtest/gtest.h>

#include <utility>

#include <fcntl.h>

namespace {

bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

base::Fd opened() { return base::Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

TEST(Fd, ClosesWhenItGoes) {
    int number = -1;
    {
        const auto fd = opened();
        number = fd.get();
        ASSERT_TRUE(fd);
        ASSERT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(Fd, HoldsNothingAtFirst) {
    const base::Fd none;
    EXPECT_FALSE(none);
    EXPECT_EQ(none.get(), -1);
}

TEST(Fd, MovesItsDescriptor) {
    auto first = opened();
    const int number = first.get();
    base::Fd second(std::move(first));
    EXPECT_EQ(second.get(), number);
    EXPECT_FALSE(first);  // NOLINT: what is left behind is the point
    EXPECT_TRUE(is_open(number));
}

TEST(Fd, ClosesWhatAnAssignmentReplaces) {
    auto first = opened();
    auto second = opened();
    const int replaced = first.get();
    const int kept = second.get();
    first = std::move(second);
    EXPECT_FALSE(is_open(replaced));
    EXPECT_TRUE(is_open(kept));
    EXPECT_EQ(first.get(), kept);
}

TEST(Fd, SurvivesAssignmentToItself) {
    auto fd = opened();
    auto& same = fd;
    fd = std::move(same);
    EXPECT_TRUE(is_open(fd.get()));
}

TEST(Fd, GivesUpWhatItReleases) {
    auto fd = opened();
    const int number = fd.release();
    EXPECT_FALSE(fd);
    EXPECT_TRUE(is_open(number));
    base::Fd(number).close();
    EXPECT_FALSE(is_open(number));
}

}  // namespace
