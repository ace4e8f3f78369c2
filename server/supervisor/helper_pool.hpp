// SPDX-License-Identifier: MIT
// Helper processes and the questions put to them: whatever may hang (name services, disks of homes)
// is asked there; runs in the supervisor, as root.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "broker/address.hpp"
#include "ipc/channel.hpp"
#include "supervisor/async_channel.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include <sys/types.h>

namespace supervisor {

class HelperPool {
  public:
    // The answer, of whatever type; nullptr when two helpers died or hung over the question. Called
    // once, unless the question is cancelled before.
    using Callback = std::function<void(ipc::Message*)>;

    HelperPool(boost::asio::io_context& io, std::size_t most_helpers);
    ~HelperPool();
    HelperPool(const HelperPool&) = delete;
    HelperPool& operator=(const HelperPool&) = delete;

    // Fresh helpers for this configuration (a sealed memfd of Configuration). The old ones finish
    // what they have begun. An error leaves everything as it was.
    [[nodiscard]] base::Result<void> renew(base::Fd configuration);
    // No helpers until the next renew(), for nobody will ask.
    void retire();

    // A helper has one question at a time, and a client's network as many helpers as are left for
    // all others: however many it asks about, there is always one more for somebody else. The
    // question's number, which is put into its `id` (the answer carries the same); its bytes are
    // kept, and wiped, here until the answer, because a question whose helper dies is put once
    // more.
    template <ipc::Sendable Q>
    std::uint64_t ask(Q question, const ipc::Address& about, Callback callback,
                      base::Fd descriptor = {}) {
        question.id = ++last_id_;
        const auto* bytes = reinterpret_cast<const std::byte*>(&question);
        put(last_id_, Q::type, {bytes, bytes + sizeof question}, broker::network_of(about),
            std::move(descriptor), std::move(callback));
        ::explicit_bzero(&question, sizeof question);
        return last_id_;
    }
    void cancel(std::uint64_t id);

    // From the supervisor's reaper; false if the pid is not one of ours.
    bool reaped(pid_t pid);

    void stop();
    [[nodiscard]] bool empty() const { return by_pid_.empty(); }

  private:
    struct Helper;
    struct Question;

    void put(std::uint64_t id, ipc::Type type, std::vector<std::byte> bytes,
             const broker::Network& source, base::Fd descriptor, Callback callback);
    [[nodiscard]] base::Result<std::shared_ptr<Helper>> start();
    [[nodiscard]] std::shared_ptr<Helper> idle();
    [[nodiscard]] std::size_t busy() const;
    [[nodiscard]] bool has_turn(const broker::Network& source) const;
    void dispatch(std::uint64_t id);
    void dispatch_waiting();
    void start_timer(std::uint64_t id);
    void answer(std::uint64_t id, ipc::Message* message);
    void give_to(const std::shared_ptr<Helper>& helper, std::uint64_t id);
    void on_message(const std::shared_ptr<Helper>& helper, ipc::Message message);
    void lost(const std::shared_ptr<Helper>& helper);
    void too_late(std::uint64_t id);
    void trim_later();
    void trim();

    boost::asio::io_context& io_;
    std::size_t most_helpers_;
    base::Fd configuration_;
    std::vector<std::shared_ptr<Helper>> helpers_;
    std::unordered_map<pid_t, std::shared_ptr<Helper>> by_pid_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Question>> questions_;
    std::deque<std::uint64_t> waiting_;  // for a helper, or for their turn
    std::uint64_t last_id_ = 0;
    boost::asio::steady_timer trimming_;
    std::size_t needed_ = 0;  // so many were busy at once since helpers were last given up
    bool stopped_ = false;
};

}  // namespace supervisor
