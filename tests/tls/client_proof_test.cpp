// SPDX-License-Identifier: MIT
// A client's proof: a handshake with everything right in it, and each thing that may be wrong.
#include "tls/client_proof.hpp"

#include "tests/tls/handshake.hpp"
#include "tests/tls/site.hpp"
#include "tls/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl3.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using authority::Made;
using authority::Wanted;
using handshake::Client;
using handshake::Pair;
using site::Site;
using testing::HasSubstr;
using testing::IsEmpty;
using tls::Bytes;

constexpr auto not_issued = "nobody in ca_certs_file has issued it";

Made issuer(const std::string& name = "issuer", const Made* above = nullptr) {
    Wanted wanted;
    wanted.common_name = name;
    wanted.issuer = true;
    return authority::make(wanted, above);
}

const Made& believed() {
    static const Made made = issuer();
    return made;
}

const Site& site_with(const std::string& key) {
    static std::map<std::string, std::unique_ptr<Site>> all;
    auto& made = all[key];
    if (!made) {
        Wanted wanted;
        wanted.key = key;
        made = std::make_unique<Site>(std::vector{wanted});
    }
    return *made;
}

tls::Settings settings() {
    auto made = handshake::settings();
    made.request_cert = true;
    made.ca_certificates = believed().certificate;
    return made;
}

tls::Context context(const Site& site = site_with("EC:prime256v1")) {
    return site.context(settings());
}

Wanted clients(const std::string& key = "EC:prime256v1") {
    Wanted wanted;
    wanted.key = key;
    wanted.common_name = "ann";
    wanted.usage = "clientAuth";
    return wanted;
}

// What a greeter has of a handshake: messages, and what the signer has signed.
struct Heard {
    Bytes messages;
    tls::SignedHandshake known;
};

struct How {
    const Site& site = site_with("EC:prime256v1");
    int version = TLS1_3_VERSION;
    std::string suites{};
    std::string groups{};         // the server's
    const Made* above = nullptr;  // an issuer that the client shows as well
    tls::Nonce nonce{1, 2, 3};
};

Heard heard(const Made& own, const How& how = {}) {
    auto server = how.site.context(settings());
    EXPECT_TRUE(server.use_nonce(how.nonce));
    Client client;
    client.most = how.version;
    client.certificate = own.certificate;
    client.key = own.key;
    Pair pair(server, client);
    if (!how.suites.empty()) (void)SSL_set_ciphersuites(pair.client(), how.suites.c_str());
    if (!how.groups.empty()) (void)SSL_set1_groups_list(pair.server(), how.groups.c_str());
    if (how.above != nullptr) {
        const auto chain = tls::read_chain(how.above->certificate);
        EXPECT_EQ(SSL_add1_chain_cert(pair.client(), chain.value().own.get()), 1);
    }
    tls::Transcript transcript;
    transcript.listen(pair.server());
    how.site.asked().clear();
    EXPECT_TRUE(pair.shake()) << pair.server_error() << pair.client_error();
    Heard result;
    const auto messages = transcript.messages();
    result.messages.assign(messages.begin(), messages.end());
    if (how.site.asked().size() == 1) {
        const auto& asked = how.site.asked().front();
        result.known.nonce = how.nonce;
        result.known.key = asked.key;
        if (const auto* verify = std::get_if<tls::CertificateVerify>(&asked.content))
            result.known.hash = verify->hash;
    }
    transcript.forget(pair.server());
    return result;
}

Made issued(const Wanted& wanted) { return authority::make(wanted, &believed()); }

// The subject; or why not.
std::string outcome(const Bytes& messages, const tls::SignedHandshake& known,
                    const tls::Context& context) {
    const auto proven = tls::prove(messages, known, context);
    return proven ? tls::subject(proven.value().get()) : proven.error().text();
}

std::string outcome(const Heard& heard, const tls::Context& with = context()) {
    return outcome(heard.messages, heard.known, with);
}

// Where each message begins; behind the last one the end.
std::vector<std::size_t> places(const Bytes& messages) {
    std::vector<std::size_t> all;
    for (std::size_t at = 0; at + 4 <= messages.size();) {
        all.push_back(at);
        at += 4U + (static_cast<std::size_t>(messages[at + 1]) << 16U) +
              (static_cast<std::size_t>(messages[at + 2]) << 8U) + messages[at + 3];
    }
    all.push_back(messages.size());
    return all;
}

// As a greeter that was taken over has it done.
void sign_again(Heard& heard) {
    const auto size = places(heard.messages)[5];
    const auto* hash = heard.known.hash.size() == 32 ? "SHA256" : "SHA384";
    EXPECT_EQ(EVP_Q_digest(tls::library(), hash, nullptr, heard.messages.data(), size,
                           heard.known.hash.data(), nullptr),
              1);
}

Bytes without(const Bytes& messages, std::size_t message) {
    const auto all = places(messages);
    auto result = messages;
    result.erase(result.begin() + static_cast<std::ptrdiff_t>(all[message]),
                 result.begin() + static_cast<std::ptrdiff_t>(all[message + 1]));
    return result;
}

// ----- what is right

TEST(ClientProof, HoldsWithEveryKindOfKeyAndHash) {
    for (const auto* key : {"EC:prime256v1", "EC:secp384r1", "EC:secp521r1", "RSA:2048",
                            "RSA-PSS:2048", "ED25519", "ED448"}) {
        const auto own = issued(clients(key));
        for (const auto* servers : {"EC:prime256v1", "EC:secp521r1", "RSA:2048", "ED25519"}) {
            const auto& site = site_with(servers);
            for (const auto* suites : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"}) {
                const auto proof = heard(own, {.site = site, .suites = suites});
                EXPECT_EQ(outcome(proof, context(site)), "CN=ann") << servers << key << suites;
            }
        }
    }
}

TEST(ClientProof, HoldsWhenTheClientHelloComesTwice) {
    const auto proof = heard(issued(clients()), {.groups = "P-384"});
    EXPECT_EQ(places(proof.messages).size(), 12U);
    EXPECT_EQ(outcome(proof), "CN=ann");
    EXPECT_EQ(outcome(without(proof.messages, 0), proof.known, context()),
              "not a full handshake of TLS 1.3 with a client's certificate");
}

TEST(ClientProof, HoldsWithAnIssuerInBetween) {
    const auto between = issuer("between", &believed());
    const auto own = authority::make(clients(), &between);
    EXPECT_EQ(outcome(heard(own, {.above = &between})), "CN=ann");
    EXPECT_THAT(outcome(heard(own)), not_issued);
}

constexpr auto not_shown = "the client has not shown it to this connection";

// ----- what is not the client's, or no longer

TEST(ClientProof, FailsForCertificatesThatAreNotGood) {
    const auto stranger = issuer();  // of the same name
    EXPECT_THAT(outcome(heard(authority::make(clients(), &stranger))), not_issued);
    EXPECT_THAT(outcome(heard(authority::make(clients()))), not_issued);
    auto wanted = clients();
    wanted.seconds = -60;
    EXPECT_EQ(outcome(heard(issued(wanted))), "certificate has expired");
    wanted = clients();
    wanted.usage = "serverAuth";
    EXPECT_THAT(outcome(heard(issued(wanted))), HasSubstr("purpose"));
    // One that may not issue any.
    wanted = clients();
    wanted.common_name = "clerk";
    const auto clerk = issued(wanted);
    EXPECT_THAT(outcome(heard(authority::make(clients(), &clerk), {.above = &clerk})), not_issued);
}

TEST(ClientProof, IsNoneWithoutACertificateOrInTls12) {
    EXPECT_THAT(heard({}).messages, IsEmpty());
    const auto old = heard(issued(clients()), {.version = TLS1_2_VERSION});
    EXPECT_FALSE(old.messages.empty());
    EXPECT_EQ(outcome(old), "nothing was signed for this connection");
    auto proof = heard(issued(clients()));
    EXPECT_EQ(outcome(old.messages, proof.known, context()),
              "not a full handshake of TLS 1.3 with a client's certificate");
}

TEST(ClientProof, IsNoneWhenItIsTooLarge) {
    auto wanted = clients();
    for (int i = 0; i < 2500; ++i)
        wanted.names.push_back("host" + std::to_string(i) + ".departments.example.com");
    EXPECT_THAT(heard(issued(wanted)).messages, IsEmpty());
}

TEST(ClientProof, IsOfOneConnectionAlone) {
    const auto own = issued(clients());
    const auto first = heard(own);
    const auto second = heard(own);
    EXPECT_EQ(outcome(first.messages, second.known, context()),
              "it is the handshake of another connection");
    EXPECT_EQ(outcome(first.messages, {first.known.nonce, first.known.key, {}}, context()),
              "nothing was signed for this connection");
    auto longer = first.known;
    longer.hash.resize(first.known.hash.size() == 32 ? 48 : 32);
    EXPECT_EQ(outcome(first.messages, longer, context()),
              "it is the handshake of another connection");
}

// A greeter that was taken over has all that an earlier one has heard, and has had its hash signed
// again.
TEST(ClientProof, IsOfNoUseToALaterConnection) {
    auto proof = heard(issued(clients()));
    ASSERT_EQ(outcome(proof), "CN=ann");
    proof.known.nonce.back() ^= 1;
    EXPECT_EQ(outcome(proof), not_shown);
}

// A client ignores a second one as well, so whose it is must not be for the greeter to choose.
TEST(ClientProof, HasOneNonce) {
    auto proof = heard(issued(clients()));
    const auto all = places(proof.messages);
    const Bytes start{tls::nonce_extension >> 8, tls::nonce_extension & 0xFF, 0, ipc::nonce_size};
    const auto end = proof.messages.begin() + static_cast<std::ptrdiff_t>(all[4]);
    const auto ours = std::search(proof.messages.begin(), end, start.begin(), start.end());
    ASSERT_NE(ours, end);
    const Bytes again(ours, ours + static_cast<std::ptrdiff_t>(start.size() + ipc::nonce_size));
    proof.messages.insert(ours, again.begin(), again.end());
    // The lengths of CertificateRequest and, behind an empty context, of its extensions.
    proof.messages[all[3] + 3] += static_cast<unsigned char>(again.size());
    proof.messages[all[3] + 6] += static_cast<unsigned char>(again.size());
    ASSERT_EQ(places(proof.messages).size(), all.size());
    sign_again(proof);
    EXPECT_EQ(outcome(proof), not_shown);
}

// A server elsewhere has asked its visitor for a certificate, and has had the hash of that
// handshake signed here, by way of a greeter.
TEST(ClientProof, IsOfNoUseFromAnotherServer) {
    const auto& elsewhere = site_with("EC:secp384r1");
    auto proof = heard(issued(clients()), {.site = elsewhere});
    EXPECT_EQ(outcome(proof, context(elsewhere)), "CN=ann");
    const auto own = heard(issued(clients()));
    proof.known.key = own.known.key;
    EXPECT_EQ(outcome(proof), "it is a handshake with another server");
}

// With its own certificate the attacker can prove itself, and puts the victim's there.
TEST(ClientProof, IsOfTheVeryCertificate) {
    const auto mine = heard(issued(clients()));
    const auto victims = heard(issued(clients()));
    const auto my = places(mine.messages);
    const auto its = places(victims.messages);
    constexpr std::size_t clients_certificate = 7;
    Bytes forged(mine.messages.begin(),
                 mine.messages.begin() + static_cast<std::ptrdiff_t>(my[clients_certificate]));
    forged.insert(
        forged.end(),
        victims.messages.begin() + static_cast<std::ptrdiff_t>(its[clients_certificate]),
        victims.messages.begin() + static_cast<std::ptrdiff_t>(its[clients_certificate + 1]));
    forged.insert(forged.end(),
                  mine.messages.begin() + static_cast<std::ptrdiff_t>(my[clients_certificate + 1]),
                  mine.messages.end());
    EXPECT_EQ(outcome(forged, mine.known, context()), "the signature is wrong");
}

// ----- bytes

TEST(ClientProof, FailsWithAnyByteChanged) {
    const auto with = context();
    const auto proof = heard(issued(clients()));
    ASSERT_EQ(outcome(proof, with), "CN=ann");
    for (std::size_t at = 0; at < proof.messages.size(); ++at) {
        auto changed = proof.messages;
        changed[at] ^= static_cast<unsigned char>(1U << at % 8);
        EXPECT_FALSE(tls::prove(changed, proof.known, with)) << at;
    }
    for (std::size_t at = 0; at < proof.known.hash.size(); ++at) {
        auto known = proof.known;
        known.hash[at] ^= 1;
        EXPECT_EQ(outcome(proof.messages, known, with),
                  "it is the handshake of another connection");
    }
    for (std::size_t at = 0; at < proof.known.key.size(); ++at) {
        auto known = proof.known;
        known.key[at] ^= 1;
        EXPECT_EQ(outcome(proof.messages, known, with), "it is a handshake with another server");
    }
}

TEST(ClientProof, FailsWhenCutAnywhereOrLengthened) {
    const auto with = context();
    const auto proof = heard(issued(clients()));
    for (std::size_t size = 0; size < proof.messages.size(); ++size)
        EXPECT_FALSE(tls::prove(tls::Span(proof.messages).first(size), proof.known, with)) << size;
    auto longer = proof.messages;
    longer.push_back(0);
    EXPECT_EQ(outcome(longer, proof.known, with), "the handshake is malformed");
    longer.insert(longer.end(), {0, 0, 0});
    EXPECT_EQ(outcome(longer, proof.known, with),
              "not a full handshake of TLS 1.3 with a client's certificate");
    longer.resize(longer.size() + 400);
    EXPECT_EQ(outcome(longer, proof.known, with), "the handshake is malformed");
}

TEST(ClientProof, FailsWithoutAnyOfItsMessages) {
    const auto with = context();
    const auto proof = heard(issued(clients()));
    ASSERT_EQ(places(proof.messages).size(), 10U);
    for (std::size_t message = 0; message < 9; ++message)
        EXPECT_EQ(outcome(without(proof.messages, message), proof.known, with),
                  "not a full handshake of TLS 1.3 with a client's certificate")
            << message;
}

}  // namespace
