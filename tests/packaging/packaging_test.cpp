// SPDX-License-Identifier: MIT
// What is told and given to administrators: the manual pages name everything that there is to set,
// the examples are good, and what the README tells to run exists.
#include "config/command_line.hpp"
#include "config/conf_file.hpp"
#include "config/confinement.hpp"
#include "config/ini_file.hpp"
#include "config/native.hpp"
#include "config/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

const fs::path source = JAILFTPD_SOURCE;
const fs::path pages = fs::path(JAILFTPD_BUILD) / "packaging/man";

std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file) << path;
    std::stringstream content;
    content << file.rdbuf();
    return std::move(content).str();
}

// As it is read, not as it is typeset.
std::string plain(std::string page) { return std::regex_replace(page, std::regex(R"(\\-)"), "-"); }

std::set<std::string> all(const std::string& text, const char* expression) {
    const std::regex wanted(expression);
    std::set<std::string> found;
    for (std::sregex_iterator at(text.begin(), text.end(), wanted), end; at != end; ++at)
        found.insert((*at)[1]);
    return found;
}

std::string text_of(const config::Problems& problems) {
    std::string text;
    for (const auto& each : problems) text += config::to_text(each) + '\n';
    return text;
}

}  // namespace

TEST(ManualPages, NameEveryOption) {
    const auto page = content_of(pages / "jailftpd.conf.5");
    for (const auto& info : config::option_table()) {
        const auto entry = "\n.BR " + std::string(info.name) + " \" (";
        EXPECT_THAT(page, HasSubstr(entry));
    }
    for (const auto* alias : {"ssl_tlsv1_1", "ssl_tlsv1_2", "ssl_tlsv1_3"})
        EXPECT_THAT(page, HasSubstr(alias));
}

// The names of others, too: a text that sends its reader to an option that is none helps nobody.
TEST(OptionTexts, AreThereForEachOptionAndNameOnlyWhatExists) {
    const auto texts = content_of(source / "packaging/man/options.txt");
    std::set<std::string> names;
    for (const auto& info : config::option_table()) names.emplace(info.name);
    auto described = all(texts, R"(\n([a-z0-9_]+)(?=\n    ))");
    EXPECT_EQ(described, names);
    for (const auto& info : config::native_table()) names.emplace(info.key);
    for (const auto& word : all(texts, R"(\b([a-z0-9]+_[a-z0-9_]+)\b)"))
        EXPECT_TRUE(names.contains(word) || word == "root_squash") << word;
}

TEST(OptionTexts, SayWhatAnOptionNeeds) {
    const auto page = plain(content_of(pages / "jailftpd.conf.5"));
    EXPECT_THAT(page, HasSubstr("\n.I With:\nneeds \\fBwrite_enable\\fP"));
    EXPECT_THAT(page, HasSubstr("\n.I Instead:\nSSL is broken and never offered, TLS is.\n"));
    EXPECT_THAT(page, HasSubstr("\n.I Where:\nmain file, connection, user, tenant.\n"));
}

TEST(ManualPages, NameEverySwitch) {
    const auto page = plain(content_of(pages / "jailftpd.8"));
    for (const auto& each : all(std::string(config::help_text()), R"([ ,\[](--?[a-z][a-z-]*))"))
        EXPECT_THAT(page, HasSubstr(each));
}

TEST(ManualPages, NameEverySettingOfTheIniFile) {
    const auto page = content_of(pages / "jailftpd.ini.5");
    for (const auto& info : config::native_table()) {
        EXPECT_THAT(page, HasSubstr("\n.SS [" + std::string(info.section) + "]\n"));
        EXPECT_THAT(page, HasSubstr("\n.BR " + std::string(info.key) + " \" ("));
    }
    // The reader's own words say what a tenant has.
    const auto reader = content_of(source / "config/ini_file.cpp");
    const auto keys = all(reader, R"re(name == "([a-z_]+)")re");
    EXPECT_GE(keys.size(), 5U);
    for (const auto& key : keys) EXPECT_THAT(page, HasSubstr("\n.BR " + key + " "));
    for (const auto key : config::confinement_keys())
        EXPECT_THAT(page, HasSubstr("\n.BR " + std::string(key) + " "));
}

TEST(Examples, VsftpdConfHasNoProblem) {
    const auto file = source / "packaging/examples/vsftpd.conf";
    config::Options options;
    config::Problems problems;
    config::parse_conf(content_of(file), file, problems, [&](const config::Setting& setting) {
        config::apply(setting, file, options, problems);
    });
    EXPECT_THAT(problems, IsEmpty()) << text_of(problems);
    EXPECT_TRUE(options.chroot_local_user);
    EXPECT_EQ(options.pam_service_name, "jailftpd");
    EXPECT_TRUE(fs::exists(source / "packaging/pam.d" / options.pam_service_name));
}

// With its commented settings, too. A copy, since the file must be ours.
TEST(Examples, JailftpdIniHasNoProblem) {
    const auto text = content_of(source / "packaging/examples/jailftpd.ini");
    const auto uncommented =
        std::regex_replace(std::regex_replace(text, std::regex("(^|\n);([a-z[])"), "$1$2"),
                           std::regex("\\$y\\$j9T\\$\\.\\.\\."), "!");
    std::string copy = "/tmp/jailftpd-test-XXXXXX";
    const int descriptor = ::mkstemp(copy.data());
    ASSERT_GE(descriptor, 0);
    ::close(descriptor);
    for (const auto& content : {text, uncommented}) {
        std::ofstream(copy) << content;
        config::Configuration configuration;
        config::Problems problems;
        config::read_ini_file(copy, true, false, configuration, problems);
        EXPECT_THAT(problems, IsEmpty()) << text_of(problems);
        EXPECT_EQ(configuration.tenants.size(), content == text ? 0U : 1U);
    }
    fs::remove(copy);
}

// Paths of the repository in code, in commands and in links.
TEST(Readme, NamesWhatExists) {
    const auto readme = content_of(source / "README.md");
    const auto named =
        all(readme,
            R"re([ (`\n](?:\./)?((?:packaging|tests|config|server|jail|\.ci)/[A-Za-z0-9_./-]*))re");
    EXPECT_GT(named.size(), 5U);
    for (const auto& path : named) EXPECT_TRUE(fs::exists(source / path)) << path;
}

TEST(Readme, NamesCommandsThatRun) {
    const auto readme = content_of(source / "README.md");
    for (const auto* command : {"packaging/demo.sh", "tests/run.sh"}) {
        EXPECT_THAT(readme, HasSubstr("\n    ./" + std::string(command)));
        EXPECT_EQ(::access((source / command).c_str(), X_OK), 0) << command;
    }
}
