// SPDX-License-Identifier: MIT
// A client that talks to a control connection in a test: sends lines, reads whole replies, never
// waits for ever.
#pragma once

#include "base/fd.hpp"

#include <cctype>
#include <string>
#include <string_view>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace testing_support {

inline constexpr int patience = 10'000;  // milliseconds; only a failure takes as long

class LineClient {
  public:
    explicit LineClient(base::Fd socket) : socket_(std::move(socket)) {}

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
    }

    // One whole reply, its lines separated by LF; "(end)" when the server has closed and
    // "(nothing)" when it says nothing.
    std::string reply() {
        std::string whole;
        for (;;) {
            const auto line = next_line();
            if (!whole.empty()) whole += '\n';
            whole += line;
            const bool last = line.size() >= 4 && std::isdigit(line[0]) != 0 &&
                              std::isdigit(line[1]) != 0 && std::isdigit(line[2]) != 0 &&
                              line[3] == ' ';
            if (last || line.starts_with('(')) return whole;
        }
    }

    std::string say(std::string_view line) {
        send(std::string(line) + "\r\n");
        return reply();
    }

    void hang_up() { socket_.close(); }
    void send_no_more() { ::shutdown(socket_.get(), SHUT_WR); }
    [[nodiscard]] int fd() const { return socket_.get(); }

  private:
    std::string next_line() {
        for (;;) {
            const auto end = received_.find("\r\n");
            if (end != received_.npos) {
                auto line = received_.substr(0, end);
                received_.erase(0, end + 2);
                return line;
            }
            pollfd wanted{socket_.get(), POLLIN, 0};
            if (::poll(&wanted, 1, patience) <= 0) return "(nothing)";
            char bytes[4096];
            const auto count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
            if (count <= 0) return count == 0 ? "(end)" : "(reset)";
            received_.append(bytes, static_cast<std::size_t>(count));
        }
    }

    base::Fd socket_;
    std::string received_;
};

}  // namespace testing_support
