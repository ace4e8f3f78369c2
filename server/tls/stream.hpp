// SPDX-License-Identifier: MIT
// TLS over a connected socket that does not block: many records with one system call, and no byte
// on the wire that is not TLS; runs in greeters and sessions.
#pragma once

#include "base/result.hpp"
#include "tls/context.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tls {

// What came of a step.
enum class Step : std::uint8_t {
    done,
    wait_to_read,  // of the socket
    wait_to_write,
    closed,  // the client said goodbye (close_notify)
    cut,     // the connection ended without
    failed,  // see reason()
};

class Stream {
  public:
    // The socket stays the caller's and outlives it.
    [[nodiscard]] static base::Result<Stream> over(const Context& context, int socket);
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;
    ~Stream();

    // The handshake, as far as it goes now.
    [[nodiscard]] Step shake();

    // done: at least one byte.
    [[nodiscard]] Step read(std::span<char> space, std::size_t& got);
    // There may be input that poll(2) does not know of.
    [[nodiscard]] bool pending() const;

    // Takes all of it, to be sent by flush().
    [[nodiscard]] bool write(std::string_view bytes);
    void say_goodbye();  // close_notify, to be sent as well
    [[nodiscard]] Step flush();
    [[nodiscard]] std::size_t unsent() const;

    // One more ticket with what is written next, for clients that use each only once; TLS 1.3.
    void offer_ticket();

    // Why the last step failed, for the log.
    [[nodiscard]] const std::string& reason() const { return reason_; }
    // It failed because the client did not resume (Purpose::resumed_data).
    [[nodiscard]] bool not_resumed() const { return not_resumed_; }

    // "SSL version: TLSv1.3, SSL cipher: ..., not reused, no cert": debug_ssl, in vsftpd's words.
    [[nodiscard]] std::string description() const;

    [[nodiscard]] const SSL* get() const { return ssl_.get(); }

  private:
    struct Out;  // written by OpenSSL and not sent yet
    Stream(Ssl ssl, std::unique_ptr<Out> out, int socket);
    [[nodiscard]] Step outcome(int result);

    std::unique_ptr<Out> out_;
    Ssl ssl_;  // goes first: its BIO knows out_
    int socket_;
    std::string reason_;
    bool not_resumed_ = false;
    bool drained_ = false;  // the last read wanted more than there is
};

}  // namespace tls
