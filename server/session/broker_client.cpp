// SPDX-License-Identifier: MIT
// Requests to the supervisor and what it answers; runs in the session.
#include "session/broker_client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

namespace session {

using base::Fd;
using base::Result;
using Clock = std::chrono::steady_clock;

namespace {

int milliseconds_until(const std::optional<Clock::time_point>& deadline) {
    if (!deadline) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

}  // namespace

void BrokerClient::take(ipc::Message message) {
    if (message.as<ipc::Stop>() != nullptr) {
        stopping_ = true;
    } else if (const auto* listening = message.as<ipc::Listening>()) {
        if (listening->sequence == sequence_)
            listening_ = Listening{listening->port, listening->address};
    } else if (const auto* connected = message.as<ipc::DataConnected>()) {
        // One for an earlier command is closed here.
        if (connected->sequence == sequence_ && message.descriptors.size() == 1)
            connected_ = std::move(message.descriptors.front());
    } else if (const auto* failed = message.as<ipc::DataFailed>()) {
        if (failed->sequence == sequence_) connected_ = failed->failure;
    } else if (const auto* given = message.as<ipc::GivenAway>()) {
        given_away_ = given->number;
    } else if (const auto* named = message.as<ipc::Named>()) {
        text_ = named->name.view();
    } else if (const auto* home = message.as<ipc::HomeTold>()) {
        text_ = home->path.view();
    }
}

bool BrokerClient::wait(const Deadline& deadline) {
    auto message = channel_.wait(milliseconds_until(deadline));
    if (message) {
        take(std::move(message.value()));
        return true;
    }
    if (message.error().number == ETIMEDOUT) return !deadline || Clock::now() < *deadline;
    stopping_ = true;
    return false;
}

void BrokerClient::receive() {
    for (;;) {
        auto message = channel_.receive();
        if (!message) {
            if (message.error().number != EAGAIN) stopping_ = true;
            return;
        }
        take(std::move(message.value()));
    }
}

Result<BrokerClient::Listening> BrokerClient::listen() {
    ++sequence_;
    listening_.reset();
    connected_.reset();
    TRY(channel_.send_waiting(ipc::PassiveOpen{sequence_}));
    while (!listening_) {
        if (!wait(std::nullopt)) return base::Error{"the supervisor is gone", ECONNRESET};
    }
    return *listening_;
}

void BrokerClient::stop_listening() {
    (void)channel_.send_waiting(ipc::PassiveClose{sequence_});
    ++sequence_;  // what it accepted in this very moment is not wanted
    connected_.reset();
}

BrokerClient::Connected BrokerClient::connection(const Deadline& deadline) {
    while (!connected_) {
        if (!wait(deadline)) return ipc::DataFailure::timeout;
    }
    auto connected = std::exchange(connected_, std::nullopt);
    return std::move(*connected);
}

BrokerClient::Connected BrokerClient::accepted(std::chrono::seconds most) {
    auto connected = connection(most.count() == 0 ? Deadline{} : Deadline{Clock::now() + most});
    const auto* failure = std::get_if<ipc::DataFailure>(&connected);
    if (failure != nullptr && *failure == ipc::DataFailure::timeout) stop_listening();
    return connected;
}

BrokerClient::Connected BrokerClient::connect(const ipc::Address& target) {
    ++sequence_;
    connected_.reset();
    if (!channel_.send_waiting(ipc::ActiveOpen{sequence_, target}))
        return ipc::DataFailure::refused;
    return connection(std::nullopt);
}

Result<void> BrokerClient::give_away(const Fd& file) {
    given_away_.reset();
    const std::array descriptors{file.get()};
    TRY(channel_.send_waiting(ipc::GiveAway{}, descriptors));
    while (!given_away_) {
        if (!wait(std::nullopt)) return base::Error{"the supervisor is gone", ECONNRESET};
    }
    if (*given_away_ != 0) return base::system_error("chown", *given_away_);
    return base::success();
}

std::string BrokerClient::name_of(bool group, std::uint32_t number) {
    text_.reset();
    if (!channel_.send_waiting(ipc::NameOf{0, group ? 1U : 0U, number})) return {};
    while (!text_) {
        if (!wait(std::nullopt)) return {};
    }
    return *text_;
}

std::string BrokerClient::home_of(std::string_view user) {
    if (user.size() > ipc::longest_name) return {};
    ipc::HomeOf question{};
    question.user.assign(user);
    text_.reset();
    if (!channel_.send_waiting(question)) return {};
    while (!text_) {
        if (!wait(std::nullopt)) return {};
    }
    return *text_;
}

void BrokerClient::record(const ipc::Record& record) { (void)channel_.send_waiting(record); }

void BrokerClient::entered(int number, std::string_view step) {
    ipc::Entered message{};
    message.number = number;
    message.step.assign(step);
    (void)channel_.send_waiting(message);
}

}  // namespace session
