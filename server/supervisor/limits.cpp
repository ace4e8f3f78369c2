// SPDX-License-Identifier: MIT
// max_clients, max_per_ip and crashes; runs in the supervisor, as root.
#include "supervisor/limits.hpp"

#include "broker/address.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <functional>
#include <iterator>
#include <string_view>

namespace supervisor {

std::size_t Limits::Hash::operator()(const Key& key) const {
    const std::string_view bytes(reinterpret_cast<const char*>(key.data()), key.size());
    return std::hash<std::string_view>{}(bytes);
}

// As vsftpd, an IPv6 client is its whole address, although one customer usually has 2^64 of them:
// max_clients is what bounds those.
Limits::Key Limits::host(const ipc::Address& address) {
    Key key{};
    const auto v6 = broker::as_family(address, AF_INET6);
    static_assert(sizeof v6.v6.sin6_addr == sizeof key);
    std::memcpy(key.data(), &v6.v6.sin6_addr, key.size());
    return key;
}

// Crashes are counted by /64, else an attacker would take the next address for the next try.
Limits::Key Limits::network(const ipc::Address& address) { return broker::network_of(address); }

Limits::Verdict Limits::admit(const ipc::Address& peer, std::uint32_t max_clients,
                              std::uint32_t max_per_ip, Clock::time_point now) {
    if (max_clients > 0 && clients_ >= max_clients) return Verdict::too_many;
    const auto key = host(peer);
    const auto found = connections_.find(key);
    const auto here = found == connections_.end() ? 0 : found->second;
    if (max_per_ip > 0 && here >= max_per_ip) return Verdict::too_many_per_ip;
    if (shut_out(peer, now)) return Verdict::throttled;
    connections_[key] = here + 1;
    ++clients_;
    return Verdict::ok;
}

void Limits::release(const ipc::Address& peer) {
    const auto found = connections_.find(host(peer));
    if (found == connections_.end()) return;
    --clients_;
    if (--found->second == 0) connections_.erase(found);
}

bool Limits::is_crash(int signal) {
    constexpr int crashes[] = {SIGSEGV, SIGSYS, SIGABRT, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    return std::find(std::begin(crashes), std::end(crashes), signal) != std::end(crashes);
}

void Limits::crashed(const ipc::Address& peer, Clock::time_point now) {
    const auto key = network(peer);
    if (!crashes_.contains(key)) make_room(now);
    auto& crashes = crashes_[key];
    if (crashes.count == 0 || is_over(crashes, now)) crashes = {0, now, {}};
    if (++crashes.count >= most_crashes) crashes.shut_out_until = now + throttle_time;
}

bool Limits::is_over(const Crashes& crashes, Clock::time_point now) {
    return now >= crashes.first + crash_window && now >= crashes.shut_out_until;
}

bool Limits::shut_out(const ipc::Address& peer, Clock::time_point now) {
    const auto found = crashes_.find(network(peer));
    if (found == crashes_.end()) return false;
    if (is_over(found->second, now))
        crashes_.erase(found);
    else
        return now < found->second.shut_out_until;
    return false;
}

// What is over goes; where everything is recent, the oldest does.
void Limits::make_room(Clock::time_point now) {
    if (crashes_.size() < most_remembered) return;
    std::erase_if(crashes_, [&](const auto& each) { return is_over(each.second, now); });
    if (crashes_.size() < most_remembered) return;
    crashes_.erase(std::min_element(
        crashes_.begin(), crashes_.end(),
        [](const auto& a, const auto& b) { return a.second.first < b.second.first; }));
}

}  // namespace supervisor
