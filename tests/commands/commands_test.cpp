// SPDX-License-Identifier: MIT
// Conversations after login: what a client says and what a session answers. They need root, because
// a session enters a jail.
#include "tests/commands/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;
using testing_support::ann;
using testing_support::Conversation;
using testing_support::Home;
using testing_support::LoggedIn;

// A session enters a jail, so its tests are root's.
class InAJail : public testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "entering a jail needs root";
    }
};

LoggedIn anonymous() {
    auto who = ann();
    who.admission.user = "ftp";
    who.admission.anonymous = true;
    who.admission.anonymous_rights = true;
    who.options.anon_umask = 022;
    return who;
}

// ----- one command, one answer

struct Exchange {
    const char* said;
    const char* answered;  // a regular expression
};

struct Talk {
    const char* name;
    std::vector<Exchange> exchanges;
    std::function<void(LoggedIn&)> change = [](LoggedIn&) {};
};

class Talks : public InAJail, public testing::WithParamInterface<Talk> {};

TEST_P(Talks, GoAsExpected) {
    Home home;
    home.store("digits", "0123456789");
    home.store("mine/text", "a\nb\n");
    auto who = ann();
    GetParam().change(who);
    Conversation ftp(home, std::move(who));
    EXPECT_EQ(ftp.greeting, "230 Login successful.");
    for (const auto& exchange : GetParam().exchanges) {
        EXPECT_THAT(ftp.say(exchange.said), MatchesRegex(exchange.answered)) << exchange.said;
    }
}

// clang-format off
INSTANTIATE_TEST_SUITE_P(Commands, Talks, testing::Values(
    Talk{"information", {
        {"SYST",             "215 UNIX Type: L8"},
        {"NOOP",             "200 NOOP ok\\."},
        {"noop",             "200 NOOP ok\\."},
        {"HELP",             "214-The following commands are recognized\\.\n(.|\n)*214 Help OK\\."},
        {"HELP SITE",        "214 CHMOD UMASK HELP"},
        {"FEAT",             "211-Features:\n(.|\n)*\n MLST (.|\n)*\n211 End"},
        {"OPTS UTF8 ON",     "200 Always in UTF8 mode\\."},
        {"OPTS X",           "501 Option not understood\\."},
        {"OPTS MLST size;",  "200 MLST OPTS size;"},
        {"OPTS HASH MD5",    "200 MD5"},
        {"OPTS HASH",        "200 MD5"},
        {"CLNT lftp",        "200 Don't care\\."},
        {"HOST a.example",   "503 HOST comes before USER\\."},
        {"STAT",             "211-FTP server status:\n     Connected to 127\\.0\\.0\\.1\n     Logged in as ann\n(.|\n)*"
                             "client count was 7\n(.|\n)*211 End of status"}}},
    Talk{"who_is_logged_in", {
        {"USER ann",         "331 Any password will do\\."},
        {"PASS x",           "230 Already logged in\\."},
        {"USER root",        "530 Can't change to another user\\."}}},
    Talk{"anonymous_stays_anonymous", {
        {"USER ftp",         "530 Can't change from guest user\\."}},
        [](auto& who) { who = anonymous(); }},
    Talk{"not_implemented", {
        {"REIN",             "502 REIN not implemented\\."},
        {"ACCT x",           "502 ACCT not implemented\\."},
        {"SMNT x",           "502 SMNT not implemented\\."},
        {"ALLO 5",           "202 ALLO command ignored\\."},
        {"CCC",              "500 Unknown command\\."},
        {"PBSZ 0",           "550 Permission denied\\."},
        {"PROT P",           "550 Permission denied\\."},
        {"AUTH TLS",         "500 Unknown command\\."},
        {"LANG",             "500 Unknown command\\."},
        {"XYZZY",            "500 Unknown command\\."}}},
    Talk{"representation", {
        {"TYPE I",           "200 Switching to Binary mode\\."},
        {"TYPE L8",          "200 Switching to Binary mode\\."},
        {"TYPE L 8",         "200 Switching to Binary mode\\."},
        {"type a n",         "200 Switching to ASCII mode\\."},
        {"TYPE A",           "200 Switching to ASCII mode\\."},
        {"TYPE E",           "500 Unrecognised TYPE command\\."},
        {"MODE S",           "200 Mode set to S\\."},
        {"MODE Z",           "504 Bad MODE command\\."},
        {"STRU F",           "200 Structure set to F\\."},
        {"STRU R",           "504 Bad STRU command\\."}}},
    Talk{"restart", {
        {"REST 5",           "350 Restart position accepted \\(5\\)\\."},
        {"REST -1",          "501 .*"},
        {"REST x",           "501 .*"},
        {"RANG 2 4",         "350 .*"},
        {"RANG 4 2",         "501 .*"},
        {"RANG 1 0",         "350 .*"},
        {"RANG 7",           "501 .*"}}},
    Talk{"folders", {
        {"PWD",              "257 \"/\" is the current directory"},
        {"CWD mine",         "250 Directory successfully changed\\."},
        {"XPWD",             "257 \"/mine\" is the current directory"},
        {"CDUP",             "250 Directory successfully changed\\."},
        {"CDUP",             "250 Directory successfully changed\\."},
        {"PWD",              "257 \"/\" is the current directory"},
        {"CWD",              "550 Failed to change directory\\..*"},
        {"CWD nowhere",      "550 Failed to change directory\\. \\(No such file or directory\\)"},
        {"CWD digits",       "550 Failed to change directory\\. \\(Not a directory\\)"},
        {"CWD mine",         "250 .*"},
        {"CWD ~",            "250 .*"},
        {"PWD",              "257 \"/\" is the current directory"},
        {"MKD mine/new",     "257 \"/mine/new\" created"},
        {"MKD mine/new",     "550 Create directory operation failed\\. \\(File exists\\)"},
        {"MKD mine/a\"b",    "257 \"/mine/a\"\"b\" created"},
        {"RMD mine/new",     "250 Remove directory operation successful\\."},
        {"RMD mine/new",     "550 Remove directory operation failed\\. \\(No such file or directory\\)"},
        {"MKD forbidden",    "550 Create directory operation failed\\. \\(Permission denied\\)"}}},
    Talk{"files", {
        {"SIZE digits",      "213 10"},
        {"SIZE mine",        "550 Could not get file size\\..*"},
        {"SIZE nothing",     "550 Could not get file size\\. \\(No such file or directory\\)"},
        {"SIZE",             "550 Could not get file size\\..*"},
        {"MDTM digits",      "213 [0-9]+"},
        {"MDTM mine",        "550 Could not get file modification time\\..*"},
        {"RNTO x",           "503 RNFR required first\\."},
        {"RNFR nothing",     "550 RNFR command failed\\..*"},
        {"RNFR mine/text",   "350 Ready for RNTO\\."},
        {"RNTO mine/other",  "250 Rename successful\\."},
        {"RNTO mine/other",  "503 RNFR required first\\."},
        {"RNFR mine/other",  "350 Ready for RNTO\\."},
        {"RNTO no/where",    "550 Rename failed\\..*"},
        {"DELE mine/other",  "250 Delete operation successful\\."},
        {"DELE mine/other",  "550 Delete operation failed\\..*"},
        {"DELE mine",        "550 Delete operation failed\\..*"},
        {"AVBL",             "213 [0-9]+"}}},
    Talk{"times", {
        {"MDTM 20200102030405 mine/text",       "213 File modification time set\\."},
        {"MDTM mine/text",                      "213 20200102030405"},
        {"MFMT 20210102030405 mine/text",       "213 Modify=20210102030405; mine/text"},
        {"MDTM mine/text",                      "213 20210102030405"},
        {"MDTM 20201399000000 mine/text",       "550 .*"},
        {"MFMT x mine/text",                    "501 .*"},
        {"MFMT 20210102030405 nothing",         "550 .*"},
        {"MFMT",                                "501 .*"},
        {"MFF Modify=20220102030405;UNIX.mode=0600; mine/text",
                                                "213 Modify=20220102030405;UNIX\\.mode=0600; mine/text"},
        {"MDTM mine/text",                      "213 20220102030405"},
        {"MFF colour=red; mine/text",           "504 .*"},
        {"MFF UNIX.mode=9; mine/text",          "501 .*"},
        {"MFF UNIX.mode=4755; mine/text",       "501 .*"}}},
    Talk{"times_are_not_for_everybody", {
        {"MDTM 20200102030405 mine/text",       "550 .*"},
        {"MFMT 20210102030405 mine/text",       "550 .*"}},
        [](auto& who) { who.options.mdtm_write = false; }},
    Talk{"checksums", {
        {"OPTS HASH SHA-1",  "200 SHA-1"},
        {"HASH digits",      "213 SHA-1 0-9 87acec17cd9dcd20a716cc2cf67417b71c8a7016 digits"},
        {"RANG 0 0",         "350 .*"},
        {"OPTS HASH MD5",    "200 MD5"},
        {"HASH digits",      "213 MD5 0-0 cfcd208495d565ef66e7dff9f98764da digits"},
        {"HASH digits",      "213 MD5 0-9 781e5e245d69b566979b86e28d23f2c7 digits"},
        {"HASH",             "501 .*"},
        {"HASH nothing",     "550 .*"},
        {"XMD5 \"digits\"",  "250 781e5e245d69b566979b86e28d23f2c7"},
        {"XCRC digits",      "250 a684c7c6"}}},
    Talk{"mlst", {
        {"MLST digits",      "250-Listing /digits\n type=file;size=10;.* /digits\n250 End"},
        {"MLST",             "250-Listing /\n type=dir;.* /\n250 End"},
        {"OPTS MLST size;",  "200 MLST OPTS size;"},
        {"MLST digits",      "250-Listing /digits\n size=10; /digits\n250 End"},
        {"MLST nothing",     "550 .*"}}},
    Talk{"stat_of_a_path", {
        {"STAT mine",        "213-Status follows:\n(.|\n)* text\n213 End of status"},
        {"STAT nothing",     "550 .*"}}},
    Talk{"site", {
        {"SITE HELP",               "214 CHMOD UMASK HELP"},
        {"SITE UMASK",              "200 Your current UMASK is 022"},
        {"SITE UMASK 077",          "200 UMASK set to 077"},
        {"SITE UMASK x",            "501 .*"},
        {"SITE CHMOD 600 mine/text","200 SITE CHMOD command ok\\."},
        {"SITE CHMOD u+x mine/text","501 .*"},
        {"SITE CHMOD 600",          "500 SITE CHMOD needs 2 arguments\\."},
        {"SITE CHMOD 600 nothing",  "550 SITE CHMOD command failed\\..*"},
        {"SITE EXEC ls",            "500 Unknown SITE command\\."}}},
    Talk{"site_without_chmod", {
        {"SITE HELP",               "214 UMASK HELP"},
        {"SITE CHMOD 600 mine/text","500 Unknown SITE command\\."}},
        [](auto& who) { who.options.chmod_enable = false; }},
    Talk{"data_connections_refused", {
        {"RETR digits",             "425 Use PORT or PASV first\\."},
        {"LIST",                    "425 Use PORT or PASV first\\."},
        {"STOR x",                  "425 Use PORT or PASV first\\."},
        {"PORT 127,0,0,1,0,80",     "500 Illegal PORT command\\."},
        {"PORT 127,0,0,2,100,0",    "500 Illegal PORT command\\."},
        {"PORT 127,0,0,1",          "500 Illegal PORT command\\."},
        {"PORT 127,0,0,1,100,0",    "200 PORT command successful\\. Consider using PASV\\."},
        {"EPRT |1|127.0.0.1|25600|","200 EPRT command successful\\. Consider using EPSV\\."},
        {"EPRT |1|10.0.0.1|25600|", "500 Illegal EPRT command\\."},
        {"EPRT |9|127.0.0.1|256|",  "(500|522) Bad EPRT protocol\\."},
        {"EPSV 2",                  "522 Bad network protocol\\."},
        {"EPSV 3",                  "522 Bad network protocol\\."}}},
    Talk{"passive", {
        {"PASV",                    "227 Entering Passive Mode \\(127,0,0,1,[0-9]+,[0-9]+\\)\\."},
        {"EPSV",                    "229 Entering Extended Passive Mode \\(\\|\\|\\|[0-9]+\\|\\)"},
        {"EPSV ALL",                "200 EPSV ALL ok\\."},
        {"PASV",                    "550 Permission denied\\."},
        {"PORT 127,0,0,1,100,0",    "550 Permission denied\\."},
        {"EPSV 1",                  "229 .*"}}},
    Talk{"nothing_to_abort", {
        {"ABOR",                    "225 No transfer to ABOR\\."}}},
    Talk{"commands_of_the_administrator", {
        {"PWD",                     "257 .*"},
        {"NOOP",                    "550 Permission denied\\."},
        {"XYZZY",                   "550 Permission denied\\."}},
        [](auto& who) { who.options.cmds_allowed = "PWD,QUIT"; }},
    Talk{"denied_commands", {
        {"PWD",                     "550 Permission denied\\."},
        {"NOOP",                    "200 .*"}},
        [](auto& who) { who.options.cmds_denied = "PWD"; }},
    Talk{"nothing_may_be_written", {
        {"STOR x",                  "550 Permission denied\\."},
        {"APPE x",                  "550 Permission denied\\."},
        {"STOU",                    "550 Permission denied\\."},
        {"DELE digits",             "550 Permission denied\\."},
        {"MKD x",                   "550 Permission denied\\."},
        {"RMD mine",                "550 Permission denied\\."},
        {"RNFR digits",             "550 Permission denied\\."},
        {"RNTO digits",             "550 Permission denied\\."},
        {"MFMT 20210102030405 x",   "550 Permission denied\\."},
        {"SITE CHMOD 600 digits",   "500 Unknown SITE command\\."},
        {"SIZE digits",             "213 10"}},
        [](auto& who) { who.options.write_enable = false; }},
    Talk{"nothing_may_be_read", {
        {"RETR digits",             "550 Permission denied\\."},
        {"HASH digits",             "550 Permission denied\\."},
        {"LIST",                    "550 Permission denied\\."},
        {"NLST",                    "550 Permission denied\\."},
        {"MLSD",                    "550 Permission denied\\."},
        {"MLST",                    "550 Permission denied\\."},
        {"STAT mine",               "550 Permission denied\\."},
        {"STAT",                    "211-(.|\n)*"}},
        [](auto& who) { who.options.download_enable = who.options.dirlist_enable = false; }},
    Talk{"no_kind_of_data_connection", {
        {"PASV",                    "550 Permission denied\\."},
        {"EPSV",                    "550 Permission denied\\."},
        {"PORT 127,0,0,1,100,0",    "550 Permission denied\\."},
        {"EPRT |1|127.0.0.1|25600|","550 Permission denied\\."}},
        [](auto& who) { who.options.pasv_enable = who.options.port_enable = false; }},
    Talk{"anonymous_rights", {
        {"STOR x",                  "550 Permission denied\\."},
        {"MKD mine/x",              "550 Permission denied\\."},
        {"DELE mine/text",          "550 Permission denied\\."},
        {"SITE HELP",               "550 Permission denied\\."}},
        [](auto& who) { who = anonymous(); }},
    Talk{"anonymous_may_make_folders", {
        {"MKD mine/x",              "257 \"/mine/x\" created"},
        {"RMD mine/x",              "550 Permission denied\\."}},
        [](auto& who) { who = anonymous(); who.options.anon_mkdir_write_enable = true; }},
    Talk{"anonymous_may_change_things", {
        {"MKD mine/x",              "550 Permission denied\\."},
        {"DELE mine/text",          "250 .*"}},
        [](auto& who) { who = anonymous(); who.options.anon_other_write_enable = true; }},
    Talk{"denied_files_are_denied_by_any_name", {
        {"SIZE digits",             "550 Permission denied\\."},
        {"SIZE ./digits",           "550 Permission denied\\."},
        {"SIZE mine/../digits",     "550 Permission denied\\."},
        {"MDTM digits",             "550 Permission denied\\."},
        {"RETR /digits",            "550 Permission denied\\."},
        {"DELE digits",             "550 Permission denied\\."},
        {"HASH digits",             "550 Permission denied\\."},
        {"XMD5 \"digits\"",         "550 Permission denied\\."},
        {"STAT -l digits",          "550 Permission denied\\."},
        {"SITE CHMOD 600 digits",   "550 Permission denied\\."},
        {"MFMT 20210102030405 digits", "550 Permission denied\\."},
        {"SIZE mine/text",          "213 4"}},
        [](auto& who) { who.options.deny_file = "{digits,*.secret}"; }},
    Talk{"ascii_sizes_are_those_of_the_download", {
        {"SIZE mine/text",          "213 6"},
        {"TYPE I",                  "200 .*"},
        {"SIZE mine/text",          "213 4"}},
        [](auto& who) { who.options.ascii_download_enable = true; }},
    Talk{"http_is_cut_off", {
        {"GET / HTTP/1.1",          "500 HTTP protocol commands not allowed\\."},
        {"NOOP",                    "\\(end\\)"}}},
    Talk{"goodbye", {
        {"QUIT",                    "221 Goodbye\\."},
        {"NOOP",                    "\\(end\\)"}}}
    ), [](const auto& test) { return std::string(test.param.name); });
// clang-format on

class Session : public InAJail {
  protected:
    Home home;
};

// ----- entering the jail

TEST_F(Session, RunsAsTheUserInTheHome) {
    Conversation ftp(home);
    EXPECT_EQ(ftp.supervisor->entered().number, 0);
    struct stat process {};
    struct stat root {};
    struct stat home_folder {};
    const auto proc = "/proc/" + std::to_string(ftp.pid());
    ASSERT_EQ(::stat((proc + "/root").c_str(), &root), 0);
    ASSERT_EQ(::stat(home.path().c_str(), &home_folder), 0);
    EXPECT_EQ(root.st_ino, home_folder.st_ino);
    ASSERT_EQ(::stat((proc + "/task").c_str(), &process), 0);
}

TEST_F(Session, StartsWhereTheAdmissionSays) {
    auto who = ann();
    who.admission.start = "/mine";
    Conversation ftp(home, std::move(who));
    EXPECT_EQ(ftp.say("PWD"), "257 \"/mine\" is the current directory");
}

TEST_F(Session, RefusesAWritableRootInVsftpdsWords) {
    ASSERT_EQ(::chown(home.path().c_str(), Home::uid, Home::gid), 0);
    auto who = ann();
    who.admission.writable_root_allowed = false;
    who.admission.writable_root_hint = "chmod a-w /home/ann, or allow_writeable_chroot=YES";
    Conversation ftp(home, std::move(who));
    EXPECT_EQ(ftp.greeting, "500 OOPS: vsftpd: refusing to run with writable root inside chroot()");
    EXPECT_EQ(ftp.client.reply(), "(end)");
    EXPECT_THAT(std::string(ftp.supervisor->entered().step.view()), Not(IsEmpty()));
    EXPECT_THAT(ftp.supervisor->warnings(1),
                ElementsAre("chmod a-w /home/ann, or allow_writeable_chroot=YES"));
}

TEST_F(Session, AppliesTheUsersOwnOptions) {
    auto who = ann();
    who.admission.overrides = std::string("cmds_denied=NOOP\0write_enable=NO\0", 33);
    Conversation ftp(home, std::move(who));
    EXPECT_EQ(ftp.say("NOOP"), "550 Permission denied.");
    EXPECT_EQ(ftp.say("MKD mine/x"), "550 Permission denied.");
}

TEST_F(Session, AnswersWhatWasSentAheadOfTheLogin) {
    auto who = ann();
    who.unread = "PWD\r\nNO";
    Conversation ftp(home, std::move(who));
    EXPECT_EQ(ftp.client.reply(), "257 \"/\" is the current directory");
    ftp.client.send("OP\r\n");
    EXPECT_EQ(ftp.client.reply(), "200 NOOP ok.");
}

TEST_F(Session, ShowsEachFoldersMessageOnce) {
    home.store(".message", "welcome\nhere\n");
    home.store("mine/.message", "mine\n");
    auto who = ann();
    who.options.dirmessage_enable = true;
    Conversation ftp(home, std::move(who));
    EXPECT_EQ(ftp.greeting, "230-welcome\n230-here\n230 Login successful.");
    EXPECT_EQ(ftp.say("CWD mine"), "250-mine\n250 Directory successfully changed.");
    EXPECT_EQ(ftp.say("CWD /"), "250 Directory successfully changed.");
    EXPECT_EQ(ftp.say("CWD mine"), "250 Directory successfully changed.");
}

// ----- the end

TEST_F(Session, TimesOut) {
    auto who = ann();
    who.options.idle_session_timeout = 1;
    Conversation ftp(home, std::move(who));
    EXPECT_EQ(ftp.client.reply(), "421 Timeout.");
    EXPECT_EQ(ftp.client.reply(), "(end)");
}

TEST_F(Session, EndsOnALineThatIsTooLong) {
    Conversation ftp(home);
    EXPECT_EQ(ftp.say("CWD " + std::string(5000, 'x')), "500 Input line too long.");
    EXPECT_EQ(ftp.client.reply(), "(end)");
}

TEST_F(Session, SurvivesTenThousandUnknownCommands) {
    Conversation ftp(home);
    for (int i = 0; i < 10'000; ++i) ASSERT_EQ(ftp.say("JUNK"), "500 Unknown command.");
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

TEST_F(Session, EndsWith421WhenTheServerStops) {
    Conversation ftp(home);
    ftp.supervisor->stop();
    EXPECT_THAT(ftp.client.reply(), StartsWith("421 "));
    EXPECT_EQ(ftp.client.reply(), "(end)");
}

TEST_F(Session, EndsWith421WhenTheSupervisorDies) {
    Conversation ftp(home);
    ftp.supervisor->die();
    EXPECT_THAT(ftp.client.reply(), StartsWith("421 "));
}

TEST_F(Session, EndsWhenTheClientVanishes) {
    Conversation ftp(home);
    ftp.client.hang_up();
    EXPECT_EQ(ftp.exit_code(), 0);
}

// ----- transfers

TEST_F(Session, SendsAFile) {
    home.store("digits", "0123456789");
    Conversation ftp(home);
    ftp.say("TYPE I");
    EXPECT_EQ(ftp.retrieve("RETR digits"), "0123456789");
    EXPECT_EQ(ftp.replies(),
              "150 Opening BINARY mode data connection for digits (10 bytes).\n"
              "226 Transfer complete.");
    EXPECT_THAT(ftp.supervisor->records(1), ElementsAre("OK DOWNLOAD /digits 10"));
}

TEST_F(Session, RestAppliesToTheNextTransferOnly) {
    home.store("digits", "0123456789");
    Conversation ftp(home);
    ftp.say("TYPE I");
    ftp.say("REST 4");
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    EXPECT_EQ(ftp.retrieve("RETR digits"), "456789");
    EXPECT_EQ(ftp.retrieve("RETR digits"), "0123456789");
    ftp.say("RANG 2 4");
    EXPECT_EQ(ftp.retrieve("RETR digits"), "234");
    ftp.say("RANG 8 400");
    EXPECT_EQ(ftp.retrieve("RETR digits"), "89");
    ftp.say("REST 10");
    EXPECT_EQ(ftp.retrieve("RETR digits"), "");
    EXPECT_THAT(ftp.replies(), HasSubstr("226 Transfer complete."));
    ftp.say("REST 11");
    EXPECT_EQ(ftp.retrieve("RETR digits"), "(refused)");
    EXPECT_THAT(ftp.replies(), StartsWith("554 "));
}

TEST_F(Session, RefusedRetrKeepsThePassiveConnectionForTheNext) {
    home.store("digits", "0123456789");
    Conversation ftp(home);
    const auto data = ftp.passive();
    EXPECT_EQ(ftp.say("RETR nothing"), "550 Failed to open file. (No such file or directory)");
    EXPECT_EQ(ftp.say("RETR mine"), "550 Failed to open file. (Is a directory)");
    EXPECT_THAT(ftp.say("RETR digits"), StartsWith("150 "));
    EXPECT_EQ(ftp.client.reply(), "226 Transfer complete.");
    EXPECT_THAT(
        ftp.supervisor->records(2),
        ElementsAre("FAIL DOWNLOAD /nothing Failed to open file. (No such file or directory) 0",
                    "OK DOWNLOAD /digits 10"));
}

TEST_F(Session, ConvertsLineEndsOnlyWhenToldTo) {
    home.store("mine/text", "a\nb\n");
    auto who = ann();
    who.options.ascii_download_enable = true;
    who.options.ascii_upload_enable = true;
    Conversation ftp(home, std::move(who));
    EXPECT_EQ(ftp.retrieve("RETR mine/text"), "a\r\nb\r\n");
    EXPECT_THAT(ftp.replies(), StartsWith("150 Opening ASCII mode"));
    ftp.store("STOR mine/up", "x\r\ny\r\n");
    EXPECT_EQ(home.content("mine/up"), "x\ny\n");
    ftp.say("REST 2");
    EXPECT_EQ(ftp.retrieve("RETR mine/text"), "(refused)");
    EXPECT_EQ(ftp.replies(), "550 No support for resume of ASCII transfer.");
    ftp.say("TYPE I");
    EXPECT_EQ(ftp.retrieve("RETR mine/text"), "a\nb\n");
}

TEST_F(Session, StoresAFile) {
    Conversation ftp(home);
    ftp.store("STOR mine/new", "content");
    EXPECT_EQ(ftp.replies(), "150 Ok to send data.\n226 Transfer complete.");
    EXPECT_EQ(home.content("mine/new"), "content");
    EXPECT_EQ(home.mode("mine/new"), 0644U);
    ftp.store("STOR mine/new", "new");
    EXPECT_EQ(home.content("mine/new"), "new");
    ftp.store("APPE mine/new", "er");
    EXPECT_EQ(home.content("mine/new"), "newer");
    ftp.say("REST 3");
    ftp.store("STOR mine/new", "ly");
    EXPECT_EQ(home.content("mine/new"), "newly");
    ftp.say("REST 100");
    ftp.store("STOR mine/new", "x");
    EXPECT_THAT(ftp.replies(), StartsWith("554 "));
    EXPECT_EQ(home.content("mine/new"), "newly");
    EXPECT_THAT(
        ftp.supervisor->records(5),
        ElementsAre("OK UPLOAD /mine/new 7", "OK UPLOAD /mine/new 3", "OK UPLOAD /mine/new 2",
                    "OK UPLOAD /mine/new 2",
                    "FAIL UPLOAD /mine/new Restart position is beyond the end of the file. 0"));
}

TEST_F(Session, StoresUnderNamesThatAreFree) {
    Conversation ftp(home);
    ftp.say("CWD mine");
    ftp.store("STOU", "1");
    EXPECT_EQ(ftp.replies(), "150 FILE: STOU.1\n226 Transfer complete.");
    ftp.store("STOU", "2");
    EXPECT_THAT(ftp.replies(), StartsWith("150 FILE: STOU.2\n"));
    ftp.store("STOU name", "3");
    EXPECT_THAT(ftp.replies(), StartsWith("150 FILE: name\n"));
    ftp.store("STOU name", "4");
    EXPECT_THAT(ftp.replies(), StartsWith("150 FILE: name.1\n"));
    EXPECT_EQ(home.content("mine/name"), "3");
    EXPECT_EQ(home.content("mine/name.1"), "4");
}

TEST_F(Session, SaysWhatIsNoRegularFile) {
    home.make_folder("d");
    ASSERT_EQ(::mkfifo(home.path("fifo").c_str(), 0666), 0);
    ASSERT_EQ(::chmod(home.path("fifo").c_str(), 0666), 0);
    Conversation ftp(home);
    for (const auto* folder : {".", "/", "d"}) {
        EXPECT_EQ(ftp.say("SIZE " + std::string(folder)),
                  "550 Could not get file size. (Is a directory)");
        EXPECT_EQ(ftp.say("MDTM " + std::string(folder)),
                  "550 Could not get file modification time. (Is a directory)");
    }
    EXPECT_EQ(ftp.say("SIZE fifo"), "550 Could not get file size. (Not a regular file)");
    EXPECT_EQ(ftp.say("MDTM fifo"),
              "550 Could not get file modification time. (Not a regular file)");
    const auto data = ftp.passive();
    EXPECT_EQ(ftp.say("RETR fifo"), "550 Failed to open file. (Not a regular file)");
    EXPECT_EQ(ftp.say("STOR fifo"), "553 Could not create file. (Not a regular file)");
}

TEST_F(Session, SaysWhatNameIsTooLong) {
    Conversation ftp(home);
    const std::string name(300, 'n');
    const auto data = ftp.passive();
    for (const std::string command :
         {"MKD ", "CWD ", "RMD ", "DELE ", "RNFR ", "SIZE ", "MDTM ", "STOR ", "APPE ", "RETR ",
          "LIST ", "MLST ", "HASH ", "SITE CHMOD 600 ", "MFF UNIX.mode=600; "})
        EXPECT_THAT(ftp.say(command + name), EndsWith("(File name too long)")) << command;
}

TEST_F(Session, SaysThatAStatusWasCutShort) {
    std::string path = "d";
    for (int depth = 0; depth < 110; ++depth) home.make_folder(std::exchange(path, path + "/d"));
    auto who = ann();
    who.options.ls_recurse_enable = true;
    Conversation ftp(home, std::move(who));
    EXPECT_THAT(ftp.say("STAT -R d"), EndsWith("\n213 The listing was cut short."));
}

TEST_F(Session, LeavesAnExistingFileAloneWhenNoDataConnectionComes) {
    home.store("mine/old", "precious");
    auto who = ann();
    who.options.delete_failed_uploads = true;
    Conversation ftp(home, std::move(who));
    EXPECT_THAT(ftp.say("PORT 127,0,0,1,4,1"), StartsWith("200 "));  // nobody listens there
    EXPECT_EQ(ftp.say("STOR mine/old"), "425 Failed to establish connection.");
    EXPECT_EQ(home.content("mine/old"), "precious");
    EXPECT_THAT(ftp.say("PORT 127,0,0,1,4,1"), StartsWith("200 "));
    EXPECT_EQ(ftp.say("STOR mine/new"), "425 Failed to establish connection.");
    EXPECT_FALSE(home.exists("mine/new"));
}

TEST_F(Session, WithoutAFreePortGoesOn) {
    Conversation ftp(home);
    ftp.supervisor->no_ports = true;
    EXPECT_THAT(ftp.say("PASV"), StartsWith("425 "));
    EXPECT_THAT(ftp.say("EPSV"), StartsWith("425 "));
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

TEST_F(Session, AnonymousNeverOverwrites) {
    home.store("mine/old", "precious");
    ASSERT_EQ(::chmod(home.path("mine").c_str(), 0777), 0);
    auto who = anonymous();
    who.options.anon_upload_enable = true;
    Conversation ftp(home, std::move(who));
    ftp.store("STOR mine/old", "x");
    EXPECT_THAT(ftp.replies(), StartsWith("553 Could not create file."));
    ftp.store("STOR mine/new", "x");
    EXPECT_THAT(ftp.replies(), HasSubstr("226 Transfer complete."));
    EXPECT_EQ(home.content("mine/old"), "precious");
}

TEST_F(Session, AnonymousSeesOnlyWhatTheWorldMayRead) {
    home.store("digits", "0123456789");
    ASSERT_EQ(::chmod(home.path("digits").c_str(), 0640), 0);
    Conversation ftp(home, anonymous());
    EXPECT_EQ(ftp.retrieve("RETR digits"), "(refused)");
    EXPECT_EQ(ftp.replies(), "550 Failed to open file. (No such file or directory)");
}

TEST_F(Session, TransfersOnlyWhatThePatternsPermit) {
    home.store("a.txt", "a");
    home.store("a.exe", "a");
    auto who = ann();
    who.options.download_file = "*.txt";
    who.options.upload_file = "*.txt";
    Conversation ftp(home, std::move(who));
    EXPECT_EQ(ftp.retrieve("RETR a.txt"), "a");
    EXPECT_EQ(ftp.retrieve("RETR a.exe"), "(refused)");
    EXPECT_EQ(ftp.replies(), "550 Permission denied.");
    ftp.store("STOR mine/b.exe", "b");
    EXPECT_EQ(ftp.replies(), "550 Permission denied.");
}

// ----- listings

TEST_F(Session, ListsAFolder) {
    home.store("digits", "0123456789");
    home.store(".hidden", "");
    Conversation ftp(home);
    const auto lines = ftp.retrieve("LIST");
    EXPECT_EQ(ftp.replies(), "150 Here comes the directory listing.\n226 Directory send OK.");
    EXPECT_THAT(lines, HasSubstr(" digits\r\n"));
    EXPECT_THAT(lines, HasSubstr(" mine\r\n"));
    EXPECT_THAT(lines, Not(HasSubstr(".hidden")));
    EXPECT_THAT(ftp.retrieve("LIST -a"), HasSubstr(".hidden"));
    EXPECT_EQ(ftp.retrieve("NLST"), "digits\r\nmine\r\n");
    EXPECT_EQ(ftp.retrieve("NLST d*"), "digits\r\n");
    const auto facts = ftp.retrieve("MLSD");
    EXPECT_THAT(facts, HasSubstr("type=file;size=10;"));
    EXPECT_THAT(facts, HasSubstr(" .hidden\r\n"));
}

TEST_F(Session, SaysWhyThereIsNothingToList) {
    Conversation ftp(home);
    EXPECT_EQ(ftp.retrieve("LIST nothing"), "(refused)");
    EXPECT_EQ(ftp.replies(), "550 Failed to open directory. (No such file or directory)");
    EXPECT_EQ(ftp.retrieve("MLSD nothing"), "(refused)");
    EXPECT_THAT(ftp.replies(), StartsWith("550 "));
}

// ----- commands during a transfer

class DuringATransfer : public Session {
  protected:
    DuringATransfer() {
        if (::geteuid() != 0) return;
        home.store("big", std::string(64 << 20, 'x'));  // more than all buffers hold
        ftp.emplace(home);
        ftp->say("TYPE I");
        data = ftp->passive();
        EXPECT_THAT(ftp->say("RETR big"), StartsWith("150 "));
    }

    std::size_t read_all() {
        std::size_t total = 0;
        std::vector<char> bytes(1 << 16);
        for (;;) {
            const auto count = ::read(data.get(), bytes.data(), bytes.size());
            if (count <= 0) return total;
            total += static_cast<std::size_t>(count);
        }
    }

    std::optional<Conversation> ftp;
    base::Fd data;
};

TEST_F(DuringATransfer, NoopAndStatAreAnswered) {
    EXPECT_EQ(ftp->say("NOOP"), "200 NOOP ok.");
    EXPECT_THAT(ftp->say("STAT"), StartsWith("211"));
    EXPECT_EQ(read_all(), std::size_t{64} << 20);
    EXPECT_EQ(ftp->client.reply(), "226 Transfer complete.");
}

TEST_F(DuringATransfer, OtherCommandsWaitForItsEnd) {
    ftp->client.send("PWD\r\nSYST\r\n");
    EXPECT_EQ(read_all(), std::size_t{64} << 20);
    EXPECT_EQ(ftp->client.reply(), "226 Transfer complete.");
    EXPECT_THAT(ftp->client.reply(), StartsWith("257 "));
    EXPECT_THAT(ftp->client.reply(), StartsWith("215 "));
}

TEST_F(DuringATransfer, AborEndsIt) {
    EXPECT_EQ(ftp->say("ABOR"), "426 Failure writing network stream.");
    EXPECT_EQ(ftp->client.reply(), "226 ABOR successful.");
    EXPECT_EQ(ftp->say("ABOR"), "225 No transfer to ABOR.");
    EXPECT_THAT(ftp->supervisor->records(1).front(), StartsWith("FAIL DOWNLOAD /big "));
}

TEST_F(DuringATransfer, AborWithTelnetsUrgentBytesEndsItToo) {
    ASSERT_EQ(::send(ftp->client.fd(), "\xFF\xF4\xFF", 3, MSG_OOB), 3);
    EXPECT_EQ(ftp->say("\xF2"
                       "ABOR"),
              "426 Failure writing network stream.");
    EXPECT_EQ(ftp->client.reply(), "226 ABOR successful.");
}

TEST_F(DuringATransfer, QuitWaitsForItsEnd) {
    ftp->client.send("QUIT\r\n");
    EXPECT_EQ(read_all(), std::size_t{64} << 20);
    EXPECT_EQ(ftp->client.reply(), "226 Transfer complete.");
    EXPECT_EQ(ftp->client.reply(), "221 Goodbye.");
    EXPECT_EQ(ftp->client.reply(), "(end)");
}

TEST_F(DuringATransfer, AStopWaitsForItsEnd) {
    ftp->supervisor->stop();
    EXPECT_EQ(read_all(), std::size_t{64} << 20);
    EXPECT_EQ(ftp->client.reply(), "226 Transfer complete.");
    EXPECT_THAT(ftp->client.reply(), StartsWith("421 "));
}

TEST_F(DuringATransfer, TheSupervisorsDeathIsNotItsEnd) {
    ftp->supervisor->die();
    EXPECT_EQ(read_all(), std::size_t{64} << 20);
    EXPECT_EQ(ftp->client.reply(), "226 Transfer complete.");
    EXPECT_THAT(ftp->client.reply(), StartsWith("421 "));
}

// ----- what is recorded

TEST_F(Session, RecordsWhatHappenedAndWhatFailed) {
    home.store("mine/a", "");
    Conversation ftp(home);
    ftp.say("CWD mine");
    ftp.say("MKD d");
    ftp.say("MKD d");
    ftp.say("RMD d");
    ftp.say("RNFR a");
    ftp.say("RNTO b");
    ftp.say("SITE CHMOD 600 b");
    ftp.say("DELE b");
    ftp.say("DELE b");
    EXPECT_THAT(ftp.supervisor->records(7),
                ElementsAre("OK MKDIR /mine/d", "FAIL MKDIR /mine/d", "OK RMDIR /mine/d",
                            "OK RENAME /mine/a /mine/b", "OK CHMOD /mine/b 600",
                            "OK DELETE /mine/b", "FAIL DELETE /mine/b"));
}

TEST_F(Session, RecordsWhatDenyFileForbids) {
    auto who = ann();
    who.options.deny_file = "secret";
    Conversation ftp(home, std::move(who));
    ftp.say("DELE secret");
    ftp.say("RETR mine/secret");
    EXPECT_THAT(ftp.supervisor->records(2),
                ElementsAre("FAIL DELETE /secret", "FAIL DOWNLOAD /mine/secret 0"));
}

// ----- files that somebody transfers

class LockedFile : public Session {
  protected:
    LockedFile() {
        if (::geteuid() != 0) return;
        home.store("mine/busy", "new");
        file = base::Fd{::open(home.path("mine/busy").c_str(), O_RDWR | O_CLOEXEC)};
        struct flock whole {};
        whole.l_type = F_WRLCK;
        EXPECT_EQ(::fcntl(file.get(), F_OFD_SETLK, &whole), 0);
    }
    base::Fd file;
};

TEST_F(LockedFile, IsSentWhenTheUploadHasEnded) {
    Conversation ftp(home);
    ftp.say("TYPE I");
    const auto data = ftp.passive();
    ftp.client.send("RETR mine/busy\r\n");
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    file.close();
    EXPECT_THAT(ftp.client.reply(), StartsWith("150 "));
    EXPECT_EQ(ftp.client.reply(), "226 Transfer complete.");
}

TEST_F(LockedFile, IsNotWaitedForAfterAbor) {
    Conversation ftp(home);
    const auto data = ftp.passive();
    ftp.client.send("RETR mine/busy\r\n");
    EXPECT_THAT(ftp.say("ABOR"), StartsWith("450 "));
    EXPECT_EQ(ftp.client.reply(), "226 ABOR successful.");
}

TEST_F(LockedFile, IsNotWaitedForForEver) {
    auto who = ann();
    who.options.data_connection_timeout = 1;
    Conversation ftp(home, std::move(who));
    const auto data = ftp.passive();
    EXPECT_THAT(ftp.say("RETR mine/busy"), StartsWith("450 "));
    EXPECT_THAT(ftp.say("STOR mine/busy"), StartsWith("450 "));
    EXPECT_EQ(home.content("mine/busy"), "new");
}

TEST_F(LockedFile, IsSentAtOnceWhereUploadsAreNotLocked) {
    auto who = ann();
    who.options.lock_upload_files = false;
    Conversation ftp(home, std::move(who));
    EXPECT_EQ(ftp.retrieve("RETR mine/busy"), "new");
}

}  // namespace

// ----- nothing is lost when several store the same file

class SameName : public Session {
  protected:
    void SetUp() override {
        Session::SetUp();
        if (IsSkipped()) return;
        first.emplace(home);
        second.emplace(home);
    }

    // What the first one's command makes is there.
    void wait_for(const char* name) const {
        for (int i = 0; i < 500 && !home.exists(name); ++i) ::usleep(10'000);
    }

    // Two clients in the same home.
    std::optional<Conversation> first;
    std::optional<Conversation> second;
};

TEST_F(SameName, AFailedUploadDoesNotTakeAnothersAlong) {
    first->say("EPSV");
    first->client.send("STOR mine/new\r\n");  // no data connection ever comes
    wait_for("mine/new");
    auto data = second->passive();
    second->client.send("STOR mine/new\r\n");  // waits for the lock
    first->client.send("ABOR\r\n");
    EXPECT_EQ(first->client.reply(), "425 Failed to establish connection.");
    EXPECT_EQ(first->client.reply(), "226 ABOR successful.");
    EXPECT_EQ(second->client.reply(), "150 Ok to send data.");
    ASSERT_EQ(::send(data.get(), "whole", 5, MSG_NOSIGNAL), 5);
    data.close();
    EXPECT_EQ(second->client.reply(), "226 Transfer complete.");
    EXPECT_EQ(home.content("mine/new"), "whole");
}

TEST_F(SameName, WhatWasMovedThereStaysWhenAnUploadFails) {
    home.store("mine/other", "other");
    first->say("EPSV");
    first->client.send("STOR mine/new\r\n");
    wait_for("mine/new");
    EXPECT_EQ(second->say("RNFR mine/other"), "350 Ready for RNTO.");
    EXPECT_EQ(second->say("RNTO mine/new"), "250 Rename successful.");
    first->client.send("ABOR\r\n");
    EXPECT_EQ(first->client.reply(), "425 Failed to establish connection.");
    EXPECT_EQ(first->client.reply(), "226 ABOR successful.");
    EXPECT_EQ(home.content("mine/new"), "other");
}

TEST_F(SameName, TheSecondUploadCutsOffTheFirst) {
    auto one = first->passive();
    EXPECT_EQ(first->say("STOR mine/f"), "150 Ok to send data.");
    auto two = second->passive();
    second->client.send("STOR mine/f\r\n");
    ASSERT_EQ(::send(one.get(), "0123456789", 10, MSG_NOSIGNAL), 10);
    one.close();
    EXPECT_EQ(first->client.reply(), "226 Transfer complete.");
    EXPECT_EQ(second->client.reply(), "150 Ok to send data.");
    ASSERT_EQ(::send(two.get(), "abc", 3, MSG_NOSIGNAL), 3);
    two.close();
    EXPECT_EQ(second->client.reply(), "226 Transfer complete.");
    EXPECT_EQ(home.content("mine/f"), "abc");
}

TEST_F(SameName, AppendsAfterWhatAnotherAppended) {
    auto one = first->passive();
    EXPECT_EQ(first->say("APPE mine/f"), "150 Ok to send data.");
    auto two = second->passive();
    second->client.send("APPE mine/f\r\n");
    ASSERT_EQ(::send(one.get(), "first\n", 6, MSG_NOSIGNAL), 6);
    one.close();
    EXPECT_EQ(first->client.reply(), "226 Transfer complete.");
    EXPECT_EQ(second->client.reply(), "150 Ok to send data.");
    ASSERT_EQ(::send(two.get(), "second\n", 7, MSG_NOSIGNAL), 7);
    two.close();
    EXPECT_EQ(second->client.reply(), "226 Transfer complete.");
    EXPECT_EQ(home.content("mine/f"), "first\nsecond\n");
}

TEST_F(SameName, AnUploadWhoseFileWasDeletedIsNotAcknowledged) {
    auto data = first->passive();
    EXPECT_EQ(first->say("STOR mine/f"), "150 Ok to send data.");
    EXPECT_EQ(second->say("DELE mine/f"), "250 Delete operation successful.");
    data.close();
    EXPECT_EQ(first->client.reply(),
              "451 Failure writing to local file. (No such file or directory)");
}

TEST_F(Session, AnnouncesTheSizeThatAFileHasWhenItsConnectionStands) {
    home.store("f", std::string(5000, 'x'));
    Conversation ftp(home);
    auto data = ftp.passive();
    EXPECT_EQ(::truncate(home.path("f").c_str(), 10), 0);
    EXPECT_EQ(ftp.say("RETR f"), "150 Opening BINARY mode data connection for f (10 bytes).");
    EXPECT_EQ(ftp.client.reply(), "226 Transfer complete.");
}

// As in vsftpd: it belongs to the command right after it (RFC 959).
TEST_F(Session, RestEndsWithATransferThatHadNoConnectionToUse) {
    home.store("digits", "0123456789");
    Conversation ftp(home);
    EXPECT_EQ(ftp.say("TYPE I"), "200 Switching to Binary mode.");
    EXPECT_EQ(ftp.say("REST 4"), "350 Restart position accepted (4).");
    EXPECT_EQ(ftp.say("RETR digits"), "425 Use PORT or PASV first.");
    EXPECT_EQ(ftp.retrieve("RETR digits"), "0123456789");
}
