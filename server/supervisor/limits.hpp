// SPDX-License-Identifier: MIT
// max_clients and max_per_ip, and who is shut out because its sessions crashed; runs in the
// supervisor, as root.
#pragma once

#include "ipc/requests.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace supervisor {

class Limits {
  public:
    using Clock = std::chrono::steady_clock;
    enum class Verdict : std::uint8_t { ok, too_many, too_many_per_ip, throttled };

    // This many crashes within crash_window shut an address out for throttle_time: whoever tries to
    // break into a session gets few tries, and each at another address layout.
    static constexpr unsigned most_crashes = 5;
    static constexpr Clock::duration crash_window = std::chrono::seconds(60);
    static constexpr Clock::duration throttle_time = std::chrono::minutes(5);
    static constexpr std::size_t most_remembered = 1024;  // addresses with crashes

    // Counts the connection when the verdict is ok, and only then; 0 means no limit. In vsftpd's
    // order: max_clients, then max_per_ip.
    [[nodiscard]] Verdict admit(const ipc::Address& peer, std::uint32_t max_clients,
                                std::uint32_t max_per_ip, Clock::time_point now);
    // The end of a connection that was admitted.
    void release(const ipc::Address& peer);
    // A signal for a fault of the process's own. Of SIGKILL it is innocent: administrators send it,
    // and the kernel when memory is short.
    [[nodiscard]] static bool is_crash(int signal);
    // A process of that client died of such a signal.
    void crashed(const ipc::Address& peer, Clock::time_point now);

    [[nodiscard]] std::size_t clients() const { return clients_; }
    // Addresses that are remembered for their connections or crashes.
    [[nodiscard]] std::size_t addresses() const { return connections_.size() + crashes_.size(); }

  private:
    using Key = std::array<std::uint8_t, 16>;  // an IPv6 address, IPv4 as ::ffff:a.b.c.d
    struct Hash {
        std::size_t operator()(const Key& key) const;
    };
    struct Crashes {
        unsigned count = 0;
        Clock::time_point first;
        Clock::time_point shut_out_until;  // default: not
    };

    [[nodiscard]] static Key host(const ipc::Address& address);
    [[nodiscard]] static Key network(const ipc::Address& address);
    [[nodiscard]] static bool is_over(const Crashes& crashes, Clock::time_point now);
    [[nodiscard]] bool shut_out(const ipc::Address& peer, Clock::time_point now);
    void make_room(Clock::time_point now);

    std::size_t clients_ = 0;
    std::unordered_map<Key, std::uint32_t, Hash> connections_;  // only addresses that have some
    std::unordered_map<Key, Crashes, Hash> crashes_;
};

}  // namespace supervisor
