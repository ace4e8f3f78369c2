// SPDX-License-Identifier: MIT
// What a server signs in a handshake: taken apart where the handshake is (greeter, session), put
// together again in the signer, so that nothing else can ever be signed.
#pragma once

#include "base/result.hpp"
#include "ipc/certificates.hpp"
#include "ipc/requests.hpp"
#include "tls/schemes.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

namespace tls {

using ipc::KeyId;
using Bytes = std::vector<unsigned char>;

// TLS 1.3 (RFC 8446 4.4.3).
struct CertificateVerify {
    Bytes hash;  // of the handshake so far: 32 or 48 bytes
    bool operator==(const CertificateVerify&) const = default;
};

// Up to TLS 1.2, ephemeral elliptic curves only (RFC 8422 5.4).
struct ServerKeyExchange {
    std::array<unsigned char, ipc::random_size> client_random{};
    std::array<unsigned char, ipc::random_size> server_random{};
    std::uint16_t curve = 0;
    Bytes point;
    bool operator==(const ServerKeyExchange&) const = default;
};

using Content = std::variant<CertificateVerify, ServerKeyExchange>;

struct ToBeSigned {
    KeyId key{};
    Scheme scheme{};
    Content content;
};

// Strict both ways, and each the other's inverse: what one refuses, the other never makes.
[[nodiscard]] base::Result<Content> parse_content(std::span<const unsigned char> bytes);
[[nodiscard]] base::Result<Bytes> bytes_of(const Content& content);

// For the way through the supervisor.
[[nodiscard]] ipc::ToSign to_message(const ToBeSigned& what);
[[nodiscard]] base::Result<ToBeSigned> from_message(const ipc::ToSign& message);

}  // namespace tls
