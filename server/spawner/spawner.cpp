// SPDX-License-Identifier: MIT
// The spawner: fork, tell, reap; runs as root. Nothing that a client sent ever comes here.
#include "spawner/spawner.hpp"

#include "base/log.hpp"
#include "base/title.hpp"
#include "jail/limits.hpp"
#include "jail/plans.hpp"
#include "jail/root.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <unordered_map>
#include <utility>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace spawner {
namespace {

using base::Fd;
using base::Result;

class Spawner {
  public:
    Spawner(ipc::Channel channel, const config::Options& options, const Children& children)
        : channel_(std::move(channel)), options_(options), children_(children) {}

    int run() {
        ::signal(SIGPIPE, SIG_IGN);
        if (auto ready = prepare(); !ready) {
            base::log::error("spawner: " + ready.error().text());
            return 2;
        }
        base::title::set("jailftpd: spawner");
        for (;;) {
            pollfd wanted[] = {{channel_.fd(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
            if (::poll(wanted, 2, -1) < 0 && errno != EINTR) return 2;
            if (wanted[1].revents != 0) reap();
            if (wanted[0].revents != 0 && !serve()) return 0;
        }
    }

  private:
    // What needs the host's files happens here; afterwards there are none.
    Result<void> prepare() {
        errno = 0;
        const auto* entry = ::getpwnam(options_.nopriv_user.c_str());
        if (entry == nullptr)
            return base::Error{"cannot locate user entry:" + options_.nopriv_user, errno};
        nobody_ = {entry->pw_uid, entry->pw_gid, {}};

        // The time zone's rules are read now and kept by the C library, for listings inside the
        // jails.
        ::tzset();
        const std::time_t now = std::time(nullptr);
        std::tm ignored{};
        ::localtime_r(&now, &ignored);
        ::clearenv();

        nothing_ = Fd{::open("/dev/null", O_RDWR | O_CLOEXEC)};
        if (!nothing_) return base::system_error("/dev/null");
        sigset_t child;
        ::sigemptyset(&child);
        ::sigaddset(&child, SIGCHLD);
        ::sigprocmask(SIG_BLOCK, &child, nullptr);
        signals_ = Fd{::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK)};
        if (!signals_) return base::system_error("signalfd");
        const int kept[] = {channel_.fd(), nothing_.get(), signals_.get()};
        TRY(jail::keep_only(kept));
        TRY(const auto root, jail::enter_empty_root(options_.secure_chroot_dir));
        if (root == jail::EmptyRoot::chroot_only)
            base::log::warning(
                "no CAP_SYS_ADMIN: processes that need no files get an empty chroot instead of an "
                "empty mount namespace");
        return base::success();
    }

    // False when the supervisor is gone or speaks another language.
    bool serve() {
        auto message = channel_.receive();
        if (!message) return message.error().number == EAGAIN;
        if (const auto* wanted = message.value().as<ipc::Spawn>()) {
            auto& descriptors = message.value().descriptors;
            if (descriptors.size() != 1) return false;
            return spawn(wanted->id, wanted->child, std::move(descriptors.front()));
        }
        if (const auto* wanted = message.value().as<ipc::Kill>()) {
            // Unreaped, so the pid is still this child's.
            const auto child = by_id_.find(wanted->id);
            if (child != by_id_.end()) (void)::kill(child->second, wanted->signal);
            return true;
        }
        return false;
    }

    bool spawn(std::uint64_t id, ipc::Child kind, Fd end) {
        const pid_t pid = ::fork();
        if (pid == 0) child(kind, std::move(end));
        if (pid > 0) {
            by_id_[id] = pid;
            by_pid_[pid] = id;
        }
        return static_cast<bool>(
            channel_.send_waiting(ipc::Spawned{id, pid > 0 ? pid : 0, pid > 0 ? 0 : errno}));
    }

    [[noreturn]] void child(ipc::Child kind, Fd end) noexcept {
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ipc::Channel channel{std::move(end)};
        // The daemon's standard error is the administrator's terminal or journal: not for these.
        for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
            if (::dup2(nothing_.get(), standard) < 0) ::_exit(2);
        }
        try {
            if (kind == ipc::Child::greeter) {
                base::title::set("jailftpd: [greeter]");
                if (auto jailed = jail::carry_out(jail::before_login(nobody_, channel.fd()));
                    !jailed)
                    give_up(channel, "greeter: " + jailed.error().text());
                ::_exit(children_.greeter(std::move(channel), options_));
            }
            base::title::set("jailftpd: [session]");
            const int kept[] = {channel.fd()};
            if (auto closed = jail::keep_only(kept); !closed)
                give_up(channel, "session: " + closed.error().text());
            ::_exit(children_.session(std::move(channel), options_));
        } catch (const std::exception&) {
            ::_exit(3);
        }
    }

    [[noreturn]] static void give_up(ipc::Channel& channel, const std::string& why) {
        ipc::Record record{};
        record.event = ipc::Event::warning;
        record.path.assign(why);
        (void)channel.send(record);
        ::_exit(2);
    }

    void reap() {
        signalfd_siginfo ignored[16];
        (void)!::read(signals_.get(), ignored, sizeof ignored);
        int status = 0;
        for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            const auto child = by_pid_.find(pid);
            if (child == by_pid_.end()) continue;
            const auto id = child->second;
            by_pid_.erase(child);
            by_id_.erase(id);
            (void)channel_.send_waiting(ipc::Exited{id, pid, status});
        }
    }

    ipc::Channel channel_;
    const config::Options& options_;
    const Children& children_;
    jail::Identity nobody_;
    Fd nothing_;
    Fd signals_;
    std::unordered_map<std::uint64_t, pid_t> by_id_;
    std::unordered_map<pid_t, std::uint64_t> by_pid_;
};

}  // namespace

int run(ipc::Channel channel, const config::Options& options, const Children& children) {
    return Spawner(std::move(channel), options, children).run();
}

}  // namespace spawner
