// SPDX-License-Identifier: MIT
// Times on the wire and in listings.
#include "ftp/time.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>
#include <string_view>

namespace {

TEST(Time, IsReadAndWrittenAsUtc) {
    struct Case {
        std::string_view text;
        std::int64_t seconds;
    };
    // clang-format off
    constexpr Case cases[] = {
        {"19700101000000", 0},
        {"19700101000001", 1},
        {"19691231235959", -1},
        {"20000229120000", 951825600},
        {"20240229000000", 1709164800},
        {"20260507123456", 1778157296},
        {"20380119031408", 2147483648},
        {"99991231235959", 253402300799},
        {"15830101000000", -12212553600},
    };
    // clang-format on
    for (const auto& c : cases) {
        const auto time = ftp::parse_time(c.text);
        ASSERT_TRUE(time) << c.text;
        EXPECT_EQ(time->seconds, c.seconds) << c.text;
        EXPECT_EQ(ftp::format_time(c.seconds), c.text);
    }
}

TEST(Time, MayHaveAFraction) {
    EXPECT_EQ(ftp::parse_time("19700101000000.5")->nanoseconds, 500'000'000U);
    EXPECT_EQ(ftp::parse_time("19700101000000.123456789999")->nanoseconds, 123'456'789U);
    EXPECT_EQ(ftp::parse_time("19700101000000.000000001")->nanoseconds, 1U);
}

TEST(Time, TakesALeapSecondAsTheNextMinute) {
    EXPECT_EQ(ftp::parse_time("20161231235960")->seconds, 1483228800);
}

TEST(Time, RefusesNonsense) {
    for (const auto* text : {"",
                             "1970010100000",
                             "197001010000000",
                             "99999999999999",
                             "20260229000000",
                             "19000229000000",
                             "20261301000000",
                             "20260001000000",
                             "20260100000000",
                             "20260132000000",
                             "20260431000000",
                             "20260101240000",
                             "20260101006000",
                             "20260101000061",
                             "0000010100000",
                             "00000101000000",
                             "15821231000000",
                             "2026010100000x",
                             "20260101000000.",
                             "20260101000000.x",
                             "20260101000000.1.2",
                             "-0260101000000",
                             "20260101 00000",
                             "+2026010100000",
                             "20260101"}) {
        EXPECT_FALSE(ftp::parse_time(text)) << text;
    }
}

TEST(Time, SurvivesTimesThatNoClockShows) {
    EXPECT_EQ(ftp::format_time(std::numeric_limits<std::int64_t>::max()), "99991231235959");
    EXPECT_EQ(ftp::format_time(std::numeric_limits<std::int64_t>::min()), "00000101000000");
    EXPECT_GE(ftp::utc_calendar(std::numeric_limits<std::int64_t>::max()).tm_mon, 0);
    EXPECT_GE(ftp::local_calendar(std::numeric_limits<std::int64_t>::min()).tm_mon, 0);
}

TEST(TimeAndFile, SplitsAtTheFirstBlank) {
    const auto both = ftp::parse_time_and_file("20260101000000 a file", false);
    ASSERT_TRUE(both);
    EXPECT_EQ(both->file, "a file");
    EXPECT_EQ(both->time.seconds, 1767225600);

    EXPECT_EQ(ftp::parse_time_and_file("20260101000000.25  x", false)->file, " x");
    EXPECT_EQ(ftp::parse_time_and_file("20260101 x", true)->time.seconds, 1767225600);
    EXPECT_FALSE(ftp::parse_time_and_file("20260101 x", false));
    EXPECT_FALSE(ftp::parse_time_and_file("20260101000000", true));
    EXPECT_FALSE(ftp::parse_time_and_file("20260101000000 ", true));
    EXPECT_FALSE(ftp::parse_time_and_file("99999999999999 x", true));
    EXPECT_FALSE(ftp::parse_time_and_file("file x", true));
    EXPECT_FALSE(ftp::parse_time_and_file("", true));
}

TEST(LooksLikeTime, TellsANonsenseDateFromAFileName) {
    EXPECT_TRUE(ftp::looks_like_time("99999999999999 x"));
    EXPECT_TRUE(ftp::looks_like_time("20260101 x"));
    EXPECT_TRUE(ftp::looks_like_time("20260101000000.5 x"));
    EXPECT_FALSE(ftp::looks_like_time("20260101.txt"));
    EXPECT_FALSE(ftp::looks_like_time("2026 x"));
    EXPECT_FALSE(ftp::looks_like_time("notes x"));
    EXPECT_FALSE(ftp::looks_like_time(""));
}

// The zone of the tests: Berlin's rules, spelled out so that no zone files are needed.
class LocalTime : public testing::Test {
  protected:
    LocalTime() {
        if (const char* zone = std::getenv("TZ")) before_ = zone;
        setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
        tzset();
    }
    ~LocalTime() override {
        if (before_.empty()) {
            unsetenv("TZ");
        } else {
            setenv("TZ", before_.c_str(), 1);
        }
        tzset();
    }

  private:
    std::string before_;
};

TEST_F(LocalTime, HasTheDaylightSavingOfEachDate) {
    EXPECT_EQ(ftp::local_calendar(1768478400).tm_hour, 13);  // 2026-01-15 12:00 UTC
    EXPECT_EQ(ftp::local_calendar(1784116800).tm_hour, 14);  // 2026-07-15 12:00 UTC
    EXPECT_EQ(ftp::utc_calendar(1784116800).tm_hour, 12);
}

}  // namespace
