// SPDX-License-Identifier: MIT
// Attempts that wait for a turn; runs in the authenticator.
#include "authenticator/waiting.hpp"

#include <algorithm>
#include <utility>

namespace authenticator {

void WipeLogin::operator()(ipc::Login* login) const {
    ::explicit_bzero(login, sizeof *login);
    delete login;
}

void WaitingRoom::add(const ipc::Login& login, Clock::time_point now) {
    Waiting waiting;
    waiting.login.reset(new ipc::Login(login));
    waiting.source = broker::network_of(login.peer);
    waiting.arrived = now;
    ++size_;
    auto queue = std::find_if(queues_.begin(), queues_.end(),
                              [&](const Queue& each) { return each.source == waiting.source; });
    if (queue == queues_.end()) queue = queues_.insert(queues_.end(), Queue{waiting.source, {}});
    queue->attempts.push_back(std::move(waiting));
}

Waiting WaitingRoom::take_from(std::list<Queue>::iterator queue) {
    auto waiting = std::move(queue->attempts.front());
    queue->attempts.pop_front();
    --size_;
    if (queue->attempts.empty())
        queues_.erase(queue);
    else
        queues_.splice(queues_.end(), queues_, queue);
    return waiting;
}

Waiting WaitingRoom::give_up_for(const Source& newcomer) {
    std::size_t its_own = 0;
    auto longest = queues_.end();
    for (auto queue = queues_.begin(); queue != queues_.end(); ++queue) {
        if (queue->source == newcomer) its_own = queue->attempts.size();
        if (longest == queues_.end() || queue->attempts.size() > longest->attempts.size())
            longest = queue;
    }
    if (longest == queues_.end() || longest->attempts.size() <= its_own + 1) return {};
    auto waiting = std::move(longest->attempts.back());
    longest->attempts.pop_back();
    --size_;
    return waiting;
}

std::vector<Waiting> WaitingRoom::take_older_than(Clock::time_point time) {
    std::vector<Waiting> old;
    for (auto queue = queues_.begin(); queue != queues_.end();) {
        auto& attempts = queue->attempts;
        while (!attempts.empty() && attempts.front().arrived < time) {
            old.push_back(std::move(attempts.front()));
            attempts.pop_front();
            --size_;
        }
        queue = attempts.empty() ? queues_.erase(queue) : std::next(queue);
    }
    return old;
}

void WaitingRoom::wipe() {
    for (auto& queue : queues_) {
        for (auto& each : queue.attempts) ::explicit_bzero(each.login.get(), sizeof *each.login);
    }
}

}  // namespace authenticator
