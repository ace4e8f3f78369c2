// SPDX-License-Identifier: MIT
// A small FTPS client for tests, with OpenSSL, every byte and every ticket under control.
#pragma once

#include "tests/sessions/conversation.hpp"
#include "tls/library.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace sessions {

// How a client is to behave.
struct Habits {
    int version = TLS1_3_VERSION;
    std::string auth = "AUTH TLS";  // empty: TLS from the first byte on
    bool tickets = true;            // up to TLS 1.2; without, sessions have IDs
    enum class Resume { never, first, newest, once } resume = Resume::newest;  // once: each ticket
    std::string certificate{};                                                 // PEM, with its key
    std::string protocols{};  // ALPN, as on the wire
    std::string server_name{};
    bool new_keys = false;  // KeyUpdate at the start of data connections, for both ways; TLS 1.3
    bool goodbye = true;    // close_notify at the end of data connections
    // Uploads with new keys in their middle and with their goodbye, in one send(2); TLS 1.3.
    bool one_piece = false;
    std::size_t withheld = 0;  // of that piece's end; then the connection is closed
    bool leaves = false;       // closes them before the reply, downloads too
};

class Secure {
  public:
    explicit Secure(const Server& server, Habits habits = {});
    // And logs in, and asks for private, binary transfers.
    Secure(const Server& server, const Account& account, Habits habits = {});

    std::string say(std::string_view line);
    std::string reply();
    std::string login(const Account& account);
    void send(std::string_view bytes);  // over TLS, once there is TLS
    void send_clear(std::string_view bytes);

    // The handshake on the control connection; OpenSSL's reason when it fails.
    std::string shake();

    // CCC: what is said from now on is said in clear text, behind a goodbye or without one.
    void go_clear(bool goodbye = true);

    // Whole transfers; replies are in began and done.
    std::string retrieve(std::string_view name) { return receive("RETR " + std::string(name)); }
    std::string receive(std::string_view command);
    std::string store(std::string_view name, std::string_view content) {
        return transmit("STOR " + std::string(name), content);
    }
    std::string transmit(std::string_view command, std::string_view content);  // the last reply
    // The same on a data connection without TLS.
    std::string receive_clear(std::string_view command);
    std::string transmit_clear(std::string_view command, std::string_view content);

    // Step by step: EPSV's connection, and its handshake.
    base::Fd open();
    tls::Ssl shake_data(int socket);

    // Of the last data connection: it was a resumed session, and the reason why it failed.
    bool resumed = false;
    std::string trouble;

    std::string greeting;
    std::string began;
    std::string done;
    [[nodiscard]] SSL* control() const { return ssl_.get(); }
    [[nodiscard]] SSL_CTX* context() const { return context_.get(); }
    [[nodiscard]] int fd() const { return socket_.get(); }
    // Sessions of the control connection to resume with, oldest first.
    std::deque<tls::SslSession>& sessions() { return sessions_; }
    void hang_up() { socket_.close(); }

  private:
    static int keep_session(SSL* connection, SSL_SESSION* session);
    tls::Ssl connection(int socket, SSL_SESSION* session);
    void send_in_one_piece(SSL* stream, std::string_view content);
    std::string next_line();

    Habits habits_;
    std::string address_;
    base::Fd socket_;
    tls::SslContext context_;
    tls::Ssl ssl_;
    tls::Ssl said_goodbye_;  // ssl_ after CCC
    std::deque<tls::SslSession> sessions_;
    std::string received_;
};

}  // namespace sessions
