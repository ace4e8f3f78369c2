// SPDX-License-Identifier: MIT
// Passive listeners and active connections; runs in the supervisor, as root.
#include "broker/data_sockets.hpp"

#include "broker/address.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace broker {

namespace asio = boost::asio;
using base::Fd;
using Wait = asio::posix::stream_descriptor::wait_type;

namespace {

constexpr int stream_flags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
constexpr int backlog = 4;
constexpr std::uint16_t first_unprivileged_port = 1024;
// A crowded range is searched this far; a range that small is searched whole.
constexpr std::uint32_t most_tries = 512;
// Nobody waits for a port ahead.
constexpr std::uint32_t few_tries = 4;

// Of the kernel's randomness, many numbers at a time.
std::uint32_t random_below(std::uint32_t bound) {
    static std::array<std::uint32_t, 64> numbers;  // getentropy(3) gives no more at once
    static std::size_t left = 0;
    if (left == 0) {
        // Cannot fail: the kernel has it since 3.17, and nobody forbids the supervisor a call.
        if (::getentropy(numbers.data(), sizeof numbers) < 0) return 0;
        left = numbers.size();
    }
    return std::exchange(numbers[--left], 0) % bound;
}

#ifndef IP_LOCAL_PORT_RANGE
constexpr int IP_LOCAL_PORT_RANGE = 51;  // newer than the C library's headers
#endif

// The kernel looks at so few ports, drawn anew each time: it refuses what is in TIME_WAIT, and
// after a minute with thousands of downloads would try thousands of ports for each. Where that is
// not its own range it takes that. False: it cannot (before 6.3).
bool draw_from_few(int socket) {
    constexpr std::uint32_t few = 64;
    constexpr std::uint32_t lowest = 32768;  // the kernel's range unless somebody has changed it
    constexpr std::uint32_t highest = 60999;
    const auto first = lowest + random_below(highest - lowest - few);
    const std::uint32_t window = (first + few - 1) << 16 | first;
    return ::setsockopt(socket, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &window, sizeof window) == 0;
}

void allow_reuse(const Fd& socket) {
    const int yes = 1;
    // Best effort: without it a port is busy for a minute after each transfer.
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

// Whoever listens ahead keeps a port while it does nothing: an eighth of them, all clients
// together.
constexpr std::uint32_t least_ports_ahead = 16;
constexpr std::uint32_t ports_for_each_client = 8;

struct Range {
    std::uint32_t lowest;
    std::uint32_t highest;

    [[nodiscard]] std::uint32_t size() const { return highest - lowest + 1; }
    // As without pasv_max_port: the kernel's own range (ip_local_port_range) is mostly in it.
    [[nodiscard]] bool is_wide() const { return lowest <= 32768 && highest == 65535; }
};

Range range_of(const ipc::DataPolicy& policy) {
    const std::uint32_t lowest = std::max(policy.pasv_min_port, first_unprivileged_port);
    return {lowest, policy.pasv_max_port >= lowest ? policy.pasv_max_port : 65535U};
}

struct Listener {
    Fd socket;
    std::uint16_t port = 0;
    std::uint32_t in_vain = 0;  // ports that were tried before
};

// Listens on a port of the range at that address; an empty Fd when none is free.
Listener listen_in_range(ipc::Address address, Range range, std::uint32_t tries) {
    const auto start = random_below(range.size());
    const auto most = std::min(range.size(), tries);
    for (std::uint32_t i = 0; i < most; ++i) {
        // A socket that was bound cannot be bound again, and one whose listen(2) failed is bound.
        Fd socket{::socket(address.any.sa_family, stream_flags, 0)};
        if (!socket) return {{}, 0, i};
        allow_reuse(socket);
        const auto port = static_cast<std::uint16_t>(range.lowest + (start + i) % range.size());
        set_port(address, port);
        if (::bind(socket.get(), &address.any, length(address)) < 0) {
            if (errno == EADDRINUSE || errno == EACCES) continue;
            return {{}, 0, i};
        }
        if (::listen(socket.get(), backlog) == 0) return {std::move(socket), port, i};
        if (errno != EADDRINUSE) return {{}, 0, i};
    }
    return {{}, 0, most};
}

}  // namespace

struct DataSockets::State : std::enable_shared_from_this<State> {
    State(asio::io_context& io, const ipc::Address& control_peer, const ipc::Address& control_local,
          const ipc::DataPolicy& data_policy, Callbacks to_call)
        : peer(control_peer),
          local(control_local),
          policy(data_policy),
          callbacks(std::move(to_call)),
          listener(io),
          attempt(io),
          deadline(io) {}

    ipc::Address peer;
    ipc::Address local;
    ipc::DataPolicy policy;
    Callbacks callbacks;
    asio::posix::stream_descriptor listener;
    asio::posix::stream_descriptor attempt;
    asio::steady_timer deadline;
    // Every open and close starts a new generation; a completion of an older one is ignored.
    std::uint64_t generation = 0;
    bool closed = false;
    // On a port of the kernel's. Shut down twice, it would make connections that are born shut
    // down.
    bool listening = false;
    // To a port in particular, which it would keep.
    bool bound = false;

    // The listener has no port, but is kept for the next.
    void rest() {
        if (bound) return close_all();
        ++generation;
        boost::system::error_code ignored;
        if (std::exchange(listening, false)) {
            listener.cancel(ignored);
            (void)::shutdown(listener.native_handle(), SHUT_RDWR);
        }
        attempt.close(ignored);
        deadline.cancel();
    }

    void close_all() {
        ++generation;
        close_listener();
        boost::system::error_code ignored;
        attempt.close(ignored);
        deadline.cancel();
    }

    // What 227 tells: as configured, else where the client found us.
    [[nodiscard]] in_addr told_address() const {
        // No name, or one that stands for 0.0.0.0, is nothing to tell.
        const auto named = policy.pasv_by_name != 0 ? callbacks.pasv_address() : in_addr{};
        if (named.s_addr != 0) return named;
        if (policy.pasv_address.s_addr != 0) return policy.pasv_address;
        const auto four = as_family(local, AF_INET);
        return four.any.sa_family == AF_INET ? four.v4.sin_addr : in_addr{};
    }

    void fail(std::uint32_t sequence, ipc::DataFailure failure) {
        callbacks.failed({sequence, failure});
    }

    // On another port than before: where any will do, one that the kernel draws, which makes no new
    // socket necessary. 0: none is free.
    std::uint16_t listen(std::uint32_t tries) {
        const auto range = range_of(policy);
        if (range.is_wide()) {
            if (const auto port = let_kernel_draw(); port >= range.lowest) return port;
        }
        close_listener();
        auto found = listen_in_range(local, range, tries);
        bound = static_cast<bool>(found.socket);
        if (bound) listener.assign(found.socket.release());
        if (found.in_vain > 0) callbacks.searched(found.in_vain);
        return found.port;
    }

    // A socket that was bound to no port in particular has none any more when it has been shut
    // down.
    std::uint16_t let_kernel_draw() {
        auto address = local;
        set_port(address, 0);
        if (!listener.is_open()) {
            Fd socket{::socket(address.any.sa_family, stream_flags, 0)};
            if (!socket || !draw_from_few(socket.get())) return 0;
            allow_reuse(socket);
            if (::bind(socket.get(), &address.any, length(address)) < 0) return 0;
            listener.assign(socket.release());
        } else if (!draw_from_few(listener.native_handle())) {
            return 0;
        }
        socklen_t size = sizeof address;
        if (::listen(listener.native_handle(), backlog) < 0 ||
            ::getsockname(listener.native_handle(), &address.any, &size) < 0)
            return 0;
        listening = true;
        return port(address);
    }

    void close_listener() {
        boost::system::error_code ignored;
        listener.close(ignored);
        listening = bound = false;
    }

    // With a connection goes the port of the next one, so that its PASV or EPSV needs nobody here.
    std::uint16_t listen_ahead(std::uint32_t sequence) {
        if (policy.pasv_by_name != 0) return 0;
        const auto ports = range_of(policy).size();
        if (ports < least_ports_ahead || ports / ports_for_each_client < callbacks.clients())
            return 0;
        // During a transfer a session reads nothing from here, and somebody who looks for its ports
        // would find one after the other.
        if (!callbacks.reads()) return 0;
        const auto port = listen(few_tries);
        if (port != 0) accept_one(sequence);
        return port;
    }

    void accept_one(std::uint32_t sequence) {
        listener.async_wait(Wait::wait_read, [self = shared_from_this(), sequence,
                                              mine = generation](boost::system::error_code error) {
            if (error || self->closed || self->generation != mine) return;
            self->accepted(sequence);
        });
    }

    void accepted(std::uint32_t sequence) {
        ipc::Address from{};
        socklen_t size = sizeof from;
        Fd socket{
            ::accept4(listener.native_handle(), &from.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
        if (!socket) {
            const int number = errno;
            const bool no_more =
                number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
            if (!no_more) return accept_one(sequence);  // it hung up before we came
            // It would be there to be accepted again and again.
            rest();
            callbacks.refused(std::string("a data connection cannot be accepted: ") +
                              std::strerror(number));
            return fail(sequence, ipc::DataFailure::refused);
        }
        rest();
        if (policy.pasv_promiscuous == 0 && !same_host(from, peer)) {
            callbacks.refused("data connection from " + with_port(from) +
                              " refused, the control connection comes from " + to_text(peer) +
                              " (pasv_promiscuous=YES would accept it)");
            return fail(sequence, ipc::DataFailure::wrong_peer);
        }
        const auto next_port = listen_ahead(sequence + 1);
        callbacks.connected({sequence, next_port, 0}, std::move(socket));
    }

    void connected(std::uint32_t sequence) {
        int number = 0;
        socklen_t size = sizeof number;
        if (::getsockopt(attempt.native_handle(), SOL_SOCKET, SO_ERROR, &number, &size) < 0)
            number = errno;
        Fd socket{number == 0 ? attempt.release() : -1};
        close_all();
        if (number != 0) return fail(sequence, ipc::DataFailure::refused);
        callbacks.connected({sequence, 0, 0}, std::move(socket));
    }
};

DataSockets::DataSockets(asio::io_context& io, const ipc::Address& peer, const ipc::Address& local,
                         const ipc::DataPolicy& policy, Callbacks callbacks)
    : state_(std::make_shared<State>(io, peer, local, policy, std::move(callbacks))) {}

DataSockets::~DataSockets() { close(); }

void DataSockets::close() {
    state_->closed = true;
    state_->close_all();
}

void DataSockets::passive_open(const ipc::PassiveOpen& request) {
    const auto keep = state_;  // a callback may end the session, and with it this object
    auto& state = *keep;
    state.rest();
    if (state.policy.pasv_enable == 0)
        return state.callbacks.listening({request.sequence, 0, 0, {}});

    const auto port = state.listen(most_tries);
    if (port == 0) {
        const auto range = range_of(state.policy);
        state.callbacks.refused("no passive port is free between " + std::to_string(range.lowest) +
                                " and " + std::to_string(range.highest) +
                                " (pasv_min_port, pasv_max_port)");
        return state.callbacks.listening({request.sequence, 0, 0, {}});
    }
    state.callbacks.listening({request.sequence, port, 0, state.told_address()});
    state.accept_one(request.sequence);
}

void DataSockets::passive_close(const ipc::PassiveClose&) { state_->close_all(); }

void DataSockets::active_open(const ipc::ActiveOpen& request) {
    const auto keep = state_;
    auto& state = *keep;
    state.close_all();
    const auto target = as_family(request.target, state.local.any.sa_family);
    const bool ours = same_host(request.target, state.peer) || state.policy.port_promiscuous != 0;
    if (state.policy.port_enable == 0 || length(target) == 0 || !ours ||
        port(request.target) < first_unprivileged_port) {
        state.callbacks.refused("active connection to " + with_port(request.target) +
                                " refused, the control connection comes from " +
                                to_text(state.peer) + " (port_promiscuous=YES would allow it)");
        return state.fail(request.sequence, ipc::DataFailure::forbidden);
    }

    Fd socket{::socket(target.any.sa_family, stream_flags, 0)};
    if (!socket) return state.fail(request.sequence, ipc::DataFailure::refused);
    allow_reuse(socket);
    auto source = state.local;
    set_port(source, state.policy.source_port);
    if (::bind(socket.get(), &source.any, length(source)) < 0) {
        state.callbacks.refused("cannot bind " + with_port(source) +
                                " for an active connection: " + std::strerror(errno));
        return state.fail(request.sequence, ipc::DataFailure::refused);
    }
    const int result = ::connect(socket.get(), &target.any, length(target));
    if (result < 0 && errno != EINPROGRESS)
        return state.fail(request.sequence, ipc::DataFailure::refused);

    state.attempt.assign(socket.release());
    state.attempt.async_wait(Wait::wait_write,
                             [self = state_, sequence = request.sequence,
                              mine = state.generation](boost::system::error_code error) {
                                 if (error || self->closed || self->generation != mine) return;
                                 self->connected(sequence);
                             });
    if (state.policy.connect_timeout == 0) return;
    state.deadline.expires_after(std::chrono::seconds(state.policy.connect_timeout));
    state.deadline.async_wait([self = state_, sequence = request.sequence,
                               mine = state.generation](boost::system::error_code error) {
        if (error || self->closed || self->generation != mine) return;
        self->close_all();
        self->fail(sequence, ipc::DataFailure::timeout);
    });
}

}  // namespace broker
