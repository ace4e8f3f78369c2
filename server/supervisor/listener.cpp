// SPDX-License-Identifier: MIT
// Listening sockets; run in the supervisor, as root.
#include "supervisor/listener.hpp"

#include "base/log.hpp"
#include "broker/address.hpp"
#include "config/listen.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
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

constexpr const char* low_port = " (ports below 1024 take root, or CAP_NET_BIND_SERVICE)";

// False: no such address.
bool set_host(ipc::Address& address, const std::string& host) {
    if (address.any.sa_family == AF_INET6)
        return ::inet_pton(AF_INET6, host.c_str(), &address.v6.sin6_addr) == 1;
    return ::inet_pton(AF_INET, host.c_str(), &address.v4.sin_addr) == 1;
}

ipc::Address any_host(bool ipv6, std::uint32_t port) {
    ipc::Address address{};
    address.any.sa_family = ipv6 ? AF_INET6 : AF_INET;  // both have zeros for "any"
    broker::set_port(address, static_cast<std::uint16_t>(port));
    return address;
}

}  // namespace

bool Place::operator==(const Place& other) const {
    return address.any.sa_family == other.address.any.sa_family &&
           broker::same_host(address, other.address) &&
           broker::port(address) == broker::port(other.address) && takes_ipv4 == other.takes_ipv4;
}

Result<std::vector<Place>> places_of(const config::Configuration& configuration) {
    const auto& options = configuration.options;
    std::vector<Place> places;
    if (options.listen || options.listen_ipv6) {
        // IPv4 clients as well, whatever net.ipv6.bindv6only says: that is what listen_ipv6=YES is
        // known for.
        Place place{any_host(options.listen_ipv6, options.listen_port), options.listen_ipv6};
        const auto& host = options.listen_ipv6 ? options.listen_address6 : options.listen_address;
        if (!host.empty() && !set_host(place.address, host))
            return base::Error{
                (options.listen_ipv6 ? "bad listen_address6: " : "bad listen_address: ") + host};
        places.push_back(place);
    }
    TRY(const auto more, config::listen_addresses(configuration.native.listen));
    for (const auto& each : more) {
        Place place{any_host(each.ipv6, each.port), false};
        if (!set_host(place.address, each.host)) return base::Error{"bad address: " + each.host};
        if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
    }
    return places;
}

Result<Fd> Listener::bind(const Place& place, bool sharing) {
    const auto family = place.address.any.sa_family;
    const std::string name = family == AF_INET6 ? "IPv6" : "IPv4";
    Fd socket{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!socket) return base::system_error("could not make a listening " + name + " socket");
    const int yes = 1;
    const int alone = place.takes_ipv4 ? 0 : 1;
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (sharing) (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    if (family == AF_INET6)
        (void)::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &alone, sizeof alone);
    if (::bind(socket.get(), &place.address.any, broker::length(place.address)) < 0)
        return base::system_error("could not bind listening " + name + " socket to " +
                                  broker::with_port(place.address) +
                                  (errno == EACCES ? low_port : ""));
    if (::listen(socket.get(), backlog) < 0)
        return base::system_error("could not listen on " + broker::with_port(place.address));
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

Listener::Listener(asio::io_context& io, Bound bound, OnConnection on_connection)
    : place_(bound.place),
      state_(std::make_shared<State>(io, std::move(bound.socket), std::move(on_connection))) {
    state_->wait();
}

Listener::~Listener() {
    state_->closed = true;
    boost::system::error_code ignored;
    state_->socket.close(ignored);
    state_->pause.cancel();
}

void Listener::share(bool sharing) const {
    const int value = sharing ? 1 : 0;
    (void)::setsockopt(state_->socket.native_handle(), SOL_SOCKET, SO_REUSEPORT, &value,
                       sizeof value);
}

Listeners::Listeners(asio::io_context& io, Listener::OnConnection on_connection)
    : io_(io), on_connection_(std::move(on_connection)) {}

bool Listeners::has(const Place& place) const {
    return std::any_of(listeners_.begin(), listeners_.end(),
                       [&](const auto& each) { return each->place() == place; });
}

void Listeners::share(bool sharing) const {
    for (const auto& each : listeners_) each->share(sharing);
}

Result<std::vector<Bound>> Listeners::bind(const config::Configuration& configuration) const {
    TRY(const auto places, places_of(configuration));
    std::vector<Bound> fresh;
    share(true);
    Result<void> done = base::success();
    for (const auto& place : places) {
        if (has(place)) continue;
        auto socket = Listener::bind(place, !listeners_.empty());
        if (!socket) {
            done = socket.error();
            break;
        }
        fresh.push_back({place, std::move(socket.value())});
    }
    share(false);
    if (!done) return done.error();
    return fresh;
}

Result<void> Listeners::use(const config::Configuration& configuration, std::vector<Bound> more) {
    TRY(const auto places, places_of(configuration));
    std::erase_if(listeners_, [&](const auto& each) {
        return std::find(places.begin(), places.end(), each->place()) == places.end();
    });
    for (auto& each : more)
        listeners_.push_back(std::make_unique<Listener>(io_, std::move(each), on_connection_));
    share(false);
    return base::success();
}

}  // namespace supervisor
