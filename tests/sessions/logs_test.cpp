// SPDX-License-Identifier: MIT
// vsftpd.log, xferlog, syslog and JSON: their form, and what happens when they cannot be written
// (whole sessions).
#include "tests/sessions/conversation.hpp"
#include "tests/sessions/paths.hpp"
#include "tests/sessions/required.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <thread>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace sessions;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

// "Mon Nov 23 22:50:48 2026"
const std::string date =
    R"((Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d \d{4})";
const std::string start = "^" + date + R"( \[pid \d+\] )";
const std::string client = R"(Client "127\.0\.0\.1")";

// One of everything that is logged.
void do_it_all(const Server& server) {
    Conversation ftp(server);
    ftp.login("alice", "wrong");
    ftp.login(alice);
    ftp.say("TYPE I");
    ftp.say("CWD files");
    ftp.store("up load", "abc");
    ftp.retrieve("up load");
    ftp.retrieve("nofile");
    ftp.say("MKD dd");
    ftp.say("RMD dd");
    ftp.say("RNFR up load");
    ftp.say("RNTO up2");
    ftp.say("SITE CHMOD 600 up2");
    ftp.say("DELE up2");
    auto data = ftp.open();
    ftp.say("STOR part");
    data.write("ab");
    data.reset();
    ftp.reply();
    ftp.say("QUIT");
    EXPECT_TRUE(ftp.ended());
    server.logged("FAIL UPLOAD");
}

}  // namespace

TEST(VsftpdLog, HasVsftpdsLines) {
    Server server({"chroot_local_user=YES"});
    do_it_all(server);
    const std::string user = R"(\[alice\] )";
    for (const auto& line : {
             start + "CONNECT: " + client + "$",
             start + user + "FAIL LOGIN: " + client + "$",
             start + user + "OK LOGIN: " + client + "$",
             start + user + "OK UPLOAD: " + client +
                 R"(, "/files/up load", 3 bytes, \d+\.\d\dKbyte/sec$)",
             start + user + "OK DOWNLOAD: " + client +
                 R"(, "/files/up load", 3 bytes, \d+\.\d\dKbyte/sec$)",
             start + user + "FAIL DOWNLOAD: " + client + R"(, "/files/nofile", 0\.00Kbyte/sec$)",
             start + user + "OK MKDIR: " + client + R"(, "/files/dd"$)",
             start + user + "OK RMDIR: " + client + R"(, "/files/dd"$)",
             start + user + "OK RENAME: " + client + R"(, "/files/up load /files/up2"$)",
             start + user + "OK CHMOD: " + client + R"(, "/files/up2 600"$)",
             start + user + "OK DELETE: " + client + R"(, "/files/up2"$)",
             start + user + "FAIL UPLOAD: " + client +
                 R"(, "/files/part", 2 bytes, \d+\.\d\dKbyte/sec$)",
         })
        server.logged(line);
    EXPECT_EQ(mode_of(server.log_file()), 0600U);
}

TEST(Xferlog, HasTheLinesOfWuFtpd) {
    Server server({"chroot_local_user=YES"});
    do_it_all(server);
    const auto all = server.xferlog();
    const auto has = [&](const std::string& form) {
        const auto lines = lines_of(all);
        return std::any_of(lines.begin(), lines.end(), [&](const auto& line) {
            return std::regex_match(line, std::regex(form));
        });
    };
    EXPECT_TRUE(has(date + R"( \d+ 127\.0\.0\.1 3 /files/up_load b _ i r alice ftp 0 \* c)"))
        << all;
    EXPECT_TRUE(has(date + R"( \d+ 127\.0\.0\.1 3 /files/up_load b _ o r alice ftp 0 \* c)"))
        << all;
    EXPECT_TRUE(has(date + R"( \d+ 127\.0\.0\.1 2 /files/part b _ i r alice ftp 0 \* i)")) << all;
    EXPECT_TRUE(has(date + R"( \d+ 127\.0\.0\.1 0 /files/nofile b _ o r alice ftp 0 \* i)")) << all;
    EXPECT_THAT(all, Not(HasSubstr("MKDIR")));
}

TEST(Xferlog, TellsAnonymousByAddressAndGuestsByMode) {
    write_file(home_of(ftp_user) / "readme", "x");
    {
        Server server({"anonymous_enable=YES"});
        Conversation ftp(server);
        ftp.login("ftp", "me@here");
        ftp.say("TYPE I");
        ftp.retrieve("readme");
        ftp.say("QUIT");
        EXPECT_TRUE(eventually([&] {
            return server.xferlog().find("/readme b _ o a me@here ftp 0 * c") != std::string::npos;
        })) << server.xferlog();
    }
    Server server({"guest_enable=YES", "guest_username=virtual", "anon_upload_enable=YES"});
    Conversation ftp(server, alice);
    ftp.store("files/g", "x");
    EXPECT_TRUE(eventually([&] {
        return server.xferlog().find("/files/g b _ i g alice ftp 0 * c") != std::string::npos;
    })) << server.xferlog();
}

struct LogChoice {
    const char* name;
    Lines lines;
    bool own;
    bool wu;
};

void PrintTo(const LogChoice& each, std::ostream* out) { *out << each.name; }

class LogFiles : public testing::TestWithParam<LogChoice> {};

TEST_P(LogFiles, AreWrittenAsConfigured) {
    auto lines = Lines{"xferlog_enable=NO", "dual_log_enable=NO"};
    lines.insert(lines.end(), GetParam().lines.begin(), GetParam().lines.end());
    Server server(lines);
    {
        Conversation ftp(server, alice);
        ftp.store("files/f", "x");
        ftp.say("QUIT");
    }
    EXPECT_TRUE(eventually([&] {
        return GetParam().own == (server.log().find("OK UPLOAD") != std::string::npos);
    })) << server.log();
    EXPECT_TRUE(eventually([&] {
        return GetParam().wu == (server.xferlog().find("/files/f b _ i") != std::string::npos);
    })) << server.xferlog();
}

INSTANTIATE_TEST_SUITE_P(
    All, LogFiles,
    testing::Values(LogChoice{"Nothing", {}, false, false},
                    LogChoice{"OwnFormat", {"xferlog_enable=YES"}, true, false},
                    LogChoice{
                        "WuFormat", {"xferlog_enable=YES", "xferlog_std_format=YES"}, false, true},
                    LogChoice{"Both", {"dual_log_enable=YES"}, true, true}),
    [](const auto& each) { return each.param.name; });

TEST(Logs, KeepUtf8AndEscapeTheRest) {
    Server server;
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("MKD files/gr\xc3\xbc\xc3\x9f"
                        "e"),
                StartsWith("257"));
    EXPECT_THAT(ftp.say("MKD files/a\"b]c"), StartsWith("257"));
    EXPECT_THAT(ftp.say("MKD files/bell\x07"), StartsWith("257"));
    server.logged(
        "OK MKDIR.*files/gr\xc3\xbc\xc3\x9f"
        "e\"$");
    const auto quoted = server.logged("OK MKDIR.*files/a.*b.*c");
    EXPECT_THAT(quoted, Not(HasSubstr("a\"b]c")));
    EXPECT_THAT(server.log(), Not(HasSubstr("\x07")));
}

TEST(Logs, AreReopenedWhenTheFileWasMoved) {
    Server server;
    Conversation ftp(server, alice);
    server.logged("OK LOGIN");
    std::filesystem::rename(server.log_file(), server.folder() / "vsftpd.log.1");
    EXPECT_TRUE(eventually([&] {
        ftp.say("MKD files/x");
        ftp.say("RMD files/x");
        return std::filesystem::exists(server.log_file());
    }));
    server.logged("OK RMDIR");
    EXPECT_THAT(content_of(server.folder() / "vsftpd.log.1"), HasSubstr("OK LOGIN"));
}

TEST(Logs, AreReopenedOnReload) {
    Server server;
    Conversation ftp(server, alice);
    server.logged("OK LOGIN");
    std::filesystem::rename(server.log_file(), server.folder() / "vsftpd.log.1");
    server.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] {
        return std::filesystem::exists(server.log_file()) ||
               !ftp.say("MKD files/" + std::to_string(std::rand())).starts_with("257");
    }));
    ftp.say("MKD files/after");
    server.logged("OK MKDIR.*files/after");
}

TEST(Logs, MayBeOnAFullDisk) {
    mount_small(place("tiny"), 4096, 0);
    Server server({"vsftpd_log_file=" + place("tiny/vsftpd.log").string(),
                   "xferlog_file=" + place("tiny/xferlog").string()});
    Conversation ftp(server, alice);
    for (int number = 0; number < 200; ++number) {
        EXPECT_THAT(ftp.say("MKD files/d" + std::to_string(number)), StartsWith("257"));
    }
    EXPECT_EQ(ftp.store("files/f", "x"), "226 Transfer complete.");
    Conversation other(server);
    EXPECT_EQ(other.login(bob), "230 Login successful.");
    if (std::getenv("JAILFTPD_TRY_REFERENCE") == nullptr) server.complained("tiny/vsftpd.log");
}

TEST(Logs, MayVanishWithTheirFolder) {
    make_folder(place("logs"));
    Server server({"vsftpd_log_file=" + place("logs/vsftpd.log").string(),
                   "xferlog_file=" + place("logs/xferlog").string()});
    Conversation ftp(server, alice);
    std::filesystem::remove_all(place("logs"));
    server.signal(SIGHUP);
    EXPECT_EQ(ftp.store("files/f", "x"), "226 Transfer complete.");
    Conversation other(server);
    EXPECT_EQ(other.login(bob), "230 Login successful.");
    make_folder(place("logs"));
    server.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] {
        ftp.say("MKD files/back");
        ftp.say("RMD files/back");
        return content_of(place("logs/vsftpd.log")).find("RMDIR") != std::string::npos;
    })) << "and come back";
}

TEST(SyslogEnable, SendsTheLinesToSyslog) {
    const base::Fd listener{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_un here{};
    here.sun_family = AF_UNIX;
    std::string("/dev/log").copy(here.sun_path, sizeof here.sun_path - 1);
    ::unlink("/dev/log");
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    Server server({"syslog_enable=YES"});
    {
        Conversation ftp(server);
        ftp.login("alice", "wrong");
        ftp.login(alice);
        ftp.store("files/f", "x");
        ftp.say("QUIT");
    }
    std::string all;
    EXPECT_TRUE(eventually([&] {
        char bytes[4096];
        const auto count = ::recv(listener.get(), bytes, sizeof bytes, MSG_DONTWAIT);
        if (count > 0) all += std::string(bytes, static_cast<std::size_t>(count)) + '\n';
        return all.find("OK UPLOAD") != std::string::npos;
    })) << all;
    EXPECT_THAT(all, HasSubstr("[alice] FAIL LOGIN: Client \"127.0.0.1\""));
    EXPECT_THAT(all, HasSubstr("[alice] OK LOGIN: Client \"127.0.0.1\""));
    EXPECT_THAT(all, StartsWith("<")) << "facility FTP is 11";
    EXPECT_THAT(server.log(), Not(HasSubstr("OK LOGIN")));
    ::unlink("/dev/log");
}

TEST(LogJson, IsAFileOfRecords) {
    if (std::getenv("JAILFTPD_TRY_REFERENCE") != nullptr) GTEST_SKIP();
    const auto file = place("log.json");
    Server server({"chroot_local_user=YES"}, {.ini = "[log]\njson = " + file.string() + "\n"});
    do_it_all(server);
    EXPECT_TRUE(eventually([&] { return lines_of(content_of(file)).size() >= 10; }));
    for (const auto& line : lines_of(content_of(file))) {
        EXPECT_THAT(line, StartsWith("{"));
        EXPECT_THAT(line, testing::EndsWith("}"));
    }
    const auto python = program_path("python3");
    if (python.empty()) return;
    const auto ran = run({python, "-c",
                          "import json,sys\n"
                          "all=[json.loads(l) for l in open(sys.argv[1])]\n"
                          "s=json.dumps(all)\n"
                          "assert 'alice' in s and '127.0.0.1' in s and '/files/up load' in s, s\n"
                          "print(all[-1])\n",
                          file});
    EXPECT_EQ(ran.status, 0) << ran.err;
}

// ----- tools that read vsftpd's logs

TEST(Fail2ban, FindsFailedLoginsWithItsStockFilter) {
    const auto root = reference_path("");
    const auto python = program_path("python3");
    if (python.empty() || !std::filesystem::exists(root / "usr/bin/fail2ban-regex"))
        return skip_or_fail("fail2ban has not been unpacked");
    Server server;
    for (int number = 0; number < 3; ++number)
        Conversation(server, "127.0.0.7").login("alice", "wrong");
    Conversation(server).login("a] FAIL LOGIN: Client \"9.9.9.9\",", "x");
    Conversation(server).login(alice);
    server.logged("OK LOGIN");
    const auto ran =
        run({python, root / "usr/bin/fail2ban-regex", "--print-all-matched", server.log_file(),
             root / "etc/fail2ban/filter.d/vsftpd.conf"},
            {.input = {},
             .environment = {"PYTHONPATH=" + (root / "usr/lib/python3/dist-packages").string()}});
    EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("4 matched")) << ran.out << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("[alice] FAIL LOGIN: Client \"127.0.0.7\""));
    EXPECT_THAT(ran.out, Not(HasSubstr("Client \"9.9.9.9\"")));
}

TEST(Logwatch, KnowsEveryLine) {
    const auto script = reference_path("usr/share/logwatch/scripts/services/vsftpd");
    const auto perl = program_path("perl");
    if (perl.empty() || !std::filesystem::exists(script))
        return skip_or_fail("logwatch has not been unpacked");
    Server server;
    do_it_all(server);
    const auto ran = run(
        {perl, "-I" + (script.parent_path().parent_path().parent_path() / "lib").string(), script},
        {.input = server.log(), .environment = {"LOGWATCH_DETAIL_LEVEL=10"}});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("alice")) << ran.out;
    EXPECT_THAT(ran.out, Not(HasSubstr("Unmatched"))) << ran.out;
}

// ----- no deed goes unrecorded

TEST(Log, HasEveryDeedHoweverFastTheyCome) {
    Server server;
    write_file(home_of(alice) / "files/evidence", "x", alice.uid);
    Conversation ftp(server, alice);
    std::string flood;
    for (int i = 0; i < 30'000; ++i) flood += "DELE files/none\r\n";
    flood += "DELE files/evidence\r\n";
    std::thread sender([&] { (void)::send(ftp.fd(), flood.data(), flood.size(), MSG_NOSIGNAL); });
    for (int i = 0; i < 30'000; ++i) (void)ftp.reply();
    EXPECT_EQ(ftp.reply(), "250 Delete operation successful.");
    sender.join();
    server.logged("OK DELETE: .*evidence");
    const auto log = server.log();
    std::size_t lines = 0;
    for (auto at = log.find("FAIL DELETE"); at != log.npos; at = log.find("FAIL DELETE", at + 1))
        ++lines;
    EXPECT_EQ(lines, 30'000U);
}

// A session that has ended, but whose last records nobody has read when the server is to stop.
TEST(Log, HasTheLastDeedsBeforeAStop) {
    Server server;
    Conversation ftp(server, alice);
    server.signal(SIGSTOP);
    for (int i = 0; i < 4; ++i) EXPECT_THAT(ftp.say("DELE files/none"), StartsWith("550 "));
    ftp.say("DELE files/last");
    ftp.send("QUIT\r\n");
    EXPECT_THAT(ftp.reply(), StartsWith("221 "));
    ftp.hang_up();
    EXPECT_TRUE(eventually([&] { return server.processes("alice").empty(); }));
    server.signal(SIGTERM);
    server.signal(SIGCONT);
    EXPECT_EQ(server.wait(), 0);
    EXPECT_THAT(server.log(), HasSubstr("files/last"));
}
