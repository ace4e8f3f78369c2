// SPDX-License-Identifier: MIT
// Transfers over TLS as clients make them: many on one login, on many logins at once, in active
// mode, interrupted, and with clear text where TLS should be.
#include "tests/sessions/secure.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

using namespace sessions;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

Lines with_tls(const Lines& more = {}) {
    const auto made = authority::make({});
    const auto file = place("server.pem");
    write_file(file, made.certificate + made.key, 0, 0600);
    Lines lines = {"ssl_enable=YES", "rsa_cert_file=" + file.string()};
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
}

constexpr const char* done = "226 Transfer complete.";

struct Kind {
    std::string name;
    int version;
    Habits::Resume resume;
    bool tickets;
    [[nodiscard]] Habits habits() const {
        Habits result;
        result.version = version;
        result.resume = resume;
        result.tickets = tickets;
        return result;
    }
};
std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

class TlsTransfers : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(
    All, TlsTransfers,
    testing::Values(Kind{"TicketEach", TLS1_3_VERSION, Habits::Resume::once, true},
                    Kind{"OneTicket", TLS1_3_VERSION, Habits::Resume::first, true},
                    Kind{"Ticket12", TLS1_2_VERSION, Habits::Resume::first, true},
                    Kind{"SessionId12", TLS1_2_VERSION, Habits::Resume::first, false}),
    [](const auto& each) { return each.param.name; });

// A data connection of the client's own: connected or accepted, then the client of TLS there.
tls::Ssl shake(Secure& ftp, int socket, std::string& trouble) {
    tls::Ssl made{SSL_new(SSL_get_SSL_CTX(ftp.control()))};
    const tls::SslSession session{SSL_SESSION_dup(ftp.sessions().back().get())};
    SSL_set_session(made.get(), session.get());
    SSL_set_fd(made.get(), socket);
    if (SSL_connect(made.get()) != 1) trouble = tls::openssl_reason();
    return made;
}

base::Fd passive(Secure& ftp, const Server& server) {
    const auto answer = ftp.say("EPSV");
    const auto bars = answer.find("(|||");
    const int port = bars == answer.npos ? 0 : std::atoi(answer.c_str() + bars + 4);
    return connect_to(Endpoint(server.address(), static_cast<std::uint16_t>(port)));
}

std::string rest_of(SSL* stream) {
    std::string content;
    std::array<char, 16384> bytes{};
    std::size_t got = 0;
    while (SSL_read_ex(stream, bytes.data(), bytes.size(), &got) == 1)
        content.append(bytes.data(), got);
    return content;
}

}  // namespace

TEST_P(TlsTransfers, FiveHundredOnOneLogin) {
    Server server(with_tls());
    Secure ftp(server, alice, GetParam().habits());
    for (int round = 0; round < 250; ++round) {
        const auto content = std::to_string(round);
        ASSERT_EQ(ftp.store("files/small", content), done) << round << ftp.trouble;
        ASSERT_TRUE(ftp.resumed) << round;
        ASSERT_EQ(ftp.retrieve("files/small"), content) << round << ftp.trouble;
        ASSERT_TRUE(ftp.resumed) << round;
    }
}

TEST_P(TlsTransfers, EightLoginsAtOnce) {
    Server server(with_tls({"max_per_ip=0"}));
    std::array<std::string, 8> trouble;
    std::vector<std::thread> threads;
    for (std::size_t at = 0; at < trouble.size(); ++at) {
        threads.emplace_back([&, at] {
            Secure ftp(server, alice, GetParam().habits());
            const auto name = "files/of" + std::to_string(at);
            for (int round = 0; round < 20; ++round) {
                const auto content = noise(100'000, static_cast<unsigned>(at * 100) + 1);
                const auto stored = ftp.store(name, content);
                if (stored != done || !ftp.resumed) trouble[at] += stored + ftp.trouble;
                if (ftp.retrieve(name) != content) trouble[at] += "unlike " + ftp.trouble;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& each : trouble) EXPECT_EQ(each, "");
}

TEST_P(TlsTransfers, ActiveModeResumesAsWell) {
    Server server(with_tls({"connect_from_port_20=YES"}));
    Secure ftp(server, alice, GetParam().habits());
    const auto content = noise(1'000'000);
    write_file(home_of(alice) / "files" / "one", content, alice.uid);
    for (const bool extended : {true, false}) {
        const auto listening = listen_at(Endpoint(server.address(), 0));
        const auto port = Endpoint::local(listening.get()).port();
        const auto comma =
            std::to_string(port / 256).append(",").append(std::to_string(port % 256));
        EXPECT_THAT(ftp.say(extended ? "EPRT |1|127.0.0.1|" + std::to_string(port) + "|"
                                     : "PORT 127,0,0,1," + comma),
                    StartsWith("200 "));
        EXPECT_THAT(ftp.say("RETR files/one"), StartsWith("150 "));
        const base::Fd data{::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC)};
        EXPECT_EQ(Endpoint::remote(data.get()).port(), 20);
        std::string trouble;
        const auto stream = shake(ftp, data.get(), trouble);
        EXPECT_EQ(trouble, "");
        EXPECT_EQ(SSL_session_reused(stream.get()), 1);
        EXPECT_TRUE(rest_of(stream.get()) == content);
        EXPECT_EQ(ftp.reply(), done);
    }
}

TEST_P(TlsTransfers, StatAndAborAreAnsweredMeanwhile) {
    Server server(with_tls({"local_max_rate=2000000"}));
    Secure ftp(server, alice, GetParam().habits());
    const auto content = noise(20'000'000);
    write_file(home_of(alice) / "files" / "big", content, alice.uid);
    const auto data = passive(ftp, server);
    EXPECT_THAT(ftp.say("RETR files/big"), StartsWith("150 "));
    std::string trouble;
    const auto stream = shake(ftp, data.get(), trouble);
    ASSERT_EQ(trouble, "");
    std::array<char, 5000> bytes{};
    std::size_t got = 0;
    ASSERT_EQ(SSL_read_ex(stream.get(), bytes.data(), bytes.size(), &got), 1);
    EXPECT_THAT(ftp.say("STAT"), StartsWith("21"));
    ftp.send("ABOR\r\n");
    EXPECT_THAT(ftp.reply(), StartsWith("426 "));
    EXPECT_EQ(ftp.reply(), "226 ABOR successful.");
    EXPECT_LT(rest_of(stream.get()).size(), content.size());
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    EXPECT_EQ(ftp.store("files/next", "content"), done) << ftp.trouble;
}

TEST_P(TlsTransfers, ClearTextInPlaceOfTlsIsRefused) {
    Server server(with_tls());
    Secure ftp(server, alice, GetParam().habits());
    for (const auto* text : {"clear text, as if nobody had said PROT P\r\n", ""}) {
        auto data = passive(ftp, server);
        EXPECT_THAT(ftp.say("STOR files/new"), StartsWith("150 "));
        if (*text != '\0') (void)::send(data.get(), text, std::strlen(text), MSG_NOSIGNAL);
        ::shutdown(data.get(), SHUT_WR);
        EXPECT_THAT(ftp.reply(), StartsWith("522 SSL connection failed")) << text;
        EXPECT_EQ(content_of(home_of(alice) / "files" / "new"), "(none)");
        EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    }
}

// Ahead of 150, which then waits for the handshake; see Session::protect.
TEST_P(TlsTransfers, AHandshakeThatTheClientHasBegunIsFirst) {
    Server server(with_tls());
    Secure ftp(server, alice, GetParam().habits());
    // One that is no handshake is refused at once.
    auto data = passive(ftp, server);
    ASSERT_GT(::send(data.get(), "clear text", 10, MSG_NOSIGNAL), 0);
    EXPECT_EQ(ftp.say("STOR files/new"), "522 SSL connection failed");
    EXPECT_EQ(content_of(home_of(alice) / "files" / "new"), "(none)");
    // A client that goes on with it only after 150 has its 150.
    data = passive(ftp, server);
    const tls::Ssl stream{SSL_new(SSL_get_SSL_CTX(ftp.control()))};
    const tls::SslSession session{SSL_SESSION_dup(ftp.sessions().back().get())};
    SSL_set_session(stream.get(), session.get());
    SSL_set_fd(stream.get(), data.get());
    ASSERT_EQ(::fcntl(data.get(), F_SETFL, O_NONBLOCK), 0);
    EXPECT_EQ(SSL_get_error(stream.get(), SSL_connect(stream.get())), SSL_ERROR_WANT_READ);
    EXPECT_THAT(ftp.say("STOR files/new"), StartsWith("150 "));
    ASSERT_EQ(::fcntl(data.get(), F_SETFL, 0), 0);
    EXPECT_EQ(SSL_connect(stream.get()), 1) << tls::openssl_reason();
    (void)SSL_shutdown(stream.get());
    EXPECT_EQ(ftp.reply(), done);
    EXPECT_EQ(content_of(home_of(alice) / "files" / "new"), "");
}

// What the client says behind its handshake waits in its kernel until that is acknowledged (Nagle),
// which may take 40 ms.
TEST_P(TlsTransfers, ASmallUploadDoesNotWaitForAnAcknowledgement) {
    Server server(with_tls());
    Secure ftp(server, alice, GetParam().habits());
    auto best = std::chrono::steady_clock::duration::max();
    for (int round = 0; round < 20; ++round) {
        const auto data = passive(ftp, server);
        const int off = 0;
        ::setsockopt(data.get(), IPPROTO_TCP, TCP_NODELAY, &off, sizeof off);
        ASSERT_THAT(ftp.say("STOR files/small"), StartsWith("150 "));
        std::string trouble;
        const auto stream = shake(ftp, data.get(), trouble);
        ASSERT_EQ(trouble, "");
        const auto start = std::chrono::steady_clock::now();
        ASSERT_EQ(SSL_write(stream.get(), "content", 7), 7);
        (void)SSL_shutdown(stream.get());
        EXPECT_EQ(rest_of(stream.get()), "");
        best = std::min(best, std::chrono::steady_clock::now() - start);
        ASSERT_EQ(ftp.reply(), done);
    }
    EXPECT_LT(best, std::chrono::milliseconds(30));
}

// The TLS end of its control connection is gone at once; the data connection goes on, or not.
TEST_P(TlsTransfers, WhatAClientThatVanishesHasUploadedIsLogged) {
    Server server(with_tls());
    const auto content = noise(1'000'000);
    for (const bool whole : {true, false}) {
        Secure ftp(server, alice, GetParam().habits());
        auto data = passive(ftp, server);
        EXPECT_THAT(ftp.say("STOR files/new"), StartsWith("150 "));
        std::string trouble;
        const auto stream = shake(ftp, data.get(), trouble);
        ASSERT_EQ(trouble, "");
        std::size_t sent = 0;
        ASSERT_EQ(SSL_write_ex(stream.get(), content.data(), content.size(), &sent), 1);
        const linger none{1, 0};
        ::setsockopt(ftp.fd(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
        ftp.hang_up();
        EXPECT_TRUE(
            eventually([&] { return server.processes("alice 127.0.0.1 [greeter]").empty(); }));
        if (whole) (void)SSL_shutdown(stream.get());
        data.close();
        server.logged(std::string(whole ? "OK" : "FAIL") +
                      " UPLOAD: Client \"127.0.0.1\", \".*files/new\", 1000000 bytes");
        EXPECT_TRUE(content_of(home_of(alice) / "files" / "new") == content);
        EXPECT_TRUE(eventually([&] { return server.processes("alice").empty(); }));
    }
}

// More than the buffers on the way hold, and no answer is read before the last is sent.
TEST_P(TlsTransfers, ManyCommandsAtOnceAreAllAnswered) {
    Server server(with_tls());
    Secure ftp(server, alice, GetParam().habits());
    constexpr int many = 20'000;
    std::string commands;
    for (int at = 0; at < many; ++at) commands += "NOOP\r\n";
    ftp.send(commands + "QUIT\r\n");
    int answers = 0;
    std::string answer = ftp.reply();
    for (; answer == "200 NOOP ok."; answer = ftp.reply()) ++answers;
    EXPECT_EQ(answers, many);
    EXPECT_EQ(answer, "221 Goodbye.");
    EXPECT_EQ(ftp.reply(), "(end)");
}
