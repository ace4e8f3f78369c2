// SPDX-License-Identifier: MIT
// Clients that make handshakes and records as nobody should: many at once, in pieces, urgent,
// stalled, given up in the midst, and what is left of them in the server afterwards.
#include "tests/sessions/secure.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

using namespace sessions;
using testing::ContainsRegex;
using testing::StartsWith;

namespace {

Lines with_tls(const Lines& more = {}, const std::string& key = "EC:prime256v1") {
    authority::Wanted wanted;
    wanted.key = key;
    wanted.common_name = "server";
    const auto made = authority::make(wanted);
    const auto file = place("server.pem");
    write_file(file, made.certificate + made.key, 0, 0600);
    Lines lines = {"ssl_enable=YES", "rsa_cert_file=" + file.string(), "max_per_ip=0",
                   "max_clients=0"};
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
}

// A connection that has its 234, and TLS whose bytes the test itself takes there and back.
class ByHand {
  public:
    explicit ByHand(const Server& server, int version = TLS1_3_VERSION)
        : client_(server), context_(SSL_CTX_new(TLS_client_method())) {
        SSL_CTX_set_min_proto_version(context_.get(), version);
        SSL_CTX_set_max_proto_version(context_.get(), version);
        if (version < TLS1_2_VERSION) SSL_CTX_set_security_level(context_.get(), 0);
        ssl_.reset(SSL_new(context_.get()));
        in_ = BIO_new(BIO_s_mem());
        out_ = BIO_new(BIO_s_mem());
        SSL_set_bio(ssl_.get(), in_, out_);
        SSL_set_connect_state(ssl_.get());
        const int on = 1;
        ::setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        EXPECT_EQ(client_.say("AUTH TLS"), "234 Proceed with negotiation.");
    }

    // What is to be sent next in the handshake, or once that is over, nothing.
    std::string handshake() {
        (void)SSL_do_handshake(ssl_.get());
        return said();
    }
    std::string records_of(std::string_view text) {
        EXPECT_EQ(SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())),
                  static_cast<int>(text.size()));
        return said();
    }
    [[nodiscard]] bool done() const { return SSL_is_init_finished(ssl_.get()) == 1; }

    void send(std::string_view bytes, int flags = 0) const {
        const auto sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | flags);
        EXPECT_EQ(sent, static_cast<ssize_t>(bytes.size()));
    }
    void send_one_by_one(std::string_view bytes, int flags = 0) const {
        for (const char& each : bytes) send({&each, 1}, flags);
    }
    // False at the end of the stream.
    bool receive() {
        std::array<char, 20000> bytes{};
        const auto got = ::recv(fd(), bytes.data(), bytes.size(), 0);
        if (got > 0) BIO_write(in_, bytes.data(), static_cast<int>(got));
        return got > 0;
    }
    void finish() {
        while (!done() && receive()) send(handshake());
        EXPECT_TRUE(done());
    }
    // The first line that comes; "(end)".
    std::string line() {
        while (lines_.find("\r\n") == lines_.npos) {
            std::array<char, 20000> bytes{};
            const auto got = SSL_read(ssl_.get(), bytes.data(), bytes.size());
            if (got > 0)
                lines_.append(bytes.data(), static_cast<std::size_t>(got));
            else if (SSL_get_error(ssl_.get(), got) != SSL_ERROR_WANT_READ || !receive())
                return "(end)";
        }
        const auto end = lines_.find("\r\n");
        auto first = lines_.substr(0, end);
        lines_.erase(0, end + 2);
        return first;
    }

    [[nodiscard]] int fd() const { return client_.fd(); }
    [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
    void hang_up(bool reset) {
        const linger now{1, 0};
        if (reset) ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        client_.hang_up();
    }

  private:
    std::string said() {
        std::string bytes(static_cast<std::size_t>(BIO_pending(out_)), '\0');
        if (!bytes.empty()) BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
        return bytes;
    }

    Conversation client_;
    tls::SslContext context_;
    tls::Ssl ssl_;
    BIO* in_;  // ssl_'s
    BIO* out_;
    std::string lines_;
};

bool ends(const ByHand& client) {
    pollfd wanted{client.fd(), POLLIN, 0};
    std::array<char, 4096> bytes{};
    for (;;) {
        if (::poll(&wanted, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) <= 0)
            return false;
        if (::recv(client.fd(), bytes.data(), bytes.size(), 0) <= 0) return true;
    }
}

std::size_t memory_of(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
    }
    return 0;
}

}  // namespace

// Every ClientHello, or a part of it, is there before any answer is read.
TEST(TlsHostile, TwoHundredHandshakesAtOnceDoNotWaitForEachOther) {
    Server server(with_tls());
    std::vector<std::unique_ptr<ByHand>> clients;
    std::vector<std::string> rest;
    for (int number = 0; number < 200; ++number) {
        clients.push_back(
            std::make_unique<ByHand>(server, number % 2 == 0 ? TLS1_3_VERSION : TLS1_2_VERSION));
        const auto hello = clients.back()->handshake();
        const auto now =
            number % 4 == 3 ? hello.size() * static_cast<std::size_t>(number) / 200 : hello.size();
        clients.back()->send(std::string_view(hello).substr(0, now));
        rest.push_back(hello.substr(now));
    }
    EXPECT_GE(server.processes("[greeter]").size(), clients.size());
    // Those that have stopped in the midst hold nobody up.
    for (const bool stopped : {false, true}) {
        for (std::size_t at = clients.size(); at-- > 0;) {
            if ((at % 4 == 3) != stopped) continue;
            auto& client = *clients[at];
            client.send(rest[at]);
            client.finish();
            client.send(client.records_of("QUIT\r\n"));
            EXPECT_EQ(client.line(), "221 Goodbye.") << at;
        }
    }
}

TEST(TlsHostile, AThousandHandshakesThatAreGivenUpLeaveNothing) {
    Server server(with_tls());
    const auto parts = [&] {
        return std::array{server.pid(), server.process("[signer]"), server.process("[spawner]")};
    };
    const auto give_up = [&](int many) {
        for (int number = 0; number < many;) {
            std::vector<std::unique_ptr<ByHand>> clients;
            for (int together = 0; together < 20; ++together, ++number) {
                clients.push_back(std::make_unique<ByHand>(server));
                auto& client = *clients.back();
                const auto hello = client.handshake();
                switch (number % 4) {
                    case 0:
                        break;
                    case 1:
                        client.send(std::string_view(hello).substr(0, hello.size() / 2));
                        break;
                    case 2:
                        client.send(hello);
                        break;
                    default:
                        client.send(hello);
                        (void)client.receive();
                        client.send("\x16\x03\x03\xff\xff no such record");
                }
            }
            for (auto& each : clients) each->hang_up(number % 3 == 0);
        }
        // The spares alone are there.
        EXPECT_TRUE(eventually([&] { return server.processes("127.0.0.1").empty(); }))
            << described(server.processes(""));
    };
    const auto state = [&] {
        std::vector<std::size_t> counts;
        for (const auto pid : parts()) counts.push_back(descriptors_of(pid));
        counts.push_back(server.processes("").size());
        return counts;
    };
    give_up(200);  // what is made at first use
    EXPECT_TRUE(eventually([&] { return server.processes("[greeter]").size() >= 2; }));
    const auto before = state();
    std::array<std::size_t, 3> memory{};
    const auto pids = parts();
    std::transform(pids.begin(), pids.end(), memory.begin(), &memory_of);
    give_up(1000);
    EXPECT_TRUE(eventually([&] { return state() == before; }))
        << testing::PrintToString(state()) << " were " << testing::PrintToString(before) << '\n'
        << described(server.processes(""));
    EXPECT_EQ(parts(), pids);
#ifndef JAILFTPD_SANITIZED  // AddressSanitizer keeps what was freed
    for (std::size_t at = 0; at < pids.size(); ++at)
        EXPECT_LT(memory_of(pids[at]), memory[at] + 1500) << "kB, " << at;
#endif
    Secure next(server, alice);
    EXPECT_EQ(next.say("NOOP"), "200 NOOP ok.");
}

TEST(TlsHostile, HandshakesAndCommandsComeByteByByte) {
    Server server(with_tls());
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        for (const int flags : {0, static_cast<int>(MSG_OOB)}) {  // urgent bytes are in their place
            ByHand client(server, version);
            client.send_one_by_one(client.handshake(), flags);
            while (!client.done() && client.receive())
                client.send_one_by_one(client.handshake(), flags);
            ASSERT_TRUE(client.done());
            client.send_one_by_one(client.records_of("USER alice\r\n"), flags);
            EXPECT_EQ(client.line(), "331 Please specify the password.");
            std::string records;
            for (const char& each : std::string_view("PASS wonderland\r\n"))
                records += client.records_of({&each, 1});
            client.send(records);
            EXPECT_EQ(client.line(), "230 Login successful.");
            // As telnet interrupts: IAC IP IAC DM.
            const auto abort = client.records_of(
                "\xff\xf4\xff\xf2"
                "ABOR\r\n");
            client.send(std::string_view(abort).substr(0, abort.size() - 1));
            client.send(std::string_view(abort).substr(abort.size() - 1), MSG_OOB);
            EXPECT_EQ(client.line(), "225 No transfer to ABOR.");
            client.send_one_by_one(client.records_of("QUIT\r\n"), flags);
            EXPECT_EQ(client.line(), "221 Goodbye.");
        }
    }
}

// TLS 1.0's ciphers send an empty record ahead of each one.
TEST(TlsHostile, EmptyRecordsAreNothing) {
    Server server(with_tls({"ssl_tlsv1=YES", "ssl_ciphers=HIGH"}, "RSA:2048"));
    ByHand client(server, TLS1_VERSION);
    SSL_clear_options(client.ssl(), SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS);
    client.send(client.handshake());
    client.finish();
    for (const auto* command : {"USER alice\r\n", "PASS wonderland\r\n", "NOOP\r\n"}) {
        const auto records = client.records_of(command);
        const auto size = static_cast<std::size_t>(static_cast<unsigned char>(records.at(3))) << 8 |
                          static_cast<unsigned char>(records.at(4));
        EXPECT_GT(records.size(), size + 5) << "there is another one";
        client.send(records);
        EXPECT_THAT(client.line(), ContainsRegex("^[23]"));
    }
}

TEST(TlsHostile, AHandshakeHasOneDeadlineHoweverOftenAByteComes) {
    Server server(with_tls({"idle_session_timeout=1"}));
    ByHand client(server);
    const auto hello = client.handshake();
    client.send(std::string_view(hello).substr(0, 5));
    pollfd wanted{client.fd(), POLLIN, 0};
    std::size_t at = 5;
    for (; at + 1 < hello.size() && ::poll(&wanted, 1, 50) == 0; ++at)
        (void)::send(client.fd(), &hello[at], 1, MSG_NOSIGNAL);
    EXPECT_LT(at + 1, hello.size());
    EXPECT_TRUE(ends(client));
    server.complained("TLS handshake failed: timeout");
}

TEST(TlsHostile, NothingButNewKeysIsIdling) {
    Server server(with_tls({"idle_session_timeout=1"}));
    for (const bool logged_in : {false, true}) {
        ByHand client(server);
        client.send(client.handshake());
        client.finish();
        if (logged_in) {
            client.send(client.records_of("USER alice\r\nPASS wonderland\r\n"));
            EXPECT_EQ(client.line(), "331 Please specify the password.");
            EXPECT_EQ(client.line(), "230 Login successful.");
        }
        client.send(client.records_of("NOOP\r\n"));  // whose answer is behind the tickets
        EXPECT_THAT(client.line(), ContainsRegex("^[25]"));
        int bursts = 0;
        const auto until = std::chrono::steady_clock::now() + patience;
        pollfd wanted{client.fd(), POLLIN, 0};
        while (::poll(&wanted, 1, 0) == 0 && std::chrono::steady_clock::now() < until) {
            ++bursts;
            std::string records;
            for (int i = 0; i < 50; ++i) {
                ASSERT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
                records += client.handshake();
            }
            (void)::send(client.fd(), records.data(), records.size(), MSG_NOSIGNAL);
        }
        EXPECT_GT(bursts, 3);
        EXPECT_EQ(client.line(), "421 Timeout.") << logged_in;
    }
}

// They are no bytes of an upload: it has stood still, and its client is heard.
TEST(TlsHostile, NothingButNewKeysIsNoUpload) {
    for (const bool abort : {false, true}) {
        Server server(
            with_tls({abort ? "data_connection_timeout=60" : "data_connection_timeout=1"}));
        Secure ftp(server, alice);
        auto data = ftp.open();
        EXPECT_THAT(ftp.say("STOR files/new"), StartsWith("150 "));
        const auto stream = ftp.shake_data(data.get());
        auto* records = BIO_new(BIO_s_mem());
        // Its handshake is over once the first byte is there.
        ASSERT_EQ(SSL_write(stream.get(), "x", 1), 1);
        ASSERT_TRUE(
            eventually([&] { return content_of(home_of(alice) / "files" / "new") == "x"; }));
        SSL_set0_wbio(stream.get(), records);
        pollfd reply{ftp.fd(), POLLIN, 0};
        const auto until = std::chrono::steady_clock::now() + patience;
        for (int bursts = 0; ::poll(&reply, 1, 0) == 0 && std::chrono::steady_clock::now() < until;
             ++bursts) {
            for (int i = 0; i < 50; ++i) {
                ASSERT_EQ(SSL_key_update(stream.get(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
                ASSERT_EQ(SSL_do_handshake(stream.get()), 1);
            }
            char* bytes = nullptr;
            const auto size = BIO_get_mem_data(records, &bytes);
            (void)::send(data.get(), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
            (void)BIO_reset(records);
            if (abort && bursts == 5) ftp.send("ABOR\r\n");
        }
        EXPECT_EQ(ftp.reply(), abort ? "426 Failure reading network stream."
                                     : "421 Data timeout. Reconnect. Sorry.");
        if (!abort) continue;
        EXPECT_EQ(ftp.reply(), "226 ABOR successful.");
    }
}

TEST(TlsHostile, AClientThatSendsNoMoreIsAnsweredAndLetGo) {
    Server server(with_tls());
    {
        ByHand client(server);  // amid the handshake
        client.send(client.handshake());
        ::shutdown(client.fd(), SHUT_WR);
        EXPECT_TRUE(ends(client));
        server.complained("TLS handshake failed: ");
    }
    ByHand client(server);
    client.send(client.handshake());
    client.finish();
    client.send(client.records_of("USER alice\r\nPASS wonderland\r\nPWD\r\n"));
    ::shutdown(client.fd(), SHUT_WR);
    EXPECT_EQ(client.line(), "331 Please specify the password.");
    EXPECT_EQ(client.line(), "230 Login successful.");
    EXPECT_THAT(client.line(), StartsWith("257 "));
    while (client.line() != "(end)") {
    }
    EXPECT_TRUE(eventually([&] { return server.processes("alice").empty(); }));
}

TEST(TlsHostile, RecordsThatAreNoneEndTheConnection) {
    Server server(with_tls());
    const std::string long_line(100'000, 'x');
    for (const bool logged_in : {false, true}) {
        // No record may be so long; none begins so; one whose content was changed.
        for (const int kind : {0, 1, 2}) {
            ByHand client(server);
            client.send(client.handshake());
            client.finish();
            if (logged_in) {
                client.send(client.records_of("USER alice\r\nPASS wonderland\r\n"));
                EXPECT_EQ(client.line(), "331 Please specify the password.");
                EXPECT_EQ(client.line(), "230 Login successful.");
            }
            auto bytes = client.records_of("NOOP\r\n");
            if (kind == 0) bytes = "\x17\x03\x03\xff\xff" + long_line;
            if (kind == 1) bytes = "NOOP\r\nNOOP\r\n";
            if (kind == 2) bytes.back() = static_cast<char>(bytes.back() ^ 1);
            (void)::send(client.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            EXPECT_TRUE(ends(client)) << kind;
        }
    }
    EXPECT_TRUE(eventually([&] { return server.processes("127.0.0.1").empty(); }));
}

TEST(TlsHostile, NamesThatNoHostHasGetTheUsualCertificate) {
    authority::Wanted wanted;
    wanted.common_name = "hosted.example";
    const auto made = authority::make(wanted);
    make_folder(place("hosts"));
    write_file(place("hosts") / "hosted.example.pem", made.certificate + made.key, 0, 0600);
    Server server(with_tls(), {.ini = "[tls]\ncertificates = " + place("hosts").string() + "\n"});
    for (const auto& [name, shown] : std::vector<std::pair<std::string, std::string>>{
             {"hosted.example", "hosted.example"},
             {"HOSTED.Example", "hosted.example"},
             {"../server", "server"},
             {"/etc/passwd", "server"},
             {".", "server"},
             {"*", "server"},
             {"*.example", "server"},
             {"127.0.0.1", "server"},
             {"hosted.example\n", "server"},
             {"\xff\xfe\x80", "server"},
             {std::string(255, 'a'), "server"},
         }) {
        Habits how;
        how.server_name = name;
        Secure ftp(server, how);
        EXPECT_EQ(ftp.say("AUTH TLS"), "234 Proceed with negotiation.");
        ASSERT_EQ(ftp.shake(), "") << name;
        std::array<char, 64> common_name{};
        X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(ftp.control())),
                                  NID_commonName, common_name.data(), common_name.size());
        EXPECT_EQ(std::string(common_name.data()), shown) << name;
    }
}
