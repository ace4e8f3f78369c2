// SPDX-License-Identifier: MIT
// One client from accept to the end: which process has it, what that process may ask for, what is
// logged; runs in the supervisor, as root.
#pragma once

#include "base/fd.hpp"
#include "broker/data_sockets.hpp"
#include "broker/permissions.hpp"
#include "config/configuration.hpp"
#include "ipc/requests.hpp"
#include "supervisor/async_channel.hpp"
#include "supervisor/cgroups.hpp"
#include "supervisor/children.hpp"
#include "supervisor/client_certificate.hpp"
#include "supervisor/records.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace supervisor {

class Accounts;
class HelperPool;
class Logins;
class SignerClient;

// What a client needs from the supervisor around it; outlives all clients.
struct Services {
    boost::asio::io_context& io;
    BusyChannels& busy;
    Children& children;
    Logins& logins;
    HelperPool& helpers;
    HelperPool& wrappers;  // helpers that are asked about new connections, with tcp_wrappers
    Accounts& accounts;
    Cgroups& cgroups;
    Records& records;
    std::function<std::shared_ptr<SignerClient>()> signer;  // of now; none without TLS
    std::function<bool()> ssl_reuse_required;               // of sessions that are taken now
    std::function<std::size_t()> connections;               // now
    std::function<in_addr()> pasv_address;               // the server's, as its name stands for now
    std::function<void(const class Client&)> logged_in;  // it counts as before login no longer
    std::function<void(std::uint64_t client)> finished;  // drops the client
    std::function<void(std::uint64_t child, const class Client&)>
        owns;  // who is to be told of its end
};

class Client : public std::enable_shared_from_this<Client> {
  public:
    // The control connection as accepted. Options stay those of this moment (a reload is for new
    // clients).
    Client(Services& services, std::uint64_t id, base::Fd control, const ipc::Address& peer,
           const ipc::Address& local, std::shared_ptr<const config::Configuration> configuration);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void start();

    // Of the session; empty: none of its own.
    [[nodiscard]] const std::string& cgroup() const { return cgroup_; }

    // Orderly: the process that has the client says 421 when nothing is being transferred any more.
    void stop(std::uint32_t grace_seconds);
    void kill();

    // The spawner could not make one of its processes.
    void child_failed(std::uint64_t child, const base::Error& error);

    [[nodiscard]] std::uint64_t id() const { return id_; }
    // logged_in has been called for it.
    [[nodiscard]] bool was_logged_in() const { return logged_in_; }
    [[nodiscard]] const ipc::Address& peer() const { return peer_; }
    // The greeter and session that it has.
    [[nodiscard]] std::vector<std::uint64_t> processes() const;
    // "ann from 192.0.2.7 (session 12)", for messages; names are escaped.
    [[nodiscard]] std::string description() const;

  private:
    enum class State : std::uint8_t {
        wrapping,  // tcp_wrappers are asked
        greeting,
        checking,
        delayed,
        entering,
        in_session,
        finished,
    };

    struct Process {
        std::uint64_t id;
        AsyncChannel channel;
    };

    void ask_wrappers();
    void wrapped(const ipc::Wrapped* answer);
    void greet();
    void on_greeter(ipc::Message message);
    void on_greeter_closed();
    void on_session(ipc::Message message);
    void on_session_closed();
    [[nodiscard]] bool permitted(const ipc::Message& message, broker::Phase phase);
    [[nodiscard]] bool spoke_nonsense(const base::Error& error);

    void authenticate(ipc::Message message);
    void attempt(const ipc::Login& login);
    void expect_certificate();
    void ask_for_password(const ipc::LoginAnswer& answer);
    void wrong(const ipc::LoginAnswer& answer, ipc::Refusal refusal);
    void answered(const ipc::LoginAnswer& answer, std::vector<base::Fd> descriptors);
    void refuse_after_delay(ipc::Refusal refusal, std::string text, bool close_after);
    [[nodiscard]] base::Result<ChildProcess> take_session(const ipc::Cgroup& wanted);
    // Root, admission, binds.
    void enter(const ipc::LoginAnswer& answer, std::vector<base::Fd> descriptors);
    void connected(const ipc::DataConnected& connected, base::Fd socket);
    void log_live_state() const;
    void entered(const ipc::Entered& message);
    template <typename Q, typename Answer>
    void pass_on(const Q& question, base::Fd descriptor = {});
    void give_away(ipc::Message message);
    void sign(const ipc::Sign& request, bool for_session);

    void log_login(Entry::Kind kind, bool success, std::string_view reason,
                   std::string_view remark = {});
    template <typename Record>  // of ipc, short or not
    void log(const Record& record);
    void warn(std::string_view what);
    void died(std::string_view text);
    void too_slow();
    void not_taken();
    void misbehaved(std::string_view what);
    void turn_away(const base::Fd& control, std::string_view text) const;
    void finish();

    [[nodiscard]] Entry entry(Entry::Kind kind) const;
    [[nodiscard]] pid_t pid() const;

    Services& services_;
    std::uint64_t id_;
    base::Fd control_;  // only while no process has it for certain
    ipc::Address peer_;
    ipc::Address local_;
    std::string peer_text_;
    std::uint64_t cookie_ = 0;
    std::shared_ptr<const config::Configuration> configuration_;
    std::shared_ptr<const config::Options> options_;  // with what this connection has of its own
    std::string overrides_;                           // that

    State state_ = State::greeting;
    bool finishing_ = false;  // nothing but records is heard of its session any more
    std::optional<Process> greeter_;
    std::optional<Process> session_;
    broker::Permissions permissions_;
    std::optional<broker::DataSockets> data_;
    boost::asio::steady_timer delay_;
    boost::asio::steady_timer login_deadline_;
    std::uint64_t wrap_ = 0;
    std::uint64_t attempt_ = 0;
    std::uint64_t question_ = 0;  // to a helper, for the session that waits for the answer
    std::string cgroup_;
    ipc::Grants grants_{};
    base::Fd login_session_;  // of PAM and wtmp, which ends when this is closed
    std::chrono::steady_clock::time_point attempt_started_{};
    std::uint32_t failures_ = 0;
    int warnings_ = 0;
    bool stopping_ = false;
    bool logged_in_ = false;
    bool counted_account_ = false;  // in Accounts, by user_
    std::uint32_t grace_ = 0;

    std::string user_;  // as typed until the login, then the account's
    std::string shown_password_;
    ipc::Account account_ = ipc::Account::system;
    bool guest_ = false;
    std::string unread_;

    struct Wipe {
        void operator()(ipc::TlsRecord* record) const;
    };
    std::shared_ptr<SignerClient> signer_;               // of the greeter's certificates
    std::shared_ptr<SignerClient> session_signer_;       // of the session's, which may be newer
    std::unique_ptr<ipc::TlsRecord, Wipe> handed_over_;  // from greeter to session
    bool encrypted_ = false;  // the greeter is the TLS end of the control connection
    bool greeter_signed_ = false;
    std::shared_ptr<ClientCertificate> certificate_;  // where one may take a password's place
    bool by_certificate_ = false;                     // the login is
    bool was_asked_ = false;         // for a password, although it has a certificate
    bool reuse_required_ = true;     // require_ssl_reuse of the session
    bool session_may_sign_ = false;  // for the data connection that it has just been given
};

}  // namespace supervisor
