// SPDX-License-Identifier: MIT
// The certificates of a server without their keys, as the signer hands them out: made by the
// signer, kept by the supervisor (when do they expire?) and the spawner (for handshakes).
#pragma once

#include "base/result.hpp"
#include "ipc/requests.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ipc {

// SHA-256 of the SubjectPublicKeyInfo in DER: what a signature is asked for by. The same key has
// the same id after a reload, whatever the certificate, and a key that is gone is not mistaken for
// another.
using KeyId = std::array<std::uint8_t, key_id_size>;

struct Certificate {
    std::string file;                // where it came from, for messages
    KeyId key{};                     // of the private key that fits
    std::int64_t not_after = 0;      // seconds since 1970
    bool by_name_only = false;       // for clients that ask for one of its names, and no others
    std::vector<std::string> names;  // host names in small letters; "*.example.com" is one
    std::string chain;               // PEM; the server's own first, nothing but certificates
};

// Whole days until it expires; negative when it has. For the warning 14 days ahead.
[[nodiscard]] std::int64_t days_left(const Certificate& certificate, std::int64_t now);
inline constexpr std::int64_t days_to_warn = 14;

// One form, both ways. Everything is checked on reading.
[[nodiscard]] std::string serialise(const std::vector<Certificate>& certificates);
[[nodiscard]] base::Result<std::vector<Certificate>> parse_certificates(std::string_view bytes);

}  // namespace ipc
