// SPDX-License-Identifier: MIT
// The other end of /dev/log for the length of a test.
#pragma once

#include "base/fd.hpp"
#include "tests/sessions/program.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sessions {

// What is sent to syslog.
class Syslog {
  public:
    Syslog() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un here{};
        here.sun_family = AF_UNIX;
        std::string("/dev/log").copy(here.sun_path, sizeof here.sun_path - 1);
        ::unlink("/dev/log");
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    }
    ~Syslog() { ::unlink("/dev/log"); }

    // All of it so far.
    const std::string& said() {
        char bytes[8192];
        for (;;) {
            const auto count = ::recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
            if (count <= 0) return text_;
            text_ += std::string(bytes, static_cast<std::size_t>(count)) + '\n';
        }
    }
    bool says(std::string_view what) {
        return eventually([&] { return said().find(what) != std::string::npos; });
    }

  private:
    base::Fd socket_;
    std::string text_;
};

}  // namespace sessions
