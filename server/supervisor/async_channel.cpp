// SPDX-License-Identifier: MIT
// Channels in the supervisor's event loop.
#include "supervisor/async_channel.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstring>
#include <deque>
#include <utility>

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

// Between two looks at everything else that the loop has to do.
constexpr int most_messages_in_a_row = 16;
// More than a socket holds (net.unix.max_dgram_qlen).
constexpr int most_messages_drained = 1024;

}  // namespace

struct AsyncChannel::State : std::enable_shared_from_this<State> {
    State(asio::io_context& io, ipc::Channel end, std::size_t queue_limit, std::size_t fd_limit)
        : channel(std::move(end)),
          descriptor(io, channel.fd()),
          rest(io),
          most_queued(queue_limit),
          most_received(fd_limit) {}

    ipc::Channel channel;
    asio::posix::stream_descriptor descriptor;
    asio::steady_timer rest;
    bool paused = false;
    std::size_t most_queued;
    std::size_t most_received;
    std::deque<Queued> queue;
    OnMessage on_message;
    OnClosed on_closed;
    bool closed = false;
    // Busy, and the event loop does not know the channel.
    bool dozing = false;
    bool listed = false;  // in BusyChannels
    std::chrono::steady_clock::time_point served{};

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

    // All that is there, so that what a session did is logged before what its client did
    // afterwards, on a new connection perhaps; but a peer that floods its channel must not keep the
    // loop from the others.
    void readable() {
        hear();
        if (!closed && !paused && !dozing) wait_readable();
    }

    void hear() {
        for (int i = 0; i < most_messages_in_a_row && !closed && !paused; ++i) {
            auto message = channel.receive(most_received);
            if (message) {
                on_message(std::move(message.value()));
            } else if (message.error().number == EAGAIN) {
                break;
            } else {
                return lost(message.error());
            }
        }
    }

    void doze() {
        if (closed || paused || dozing || !queue.empty()) return;
        dozing = true;
        descriptor.release();  // even without a wait the loop would be woken
    }

    void wake() {
        if (closed || !dozing) return;
        dozing = false;
        boost::system::error_code error;
        descriptor.assign(channel.fd(), error);
        if (error)
            return lost(
                {"the session cannot be heard any more: " + error.message(), error.value()});
        if (!paused) wait_readable();
    }

    void pause(std::chrono::milliseconds time) {
        if (closed || paused) return;
        paused = true;
        rest.expires_after(time);
        rest.async_wait([self = shared_from_this()](boost::system::error_code error) {
            self->paused = false;
            if (!error && !self->closed && !self->dozing) self->wait_readable();
        });
    }

    void wait_writable() {
        wake();
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
                const int number = sent.error().number;
                if (number == EAGAIN) return wait_writable();
                if (number != EPIPE && number != ECONNRESET) return lost(sent.error());
                // It has gone. What it said before is heard first, and then that.
                return queue.clear();
            }
            queue.pop_front();
        }
    }
};

AsyncChannel::AsyncChannel(asio::io_context& io, ipc::Channel channel, std::size_t most_queued,
                           std::size_t most_received)
    : state_(std::make_shared<State>(io, std::move(channel), most_queued, most_received)) {}

AsyncChannel::~AsyncChannel() { close(); }

void AsyncChannel::close() {
    if (state_) state_->close();
}

bool AsyncChannel::is_behind() const { return !state_->closed && !state_->queue.empty(); }

bool AsyncChannel::is_full() const {
    return !state_->closed && state_->queue.size() >= state_->most_queued;
}

void AsyncChannel::pause(std::chrono::milliseconds time) { state_->pause(time); }

void AsyncChannel::wake() { state_->wake(); }

void AsyncChannel::finish_sending() {
    if (!state_->closed) (void)::shutdown(state_->channel.fd(), SHUT_WR);
}

void AsyncChannel::drain() {
    const auto state = state_;
    for (int i = 0; i < most_messages_drained && !state->closed; ++i) {
        auto message = state->channel.receive(state->most_received);
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

// ----- busy channels

struct BusyChannels::State : std::enable_shared_from_this<State> {
    explicit State(asio::io_context& io) : next_look(io) {}

    asio::steady_timer next_look;
    std::vector<std::weak_ptr<AsyncChannel::State>> dozing;
    bool hearing = false;

    // One at a time, each to the end: what it says must not have another be heard in between.
    void hear(AsyncChannel::State& channel) {
        if (!channel.dozing || std::exchange(hearing, true)) return;
        channel.hear();
        hearing = false;
    }

    void look_later() {
        next_look.expires_after(interval);
        next_look.async_wait([weak = weak_from_this()](boost::system::error_code error) {
            const auto self = weak.lock();
            if (!error && self) self->look();
        });
    }

    void look() {
        const auto all = std::exchange(dozing, {});
        const auto now = std::chrono::steady_clock::now();
        for (const auto& each : all) {
            const auto channel = each.lock();
            if (!channel) continue;
            hear(*channel);
            if (now - channel->served >= interval) channel->wake();
            channel->listed = channel->dozing && !channel->closed;
            if (channel->listed) dozing.push_back(channel);
        }
        if (!dozing.empty()) look_later();
    }
};

BusyChannels::BusyChannels(asio::io_context& io) : state_(std::make_shared<State>(io)) {}

BusyChannels::~BusyChannels() = default;

void BusyChannels::served(AsyncChannel& channel) {
    const auto peer = channel.state_;
    const auto now = std::chrono::steady_clock::now();
    const bool again = now - std::exchange(peer->served, now) < interval;
    if (peer->dozing) return state_->hear(*peer);
    if (!again) return;
    peer->doze();
    if (!peer->dozing) return;
    if (!std::exchange(peer->listed, true)) {
        if (state_->dozing.empty()) state_->look_later();
        state_->dozing.emplace_back(peer);
    }
    state_->hear(*peer);  // the loop might have told of it in a moment
}

void BusyChannels::hear() {
    if (state_->dozing.empty() || state_->hearing) return;
    // Who is heard may end, and others doze.
    const auto all = state_->dozing;
    for (const auto& each : all) {
        if (const auto channel = each.lock()) state_->hear(*channel);
    }
}

}  // namespace supervisor
