// SPDX-License-Identifier: MIT
// The spawner: fork, tell, reap; runs as root. Nothing that a client sent ever comes here.
#include "spawner/spawner.hpp"

#include "base/fork.hpp"
#include "base/log.hpp"
#include "base/title.hpp"
#include "ipc/denied_call.hpp"
#include "jail/capabilities.hpp"
#include "jail/limits.hpp"
#include "jail/namespaces.hpp"
#include "jail/plans.hpp"
#include "jail/root.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace spawner {
namespace {

using base::Fd;
using base::Result;

// What it takes to make greeters and sessions, and to end them; sessions start with these as well.
std::vector<int> capabilities(const config::Native& native) {
    std::vector<int> kept{CAP_SETUID, CAP_SETGID, CAP_SYS_CHROOT, CAP_KILL};
    // Namespaces, and the mount that a home comes as.
    if (native.pid || native.ipc || native.uts || native.cgroup || native.mounts || native.network)
        kept.push_back(CAP_SYS_ADMIN);
    return kept;
}

constexpr int unheard_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

// When memory runs out a session goes, not the supervisor.
constexpr int oom_points = 200;

// So many children are looked at each time one has ended; more, so often at most.
constexpr std::size_t few = 64;
constexpr std::chrono::milliseconds look_interval{100};
using Clock = std::chrono::steady_clock;

// Where every child has its channel.
constexpr int childs_channel = STDERR_FILENO + 1;

struct Living {
    std::uint64_t id;
    pid_t pid;
};

class Spawner {
  public:
    Spawner(ipc::Channel channel, const config::Configuration& configuration,
            const Children& children)
        : channel_(std::move(channel)),
          options_(configuration.options),
          native_(configuration.native),
          children_(children),
          nobody_{configuration.nobody.uid, configuration.nobody.gid, {}} {}

    int run() {
        base::title::set("jailftpd: [spawner]");
        if (auto ready = prepare(); !ready) {
            base::log::error("spawner: " + ready.error().text());
            return 2;
        }
        for (;;) {
            pollfd wanted[] = {{channel_.fd(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
            if (::poll(wanted, 2, until_look()) < 0 && errno != EINTR) return 2;
            if (wanted[1].revents != 0) reap();
            if (until_look() == 0) look_at_all();
            if (wanted[0].revents != 0 && !serve()) return 0;
        }
    }

  private:
    // What needs the host's files happens here; afterwards there are none.
    Result<void> prepare() {
        // Without root there is one uid for all.
        if (::geteuid() != 0) {
            TRY(nobody_, jail::own_identity());
        }

        // The time zone's rules are read now and kept by the C library, for listings inside the
        // jails. TZ alone stays in the environment: the library would read again if it changed.
        const auto* set = std::getenv("TZ");
        const std::optional<std::string> zone = set == nullptr ? std::nullopt : std::optional(set);
        ::clearenv();
        if (zone) ::setenv("TZ", zone->c_str(), 1);
        ::tzset();
        const std::time_t now = std::time(nullptr);
        std::tm ignored{};
        ::localtime_r(&now, &ignored);
        jail::volunteer_for_oom(oom_points);

        nothing_ = Fd{::open("/dev/null", O_RDWR | O_CLOEXEC)};
        if (!nothing_) return base::system_error("/dev/null");
        for (const int standard : {STDIN_FILENO, STDOUT_FILENO}) {
            if (::dup2(nothing_.get(), standard) < 0) return base::system_error("dup2");
        }
        if (jail::maker(native_.users) == jail::Maker::user_in_namespace) {
            TRY(jail::enter_user_namespace());
        }
        TRY(prepare_walls());
        TRY(arrange_signals());
        std::vector<int> kept{channel_.fd(), nothing_.get(), signals_.get()};
        TRY(jail::keep_only(kept));
        if (jail::maker(native_.users) != jail::Maker::user) {
            TRY(const auto root, jail::enter_empty_root(options_.secure_chroot_dir));
            if (root == jail::EmptyRoot::chroot_only)
                base::log::warning(
                    "no mounts allowed here (no CAP_SYS_ADMIN?): processes that need no files "
                    "stand in an empty chroot instead of an empty mount namespace");
        }
        jail::join_own_keyring();
        if (jail::maker(native_.users) != jail::Maker::user) {
            TRY(jail::empty_bounding_set());
        }
        TRY(jail::keep_capabilities(capabilities(native_)));
        TRY(jail::forbid_new_privileges());
        TRY(jail::forbid_dumping());
        base::prepare_to_fork();
        if (own_filter_) {
            TRY(own_filter_->install());
        }
        return base::success();
    }

    // What works here the supervisor has found out; a failure now is one.
    Result<void> prepare_walls() {
        isolation_ = {native_.pid, native_.ipc, native_.uts, native_.cgroup, native_.mounts};
        if (native_.network) {
            TRY(jail::enter_empty_network());
        }
        walls_.landlock = native_.landlock;
        walls_.denied = report_denied_call;
        if (!native_.system_calls) return base::success();
        jail::prepare_call_names();
        TRY(own_filter_, jail::SystemCallFilter::compile_spawners());
        auto calls =
            options_.ssl_enable ? jail::calls_before_login_with_tls : jail::calls_before_login;
        calls.inherits = true;
        TRY(auto filter, jail::SystemCallFilter::compile(calls));
        walls_.system_calls = std::make_shared<const jail::SystemCallFilter>(std::move(filter));
        return base::success();
    }

    // In a greeter, in a signal handler.
    static void report_denied_call(const char* call, bool for_its_arguments) {
        ipc::report_denied_call(childs_channel, call, for_its_arguments);
    }

    // The end of the channel is what ends a spawner: a terminal's or service manager's signals to
    // everybody must not take the sessions' reaper away while their transfers run out.
    Result<void> arrange_signals() {
        TRY(jail::own_session());
        sigset_t child;
        ::sigemptyset(&child);
        ::sigaddset(&child, SIGCHLD);
        auto blocked = child;
        for (const int each : unheard_signals) ::sigaddset(&blocked, each);
        ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
        // As children have them, who only need to unblock them.
        ::signal(SIGPIPE, SIG_IGN);
        if (isolation_.pid) jail::live_as_init();
        signals_ = Fd{::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK)};
        if (!signals_) return base::system_error("signalfd");
        return base::success();
    }

    // False when the supervisor is gone or speaks another language.
    bool serve() {
        auto message = channel_.receive();
        if (!message) return message.error().number == EAGAIN;
        if (const auto* wanted = message.value().as<ipc::Spawn>()) {
            auto& descriptors = message.value().descriptors;
            const bool known =
                wanted->child == ipc::Child::greeter || wanted->child == ipc::Child::session;
            if (descriptors.empty() || descriptors.size() > 2 || !known ||
                find(wanted->id) != living_.end())
                return false;
            const int cgroup = descriptors.size() == 2 ? descriptors[1].get() : -1;
            return spawn(wanted->id, wanted->child, std::move(descriptors.front()), cgroup);
        }
        if (const auto* wanted = message.value().as<ipc::Kill>()) {
            // Unreaped, so the pid is still this child's.
            if (!message.value().descriptors.empty()) return false;
            const auto child = find(wanted->id);
            if (child != living_.end()) (void)::kill(child->pid, wanted->signal);
            return true;
        }
        return false;
    }

    bool spawn(std::uint64_t id, ipc::Child kind, Fd end, int cgroup) {
        const auto cloned = jail::clone_cell(isolation_, cgroup);
        const pid_t pid = cloned ? cloned.value() : -1;
        const int number = cloned ? 0 : cloned.error().number;
        if (pid == 0) child(kind, std::move(end));
        end.close();
        if (pid < 0) return static_cast<bool>(channel_.send_waiting(ipc::Spawned{id, 0, number}));
        living_.push_back({id, pid});
        return static_cast<bool>(channel_.send_waiting(ipc::Spawned{id, pid, 0}));
    }

    [[noreturn]] void child(ipc::Child kind, Fd end) noexcept {
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        // The daemon's standard error is the administrator's terminal or journal: not for these.
        if (::dup2(nothing_.get(), STDERR_FILENO) < 0) ::_exit(2);
        // What stood there was the spawner's, like everything else that is closed next.
        if (end.get() != childs_channel && ::dup3(end.get(), childs_channel, O_CLOEXEC) < 0)
            ::_exit(2);
        const int kept[] = {childs_channel};
        if (!jail::keep_only(kept)) ::_exit(2);
        forget_descriptors(end);
        ipc::Channel channel{Fd{childs_channel}};
        living_ = {};
        try {
            if (kind == ipc::Child::greeter) {
                base::title::set("jailftpd: [greeter]");
                if (auto jailed = jail::carry_out(jail::before_login(nobody_, channel.fd(), walls_,
                                                                     jail::maker(native_.users)));
                    !jailed)
                    give_up(channel, "greeter: " + jailed.error().text());
                ::_exit(children_.greeter(std::move(channel), options_));
            }
            base::title::set("jailftpd: [session]");
            ::_exit(children_.session(std::move(channel), options_));
        } catch (const std::exception&) {
            ::_exit(3);
        }
    }

    // keep_only() closed them; their owners must not close what gets these numbers next.
    void forget_descriptors(Fd& end) {
        (void)end.release();
        (void)channel_.release().release();
        (void)signals_.release();
        (void)nothing_.release();
    }

    [[noreturn]] static void give_up(ipc::Channel& channel, const std::string& why) {
        ipc::Record record{};
        record.event = ipc::Event::warning;
        record.path.assign(why);
        (void)channel.send(record);
        ::_exit(2);
    }

    // One signal stands for all that ended before it was read, and names one of them. To find the
    // others the kernel goes through all children: with thousands, not for each that ends.
    void reap() {
        signalfd_siginfo ended{};
        if (::read(signals_.get(), &ended, sizeof ended) != sizeof ended) return;
        if (living_.size() <= few) return look_at_all();
        if (ended.ssi_pid != 0) (void)reap(static_cast<pid_t>(ended.ssi_pid));
        if (!look_) look_ = Clock::now() + look_interval;
    }

    void look_at_all() {
        look_.reset();
        while (reap(-1)) continue;
    }

    // pid: -1 for any.
    bool reap(pid_t wanted) {
        int status = 0;
        const pid_t pid = ::waitpid(wanted, &status, WNOHANG);
        if (pid <= 0) return false;
        const auto child = std::find_if(living_.begin(), living_.end(),
                                        [pid](const Living& each) { return each.pid == pid; });
        if (child == living_.end()) return true;
        const auto id = child->id;
        *child = living_.back();
        living_.pop_back();
        // When this fails the supervisor is gone, and serve() notices.
        (void)channel_.send_waiting(ipc::Exited{id, pid, status});
        return true;
    }

    // In milliseconds; -1: not to be done.
    [[nodiscard]] int until_look() const {
        if (!look_) return -1;
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(*look_ - Clock::now()).count();
        return static_cast<int>(std::max<std::int64_t>(left, 0));
    }

    std::vector<Living>::iterator find(std::uint64_t id) {
        return std::find_if(living_.begin(), living_.end(),
                            [id](const Living& each) { return each.id == id; });
    }

    ipc::Channel channel_;
    const config::Options& options_;
    const config::Native& native_;
    const Children& children_;
    jail::Identity nobody_;
    jail::Isolation isolation_;
    std::optional<jail::SystemCallFilter> own_filter_;
    jail::Walls walls_;  // of greeters
    Fd nothing_;
    Fd signals_;
    // Flat, so that ten thousand children are forty pages to copy with each fork; going through
    // them all takes microseconds.
    std::vector<Living> living_;
    std::optional<Clock::time_point> look_;  // at all children, for those that ended unnamed
};

}  // namespace

int run(ipc::Channel channel, const config::Configuration& configuration,
        const Children& children) {
    return Spawner(std::move(channel), configuration, children).run();
}

}  // namespace spawner
