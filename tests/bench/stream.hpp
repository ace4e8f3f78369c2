// SPDX-License-Identifier: MIT
// What the load generator and the limit server share: a blocking TCP connection that may speak TLS.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace bench {

constexpr int batch = 256 * 1024;

// A benchmark that goes wrong has no figure to give, so every failure ends the program.
[[noreturn]] inline void fail(const std::string& what) {
    std::perror(what.c_str());
    ERR_print_errors_fp(stderr);
    std::_Exit(1);
}

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

inline int connect_to(std::uint16_t port) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(port);
    // A port that this end leaves in TIME_WAIT must not be one on which a server cannot listen.
    const int on = 1;
    ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (made < 0 ||
        ::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        fail("connect");
    ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // A server that hangs (Pure-FTPd over TLS, now and then) is not to hold up the others.
    const timeval patience{120, 0};
    ::setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return made;
}

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Session = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

// One strength for every server: AES-256-GCM in both versions, so that no server looks cheap by a
// weaker cipher.
inline Context context(const SSL_METHOD* method) {
    Context made(SSL_CTX_new(method), &SSL_CTX_free);
    if (!made || SSL_CTX_set_cipher_list(made.get(), "ECDHE+AES256+AESGCM") != 1 ||
        SSL_CTX_set_ciphersuites(made.get(), "TLS_AES_256_GCM_SHA384") != 1)
        fail("TLS context");
    SSL_CTX_set_options(made.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);  // bytes are counted here
    SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
    return made;
}

class Stream {
  public:
    // Control connections do without the buffer: thousands of them may be idle.
    enum Kind { control, data };

    Stream(int socket, Kind kind) : socket_(socket), kind_(kind) {}
    ~Stream() { ::close(socket_); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    void accept_tls(SSL_CTX* with) { start(with, nullptr, SSL_accept); }
    void connect_tls(SSL_CTX* with, SSL_SESSION* resumed = nullptr) {
        start(with, resumed, SSL_connect);
    }

    void write(const char* from, int size) {
        if (tls_) {
            if (SSL_write(tls_.get(), from, size) != size) fail("SSL_write");
            return;
        }
        while (size > 0) {
            const auto written = ::write(socket_, from, static_cast<std::size_t>(size));
            if (written < 0) fail("write");
            from += written;
            size -= static_cast<int>(written);
        }
    }

    // 0 at the end.
    int read(char* into, int size) {
        if (!tls_) {
            const auto got = ::read(socket_, into, static_cast<std::size_t>(size));
            if (got < 0) fail("read");
            return static_cast<int>(got);
        }
        const int got = SSL_read(tls_.get(), into, size);
        if (got <= 0 && SSL_get_error(tls_.get(), got) != SSL_ERROR_ZERO_RETURN) fail("SSL_read");
        return got > 0 ? got : 0;
    }

    void flush() {
        if (tls_ && BIO_flush(SSL_get_wbio(tls_.get())) != 1) fail("flush");
    }

    void finish() {
        if (tls_) SSL_shutdown(tls_.get());
        flush();
        ::shutdown(socket_, SHUT_WR);
    }

    // Until the other end has closed, in order or with a reset: some servers leave TLS tickets
    // unread.
    void wait_for_end() {
        char unread[4096];
        while ((tls_ ? SSL_read(tls_.get(), unread, sizeof unread)
                     : static_cast<int>(::read(socket_, unread, sizeof unread))) > 0) {
        }
        ERR_clear_error();
    }

    [[nodiscard]] int socket() const { return socket_; }
    [[nodiscard]] bool encrypted() const { return tls_ != nullptr; }
    [[nodiscard]] SSL* tls() const { return tls_.get(); }

    // What a client's context keeps for it: the newest session that can be resumed.
    [[nodiscard]] SSL_SESSION* session() const { return session_.get(); }
    void keep(SSL_SESSION* newest) { session_.reset(newest); }

    [[nodiscard]] std::string cipher() const {
        if (!tls_) return "none";
        return std::string(SSL_get_version(tls_.get())) + "/" + SSL_get_cipher(tls_.get()) +
               (SSL_session_reused(tls_.get()) != 0 ? "/resumed" : "");
    }

  private:
    // A data connection's buffer between OpenSSL and the socket: many records per system call, both
    // ways.
    void start(SSL_CTX* with, SSL_SESSION* resumed, int (*handshake)(SSL*)) {
        tls_.reset(SSL_new(with));
        if (!tls_ || SSL_set_fd(tls_.get(), socket_) != 1) fail("TLS");
        SSL_set_app_data(tls_.get(), this);
        if (kind_ == data) {
            SSL_set_num_tickets(tls_.get(), 0);
            SSL_set_read_ahead(tls_.get(), 0);  // the buffer does
            BIO* buffered = BIO_new(BIO_f_buffer());
            if (!buffered || BIO_set_buffer_size(buffered, batch + batch / 16) != 1)
                fail("TLS buffer");
            BIO* both = BIO_push(buffered, BIO_new_socket(socket_, BIO_NOCLOSE));
            SSL_set_bio(tls_.get(), both, both);
        }
        // A copy: OpenSSL lets a TLS 1.3 session be used once, and most servers send one.
        const Session copy(resumed != nullptr ? SSL_SESSION_dup(resumed) : nullptr,
                           &SSL_SESSION_free);
        if (copy && SSL_set_session(tls_.get(), copy.get()) != 1) fail("TLS session");
        if (handshake(tls_.get()) != 1) fail("TLS handshake");
        flush();
    }

    int socket_;
    Kind kind_;
    std::unique_ptr<SSL, decltype(&SSL_free)> tls_{nullptr, &SSL_free};
    Session session_{nullptr, &SSL_SESSION_free};
};

}  // namespace bench
