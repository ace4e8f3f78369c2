// SPDX-License-Identifier: MIT
// Data connections: who makes them, to whom, and what is refused (whole sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace sessions;
using testing::HasSubstr;
using testing::StartsWith;
using Mode = Conversation::Mode;

namespace {

using Way = std::tuple<Mode, const char*>;

std::string name_of(const Way& way) {
    const auto& [mode, address] = way;
    const char* const names[] = {"Passive", "ExtendedPassive", "Active", "ExtendedActive"};
    return std::string(names[static_cast<int>(mode)]) +
           (address[0] == ':' ? "OverIPv6" : "OverIPv4");
}

class EveryMode : public testing::TestWithParam<Way> {};

}  // namespace

TEST_P(EveryMode, CarriesListingsAndFilesBothWays) {
    const auto& [mode, address] = GetParam();
    Server server({}, {.address = address});
    Conversation ftp(server, alice);
    ftp.mode = mode;
    const auto content = noise(300'000);
    EXPECT_EQ(ftp.store("files/f", content), "226 Transfer complete.");
    EXPECT_EQ(ftp.began, "150 Ok to send data.");
    EXPECT_TRUE(ftp.retrieve("files/f") == content);
    EXPECT_EQ(ftp.began, "150 Opening BINARY mode data connection for files/f (300000 bytes).");
    EXPECT_EQ(ftp.done, "226 Transfer complete.");
    EXPECT_THAT(ftp.list("LIST files"), HasSubstr(" 300000 "));
    EXPECT_EQ(ftp.began, "150 Here comes the directory listing.");
    EXPECT_EQ(ftp.done, "226 Directory send OK.");
}

INSTANTIATE_TEST_SUITE_P(
    All, EveryMode,
    testing::Values(Way{Mode::passive, "127.0.0.1"}, Way{Mode::extended_passive, "127.0.0.1"},
                    Way{Mode::active, "127.0.0.1"}, Way{Mode::extended_active, "127.0.0.1"},
                    Way{Mode::extended_passive, "::1"}, Way{Mode::extended_active, "::1"}),
    [](const auto& each) { return name_of(each.param); });

TEST(DataConnections, AreAskedForFirst) {
    Server server;
    Conversation ftp(server, alice);
    for (const auto* line : {"LIST", "NLST", "STOR files/x", "APPE files/x", "STOU"})
        EXPECT_EQ(ftp.say(line), "425 Use PORT or PASV first.") << line;
    EXPECT_EQ(content_of(home_of(alice) / "files/x"), "(none)");
}

TEST(DataConnections, SpeakVsftpdsWords) {
    Server server;
    Conversation ftp(server, alice);
    EXPECT_THAT(
        ftp.say("PASV"),
        testing::ContainsRegex("^227 Entering Passive Mode \\(127,0,0,1,[0-9]+,[0-9]+\\)\\.$"));
    EXPECT_THAT(ftp.say("P@SW"), StartsWith("227 "));
    EXPECT_THAT(
        ftp.say("EPSV"),
        testing::ContainsRegex("^229 Entering Extended Passive Mode \\(\\|\\|\\|[0-9]+\\|\\)$"));
    EXPECT_THAT(ftp.say("EPSV 1"), StartsWith("229 "));
    EXPECT_EQ(ftp.say("EPSV 2"), "522 Bad network protocol.");
    EXPECT_EQ(ftp.say("EPSV 7"), "522 Bad network protocol.");
    EXPECT_EQ(ftp.say("PORT 127,0,0,1,200,10"),
              "200 PORT command successful. Consider using PASV.");
    EXPECT_EQ(ftp.say("EPRT |1|127.0.0.1|5140|"),
              "200 EPRT command successful. Consider using EPSV.");
    EXPECT_EQ(ftp.say("EPRT |7|127.0.0.1|5140|"), "500 Bad EPRT protocol.");
    EXPECT_EQ(ftp.say("EPRT 127.0.0.1"), "500 Bad EPRT command.");
    EXPECT_EQ(ftp.say("EPSV ALL"), "200 EPSV ALL ok.");
    EXPECT_EQ(ftp.say("PASV"), "550 Permission denied.");
    EXPECT_EQ(ftp.say("PORT 127,0,0,1,200,10"), "550 Permission denied.");
}

TEST(ActiveMode, GoesToTheClientItselfOnly) {
    Server server;
    Conversation ftp(server, alice);
    const auto elsewhere = listen_at({"127.0.0.2", 5140});
    for (const auto* line : {"PORT 127,0,0,2,20,20", "PORT 10,0,0,1,20,20", "PORT 127,0,0,1,0,22",
                             "PORT 127,0,0,1,3,255", "PORT 127,0,0,1,20", "PORT 1,2,3,4,5,6,7",
                             "PORT 256,0,0,1,20,20", "PORT", "PORT abc"})
        EXPECT_EQ(ftp.say(line), "500 Illegal PORT command.") << line;
    EXPECT_EQ(ftp.say("EPRT |1|127.0.0.2|5140|"), "500 Illegal EPRT command.");
    EXPECT_EQ(ftp.say("EPRT |1|127.0.0.1|22|"), "500 Illegal EPRT command.");
    EXPECT_EQ(ftp.say("LIST"), "425 Use PORT or PASV first.");
}

TEST(ActiveMode, SaysWhenNobodyListens) {
    Server server;
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("PORT 127,0,0,1,250,1"), StartsWith("200"));
    EXPECT_EQ(ftp.say("LIST"), "425 Failed to establish connection.");
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

TEST(PassiveMode, SaysWhenNoPortIsFree) {
    Server server({"pasv_min_port=40000", "pasv_max_port=40000"});
    Conversation first(server, alice);
    Conversation second(server, bob);
    EXPECT_EQ(first.passive_port(), 40000);
    EXPECT_THAT(second.say("PASV"), StartsWith("425"));
    EXPECT_EQ(second.say("NOOP"), "200 NOOP ok.") << "vsftpd's session would be dead";
    first.say("QUIT");
    EXPECT_TRUE(first.ended());
    EXPECT_TRUE(eventually([&] { return second.say("PASV").starts_with("227"); }));
}

TEST(PassiveMode, FillsNobodysLogWithWhatItRefuses) {
    Server server({"pasv_min_port=40000", "pasv_max_port=40000"});
    Conversation first(server, alice);
    Conversation second(server, bob);
    EXPECT_EQ(first.passive_port(), 40000);
    for (int i = 0; i < 150; ++i) ASSERT_THAT(second.say("PASV"), StartsWith("425"));
    if (std::getenv("JAILFTPD_TRY_REFERENCE") != nullptr) return;
    (void)server.complained("its further warnings are not logged");
    const auto said = server.errors();
    int lines = 0;
    for (auto at = said.find("no passive port"); at != said.npos;
         at = said.find("no passive port", at + 1))
        ++lines;
    EXPECT_EQ(lines, 100);
}

TEST(PassiveMode, TellsTheConfiguredAddress) {
    Server server({"pasv_address=192.0.2.33"});
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("PASV"), HasSubstr("(192,0,2,33,"));
}

TEST(PassiveMode, RefusesAnotherPeerAndNamesBoth) {
    Server server;
    Conversation ftp(server, alice);
    const auto port = ftp.passive_port();
    const auto stranger = connect_to({"127.0.0.1", port}, "127.0.0.2");
    EXPECT_EQ(ftp.say("LIST"), "425 Security: Bad IP connecting.");
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    if (std::getenv("JAILFTPD_TRY_REFERENCE") != nullptr) return;
    const auto line = server.complained("127\\.0\\.0\\.2");
    EXPECT_THAT(line, HasSubstr("127.0.0.1"));
}

TEST(PassiveMode, KeepsItsPortAfterARefusedTransfer) {
    Server server;
    Conversation ftp(server, alice);
    auto data = ftp.open();
    EXPECT_THAT(ftp.say("RETR nothing"), StartsWith("550"));
    EXPECT_THAT(ftp.say("LIST"), StartsWith("150"));
    EXPECT_THAT(data.read_all(), HasSubstr("files"));
    EXPECT_EQ(ftp.reply(), "226 Directory send OK.");
}

TEST(PassiveMode, TakesTheNextPortEachTime) {
    Server server;
    Conversation ftp(server, alice);
    const auto abandoned = ftp.passive_port();
    auto data = ftp.open();
    EXPECT_FALSE(connect_to({"127.0.0.1", abandoned})) << "the first is closed";
    EXPECT_THAT(ftp.say("LIST"), StartsWith("150"));
    EXPECT_THAT(data.read_all(), HasSubstr("files"));
}

namespace {

// Where the server listens for data connections; 0: nowhere.
std::uint16_t data_port(const Server& server) {
    std::ifstream table("/proc/self/net/tcp");
    for (std::string line; std::getline(table, line);) {
        unsigned port = 0;
        unsigned state = 0;
        constexpr unsigned listens = 0x0A;
        if (std::sscanf(line.c_str(), " %*u: %*8x:%4x %*8x:%*4x %2x", &port, &state) == 2 &&
            state == listens && port != server.port())
            return static_cast<std::uint16_t>(port);
    }
    return 0;
}

}  // namespace

// The port that listens ahead is looked for, and found again and again, by somebody at the client's
// address: neither does the transfer suffer, nor is what comes there taken for the client's.
TEST(PassiveMode, MindsNobodyWhoFindsItsPorts) {
    write_file(home_of(alice) / "files/big", noise(20'000'000), alice.uid);
    Server server;
    Conversation ftp(server, alice);
    ftp.list();
    auto data = ftp.open();
    EXPECT_THAT(ftp.say("RETR files/big"), StartsWith("150"));
    std::vector<base::Fd> strangers;
    constexpr std::size_t more_than_a_channel_holds = 500;
    while (strangers.size() < more_than_a_channel_holds &&
           eventually([&] { return data_port(server) != 0; }, std::chrono::seconds(1))) {
        if (auto stranger = connect_to({"127.0.0.1", data_port(server)}))
            strangers.push_back(std::move(stranger));
    }
    EXPECT_GT(strangers.size(), 1U);
    EXPECT_EQ(data.read_all().size(), 20'000'000U);
    EXPECT_EQ(ftp.reply(), "226 Transfer complete.");
    EXPECT_EQ(ftp.retrieve("files/big").size(), 20'000'000U);
    ftp.mode = Conversation::Mode::active;
    EXPECT_EQ(ftp.store("files/f", "text"), "226 Transfer complete.");
}

// Longer than the next port is kept for: that one is closed, and the connection is not.
TEST(PassiveMode, KeepsAConnectionForASlowClient) {
    Server server;
    Conversation ftp(server, alice);
    auto data = ftp.open();
    std::this_thread::sleep_for(std::chrono::seconds(11));
    EXPECT_EQ(data_port(server), 0);
    EXPECT_THAT(ftp.say("LIST"), StartsWith("150"));
    EXPECT_THAT(data.read_all(), HasSubstr("files"));
    EXPECT_EQ(ftp.reply(), "226 Directory send OK.");
}
