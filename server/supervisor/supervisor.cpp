// SPDX-License-Identifier: MIT
// Signals, reload, orderly stop, and who is connected; runs as root.
#include "supervisor/supervisor.hpp"

#include "base/log.hpp"
#include "broker/address.hpp"
#include "config/listen.hpp"
#include "config/serialise.hpp"
#include "ipc/admission.hpp"
#include "supervisor/accounts.hpp"
#include "supervisor/children.hpp"
#include "supervisor/client.hpp"
#include "supervisor/handover.hpp"
#include "supervisor/layers.hpp"
#include "supervisor/limits.hpp"
#include "supervisor/listener.hpp"
#include "supervisor/logins.hpp"
#include "supervisor/records.hpp"
#include "supervisor/signer_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace supervisor {

namespace asio = boost::asio;
using base::Fd;
using base::Result;
using Configuration = std::shared_ptr<const config::Configuration>;

namespace {

// Enough for a burst of logins while the spawner refills; each costs a process of a few hundred
// KiB.
constexpr std::size_t spare_greeters = 6;
constexpr std::size_t spare_sessions = 4;
constexpr std::size_t most_helpers = 8;
// These mostly wait for name services, about hosts that may have been chosen to be slow.
constexpr std::size_t most_wrappers = 32;
constexpr std::chrono::seconds stamp_interval{1};
// There may be thousands of them.
constexpr std::chrono::seconds certificates_interval{2};
constexpr std::chrono::hours expiry_interval{24};
// For what remains when all clients have gone.
constexpr std::chrono::seconds last_moments{3};

// What the spawner and the signer are told: no hash. Greeters do not know the tenants, but have to
// ask everybody for a password if there are any.
Result<Fd> without_tenants(const config::Configuration& configuration) {
    config::Configuration copy;
    copy.options = configuration.options;
    copy.nobody = configuration.nobody;
    copy.options.local_enable |= !configuration.tenants.empty();
    copy.native = configuration.native;
    return ipc::sealed(config::serialise(copy), "options");
}

// A signer of this configuration, once it has read its keys; none without TLS.
Result<std::optional<ReadySigner>> signer_for(const config::Configuration& configuration) {
    if (!configuration.options.ssl_enable) return std::nullopt;
    TRY(auto options, without_tenants(configuration));
    TRY(auto signer, start_signer(std::move(options)));
    return std::optional<ReadySigner>(std::move(signer));
}

class Supervisor {
  public:
    explicit Supervisor(Setup setup)
        : setup_(std::move(setup)),
          configuration_(setup_.configuration),
          signals_(io_, SIGTERM, SIGINT, SIGHUP),
          child_signals_(io_, SIGCHLD),
          stop_timer_(io_),
          resolve_timer_(io_),
          stamp_timer_(io_),
          certificates_timer_(io_),
          expiry_timer_(io_),
          children_(
              io_, {[this](std::uint64_t id, int status, bool killed) {
                        child_exited(id, status, killed);
                    },
                    [this](std::uint64_t id, const base::Error& error) { child_failed(id, error); },
                    [this](pid_t spawner) { cgroups_.take_in(spawner); }}),
          helpers_(io_, most_helpers),
          wrappers_(io_, most_wrappers),
          logins_(io_, helpers_),
          records_(*configuration_),
          busy_(io_),
          services_{io_,
                    busy_,
                    children_,
                    logins_,
                    helpers_,
                    wrappers_,
                    accounts_,
                    cgroups_,
                    records_,
                    [this] { return signer_; },
                    [this] { return configuration_->options.require_ssl_reuse; },
                    [this] { return clients_.size(); },
                    [this] { return pasv_address_; },
                    [this](const Client& client) { before_login_.release(client.peer()); },
                    [this](std::uint64_t id) { client_finished(id); },
                    [this](std::uint64_t child, const Client& client) {
                        owners_[child] = {client.id(), client.peer(), {}, client.cgroup()};
                    }},
          listeners_(io_, [this](Fd control, const ipc::Address& peer, const ipc::Address& local) {
              accepted(std::move(control), peer, local);
          }) {}

    ~Supervisor() {
        if (reloading_.joinable()) reloading_.join();
    }

    Result<int> run() {
        // Orphans of a spawner that died become ours, not init's.
        (void)::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        raise_descriptor_limit();
        const bool standalone = config::is_standalone(*configuration_);
        TRY(auto listening, listeners_.bind(*configuration_));
        Fd handover;
        if (const auto& path = configuration_->native.handover; standalone && !path.empty()) {
            TRY(handover, Handover::bind(path));
        }
        wait_for_signals();
        wait_for_children();
        TRY(arrange_cgroups(*configuration_));
        TRY(auto signer, signer_for(*configuration_));
        TRY(start_processes(configuration_, std::move(signer)));
        resolve_by_name();
        watch_files();
        if (standalone) {
            children_.set_spares(spare_greeters, spare_sessions);
            TRY(listeners_.use(*configuration_, std::move(listening)));
            take_connections_at(configuration_->native.handover, std::move(handover));
        } else {
            TRY(serve_descriptor_0());
        }
        if (setup_.ready) setup_.ready();
        io_.run();
        records_.stop();
        if (reload_running_) {
            // It may hang (a name service, a file server), and nobody waits for it any more.
            base::log::finish();
            ::_exit(exit_code_);
        }
        return exit_code_;
    }

  private:
    // Whom a greeter or session serves. It may outlive its client by a moment; how it ended is of
    // interest.
    struct Owner {
        std::uint64_t client;
        ipc::Address peer;
        std::string description;  // once the client is gone
        std::string cgroup;       // empty: none of its own
    };

    // What a process died of; pid 1 of a namespace ends itself and says so by its exit code.
    static int signal_of(int status) {
        if (WIFSIGNALED(status)) return WTERMSIG(status);
        return WEXITSTATUS(status) > 128 ? WEXITSTATUS(status) - 128 : 0;
    }

    static void raise_descriptor_limit() {
        rlimit limit{};
        if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
        limit.rlim_cur = limit.rlim_max;
        (void)::setrlimit(RLIMIT_NOFILE, &limit);
    }

    // Before anything is started, so that nothing is left where controllers are handed down.
    Result<void> arrange_cgroups(const config::Configuration& configuration) {
        const auto arranged = cgroups_.arrange(configuration);
        if (arranged || is_required(configuration.native, "limits")) return arranged;
        base::log::warning("not all limits of accounts are in force: " + arranged.error().text());
        return base::success();
    }

    Result<void> start_processes(const Configuration& configuration,
                                 std::optional<ReadySigner> signer) {
        TRY(auto options, without_tenants(*configuration));
        TRY(auto everything, ipc::sealed(config::serialise(*configuration), "configuration"));
        Fd copy{::fcntl(everything.get(), F_DUPFD_CLOEXEC, 0)};
        if (!copy) return base::system_error("cannot duplicate a descriptor");
        Fd certificates = signer ? std::move(signer->certificates) : Fd{};
        TRY(children_.renew(std::move(options), std::move(certificates), false));
        use_signer(std::move(signer));
        if (configuration->options.tcp_wrappers) {
            Fd another{::fcntl(everything.get(), F_DUPFD_CLOEXEC, 0)};
            if (!another) return base::system_error("cannot duplicate a descriptor");
            TRY(wrappers_.renew(std::move(another)));
        } else {
            wrappers_.retire();
        }
        TRY(helpers_.renew(std::move(copy)));
        TRY(logins_.renew(std::move(everything)));
        return base::success();
    }

    // The old one stays for the clients that it has.
    void use_signer(std::optional<ReadySigner> signer) {
        signer_.reset();
        certificates_.clear();
        expiry_timer_.cancel();
        if (!signer) return;
        certificates_ = std::move(signer->known);
        signer_ = std::make_shared<SignerClient>(io_, std::move(*signer),
                                                 [this](pid_t pid) { signers_.insert(pid); });
        signer_->start();
        watch_expiry();
    }

    void watch_expiry() {
        const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
        for (const auto& each : certificates_) {
            const auto days = ipc::days_left(each, now);
            if (days > ipc::days_to_warn) continue;
            base::log::warning("the certificate " + each.file +
                               (days < 0 ? std::string(" has expired")
                                         : " expires in " + std::to_string(days) + " days"));
        }
        expiry_timer_.expires_after(expiry_interval);
        expiry_timer_.async_wait([this](boost::system::error_code error) {
            if (!error && !stopping_) watch_expiry();
        });
    }

    // pasv_addr_resolve: what the configuration's name stood for when it was read, and then what it
    // stands for now and then; an address that cannot be found is the last one still.
    void resolve_by_name() {
        (void)::inet_aton(configuration_->options.pasv_address.c_str(), &pasv_address_);
        resolve_timer_.cancel();
        if (!configuration_->pasv_host.empty()) resolve_later();
    }

    void resolve_later() {
        const auto interval = configuration_->native.resolve_interval;
        if (interval == 0) return;
        resolve_timer_.expires_after(std::chrono::seconds(interval));
        resolve_timer_.async_wait([this](boost::system::error_code error) {
            if (error || stopping_) return;
            ipc::Resolve question{};
            question.name.assign(configuration_->pasv_host);
            helpers_.ask(question, ipc::Address{},
                         [this](ipc::Message* message) { resolved(message); });
            resolve_later();
        });
    }

    void resolved(const ipc::Message* message) {
        const auto* answer = message != nullptr ? message->as<ipc::Resolved>() : nullptr;
        const bool found = answer != nullptr && answer->address.s_addr != 0;
        if (!found && !std::exchange(resolve_failed_, true))
            base::log::warning("cannot resolve pasv_address " + configuration_->pasv_host +
                               ", its last address stays in use");
        if (!found) return;
        resolve_failed_ = false;
        if (answer->address.s_addr == pasv_address_.s_addr) return;
        pasv_address_ = answer->address;
        ipc::Address shown{};
        shown.v4.sin_family = AF_INET;
        shown.v4.sin_addr = pasv_address_;
        base::log::info("pasv_address " + configuration_->pasv_host + " is " +
                        broker::to_text(shown) + " now");
    }

    // userlist_file and banner_file: vsftpd reads them for each connection. Greeters have no files,
    // so a helper looks whether they changed, and then greeters are made anew.
    void watch_files() {
        stamp_ = configuration_->files_stamp;
        stamp_timer_.cancel();
        const auto& options = configuration_->options;
        if (options.userlist_enable || !options.banner_file.empty()) look_at_files();
        certificates_stamp_ = certificates_seen_ = configuration_->certificates_stamp;
        certificates_timer_.cancel();
        if (options.ssl_enable && !inetd_) look_at_certificates();
    }

    void look_at_files() {
        helpers_.ask(ipc::Stamp{}, ipc::Address{}, [this](ipc::Message* message) {
            const auto* answer = message != nullptr ? message->as<ipc::Stamped>() : nullptr;
            if (answer == nullptr || stopping_) return;
            if (std::exchange(stamp_, answer->stamp) != answer->stamp) children_.refresh();
        });
        stamp_timer_.expires_after(stamp_interval);
        stamp_timer_.async_wait([this](boost::system::error_code error) {
            if (!error && !stopping_) look_at_files();
        });
    }

    // Those that have changed are read once they are the same twice in a row: whoever renews them
    // may be in the middle of it.
    void look_at_certificates() {
        certificates_timer_.expires_after(certificates_interval);
        certificates_timer_.async_wait([this](boost::system::error_code error) {
            if (error || stopping_) return;
            ipc::Stamp question{};
            question.certificates = 1;
            // The next time once this is answered: a folder that hangs takes one helper, not all.
            helpers_.ask(question, ipc::Address{}, [this](ipc::Message* message) {
                if (stopping_ || !configuration_->options.ssl_enable) return;
                certificates_seen(message);
                look_at_certificates();
            });
        });
    }

    void certificates_seen(const ipc::Message* message) {
        const auto* answer = message != nullptr ? message->as<ipc::Stamped>() : nullptr;
        if (answer == nullptr || stopping_) return;
        const bool settled = std::exchange(certificates_seen_, answer->stamp) == answer->stamp;
        if (!settled || certificates_seen_ == certificates_stamp_ || reload_running_) return;
        certificates_stamp_ = certificates_seen_;
        in_background([this, configuration = configuration_] {
            auto signer = signer_for(*configuration);
            asio::post(io_, [this, signer = std::move(signer)]() mutable {
                certificates_read(std::move(signer));
            });
        });
    }

    // Sessions and handshakes that have begun keep what they have.
    void certificates_read(Result<std::optional<ReadySigner>> signer) {
        reload_running_ = false;
        if (stopping_) return;
        auto taken =
            signer ? use_certificates(std::move(signer.value())) : Result<void>{signer.error()};
        if (taken)
            base::log::info("certificates have changed, the new ones are for new connections");
        else
            base::log::error("certificates have changed, but " + taken.error().text() +
                             "; the old ones stay in use");
        if (std::exchange(reload_again_, false)) reload();
    }

    Result<void> use_certificates(std::optional<ReadySigner> signer) {
        if (!signer) return base::Error{"TLS has been switched off"};
        TRY(auto options, without_tenants(*configuration_));
        TRY(children_.renew(std::move(options), std::move(signer->certificates), false));
        use_signer(std::move(signer));
        return base::success();
    }

    void take_connections_at(const std::string& path, Fd socket) {
        handover_.reset();
        if (path.empty()) return;
        handover_ = std::make_unique<Handover>(
            io_, path, std::move(socket),
            [this](Fd control, const ipc::Address& peer, const ipc::Address& local) {
                accepted(std::move(control), peer, local);
            });
    }

    Result<void> serve_descriptor_0() {
        ipc::Address peer{};
        ipc::Address local{};
        socklen_t size = sizeof peer;
        if (::getpeername(STDIN_FILENO, &peer.any, &size) < 0)
            return base::Error{"vsftpd: not configured for standalone, must be started from inetd"};
        size = sizeof local;
        if (::getsockname(STDIN_FILENO, &local.any, &size) < 0)
            return base::system_error("getsockname");
        Fd control{::dup(STDIN_FILENO)};
        // Its end must be the connection's end, so nothing of ours may hold the socket as well.
        Fd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
        for (const int standard : {STDIN_FILENO, STDOUT_FILENO}) ::dup2(nothing.get(), standard);
        (void)::fcntl(control.get(), F_SETFD, FD_CLOEXEC);
        (void)::fcntl(control.get(), F_SETFL, O_NONBLOCK);
        inetd_ = true;
        accepted(std::move(control), peer, local);
        return base::success();
    }

    void accepted(Fd control, const ipc::Address& peer, const ipc::Address& local) {
        busy_.hear();  // what was done before this connection is logged before it
        const auto& options = configuration_->options;
        const auto& native = configuration_->native;
        const auto now = std::chrono::steady_clock::now();
        if (!inetd_) {
            auto verdict = limits_.admit(peer, options.max_clients, options.max_per_ip, now);
            if (verdict != Limits::Verdict::ok) return turn_away(control, peer, verdict);
            verdict =
                before_login_.admit(peer, native.before_login, native.before_login_per_ip, now);
            if (verdict != Limits::Verdict::ok) {
                limits_.release(peer);
                return turn_away(control, peer, verdict);
            }
        }
        const auto id = ++last_client_;
        auto client = std::make_shared<Client>(services_, id, std::move(control), peer, local,
                                               configuration_);
        clients_.emplace(id, client);
        client->start();
    }

    void turn_away(const Fd& control, const ipc::Address& peer, Limits::Verdict verdict) {
        const auto& options = configuration_->options;
        std::string_view reply = "421 There are too many connected users, please try later.\r\n";
        Entry entry;
        entry.kind = Entry::Kind::refused_too_many;
        if (verdict == Limits::Verdict::too_many_per_ip) {
            reply = "421 There are too many connections from your internet address.\r\n";
            entry.kind = Entry::Kind::refused_per_ip;
        } else if (verdict == Limits::Verdict::throttled) {
            reply = "421 Service not available.\r\n";
            entry.kind = Entry::Kind::refused_crashing;
            base::log::warning("connection from " + broker::to_text(peer) +
                               " refused: its sessions crashed too often a moment ago");
        }
        // A fresh socket has room for this line; nobody waits for a client that makes trouble here.
        // One that expects TLS is told nothing.
        if (!options.ssl_enable || !options.implicit_ssl)
            (void)::send(control.get(), reply.data(), reply.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        entry.time = std::chrono::system_clock::now();
        entry.pid = ::getpid();
        entry.client = broker::to_text(peer);
        records_.write(entry);
    }

    void client_finished(std::uint64_t id) {
        const auto found = clients_.find(id);
        if (found == clients_.end()) return;
        const auto client = found->second;  // it is still in one of its functions
        clients_.erase(found);
        if (!inetd_) {
            limits_.release(client->peer());
            if (!client->was_logged_in()) before_login_.release(client->peer());
        }
        for (const auto child : client->processes()) {
            const auto owner = owners_.find(child);
            if (owner != owners_.end()) owner->second.description = client->description();
        }
        if (clients_.empty() && (stopping_ || inetd_)) end();
    }

    void child_exited(std::uint64_t child, int status, bool killed) {
        std::optional<Owner> who;
        if (const auto owner = owners_.find(child); owner != owners_.end()) {
            who = std::move(owner->second);
            owners_.erase(owner);
            if (const auto client = clients_.find(who->client); client != clients_.end())
                who->description = client->second->description();
        }
        const bool no_memory = who && cgroups_.ran_out_of_memory(who->cgroup);
        if (who) cgroups_.leave(who->cgroup);
        const int signal = signal_of(status);
        if (signal == SIGKILL && !killed && no_memory) {
            base::log::error("the process of " + who->description +
                             " was ended because the account had no memory left (memory in "
                             "jailftpd.ini)");
        } else if (signal != 0 && !killed && !stopping_) {
            base::log::error(
                "the process of " + (who ? who->description : std::string("no client yet")) +
                " died of signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")");
            if (who && Limits::is_crash(signal))
                limits_.crashed(who->peer, std::chrono::steady_clock::now());
            children_.renew_soon();
        }
        if (stopping_) check_stopped();
    }

    void child_failed(std::uint64_t child, const base::Error& error) {
        const auto owner = owners_.find(child);
        if (owner == owners_.end()) {
            base::log::error(error.text());
            return;
        }
        const auto client = clients_.find(owner->second.client);
        cgroups_.leave(owner->second.cgroup);
        if (client == clients_.end())
            base::log::error("cannot serve " + owner->second.description + ": " + error.text());
        owners_.erase(owner);
        if (client == clients_.end()) return;
        const auto strong = client->second;
        strong->child_failed(child, error);
    }

    void wait_for_children() {
        child_signals_.async_wait([this](boost::system::error_code error, int) {
            if (error) return;
            wait_for_children();
            int status = 0;
            for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
                if (signers_.erase(pid) == 0 && !logins_.reaped(pid, status) &&
                    !helpers_.reaped(pid) && !wrappers_.reaped(pid))
                    children_.reaped(pid, status);
            }
            if (stopping_) check_stopped();
        });
    }

    void wait_for_signals() {
        signals_.async_wait([this](boost::system::error_code error, int number) {
            if (error) return;
            wait_for_signals();
            if (number == SIGHUP) return reload();
            if (!stopping_) return stop();
            base::log::warning("a second signal to stop: ending all sessions");
            kill_all();
        });
    }

    void reload() {
        records_.reopen();
        if (stopping_ || reload_running_ || !setup_.reload) {
            reload_again_ = reload_running_;
            return;
        }
        in_background([this] {
            auto loaded = setup_.reload();
            auto signer = loaded ? signer_for(*loaded) : std::nullopt;
            asio::post(io_,
                       [this, loaded = std::move(loaded), signer = std::move(signer)]() mutable {
                           reloaded(loaded, std::move(signer));
                       });
        });
    }

    // What waits for disks: one at a time.
    template <typename Work>
    void in_background(Work work) {
        reload_running_ = true;
        if (reloading_.joinable()) reloading_.join();
        reloading_ = std::thread([work = std::move(work)] {
            sigset_t all;
            sigfillset(&all);
            ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
            work();
        });
    }

    void reloaded(const Configuration& loaded, Result<std::optional<ReadySigner>> signer) {
        reload_running_ = false;
        if (stopping_) return;
        if (!loaded) {
            base::log::error("reload failed: the configuration stays as it was");
        } else if (!signer) {
            base::log::error("reload failed: " + signer.error().text() +
                             "; the configuration stays as it was");
        } else if (auto taken = take_over(loaded, std::move(signer.value())); !taken) {
            base::log::error("reload failed: " + taken.error().text() +
                             "; the configuration stays as it was");
        } else {
            base::log::info("configuration reloaded, it is for new connections");
        }
        if (std::exchange(reload_again_, false)) reload();
    }

    Result<void> take_over(const Configuration& loaded, std::optional<ReadySigner> signer) {
        if (!config::is_standalone(*loaded))
            return base::Error{"neither listen nor listen_ipv6 is set any more"};
        TRY(arrange_cgroups(*loaded));
        TRY(auto listening, listeners_.bind(*loaded));
        const auto& path = loaded->native.handover;
        Fd handover;
        if (!path.empty() && (!handover_ || handover_->path() != path)) {
            TRY(handover, Handover::bind(path));
        }
        TRY(start_processes(loaded, std::move(signer)));
        TRY(listeners_.use(*loaded, std::move(listening)));
        if (handover || path.empty()) take_connections_at(path, std::move(handover));
        configuration_ = loaded;
        resolve_by_name();
        watch_files();
        records_.reconfigure(*configuration_);
        return base::success();
    }

    std::vector<std::shared_ptr<Client>> everybody() const {
        std::vector<std::shared_ptr<Client>> all;
        for (const auto& [id, client] : clients_) all.push_back(client);
        return all;
    }

    void stop() {
        stopping_ = true;
        busy_.hear();
        listeners_.close();
        handover_.reset();
        children_.drop_spares();
        children_.set_spares(0, 0);
        if (clients_.empty()) return end();
        const auto grace = configuration_->native.grace;
        base::log::info("stopping: " + std::to_string(clients_.size()) +
                        " clients, running transfers have " + std::to_string(grace) +
                        " s to finish");
        for (const auto& client : everybody()) client->stop(grace);
        if (ending_) return;
        stop_timer_.expires_after(std::chrono::seconds(grace));
        stop_timer_.async_wait([this](boost::system::error_code error) {
            if (error || clients_.empty()) return;
            base::log::warning("the grace is over: ending " + std::to_string(clients_.size()) +
                               " sessions");
            kill_all();
        });
    }

    void kill_all() {
        for (const auto& client : everybody()) client->kill();
        if (clients_.empty()) end();
    }

    // All clients have gone; what remains are processes of our own.
    void end() {
        if (ending_) return;
        ending_ = true;
        stopping_ = true;
        listeners_.close();
        handover_.reset();
        signals_.cancel();
        signer_.reset();
        expiry_timer_.cancel();
        logins_.stop();
        helpers_.stop();
        wrappers_.stop();
        children_.retire();
        stop_timer_.expires_after(last_moments);
        stop_timer_.async_wait([this](boost::system::error_code error) {
            if (error) return;
            children_.kill_all();
            io_.stop();
        });
        check_stopped();
    }

    void check_stopped() {
        if (ending_ && children_.count() == 0 && !children_.has_spawner() && logins_.empty() &&
            helpers_.empty() && wrappers_.empty() && signers_.empty() && !any_child())
            io_.stop();
    }

    // Orphans come to us, and those that close the sessions of PAM should be able to.
    static bool any_child() {
        siginfo_t ignored{};
        return ::waitid(P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
    }

    Setup setup_;
    Configuration configuration_;
    asio::io_context io_{1};
    asio::signal_set signals_;
    asio::signal_set child_signals_;
    asio::steady_timer stop_timer_;
    asio::steady_timer resolve_timer_;
    asio::steady_timer stamp_timer_;
    std::uint64_t stamp_ = 0;  // of the files that greeters know by heart
    asio::steady_timer certificates_timer_;
    std::uint64_t certificates_stamp_ = 0;  // of those in use, or that could not be used
    std::uint64_t certificates_seen_ = 0;
    asio::steady_timer expiry_timer_;
    Limits limits_;
    Limits before_login_;  // those of limits_ that have not logged in
    Accounts accounts_;
    Cgroups cgroups_;
    in_addr pasv_address_{};  // pasv_addr_resolve
    bool resolve_failed_ = false;
    Children children_;
    HelperPool helpers_;
    HelperPool wrappers_;
    Logins logins_;
    Records records_;
    std::shared_ptr<SignerClient> signer_;  // of this configuration
    std::vector<ipc::Certificate> certificates_;
    std::unordered_set<pid_t> signers_;  // processes that have not been reaped
    BusyChannels busy_;
    Services services_;
    std::unordered_map<std::uint64_t, std::shared_ptr<Client>> clients_;
    std::unordered_map<std::uint64_t, Owner> owners_;  // by child
    Listeners listeners_;
    std::unique_ptr<Handover> handover_;
    std::thread reloading_;
    std::uint64_t last_client_ = 0;
    bool inetd_ = false;
    bool stopping_ = false;
    bool ending_ = false;
    bool reload_running_ = false;
    bool reload_again_ = false;
    int exit_code_ = 0;
};

}  // namespace

Result<int> run(Setup setup) { return Supervisor(std::move(setup)).run(); }

}  // namespace supervisor
