// SPDX-License-Identifier: MIT
// The vsftpd.conf dialect: what vsftpd 3.0.3 did with each of these lines, and where we differ on
// purpose.
#include "config/conf_file.hpp"

#include "folder.hpp"
#include "problems.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using config::Options;
using config::Severity;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Parsed {
    Options options;
    config::Problems problems;
};

Parsed parse(std::string_view content) {
    Parsed parsed;
    config::parse_conf(content, "test.conf", parsed.problems, [&](const config::Setting& setting) {
        config::apply(setting, "test.conf", parsed.options, parsed.problems);
    });
    return parsed;
}

std::string value(const Options& options, std::string_view name) {
    return config::value_text(options, *config::find_option(name));
}

enum Verdict {
    fine,     // nothing to say
    warned,   // taken, with a warning; vsftpd takes it as well
    better,   // taken, with a warning; vsftpd refuses it or crashes
    refused,  // an error, as with vsftpd, which blames the same
};

struct Case {
    std::string_view line;
    Verdict verdict;
    std::string_view option;  // whose value is looked at, or that is blamed
    std::string_view result;  // its value
};

using namespace std::string_view_literals;

// clang-format off
constexpr Case cases[] = {
    // line                                 verdict   option           value
    {"write_enable=YES",                    fine,     "write_enable",  "YES"},
    {"write_enable=YES\n",                  fine,     "write_enable",  "YES"},
    {"  write_enable=YES\n",                fine,     "write_enable",  "YES"},
    {"\twrite_enable=YES\n",                fine,     "write_enable",  "YES"},
    {"# hello\n",                           fine,     "write_enable",  "NO"},
    {"#write_enable=YES\n",                 fine,     "write_enable",  "NO"},
    {"# \xe9\xff\n",                        fine,     "write_enable",  "NO"},
    {"   \n\t\n",                           fine,     "write_enable",  "NO"},
    {"\n",                                  fine,     "write_enable",  "NO"},
    {"",                                    fine,     "write_enable",  "NO"},
    {"ftpd_banner=hi # x\n",                fine,     "ftpd_banner",   "hi # x"},
    {"ftpd_banner=  hi \t\n",               fine,     "ftpd_banner",   "hi"},
    {"ftpd_banner=a   b\n",                 fine,     "ftpd_banner",   "a   b"},
    {"ftpd_banner=\"hi\"\n",                fine,     "ftpd_banner",   "\"hi\""},
    {"ftpd_banner=a=b\n",                   fine,     "ftpd_banner",   "a=b"},
    {"ftpd_banner=a\\nb\n",                 fine,     "ftpd_banner",   "a\\nb"},
    {"ftpd_banner=a\\\nwrite_enable=YES\n", fine,     "ftpd_banner",   "a\\"},
    {"ftpd_banner=caf\xc3\xa9 \xff\n",      fine,     "ftpd_banner",   "caf\xc3\xa9 \xff"},
    {"ftpd_banner=one\nftpd_banner=two\n",  fine,     "ftpd_banner",   "two"},
    {"ftpd_banner=one\nftpd_banner=\n",     fine,     "ftpd_banner",   ""},
    {"message_file\n",                      fine,     "message_file",  ""},
    {"local_umask=022\n",                   fine,     "local_umask",   "0022"},
    {"max_clients=010\n",                   fine,     "max_clients",   "8"},
    {"ssl_tlsv1_2=NO\n",                    fine,     "ssl_tlsv12",    "NO"},

    {"write_enable=YES\0\n"sv,              warned,   "write_enable",  "YES"},
    {"max_clients=5 #EDIT\n",               warned,   "max_clients",   "5"},
    {"max_clients=5 \n",                    warned,   "max_clients",   "5"},
    {"max_clients= 5\n",                    warned,   "max_clients",   "5"},
    {"max_clients=5abc\n",                  warned,   "max_clients",   "5"},
    {"max_clients=1.5\n",                   warned,   "max_clients",   "1"},
    {"max_clients=09\n",                    warned,   "max_clients",   "0"},
    {"max_clients=0x10\n",                  warned,   "max_clients",   "0"},
    {"max_clients=-1\n",                    warned,   "max_clients",   "4294967295"},
    {"max_clients=99999999999\n",           warned,   "max_clients",   "4294967295"},
    {"local_umask=22\n",                    warned,   "local_umask",   "0026"},
    {"max_clients=5\r\n",                   warned,   "max_clients",   "5"},
    {"ftpd_banner=hi\r\n",                  warned,   "ftpd_banner",   "hi"},
    {"\r\n",                                warned,   "write_enable",  "NO"},
    {"# x\r\n",                             warned,   "write_enable",  "NO"},
    {"userlist_file=/a\t# b\n",             warned,   "userlist_file", "/a\t# b"},
    {"banner_file=\"/a\"\n",                warned,   "banner_file",   "\"/a\""},

    {"write_enable=YES \n",                 better,   "write_enable",  "YES"},
    {"write_enable=YES\t\n",                better,   "write_enable",  "YES"},
    {"write_enable =YES\n",                 better,   "write_enable",  "YES"},
    {"write_enable= YES\n",                 better,   "write_enable",  "YES"},
    {"write_enable = YES\n",                better,   "write_enable",  "YES"},
    {"ftpd_banner =hi\n",                   better,   "ftpd_banner",   "hi"},
    {"write_enable=YES\r\n",                better,   "write_enable",  "YES"},
    {"\xEF\xBB\xBFwrite_enable=YES\n",      better,   "write_enable",  "YES"},
    {"\xEF\xBB\xBF# x\nwrite_enable=YES\n", better,   "write_enable",  "YES"},
    {"ftpd_banner=   \n",                   better,   "ftpd_banner",   ""},
    {"ftpd_banner=\r\n",                    better,   "ftpd_banner",   ""},

    {"  # hello\n",                         refused,  "# hello",       ""},
    {"  # a=b\n",                           refused,  "# a",           ""},
    {"; x\n",                               refused,  "; x",           ""},
    {"//write_enable=YES\n",                refused,  "//write_enable", ""},
    {"write_enable=YES # x\n",              refused,  "write_enable",  "NO"},
    {"write_enable=on\n",                   refused,  "write_enable",  "NO"},
    {"write_enable=01\n",                   refused,  "write_enable",  "NO"},
    {"write_enable=\"YES\"\n",              refused,  "write_enable",  "NO"},
    {"write_enable=\n",                     refused,  "write_enable",  "NO"},
    {"write_enable= \n",                    refused,  "write_enable",  "NO"},
    {"write_enable\n",                      refused,  "write_enable",  "NO"},
    {"max_clients=\n",                      refused,  "max_clients",   "2000"},
    {"foo\n",                               refused,  "foo",           ""},
    {"foo=\n",                              refused,  "foo",           ""},
    {"foo=bar\n",                           refused,  "foo",           ""},
    {"=bar\n",                              refused,  "",              ""},
    {"WRITE_ENABLE=YES\n",                  refused,  "WRITE_ENABLE",  ""},
    {"sql_plugin=x\n",                      refused,  "sql_plugin",    ""},
    {"listen=YES\n\xEF\xBB\xBFlisten=NO\n", refused,  "\xEF\xBB\xBFlisten", ""},

    {"max_clients=abc\n",                   warned,   "max_clients",   "0"},
    {"max_clients=-\n",                     warned,   "max_clients",   "0"},
    {"listen_port=abc\n",                   warned,   "listen_port",   "0"},
    {"listen_port=91697\n",                 warned,   "listen_port",   "26161"},
    {"listen_port=4294993457\n",            warned,   "listen_port",   "26161"},
    {"pasv_max_port=70000\n",               warned,   "pasv_max_port", "4464"},
    {"ftp_data_port=-20\n",                 warned,   "ftp_data_port", "65516"},
};
// clang-format on

TEST(ConfFile, ReadsEachLineAsWrittenDown) {
    for (const auto& each : cases) {
        const auto parsed = parse(each.line);
        const bool error = config::any_error(parsed.problems);
        SCOPED_TRACE(std::string(each.line));
        EXPECT_EQ(error, each.verdict == refused);
        EXPECT_EQ(parsed.problems.empty(), each.verdict == fine);
        EXPECT_TRUE(!error || test::blames(parsed.problems, Severity::error, each.option));
        if (config::find_option(each.option) != nullptr) {
            EXPECT_EQ(value(parsed.options, each.option), each.result);
        }
    }
}

TEST(ConfFile, ReportsAllProblemsWithTheirLines) {
    const auto parsed = parse(
        "listen=YES\n"
        "anonymous_enabel=NO\n"
        "\n"
        "write_enable=YES # for ann\n"
        "max_clients=lots\n"
        "local_umask=22\n"
        "userlist_file=\n"
        "user_configpasv_address=\n"
        "  # indented\n"
        "listen_port=99999\n"
        "isolate=\n");
    EXPECT_THAT(
        test::texts(parsed.problems),
        ElementsAre(
            "test.conf:2: error: unrecognised variable in config file: anonymous_enabel (did you "
            "mean anonymous_enable?)",
            "test.conf:4: error: bad bool value in config file for: write_enable (a comment needs "
            "a line of its own)",
            "test.conf:5: warning: \"lots\" is no number for: max_clients (taken as 0; a number of "
            "0 or more)",
            "test.conf:6: warning: local_umask=22 is a decimal number, so it means 0026 (write "
            "local_umask=022 if that is what you mean)",
            "test.conf:8: error: missing value in config file for: user_configpasv_address (two "
            "lines may have run together: start a new one before pasv_address)",
            "test.conf:9: error: missing value in config file for: # indented (a comment starts "
            "with # in the first column)",
            "test.conf:10: warning: 99999 is out of range for: listen_port (taken as 34463; a port "
            "is a number from 0 to 65535)",
            "test.conf:11: error: missing value in config file for: isolate (give a value or "
            "remove the line; the default is YES)"));
    EXPECT_TRUE(parsed.options.listen);
}

TEST(ConfFile, SaysWhatVsftpdWouldRefuse) {
    const auto parsed = parse("\xEF\xBB\xBFlisten = YES\nmax_clients=5 #EDIT\n");
    EXPECT_THAT(test::texts(parsed.problems),
                ElementsAre("test.conf:1: warning: the file starts with a UTF-8 byte order mark "
                            "(vsftpd would refuse it; save the file without)",
                            "test.conf:1: warning: blanks or a CR around the name or value of "
                            "listen (vsftpd would refuse the line; write listen=YES)",
                            "test.conf:2: warning: what follows the number is ignored: "
                            "max_clients=5 #EDIT (the value is 5)"));
}

TEST(ConfFile, HasOneWarningForAllLinesOfADosFile) {
    const auto parsed =
        parse("# x\nlisten=YES\r\nlocal_enable=YES\r\nmax_clients=5\r\nftpd_banner=hi\r\n");
    EXPECT_THAT(test::texts(parsed.problems),
                ElementsAre("test.conf:2: warning: the line ends in CR LF, as DOS writes files "
                            "(vsftpd would refuse YES and NO with a CR; save the file with LF "
                            "alone)"));
    EXPECT_TRUE(parsed.options.local_enable);
    EXPECT_EQ(parsed.options.max_clients, 5U);
    EXPECT_EQ(parsed.options.ftpd_banner, "hi");
}

// The message goes to a terminal or a log.
TEST(ConfFile, EscapesWhatAFileSays) {
    const auto parsed = parse("x\x1b[2J=1\n");
    EXPECT_THAT(test::texts(parsed.problems),
                ElementsAre(HasSubstr("unrecognised variable in config file: x\\x1b[2J")));
}

TEST(ConfFile, TakesALineOfAnyLength) {
    const auto parsed = parse("ftpd_banner=" + std::string(5000, 'a') + "\n");
    EXPECT_THAT(parsed.problems, IsEmpty());
    EXPECT_EQ(parsed.options.ftpd_banner.size(), 5000U);
}

struct Read {
    bool read;
    std::string content;
    config::Problems problems;
};

Read read(const std::string& path, uid_t owner = ::geteuid()) {
    Read result;
    result.read = config::read_conf_file(path, owner, result.content, result.problems);
    return result;
}

TEST(ReadConfFile, ReadsAFileOfAnyMode) {
    const test::Folder folder;
    const auto file = folder.write("a.conf", "listen=YES\n", 0666);
    EXPECT_EQ(read(file).content, "listen=YES\n");
}

TEST(ReadConfFile, FollowsALinkToAFile) {
    const test::Folder folder;
    folder.write("a.conf", "listen=YES\n");
    ASSERT_EQ(::symlink("a.conf", folder.path("l.conf").c_str()), 0);
    EXPECT_TRUE(read(folder.path("l.conf")).read);
}

TEST(ReadConfFile, RefusesWhatIsNoFileInVsftpdsWords) {
    const test::Folder folder;
    const auto directory = read(folder.path());
    EXPECT_FALSE(directory.read);
    EXPECT_THAT(test::errors(directory.problems),
                ElementsAre("config file not owned by correct user, or not a file"));
    ASSERT_EQ(::mkfifo(folder.path("fifo").c_str(), 0600), 0);
    EXPECT_THAT(test::errors(read(folder.path("fifo")).problems),
                ElementsAre("config file not owned by correct user, or not a file"));
}

TEST(ReadConfFile, RefusesAFileOfSomebodyElse) {
    const test::Folder folder;
    const auto file = folder.write("a.conf", "");
    const auto other = read(file, ::geteuid() + 1);
    EXPECT_FALSE(other.read);
    EXPECT_THAT(test::errors(other.problems),
                ElementsAre("config file not owned by correct user, or not a file"));
}

TEST(ReadConfFile, NamesAMissingFile) {
    const auto missing = read("/nonexistent/nope.conf");
    EXPECT_FALSE(missing.read);
    EXPECT_THAT(test::texts(missing.problems),
                ElementsAre("/nonexistent/nope.conf: error: cannot read config file: "
                            "/nonexistent/nope.conf (No such file or directory)"));
}

// vsftpd reads 100000 bytes and is silent about the rest.
TEST(ReadConfFile, ReadsAsMuchAsVsftpdAndSaysSo) {
    const test::Folder folder;
    const auto all = read(folder.write("a.conf", std::string(100000, '#')));
    EXPECT_TRUE(all.read);
    EXPECT_THAT(all.problems, IsEmpty());
    const auto path = folder.write("b.conf", "listen=YES\n" + std::string(99970, '#') +
                                                 "\npasv_max_port=31000\nwrite_enable=YES\n");
    const auto longer = read(path);
    EXPECT_TRUE(longer.read);
    EXPECT_EQ(longer.content, "listen=YES\n" + std::string(99970, '#') + '\n') << "no torn line";
    EXPECT_THAT(test::texts(longer.problems),
                ElementsAre(path + ":3: warning: from this line on the file does not count: it is "
                                   "larger than 100000 bytes (vsftpd silently ignores the rest; "
                                   "remove repeated lines or comments)"));
    EXPECT_EQ(read(folder.write("c.conf", std::string(100001, '#'))).content, "");
}

}  // namespace
