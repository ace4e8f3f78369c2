// SPDX-License-Identifier: MIT
// What scanners of TLS servers report, asked for by ClientHellos made by hand: versions, ciphers,
// compression, renegotiation, heartbeat, fallback, early data.
#include "tests/sessions/secure.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>
#include <openssl/err.h>

#include <algorithm>

#include <sys/socket.h>

using namespace sessions;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

namespace {

using Ciphers = std::vector<unsigned>;

constexpr unsigned fallback = 0x5600;  // TLS_FALLBACK_SCSV

std::string number(std::size_t value, int bytes) {
    std::string result;
    for (int at = bytes - 1; at >= 0; --at) result += static_cast<char>(value >> (8 * at));
    return result;
}

std::string counted(const std::string& content, int bytes) {
    return number(content.size(), bytes) + content;
}

// A whole ClientHello of SSL 3 to TLS 1.2, with extensions as they were then, and a heartbeat.
std::string client_hello(unsigned version, const Ciphers& ciphers) {
    std::string suites;
    for (const auto each : ciphers) suites += number(each, 2);
    const std::string groups = number(0x001d, 2) + number(0x0017, 2) + number(0x0018, 2);
    std::string signatures;
    for (const unsigned each : {0x0403U, 0x0804U, 0x0401U, 0x0503U, 0x0501U, 0x0203U, 0x0201U})
        signatures += number(each, 2);
    std::string extensions = number(10, 2) + counted(counted(groups, 2), 2);
    extensions += number(11, 2) + counted(counted(number(0, 1), 1), 2);
    extensions += number(13, 2) + counted(counted(signatures, 2), 2);
    extensions += number(15, 2) + counted(number(1, 1), 2);        // heartbeat
    extensions += number(0xff01, 2) + counted(counted("", 1), 2);  // renegotiation_info
    const std::string body = number(version, 2) + std::string(32, 'r') + counted("", 1) +
                             counted(suites, 2) + counted(number(1, 1) + number(0, 1), 1) +
                             counted(extensions, 2);
    return number(22, 1) + number(0x0301, 2) + counted(number(1, 1) + counted(body, 3), 2);
}

// The ServerHello, or the alert that came in its place.
struct Answer {
    int alert = -1;  // -1: none
    unsigned version = 0;
    unsigned cipher = 0;
    int compression = -1;
    std::vector<unsigned> extensions{};
};

unsigned two(const std::string& bytes, std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(bytes.at(at)) << 8 |
                                 static_cast<unsigned char>(bytes.at(at + 1)));
}

std::string receive(int socket, std::size_t size) {
    std::string bytes(size, '\0');
    const auto got = ::recv(socket, bytes.data(), size, MSG_WAITALL);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
}

Answer answer_to(const Server& server, const std::string& hello) {
    Answer answer;
    Secure ftp(server);
    EXPECT_EQ(ftp.say("AUTH TLS"), "234 Proceed with negotiation.");
    ftp.send_clear(hello);
    const auto head = receive(ftp.fd(), 5);
    if (head.size() < 5) return answer;
    const auto record = receive(ftp.fd(), two(head, 3));
    if (head[0] == 21) {
        answer.alert = static_cast<unsigned char>(record.at(1));
        return answer;
    }
    EXPECT_EQ(int{head[0]}, 22);
    answer.version = two(record, 4);
    const auto id_size = static_cast<std::size_t>(record.at(38));
    const auto at = 39 + id_size;
    answer.cipher = two(record, at);
    answer.compression = record.at(at + 2);
    const auto end = 4U + two(record, 2);
    for (auto place = at + 5; place + 4 <= end; place += 4U + two(record, place + 2))
        answer.extensions.push_back(two(record, place));
    return answer;
}

// Every number that any version up to 1.2 ever used for a cipher, and their neighbours.
Ciphers every_cipher() {
    Ciphers all;
    for (const auto& [first, last] : {std::pair{0x0000U, 0x00feU},
                                      {0xc000U, 0xc0ffU},
                                      {0xcc00U, 0xccffU},
                                      {0xd000U, 0xd00fU},
                                      {0xfefeU, 0xfeffU},
                                      {0xffe0U, 0xffe1U}}) {
        for (auto each = first; each <= last; ++each) all.push_back(each);
    }
    return all;
}

// What the server takes, its favourite first.
Ciphers accepted(const Server& server, unsigned version) {
    auto offered = every_cipher();
    Ciphers taken;
    for (;;) {
        const auto answer = answer_to(server, client_hello(version, offered));
        if (answer.cipher == 0) {
            EXPECT_TRUE(answer.alert == SSL_AD_HANDSHAKE_FAILURE ||
                        answer.alert == SSL_AD_PROTOCOL_VERSION)
                << answer.alert;
            return taken;
        }
        EXPECT_EQ(answer.version, version);
        EXPECT_EQ(answer.compression, 0);
        EXPECT_THAT(answer.extensions, Each(Not(15U))) << "heartbeat";
        EXPECT_THAT(answer.extensions, testing::Contains(0xff01U)) << "RFC 5746";
        const auto place = std::find(offered.begin(), offered.end(), answer.cipher);
        if (place == offered.end()) {
            ADD_FAILURE() << "not offered: " << answer.cipher;
            return taken;
        }
        offered.erase(place);
        taken.push_back(answer.cipher);
    }
}

class TlsFacts : public testing::Test {
  protected:
    static Lines with_key(const std::string& kind, const Lines& more = {}) {
        authority::Wanted wanted;
        wanted.key = kind;
        const auto made = authority::make(wanted);
        const auto file = place("server.pem");
        write_file(file, made.certificate + made.key, 0, 0600);
        Lines lines = {"ssl_enable=YES", "rsa_cert_file=" + file.string()};
        lines.insert(lines.end(), more.begin(), more.end());
        return lines;
    }
    // A connection that has got its 234.
    static Secure asked(const Server& server, int version) {
        Habits habits;
        habits.version = version;
        Secure ftp(server, habits);
        EXPECT_EQ(ftp.say("AUTH TLS"), "234 Proceed with negotiation.");
        return ftp;
    }
};

constexpr const char* rsa = "RSA:2048";
constexpr const char* ec = "EC:prime256v1";

}  // namespace

TEST_F(TlsFacts, OneCipherPerKindOfKeyByDefault) {
    for (const auto& [key, cipher] : {std::pair{rsa, 0xc030U}, {ec, 0xc02cU}}) {
        Server server(with_key(key));
        EXPECT_THAT(accepted(server, TLS1_2_VERSION), ElementsAre(cipher));
    }
}

// Whatever the list says: no key exchange but ECDHE, which is all of static RSA, DH, anonymous,
// PSK, SRP and export; no RC4, single or triple DES, no NULL.
TEST_F(TlsFacts, ForwardSecrecyWithEveryListOfCiphers) {
    const Ciphers good = {0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc024, 0xc027, 0xc028, 0xc02b,
                          0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9, 0xc0ac, 0xc0ad, 0xc0ae, 0xc0af,
                          0xc05c, 0xc05d, 0xc060, 0xc061, 0xc072, 0xc073, 0xc076, 0xc077};
    for (const auto* key : {rsa, ec}) {
        for (const auto* list : {"HIGH", "ALL:COMPLEMENTOFALL"}) {
            Server server(with_key(key, {"ssl_ciphers=" + std::string(list)}));
            const auto taken = accepted(server, TLS1_2_VERSION);
            EXPECT_GT(taken.size(), 4U) << "the search finds them";
            for (const auto each : taken)
                EXPECT_THAT(good, testing::Contains(each)) << key << " " << list;
        }
    }
}

TEST_F(TlsFacts, TheServersOrderOfCiphersCounts) {
    Server server(
        with_key(rsa, {"ssl_ciphers=ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"}));
    EXPECT_EQ(answer_to(server, client_hello(TLS1_2_VERSION, {0xc030, 0xc02f})).cipher, 0xc02fU);
}

TEST_F(TlsFacts, OldVersionsAreOfferedOnlyWhenTheyAreOn) {
    struct Row {
        Lines lines;
        bool ten, eleven, twelve;
    };
    const Row rows[] = {
        {{}, false, false, true},
        {{"ssl_tlsv1_2=NO"}, false, false, false},
        {{"ssl_tlsv1=YES"}, true, false, true},
        {{"ssl_tlsv1_1=YES"}, false, true, true},
        {{"ssl_tlsv11=YES", "ssl_tlsv1=YES"}, true, true, true},
        {{"ssl_sslv2=YES", "ssl_sslv3=YES"}, false, false, true},
    };
    for (const auto& row : rows) {
        auto lines = row.lines;
        lines.push_back("ssl_ciphers=HIGH");
        const auto shown = testing::PrintToString(row.lines);
        Server server(with_key(rsa, lines));
        const auto offers = [&](unsigned version) {
            const auto answer = answer_to(server, client_hello(version, every_cipher()));
            return answer.cipher != 0 && answer.version == version;
        };
        EXPECT_FALSE(offers(SSL3_VERSION)) << shown;
        EXPECT_EQ(offers(TLS1_VERSION), row.ten) << shown;
        EXPECT_EQ(offers(TLS1_1_VERSION), row.eleven) << shown;
        EXPECT_EQ(offers(TLS1_2_VERSION), row.twelve) << shown;
        // SSL 2: RC4 and DES, no session, a challenge.
        const auto two =
            answer_to(server, std::string("\x80\x1f\x01\x00\x02\x00\x06\x00\x00\x00\x10"
                                          "\x01\x00\x80\x06\x00\x40",
                                          17) +
                                  std::string(16, 'c'));
        EXPECT_EQ(two.cipher, 0U) << shown;
    }
}

TEST_F(TlsFacts, AFallbackThatNobodyNeededIsRefused) {
    {
        Server server(with_key(rsa));
        EXPECT_EQ(answer_to(server, client_hello(TLS1_2_VERSION, {0xc030, fallback})).alert,
                  SSL_AD_INAPPROPRIATE_FALLBACK);
    }
    Server twelve(with_key(rsa, {"ssl_tlsv1_3=NO"}));
    EXPECT_EQ(answer_to(twelve, client_hello(TLS1_2_VERSION, {0xc030, fallback})).cipher, 0xc030U);
}

TEST_F(TlsFacts, RenegotiationIsRefused) {
    Server server(with_key(ec));
    auto ftp = asked(server, TLS1_2_VERSION);
    ASSERT_EQ(ftp.shake(), "");
    EXPECT_EQ(SSL_get_secure_renegotiation_support(ftp.control()), 1);
    EXPECT_EQ(SSL_get_current_compression(ftp.control()), nullptr);
    ASSERT_EQ(SSL_renegotiate(ftp.control()), 1);
    ERR_clear_error();
    EXPECT_NE(SSL_do_handshake(ftp.control()), 1);
    EXPECT_EQ(tls::openssl_reason(), "no renegotiation");
}

TEST_F(TlsFacts, EarlyDataIsNotInvitedTo) {
    Server server(with_key(ec));
    auto ftp = asked(server, TLS1_3_VERSION);
    ASSERT_EQ(ftp.shake(), "");
    EXPECT_THAT(ftp.say("FEAT"), StartsWith("211"));
    ASSERT_THAT(ftp.sessions(), Not(IsEmpty()));
    for (const auto& each : ftp.sessions())
        EXPECT_EQ(SSL_SESSION_get_max_early_data(each.get()), 0U);
}

TEST_F(TlsFacts, TruncatedHellosEndQuietly) {
    Server server(with_key(ec));
    const auto hello = client_hello(TLS1_2_VERSION, {0xc02c});
    for (std::size_t size = 1; size < hello.size(); size += 17) {
        Secure ftp(server);
        EXPECT_EQ(ftp.say("AUTH TLS"), "234 Proceed with negotiation.");
        ftp.send_clear(hello.substr(0, size));
        ::shutdown(ftp.fd(), SHUT_WR);
        EXPECT_THAT(receive(ftp.fd(), 1000), Not(HasSubstr("00 "))) << size;
    }
    server.complained("a client from 127.0.0.1 .*TLS handshake failed: ");
    Secure next(server, alice);
    EXPECT_EQ(next.say("NOOP"), "200 NOOP ok.");
}

TEST_F(TlsFacts, HttpInsideTlsEndsTheConnection) {
    Server server(with_key(ec));
    for (const std::string verb :
         {"GET", "POST", "HEAD", "OPTIONS", "CONNECT", "PUT", "DELETE", "PATCH"}) {
        auto ftp = asked(server, TLS1_3_VERSION);
        ASSERT_EQ(ftp.shake(), "");
        ftp.send(verb + " / HTTP/1.1\r\nHost: x\r\n\r\nUSER alice\r\nPASS wonderland\r\n");
        EXPECT_EQ(ftp.reply(), "500 HTTP protocol commands not allowed.") << verb;
        EXPECT_EQ(ftp.reply(), "(end)") << verb;
    }
}
