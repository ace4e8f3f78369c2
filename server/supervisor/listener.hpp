// SPDX-License-Identifier: MIT
// The listening socket: accepts and hands on, never waits; runs in the supervisor, as root.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/options.hpp"
#include "ipc/requests.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace supervisor {

class Listener {
  public:
    using OnConnection =
        std::function<void(base::Fd, const ipc::Address& peer, const ipc::Address& local)>;

    // Binds what listen, listen_ipv6, listen_address, listen_address6 and listen_port say; the
    // errors keep vsftpd's words ("could not bind listening IPv4 socket").
    [[nodiscard]] static base::Result<base::Fd> bind(const config::Options& options);

    Listener(boost::asio::io_context& io, base::Fd socket, OnConnection on_connection);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    void close();

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace supervisor
