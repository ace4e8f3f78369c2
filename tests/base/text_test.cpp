// SPDX-License-Identifier: MIT
// String tools, the escaping of what the network sent above all.
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::string_literals;
using Pieces = std::vector<std::string_view>;

TEST(Trim, TakesBlanksOffBothEnds) {
    EXPECT_EQ(base::trim("  a b\t\r\n"), "a b");
    EXPECT_EQ(base::trim("a"), "a");
    EXPECT_EQ(base::trim(" \t\v\f"), "");
    EXPECT_EQ(base::trim(""), "");
    EXPECT_EQ(base::trim("\xC2\xA0x"), "\xC2\xA0x");  // bytes, not characters
}

TEST(Split, GivesAtLeastOnePiece) {
    EXPECT_EQ(base::split("", ','), Pieces{""});
    EXPECT_EQ(base::split("a", ','), Pieces{"a"});
    EXPECT_EQ(base::split("a,b,,c,", ','), (Pieces{"a", "b", "", "c", ""}));
    EXPECT_EQ(base::split(",", ','), (Pieces{"", ""}));
}

TEST(Case, IsAsciiOnly) {
    EXPECT_EQ(base::upper("aZ9\xC3\xA4"), "AZ9\xC3\xA4");
    EXPECT_EQ(base::lower("aZ9\xC3\x84"), "az9\xC3\x84");
    EXPECT_TRUE(base::equal_ignoring_case("Utf8", "UTF8"));
    EXPECT_FALSE(base::equal_ignoring_case("UTF", "UTF8"));
    EXPECT_FALSE(base::equal_ignoring_case("@", "`"));
    EXPECT_FALSE(base::equal_ignoring_case("[", "{"));
}

TEST(ToNumber, TakesWholeNumbersThatFit) {
    EXPECT_EQ(base::to_number<int>("-12"), -12);
    EXPECT_EQ(base::to_number<unsigned>("022", 8), 18U);
    EXPECT_EQ(base::to_number<std::uint16_t>("65535"), 65535);
    EXPECT_EQ(base::to_number<std::uint16_t>("65536"), std::nullopt);
    for (const auto* text : {"", " 1", "1 ", "+1", "-1", "1x", "x"}) {
        EXPECT_EQ(base::to_number<unsigned>(text), std::nullopt) << text;
    }
    EXPECT_EQ(base::to_number<unsigned>(std::string_view("1\0", 2)), std::nullopt);
}

TEST(Escaped, LetsUtf8PassAndNothingElse) {
    struct Case {
        std::string text;
        std::string_view escaped;
    };
    // clang-format off
    const Case cases[] = {
        {"plain text",        "plain text"},
        {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"a\nb\r\tc",         "a\\x0ab\\x0d\\x09c"},
        {"a\0b"s,             "a\\x00b"},
        {"\x1B[31m\x7F",      "\\x1b[31m\\x7f"},
        {"back\\slash",       "back\\x5cslash"},
        {"\xFF\xFE",          "\\xff\\xfe"},
        {"\xC3",              "\\xc3"},                 // cut short
        {"\xC3(",             "\\xc3("},
        {"\xC0\xAF",          "\\xc0\\xaf"},            // overlong
        {"\xE0\x80\xAF",      "\\xe0\\x80\\xaf"},
        {"\xED\xA0\x80",      "\\xed\\xa0\\x80"},       // surrogate
        {"\xF4\x90\x80\x80",  "\\xf4\\x90\\x80\\x80"},  // above U+10FFFF
        {"\xC2\x9B",          "\\xc2\\x9b"},            // C1 control: CSI
        {"\xA4",              "\\xa4"},                 // Latin-1
        {"\xE2\x80\xA7",      "\xE2\x80\xA7"},
        {"\xE2\x80\xA8",      "\\xe2\\x80\\xa8"},       // ends a line
        {"\xE2\x80\xA9",      "\\xe2\\x80\\xa9"},
        {"\xE2\x80\xAA",      "\\xe2\\x80\\xaa"},       // turns the order round
        {"\xE2\x80\xAE",      "\\xe2\\x80\\xae"},
        {"\xE2\x80\xAF",      "\xE2\x80\xAF"},
        {"\xE2\x81\xA5",      "\xE2\x81\xA5"},
        {"\xE2\x81\xA6",      "\\xe2\\x81\\xa6"},
        {"\xE2\x81\xA9",      "\\xe2\\x81\\xa9"},
        {"\xE2\x81\xAA",      "\xE2\x81\xAA"},
    };
    // clang-format on
    for (const auto& c : cases) EXPECT_EQ(base::escaped(c.text), c.escaped);
    EXPECT_EQ(base::escaped("a]b", "]"), "a\\x5db");
}

TEST(Quoted, CannotBeLeftFromInside) {
    EXPECT_EQ(base::quoted("a b"), "\"a b\"");
    EXPECT_EQ(base::quoted("a\" OK"), "\"a\\x22 OK\"");
    EXPECT_EQ(base::quoted(""), "\"\"");
}

}  // namespace
