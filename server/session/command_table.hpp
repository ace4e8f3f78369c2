// SPDX-License-Identifier: MIT
// Every command after login and what it needs; runs in the session.
#pragma once

#include "ftp/command_line.hpp"
#include "ftp/replies.hpp"
#include "ipc/requests.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace session {

struct Session;

// What must be so for a command to reach its handler. An unmet need is answered with vsftpd's
// "550 Permission denied.", an argument that is missing with 501.
namespace need {
enum : unsigned {
    nothing = 0,
    argument = 1,  // only of commands that vsftpd does not know: the handlers of the others reply
    path = 2,      // the argument is a path, which deny_file may forbid
    local = 4,     // not for those with anonymous rights only
    passive = 8,   // pasv_enable
    active = 16,   // port_enable
    not_epsv_all = 32,  // EPSV ALL promised that only EPSV would come
    reading = 64,       // download_enable
    listing = 128,      // dirlist_enable
    uploading = 256,    // write_enable, and anon_upload_enable for those with anonymous rights
    making = 512,       // write_enable, and anon_mkdir_write_enable
    changing = 1024,    // write_enable, and anon_other_write_enable
    tls = 2048,         // ssl_enable
};
}  // namespace need

struct Command {
    std::string_view verb;
    unsigned needs;
    ftp::Reply (*handler)(Session&, std::string_view argument);  // the last reply
    std::optional<ipc::Event> event{};  // logged as failed when deny_file forbids the path
};

// nullptr if there is none of that name.
[[nodiscard]] const Command* find_command(std::string_view verb);
[[nodiscard]] std::span<const Command> command_table();

// Whether the options and the account's rights let it through (anything but argument and path).
[[nodiscard]] bool allowed(const Session& session, unsigned needs);

// Gates in vsftpd's order (cmds_allowed and cmds_denied, options, unknown), then the handler.
[[nodiscard]] ftp::Reply dispatch(Session& session, const ftp::Line& line);

}  // namespace session
