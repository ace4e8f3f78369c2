// SPDX-License-Identifier: MIT
// What a session asks of the supervisor, one function each; runs in the session.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ipc/channel.hpp"

#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

namespace session {

class BrokerClient {
  public:
    explicit BrokerClient(ipc::Channel channel) : channel_(std::move(channel)) {}

    // To be polled; when it can be read, receive() takes what came: a Stop, or a data connection
    // that was there before its transfer command and is kept for it.
    [[nodiscard]] int fd() const { return channel_.fd(); }
    void receive();

    // Stop has come, or the supervisor is gone: finish what runs, then 421.
    [[nodiscard]] bool stopping() const { return stopping_; }

    // PASV: the port that the broker listens on now; 0 when none was free.
    [[nodiscard]] base::Result<std::uint16_t> listen();
    void stop_listening();

    // The client's data connection, or why there is none. Both wait as long as accept_timeout and
    // connect_timeout allow, which the broker watches.
    using Connected = std::variant<base::Fd, ipc::DataFailure>;
    [[nodiscard]] Connected accepted();
    [[nodiscard]] Connected connect(const ipc::Address& target);

    [[nodiscard]] base::Result<void> give_away(const base::Fd& file);  // chown_uploads

    void record(const ipc::Record& record);
    void entered(int number, std::string_view step);

  private:
    ipc::Channel channel_;
    std::uint32_t sequence_ = 0;
    bool stopping_ = false;
};

}  // namespace session
