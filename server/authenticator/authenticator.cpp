// SPDX-License-Identifier: MIT
// The template process: takes attempts, forks a child for each, and answers for children that
// cannot; runs as root.
#include "authenticator/authenticator.hpp"

#include "authenticator/attempt.hpp"
#include "authenticator/pam.hpp"
#include "authenticator/waiting.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "base/title.hpp"
#include "broker/address.hpp"
#include "config/name_list.hpp"
#include "jail/capabilities.hpp"
#include "jail/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include <poll.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace authenticator {

using base::Fd;
using base::Result;

namespace {

constexpr const char* try_later = "login service unavailable, please try later";

// What modules may need to check an account: reading and updating their files, acting as the user,
// the audit log. Not the machine: no modules of the kernel, no devices, network, mounts, clock.
constexpr int kept[] = {CAP_CHOWN,       CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,  CAP_FOWNER,
                        CAP_FSETID,      CAP_KILL,         CAP_SETGID,           CAP_SETUID,
                        CAP_AUDIT_WRITE, CAP_SYS_RESOURCE, CAP_NET_BIND_SERVICE, CAP_IPC_LOCK};

Result<void> confine() {
    TRY(jail::limit(RLIMIT_CORE, 0));
    TRY(jail::keep_capabilities(kept));
    return jail::forbid_dumping();
}

// What a child that hangs has started must not outlive it. Best effort: not every kernel tells.
void end_with_descendants(pid_t pid) {
    (void)::kill(pid, SIGSTOP);
    const auto number = std::to_string(pid);
    const auto children =
        config::read_file("/proc/" + number + "/task/" + number + "/children", 65536);
    if (children) {
        for (const auto word : base::split(children.value(), ' ')) {
            if (const auto child = base::to_number<pid_t>(word)) end_with_descendants(*child);
        }
    }
    (void)::kill(pid, SIGKILL);
}

std::string how_it_ended(int status) {
    if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
    return "exited with status " + std::to_string(WEXITSTATUS(status));
}

struct Running {
    pid_t pid = -1;
    ipc::Channel channel;
    std::uint64_t id = 0;
    std::string user;
    Source source{};
    Clock::time_point deadline;
    bool answered = false;
};

class Template {
  public:
    Template(ipc::Channel channel, const config::Configuration& configuration, const Bounds& bounds)
        : channel_(std::move(channel)), configuration_(configuration), bounds_(bounds) {}

    Result<void> prepare() {
        TRY(confine());
        sigset_t child_ended;
        ::sigemptyset(&child_ended);
        ::sigaddset(&child_ended, SIGCHLD);
        if (::sigprocmask(SIG_BLOCK, &child_ended, &old_mask_) < 0)
            return base::system_error("sigprocmask");
        child_ended_ = Fd{::signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK)};
        if (!child_ended_) return base::system_error("signalfd");
        costs_ = measure_costs(configuration_);
        if (!configuration_.options.local_enable) return base::success();
        modules_.emplace(configuration_.options.pam_service_name);
        if (!modules_->error().empty())
            base::log::warning("PAM service " + configuration_.options.pam_service_name + ": " +
                               modules_->error());
        return base::success();
    }

    int serve() {
        while (open_ || !running_.empty() || waiting_.size() > 0) {
            while (start_one()) {
            }
            if (!wait()) break;
            reap();
            enforce_deadlines();
        }
        for (const auto& each : running_) end_with_descendants(each.pid);
        return status_;
    }

  private:
    // ----- what comes in

    // False: the supervisor is gone.
    bool wait() {
        std::vector<pollfd> wanted;
        wanted.push_back({channel_.fd(), static_cast<short>(open_ ? POLLIN : 0), 0});
        wanted.push_back({child_ended_.get(), POLLIN, 0});
        for (const auto& each : running_)
            wanted.push_back({each.answered ? -1 : each.channel.fd(), POLLIN, 0});
        const int ready = ::poll(wanted.data(), wanted.size(), milliseconds_left());
        if (ready < 0 && errno != EINTR) return status_ = 2, false;
        if (ready <= 0) return true;
        // All that it said before it went still comes, but nobody waits for the answers.
        if ((wanted[0].revents & (POLLHUP | POLLERR)) != 0) return false;
        for (std::size_t i = 2; i < wanted.size(); ++i) {
            if (wanted[i].revents != 0 && !pass_on(running_[i - 2])) return false;
        }
        return wanted[0].revents == 0 || take_requests();
    }

    int milliseconds_left() const {
        std::optional<Clock::time_point> first;
        const auto consider = [&](Clock::time_point time) {
            if (!first || time < *first) first = time;
        };
        for (const auto& each : running_) consider(each.deadline);
        if (waiting_.size() > 0) consider(Clock::now() + std::chrono::seconds(1));
        if (!first) return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*first - Clock::now());
        return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }

    bool take_requests() {
        for (;;) {
            const auto message = channel_.receive();
            if (!message) {
                const int number = message.error().number;
                if (number == EAGAIN) return true;
                if (number != ECONNRESET) return status_ = 2, false;
                open_ = false;  // no more questions, but those that were put are answered
                return true;
            }
            if (message.value().type() == ipc::Type::stop) {
                open_ = false;
                return true;
            }
            const auto* login = message.value().as<ipc::Login>();
            if (login == nullptr || !login->user.valid() || !login->password.valid() ||
                login->account != ipc::Account::system)
                return status_ = 2, false;
            if (waiting_.size() < bounds_.most_waiting) {
                waiting_.add(*login, Clock::now());
            } else if (!answer_failure(login->id, login->user.view(),
                                       "too many attempts wait for a turn")) {
                return false;
            }
        }
    }

    // ----- children

    // A source may have as many attempts running as are left for all others: however many it sends,
    // there is always one more turn for somebody else.
    bool may_run(const Source& source) const {
        const auto its_own = static_cast<std::size_t>(
            std::count_if(running_.begin(), running_.end(),
                          [&](const Running& each) { return each.source == source; }));
        return its_own < bounds_.most_running - running_.size();
    }

    bool start_one() {
        if (running_.size() >= bounds_.most_running) return false;
        const auto next = waiting_.take([this](const Source& source) { return may_run(source); });
        if (!next.login) return false;
        auto ends = ipc::Channel::pair();
        const pid_t parent = ::getpid();
        const pid_t pid = ends ? ::fork() : -1;
        if (pid == 0) be_child(parent, std::move(ends.value().second), *next.login);
        if (pid < 0)
            return answer_failure(next.login->id, next.login->user.view(),
                                  "cannot fork: " + std::string(std::strerror(errno)));
        Running started;
        started.pid = pid;
        started.channel = std::move(ends.value().first);
        started.id = next.login->id;
        started.user = next.login->user.view();
        started.source = next.source;
        started.deadline =
            std::min(Clock::now() + bounds_.for_an_attempt, next.arrived + bounds_.for_an_answer);
        running_.push_back(std::move(started));
        return true;
    }

    [[noreturn]] void be_child(pid_t parent, ipc::Channel answers, const ipc::Login& login) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        (void)::setsid();
        (void)::sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
        base::title::set("jailftpd: authenticator " + base::escaped(login.user.view()) + ' ' +
                         broker::to_text(login.peer));
        channel_.close();
        child_ended_.close();
        for (auto& each : running_) each.channel.close();
        waiting_.wipe();

        std::vector<Fd> descriptors;
        const auto answer = attempt(configuration_, costs_, login, descriptors);
        std::vector<int> numbers;
        for (const auto& each : descriptors) numbers.push_back(each.get());
        ::_exit(answers.send_waiting(answer, numbers) ? 0 : 1);
    }

    // A child's answer, if it is one. False: the supervisor is gone.
    bool pass_on(Running& child) {
        auto message = child.channel.receive();
        if (!message) return true;  // its end tells more
        const auto* answer = message.value().as<ipc::LoginAnswer>();
        const auto& descriptors = message.value().descriptors;
        if (answer == nullptr || answer->id != child.id ||
            descriptors.size() != (answer->outcome == ipc::Outcome::admitted ? 2U : 0U)) {
            end_with_descendants(child.pid);
            return true;
        }
        child.answered = true;
        std::vector<int> numbers;
        for (const auto& each : descriptors) numbers.push_back(each.get());
        return static_cast<bool>(channel_.send_waiting(*answer, numbers));
    }

    void reap() {
        signalfd_siginfo ignored{};
        while (::read(child_ended_.get(), &ignored, sizeof ignored) > 0) {
        }
        int status = 0;
        for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            const auto ended = std::find_if(running_.begin(), running_.end(),
                                            [&](const Running& each) { return each.pid == pid; });
            if (ended == running_.end()) continue;
            if (!ended->answered) (void)pass_on(*ended);  // its last words
            if (!ended->answered)
                (void)answer_failure(
                    ended->id, ended->user,
                    "the process that checked the password " + how_it_ended(status));
            running_.erase(ended);
        }
    }

    void enforce_deadlines() {
        const auto now = Clock::now();
        for (auto& each : running_) {
            if (now < each.deadline) continue;
            if (!each.answered) {
                each.answered = true;
                (void)answer_failure(each.id, each.user,
                                     "the password check (PAM service " +
                                         configuration_.options.pam_service_name +
                                         ") took too long and was ended");
            }
            end_with_descendants(each.pid);
            each.deadline = now + std::chrono::seconds(1);
        }
        for (const auto& late : waiting_.take_older_than(now - bounds_.for_an_answer))
            (void)answer_failure(late.login->id, late.login->user.view(),
                                 "its turn did not come in time");
    }

    bool answer_failure(std::uint64_t id, std::string_view user, const std::string& reason) {
        ipc::LoginAnswer answer{};
        answer.id = id;
        answer.outcome = ipc::Outcome::broken;
        answer.account = ipc::Account::system;
        answer.user.assign(user);
        answer.client_text.assign(try_later);
        answer.reason.assign(reason);
        return static_cast<bool>(channel_.send_waiting(answer));
    }

    ipc::Channel channel_;
    const config::Configuration& configuration_;
    Bounds bounds_;
    Costs costs_;
    std::optional<HeldModules> modules_;
    Fd child_ended_;
    sigset_t old_mask_{};
    WaitingRoom waiting_;
    std::vector<Running> running_;
    bool open_ = true;
    int status_ = 0;
};

}  // namespace

int run(ipc::Channel channel, const config::Configuration& configuration, const Bounds& bounds) {
    (void)std::signal(SIGPIPE, SIG_IGN);
    base::title::set("jailftpd: authenticator");
    Template process(std::move(channel), configuration, bounds);
    if (const auto prepared = process.prepare(); !prepared) {
        base::log::error("the authenticator cannot start: " + prepared.error().text());
        return 2;
    }
    return process.serve();
}

int run(ipc::Channel channel, const config::Configuration& configuration) {
    return run(std::move(channel), configuration, Bounds{});
}

}  // namespace authenticator
