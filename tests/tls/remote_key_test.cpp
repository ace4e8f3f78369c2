// SPDX-License-Identifier: MIT
// Keys whose secret is elsewhere: they fit their certificate, and sign handshakes only.
#include "tls/remote_key.hpp"

#include "tests/tls/handshake.hpp"
#include "tests/tls/site.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <memory>
#include <string>

namespace {

using handshake::Client;
using handshake::Pair;
using site::Site;
using testing::HasSubstr;
using tls::Scheme;

// A certificate, its remote key, and what was asked of that key.
struct Remote {
    explicit Remote(const std::string& kind, std::string common_name = "ftp.example.com") {
        authority::Wanted wanted;
        wanted.key = kind;
        wanted.common_name = std::move(common_name);
        auto chain = tls::read_chain(authority::make(wanted).certificate);
        certificate = std::move(chain.value().own);
        auto made = tls::remote_key(certificate.get(),
                                    std::make_shared<tls::SignFunction>([this](const auto& what) {
                                        asked.push_back(what);
                                        return answer;
                                    }));
        if (made)
            key = std::move(made.value());
        else
            error = made.error().text();
    }
    tls::X509Certificate certificate;
    tls::Key key;
    std::string error;
    std::vector<tls::ToBeSigned> asked;
    base::Result<tls::Bytes> answer = tls::Bytes(64, 's');
};

const char* const kinds[] = {"RSA:2048", "EC:prime256v1", "EC:secp384r1", "EC:secp521r1",
                             "ED25519"};

TEST(RemoteKeys, FitTheirCertificateAndNoOther) {
    for (const auto* kind : kinds) {
        const Remote remote(kind);
        ASSERT_TRUE(remote.key) << kind << ": " << remote.error;
        EXPECT_EQ(X509_check_private_key(remote.certificate.get(), remote.key.get()), 1) << kind;
        for (const auto* other : kinds) {
            const Remote stranger(other);
            EXPECT_NE(X509_check_private_key(stranger.certificate.get(), remote.key.get()), 1)
                << kind << " for " << other;
        }
    }
}

TEST(RemoteKeys, SayWhatTheRealOnesWould) {
    for (const auto* kind : kinds) {
        const Remote remote(kind);
        const auto* real = X509_get0_pubkey(remote.certificate.get());
        const auto* ours = remote.key.get();
        EXPECT_EQ(EVP_PKEY_get_bits(ours), EVP_PKEY_get_bits(real)) << kind;
        EXPECT_EQ(EVP_PKEY_get_security_bits(ours), EVP_PKEY_get_security_bits(real)) << kind;
        EXPECT_EQ(EVP_PKEY_get_size(ours), EVP_PKEY_get_size(real)) << kind;
        EXPECT_EQ(EVP_PKEY_get_base_id(ours), EVP_PKEY_get_base_id(real)) << kind;
        char name[64] = "none";
        char real_name[64] = "none";
        EVP_PKEY_get_group_name(ours, name, sizeof name, nullptr);
        EVP_PKEY_get_group_name(real, real_name, sizeof real_name, nullptr);
        EXPECT_STREQ(name, real_name) << kind;
    }
}

TEST(RemoteKeys, AreMadeForTheKindsThatHandshakesUse) {
    for (const auto* kind : {"EC:secp256k1", "EC:brainpoolP256r1", "DSA", "RSA-PSS:2048"})
        EXPECT_FALSE(Remote(kind).key) << kind;
}

// Signs bytes as libssl does.
bool sign(EVP_PKEY* key, const char* digest, const std::string& bytes, tls::Bytes& signature) {
    ERR_clear_error();
    const tls::DigestContext signing{EVP_MD_CTX_new()};
    const auto* text = reinterpret_cast<const unsigned char*>(bytes.data());
    std::size_t size = 0;
    if (EVP_DigestSignInit_ex(signing.get(), nullptr, digest, tls::library(), nullptr, key,
                              nullptr) != 1 ||
        EVP_DigestSign(signing.get(), nullptr, &size, text, bytes.size()) != 1)
        return false;
    signature.resize(size);
    if (EVP_DigestSign(signing.get(), signature.data(), &size, text, bytes.size()) != 1)
        return false;
    signature.resize(size);
    return true;
}

const std::string verify =
    std::string(64, ' ') + "TLS 1.3, server CertificateVerify" + std::string(33, '\0');

TEST(RemoteKeys, AskForTheFieldsAndGiveTheAnswer) {
    Remote remote("EC:prime256v1");
    tls::Bytes signature;
    ASSERT_TRUE(sign(remote.key.get(), "SHA256", verify, signature)) << tls::openssl_reason();
    EXPECT_EQ(signature, remote.answer.value());
    ASSERT_EQ(remote.asked.size(), 1U) << "asking for the size is no reason to ask";
    const auto& what = remote.asked.front();
    EXPECT_EQ(what.key, tls::key_id(X509_get0_pubkey(remote.certificate.get())).value());
    EXPECT_EQ(what.scheme, Scheme::ecdsa_secp256r1_sha256);
    EXPECT_EQ(what.content, tls::Content(tls::CertificateVerify{tls::Bytes(32)}));
}

TEST(RemoteKeys, SignNothingThatIsNoHandshake) {
    Remote remote("RSA:2048");
    tls::Bytes signature;
    for (const auto& bytes :
         {std::string{}, std::string("text"), std::string(32, 'h'), verify + "x"}) {
        EXPECT_FALSE(sign(remote.key.get(), "SHA256", bytes, signature));
        EXPECT_THAT(tls::openssl_reason(), HasSubstr("no signature"));
    }
    EXPECT_TRUE(remote.asked.empty());
}

TEST(RemoteKeys, SignNoDigestThatIsNotOfAScheme) {
    Remote rsa("RSA:2048");
    Remote ec("EC:prime256v1");
    Remote ed("ED25519");
    tls::Bytes signature;
    for (const auto* digest : {"MD5", "SHA1", "SHA224", "SHA3-256", "SHA512-256"})
        EXPECT_FALSE(sign(rsa.key.get(), digest, verify, signature)) << digest;
    for (const auto* digest : {"MD5", "MD5-SHA1", "SHA224", "SHA3-256"})
        EXPECT_FALSE(sign(ec.key.get(), digest, verify, signature)) << digest;
    EXPECT_FALSE(sign(ed.key.get(), "SHA256", verify, signature));
    EXPECT_TRUE(sign(ed.key.get(), nullptr, verify, signature)) << tls::openssl_reason();
}

TEST(RemoteKeys, NeitherDecryptNorSignAnotherWay) {
    Remote remote("RSA:2048");
    const tls::KeyContext use{
        EVP_PKEY_CTX_new_from_pkey(tls::library(), remote.key.get(), nullptr)};
    ASSERT_TRUE(use);
    EXPECT_LE(EVP_PKEY_decrypt_init(use.get()), 0);
    EXPECT_LE(EVP_PKEY_sign_init(use.get()), 0);
    EXPECT_LE(EVP_PKEY_derive_init(use.get()), 0);
    ERR_clear_error();
}

TEST(RemoteKeys, PassTheSignersReasonOn) {
    Remote remote("EC:prime256v1");
    tls::Bytes signature;
    remote.answer = base::Error{"the signer does not answer"};
    EXPECT_FALSE(sign(remote.key.get(), "SHA256", verify, signature));
    EXPECT_THAT(tls::openssl_reason(), HasSubstr("the signer does not answer"));
    for (const std::size_t size : {0U, 73U}) {
        remote.answer = tls::Bytes(size);
        EXPECT_FALSE(sign(remote.key.get(), "SHA256", verify, signature)) << size;
        EXPECT_THAT(tls::openssl_reason(), HasSubstr("of wrong size"));
    }
}

TEST(RemoteKeys, WithoutAFunctionCannotSign) {
    const Remote remote("EC:prime256v1");
    const auto unset = std::make_shared<const tls::SignFunction>();
    for (const auto& function : {unset, std::shared_ptr<const tls::SignFunction>{}}) {
        const auto key = tls::remote_key(remote.certificate.get(), function);
        tls::Bytes signature;
        ASSERT_TRUE(key);
        EXPECT_FALSE(sign(key.value().get(), "SHA256", verify, signature));
    }
    ERR_clear_error();
}

TEST(RemoteKeys, DoNotStandInForKeysOfOpenSslsOwn) {
    // Two providers know these names; a new key is one that can be made at all.
    for (const auto* kind : {"RSA", "EC", "ED25519"}) {
        const tls::KeyContext making{EVP_PKEY_CTX_new_from_name(tls::library(), kind, nullptr)};
        ASSERT_TRUE(making) << kind;
        EXPECT_EQ(EVP_PKEY_keygen_init(making.get()), 1) << kind;
    }
}

// ----- handshakes

struct SchemeCase {
    const char* key;
    const char* asked;  // what the client can verify
    int version;
    Scheme scheme;
};

class Schemes : public testing::TestWithParam<SchemeCase> {};

TEST_P(Schemes, AreAgreedUponAndSigned) {
    const auto& c = GetParam();
    authority::Wanted wanted;
    wanted.key = c.key;
    const Site site({wanted});
    const auto server = site.context(handshake::settings());
    Client client;
    client.least = client.most = c.version;
    client.schemes = c.asked;
    Pair pair(server, client);
    ASSERT_TRUE(pair.shake()) << pair.server_error() << " / " << pair.client_error();
    ASSERT_EQ(site.asked().size(), 1U) << "one handshake, one signature";
    EXPECT_EQ(site.asked().front().scheme, c.scheme);
    EXPECT_EQ(std::holds_alternative<tls::CertificateVerify>(site.asked().front().content),
              c.version == TLS1_3_VERSION);
    EXPECT_EQ(pair.to_client("220 hello\r\n"), "220 hello\r\n");
    EXPECT_EQ(pair.to_server("USER ann\r\n"), "USER ann\r\n");
}

constexpr int tls12 = TLS1_2_VERSION;
constexpr int tls13 = TLS1_3_VERSION;
// clang-format off
INSTANTIATE_TEST_SUITE_P(All, Schemes, testing::Values(
    SchemeCase{"RSA:2048",      "RSA+SHA256",             tls12, Scheme::rsa_pkcs1_sha256},
    SchemeCase{"RSA:2048",      "RSA+SHA384",             tls12, Scheme::rsa_pkcs1_sha384},
    SchemeCase{"RSA:2048",      "RSA+SHA512",             tls12, Scheme::rsa_pkcs1_sha512},
    SchemeCase{"RSA:2048",      "rsa_pss_rsae_sha256",    tls12, Scheme::rsa_pss_rsae_sha256},
    SchemeCase{"RSA:2048",      "rsa_pss_rsae_sha384",    tls12, Scheme::rsa_pss_rsae_sha384},
    SchemeCase{"RSA:2048",      "rsa_pss_rsae_sha512",    tls12, Scheme::rsa_pss_rsae_sha512},
    SchemeCase{"RSA:2048",      "rsa_pss_rsae_sha256",    tls13, Scheme::rsa_pss_rsae_sha256},
    SchemeCase{"RSA:2048",      "rsa_pss_rsae_sha384",    tls13, Scheme::rsa_pss_rsae_sha384},
    SchemeCase{"RSA:3072",      "rsa_pss_rsae_sha512",    tls13, Scheme::rsa_pss_rsae_sha512},
    SchemeCase{"EC:prime256v1", "ECDSA+SHA256",           tls12, Scheme::ecdsa_secp256r1_sha256},
    SchemeCase{"EC:prime256v1", "ECDSA+SHA512",           tls12, Scheme::ecdsa_secp521r1_sha512},
    SchemeCase{"EC:secp384r1",  "ECDSA+SHA256",           tls12, Scheme::ecdsa_secp256r1_sha256},
    SchemeCase{"EC:secp384r1",  "ECDSA+SHA384",           tls12, Scheme::ecdsa_secp384r1_sha384},
    SchemeCase{"EC:secp521r1",  "ECDSA+SHA512",           tls12, Scheme::ecdsa_secp521r1_sha512},
    SchemeCase{"EC:prime256v1", "ecdsa_secp256r1_sha256", tls13, Scheme::ecdsa_secp256r1_sha256},
    SchemeCase{"EC:secp384r1",  "ecdsa_secp384r1_sha384", tls13, Scheme::ecdsa_secp384r1_sha384},
    SchemeCase{"EC:secp521r1",  "ecdsa_secp521r1_sha512", tls13, Scheme::ecdsa_secp521r1_sha512},
    SchemeCase{"ED25519",       "ed25519",                tls12, Scheme::ed25519},
    SchemeCase{"ED25519",       "ed25519",                tls13, Scheme::ed25519},
    // before schemes had numbers
    SchemeCase{"RSA:2048",      "",                       TLS1_1_VERSION, Scheme::rsa_pkcs1_md5_sha1},
    SchemeCase{"RSA:2048",      "",                       TLS1_VERSION,   Scheme::rsa_pkcs1_md5_sha1},
    SchemeCase{"EC:prime256v1", "",                       TLS1_1_VERSION, Scheme::ecdsa_sha1},
    SchemeCase{"EC:secp384r1",  "",                       TLS1_VERSION,   Scheme::ecdsa_sha1}));
// clang-format on

TEST(SchemesOfOldClients, AreNotSignedInNewVersions) {
    authority::Wanted rsa;
    rsa.key = "RSA:2048";
    const Site site({rsa, {}});
    const auto server = site.context(handshake::settings());
    for (const auto* schemes : {"RSA+SHA1", "ECDSA+SHA1", "RSA+SHA224", "ECDSA+SHA224"}) {
        Client client;
        client.least = client.most = TLS1_2_VERSION;
        client.schemes = schemes;
        EXPECT_FALSE(Pair(server, client).shake()) << schemes;
    }
    EXPECT_TRUE(site.asked().empty());
}

}  // namespace
