// SPDX-License-Identifier: MIT
// An ipc::Channel in the supervisor's event loop: messages come as calls, sending never waits.
#pragma once

#include "base/fd.hpp"
#include "ipc/channel.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace supervisor {

class AsyncChannel {
  public:
    using OnMessage = std::function<void(ipc::Message)>;
    using OnClosed = std::function<void(const base::Error&)>;

    // What does not fit into the socket's buffer is kept, up to so many messages. most_received:
    // descriptors that may come with one message.
    AsyncChannel(boost::asio::io_context& io, ipc::Channel channel, std::size_t most_queued,
                 std::size_t most_received = ipc::most_descriptors);
    ~AsyncChannel();
    AsyncChannel(AsyncChannel&&) noexcept = default;
    AsyncChannel& operator=(AsyncChannel&&) = delete;

    // on_closed is called once: the peer is gone or sent something malformed. Neither is called
    // after close() or destruction. Both should hold weak references: they live as long as the
    // channel.
    void start(OnMessage on_message, OnClosed on_closed);

    // False when the queue is full or the peer gone: the caller gives the peer up.
    template <ipc::Sendable M>
    [[nodiscard]] bool send(const M& message, std::vector<base::Fd> descriptors = {}) {
        return send_bytes(M::type, {reinterpret_cast<const std::byte*>(&message), sizeof(M)},
                          std::move(descriptors));
    }
    // The same for a message that is only bytes by now.
    [[nodiscard]] bool send_bytes(ipc::Type type, std::span<const std::byte> bytes,
                                  std::vector<base::Fd> descriptors);

    // Messages wait here for the peer to make room in the socket.
    [[nodiscard]] bool is_behind() const;
    // The peer has let so many messages wait that no more are kept for it.
    [[nodiscard]] bool is_full() const;

    void close();

    // Nothing is read for so long: the peer has to wait when its messages fill the socket.
    void pause(std::chrono::milliseconds time);

    // The peer sees the end of the channel once it has read what is there; its messages still come.
    void finish_sending();

    // Calls on_message for everything that is there now; for a channel that is closed next. A peer
    // that goes on sending is not heard without end.
    void drain();

    // Heard at once again, if BusyChannels let it wait.
    void wake();

  private:
    friend class BusyChannels;
    struct State;
    std::shared_ptr<State> state_;
};

// Channels whose peers are served one time after another and only report meanwhile: their messages
// are read when they are served next, or after `interval`, and wake nobody.
class BusyChannels {
  public:
    static constexpr std::chrono::milliseconds interval{10};

    explicit BusyChannels(boost::asio::io_context& io);
    ~BusyChannels();
    BusyChannels(const BusyChannels&) = delete;
    BusyChannels& operator=(const BusyChannels&) = delete;

    // Its peer has just got what it needs for a while. The second time within the interval it is
    // taken for busy. May call the channel's on_message and on_closed.
    void served(AsyncChannel& channel);

    // What the busy ones have said by now, ahead of what comes next. Does nothing while one of them
    // is being heard.
    void hear();

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace supervisor
