// SPDX-License-Identifier: MIT
// Attempts that wait for a turn, fair to every source address; runs in the authenticator.
#pragma once

#include "broker/address.hpp"
#include "ipc/requests.hpp"

#include <chrono>
#include <deque>
#include <list>
#include <memory>
#include <vector>

namespace authenticator {

using Clock = std::chrono::steady_clock;

using Source = broker::Network;

struct WipeLogin {
    void operator()(ipc::Login* login) const;
};

struct Waiting {
    std::unique_ptr<ipc::Login, WipeLogin> login;
    Source source{};
    Clock::time_point arrived;
};

// Each source has a queue of its own and they take turns: who sends a thousand attempts waits for
// them himself.
class WaitingRoom {
  public:
    void add(const ipc::Login& login, Clock::time_point now);

    // The next one of a source that may have another attempt running; its login is empty when there
    // is none.
    template <typename May>
    [[nodiscard]] Waiting take(May may_run) {
        for (auto queue = queues_.begin(); queue != queues_.end(); ++queue) {
            if (may_run(queue->source)) return take_from(queue);
        }
        return {};
    }

    // When there is no room for another one of that source: the newest attempt of the source that
    // has most of them. Its login is empty when none has clearly more than the newcomer.
    [[nodiscard]] Waiting give_up_for(const Source& newcomer);

    // Those that arrived before.
    [[nodiscard]] std::vector<Waiting> take_older_than(Clock::time_point time);

    [[nodiscard]] std::size_t size() const { return size_; }
    // In a forked child: other people's passwords are none of its business.
    void wipe();

  private:
    struct Queue {
        Source source;
        std::deque<Waiting> attempts;
    };
    [[nodiscard]] Waiting take_from(std::list<Queue>::iterator queue);
    std::list<Queue> queues_;  // the one whose turn is next is first; none is empty
    std::size_t size_ = 0;
};

}  // namespace authenticator
