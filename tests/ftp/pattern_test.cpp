// SPDX-License-Identifier: MIT
// Wildcards, and what hide_file and deny_file make of them.
#include "ftp/pattern.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace {

bool matches(std::string_view pattern, std::string_view name) {
    ftp::Steps steps;
    const auto parsed = ftp::Pattern::parse(pattern);
    return parsed && parsed->matches(name, steps);
}

struct Case {
    std::string_view pattern;
    std::string_view name;
    bool match;
};

// clang-format off
constexpr Case cases[] = {
    {"a.txt",       "a.txt",     true},
    {"a.txt",       "a.txtx",    false},
    {"a.txt",       "xa.txt",    false},
    {"",            "",          true},
    {"",            "a",         false},
    {"*",           "",          true},
    {"*",           "anything",  true},
    {"**",          "x",         true},
    {"*.txt",       "a.txt",     true},
    {"*.txt",       ".txt",      true},
    {"*.txt",       "a.txt.gz",  false},
    {"a*",          "a",         true},
    {"a*b*c",       "a1b2b3c",   true},
    {"a*b*c",       "a1c2b",     false},
    {"*a*",         "bab",       true},
    {"?",           "a",         true},
    {"?",           "",          false},
    {"?",           "ab",        false},
    {"a?c",         "abc",       true},
    {"*?",          "",          false},
    {"?*",          "a",         true},
    {"{a,b}",       "a",         true},
    {"{a,b}",       "b",         true},
    {"{a,b}",       "c",         false},
    {"{a,b}",       "ab",        false},
    {"x{a,b}y",     "xby",       true},
    {"x{a,b}y",     "xcy",       false},
    {"{*.mp3,*.mov}", "a.mov",   true},
    {"{*.mp3,*.mov}", "a.txt",   false},
    {"{up*,old}",   "up1",       true},
    {"{up*,old}",   "older",     false},
    {"{a}",         "a",         true},
    {"{}",          "",          true},
    {"{,a}b",       "b",         true},
    {"{a,}b",       "ab",        true},
    {"{a,b}{c,d}",  "bc",        true},
    {"*{a,*}",      "x",         true},
    {"{*,x}*",      "",          true},
    {"{a,{b,c}d}",  "cd",        true},    // nested: more than vsftpd knows
    {"{a,{b,c}d}",  "ad",        false},
    {"{a,b",        "b",         true},    // never closed: as if at the end
    {"{a,b",        "{a,b",      false},
    {"a,b",         "a,b",       true},
    {"a}",          "a}",        true},
    {"[ab]",        "a",         false},   // no sets
    {"[ab]",        "[ab]",      true},
    {"\\*",         "\\x",       true},    // nothing escapes
    {"A",           "a",         false},
    {"*",           "a/b",       true},
};
// clang-format on

TEST(Pattern, KnowsStarQuestionMarkAndBraces) {
    for (const auto& c : cases) {
        EXPECT_EQ(matches(c.pattern, c.name), c.match) << c.pattern << " on " << c.name;
    }
}

// The shortest description of the language, and slow: what the other one must agree with.
bool slow(std::string_view pattern, std::string_view name) {
    if (pattern.empty()) return name.empty();
    if (pattern[0] == '*') {
        return slow(pattern.substr(1), name) || (!name.empty() && slow(pattern, name.substr(1)));
    }
    if (name.empty() || (pattern[0] != '?' && pattern[0] != name[0])) return false;
    return slow(pattern.substr(1), name.substr(1));
}

std::string word(unsigned number, std::string_view letters, std::size_t length) {
    std::string result;
    for (std::size_t i = 0; i < length; ++i) {
        result += letters[number % letters.size()];
        number /= static_cast<unsigned>(letters.size());
    }
    return result;
}

TEST(Pattern, AgreesWithBacktracking) {
    for (unsigned p = 0; p < 256; ++p) {
        for (unsigned n = 0; n < 32; ++n) {
            const auto pattern = word(p, "a*?b", 4);
            const auto name = word(n, "ab", 5);
            ASSERT_EQ(matches(pattern, name), slow(pattern, name)) << pattern << " on " << name;
        }
    }
}

TEST(Pattern, TakesNoMoreStepsThanPromised) {
    // What makes backtracking matchers take years.
    std::string evil;
    for (int i = 0; i < 60; ++i) evil += "*a";
    evil += "b";
    const std::string name(255, 'a');
    const auto pattern = ftp::Pattern::parse(evil);
    ASSERT_TRUE(pattern);
    ftp::Steps steps;
    const auto before = steps.left();
    EXPECT_FALSE(pattern->matches(name, steps));
    EXPECT_LE(before - steps.left(), (name.size() + 1) * pattern->size());
    EXPECT_FALSE(steps.exhausted());
}

TEST(Pattern, GivesUpWhenTheStepsRunOut) {
    const auto pattern = ftp::Pattern::parse("*x*x*");
    ftp::Steps steps(10);
    EXPECT_FALSE(pattern->matches("xxxxxxxxxxxxxxxxxx", steps));
    EXPECT_TRUE(steps.exhausted());
    EXPECT_FALSE(pattern->matches("", steps));
}

TEST(Pattern, RefusesWhatIsTooLongOrDeep) {
    EXPECT_TRUE(ftp::Pattern::parse(std::string(ftp::Pattern::longest, '*')));
    EXPECT_FALSE(ftp::Pattern::parse(std::string(ftp::Pattern::longest + 1, '*')));
    EXPECT_FALSE(ftp::Pattern::parse(std::string(1000, '{')));
}

TEST(Pattern, CanTellThatItIsNone) {
    EXPECT_TRUE(ftp::Pattern::is_plain("a.txt"));
    EXPECT_TRUE(ftp::Pattern::is_plain("[a],}"));
    for (const auto* text : {"*", "a?", "{a"}) EXPECT_FALSE(ftp::Pattern::is_plain(text));
}

bool hidden(std::string_view option, std::string_view name) {
    ftp::Steps steps;
    return ftp::hidden(option, name, steps);
}

TEST(HideFile, IsAPatternOrASubstring) {
    EXPECT_TRUE(hidden("{*.mp3,.*}", "a.mp3"));
    EXPECT_TRUE(hidden("{*.mp3,.*}", ".hidden"));
    EXPECT_FALSE(hidden("{*.mp3,.*}", "a.txt"));
    EXPECT_TRUE(hidden("secret", "my secret file"));
    EXPECT_FALSE(hidden("secret", "secre"));
    EXPECT_FALSE(hidden("", "anything"));
    EXPECT_TRUE(hidden("?*?", "a?*?b"));  // the option's text itself
}

bool denied(std::string_view option, std::string_view typed, std::string_view path) {
    ftp::Steps steps;
    return ftp::denied(option, typed, path, steps);
}

TEST(DenyFile, IsNotFooledByPaths) {
    constexpr std::string_view option = "{up*,old}";
    EXPECT_TRUE(denied(option, "up1", "/home/up1"));
    EXPECT_TRUE(denied(option, "./up1", "/home/up1"));
    EXPECT_TRUE(denied(option, "/home/up1", "/home/up1"));
    EXPECT_TRUE(denied(option, "x/../up1/", "/home/up1"));
    EXPECT_TRUE(denied(option, "old/inner", "/home/old/inner"));
    EXPECT_TRUE(denied(option, "old/..", "/home"));
    EXPECT_TRUE(denied(option, "..", "/home/old"));  // leads into it
    EXPECT_FALSE(denied(option, "new", "/home/new"));
    EXPECT_FALSE(denied(option, "older", "/home/older"));
    EXPECT_FALSE(denied("", "up1", "/up1"));
    EXPECT_TRUE(denied("cret", "x", "/secret/x"));
    EXPECT_FALSE(denied("{h*}", "x", "/home/ann/x"));  // what is above was not asked for
}

// As in the {.*} of many sites: with it clients still go up.
TEST(DenyFile, TakesDotsForNoName) {
    constexpr std::string_view option = "{.*}";
    EXPECT_FALSE(denied(option, "..", "/home"));
    EXPECT_FALSE(denied(option, "../..", "/"));
    EXPECT_FALSE(denied(option, "./a", "/home/a"));
    EXPECT_FALSE(denied(option, "../.", "/home"));
    EXPECT_TRUE(denied(option, ".ssh", "/home/.ssh"));
    EXPECT_TRUE(denied(option, "./../.ssh", "/.ssh"));
    EXPECT_TRUE(denied(option, "...", "/home/..."));
    EXPECT_TRUE(denied(option, "..", "/home/.ssh"));  // leads into it
    EXPECT_FALSE(denied("{}", "..", "/home"));
}

// As in the {*~} that keeps an editor's old copies back.
TEST(DenyFile, TakesTheTildeOfTheHomeForNoName) {
    constexpr std::string_view option = "{*~}";
    EXPECT_FALSE(denied(option, "~", "/home/ann"));
    EXPECT_FALSE(denied(option, "~/", "/home/ann"));
    EXPECT_FALSE(denied(option, "~/a", "/home/ann/a"));
    EXPECT_FALSE(denied("{??}", "~/", "/home/ann"));
    EXPECT_TRUE(denied(option, "~/a~", "/home/ann/a~"));
    EXPECT_TRUE(denied(option, "~/a~/b", "/home/ann/a~/b"));
    EXPECT_TRUE(denied(option, "./~", "/home/ann/~"));
    EXPECT_TRUE(denied(option, "~ann", "/home/ann/~ann~"));
    EXPECT_TRUE(denied("{a}", "~/a", "/home/ann/a"));
}

TEST(DenyFile, RefusesWhenItCannotTell) {
    ftp::Steps none(0);
    EXPECT_TRUE(ftp::denied("{a*}", "b", "/b", none));
    EXPECT_TRUE(denied(std::string(5000, '{'), "b", "/b"));
}

TEST(UploadFile, NamesWhatIsPermitted) {
    ftp::Steps steps;
    EXPECT_TRUE(ftp::permitted("", "/x", steps));
    EXPECT_TRUE(ftp::permitted("*.txt", "/a/b.txt", steps));
    EXPECT_FALSE(ftp::permitted("*.txt", "/a.txt/b.sh", steps));
    EXPECT_TRUE(ftp::permitted("report", "/report-1", steps));
    EXPECT_FALSE(ftp::permitted(std::string(5000, '{'), "/b", steps));
    ftp::Steps none(0);
    EXPECT_FALSE(ftp::permitted("*", "/b", none));
}

}  // namespace
