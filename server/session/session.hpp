// SPDX-License-Identifier: MIT
// The state of one client after login, and the process that serves it: blank until a login needs
// it, then jailed as that user.
#pragma once

#include "config/configuration.hpp"
#include "control/connection.hpp"
#include "ftp/features.hpp"
#include "ftp/listing.hpp"
#include "ftp/pattern.hpp"
#include "ipc/admission.hpp"
#include "ipc/channel.hpp"
#include "session/broker_client.hpp"
#include "session/data_connection.hpp"
#include "session/data_tls.hpp"
#include "session/files.hpp"
#include "session/lister.hpp"
#include "session/shared_clock.hpp"
#include "session/transfer.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace session {

// In the spawner, before it leaves the host's files: what the C library and OpenSSL would look for
// in a jail in vain, and what all sessions have in common of their jails.
[[nodiscard]] base::Result<void> prepare(const config::Configuration& configuration,
                                         bool in_spawner = false);

// Waits for an ipc::Enter, carries out that user's jail and speaks FTP; the result is the process's
// exit code.
int run(ipc::Channel channel, const config::Options& options);

struct Session {
    // ----- who it is
    config::Options options;  // with what this user has of his own
    ipc::Admission admission;
    ipc::Address peer{};
    ipc::Address local{};
    std::uint32_t clients = 0;  // at its start
    bool encrypted = false;     // the control connection, on the client's side

    // ----- what it works with
    control::Connection& control;
    BrokerClient& broker;
    Files& files;
    DataConnection& data;

    std::optional<DataTls> tls{};        // with TLS on the control connection
    std::optional<SharedClock> clock{};  // the account's sessions share their rate

    // ----- what its commands have said
    std::string cwd = "/";
    bool ascii = true;
    bool epsv_all = false;
    bool data_private = false;  // PROT P
    std::uint64_t restart_at = 0;
    struct Range {
        std::uint64_t first = 0;
        std::uint64_t last = 0;  // this byte included
    };
    std::optional<Range> range{};
    std::optional<std::string> rename_from{};  // absolute
    ftp::Facts facts = ftp::all_facts;
    ftp::HashAlgorithm hash = ftp::HashAlgorithm::sha256;
    mode_t umask = 077;
    std::set<std::string> folders_seen{};  // whose message has been shown
    // Of users (false) and groups (true), as far as they have been asked for.
    std::map<std::pair<bool, std::uint32_t>, std::string> names{};
    bool ending = false;               // after the reply
    bool quit_after_transfer = false;  // QUIT was said during one
    bool told_of_disk = false;

    // ----- what handlers ask

    // The argument as an absolute path that may be looked up; nothing when it names nothing ("",
    // too long).
    [[nodiscard]] std::optional<std::string> path(std::string_view argument) const;
    // And why there is none.
    [[nodiscard]] static int no_path(std::string_view argument);
    // For messages and logs: without "..", "." and doubled slashes.
    [[nodiscard]] std::string shown(std::string_view argument) const;
    [[nodiscard]] bool denied(std::string_view argument) const;  // deny_file
    // tilde_user_enable: "~ann/x" with ann's home in its place.
    [[nodiscard]] std::string with_tilde(std::string_view argument) const;
    [[nodiscard]] std::uint64_t max_rate() const;  // bytes a second, 0: no limit
    // For reading, if the rules for downloads let this account have it.
    [[nodiscard]] base::Result<OpenFile> open_readable(std::string_view argument) const;
    // Why there can be no transfer now, before anything else about it is looked at.
    [[nodiscard]] std::optional<ftp::Reply> no_transfer() const;
    // With PROT P the handshake on the data connection; a reply when that fails. With `start`, 150
    // is said here: as soon as can be, but behind a handshake that the client has begun already.
    // Node's TLS ends an empty upload at 150, and when that is amid its handshake, without a
    // goodbye.
    using Protection = std::variant<std::optional<tls::Stream>, ftp::Reply>;
    [[nodiscard]] Protection protect(const base::Fd& data, Watch& watch,
                                     tls::Stream::Use use = tls::Stream::Use::any,
                                     const ftp::Reply* start = nullptr);
    // lock_upload_files: waits for an upload (exclusive: for any transfer) of it to end; false when
    // that takes too long or the client no longer wants it.
    [[nodiscard]] bool lock(const base::Fd& file, bool exclusive, Watch& watch);
    // message_file of the current folder the first time it is entered, in front of the reply.
    [[nodiscard]] ftp::Reply with_folder_message(const ftp::Reply& reply);

    // text_userdb_names: how listings get at names; empty when they show numbers.
    [[nodiscard]] NameOf name_of();

    void record(ipc::Event event, bool success, std::string_view path,
                std::string_view second = {});
    // The administrator learns once a session of errors that are not the client's: a full disk, a
    // broken one. 0 and all others are none of these.
    void tell_of_disk(std::string_view deed, int error_number);
    void set_title(std::string_view doing) const;

    // The next command or what else there is.
    [[nodiscard]] control::Came wait(ftp::Line& line);

    // The command loop, from 230 to the end of the control connection.
    void serve();
};

}  // namespace session
