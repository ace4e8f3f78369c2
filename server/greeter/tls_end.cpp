// SPDX-License-Identifier: MIT
// The TLS end of the control connection; runs in the greeter.
#include "greeter/tls_end.hpp"

#include "base/fork.hpp"
#include "ftp/replies.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

namespace greeter {

using base::Error;
using base::Result;
using tls::Step;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr auto longest_signing = 10s;
// As in the control connection without TLS: one that takes no byte for so long does not read.
constexpr auto longest_write = 60s;
// After so many milliseconds of silence what the login and the last records needed goes.
constexpr int lull = 500;
// One for each of these replies, in which a data connection is announced.
constexpr unsigned most_tickets = 1'000'000;
constexpr std::array<std::string_view, 4> announcements{"227 ", "229 ", "200 PORT", "200 EPRT"};

}  // namespace

ssize_t TlsEnd::receive(std::span<char> space) {
    std::size_t got = 0;
    switch (stream_.read(space, got)) {
        case Step::done:
            return static_cast<ssize_t>(got);
        case Step::closed:
        case Step::cut:
            return 0;
        case Step::wait_to_read:
        case Step::wait_to_write:
            errno = EAGAIN;
            return -1;
        case Step::failed:
            break;
    }
    errno = EPROTO;
    return -1;
}

ssize_t TlsEnd::send(std::string_view bytes) {
    if (stream_.write(bytes)) return static_cast<ssize_t>(bytes.size());
    errno = EPROTO;
    return -1;
}

bool TlsEnd::flushed() {
    switch (stream_.flush()) {
        case Step::done:
            return true;
        case Step::wait_to_write:
            errno = EAGAIN;
            return false;
        default:
            errno = EPIPE;
            return false;
    }
}

Result<tls::Bytes> Signatures::ask(const tls::ToBeSigned& what) {
    const auto deadline = Clock::now() + longest_signing;
    TRY(channel_.send_waiting(ipc::Sign{++sequence_, tls::to_message(what)}));
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) return Error{"the signer does not answer", ETIMEDOUT};
        TRY(const auto message, channel_.wait(static_cast<int>(left.count())));
        if (const auto* stop = message.as<ipc::Stop>()) stop_ = *stop;
        const auto* answer = message.as<ipc::Signed>();
        if (answer == nullptr || answer->sequence != sequence_) continue;
        if (answer->number != 0) return base::system_error("no signature", answer->number);
        if (!answer->signature.valid()) return Error{"no signature", EPROTO};
        const auto signature = answer->signature.view();
        return tls::Bytes(signature.begin(), signature.end());
    }
}

namespace {

class Relay {
  public:
    Relay(tls::Stream& client, int socket, base::Fd session, bool ccc)
        : client_(client), socket_(socket), session_(std::move(session)), ccc_(ccc) {}

    ~Relay() {
        ::explicit_bzero(up_.data(), up_.size());
        ::explicit_bzero(down_.data(), down_.size());
    }
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    void run() {
        while (session_ || client_.unsent() > 0) {
            from_client();
            to_session();
            from_session();
            to_client();
            if (broken_ || !wait()) return;
        }
    }

  private:
    [[nodiscard]] bool wants_input() const { return up_size_ == 0 && !client_ended_ && session_; }

    void from_client() {
        if (!wants_input() || !client_ready_) return;
        std::size_t got = 0;
        switch (client_.read(up_, got)) {
            case Step::done:
                up_size_ = got;
                up_sent_ = 0;
                break;
            case Step::closed:
            case Step::cut:
                client_ended_ = true;
                break;
            case Step::failed:
                broken_ = true;
                break;
            default:
                break;
        }
    }

    // The session sees the end of the client's commands behind the last of them.
    void to_session() {
        while (session_ && up_sent_ < up_size_) {
            const auto count = ::send(session_.get(), up_.data() + up_sent_, up_size_ - up_sent_,
                                      MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count >= 0)
                up_sent_ += static_cast<std::size_t>(count);
            else if (errno == EAGAIN)
                return;
            else if (errno != EINTR)
                up_sent_ = up_size_;  // it no longer reads, but may have said goodbye
        }
        up_size_ = up_sent_ = 0;
        if (client_ended_ && session_ && !std::exchange(told_end_, true))
            (void)::shutdown(session_.get(), SHUT_WR);
    }

    // No more while the client has not taken what was there before.
    void from_session() {
        if (!session_ || !session_ready_ || client_.unsent() > 0) return;
        const auto count = ::recv(session_.get(), down_.data(), down_.size(), MSG_DONTWAIT);
        if (count < 0) {
            if (errno != EAGAIN && errno != EINTR) session_ended();
            return;
        }
        if (count == 0) return session_ended();
        std::string_view bytes(down_.data(), static_cast<std::size_t>(count));
        while (!bytes.empty() && !broken_) {
            const auto together = read_lines(bytes);
            if (!client_.write(bytes.substr(0, together))) broken_ = true;
            if (std::exchange(clear_, false)) client_.go_clear();
            bytes.remove_prefix(together);
        }
        last_progress_ = Clock::now();
    }

    void session_ended() {
        session_.close();
        client_.say_goodbye();
        last_progress_ = Clock::now();
    }

    // How much may be written at once: all of it, or up to the end of the answer to CCC. A client
    // that uses each ticket only once has one for the data connection that is announced.
    [[nodiscard]] std::size_t read_lines(std::string_view bytes) {
        std::size_t at = 0;
        while (at < bytes.size()) {
            const auto end = bytes.find('\n', at);
            const auto piece = bytes.substr(at, end == bytes.npos ? bytes.npos : end + 1 - at);
            for (const auto announcement : announcements) {
                if (line_.empty() && tickets_ < most_tickets && piece.starts_with(announcement)) {
                    ++tickets_;
                    client_.offer_ticket();
                }
            }
            if (line_.size() <= ccc_line_.size()) line_ += piece.substr(0, ccc_line_.size() + 1);
            at += piece.size();
            if (end == bytes.npos) break;
            clear_ = ccc_ && line_ == ccc_line_;
            line_.clear();
            if (clear_) break;
        }
        return at;
    }

    void to_client() {
        const auto before = client_.unsent();
        if (before == 0) return;
        const auto step = client_.flush();
        if (step == Step::failed) broken_ = true;
        if (client_.unsent() < before) last_progress_ = Clock::now();
    }

    // False when the client takes nothing for too long.
    [[nodiscard]] bool wait() {
        const bool sending = client_.unsent() > 0;
        client_ready_ = session_ready_ = true;
        if (wants_input() && client_.pending()) return true;
        short of_client = 0;
        short of_session = 0;
        if (wants_input()) of_client |= POLLIN;
        if (sending) of_client |= POLLOUT;
        if (!sending) of_session |= POLLIN;
        if (up_size_ > 0) of_session |= POLLOUT;
        std::array<pollfd, 2> wanted{{{of_client != 0 ? socket_ : -1, of_client, 0},
                                      {session_ ? session_.get() : -1, of_session, 0}}};
        if (of_session == 0) wanted[1].fd = -1;
        if (wanted[0].fd < 0 && wanted[1].fd < 0) return session_ || sending;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            last_progress_ + longest_write - Clock::now());
        if (sending && left.count() <= 0) return false;
        const int most = sending ? static_cast<int>(left.count()) : resting_ ? -1 : lull;
        const int count = ::poll(wanted.data(), wanted.size(), most);
        if (count < 0) return errno == EINTR;
        client_ready_ = wanted[0].revents != 0;
        session_ready_ = wanted[1].revents != 0;
        resting_ = count == 0 && !sending;
        if (resting_) base::shrink_heap();
        return true;
    }

    tls::Stream& client_;
    int socket_;
    base::Fd session_;
    std::array<char, 4096> up_{};
    std::size_t up_size_ = 0;
    std::size_t up_sent_ = 0;
    std::array<char, 4096> down_{};
    bool client_ready_ = true;  // to be read, as far as anybody knows
    bool session_ready_ = true;
    bool client_ended_ = false;
    bool told_end_ = false;
    bool broken_ = false;
    const std::string ccc_line_ = ftp::wire(ftp::reply::ccc_done);
    std::string line_;  // of the session's, as much as is needed to know it
    bool ccc_;
    bool clear_ = false;  // what is written now is the last over TLS
    unsigned tickets_ = 0;
    bool resting_ = false;  // nothing was said for a lull
    Clock::time_point last_progress_ = Clock::now();
};

}  // namespace

void relay(tls::Stream& client, int socket, base::Fd session, bool ccc) {
    Relay(client, socket, std::move(session), ccc).run();
}

}  // namespace greeter
