// SPDX-License-Identifier: MIT
// Commands on files and folders without a data connection; run in the session.
#include "session/files.hpp"

#include "base/text.hpp"
#include "ftp/features.hpp"
#include "ftp/path.hpp"
#include "ftp/time.hpp"
#include "session/command_table.hpp"
#include "session/commands/commands.hpp"
#include "session/during_transfer.hpp"
#include "session/hash.hpp"
#include "session/session.hpp"

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include <sys/stat.h>

namespace session::commands {

namespace reply = ftp::reply;

namespace {

// One path in, done or not: DELE, MKD, RMD.
template <typename Act>
Reply change(Session& session, std::string_view argument, ipc::Event event, const Reply& done,
             const ftp::Fixed& failed, Act act) {
    const auto path = session.path(argument);
    const auto outcome =
        path ? act(*path) : base::Result<void>(base::Error{"", Session::no_path(argument)});
    session.record(event, outcome.has_value(), session.shown(argument));
    if (!outcome) session.tell_of_disk("changing a folder", outcome.error().number);
    return outcome ? done : ftp::because(failed, outcome.error().number);
}

base::Result<struct stat> regular_file(const Session& session, std::string_view argument) {
    const auto path = session.path(argument);
    if (!path) return base::Error{"", Session::no_path(argument)};
    TRY(const auto status, session.files.status(*path));
    if (S_ISDIR(status.st_mode)) return base::Error{"a directory", EISDIR};
    if (!S_ISREG(status.st_mode)) return base::Error{"not a regular file", ftp::not_a_regular_file};
    return status;
}

std::string as_fact(std::string_view name, std::string_view value) {
    std::string fact{name};
    ((fact += '=') += value) += ';';
    return fact;
}

base::Result<void> set_time(Session& session, std::string_view name, const ftp::Timestamp& time) {
    const auto path = session.path(name);
    if (!path) return base::Error{"", Session::no_path(name)};
    return session.files.set_time(*path, time.seconds, time.nanoseconds);
}

}  // namespace

// ----- folders

Reply pwd(Session& session, std::string_view) { return reply::current_folder(session.cwd); }

Reply cwd(Session& session, std::string_view argument) {
    const auto path = session.path(argument);
    if (!path) return ftp::because(reply::folder_not_changed, Session::no_path(argument));
    auto entered = session.files.enter(*path);
    // The folder that the client is in has been removed: what was above it is known by its name.
    if (!entered && entered.error().number == ENOENT && argument == "..")
        entered = session.files.enter(session.shown(argument));
    if (!entered) return ftp::because(reply::folder_not_changed, entered.error().number);
    session.cwd = std::move(entered.value());
    return session.with_folder_message(reply::folder_changed);
}

Reply cdup(Session& session, std::string_view) {
    return session.denied("..") ? reply::permission_denied : cwd(session, "..");
}

Reply mkd(Session& session, std::string_view argument) {
    return change(session, argument, ipc::Event::mkdir, reply::folder_made(session.shown(argument)),
                  reply::mkdir_failed,
                  [&](const std::string& path) { return session.files.make_folder(path); });
}

Reply rmd(Session& session, std::string_view argument) {
    return change(session, argument, ipc::Event::rmdir, reply::rmdir_done, reply::rmdir_failed,
                  [&](const std::string& path) { return session.files.remove_folder(path); });
}

// ----- files

Reply dele(Session& session, std::string_view argument) {
    return change(session, argument, ipc::Event::remove, reply::delete_done, reply::delete_failed,
                  [&](const std::string& path) { return session.files.remove(path); });
}

Reply rnfr(Session& session, std::string_view argument) {
    session.rename_from.reset();
    const auto path = session.path(argument);
    const auto status =
        path ? session.files.status(*path, false)
             : base::Result<struct stat>(base::Error{"", Session::no_path(argument)});
    if (!status) {
        session.record(ipc::Event::rename, false, session.shown(argument));
        return ftp::because(reply::rnfr_failed, status.error().number);
    }
    session.rename_from = *path;
    return reply::ready_for_rnto;
}

Reply rnto(Session& session, std::string_view argument) {
    if (!session.rename_from) return reply::rnfr_first;
    if (session.denied(argument)) {
        session.record(ipc::Event::rename, false, ftp::normalised(*session.rename_from),
                       session.shown(argument));
        return reply::permission_denied;
    }
    const auto from = *std::exchange(session.rename_from, std::nullopt);
    const auto to = session.path(argument);
    const auto renamed = to ? session.files.rename(from, *to)
                            : base::Result<void>(base::Error{"", Session::no_path(argument)});
    session.record(ipc::Event::rename, renamed.has_value(), ftp::normalised(from),
                   session.shown(argument));
    if (!renamed) {
        session.tell_of_disk("renaming a file", renamed.error().number);
        return ftp::because(reply::rename_failed, renamed.error().number);
    }
    return reply::rename_done;
}

// As many bytes as RETR would send now (RFC 3659, 4).
Reply size(Session& session, std::string_view argument) {
    if (session.ascii && session.options.ascii_download_enable) {
        const auto file = session.open_readable(argument);
        if (!file) return ftp::because(reply::no_size, file.error().number);
        DuringTransfer watch(session);
        const auto bytes = ascii_size(file.value().file, watch);
        if (!bytes) return watch.last(ftp::because(reply::no_size, bytes.error().number));
        return reply::size(bytes.value());
    }
    const auto status = regular_file(session, argument);
    if (!status) return ftp::because(reply::no_size, status.error().number);
    return reply::size(static_cast<std::uint64_t>(status.value().st_size));
}

// ----- times and modes

// "MDTM NAME" asks. "MDTM TIME NAME" sets, unless there is a file of just that name.
Reply mdtm(Session& session, std::string_view argument) {
    if (session.denied(argument)) return reply::permission_denied;
    const auto status = regular_file(session, argument);
    if (status) return reply::modified(ftp::format_time(status.value().st_mtime));
    const bool may_set = session.options.mdtm_write && allowed(session, need::changing);
    const bool sets = ftp::looks_like_time(argument) && argument.find(' ') != argument.npos;
    if (!may_set || !sets) return ftp::because(reply::no_time, status.error().number);

    const auto wanted = ftp::parse_time_and_file(argument, true);
    if (!wanted) return reply::time_not_set;
    if (session.denied(wanted->file)) return reply::permission_denied;
    const auto done = set_time(session, wanted->file, wanted->time);
    if (!done) return ftp::because(reply::time_not_set, done.error().number);
    return reply::time_set;
}

Reply mfmt(Session& session, std::string_view argument) {
    if (!session.options.mdtm_write) return reply::permission_denied;
    const auto wanted = ftp::parse_time_and_file(argument, false);
    if (!wanted) return reply::bad_time;
    if (session.denied(wanted->file)) return reply::permission_denied;
    const auto done = set_time(session, wanted->file, wanted->time);
    if (!done) return ftp::because(reply::time_not_set, done.error().number);
    return reply::facts_set(as_fact("Modify", ftp::format_time(wanted->time.seconds)),
                            wanted->file);
}

// "MFF Modify=20261123225048;UNIX.mode=0644; NAME": everything is checked before anything is done.
Reply mff(Session& session, std::string_view argument) {
    const auto blank = argument.find(' ');
    if (blank == argument.npos || blank == 0 || argument[blank - 1] != ';')
        return reply::bad_argument;
    const auto name = argument.substr(blank + 1);
    if (name.empty()) return reply::bad_argument;
    if (session.denied(name)) return reply::permission_denied;

    std::optional<ftp::Timestamp> time;
    std::optional<std::uint32_t> mode;
    std::string_view mode_text;
    std::string set;
    for (const auto fact : base::split(argument.substr(0, blank - 1), ';')) {
        const auto equals = fact.find('=');
        if (equals == fact.npos) return reply::bad_argument;
        const auto value = fact.substr(equals + 1);
        if (base::equal_ignoring_case(fact.substr(0, equals), "modify")) {
            time = ftp::parse_time(value);
            if (!time) return reply::bad_time;
            set += as_fact("Modify", ftp::format_time(time->seconds));
        } else if (base::equal_ignoring_case(fact.substr(0, equals), "unix.mode")) {
            mode = base::to_number<std::uint32_t>(value, 8);
            if (!mode || *mode > 0777) return reply::bad_argument;
            mode_text = value;
            set += as_fact("UNIX.mode", value);
        } else {
            return reply::unknown_fact;
        }
    }
    if ((time && !session.options.mdtm_write) ||
        (mode && !(session.options.chmod_enable && allowed(session, need::local))))
        return reply::permission_denied;

    const auto path = session.path(name);
    if (!path) return ftp::because(reply::facts_not_set, Session::no_path(name));
    if (mode) {
        const auto done = session.files.change_mode(*path, *mode);
        session.record(ipc::Event::chmod, done.has_value(), session.shown(name), mode_text);
        if (!done) return ftp::because(reply::facts_not_set, done.error().number);
    }
    if (time) {
        const auto done = session.files.set_time(*path, time->seconds, time->nanoseconds);
        if (!done) return ftp::because(reply::facts_not_set, done.error().number);
    }
    return reply::facts_set(set, name);
}

// ----- checksums and space

namespace {

struct Digest {
    std::string hex;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

// Of what the next RETR would send: RANG and REST count.
base::Result<Digest> digest_of(Session& session, std::string_view argument,
                               ftp::HashAlgorithm algorithm, Watch& watch) {
    const auto restart_at = std::exchange(session.restart_at, 0);
    const auto range = std::exchange(session.range, std::nullopt);
    TRY(const auto file, session.open_readable(argument));
    const auto size = static_cast<std::uint64_t>(file.status.st_size);
    Digest result;
    result.first = range ? range->first : restart_at;
    if (result.first > size) return base::Error{"", EINVAL};
    const auto end = range && range->last < size ? range->last + 1 : size;
    const auto length = end - result.first;
    result.last = length == 0 ? result.first : end - 1;
    TRY(result.hex, digest(file.file, algorithm, result.first, length, watch));
    return result;
}

// The older commands: the name may be in quotes, the answer is the bare number.
Reply checksum(Session& session, std::string_view argument, ftp::HashAlgorithm algorithm) {
    auto name = argument;
    if (name.size() > 1 && name.front() == '"' && name.back() == '"')
        name = name.substr(1, name.size() - 2);
    if (session.denied(name)) return reply::permission_denied;
    DuringTransfer watch(session);
    const auto result = digest_of(session, name, algorithm, watch);
    if (!result) return watch.last(ftp::because(reply::hash_failed, result.error().number));
    return {250, result.value().hex};
}

}  // namespace

Reply hash(Session& session, std::string_view argument) {
    DuringTransfer watch(session);
    const auto result = digest_of(session, argument, session.hash, watch);
    if (!result) return watch.last(ftp::because(reply::hash_failed, result.error().number));
    return reply::hash(ftp::name(session.hash), result.value().first, result.value().last,
                       result.value().hex, argument);
}

Reply xcrc(Session& session, std::string_view path) {
    return checksum(session, path, ftp::HashAlgorithm::crc32);
}

Reply xmd5(Session& session, std::string_view path) {
    return checksum(session, path, ftp::HashAlgorithm::md5);
}

Reply xsha1(Session& session, std::string_view path) {
    return checksum(session, path, ftp::HashAlgorithm::sha1);
}

Reply xsha256(Session& session, std::string_view path) {
    return checksum(session, path, ftp::HashAlgorithm::sha256);
}

Reply avbl(Session& session, std::string_view argument) {
    const auto path = session.path(argument.empty() ? "." : argument);
    if (!path) return ftp::because(reply::no_space_information, ENAMETOOLONG);
    const auto space = session.files.space(*path);
    if (!space) return ftp::because(reply::no_space_information, space.error().number);
    return reply::available(std::uint64_t{space.value().f_bavail} * space.value().f_frsize);
}

}  // namespace session::commands
