// SPDX-License-Identifier: MIT
// Which log gets what, in which order, when nothing takes it in time, and the tools that read it.
#include "supervisor/records.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "tests/config/folder.hpp"
#include "tests/sessions/required.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using supervisor::Entry;
using supervisor::Records;
using Kind = Entry::Kind;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::vector<std::string> result;
    for (std::string line; std::getline(file, line);) result.push_back(line);
    return result;
}

bool eventually(const std::function<bool()>& condition) {
    for (int tries = 0; tries < 500; ++tries) {
        if (condition()) return true;
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

Entry entry(Kind kind, std::string path = {}, bool success = true) {
    Entry made;
    made.kind = kind;
    made.time = std::chrono::system_clock::now();
    made.pid = 136;
    made.session = 7;
    if (kind >= Kind::login) made.user = "alice";
    made.client = "192.0.2.7";
    made.success = success;
    made.path = std::move(path);
    made.bytes = 3;
    made.has_size = true;
    made.duration = 1ms;
    return made;
}

Entry failed_login(std::string user) {
    auto made = entry(Kind::login, {}, false);
    made.user = std::move(user);
    made.reason = "wrong password";
    return made;
}

// One line of every kind that a server without log_ftp_protocol logs.
std::vector<Entry> everything() {
    std::vector<Entry> all;
    for (const auto kind : {Kind::connect, Kind::refused_too_many, Kind::refused_per_ip,
                            Kind::refused_by_rule, Kind::refused_crashing})
        all.push_back(entry(kind));
    for (const bool success : {false, true}) {
        for (const auto kind : {Kind::login, Kind::download, Kind::upload, Kind::mkdir, Kind::rmdir,
                                Kind::rename, Kind::chmod, Kind::remove})
            all.push_back(entry(kind, kind == Kind::login ? "" : "/a file", success));
    }
    auto anonymous = entry(Kind::login);
    anonymous.user = "ftp";
    anonymous.anonymous = true;
    anonymous.shown_password = "me@x_y";
    all.push_back(anonymous);
    return all;
}

struct Program {
    int status;
    std::string output;
};

Program run(const std::string& command) {
    Program result{-1, {}};
    auto* const pipe = ::popen((command + " 2>&1").c_str(), "re");
    if (pipe == nullptr) return result;
    char bytes[4096];
    while (const auto count = std::fread(bytes, 1, sizeof bytes, pipe))
        result.output.append(bytes, count);
    result.status = ::pclose(pipe);
    return result;
}

class RecordsTest : public testing::Test {
  protected:
    RecordsTest() {
        configuration.options.vsftpd_log_file = own;
        configuration.options.xferlog_file = xferlog;
    }

    void write_all(const std::vector<Entry>& entries) const {
        Records records(configuration);
        for (const auto& each : entries) records.write(each);
    }

    test::Folder folder;
    const std::string own = folder.path("vsftpd.log");
    const std::string xferlog = folder.path("xferlog");
    const std::string json = folder.path("log.json");
    config::Configuration configuration;
};

// ----- which file gets what

struct Choice {
    const char* name;
    bool xferlog_enable;
    bool xferlog_std_format;
    bool dual_log_enable;
    bool syslog_enable;
    bool own;
    bool wu;
};

void PrintTo(const Choice& choice, std::ostream* out) { *out << choice.name; }

class RecordsFiles : public RecordsTest, public testing::WithParamInterface<Choice> {};

TEST_P(RecordsFiles, AreThoseOfVsftpd) {
    const auto& choice = GetParam();
    configuration.options.xferlog_enable = choice.xferlog_enable;
    configuration.options.xferlog_std_format = choice.xferlog_std_format;
    configuration.options.dual_log_enable = choice.dual_log_enable;
    configuration.options.syslog_enable = choice.syslog_enable;
    write_all({entry(Kind::connect), entry(Kind::login), entry(Kind::upload, "/f"),
               entry(Kind::mkdir, "/d"), entry(Kind::download, "/f", false)});
    EXPECT_EQ(fs::exists(own), choice.own);
    EXPECT_EQ(fs::exists(xferlog), choice.wu);
    EXPECT_EQ(lines(own).size(), choice.own ? 5U : 0U);
    EXPECT_EQ(lines(xferlog).size(), choice.wu ? 2U : 0U) << "transfers";
}

// clang-format off
INSTANTIATE_TEST_SUITE_P(All, RecordsFiles, testing::Values(
    //                            xferlog_enable std_format dual  syslog  own    wu
    Choice{"Nothing",             false,         false,     false, false, false, false},
    Choice{"StdFormatAlone",      false,         true,      false, false, false, false},
    Choice{"Own",                 true,          false,     false, false, true,  false},
    Choice{"Wu",                  true,          true,      false, false, false, true},
    Choice{"Dual",                false,         false,     true,  false, true,  true},
    Choice{"DualEnabled",         true,          false,     true,  false, true,  true},
    Choice{"DualStdFormat",       true,          true,      true,  false, true,  true},
    Choice{"Syslog",              false,         false,     false, true,  false, false},
    Choice{"SyslogOwn",           true,          false,     false, true,  false, false},
    Choice{"SyslogWu",            true,          true,      false, true,  false, true},
    Choice{"SyslogDual",          true,          false,     true,  true,  false, true}),
    [](const auto& each) { return each.param.name; });
// clang-format on

// Syslog needs a /dev/log of our own, so a mount namespace, so root.
TEST_F(RecordsTest, GoToSyslogAsVsftpds) {
    configuration.options.syslog_enable = true;
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        if (::unshare(CLONE_NEWNS) < 0 ||
            ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
            ::mount("none", "/dev", "tmpfs", 0, nullptr) < 0)
            ::_exit(77);
        const base::Fd log{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        sockaddr_un here{};
        here.sun_family = AF_UNIX;
        std::string("/dev/log").copy(here.sun_path, sizeof here.sun_path - 1);
        if (::bind(log.get(), reinterpret_cast<sockaddr*>(&here), sizeof here) < 0) ::_exit(77);
        write_all({entry(Kind::login, {}, false), entry(Kind::mkdir, "/%s\n")});
        std::string all;
        char bytes[4096];
        for (ssize_t count = 0; (count = ::recv(log.get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
            all.append(bytes, static_cast<std::size_t>(count)) += '\n';
        const std::string date = R"([A-Z][a-z][a-z] [ \d]\d \d\d:\d\d:\d\d )";
        const std::regex expected("<92>" + date +
                                  R"(vsftpd\[136\]: \[alice\] FAIL LOGIN: Client "192\.0\.2\.7"\n)"
                                  "<94>" +
                                  date +
                                  R"(vsftpd\[136\]: \[alice\] OK MKDIR: Client "192\.0\.2\.7", )"
                                  R"("/%s\\x0a"\n)");
        const bool right = std::regex_match(all, expected);
        if (!right) std::fputs(all.c_str(), stderr);
        ::_exit(right ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no mount namespace here";
    EXPECT_EQ(status, 0);
}

TEST_F(RecordsTest, GoToJsonThatEverybodyCanRead) {
    configuration.native.json_log = json;
    auto all = everything();
    all.push_back(entry(Kind::mkdir, std::string("/\0\x01\"\\\xff\xc3\xbc\xed\xa0\x80\x7f", 12)));
    write_all(all);
    EXPECT_EQ(lines(json).size(), all.size());
    if (run("python3 --version").status != 0)
        GTEST_SKIP() << "there is no python3 to check it with";
    const auto checked =
        run("python3 -c 'import json,sys\nfor line in open(sys.argv[1], encoding=\"utf-8\"): "
            "json.loads(line)[\"event\"]' " +
            json);
    EXPECT_EQ(checked.status, 0) << checked.output << content(json);
}

// ----- order, rotation, reload

TEST_F(RecordsTest, KeepTheirOrderAndAreAllThereAfterStop) {
    configuration.options.xferlog_enable = true;
    {
        Records records(configuration);
        for (int i = 0; i < 5000; ++i) records.write(entry(Kind::mkdir, std::to_string(i)));
        records.stop();
        records.write(entry(Kind::mkdir, "too late"));
        records.stop();
    }
    const auto all = lines(own);
    ASSERT_EQ(all.size(), 5000U);
    for (std::size_t i = 0; i < all.size(); ++i)
        EXPECT_TRUE(all[i].ends_with('"' + std::to_string(i) + '"')) << all[i];
}

TEST_F(RecordsTest, AreWrittenSoon) {
    configuration.options.xferlog_enable = true;
    Records records(configuration);
    EXPECT_TRUE(eventually([&] { return fs::exists(own); })) << "fail2ban wants it to exist";
    records.write(entry(Kind::mkdir, "/one"));
    EXPECT_TRUE(eventually([&] { return lines(own).size() == 1; }));
    records.write(entry(Kind::mkdir, "/two"));
    EXPECT_TRUE(eventually([&] { return lines(own).size() == 2; }));
}

TEST_F(RecordsTest, AreRotatedByRenameAndSignal) {
    configuration.options.dual_log_enable = true;
    Records records(configuration);
    records.write(entry(Kind::upload, "/one"));
    EXPECT_TRUE(eventually([&] { return lines(own).size() == 1 && lines(xferlog).size() == 1; }));
    fs::rename(own, own + ".1");
    fs::rename(xferlog, xferlog + ".1");
    records.reopen();
    EXPECT_TRUE(eventually([&] { return fs::exists(own) && fs::exists(xferlog); }));
    records.write(entry(Kind::upload, "/two"));
    records.stop();
    EXPECT_THAT(content(own), HasSubstr("/two"));
    EXPECT_THAT(content(xferlog), HasSubstr("/two"));
    EXPECT_THAT(content(own + ".1"), Not(HasSubstr("/two")));
}

TEST_F(RecordsTest, AreRotatedByRenameAlone) {
    configuration.options.xferlog_enable = true;
    Records records(configuration);
    records.write(entry(Kind::upload, "/one"));
    EXPECT_TRUE(eventually([&] { return lines(own).size() == 1; }));
    fs::rename(own, own + ".1");
    EXPECT_TRUE(eventually([&] {
        records.write(entry(Kind::upload, "/two"));
        return fs::exists(own);
    }));
}

TEST_F(RecordsTest, FollowTheConfiguration) {
    configuration.options.xferlog_enable = true;
    Records records(configuration);
    records.write(entry(Kind::upload, "/one"));
    EXPECT_TRUE(eventually([&] { return lines(own).size() == 1; }));
    configuration.options.xferlog_std_format = true;
    configuration.native.json_log = json;
    records.reconfigure(configuration);
    EXPECT_TRUE(eventually([&] { return fs::exists(xferlog) && fs::exists(json); }));
    records.write(entry(Kind::upload, "/two"));
    records.stop();
    EXPECT_EQ(lines(own).size(), 1U);
    EXPECT_EQ(lines(xferlog).size(), 1U);
    EXPECT_EQ(lines(json).size(), 1U);
}

// ----- when they are not taken

TEST_F(RecordsTest, WaitForRoomOnAFullDisk) {
    configuration.options.dual_log_enable = true;
    fs::create_symlink("/dev/full", own);
    testing::internal::CaptureStderr();
    {
        Records records(configuration);
        for (int i = 0; i < 100; ++i) records.write(entry(Kind::upload, std::to_string(i)));
        EXPECT_TRUE(eventually([&] { return lines(xferlog).size() == 100; }))
            << "the other is fine";
        fs::remove(own);
        EXPECT_TRUE(eventually([&] { return lines(own).size() == 100; }))
            << "nothing new is needed";
    }
    const auto told = testing::internal::GetCapturedStderr();
    EXPECT_THAT(told, HasSubstr("No space left on device"));
    EXPECT_THAT(told, HasSubstr("can be written again"));
}

TEST_F(RecordsTest, AreCountedWhenTheQueueIsFull) {
    configuration.options.xferlog_enable = true;
    ASSERT_EQ(::mkfifo(own.c_str(), 0600), 0);
    const base::Fd reader{::open(own.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    testing::internal::CaptureStderr();
    constexpr std::uint64_t count = 20'000;
    std::chrono::steady_clock::duration longest{};
    {
        Records records(configuration);
        const auto big = entry(Kind::mkdir, '/' + std::string(4000, 'x'));
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto start = std::chrono::steady_clock::now();
            records.write(big);
            longest = std::max(longest, std::chrono::steady_clock::now() - start);
        }
    }
    const auto told = testing::internal::GetCapturedStderr();
    EXPECT_LT(longest, 2s) << "the event loop would have waited";
    EXPECT_THAT(told, HasSubstr("the logs are too slow"));
    std::uint64_t read = 0;
    char bytes[65536];
    for (ssize_t got = 0; (got = ::read(reader.get(), bytes, sizeof bytes)) > 0;)
        read += static_cast<std::uint64_t>(std::count(bytes, bytes + got, '\n'));
    std::uint64_t lost = 0;
    const std::regex number(R"((\d+) records lost)");
    for (std::sregex_iterator each(told.begin(), told.end(), number), end; each != end; ++each)
        lost += std::stoull((*each)[1]);
    // The lines that say so are lost here as well, and counted.
    EXPECT_GE(read + lost, count);
    EXPECT_LE(read + lost, count + 100);
}

TEST_F(RecordsTest, EndWithinSecondsWhateverHappens) {
    configuration.options.xferlog_enable = true;
    ASSERT_EQ(::mkfifo(own.c_str(), 0600), 0);
    const base::Fd reader{::open(own.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    testing::internal::CaptureStderr();
    Records records(configuration);
    for (int i = 0; i < 1000; ++i) records.write(entry(Kind::mkdir, std::string(1000, 'x')));
    const auto start = std::chrono::steady_clock::now();
    records.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("lost"));
}

TEST_F(RecordsTest, LeaveSignalsToTheEventLoop) {
    configuration.options.xferlog_enable = true;
    sigset_t before;
    sigset_t after;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
    const Records records(configuration);
    ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
    EXPECT_EQ(::sigismember(&before, SIGTERM), ::sigismember(&after, SIGTERM));
    int threads = 0;
    for (const auto& task : fs::directory_iterator("/proc/self/task")) {
        if (task.path().filename() == std::to_string(::getpid())) continue;
        ++threads;
        const auto status = content(task.path() / "status");
        const auto at = status.find("SigBlk:\t") + 8;
        const auto blocked = std::stoull(status.substr(at, 16), nullptr, 16);
        for (const int signal : {SIGTERM, SIGHUP, SIGCHLD, SIGINT, SIGPIPE, SIGXFSZ})
            EXPECT_NE(blocked >> (signal - 1) & 1U, 0U) << signal;
    }
    EXPECT_GE(threads, 1);
}

// ----- programs that read them

std::string reference(const char* path) { return std::string(JAILFTPD_REFERENCE "/") + path; }

TEST_F(RecordsTest, MakeFail2banFindTheClientsThatFailed) {
    const auto program = reference("usr/bin/fail2ban-regex");
    if (!fs::exists(program)) return sessions::skip_or_fail("fail2ban has not been unpacked");
    configuration.options.xferlog_enable = true;
    auto all = everything();  // one failed login
    for (const auto* user : {"bob", "a] FAIL LOGIN: Client \"9.9.9.9\",",
                             "x\n[pid 1] [y] FAIL LOGIN: Client \"9.9.9.9\"",
                             "2020-01-01 00:00:00 [pid 1] [y] FAIL LOGIN: Client \"9.9.9.9\"",
                             "gr\xc3\xbc\xc3\x9f", "\xff\xfe", ""})
        all.push_back(failed_login(user));
    for (const auto* path :
         {"/a] FAIL LOGIN: Client \"9.9.9.9\",",
          "/\", \n[pid 1] [y] FAIL LOGIN: Client \"9.9.9.9\"",
          "/x: authentication failure; logname= uid=0 euid=0 tty=ftp ruser= rhost=9.9.9.9"}) {
        all.push_back(entry(Kind::mkdir, path));
        auto login = entry(Kind::login);
        login.user = login.shown_password = path;
        all.push_back(login);
    }
    write_all(all);
    const auto found = run("PYTHONPATH=" + reference("usr/lib/python3/dist-packages") +
                           " python3 " + program + " -v --print-all-matched " + own + ' ' +
                           reference("etc/fail2ban/filter.d/vsftpd.conf"));
    EXPECT_THAT(found.output,
                HasSubstr(std::to_string(all.size()) + " lines, 0 ignored, 8 matched"))
        << content(own);
    EXPECT_THAT(found.output, Not(testing::ContainsRegex("    9\\.9\\.9\\.9 ")));
    EXPECT_THAT(found.output, HasSubstr("192.0.2.7"));
}

TEST_F(RecordsTest, AreUnderstoodByLogwatch) {
    const auto script = reference("usr/share/logwatch/scripts/services/vsftpd");
    if (!fs::exists(script)) return sessions::skip_or_fail("logwatch has not been unpacked");
    configuration.options.dual_log_enable = true;
    write_all(everything());
    for (const auto& log : {own, xferlog}) {
        const auto report =
            run("LOGWATCH_DETAIL_LEVEL=10 LOGWATCH_DATE_RANGE=today perl "
                "-I" +
                reference("usr/share/logwatch/lib") + ' ' + script + " <" + log);
        EXPECT_EQ(report.status, 0) << report.output;
        EXPECT_THAT(report.output, Not(HasSubstr("Unmatched"))) << report.output;
        EXPECT_THAT(report.output, HasSubstr("User: alice"));
        if (log != own) continue;
        EXPECT_THAT(report.output, HasSubstr("(192.0.2.7): alice - 1 Time(s)"));
        EXPECT_THAT(report.output, HasSubstr("(192.0.2.7): me@x_y - 1 Time(s)"));
        EXPECT_THAT(report.output, HasSubstr("Failed FTP Logins"));
    }
}

}  // namespace
