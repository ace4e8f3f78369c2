// SPDX-License-Identifier: MIT
// The data connection of the next transfer: what PORT or PASV asked for, then a socket; runs in the
// session.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ftp/replies.hpp"
#include "ipc/requests.hpp"
#include "session/broker_client.hpp"

#include <chrono>
#include <cstdint>
#include <variant>

namespace session {

class DataConnection {
  public:
    DataConnection(BrokerClient& broker, std::chrono::seconds accept_timeout)
        : broker_(broker), accept_timeout_(accept_timeout) {}

    // Where the client is to connect to; an error: no port is free.
    [[nodiscard]] base::Result<BrokerClient::Listening> use_passive();
    void use_active(const ipc::Address& target);
    void reset();  // as if neither had been said

    // Neither PORT nor PASV has been said: 425 before anything else.
    [[nodiscard]] bool ready() const { return !std::holds_alternative<Nothing>(asked_for_); }

    // Waits for it; what was asked for is used up. The reply says why there is none.
    [[nodiscard]] std::variant<base::Fd, ftp::Reply> open(Watch& watch);

  private:
    struct Nothing {};
    struct Passive {};
    BrokerClient& broker_;
    std::chrono::seconds accept_timeout_;
    std::variant<Nothing, Passive, ipc::Address> asked_for_;
};

}  // namespace session
