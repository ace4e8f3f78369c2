// SPDX-License-Identifier: MIT
// Makes and checks the data connections of one session; runs in the supervisor, as root.
#pragma once

#include "base/fd.hpp"
#include "ipc/requests.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace broker {

// One session has at most one listener and one connection attempt, so nothing here grows with
// requests.
class DataSockets {
  public:
    struct Callbacks {
        std::function<in_addr()> pasv_address;  // the server's, when it is looked up by name
        std::function<void(const ipc::Listening&)> listening;
        std::function<void(const ipc::DataConnected&, base::Fd)> connected;
        std::function<void(const ipc::DataFailed&)> failed;
        // For the administrator: why, with both addresses.
        std::function<void(std::string)> refused;
        // How many ports were tried in vain: a search in a crowded range takes time.
        std::function<void(std::uint32_t)> searched;
        // The session reads what it is told: there is no use in more for one that does not.
        std::function<bool()> reads;
        // That may want a port each, this one included.
        std::function<std::size_t()> clients;
    };

    // peer and local are the control connection's ends.
    DataSockets(boost::asio::io_context& io, const ipc::Address& peer, const ipc::Address& local,
                const ipc::DataPolicy& policy, Callbacks callbacks);
    ~DataSockets();
    DataSockets(const DataSockets&) = delete;
    DataSockets& operator=(const DataSockets&) = delete;

    // Safe: address and port range are ours, nothing in the request is used, and what leaves is one
    // socket connected to this session's own client.
    void passive_open(const ipc::PassiveOpen& request);
    void passive_close(const ipc::PassiveClose& request);

    // Safe: the target must be the session's own client and a port that no system service has
    // (RFC 2577), unless port_promiscuous says otherwise.
    void active_open(const ipc::ActiveOpen& request);

    void close();

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace broker
