// SPDX-License-Identifier: MIT
// Hands login attempts to the authenticator (system users, tenants) and to helpers (anonymous), and
// brings the answers back; runs in the supervisor, as root.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ipc/requests.hpp"
#include "supervisor/async_channel.hpp"
#include "supervisor/helper_pool.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
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

    Logins(boost::asio::io_context& io, HelperPool& helpers);
    ~Logins();
    Logins(const Logins&) = delete;
    Logins& operator=(const Logins&) = delete;

    // A fresh authenticator for this configuration (a sealed memfd of Configuration). The old one
    // finishes what it has begun. An error leaves everything as it was.
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

    [[nodiscard]] base::Result<std::shared_ptr<Worker>> start();
    void on_message(const std::shared_ptr<Worker>& worker, ipc::Message message);
    void lost(const std::shared_ptr<Worker>& worker);
    void dispatch(std::uint64_t id);
    void ask_helper(std::uint64_t id);
    void give_to(const std::shared_ptr<Worker>& worker, std::uint64_t id);
    void answer(std::uint64_t id, ipc::Message* message);
    void answer_failure(std::uint64_t id, const char* reason);

    boost::asio::io_context& io_;
    HelperPool& helpers_;
    base::Fd configuration_;
    std::shared_ptr<Worker> authenticator_;
    std::unordered_map<pid_t, std::shared_ptr<Worker>> by_pid_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Attempt>> attempts_;
    std::uint64_t last_id_ = 0;
    bool stopped_ = false;
};

}  // namespace supervisor
