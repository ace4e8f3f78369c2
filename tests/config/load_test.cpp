// SPDX-License-Identifier: MIT
// Files and settings in their order, as one configuration; what is printed of it.
#include "config/load.hpp"

#include "config/options.hpp"
#include "folder.hpp"
#include "problems.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

config::Loaded load(const std::vector<std::string>& arguments) {
    const test::Folder folder;  // not the host's ini file
    const auto ini = folder.write("jailftpd.ini", "");
    std::vector<std::string_view> words = {"--ini", ini};
    words.insert(words.end(), arguments.begin(), arguments.end());
    auto line = config::parse_command_line(words, {});
    if (!line) throw std::invalid_argument(line.error().what);
    return config::load(line.value());
}

TEST(Load, LetsTheLaterOneWin) {
    const test::Folder folder;
    const auto a = folder.write("a.conf", "ftpd_banner=A\nmax_clients=5\n");
    const auto b = folder.write("b.conf", "ftpd_banner=B\n");
    EXPECT_EQ(load({a, b}).configuration.options.ftpd_banner, "B");
    EXPECT_EQ(load({b, a}).configuration.options.ftpd_banner, "A");
    EXPECT_EQ(load({a, b}).configuration.options.max_clients, 5U);
    EXPECT_EQ(load({"-oftpd_banner=O", a}).configuration.options.ftpd_banner, "A");
    EXPECT_EQ(load({a, "-oftpd_banner=O"}).configuration.options.ftpd_banner, "O");
    EXPECT_EQ(load({a, "-oftpd_banner=O", b}).configuration.options.ftpd_banner, "B");
    EXPECT_EQ(load({"-o write_enable=YES"}).configuration.options.write_enable, true);
}

TEST(Load, BlamesTheCommandLineForItsSettings) {
    EXPECT_THAT(test::texts(load({"-owrite_enable"}).problems),
                ElementsAre("command line: error: missing value in config file for: write_enable "
                            "(give a value or remove the line; the default is NO)"));
    EXPECT_THAT(test::texts(load({"-olisten_prot=1"}).problems),
                ElementsAre("command line: error: unrecognised variable in config file: "
                            "listen_prot (did you mean listen_port?)"));
    EXPECT_THAT(test::texts(load({"-o"}).problems),
                ElementsAre("command line: error: missing value in config file for:  (write "
                            "-oOPTION=VALUE as one word)"));
}

TEST(Load, FindsTheProblemsOfAllFiles) {
    const test::Folder folder;
    const auto a = folder.write("a.conf", "foo=1\n");
    const auto b = folder.write("b.conf", "bar=1\n");
    const auto loaded = load({a, "/nonexistent.conf", b, "-obaz=1"});
    EXPECT_THAT(test::errors(loaded.problems),
                ElementsAre("unrecognised variable in config file: foo",
                            "cannot read config file: /nonexistent.conf",
                            "unrecognised variable in config file: bar",
                            "unrecognised variable in config file: baz"));
}

TEST(Load, NeedsTheIniFileThatIsNamed) {
    const auto line = config::parse_command_line({"--ini", "/nonexistent.ini"}, {});
    EXPECT_TRUE(config::any_error(config::load(line.value()).problems));
}

// "FILE -v" tells whether a file can be parsed, and nothing else.
TEST(Load, LooksAtVsftpdConfAloneBeforeMinusV) {
    const test::Folder folder;
    const auto good = folder.write("good.conf", "listen=YES\n");
    const auto bad = folder.write("bad.conf", "foo=1\n");
    const auto verdict = [](std::vector<std::string_view> words) {
        words.insert(words.begin(), {"--ini", "/nonexistent.ini"});
        return config::any_error(
            config::load(config::parse_command_line(words, {}).value()).problems);
    };
    EXPECT_FALSE(verdict({good, "-v"}));
    EXPECT_TRUE(verdict({bad, "-v"}));
    EXPECT_FALSE(verdict({"-v", bad}));
}

TEST(Dump, ShowsEveryOptionAndWhereItWasSet) {
    const test::Folder folder;
    const auto file = folder.write("a.conf", "# x\nlocal_umask=022\nlisten=YES\n");
    const auto dump = config::dump(load({file, "-oftpd_banner=hi"}).configuration);
    const auto line = [](std::string setting, const std::string& origin) {
        setting.resize(std::max<std::size_t>(setting.size(), 48), ' ');
        return setting + "  # " + origin + "\n";
    };
    EXPECT_THAT(dump, HasSubstr(line("local_umask=0022", file + ":2")));
    EXPECT_THAT(dump, HasSubstr(line("listen=YES", file + ":3")));
    EXPECT_THAT(dump, HasSubstr(line("ftpd_banner=hi", "command line")));
    EXPECT_THAT(dump, HasSubstr(line("max_clients=2000", "default")));
    for (const auto& info : config::option_table())
        EXPECT_THAT('\n' + dump, HasSubstr('\n' + std::string(info.name) + '=')) << info.name;
}

TEST(Dump, ShowsTenantsWithoutTheirPasswords) {
    config::Configuration configuration;
    configuration.origins.resize(config::option_table().size());
    config::Tenant ann;
    ann.name = "ann";
    ann.password = "$6$secret";
    ann.home = "/srv/ann";
    ann.uid = 1000;
    ann.gid = 1001;
    ann.overrides = std::string("write_enable=YES\0", 17);
    configuration.tenants = {ann};
    const auto dump = config::dump(configuration);
    EXPECT_THAT(dump, HasSubstr("[tenant ann]\nhome = /srv/ann\nuid = 1000\ngid = 1001\n"
                                "write_enable=YES\n"));
    EXPECT_THAT(dump, HasSubstr("[server]\ngrace = 30\nguest_user = nobody\n"));
    EXPECT_THAT(dump, Not(HasSubstr("secret")));
}

TEST(Report, ListsProblemsAndWhatHappensInstead) {
    auto loaded = load({"-ofoo=1", "-olocal_enable=YES "});
    const auto bad = config::report(loaded);
    EXPECT_THAT(bad, HasSubstr("command line: error: unrecognised variable in config file: foo"));
    EXPECT_THAT(bad, HasSubstr("command line: warning: blanks or a CR"));
    EXPECT_THAT(bad, HasSubstr("the configuration has errors\n"));
    for (const auto& info : config::option_table()) {
        const auto line = "\n  " + std::string(info.name) + ": ";
        EXPECT_EQ(bad.find(line) != bad.npos, info.effect == config::Effect::instead) << info.name;
    }
    EXPECT_THAT(config::report(load({})), HasSubstr("the configuration is good\n"));
}

}  // namespace
