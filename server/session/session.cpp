// SPDX-License-Identifier: MIT
// From a blank process to a user's session and its command loop; runs in the session.
#include "session/session.hpp"

#include "base/text.hpp"
#include "base/title.hpp"
#include "control/address.hpp"
#include "ftp/path.hpp"
#include "jail/plans.hpp"
#include "session/command_table.hpp"
#include "session/jail.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace session {
namespace {

namespace reply = ftp::reply;
using control::Came;

constexpr std::size_t largest_message = 4000;         // bytes of message_file, as vsftpd
constexpr int lock_interval = 100;                    // milliseconds between two tries
constexpr std::size_t most_folders_remembered = 100;  // with a message shown, as vsftpd
constexpr std::chrono::seconds longest_ahead{10};     // that a port listens for a silent client
constexpr std::size_t most_names = 2000;              // of users and groups; then numbers

// What the client reads when its jail cannot be entered; vsftpd's words where it has them.
ftp::Reply why_not(const base::Error& error) {
    if (error.what == jail::writable_root_step)
        return reply::oops("vsftpd: refusing to run with writable root inside chroot()");
    return reply::oops(error.text());
}

void send_warning(ipc::Channel& channel, std::string_view text) {
    ipc::Record record{};
    record.event = ipc::Event::warning;
    record.path.assign(text);
    (void)channel.send_waiting(record);
}

// A login that ends here: the supervisor is told why, and the client.
int give_up(ipc::Channel& channel, control::Connection& client, const base::Error& error) {
    ipc::Entered entered{};
    entered.number = error.number;
    entered.step.assign(error.what.empty() ? "session" : error.what);
    (void)channel.send_waiting(entered);
    client.reply(why_not(error));
    client.close();
    return 1;
}

}  // namespace

// ----- what handlers ask

std::optional<std::string> Session::path(std::string_view argument) const {
    if (argument.empty()) return std::nullopt;
    auto absolute = ftp::absolute(cwd, with_tilde(argument), admission.home);
    if (!ftp::fits(absolute)) return std::nullopt;
    return absolute;
}

// No file has a NUL in its name.
int Session::no_path(std::string_view argument) {
    return argument.empty() || argument.find('\0') != argument.npos ? ENOENT : ENAMETOOLONG;
}

std::string Session::shown(std::string_view argument) const {
    return ftp::join(cwd, with_tilde(argument), admission.home);
}

// Other users' homes are known by their place on the host; in a jail that counts only for what is
// in it.
std::string Session::with_tilde(std::string_view argument) const {
    const auto user = options.tilde_user_enable ? ftp::tilde_user(argument) : std::nullopt;
    if (!user) return std::string(argument);
    auto home = broker.home_of(*user);
    if (admission.jailed && admission.root != "/") {
        const bool inside =
            home.starts_with(admission.root) &&
            (home.size() == admission.root.size() || home[admission.root.size()] == '/');
        home = inside ? '/' + home.substr(admission.root.size()) : std::string{};
    }
    if (home.empty()) return std::string(argument);
    return home + std::string(argument.substr(1 + user->size()));
}

NameOf Session::name_of() {
    if (!options.text_userdb_names || options.hide_ids) return {};
    return [this](bool group, std::uint32_t number) -> std::string {
        const auto known = names.find({group, number});
        if (known != names.end()) return known->second;
        if (names.size() >= most_names) return {};
        return names[{group, number}] = broker.name_of(group, number);
    };
}

bool Session::denied(std::string_view argument) const {
    if (options.deny_file.empty() || argument.empty()) return false;
    ftp::Steps steps;
    return ftp::denied(options.deny_file, argument, shown(argument), steps);
}

std::uint64_t Session::max_rate() const {
    return admission.anonymous_rights ? options.anon_max_rate : options.local_max_rate;
}

base::Result<OpenFile> Session::open_readable(std::string_view argument) const {
    const auto wanted = path(argument);
    if (!wanted) return base::Error{"", no_path(argument)};
    ftp::Steps steps;
    if (!ftp::permitted(options.download_file, shown(argument), steps))
        return base::Error{"", EACCES};
    TRY(auto file, files.open(*wanted));
    // As if it were not there, says vsftpd.
    if (admission.anonymous_rights && options.anon_world_readable_only &&
        (file.status.st_mode & S_IROTH) == 0)
        return base::Error{"", ENOENT};
    return file;
}

std::optional<ftp::Reply> Session::no_transfer() const {
    if (!data.ready()) return ftp::Reply(reply::use_port_or_pasv);
    const bool forced =
        admission.anonymous ? options.force_anon_data_ssl : options.force_local_data_ssl;
    if (options.ssl_enable && forced && !data_private) return ftp::Reply(reply::data_needs_tls);
    return std::nullopt;
}

Session::Protection Session::protect(const base::Fd& socket, Watch& watch, tls::Stream::Use use,
                                     const ftp::Reply* start) {
    std::function<void()> say;
    if (start != nullptr) say = [&] { control.reply(*start); };
    if (!data_private || !tls) {
        if (say) say();
        return std::optional<tls::Stream>{};
    }
    auto shaken = tls->shake(socket, watch, use, say);
    if (auto* failure = std::get_if<ftp::Reply>(&shaken)) return std::move(*failure);
    return std::optional<tls::Stream>(std::move(std::get<tls::Stream>(shaken)));
}

bool Session::lock(const base::Fd& file, bool exclusive, Watch& watch) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::seconds(options.data_connection_timeout);
    for (;;) {
        struct flock whole {};
        whole.l_type = exclusive ? F_WRLCK : F_RDLCK;
        whole.l_whence = SEEK_SET;
        if (::fcntl(file.get(), F_OFD_SETLK, &whole) == 0) return true;
        if (errno != EAGAIN && errno != EACCES) return true;  // a file system without locks
        if (options.data_connection_timeout > 0 && Clock::now() >= deadline) return false;

        std::array<pollfd, 2> wanted{{{watch.fd(), POLLIN, 0}, {broker.fd(), POLLIN, 0}}};
        (void)::poll(wanted.data(), wanted.size(), lock_interval);
        if (wanted[0].revents != 0 && !watch.on_readable()) return false;
        if (wanted[1].revents != 0) broker.receive();
        if (broker.stopping()) return false;
    }
}

ftp::Reply Session::with_folder_message(const ftp::Reply& reply) {
    if (!options.dirmessage_enable || options.message_file.empty()) return reply;
    if (folders_seen.size() >= most_folders_remembered || !folders_seen.insert(cwd).second)
        return reply;
    const auto file = files.open(ftp::absolute(cwd, options.message_file, admission.home));
    if (!file) return reply;
    std::string text(largest_message, '\0');
    const auto length = ::read(file.value().file.get(), text.data(), text.size());
    if (length <= 0) return reply;
    text.resize(static_cast<std::size_t>(length));
    return ftp::with_message(reply, text);
}

void Session::record(ipc::Event event, bool success, std::string_view path_shown,
                     std::string_view second) {
    ipc::Record line{};
    line.event = event;
    line.success = success ? 1 : 0;
    line.has_size = event == ipc::Event::download || event == ipc::Event::upload ? 1 : 0;
    line.ascii = ascii ? 1 : 0;
    line.path.assign(path_shown);
    line.second.assign(second);
    broker.record(line);
}

void Session::tell_of_disk(std::string_view deed, int error_number) {
    const bool is_the_hosts = error_number == ENOSPC || error_number == EIO;
    if (!is_the_hosts || std::exchange(told_of_disk, true)) return;
    record(ipc::Event::warning, false,
           std::string(deed) + " failed: " + std::strerror(error_number));
}

void Session::set_title(std::string_view doing) const {
    auto title =
        "jailftpd: " + base::escaped(admission.user) + ' ' + control::to_text(peer) + " [session]";
    if (options.setproctitle_enable && !doing.empty()) (title += ' ') += base::escaped(doing);
    base::title::set(title);
}

// ----- the command loop

Came Session::wait(ftp::Line& line) {
    const auto idle = std::chrono::seconds(options.idle_session_timeout);
    const bool for_ever = idle.count() == 0;
    if (!broker.listens_ahead() || (!for_ever && idle <= longest_ahead))
        return control.wait(line, broker.fd(), idle);
    const auto came = control.wait(line, broker.fd(), longest_ahead);
    if (came != Came::timeout) return came;
    broker.stop_listening_ahead();
    return control.wait(line, broker.fd(), for_ever ? idle : idle - longest_ahead);
}

void Session::serve() {
    ftp::Line line;
    set_title("IDLE");
    control.reply(with_folder_message(admission.by_certificate ? reply::logged_in_by_certificate
                                                               : reply::login_successful));
    while (!ending) {
        if (broker.stopping()) {
            control.reply(reply::shutting_down);
            break;
        }
        if (options.setproctitle_enable) set_title("IDLE");
        switch (wait(line)) {
            case Came::line:
                control.record(line);
                if (options.setproctitle_enable)
                    set_title(line.verb == "PASS" ? line.verb : line.verb + ' ' + line.argument);
                control.reply(dispatch(*this, line));
                if (line.verb == "PASS") ftp::wipe(line.argument);
                if (quit_after_transfer) {
                    control.reply(reply::goodbye);
                    ending = true;
                }
                break;
            case Came::channel:
                broker.receive();
                break;
            case Came::timeout:
                control.reply(reply::timeout);
                ending = true;
                break;
            case Came::too_long:
                control.reply(reply::line_too_long);
                ending = true;
                break;
            case Came::closed:
                ending = true;
                break;
        }
    }
    ftp::wipe(line.argument);
    control.close();
}

// ----- the process

base::Result<void> prepare(const config::Configuration& configuration, bool in_spawner) {
    TRY(prepare_jails(configuration, in_spawner));
    // Loaded now: in a jail there is no time zone and no module.
    ::tzset();
    for (const auto* digest : {EVP_sha256(), EVP_sha1(), EVP_md5()}) {
        unsigned char result[EVP_MAX_MD_SIZE];
        (void)EVP_Digest("", 0, result, nullptr, digest, nullptr);
    }
    return base::success();
}

int run(ipc::Channel channel, const config::Options& options) {
    auto message = channel.wait();
    if (!message || message.value().as<ipc::Stop>() != nullptr) return 0;  // was not needed
    const auto* enter = message.value().as<ipc::Enter>();
    auto& descriptors = message.value().descriptors;
    if (enter == nullptr || descriptors.size() < 3) return 2;
    (void)std::signal(SIGXFSZ, SIG_IGN);  // a file that is too large is an error of its transfer
    std::vector<base::Fd> folders;
    folders.push_back(std::move(descriptors[0]));
    const auto memory = std::move(descriptors[1]);
    control::Connection client(std::move(descriptors[2]), enter->unread.view());
    auto entry = read_entry(memory, options);
    if (!entry) return give_up(channel, client, entry.error());
    auto& admission = entry.value().admission;
    const auto others = 3 + admission.binds.size();
    for (std::size_t i = 3; i < std::min(others, descriptors.size()); ++i)
        folders.push_back(std::move(descriptors[i]));
    std::optional<SharedClock> clock;
    if (descriptors.size() > others) {
        auto mapped = SharedClock::map(descriptors[others]);
        if (!mapped) return give_up(channel, client, mapped.error());
        clock = mapped.value();
    }
    const auto home = jail_of(entry.value(), enter->tls.encrypted != 0, std::move(folders),
                              {channel.fd(), client.fd()});
    if (!home) return give_up(channel, client, home.error());
    if (auto jailed = jail::carry_out(jail::user_home(home.value())); !jailed) {
        if (jailed.error().what == jail::writable_root_step &&
            !admission.writable_root_hint.empty())
            send_warning(channel, admission.writable_root_hint);
        return give_up(channel, client, jailed.error());
    }
    auto files = Files::open_root(home.value().maker == jail::Maker::user ? "." : "/",
                                  home.value().rights.sync);
    if (!files) return give_up(channel, client, files.error());

    BrokerClient broker(std::move(channel));
    broker.entered(0, {});
    DataConnection data(broker, std::chrono::seconds(entry.value().options.accept_timeout));
    std::optional<DataTls> tls;
    if (enter->tls.encrypted != 0) {
        auto made = DataTls::with(enter->tls, entry.value().options, broker);
        if (!made) {
            client.reply(why_not(made.error()));
            client.close();
            return 1;
        }
        tls.emplace(std::move(made.value()));
    }
    if (entry.value().options.log_ftp_protocol) {
        client.record_to([&broker](ipc::Event event, std::string_view text) {
            ipc::Record line{};
            line.event = event;
            line.path.assign(text);
            broker.record(line);
        });
    }
    Session session{.options = std::move(entry.value().options),
                    .admission = std::move(admission),
                    .peer = enter->peer,
                    .local = enter->local,
                    .clients = enter->clients,
                    .encrypted = enter->tls.encrypted != 0,
                    .control = client,
                    .broker = broker,
                    .files = files.value(),
                    .data = data,
                    .tls = std::move(tls),
                    .clock = clock};
    session.data_private = enter->tls.data_private != 0;
    session.umask = home.value().umask;
    if (auto start = session.files.enter(session.admission.start))
        session.cwd = std::move(start.value());
    session.serve();
    return 0;
}

}  // namespace session
