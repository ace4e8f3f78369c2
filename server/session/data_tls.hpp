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
#include <optional>
#include <variant>
#include <vector>

namespace session {

// In the spawner, with ssl_enable.
[[nodiscard]] base::Result<void> prepare_tls(const config::Configuration& configuration,
                                             std::vector<ipc::Certificate> certificates);

class DataTls {
  public:
    // First thing in a process that may need it: its random numbers are its own then.
    [[nodiscard]] static bool wake();

    // For this session; the record's secrets are OpenSSL's from then on.
    [[nodiscard]] static base::Result<DataTls> with(const ipc::TlsRecord& record,
                                                    const config::Options& options,
                                                    BrokerClient& broker);

    // The handshake on a data connection. The reply says that there is none, the log why.
    using Shaken = std::variant<tls::Stream, ftp::Reply>;
    [[nodiscard]] Shaken shake(const base::Fd& data, Watch& watch);

  private:
    DataTls(tls::Context& context, const config::Options& options, BrokerClient& broker);
    [[nodiscard]] ftp::Reply failed(const tls::Stream& stream);
    [[nodiscard]] bool same_client(const tls::Stream& stream) const;
    void tell(ipc::Event event, std::string_view text);

    tls::Context* context_;
    BrokerClient* broker_;
    bool reuse_required_;
    bool debug_;
    std::chrono::seconds patience_;  // 0: for ever
    tls::X509Certificate client_;    // the certificate on the control connection
};

}  // namespace session
