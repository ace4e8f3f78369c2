// SPDX-License-Identifier: MIT
// An OpenSSL client and our server in one process, with memory between them.
#include "tests/tls/handshake.hpp"

#include "tls/certificates.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <stdexcept>

namespace handshake {
namespace {

void require(bool condition) {
    if (!condition) throw std::runtime_error(tls::openssl_reason());
}

// True when it is through; else the reason, unless it only waits for the other side.
bool step(SSL* side, std::string& error) {
    ERR_clear_error();
    const int result = SSL_do_handshake(side);
    if (result == 1) return true;
    const int kind = SSL_get_error(side, result);
    if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE && error.empty())
        error = tls::openssl_reason();
    return false;
}

std::string move(SSL* from, SSL* to, const std::string& text, std::string& error) {
    std::size_t written = 0;
    if (SSL_write_ex(from, text.data(), text.size(), &written) != 1) return "not written";
    std::string result;
    while (result.size() < text.size()) {
        char buffer[4096];
        std::size_t got = 0;
        if (SSL_read_ex(to, buffer, sizeof buffer, &got) != 1) {
            error = tls::openssl_reason();
            break;
        }
        result.append(buffer, got);
    }
    return result;
}

}  // namespace

Pair::Pair(const tls::Context& server, const Client& client)
    : context_(SSL_CTX_new(TLS_client_method())) {
    auto* context = context_.get();
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, client.least);
    SSL_CTX_set_max_proto_version(context, client.most);
    SSL_CTX_set_ex_data(context, 0, this);
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, &keep_session);
    if (!client.tickets) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    if (!client.ciphers.empty())
        require(SSL_CTX_set_cipher_list(context, client.ciphers.c_str()) == 1);
    if (!client.schemes.empty())
        require(SSL_CTX_set1_sigalgs_list(context, client.schemes.c_str()) == 1);
    if (!client.certificate.empty()) {
        const auto certificate = tls::reading(client.certificate);
        const auto key = tls::reading(client.key);
        const tls::X509Certificate x{
            PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr)};
        const tls::Key k{PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr)};
        require(SSL_CTX_use_certificate(context, x.get()) == 1 &&
                SSL_CTX_use_PrivateKey(context, k.get()) == 1);
    }
    client_.reset(SSL_new(context));
    SSL_set_connect_state(client_.get());
    if (!client.server_name.empty())
        SSL_set_tlsext_host_name(client_.get(), client.server_name.c_str());
    if (!client.protocols.empty())
        SSL_set_alpn_protos(client_.get(),
                            reinterpret_cast<const unsigned char*>(client.protocols.data()),
                            static_cast<unsigned>(client.protocols.size()));
    if (client.resume != nullptr) {
        const tls::SslSession copy{SSL_SESSION_dup(client.resume)};
        require(SSL_set_session(client_.get(), copy.get()) == 1);
    }

    auto made = server.connection();
    require(static_cast<bool>(made));
    server_ = std::move(made.value());
    BIO* one = nullptr;
    BIO* other = nullptr;
    require(BIO_new_bio_pair(&one, 1 << 18, &other, 1 << 18) == 1);
    SSL_set_bio(client_.get(), one, one);
    SSL_set_bio(server_.get(), other, other);
}

int Pair::keep_session(SSL* connection, SSL_SESSION* session) {
    auto& self = *static_cast<Pair*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), 0));
    // A copy: OpenSSL spoils one whose connection ends without goodbye.
    self.sessions_.emplace_back(SSL_SESSION_dup(session));
    return 0;
}

bool Pair::shake() {
    for (int round = 0; round < 20; ++round) {
        const bool client_done = step(client_.get(), client_error_);
        const bool server_done = step(server_.get(), server_error_);
        if (client_done && server_done) break;
    }
    // Tickets of TLS 1.3 come with the first bytes.
    char nothing = 0;
    std::size_t got = 0;
    if (SSL_is_init_finished(client_.get()) == 1) {
        ERR_clear_error();
        if (SSL_peek_ex(client_.get(), &nothing, 1, &got) != 1 &&
            SSL_get_error(client_.get(), 0) == SSL_ERROR_SSL)
            client_error_ = tls::openssl_reason();
    }
    return SSL_is_init_finished(client_.get()) == 1 && SSL_is_init_finished(server_.get()) == 1 &&
           client_error_.empty() && server_error_.empty();
}

std::string Pair::to_client(const std::string& text) {
    return move(server_.get(), client_.get(), text, client_error_);
}

std::string Pair::to_server(const std::string& text) {
    return move(client_.get(), server_.get(), text, server_error_);
}

std::string Pair::shown() const {
    auto* certificate = SSL_get0_peer_certificate(client_.get());
    return certificate == nullptr ? "none" : tls::subject(certificate);
}

tls::Settings settings() {
    tls::Settings result;
    result.tlsv1 = true;
    result.tlsv11 = true;
    result.ciphers = "HIGH";
    return result;
}

}  // namespace handshake
