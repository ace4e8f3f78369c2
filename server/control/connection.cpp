// SPDX-License-Identifier: MIT
// The control connection, on poll(2); runs in greeter and session.
#include "control/connection.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

namespace control {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// A client that takes no byte of a reply for so long does not read.
constexpr auto longest_write = 60s;
// How long what the client still sends is taken from it, so that it can read the last reply.
constexpr auto longest_linger = 3s;

int milliseconds_until(Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

// Waits for one descriptor; false when the time is over.
bool ready(int fd, short events, Clock::time_point deadline) {
    for (;;) {
        pollfd wanted{fd, events, 0};
        const int count = ::poll(&wanted, 1, milliseconds_until(deadline));
        if (count > 0) return true;
        if (count == 0 && Clock::now() >= deadline) return false;
        if (count < 0 && errno != EINTR) return false;
    }
}

void set(int socket, int level, int option) {
    const int on = 1;
    (void)::setsockopt(socket, level, option, &on, sizeof on);
}

}  // namespace

Connection::Connection(base::Fd socket, std::string_view unread) : socket_(std::move(socket)) {
    set(socket_.get(), SOL_SOCKET, SO_OOBINLINE);  // an urgent byte stays in its place
    set(socket_.get(), SOL_SOCKET, SO_KEEPALIVE);
    set(socket_.get(), IPPROTO_TCP, TCP_NODELAY);
    lines_.feed(unread);
}

void Connection::record(const ftp::Line& line) const {
    if (!recorder_) return;
    std::string text = line.verb;
    if (line.verb == "PASS") {
        text += " <password>";
    } else if (!line.argument.empty()) {
        (text += ' ') += line.argument;
    }
    recorder_(ipc::Event::command, text);
}

std::optional<Came> Connection::next(ftp::Line& line) {
    switch (lines_.next(line)) {
        case ftp::LineReader::Reading::line:
            return Came::line;
        case ftp::LineReader::Reading::too_long:
            return Came::too_long;
        case ftp::LineReader::Reading::nothing:
            break;
    }
    if (ended_ || broken_) return Came::closed;
    return std::nullopt;
}

Came Connection::wait(ftp::Line& line, int channel, std::chrono::milliseconds most) {
    const auto deadline = Clock::now() + most;
    const bool for_ever = most.count() == 0;
    // Where nothing was sent ahead the wait below looks at the channel as well.
    bool looked = std::exchange(channel_read_, false) || (lines_.empty() && !ended_ && !broken_);
    bool late = false;
    for (;;) {
        // First, so that commands sent ahead do not keep the channel waiting.
        if (!looked && channel >= 0 && ready(channel, POLLIN, Clock::now()))
            return channel_read_ = true, Came::channel;
        if (const auto came = next(line)) return *came;
        if (late) return Came::timeout;
        looked = false;
        if (layer_ && layer_->pending()) {
            (void)receive();
            continue;
        }

        std::array<pollfd, 2> wanted{{{socket_.get(), POLLIN, 0}, {channel, POLLIN, 0}}};
        const int count =
            ::poll(wanted.data(), wanted.size(), for_ever ? -1 : milliseconds_until(deadline));
        if (count < 0 && errno != EINTR) return Came::closed;
        // However much there is to read: over TLS it need not be a line's.
        late = !for_ever && Clock::now() >= deadline;
        if (count > 0 && wanted[0].revents != 0) (void)receive();
        if (count > 0 && wanted[1].revents != 0) return channel_read_ = true, Came::channel;
        looked = count > 0;
    }
}

bool Connection::receive() {
    const auto space = lines_.space();
    if (space.empty()) return !ended_ && !broken_;
    const auto count = layer_ ? layer_->receive(space)
                              : ::recv(socket_.get(), space.data(), space.size(), MSG_DONTWAIT);
    if (count > 0) {
        lines_.received(static_cast<std::size_t>(count));
    } else if (count == 0) {
        ended_ = true;
    } else if (errno != EAGAIN && errno != EINTR) {
        broken_ = true;
    }
    return !ended_ && !broken_;
}

bool Connection::reply(const ftp::Reply& reply) { return send(ftp::wire(reply)); }

bool Connection::send(std::string_view bytes) {
    if (recorder_) {
        for (auto line : base::split(bytes, '\n')) {
            if (line.ends_with('\r')) line.remove_suffix(1);
            if (!line.empty()) recorder_(ipc::Event::response, line);
        }
    }
    auto deadline = Clock::now() + longest_write;
    while (!bytes.empty() && !broken_) {
        const auto count = send_some(bytes);
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
            deadline = Clock::now() + longest_write;
        } else if (errno == EAGAIN) {
            if (!ready(socket_.get(), POLLOUT, deadline)) broken_ = true;
        } else if (errno != EINTR) {
            broken_ = true;
        }
    }
    if (layer_) flush();
    return !broken_;
}

ssize_t Connection::send_some(std::string_view bytes) {
    if (layer_) return layer_->send(bytes);
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Connection::flush() {
    const auto deadline = Clock::now() + longest_write;
    while (!broken_ && !layer_->flushed()) {
        if (errno != EAGAIN || !ready(socket_.get(), POLLOUT, deadline)) broken_ = true;
    }
}

void Connection::close() {
    if (!socket_) return;
    lines_.drop();
    if (layer_ && !broken_) {
        layer_->say_goodbye();
        flush();
    }
    if (!broken_ && ::shutdown(socket_.get(), SHUT_WR) == 0) {
        const auto deadline = Clock::now() + longest_linger;
        std::array<char, 4096> ignored;
        while (ready(socket_.get(), POLLIN, deadline) && Clock::now() < deadline) {
            const auto count = ::recv(socket_.get(), ignored.data(), ignored.size(), MSG_DONTWAIT);
            if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) break;
        }
        ::explicit_bzero(ignored.data(), ignored.size());
    }
    socket_.close();
    broken_ = true;
}

bool Connection::abandoned() const {
    if (broken_ || ended_) return lines_.empty();
    if (!lines_.empty()) return false;
    char next_byte = 0;
    const auto count = ::recv(socket_.get(), &next_byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
}

}  // namespace control
