// SPDX-License-Identifier: MIT
// Whole sessions over TLS, with OpenSSL as the client: handshakes of every kind, resumption,
// transfers that end as they should and not, and where the private keys are.
#include "tests/sessions/secure.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include <signal.h>

using namespace sessions;
using namespace std::string_view_literals;
using testing::AnyOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

class Tls : public testing::Test {
  protected:
    // A server with this kind of key.
    static Lines with_key(const std::string& kind, const Lines& more = {}) {
        authority::Wanted wanted;
        wanted.key = kind;
        return with(authority::make(wanted), more);
    }
    static Lines with(const authority::Made& made, const Lines& more = {}) {
        const auto file = place("server.pem");
        write_file(file, made.certificate + made.key, 0, 0600);
        Lines lines = {"ssl_enable=YES", "debug_ssl=YES", "rsa_cert_file=" + file.string()};
        lines.insert(lines.end(), more.begin(), more.end());
        return lines;
    }
    static std::filesystem::path file(const std::string& name) {
        return home_of(alice) / "files" / name;
    }
    // The name in the server's certificate.
    static std::string shown(const Secure& ftp) {
        char name[64] = "";
        X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(ftp.control())),
                                  NID_commonName, name, sizeof name);
        return name;
    }
    static Habits habits(int version, Habits::Resume resume = Habits::Resume::newest) {
        Habits result;
        result.version = version;
        result.resume = resume;
        return result;
    }
};

struct Kind {
    std::string name;
    std::string key;
    int version;
    Habits::Resume resume;
    bool tickets;
};
std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

class TlsKinds : public Tls, public testing::WithParamInterface<Kind> {};

}  // namespace

// ----- transfers

TEST_P(TlsKinds, EveryClientThatResumesIsServed) {
    const auto& kind = GetParam();
    Server server(with_key(kind.key));
    auto how = habits(kind.version, kind.resume);
    how.tickets = kind.tickets;
    Secure ftp(server, alice, how);
    const auto content = noise(3'000'000);
    for (const auto* name : {"files/one", "files/two", "files/three"}) {
        EXPECT_EQ(ftp.store(name, content), "226 Transfer complete.") << ftp.trouble;
        EXPECT_TRUE(ftp.resumed);
        EXPECT_EQ(ftp.retrieve(name), content) << ftp.trouble;
        EXPECT_EQ(ftp.done, "226 Transfer complete.");
        EXPECT_TRUE(ftp.resumed);
        EXPECT_EQ(ftp.trouble, "");
    }
    EXPECT_EQ(content_of(file("one")), content);
    EXPECT_THAT(ftp.receive("LIST files"), HasSubstr(" three\r\n"));
    EXPECT_THAT(ftp.receive("MLSD files"), HasSubstr("; two\r\n"));
    EXPECT_THAT(ftp.say("STAT"), HasSubstr("Control connection is encrypted"));
    EXPECT_EQ(ftp.say("QUIT"), "221 Goodbye.");
    EXPECT_EQ(ftp.reply(), "(end)");
    server.logged("DEBUG: Client \"127.0.0.1\", \"SSL version: " +
                  std::string(kind.version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2") +
                  ", SSL cipher: .*, not reused, no cert\"");
}

INSTANTIATE_TEST_SUITE_P(
    All, TlsKinds,
    testing::Values(Kind{"Ec13", "EC:prime256v1", TLS1_3_VERSION, Habits::Resume::newest, true},
                    Kind{"Ec13Once", "EC:prime256v1", TLS1_3_VERSION, Habits::Resume::once, true},
                    Kind{"Ec13First", "EC:prime256v1", TLS1_3_VERSION, Habits::Resume::first, true},
                    Kind{"Ec12Ticket", "EC:prime256v1", TLS1_2_VERSION, Habits::Resume::first,
                         true},
                    Kind{"Ec12Id", "EC:prime256v1", TLS1_2_VERSION, Habits::Resume::first, false},
                    Kind{"Rsa13", "RSA:2048", TLS1_3_VERSION, Habits::Resume::newest, true},
                    Kind{"Rsa12", "RSA:2048", TLS1_2_VERSION, Habits::Resume::first, true}),
    [](const auto& each) { return each.param.name; });

TEST_F(Tls, HundredsOfTransfersOnOneLoginHaveATicketEach) {
    Server server(with_key("EC:prime256v1"));
    Secure ftp(server, alice, habits(TLS1_3_VERSION, Habits::Resume::once));
    for (int round = 0; round < 500; ++round) {
        ASSERT_EQ(ftp.store("files/small", std::to_string(round)), "226 Transfer complete.")
            << round << ftp.trouble;
        ASSERT_TRUE(ftp.resumed) << round;
    }
    EXPECT_EQ(content_of(file("small")), "499");
}

TEST_F(Tls, ADataConnectionThatDoesNotResumeIsRefusedAndTheSessionLivesOn) {
    Server server(with_key("EC:prime256v1"));
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Secure ftp(server, alice, habits(version, Habits::Resume::never));
        EXPECT_EQ(ftp.store("files/new", "content"),
                  "522 SSL connection failed: session reuse required");
        EXPECT_EQ(content_of(file("new")), "(none)");
        EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
        server.complained("\"alice\" from 127.0.0.1 .*require_ssl_reuse=YES");
    }
}

TEST_F(Tls, ATicketOfAnotherConnectionIsRefused) {
    Server server(with_key("EC:prime256v1"));
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Secure other(server, alice, habits(version));
        (void)other.say("NOOP");
        Secure ftp(server, alice, habits(version, Habits::Resume::first));
        ftp.sessions().push_front(tls::SslSession{SSL_SESSION_dup(other.sessions().back().get())});
        EXPECT_EQ(ftp.store("files/new", "content"),
                  "522 SSL connection failed: session reuse required");
        EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    }
}

TEST_F(Tls, WithoutRequireSslReuseAFullHandshakeWillDo) {
    for (const auto* key : {"EC:prime256v1", "RSA:2048"}) {
        Server server(with_key(key, {"require_ssl_reuse=NO"}));
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            for (const auto resume : {Habits::Resume::never, Habits::Resume::newest}) {
                Secure ftp(server, alice, habits(version, resume));
                const auto content = noise(100'000);
                for (int round = 0; round < 3; ++round) {
                    EXPECT_EQ(ftp.store("files/new", content), "226 Transfer complete.");
                    EXPECT_EQ(ftp.retrieve("files/new"), content) << ftp.trouble;
                    EXPECT_EQ(ftp.resumed, resume != Habits::Resume::never);
                }
            }
        }
    }
}

TEST_F(Tls, DataInClearTextIsRefusedWhereItIsForced) {
    Server server(with_key("EC:prime256v1"));
    Secure ftp(server, alice);
    EXPECT_EQ(ftp.say("PROT C"), "200 PROT now Clear.");
    (void)ftp.say("EPSV");
    EXPECT_EQ(ftp.say("STOR files/new"), "522 Data connections must be encrypted.");
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

TEST_F(Tls, AnUploadThatIsCutShortIsNone) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Server server(with_key("EC:prime256v1"));
        auto how = habits(version);
        how.goodbye = false;
        Secure ftp(server, alice, how);
        EXPECT_EQ(ftp.store("files/new", "half of it"), "426 Failure reading network stream.");
        EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
        server.logged("FAIL UPLOAD: .*files/new");
        server.logged("DATA connection terminated without SSL shutdown. Buggy client!");
    }
    Server server(with_key("EC:prime256v1", {"strict_ssl_read_eof=NO"}));
    auto how = habits(TLS1_3_VERSION);
    how.goodbye = false;
    Secure ftp(server, alice, how);
    EXPECT_EQ(ftp.store("files/new", "half of it"), "226 Transfer complete.");
    // Clients that say no goodbye leave between two records.
    how.one_piece = true;
    const auto content = noise(60'000);
    for (const std::size_t withheld : {100, 5000, 20'000}) {
        how.withheld = withheld;
        Secure cut(server, alice, how);
        EXPECT_EQ(cut.store("files/new", content), "426 Failure reading network stream.")
            << withheld;
        const auto stored = content_of(file("new"));
        EXPECT_GE(stored.size(), content.size() - withheld - 16384) << "good records are kept";
        EXPECT_TRUE(content.starts_with(stored));
    }
}

TEST_F(Tls, AClientThatNeverReadsUploadsAHundredMegabytes) {
    const auto content = noise(100'000'000);
    for (const bool reuse : {true, false}) {
        Server server(
            with_key("EC:prime256v1", {reuse ? "require_ssl_reuse=YES" : "require_ssl_reuse=NO"}));
        Secure ftp(server, alice,
                   habits(TLS1_3_VERSION, reuse ? Habits::Resume::newest : Habits::Resume::never));
        EXPECT_EQ(ftp.store("files/big", content), "226 Transfer complete.");
        EXPECT_TRUE(content_of(file("big")) == content);
    }
}

TEST_F(Tls, StrictSslWriteShutdownWaitsForTheClientsGoodbye) {
    Server server(with_key("EC:prime256v1", {"strict_ssl_write_shutdown=YES"}));
    write_file(file("one"), "content", alice.uid);
    Secure polite(server, alice);
    EXPECT_EQ(polite.retrieve("files/one"), "content");
    EXPECT_EQ(polite.done, "226 Transfer complete.");
}

TEST_F(Tls, AClientWithoutGoodbyeIsNotBelievedToHaveItAllIfThatIsStrict) {
    write_file(file("one"), "content", alice.uid);
    auto how = habits(TLS1_3_VERSION);
    how.goodbye = false;
    for (const bool strict : {true, false}) {
        Server another(with_key("EC:prime256v1", {"data_connection_timeout=1",
                                                  strict ? "strict_ssl_write_shutdown=YES"
                                                         : "strict_ssl_write_shutdown=NO"}));
        Secure silent(another, alice, how);
        EXPECT_EQ(silent.retrieve("files/one"), "content");
        EXPECT_THAT(silent.done, StartsWith(strict ? "4" : "226 ")) << silent.done;
        another.logged(strict ? "FAIL DOWNLOAD" : "OK DOWNLOAD");
    }
}

// Where the kernel can: by its own word, and every byte is the same where it cannot.
TEST_F(Tls, TheKernelEncryptsDataWhereItCan) {
    Server server(with_key("EC:prime256v1"));
    const bool it_can =
        server.complained("kernel TLS: (not )?in use").find("not in use") == std::string::npos;
    RecordProperty("kernel_tls", it_can);
    const auto content = noise(3'000'000);
    write_file(file("empty"), "", alice.uid);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const std::string name = version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2";
        const auto told = [&](const std::string& expression) {
            if (it_can)
                server.logged("\"SSL version: " + name + ", .*" + expression);
            else
                EXPECT_THAT(server.log(), Not(HasSubstr("by the kernel")));
        };
        Secure ftp(server, alice, habits(version));
        EXPECT_EQ(ftp.store("files/one", content), "226 Transfer complete.") << ftp.trouble;
        if (version == TLS1_2_VERSION) told("decrypted by the kernel");
        EXPECT_EQ(ftp.retrieve("files/one"), content) << ftp.trouble;
        EXPECT_EQ(ftp.done, "226 Transfer complete.");
        told("encrypted by the kernel");
        EXPECT_EQ(ftp.retrieve("files/empty"), "") << ftp.trouble;
        EXPECT_EQ(ftp.trouble, "");
        EXPECT_EQ(ftp.say("REST 2999000"), "350 Restart position accepted (2999000).");
        EXPECT_EQ(ftp.retrieve("files/one"), content.substr(2'999'000)) << ftp.trouble;
        EXPECT_THAT(ftp.receive("LIST files"), HasSubstr(" one\r\n"));
        EXPECT_EQ(ftp.trouble, "");
    }
    // What is not sent from the file itself.
    server.rewrite(with_key("EC:prime256v1", {"use_sendfile=NO", "strict_ssl_write_shutdown=YES"}));
    server.signal(SIGHUP);
    server.complained("configuration reloaded");
    Secure ftp(server, alice);
    EXPECT_EQ(ftp.retrieve("files/one"), content) << ftp.trouble;
    EXPECT_EQ(ftp.done, "226 Transfer complete.");
}

// OpenSSL cannot give the kernel another key: a client that wants one is served all the same.
TEST_F(Tls, ClientsMayChangeTheirKeysInTransfers) {
    Server server(with_key("EC:prime256v1"));
    auto how = habits(TLS1_3_VERSION);
    how.new_keys = true;
    Secure ftp(server, alice, how);
    const auto content = noise(3'000'000);
    EXPECT_EQ(ftp.store("files/one", content), "226 Transfer complete.") << ftp.trouble;
    EXPECT_TRUE(content_of(file("one")) == content);
    EXPECT_EQ(ftp.retrieve("files/one"), content) << ftp.trouble;
    EXPECT_EQ(ftp.done, "226 Transfer complete.");
    EXPECT_EQ(ftp.trouble, "");

    // All has come and been read from the socket when the first of the keys changes.
    how.new_keys = false;
    how.one_piece = true;
    Secure at_once(server, alice, how);
    for (const std::size_t size : {2, 5000, 100'000}) {
        EXPECT_EQ(at_once.store("files/two", std::string_view(content).substr(0, size)),
                  "226 Transfer complete.");
        EXPECT_EQ(at_once.trouble, "");
        EXPECT_TRUE(content_of(file("two")) == content.substr(0, size)) << size;
    }
}

// ----- the control connection

TEST_F(Tls, AuthIsAnsweredAsVsftpdDoes) {
    Server server(with_key("EC:prime256v1"));
    for (const auto* auth : {"AUTH TLS", "auth tls-c", "AUTH SSL", "AUTH TLS-P"}) {
        Secure ftp(server);
        EXPECT_EQ(ftp.say("PBSZ 0"), "503 PBSZ needs a secure connection.");
        EXPECT_EQ(ftp.say("PROT P"), "503 PROT needs a secure connection.");
        EXPECT_EQ(ftp.say("AUTH KERBEROS_V4"), "504 Unknown AUTH type.");
        EXPECT_EQ(ftp.say(auth), "234 Proceed with negotiation.");
        EXPECT_EQ(ftp.shake(), "");
        EXPECT_EQ(ftp.say("AUTH TLS"), "530 Please login with USER and PASS.");
        EXPECT_EQ(ftp.say("PROT S"), "536 PROT not supported.");
        EXPECT_EQ(ftp.say("PROT X"), "504 PROT not recognized.");
        EXPECT_THAT(ftp.say("FEAT"), HasSubstr(" AUTH TLS\n"));
        EXPECT_EQ(ftp.login(alice), "230 Login successful.");
        EXPECT_EQ(ftp.say("AUTH TLS"), "500 Unknown command.");
        // The old kinds of AUTH mean private data connections at once.
        const bool at_once = std::string(auth).ends_with('P') || std::string(auth).ends_with("SSL");
        EXPECT_EQ(ftp.receive("LIST files"), at_once ? "" : "(refused)");
        EXPECT_THAT(at_once ? ftp.done : ftp.began,
                    StartsWith(at_once ? "226 " : "522 Data connections must be encrypted."));
    }
}

TEST_F(Tls, LoginsInClearTextAreRefused) {
    Server server(with_key("EC:prime256v1", {"anonymous_enable=YES"}));
    Secure ftp(server);
    EXPECT_EQ(ftp.say("USER alice"), "530 Non-anonymous sessions must use encryption.");
    EXPECT_EQ(ftp.reply(), "(end)");
    Secure guest(server);
    EXPECT_EQ(guest.say("AUTH TLS"), "234 Proceed with negotiation.");
    EXPECT_EQ(guest.shake(), "");
    EXPECT_EQ(guest.say("USER ftp"), "530 Anonymous sessions may not use encryption.");
    Secure after_user(server);
    EXPECT_EQ(after_user.say("USER ftp"), "331 Please specify the password.");
    EXPECT_EQ(after_user.say("AUTH TLS"), "234 Proceed with negotiation.");
    EXPECT_EQ(after_user.shake(), "");
    EXPECT_EQ(after_user.login(alice), "230 Login successful.");
}

TEST_F(Tls, WrongPasswordsAreAnsweredInsideTls) {
    Server server(with_key("EC:prime256v1"));
    Secure ftp(server);
    EXPECT_EQ(ftp.say("AUTH TLS"), "234 Proceed with negotiation.");
    EXPECT_EQ(ftp.shake(), "");
    EXPECT_EQ(ftp.login({"alice", 0, "wrong"}), "530 Login incorrect.");
    EXPECT_EQ(ftp.login(alice), "230 Login successful.");
}

TEST_F(Tls, WhatCameAheadOfTheHandshakeIsForgotten) {
    Server server(with_key("EC:prime256v1"));
    Secure ftp(server);
    ftp.send_clear("AUTH TLS\r\nUSER mallory\r\nPASS x\r\n");
    EXPECT_EQ(ftp.reply(), "234 Proceed with negotiation.");
    ASSERT_EQ(ftp.shake(), "");
    EXPECT_EQ(ftp.say("PASS x"), "503 Login with USER first.");
}

TEST_F(Tls, CommandsThatAreSentAheadReachTheSession) {
    Server server(with_key("EC:prime256v1"));
    Secure ftp(server);
    EXPECT_EQ(ftp.say("AUTH TLS"), "234 Proceed with negotiation.");
    ASSERT_EQ(ftp.shake(), "");
    ftp.send("USER alice\r\nPASS wonderland\r\nPWD\r\nQUIT\r\n");
    EXPECT_EQ(ftp.reply(), "331 Please specify the password.");
    EXPECT_EQ(ftp.reply(), "230 Login successful.");
    EXPECT_THAT(ftp.reply(), StartsWith("257 "));
    EXPECT_EQ(ftp.reply(), "221 Goodbye.");
    EXPECT_EQ(ftp.reply(), "(end)");
}

TEST_F(Tls, ImplicitSslShakesHandsFirst) {
    Server server(with_key("EC:prime256v1", {"implicit_ssl=YES"}));
    Habits how;
    how.auth = "";
    Secure ftp(server, alice, how);
    EXPECT_THAT(ftp.greeting, StartsWith("220 "));
    EXPECT_EQ(ftp.store("files/new", "content"), "226 Transfer complete.");
}

TEST_F(Tls, AFailedHandshakeSaysNothingInClearTextAndIsLogged) {
    Server server(with_key("EC:prime256v1"));
    for (const auto garbage :
         {"GET / HTTP/1.1\r\nHost: x\r\n\r\n"sv, "\x16\x03\x01\x00\x05hello"sv, "\0\0\0\0\0\0"sv,
          "USER alice\r\n"sv, "\xff\xf4\xff\xf2STAT\r\n"sv}) {
        Secure ftp(server);
        EXPECT_EQ(ftp.say("AUTH TLS"), "234 Proceed with negotiation.");
        ftp.send_clear(garbage);
        const auto answer = ftp.reply();
        EXPECT_THAT(answer, Not(ContainsRegex("[0-9]{3}"))) << answer;
        server.complained("a client from 127.0.0.1 .*TLS handshake failed: ");
    }
}

TEST_F(Tls, AStalledHandshakeEnds) {
    Server server(with_key("EC:prime256v1", {"idle_session_timeout=1"}));
    Secure ftp(server);
    EXPECT_EQ(ftp.say("AUTH TLS"), "234 Proceed with negotiation.");
    ftp.send_clear("\x16\x03");
    EXPECT_EQ(ftp.reply(), "(end)");
    server.complained("TLS handshake failed: timeout");
}

TEST_F(Tls, OtherProtocolsByAlpnAreRefused) {
    Server server(with_key("EC:prime256v1"));
    Habits ftp_only;
    ftp_only.protocols =
        "\x03"
        "ftp";
    Secure ftp(server, alice, ftp_only);
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    Habits web;
    web.protocols = "\x08http/1.1";
    Secure browser(server, web);
    EXPECT_EQ(browser.say("AUTH TLS"), "234 Proceed with negotiation.");
    EXPECT_NE(browser.shake(), "");
}

TEST_F(Tls, OldVersionsAreRefusedUnlessTheyAreOn) {
    Server server(with_key("EC:prime256v1", {"ssl_tlsv13=NO"}));
    Secure ftp(server, habits(TLS1_3_VERSION));
    EXPECT_EQ(ftp.say("AUTH TLS"), "234 Proceed with negotiation.");
    EXPECT_NE(ftp.shake(), "");
    Secure twelve(server, alice, habits(TLS1_2_VERSION));
    EXPECT_EQ(twelve.say("NOOP"), "200 NOOP ok.");
}

TEST_F(Tls, ClientCertificatesAreAskedForAndChecked) {
    authority::Wanted wanted;
    wanted.issuer = true;
    wanted.common_name = "issuer";
    const auto issuer = authority::make(wanted);
    write_file(place("ca.pem"), issuer.certificate);
    wanted = {};
    wanted.common_name = "client";
    const auto known = authority::make(wanted, &issuer);
    const auto stranger = authority::make(wanted);
    const auto connects = [&](const Server& server, const std::string& certificate) {
        auto how = habits(TLS1_2_VERSION);
        how.certificate = certificate;
        Secure ftp(server, how);
        (void)ftp.say("AUTH TLS");
        return ftp.shake().empty() && ftp.login(alice) == "230 Login successful.";
    };
    {
        Server server(with_key("EC:prime256v1", {"require_cert=YES"}));
        EXPECT_FALSE(connects(server, ""));
        EXPECT_TRUE(connects(server, stranger.certificate + stranger.key));
        server.logged("SSL version: .*, CERT PRESENTED");
    }
    Server server(with_key("EC:prime256v1", {"require_cert=YES", "validate_cert=YES",
                                             "ca_certs_file=" + place("ca.pem").string()}));
    EXPECT_FALSE(connects(server, ""));
    EXPECT_FALSE(connects(server, stranger.certificate + stranger.key));
    EXPECT_TRUE(connects(server, known.certificate + known.key));
    auto how = habits(TLS1_3_VERSION);
    how.certificate = known.certificate + known.key;
    Secure ftp(server, alice, how);
    EXPECT_EQ(ftp.store("files/new", "content"), "226 Transfer complete.") << ftp.trouble;
}

TEST_F(Tls, ParallelHandshakesAreAllServed) {
    Server server(with_key("EC:prime256v1", {"max_per_ip=0", "max_clients=0"}));
    std::vector<std::thread> threads;
    std::array<std::string, 8> said;
    for (std::size_t at = 0; at < said.size(); ++at) {
        threads.emplace_back([&, at] {
            for (int round = 0; round < 25; ++round) {
                Secure ftp(server);
                if (!ftp.say("AUTH TLS").starts_with("234")) said[at] = "no AUTH";
                if (const auto failed = ftp.shake(); !failed.empty()) said[at] = failed;
                if (!ftp.say("QUIT").starts_with("221")) said[at] = "no QUIT";
            }
        });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& each : said) EXPECT_EQ(each, "");
}

// ----- [tls] of jailftpd.ini

namespace {

// These are Tls by another name.
using TlsCcc = Tls;
using TlsCiphersuites = Tls;
using TlsKernel = Tls;

constexpr const char* with_ccc = "[tls]\nccc = yes\n";
constexpr const char* clear_now = "200 The control connection is in clear text now.";

}  // namespace

TEST_F(TlsCiphersuites, AreThoseOfTls13) {
    struct {
        const char* ini;
        const char* expected;
    } const cases[] = {
        {"", "TLS_AES_256_GCM_SHA384"},
        {"[tls]\nciphersuites = TLS_CHACHA20_POLY1305_SHA256\n", "TLS_CHACHA20_POLY1305_SHA256"}};
    for (const auto& each : cases) {
        Server server(with_key("EC:prime256v1"), {.ini = each.ini});
        Secure ftp(server, alice, habits(TLS1_3_VERSION));
        EXPECT_STREQ(SSL_get_cipher_name(ftp.control()), each.expected);
    }
}

// Elsewhere downloads over both are compared; here, that it says which it is.
TEST_F(TlsKernel, IsOffWhereItIsNotWanted) {
    for (const bool on : {true, false}) {
        Server server(with_key("EC:prime256v1"), {.ini = on ? "" : "[tls]\nkernel = no\n"});
        const auto line = server.complained("kernel TLS: ");
        const bool possible = line.find("the kernel") == line.npos;
        if (!on || possible) {
            EXPECT_EQ(line.find("in use for data connections") != line.npos, on) << line;
        }
    }
}

TEST_F(TlsCcc, IsDeniedUnlessItIsOn) {
    Server server(with_key("EC:prime256v1"));
    Secure ftp(server);
    EXPECT_EQ(ftp.say("CCC"), "530 Please login with USER and PASS.");
    EXPECT_EQ(ftp.say("AUTH TLS"), "234 Proceed with negotiation.");
    ASSERT_EQ(ftp.shake(), "");
    EXPECT_EQ(ftp.login(alice), "230 Login successful.");
    EXPECT_EQ(ftp.say("CCC"), "534 CCC is not allowed here.");
    EXPECT_THAT(ftp.say("FEAT"), Not(HasSubstr(" CCC\n")));
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

TEST_F(TlsCcc, TakesTheControlConnectionBackToClearText) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        for (const bool goodbye : {true, false}) {
            Server server(with_key("EC:prime256v1"), {.ini = with_ccc});
            Secure ftp(server, alice, habits(version));
            EXPECT_THAT(ftp.say("FEAT"), HasSubstr(" CCC\n"));
            EXPECT_EQ(ftp.say("CCC"), clear_now);
            ftp.go_clear(goodbye);
            EXPECT_THAT(ftp.say("PWD"), StartsWith("257 "));
            EXPECT_THAT(ftp.say("FEAT"), Not(HasSubstr(" CCC\n")));
            EXPECT_EQ(ftp.say("CCC"), "533 CCC needs a secure connection.");
            // Anybody might say so now.
            EXPECT_EQ(ftp.say("PROT C"), "503 PROT needs a secure connection.");
            EXPECT_EQ(ftp.say("AUTH TLS"), "500 Unknown command.");
            // Data connections are what they were.
            const auto content = noise(1'000'000);
            EXPECT_EQ(ftp.store("files/new", content), "226 Transfer complete.") << ftp.trouble;
            EXPECT_TRUE(ftp.resumed);
            EXPECT_EQ(ftp.retrieve("files/new"), content) << ftp.trouble;
            EXPECT_THAT(ftp.say("STAT"), HasSubstr("Control connection is plain text"));
            EXPECT_EQ(ftp.say("QUIT"), "221 Goodbye.");
            EXPECT_EQ(ftp.reply(), "(end)");
        }
    }
}

// A model of what the RFC says, against every order in which these can come.
TEST_F(Tls, AuthPbszProtCccAndLoginComeInAnyOrder) {
    Server server(with_key("EC:prime256v1", {"force_local_logins_ssl=NO", "force_local_data_ssl=NO",
                                             "max_per_ip=0"}),
                  {.ini = with_ccc});
    std::vector<std::string> order{"AUTH TLS", "CCC", "LOGIN", "PBSZ 0", "PROT P"};
    do {
        Secure ftp(server);
        bool encrypted = false;
        bool logged_in = false;
        bool data_private = false;
        std::string so_far;
        for (const auto& command : order) {
            so_far += command + "; ";
            const auto answer = command == "LOGIN" ? ftp.login(alice) : ftp.say(command);
            const auto code = answer.substr(0, 3);
            if (command == "LOGIN") {
                EXPECT_EQ(code, "230") << so_far;
                logged_in = true;
            } else if (command == "AUTH TLS") {
                ASSERT_EQ(code, logged_in ? "500" : "234") << so_far;
                if (logged_in) continue;
                ASSERT_EQ(ftp.shake(), "") << so_far;
                encrypted = true;
            } else if (command == "CCC") {
                ASSERT_EQ(code, !logged_in ? "530" : encrypted ? "200" : "533") << so_far;
                if (code != "200") continue;
                ftp.go_clear();
                encrypted = false;
            } else {
                EXPECT_EQ(code, encrypted ? "200" : "503") << so_far;
                data_private = data_private || (command == "PROT P" && encrypted);
            }
        }
        const auto status = ftp.say("STAT");
        EXPECT_THAT(status, HasSubstr(encrypted ? "Control connection is encrypted"
                                                : "Control connection is plain text"))
            << so_far;
        EXPECT_THAT(status, HasSubstr(data_private ? "Data connections will be encrypted"
                                                   : "Data connections will be plain text"))
            << so_far;
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(Tls, WhatIsSentAheadAroundTheEndOfTlsIsAllAnswered) {
    Server server(with_key("EC:prime256v1"), {.ini = with_ccc});
    Secure ftp(server, alice);
    // In one record, in another one, and in clear text right behind the goodbye.
    ftp.send("CCC\r\nMODE S\r\n");
    ftp.send("STRU F\r\n");
    EXPECT_EQ(ftp.reply(), clear_now);
    EXPECT_EQ(SSL_shutdown(ftp.control()), 0);
    ftp.send_clear("NOOP\r\nPWD\r\n");
    ftp.go_clear(false);
    EXPECT_EQ(ftp.reply(), "200 Mode set to S.");
    EXPECT_EQ(ftp.reply(), "200 Structure set to F.");
    EXPECT_EQ(ftp.reply(), "200 NOOP ok.");
    EXPECT_THAT(ftp.reply(), StartsWith("257 "));
}

// ----- processes and certificates

TEST_F(Tls, TheGreeterStaysWithItsSessionAndGoesWithIt) {
    Server server(with_key("EC:prime256v1"));
    Secure ftp(server, alice);
    const auto greeter = server.process("alice 127.0.0.1 [greeter]");
    const auto session = server.process("alice 127.0.0.1 [session]");
    ::kill(greeter, SIGKILL);
    EXPECT_TRUE(eventually([&] { return ::kill(session, 0) < 0; }));
    Secure again(server, alice);
    ::kill(server.process("alice 127.0.0.1 [session]"), SIGKILL);
    EXPECT_THAT(again.reply(), StartsWith("("));
    EXPECT_TRUE(eventually([&] { return server.processes("alice").empty(); }));
}

TEST_F(Tls, ADeadSignerIsReplaced) {
    Server server(with_key("EC:prime256v1"));
    Secure before(server, alice);
    ::kill(server.process("[signer]"), SIGKILL);
    EXPECT_EQ(before.store("files/new", "content"), "226 Transfer complete.");
    EXPECT_TRUE(eventually([&] {
        Secure ftp(server);
        return ftp.say("AUTH TLS").starts_with("234") && ftp.shake().empty();
    }));
}

TEST_F(Tls, AReloadBringsTheNewCertificateAndRunningSessionsStay) {
    authority::Wanted wanted;
    wanted.common_name = "old";
    Server server(with(authority::make(wanted)));
    Secure before(server, alice);
    EXPECT_EQ(shown(before), "old");
    wanted.common_name = "new";
    const auto made = authority::make(wanted);
    write_file(place("server.pem"), made.certificate + made.key, 0, 0600);
    server.signal(SIGHUP);
    server.complained("configuration reloaded");
    Secure after(server, alice);
    EXPECT_EQ(shown(after), "new");
    EXPECT_EQ(before.store("files/new", "content"), "226 Transfer complete.");
    // What is wrong with a file leaves everything as it was.
    write_file(place("server.pem"), "nothing", 0, 0600);
    server.signal(SIGHUP);
    server.complained("reload failed: .*server.pem");
    Secure still(server, alice);
    EXPECT_EQ(shown(still), "new");
}

TEST_F(Tls, CertificatesThatHaveChangedAreUsedWithoutAReload) {
    authority::Wanted wanted;
    wanted.common_name = "old";
    make_folder(place("hosts"));
    Server server(with(authority::make(wanted)),
                  {.ini = "[tls]\ncertificates = " + place("hosts").string() + "\n"});
    Secure before(server, alice);
    wanted.common_name = "new";
    const auto made = authority::make(wanted);
    write_file(place("server.pem"), made.certificate + made.key, 0, 0600);
    server.complained("certificates have changed, the new ones are for new connections");
    Secure after(server, alice);
    EXPECT_EQ(shown(after), "new");
    EXPECT_EQ(before.store("files/new", "content"), "226 Transfer complete.");
    // A key that is not there yet, or another one's, changes nothing, and is told once.
    write_file(place("server.pem"), made.certificate + authority::make(wanted).key, 0, 0600);
    server.complained("certificates have changed, but .*server.pem.*; the old ones stay in use");
    Secure still(server, alice);
    EXPECT_EQ(shown(still), "new");
    EXPECT_EQ(still.store("files/new", "content"), "226 Transfer complete.");
    // Then all is well again, with another host's beside it.
    write_file(place("server.pem"), made.certificate + made.key, 0, 0600);
    wanted.common_name = "hosted.example";
    const auto hosted = authority::make(wanted);
    write_file(place("hosts") / "hosted.example.pem", hosted.certificate + hosted.key, 0, 0600);
    auto how = habits(TLS1_3_VERSION);
    how.server_name = "hosted.example";
    EXPECT_TRUE(eventually([&] {
        Secure ftp(server, how);
        return ftp.say("AUTH TLS").starts_with("234") && ftp.shake().empty() &&
               shown(ftp) == "hosted.example";
    }));
    const auto errors = server.errors();
    const std::string told = "the old ones stay in use";
    EXPECT_EQ(errors.find(told), errors.rfind(told));
}

TEST_F(Tls, NewCertificatesDisturbNoTransferAndNoLogin) {
    authority::Wanted wanted;
    Server server(with(authority::make(wanted), {"max_per_ip=0"}));
    std::atomic<bool> over = false;
    std::vector<std::thread> threads;
    std::array<std::string, 4> trouble;
    std::array<int, 4> transfers{};
    for (std::size_t at = 0; at < trouble.size(); ++at) {
        threads.emplace_back([&, at] {
            const auto name = "files/of" + std::to_string(at);
            const auto content = noise(200'000, static_cast<unsigned>(at) + 1);
            while (!over && trouble[at].empty()) {
                Secure ftp(server, alice);
                for (int round = 0; round < 3; ++round, ++transfers[at]) {
                    const auto stored = ftp.store(name, content);
                    if (!stored.starts_with("226 ")) trouble[at] += stored + ftp.trouble;
                    if (ftp.retrieve(name) != content) trouble[at] += "unlike" + ftp.trouble;
                }
            }
        });
    }
    for (int number = 0; number < 5; ++number) {
        wanted.common_name = "number " + std::to_string(number);
        const auto made = authority::make(wanted);
        write_file(place("server.new"), made.certificate + made.key, 0, 0600);
        std::filesystem::rename(place("server.new"), place("server.pem"));
        server.signal(SIGHUP);
        EXPECT_TRUE(eventually([&] {
            Secure ftp(server);
            return ftp.say("AUTH TLS").starts_with("234") && ftp.shake().empty() &&
                   shown(ftp) == wanted.common_name;
        }));
    }
    over = true;
    for (auto& thread : threads) thread.join();
    for (std::size_t at = 0; at < trouble.size(); ++at) {
        EXPECT_EQ(trouble[at], "");
        EXPECT_GT(transfers[at], 0);
    }
}

TEST_F(Tls, AReloadBetweenAcceptAndLoginMayTurnReuseOff) {
    Server server(with_key("EC:prime256v1"));
    Secure ftp(server, habits(TLS1_3_VERSION, Habits::Resume::never));
    EXPECT_EQ(ftp.say("AUTH TLS"), "234 Proceed with negotiation.");
    ASSERT_EQ(ftp.shake(), "");
    auto lines = with_key("EC:prime256v1", {"require_ssl_reuse=NO"});
    server.rewrite(lines);
    server.signal(SIGHUP);
    server.complained("configuration reloaded");
    EXPECT_EQ(ftp.login(alice), "230 Login successful.");
    EXPECT_EQ(ftp.say("PROT P"), "200 PROT now Private.");
    EXPECT_EQ(ftp.store("files/new", "content"), "226 Transfer complete.") << ftp.trouble;
}

namespace {

// The numbers by which a private key is known, as they may stand in memory.
std::vector<std::string> secrets_of(const std::string& pem) {
    const auto text = tls::reading(pem);
    const tls::Key key{PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, nullptr)};
    std::vector<std::string> secrets;
    for (const auto* name : {OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PKEY_PARAM_RSA_D,
                             OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2}) {
        BIGNUM* number = nullptr;
        if (EVP_PKEY_get_bn_param(key.get(), name, &number) != 1) continue;
        std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
        BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
        BN_clear_free(number);
        secrets.push_back(bytes.substr(0, 24));
        std::reverse(bytes.begin(), bytes.end());
        secrets.push_back(bytes.substr(0, 24));
    }
    // And the file's own text.
    const auto base64 = pem.find('\n', pem.find("PRIVATE KEY-----")) + 65;
    secrets.push_back(pem.substr(base64, 40));
    return secrets;
}

bool memory_has(pid_t pid, const std::vector<std::string>& secrets) {
    std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
    std::ifstream memory("/proc/" + std::to_string(pid) + "/mem", std::ios::binary);
    EXPECT_TRUE(memory.is_open()) << pid;
    std::size_t read = 0;
    for (std::string line; std::getline(maps, line);) {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        char dash = 0;
        std::string rights;
        std::istringstream(line) >> std::hex >> begin >> dash >> end >> rights;
        if (!rights.starts_with('r') || line.ends_with("[vvar]")) continue;
        std::string bytes(end - begin, '\0');
        memory.clear();
        memory.seekg(static_cast<std::streamoff>(begin));
        memory.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        read += static_cast<std::size_t>(memory.gcount());
        for (const auto& secret : secrets) {
            if (bytes.find(secret) != bytes.npos) return true;
        }
    }
    EXPECT_GT(read, 100'000U) << pid;
    return false;
}

}  // namespace

TEST_F(Tls, OnlyTheSignerHasThePrivateKeys) {
#ifdef JAILFTPD_SANITIZED
    GTEST_SKIP() << "AddressSanitizer keeps what was freed, so memory tells nothing";
#endif
    for (const auto* kind : {"RSA:2048", "EC:prime256v1"}) {
        authority::Wanted wanted;
        wanted.key = kind;
        const auto made = authority::make(wanted);
        Server server(with(made, {"require_ssl_reuse=NO"}));
        Secure twelve(server, alice, habits(TLS1_2_VERSION, Habits::Resume::never));
        Secure thirteen(server, alice, habits(TLS1_3_VERSION, Habits::Resume::never));
        for (auto* ftp : {&twelve, &thirteen})
            EXPECT_EQ(ftp->store("files/new", "content"), "226 Transfer complete.");
        const auto secrets = secrets_of(made.key);
        EXPECT_TRUE(memory_has(server.process("[signer]"), secrets)) << "the search finds them";
        EXPECT_FALSE(memory_has(server.pid(), secrets)) << "supervisor";
        std::size_t searched = 0;
        for (const auto& each : server.processes("")) {
            if (each.title.find("[signer]") != each.title.npos) continue;
            EXPECT_FALSE(memory_has(each.pid, secrets)) << each.title;
            ++searched;
        }
        EXPECT_GT(searched, 6U);
    }
}

TEST_F(Tls, AKeyThatDoesNotFitIsAnErrorAtStartWithBothNames) {
    const auto one = authority::make({});
    const auto other = authority::make({});
    write_file(place("cert.pem"), one.certificate);
    write_file(place("key.pem"), other.key, 0, 0600);
    write_file(place("tls.conf"),
               "listen=YES\nlisten_port=2990\nlocal_enable=YES\n"
               "secure_chroot_dir=/run/vsftpd/empty\nssl_enable=YES\n"
               "rsa_cert_file=" +
                   place("cert.pem").string() +
                   "\nrsa_private_key_file=" + place("key.pem").string() + "\n");
    const auto ran = run({path_of(Program::jailftpd), place("tls.conf").string()});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("cert.pem"));
    EXPECT_THAT(ran.err, HasSubstr("key.pem"));
}

TEST_F(Tls, ACertificateThatEndsWithinTwoWeeksIsWarnedAbout) {
    for (const auto& [days, warned] : {std::pair{13L, true}, {20L, false}}) {
        authority::Wanted wanted;
        wanted.seconds = days * 86400 + 3600;
        Server server(with(authority::make(wanted)));
        server.complained("kernel TLS: ");
        if (warned) server.complained("the certificate .*server.pem expires in 13 days");
        EXPECT_EQ(server.errors().find("expires in") != std::string::npos, warned);
    }
}

using TlsCertificates = Tls;

TEST_F(TlsCertificates, AreOfTheHostsThatClientsAskFor) {
    authority::Wanted wanted;
    wanted.common_name = "hosted.example";
    const auto made = authority::make(wanted);
    make_folder(place("hosts"));
    write_file(place("hosts") / "hosted.example.pem", made.certificate + made.key, 0, 0600);
    Server server(with_key("EC:prime256v1"),
                  {.ini = "[tls]\ncertificates = " + place("hosts").string() + "\n"});
    auto how = habits(TLS1_3_VERSION);
    how.server_name = "hosted.example";
    Secure ftp(server, alice, how);
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(ftp.control())),
                              NID_commonName, name, sizeof name);
    EXPECT_STREQ(name, "hosted.example");
    EXPECT_EQ(ftp.store("files/new", "content"), "226 Transfer complete.");
}

TEST_F(TlsCertificates, OneThatIsBrokenIsToldOfOnceAndHarmsNoOther) {
    authority::Wanted wanted;
    wanted.common_name = "hosted.example";
    const auto made = authority::make(wanted);
    make_folder(place("hosts"));
    write_file(place("hosts") / "hosted.example.pem", made.certificate + made.key, 0, 0600);
    write_file(place("hosts") / "broken.pem", made.certificate.substr(0, 100), 0, 0600);
    Server server(with_key("EC:prime256v1"),
                  {.ini = "[tls]\ncertificates = " + place("hosts").string() + "\n"});
    auto how = habits(TLS1_3_VERSION);
    how.server_name = "hosted.example";
    Secure ftp(server, alice, how);
    EXPECT_EQ(shown(ftp), "hosted.example");
    const auto errors = server.errors();
    const auto told = errors.find("cannot load host certificate: ");
    ASSERT_NE(told, errors.npos);
    EXPECT_EQ(told, errors.rfind("cannot load host certificate: "));
    EXPECT_THAT(errors.substr(told), HasSubstr("broken.pem"));
}
