// SPDX-License-Identifier: MIT
// LIST and its kin; run in the session. What is to be listed is looked up first, so that what is
// missing or forbidden costs no connection and is answered with a reason.
#include "ftp/path.hpp"
#include "session/commands/commands.hpp"
#include "session/during_transfer.hpp"
#include "session/lister.hpp"
#include "session/session.hpp"
#include "session/transfer.hpp"

#include <cerrno>
#include <optional>
#include <string>
#include <variant>

namespace session::commands {

namespace reply = ftp::reply;

namespace {

std::optional<Listing> listing_of(const Session& session, std::string_view typed, Style style,
                                  const ftp::ListOptions& options) {
    const auto path = session.path(typed.empty() ? "." : typed);
    if (!path) return std::nullopt;
    Listing listing;
    listing.style = style;
    listing.options = options;
    listing.typed = typed;
    listing.path = *path;
    listing.facts = session.facts;
    return listing;
}

Reply send_listing(Session& session, const Listing& listing) {
    session.restart_at = 0;
    session.range.reset();
    if (auto refusal = session.no_transfer()) return *refusal;
    Lister lister(session.files, session.options, session.admission, session.name_of());
    if (auto found = lister.look_up(listing); !found)
        return ftp::because(reply::listing_unavailable, found.error().number);

    DuringTransfer watch(session);
    auto data = session.data.open(watch);
    if (const auto* failure = std::get_if<Reply>(&data)) return watch.last(*failure);
    session.control.reply(reply::listing_follows);
    auto protection = session.protect(std::get<base::Fd>(data), watch);
    if (const auto* failure = std::get_if<Reply>(&protection)) return watch.last(*failure);
    auto& stream = std::get<std::optional<tls::Stream>>(protection);

    Terms terms;
    terms.tls = stream ? &*stream : nullptr;
    terms.strict_write_shutdown = session.options.strict_ssl_write_shutdown;
    terms.timeout = std::chrono::seconds(session.options.data_connection_timeout);
    LineSender sender(std::get<base::Fd>(data), terms, watch);
    const bool whole =
        lister.write(listing, [&](std::string_view lines) { return sender.send(lines); });
    const auto transferred = sender.finish();
    std::get<base::Fd>(data).close();
    switch (transferred.end) {
        case End::complete:
            if (!whole) return reply::listing_too_large;
            return reply::listing_complete;
        case End::timeout:
            session.ending = true;
            return reply::data_timeout;
        default:
            return watch.last(reply::network_write_failed);
    }
}

// A name must not look like the end of the reply that it is told in.
std::string as_reply_lines(std::string_view lines) {
    std::string wire;
    while (!lines.empty()) {
        const auto end = lines.find("\r\n");
        wire += ftp::wire_line(lines.substr(0, end));
        lines.remove_prefix(end == lines.npos ? lines.size() : end + 2);
    }
    return wire;
}

Reply list_as(Session& session, std::string_view argument, Style style) {
    const auto request = ftp::parse_list(argument);
    if (session.denied(request.path)) return reply::permission_denied;
    auto options = request.options;
    options.recursive = options.recursive && session.options.ls_recurse_enable;
    const auto listing = listing_of(session, request.path, style, options);
    if (!listing) return ftp::because(reply::listing_unavailable, ENAMETOOLONG);
    return send_listing(session, *listing);
}

}  // namespace

Reply list(Session& session, std::string_view argument) {
    return list_as(session, argument, Style::ls);
}

Reply nlst(Session& session, std::string_view argument) {
    const bool long_lines = ftp::parse_list(argument).options.long_lines;
    return list_as(session, argument, long_lines ? Style::ls : Style::names);
}

// A folder only (RFC 3659, 7.2), and no options: what looks like some belongs to the name.
Reply mlsd(Session& session, std::string_view path) {
    ftp::ListOptions all;
    all.all = true;
    const auto listing = listing_of(session, path, Style::facts, all);
    if (!listing) return ftp::because(reply::listing_unavailable, ENAMETOOLONG);
    return send_listing(session, *listing);
}

Reply mlst(Session& session, std::string_view argument) {
    const auto path = session.path(argument.empty() ? "." : argument);
    if (!path) return ftp::because(reply::no_facts, ENAMETOOLONG);
    const auto shown = session.shown(argument.empty() ? "." : argument);
    Lister lister(session.files, session.options, session.admission, session.name_of());
    const auto line = lister.facts(*path, shown, session.facts);
    if (!line) return ftp::because(reply::no_facts, line.error().number);
    return reply::facts(shown, line.value());
}

// The same as LIST -a, over the control connection.
Reply stat_path(Session& session, std::string_view argument) {
    const auto request = ftp::parse_list(argument);
    if (session.denied(request.path)) return reply::permission_denied;
    auto options = request.options;
    options.all = true;
    options.recursive = options.recursive && session.options.ls_recurse_enable;
    const auto listing = listing_of(session, request.path, Style::ls, options);
    Lister lister(session.files, session.options, session.admission, session.name_of());
    if (!listing) return ftp::because(reply::listing_unavailable, ENAMETOOLONG);
    if (auto found = lister.look_up(*listing); !found)
        return ftp::because(reply::listing_unavailable, found.error().number);
    session.control.send(ftp::wire_first(reply::status_follows));
    const bool whole = lister.write(*listing, [&](std::string_view lines) {
        return session.control.send(as_reply_lines(lines));
    });
    // The last line has the code of the first one (RFC 959, 4.2).
    if (!whole) return {reply::status_follows.code, std::string(reply::listing_too_large.text)};
    return reply::end_of_status;
}

}  // namespace session::commands
