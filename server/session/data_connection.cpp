// SPDX-License-Identifier: MIT
// From PORT or PASV to a connected socket; runs in the session.
#include "session/data_connection.hpp"

#include <cerrno>
#include <utility>

namespace session {

namespace reply = ftp::reply;

base::Result<BrokerClient::Listening> DataConnection::use_passive() {
    asked_for_ = Nothing{};
    TRY(const auto listening, broker_.listen());
    if (listening.port == 0) return base::Error{"no passive port is free", EADDRINUSE};
    asked_for_ = Passive{};
    return listening;
}

void DataConnection::use_active(const ipc::Address& target) {
    reset();
    asked_for_ = target;
}

void DataConnection::reset() {
    if (std::holds_alternative<Passive>(asked_for_)) broker_.stop_listening();
    asked_for_ = Nothing{};
}

std::variant<base::Fd, ftp::Reply> DataConnection::open(Watch& watch) {
    const auto asked_for = std::exchange(asked_for_, Nothing{});
    if (std::holds_alternative<Nothing>(asked_for)) return ftp::Reply(reply::use_port_or_pasv);
    const auto* target = std::get_if<ipc::Address>(&asked_for);
    auto connected = target != nullptr ? broker_.connect(*target, watch)
                                       : broker_.accepted(accept_timeout_, watch);
    if (auto* socket = std::get_if<base::Fd>(&connected)) return std::move(*socket);
    if (std::get<ipc::DataFailure>(connected) == ipc::DataFailure::wrong_peer)
        return ftp::Reply(reply::bad_ip_connecting);
    return ftp::Reply(reply::no_data_connection);
}

}  // namespace session
