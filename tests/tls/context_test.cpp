// SPDX-License-Identifier: MIT
// Handshakes with a client of OpenSSL's: what the options change, and what nothing changes.
#include "tls/context.hpp"

#include "tests/tls/handshake.hpp"
#include "tests/tls/site.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>
#include <utility>

namespace {

using handshake::Client;
using handshake::Pair;
using handshake::settings;
using site::Site;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using tls::Context;
using tls::Purpose;
using tls::Settings;

constexpr int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
constexpr int modern[] = {TLS1_2_VERSION, TLS1_3_VERSION};

// Keys take a while to make; most tests need no others.
const Site& usual() {
    static const Site instance;
    return instance;
}

const Site& with_rsa() {
    static const Site instance = [] {
        authority::Wanted rsa;
        rsa.key = "RSA:2048";
        return Site({rsa});
    }();
    return instance;
}

Client only(int version) {
    Client client;
    client.least = client.most = version;
    return client;
}

tls::TicketKey ticket_key() { return tls::new_ticket_key().value(); }

// ----- versions

TEST(Versions, AreThoseOfTheOptions) {
    constexpr bool Settings::*flags[] = {&Settings::tlsv1, &Settings::tlsv11, &Settings::tlsv12,
                                         &Settings::tlsv13};
    for (unsigned wanted = 1; wanted < 16; ++wanted) {
        auto some = settings();
        for (unsigned i = 0; i < 4; ++i) some.*flags[i] = (wanted >> i & 1U) != 0;
        const auto server = usual().context(some);
        for (unsigned i = 0; i < 4; ++i) {
            Pair pair(server, only(versions[i]));
            EXPECT_EQ(pair.shake(), (wanted >> i & 1U) != 0) << wanted << ": " << versions[i];
        }
    }
}

TEST(Versions, AreTwoByDefaultAndNeverNone) {
    const auto made = tls::settings_of(config::Options{});
    ASSERT_TRUE(made);
    const auto server = usual().context(made.value());
    for (const int version : versions)
        EXPECT_EQ(Pair(server, only(version)).shake(), version >= TLS1_2_VERSION) << version;

    auto none = made.value();
    none.tlsv12 = none.tlsv13 = false;
    const auto refused = Context::create(none, usual().certificates(), Purpose::control);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text(), HasSubstr("no version of TLS"));
}

TEST(Versions, WithoutACipherDoNotSpoilTheOthers) {
    for (const bool eleven : {false, true}) {
        config::Options options;
        options.ssl_tlsv1 = true;
        options.ssl_tlsv11 = eleven;
        const auto server = usual().context(tls::settings_of(options).value());
        EXPECT_THAT(server.warning(), HasSubstr("TLS 1.0 and 1.1 are not offered"));
        for (const int version : versions)
            EXPECT_EQ(Pair(server, only(version)).shake(), version >= TLS1_2_VERSION) << version;
    }
}

// ----- ciphers

TEST(Ciphers, OfVsftpdsDefaultWorkWithBothKindsOfKeys) {
    const auto made = tls::settings_of(config::Options{}).value();
    for (const auto* site : {&usual(), &with_rsa()}) {
        const auto server = site->context(made);
        Pair pair(server, only(TLS1_2_VERSION));
        ASSERT_TRUE(pair.shake()) << pair.server_error();
        EXPECT_STREQ(SSL_get_cipher_name(pair.server()), site == &usual()
                                                             ? "ECDHE-ECDSA-AES256-GCM-SHA384"
                                                             : "ECDHE-RSA-AES256-GCM-SHA384");
    }
}

TEST(Ciphers, AreThoseOfOpensslWhenThereIsNoList) {
    config::Options options;
    options.ssl_ciphers.clear();
    const auto server = usual().context(tls::settings_of(options).value());
    Pair pair(server, only(TLS1_2_VERSION));
    EXPECT_TRUE(pair.shake()) << pair.server_error();
    EXPECT_EQ(server.warning(), "");
}

TEST(Ciphers, ForRsaStandForTheirTwins) {
    EXPECT_THAT(
        tls::offered_ciphers("ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA"),
        StartsWith("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA:"));
    EXPECT_THAT(tls::offered_ciphers("HIGH:!ECDHE-RSA-AES128-SHA"),
                StartsWith("HIGH:!ECDHE-RSA-AES128-SHA:"));
}

TEST(Ciphers, NeverLetAKeyDecryptWhateverTheListSays) {
    struct Case {
        const char* server;
        const char* client;
        bool works;
    };
    constexpr Case cases[] = {
        {"ALL:COMPLEMENTOFALL:@SECLEVEL=0", "kRSA", false},
        {"ALL:COMPLEMENTOFALL:@SECLEVEL=0", "kDHE", false},
        {"ALL:COMPLEMENTOFALL:@SECLEVEL=0", "aNULL", false},
        {"ALL:COMPLEMENTOFALL:@SECLEVEL=0", "eNULL", false},
        {"AES128-SHA:ECDHE-RSA-AES128-SHA", "AES128-SHA", false},
        {"AES128-SHA:ECDHE-RSA-AES128-SHA", "AES128-SHA:ECDHE-RSA-AES128-SHA", true},
    };
    for (const auto& c : cases) {
        auto some = settings();
        some.ciphers = c.server;
        const auto server = with_rsa().context(some);
        auto client = only(TLS1_2_VERSION);
        client.ciphers = std::string(c.client) + ":@SECLEVEL=0";
        Pair pair(server, client);
        EXPECT_EQ(pair.shake(), c.works) << c.server << " / " << c.client;
        if (!c.works) {
            EXPECT_THAT(pair.server_error(), HasSubstr("no shared cipher"));
        }
    }
}

TEST(Ciphers, OfAListThatNamesNothingElseAreReplacedWithAWarning) {
    auto old = settings();
    old.ciphers = "AES128-SHA:DES-CBC3-SHA";  // vsftpd 3.0.2's default
    const auto server = with_rsa().context(old);
    EXPECT_THAT(server.warning(), HasSubstr("ssl_ciphers=AES128-SHA:DES-CBC3-SHA"));
    EXPECT_TRUE(Pair(server, only(TLS1_2_VERSION)).shake());
    EXPECT_THAT(with_rsa().context(settings()).warning(), IsEmpty());
}

TEST(Ciphers, ThatDoNotExistStopTheStart) {
    auto wrong = settings();
    wrong.ciphers = "NO-SUCH-CIPHER";
    auto refused = Context::create(wrong, usual().certificates(), Purpose::control);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text(), StartsWith("SSL: could not set cipher list"));

    wrong = settings();
    wrong.ciphersuites = "TLS_NO_SUCH_SUITE";
    refused = Context::create(wrong, usual().certificates(), Purpose::control);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text(), StartsWith("SSL: could not set TLS 1.3 cipher suites"));
}

TEST(Ciphers, OfTls13HaveAListOfTheirOwn) {
    auto some = settings();
    some.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256";
    const auto server = usual().context(some);
    Pair pair(server, only(TLS1_3_VERSION));
    ASSERT_TRUE(pair.shake());
    EXPECT_STREQ(SSL_get_cipher_name(pair.server()), "TLS_CHACHA20_POLY1305_SHA256");
}

TEST(Ciphers, AreChosenByTheServer) {
    auto some = settings();
    some.ciphers = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256";
    const auto server = with_rsa().context(some);
    auto client = only(TLS1_2_VERSION);
    client.ciphers = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384";
    Pair pair(server, client);
    ASSERT_TRUE(pair.shake());
    EXPECT_STREQ(SSL_get_cipher_name(pair.server()), "ECDHE-RSA-AES256-GCM-SHA384");
}

// ----- what nothing changes

TEST(Connections, AreNeitherCompressedNorRenegotiated) {
    const auto server = usual().context(settings());
    Pair pair(server, only(TLS1_2_VERSION));
    ASSERT_TRUE(pair.shake());
    EXPECT_EQ(SSL_get_current_compression(pair.server()), nullptr);
    ASSERT_EQ(SSL_renegotiate(pair.client()), 1);
    (void)SSL_do_handshake(pair.client());
    char byte = 0;
    EXPECT_LE(SSL_read(pair.server(), &byte, 1), 0);
    EXPECT_LE(SSL_do_handshake(pair.client()), 0);
    EXPECT_THAT(tls::openssl_reason(), HasSubstr("renegotiation"));
}

TEST(Contexts, HaveTheOptionsOfThisTable) {
    struct Row {
        std::uint64_t option;
        bool control;
        bool data;
    };
    const Row rows[] = {
        {SSL_OP_NO_SSLv3, true, true},
        {SSL_OP_NO_COMPRESSION, true, true},
        {SSL_OP_NO_RENEGOTIATION, true, true},
        {SSL_OP_ALLOW_CLIENT_RENEGOTIATION, false, false},
        {SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION, false, false},
        {SSL_OP_CIPHER_SERVER_PREFERENCE, true, true},
        {SSL_OP_IGNORE_UNEXPECTED_EOF, true, false},  // an upload's end must be said
        {SSL_OP_ALLOW_NO_DHE_KEX, false, false},
        {SSL_OP_CLEANSE_PLAINTEXT, true, false},
        {SSL_OP_NO_TICKET, true, true},  // until there is a key
    };
    const auto control = usual().context(settings());
    const auto data = usual().context(settings(), Purpose::data);
    for (const auto& row : rows) {
        EXPECT_EQ((SSL_CTX_get_options(control.get()) & row.option) != 0, row.control)
            << row.option;
        EXPECT_EQ((SSL_CTX_get_options(data.get()) & row.option) != 0, row.data) << row.option;
    }
    EXPECT_EQ(SSL_CTX_get_read_ahead(data.get()), 1);
    EXPECT_EQ(SSL_CTX_get_max_early_data(control.get()), 0U);
}

// ----- ALPN

TEST(Protocols, ThatAreNotFtpEndTheHandshake) {
    struct Case {
        std::string offered;
        Purpose purpose;
        const char* chosen;  // nullptr: refused
    };
    const Case cases[] = {
        {"\3ftp", Purpose::control, "ftp"},
        {"\2h2\10http/1.1\3ftp", Purpose::control, "ftp"},
        {"\2h2\10http/1.1", Purpose::control, nullptr},
        {"\10ftp-data", Purpose::control, nullptr},
        {"\4ftps", Purpose::control, nullptr},
        {"\2ft", Purpose::control, nullptr},
        {"\4xftp", Purpose::control, nullptr},
        {"\3FTP", Purpose::control, nullptr},
        {"\3ftp", Purpose::data, "ftp"},
        {"\10ftp-data", Purpose::data, "ftp-data"},
        {"\2h2", Purpose::data, nullptr},
    };
    for (const auto& c : cases) {
        for (const int version : modern) {
            const auto server = usual().context(settings(), c.purpose);
            auto client = only(version);
            client.protocols = c.offered;
            Pair pair(server, client);
            EXPECT_EQ(pair.shake(), c.chosen != nullptr) << c.offered;
            if (c.chosen == nullptr) {
                EXPECT_THAT(pair.client_error(), HasSubstr("no application protocol")) << c.offered;
                continue;
            }
            const unsigned char* chosen = nullptr;
            unsigned length = 0;
            SSL_get0_alpn_selected(pair.client(), &chosen, &length);
            EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), length), c.chosen);
        }
    }
}

// ----- names

TEST(SniHostname, RefusesOtherNamesAndNone) {
    auto strict = settings();
    strict.sni_hostname = "ftp.example.com";
    struct Case {
        const char* name;
        bool works;
    };
    constexpr Case cases[] = {
        {"ftp.example.com", true},  {"FTP.Example.COM", true},
        {"www.example.com", false}, {"", false},
        {"ftp.example.co", false},
    };
    for (const auto& c : cases) {
        for (const int version : modern) {
            auto client = only(version);
            client.server_name = c.name;
            const auto control = usual().context(strict);
            Pair pair(control, client);
            EXPECT_EQ(pair.shake(), c.works) << c.name;
            if (!c.works) {
                EXPECT_THAT(pair.client_error(), HasSubstr("unrecognized name"));
            }
            const auto data = usual().context(strict, Purpose::data);
            EXPECT_TRUE(Pair(data, client).shake()) << "data, " << c.name;
        }
    }
}

TEST(Certificates, AreChosenByTheNameThatTheClientAsksFor) {
    const auto named = [](const char* subject, std::vector<std::string> names,
                          const char* key = "EC:prime256v1") {
        authority::Wanted wanted;
        wanted.common_name = subject;
        wanted.names = std::move(names);
        wanted.key = key;
        return wanted;
    };
    const Site site({named("fallback", {"main.example.com"})},
                    {{"alpha.example.com", named("alpha", {})},
                     {"b", named("beta", {"beta.example.com", "*.beta.example.com"})},
                     {"b-rsa", named("beta-rsa", {"beta.example.com"}, "RSA:2048")},
                     {"*.wild.example.com", named("wild", {"other.example.com"})}});
    struct Case {
        const char* asked;
        const char* shown;
    };
    constexpr Case cases[] = {
        {"", "CN=fallback"},
        {"nobody.example.com", "CN=fallback"},
        {"main.example.com", "CN=fallback"},
        {"alpha.example.com", "CN=alpha"},
        {"ALPHA.example.com", "CN=alpha"},
        {"beta.example.com", "CN=beta"},
        {"x.beta.example.com", "CN=beta"},
        {"x.y.beta.example.com", "CN=fallback"},
        {"x.wild.example.com", "CN=wild"},
        {"wild.example.com", "CN=fallback"},
        {"other.example.com", "CN=wild"},
        {"b", "CN=beta"},
    };
    const auto server = site.context(settings());
    for (const auto& c : cases) {
        for (const int version : modern) {
            auto client = only(version);
            client.server_name = c.asked;
            client.schemes = "ECDSA+SHA256";
            Pair pair(server, client);
            ASSERT_TRUE(pair.shake()) << c.asked << ": " << pair.server_error();
            EXPECT_EQ(pair.shown(), c.shown) << c.asked;
        }
    }
    // One name, two kinds of keys: the client's signature schemes decide.
    auto client = only(TLS1_3_VERSION);
    client.server_name = "beta.example.com";
    client.schemes = "rsa_pss_rsae_sha256";
    Pair pair(server, client);
    ASSERT_TRUE(pair.shake());
    EXPECT_EQ(pair.shown(), "CN=beta-rsa");
}

TEST(Certificates, ComeWithTheirIssuers) {
    authority::Wanted root;
    root.issuer = true;
    root.common_name = "Authority";
    const auto authority = authority::make(root);
    const auto own = authority::make({}, &authority);
    auto described = tls::describe(tls::read_chain(own.certificate + authority.certificate).value(),
                                   "server.pem");
    ASSERT_TRUE(described);
    const auto server = Context::create(
        settings(), std::make_shared<const tls::Certificates>(std::vector{described.value()}),
        Purpose::control);
    ASSERT_TRUE(server);
    const auto connection = server.value().connection();
    STACK_OF(X509)* chain = nullptr;
    SSL_get0_chain_certs(connection.value().get(), &chain);
    EXPECT_EQ(sk_X509_num(chain), 1);
}

// ----- clients' certificates

struct ClientCertificates : testing::Test {
    static authority::Made authority() {
        authority::Wanted wanted;
        wanted.issuer = true;
        wanted.common_name = "Authority";
        return authority::make(wanted);
    }
    const authority::Made issuer = authority();
    const authority::Made signed_one = authority::make({}, &issuer);
    const authority::Made stranger = authority::make({});

    static Client showing(const authority::Made& made, int version) {
        auto client = only(version);
        client.certificate = made.certificate;
        client.key = made.key;
        return client;
    }
};

TEST_F(ClientCertificates, AreAskedForRequiredAndValidated) {
    struct Case {
        bool request, require, validate;
        bool none, self_signed, known;  // works?
    };
    constexpr Case cases[] = {
        {false, false, false, true, true, true},
        {true, false, false, true, true, true},
        {true, true, false, false, true, true},
        {true, false, true, true, false, true},
        {true, true, true, false, false, true},
        {false, true, true, false, false, true},  // nothing is required without asking
    };
    for (const auto& c : cases) {
        auto some = settings();
        some.request_cert = c.request;
        some.require_cert = c.require;
        some.validate_cert = c.validate;
        some.ca_certificates = issuer.certificate;
        const auto server = usual().context(some);
        for (const int version : modern) {
            const auto text = std::to_string(version) + std::to_string(c.request) +
                              std::to_string(c.require) + std::to_string(c.validate);
            EXPECT_EQ(Pair(server, only(version)).shake(), c.none) << text;
            EXPECT_EQ(Pair(server, showing(stranger, version)).shake(), c.self_signed) << text;
            Pair known(server, showing(signed_one, version));
            EXPECT_EQ(known.shake(), c.known) << text;
            const bool seen = SSL_get0_peer_certificate(known.server()) != nullptr;
            EXPECT_EQ(seen, c.request || c.require) << text;
            if (seen) {
                EXPECT_EQ(SSL_get_verify_result(known.server()), X509_V_OK) << text;
            }
        }
    }
}

TEST_F(ClientCertificates, ThatAreAcceptedUnseenAreNotTakenForVerified) {
    auto some = settings();
    some.request_cert = true;
    some.ca_certificates = issuer.certificate;
    const auto server = usual().context(some);
    for (const int version : modern) {
        Pair pair(server, showing(stranger, version));
        ASSERT_TRUE(pair.shake());
        EXPECT_NE(SSL_get_verify_result(pair.server()), X509_V_OK);
    }
}

TEST_F(ClientCertificates, AreAskedForWithTheNamesOfTheAuthorities) {
    auto some = settings();
    some.request_cert = true;
    some.ca_certificates = issuer.certificate + stranger.certificate;
    const auto server = usual().context(some);
    EXPECT_EQ(sk_X509_NAME_num(SSL_CTX_get_client_CA_list(server.get())), 2);
}

TEST_F(ClientCertificates, NeedAFileThatCanBeRead) {
    config::Options options;
    options.ca_certs_file = "/no/such/file";
    const auto missing = tls::settings_of(options);
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().text(), StartsWith("SSL: could not load verify file: "));
    EXPECT_THAT(missing.error().text(), HasSubstr("/no/such/file"));
    options.ssl_request_cert = false;
    EXPECT_TRUE(tls::settings_of(options)) << "as with vsftpd, nobody needs it";

    auto some = settings();
    some.request_cert = true;
    some.ca_certificates = "no certificate";
    const auto refused = Context::create(some, usual().certificates(), Purpose::control);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text(), StartsWith("SSL: could not load verify file: "));
}

// ----- resumption

struct Resumption : testing::TestWithParam<int> {
    // A control connection, and the sessions that its client has then.
    static std::vector<tls::SslSession> sessions(const Context& control, Client client) {
        Pair pair(control, client);
        EXPECT_TRUE(pair.shake()) << pair.server_error();
        std::vector<tls::SslSession> result;
        for (const auto& each : pair.sessions()) {
            SSL_SESSION_up_ref(each.get());
            result.emplace_back(each.get());
        }
        return result;
    }
};

TEST_P(Resumption, WorksWithTheTicketsOfTheSameConnection) {
    const auto key = ticket_key();
    auto control = usual().context(settings());
    ASSERT_TRUE(control.use_ticket_key(key));
    auto data = usual().context(settings(), Purpose::resumed_data);
    ASSERT_TRUE(data.use_ticket_key(key));
    const auto kept = sessions(control, only(GetParam()));
    ASSERT_FALSE(kept.empty());
    usual().asked().clear();
    for (int transfer = 0; transfer < 3; ++transfer) {
        auto client = only(GetParam());
        client.resume = kept.front().get();
        Pair pair(data, client);
        ASSERT_TRUE(pair.shake()) << pair.server_error();
        EXPECT_EQ(SSL_session_reused(pair.server()), 1);
        EXPECT_EQ(pair.to_server("an upload"), "an upload");
        if (GetParam() == TLS1_3_VERSION) {
            EXPECT_THAT(pair.sessions(), IsEmpty()) << "a ticket on a data connection";
        }
    }
    EXPECT_THAT(usual().asked(), IsEmpty()) << "nothing was signed";
}

TEST_P(Resumption, IsRefusedWithoutOneOfTheSameConnection) {
    auto control = usual().context(settings());
    ASSERT_TRUE(control.use_ticket_key(ticket_key()));
    const auto kept = sessions(control, only(GetParam()));
    ASSERT_FALSE(kept.empty());
    auto foreign = usual().context(settings(), Purpose::resumed_data);
    ASSERT_TRUE(foreign.use_ticket_key(ticket_key()));
    usual().asked().clear();
    for (auto* session : {kept.front().get(), static_cast<SSL_SESSION*>(nullptr)}) {
        auto client = only(GetParam());
        client.resume = session;
        Pair pair(foreign, client);
        EXPECT_FALSE(pair.shake());
        EXPECT_THAT(pair.client_error(), HasSubstr("handshake failure"));
    }
    EXPECT_THAT(usual().asked(), IsEmpty());
}

TEST_P(Resumption, IsNoMustForOtherDataConnections) {
    auto control = usual().context(settings());
    ASSERT_TRUE(control.use_ticket_key(ticket_key()));
    const auto kept = sessions(control, only(GetParam()));
    ASSERT_FALSE(kept.empty());
    auto foreign = usual().context(settings(), Purpose::data);
    ASSERT_TRUE(foreign.use_ticket_key(ticket_key()));
    auto client = only(GetParam());
    client.resume = kept.front().get();
    Pair pair(foreign, client);
    ASSERT_TRUE(pair.shake()) << pair.server_error();
    EXPECT_EQ(SSL_session_reused(pair.server()), 0) << "a foreign ticket";
    if (GetParam() == TLS1_3_VERSION) {
        EXPECT_THAT(pair.sessions(), IsEmpty()) << "a ticket on a data connection";
    }
}

TEST_P(Resumption, NeedsAKeyForTickets) {
    const auto control = usual().context(settings());
    const auto kept = sessions(control, only(GetParam()));
    for (const auto& each : kept) EXPECT_EQ(SSL_SESSION_has_ticket(each.get()), 0);
}

TEST_P(Resumption, KeepsWhatTheClientHasShown) {
    const auto shown = authority::make({});
    auto some = settings();
    some.request_cert = true;
    const auto key = ticket_key();
    auto control = usual().context(some);
    ASSERT_TRUE(control.use_ticket_key(key));
    auto data = usual().context(some, Purpose::resumed_data);
    ASSERT_TRUE(data.use_ticket_key(key));
    auto client = only(GetParam());
    client.certificate = shown.certificate;
    client.key = shown.key;
    const auto kept = sessions(control, client);
    ASSERT_FALSE(kept.empty());
    client.resume = kept.front().get();
    Pair pair(data, client);
    ASSERT_TRUE(pair.shake()) << pair.server_error();
    EXPECT_EQ(SSL_session_reused(pair.server()), 1);
    EXPECT_NE(SSL_get0_peer_certificate(pair.server()), nullptr);
}

INSTANTIATE_TEST_SUITE_P(OfVersion, Resumption, testing::ValuesIn(versions));

TEST(Tickets, ComeWithTheHandshakeAndWhenAskedFor) {
    auto control = usual().context(settings());
    ASSERT_TRUE(control.use_ticket_key(ticket_key()));
    Pair pair(control, only(TLS1_3_VERSION));
    ASSERT_TRUE(pair.shake());
    EXPECT_EQ(pair.sessions().size(), 2U);
    ASSERT_EQ(SSL_new_session_ticket(pair.server()), 1);
    EXPECT_EQ(pair.to_client("227 ...\r\n"), "227 ...\r\n");
    EXPECT_EQ(pair.sessions().size(), 3U);
}

TEST(Tickets, LastAsLongAsAControlConnection) {
    auto control = usual().context(settings());
    ASSERT_TRUE(control.use_ticket_key(ticket_key()));
    EXPECT_EQ(SSL_CTX_get_timeout(control.get()), 7 * 86400);
}

// A client that knows no tickets.
TEST(SessionIds, AreResumedByWhoWasToldTheSession) {
    const auto key = ticket_key();
    auto control = usual().context(settings());
    ASSERT_TRUE(control.use_ticket_key(key));
    auto client = only(TLS1_2_VERSION);
    client.tickets = false;
    Pair first(control, client);
    ASSERT_TRUE(first.shake());
    ASSERT_EQ(first.sessions().size(), 1U);
    ASSERT_EQ(SSL_SESSION_has_ticket(first.sessions().front().get()), 0);
    const auto bytes = tls::serialise_session(first.server());
    ASSERT_TRUE(bytes);

    auto data = usual().context(settings(), Purpose::resumed_data);
    ASSERT_TRUE(data.use_ticket_key(key));
    client.resume = first.sessions().front().get();
    EXPECT_FALSE(Pair(data, client).shake()) << "not told yet";
    ASSERT_TRUE(data.resume(bytes.value()));
    for (int transfer = 0; transfer < 3; ++transfer) {  // each is cut off, not closed
        Pair pair(data, client);
        ASSERT_TRUE(pair.shake()) << pair.server_error();
        EXPECT_EQ(SSL_session_reused(pair.server()), 1);
    }

    Pair other(control, [] {
        auto stranger = only(TLS1_2_VERSION);
        stranger.tickets = false;
        return stranger;
    }());
    ASSERT_TRUE(other.shake());
    client.resume = other.sessions().front().get();
    EXPECT_FALSE(Pair(data, client).shake()) << "another connection's";
}

TEST(SessionIds, OfNonsenseAreRefused) {
    auto data = usual().context(settings(), Purpose::resumed_data);
    const tls::Bytes nonsense(100, 'x');
    EXPECT_FALSE(data.resume(nonsense));
    EXPECT_FALSE(data.resume({}));
}

}  // namespace
