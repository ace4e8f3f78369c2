// SPDX-License-Identifier: MIT
// The signer as the supervisor sees it; runs as root.
#include "supervisor/signer_client.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "ipc/admission.hpp"

#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include <signal.h>

namespace supervisor {

using base::Error;
using base::Fd;
using base::Result;
using namespace std::chrono_literals;

namespace {

// Thousands of certificates may have to be read, from slow disks.
constexpr int longest_start = 30'000;  // milliseconds
constexpr auto longest_signing = 8s;   // less than a greeter waits
constexpr auto restart_delay = 500ms;
constexpr std::size_t most_queued = 20000;
constexpr std::size_t largest_certificates = std::size_t{256} << 20;

Result<ReadySigner> await(Started process, Fd configuration) {
    auto message = process.channel.wait(longest_start);
    if (!message) return Error{"the signer has ended: " + message.error().text()};
    const auto* ready = message.value().as<ipc::SignerReady>();
    if (ready == nullptr || !ready->error.valid()) return Error{"the signer makes no sense"};
    if (ready->error.length > 0) return Error{base::escaped(ready->error.view())};
    if (message.value().descriptors.size() != 1) return Error{"the signer makes no sense"};
    ReadySigner signer{std::move(process),
                       std::move(configuration),
                       std::move(message.value().descriptors.front()),
                       {}};
    TRY(const auto bytes, ipc::read_sealed(signer.certificates, largest_certificates));
    TRY(signer.known, ipc::parse_certificates(bytes));
    return signer;
}

}  // namespace

Result<ReadySigner> start_signer(Fd configuration) {
    TRY(auto process, start_process("signer", configuration));
    return await(std::move(process), std::move(configuration));
}

SignerClient::SignerClient(boost::asio::io_context& io, ReadySigner signer, OnStart on_start)
    : io_(io),
      pid_(signer.process.pid),
      unattached_(std::move(signer.process.channel)),
      configuration_(std::move(signer.configuration)),
      on_start_(std::move(on_start)),
      restart_(io) {
    on_start_(pid_);
}

SignerClient::~SignerClient() = default;

void SignerClient::start() { attach(std::move(unattached_)); }

void SignerClient::attach(ipc::Channel channel) {
    channel_ = std::make_unique<AsyncChannel>(io_, std::move(channel), most_queued);
    channel_->start(
        [weak = weak_from_this()](const ipc::Message& message) {
            if (auto self = weak.lock()) self->on_message(message);
        },
        [weak = weak_from_this()](const Error&) {
            if (auto self = weak.lock()) self->lost();
        });
}

void SignerClient::ask(const ipc::ToSign& what, Callback callback) {
    const auto id = ++last_id_;
    auto& pending =
        pending_.emplace(id, Pending{std::move(callback), boost::asio::steady_timer(io_)})
            .first->second;
    const bool sent = channel_ && channel_->send(ipc::SignFor{id, what});
    pending.deadline.expires_after(sent ? std::chrono::milliseconds(longest_signing) : 0ms);
    pending.deadline.async_wait(
        [weak = weak_from_this(), id, sent](boost::system::error_code error) {
            auto self = weak.lock();
            if (!error && self) self->answer_failure(id, sent ? ETIMEDOUT : EPIPE);
        });
}

void SignerClient::on_message(const ipc::Message& message) {
    if (const auto* said = message.as<ipc::SignedFor>(); said != nullptr && said->signature.valid())
        return answer(*said);
    if (const auto* ready = message.as<ipc::SignerReady>(); ready != nullptr) {
        // One that was started again.
        if (ready->error.valid() && ready->error.length > 0)
            base::log::error("the signer cannot start: " + base::escaped(ready->error.view()));
        return;
    }
    base::log::error("the signer sent a message that makes no sense");
    lost();
}

void SignerClient::answer(const ipc::SignedFor& said) {
    const auto found = pending_.find(said.id);
    if (found == pending_.end()) return;
    const auto callback = std::move(found->second.callback);
    pending_.erase(found);
    if (said.number == ENOKEY)
        base::log::error("the signer lacks a key: were files changed without a reload?");
    callback(said);
}

void SignerClient::answer_failure(std::uint64_t id, int number) {
    ipc::SignedFor said{};
    said.id = id;
    said.number = number;
    answer(said);
}

void SignerClient::lost() {
    base::log::error("the signer (pid " + std::to_string(pid_) + ") is gone, starting another");
    channel_.reset();
    std::vector<std::uint64_t> waiting;
    for (const auto& [id, pending] : pending_) waiting.push_back(id);
    for (const auto id : waiting) answer_failure(id, EPIPE);
    restart();
}

void SignerClient::restart() {
    restart_.expires_after(restart_delay);
    restart_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        auto self = weak.lock();
        if (error || !self) return;
        auto started = start_process("signer", self->configuration_);
        if (!started) {
            base::log::error(started.error().text());
            return self->restart();
        }
        self->pid_ = started.value().pid;
        self->on_start_(self->pid_);
        // What is asked before it has read its keys waits in the channel.
        self->attach(std::move(started.value().channel));
    });
}

}  // namespace supervisor
