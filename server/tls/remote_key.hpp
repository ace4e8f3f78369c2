// SPDX-License-Identifier: MIT
// Private keys that are elsewhere: an OpenSSL provider whose keys are the public half and a
// function that has the rest done by the signer; runs in greeters and sessions.
#pragma once

#include "base/result.hpp"
#include "tls/library.hpp"
#include "tls/to_be_signed.hpp"

#include <functional>
#include <memory>

namespace tls {

// Blocks until there is an answer or its own deadline is over.
using SignFunction = std::function<base::Result<Bytes>(const ToBeSigned&)>;

// A key that fits the certificate and signs nothing but what a TLS server signs in a handshake.
// The function may be given later, but must be there when a handshake needs it.
[[nodiscard]] base::Result<Key> remote_key(X509* certificate,
                                           std::shared_ptr<const SignFunction> sign);

// At the first call, or now.
void prepare_remote_keys();

}  // namespace tls
