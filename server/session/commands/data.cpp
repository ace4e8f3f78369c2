// SPDX-License-Identifier: MIT
// Commands that say how the next data connection and transfer are to be; run in the session.
#include "base/text.hpp"
#include "control/address.hpp"
#include "ftp/host_port.hpp"
#include "session/commands/commands.hpp"
#include "session/session.hpp"

#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include <arpa/inet.h>

namespace session::commands {

namespace reply = ftp::reply;

namespace {

constexpr std::uint16_t first_unprivileged_port = 1024;
constexpr std::size_t most_restart_digits = 15;  // as vsftpd

bool over_ipv6(const Session& session) { return session.local.any.sa_family == AF_INET6; }

// Bounce attacks: nobody but the client itself, and no service of its host.
bool is_client(const Session& session, const ftp::Endpoint& endpoint) {
    if (endpoint.port < first_unprivileged_port) return false;
    if (const auto peer = control::ipv4(session.peer))
        return !endpoint.ipv6 && std::memcmp(&*peer, endpoint.address.data(), sizeof *peer) == 0;
    return endpoint.ipv6 && std::memcmp(session.peer.v6.sin6_addr.s6_addr, endpoint.address.data(),
                                        endpoint.address.size()) == 0;
}

// In the family of the control connection, whose addresses the broker compares.
std::optional<ipc::Address> target(const Session& session, const ftp::Endpoint& endpoint) {
    ipc::Address address{};
    if (over_ipv6(session)) {
        address.v6 = ftp::to_v6(endpoint);
    } else if (!endpoint.ipv6) {
        address.v4 = ftp::to_v4(endpoint);
    } else {
        return std::nullopt;
    }
    return address;
}

bool use_active(Session& session, const ftp::Endpoint& endpoint) {
    if (!session.options.port_promiscuous && !is_client(session, endpoint)) return false;
    const auto address = target(session, endpoint);
    if (!address) return false;
    session.data.use_active(*address);
    return true;
}

std::optional<std::uint64_t> position(std::string_view digits) {
    if (digits.size() > most_restart_digits) return std::nullopt;
    return base::to_number<std::uint64_t>(digits);
}

}  // namespace

Reply port(Session& session, std::string_view argument) {
    session.data.reset();
    const auto endpoint = ftp::parse_port(argument);
    if (!endpoint || !use_active(session, *endpoint)) return reply::bad_port;
    return reply::port_ok;
}

Reply eprt(Session& session, std::string_view argument) {
    session.data.reset();
    const auto parsed = ftp::parse_eprt(argument, over_ipv6(session));
    if (const auto* problem = std::get_if<ftp::EprtProblem>(&parsed))
        return *problem == ftp::EprtProblem::protocol ? reply::bad_eprt_protocol : reply::bad_eprt;
    if (!use_active(session, std::get<ftp::Endpoint>(parsed))) return reply::illegal_eprt;
    return reply::eprt_ok;
}

Reply pasv(Session& session, std::string_view) {
    const auto listening = session.data.use_passive();
    if (!listening) return reply::no_passive_port;
    const auto [port, address] = listening.value();
    if (address.s_addr == 0) {  // vsftpd tells 0,0,0,0, which no client can connect to
        session.data.reset();
        return reply::no_ipv4_address;
    }
    return reply::passive(ftp::passive_text(address, port));
}

Reply epsv(Session& session, std::string_view argument) {
    switch (ftp::parse_epsv(argument)) {
        case ftp::Epsv::all:
            session.epsv_all = true;
            return reply::epsv_all_ok;
        case ftp::Epsv::bad:
            return reply::bad_epsv_protocol;
        case ftp::Epsv::ipv6:
            if (!over_ipv6(session)) return reply::bad_epsv_protocol;
            break;
        case ftp::Epsv::any:
        case ftp::Epsv::ipv4:
            break;
    }
    const auto listening = session.data.use_passive();
    if (!listening) return reply::no_passive_port;
    return reply::extended_passive(ftp::extended_passive_text(listening.value().port));
}

Reply type(Session& session, std::string_view argument) {
    const auto wanted = base::upper(argument);
    const bool binary = wanted == "I" || wanted == "L8" || wanted == "L 8";
    if (!binary && wanted != "A" && wanted != "A N") return reply::bad_type;
    session.ascii = !binary;
    return binary ? reply::binary_type : reply::ascii_type;
}

Reply mode(Session&, std::string_view argument) {
    return base::equal_ignoring_case(argument, "S") ? reply::mode_stream : reply::bad_mode;
}

Reply stru(Session&, std::string_view argument) {
    return base::equal_ignoring_case(argument, "F") ? reply::structure_file : reply::bad_structure;
}

// vsftpd takes what is no number for 0; the client would then transfer something else than it
// means.
Reply rest(Session& session, std::string_view argument) {
    const auto from = position(base::trim(argument));
    if (!from) return reply::bad_restart;
    session.restart_at = *from;
    session.range.reset();
    return reply::restart_accepted(*from);
}

// draft-bryan-ftp-range: first and last byte of the next transfer; "1 0" is the way back.
Reply rang(Session& session, std::string_view argument) {
    const auto blank = argument.find(' ');
    if (blank == argument.npos) return reply::bad_argument;
    const auto first = position(argument.substr(0, blank));
    const auto last = position(base::trim(argument.substr(blank)));
    if (!first || !last) return reply::bad_argument;
    session.restart_at = 0;
    session.range.reset();
    if (*first == 1 && *last == 0) return Reply{350, "Restarting at 0."};
    if (*first > *last) return reply::bad_argument;
    session.range = Session::Range{*first, *last};
    return reply::range_accepted(*first, *last);
}

Reply allo(Session&, std::string_view) { return reply::allo_ignored; }

Reply abor(Session&, std::string_view) { return reply::nothing_to_abort; }

// RFC 4217, 12.3. Where the client's bytes are decrypted this reply is known by its text: it is the
// last one over TLS. PROT stays as it is, since anybody might say it from here on.
Reply ccc(Session& session, std::string_view) {
    if (!session.options.ssl_enable) return reply::unknown_command;
    if (!session.encrypted) return reply::ccc_needs_tls;
    if (!DataTls::may_clear_control()) return reply::ccc_denied;
    session.encrypted = false;
    return reply::ccc_done;
}

Reply pbsz(Session& session, std::string_view) {
    return session.encrypted ? reply::pbsz_ok : reply::pbsz_needs_tls;
}

Reply prot(Session& session, std::string_view level) {
    if (!session.encrypted) return reply::prot_needs_tls;
    const auto& answer = ftp::reply::protection(level);
    if (answer.code == reply::prot_private.code)
        session.data_private = answer.text == reply::prot_private.text;
    return answer;
}

}  // namespace session::commands
