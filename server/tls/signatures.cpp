// SPDX-License-Identifier: MIT
// Schemes and keys, and checking signatures.
#include "tls/signatures.hpp"

#include "tls/certificates.hpp"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <string_view>

namespace tls {

using base::Error;
using base::Result;

namespace {

// With keys that clients may have, and no server here.
struct ClientsScheme {
    std::uint16_t scheme;
    const char* key;  // OpenSSL's name
    const char* digest;
    Padding padding;
};

constexpr ClientsScheme clients_schemes[] = {
    {0x0808, "ED448", nullptr, Padding::none},    // ed448
    {0x0809, "RSA-PSS", "SHA256", Padding::pss},  // rsa_pss_pss_sha256
    {0x080A, "RSA-PSS", "SHA384", Padding::pss},  // rsa_pss_pss_sha384
    {0x080B, "RSA-PSS", "SHA512", Padding::pss},  // rsa_pss_pss_sha512
};

Result<SchemeFacts> facts_for(const EVP_PKEY* key, std::uint16_t scheme) {
    const auto* facts = facts_of(static_cast<Scheme>(scheme));
    if (facts != nullptr && fits(*facts, key, true)) return *facts;
    for (const auto& each : clients_schemes) {
        if (each.scheme == scheme && EVP_PKEY_is_a(key, each.key) == 1)
            return SchemeFacts{{}, {}, each.digest, each.padding, "", false};
    }
    return Error{"not a scheme for this key"};
}

}  // namespace

bool fits(const SchemeFacts& facts, const EVP_PKEY* key, bool tls13) {
    const auto type = key_type(key);
    if (!type || type.value() != facts.key) return false;
    if (!tls13) return true;
    if (facts.curve_in_tls13 == nullptr) return false;
    const std::string_view wanted = facts.curve_in_tls13;
    char curve[64] = "";
    return wanted.empty() ||
           (EVP_PKEY_get_group_name(key, curve, sizeof curve, nullptr) == 1 && wanted == curve);
}

bool set_padding(EVP_PKEY_CTX* operation, const SchemeFacts& facts) {
    return facts.padding != Padding::pss ||
           (EVP_PKEY_CTX_set_rsa_padding(operation, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(operation, RSA_PSS_SALTLEN_DIGEST) == 1);
}

Result<void> check_signature(EVP_PKEY* key, std::uint16_t scheme,
                             std::span<const unsigned char> content,
                             std::span<const unsigned char> signature) {
    TRY(const auto facts, facts_for(key, scheme));
    const DigestContext checking{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* operation = nullptr;
    const bool right = checking &&
                       EVP_DigestVerifyInit_ex(checking.get(), &operation, facts.digest, library(),
                                               nullptr, key, nullptr) == 1 &&
                       set_padding(operation, facts) &&
                       EVP_DigestVerify(checking.get(), signature.data(), signature.size(),
                                        content.data(), content.size()) == 1;
    ERR_clear_error();
    if (!right) return Error{"the signature is wrong"};
    return base::success();
}

}  // namespace tls
