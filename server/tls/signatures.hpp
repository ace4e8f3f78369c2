// SPDX-License-Identifier: MIT
// Which keys a scheme is for, and signatures of TLS 1.3 that are checked outside of a handshake;
// runs in the signer, and where a client's proof is looked at.
#pragma once

#include "base/result.hpp"
#include "tls/library.hpp"
#include "tls/schemes.hpp"

#include <cstdint>
#include <span>

namespace tls {

[[nodiscard]] bool fits(const SchemeFacts& facts, const EVP_PKEY* key, bool tls13);

// After EVP_DigestSignInit_ex or EVP_DigestVerifyInit_ex.
[[nodiscard]] bool set_padding(EVP_PKEY_CTX* operation, const SchemeFacts& facts);

// scheme: as it came over the wire.
[[nodiscard]] base::Result<void> check_signature(EVP_PKEY* key, std::uint16_t scheme,
                                                 std::span<const unsigned char> content,
                                                 std::span<const unsigned char> signature);

}  // namespace tls
