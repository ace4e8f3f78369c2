// SPDX-License-Identifier: MIT
// What all handshakes of this server have in common, made from the options: once in the spawner,
// completed in its children with what belongs to one connection.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"
#include "tls/certificates.hpp"
#include "tls/library.hpp"
#include "tls/remote_key.hpp"

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tls {

struct Settings {
    bool tlsv1 = false;
    bool tlsv11 = false;
    bool tlsv12 = true;
    bool tlsv13 = true;
    std::string ciphers;          // up to TLS 1.2
    std::string ciphersuites;     // TLS 1.3; empty: OpenSSL's
    bool request_cert = false;    // ask the client for a certificate
    bool require_cert = false;    // and end without one
    bool validate_cert = false;   // and end with one that nobody in ca_certificates has signed
    std::string ca_certificates;  // PEM
    bool by_kernel = false;       // kernel TLS on data connections
    bool may_go_clear = false;    // never reads beyond the end of a record on control connections
    std::string sni_hostname;     // others, and clients that name none, are refused
};

// Reads ca_certs_file, so it belongs before a jail closes.
[[nodiscard]] base::Result<Settings> settings_of(const config::Options& options);
[[nodiscard]] base::Result<Settings> settings_of(const config::Configuration& configuration);

// ssl_ciphers as it is given to OpenSSL: with the same ciphers for EC keys (vsftpd's default names
// one for RSA only), and without key exchanges that decrypt with the private key or whose
// parameters the signer cannot check.
[[nodiscard]] std::string offered_ciphers(std::string_view ssl_ciphers);

enum class Purpose : std::uint8_t {
    control,
    data,
    resumed_data,  // nothing but resumption of the control connection's session; never signs
};

// Encrypts tickets: name, MAC key and cipher key as OpenSSL takes them. New for each control
// connection, and only its data connections share it.
using TicketKey = std::array<unsigned char, 80>;
[[nodiscard]] base::Result<TicketKey> new_ticket_key();

// Made by the supervisor for one connection, and part of what a client signs with the key of its
// certificate (tls/client_proof.hpp): an extension of CertificateRequest, whose number is of those
// for private use (RFC 8446, 11). Clients ignore what they do not know there (4.3.2).
using Nonce = std::array<unsigned char, ipc::nonce_size>;
inline constexpr unsigned nonce_extension = 0xFF4A;

class Context {
  public:
    [[nodiscard]] static base::Result<Context> create(
        const Settings& settings, std::shared_ptr<const Certificates> certificates,
        Purpose purpose);

    // In the child, before the first handshake. Without a ticket key there are no tickets.
    void sign_with(SignFunction sign);
    [[nodiscard]] base::Result<void> use_ticket_key(const TicketKey& key);
    [[nodiscard]] base::Result<void> use_nonce(const Nonce& nonce);

    // For a client that resumes by session ID: the one session that it may have, from
    // serialise_session.
    [[nodiscard]] base::Result<void> resume(std::span<const unsigned char> session);

    [[nodiscard]] base::Result<Ssl> connection() const;  // as the server

    [[nodiscard]] SSL_CTX* get() const;
    [[nodiscard]] const Certificates& certificates() const;
    // What the administrator should know, or nothing.
    [[nodiscard]] const std::string& warning() const;

    Context(Context&&) noexcept;
    Context& operator=(Context&&) noexcept;
    ~Context();

  private:
    struct State;
    explicit Context(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Holds the session's secret: for the process that serves the data connections of this client, and
// nobody else.
[[nodiscard]] base::Result<Bytes> serialise_session(const SSL* connection);

}  // namespace tls
