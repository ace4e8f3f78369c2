// SPDX-License-Identifier: MIT
// The certificate of a client, if its greeter says that there is one: which handshake it must have
// been shown in, and the other greeter that looks at it; runs in the supervisor, as root, which
// reads nothing of it.
#pragma once

#include "base/result.hpp"
#include "ipc/requests.hpp"
#include "supervisor/async_channel.hpp"
#include "supervisor/children.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace supervisor {

class ClientCertificate : public std::enable_shared_from_this<ClientCertificate> {
  public:
    struct Callbacks {
        std::function<base::Result<ChildProcess>()> take;  // a fresh greeter
        std::function<void(const std::string&)> warn;      // for the administrator
        std::function<void(std::string_view)> misbehaved;  // what one of the two greeters does
    };

    // Before the client's greeter is anybody's, so that no handshake of before has its nonce.
    ClientCertificate(boost::asio::io_context& io, Callbacks callbacks);
    ClientCertificate(const ClientCertificate&) = delete;
    ClientCertificate& operator=(const ClientCertificate&) = delete;

    // For that greeter's CertificateRequest.
    [[nodiscard]] const auto& nonce() const { return known_.nonce; }
    // The signer has signed this for it.
    void was_signed(const ipc::ToSign& what);

    // What it has to show, once and not without end.
    void show(const ipc::ProofPart& part);
    [[nodiscard]] bool is_shown() const { return signed_ && shown_ > 0; }
    // Nothing can be shown any more. `then`: names() and subject() are what they will be.
    void look(std::function<void()> then);

    // What cert_username_field names in it, "name\0" each; empty: it is not taken, or nobody knows.
    [[nodiscard]] const std::string& names() const { return *names_; }
    [[nodiscard]] const std::string& subject() const { return subject_; }  // escaped

    // That looks at it, or has.
    [[nodiscard]] std::optional<std::uint64_t> process() const { return process_; }
    // It has ended: what it has said by now is all that it will.
    void end();
    // Nobody waits for it any more.
    void close();

  private:
    void start();
    void on_message(const ipc::Message& message);

    boost::asio::io_context& io_;
    Callbacks callbacks_;
    ipc::Prove known_{};     // of the handshake
    bool signed_ = false;    // all of it is
    std::size_t shown_ = 0;  // bytes
    bool looked_at_ = false;
    int warnings_ = 0;  // of the process that looks at it
    std::optional<std::uint64_t> process_;
    std::optional<AsyncChannel> channel_;
    std::function<void()> then_;
    std::optional<std::string> names_;
    std::string subject_;
};

}  // namespace supervisor
