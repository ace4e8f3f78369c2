// SPDX-License-Identifier: MIT
// Listening sockets: accept and hand on, never wait; run in the supervisor, as root.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/configuration.hpp"
#include "ipc/requests.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace supervisor {

// Where to listen.
struct Place {
    ipc::Address address{};
    bool takes_ipv4 = false;  // an IPv6 socket that IPv4 clients may come to as well

    [[nodiscard]] bool operator==(const Place& other) const;
};

// What listen, listen_ipv6, listen_address, listen_address6 and listen_port say, then what [server]
// listen says.
[[nodiscard]] base::Result<std::vector<Place>> places_of(
    const config::Configuration& configuration);

// A place, and the socket that is bound to it.
struct Bound {
    Place place;
    base::Fd socket;
};

class Listener {
  public:
    using OnConnection =
        std::function<void(base::Fd, const ipc::Address& peer, const ipc::Address& local)>;

    // The errors keep vsftpd's words ("could not bind listening IPv4 socket"). sharing: beside
    // others that overlap and share, too (0.0.0.0:21 and 192.0.2.1:21), until one of them is
    // closed.
    [[nodiscard]] static base::Result<base::Fd> bind(const Place& place, bool sharing);

    Listener(boost::asio::io_context& io, Bound bound, OnConnection on_connection);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    [[nodiscard]] const Place& place() const { return place_; }
    void share(bool sharing) const;

  private:
    struct State;
    Place place_;
    std::shared_ptr<State> state_;
};

// All places of a configuration. What stays the same in the next one keeps its socket, and whoever
// waits there.
class Listeners {
  public:
    Listeners(boost::asio::io_context& io, Listener::OnConnection on_connection);

    // What this configuration needs and is not there yet.
    [[nodiscard]] base::Result<std::vector<Bound>> bind(
        const config::Configuration& configuration) const;
    // From now on: these as well, and nothing that it does not name.
    [[nodiscard]] base::Result<void> use(const config::Configuration& configuration,
                                         std::vector<Bound> more);
    void close() { listeners_.clear(); }

  private:
    [[nodiscard]] bool has(const Place& place) const;
    void share(bool sharing) const;

    boost::asio::io_context& io_;
    Listener::OnConnection on_connection_;
    std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace supervisor
