// SPDX-License-Identifier: MIT
// Login attempts on their way to authenticator and helpers; runs in the supervisor, as root.
#include "supervisor/logins.hpp"

#include "base/log.hpp"
#include "supervisor/roles.hpp"

#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include <signal.h>

namespace supervisor {

using base::Fd;
using base::Result;

namespace {

constexpr std::size_t most_queued = 20000;
// Longer than the authenticator's own deadline for an attempt, so that its better answer comes
// first.
constexpr std::chrono::seconds attempt_deadline{90};

}  // namespace

struct Logins::Worker {
    Worker(boost::asio::io_context& io, Started process)
        : pid(process.pid), channel(io, std::move(process.channel), most_queued) {}
    pid_t pid;
    bool reaped = false;
    bool retired = false;  // of an older configuration: no new attempts
    std::size_t busy = 0;  // attempts it has been given
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    AsyncChannel channel;
};

struct Logins::Attempt {
    Attempt(boost::asio::io_context& io, const ipc::Login& wanted, Callback to_call)
        : login(wanted), callback(std::move(to_call)), deadline(io) {}
    ~Attempt() { ::explicit_bzero(&login, sizeof login); }
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    ipc::Login login;
    Callback callback;
    boost::asio::steady_timer deadline;
    std::shared_ptr<Worker> worker;
    std::uint64_t question = 0;  // to a helper
    int tries = 0;
};

Logins::Logins(boost::asio::io_context& io, HelperPool& helpers) : io_(io), helpers_(helpers) {}
Logins::~Logins() = default;

Result<std::shared_ptr<Logins::Worker>> Logins::start() {
    TRY(auto started, start_process("authenticator", configuration_));
    auto worker = std::make_shared<Worker>(io_, std::move(started));
    by_pid_[worker->pid] = worker;
    worker->channel.start(
        [this, weak = std::weak_ptr(worker)](ipc::Message message) {
            if (auto strong = weak.lock()) on_message(strong, std::move(message));
        },
        [this, weak = std::weak_ptr(worker)](const base::Error&) {
            if (auto strong = weak.lock()) lost(strong);
        });
    return worker;
}

Result<void> Logins::renew(Fd configuration) {
    auto previous = std::exchange(configuration_, std::move(configuration));
    auto authenticator = start();
    if (!authenticator) {
        configuration_ = std::move(previous);
        return authenticator.error();
    }
    if (authenticator_) {
        authenticator_->retired = true;
        if (authenticator_->busy == 0) authenticator_->channel.close();
    }
    authenticator_ = std::move(authenticator.value());
    return base::success();
}

std::uint64_t Logins::attempt(const ipc::Login& login, Callback callback) {
    const auto id = ++last_id_;
    auto& attempt = attempts_[id];
    attempt = std::make_unique<Attempt>(io_, login, std::move(callback));
    attempt->login.id = id;
    dispatch(id);
    return id;
}

void Logins::dispatch(std::uint64_t id) {
    if (attempts_.at(id)->login.account == ipc::Account::anonymous) return ask_helper(id);
    if (!authenticator_) {
        auto started = start();
        if (!started) {
            base::log::error(started.error().text());
            return answer_failure(id, "the authenticator cannot be started");
        }
        authenticator_ = std::move(started.value());
    }
    // A reference of its own: the member is empty as soon as it turns out that it is gone.
    const auto authenticator = authenticator_;
    give_to(authenticator, id);
}

void Logins::ask_helper(std::uint64_t id) {
    auto& attempt = *attempts_.at(id);
    attempt.question =
        helpers_.ask(attempt.login, attempt.login.peer, [this, id](ipc::Message* message) {
            if (message == nullptr)
                return answer_failure(id, "the process that was to look at the login died or hung");
            answer(id, message);
        });
}

void Logins::give_to(const std::shared_ptr<Worker>& worker, std::uint64_t id) {
    auto& attempt = *attempts_.at(id);
    attempt.worker = worker;
    ++attempt.tries;
    ++worker->busy;
    attempt.deadline.expires_after(attempt_deadline);
    attempt.deadline.async_wait([this, id](boost::system::error_code error) {
        if (error) return;
        const auto found = attempts_.find(id);
        if (found == attempts_.end()) return;
        const auto late = found->second->worker;
        base::log::error("a login attempt got no answer in time from the authenticator (pid " +
                         std::to_string(late->pid) + "), which is ended");
        found->second->tries = 2;
        if (!late->reaped) (void)::kill(late->pid, SIGKILL);
        lost(late);
    });
    if (!worker->channel.send(attempt.login)) lost(worker);
}

void Logins::on_message(const std::shared_ptr<Worker>& worker, ipc::Message message) {
    const auto* said = message.as<ipc::LoginAnswer>();
    if (said == nullptr) {
        base::log::error("the authenticator sent a message that makes no sense");
        return lost(worker);
    }
    const auto found = attempts_.find(said->id);
    if (worker->busy > 0) --worker->busy;
    if (found != attempts_.end() && found->second->worker == worker) answer(said->id, &message);
    if (worker->retired && worker->busy == 0) worker->channel.close();
}

void Logins::answer(std::uint64_t id, ipc::Message* message) {
    const auto* said = message->as<ipc::LoginAnswer>();
    if (said == nullptr || !said->user.valid() || !said->shown_password.valid() ||
        !said->client_text.valid() || !said->reason.valid() || !said->cgroup.name.valid() ||
        said->binds > ipc::most_binds)
        return answer_failure(id, "the answer to the login makes no sense");
    const auto found = attempts_.find(id);
    if (found == attempts_.end()) return;
    const auto attempt = std::move(found->second);
    attempts_.erase(found);
    attempt->callback(*said, std::move(message->descriptors));
}

void Logins::answer_failure(std::uint64_t id, const char* reason) {
    const auto found = attempts_.find(id);
    if (found == attempts_.end()) return;
    const auto attempt = std::move(found->second);
    attempts_.erase(found);
    ipc::LoginAnswer answer{};
    answer.id = id;
    answer.outcome = ipc::Outcome::broken;
    answer.account = attempt->login.account;
    answer.client_text.assign("login service unavailable, please try later");
    answer.reason.assign(reason);
    attempt->callback(answer, {});
}

// Its attempts are made once more elsewhere: the clients did nothing wrong.
void Logins::lost(const std::shared_ptr<Worker>& worker) {
    worker->channel.close();
    worker->retired = true;
    if (authenticator_ == worker) authenticator_.reset();
    if (stopped_) return;

    std::vector<std::uint64_t> orphans;
    for (const auto& [id, attempt] : attempts_) {
        if (attempt->worker == worker) orphans.push_back(id);
    }
    if (!orphans.empty() || !worker->reaped)
        base::log::warning("the authenticator (pid " + std::to_string(worker->pid) +
                           ") is gone, another takes over");
    for (const auto id : orphans) {
        const auto found = attempts_.find(id);
        if (found == attempts_.end()) continue;
        auto& attempt = *found->second;
        attempt.worker.reset();
        attempt.deadline.cancel();
        if (attempt.tries >= 2) {
            answer_failure(id, "the process that was to check the login died or hung");
        } else {
            dispatch(id);
        }
    }
    // The next login starts one anyway; doing it now saves that login the wait, unless it dies at
    // once.
    const bool long_lived =
        std::chrono::steady_clock::now() - worker->started > std::chrono::seconds(1);
    if (!authenticator_ && long_lived) {
        auto started = start();
        if (started) {
            authenticator_ = std::move(started.value());
        } else {
            base::log::error(started.error().text());
        }
    }
}

void Logins::cancel(std::uint64_t id) {
    const auto found = attempts_.find(id);
    if (found == attempts_.end()) return;
    if (found->second->question != 0) helpers_.cancel(found->second->question);
    attempts_.erase(found);
}

bool Logins::reaped(pid_t pid, int) {
    const auto found = by_pid_.find(pid);
    if (found == by_pid_.end()) return false;
    const auto worker = found->second;
    by_pid_.erase(found);
    worker->channel.drain();
    worker->reaped = true;
    if (!worker->retired) lost(worker);
    return true;
}

void Logins::stop() {
    stopped_ = true;
    for (const auto& [pid, worker] : by_pid_) worker->channel.close();
    attempts_.clear();
}

}  // namespace supervisor
