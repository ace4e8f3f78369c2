// SPDX-License-Identifier: MIT
// Clients and circumstances that misbehave; each hurts its own session at most (whole sessions).
#include "tests/sessions/conversation.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace sessions;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

// Bob is logged in all the time and must not notice.
class BadInput : public testing::Test {
  protected:
    void TearDown() override {
        if (IsSkipped()) return;
        EXPECT_EQ(bystander.say("NOOP"), "200 NOOP ok.");
        EXPECT_EQ(bystander.store("files/still", "works"), "226 Transfer complete.");
        Conversation newcomer(server, "127.0.0.9");
        EXPECT_EQ(newcomer.login(bob), "230 Login successful.");
        EXPECT_THAT(server.errors(), Not(HasSubstr("signal")));
        EXPECT_THAT(server.errors(), Not(HasSubstr("Sanitizer")));
    }
    const std::filesystem::path files = home_of(alice) / "files";
    Server server{{"chroot_local_user=YES"}};
    Conversation bystander{server, bob};
};

}  // namespace

TEST_F(BadInput, PasswordOfTenThousandBytes) {
    Conversation ftp(server);
    ftp.say("USER alice");
    EXPECT_THAT(ftp.say("PASS " + std::string(10'000, 'x')),
                AnyOf(StartsWith("530"), "500 Input line too long."));
}

TEST_F(BadInput, LinesOfFiveThousandBytesBeforeLogin) {
    Conversation ftp(server);
    EXPECT_EQ(ftp.say("USER " + std::string(5'000, 'x')), "500 Input line too long.");
    EXPECT_TRUE(ftp.ended());
}

TEST_F(BadInput, LinesOfFiveThousandBytesAfterLogin) {
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("CWD " + std::string(5'000, 'x')), "500 Input line too long.");
    EXPECT_TRUE(ftp.ended());
}

TEST_F(BadInput, LinesThatNeverEnd) {
    Conversation ftp(server, alice);
    ftp.send(std::string(100'000, 'x'));
    EXPECT_EQ(ftp.reply(), "500 Input line too long.");
    EXPECT_TRUE(ftp.ended());
}

TEST_F(BadInput, PathsAsLongAsALineMayBe) {
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("CWD " + std::string(4'000, 'x')), StartsWith("550"));
    std::string deep;
    while (deep.size() < 4'000) deep += "a/";
    EXPECT_THAT(ftp.say("MKD " + deep), StartsWith("550"));
    EXPECT_THAT(ftp.say("RNFR " + deep), StartsWith("550"));
}

TEST_F(BadInput, FoldersDeeperThanAPathMayBe) {
    Conversation ftp(server, alice);
    ftp.say("CWD files");
    const std::string name(200, 'd');
    for (int depth = 0; depth < 40; ++depth) {
        const auto made = ftp.say("MKD " + name);
        const auto entered = ftp.say("CWD " + name);
        EXPECT_THAT(made, AnyOf(StartsWith("257"), StartsWith("55")));
        EXPECT_THAT(entered, AnyOf(StartsWith("250"), StartsWith("550")));
    }
    EXPECT_THAT(ftp.say("PWD"), StartsWith("257"));
    EXPECT_THAT(ftp.say("CWD /"), StartsWith("250"));
}

TEST_F(BadInput, NulAndCarriageReturnInNames) {
    Conversation ftp(server, alice);
    ftp.send(std::string("MKD files/a\0b\r\n", 15));
    EXPECT_THAT(ftp.reply(), AnyOf(StartsWith("257"), StartsWith("55"), StartsWith("501")));
    ftp.send("MKD files/a\rb\r\n");
    EXPECT_THAT(ftp.reply(), AnyOf(StartsWith("257"), StartsWith("55"), StartsWith("501")));
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    for (const auto& entry : std::filesystem::directory_iterator(files))
        EXPECT_EQ(entry.path().filename().string().find('\0'), std::string::npos);
    // However it is stored, no listing and no log line is torn in two by it.
    for (const auto& line : lines_of(ftp.list("NLST files")))
        EXPECT_THAT(line, Not(HasSubstr("\n")));
    for (const auto& line : lines_of(server.log())) EXPECT_THAT(line, HasSubstr("[pid "));
}

TEST_F(BadInput, NulBeforeLogin) {
    Conversation ftp(server);
    ftp.send(std::string("US\0ER alice\r\n", 13));
    EXPECT_THAT(ftp.reply(), StartsWith("530"));
    ftp.send(std::string("USER al\0ice\r\nPASS wonderland\r\n", 30));
    EXPECT_THAT(ftp.reply(), StartsWith("331"));
    EXPECT_EQ(ftp.reply(), "530 Login incorrect.");
}

TEST_F(BadInput, EveryByteThereIs) {
    Conversation ftp(server, alice);
    std::string bytes;
    for (int byte = 1; byte < 256; ++byte)
        if (byte != '\n' && byte != '\r' && byte != '/') bytes += static_cast<char>(byte);
    EXPECT_THAT(ftp.store("files/" + bytes.substr(0, 120), "x"),
                AnyOf(StartsWith("226"), StartsWith("55")));
    EXPECT_THAT(ftp.say(bytes), StartsWith("5"));
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

TEST_F(BadInput, TenThousandUnknownCommands) {
    Conversation ftp(server, alice);
    std::size_t answered = 0;
    for (int round = 0; round < 100; ++round) {
        std::string lines;
        for (int number = 0; number < 100; ++number)
            lines += "XYZZY " + std::to_string(number) + "\r\n";
        ftp.send(lines);
        for (int number = 0; number < 100; ++number)
            answered += ftp.reply() == "500 Unknown command." ? 1 : 0;
    }
    EXPECT_EQ(answered, 10'000U);
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

TEST_F(BadInput, AClientThatNeverReads) {
    Conversation ftp(server, alice);
    const timeval soon{0, 300'000};
    ::setsockopt(ftp.fd(), SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    const std::string lines = [] {
        std::string all;
        for (int i = 0; i < 1000; ++i) all += "HELP\r\n";
        return all;
    }();
    for (int round = 0; round < 500; ++round)
        if (::send(ftp.fd(), lines.data(), lines.size(), MSG_NOSIGNAL) < 0) break;
    EXPECT_EQ(bystander.say("NOOP"), "200 NOOP ok.");
    ftp.hang_up();
    EXPECT_TRUE(eventually([&] { return server.processes("alice").empty(); }));
}

TEST_F(BadInput, AClientThatNeverReadsItsDownload) {
    write_file(files / "big", noise(20'000'000), alice.uid);
    Conversation ftp(server, alice);
    auto data = ftp.open();
    EXPECT_THAT(ftp.say("RETR files/big"), StartsWith("150"));
    EXPECT_EQ(bystander.say("NOOP"), "200 NOOP ok.");
    ftp.hang_up();
    EXPECT_TRUE(eventually([&] { return server.processes("alice").empty(); }))
        << "the end of the control connection ends the transfer";
}

TEST_F(BadInput, AClientThatVanishes) {
    for (int round = 0; round < 3; ++round) {
        Conversation ftp(server, alice);
        auto data = ftp.open();
        if (round > 0) ftp.say("STOR files/part");
        if (round > 1) data.write(noise(10'000));
        const linger hard{1, 0};
        ::setsockopt(ftp.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        ftp.hang_up();
        data.reset();
        EXPECT_TRUE(eventually([&] { return server.processes("alice").empty(); }));
    }
}

TEST_F(BadInput, PortToAThirdHost) {
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("PORT 192,0,2,1,20,20"), "500 Illegal PORT command.");
    EXPECT_EQ(ftp.say("EPRT |1|192.0.2.1|5140|"), "500 Illegal EPRT command.");
    EXPECT_EQ(ftp.say("LIST"), "425 Use PORT or PASV first.");
}

TEST_F(BadInput, PortBelow1024) {
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("PORT 127,0,0,1,3,255"), "500 Illegal PORT command.");
    EXPECT_EQ(ftp.say("PORT 127,0,0,1,0,0"), "500 Illegal PORT command.");
}

TEST_F(BadInput, ADataConnectionFromElsewhere) {
    Conversation ftp(server, alice);
    const auto port = ftp.passive_port();
    const auto thief = connect_to({"127.0.0.1", port}, "127.0.0.66");
    EXPECT_EQ(ftp.say("STOR files/x"), "425 Security: Bad IP connecting.");
    EXPECT_EQ(content_of(files / "x"), "(none)");
    const auto line = server.complained("127\\.0\\.0\\.66");
    EXPECT_THAT(line, HasSubstr("127.0.0.1"));
}

TEST_F(BadInput, HomeMissing) {
    Conversation ftp(server);
    EXPECT_THAT(ftp.login(homeless), StartsWith("500 OOPS: cannot change directory:"));
    EXPECT_TRUE(ftp.ended());
}

TEST_F(BadInput, HomeThatIsAFile) {
    write_file(place("home/nowhere"), "no folder");
    Conversation ftp(server);
    EXPECT_THAT(ftp.login(homeless), StartsWith("500 OOPS: cannot change directory:"));
    EXPECT_TRUE(ftp.ended());
}

TEST_F(BadInput, DiskFullDuringStor) {
    mount_small(files / "small", 256 * 1024, alice.uid);
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.store("files/small/f", noise(1'000'000)), StartsWith("452"));
    EXPECT_TRUE(std::filesystem::exists(files / "small/f")) << "delete_failed_uploads is off";
    server.logged(R"(FAIL UPLOAD: Client "127\.0\.0\.1", "/files/small/f", \d+ bytes)");
    EXPECT_EQ(ftp.say("DELE files/small/f"), "250 Delete operation successful.");
    EXPECT_EQ(ftp.store("files/small/g", "fits"), "226 Transfer complete.");
}

TEST(BadInputAlone, DiskFullDuringStorDeletesWhereConfigured) {
    mount_small(home_of(alice) / "files/small", 256 * 1024, alice.uid);
    Server server({"delete_failed_uploads=YES"});
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.store("files/small/f", noise(1'000'000)), StartsWith("452"));
    EXPECT_FALSE(std::filesystem::exists(home_of(alice) / "files/small/f"));
}

TEST_F(BadInput, AFileTruncatedWhileItIsSent) {
    write_file(files / "big", noise(30'000'000), alice.uid);
    Conversation ftp(server, alice);
    auto data = ftp.open();
    EXPECT_EQ(ftp.say("RETR files/big"),
              "150 Opening BINARY mode data connection for files/big (30000000 bytes).");
    data.read(1000);
    std::filesystem::resize_file(files / "big", 1000);
    data.read_all();
    EXPECT_THAT(ftp.reply(), StartsWith("426")) << "never a 226";
    server.logged(R"(FAIL DOWNLOAD: Client "127\.0\.0\.1", "/files/big")");
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

TEST_F(BadInput, AFolderDeletedUnderASession) {
    make_folder(files / "d", alice.uid);
    Conversation ftp(server, alice);
    ftp.say("CWD files/d");
    std::filesystem::remove(files / "d");
    ftp.list();
    EXPECT_THAT(ftp.began + ftp.done, HasSubstr("550"));
    EXPECT_THAT(ftp.store("f", "x"), StartsWith("553"));
    EXPECT_THAT(ftp.say("CWD .."), AnyOf(StartsWith("250"), StartsWith("550")));
    EXPECT_THAT(ftp.say("CWD /"), StartsWith("250"));
}

TEST_F(BadInput, SpecialFilesDoNotBlock) {
    ASSERT_EQ(::mkfifo((files / "pipe").c_str(), 0666), 0);
    ASSERT_EQ(::chown((files / "pipe").c_str(), alice.uid, alice.uid), 0);
    Conversation ftp(server, alice);
    ftp.retrieve("files/pipe");
    EXPECT_THAT(ftp.began, StartsWith("550"));
    EXPECT_THAT(ftp.store("files/pipe", "x"), StartsWith("553"));
    EXPECT_THAT(ftp.say("SIZE files/pipe"), StartsWith("550"));
    EXPECT_THAT(ftp.say("HASH files/pipe"), StartsWith("55"));
}

TEST_F(BadInput, LinksInCircles) {
    std::filesystem::create_symlink("b", files / "a");
    std::filesystem::create_symlink("a", files / "b");
    std::filesystem::create_symlink(".", files / "self");
    Conversation ftp(server, alice);
    ftp.retrieve("files/a");
    EXPECT_THAT(ftp.began, StartsWith("550"));
    EXPECT_THAT(ftp.list("LIST files"), HasSubstr("self -> ."));
    std::string path = "files";
    for (int depth = 0; depth < 60; ++depth) path += "/self";
    EXPECT_THAT(ftp.say("CWD " + path), AnyOf(StartsWith("250"), StartsWith("550")));
}

TEST_F(BadInput, TelnetBytes) {
    Conversation ftp(server, alice);
    ftp.send("\xff\xfb\x01NOOP\r\n");
    EXPECT_THAT(ftp.reply(), AnyOf(StartsWith("500"), StartsWith("200")));
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

TEST_F(BadInput, TlsOnAPlainPort) {
    Conversation ftp(server);
    ftp.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + noise(512));
    ftp.send("\r\n");
    EXPECT_THAT(ftp.reply(), StartsWith("5"));
}

TEST_F(BadInput, HttpOnTheFtpPort) {
    Conversation ftp(server);
    ftp.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(ftp.reply(), "500 HTTP protocol commands not allowed.");
    EXPECT_TRUE(ftp.ended());
}

TEST_F(BadInput, NonsenseBeforeLoginEndsTheConnection) {
    Conversation ftp(server);
    for (int number = 0; number < 10; ++number)
        EXPECT_EQ(ftp.say("XYZZY"), "530 Please login with USER and PASS.");
    EXPECT_EQ(ftp.say("XYZZY"), "500 Too many errors.");
    EXPECT_TRUE(ftp.ended());
}

TEST_F(BadInput, NamesThatWouldForgeALogLine) {
    Conversation ftp(server);
    EXPECT_EQ(ftp.login("a] FAIL LOGIN: Client \"9.9.9.9\",", "x"), "530 Login incorrect.");
    EXPECT_EQ(ftp.login("x\"] OK LOGIN: Client \"8.8.8.8", "x"), "530 Login incorrect.");
    EXPECT_EQ(ftp.login(alice), "230 Login successful.");
    ftp.say("MKD files/q\", 5 bytes\" Client \"7.7.7.7");
    server.logged("OK MKDIR");
    for (const auto* forged : {"Client \"9.9.9.9\"", "Client \"8.8.8.8\"", "Client \"7.7.7.7\""})
        EXPECT_THAT(server.log(), Not(HasSubstr(forged)));
}

TEST_F(BadInput, AThousandOpenConnectionsOfOneClientThatSaysNothing) {
    std::vector<base::Fd> silent;
    for (int number = 0; number < 45; ++number)
        silent.push_back(connect_to({server.address(), server.port()}, "127.0.0.5"));
    EXPECT_EQ(bystander.say("NOOP"), "200 NOOP ok.");
    Conversation other(server);
    EXPECT_EQ(other.login(alice), "230 Login successful.");
}

// ----- files of the administrator

TEST(BadConfiguration, MissingFile) {
    const auto ran = run({path_of(Program::jailftpd), "/no/such/file.conf"});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("/no/such/file.conf"));
}

TEST(BadConfiguration, AFolderInsteadOfAFile) {
    const auto ran = run({path_of(Program::jailftpd), "/etc"});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("/etc"));
}

TEST(BadConfiguration, AFileOfSomebodyElse) {
    write_file(place("x.conf"), "listen=YES\n", alice.uid);
    const auto ran = run({path_of(Program::jailftpd), place("x.conf")});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("config file not owned by correct user, or not a file"));
}

TEST(BadConfiguration, APortThatIsTaken) {
    const auto taken = listen_at({"127.0.0.1", 4040});
    write_file(place("x.conf"), "listen=YES\nlisten_address=127.0.0.1\nlisten_port=4040\n");
    const auto ran = run({path_of(Program::jailftpd), place("x.conf")});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("could not bind listening IPv4 socket"));
    EXPECT_TRUE(eventually([] { return processes("jailftpd").empty(); })) << described(processes());
}

// Found without a server: what the files of TLS hold, not only that they are there.
TEST(BadConfiguration, CertificatesThatAreNone) {
    const auto one = authority::make({});
    const auto other = authority::make({});
    write_file(place("key.pem"), other.key);
    const auto checked = [](const std::string& certificate, const std::string& more = {}) {
        write_file(place("cert.pem"), certificate);
        write_file(place("x.conf"), "listen=YES\nssl_enable=YES\nrsa_cert_file=" +
                                        place("cert.pem").string() + '\n' + more);
        return run({path_of(Program::jailftpd), "--check-config", place("x.conf")});
    };
    const auto good = checked(one.certificate + one.key);
    EXPECT_EQ(good.status, 0) << good.out;
    const auto cipher = checked(one.certificate + one.key, "ssl_ciphers=NONSENSE\n");
    EXPECT_EQ(cipher.status, 2);
    EXPECT_THAT(cipher.out, HasSubstr("x.conf:4: error: SSL: could not set cipher list"));
    const auto nonsense = checked("nonsense");
    EXPECT_EQ(nonsense.status, 2);
    EXPECT_THAT(nonsense.out, HasSubstr("x.conf:3: error: SSL: cannot load RSA certificate: " +
                                        place("cert.pem").string()));
    const auto alien =
        checked(one.certificate, "rsa_private_key_file=" + place("key.pem").string() + '\n');
    EXPECT_EQ(alien.status, 2);
    EXPECT_THAT(alien.out, HasSubstr("x.conf:4: error: SSL: cannot load RSA private key: " +
                                     place("key.pem").string()));
    const auto started = run({path_of(Program::jailftpd), place("x.conf")});
    EXPECT_EQ(started.status, 2);
    EXPECT_THAT(started.err, HasSubstr("x.conf:4: error: SSL: cannot load RSA private key: "));
    EXPECT_THAT(alien.out, Not(HasSubstr("the configuration is good")));
}

// Said at start and by --check-config, and no more than said.
TEST(BadConfiguration, WhatIsOnlyOddIsServed) {
    Server server({"max_clients=40", "max_per_ip=many", "userlist_deny=NO", "pasv_min_port=6000",
                   "pasv_max_port=5000"});
    EXPECT_EQ(Conversation(server).login(alice), "230 Login successful.");
    const auto checked =
        run({path_of(Program::jailftpd), "--check-config", server.config_file().string()});
    EXPECT_EQ(checked.status, 0) << checked.out;
    for (const auto* odd :
         {"\"many\" is no number for: max_per_ip (taken as 0; ",
          "userlist_deny=NO has no effect without userlist_enable=YES (set userlist_enable=YES",
          "pasv_min_port (6000) is above pasv_max_port (5000) (then"}) {
        EXPECT_THAT(checked.out, HasSubstr(odd));
        EXPECT_THAT(server.errors(), HasSubstr(odd));
    }
    EXPECT_THAT(checked.out, testing::ContainsRegex("vsftpd.conf:[0-9]+: warning: .many. is no"));
}
