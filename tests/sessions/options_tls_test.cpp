// SPDX-License-Identifier: MIT
// Each option about TLS, off and on; one suite for each, with its name (whole sessions).
#include "tests/sessions/secure.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace sessions;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto complete = "226 Transfer complete.";
constexpr auto welcome = "230 Login successful.";
const Account visitor{"ftp", 0, "me@here"};

Lines operator+(Lines lines, const Lines& more) {
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
}

// A file with a new certificate and its key.
std::string pem(const std::string& name, const std::string& common_name = "ftp.example.com",
                const std::string& key = "EC:prime256v1") {
    authority::Wanted wanted;
    wanted.common_name = common_name;
    wanted.key = key;
    const auto made = authority::make(wanted);
    write_file(place(name), made.certificate + made.key, 0, 0600);
    return place(name).string();
}

Lines with_tls(const std::string& key = "EC:prime256v1") {
    return {"ssl_enable=YES", "rsa_cert_file=" + pem("server.pem", "ftp.example.com", key)};
}

Habits habits(int version, const std::string& certificate = "") {
    Habits result;
    result.version = version;
    result.certificate = certificate;
    return result;
}

// Whether a client with these habits gets as far as a login.
bool connects(const Server& server, const Habits& how) {
    Secure ftp(server, how);
    return ftp.say("AUTH TLS").starts_with("234") && ftp.shake().empty() &&
           ftp.login(alice) == welcome;
}

bool connects(const Lines& options, const Habits& how) {
    Server server(options);
    return connects(server, how);
}

std::string shown(const Secure& ftp) {
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(ftp.control())),
                              NID_commonName, name, sizeof name);
    return name;
}

// What a visitor's name is answered, over TLS or not.
std::string name_of_visitor(const Server& server, bool secure) {
    Secure ftp(server);
    if (secure) {
        EXPECT_EQ(ftp.say("AUTH TLS"), "234 Proceed with negotiation.");
        EXPECT_EQ(ftp.shake(), "");
    }
    return ftp.say("USER ftp");
}

// How a transfer in clear text is answered in a session over TLS.
std::string clear_transfer(const Lines& options, const Account& who) {
    Server server(options);
    Secure ftp(server, who);
    EXPECT_EQ(ftp.say("PROT C"), "200 PROT now Clear.");
    EXPECT_THAT(ftp.say("PORT 127,0,0,1,250,1"), StartsWith("200"));
    return ftp.say("LIST");
}

}  // namespace

TEST(SslEnable, OffersTls) {
    EXPECT_TRUE(connects(with_tls(), {}));
    Server server;
    Conversation ftp(server);
    EXPECT_THAT(ftp.say("AUTH TLS"), StartsWith("530"));
    EXPECT_THAT(ftp.say("FEAT"), Not(HasSubstr("AUTH TLS")));
}

TEST(ImplicitSsl, ShakesHandsFirst) {
    Habits how;
    how.auth = "";
    {
        Server server(with_tls() + Lines{"implicit_ssl=YES"});
        Secure ftp(server, alice, how);
        EXPECT_THAT(ftp.greeting, StartsWith("220 "));
    }
    Server server(with_tls());
    EXPECT_THAT(Conversation(server).greeting, StartsWith("220 ")) << "in clear text";
}

TEST(AllowAnonSsl, LetsAnonymousUsersHaveTls) {
    for (const bool on : {true, false}) {
        Server server(with_tls() + Lines{"anonymous_enable=YES",
                                         on ? "allow_anon_ssl=YES" : "allow_anon_ssl=NO"});
        EXPECT_EQ(name_of_visitor(server, true),
                  on ? "331 Please specify the password."
                     : "530 Anonymous sessions may not use encryption.");
    }
}

TEST(ForceLocalLoginsSsl, RefusesNamesInClearText) {
    for (const bool on : {true, false}) {
        Server server(with_tls() +
                      Lines{on ? "force_local_logins_ssl=YES" : "force_local_logins_ssl=NO"});
        EXPECT_EQ(Conversation(server).say("USER alice"),
                  on ? "530 Non-anonymous sessions must use encryption."
                     : "331 Please specify the password.");
    }
}

TEST(ForceAnonLoginsSsl, RefusesNamesInClearText) {
    for (const bool on : {true, false}) {
        Server server(with_tls() + Lines{"anonymous_enable=YES", on ? "force_anon_logins_ssl=YES"
                                                                    : "force_anon_logins_ssl=NO"});
        EXPECT_THAT(name_of_visitor(server, false), StartsWith(on ? "530" : "331"));
        EXPECT_THAT(name_of_visitor(server, true), StartsWith(on ? "331" : "530"));
    }
}

TEST(ForceLocalDataSsl, RefusesDataInClearText) {
    EXPECT_EQ(clear_transfer(with_tls() + Lines{"force_local_data_ssl=YES"}, alice),
              "522 Data connections must be encrypted.");
    EXPECT_THAT(clear_transfer(with_tls() + Lines{"force_local_data_ssl=NO"}, alice),
                StartsWith("425"))
        << "nobody listens, but it was tried";
}

TEST(ForceAnonDataSsl, RefusesDataInClearText) {
    const auto on = with_tls() + Lines{"anonymous_enable=YES", "allow_anon_ssl=YES"};
    EXPECT_EQ(clear_transfer(on + Lines{"force_anon_data_ssl=YES"}, visitor),
              "522 Data connections must be encrypted.");
    EXPECT_THAT(clear_transfer(on + Lines{"force_anon_data_ssl=NO"}, visitor), StartsWith("425"));
}

TEST(RequireSslReuse, WantsTheSameClientOnBothConnections) {
    for (const bool on : {true, false}) {
        Server server(with_tls() + Lines{on ? "require_ssl_reuse=YES" : "require_ssl_reuse=NO"});
        Habits how;
        how.resume = Habits::Resume::never;
        Secure ftp(server, alice, how);
        EXPECT_EQ(ftp.store("files/new", "content") == complete, !on);
    }
}

TEST(StrictSslReadEof, TakesNoUploadThatIsCutShort) {
    for (const bool on : {true, false}) {
        Server server(with_tls() +
                      Lines{on ? "strict_ssl_read_eof=YES" : "strict_ssl_read_eof=NO"});
        Habits how;
        how.goodbye = false;
        Secure ftp(server, alice, how);
        EXPECT_EQ(ftp.store("files/new", "half of it"),
                  on ? "426 Failure reading network stream." : complete);
    }
}

TEST(StrictSslWriteShutdown, WaitsForTheClientsGoodbye) {
    write_file(home_of(alice) / "files/f", "content", alice.uid);
    for (const bool on : {true, false}) {
        Server server(with_tls() +
                      Lines{"data_connection_timeout=1",
                            on ? "strict_ssl_write_shutdown=YES" : "strict_ssl_write_shutdown=NO"});
        Habits how;
        how.goodbye = false;
        Secure ftp(server, alice, how);
        EXPECT_EQ(ftp.retrieve("files/f"), "content");
        EXPECT_EQ(ftp.done == complete, !on) << ftp.done;
    }
}

TEST(SslTlsv1, IsOffered) {
    const auto* old = "ssl_ciphers=ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES256-GCM-SHA384";
    EXPECT_TRUE(connects(with_tls() + Lines{old, "ssl_tlsv1=YES"}, habits(TLS1_VERSION)));
    EXPECT_FALSE(connects(with_tls() + Lines{old, "ssl_tlsv1=NO"}, habits(TLS1_VERSION)));
}

TEST(SslTlsv11, IsOffered) {
    const auto* old = "ssl_ciphers=ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES256-GCM-SHA384";
    EXPECT_TRUE(connects(with_tls() + Lines{old, "ssl_tlsv11=YES"}, habits(TLS1_1_VERSION)));
    EXPECT_FALSE(connects(with_tls() + Lines{old, "ssl_tlsv11=NO"}, habits(TLS1_1_VERSION)));
}

TEST(SslTlsv12, IsOffered) {
    EXPECT_TRUE(connects(with_tls() + Lines{"ssl_tlsv12=YES"}, habits(TLS1_2_VERSION)));
    EXPECT_FALSE(connects(with_tls() + Lines{"ssl_tlsv12=NO"}, habits(TLS1_2_VERSION)));
}

TEST(SslTlsv13, IsOffered) {
    EXPECT_TRUE(connects(with_tls() + Lines{"ssl_tlsv13=YES"}, habits(TLS1_3_VERSION)));
    EXPECT_FALSE(connects(with_tls() + Lines{"ssl_tlsv13=NO"}, habits(TLS1_3_VERSION)));
}

TEST(SslCiphers, AreAllThatAreOffered) {
    const std::pair<Lines, const char*> choices[] = {
        {{}, "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {{"ssl_ciphers=ECDHE-ECDSA-AES128-GCM-SHA256"}, "ECDHE-ECDSA-AES128-GCM-SHA256"}};
    for (const auto& [line, cipher] : choices) {
        Server server(with_tls() + line);
        Secure ftp(server, habits(TLS1_2_VERSION));
        EXPECT_THAT(ftp.say("AUTH TLS"), StartsWith("234"));
        EXPECT_EQ(ftp.shake(), "");
        EXPECT_STREQ(SSL_get_cipher_name(ftp.control()), cipher);
    }
}

TEST(SslSniHostname, IsWhatClientsMustAskFor) {
    Habits right;
    right.server_name = "ftp.example.com";
    Habits wrong;
    wrong.server_name = "www.example.com";
    {
        Server server(with_tls() + Lines{"ssl_sni_hostname=ftp.example.com"});
        EXPECT_TRUE(connects(server, right));
        EXPECT_FALSE(connects(server, wrong));
        EXPECT_FALSE(connects(server, {}));
    }
    EXPECT_TRUE(connects(with_tls(), wrong));
}

TEST(RsaCertFile, IsTheCertificate) {
    for (const auto* name : {"one.example.com", "two.example.com"}) {
        Server server({"ssl_enable=YES", "rsa_cert_file=" + pem("a.pem", name)});
        Secure ftp(server, alice);
        EXPECT_EQ(shown(ftp), name);
    }
}

TEST(RsaPrivateKeyFile, HasTheKey) {
    const auto made = authority::make({});
    write_file(place("cert.pem"), made.certificate, 0, 0644);
    write_file(place("key.pem"), made.key, 0, 0600);
    EXPECT_TRUE(connects({"ssl_enable=YES", "rsa_cert_file=" + place("cert.pem").string(),
                          "rsa_private_key_file=" + place("key.pem").string()},
                         {}));
    write_file(place("x.conf"), "listen=YES\nlocal_enable=YES\nssl_enable=YES\nrsa_cert_file=" +
                                    place("cert.pem").string() + "\n");
    EXPECT_EQ(run({path_of(Program::jailftpd), place("x.conf")}).status, 2) << "no key, no start";
}

// A second kind of key, whatever it is, for suites that the first one cannot serve.
TEST(DsaCertFile, IsASecondCertificate) {
    const auto one = with_tls("RSA:2048") + Lines{"ssl_ciphers=ECDHE-ECDSA-AES128-GCM-SHA256"};
    const auto second = "dsa_cert_file=" + pem("second.pem");
    EXPECT_FALSE(connects(one, habits(TLS1_2_VERSION)));
    EXPECT_TRUE(connects(one + Lines{second}, habits(TLS1_2_VERSION)));
}

TEST(DsaPrivateKeyFile, HasItsKey) {
    const auto made = authority::make({});
    write_file(place("cert.pem"), made.certificate, 0, 0644);
    write_file(place("key.pem"), made.key, 0, 0600);
    const auto lines = with_tls("RSA:2048") + Lines{"ssl_ciphers=ECDHE-ECDSA-AES128-GCM-SHA256",
                                                    "dsa_cert_file=" + place("cert.pem").string()};
    EXPECT_TRUE(connects(lines + Lines{"dsa_private_key_file=" + place("key.pem").string()},
                         habits(TLS1_2_VERSION)));
    std::string text = "listen=YES\nlocal_enable=YES\n";
    for (const auto& line : lines) text += line + '\n';
    write_file(place("x.conf"), text);
    EXPECT_EQ(run({path_of(Program::jailftpd), place("x.conf")}).status, 2) << "no key, no start";
}

TEST(SslRequestCert, AsksForOne) {
    const auto client = authority::make({});
    const auto how = habits(TLS1_2_VERSION, client.certificate + client.key);
    for (const bool on : {true, false}) {
        Server server(with_tls() +
                      Lines{"debug_ssl=YES", on ? "ssl_request_cert=YES" : "ssl_request_cert=NO"});
        EXPECT_TRUE(connects(server, how));
        server.logged(on ? "CERT PRESENTED" : "no cert");
    }
}

TEST(RequireCert, RefusesClientsWithoutOne) {
    const auto client = authority::make({});
    const auto how = habits(TLS1_2_VERSION, client.certificate + client.key);
    for (const bool on : {true, false}) {
        Server server(with_tls() + Lines{on ? "require_cert=YES" : "require_cert=NO"});
        EXPECT_EQ(connects(server, habits(TLS1_2_VERSION)), !on);
        EXPECT_TRUE(connects(server, how));
    }
}

TEST(ValidateCert, RefusesCertificatesOfStrangers) {
    const auto stranger = authority::make({});
    const auto how = habits(TLS1_2_VERSION, stranger.certificate + stranger.key);
    const auto ca = "ca_certs_file=" + pem("ca.pem", "issuer");
    for (const bool on : {true, false}) {
        Server server(with_tls() + Lines{ca, on ? "validate_cert=YES" : "validate_cert=NO"});
        EXPECT_EQ(connects(server, how), !on);
        EXPECT_TRUE(connects(server, habits(TLS1_2_VERSION))) << "none is as good as ever";
    }
}

TEST(CaCertsFile, NamesWhoseCertificatesAreTaken) {
    authority::Wanted wanted;
    wanted.issuer = true;
    wanted.common_name = "issuer";
    const auto issuer = authority::make(wanted);
    const auto client = authority::make({}, &issuer);
    const auto how = habits(TLS1_2_VERSION, client.certificate + client.key);
    write_file(place("ca.pem"), issuer.certificate);
    const auto on = with_tls() + Lines{"validate_cert=YES"};
    EXPECT_TRUE(connects(on + Lines{"ca_certs_file=" + place("ca.pem").string()}, how));
    EXPECT_FALSE(connects(on + Lines{"ca_certs_file=" + pem("other.pem", "other")}, how));
}

TEST(DebugSsl, LogsWhatWasAgreed) {
    for (const bool on : {true, false}) {
        Server server(with_tls() + Lines{on ? "debug_ssl=YES" : "debug_ssl=NO"});
        EXPECT_TRUE(connects(server, {}));
        server.logged("OK LOGIN");
        EXPECT_EQ(server.log().find("SSL version: TLSv1.3") != std::string::npos, on);
    }
}

// ----- what is no more

namespace {

void expect_told(const std::string& line, const std::string& expression) {
    Server server(with_tls() + Lines{line});
    server.complained(line + " has no effect.*" + expression);
    EXPECT_TRUE(connects(server, {}));
}

}  // namespace

TEST(SslSslv2, IsNeverOffered) { expect_told("ssl_sslv2=YES", "never offered"); }

TEST(SslSslv3, IsNeverOffered) { expect_told("ssl_sslv3=YES", "never offered"); }

TEST(DhParamFile, IsNotUsed) { expect_told("dh_param_file=/etc/dh.pem", "elliptic curves only"); }

TEST(EcdhParamFile, IsNotUsed) {
    expect_told("ecdh_param_file=/etc/ec.pem", "curves are OpenSSL's");
}
