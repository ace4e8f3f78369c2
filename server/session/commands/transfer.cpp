// SPDX-License-Identifier: MIT
// RETR and the commands that store; run in the session. Everything that can be refused is refused
// before the data connection is opened, and nothing is changed before it stands.
#include "session/transfer.hpp"

#include "ftp/path.hpp"
#include "ftp/pattern.hpp"
#include "session/commands/commands.hpp"
#include "session/during_transfer.hpp"
#include "session/session.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace session::commands {

namespace reply = ftp::reply;

namespace {

// STOU gives up when so many names are taken.
constexpr unsigned most_unique_names = 10'000;

// vsftpd's words.
constexpr std::string_view unfinished_upload =
    "DATA connection terminated without SSL shutdown. Buggy client! Integrity of upload cannot be "
    "asserted.";

constexpr ftp::Fixed file_busy{450, "The file is being transferred, please try later."};

Terms terms(const Session& session, bool ascii, std::optional<tls::Stream>& stream) {
    const auto& options = session.options;
    Terms result;
    result.tls = stream ? &*stream : nullptr;
    result.strict_read_eof = options.strict_ssl_read_eof;
    result.strict_write_shutdown = options.strict_ssl_write_shutdown;
    result.ascii = ascii;
    result.rate = session.max_rate();
    result.clock = session.clock ? &*session.clock : nullptr;
    result.chunk = options.trans_chunk_size;
    result.timeout = std::chrono::seconds(options.data_connection_timeout);
    result.sendfile = options.use_sendfile;
    return result;
}

// What the client is told in the end is the reason of a failure, too.
void record(Session& session, ipc::Event event, const std::string& path, const Reply& told,
            const Transferred& transferred = {}) {
    ipc::Record line{};
    line.event = event;
    line.success = told.code == reply::transfer_complete.code ? 1 : 0;
    line.bytes = transferred.bytes;
    line.microseconds = static_cast<std::uint64_t>(transferred.time.count());
    line.has_size = 1;
    line.ascii = session.ascii ? 1 : 0;
    line.path.assign(path);
    if (line.success == 0) line.second.assign(told.text);
    session.broker.record(line);
}

Reply ended(Session& session, ipc::Event event, const Transferred& transferred) {
    const bool stored = event == ipc::Event::upload;
    const auto& network_failed = stored ? reply::network_read_failed : reply::network_write_failed;
    switch (transferred.end) {
        case End::complete:
            return reply::transfer_complete;
        case End::network:
        case End::cut:
            return network_failed;
        case End::file:
            return ftp::because(stored ? reply::file_write_failed : reply::file_read_failed,
                                transferred.number);
        case End::no_space:
            return ftp::because(reply::no_space, transferred.number);
        case End::shrank:
            if (!stored) return reply::file_shrank;
            return ftp::because(reply::file_write_failed, "The file has been cut off");
        case End::timeout:
            session.ending = true;
            return reply::data_timeout;
        case End::aborted:
            return network_failed;
    }
    return network_failed;
}

bool permitted(const std::string& option, const std::string& path) {
    ftp::Steps steps;
    return ftp::permitted(option, path, steps);
}

// An upload from the command to its last reply.
struct Upload {
    std::string path;     // absolute
    bool append = false;  // APPE
    bool unique = false;  // STOU
    std::uint64_t restart_at = 0;
};

// better_stou: nobody can tell the next name from the last one.
std::string random_suffix() {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
    std::array<unsigned char, 6> random{};
    if (::getentropy(random.data(), random.size()) < 0) return ".1";  // taken names are skipped
    std::string suffix = ".";
    for (const auto byte : random) suffix += letters[byte % letters.size()];
    return suffix;
}

// STOU: the name itself if it is free, else NAME.1, NAME.2 ...
base::Result<OpenFile> create_unique(Session& session, Upload& upload, bool named) {
    const auto base_path = upload.path;
    for (unsigned number = named ? 0 : 1; number < most_unique_names; ++number) {
        if (session.options.better_stou)
            upload.path = base_path + random_suffix();
        else if (number > 0)
            upload.path = base_path + '.' + std::to_string(number);
        auto file = session.files.create(upload.path, session.options.file_open_mode, true);
        if (file || file.error().number != EEXIST) return file;
    }
    return base::Error{"", EEXIST};
}

base::Result<OpenFile> create(Session& session, Upload& upload, bool named) {
    if (upload.unique) return create_unique(session, upload, named);
    const bool exclusive = session.admission.anonymous_rights && !upload.append &&
                           !session.options.anon_other_write_enable;
    return session.files.create(upload.path, session.options.file_open_mode, exclusive);
}

// The path leads to this very file still: nobody has removed it or put another in its place.
bool is_still_there(const Session& session, const std::string& path, const struct stat& file) {
    const auto there = session.files.status(path);
    return there && there.value().st_dev == file.st_dev && there.value().st_ino == file.st_ino;
}

std::optional<std::uint64_t> size_of(const base::Fd& file) {
    struct stat status {};
    if (::fstat(file.get(), &status) < 0) return std::nullopt;
    return static_cast<std::uint64_t>(status.st_size);
}

// Some file systems in user space count no links: there the name itself tells.
bool has_a_name(const Session& session, const std::string& path, const struct stat& file) {
    return file.st_nlink > 0 || is_still_there(session, path, file);
}

// lock_upload_files. Whoever had the lock may have removed the file when he let go of it: then it
// is made once more.
enum class Locked { yes, no, gone };
Locked lock(Session& session, const Upload& upload, const OpenFile& file, Watch& watch) {
    if (!session.options.lock_upload_files) return Locked::yes;
    if (!session.lock(file.file, true, watch)) return Locked::no;
    struct stat status {};
    const bool there = file.created || (::fstat(file.file.get(), &status) == 0 &&
                                        has_a_name(session, upload.path, status));
    return there ? Locked::yes : Locked::gone;
}

// Of an upload that failed, if this command made the file. Others may have stored into it
// meanwhile, or moved another to its name; with lock_upload_files nobody does either now.
void remove_own(Session& session, const Upload& upload, const OpenFile& file) {
    struct stat status {};
    if (file.created && ::fstat(file.file.get(), &status) == 0)
        (void)session.files.remove_end(upload.path, status);
}

// Some file systems tell only now that they had no room. The lock goes with the file: whoever has
// it by now and stores into a file that is removed here is told so.
void close(Session& session, const Upload& upload, OpenFile& file, Transferred& transferred) {
    struct stat status {};
    const bool known = ::fstat(file.file.get(), &status) == 0;
    // A file without a name is lost, whoever took the name away.
    if (transferred.end == End::complete && !(known && has_a_name(session, upload.path, status)))
        transferred.fail(ENOENT);
    if (::close(file.file.release()) == 0 || transferred.end != End::complete) return;
    transferred.fail(errno);
    if (session.options.delete_failed_uploads && file.created && known)
        (void)session.files.remove_end(upload.path, status);
}

// As the file is now, with the data connection there: where the first byte goes. What was there is
// cut off for a plain STOR.
std::optional<std::uint64_t> prepare_file(const Upload& upload, const base::Fd& file) {
    if (upload.append) {
        const int flags = ::fcntl(file.get(), F_GETFL);
        if (flags < 0 || ::fcntl(file.get(), F_SETFL, flags | O_APPEND) < 0) return std::nullopt;
        return size_of(file);
    }
    if (upload.restart_at > 0) return upload.restart_at;
    if (size_of(file) != 0U && ::ftruncate(file.get(), 0) < 0) return std::nullopt;
    return 0;
}

// chown_uploads, right after the file was made, as vsftpd does it.
base::Result<void> give_away(Session& session, const OpenFile& file) {
    const auto& options = session.options;
    if (!options.chown_uploads || !session.admission.anonymous_rights || !file.created)
        return base::success();
    auto given = session.broker.give_away(file.file);
    if (!given)
        session.record(ipc::Event::warning, false,
                       "an upload could not be given to " + options.chown_username + ": " +
                           given.error().text());
    return given;
}

// The upload itself, from 150 on.
Transferred receive(Session& session, const Upload& upload, OpenFile& file, const base::Fd& data,
                    std::optional<tls::Stream>& stream, DuringTransfer& watch) {
    Transferred transferred;
    if (const auto offset = prepare_file(upload, file.file)) {
        auto wanted = terms(session, session.ascii && session.options.ascii_upload_enable, stream);
        wanted.append = upload.append;
        transferred = receive_file(file.file, *offset, data, wanted, watch);
    } else {
        transferred.fail(errno);
    }
    if (transferred.end != End::complete) return transferred;
    // The client has sent all of it and waits: no deadline runs meanwhile, and what it says now is
    // answered after 226, as what comes when a transfer is over.
    const auto synced = session.files.sync(file.file, upload.path);
    if (!synced) transferred.fail(synced.error().number);
    return transferred;
}

Reply store(Session& session, Upload upload, OpenFile file, const Reply& start) {
    DuringTransfer watch(session);
    const auto refuse = [&](const Reply& reply) {
        // Nothing came, so nothing is to be seen of it, unless somebody else put it there.
        if (size_of(file.file) == 0U) remove_own(session, upload, file);
        record(session, ipc::Event::upload, session.shown(upload.path), reply);
        return watch.last(reply);
    };
    for (;;) {
        const auto locked = lock(session, upload, file, watch);
        if (locked == Locked::no) return refuse(file_busy);
        if (locked == Locked::yes) break;
        auto again = create(session, upload, true);
        if (!again) return refuse(ftp::because(reply::could_not_create, again.error().number));
        file = std::move(again.value());
    }
    if (upload.restart_at > 0 && upload.restart_at > size_of(file.file).value_or(0))
        return refuse(reply::restart_beyond_end);
    if (const auto given = give_away(session, file); !given)
        return refuse(ftp::because(reply::could_not_create, given.error().number));
    auto data = session.data.open(watch);
    if (const auto* failure = std::get_if<Reply>(&data)) return refuse(*failure);
    auto protection =
        session.protect(std::get<base::Fd>(data), watch, tls::Stream::Use::receiving, &start);
    if (const auto* failure = std::get_if<Reply>(&protection)) return refuse(*failure);
    auto& stream = std::get<std::optional<tls::Stream>>(protection);

    auto transferred = receive(session, upload, file, std::get<base::Fd>(data), stream, watch);
    if (transferred.end == End::cut) session.record(ipc::Event::debug, false, unfinished_upload);
    if (transferred.end != End::complete && session.options.delete_failed_uploads)
        remove_own(session, upload, file);
    close(session, upload, file, transferred);
    std::get<base::Fd>(data).close();
    const auto reply = ended(session, ipc::Event::upload, transferred);
    record(session, ipc::Event::upload, session.shown(upload.path), reply, transferred);
    session.tell_of_disk("storing a file", transferred.number);
    return watch.last(reply);
}

Reply upload(Session& session, std::string_view argument, bool append) {
    const auto restart_at = std::exchange(session.restart_at, 0);
    session.range.reset();
    if (auto refusal = session.no_transfer()) return *refusal;
    const auto path = session.path(argument);
    const auto shown = session.shown(argument);
    const auto refuse = [&](const Reply& reply) {
        record(session, ipc::Event::upload, shown, reply);
        return reply;
    };
    if (!path) return refuse(ftp::because(reply::could_not_create, Session::no_path(argument)));
    if (!permitted(session.options.upload_file, shown)) return refuse(reply::permission_denied);
    Upload wanted{*path, append, false, append ? 0 : restart_at};
    auto file = create(session, wanted, true);
    if (!file) {
        session.tell_of_disk("storing a file", file.error().number);
        return refuse(ftp::because(reply::could_not_create, file.error().number));
    }
    return store(session, std::move(wanted), std::move(file.value()), reply::send_data);
}

}  // namespace

Reply retr(Session& session, std::string_view argument) {
    const auto restart_at = std::exchange(session.restart_at, 0);
    const auto range = std::exchange(session.range, std::nullopt);
    if (auto refusal = session.no_transfer()) return *refusal;

    const auto shown = session.shown(argument);
    const auto refuse = [&](const Reply& reply) {
        record(session, ipc::Event::download, shown, reply);
        return reply;
    };
    const bool convert = session.ascii && session.options.ascii_download_enable;
    const auto offset = range ? range->first : restart_at;
    if (convert && (offset > 0 || range)) return reply::no_ascii_resume;
    if (!permitted(session.options.download_file, shown)) return refuse(reply::permission_denied);
    const auto file = session.open_readable(argument);
    if (!file) {
        const auto answer = ftp::because(reply::could_not_open, file.error().number);
        return file.error().number == EISDIR ? answer : refuse(answer);
    }
    const auto before = static_cast<std::uint64_t>(file.value().status.st_size);
    if (offset > before) return refuse(reply::restart_beyond_end);

    DuringTransfer watch(session);
    if (session.options.lock_upload_files && !session.lock(file.value().file, false, watch))
        return watch.last(refuse(file_busy));
    auto data = session.data.open(watch);
    if (const auto* failure = std::get_if<Reply>(&data)) return watch.last(refuse(*failure));
    // It may have changed during these waits; what is announced now is what has to come.
    const auto size = size_of(file.value().file).value_or(0);
    if (offset > size) return watch.last(refuse(reply::restart_beyond_end));
    session.control.reply(reply::opening(convert, argument, size));
    auto protection = session.protect(std::get<base::Fd>(data), watch, tls::Stream::Use::sending);
    if (const auto* failure = std::get_if<Reply>(&protection)) return watch.last(refuse(*failure));
    auto& stream = std::get<std::optional<tls::Stream>>(protection);

    // A size of 0 may be that of a file system which tells none beforehand.
    std::optional<std::uint64_t> length;
    if (size > 0) length = size - offset;
    if (length && range) length = std::min(*length, range->last - range->first + 1);
    const auto transferred = send_file(file.value().file, offset, length, std::get<base::Fd>(data),
                                       terms(session, convert, stream), watch);
    std::get<base::Fd>(data).close();
    const auto reply = ended(session, ipc::Event::download, transferred);
    record(session, ipc::Event::download, shown, reply, transferred);
    session.tell_of_disk("sending a file", transferred.number);
    return watch.last(reply);
}

Reply stor(Session& session, std::string_view path) { return upload(session, path, false); }

Reply appe(Session& session, std::string_view path) { return upload(session, path, true); }

Reply stou(Session& session, std::string_view argument) {
    session.restart_at = 0;
    session.range.reset();
    if (auto refusal = session.no_transfer()) return *refusal;
    const bool named = !argument.empty();
    const auto typed = named ? std::string(argument) : std::string("STOU");
    const auto path = session.path(typed);
    if (!path) return ftp::because(reply::could_not_create, ENAMETOOLONG);
    if (!permitted(session.options.upload_file, session.shown(typed)))
        return reply::permission_denied;

    Upload wanted{*path, false, true, 0};
    auto file = create(session, wanted, named);
    if (!file) {
        session.tell_of_disk("storing a file", file.error().number);
        const auto reply = ftp::because(reply::could_not_create, file.error().number);
        record(session, ipc::Event::upload, session.shown(typed), reply);
        return reply;
    }
    const auto chosen = typed + wanted.path.substr(path->size());
    return store(session, std::move(wanted), std::move(file.value()),
                 reply::opening_unique(chosen));
}

}  // namespace session::commands
