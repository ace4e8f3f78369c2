// SPDX-License-Identifier: MIT
// What a session asks of the supervisor, one function each; runs in the session.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ipc/channel.hpp"
#include "tls/to_be_signed.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace session {

class Watch;

class BrokerClient {
  public:
    explicit BrokerClient(ipc::Channel channel) : channel_(std::move(channel)) {}

    // To be polled; when it can be read, receive() takes one message: a Stop, or a data connection
    // that was there before its transfer command and is kept for it. False: the supervisor is gone.
    [[nodiscard]] int fd() const { return channel_.fd(); }
    bool receive();

    // Stop has come, or the supervisor is gone: finish what runs, then 421.
    [[nodiscard]] bool stopping() const { return stopping_; }

    // PASV: where the broker listens now; port 0 when none was free.
    struct Listening {
        std::uint16_t port = 0;
        in_addr address{};  // to be told; 0.0.0.0 when there is none
    };
    [[nodiscard]] base::Result<Listening> listen();
    void stop_listening();
    // The broker listens for the next listen() already.
    [[nodiscard]] bool listens_ahead() const { return ahead_.has_value(); }
    // No more. A connection that has come to the port before that one is kept.
    void stop_listening_ahead();

    // The client's data connection, or why there is none. accepted() waits that long (0: for ever)
    // from now on, since accept_timeout begins with the transfer command; for connect_timeout it is
    // the broker that watches.
    // Neither waits for a client that has gone or aborts, as the watch tells.
    using Connected = std::variant<base::Fd, ipc::DataFailure>;
    [[nodiscard]] Connected accepted(std::chrono::seconds most, Watch& watch);
    [[nodiscard]] Connected connect(const ipc::Address& target, Watch& watch);

    // For a handshake on a data connection that need not resume.
    [[nodiscard]] base::Result<tls::Bytes> sign(const tls::ToBeSigned& what);

    [[nodiscard]] base::Result<void> give_away(const base::Fd& file);  // chown_uploads

    // text_userdb_names: the name of a user or group; empty when it has none.
    [[nodiscard]] std::string name_of(bool group, std::uint32_t number);
    // tilde_user_enable: that user's home on the host; empty when there is no such user.
    [[nodiscard]] std::string home_of(std::string_view user);

    void record(const ipc::Record& record);
    void entered(int number, std::string_view step);

  private:
    // Takes messages until one is an answer to the current sequence; nothing when the time is over
    // or the supervisor gone.
    using Deadline = std::optional<std::chrono::steady_clock::time_point>;
    [[nodiscard]] bool wait(const Deadline& deadline, Watch* watch = nullptr);
    void take(ipc::Message message);
    [[nodiscard]] Connected connection(const Deadline& deadline, Watch& watch);

    ipc::Channel channel_;
    std::uint32_t sequence_ = 0;
    bool stopping_ = false;
    // Answers that have come and were not fetched yet.
    std::optional<Listening> listening_;  // once there was one, its address stays
    std::optional<Listening> ahead_;      // for sequence_ + 1
    std::optional<Connected> connected_;
    std::optional<int> given_away_;
    std::optional<ipc::Signed> signed_;
    std::uint32_t sign_sequence_ = 0;
    std::optional<std::string> text_;
};

}  // namespace session
