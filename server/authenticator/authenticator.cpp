// SPDX-License-Identifier: MIT
// The template process: takes attempts, has children make them, one at a time each, and answers for
// children that cannot; runs as root.
#include "authenticator/authenticator.hpp"

#include "authenticator/attempt.hpp"
#include "authenticator/harmless_stack.hpp"
#include "authenticator/mounter.hpp"
#include "authenticator/name_services.hpp"
#include "authenticator/pam.hpp"
#include "authenticator/waiting.hpp"
#include "base/fork.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "base/title.hpp"
#include "broker/address.hpp"
#include "config/name_list.hpp"
#include "jail/capabilities.hpp"
#include "jail/limits.hpp"
#include "jail/namespaces.hpp"
#include "jail/plan.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include <poll.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace authenticator {

using base::Fd;
using base::Result;

namespace {

// Modules that hang when they close a session (seconds).
constexpr unsigned most_to_close = 60;
// What a module forgets to free is not kept for ever.
constexpr int most_attempts_of_a_child = 500;
constexpr std::size_t largest_nsswitch_conf = 1 << 20;
constexpr const char* try_later = "login service unavailable, please try later";

// What modules may need to check an account: reading and updating their files, acting as the user,
// the audit log. Not the machine: no modules of the kernel, no devices, network, clock.
constexpr int kept[] = {CAP_CHOWN,       CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,  CAP_FOWNER,
                        CAP_FSETID,      CAP_KILL,         CAP_SETGID,           CAP_SETUID,
                        CAP_AUDIT_WRITE, CAP_SYS_RESOURCE, CAP_NET_BIND_SERVICE, CAP_IPC_LOCK};

Result<void> confine(bool sessions) {
    std::vector<int> all(std::begin(kept), std::end(kept));
    // pam_loginuid, pam_limits, and what mounts homes (pam_mount, pam_namespace).
    if (sessions) all.insert(all.end(), {CAP_AUDIT_CONTROL, CAP_SYS_NICE, CAP_SYS_ADMIN});
    TRY(jail::keep_capabilities(all));
    return jail::forbid_dumping();
}

// Where it is another namespace's, its numbers are those of strangers.
bool proc_is_ours() {
    char text[16];
    const auto length = ::readlink("/proc/self", text, sizeof text);
    return length > 0 && base::to_number<pid_t>({text, static_cast<std::size_t>(length)}) ==
                             std::optional(::getpid());
}

// What a child that hangs has started must not outlive it. Best effort: not every kernel tells.
void end_with_descendants(pid_t pid) {
    (void)::kill(pid, SIGSTOP);
    const auto number = std::to_string(pid);
    const auto children =
        config::read_file("/proc/" + number + "/task/" + number + "/children", 65536);
    if (children && proc_is_ours()) {
        for (const auto word : base::split(children.value(), ' ')) {
            const auto child = base::to_number<pid_t>(word);
            if (child && *child > 1) end_with_descendants(*child);
        }
    }
    (void)::kill(pid, SIGKILL);
    (void)::kill(-pid, SIGKILL);  // its process group, if it leads one
}

std::string how_it_ended(const siginfo_t& child) {
    if (child.si_code != CLD_EXITED)
        return "was ended by signal " + std::to_string(child.si_status);
    return "exited with status " + std::to_string(child.si_status);
}

// The supervisor takes a malformed one for the end of us all.
bool is_answer_to(std::uint64_t id, const ipc::Message& message) {
    const auto* answer = message.as<ipc::LoginAnswer>();
    return answer != nullptr && answer->id == id && answer->user.valid() &&
           answer->shown_password.valid() && answer->client_text.valid() &&
           answer->reason.valid() && answer->cgroup.name.valid() &&
           answer->binds <= ipc::most_binds &&
           (answer->outcome == ipc::Outcome::admitted
                ? message.descriptors.size() == 2 + answer->binds ||
                      message.descriptors.size() == 3 + answer->binds
                : message.descriptors.empty());
}

struct Running {
    pid_t pid = -1;
    ipc::Channel channel;
    std::uint64_t id = 0;
    std::string user;
    Source source{};
    Clock::time_point deadline;
    int in_pam = 0;  // what it knows of costs
    bool answered = false;
    bool admitted = false;
    bool lasting = false;  // it stays until the session ends, and is none of our business
};

// A child that has admitted somebody. It may stay for another attempt: one that will not has closed
// its ears before it answered.
struct Staying {
    pid_t pid = -1;
    ipc::Channel channel;
    int in_pam = 0;
    Clock::time_point until;
};

class Template {
  public:
    Template(ipc::Channel channel, const config::Configuration& configuration, const Bounds& bounds)
        : channel_(std::move(channel)), configuration_(configuration), bounds_(bounds) {}

    Result<void> prepare() {
        const auto& options = configuration_.options;
        TRY(jail::limit(RLIMIT_CORE, 0));
        // Before the first child: none ends unnoticed.
        sigset_t child_ended;
        ::sigemptyset(&child_ended);
        ::sigaddset(&child_ended, SIGCHLD);
        if (::sigprocmask(SIG_BLOCK, &child_ended, &old_mask_) < 0)
            return base::system_error("sigprocmask");
        if (jail::maker(configuration_.native.users) == jail::Maker::user_in_namespace) {
            TRY(jail::enter_user_namespace());
        }
        // Modules that may mount for themselves may for us.
        const bool sessions = options.session_support || options.tcp_wrappers;
        if (options.isolate && configuration_.native.mounts && !sessions) {
            TRY(auto mounter, Mounter::start());
            mounter_.emplace(std::move(mounter));
        }
        TRY(confine(sessions));
        child_ended_ = Fd{::signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK)};
        if (!child_ended_) return base::system_error("signalfd");
        costs_ = measure_costs(configuration_);
        if (configuration_.options.local_enable) {
            if (const auto conf = config::read_file("/etc/nsswitch.conf", largest_nsswitch_conf))
                hold_name_services(conf.value());
            modules_.emplace(configuration_.options.pam_service_name);
            if (!modules_->error().empty())
                base::log::warning("PAM service " + configuration_.options.pam_service_name + ": " +
                                   modules_->error());
            stack_.emplace(configuration_.options.pam_service_name);
        }
        base::prepare_to_fork();
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
        for (const auto& each : staying_) (void)::kill(each.pid, SIGKILL);
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
        for (auto& each : running_) {
            if (each.admitted && !each.lasting)
                staying_.push_back({each.pid, std::move(each.channel), each.in_pam,
                                    Clock::now() + bounds_.for_another});
        }
        std::erase_if(running_, [](const Running& each) { return each.admitted; });
        return wanted[0].revents == 0 || take_requests();
    }

    int milliseconds_left() const {
        std::optional<Clock::time_point> first;
        const auto consider = [&](Clock::time_point time) {
            if (!first || time < *first) first = time;
        };
        for (const auto& each : running_) consider(each.deadline);
        for (const auto& each : staying_) consider(each.until);
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
                !login->names.valid() || !login->overrides.valid() ||
                login->account != ipc::Account::system)
                return status_ = 2, false;
            if (!let_wait(*login)) return false;
        }
    }

    // When all places are taken, whoever sent most gives one up.
    bool let_wait(const ipc::Login& login) {
        if (waiting_.size() >= bounds_.most_waiting) {
            const auto given_up = waiting_.give_up_for(broker::network_of(login.peer));
            const auto& refused = given_up.login ? *given_up.login : login;
            if (!answer_failure(refused.id, refused.user.view(),
                                "too many attempts wait for a turn"))
                return false;
            if (!given_up.login) return true;
        }
        waiting_.add(login, Clock::now());
        return true;
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
        Running started;
        started.id = next.login->id;
        started.user = next.login->user.view();
        started.source = next.source;
        started.in_pam = costs_.in_pam;
        started.deadline =
            std::min(Clock::now() + bounds_.for_an_attempt, next.arrived + bounds_.for_an_answer);
        if (!give_to_one_that_stays(started, *next.login)) {
            if (const auto forked = fork_for(started, *next.login); !forked)
                return answer_failure(started.id, started.user, forked.error().text());
        }
        running_.push_back(std::move(started));
        return true;
    }

    // To the one that was busy last: the others end the sooner. False: there is none.
    bool give_to_one_that_stays(Running& started, const ipc::Login& login) {
        const auto child = std::find_if(staying_.rbegin(), staying_.rend(), [&](Staying& each) {
            return each.in_pam == costs_.in_pam && each.channel.send(login);
        });
        if (child == staying_.rend()) return false;
        started.pid = child->pid;
        started.channel = std::move(child->channel);
        staying_.erase(std::next(child).base());
        return true;
    }

    Result<void> fork_for(Running& started, ipc::Login& login) {
        TRY(auto ends, ipc::Channel::pair());
        const pid_t parent = ::getpid();
        const pid_t pid = ::fork();
        if (pid == 0) {
            ends.first.close();
            be_child(parent, std::move(ends.second), login);
        }
        if (pid < 0) return base::system_error("cannot fork");
        started.pid = pid;
        started.channel = std::move(ends.first);
        return base::success();
    }

    // Never back into the loop, not by an exception either.
    [[noreturn]] void be_child(pid_t parent, ipc::Channel answers, ipc::Login& login) noexcept {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        (void)::setsid();
        (void)::sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
        channel_.close();
        child_ended_.close();
        for (auto& each : running_) each.channel.close();
        for (auto& each : staying_) each.channel.close();
        waiting_.wipe();

        if (stack_) stack_->look_again();
        for (int attempts = 1;; ++attempts) {
            serve_attempt(answers, login, attempts < most_attempts_of_a_child);
            const auto next = answers.wait();
            const auto* wanted = next ? next.value().as<ipc::Login>() : nullptr;
            if (wanted == nullptr) ::_exit(0);  // the template wants no more
            login = *wanted;
        }
    }

    // Wipes the password, and ends the process unless it may stay.
    void serve_attempt(ipc::Channel& answers, ipc::Login& login, bool may_stay) {
        base::title::set("jailftpd: authenticator " + base::escaped(login.user.view()) + ' ' +
                         broker::to_text(login.peer));
        std::vector<Fd> descriptors;
        Lasting lasting;
        const int in_pam_before = costs_.in_pam;
        const auto answer =
            attempt(configuration_, costs_, login, mounting(), descriptors, lasting);
        ::explicit_bzero(&login.password, sizeof login.password);
        if (answer.outcome != ipc::Outcome::admitted) lasting = {};
        const bool stays = may_stay && answer.outcome == ipc::Outcome::admitted && !lasting &&
                           costs_.in_pam == in_pam_before && is_as_before(login);
        Fd end;
        int ends[2];
        if (lasting && ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
            end = Fd{ends[0]};
            descriptors.emplace_back(ends[1]);
            // The session is closed even if the template is killed.
            (void)::prctl(PR_SET_PDEATHSIG, 0);
        }
        std::vector<int> numbers;
        for (const auto& each : descriptors) numbers.push_back(each.get());
        if (!stays) {
            mounter_.reset();
            // Before the answer: from then on the template might give it another attempt.
            (void)::shutdown(answers.fd(), SHUT_RD);
        }
        const bool told = static_cast<bool>(answers.send_waiting(answer, numbers));
        if (stays && told) return base::title::set("jailftpd: [checker]");
        answers.close();
        descriptors.clear();
        if (end && told) wait_for_end(end, login);
        lasting = {};
        // Who answered need not tell how it went, so the status tells what it has learned.
        ::_exit(told ? costs_.in_pam : 0);
    }

    // After an attempt that was admitted: who was refused may have sent anything. Modules of which
    // more is not known may have changed the process, and so may those of another service that this
    // connection's own options name. A tenant has none.
    bool is_as_before(const ipc::Login& login) const {
        return login.overrides.length == 0 && (!stack_ || stack_->holds());
    }

    helpers::Mounting mounting() {
        if (!mounter_) return jail::detached_mount;
        return [this](const Fd& directory, const jail::MountFlags& flags) {
            return mounter_->mount(directory, flags);
        };
    }

    // As long as the client's session lasts, or the supervisor.
    static void wait_for_end(const Fd& end, const ipc::Login& login) {
        base::title::set("jailftpd: " + base::escaped(login.user.view()) + ' ' +
                         broker::to_text(login.peer) + " [login]");
        pollfd wanted{end.get(), POLLRDHUP, 0};
        while (::poll(&wanted, 1, -1) < 0 && errno == EINTR) {
        }
        (void)::alarm(most_to_close);
    }

    // A child's answer, if it is one. False: the supervisor is gone.
    bool pass_on(Running& child) {
        if (!child.channel) return true;
        const auto message = child.channel.receive();
        if (!message && message.error().number == EAGAIN) return true;
        if (!message || !is_answer_to(child.id, message.value())) {
            // There will be none; how it ends tells more.
            child.channel.close();
            end_with_descendants(child.pid);
            return true;
        }
        child.answered = true;
        const auto& answer = *message.value().as<ipc::LoginAnswer>();
        const auto& descriptors = message.value().descriptors;
        child.lasting = descriptors.size() == 3 + answer.binds;
        child.admitted = answer.outcome == ipc::Outcome::admitted;
        std::vector<int> numbers;
        for (const auto& each : descriptors) numbers.push_back(each.get());
        return static_cast<bool>(channel_.send_waiting(answer, numbers));
    }

    // Looked at before it is waited for: until then its number and its group's are nobody else's.
    void reap() {
        signalfd_siginfo ignored{};
        while (::read(child_ended_.get(), &ignored, sizeof ignored) > 0) {
        }
        for (;;) {
            siginfo_t child{};
            if (::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) < 0 || child.si_pid == 0)
                return;
            const auto ended =
                std::find_if(running_.begin(), running_.end(),
                             [&](const Running& each) { return each.pid == child.si_pid; });
            if (ended != running_.end()) {
                bury(*ended, child);
                running_.erase(ended);
            }
            if (std::erase_if(staying_,
                              [&](const Staying& each) { return each.pid == child.si_pid; }) > 0)
                learn(child);
            // Another template has another.
            if (mounter_ && mounter_->pid() == child.si_pid) {
                base::log::error("the mounter " + how_it_ended(child));
                open_ = false;
                status_ = 2;
            }
            (void)::waitpid(child.si_pid, nullptr, 0);
        }
    }

    void learn(const siginfo_t& child) {
        if (child.si_code == CLD_EXITED && child.si_status > 0)
            costs_.in_pam = std::min(child.si_status, most_in_pam);
    }

    void bury(Running& ended, const siginfo_t& child) {
        if (!ended.answered) (void)pass_on(ended);  // its last words
        if (ended.answered) {
            learn(child);
            return;
        }
        (void)::kill(-ended.pid, SIGKILL);  // what it has started
        (void)answer_failure(ended.id, ended.user,
                             "the process that checked the password " + how_it_ended(child));
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
        std::erase_if(staying_, [&](const Staying& each) {
            if (now < each.until) return false;
            (void)::kill(each.pid, SIGKILL);  // it has nothing left to do
            return true;
        });
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
    std::optional<Mounter> mounter_;
    std::optional<HeldModules> modules_;
    std::optional<HarmlessStack> stack_;
    Fd child_ended_;
    sigset_t old_mask_{};
    WaitingRoom waiting_;
    std::vector<Running> running_;
    std::vector<Staying> staying_;
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
