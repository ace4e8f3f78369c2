// SPDX-License-Identifier: MIT
// What proves to a third party that a client has the key of its certificate: the messages of its
// TLS 1.3 handshake up to its CertificateVerify, noted by the greeter that shook hands, looked at
// in another one that has no client.
//
// A greeter that was taken over must not log in by the certificate of a client that is not its
// own, so nothing that it says counts, but what two keys that it does not have have signed:
//   - The supervisor makes a nonce for each connection, which the greeter puts into its
//     CertificateRequest. Only a handshake with the nonce of this very connection counts, so that
//     of an earlier one is of no use, whoever has kept all of its messages: a connection logs in
//     once.
//   - The signer makes one signature for a greeter, over a hash of the handshake so far, and the
//     supervisor notes hash and key. Only a handshake with that very hash counts, and a greeter has
//     to choose it before it knows what its client says.
//   - The server's certificate in the handshake is one of ours, with that key. Otherwise a client
//     of some other server, whose operator has taken over a greeter here, would have given what is
//     needed.
//   - The client's signature is over all of that. A client makes it for a server that has shown
//     the three things above and has signed them, so it was talking to this greeter, just now.
// Who sits between a client and this server and has taken over a greeter before that handshake can
// go on as that client, this once: that greeter is then what the client talks to.
//
// Who parses what: the greeter all that its client says, in OpenSSL's handshake. Here, messages are
// told apart by their lengths, and hash, nonce and the server's certificate are compared, byte by
// byte; of the client's certificates OpenSSL sees first the signature alone, and what an issuer
// whom we believe has signed only then (tls/issued.hpp). The supervisor passes on bytes and names,
// the authenticator compares these, and the signer has nothing of a client's.
//
// So a flaw of OpenSSL's in parsing certificates takes over the greeter that has the client, and
// logs in nobody; unless an issuer in ca_certs_file has signed what makes use of it, or it is one
// in checking signatures. That would be a login as anybody whom certificates may log in: all
// accounts, or those of cert_username_map and the tenants with a certificate.
#pragma once

#include "base/result.hpp"
#include "tls/context.hpp"
#include "tls/issued.hpp"
#include "tls/library.hpp"
#include "tls/to_be_signed.hpp"

#include <memory>

namespace tls {

// Notes the messages of a handshake until the client has proven itself.
class Transcript {
  public:
    // Before the handshake; it must live as long as the connection, or until forget().
    void listen(SSL* connection);
    void forget(SSL* connection);

    // Empty: there is no proof, since the client has no certificate, or it is too large.
    [[nodiscard]] Span messages() const { return complete_ ? Span(bytes_) : Span{}; }

  private:
    static void hear(int sent, int version, int type, const void* bytes, std::size_t size,
                     SSL* connection, void* self);
    Bytes bytes_;
    bool too_large_ = false;
    bool complete_ = false;
};

// What is known of one greeter's handshake by others: the supervisor's nonce, and what the signer
// has signed.
struct SignedHandshake {
    Nonce nonce{};
    KeyId key{};
    Bytes hash;
};

// The client's certificate, issued by one of the context's ca_certificates for clients of TLS. All
// of the messages is hostile.
[[nodiscard]] base::Result<X509Certificate> prove(Span messages, const SignedHandshake& known,
                                                  const Context& context);

}  // namespace tls
