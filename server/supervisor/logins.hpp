// SPDX-License-Identifier: MIT
// Hands login attempts to the authenticator (system users, tenants) and to helpers (anonymous), and
// brings the answers back; runs in the supervisor, as root.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ipc/requests.hpp"
#include "supervisor/async_channel.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include <sys/types.h>

namespace supervisor {

class Logins {
  public:
    // The descriptors are those of LoginAnswer. Called once, unless the attempt is cancelled
    // before.
    using Callback = std::function<void(const ipc::LoginAnswer&, std::vector<base::Fd>)>;

    explicit Logins(boost::asio::io_context& io);
    ~Logins();
    Logins(const Logins&) = delete;
    Logins& operator=(const Logins&) = delete;

    // A fresh authenticator and helpers for this configuration (a sealed memfd of Configuration).
    // The old ones finish what they have begun. An error leaves everything as it was.
    [[nodiscard]] base::Result<void> renew(base::Fd configuration);

    // The attempt's number. login.id is set here. The password is kept (and wiped) here until the
    // answer, because an attempt whose process dies is made once more by its successor.
    std::uint64_t attempt(const ipc::Login& login, Callback callback);
    void cancel(std::uint64_t id);

    // From the supervisor's reaper; false if the pid is not one of ours.
    bool reaped(pid_t pid, int status);

    void stop();
    [[nodiscard]] bool empty() const { return by_pid_.empty(); }

  private:
    struct Worker;
    struct Attempt;

    [[nodiscard]] base::Result<std::shared_ptr<Worker>> start(const char* name);
    void on_message(const std::shared_ptr<Worker>& worker, ipc::Message message);
    void lost(const std::shared_ptr<Worker>& worker);
    void dispatch(std::uint64_t id);
    void give_to(const std::shared_ptr<Worker>& worker, std::uint64_t id);
    void answer_failure(std::uint64_t id, const char* reason);
    std::shared_ptr<Worker> idle_helper();

    boost::asio::io_context& io_;
    base::Fd configuration_;
    std::shared_ptr<Worker> authenticator_;
    std::vector<std::shared_ptr<Worker>> helpers_;
    std::unordered_map<pid_t, std::shared_ptr<Worker>> by_pid_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Attempt>> attempts_;
    std::deque<std::uint64_t> waiting_;  // anonymous logins for which no helper is idle
    std::uint64_t last_id_ = 0;
    bool stopped_ = false;
};

}  // namespace supervisor
