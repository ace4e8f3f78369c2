// SPDX-License-Identifier: MIT
// [server] handover: a server that inetd has started for one connection passes it to the one that
// runs already, whose limits it then counts for. Both ends; runs in the supervisor, as root.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "supervisor/listener.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>

namespace supervisor {

class Handover {
  public:
    // A UNIX socket for root alone. One that a server has left behind is replaced.
    [[nodiscard]] static base::Result<base::Fd> bind(const std::string& path);

    Handover(boost::asio::io_context& io, std::string path, base::Fd socket,
             Listener::OnConnection on_connection);
    ~Handover();  // the path goes, too, if it is still ours
    Handover(const Handover&) = delete;
    Handover& operator=(const Handover&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    struct State;
    std::string path_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::shared_ptr<State> state_;
};

// True: a server has taken the connection. False: it is still ours alone.
[[nodiscard]] bool hand_over(const std::string& path, int connection);

}  // namespace supervisor
