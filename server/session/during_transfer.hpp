// SPDX-License-Identifier: MIT
// What a client may say while a transfer runs: STAT, NOOP, ABOR and QUIT; everything else waits for
// its end. What came in one packet with the command itself is looked at once bytes move. Runs in the
// session.
#pragma once

#include "ftp/replies.hpp"
#include "session/transfer.hpp"

namespace session {

struct Session;

class DuringTransfer : public Watch {
  public:
    explicit DuringTransfer(Session& session) : session_(session) {}

    [[nodiscard]] int fd() const override;
    [[nodiscard]] bool on_readable() override;
    [[nodiscard]] bool started() override;
    [[nodiscard]] bool gone() const override { return gone_; }

    [[nodiscard]] bool aborted() const { return aborted_; }

    // The last reply: this one, or the one to the ABOR after it.
    [[nodiscard]] ftp::Reply last(const ftp::Reply& reply);

  private:
    [[nodiscard]] bool look();

    Session& session_;
    bool waiting_ = false;  // a command is there that has to wait, or nobody will send one
    bool aborted_ = false;
    bool gone_ = false;
};

}  // namespace session
