// SPDX-License-Identifier: MIT
// The command set, one row each, and the gates in front of it; runs in the session.
#include "session/command_table.hpp"

#include "control/announced.hpp"
#include "ftp/cmds_list.hpp"
#include "session/commands/commands.hpp"
#include "session/session.hpp"

#include <algorithm>

namespace session {

using namespace need;

namespace {

// clang-format off
constexpr Command table[] = {
    // verb     needs                       handler            logged
    {"ABOR",    nothing,                    commands::abor},
    {"ACCT",    nothing,                    commands::acct},
    {"ALLO",    nothing,                    commands::allo},
    {"APPE",    changing | path,            commands::appe, ipc::Event::upload},
    {"AVBL",    path,                       commands::avbl},
    {"CCC",     nothing,                    commands::ccc},
    {"CDUP",    nothing,                    commands::cdup},
    {"CLNT",    nothing,                    commands::clnt},
    {"CWD",     path,                       commands::cwd},
    {"DELE",    changing | path,            commands::dele, ipc::Event::remove},
    {"EPRT",    active,                     commands::eprt},
    {"EPSV",    passive,                    commands::epsv},
    {"FEAT",    nothing,                    commands::feat},
    {"HASH",    reading | argument | path,  commands::hash},
    {"HELP",    nothing,                    commands::help},
    {"HOST",    nothing,                    commands::host},
    {"LIST",    listing,                    commands::list},
    {"MDTM",    nothing,                    commands::mdtm},
    {"MFF",     changing | argument,        commands::mff},
    {"MFMT",    changing | argument,        commands::mfmt},
    {"MKD",     making | path,              commands::mkd, ipc::Event::mkdir},
    {"MLSD",    listing | path,             commands::mlsd},
    {"MLST",    listing | path,             commands::mlst},
    {"MODE",    nothing,                    commands::mode},
    {"NLST",    listing,                    commands::nlst},
    {"NOOP",    nothing,                    commands::noop},
    {"OPTS",    nothing,                    commands::opts},
    {"P@SW",    passive | not_epsv_all,     commands::pasv},
    {"PASS",    nothing,                    commands::pass},
    {"PASV",    passive | not_epsv_all,     commands::pasv},
    {"PBSZ",    tls,                        commands::pbsz},
    {"PORT",    active | not_epsv_all,      commands::port},
    {"PROT",    tls,                        commands::prot},
    {"PWD",     nothing,                    commands::pwd},
    {"QUIT",    nothing,                    commands::quit},
    {"RANG",    reading | argument,         commands::rang},
    {"REIN",    nothing,                    commands::rein},
    {"REST",    nothing,                    commands::rest},
    {"RETR",    reading | path,             commands::retr, ipc::Event::download},
    {"RMD",     changing | path,            commands::rmd, ipc::Event::rmdir},
    {"RNFR",    changing | path,            commands::rnfr, ipc::Event::rename},
    {"RNTO",    changing,                   commands::rnto},
    {"SITE",    local,                      commands::site},
    {"SIZE",    path,                       commands::size},
    {"SMNT",    nothing,                    commands::smnt},
    {"STAT",    nothing,                    commands::stat},
    {"STOR",    uploading | path,           commands::stor, ipc::Event::upload},
    {"STOU",    uploading | path,           commands::stou, ipc::Event::upload},
    {"STRU",    nothing,                    commands::stru},
    {"SYST",    nothing,                    commands::syst},
    {"TYPE",    nothing,                    commands::type},
    {"USER",    nothing,                    commands::user},
    {"XCRC",    reading | argument | path,  commands::xcrc},
    {"XCUP",    nothing,                    commands::cdup},
    {"XCWD",    path,                       commands::cwd},
    {"XMD5",    reading | argument | path,  commands::xmd5},
    {"XMKD",    making | path,              commands::mkd, ipc::Event::mkdir},
    {"XPWD",    nothing,                    commands::pwd},
    {"XRMD",    changing | path,            commands::rmd, ipc::Event::rmdir},
    {"XSHA1",   reading | argument | path,  commands::xsha1},
    {"XSHA256", reading | argument | path,  commands::xsha256},
};
// clang-format on

static_assert(std::is_sorted(std::begin(table), std::end(table),
                             [](const auto& a, const auto& b) { return a.verb < b.verb; }));

}  // namespace

std::span<const Command> command_table() { return table; }

const Command* find_command(std::string_view verb) {
    const auto* row = std::lower_bound(
        std::begin(table), std::end(table), verb,
        [](const Command& each, std::string_view name) { return each.verb < name; });
    return row != std::end(table) && row->verb == verb ? row : nullptr;
}

bool allowed(const Session& session, unsigned needs) {
    const auto& on = session.options;
    const bool anonymous = session.admission.anonymous_rights;
    const struct {
        unsigned need;
        bool met;
    } gates[] = {
        {local, !anonymous},
        {passive, on.pasv_enable},
        {active, on.port_enable},
        {not_epsv_all, !session.epsv_all},
        {reading, on.download_enable},
        {listing, on.dirlist_enable},
        {uploading, on.write_enable && (!anonymous || on.anon_upload_enable)},
        {making, on.write_enable && (!anonymous || on.anon_mkdir_write_enable)},
        {changing, on.write_enable && (!anonymous || on.anon_other_write_enable)},
        {tls, on.ssl_enable},
    };
    return std::all_of(std::begin(gates), std::end(gates),
                       [&](const auto& gate) { return (needs & gate.need) == 0 || gate.met; });
}

ftp::Reply dispatch(Session& session, const ftp::Line& line) {
    const auto& options = session.options;
    if (!ftp::command_allowed(options.cmds_allowed, options.cmds_denied, line.verb))
        return ftp::reply::permission_denied;
    if (control::is_http(line.verb)) {
        session.ending = true;
        return ftp::reply::http_refused;
    }
    const auto* command = find_command(line.verb);
    if (command == nullptr) return ftp::reply::unknown_command;
    if (!allowed(session, command->needs)) return ftp::reply::permission_denied;
    if ((command->needs & argument) != 0 && line.argument.empty()) return ftp::reply::bad_argument;
    if ((command->needs & path) != 0 && session.denied(line.argument)) {
        if (command->event) session.record(*command->event, false, session.shown(line.argument));
        return ftp::reply::permission_denied;
    }
    return command->handler(session, line.argument);
}

}  // namespace session
