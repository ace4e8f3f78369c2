// SPDX-License-Identifier: MIT
// Processes that die, servers that stop and reload: what happens to the others (whole sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace sessions;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

class ProcessLife : public testing::Test {
  protected:
    void SetUp() override {
        if (std::getenv("JAILFTPD_TRY_REFERENCE") != nullptr) GTEST_SKIP();
    }
};

bool lets_in(const Server& server, const Account& account = bob) {
    Conversation ftp(server);
    return ftp.login(account) == "230 Login successful.";
}

std::string clients_told(Conversation& ftp) {
    const auto status = ftp.say("STAT");
    const auto at = status.find("client count was ");
    return at == status.npos ? status : status.substr(at + 17, status.find('\n', at) - at - 17);
}

}  // namespace

// ----- kill -9

TEST_F(ProcessLife, AKilledSessionEndsItsClientAlone) {
    Server server({"max_clients=3"});
    Conversation victim(server, alice);
    Conversation other(server, bob);
    ::kill(server.process("alice"), SIGKILL);
    EXPECT_TRUE(victim.ended());
    EXPECT_EQ(other.say("NOOP"), "200 NOOP ok.");
    server.complained("alice.*signal 9");
    EXPECT_TRUE(lets_in(server, alice));
}

TEST_F(ProcessLife, AKilledSessionEndsItsTransferToo) {
    Server server;
    write_file(home_of(alice) / "files/big", noise(20'000'000), alice.uid);
    Conversation victim(server, alice);
    auto data = victim.open();
    EXPECT_THAT(victim.say("RETR files/big"), StartsWith("150"));
    data.read(1000);
    ::kill(server.process("alice"), SIGKILL);
    data.read_all();
    EXPECT_TRUE(victim.ended()) << "and never a 226";
}

TEST_F(ProcessLife, AKilledGreeterEndsItsClientAlone) {
    Server server;
    Conversation victim(server);
    ::kill(server.process("127.0.0.1 [greeter]"), SIGKILL);
    // Where the spawner's word of it comes first, the supervisor still has a word for the client.
    const auto last = victim.reply();
    if (last != "(end)" && last != "(reset)") {
        EXPECT_EQ(last, "421 Service not available, please try later.");
        EXPECT_TRUE(victim.ended());
    }
    EXPECT_TRUE(eventually([&] { return lets_in(server); }));
}

TEST_F(ProcessLife, AKilledSpareIsReplaced) {
    Server server;
    ASSERT_TRUE(lets_in(server));
    for (const auto& spare : server.processes("jailftpd: [session]")) ::kill(spare.pid, SIGKILL);
    for (const auto& spare : server.processes("jailftpd: [greeter]")) ::kill(spare.pid, SIGKILL);
    EXPECT_TRUE(eventually([&] { return lets_in(server); }));
}

TEST_F(ProcessLife, AKilledSpawnerIsReplacedAndSessionsGoOn) {
    Server server;
    Conversation ftp(server, alice);
    const auto before = server.process("[spawner]");
    ::kill(before, SIGKILL);
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    EXPECT_EQ(ftp.store("files/after", "x"), "226 Transfer complete.");
    EXPECT_TRUE(eventually([&] { return lets_in(server); }));
    EXPECT_NE(server.process("[spawner]"), before);
    EXPECT_EQ(ftp.say("QUIT"), "221 Goodbye.");
}

TEST_F(ProcessLife, AKilledAuthenticatorFailsItsOwnLoginsAtMost) {
    Server server;
    Conversation ftp(server, alice);
    ::kill(server.process("authenticator"), SIGKILL);
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    EXPECT_TRUE(eventually([&] { return lets_in(server); }));
}

// The supervisor finds out by the login that it cannot pass on.
TEST_F(ProcessLife, AnAuthenticatorThatDiesAsALoginComesIsReplaced) {
    Server server;
    Conversation ftp(server);
    EXPECT_THAT(ftp.say("USER " + bob.name), StartsWith("331"));
    const auto authenticator = server.process("authenticator");
    server.signal(SIGSTOP);
    ftp.send("PASS " + bob.password + "\r\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    ::kill(authenticator, SIGKILL);
    server.signal(SIGCONT);
    EXPECT_EQ(ftp.reply(), "230 Login successful.");
    EXPECT_TRUE(server.running());
}

TEST_F(ProcessLife, AKilledHelperIsReplaced) {
    Server server({"anonymous_enable=YES"});
    Conversation ftp(server, alice);
    for (const auto& helper : server.processes("helper")) ::kill(helper.pid, SIGKILL);
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    const Account anonymous{"ftp", 0, "me@here"};
    EXPECT_TRUE(eventually([&] { return lets_in(server, anonymous); }));
}

TEST_F(ProcessLife, CountersComeBackDownWhateverKilledThem) {
    Server server({"max_clients=4", "max_per_ip=4"});
    for (int round = 0; round < 4; ++round) {
        Conversation one(server, alice);
        ::kill(server.process("alice"), SIGKILL);
        EXPECT_TRUE(one.ended());
        EXPECT_TRUE(eventually([&] { return server.processes("alice").empty(); }));
    }
    // A crash may have its address waiting for a moment; another address sees the counter.
    std::string told;
    EXPECT_TRUE(eventually([&] {
        Conversation ftp(server, "127.0.0.3");
        ftp.login(bob);
        told = clients_told(ftp);
        return told == "1";
    })) << told;
}

TEST_F(ProcessLife, ADeadSupervisorLetsTransfersFinishAndThenSays421) {
    Server server({}, {.cleanly = false});
    const auto big = noise(30'000'000);
    write_file(home_of(alice) / "files/big", big, alice.uid);
    Conversation idle(server, bob);
    Conversation ftp(server, alice);
    auto data = ftp.open();
    EXPECT_THAT(ftp.say("RETR files/big"), StartsWith("150"));
    auto received = data.read(1000);
    server.signal(SIGKILL);
    server.wait();
    received += data.read_all();
    EXPECT_TRUE(received == big);
    EXPECT_EQ(ftp.reply(), "226 Transfer complete.");
    EXPECT_THAT(ftp.reply(), StartsWith("421"));
    EXPECT_TRUE(ftp.ended());
    EXPECT_THAT(idle.reply(), StartsWith("421"));
    EXPECT_TRUE(eventually([] { return processes("jailftpd").empty(); })) << "left behind:\n"
                                                                          << described(processes());
}

TEST_F(ProcessLife, LeavesNothingBehindAfterFiveHundredConnections) {
    Server server({"anonymous_enable=YES", "max_per_ip=0"});
    const auto visit = [&](int number) {
        Conversation ftp(server);
        switch (number % 5) {
            case 0:
                ftp.hang_up();
                break;  // vanishes
            case 1:
                ftp.say("QUIT");
                break;  // never logs in
            case 2:
                ftp.login(alice.name, "wrong");
                break;
            case 3:
                ftp.login("ftp", "me@here");
                ftp.say("QUIT");
                break;
            default:
                ftp.login(alice);
                ftp.say("PASV");  // never connects
                ftp.say("QUIT");
        }
    };
    const auto idle = [&] {
        return eventually([&] {
            return server.processes("127.0.0.1").empty() && sessions::processes().size() > 2;
        });
    };
    for (int number = 0; number < 50; ++number) visit(number);
    ASSERT_TRUE(idle());
    std::size_t before = 0;
    eventually([&] {
        return std::exchange(before, descriptors_of(server.pid())) == before && before > 0;
    });
    for (int number = 0; number < 500; ++number) visit(number);
    ASSERT_TRUE(idle());
    EXPECT_TRUE(eventually([&] { return descriptors_of(server.pid()) <= before; }))
        << before << " before, now " << descriptors_of(server.pid());
    EXPECT_TRUE(eventually([&] {
        for (const auto& each : processes())
            if (each.state == 'Z') return false;
        return true;
    })) << described(processes());
}

// ----- stopping

TEST_F(ProcessLife, StopsAtOnceWithoutClients) {
    Server server;
    const auto before = std::chrono::steady_clock::now();
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(3));
}

TEST_F(ProcessLife, TellsIdleClientsWhenItStops) {
    Server server;
    Conversation greeted(server);
    Conversation idle(server, alice);
    server.signal(SIGTERM);
    EXPECT_THAT(idle.reply(), StartsWith("421"));
    EXPECT_TRUE(idle.ended());
    EXPECT_THAT(greeted.reply(), StartsWith("421"));
    EXPECT_EQ(server.wait(), 0);
}

class Stopping : public ProcessLife {
  protected:
    // A download that is under way, and a client that reads when it is told to.
    void begin() {
        write_file(home_of(alice) / "files/big", big, alice.uid);
        data = ftp.open();
        EXPECT_THAT(ftp.say("RETR files/big"), StartsWith("150"));
        received = data.read(1000);
    }
    const std::string big = noise(30'000'000);
    Server server{Lines{}, {.ini = "[server]\ngrace = 20\n"}};
    Conversation ftp{server, alice};
    Data data;
    std::string received;
};

TEST_F(Stopping, LetsATransferFinishWithinTheGrace) {
    begin();
    server.signal(SIGTERM);
    EXPECT_TRUE(eventually([&] { return Conversation(server).greeting == "(refused)"; }))
        << "nobody else is let in";
    received += data.read_all();
    EXPECT_TRUE(received == big);
    EXPECT_EQ(ftp.reply(), "226 Transfer complete.");
    EXPECT_THAT(ftp.reply(), StartsWith("421"));
    EXPECT_TRUE(ftp.ended());
    EXPECT_EQ(server.wait(), 0);
}

TEST_F(Stopping, EndsAllAtTheSecondSignal) {
    begin();
    server.signal(SIGTERM);
    EXPECT_TRUE(eventually([&] { return Conversation(server).greeting == "(refused)"; }));
    EXPECT_TRUE(server.running());
    const auto before = std::chrono::steady_clock::now();
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
    EXPECT_LT((received + data.read_all()).size(), big.size());
}

// ----- reloading

TEST_F(ProcessLife, ReadsItsFileAgainForNewConnections) {
    Server server({"ftpd_banner=old"});
    Conversation before(server, alice);
    server.rewrite({"ftpd_banner=new"});
    server.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return Conversation(server).greeting == "220 new"; }));
    EXPECT_EQ(before.say("NOOP"), "200 NOOP ok.") << "who is there stays";
}

TEST_F(ProcessLife, KeepsTheOldConfigurationWhenTheNewOneIsBad) {
    Server server({"ftpd_banner=old"});
    server.rewrite({"ftpd_banner=new", "no_such_option=YES"});
    server.signal(SIGHUP);
    const auto line = server.complained("no_such_option");
    EXPECT_THAT(line, HasSubstr(server.config_file().string()));
    server.complained("stays as it was");
    EXPECT_EQ(Conversation(server).greeting, "220 old");
}

TEST_F(ProcessLife, KeepsTheOldConfigurationWhenTheFileIsGone) {
    Server server({"ftpd_banner=old"});
    std::filesystem::remove(server.config_file());
    server.signal(SIGHUP);
    server.complained("stays as it was");
    EXPECT_EQ(Conversation(server).greeting, "220 old");
}

TEST_F(ProcessLife, KeepsSettingsOfTheCommandLineAcrossReloads) {
    Server server({"ftpd_banner=from the file"}, {.arguments = {"-oftpd_banner=from the line"}});
    EXPECT_EQ(Conversation(server).greeting, "220 from the line");
    server.rewrite({"ftpd_banner=other", "max_login_fails=1"});
    server.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] {
        Conversation ftp(server);
        ftp.login("alice", "wrong");
        return ftp.reply(std::chrono::milliseconds(300)) == "(end)";
    })) << "the file was read";
    EXPECT_EQ(Conversation(server).greeting, "220 from the line");
}

TEST_F(ProcessLife, MovesToAnotherPortOnReload) {
    Server server;
    Conversation before(server, alice);
    server.rewrite({"listen_port=3100"});
    server.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return static_cast<bool>(connect_to({"127.0.0.1", 3100})); }));
    EXPECT_EQ(before.say("NOOP"), "200 NOOP ok.");
}
