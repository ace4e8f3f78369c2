// SPDX-License-Identifier: MIT
// Commands during a transfer; runs in the session.
#include "session/during_transfer.hpp"

#include "ftp/cmds_list.hpp"
#include "session/session.hpp"

namespace session {

namespace reply = ftp::reply;

int DuringTransfer::fd() const { return waiting_ ? -1 : session_.control.fd(); }

// A client that is gone from the control connection may still have sent the whole of its upload:
// the transfer decides by its data connection.
bool DuringTransfer::on_readable() {
    gone_ = !session_.control.receive();
    return look();
}

bool DuringTransfer::started() { return !aborted_ && look(); }

bool DuringTransfer::look() {
    auto& control = session_.control;
    ftp::Line line;
    for (;;) {
        const auto reading = control.lines().peek(line);
        if (reading == ftp::LineReader::Reading::nothing) {
            waiting_ = gone_;
            return true;
        }
        const bool known = line.verb == "ABOR" || line.verb == "QUIT" || line.verb == "NOOP" ||
                           (line.verb == "STAT" && line.argument.empty());
        const auto& options = session_.options;
        if (reading == ftp::LineReader::Reading::too_long || !known ||
            !ftp::command_allowed(options.cmds_allowed, options.cmds_denied, line.verb)) {
            waiting_ = true;
            return true;
        }
        (void)control.lines().next(line);
        control.record(line);
        if (line.verb == "ABOR") {
            aborted_ = true;
            return false;
        }
        if (line.verb == "QUIT") {  // RFC 959: the transfer is finished first
            session_.quit_after_transfer = true;
            waiting_ = true;
            return true;
        }
        control.reply(line.verb == "NOOP" ? reply::noop_ok : reply::transfer_running);
    }
}

ftp::Reply DuringTransfer::last(const ftp::Reply& reply) {
    if (!aborted_) return reply;
    session_.control.reply(reply);
    return reply::abor_done;
}

}  // namespace session
