// SPDX-License-Identifier: MIT
// Passive listeners and active connections; runs in the supervisor, as root.
#include "broker/data_sockets.hpp"

#include "broker/address.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <random>
#include <utility>

#include <sys/socket.h>

namespace broker {

namespace asio = boost::asio;
using base::Fd;
using Wait = asio::posix::stream_descriptor::wait_type;

namespace {

constexpr int stream_flags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
constexpr std::uint16_t first_unprivileged_port = 1024;
// A crowded range is searched this far; a range that small is searched whole.
constexpr std::uint32_t most_tries = 512;

std::uint32_t random_below(std::uint32_t bound) {
    static std::random_device device;
    return std::uniform_int_distribution<std::uint32_t>{0, bound - 1}(device);
}

void allow_reuse(const Fd& socket) {
    const int yes = 1;
    // Best effort: without it a port is busy for a minute after each transfer.
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

// Listens on a port of the range at that address; an empty Fd when none is free.
Fd listen_in_range(ipc::Address address, std::uint32_t lowest, std::uint32_t highest) {
    const auto ports = highest - lowest + 1;
    const auto start = random_below(ports);
    for (std::uint32_t i = 0; i < std::min(ports, most_tries); ++i) {
        // A socket that was bound cannot be bound again, and one whose listen(2) failed is bound.
        Fd socket{::socket(address.any.sa_family, stream_flags, 0)};
        if (!socket) return {};
        allow_reuse(socket);
        set_port(address, static_cast<std::uint16_t>(lowest + (start + i) % ports));
        if (::bind(socket.get(), &address.any, length(address)) < 0) {
            if (errno == EADDRINUSE || errno == EACCES) continue;
            return {};
        }
        if (::listen(socket.get(), 4) == 0) return socket;
        if (errno != EADDRINUSE) return {};
    }
    return {};
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

    void close_all() {
        ++generation;
        boost::system::error_code ignored;
        listener.close(ignored);
        attempt.close(ignored);
        deadline.cancel();
    }

    // What 227 tells: as configured, else where the client found us.
    [[nodiscard]] in_addr told_address() const {
        if (policy.pasv_by_name != 0) return callbacks.pasv_address();
        if (policy.pasv_address.s_addr != 0) return policy.pasv_address;
        const auto four = as_family(local, AF_INET);
        return four.any.sa_family == AF_INET ? four.v4.sin_addr : in_addr{};
    }

    void fail(std::uint32_t sequence, ipc::DataFailure failure) {
        callbacks.failed({sequence, failure});
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
        if (!socket) return accept_one(sequence);  // it hung up before we came
        close_all();
        if (policy.pasv_promiscuous == 0 && !same_host(from, peer)) {
            callbacks.refused("data connection from " + with_port(from) +
                              " refused, the control connection comes from " + to_text(peer) +
                              " (pasv_promiscuous=YES would accept it)");
            return fail(sequence, ipc::DataFailure::wrong_peer);
        }
        callbacks.connected({sequence, 0, 0}, std::move(socket));
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
    state.close_all();
    if (state.policy.pasv_enable == 0)
        return state.callbacks.listening({request.sequence, 0, 0, {}});

    const std::uint32_t lowest = std::max(state.policy.pasv_min_port, first_unprivileged_port);
    const std::uint32_t highest =
        state.policy.pasv_max_port >= lowest ? state.policy.pasv_max_port : 65535U;
    Fd socket = listen_in_range(state.local, lowest, highest);
    ipc::Address bound{};
    socklen_t size = sizeof bound;
    if (!socket || ::getsockname(socket.get(), &bound.any, &size) < 0) {
        state.callbacks.refused("no passive port is free between " + std::to_string(lowest) +
                                " and " + std::to_string(highest) +
                                " (pasv_min_port, pasv_max_port)");
        return state.callbacks.listening({request.sequence, 0, 0, {}});
    }
    state.listener.assign(socket.release());
    state.callbacks.listening({request.sequence, port(bound), 0, state.told_address()});
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
