// SPDX-License-Identifier: MIT
// TLS of data connections, by what the greeter has handed over; runs in the session.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/configuration.hpp"
#include "ftp/replies.hpp"
#include "ipc/certificates.hpp"
#include "ipc/requests.hpp"
#include "session/broker_client.hpp"
#include "session/transfer.hpp"
#include "tls/context.hpp"
#include "tls/stream.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace session {

// In the spawner, with ssl_enable.
[[nodiscard]] base::Result<void> prepare_tls(const config::Configuration& configuration,
                                             std::vector<ipc::Certificate> certificates);

class DataTls {
  public:
    [[nodiscard]] static bool may_clear_control();  // [tls] ccc

    // For this session. What is the first data connection's is only done then: many logins have
    // none, or not for long.
    [[nodiscard]] static base::Result<DataTls> with(const ipc::TlsRecord& record,
                                                    const config::Options& options,
                                                    BrokerClient& broker);

    // The handshake on a data connection. The reply says that there is none, the log why. `start`
    // says 150, where that may have to wait for the handshake.
    using Shaken = std::variant<tls::Stream, ftp::Reply>;
    [[nodiscard]] Shaken shake(const base::Fd& data, Watch& watch, tls::Stream::Use use,
                               const std::function<void()>& start);

  private:
    struct Secrets {
        tls::TicketKey key{};
        tls::Bytes session;
        ~Secrets();
    };
    DataTls(tls::Context& context, const config::Options& options, BrokerClient& broker);
    [[nodiscard]] base::Result<void> get_ready();
    using Deadline = std::optional<std::chrono::steady_clock::time_point>;
    [[nodiscard]] static std::optional<tls::Step> go_on(tls::Stream& stream, tls::Step step,
                                                        const base::Fd& data, Watch& watch,
                                                        Deadline deadline);
    [[nodiscard]] ftp::Reply failed(const tls::Stream& stream);
    [[nodiscard]] bool same_client(const tls::Stream& stream) const;
    void tell(ipc::Event event, std::string_view text);

    tls::Context* context_;
    BrokerClient* broker_;
    bool reuse_required_;
    bool debug_;
    std::chrono::seconds patience_;     // 0: for ever
    std::unique_ptr<Secrets> secrets_;  // until they are OpenSSL's
    tls::X509Certificate client_;       // the certificate on the control connection
};

}  // namespace session
