// SPDX-License-Identifier: MIT
// Certificates of strangers that OpenSSL gets to see only once an issuer has proven to have signed
// them; runs in greeters.
#pragma once

#include "base/result.hpp"
#include "tls/certificates.hpp"
#include "tls/library.hpp"

#include <span>
#include <vector>

namespace tls {

using Span = std::span<const unsigned char>;

// DER, the stranger's own one first and each other one's issuer behind it. What is not signed by
// one of the issuers, or by an issuer that they have made one, is not parsed. All other questions
// (times, purposes, names) are for X509_verify_cert.
[[nodiscard]] base::Result<Chain> read_issued(const std::vector<Span>& certificates,
                                              X509_STORE* issuers);

}  // namespace tls
