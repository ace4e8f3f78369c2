// SPDX-License-Identifier: MIT
// TLS over a connected socket that does not block: many records with one system call, and no byte
// on the wire that is not TLS; runs in greeters and sessions.
#pragma once

#include "base/result.hpp"
#include "tls/client_proof.hpp"
#include "tls/context.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace tls {

class Batches;

// What came of a step.
enum class Step : std::uint8_t {
    done,
    wait_to_read,  // of the socket
    wait_to_write,
    closed,  // the client said goodbye (close_notify)
    cut,     // the connection ended without, but not amid a record, and was not reset
    failed,  // see reason()
};

class Stream {
  public:
    // Mostly downloads are sent: then the kernel encrypts, if it can (Settings::by_kernel). Not for
    // uploads, since OpenSSL cannot change the kernel's key when a client asks for that (KeyUpdate)
    // in what it sends. Receiving: whole batches of records are read at once.
    enum class Use : std::uint8_t { any, sending, receiving };

    // The socket stays the caller's and outlives it.
    [[nodiscard]] static base::Result<Stream> over(const Context& context, int socket,
                                                   Use use = Use::any);
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;
    ~Stream();

    // Before the handshake: what is said in it is kept, until it is forgotten.
    void keep_transcript();
    void forget_transcript();
    // A proof of the client's (tls/client_proof.hpp) that it has the key of a certificate which
    // this side has found to be good; empty: there is none.
    [[nodiscard]] Span proof() const;

    // The handshake, as far as it goes now.
    [[nodiscard]] Step shake();

    // done: at least one byte.
    [[nodiscard]] Step read(std::span<char> space, std::size_t& got);
    // There may be input that poll(2) does not know of.
    [[nodiscard]] bool pending() const;

    // Takes all of it, to be sent by flush().
    [[nodiscard]] bool write(std::string_view bytes);
    void say_goodbye();  // close_notify, to be sent as well; once
    // `ends`: shutdown(2) follows at once, and its FIN goes in the same packet.
    [[nodiscard]] Step flush(bool ends = false);
    [[nodiscard]] std::size_t unsent() const;

    // The kernel encrypts what is sent, and takes it from a file. wait_to_write and failed have
    // errno; nothing may be unsent.
    [[nodiscard]] bool sends_files() const { return by_kernel_; }
    [[nodiscard]] Step send_file(int file, off_t offset, std::size_t most, std::size_t& sent);

    // CCC: close_notify behind what has been written; from there on both ways are plain, the
    // client's once it has said goodbye as well, or simply speaks plainly. Needs
    // Settings::may_go_clear.
    void go_clear();

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
    Stream(Ssl ssl, std::unique_ptr<Out> out, int socket, Use use);
    [[nodiscard]] Step outcome(int result);
    [[nodiscard]] bool choose_ways();
    [[nodiscard]] bool read_batches();
    [[nodiscard]] bool amid_a_record() const;
    [[nodiscard]] Step flush_to_kernel();
    [[nodiscard]] bool client_is_clear();
    [[nodiscard]] Step read_clear(std::span<char> space, std::size_t& got);

    std::unique_ptr<Out> out_;
    std::unique_ptr<Batches> in_;  // Use::receiving
    std::unique_ptr<Transcript> transcript_;
    Ssl ssl_;  // goes first: it knows all three
    int socket_;
    Use use_;
    std::string reason_;
    bool not_resumed_ = false;
    bool by_kernel_ = false;     // what is in out_ is not encrypted yet
    bool goodbye_ = false;       // behind that
    bool clear_ = false;         // what is written, after go_clear()
    bool client_clear_ = false;  // what is read
    bool reset_ = false;         // the client has torn the connection down, as a write found out
    bool drained_ = false;       // the last read wanted more than there is
};

}  // namespace tls
