// SPDX-License-Identifier: MIT
// Conversations with a greeter in a process of its own; the test is its client and its supervisor.
#include "greeter/greeter.hpp"

#include "tests/control/line_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing_support::LineClient;
using testing_support::patience;

std::pair<base::Fd, base::Fd> stream_pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    return {base::Fd{ends[0]}, base::Fd{ends[1]}};
}

// A file of the administrator's; gone with this.
class AdministratorsFile {
  public:
    explicit AdministratorsFile(std::string_view content) {
        std::string name = testing::TempDir() + "greeter-XXXXXX";
        const base::Fd file{::mkstemp(name.data())};
        path = name;
        std::ofstream(path) << content;
    }
    ~AdministratorsFile() { ::unlink(path.c_str()); }
    AdministratorsFile(const AdministratorsFile&) = delete;
    AdministratorsFile& operator=(const AdministratorsFile&) = delete;

    std::string path;
};

config::Options defaults() {
    config::Options options;
    options.local_enable = true;
    options.delay_failed_login = 0;
    return options;
}

// A greeter that serves one client; it is gone when this is.
class Served {
  public:
    explicit Served(const config::Options& options = defaults()) : Served(options, stream_pair()) {}
    ~Served() {
        client.hang_up();
        supervisor.close();
        (void)exit_code();
    }

    // What the greeter asks for next; nothing when it has ended.
    std::optional<ipc::Message> asked() {
        auto message = supervisor.wait(patience);
        if (!message) return std::nullopt;
        return std::move(message.value());
    }

    std::string refuse(ipc::Refusal refusal, bool close_after = false, std::string_view text = {}) {
        ipc::LoginRefused refused{};
        refused.refusal = refusal;
        refused.close_after = close_after ? 1 : 0;
        refused.text.assign(text);
        EXPECT_TRUE(supervisor.send(refused));
        return client.reply();
    }

    int exit_code() {
        int status = 0;
        if (pid_ <= 0 || ::waitpid(std::exchange(pid_, 0), &status, 0) < 0) return -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

    LineClient client;
    ipc::Channel supervisor;
    std::string greeting;

  private:
    Served(const config::Options& options, std::pair<base::Fd, base::Fd> control)
        : client(std::move(control.first)) {
        auto channels = ipc::Channel::pair();
        supervisor = std::move(channels.value().first);
        pid_ = ::fork();
        if (pid_ == 0) {
            client.hang_up();
            supervisor.close();
            control.second.close();
            if (!greeter::prepare(options)) ::_exit(99);
            ::_exit(greeter::run(std::move(channels.value().second), options));
        }
        ipc::Connection connection{};
        connection.peer.v4.sin_family = AF_INET;
        connection.peer.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int descriptors[] = {control.second.get()};
        EXPECT_TRUE(supervisor.send(connection, descriptors));
        greeting = client.reply();
    }

    pid_t pid_ = 0;
};

// ----- the greeting

TEST(Greeting, NamesTheProgram) {
    EXPECT_EQ(Served().greeting, "220 (jailftpd " JAILFTPD_VERSION ")");
}

TEST(Greeting, IsTheAdministratorsText) {
    auto options = defaults();
    options.ftpd_banner = "Welcome";
    EXPECT_EQ(Served(options).greeting, "220 Welcome");
}

TEST(Greeting, IsTheAdministratorsFileBeforeTheText) {
    const AdministratorsFile file("one\ntwo\n");
    auto options = defaults();
    options.ftpd_banner = "Welcome";
    options.banner_file = file.path;
    EXPECT_EQ(Served(options).greeting, "220-one\n220-two\n220 ");
}

// ----- conversations that need no supervisor: what is said and what is answered

struct Exchange {
    const char* said;
    const char* answered;
};

struct Talk {
    const char* name;
    std::vector<Exchange> exchanges;
    std::function<void(config::Options&)> options = [](config::Options&) {};
};

class Talks : public testing::TestWithParam<Talk> {};

TEST_P(Talks, GoAsVsftpdsDo) {
    auto options = defaults();
    GetParam().options(options);
    Served served(options);
    for (const auto& exchange : GetParam().exchanges) {
        EXPECT_EQ(served.client.say(exchange.said), exchange.answered) << exchange.said;
    }
}

// clang-format off
INSTANTIATE_TEST_SUITE_P(Greeter, Talks, testing::Values(
    Talk{"commands_need_a_login", {
        {"SYST",          "530 Please login with USER and PASS."},
        {"help",          "530 Please login with USER and PASS."},
        {"RETR secret",   "530 Please login with USER and PASS."}}},
    Talk{"pass_needs_user", {
        {"PASS x",        "503 Login with USER first."}}},
    Talk{"quit", {
        {"QUIT",          "221 Goodbye."},
        {"NOOP",          "(end)"}}},
    Talk{"http_is_cut_off", {
        {"GET / HTTP/1.1","500 HTTP protocol commands not allowed."},
        {"NOOP",          "(end)"}}},
    Talk{"options_and_clients", {
        {"OPTS UTF8 ON",  "200 Always in UTF8 mode."},
        {"opts utf8 on",  "200 Always in UTF8 mode."},
        {"OPTS UTF8 OFF", "501 Option not understood."},
        {"CLNT lftp",     "200 Don't care."},
        {"AUTH TLS",      "530 Please login with USER and PASS."},
        {"HOST a.example","220 Host accepted."},
        {"HOST",          "501 Syntax error in parameters or arguments."},
        {"USER ann",      "331 Please specify the password."},
        {"HOST a.example","503 HOST comes before USER."}}},
    Talk{"anonymous_only", {
        {"USER ann",      "530 This FTP server is anonymous only."},
        {"USER ann",      "530 This FTP server is anonymous only."},
        {"USER ann",      "530 This FTP server is anonymous only."},
        {"PASS x",        "503 Login with USER first."},
        {"USER FTP",      "331 Please specify the password."}},
        [](auto& options) { options.local_enable = false; }},
    Talk{"local_users_need_tls", {
        {"USER ftp",      "331 Please specify the password."},
        {"USER ann",      "530 Non-anonymous sessions must use encryption."},
        {"NOOP",          "(end)"}},
        [](auto& options) { options.ssl_enable = true; }},
    Talk{"anonymous_needs_tls", {
        {"USER ftp",      "530 Anonymous sessions must use encryption."},
        {"NOOP",          "(end)"}},
        [](auto& options) { options.ssl_enable = options.force_anon_logins_ssl = true; }},
    Talk{"empty_and_odd_user_names_are_asked_for_a_password", {
        {"USER",          "331 Please specify the password."},
        {"USER a b\x01",  "331 Please specify the password."}}}
    ), [](const auto& test) { return std::string(test.param.name); });
// clang-format on

TEST(Greeter, AnswersTenMistakesAndEndsAtTheEleventh) {
    Served served;
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(served.client.say("JUNK"), "530 Please login with USER and PASS.");
    EXPECT_EQ(served.client.say("JUNK"), "500 Too many errors.");
    EXPECT_EQ(served.client.reply(), "(end)");
    EXPECT_EQ(served.exit_code(), 0);
}

TEST(Greeter, SurvivesTenThousandUnknownCommandsAtOnce) {
    Served served;
    std::string many;
    for (int i = 0; i < 10'000; ++i) many += "JUNK\r\n";
    served.client.send(many);
    std::string last;
    for (auto reply = served.client.reply(); reply != "(end)" && reply != "(reset)";
         reply = served.client.reply())
        last = reply;
    EXPECT_EQ(last, "500 Too many errors.");
    EXPECT_EQ(served.exit_code(), 0);
}

TEST(Greeter, EndsOnALineThatIsTooLong) {
    Served served;
    EXPECT_EQ(served.client.say("USER " + std::string(5000, 'x')), "500 Input line too long.");
    EXPECT_EQ(served.client.reply(), "(end)");
}

TEST(Greeter, EndsWithATimeoutReply) {
    auto options = defaults();
    options.idle_session_timeout = 1;
    Served served(options);
    EXPECT_EQ(served.client.reply(), "421 Timeout.");
    EXPECT_EQ(served.client.reply(), "(end)");
}

TEST(Greeter, AnnouncesWhatWorks) {
    Served served;
    const auto features = served.client.say("FEAT");
    EXPECT_THAT(features, StartsWith("211-Features:"));
    EXPECT_THAT(features, HasSubstr("\n UTF8"));
    EXPECT_THAT(features, HasSubstr("\n REST STREAM"));
    EXPECT_THAT(features, Not(HasSubstr("AUTH")));
}

// ----- the login

TEST(Login, IsAskedOfTheSupervisorWithAllThatTheClientSentAhead) {
    Served served;
    EXPECT_EQ(served.client.say("USER ann"), "331 Please specify the password.");
    served.client.send("PASS my word \r\nPWD\r\nLI");
    const auto message = served.asked();
    const auto* request = message ? message->as<ipc::Authenticate>() : nullptr;
    ASSERT_NE(request, nullptr);
    EXPECT_EQ(request->user.view(), "ann");
    EXPECT_EQ(request->password.view(), "my word ");
    EXPECT_EQ(request->has_password, 1U);
    EXPECT_EQ(request->anonymous, 0U);
    EXPECT_EQ(request->too_long, 0U);
    EXPECT_EQ(request->unread.view(), "PWD\r\nLI");
    EXPECT_EQ(message->descriptors.size(), 1U);
}

TEST(Login, AcceptedLeavesTheClientToTheSessionInSilence) {
    Served served;
    served.client.say("USER ann");
    served.client.send("PASS x\r\n");
    auto message = served.asked();
    ASSERT_TRUE(message && message->as<ipc::Authenticate>() != nullptr);
    ASSERT_TRUE(served.supervisor.send(ipc::LoginAccepted{}));
    EXPECT_EQ(served.exit_code(), 0);
    // The session's end of the same connection is whole, in both directions.
    const int session = message->descriptors.front().get();
    ASSERT_EQ(::send(session, "230 Hello.\r\n", 12, MSG_NOSIGNAL), 12);
    EXPECT_EQ(served.client.reply(), "230 Hello.");
    served.client.send("PWD\r\n");
    char bytes[16];
    EXPECT_EQ(::recv(session, bytes, sizeof bytes, 0), 5);
}

TEST(Login, RefusedForgetsTheUserAndMayBeTriedAgain) {
    Served served;
    served.client.say("USER ann");
    served.client.send("PASS wrong\r\n");
    ASSERT_TRUE(served.asked());
    EXPECT_EQ(served.refuse(ipc::Refusal::incorrect), "530 Login incorrect.");
    EXPECT_EQ(served.client.say("PASS wrong"), "503 Login with USER first.");
    EXPECT_EQ(served.client.say("USER ann"), "331 Please specify the password.");
}

TEST(Login, RefusedGoesOnWithWhatWasSentAhead) {
    Served served;
    served.client.send("USER ann\r\nPASS wrong\r\nCLNT x\r\n");
    EXPECT_EQ(served.client.reply(), "331 Please specify the password.");
    ASSERT_TRUE(served.asked());
    EXPECT_EQ(served.refuse(ipc::Refusal::incorrect), "530 Login incorrect.");
    EXPECT_EQ(served.client.reply(), "200 Don't care.");
}

TEST(Login, RefusedTooOftenCloses) {
    Served served;
    served.client.say("USER ann");
    served.client.send("PASS wrong\r\n");
    ASSERT_TRUE(served.asked());
    EXPECT_EQ(served.refuse(ipc::Refusal::incorrect, true), "530 Login incorrect.");
    EXPECT_EQ(served.client.reply(), "(end)");
}

TEST(Login, FatalRefusalIsTheAdministratorsText) {
    Served served;
    served.client.say("USER ann");
    served.client.send("PASS right\r\n");
    ASSERT_TRUE(served.asked());
    EXPECT_EQ(served.refuse(ipc::Refusal::fatal, true, "cannot change directory:/home/ann"),
              "500 OOPS: cannot change directory:/home/ann");
    EXPECT_EQ(served.client.reply(), "(end)");
}

TEST(Login, TooLongNameOrPasswordIsMarkedAndCut) {
    Served served;
    EXPECT_EQ(served.client.say("USER ann"), "331 Please specify the password.");
    served.client.send("PASS " + std::string(4000, 'p') + "\r\n");
    const auto message = served.asked();
    const auto* request = message ? message->as<ipc::Authenticate>() : nullptr;
    ASSERT_NE(request, nullptr);
    EXPECT_EQ(request->too_long, 1U);
}

TEST(Login, AnonymousIsMarkedWhateverTheLetterCase) {
    for (const char* name : {"ftp", "Anonymous", "FTP"}) {
        Served served;
        served.client.say(std::string("USER ") + name);
        served.client.send("PASS me@x\r\n");
        const auto message = served.asked();
        const auto* request = message ? message->as<ipc::Authenticate>() : nullptr;
        ASSERT_NE(request, nullptr) << name;
        EXPECT_EQ(request->anonymous, 1U) << name;
    }
}

TEST(Login, AnonymousIsAnOrdinaryNameWhereItIsOff) {
    auto options = defaults();
    options.anonymous_enable = false;
    Served served(options);
    EXPECT_EQ(served.client.say("USER ftp"), "331 Please specify the password.");
    served.client.send("PASS x\r\n");
    const auto message = served.asked();
    ASSERT_TRUE(message && message->as<ipc::Authenticate>() != nullptr);
    EXPECT_EQ(message->as<ipc::Authenticate>()->anonymous, 0U);
}

TEST(Login, AnonymousWithoutPasswordHappensAtUser) {
    auto options = defaults();
    options.no_anon_password = true;
    Served served(options);
    served.client.send("USER ftp\r\n");
    const auto message = served.asked();
    ASSERT_TRUE(message && message->as<ipc::Authenticate>() != nullptr);
    EXPECT_EQ(message->as<ipc::Authenticate>()->has_password, 0U);
}

TEST(Login, IsGivenUpWhenTheClientHangsUp) {
    Served served;
    served.client.say("USER ann");
    served.client.send("PASS x\r\n");
    ASSERT_TRUE(served.asked());
    served.client.hang_up();
    EXPECT_EQ(served.exit_code(), 0);
}

// ----- the user list

class UserList : public testing::Test {
  protected:
    UserList() : options_(defaults()) {
        options_.userlist_enable = true;
        options_.userlist_file = list_.path;
    }
    AdministratorsFile list_{"root\nftp\n"};
    config::Options options_;
};

TEST_F(UserList, RefusesThoseListedAndCountsThem) {
    options_.max_login_fails = 2;
    options_.anonymous_enable = false;
    Served served(options_);
    EXPECT_EQ(served.client.say("USER ann"), "331 Please specify the password.");
    served.client.send("USER root\r\n");
    const auto message = served.asked();
    ASSERT_TRUE(message && message->as<ipc::Record>() != nullptr);
    EXPECT_EQ(served.client.reply(), "530 Permission denied.");
    EXPECT_EQ(served.client.say("PASS x"), "503 Login with USER first.");
    EXPECT_EQ(served.client.say("USER root"), "530 Permission denied.");
    EXPECT_EQ(served.client.reply(), "(end)");
}

TEST_F(UserList, RefusesThoseNotListedWhenItIsOfTheAllowed) {
    options_.userlist_deny = false;
    Served served(options_);
    EXPECT_EQ(served.client.say("USER ann"), "530 Permission denied.");
    EXPECT_EQ(served.client.say("USER ftp"), "331 Please specify the password.");
}

TEST_F(UserList, IsEmptyWithoutLocalUsers) {
    options_.local_enable = false;
    EXPECT_EQ(Served(options_).client.say("USER ftp"), "331 Please specify the password.");
    options_.userlist_deny = false;
    EXPECT_EQ(Served(options_).client.say("USER ftp"), "530 Permission denied.");
}

TEST_F(UserList, DelaysTheRefusal) {
    options_.delay_failed_login = 1;
    Served served(options_);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(served.client.say("USER root"), "530 Permission denied.");
    EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
}

TEST_F(UserList, ThatCannotBeReadLetsNobodyIn) {
    options_.userlist_file = "/nonexistent/list";
    ASSERT_TRUE(greeter::prepare(options_));
    Served served(options_);
    EXPECT_EQ(served.greeting, "500 OOPS: cannot read user list file:/nonexistent/list");
    EXPECT_EQ(served.client.reply(), "(end)");
    ASSERT_TRUE(greeter::prepare(defaults()));
}

// ----- the end of the server

TEST(Stop, IsToldToTheClient) {
    Served served;
    ASSERT_TRUE(served.supervisor.send(ipc::Stop{30, 0}));
    EXPECT_THAT(served.client.reply(), StartsWith("421 "));
    EXPECT_EQ(served.client.reply(), "(end)");
}

TEST(Stop, OfASupervisorThatDiedIsToldToo) {
    Served served;
    served.supervisor.close();
    EXPECT_THAT(served.client.reply(), StartsWith("421 "));
}

TEST(Stop, WithoutAClientEndsTheSpare) {
    auto channels = ipc::Channel::pair();
    channels.value().first.close();
    EXPECT_EQ(greeter::run(std::move(channels.value().second), defaults()), 0);
}

TEST(Protocol, IsRecordedWithoutThePassword) {
    auto options = defaults();
    options.log_ftp_protocol = true;
    Served served(options);
    served.client.send("USER ann\r\nPASS secret\r\n");
    std::vector<std::string> seen;
    for (auto message = served.asked(); message; message = served.asked()) {
        const auto* record = message->as<ipc::Record>();
        if (record == nullptr) break;
        seen.emplace_back(record->path.view());
    }
    EXPECT_EQ(seen,
              (std::vector<std::string>{"220 (jailftpd " JAILFTPD_VERSION ")", "USER ann",
                                        "331 Please specify the password.", "PASS <password>"}));
}

// ----- certificates

// Without TLS nobody can look at one.
TEST(Proof, IsNotLookedAtWithoutTls) {
    auto channels = ipc::Channel::pair();
    ASSERT_TRUE(channels.value().first.send(ipc::ProofPart{}));
    EXPECT_EQ(greeter::run(std::move(channels.value().second), defaults()), 2);
}

}  // namespace
