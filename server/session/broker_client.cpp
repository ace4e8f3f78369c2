// SPDX-License-Identifier: MIT
// Requests to the supervisor and what it answers; runs in the session.
#include "session/broker_client.hpp"

#include "session/transfer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include <poll.h>

namespace session {

using base::Fd;
using base::Result;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds longest_signing{10};

// From one request's number to the next one's. In between are those of connections to ports that
// the broker has opened by itself, more than can be on their way to us: what still comes of these
// is no answer to the next request.
constexpr std::uint32_t numbers_of_a_request = 4096;

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
        // One for an earlier command is closed here, and so is one that nobody was told to make.
        if (connected->sequence == sequence_ + 1) ahead_.reset();
        if (connected->sequence != sequence_ || message.descriptors.size() != 1) return;
        connected_ = std::move(message.descriptors.front());
        if (connected->next_port != 0 && listening_)
            ahead_ = Listening{connected->next_port, listening_->address};
    } else if (const auto* failed = message.as<ipc::DataFailed>()) {
        if (failed->sequence == sequence_ + 1) ahead_.reset();
        if (failed->sequence == sequence_) connected_ = failed->failure;
    } else if (const auto* answer = message.as<ipc::Signed>()) {
        if (answer->sequence == sign_sequence_) signed_ = *answer;
    } else if (const auto* given = message.as<ipc::GivenAway>()) {
        given_away_ = given->number;
    } else if (const auto* named = message.as<ipc::Named>()) {
        text_ = named->name.view();
    } else if (const auto* home = message.as<ipc::HomeTold>()) {
        text_ = home->path.view();
    }
}

bool BrokerClient::wait(const Deadline& deadline, Watch* watch) {
    std::array<pollfd, 2> wanted{
        {{channel_.fd(), POLLIN, 0}, {watch != nullptr ? watch->fd() : -1, POLLIN, 0}}};
    const int ready = ::poll(wanted.data(), wanted.size(), milliseconds_until(deadline));
    if (ready == 0) return !deadline || Clock::now() < *deadline;
    if (ready < 0) return errno == EINTR;
    if (wanted[1].revents != 0 && !watch->on_readable()) return false;
    if (wanted[0].revents == 0) return true;
    return receive();
}

bool BrokerClient::receive() {
    auto message = channel_.receive();
    if (message)
        take(std::move(message.value()));
    else if (message.error().number != EAGAIN)
        stopping_ = true;
    return message || message.error().number == EAGAIN;
}

Result<BrokerClient::Listening> BrokerClient::listen() {
    connected_.reset();
    listening_ = std::exchange(ahead_, std::nullopt);
    if (listening_) {
        ++sequence_;
        return *listening_;
    }
    sequence_ += numbers_of_a_request;
    TRY(channel_.send_waiting(ipc::PassiveOpen{sequence_}));
    while (!listening_) {
        if (!wait(std::nullopt)) return base::Error{"the supervisor is gone", ECONNRESET};
    }
    return *listening_;
}

void BrokerClient::stop_listening() {
    (void)channel_.send_waiting(ipc::PassiveClose{sequence_});
    sequence_ += numbers_of_a_request;  // what it accepted in this very moment is not wanted
    connected_.reset();
    ahead_.reset();
}

void BrokerClient::stop_listening_ahead() {
    (void)channel_.send_waiting(ipc::PassiveClose{sequence_});
    ahead_.reset();
}

BrokerClient::Connected BrokerClient::connection(const Deadline& deadline, Watch& watch) {
    while (!connected_) {
        // A client that has hung up will not connect any more, but may be connected to.
        if (!wait(deadline, &watch) || (deadline && watch.gone())) {
            stop_listening();  // or connecting
            return ipc::DataFailure::timeout;
        }
    }
    auto connected = std::exchange(connected_, std::nullopt);
    return std::move(*connected);
}

BrokerClient::Connected BrokerClient::accepted(std::chrono::seconds most, Watch& watch) {
    // Mostly the client has connected before it said RETR.
    if (!connected_ && !receive()) {
        stop_listening();
        return ipc::DataFailure::timeout;
    }
    return connection(most.count() == 0 ? Deadline{} : Deadline{Clock::now() + most}, watch);
}

BrokerClient::Connected BrokerClient::connect(const ipc::Address& target, Watch& watch) {
    sequence_ += numbers_of_a_request;
    connected_.reset();
    ahead_.reset();
    if (!channel_.send_waiting(ipc::ActiveOpen{sequence_, target}))
        return ipc::DataFailure::refused;
    return connection(std::nullopt, watch);
}

Result<tls::Bytes> BrokerClient::sign(const tls::ToBeSigned& what) {
    signed_.reset();
    TRY(channel_.send_waiting(ipc::Sign{++sign_sequence_, tls::to_message(what)}));
    const Deadline deadline = Clock::now() + longest_signing;
    while (!signed_) {
        if (!wait(deadline)) return base::Error{"no signature came", ETIMEDOUT};
    }
    if (signed_->number != 0) return base::system_error("no signature", signed_->number);
    const auto signature = signed_->signature.view();
    return tls::Bytes(signature.begin(), signature.end());
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

void BrokerClient::record(const ipc::Record& record) {
    using ipc::ShortRecord;
    const bool fits = record.path.length <= decltype(ShortRecord::path)::capacity &&
                      record.second.length <= decltype(ShortRecord::second)::capacity;
    if (fits)
        (void)channel_.send_waiting(ipc::record_as<ShortRecord>(record));
    else
        (void)channel_.send_waiting(record);
}

void BrokerClient::entered(int number, std::string_view step) {
    ipc::Entered message{};
    message.number = number;
    message.step.assign(step);
    (void)channel_.send_waiting(message);
}

}  // namespace session
