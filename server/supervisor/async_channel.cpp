// SPDX-License-Identifier: MIT
// Channels in the supervisor's event loop.
#include "supervisor/async_channel.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstring>
#include <deque>

#include <sys/socket.h>

namespace supervisor {

namespace asio = boost::asio;
using Wait = asio::posix::stream_descriptor::wait_type;

namespace {

// A message that waits for room; wiped when it goes, since it may carry a password.
struct Queued {
    Queued(ipc::Type message_type, std::span<const std::byte> content, std::vector<base::Fd> fds)
        : type(message_type), bytes(content.begin(), content.end()), descriptors(std::move(fds)) {}
    ~Queued() { ::explicit_bzero(bytes.data(), bytes.size()); }
    Queued(const Queued&) = delete;
    Queued& operator=(const Queued&) = delete;

    ipc::Type type;
    std::vector<std::byte> bytes;
    std::vector<base::Fd> descriptors;
};

base::Result<void> send_now(ipc::Channel& channel, ipc::Type type, std::span<const std::byte> bytes,
                            const std::vector<base::Fd>& descriptors) {
    std::array<int, ipc::most_descriptors> numbers{};
    if (descriptors.size() > numbers.size()) return base::Error{"too many descriptors", E2BIG};
    for (std::size_t i = 0; i < descriptors.size(); ++i) numbers[i] = descriptors[i].get();
    return channel.send_bytes(type, bytes, std::span{numbers}.first(descriptors.size()));
}

// A peer that floods its channel must not keep the loop from the others.
constexpr int most_messages_in_a_row = 16;

}  // namespace

struct AsyncChannel::State : std::enable_shared_from_this<State> {
    State(asio::io_context& io, ipc::Channel end, std::size_t limit)
        : channel(std::move(end)), descriptor(io, channel.fd()), rest(io), most_queued(limit) {}

    ipc::Channel channel;
    asio::posix::stream_descriptor descriptor;
    asio::steady_timer rest;
    bool paused = false;
    std::size_t most_queued;
    std::deque<Queued> queue;
    OnMessage on_message;
    OnClosed on_closed;
    bool closed = false;

    void close() {
        if (closed) return;
        closed = true;
        queue.clear();
        rest.cancel();
        descriptor.release();  // the Channel owns it
        channel.close();
    }

    void lost(const base::Error& error) {
        if (closed) return;
        close();
        if (on_closed) on_closed(error);
    }

    void wait_readable() {
        descriptor.async_wait(Wait::wait_read,
                              [self = shared_from_this()](boost::system::error_code error) {
                                  if (error || self->closed) return;
                                  self->readable();
                              });
    }

    void readable() {
        for (int i = 0; i < most_messages_in_a_row; ++i) {
            auto message = channel.receive();
            if (!message) {
                if (message.error().number == EAGAIN) break;
                return lost(message.error());
            }
            on_message(std::move(message.value()));
            if (closed || paused) return;
        }
        wait_readable();
    }

    void pause(std::chrono::milliseconds time) {
        if (closed || paused) return;
        paused = true;
        rest.expires_after(time);
        rest.async_wait([self = shared_from_this()](boost::system::error_code error) {
            self->paused = false;
            if (!error && !self->closed) self->wait_readable();
        });
    }

    void wait_writable() {
        descriptor.async_wait(Wait::wait_write,
                              [self = shared_from_this()](boost::system::error_code error) {
                                  if (error || self->closed) return;
                                  self->flush();
                              });
    }

    void flush() {
        while (!queue.empty()) {
            auto& next = queue.front();
            auto sent = send_now(channel, next.type, next.bytes, next.descriptors);
            if (!sent) {
                if (sent.error().number == EAGAIN) return wait_writable();
                return lost(sent.error());
            }
            queue.pop_front();
        }
    }
};

AsyncChannel::AsyncChannel(asio::io_context& io, ipc::Channel channel, std::size_t most_queued)
    : state_(std::make_shared<State>(io, std::move(channel), most_queued)) {}

AsyncChannel::~AsyncChannel() { close(); }

void AsyncChannel::close() {
    if (state_) state_->close();
}

bool AsyncChannel::is_full() const {
    return !state_->closed && state_->queue.size() >= state_->most_queued;
}

void AsyncChannel::pause(std::chrono::milliseconds time) { state_->pause(time); }

void AsyncChannel::finish_sending() {
    if (!state_->closed) (void)::shutdown(state_->channel.fd(), SHUT_WR);
}

void AsyncChannel::drain() {
    const auto state = state_;
    while (!state->closed) {
        auto message = state->channel.receive();
        if (!message) return;
        state->on_message(std::move(message.value()));
    }
}

void AsyncChannel::start(OnMessage on_message, OnClosed on_closed) {
    state_->on_message = std::move(on_message);
    state_->on_closed = std::move(on_closed);
    if (!state_->closed) state_->wait_readable();
}

bool AsyncChannel::send_bytes(ipc::Type type, std::span<const std::byte> bytes,
                              std::vector<base::Fd> descriptors) {
    auto& state = *state_;
    if (state.closed) return false;
    if (state.queue.empty()) {
        auto sent = send_now(state.channel, type, bytes, descriptors);
        if (sent) return true;
        if (sent.error().number != EAGAIN) return false;
        if (state.most_queued == 0) return false;
        state.queue.emplace_back(type, bytes, std::move(descriptors));
        state.wait_writable();
        return true;
    }
    if (state.queue.size() >= state.most_queued) return false;
    state.queue.emplace_back(type, bytes, std::move(descriptors));
    return true;
}

}  // namespace supervisor
