// SPDX-License-Identifier: MIT
// Questions on their way to helpers; runs in the supervisor, as root.
#include "supervisor/helper_pool.hpp"

#include "base/log.hpp"
#include "supervisor/roles.hpp"

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
constexpr std::size_t most_helpers = 8;
constexpr int most_tries = 2;
constexpr std::chrono::seconds deadline{30};

}  // namespace

struct HelperPool::Helper {
    Helper(boost::asio::io_context& io, Started process)
        : pid(process.pid), channel(io, std::move(process.channel), most_queued) {}
    pid_t pid;
    bool reaped = false;
    bool retired = false;     // of an older configuration, or lost: no new questions
    std::uint64_t asked = 0;  // 0: idle
    AsyncChannel channel;
};

struct HelperPool::Question {
    Question(boost::asio::io_context& io, ipc::Type kind, std::vector<std::byte> content,
             Fd what_about, Callback to_call)
        : type(kind),
          bytes(std::move(content)),
          descriptor(std::move(what_about)),
          callback(std::move(to_call)),
          timer(io) {}
    ~Question() { ::explicit_bzero(bytes.data(), bytes.size()); }
    Question(const Question&) = delete;
    Question& operator=(const Question&) = delete;

    ipc::Type type;
    std::vector<std::byte> bytes;
    Fd descriptor;
    Callback callback;
    boost::asio::steady_timer timer;
    std::shared_ptr<Helper> helper;
    int tries = 0;
};

HelperPool::HelperPool(boost::asio::io_context& io) : io_(io) {}
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
    for (const auto& each : helpers_) {
        each->retired = true;
        if (each->asked == 0) each->channel.close();
    }
    helpers_ = {std::move(started.value())};
    return base::success();
}

void HelperPool::put(std::uint64_t id, ipc::Type type, std::vector<std::byte> bytes, Fd descriptor,
                     Callback callback) {
    questions_[id] = std::make_unique<Question>(io_, type, std::move(bytes), std::move(descriptor),
                                                std::move(callback));
    dispatch(id);
}

std::shared_ptr<HelperPool::Helper> HelperPool::idle() {
    for (const auto& helper : helpers_) {
        if (helper->asked == 0) return helper;
    }
    if (helpers_.size() >= most_helpers) return nullptr;
    auto helper = start();
    if (!helper) {
        base::log::error(helper.error().text());
        return nullptr;
    }
    helpers_.push_back(helper.value());
    return helper.value();
}

void HelperPool::dispatch(std::uint64_t id) {
    if (auto helper = idle()) return give_to(helper, id);
    waiting_.push_back(id);
}

void HelperPool::give_to(const std::shared_ptr<Helper>& helper, std::uint64_t id) {
    auto& question = *questions_.at(id);
    question.helper = helper;
    ++question.tries;
    helper->asked = id;
    question.timer.expires_after(deadline);
    question.timer.async_wait([this, id](boost::system::error_code error) {
        if (!error) too_late(id);
    });
    std::vector<Fd> descriptors;
    if (question.descriptor)
        descriptors.emplace_back(::fcntl(question.descriptor.get(), F_DUPFD_CLOEXEC, 0));
    if (!helper->channel.send_bytes(question.type, question.bytes, std::move(descriptors)))
        lost(helper);
}

// A helper hangs on one question (a dead file server), so only that one is lost with it.
void HelperPool::too_late(std::uint64_t id) {
    const auto found = questions_.find(id);
    if (found == questions_.end() || !found->second->helper) return;
    const auto late = found->second->helper;
    base::log::error("a helper (pid " + std::to_string(late->pid) +
                     ") gave no answer in time, it is ended");
    found->second->tries = most_tries;
    if (!late->reaped) (void)::kill(late->pid, SIGKILL);
    lost(late);
}

void HelperPool::on_message(const std::shared_ptr<Helper>& helper, ipc::Message message) {
    const auto id = std::exchange(helper->asked, 0);
    const auto found = questions_.find(id);
    if (found != questions_.end()) {
        const auto question = std::move(found->second);
        questions_.erase(found);
        question->callback(&message);
    }
    if (helper->retired) return helper->channel.close();
    while (helper->asked == 0 && !waiting_.empty()) {
        const auto next = waiting_.front();
        waiting_.pop_front();
        if (questions_.contains(next)) give_to(helper, next);
    }
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
        if (found->second->tries < most_tries) return dispatch(id);
        const auto question = std::move(found->second);
        questions_.erase(found);
        question->callback(nullptr);
    }
    // Those that waited for this one's turn to come.
    if (waiting_.empty()) return;
    const auto next = waiting_.front();
    waiting_.pop_front();
    if (questions_.contains(next)) dispatch(next);
}

void HelperPool::cancel(std::uint64_t id) { questions_.erase(id); }

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
    for (const auto& [pid, helper] : by_pid_) helper->channel.close();
    questions_.clear();
}

}  // namespace supervisor
