// SPDX-License-Identifier: MIT
// Keys and certificates for tests, with OpenSSL's default context, which the server does not use.
#include "tests/tls/authority.hpp"

#include "base/text.hpp"
#include "tls/library.hpp"

#include <openssl/dsa.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace authority {
namespace {

using tls::Bio;
using tls::Key;
using tls::KeyContext;
using tls::X509Certificate;

void require(bool condition) {
    if (!condition) throw std::runtime_error(tls::openssl_reason());
}

Key new_key(const std::string& kind) {
    const auto parts = base::split(kind, ':');
    const std::string type(parts[0]);
    EVP_PKEY* key = nullptr;
    EVP_PKEY* parameters = nullptr;
    if (type == "DSA") {
        const KeyContext making{EVP_PKEY_CTX_new_from_name(nullptr, "DSA", nullptr)};
        require(EVP_PKEY_paramgen_init(making.get()) == 1 &&
                EVP_PKEY_CTX_set_dsa_paramgen_bits(making.get(), 1024) == 1 &&
                EVP_PKEY_paramgen(making.get(), &parameters) == 1);
    }
    const Key domain{parameters};
    const KeyContext making{parameters != nullptr
                                ? EVP_PKEY_CTX_new(parameters, nullptr)
                                : EVP_PKEY_CTX_new_from_name(nullptr, type.c_str(), nullptr)};
    require(making && EVP_PKEY_keygen_init(making.get()) == 1);
    if (type == "EC")
        require(EVP_PKEY_CTX_set_group_name(making.get(), std::string(parts[1]).c_str()) == 1);
    if (type.starts_with("RSA"))
        require(EVP_PKEY_CTX_set_rsa_keygen_bits(making.get(), *base::to_number<int>(parts[1])) ==
                1);
    require(EVP_PKEY_keygen(making.get(), &key) == 1);
    return Key{key};
}

std::string text_of(const Bio& bio) {
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

std::string pem(X509* certificate) {
    const Bio out{BIO_new(BIO_s_mem())};
    require(PEM_write_bio_X509(out.get(), certificate) == 1);
    return text_of(out);
}

std::string pem(EVP_PKEY* key) {
    const Bio out{BIO_new(BIO_s_mem())};
    require(PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return text_of(out);
}

Key key_of(const std::string& text) {
    const auto in = tls::reading(text);
    return Key{PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr)};
}

void add_extension(X509* certificate, int id, const std::string& value) {
    using Extension = tls::Owned<X509_EXTENSION, X509_EXTENSION_free>;
    const Extension extension{X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str())};
    require(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

}  // namespace

Made make(const Wanted& wanted, const Made* issuer) {
    const auto key = new_key(wanted.key);
    const X509Certificate certificate{X509_new()};
    auto* x = certificate.get();
    std::uint32_t serial = 0;
    require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
    require(X509_set_version(x, X509_VERSION_3) == 1 &&
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial) == 1 &&
            X509_gmtime_adj(X509_getm_notBefore(x), -3600) != nullptr &&
            X509_gmtime_adj(X509_getm_notAfter(x), wanted.seconds) != nullptr &&
            X509_set_pubkey(x, key.get()) == 1);
    const auto name = [x](const char* field, const std::string& value) {
        const auto* text = reinterpret_cast<const unsigned char*>(value.data());
        require(value.empty() ||
                X509_NAME_add_entry_by_txt(X509_get_subject_name(x), field, MBSTRING_UTF8, text,
                                           static_cast<int>(value.size()), -1, 0) == 1);
    };
    name("O", wanted.organization);
    name("CN", wanted.common_name);
    name("CN", wanted.second_common_name);
    std::string names = wanted.more_names;
    for (const auto& each : wanted.names) names += (names.empty() ? "DNS:" : ",DNS:") + each;
    if (!names.empty()) add_extension(x, NID_subject_alt_name, names);
    if (!wanted.usage.empty()) add_extension(x, NID_ext_key_usage, wanted.usage);
    if (wanted.issuer) add_extension(x, NID_basic_constraints, "critical,CA:TRUE");

    auto issuer_key = issuer == nullptr ? Key{} : key_of(issuer->key);
    X509Certificate above;
    if (issuer != nullptr) {
        const auto in = tls::reading(issuer->certificate);
        above.reset(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    }
    require(X509_set_issuer_name(x, X509_get_subject_name(above ? above.get() : x)) == 1);
    auto* signing = issuer_key ? issuer_key.get() : key.get();
    const bool hashes_itself =
        EVP_PKEY_is_a(signing, "ED25519") == 1 || EVP_PKEY_is_a(signing, "ED448") == 1;
    require(X509_sign(x, signing, hashes_itself ? nullptr : EVP_sha256()) > 0);
    return {pem(x), pem(key.get())};
}

std::string encrypted(const std::string& key, const std::string& phrase) {
    const Bio out{BIO_new(BIO_s_mem())};
    require(PEM_write_bio_PrivateKey(out.get(), key_of(key).get(), EVP_aes_256_cbc(),
                                     reinterpret_cast<const unsigned char*>(phrase.data()),
                                     static_cast<int>(phrase.size()), nullptr, nullptr) == 1);
    return text_of(out);
}

}  // namespace authority
