// SPDX-License-Identifier: MIT
// The tables of schemes and curves; runs in greeters, sessions and the signer.
#include "tls/schemes.hpp"

#include <algorithm>
#include <iterator>

namespace tls {
namespace {

constexpr const char* md5_sha1 = "MD5-SHA1";

// clang-format off
constexpr SchemeFacts schemes[] = {
    // scheme                         key               digest     padding         curve in 1.3  legacy
    {Scheme::rsa_pss_rsae_sha256,     KeyType::rsa,     "SHA256",  Padding::pss,   "",           false},
    {Scheme::rsa_pss_rsae_sha384,     KeyType::rsa,     "SHA384",  Padding::pss,   "",           false},
    {Scheme::rsa_pss_rsae_sha512,     KeyType::rsa,     "SHA512",  Padding::pss,   "",           false},
    {Scheme::rsa_pkcs1_sha256,        KeyType::rsa,     "SHA256",  Padding::pkcs1, nullptr,      false},
    {Scheme::rsa_pkcs1_sha384,        KeyType::rsa,     "SHA384",  Padding::pkcs1, nullptr,      false},
    {Scheme::rsa_pkcs1_sha512,        KeyType::rsa,     "SHA512",  Padding::pkcs1, nullptr,      false},
    {Scheme::rsa_pkcs1_md5_sha1,      KeyType::rsa,     md5_sha1,  Padding::pkcs1, nullptr,      true},
    {Scheme::ecdsa_secp256r1_sha256,  KeyType::ec,      "SHA256",  Padding::none,  "prime256v1", false},
    {Scheme::ecdsa_secp384r1_sha384,  KeyType::ec,      "SHA384",  Padding::none,  "secp384r1",  false},
    {Scheme::ecdsa_secp521r1_sha512,  KeyType::ec,      "SHA512",  Padding::none,  "secp521r1",  false},
    {Scheme::ecdsa_sha1,              KeyType::ec,      "SHA1",    Padding::none,  nullptr,      true},
    {Scheme::ed25519,                 KeyType::ed25519, nullptr,   Padding::none,  "",           false},
};

constexpr KeyCurve key_curves[] = {
    // name        bits  security  signature
    {"prime256v1", 256,  128,      72},
    {"secp384r1",  384,  192,      104},
    {"secp521r1",  521,  256,      139},
};

constexpr ExchangeCurve exchange_curves[] = {
    // number  point  uncompressed
    {23,       65,    true},   // secp256r1
    {24,       97,    true},   // secp384r1
    {25,       133,   true},   // secp521r1
    {29,       32,    false},  // x25519
    {30,       56,    false},  // x448
};
// clang-format on

template <typename Row, std::size_t N, typename Wanted>
const Row* find(const Row (&table)[N], Wanted wanted) {
    const auto* row = std::find_if(std::begin(table), std::end(table), wanted);
    return row == std::end(table) ? nullptr : row;
}

}  // namespace

std::span<const SchemeFacts> all_schemes() { return schemes; }

const SchemeFacts* facts_of(Scheme scheme) {
    return find(schemes, [=](const auto& each) { return each.scheme == scheme; });
}

const KeyCurve* key_curve(std::string_view name) {
    return find(key_curves, [=](const auto& each) { return each.name == name; });
}

const ExchangeCurve* exchange_curve(std::uint16_t number) {
    return find(exchange_curves, [=](const auto& each) { return each.number == number; });
}

}  // namespace tls
