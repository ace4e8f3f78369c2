// SPDX-License-Identifier: MIT
// As much of DER as it takes to find what is signed in a certificate (RFC 5280 4.1), and the
// signature.
#include "tls/issued.hpp"

#include "tls/schemes.hpp"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace tls {

using base::Error;
using base::Result;
using std::string_view_literals::operator""sv;

namespace {

constexpr unsigned char integer = 0x02;
constexpr unsigned char bit_string = 0x03;
constexpr unsigned char object_identifier = 0x06;
constexpr unsigned char sequence = 0x30;
constexpr unsigned char explicit_version = 0xA0;

struct Element {
    Span whole;
    Span content;
};

// The first element, if it is of this type; it is taken from the bytes.
std::optional<Element> take(Span& bytes, unsigned char type) {
    if (bytes.size() < 2 || bytes[0] != type) return std::nullopt;
    std::size_t size = bytes[1];
    std::size_t start = 2;
    if (size >= 0x80) {
        start += size & 0x7FU;
        if (start == 2 || start > 5 || bytes.size() < start) return std::nullopt;
        size = 0;
        for (const auto byte : bytes.subspan(2, start - 2)) size = size << 8U | byte;
    }
    if (size > bytes.size() - start) return std::nullopt;
    const Element taken{bytes.first(start + size), bytes.subspan(start, size)};
    bytes = bytes.subspan(start + size);
    return taken;
}

bool equal(Span a, Span b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

struct Parts {
    Span content;    // what is signed
    Span algorithm;  // the object identifier
    Span signature;
};

// The algorithm stands there twice. Only where both are the same is all but the signature signed.
std::optional<Parts> parts_of(Span certificate) {
    auto all = take(certificate, sequence);
    if (!all || !certificate.empty()) return std::nullopt;
    const auto content = take(all->content, sequence);
    const auto algorithm = take(all->content, sequence);
    const auto signature = take(all->content, bit_string);
    if (!content || !algorithm || !signature || !all->content.empty()) return std::nullopt;
    auto inside = content->content;
    (void)take(inside, explicit_version);
    const auto number = take(inside, integer);
    const auto again = take(inside, sequence);
    auto name = algorithm->content;
    const auto identifier = take(name, object_identifier);
    if (!number || !again || !equal(again->whole, algorithm->whole) || !identifier ||
        signature->content.empty() || signature->content.front() != 0)
        return std::nullopt;
    return Parts{content->whole, identifier->content, signature->content.subspan(1)};
}

struct Algorithm {
    std::string_view identifier;
    const char* digest;
    Padding padding;
};

// clang-format off
constexpr Algorithm algorithms[] = {
    {"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0B"sv, "SHA256", Padding::pkcs1},  // sha256WithRSAEncryption
    {"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0C"sv, "SHA384", Padding::pkcs1},
    {"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0D"sv, "SHA512", Padding::pkcs1},
    {"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A"sv, "SHA256", Padding::pss},    // id-RSASSA-PSS: its
    {"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A"sv, "SHA384", Padding::pss},    // parameters say which,
    {"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A"sv, "SHA512", Padding::pss},    // X509_verify_cert looks
    {"\x2A\x86\x48\xCE\x3D\x04\x03\x02"sv,     "SHA256", Padding::none},   // ecdsa-with-SHA256
    {"\x2A\x86\x48\xCE\x3D\x04\x03\x03"sv,     "SHA384", Padding::none},
    {"\x2A\x86\x48\xCE\x3D\x04\x03\x04"sv,     "SHA512", Padding::none},
    {"\x2B\x65\x70"sv,                         nullptr,  Padding::none},   // id-Ed25519
    {"\x2B\x65\x71"sv,                         nullptr,  Padding::none},   // id-Ed448
};
// clang-format on

bool has_signed(EVP_PKEY* key, const Algorithm& algorithm, const Parts& parts) {
    const DigestContext checking{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* operation = nullptr;
    bool ready = checking && EVP_DigestVerifyInit_ex(checking.get(), &operation, algorithm.digest,
                                                     library(), nullptr, key, nullptr) == 1;
    if (algorithm.padding == Padding::pss)
        ready = ready && EVP_PKEY_CTX_set_rsa_padding(operation, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(operation, RSA_PSS_SALTLEN_AUTO) == 1;
    const bool right =
        ready && EVP_DigestVerify(checking.get(), parts.signature.data(), parts.signature.size(),
                                  parts.content.data(), parts.content.size()) == 1;
    ERR_clear_error();
    return right;
}

using Keys = std::vector<EVP_PKEY*>;

bool is_issued(Span certificate, const Keys& issuers) {
    const auto parts = parts_of(certificate);
    if (!parts) return false;
    const std::string_view identifier(reinterpret_cast<const char*>(parts->algorithm.data()),
                                      parts->algorithm.size());
    for (const auto& each : algorithms) {
        if (each.identifier != identifier) continue;
        if (std::any_of(issuers.begin(), issuers.end(),
                        [&](EVP_PKEY* key) { return has_signed(key, each, *parts); }))
            return true;
    }
    return false;
}

Keys keys_of(X509_STORE* issuers) {
    Keys keys;
    const auto* all = X509_STORE_get0_objects(issuers);
    for (int i = 0; i < sk_X509_OBJECT_num(all); ++i) {
        auto* certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
        auto* key = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate);
        if (key != nullptr) keys.push_back(key);
    }
    return keys;
}

Result<X509Certificate> read_der(Span der) {
    X509Certificate certificate{X509_new_ex(library(), nullptr)};
    if (!certificate) return openssl_error("no certificate");
    const auto* at = der.data();
    auto* place = certificate.release();  // OpenSSL frees it when it fails
    certificate.reset(d2i_X509(&place, &at, static_cast<long>(der.size())));
    ERR_clear_error();
    if (!certificate || at != der.data() + der.size()) return Error{"no certificate"};
    return certificate;
}

}  // namespace

Result<Chain> read_issued(const std::vector<Span>& certificates, X509_STORE* issuers) {
    auto keys = keys_of(issuers);
    Chain chain;
    for (auto der = certificates.rbegin(); der != certificates.rend(); ++der) {
        if (!is_issued(*der, keys)) continue;
        TRY(auto certificate, read_der(*der));
        if (std::next(der) == certificates.rend()) {
            chain.own = std::move(certificate);
        } else if (X509_check_ca(certificate.get()) > 0 &&
                   X509_get0_pubkey(certificate.get()) != nullptr) {
            keys.push_back(X509_get0_pubkey(certificate.get()));
            chain.others.push_back(std::move(certificate));
        }
    }
    if (!chain.own) return Error{"nobody in ca_certs_file has issued it"};
    return chain;
}

}  // namespace tls
