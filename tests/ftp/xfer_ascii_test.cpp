// SPDX-License-Identifier: MIT
// TYPE A conversions, in one piece and cut at every place.
#include "ftp/xfer_ascii.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace {

struct Case {
    std::string_view in;
    std::string_view out;
};

// clang-format off
constexpr Case uploads[] = {
    {"",                 ""},
    {"a\r\nb\r\n",       "a\nb\n"},
    {"a\nb",             "a\nb"},
    {"a\rb",             "a\rb"},
    {"\r",               "\r"},
    {"\r\r\n",           "\r\n"},
    {"\r\n\r\n",         "\n\n"},
    {"a\r\r\rb\r\n",     "a\r\r\rb\n"},
    {"end\r",            "end\r"},
};
constexpr Case downloads[] = {
    {"",                 ""},
    {"a\nb\n",           "a\r\nb\r\n"},
    {"a\r\nb",           "a\r\nb"},
    {"\n\n",             "\r\n\r\n"},
    {"a\rb\n",           "a\rb\r\n"},
    {"\r\n\n",           "\r\n\r\n"},
    {"\r\r\n",           "\r\r\n"},
    {"\r",               "\r"},
};
// clang-format on

TEST(AsciiUpload, IsTheSameHoweverItIsCut) {
    for (const auto& c : uploads) {
        for (std::size_t cut = 0; cut <= c.in.size(); ++cut) {
            ftp::FromNetwork conversion;
            std::string out;
            conversion.convert(c.in.substr(0, cut), out);
            conversion.convert({}, out);
            conversion.convert(c.in.substr(cut), out);
            conversion.finish(out);
            EXPECT_EQ(out, c.out) << testing::PrintToString(c.in) << " cut at " << cut;
        }
    }
}

TEST(AsciiDownload, IsTheSameHoweverItIsCutAndAsLongAsSizeSays) {
    for (const auto& c : downloads) {
        for (std::size_t cut = 0; cut <= c.in.size(); ++cut) {
            ftp::ToNetwork conversion;
            ftp::NetworkSize size;
            std::string out;
            for (const auto part : {c.in.substr(0, cut), std::string_view{}, c.in.substr(cut)}) {
                conversion.convert(part, out);
                size.count(part);
            }
            EXPECT_EQ(out, c.out) << testing::PrintToString(c.in) << " cut at " << cut;
            EXPECT_EQ(size.bytes(), c.out.size()) << testing::PrintToString(c.in);
        }
    }
}

}  // namespace
