// SPDX-License-Identifier: MIT
// SITE and its own commands; run in the session.
#include "base/text.hpp"
#include "session/command_table.hpp"
#include "session/commands/commands.hpp"
#include "session/session.hpp"

#include <optional>
#include <string>

#include <sys/stat.h>

namespace session::commands {

namespace reply = ftp::reply;

namespace {

constexpr std::uint32_t permission_bits = 0777;  // the others are dropped, as vsftpd does

std::optional<std::uint32_t> octal(std::string_view text) {
    if (text.size() > 6) return std::nullopt;
    const auto number = base::to_number<std::uint32_t>(text, 8);
    if (!number) return std::nullopt;
    return *number & permission_bits;
}

bool chmod_enabled(const Session& session) {
    return session.options.write_enable && session.options.chmod_enable;
}

Reply site_help(Session& session, std::string_view) {
    return reply::help_site(chmod_enabled(session));
}

Reply site_umask(Session& session, std::string_view argument) {
    if (argument.empty()) return reply::umask_is(session.umask);
    const auto mask = octal(base::trim(argument));
    if (!mask) return reply::bad_umask;
    session.umask = *mask;
    ::umask(*mask);
    return reply::umask_set(*mask);
}

// vsftpd takes letters for 0 and locks the file to everybody, its owner too.
Reply site_chmod(Session& session, std::string_view argument) {
    if (!chmod_enabled(session)) return reply::unknown_site;
    const auto blank = argument.find(' ');
    if (blank == argument.npos || blank + 1 == argument.size()) return reply::chmod_arguments;
    const auto mode = octal(argument.substr(0, blank));
    const auto name = argument.substr(blank + 1);
    if (!mode) return reply::bad_chmod_mode;

    const auto answer = [&]() -> Reply {
        if (session.denied(name)) return reply::permission_denied;
        const auto path = session.path(name);
        if (!path) return ftp::because(reply::chmod_failed, Session::no_path(name));
        const auto done = session.files.change_mode(*path, *mode);
        if (!done) return ftp::because(reply::chmod_failed, done.error().number);
        return reply::chmod_done;
    }();
    session.record(ipc::Event::chmod, answer == Reply(reply::chmod_done), session.shown(name),
                   argument.substr(0, blank));
    return answer;
}

constexpr struct {
    std::string_view verb;
    Reply (*handler)(Session&, std::string_view);
} table[] = {
    {"CHMOD", site_chmod},
    {"HELP", site_help},
    {"UMASK", site_umask},
};

}  // namespace

Reply site(Session& session, std::string_view argument) {
    const auto blank = argument.find(' ');
    const auto verb = base::upper(argument.substr(0, blank));
    const auto rest = blank == argument.npos ? std::string_view{} : argument.substr(blank + 1);
    for (const auto& row : table) {
        if (row.verb == verb) return row.handler(session, rest);
    }
    return reply::unknown_site;
}

}  // namespace session::commands
