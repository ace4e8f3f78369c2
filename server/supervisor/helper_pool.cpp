// SPDX-License-Identifier: MIT
// Questions on their way to helpers; runs in the supervisor, as root.
#include "supervisor/helper_pool.hpp"

#include "base/log.hpp"
#include "supervisor/roles.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <signal.h>

namespace supervisor {

using base::Fd;
using base::Result;

namespace {

constexpr std::size_t most_queued = 16;
constexpr int most_tries = 2;
constexpr std::chrono::seconds deadline{30};
constexpr std::chrono::seconds between_trims{5};

}  // namespace

struct HelperPool::Helper {
    Helper(boost::asio::io_context& io, Started process)
        : pid(process.pid), channel(io, std::move(process.channel), most_queued) {}
    pid_t pid;
    bool reaped = false;
    bool retired = false;      // of an older configuration, or lost: no new questions
    std::uint64_t asked = 0;   // 0: idle
    broker::Network source{};  // of that question
    AsyncChannel channel;
};

struct HelperPool::Question {
    Question(boost::asio::io_context& io, ipc::Type kind, std::vector<std::byte> content,
             const broker::Network& about, Fd what_about, Callback to_call)
        : type(kind),
          bytes(std::move(content)),
          source(about),
          descriptor(std::move(what_about)),
          callback(std::move(to_call)),
          timer(io) {}
    ~Question() { ::explicit_bzero(bytes.data(), bytes.size()); }
    Question(const Question&) = delete;
    Question& operator=(const Question&) = delete;

    ipc::Type type;
    std::vector<std::byte> bytes;
    broker::Network source;
    Fd descriptor;
    Callback callback;
    boost::asio::steady_timer timer;
    std::shared_ptr<Helper> helper;
    int tries = 0;
    bool cancelled = false;
};

HelperPool::HelperPool(boost::asio::io_context& io, std::size_t most_helpers)
    : io_(io), most_helpers_(most_helpers), trimming_(io) {}
HelperPool::~HelperPool() = default;

Result<std::shared_ptr<HelperPool::Helper>> HelperPool::start() {
    TRY(auto started, start_process("helper", configuration_));
    auto helper = std::make_shared<Helper>(io_, std::move(started));
    by_pid_[helper->pid] = helper;
    helper->channel.start(
        [this, weak = std::weak_ptr(helper)](ipc::Message message) {
            if (auto strong = weak.lock()) on_message(strong, std::move(message));
        },
        [this, weak = std::weak_ptr(helper)](const base::Error&) {
            if (auto strong = weak.lock()) lost(strong);
        });
    return helper;
}

Result<void> HelperPool::renew(Fd configuration) {
    auto previous = std::exchange(configuration_, std::move(configuration));
    auto started = start();
    if (!started) {
        configuration_ = std::move(previous);
        return started.error();
    }
    retire();
    helpers_ = {std::move(started.value())};
    dispatch_waiting();
    return base::success();
}

void HelperPool::retire() {
    for (const auto& each : helpers_) {
        each->retired = true;
        if (each->asked == 0) each->channel.close();
    }
    helpers_.clear();
}

void HelperPool::put(std::uint64_t id, ipc::Type type, std::vector<std::byte> bytes,
                     const broker::Network& source, Fd descriptor, Callback callback) {
    questions_[id] = std::make_unique<Question>(io_, type, std::move(bytes), source,
                                                std::move(descriptor), std::move(callback));
    dispatch(id);
}

bool HelperPool::has_turn(const broker::Network& source) const {
    const auto all = busy();
    const auto its_own = std::count_if(helpers_.begin(), helpers_.end(), [&](const auto& helper) {
        return helper->asked != 0 && helper->source == source;
    });
    return all < most_helpers_ && static_cast<std::size_t>(its_own) < most_helpers_ - all;
}

std::size_t HelperPool::busy() const {
    return static_cast<std::size_t>(std::count_if(
        helpers_.begin(), helpers_.end(), [](const auto& helper) { return helper->asked != 0; }));
}

std::shared_ptr<HelperPool::Helper> HelperPool::idle() {
    for (const auto& helper : helpers_) {
        if (helper->asked == 0) return helper;
    }
    if (helpers_.size() >= most_helpers_) return nullptr;
    auto helper = start();
    if (!helper) {
        base::log::error(helper.error().text());
        return nullptr;
    }
    helpers_.push_back(helper.value());
    if (helpers_.size() == 2) trim_later();
    return helper.value();
}

void HelperPool::trim_later() {
    trimming_.expires_after(between_trims);
    trimming_.async_wait([this](boost::system::error_code error) {
        if (!error) trim();
    });
}

// What a burst has left behind: of the helpers, so many stay as were busy at once since the last
// time, and one in any case.
void HelperPool::trim() {
    const auto needed = std::max<std::size_t>(std::exchange(needed_, busy()), 1);
    for (auto at = helpers_.size(); at-- > 0 && helpers_.size() > needed;) {
        const auto helper = helpers_[at];
        if (helper->asked != 0) continue;
        helper->retired = true;
        helper->channel.close();
        helpers_.erase(helpers_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    if (helpers_.size() > 1) trim_later();
}

void HelperPool::dispatch(std::uint64_t id) {
    if (has_turn(questions_.at(id)->source)) {
        if (auto helper = idle()) return give_to(helper, id);
    }
    waiting_.push_back(id);
    start_timer(id);
}

void HelperPool::start_timer(std::uint64_t id) {
    auto& timer = questions_.at(id)->timer;
    timer.expires_after(deadline);
    timer.async_wait([this, id](boost::system::error_code error) {
        if (!error) too_late(id);
    });
}

// Whose turn it is now, in the order in which they came.
void HelperPool::dispatch_waiting() {
    std::erase_if(waiting_, [this](std::uint64_t id) { return !questions_.contains(id); });
    for (;;) {
        const auto next = std::find_if(waiting_.begin(), waiting_.end(), [this](std::uint64_t id) {
            const auto question = questions_.find(id);
            return question != questions_.end() && has_turn(question->second->source);
        });
        if (next == waiting_.end()) return;
        const auto helper = idle();
        if (!helper) return;
        const auto id = *next;
        waiting_.erase(next);
        give_to(helper, id);
    }
}

void HelperPool::give_to(const std::shared_ptr<Helper>& helper, std::uint64_t id) {
    auto& question = *questions_.at(id);
    question.helper = helper;
    ++question.tries;
    helper->asked = id;
    helper->source = question.source;
    needed_ = std::max(needed_, busy());
    start_timer(id);
    std::vector<Fd> descriptors;
    if (question.descriptor)
        descriptors.emplace_back(::fcntl(question.descriptor.get(), F_DUPFD_CLOEXEC, 0));
    if (!helper->channel.send_bytes(question.type, question.bytes, std::move(descriptors)))
        lost(helper);
}

// A helper hangs on one question (a dead file server), so only that one is lost with it.
void HelperPool::too_late(std::uint64_t id) {
    const auto found = questions_.find(id);
    if (found == questions_.end()) return;
    const auto late = found->second->helper;
    if (!late) return answer(id, nullptr);  // its turn did not come
    base::log::error("a helper (pid " + std::to_string(late->pid) +
                     ") gave no answer in time, it is ended");
    found->second->tries = most_tries;
    if (!late->reaped) (void)::kill(late->pid, SIGKILL);
    lost(late);
}

void HelperPool::on_message(const std::shared_ptr<Helper>& helper, ipc::Message message) {
    answer(std::exchange(helper->asked, 0), &message);
    if (helper->retired) helper->channel.close();
    dispatch_waiting();
}

void HelperPool::answer(std::uint64_t id, ipc::Message* message) {
    const auto found = questions_.find(id);
    if (found == questions_.end()) return;
    const auto question = std::move(found->second);
    questions_.erase(found);
    if (!question->cancelled) question->callback(message);
}

// Its question is put once more to another: whoever waits for it did nothing wrong.
void HelperPool::lost(const std::shared_ptr<Helper>& helper) {
    helper->channel.close();
    helper->retired = true;
    std::erase(helpers_, helper);
    const auto id = std::exchange(helper->asked, 0);
    if (stopped_) return;
    if (id != 0 || !helper->reaped)
        base::log::warning("a helper (pid " + std::to_string(helper->pid) +
                           ") is gone, another takes over");
    const auto found = questions_.find(id);
    if (found != questions_.end()) {
        found->second->helper.reset();
        found->second->timer.cancel();
        if (found->second->tries < most_tries && !found->second->cancelled)
            dispatch(id);
        else
            answer(id, nullptr);
    }
    dispatch_waiting();
}

// One that a helper works on stays, with its deadline: the helper may hang on it.
void HelperPool::cancel(std::uint64_t id) {
    const auto found = questions_.find(id);
    if (found == questions_.end()) return;
    found->second->cancelled = true;
    if (!found->second->helper) questions_.erase(found);
}

bool HelperPool::reaped(pid_t pid) {
    const auto found = by_pid_.find(pid);
    if (found == by_pid_.end()) return false;
    const auto helper = found->second;
    by_pid_.erase(found);
    helper->channel.drain();
    helper->reaped = true;
    if (!helper->retired) lost(helper);
    return true;
}

void HelperPool::stop() {
    stopped_ = true;
    trimming_.cancel();
    for (const auto& [pid, helper] : by_pid_) helper->channel.close();
    questions_.clear();
}

}  // namespace supervisor
