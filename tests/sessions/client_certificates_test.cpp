// SPDX-License-Identifier: MIT
// Logins by a client's certificate: whom it names, who is asked for a password all the same, and
// what a greeter that was taken over can make of it (whole sessions).
#include "ipc/requests.hpp"
#include "tests/sessions/injector.hpp"
#include "tests/sessions/secure.hpp"
#include "tests/tls/authority.hpp"
#include "tls/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/syscall.h>

using namespace sessions;
using authority::Made;
using authority::Wanted;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

constexpr auto welcome = "232 Login successful, by certificate.";
constexpr auto asked = "331 Please specify the password.";

// Who issues certificates to clients.
const Made& issuer() {
    static const Made made = [] {
        Wanted wanted;
        wanted.common_name = "Clients' issuer";
        wanted.issuer = true;
        return authority::make(wanted);
    }();
    return made;
}

Wanted named(const std::string& common_name, const std::string& key = "EC:prime256v1") {
    Wanted wanted;
    wanted.common_name = common_name;
    wanted.key = key;
    wanted.usage = "clientAuth";
    return wanted;
}

// PEM of a client's certificate and key.
std::string issued(const Wanted& wanted) {
    const auto made = authority::make(wanted, &issuer());
    return made.certificate + made.key;
}

// A server that believes this issuer.
Lines with_tls(const std::string& key = "EC:prime256v1", const Lines& more = {}) {
    Wanted own;
    own.key = key;
    const auto made = authority::make(own);
    write_file(place("server.pem"), made.certificate + made.key, 0, 0600);
    write_file(place("issuer.pem"), issuer().certificate);
    Lines lines{"ssl_enable=YES", "debug_ssl=YES", "rsa_cert_file=" + place("server.pem").string(),
                "ca_certs_file=" + place("issuer.pem").string()};
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
}

Setup by(const std::string& field, const std::string& more = {}) {
    Setup setup;
    setup.ini = "[tls]\ncert_username_field = " + field + '\n' + more;
    return setup;
}

Habits with(const std::string& certificate, int version = TLS1_3_VERSION) {
    Habits result;
    result.certificate = certificate;
    result.version = version;
    return result;
}

// A connection with this certificate, up to the handshake's end.
std::unique_ptr<Secure> shaken(const Server& server, const Habits& how) {
    auto ftp = std::make_unique<Secure>(server, how);
    EXPECT_THAT(ftp->say("AUTH TLS"), StartsWith("234"));
    EXPECT_EQ(ftp->shake(), "");
    return ftp;
}

// What USER is answered.
std::string said_to(const Server& server, const std::string& certificate, const std::string& name,
                    int version = TLS1_3_VERSION) {
    return shaken(server, with(certificate, version))->say("USER " + name);
}

}  // namespace

// ----- whom it lets in

TEST(TlsCertUsernameField, LogsInWhomTheCertificateNames) {
    Server server(with_tls(), by("commonName"));
    const auto ftp = shaken(server, with(issued(named("alice"))));
    EXPECT_EQ(ftp->say("USER alice"), welcome);
    EXPECT_EQ(ftp->say("PASS ignored"), "230 Already logged in.");
    EXPECT_EQ(ftp->say("PBSZ 0"), "200 PBSZ set to 0.");
    EXPECT_EQ(ftp->say("PROT P"), "200 PROT now Private.");
    EXPECT_EQ(ftp->say("TYPE I"), "200 Switching to Binary mode.");
    EXPECT_EQ(ftp->store("files/new", "12345"), "226 Transfer complete.") << ftp->trouble;
    EXPECT_TRUE(ftp->resumed);
    EXPECT_EQ(ftp->retrieve("files/new"), "12345");
    EXPECT_EQ(owner_of(home_of(alice) / "files/new"), alice.uid);
    server.logged(R"(\[alice\] OK LOGIN: Client "127.0.0.1", certificate "CN=alice")");
}

TEST(TlsCertUsernameField, IsOffByDefault) {
    Server server(with_tls());
    const auto ftp = shaken(server, with(issued(named("alice"))));
    EXPECT_EQ(ftp->say("USER alice"), asked);
    EXPECT_EQ(ftp->say("PASS wonderland"), "230 Login successful.");
}

TEST(TlsCertUsernameField, AsksEverybodyElseForAPassword) {
    Server server(with_tls(), by("commonName"));
    const auto ftp = shaken(server, with(issued(named("alice"))));
    EXPECT_EQ(ftp->say("USER bob"), asked);
    EXPECT_EQ(ftp->say("PASS wrong"), "530 Login incorrect.");
    EXPECT_EQ(ftp->say("USER bob"), asked);
    EXPECT_EQ(ftp->say("USER alice"), welcome) << "after all";
    server.complained("the certificate is not this user's, .*its names: alice");

    EXPECT_EQ(said_to(server, issued(named("bob")), "alice"), asked);
    EXPECT_EQ(said_to(server, "", "alice"), asked) << "without a certificate";
    Secure plain(server);
    EXPECT_THAT(plain.say("USER alice"), StartsWith("530"));
}

// Who shows everybody the certificate that he has.
TEST(TlsCertUsernameField, CountsNoUserTwiceWhoseCertificateItIsNot) {
    Server server(with_tls("EC:prime256v1", {"max_login_fails=2"}), by("commonName"));
    const auto ftp = shaken(server, with(issued(named("alice"))));
    EXPECT_EQ(ftp->say("USER bob"), asked);
    EXPECT_EQ(ftp->say("PASS wrong"), "530 Login incorrect.");
    EXPECT_EQ(ftp->say("USER bob"), asked);
    EXPECT_EQ(ftp->say("PASS builder"), "230 Login successful.");
}

TEST(TlsCertUsernameField, CountsGuessesAsItDoesThoseOfPasswords) {
    Server server(with_tls("EC:prime256v1", {"max_login_fails=2", "delay_failed_login=1"}),
                  by("commonName"));
    const auto ftp = shaken(server, with(issued(named("nobody at all"))));
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(ftp->say("USER alice"), asked);
    EXPECT_EQ(ftp->say("USER bob"), asked);
    EXPECT_EQ(ftp->say("USER virtual"), "530 Login incorrect.");
    EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
    EXPECT_THAT(ftp->reply(), StartsWith("(")) << "it is the end";
    server.logged(R"(\[bob\] FAIL LOGIN: Client "127.0.0.1", certificate "CN=nobody at all")");
    server.logged(R"(\[virtual\] FAIL LOGIN: )");
    EXPECT_EQ(server.log().find("[alice] FAIL"), std::string::npos);
}

TEST(TlsCertUsernameField, WorksWithEveryKindOfKey) {
    for (const auto* servers : {"EC:prime256v1", "EC:secp384r1", "RSA:2048", "ED25519"}) {
        Server server(with_tls(servers), by("commonName"));
        for (const auto* clients : {"EC:prime256v1", "EC:secp384r1", "EC:secp521r1", "RSA:2048",
                                    "RSA-PSS:2048", "ED25519", "ED448"})
            EXPECT_EQ(said_to(server, issued(named("alice", clients)), "alice"), welcome)
                << servers << " and " << clients;
    }
}

TEST(TlsCertUsernameField, IsForTls13Alone) {
    Server server(with_tls(), by("commonName"));
    EXPECT_EQ(said_to(server, issued(named("alice")), "alice", TLS1_2_VERSION), asked);
}

TEST(TlsCertUsernameField, TakesOtherNamesInTheCertificate) {
    struct Case {
        const char* field;
        const char* names;
        std::string name;
    };
    for (const auto& [field, names, name] :
         {Case{"rfc822Name", "email:bob@example.com,email:alice", "alice"},
          Case{"dNSName", "DNS:Alice", "alice"},
          Case{"userPrincipalName", "otherName:msUPN;UTF8:alice", "alice"}}) {
        auto wanted = named("somebody");
        wanted.more_names = names;
        Server server(with_tls(), by(field));
        EXPECT_EQ(said_to(server, issued(wanted), name), welcome) << field;
        EXPECT_EQ(said_to(server, issued(wanted), "bob"), asked) << field;
        EXPECT_EQ(said_to(server, issued(named("alice")), "alice"), asked) << field;
    }
}

// ----- who issued it, and what for

TEST(TlsCertUsernameField, TakesNoCertificateThatIsNotGood) {
    Server server(with_tls(), by("commonName"));
    const auto stranger = authority::make(named("alice"));
    EXPECT_EQ(said_to(server, stranger.certificate + stranger.key, "alice"), asked)
        << "of an issuer that nobody knows";
    auto wanted = named("alice");
    wanted.seconds = -60;
    EXPECT_EQ(said_to(server, issued(wanted), "alice"), asked) << "expired";
    wanted = named("alice");
    wanted.usage = "serverAuth";
    EXPECT_EQ(said_to(server, issued(wanted), "alice"), asked) << "a server's";
}

TEST(TlsCertUsernameField, GoesWithRequireCert) {
    Server server(with_tls("EC:prime256v1", {"require_cert=YES", "validate_cert=YES"}),
                  by("commonName"));
    EXPECT_EQ(said_to(server, issued(named("alice")), "alice"), welcome);
    EXPECT_THAT(said_to(server, "", "alice"), HasSubstr("certificate required"));
    server.complained("TLS handshake failed: peer did not return a certificate");
}

// ----- what else decides

TEST(TlsCertUsernameField, LeavesTheRestOfPamToSayNo) {
    Server server(with_tls(), by("commonName"));
    for (const auto& who : {expired, no_shell, denied}) {
        EXPECT_EQ(said_to(server, issued(named(who.name)), who.name), "530 Login incorrect.")
            << who.name;
        server.logged("\\[" + who.name + R"(\] FAIL LOGIN: Client "127.0.0.1", certificate ")");
    }
    EXPECT_EQ(said_to(server, issued(named("stranger")), "stranger"), "530 Login incorrect.");
    EXPECT_EQ(said_to(server, issued(named("root")), "root"), "530 Login incorrect.");
    server.complained("the account expired");
    server.complained("is not in /etc/shells");
    server.complained("the name is in /etc/ftpusers");
}

TEST(TlsCertUsernameField, LeavesTheUserListToSayNo) {
    write_file(place("list"), "alice\n");
    Server server(with_tls("EC:prime256v1", {"userlist_enable=YES", "delay_failed_login=0",
                                             "userlist_file=" + place("list").string()}),
                  by("commonName"));
    EXPECT_EQ(said_to(server, issued(named("alice")), "alice"), "530 Permission denied.");
}

TEST(TlsCertUsernameField, HasNothingToDoWithAnonymousUsers) {
    Server server(with_tls("EC:prime256v1", {"anonymous_enable=YES", "allow_anon_ssl=YES"}),
                  by("commonName"));
    EXPECT_EQ(said_to(server, issued(named("ftp")), "ftp"), asked);
}

TEST(TlsCertUsernameField, LogsInGuests) {
    Server server(with_tls("EC:prime256v1", {"guest_enable=YES", "guest_username=virtual"}),
                  by("commonName"));
    const auto ftp = shaken(server, with(issued(named("alice"))));
    EXPECT_EQ(ftp->say("USER alice"), welcome);
    const auto session = server.process("alice 127.0.0.1 [session]");
    EXPECT_EQ(owner_of("/proc/" + std::to_string(session) + "/task"), virtual_user.uid);
}

TEST(TlsCertUsernameField, LogsInTenantsThatAreNotLocked) {
    auto setup = by("commonName", tenant("carol", "secret"));
    setup.ini += "[tenant dave]\npassword = !\nhome = " + tenant_home("carol").string() + '\n';
    setup.ini += "[tenant erin]\npassword = *\nhome = " + tenant_home("carol").string() + '\n';
    Server server(with_tls(), setup);
    EXPECT_EQ(said_to(server, issued(named("carol")), "carol"), welcome);
    EXPECT_EQ(said_to(server, issued(named("erin")), "erin"), welcome) << "never had a password";
    EXPECT_EQ(said_to(server, issued(named("dave")), "dave"), "530 Login incorrect.");
    server.complained("the tenant is locked");
}

// ----- a greeter that was taken over

namespace {

void note(int, int, int type, const void* bytes, std::size_t size, SSL*, void* to) {
    if (type == SSL3_RT_HANDSHAKE)
        static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
}

// What a client with this certificate and the server say in a handshake, up to the client's
// CertificateVerify; and its hash as the server signs it.
struct Overheard {
    std::string said;
    std::string hash;
};

// The client's end of it.
Overheard overheard(const Server& server, const std::string& certificate) {
    Overheard heard;
    auto& said = heard.said;
    Secure ftp(server, with(certificate));
    SSL_CTX_set_msg_callback(ftp.context(), &note);
    EXPECT_THAT(ftp.say("AUTH TLS"), StartsWith("234"));
    SSL_CTX_set_msg_callback_arg(ftp.context(), &said);
    EXPECT_EQ(ftp.shake(), "");
    // The server's first tickets and both last words are behind it.
    for (std::size_t at = 0, seen = 0; at + 4 <= said.size();) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(said[at + i]); };
        const bool verify = byte(0) == SSL3_MT_CERTIFICATE_VERIFY;
        if (verify && ++seen == 1) {
            unsigned char hash[EVP_MAX_MD_SIZE];
            unsigned int size = 0;
            const auto* used =
                SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ftp.control()));
            EXPECT_EQ(EVP_Digest(said.data(), at, hash, &size, used, nullptr), 1);
            heard.hash.assign(reinterpret_cast<const char*>(hash), size);
        }
        at += 4 + (byte(1) << 16U | byte(2) << 8U | byte(3));
        if (verify && seen == 2) said.resize(at);
    }
    return heard;
}

// Sends what a greeter would, on its channel.
template <typename M>
bool say_as(Injector& injector, const M& message) {
    const ipc::Header header{ipc::version, M::type, sizeof(M)};
    std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
    bytes.append(reinterpret_cast<const char*>(&message), sizeof message);
    constexpr long channel = 3;
    const auto size = static_cast<long>(bytes.size());
    return injector.ask(SYS_sendto, {channel, injector.put(bytes), size, MSG_NOSIGNAL}).result ==
           size;
}

// It waits for a message, and never sees this one.
bool is_answered(Injector& injector) {
    constexpr long channel = 3;
    const std::string room(sizeof(ipc::Signed), '\0');
    const auto size = static_cast<long>(room.size());
    return eventually([&] {
        return injector.ask(SYS_read, {channel, injector.put(room), size}).result > 0;
    });
}

ipc::Authenticate claim_to_be(const std::string& name) {
    ipc::Authenticate claim{};
    claim.by_certificate = 1;
    claim.tls.encrypted = 1;
    claim.user.assign(name);
    return claim;
}

ipc::Sign wish_for(const std::string& hash) {
    const auto chain = tls::read_chain(content_of(place("server.pem")));
    const auto key = tls::key_id(X509_get0_pubkey(chain.value().own.get()));
    ipc::Sign wish{};
    std::copy(key.value().begin(), key.value().end(), wish.what.key);
    wish.what.scheme = static_cast<std::uint16_t>(tls::Scheme::ecdsa_secp256r1_sha256);
    wish.what.kind = ipc::Handshake::certificate_verify;
    wish.what.hash.assign(hash);
    return wish;
}

ipc::ProofPart proof(std::string_view bytes) {
    ipc::ProofPart part{};
    part.bytes.assign(bytes);
    return part;
}

}  // namespace

class TakenOverGreeter : public testing::Test {
  protected:
    void SetUp() override {
#ifdef JAILFTPD_SANITIZED
        GTEST_SKIP() << "its stack has no room for what is brought in";
#endif
    }
    Server server_{with_tls(), by("commonName")};
};

TEST_F(TakenOverGreeter, CannotReplayWhatAnotherConnectionHasHeard) {
    const auto heard = overheard(server_, issued(named("alice"))).said;
    const auto ftp = shaken(server_, {});
    {
        Injector injector(server_.process("127.0.0.1 [greeter]"));
        ASSERT_EQ(injector.trouble(), "");
        EXPECT_TRUE(say_as(injector, proof(heard)));
        EXPECT_TRUE(say_as(injector, claim_to_be("alice")));
    }
    server_.complained("certificate is not taken: it is the handshake of another connection");
    server_.complained("\"alice\" from .* the certificate is not this user's");
    EXPECT_EQ(server_.processes("alice 127.0.0.1 [session]").size(), 0U);
    // It is refused for good, and ended while it still speaks.
    {
        Injector injector(server_.process("127.0.0.1 [greeter]"));
        ASSERT_EQ(injector.trouble(), "");
        (void)say_as(injector, proof(heard));
    }
    server_.complained("sent a malformed request, it is ended");
    EXPECT_THAT(ftp->reply(), AnyOf(StartsWith("("), StartsWith("421")));
}

// Before it has shaken hands itself; the signer signs any hash.
TEST_F(TakenOverGreeter, CannotHaveAnEarlierHandshakeSignedAgain) {
    const auto heard = overheard(server_, issued(named("alice")));
    const Secure ftp(server_);
    {
        Injector injector(server_.process("127.0.0.1 [greeter]"));
        ASSERT_EQ(injector.trouble(), "");
        EXPECT_TRUE(say_as(injector, wish_for(heard.hash)));
        EXPECT_TRUE(is_answered(injector)) << "it is signed";
        EXPECT_TRUE(say_as(injector, proof(heard.said)));
        EXPECT_TRUE(say_as(injector, claim_to_be("alice")));
    }
    server_.complained("certificate is not taken: the client has not shown it to this connection");
    server_.complained("\"alice\" from .* the certificate is not this user's");
    EXPECT_EQ(server_.processes("alice 127.0.0.1 [session]").size(), 0U);
}

TEST_F(TakenOverGreeter, CannotClaimWhatItHasNotShown) {
    const auto ftp = shaken(server_, {});
    {
        Injector injector(server_.process("127.0.0.1 [greeter]"));
        ASSERT_EQ(injector.trouble(), "");
        (void)say_as(injector, claim_to_be("alice"));  // and is ended at once
    }
    server_.complained("asks for a login by a certificate that it has not shown, it is ended");
    EXPECT_THAT(ftp->reply(), AnyOf(StartsWith("("), StartsWith("421")));
}

// The handshake is its own, and so is the certificate; the name is not.
TEST_F(TakenOverGreeter, IsWhoItsClientIsAndNobodyElse) {
    const auto ftp = shaken(server_, with(issued(named("bob"))));
    EXPECT_EQ(ftp->say("USER alice"), asked);
    {
        Injector injector(server_.process("127.0.0.1 [greeter]"));
        ASSERT_EQ(injector.trouble(), "");
        EXPECT_TRUE(say_as(injector, claim_to_be("alice")));
        EXPECT_TRUE(is_answered(injector));
    }
    EXPECT_NE(server_.errors().find("is not this user's"),
              server_.errors().rfind("is not this user's"));
    EXPECT_EQ(ftp->say("USER bob"), welcome);
}

TEST_F(TakenOverGreeter, CannotTalkWithoutEnd) {
    const auto ftp = shaken(server_, {});
    {
        Injector injector(server_.process("127.0.0.1 [greeter]"));
        ASSERT_EQ(injector.trouble(), "");
        for (std::size_t sent = 0; sent <= ipc::longest_proof; sent += ipc::longest_proof_part)
            (void)say_as(injector, proof(noise(ipc::longest_proof_part)));  // the last one ends it
    }
    server_.complained("shows a certificate without end, it is ended");
    EXPECT_THAT(ftp->reply(), AnyOf(StartsWith("("), StartsWith("421")));
}

TEST_F(TakenOverGreeter, CannotTalkOfNothingWithoutEnd) {
    const auto ftp = shaken(server_, {});
    {
        Injector injector(server_.process("127.0.0.1 [greeter]"));
        ASSERT_EQ(injector.trouble(), "");
        (void)say_as(injector, proof(""));  // and is ended at once
    }
    server_.complained("sent a malformed request, it is ended");
    EXPECT_THAT(ftp->reply(), AnyOf(StartsWith("("), StartsWith("421")));
}

// ----- the map

TEST(TlsCertUsernameMap, SaysWhoseCertificateItIs) {
    write_file(place("map"),
               "# whose certificate\n"
               "alice  CN=Alice Liddell,O=Wonderland\n"
               "\n"
               "bob\tCN=Bob\\, the builder,O=Wonderland\n"
               "virtual CN=Alice Liddell,O=Wonderland\n");
    Server server(with_tls(), by("subject", "cert_username_map = " + place("map").string()));
    auto wanted = named("Alice Liddell");
    wanted.organization = "Wonderland";
    EXPECT_EQ(said_to(server, issued(wanted), "alice"), welcome);
    EXPECT_EQ(said_to(server, issued(wanted), "bob"), asked);
    wanted.common_name = "Bob, the builder";
    EXPECT_EQ(said_to(server, issued(wanted), "bob"), welcome);
    wanted.organization = "Elsewhere";
    EXPECT_EQ(said_to(server, issued(wanted), "bob"), asked);
    EXPECT_EQ(said_to(server, issued(named("alice")), "alice"), asked) << "the map alone counts";
    server.logged(R"(\[alice\] OK LOGIN: .*certificate "CN=Alice Liddell,O=Wonderland")");
}

TEST(TlsCertUsernameMap, IsReadAgainOnReload) {
    write_file(place("map"), "alice one\n");
    Server server(with_tls(), by("commonName", "cert_username_map = " + place("map").string()));
    EXPECT_EQ(said_to(server, issued(named("two")), "alice"), asked);
    write_file(place("map"), "alice two\n");
    server.signal(SIGHUP);
    server.complained("configuration");
    EXPECT_EQ(said_to(server, issued(named("two")), "alice"), welcome);
    EXPECT_EQ(said_to(server, issued(named("one")), "alice"), asked);
}

TEST(TlsCertUsernameMap, HasItsPlaceInATenantsSectionToo) {
    const auto more = tenant("carol", "secret", {"certificate = Carol C.", "certificate = Carol"});
    Server server(with_tls(), by("commonName", more));
    EXPECT_EQ(said_to(server, issued(named("Carol C.")), "carol"), welcome);
    EXPECT_EQ(said_to(server, issued(named("Carol")), "carol"), welcome);
    EXPECT_EQ(said_to(server, issued(named("carol")), "carol"), asked);
    EXPECT_EQ(said_to(server, issued(named("alice")), "alice"), welcome)
        << "of whom nothing is said";
}
