// SPDX-License-Identifier: MIT
// Keys and certificates for tests, made when they are needed: none is ever stored.
#pragma once

#include <string>
#include <vector>

namespace authority {

struct Wanted {
    std::string key = "EC:prime256v1";  // or "RSA:2048", "ED25519", "DSA", "RSA-PSS:2048"
    std::string common_name = "ftp.example.com";
    std::vector<std::string> names;  // DNS; empty: no subjectAltName
    long seconds = 90L * 86400;      // until it expires
    bool issuer = false;             // may sign others
    std::string organization{};      // O= of the subject, if any
    std::string second_common_name{};
    std::string more_names{};  // subjectAltName in OpenSSL's words, instead of `names`
    std::string usage{};       // extendedKeyUsage: "clientAuth"; empty: anything
};

struct Made {
    std::string certificate;  // PEM
    std::string key;          // PEM, unencrypted
};

// Signed by the issuer, or by itself.
[[nodiscard]] Made make(const Wanted& wanted, const Made* issuer = nullptr);

// The same key, encrypted.
[[nodiscard]] std::string encrypted(const std::string& key, const std::string& phrase);

}  // namespace authority
