// SPDX-License-Identifier: MIT
// The command line, left to right as vsftpd reads it.
#include "config/command_line.hpp"

#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using config::Action;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::span<const char* const> no_defaults;

base::Result<config::CommandLine> parse(const std::vector<std::string_view>& arguments) {
    return config::parse_command_line(arguments, no_defaults);
}

std::vector<std::string> sources(const config::CommandLine& line) {
    std::vector<std::string> result;
    for (const auto& source : line.sources)
        result.push_back((source.is_file ? "file " : "setting ") + source.text);
    return result;
}

TEST(CommandLine, KeepsFilesAndSettingsInTheirOrder) {
    const auto line = parse({"-olisten=YES", "a.conf", "-oftpd_banner=a b", "b.conf"});
    ASSERT_TRUE(line);
    EXPECT_EQ(line.value().action, Action::serve);
    EXPECT_THAT(sources(line.value()), ElementsAre("setting listen=YES", "file a.conf",
                                                   "setting ftpd_banner=a b", "file b.conf"));
}

// The value has to stand in the same word; the error is the setting's, and is told with the others.
TEST(CommandLine, TakesALoneOForAnEmptySetting) {
    const auto line = parse({"-o", "listen=YES"});
    ASSERT_TRUE(line);
    EXPECT_THAT(sources(line.value()), ElementsAre("setting ", "file listen=YES"));
}

TEST(CommandLine, ReadsADefaultFileThatIsThereLast) {
    const test::Folder folder;
    const auto first = folder.path("first.conf");
    const auto second = folder.write("second.conf", "");
    const char* const defaults[] = {first.c_str(), second.c_str()};
    auto line = config::parse_command_line({"-olisten=YES"}, defaults);
    ASSERT_TRUE(line);
    EXPECT_THAT(sources(line.value()), ElementsAre("setting listen=YES", "file " + second));
    folder.write("first.conf", "");
    line = config::parse_command_line({"-olisten=YES"}, defaults);
    EXPECT_THAT(sources(line.value()), ElementsAre("setting listen=YES", "file " + first));
    line = config::parse_command_line({"other.conf"}, defaults);
    EXPECT_THAT(sources(line.value()), ElementsAre("file other.conf"));
}

TEST(CommandLine, NeedsNoFileAtAll) {
    const auto line = parse({});
    ASSERT_TRUE(line);
    EXPECT_THAT(line.value().sources, IsEmpty());
}

TEST(CommandLine, StopsReadingAtMinusV) {
    for (const auto* word : {"-v", "-version", "--version"}) {
        const auto line = parse({"a.conf", word, "-x"});
        ASSERT_TRUE(line) << word;
        EXPECT_EQ(line.value().action, Action::version);
        EXPECT_THAT(sources(line.value()), ElementsAre("file a.conf"));
    }
}

TEST(CommandLine, KnowsWhatToDo) {
    const std::pair<std::string_view, Action> cases[] = {
        {"--help", Action::help},        {"-h", Action::help},
        {"-t", Action::check},           {"--check-config", Action::check},
        {"--dump-config", Action::dump},
    };
    for (const auto& [word, action] : cases) {
        const auto line = parse({word});
        ASSERT_TRUE(line) << word;
        EXPECT_EQ(line.value().action, action) << word;
    }
}

TEST(CommandLine, NamesTheIniFile) {
    EXPECT_EQ(parse({"--ini", "x.ini"}).value().ini_file, "x.ini");
    EXPECT_EQ(parse({"--ini=x.ini"}).value().ini_file, "x.ini");
    EXPECT_EQ(parse({}).value().ini_file, "");
    for (const auto& wrong :
         std::vector<std::vector<std::string_view>>{{"--ini"}, {"--ini", ""}, {"--ini="}})
        EXPECT_FALSE(parse(wrong));
}

TEST(CommandLine, RefusesOtherSwitchesInVsftpdsWords) {
    for (const auto* word : {"-x", "-", "--", "--listen", "-O"}) {
        const auto line = parse({"a.conf", word});
        ASSERT_FALSE(line) << word;
        EXPECT_EQ(line.error().what, "unrecognise option: " + std::string(word));
    }
}

TEST(CommandLine, ExplainsEverySwitch) {
    for (const auto* word : {"-oOPTION=VALUE", "--ini FILE", "-t, --check-config", "--dump-config",
                             "-v, --version", "--help", "jailftpd passwd"})
        EXPECT_THAT(std::string(config::help_text()), HasSubstr(word));
}

}  // namespace
