// SPDX-License-Identifier: MIT
// Commands that tell or set something about the session; run in the session.
#include "base/text.hpp"
#include "control/address.hpp"
#include "control/announced.hpp"
#include "ftp/features.hpp"
#include "session/command_table.hpp"
#include "session/commands/commands.hpp"
#include "session/session.hpp"

#include <string>
#include <variant>

namespace session::commands {

namespace reply = ftp::reply;

namespace {

bool chmod_possible(const Session& session) {
    return session.options.chmod_enable && session.options.write_enable &&
           allowed(session, need::local);
}

}  // namespace

Reply feat(Session& session, std::string_view) {
    auto on = control::announced(session.options);
    on.facts = session.facts;
    on.hash = session.hash;
    on.ccc = session.encrypted && DataTls::may_clear_control();
    on.set_times = on.set_times && allowed(session, need::changing);
    on.set_facts = on.set_facts && on.set_times && allowed(session, need::local);
    return ftp::features(on);
}

// Some clients read HELP SITE to learn what SITE can do.
Reply help(Session& session, std::string_view topic) {
    if (base::equal_ignoring_case(topic, "SITE")) return reply::help_site(chmod_possible(session));
    return reply::help();
}

Reply syst(Session&, std::string_view) { return reply::system_type; }

Reply noop(Session&, std::string_view) { return reply::noop_ok; }

Reply stat(Session& session, std::string_view argument) {
    if (!argument.empty()) {
        if (!allowed(session, need::listing)) return reply::permission_denied;
        return stat_path(session, argument);
    }
    const auto peer = control::to_text(session.peer);
    ftp::reply::Status status;
    status.peer = peer;
    status.user = session.admission.user;
    status.ascii = session.ascii;
    status.rate = session.max_rate();
    status.timeout = session.options.idle_session_timeout;
    status.control_encrypted = session.encrypted;
    status.data_encrypted = session.data_private;
    status.clients = session.clients;
    return reply::status(status);
}

Reply opts(Session& session, std::string_view argument) {
    const auto option = ftp::parse_opts(argument);
    if (std::holds_alternative<ftp::OptsUtf8>(option)) return reply::utf8_always;
    if (const auto* facts = std::get_if<ftp::OptsMlst>(&option)) {
        session.facts = facts->facts;
        return reply::mlst_options(ftp::fact_names(session.facts));
    }
    if (const auto* wanted = std::get_if<ftp::OptsHash>(&option)) {
        if (wanted->algorithm) session.hash = *wanted->algorithm;
        return reply::hash_option(ftp::name(session.hash));
    }
    return reply::option_not_understood;
}

Reply clnt(Session&, std::string_view) { return reply::client_noted; }

Reply host(Session&, std::string_view) { return reply::host_too_late; }  // RFC 7151, 3.3

Reply user(Session& session, std::string_view name) {
    if (session.admission.anonymous_rights) return reply::cannot_change_guest;
    return name == session.admission.user ? reply::any_password : reply::cannot_change_user;
}

Reply pass(Session&, std::string_view) { return reply::already_logged_in; }

Reply quit(Session& session, std::string_view) {
    session.ending = true;
    return reply::goodbye;
}

Reply rein(Session&, std::string_view) { return reply::rein_unsupported; }

Reply acct(Session&, std::string_view) { return reply::acct_unsupported; }

Reply smnt(Session&, std::string_view) { return reply::smnt_unsupported; }

}  // namespace session::commands
