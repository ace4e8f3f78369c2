// SPDX-License-Identifier: MIT
// An OpenSSL client and our server in one process, with memory between them.
#pragma once

#include "tls/context.hpp"
#include "tls/library.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace handshake {

// A client as others write them: OpenSSL's default context, everything allowed that it knows.
struct Client {
    int least = TLS1_VERSION;
    int most = TLS1_3_VERSION;
    std::string ciphers;      // up to TLS 1.2
    std::string schemes;      // as in SSL_set1_sigalgs_list
    std::string server_name;  // SNI; empty: none
    std::string protocols;    // ALPN, as on the wire
    std::string certificate;  // PEM, with its key
    std::string key;
    bool tickets = true;  // up to TLS 1.2
    SSL_SESSION* resume = nullptr;
};

class Pair {
  public:
    Pair(const tls::Context& server, const Client& client);

    // Both sides until neither gets further; true when both are through.
    bool shake();

    // Bytes through the connection, whole.
    [[nodiscard]] std::string to_client(const std::string& text);
    [[nodiscard]] std::string to_server(const std::string& text);

    [[nodiscard]] SSL* server() const { return server_.get(); }
    [[nodiscard]] SSL* client() const { return client_.get(); }

    // What each side's library said of the failure; the client's includes the server's alert.
    [[nodiscard]] const std::string& server_error() const { return server_error_; }
    [[nodiscard]] const std::string& client_error() const { return client_error_; }

    // Sessions that the client could resume with (one for each ticket in TLS 1.3).
    [[nodiscard]] const std::vector<tls::SslSession>& sessions() const { return sessions_; }

    // "CN=..." of the certificate that the server showed.
    [[nodiscard]] std::string shown() const;

  private:
    static int keep_session(SSL* connection, SSL_SESSION* session);
    tls::SslContext context_;
    tls::Ssl server_;
    tls::Ssl client_;
    std::string server_error_;
    std::string client_error_;
    std::vector<tls::SslSession> sessions_;
};

// The server's settings for tests: every version, nothing asked of clients.
[[nodiscard]] tls::Settings settings();

}  // namespace handshake
