// SPDX-License-Identifier: MIT
// The listening socket; runs in the supervisor, as root.
#include "supervisor/listener.hpp"

#include "base/log.hpp"
#include "broker/address.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace supervisor {

namespace asio = boost::asio;
using base::Fd;
using base::Result;

namespace {

// vsftpd has 32, and 64 clients at once then wait for their SYN to be repeated.
constexpr int backlog = 1024;
// Between two looks at everything else that the loop has to do.
constexpr int most_accepts_in_a_row = 64;

Result<ipc::Address> listen_address(const config::Options& options) {
    ipc::Address address{};
    const auto port = htons(static_cast<std::uint16_t>(options.listen_port));
    if (options.listen_ipv6) {
        address.v6.sin6_family = AF_INET6;
        address.v6.sin6_port = port;
        address.v6.sin6_addr = in6addr_any;
        if (!options.listen_address6.empty() &&
            ::inet_pton(AF_INET6, options.listen_address6.c_str(), &address.v6.sin6_addr) != 1)
            return base::Error{"bad listen_address6: " + options.listen_address6};
    } else {
        address.v4.sin_family = AF_INET;
        address.v4.sin_port = port;
        address.v4.sin_addr.s_addr = htonl(INADDR_ANY);
        if (!options.listen_address.empty() &&
            ::inet_pton(AF_INET, options.listen_address.c_str(), &address.v4.sin_addr) != 1)
            return base::Error{"bad listen_address: " + options.listen_address};
    }
    return address;
}

}  // namespace

Result<Fd> Listener::bind(const config::Options& options) {
    TRY(auto address, listen_address(options));
    const auto family = address.any.sa_family;
    const std::string name = family == AF_INET6 ? "IPv6" : "IPv4";
    Fd socket{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!socket) return base::system_error("could not make a listening " + name + " socket");
    const int yes = 1;
    const int no = 0;
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    // IPv4 clients as well, whatever net.ipv6.bindv6only says: that is what listen_ipv6=YES is
    // known for.
    if (family == AF_INET6)
        (void)::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (::bind(socket.get(), &address.any, broker::length(address)) < 0)
        return base::system_error("could not bind listening " + name + " socket to " +
                                  broker::with_port(address));
    if (::listen(socket.get(), backlog) < 0)
        return base::system_error("could not listen on " + broker::with_port(address));
    return socket;
}

struct Listener::State : std::enable_shared_from_this<State> {
    State(asio::io_context& io, Fd listening, OnConnection to_call)
        : socket(io, listening.release()), pause(io), on_connection(std::move(to_call)) {}

    asio::posix::stream_descriptor socket;
    asio::steady_timer pause;
    OnConnection on_connection;
    bool closed = false;

    void wait() {
        socket.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](boost::system::error_code error) {
                              if (!error && !self->closed) self->accept();
                          });
    }

    void accept() {
        for (int i = 0; i < most_accepts_in_a_row && !closed; ++i) {
            ipc::Address peer{};
            ipc::Address local{};
            socklen_t size = sizeof peer;
            Fd connection{
                ::accept4(socket.native_handle(), &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
            if (!connection) {
                if (errno == EAGAIN) break;
                if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                    return rest();
                continue;  // the client gave up before we came
            }
            size = sizeof local;
            if (::getsockname(connection.get(), &local.any, &size) == 0)
                on_connection(std::move(connection), peer, local);
        }
        if (!closed) wait();
    }

    // Out of descriptors or memory: the clients wait in the backlog until others have gone.
    void rest() {
        base::log::error(std::string("cannot accept connections for now: ") + std::strerror(errno));
        pause.expires_after(std::chrono::milliseconds(200));
        pause.async_wait([self = shared_from_this()](boost::system::error_code error) {
            if (!error && !self->closed) self->wait();
        });
    }
};

Listener::Listener(asio::io_context& io, Fd socket, OnConnection on_connection)
    : state_(std::make_shared<State>(io, std::move(socket), std::move(on_connection))) {
    state_->wait();
}

Listener::~Listener() { close(); }

void Listener::close() {
    if (state_->closed) return;
    state_->closed = true;
    boost::system::error_code ignored;
    state_->socket.close(ignored);
    state_->pause.cancel();
}

}  // namespace supervisor
