// SPDX-License-Identifier: MIT
// Certificates: read from files by the signer, chosen by host name where a handshake is.
#pragma once

#include "base/result.hpp"
#include "ipc/certificates.hpp"
#include "tls/library.hpp"
#include "tls/schemes.hpp"
#include "tls/to_be_signed.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tls {

// By which a signature is asked for: see ipc/certificates.hpp.
[[nodiscard]] base::Result<KeyId> key_id(const EVP_PKEY* key);

// A certificate and what leads to its issuer's root, without any private key.
struct Chain {
    X509Certificate own;
    std::vector<X509Certificate> others;
};

// PEM, in which other things may stand as well (a private key): they are passed over.
[[nodiscard]] base::Result<Chain> read_chain(std::string_view pem);

// Nothing but the certificates.
[[nodiscard]] base::Result<std::string> to_pem(const Chain& chain);

// number is ENOTSUP for kinds that no handshake of ours can use (DSA, RSA-PSS, rare curves).
[[nodiscard]] base::Result<KeyType> key_type(const EVP_PKEY* key);

// DNS names of subjectAltName, in small letters; where there is none, the subject's common name.
[[nodiscard]] std::vector<std::string> host_names(X509* certificate);

// "CN=ftp.example.com,O=Example", for messages and for mapping clients to accounts; UTF-8 (RFC
// 2253).
[[nodiscard]] std::string subject(X509* certificate);

// What cert_username_field (config/native.hpp) names: a kind of subjectAltName, which there may be
// several of; the one commonName of a subject that has no second one; or all of the subject, as
// subject() has it. Nothing with control characters in it; DNS names in small letters.
[[nodiscard]] std::vector<std::string> names_in(X509* certificate, std::string_view field);

// Seconds since 1970.
[[nodiscard]] base::Result<std::int64_t> not_after(X509* certificate);

// All that the others are told of a chain: for ipc::Certificate.
[[nodiscard]] base::Result<ipc::Certificate> describe(const Chain& chain, std::string file);

// What the signer has handed out, found by name.
class Certificates {
  public:
    explicit Certificates(std::vector<ipc::Certificate> all);
    Certificates(const Certificates&) = delete;
    Certificates& operator=(const Certificates&) = delete;

    // For clients that ask for no name, or for one that nobody has.
    [[nodiscard]] const std::vector<const ipc::Certificate*>& without_name() const {
        return without_name_;
    }

    // Those for the very name; else those for "*." and what follows its first label; else none. A
    // name may have several, of different kinds (RSA, EC).
    [[nodiscard]] const std::vector<const ipc::Certificate*>& for_name(std::string_view name) const;

    [[nodiscard]] const std::vector<ipc::Certificate>& all() const { return all_; }

  private:
    std::vector<ipc::Certificate> all_;
    std::vector<const ipc::Certificate*> without_name_;
    std::map<std::string, std::vector<const ipc::Certificate*>, std::less<>> by_name_;
};

}  // namespace tls
