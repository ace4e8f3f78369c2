// SPDX-License-Identifier: MIT
// Keys in files: good ones, wrong ones, and what may be signed with which.
#include "signer/keys.hpp"

#include "tests/tls/site.hpp"
#include "tls/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>

namespace {

using authority::Made;
using authority::Wanted;
using observed::Directory;
using signer::Keys;
using signer::Sources;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using tls::Scheme;

struct Files : testing::Test {
    Directory directory;
    const Made one = authority::make({});
    const Made two = authority::make({});
    std::vector<std::string> warnings;

    std::string file(const std::string& name, const std::string& text) {
        const auto path = directory.path(name);
        site::write(path, text);
        return path;
    }

    static Sources from(const std::string& certificate, const std::string& key = {}) {
        config::Options options;
        options.rsa_cert_file = certificate;
        options.rsa_private_key_file = key;
        return signer::sources_of(options);
    }

    std::string error(const Sources& sources) {
        const auto loaded = Keys::load(sources, warnings);
        return loaded ? "none" : loaded.error().text();
    }
};

TEST_F(Files, MayHoldKeyAndCertificateTogetherOrApart) {
    const auto both = file("both", one.key + one.certificate);
    const auto certificate = file("certificate", one.certificate);
    const auto key = file("key", one.key);
    EXPECT_EQ(error(from(both)), "none");
    EXPECT_EQ(error(from(certificate, key)), "none");
    EXPECT_EQ(error(from(both, key)), "none");
    EXPECT_EQ(error(from(certificate, both)), "none");
    EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(Files, ThatAreWrongAreNamedInVsftpdsWords) {
    const auto certificate = file("certificate", one.certificate);
    const auto key = file("key", one.key);
    const auto other_key = file("other_key", two.key);
    const auto encrypted = file("encrypted", authority::encrypted(one.key, "phrase"));
    const auto text = file("text", "nothing of use\n");
    const auto missing = directory.path("missing");
    const auto cannot_certificate = "SSL: cannot load RSA certificate: ";
    const auto cannot_key = "SSL: cannot load RSA private key: ";

    EXPECT_EQ(error(from(missing)), cannot_certificate + missing + ": No such file or directory");
    EXPECT_EQ(error(from(certificate, missing)),
              cannot_key + missing + ": No such file or directory");
    EXPECT_EQ(error(from(text, key)), cannot_certificate + text + ": no certificate in it");
    EXPECT_EQ(error(from(key, key)), cannot_certificate + key + ": no certificate in it");
    EXPECT_EQ(error(from(certificate)), cannot_key + certificate + ": no key in it");
    EXPECT_EQ(error(from(certificate, text)), cannot_key + text + ": no key in it");
    EXPECT_THAT(error(from(certificate, encrypted)),
                AllOf(StartsWith(cannot_key + encrypted), HasSubstr("encrypted")));
    EXPECT_THAT(error(from(directory.path())), StartsWith(cannot_certificate + directory.path()));
    EXPECT_EQ(error(from(certificate, other_key)),
              cannot_key + other_key + ": the key does not fit the certificate in " + certificate);
    EXPECT_EQ(error(Sources{}), "SSL: there is no certificate");
}

TEST_F(Files, ThatAreTooLargeAreNotRead) {
    const auto large = file("large", std::string((1 << 20) + 1, '\n'));
    EXPECT_THAT(error(from(large)), HasSubstr("too large"));
    EXPECT_THAT(error(from("/dev/zero")), HasSubstr("too large"));
    const auto fifo = directory.path("fifo");
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_THAT(error(from(fifo)), HasSubstr("no certificate in it")) << "and nobody waits";
}

TEST_F(Files, OfOneKindMayHoldAnotherKindOfKey) {
    for (const auto* kind : {"RSA:2048", "EC:secp384r1", "ED25519"}) {
        Wanted wanted;
        wanted.key = kind;
        const auto made = authority::make(wanted);
        const auto path = file(std::string("file of ") + kind[0], made.certificate + made.key);
        config::Options options;
        options.rsa_cert_file = file(std::string("first of ") + kind[0], one.certificate + one.key);
        options.dsa_cert_file = path;
        const auto loaded = Keys::load(signer::sources_of(options), warnings);
        ASSERT_TRUE(loaded) << kind << ": " << loaded.error().text();
        EXPECT_EQ(loaded.value().certificates().size(), 2U) << kind;
        EXPECT_EQ(error(from(path)), "none") << kind;
    }
}

TEST_F(Files, OfDsaAreIgnoredBesideOthersAndWorthNothingAlone) {
    Wanted wanted;
    wanted.key = "DSA";
    const auto made = authority::make(wanted);
    config::Options options;
    options.rsa_cert_file = file("rsa", one.certificate + one.key);
    options.dsa_cert_file = file("dsa", made.certificate + made.key);
    const auto loaded = Keys::load(signer::sources_of(options), warnings);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded.value().certificates().size(), 1U);
    EXPECT_THAT(warnings, ElementsAre("SSL: cannot load DSA certificate: " + options.dsa_cert_file +
                                      ": DSA keys are not supported; it is ignored"));
    options.rsa_cert_file.clear();
    EXPECT_EQ(error(signer::sources_of(options)),
              "SSL: cannot load DSA certificate: " + options.dsa_cert_file +
                  ": DSA keys are not supported");
}

TEST_F(Files, AreNotReadIntoWhatTheOthersGet) {
    const auto loaded =
        Keys::load(from(file("both", one.key + one.certificate + one.key)), warnings);
    ASSERT_TRUE(loaded);
    EXPECT_THAT(ipc::serialise(loaded.value().certificates()), Not(HasSubstr("PRIVATE")));
}

TEST_F(Files, OfADirectoryAreForTheHostsThatTheyAreNamedAfter) {
    auto sources = from(file("fallback", one.certificate + one.key));
    sources.directory = directory.directory("hosts");
    Wanted wanted;
    wanted.names = {"www.example.com"};
    const auto made = authority::make(wanted);
    file("hosts/Ftp.Example.com.pem", made.key + made.certificate);
    file("hosts/.hidden.pem", "nothing");
    file("hosts/readme.txt", "nothing");
    auto loaded = Keys::load(sources, warnings);
    ASSERT_TRUE(loaded);
    EXPECT_THAT(warnings, IsEmpty());
    const auto& all = loaded.value().certificates();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_FALSE(all[0].by_name_only);
    EXPECT_TRUE(all[1].by_name_only);
    EXPECT_THAT(all[1].names, ElementsAre("www.example.com", "ftp.example.com"));

    // One host's mistake is no other's misfortune.
    file("hosts/broken.pem", made.certificate + one.key);
    loaded = Keys::load(sources, warnings);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded.value().certificates().size(), 2U);
    const auto broken = directory.path("hosts/broken.pem");
    EXPECT_THAT(warnings, ElementsAre("SSL: cannot load host private key: " + broken +
                                      ": the key does not fit the certificate in " + broken));
    warnings.clear();
    sources.directory = directory.path("none");
    EXPECT_EQ(error(sources), "none");
    EXPECT_THAT(warnings, ElementsAre(HasSubstr(sources.directory)));
}

// ----- signing

// One key, alone.
struct Single {
    explicit Single(const std::string& kind, bool legacy = false) {
        Wanted wanted;
        wanted.key = kind;
        const auto made = authority::make(wanted);
        const Directory directory;
        site::write(directory.path("x"), made.certificate + made.key);
        std::vector<std::string> warnings;
        auto loaded = Keys::load({{{"RSA", directory.path("x"), {}}}, {}, legacy}, warnings);
        keys.emplace(std::move(loaded.value()));
        certificate = std::move(tls::read_chain(made.certificate).value().own);
        id = keys->certificates().front().key;
    }
    std::optional<Keys> keys;
    tls::X509Certificate certificate;
    tls::KeyId id{};
};

const tls::Content verify_block = tls::CertificateVerify{tls::Bytes(48, 'h')};

tls::Content exchange_block() {
    tls::ServerKeyExchange exchange;
    exchange.curve = 23;
    exchange.point = tls::Bytes(65, 4);
    return exchange;
}

// With OpenSSL alone, and the public half.
bool verifies(const tls::SchemeFacts& facts, EVP_PKEY* key, const tls::Bytes& bytes,
              const tls::Bytes& signature) {
    const tls::DigestContext checking{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* padding = nullptr;
    if (EVP_DigestVerifyInit_ex(checking.get(), &padding, facts.digest, tls::library(), nullptr,
                                key, nullptr) != 1)
        return false;
    if (facts.padding == tls::Padding::pss) {
        EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST);
    }
    return EVP_DigestVerify(checking.get(), signature.data(), signature.size(), bytes.data(),
                            bytes.size()) == 1;
}

TEST(Signing, IsPossibleWithTheSchemesOfTheKeyAndTheVersion) {
    struct Case {
        const char* key;
        std::vector<Scheme> exchange;  // TLS 1.2
        std::vector<Scheme> verify;    // TLS 1.3
    };
    using enum Scheme;
    const std::vector<Scheme> all_ec{ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384,
                                     ecdsa_secp521r1_sha512};
    const Case cases[] = {
        {"RSA:2048",
         {rsa_pss_rsae_sha256, rsa_pss_rsae_sha384, rsa_pss_rsae_sha512, rsa_pkcs1_sha256,
          rsa_pkcs1_sha384, rsa_pkcs1_sha512},
         {rsa_pss_rsae_sha256, rsa_pss_rsae_sha384, rsa_pss_rsae_sha512}},
        {"EC:prime256v1", all_ec, {ecdsa_secp256r1_sha256}},
        {"EC:secp384r1", all_ec, {ecdsa_secp384r1_sha384}},
        {"EC:secp521r1", all_ec, {ecdsa_secp521r1_sha512}},
        {"ED25519", {ed25519}, {ed25519}},
    };
    for (const auto& c : cases) {
        const Single single(c.key);
        for (const auto& content : {verify_block, exchange_block()}) {
            const bool tls13 = content.index() == 0;
            const auto& allowed = tls13 ? c.verify : c.exchange;
            for (const auto& facts : tls::all_schemes()) {
                const auto made = single.keys->sign({single.id, facts.scheme, content});
                const bool wanted =
                    std::find(allowed.begin(), allowed.end(), facts.scheme) != allowed.end();
                const auto name =
                    std::string(c.key) + ' ' + std::to_string(static_cast<int>(facts.scheme));
                ASSERT_EQ(static_cast<bool>(made), wanted) << name;
                if (!made) {
                    EXPECT_EQ(made.error().number, EINVAL) << name;
                    continue;
                }
                EXPECT_TRUE(verifies(facts, X509_get0_pubkey(single.certificate.get()),
                                     tls::bytes_of(content).value(), made.value()))
                    << name;
            }
        }
    }
}

TEST(Signing, OfSha1IsForOldVersionsThatAreSwitchedOn) {
    const auto content = exchange_block();
    for (const bool legacy : {false, true}) {
        const Single rsa("RSA:2048", legacy);
        const Single ec("EC:prime256v1", legacy);
        const auto signs = [&](const Single& single, Scheme scheme, const tls::Content& what) {
            return static_cast<bool>(single.keys->sign({single.id, scheme, what}));
        };
        EXPECT_EQ(signs(rsa, Scheme::rsa_pkcs1_md5_sha1, content), legacy);
        EXPECT_EQ(signs(ec, Scheme::ecdsa_sha1, content), legacy);
        EXPECT_FALSE(signs(rsa, Scheme::rsa_pkcs1_md5_sha1, verify_block));
        EXPECT_FALSE(signs(ec, Scheme::ecdsa_sha1, verify_block));
    }
    config::Options options;
    EXPECT_FALSE(signer::sources_of(options).legacy);
    options.ssl_tlsv1 = true;
    EXPECT_TRUE(signer::sources_of(options).legacy);
    options.ssl_tlsv1 = false;
    options.ssl_tlsv11 = true;
    EXPECT_TRUE(signer::sources_of(options).legacy);
}

// 64 bytes of the asker's choice, five that are not, and 132 of its choice again.
tls::ServerKeyExchange chosen(const std::string& text) {
    tls::ServerKeyExchange exchange;
    std::copy_n(text.begin(), 32, exchange.client_random.begin());
    std::copy_n(text.begin() + 32, 32, exchange.server_random.begin());
    exchange.curve = 25;
    exchange.point.assign(text.begin() + 68, text.end());
    exchange.point.front() = 4;
    return exchange;
}

TEST(Signing, IsNotForWhatCouldBeReadAsACertificate) {
    const Single single("RSA:2048");
    const auto signs = [&](std::string text) {
        text.resize(201, 'x');
        return static_cast<bool>(
            single.keys->sign({single.id, Scheme::rsa_pkcs1_sha256, chosen(text)}));
    };
    // One long octet string, or a short one before it, in a sequence or set.
    EXPECT_FALSE(signs("\x30\x81\xC6\x04\x81\xC3"));
    EXPECT_FALSE(signs("\x31\x81\xC6\x04\x81\xC3"));
    EXPECT_FALSE(signs("\x30\x81\xC6\x02\x01\x05\x04\x81\xC0"));
    EXPECT_FALSE(signs("\x30\x80\x04\x81\xC4"));
    // These do not fit.
    EXPECT_TRUE(signs("\x30\x81\xC5\x04\x81\xC2"));
    EXPECT_TRUE(signs("\x30\x81\xC7\x04\x81\xC4"));
    EXPECT_TRUE(signs("\x30\x81\xC6\x04\x81\xC2"));
    EXPECT_TRUE(signs("\x30\x81\xC6\x04\x81\xC4"));
    EXPECT_TRUE(signs("\x04\x81\xC6\x04\x81\xC3"));
    EXPECT_TRUE(signs("random"));
}

TEST(Signing, NeedsAKeyThatIsHereAndFieldsThatAreRight) {
    const Single single("EC:prime256v1");
    const auto number = [&](const tls::ToBeSigned& what) {
        const auto made = single.keys->sign(what);
        return made ? 0 : made.error().number;
    };
    const auto scheme = Scheme::ecdsa_secp256r1_sha256;
    EXPECT_EQ(number({single.id, scheme, verify_block}), 0);
    auto other = single.id;
    other[31] ^= 1;
    EXPECT_EQ(number({other, scheme, verify_block}), ENOKEY);
    EXPECT_EQ(number({single.id, Scheme{0}, verify_block}), EINVAL);
    EXPECT_EQ(number({single.id, scheme, tls::CertificateVerify{tls::Bytes(33)}}), EINVAL);
    EXPECT_EQ(number({single.id, scheme, tls::ServerKeyExchange{}}), EINVAL);
}

}  // namespace
