// SPDX-License-Identifier: MIT
// One end of a SOCK_SEQPACKET pair that carries the messages of requests.hpp; used in every
// process.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ipc/requests.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace ipc {

inline constexpr std::size_t most_descriptors = 4 + 8;  // an ipc::Enter's
inline constexpr std::size_t largest_message = 16 * 1024;

// A datagram as it came, checked: known version, size as its header says, nothing cut off.
class Message {
  public:
    [[nodiscard]] Type type() const { return type_; }

    // The struct, if the type and size are its own; nullptr otherwise. Lives as long as the
    // Message.
    template <Sendable M>
    [[nodiscard]] const M* as() const {
        if (type_ != M::type || size_ != sizeof(M)) return nullptr;
        return reinterpret_cast<const M*>(bytes_.data());
    }

    // Descriptors that came with it, in order; take them by std::move. Unclaimed ones are closed.
    std::vector<base::Fd> descriptors;

    Message() = default;
    Message(Message&&) = default;
    Message& operator=(Message&&) = default;
    ~Message();  // wipes the bytes: they may have been a password

  private:
    friend class Channel;
    friend base::Result<Message> parse(std::span<const std::byte>, std::vector<base::Fd>);
    Type type_{};
    std::size_t size_ = 0;
    std::vector<std::byte> bytes_;
};

// The datagram's bytes (header and struct) as a Message; everything about it is hostile.
[[nodiscard]] base::Result<Message> parse(std::span<const std::byte> datagram,
                                          std::vector<base::Fd> descriptors);

class Channel {
  public:
    Channel() = default;
    explicit Channel(base::Fd socket) : socket_(std::move(socket)) {}

    // Two connected ends, both close-on-exec and non-blocking.
    [[nodiscard]] static base::Result<std::pair<Channel, Channel>> pair();

    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] explicit operator bool() const { return static_cast<bool>(socket_); }
    [[nodiscard]] base::Fd release() { return std::move(socket_); }
    void close() { socket_.close(); }

    // Never blocks; number is EAGAIN when the peer does not read.
    template <Sendable M>
    [[nodiscard]] base::Result<void> send(const M& message, std::span<const int> descriptors = {}) {
        return send_bytes(M::type, {reinterpret_cast<const std::byte*>(&message), sizeof(M)},
                          descriptors);
    }

    // Never blocks; number is EAGAIN when nothing is there, ECONNRESET when the peer is gone and
    // EPROTO for a malformed message, or one with more descriptors than that, after which the
    // channel is of no use.
    [[nodiscard]] base::Result<Message> receive(std::size_t most = most_descriptors);

    // Waits; milliseconds -1: for ever. ETIMEDOUT when nothing came.
    [[nodiscard]] base::Result<Message> wait(int milliseconds = -1);

    // Waits until the message fits; for processes that have nothing better to do. And until the
    // user has not more descriptors on their way than RLIMIT_NOFILE: greeters share a user.
    template <Sendable M>
    [[nodiscard]] base::Result<void> send_waiting(const M& message,
                                                  std::span<const int> descriptors = {}) {
        for (int breaths = 0;;) {
            auto sent = send(message, descriptors);
            if (sent) return sent;
            if (sent.error().number == ETOOMANYREFS && breaths < most_breaths) {
                breathe(++breaths);
            } else if (sent.error().number == EAGAIN) {
                TRY(wait_writable());
            } else {
                return sent;
            }
        }
    }

    // send() for a message that is only bytes by now (one that waited in a queue).
    [[nodiscard]] base::Result<void> send_bytes(Type type, std::span<const std::byte> bytes,
                                                std::span<const int> descriptors);

  private:
    [[nodiscard]] base::Result<void> wait_writable();
    static constexpr int most_breaths = 100;  // some five seconds together
    static void breathe(int milliseconds);
    base::Fd socket_;
};

}  // namespace ipc
