// SPDX-License-Identifier: MIT
// How a TLS server may sign: one row per scheme; runs in greeters, sessions and the signer.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tls {

enum class KeyType : std::uint8_t { rsa, ec, ed25519 };

enum class Padding : std::uint8_t { none, pkcs1, pss };

// RFC 8446 4.2.3
enum class Scheme : std::uint16_t {
    rsa_pkcs1_sha256 = 0x0401,
    rsa_pkcs1_sha384 = 0x0501,
    rsa_pkcs1_sha512 = 0x0601,
    ecdsa_secp256r1_sha256 = 0x0403,
    ecdsa_secp384r1_sha384 = 0x0503,
    ecdsa_secp521r1_sha512 = 0x0603,
    rsa_pss_rsae_sha256 = 0x0804,
    rsa_pss_rsae_sha384 = 0x0805,
    rsa_pss_rsae_sha512 = 0x0806,
    ed25519 = 0x0807,
    // before TLS 1.2, where schemes have no numbers; the second one is of our own making
    ecdsa_sha1 = 0x0203,
    rsa_pkcs1_md5_sha1 = 0xFE01,
};

struct SchemeFacts {
    Scheme scheme;
    KeyType key;
    const char* digest;  // OpenSSL's name; nullptr: the scheme hashes by itself
    Padding padding;
    const char* curve_in_tls13;  // OpenSSL's name; "": of no curve; nullptr: not in TLS 1.3
    bool legacy;                 // TLS 1.0 and 1.1
};

[[nodiscard]] std::span<const SchemeFacts> all_schemes();

// nullptr for numbers that are no scheme of ours.
[[nodiscard]] const SchemeFacts* facts_of(Scheme scheme);

// The named curves that keys may have.
struct KeyCurve {
    std::string_view name;  // OpenSSL's
    int bits;
    int security_bits;
    int largest_signature;  // bytes of DER
};
[[nodiscard]] const KeyCurve* key_curve(std::string_view name);

// What a server may send as its share of an ephemeral key exchange (RFC 8422 5.1.1, 5.4).
struct ExchangeCurve {
    std::uint16_t number;
    std::uint8_t point_size;
    bool uncompressed;  // the point starts with a 4
};
[[nodiscard]] const ExchangeCurve* exchange_curve(std::uint16_t number);

}  // namespace tls
