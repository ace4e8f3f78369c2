// SPDX-License-Identifier: MIT
// Spares, the spawner and what became of its children; runs in the supervisor, as root.
#include "supervisor/children.hpp"

#include "base/log.hpp"
#include "supervisor/roles.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <signal.h>
#include <sys/wait.h>

namespace supervisor {

using base::Fd;
using base::Result;

namespace {

// Thousands of logins at once may wait for a spawner that forks one after the other.
constexpr std::size_t most_queued = 20000;
constexpr std::chrono::milliseconds replace_delay{200};
constexpr std::chrono::seconds long_life{5};
constexpr std::chrono::milliseconds shortest_delay{100};
constexpr std::chrono::milliseconds longest_delay{10'000};

bool is_our_child(pid_t pid) {
    siginfo_t ignored{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &ignored, WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace

struct Children::Spawner {
    Spawner(boost::asio::io_context& io, Started started)
        : pid(started.pid), channel(io, std::move(started.channel), most_queued) {}
    pid_t pid;
    bool alive = true;
    std::chrono::steady_clock::time_point born = std::chrono::steady_clock::now();
    AsyncChannel channel;
};

Children::Children(boost::asio::io_context& io, Callbacks callbacks)
    : io_(io), callbacks_(std::move(callbacks)), end_(io), restart_(io) {}

Children::~Children() = default;

Result<std::shared_ptr<Children::Spawner>> Children::start() {
    TRY(auto started, start_process("spawner", configuration_, certificates_));
    auto spawner = std::make_shared<Spawner>(io_, std::move(started));
    spawners_[spawner->pid] = spawner;
    callbacks_.made_spawner(spawner->pid);
    spawner->channel.start(
        [this, weak = std::weak_ptr(spawner)](ipc::Message message) {
            if (auto strong = weak.lock()) on_message(strong, message);
        },
        [this, weak = std::weak_ptr(spawner)](const base::Error&) {
            auto strong = weak.lock();
            // Its death is certain only when it is reaped; until then nobody may be signalled.
            if (strong && strong == spawner_) {
                base::log::error("the spawner (pid " + std::to_string(strong->pid) +
                                 ") is gone, starting another");
                spawner_.reset();
                replace(*strong);
            }
        });
    return spawner;
}

Result<void> Children::renew(Fd configuration, Fd certificates, bool keep_spares) {
    auto previous = std::exchange(configuration_, std::move(configuration));
    auto previous_certificates = std::exchange(certificates_, std::move(certificates));
    auto started = start();
    if (!started) {
        configuration_ = std::move(previous);
        certificates_ = std::move(previous_certificates);
        return started.error();
    }
    if (!keep_spares) drop_spares();
    // The old spawner sees the end of its channel and goes; its children are ours from then on.
    if (spawner_) spawner_->channel.finish_sending();
    spawner_ = std::move(started.value());
    refill();
    return base::success();
}

// At once, unless it did not live long: whatever ended it will end the next one too.
void Children::replace(const Spawner& gone) {
    const auto lived = std::chrono::steady_clock::now() - gone.born;
    restart_delay_ = lived > long_life
                         ? std::chrono::milliseconds(0)
                         : std::clamp(restart_delay_ * 2, shortest_delay, longest_delay);
    restart_after(restart_delay_);
}

void Children::renew_soon() { restart_after(replace_delay); }

void Children::refresh() {
    drop_spares();
    restart_after(std::chrono::milliseconds(0));
}

void Children::retire() {
    retired_ = true;
    drop_spares();
    if (spawner_) spawner_->channel.finish_sending();
    spawner_.reset();
}

void Children::kill_all() {
    std::vector<std::uint64_t> all;
    for (const auto& [id, child] : known_) all.push_back(id);
    for (const auto id : all) kill(id);
}

void Children::restart_after(std::chrono::milliseconds delay) {
    if (restart_pending_ || retired_) return;
    restart_pending_ = true;
    restart_.expires_after(delay);
    restart_.async_wait([this](boost::system::error_code error) {
        if (error || retired_) return;
        restart_pending_ = false;
        auto started = start();
        if (!started) {
            base::log::error(started.error().text());
            return restart_after(std::chrono::seconds(1));
        }
        if (spawner_) spawner_->channel.finish_sending();
        spawner_ = std::move(started.value());
        refill();
    });
}

Result<ChildProcess> Children::spawn(ipc::Child kind, Fd cgroup) {
    if (!spawner_) return base::Error{"the spawner is being replaced", EAGAIN};
    TRY(auto ends, ipc::Channel::pair());
    const auto id = ++last_id_;
    std::vector<Fd> descriptors;
    descriptors.push_back(ends.second.release());
    if (cgroup) descriptors.push_back(std::move(cgroup));
    if (!spawner_->channel.send(ipc::Spawn{id, kind, 0}, std::move(descriptors)))
        return base::Error{"the spawner does not listen", EAGAIN};
    known_[id].spawner = spawner_;
    return ChildProcess{id, std::move(ends.first)};
}

Result<ChildProcess> Children::take(ipc::Child kind, Fd cgroup) {
    if (cgroup) return spawn(kind, std::move(cgroup));
    auto& spares = kind == ipc::Child::greeter ? spare_greeters_ : spare_sessions_;
    if (spares.empty()) return spawn(kind);
    auto child = std::move(spares.front());
    spares.pop_front();
    refill();
    return child;
}

void Children::refill() {
    const auto fill = [&](std::deque<ChildProcess>& spares, std::size_t wanted, ipc::Child kind) {
        while (spares.size() < wanted) {
            auto child = spawn(kind);
            if (!child) return;
            spares.push_back(std::move(child.value()));
        }
    };
    fill(spare_greeters_, greeters_wanted_, ipc::Child::greeter);
    fill(spare_sessions_, sessions_wanted_, ipc::Child::session);
}

void Children::set_spares(std::size_t greeters, std::size_t sessions) {
    greeters_wanted_ = greeters;
    sessions_wanted_ = sessions;
    if (spawner_) refill();
}

void Children::drop_spares() {
    spare_greeters_.clear();
    spare_sessions_.clear();
}

pid_t Children::pid(std::uint64_t id) const {
    const auto child = known_.find(id);
    return child == known_.end() ? 0 : child->second.pid;
}

void Children::on_message(const std::shared_ptr<Spawner>& spawner, const ipc::Message& message) {
    if (const auto* spawned = message.as<ipc::Spawned>()) {
        const auto child = known_.find(spawned->id);
        if (child == known_.end()) return;
        if (spawned->pid > 0) {
            child->second.pid = spawned->pid;
            by_pid_[spawned->pid] = spawned->id;
            if (child->second.killed) kill(spawned->id);
            return;
        }
        known_.erase(child);
        callbacks_.failed(spawned->id, {"cannot make a process", spawned->number});
    } else if (const auto* exited = message.as<ipc::Exited>()) {
        gone(exited->id, exited->status);
    } else {
        base::log::error("the spawner sent a message that makes no sense");
        spawner->channel.close();
        if (spawner == spawner_) {
            spawner_.reset();
            replace(*spawner);
        }
    }
}

void Children::kill(std::uint64_t id) {
    const auto found = known_.find(id);
    if (found == known_.end()) return;
    auto& child = found->second;
    child.killed = true;
    if (child.pid <= 0) return;  // comes again with its Spawned
    if (child.spawner && child.spawner->alive) {
        // A refused message means a dying spawner: its children become ours, and reaped() asks
        // again.
        (void)child.spawner->channel.send(ipc::Kill{id, SIGKILL, 0});
        return;
    }
    // Ours, by adoption, and not reaped: nobody else can have this pid.
    (void)::kill(child.pid, SIGKILL);
}

void Children::end_within(std::uint64_t id, std::chrono::seconds time) {
    if (!known_.contains(id)) return;
    ending_.emplace_back(std::chrono::steady_clock::now() + time, id);
    wait_for_endings();
}

void Children::wait_for_endings() {
    if (ending_.empty() || end_pending_) return;
    end_pending_ = true;
    end_.expires_at(ending_.front().first);
    end_.async_wait([this](boost::system::error_code error) {
        end_pending_ = false;
        if (error) return;
        const auto now = std::chrono::steady_clock::now();
        while (!ending_.empty() && ending_.front().first <= now) {
            kill(ending_.front().second);
            ending_.pop_front();
        }
        wait_for_endings();
    });
}

void Children::gone(std::uint64_t id, int status) {
    const auto child = known_.find(id);
    if (child == known_.end()) return;
    const bool killed = child->second.killed;
    by_pid_.erase(child->second.pid);
    known_.erase(child);
    const auto drop = [id](std::deque<ChildProcess>& spares) {
        std::erase_if(spares, [id](const ChildProcess& spare) { return spare.id == id; });
    };
    drop(spare_greeters_);
    drop(spare_sessions_);
    callbacks_.exited(id, status, killed);
    if (spawner_) refill();
}

void Children::adopt(std::uint64_t id) {
    const auto found = known_.find(id);
    if (found == known_.end()) return;
    found->second.spawner.reset();
    const pid_t made = found->second.pid;
    if (made <= 0) {
        known_.erase(found);
        callbacks_.failed(id, {"the spawner died", 0});
    } else if (!is_our_child(made)) {
        gone(id, 0);
    } else if (found->second.killed) {
        kill(id);
    }
}

void Children::reaped(pid_t pid, int status) {
    if (const auto found = spawners_.find(pid); found != spawners_.end()) {
        const auto spawner = found->second;
        spawners_.erase(found);
        spawner->channel.drain();
        spawner->alive = false;
        spawner->channel.close();
        if (spawner == spawner_) {
            base::log::error("the spawner (pid " + std::to_string(pid) +
                             ") died, starting another");
            spawner_.reset();
            replace(*spawner);
        }
        // What it had made is ours now; what it reaped in its last moment is nobody's, and its pid
        // may soon be somebody else's.
        std::vector<std::uint64_t> orphans;
        for (const auto& [id, child] : known_) {
            if (child.spawner == spawner) orphans.push_back(id);
        }
        for (const auto id : orphans) adopt(id);
        return;
    }
    if (const auto child = by_pid_.find(pid); child != by_pid_.end()) gone(child->second, status);
}

}  // namespace supervisor
