// SPDX-License-Identifier: MIT
// Greeters and sessions as the supervisor sees them: spares kept ready, made by a spawner process
// that is replaced when it dies; runs as root.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ipc/channel.hpp"
#include "supervisor/async_channel.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>

#include <sys/types.h>

namespace supervisor {

// A greeter or session: its number and the channel to it. Messages may be sent at once, even while
// it is still being made.
struct ChildProcess {
    std::uint64_t id = 0;
    ipc::Channel channel;
};

class Children {
  public:
    struct Callbacks {
        // The process could not be made, or is gone; status as waitpid(2) gives it. killed: by
        // kill() below.
        std::function<void(std::uint64_t id, int status, bool killed)> exited;
        std::function<void(std::uint64_t id, const base::Error&)> failed;
        std::function<void(pid_t)> made_spawner;
    };

    Children(boost::asio::io_context& io, Callbacks callbacks);
    ~Children();
    Children(const Children&) = delete;
    Children& operator=(const Children&) = delete;

    // A fresh spawner for this configuration (a sealed memfd of Options) and these certificates
    // (sealed as well; empty without TLS); spares of the old one are
    // dropped, and the old one goes when it has nothing left to do. An error leaves everything as
    // it was.
    [[nodiscard]] base::Result<void> renew(base::Fd configuration, base::Fd certificates,
                                           bool keep_spares);
    // The same again, because a child died of a signal and may have been the end of an attack.
    void renew_soon();
    // The same at once and without the spares, because what greeters know by heart has changed.
    void refresh();

    // Ready if there is a spare; otherwise it is made while the first messages wait in its channel.
    // With a cgroup of its own it is always made: moving one that stands elsewhere takes longer.
    [[nodiscard]] base::Result<ChildProcess> take(ipc::Child kind, base::Fd cgroup = {});

    // 0 while it is not known yet, or the child is gone.
    [[nodiscard]] pid_t pid(std::uint64_t id) const;

    // SIGKILL, only while it is certain that the pid is still that child's.
    void kill(std::uint64_t id);

    // For one that should be ending by itself: kill() when it is still there after that time.
    void end_within(std::uint64_t id, std::chrono::seconds time);

    // From the supervisor's reaper: a process that is not the supervisor's other business.
    void reaped(pid_t pid, int status);

    // No more children: the spawner goes when it has read what was sent to it.
    void retire();
    void kill_all();

    void drop_spares();
    void set_spares(std::size_t greeters, std::size_t sessions);
    [[nodiscard]] std::size_t count() const { return known_.size(); }
    [[nodiscard]] bool has_spawner() const { return !spawners_.empty(); }

  private:
    struct Spawner;
    struct Known {
        pid_t pid = 0;
        bool killed = false;
        std::shared_ptr<Spawner> spawner;  // while it lives, only it may signal the child
    };

    [[nodiscard]] base::Result<ChildProcess> spawn(ipc::Child kind, base::Fd cgroup = {});
    [[nodiscard]] base::Result<std::shared_ptr<Spawner>> start();
    void refill();
    void on_message(const std::shared_ptr<Spawner>& spawner, const ipc::Message& message);
    void gone(std::uint64_t id, int status);
    void adopt(std::uint64_t id);
    void wait_for_endings();
    void replace(const Spawner& gone);
    void restart_after(std::chrono::milliseconds delay);

    boost::asio::io_context& io_;
    Callbacks callbacks_;
    base::Fd configuration_;
    base::Fd certificates_;
    std::shared_ptr<Spawner> spawner_;
    std::unordered_map<pid_t, std::shared_ptr<Spawner>> spawners_;  // by pid, until reaped
    std::unordered_map<std::uint64_t, Known> known_;
    std::unordered_map<pid_t, std::uint64_t> by_pid_;
    std::deque<ChildProcess> spare_greeters_;
    std::deque<ChildProcess> spare_sessions_;
    std::size_t greeters_wanted_ = 0;
    std::size_t sessions_wanted_ = 0;
    std::uint64_t last_id_ = 0;
    // Those that should be ending, oldest first; one timer for all, since the time is nearly always
    // the same.
    std::deque<std::pair<std::chrono::steady_clock::time_point, std::uint64_t>> ending_;
    boost::asio::steady_timer end_;
    bool end_pending_ = false;
    boost::asio::steady_timer restart_;
    bool restart_pending_ = false;
    std::chrono::milliseconds restart_delay_{0};  // grows while spawners die young
    bool retired_ = false;
};

}  // namespace supervisor
