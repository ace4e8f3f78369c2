// SPDX-License-Identifier: MIT
// The TLS end of the control connection: the handshake, the layer under the lines before login, and
// the relay to the session after it; runs in the greeter.
#pragma once

#include "base/fd.hpp"
#include "control/connection.hpp"
#include "ipc/channel.hpp"
#include "tls/stream.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace greeter {

class TlsEnd : public control::Layer {
  public:
    explicit TlsEnd(tls::Stream stream) : stream_(std::move(stream)) {}

    [[nodiscard]] ssize_t receive(std::span<char> space) override;
    [[nodiscard]] ssize_t send(std::string_view bytes) override;
    [[nodiscard]] bool flushed() override;
    [[nodiscard]] bool pending() const override { return stream_.pending(); }
    void say_goodbye() override { stream_.say_goodbye(); }

    [[nodiscard]] tls::Stream& stream() { return stream_; }

  private:
    tls::Stream stream_;
};

// Signatures by way of the supervisor, each asked for and waited for; a Stop that comes meanwhile
// is kept.
class Signatures {
  public:
    explicit Signatures(ipc::Channel& channel) : channel_(channel) {}
    [[nodiscard]] base::Result<tls::Bytes> ask(const tls::ToBeSigned& what);
    [[nodiscard]] const std::optional<ipc::Stop>& stop() const { return stop_; }

  private:
    ipc::Channel& channel_;
    std::uint32_t sequence_ = 0;
    std::optional<ipc::Stop> stop_;
};

// After the login: what the client says goes to the session, and the other way round, until both
// have ended. ccc: the session may take the client's side back to clear text.
void relay(tls::Stream& client, int socket, base::Fd session, bool ccc);

}  // namespace greeter
