// SPDX-License-Identifier: MIT
// From a blank process to a user's session and its command loop; runs in the session.
#include "session/session.hpp"

#include "base/text.hpp"
#include "base/title.hpp"
#include "control/address.hpp"
#include "ftp/path.hpp"
#include "ipc/denied_call.hpp"
#include "jail/landlock.hpp"
#include "jail/plans.hpp"
#include "session/command_table.hpp"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
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
constexpr std::size_t most_names = 2000;              // of users and groups; then numbers

// The same for all sessions of a spawner.
struct Prepared {
    config::Native native;
    jail::SystemCallFilters filters;
};

Prepared& prepared() {
    static Prepared instance;
    return instance;
}

constexpr int channel_number = STDERR_FILENO + 1;  // spawner::Children

void report_denied_call(const char* call, bool for_its_arguments) {
    ipc::report_denied_call(channel_number, call, for_its_arguments);
}

// What the options leave of the rights to files: the session's own checks say the same.
jail::FileRights file_rights(const config::Options& on, bool anonymous) {
    jail::FileRights rights;
    if (!on.write_enable) return rights;
    const bool others = !anonymous || on.anon_other_write_enable;
    rights.upload = others || on.anon_upload_enable;
    rights.make_folders = !anonymous || on.anon_mkdir_write_enable;
    rights.remove_folders = others;
    rights.rename = others;
    rights.remove_files = rights.upload;  // of uploads that failed
    rights.change_modes = !anonymous && on.chmod_enable;
    rights.set_times = others && on.mdtm_write;
    return rights;
}

base::Result<jail::Walls> walls_of(const jail::FileRights& rights, bool with_tls) {
    const auto& native = prepared().native;
    jail::Walls walls;
    walls.landlock = native.landlock && jail::landlock_suits(rights, jail::landlock_version());
    walls.denied = report_denied_call;
    if (native.system_calls) {
        TRY(walls.system_calls, prepared().filters.get({true, rights, with_tls}));
    }
    return walls;
}

jail::Home home_of(const ipc::Admission& admission, const config::Options& options, base::Fd root,
                   std::vector<int> descriptors) {
    jail::Home home;
    home.root = std::make_shared<base::Fd>(std::move(root));
    home.root_is_mount = admission.root_is_mount;
    home.path_on_host = admission.root;
    home.rights = file_rights(options, admission.anonymous_rights);
    home.jailed = admission.jailed;
    home.user = {admission.uid, admission.gid, admission.groups};
    home.umask = (admission.anonymous_rights ? options.anon_umask : options.local_umask) & 0777;
    home.umask |= admission.umask;
    for (const auto& each : admission.limits)
        home.limits.push_back({each.resource, each.soft, each.hard});
    home.address_space = options.address_space_limit;
    home.start = admission.start;
    home.start_may_fail = admission.start_may_fail;
    home.refuse_writable_root = !admission.writable_root_allowed;
    home.descriptors = std::move(descriptors);
    return home;
}

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

struct Entry {
    config::Options options;
    ipc::Admission admission;
};

base::Result<Entry> read_entry(const base::Fd& memory, const config::Options& options) {
    TRY(const auto bytes, ipc::read_sealed(memory));
    Entry entry;
    TRY(entry.admission, ipc::parse_admission(bytes));
    entry.options = options;
    TRY(config::apply_overrides(entry.options, entry.admission.overrides));
    return entry;
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

Session::Protection Session::protect(const base::Fd& socket, Watch& watch) {
    if (!data_private || !tls) return std::optional<tls::Stream>{};
    auto shaken = tls->shake(socket, watch);
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

void Session::set_title(std::string_view doing) const {
    auto title =
        "jailftpd: " + base::escaped(admission.user) + ' ' + control::to_text(peer) + " [session]";
    if (options.setproctitle_enable && !doing.empty()) (title += ' ') += base::escaped(doing);
    base::title::set(title);
}

// ----- the command loop

void Session::serve() {
    const auto idle = std::chrono::seconds(options.idle_session_timeout);
    ftp::Line line;
    control.reply(with_folder_message(reply::login_successful));
    while (!ending) {
        if (broker.stopping()) {
            control.reply(reply::shutting_down);
            break;
        }
        set_title("IDLE");
        switch (control.wait(line, broker.fd(), idle)) {
            case Came::line:
                control.record(line);
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

base::Result<void> prepare(const config::Configuration& configuration) {
    prepared().native = configuration.native;
    if (configuration.native.system_calls) {
        jail::prepare_call_names();
        for (const bool anonymous : {false, true}) {
            const auto rights = file_rights(configuration.options, anonymous);
            TRY(prepared().filters.prepare({true, rights, configuration.options.ssl_enable}));
        }
    }
    // Loaded now: in a jail there is no time zone and no module.
    ::tzset();
    for (const auto* digest : {EVP_sha256(), EVP_sha1(), EVP_md5()}) {
        unsigned char result[EVP_MAX_MD_SIZE];
        (void)EVP_Digest("", 0, result, nullptr, digest, nullptr);
    }
    return base::success();
}

int run(ipc::Channel channel, const config::Options& options) {
    if (!DataTls::wake()) return 2;
    auto message = channel.wait();
    if (!message || message.value().as<ipc::Stop>() != nullptr) return 0;  // was not needed
    const auto* enter = message.value().as<ipc::Enter>();
    auto& descriptors = message.value().descriptors;
    if (enter == nullptr || descriptors.size() < 3) return 2;
    (void)std::signal(SIGXFSZ, SIG_IGN);  // a file that is too large is an error of its transfer
    auto root = std::move(descriptors[0]);
    const auto memory = std::move(descriptors[1]);
    control::Connection client(std::move(descriptors[2]), enter->unread.view());
    std::optional<SharedClock> clock;
    if (descriptors.size() > 3) {
        auto mapped = SharedClock::map(descriptors[3]);
        if (!mapped) return give_up(channel, client, mapped.error());
        clock = mapped.value();
    }

    auto entry = read_entry(memory, options);
    if (!entry) return give_up(channel, client, entry.error());
    auto& admission = entry.value().admission;
    auto home =
        home_of(admission, entry.value().options, std::move(root), {channel.fd(), client.fd()});
    auto walls = walls_of(home.rights, options.ssl_enable);
    if (!walls) return give_up(channel, client, walls.error());
    home.walls = std::move(walls.value());
    if (auto jailed = jail::carry_out(jail::user_home(home)); !jailed) {
        if (jailed.error().what == jail::writable_root_step &&
            !admission.writable_root_hint.empty())
            send_warning(channel, admission.writable_root_hint);
        return give_up(channel, client, jailed.error());
    }
    auto files = Files::open_root();
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
    session.umask = home.umask;
    if (auto start = session.files.enter(session.admission.start))
        session.cwd = std::move(start.value());
    session.serve();
    return 0;
}

}  // namespace session
