// SPDX-License-Identifier: MIT
// session_support: sessions of PAM, opened and closed, what their modules set for the user, and who
// is logged in (whole sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <sstream>

#include <signal.h>
#include <utmpx.h>

using namespace sessions;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

namespace {

constexpr auto welcome = "230 Login successful.";
constexpr auto wtmp_file = "/var/log/wtmp";
constexpr auto utmp_file = "/run/utmp";

struct Entry {
    int type;
    pid_t pid;
    std::string line;
    std::string user;
    std::string host;
};

template <std::size_t N>
std::string text_of(const char (&field)[N]) {
    return {field, ::strnlen(field, N)};
}

std::vector<Entry> entries(const char* file) {
    const auto bytes = content_of(file);
    std::vector<Entry> all;
    for (std::size_t at = 0; at + sizeof(utmpx) <= bytes.size(); at += sizeof(utmpx)) {
        utmpx entry{};
        std::memcpy(&entry, bytes.data() + at, sizeof entry);
        all.push_back({entry.ut_type, entry.ut_pid, text_of(entry.ut_line), text_of(entry.ut_user),
                       text_of(entry.ut_host)});
    }
    return all;
}

std::vector<Entry> logged_in() {
    auto all = entries(utmp_file);
    std::erase_if(all, [](const Entry& each) { return each.type != USER_PROCESS; });
    return all;
}

class SessionSupport : public testing::Test {
  protected:
    void SetUp() override {
        write_file(wtmp_file, "");
        write_file(utmp_file, "");
        rules("session required pam_permit.so\n");
    }
    void TearDown() override {
        for (const auto* file : {wtmp_file, utmp_file}) std::filesystem::remove(file);
    }
    static void rules(const std::string& lines) { write_file("/etc/pam.d/common-session", lines); }
    static Lines with(const Lines& more = {}) {
        Lines lines = {"session_support=YES"};
        lines.insert(lines.end(), more.begin(), more.end());
        return lines;
    }
    static bool over() {
        return eventually([] { return logged_in().empty(); });
    }
};

std::string limit_of(pid_t pid, const std::string& name) {
    std::istringstream lines(content_of("/proc/" + std::to_string(pid) + "/limits"));
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(name)) continue;
        std::istringstream words(line.substr(name.size()));
        std::string soft;
        std::string hard;
        words >> soft >> hard;
        return soft + ' ' + hard;
    }
    return "(none)";
}

}  // namespace

// ----- who is logged in

TEST_F(SessionSupport, LetsWhoAndLastKnow) {
    Server server(with());
    Conversation ftp(server, alice);
    const auto now = logged_in();
    ASSERT_THAT(now, SizeIs(1));
    EXPECT_EQ(now[0].user, "alice");
    EXPECT_EQ(now[0].host, "127.0.0.1");
    EXPECT_EQ(now[0].line, "vsftpd:" + std::to_string(now[0].pid));
    EXPECT_EQ(::kill(now[0].pid, 0), 0) << "as long as it lasts";
    EXPECT_EQ(ftp.say("QUIT"), "221 Goodbye.");
    EXPECT_TRUE(over());
    const auto history = entries(wtmp_file);
    ASSERT_THAT(history, SizeIs(2));
    EXPECT_EQ(history[0].type, USER_PROCESS);
    EXPECT_EQ(history[0].user, "alice");
    EXPECT_EQ(history[1].type, DEAD_PROCESS);
    EXPECT_EQ(history[1].line, history[0].line);
    EXPECT_EQ(history[1].user, "");
}

TEST_F(SessionSupport, IsOffUnlessItIsWanted) {
    Server server;
    Conversation ftp(server, alice);
    EXPECT_THAT(entries(wtmp_file), IsEmpty());
    EXPECT_THAT(server.processes("[login]"), IsEmpty());
}

TEST_F(SessionSupport, TellsSessionsApart) {
    Server server(with());
    Conversation first(server, alice);
    Conversation second(server, alice);
    Conversation third(server, bob);
    EXPECT_THAT(logged_in(), SizeIs(3));
    second.say("QUIT");
    EXPECT_TRUE(eventually([] { return logged_in().size() == 2; }));
    EXPECT_EQ(first.say("NOOP"), "200 NOOP ok.");
}

TEST_F(SessionSupport, CountsTenants) {
    Server server(with(), {.ini = tenant("carl", "sesame", {"uid = 2101", "gid = 2101"})});
    Conversation ftp(server);
    EXPECT_EQ(ftp.login("carl", "sesame"), welcome);
    ASSERT_THAT(logged_in(), SizeIs(1));
    EXPECT_EQ(logged_in()[0].user, "carl");
    ftp.hang_up();
    EXPECT_TRUE(over());
}

TEST_F(SessionSupport, DoesNotCountAnonymousOnesAndFailures) {
    Server server(with({"anonymous_enable=YES"}));
    Conversation ftp(server);
    ftp.login("ftp", "me@here");
    Conversation guessing(server);
    guessing.login("alice", "wrong");
    EXPECT_THAT(entries(wtmp_file), IsEmpty());
}

TEST_F(SessionSupport, NeedsNoSuchFiles) {
    for (const auto* file : {wtmp_file, utmp_file}) std::filesystem::remove(file);
    Server server(with());
    Conversation ftp(server, alice);
    EXPECT_FALSE(std::filesystem::exists(wtmp_file));
    EXPECT_FALSE(std::filesystem::exists(utmp_file));
}

// ----- however it ends

TEST_F(SessionSupport, EndsWithASessionThatIsKilled) {
    Server server(with());
    Conversation ftp(server, alice);
    EXPECT_THAT(logged_in(), SizeIs(1));
    ::kill(server.process("alice 127.0.0.1 [session]"), SIGKILL);
    EXPECT_TRUE(over());
}

TEST_F(SessionSupport, EndsWhenTheServerStops) {
    {
        Server server(with());
        Conversation one(server, alice);
        Conversation two(server, bob);
        EXPECT_THAT(logged_in(), SizeIs(2));
        server.signal(SIGTERM);
        EXPECT_EQ(server.wait(), 0);
        EXPECT_THAT(logged_in(), IsEmpty()) << "before the server ends";
    }
    EXPECT_THAT(entries(wtmp_file), SizeIs(4));
}

TEST_F(SessionSupport, EndsWhenTheSupervisorIsKilled) {
    Server server(with(), {.cleanly = false});
    Conversation ftp(server, alice);
    EXPECT_THAT(logged_in(), SizeIs(1));
    server.signal(SIGKILL);
    EXPECT_TRUE(over());
    EXPECT_TRUE(eventually([] { return processes("jailftpd").empty(); })) << described(processes());
}

TEST_F(SessionSupport, GoesOnWhenTheAuthenticatorIsKilledAndAfterAReload) {
    Server server(with());
    Conversation ftp(server, alice);
    ::kill(server.process("authenticator"), SIGKILL);
    EXPECT_TRUE(eventually([&] {
        Conversation next(server);
        return next.login(bob) == welcome;
    }));
    server.signal(SIGHUP);
    server.complained("configuration reloaded");
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    EXPECT_TRUE(eventually([] { return logged_in().size() == 1; })) << "alice's lasts";
    ftp.say("QUIT");
    EXPECT_TRUE(over());
}

// ----- what modules set

TEST_F(SessionSupport, MakesAHomeThatIsMissing) {
    make_folder(place("skeleton"));
    write_file(place("skeleton/welcome"), "hello");
    rules("session required pam_mkhomedir.so skel=" + place("skeleton").string() + "\n");
    Server server(with());
    Conversation ftp(server);
    EXPECT_EQ(ftp.login(homeless), welcome);
    EXPECT_EQ(ftp.say("SIZE welcome"), "213 5");
}

TEST_F(SessionSupport, TakesOverLimitsUmaskAndGroups) {
    write_file("/etc/security/limits.conf",
               "alice hard fsize 1\nalice hard cpu 5\nalice hard nofile 40\n");
    write_file("/etc/security/group.conf", "vsftpd;*;*;Al0000-2400;adm\n");
    write_file("/etc/pam.d/vsftpd",
               "auth required pam_unix.so nodelay\nauth required pam_group.so\n"
               "account required pam_permit.so\n"
               "session required pam_limits.so\nsession required pam_umask.so umask=027\n");
    Server server(with());
    Conversation ftp(server, alice);
    const auto session = server.process("alice 127.0.0.1 [session]");
    EXPECT_EQ(limit_of(session, "Max file size"), "1024 1024");
    EXPECT_EQ(limit_of(session, "Max cpu time"), "300 300");
    EXPECT_EQ(limit_of(session, "Max open files"), "40 40");
    EXPECT_EQ(limit_of(session, "Max processes"), "0 0") << "never more than sessions have anyway";
    EXPECT_EQ(ftp.say("SITE UMASK"), "200 Your current UMASK is 027");
    std::istringstream status(content_of("/proc/" + std::to_string(session) + "/status"));
    std::string groups;
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("Groups:")) groups = line + ' ';
    }
    EXPECT_THAT(groups, HasSubstr("\t4 ")) << "adm";
    // A limit is an error of one transfer, not the session's end.
    EXPECT_THAT(ftp.store("files/large", noise(5000)), StartsWith("452"));
    EXPECT_EQ(ftp.store("files/small", "x"), "226 Transfer complete.");

    Conversation other(server, bob);
    EXPECT_EQ(limit_of(server.process("bob 127.0.0.1 [session]"), "Max file size"),
              "unlimited unlimited");
}

TEST_F(SessionSupport, RefusesALoginWhoseSessionCannotBeOpened) {
    rules("session required pam_deny.so\n");
    Server server(with());
    EXPECT_EQ(Conversation(server).login(alice), "530 Login incorrect.");
    server.complained("PAM service vsftpd, session");
    EXPECT_THAT(entries(wtmp_file), IsEmpty());
}
