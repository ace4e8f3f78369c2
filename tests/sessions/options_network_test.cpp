// SPDX-License-Identifier: MIT
// Each option about listening, data connections, transfers, listings, messages and logs, off and
// on; one suite for each, with its name (whole sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace sessions;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Mode = Conversation::Mode;

namespace {

constexpr auto not_allowed = "550 Permission denied.";
constexpr auto complete = "226 Transfer complete.";

std::filesystem::path files() { return home_of(alice) / "files"; }

// What alice is answered with these options.
std::string answer(const Lines& options, const std::string& command) {
    Server server(options);
    return Conversation(server, alice).say(command);
}

std::string listing(const Lines& options, const std::string& command, Setup setup = {}) {
    Server server(options, std::move(setup));
    return Conversation(server, alice).list(command);
}

std::string greeting(const Lines& options) {
    Server server(options);
    return Conversation(server).greeting;
}

// A login and an upload, all written.
void be_logged(const Server& server) {
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.store("files/f", "x"), complete);
    EXPECT_EQ(ftp.say("QUIT"), "221 Goodbye.");
    EXPECT_TRUE(ftp.ended());
}

bool comes(const std::filesystem::path& file, const std::string& text) {
    return eventually([&] { return content_of(file).find(text) != std::string::npos; });
}

std::set<std::uint16_t> passive_ports(Conversation& ftp) {
    std::set<std::uint16_t> ports;
    for (int round = 0; round < 20; ++round) ports.insert(ftp.passive_port());
    return ports;
}

// For what must not happen after one.
constexpr std::chrono::milliseconds long_after_a_second{2500};

// Options whose mechanism does not exist here say so at start.
void expect_told(const std::string& line, const std::string& expression) {
    Server server({line});
    server.complained(line + " has no effect.*" + expression);
    EXPECT_THAT(Conversation(server).greeting, StartsWith("220"));
}

double seconds_since(std::chrono::steady_clock::time_point then) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

// What --check-config says of a file with these lines, and that it says it as an error.
std::string refusal(const std::string& lines) {
    write_file(place("x.conf"), "listen=YES\nlocal_enable=YES\nanonymous_enable=NO\n" + lines);
    const auto ran = run({path_of(Program::jailftpd), place("x.conf"), "--check-config"});
    EXPECT_EQ(ran.status, 2) << ran.out;
    return ran.out;
}

constexpr auto own_line = "OK UPLOAD";
constexpr auto wu_line = "/files/f b _ i";

}  // namespace

// ----- listening

TEST(Listen, TakesIPv4Clients) {
    Server server({"listen=YES"});
    EXPECT_THAT(Conversation(server).greeting, StartsWith("220"));
    write_file(place("x.conf"), "listen=NO\nlocal_enable=YES\nxferlog_enable=NO\n");
    const auto ran = run({path_of(Program::jailftpd), place("x.conf")});
    EXPECT_NE(ran.status, 0) << "it waits for no client then";
}

TEST(ListenIpv6, TakesClientsOfBothFamilies) {
    Server server({"listen=NO", "listen_ipv6=YES", "listen_address6=::"});
    EXPECT_TRUE(connect_to({"::1", server.port()}));
    EXPECT_TRUE(connect_to({"127.0.0.1", server.port()}));
}

TEST(ListenAddress, IsTheOnlyOne) {
    Server server({}, {.address = "127.0.0.2"});
    EXPECT_TRUE(connect_to({"127.0.0.2", server.port()}));
    EXPECT_FALSE(connect_to({"127.0.0.1", server.port()}));
}

TEST(ListenAddress6, IsTheOnlyOne) {
    Server server({}, {.address = "::1"});
    EXPECT_TRUE(connect_to({"::1", server.port()}));
    EXPECT_FALSE(connect_to({"127.0.0.1", server.port()}));
}

TEST(ListenPort, IsWhereClientsConnect) {
    Server server({}, {.port = 3201});
    EXPECT_TRUE(connect_to({"127.0.0.1", 3201}));
    EXPECT_FALSE(connect_to({"127.0.0.1", 3202}));
}

TEST(MaxClients, TurnsTheNextOneAway) {
    Server server({"max_clients=2"});
    Conversation first(server);
    Conversation second(server);
    EXPECT_EQ(Conversation(server).greeting,
              "421 There are too many connected users, please try later.");
    second.say("QUIT");
    EXPECT_TRUE(second.ended());
    EXPECT_TRUE(eventually([&] { return Conversation(server).greeting.starts_with("220"); }));
    server.logged(R"(CONNECT: Client "127\.0\.0\.1", "Connection refused: too many sessions\.")");
}

TEST(MaxClients, IsNoLimitAtZero) {
    Server server({"max_clients=0", "max_per_ip=0"});
    Conversation first(server);
    EXPECT_THAT(Conversation(server).greeting, StartsWith("220"));
}

TEST(FtpEnable, MustStayOn) {
    EXPECT_THAT(refusal("ftp_enable=NO\n"),
                HasSubstr("x.conf:4: error: vsftpd: both FTP and HTTP"));
    EXPECT_THAT(greeting({"ftp_enable=YES"}), StartsWith("220"));
}

TEST(HttpEnable, MustStayOff) {
    EXPECT_THAT(refusal("http_enable=YES\n"),
                HasSubstr("x.conf:4: error: this server speaks FTP only"));
    EXPECT_THAT(greeting({"http_enable=NO"}), StartsWith("220"));
}

// ----- data connections

TEST(PasvEnable, AllowsPassiveConnections) {
    EXPECT_THAT(answer({"pasv_enable=YES"}, "PASV"), StartsWith("227"));
    EXPECT_EQ(answer({"pasv_enable=NO"}, "PASV"), not_allowed);
    EXPECT_EQ(answer({"pasv_enable=NO"}, "EPSV"), not_allowed);
    EXPECT_THAT(answer({"pasv_enable=NO"}, "FEAT"), Not(HasSubstr("PASV")));
}

TEST(PortEnable, AllowsActiveConnections) {
    EXPECT_THAT(answer({"port_enable=YES"}, "PORT 127,0,0,1,20,20"), StartsWith("200"));
    EXPECT_EQ(answer({"port_enable=NO"}, "PORT 127,0,0,1,20,20"), not_allowed);
    EXPECT_EQ(answer({"port_enable=NO"}, "EPRT |1|127.0.0.1|5140|"), not_allowed);
}

TEST(PasvPromiscuous, TakesAnotherAddress) {
    for (const bool on : {true, false}) {
        Server server({on ? "pasv_promiscuous=YES" : "pasv_promiscuous=NO"});
        Conversation ftp(server, alice);
        const auto stranger = connect_to({"127.0.0.1", ftp.passive_port()}, "127.0.0.2");
        EXPECT_THAT(ftp.say("LIST"), StartsWith(on ? "150" : "425 Security: Bad IP connecting."));
    }
}

TEST(PortPromiscuous, ConnectsToAnyAddress) {
    EXPECT_THAT(answer({"port_promiscuous=YES"}, "PORT 127,0,0,2,20,20"), StartsWith("200"));
    EXPECT_THAT(answer({"port_promiscuous=NO"}, "PORT 127,0,0,2,20,20"), StartsWith("500"));
}

TEST(ConnectFromPort20, IsWhereDataComesFrom) {
    for (const bool on : {true, false}) {
        Server server({on ? "connect_from_port_20=YES" : "connect_from_port_20=NO"});
        Conversation ftp(server, alice);
        auto data = ftp.open(Mode::active);
        EXPECT_THAT(ftp.say("LIST"), StartsWith("150"));
        EXPECT_EQ(data.peer().port() == 20, on);
        data.read_all();
        EXPECT_THAT(ftp.reply(), StartsWith("226"));
    }
}

TEST(FtpDataPort, IsWhereDataComesFrom) {
    for (const int port : {20, 2020}) {
        Server server({"connect_from_port_20=YES", "ftp_data_port=" + std::to_string(port)});
        Conversation ftp(server, alice);
        auto data = ftp.open(Mode::active);
        EXPECT_THAT(ftp.say("LIST"), StartsWith("150"));
        EXPECT_EQ(data.peer().port(), port);
        data.read_all();
        EXPECT_THAT(ftp.reply(), StartsWith("226"));
    }
}

TEST(PasvMinPort, IsTheLowestOne) {
    Server server({"pasv_min_port=60001"});
    Conversation ftp(server, alice);
    for (int round = 0; round < 20; ++round) EXPECT_GE(ftp.passive_port(), 60001);
}

TEST(PasvMinPort, Is5001WithoutIt) {
    Server server;
    Conversation ftp(server, alice);
    const auto ports = passive_ports(ftp);
    EXPECT_GE(*ports.begin(), 5001);
    EXPECT_LT(*ports.begin(), 60001);
}

TEST(PasvMaxPort, IsTheHighestOne) {
    Server server({"pasv_min_port=5001", "pasv_max_port=5010"});
    Conversation ftp(server, alice);
    for (int round = 0; round < 20; ++round) EXPECT_LE(ftp.passive_port(), 5010);
}

// With none below pasv_min_port, either: it does not count then.
TEST(PasvMaxPort, IsNoneWithoutIt) {
    for (const auto* option : {"pasv_max_port=0", "pasv_max_port=5000"}) {
        Server server({"pasv_min_port=5001", option});
        Conversation ftp(server, alice);
        EXPECT_GT(*passive_ports(ftp).rbegin(), 5020) << option;
    }
}

TEST(BindRetries, AreAsManyAsThereArePorts) {
    expect_told("bind_retries=1", "all ports between");
    // One port of twenty is free: nine tries would mostly miss it.
    std::vector<base::Fd> taken;
    for (std::uint16_t port = 41000; port < 41019; ++port)
        taken.push_back(listen_at({"127.0.0.1", port}));
    Server server({"bind_retries=1", "pasv_min_port=41000", "pasv_max_port=41019"});
    EXPECT_EQ(Conversation(server, alice).passive_port(), 41019);
}

TEST(AcceptTimeout, EndsTheWaitForTheClient) {
    Server server({"accept_timeout=1"});
    Conversation ftp(server, alice);
    EXPECT_NE(ftp.passive_port(), 0);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(ftp.say("LIST"), "425 Failed to establish connection.");
    EXPECT_GE(seconds_since(before), 0.9);
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

TEST(AcceptTimeout, IsAMinuteWithoutIt) {
    Server server;
    Conversation ftp(server, alice);
    const auto port = ftp.passive_port();
    ftp.send("LIST\r\n");
    EXPECT_EQ(ftp.reply(long_after_a_second), "(nothing)");
    Data data{connect_to({"127.0.0.1", port})};
    EXPECT_THAT(ftp.reply(), StartsWith("150"));
    EXPECT_THAT(data.read_all(), HasSubstr("files"));
    EXPECT_THAT(ftp.reply(), StartsWith("226"));
}

namespace {

// A full queue of connections: the kernel leaves further attempts without an answer.
struct FullQueue {
    FullQueue() { EXPECT_EQ(::listen(listener.get(), 0), 0); }
    const base::Fd listener = listen_at({"127.0.0.1", 5140});
    const base::Fd waiting = connect_to({"127.0.0.1", 5140});
    const std::string command = "PORT 127,0,0,1,20,20";
};

}  // namespace

TEST(ConnectTimeout, EndsTheWaitForTheClient) {
    Server server({"connect_timeout=1"});
    Conversation ftp(server, alice);
    const FullQueue full;
    EXPECT_THAT(ftp.say(full.command), StartsWith("200"));
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(ftp.say("LIST"), "425 Failed to establish connection.");
    EXPECT_GE(seconds_since(before), 0.9);
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

// The kernel tries again and again; once there is room, it gets through.
TEST(ConnectTimeout, IsAMinuteWithoutIt) {
    Server server;
    Conversation ftp(server, alice);
    const FullQueue full;
    EXPECT_THAT(ftp.say(full.command), StartsWith("200"));
    ftp.send("LIST\r\n");
    EXPECT_EQ(ftp.reply(long_after_a_second), "(nothing)");
    const base::Fd first{::accept4(full.listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    Data data{base::Fd{::accept4(full.listener.get(), nullptr, nullptr, SOCK_CLOEXEC)}};
    EXPECT_THAT(ftp.reply(), StartsWith("150"));
    EXPECT_THAT(data.read_all(), HasSubstr("files"));
    EXPECT_THAT(ftp.reply(), StartsWith("226"));
}

TEST(DataConnectionTimeout, EndsWhatDoesNotMove) {
    Server server({"data_connection_timeout=1"});
    Conversation ftp(server, alice);
    auto data = ftp.open();
    EXPECT_THAT(ftp.say("STOR files/slow"), StartsWith("150"));
    EXPECT_EQ(ftp.reply(), "421 Data timeout. Reconnect. Sorry.");
    EXPECT_TRUE(ftp.ended());
}

TEST(DataConnectionTimeout, LeavesWhatMovesAlone) {
    Server server({"data_connection_timeout=2"});
    Conversation ftp(server, alice);
    auto data = ftp.open();
    EXPECT_THAT(ftp.say("STOR files/slow"), StartsWith("150"));
    for (int round = 0; round < 6; ++round) {
        data.write("x");
        EXPECT_EQ(ftp.reply(std::chrono::milliseconds(500)), "(nothing)");
    }
    data.close();
    EXPECT_EQ(ftp.reply(), complete);
}

TEST(IdleSessionTimeout, EndsIdleSessions) {
    Server server({"idle_session_timeout=1"});
    Conversation greeted(server);
    Conversation ftp(server, alice);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(ftp.reply(), "421 Timeout.");
    EXPECT_GE(seconds_since(before), 0.9);
    EXPECT_TRUE(ftp.ended());
    EXPECT_EQ(greeted.reply(), "421 Timeout.");
    EXPECT_TRUE(greeted.ended());
}

TEST(IdleSessionTimeout, IsNoneAtZero) {
    Server server({"idle_session_timeout=0"});
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.reply(std::chrono::milliseconds(1500)), "(nothing)");
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

// ----- transfers

TEST(LocalMaxRate, IsKept) {
    write_file(files() / "f", noise(200'000), alice.uid);
    Server server({"local_max_rate=200000", "anon_max_rate=1"});
    Conversation ftp(server, alice);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(ftp.retrieve("files/f").size(), 200'000U);
    EXPECT_GE(seconds_since(before), 0.6);
}

// With any rate of these tests it would take 100 s.
TEST(LocalMaxRate, IsNoneWithoutIt) {
    write_file(files() / "f", noise(20'000'000), alice.uid);
    Server server({"anon_max_rate=200000"});
    Conversation ftp(server, alice);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(ftp.retrieve("files/f").size(), 20'000'000U);
    EXPECT_LT(seconds_since(before), 50);
}

TEST(AnonMaxRate, IsKept) {
    write_file(home_of(ftp_user) / "f", noise(200'000));
    Server server({"anonymous_enable=YES", "anon_max_rate=200000", "local_max_rate=1"});
    Conversation ftp(server, {"ftp", 0, "me@here"});
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(ftp.retrieve("f").size(), 200'000U);
    EXPECT_GE(seconds_since(before), 0.6);
}

TEST(AnonMaxRate, IsNoneWithoutIt) {
    write_file(home_of(ftp_user) / "f", noise(20'000'000));
    Server server({"anonymous_enable=YES", "local_max_rate=200000"});
    Conversation ftp(server, {"ftp", 0, "me@here"});
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(ftp.retrieve("f").size(), 20'000'000U);
    EXPECT_LT(seconds_since(before), 50);
}

// The sizes of the first steps; one or two may have come together.
TEST(TransChunkSize, IsTheMostOfAStep) {
    write_file(files() / "f", noise(200'000), alice.uid);
    for (const bool on : {true, false}) {
        Server server(
            {"local_max_rate=40000", on ? "trans_chunk_size=1000" : "trans_chunk_size=0"});
        Conversation ftp(server, alice);
        auto data = ftp.open();
        EXPECT_THAT(ftp.say("RETR files/f"), StartsWith("150"));
        std::size_t least = 200'000;
        for (int step = 0; step < 10; ++step) least = std::min(least, data.read(65536).size());
        if (on)
            EXPECT_EQ(least, 1000U);
        else
            EXPECT_GE(least, 4000U);
    }
}

TEST(AsciiUploadEnable, ConvertsLineEnds) {
    for (const bool on : {true, false}) {
        Server server({on ? "ascii_upload_enable=YES" : "ascii_upload_enable=NO"});
        Conversation ftp(server, alice);
        ftp.say("TYPE A");
        EXPECT_EQ(ftp.store("files/f", "a\r\nb\r\n"), complete);
        EXPECT_EQ(content_of(files() / "f"), on ? "a\nb\n" : "a\r\nb\r\n");
    }
}

TEST(AsciiDownloadEnable, ConvertsLineEnds) {
    write_file(files() / "f", "a\nb\n", alice.uid);
    for (const bool on : {true, false}) {
        Server server({on ? "ascii_download_enable=YES" : "ascii_download_enable=NO"});
        Conversation ftp(server, alice);
        ftp.say("TYPE A");
        EXPECT_EQ(ftp.retrieve("files/f"), on ? "a\r\nb\r\n" : "a\nb\n");
    }
}

// What happens instead of the option; the start says so.
TEST(AsyncAborEnable, IsNotNeededForATransferToEndAtAnUrgentByte) {
    write_file(files() / "big", noise(20'000'000), alice.uid);
    for (const auto* option : {"async_abor_enable=YES", "async_abor_enable=NO"}) {
        Server server({option});
        EXPECT_EQ(server.errors().find("async_abor_enable=YES has no effect") != std::string::npos,
                  std::string_view(option).ends_with("YES"));
        Conversation ftp(server, alice);
        auto data = ftp.open();
        EXPECT_THAT(ftp.say("RETR files/big"), StartsWith("150"));
        data.read(1000);
        ftp.send("\xff\xf4");
        ftp.send_urgent("\xff\xf2");
        ftp.send("ABOR\r\n");
        EXPECT_THAT(ftp.reply(), StartsWith("426")) << option;
        EXPECT_THAT(ftp.reply(), StartsWith("226")) << option;
    }
}

TEST(DeleteFailedUploads, RemovesWhatBrokeOff) {
    for (const bool on : {true, false}) {
        Server server({on ? "delete_failed_uploads=YES" : "delete_failed_uploads=NO"});
        Conversation ftp(server, alice);
        auto data = ftp.open();
        EXPECT_THAT(ftp.say("STOR files/new"), StartsWith("150"));
        data.write("half a");
        data.reset();
        EXPECT_THAT(ftp.reply(), StartsWith("426"));
        EXPECT_EQ(std::filesystem::exists(files() / "new"), !on);
    }
}

// What sendfile(2) sends counts as written by the process (proc(5), io), what send(2) does not.
TEST(UseSendfile, IsHowDownloadsAreSent) {
    constexpr long size = 100'000;
    write_file(files() / "f", noise(size), alice.uid);
    const auto written = [](pid_t pid) {
        constexpr std::string_view word = "wchar: ";
        const auto io = content_of("/proc/" + std::to_string(pid) + "/io");
        const auto at = io.find(word);
        return at == std::string::npos ? -1 : std::atol(io.c_str() + at + word.size());
    };
    for (const bool on : {true, false}) {
        Server server({on ? "use_sendfile=YES" : "use_sendfile=NO"});
        Conversation ftp(server, alice);
        const auto session = server.process("alice");
        const auto before = written(session);
        ASSERT_GE(before, 0);
        EXPECT_EQ(ftp.retrieve("files/f"), noise(size));
        EXPECT_EQ(written(session) - before >= size, on);
    }
}

TEST(LockUploadFiles, LetsReadersWait) {
    for (const bool on : {true, false}) {
        Server server({on ? "lock_upload_files=YES" : "lock_upload_files=NO"});
        Conversation writer(server, alice);
        auto data = writer.open();
        EXPECT_THAT(writer.say("STOR files/f"), StartsWith("150"));
        data.write("first ");
        EXPECT_TRUE(eventually([] { return content_of(files() / "f") == "first "; }));
        Conversation reader(server, alice);
        auto other = reader.open();
        reader.send("RETR files/f\r\n");
        if (on)
            EXPECT_EQ(reader.reply(std::chrono::milliseconds(300)), "(nothing)");
        else
            EXPECT_THAT(reader.reply(), StartsWith("150"));
        data.write("second");
        data.close();
        EXPECT_EQ(writer.reply(), complete);
        EXPECT_THAT(reader.reply(), StartsWith(on ? "150" : "226"));
        if (on) {
            EXPECT_EQ(other.read_all(), "first second");
        }
    }
}

// ----- listings and messages

TEST(UseLocaltime, ShowsTheTimeOfTheZone) {
    write_file(files() / "f", "x", alice.uid);
    const auto now = std::time(nullptr) - 7200;
    const timespec times[2] = {{now, 0}, {now, 0}};
    ::utimensat(AT_FDCWD, (files() / "f").c_str(), times, 0);
    for (const bool on : {true, false}) {
        const auto shown = now + (on ? 3 * 3600 : 0);
        char text[32];
        std::strftime(text, sizeof text, "%b %d %H:%M f", std::gmtime(&shown));
        EXPECT_THAT(listing({on ? "use_localtime=YES" : "use_localtime=NO"}, "LIST files",
                            {.environment = {"TZ=XST-3"}}),
                    HasSubstr(text));
    }
}

TEST(HideIds, ShowsFtp) {
    write_file(files() / "f", "x", alice.uid);
    EXPECT_THAT(listing({"hide_ids=YES"}, "LIST files"), HasSubstr("1 ftp      ftp "));
    EXPECT_THAT(listing({"hide_ids=NO"}, "LIST files"), HasSubstr("1 2001     2001 "));
}

TEST(ForceDotFiles, ListsThem) {
    write_file(files() / ".dot", "x", alice.uid);
    EXPECT_THAT(listing({"force_dot_files=YES"}, "NLST files"), HasSubstr(".dot"));
    EXPECT_THAT(listing({"force_dot_files=NO"}, "NLST files"), Not(HasSubstr(".dot")));
}

TEST(LsRecurseEnable, GoesIntoFolders) {
    make_folder(files() / "dir", alice.uid);
    write_file(files() / "dir/inner", "x", alice.uid);
    EXPECT_THAT(listing({"ls_recurse_enable=YES"}, "LIST -R files"), HasSubstr(" inner\r\n"));
    EXPECT_THAT(listing({"ls_recurse_enable=NO"}, "LIST -R files"), Not(HasSubstr("inner")));
}

TEST(DirmessageEnable, ShowsTheTextOfAFolder) {
    write_file(files() / ".message", "mind the step\n", alice.uid);
    EXPECT_THAT(answer({"dirmessage_enable=YES"}, "CWD files"),
                StartsWith("250-mind the step\n250 "));
    EXPECT_THAT(answer({"dirmessage_enable=NO"}, "CWD files"), StartsWith("250 "));
}

TEST(MessageFile, IsTheNameOfTheText) {
    write_file(files() / ".message", "the usual\n", alice.uid);
    write_file(files() / "README", "another\n", alice.uid);
    const Lines on = {"dirmessage_enable=YES"};
    EXPECT_THAT(answer({"dirmessage_enable=YES", "message_file=README"}, "CWD files"),
                StartsWith("250-another\n"));
    EXPECT_THAT(answer(on, "CWD files"), StartsWith("250-the usual\n"));
}

TEST(FtpdBanner, IsTheGreeting) {
    EXPECT_EQ(greeting({"ftpd_banner=Welcome to the archive"}), "220 Welcome to the archive");
    EXPECT_THAT(greeting({}), StartsWith("220 (jailftpd "));
}

TEST(BannerFile, IsTheGreeting) {
    write_file(place("banner"), "one\ntwo\n");
    EXPECT_EQ(greeting({"banner_file=" + place("banner").string(), "ftpd_banner=not this"}),
              "220-one\n220-two\n220 ");
    EXPECT_EQ(greeting({"ftpd_banner=this"}), "220 this");
}

TEST(SetproctitleEnable, ShowsWhatASessionDoes) {
    write_file(files() / "big", noise(20'000'000), alice.uid);
    for (const bool on : {true, false}) {
        Server server({on ? "setproctitle_enable=YES" : "setproctitle_enable=NO"});
        Conversation ftp(server, alice);
        auto data = ftp.open();
        EXPECT_THAT(ftp.say("RETR files/big"), StartsWith("150"));
        EXPECT_EQ(server.processes("RETR").size(), on ? 1U : 0U);
        EXPECT_EQ(server.processes("alice 127.0.0.1 [session]").size(), 1U);
    }
}

// What happens instead of the option; the start says so.
TEST(Utf8Filesystem, IsNotNeededForUtf8InFeatAndNamesAsTheyAre) {
    for (const auto* option : {"utf8_filesystem=YES", "utf8_filesystem=NO"}) {
        Server server({option});
        EXPECT_EQ(server.errors().find("utf8_filesystem=YES has no effect") != std::string::npos,
                  std::string_view(option).ends_with("YES"));
        Conversation ftp(server, alice);
        EXPECT_THAT(ftp.say("FEAT"), HasSubstr(" UTF8\n"));
        EXPECT_EQ(ftp.store("files/gr\xc3\xbc\xc3\x9f", "x"), complete);
        EXPECT_TRUE(std::filesystem::exists(files() / "gr\xc3\xbc\xc3\x9f"));
    }
}

// ----- logs

TEST(XferlogEnable, WritesALog) {
    for (const bool on : {true, false}) {
        Server server({on ? "xferlog_enable=YES" : "xferlog_enable=NO", "dual_log_enable=NO"});
        be_logged(server);
        if (on)
            EXPECT_TRUE(comes(server.log_file(), own_line));
        else
            EXPECT_FALSE(std::filesystem::exists(server.log_file()));
    }
}

TEST(XferlogStdFormat, WritesLinesOfWuFtpd) {
    for (const bool on : {true, false}) {
        Server server(
            {"dual_log_enable=NO", on ? "xferlog_std_format=YES" : "xferlog_std_format=NO"});
        be_logged(server);
        EXPECT_TRUE(comes(on ? server.xferlog_file() : server.log_file(), on ? wu_line : own_line));
        EXPECT_FALSE(std::filesystem::exists(on ? server.log_file() : server.xferlog_file()));
    }
}

TEST(DualLogEnable, WritesBoth) {
    Server server({"xferlog_enable=NO", "dual_log_enable=YES"});
    be_logged(server);
    EXPECT_TRUE(comes(server.log_file(), own_line));
    EXPECT_TRUE(comes(server.xferlog_file(), wu_line));
}

TEST(DualLogEnable, IsOffWithoutIt) {
    Server server({"dual_log_enable=NO"});
    be_logged(server);
    EXPECT_TRUE(comes(server.log_file(), own_line));
    EXPECT_FALSE(std::filesystem::exists(server.xferlog_file()));
}

TEST(XferlogFile, IsWhereTheLogIs) {
    Server server({"xferlog_file=" + place("elsewhere").string()});
    be_logged(server);
    EXPECT_TRUE(comes(place("elsewhere"), wu_line));
    EXPECT_FALSE(std::filesystem::exists(server.xferlog_file()));
}

TEST(VsftpdLogFile, IsWhereTheLogIs) {
    Server server({"vsftpd_log_file=" + place("elsewhere").string()});
    be_logged(server);
    EXPECT_TRUE(comes(place("elsewhere"), own_line));
    EXPECT_FALSE(std::filesystem::exists(server.log_file()));
}

TEST(LogFtpProtocol, LogsCommandsAndReplies) {
    for (const bool on : {true, false}) {
        Server server({on ? "log_ftp_protocol=YES" : "log_ftp_protocol=NO"});
        be_logged(server);
        EXPECT_TRUE(comes(server.log_file(), own_line));
        EXPECT_EQ(server.log().find("FTP command:") != std::string::npos, on);
        EXPECT_EQ(server.log().find("FTP response:") != std::string::npos, on);
    }
}

// Somebody else holds the lock: a line waits for him, for a second at most, and that is told.
TEST(NoLogLock, WritesWhoeverHasTheLock) {
    for (const bool on : {true, false}) {
        Server server({on ? "no_log_lock=YES" : "no_log_lock=NO"});
        EXPECT_TRUE(eventually([&] { return std::filesystem::exists(server.log_file()); }));
        const base::Fd log{::open(server.log_file().c_str(), O_RDWR | O_CLOEXEC)};
        struct flock whole {};
        whole.l_type = F_WRLCK;
        ASSERT_EQ(::fcntl(log.get(), F_OFD_SETLK, &whole), 0);
        be_logged(server);
        EXPECT_TRUE(comes(server.log_file(), own_line));
        if (on)
            EXPECT_THAT(server.errors(), Not(HasSubstr("is locked by another process")));
        else
            server.complained("vsftpd\\.log\" is locked by another process");
    }
}

TEST(WcLogsEnable, IsNotNeededForUtf8) {
    Server server({"wc_logs_enable=YES"});
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("MKD files/gr\xc3\xbc\xc3\x9f"), StartsWith("257"));
    server.logged("OK MKDIR.*files/gr\xc3\xbc\xc3\x9f\"$");
    server.complained("wc_logs_enable=YES has no effect.*UTF-8");
}
