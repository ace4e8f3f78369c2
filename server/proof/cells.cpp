// SPDX-License-Identifier: MIT
// Real cells of a real spawner, with an attacker in each; what stands below "in the cell" runs
// there, jailed, the rest as root.
#include "proof/cells.hpp"

#include "base/fd.hpp"
#include "base/log.hpp"
#include "jail/landlock.hpp"
#include "jail/plans.hpp"
#include "jail/system_call_trap.hpp"
#include "proof/account.hpp"
#include "session/jail.hpp"
#include "spawner/spawner.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace proof {

using base::Error;
using base::Fd;
using base::Result;

bool contains(const Layers& layers, Layer layer) {
    return std::find(layers.begin(), layers.end(), layer) != layers.end();
}

namespace {

constexpr int patience = 10'000;  // milliseconds
constexpr std::string_view just_live = "live";

// What cells inherit from the fork that made their spawner.
struct Inherited {
    Layers layers;
    Scene scene;
    Fd home;  // a way out
};
Inherited inherited;

// ----- in the cell

// The account's own plan, but for the layers that are left out.
Result<jail::Plan> plan_of(const session::Entry& entry, const config::Options& options,
                           std::vector<Fd>& descriptors, int channel, int socket) {
    std::vector<Fd> folders;
    folders.push_back(std::move(descriptors[0]));
    for (std::size_t i = 2; i < std::min(descriptors.size(), 2 + entry.admission.binds.size()); ++i)
        folders.push_back(std::move(descriptors[i]));
    TRY(auto home,
        session::jail_of(entry, options.ssl_enable, std::move(folders), {channel, socket}));
    const bool no_root = home.jailed && !contains(inherited.layers, Layer::root);
    if (no_root) {
        // The host's root came in front of the home, which stays open.
        inherited.home = std::move(descriptors.back());
        inherited.scene.home = inherited.home.get();
        home.jailed = false;
        home.start = home.path_on_host;
        home.path_on_host = "/";
        home.descriptors.push_back(inherited.home.get());
    }
    auto plan = jail::user_home(home);
    for (auto& step : plan) {
        if (no_root && step.name == "landlock")
            step.carry_out = [rights = home.rights]() -> Result<void> {
                Fd copy{::fcntl(inherited.home.get(), F_DUPFD_CLOEXEC, 0)};
                if (!copy) return base::system_error("fcntl");
                const jail::Ground grounds[] = {{std::move(copy), rights}};
                return jail::restrict_to(grounds);
            };
    }
    return plan;
}

Result<void> enter_jail(std::vector<Fd>& descriptors, const config::Options& options, int channel,
                        int socket) {
    TRY(const auto entry, session::read_entry(descriptors[1], options));
    TRY(const auto plan, plan_of(entry, options, descriptors, channel, socket));
    return jail::carry_out(plan);
}

const Attack* find(std::string_view name) {
    for (const auto& chapter : chapters()) {
        for (const auto& attack : chapter.attacks) {
            if (name == attack.name) return &attack;
        }
    }
    return nullptr;
}

void tell(ipc::Channel& channel, const Result<void>& result) {
    ipc::Entered told{};
    told.number = result ? 0 : result.error().number;
    told.step.assign(result ? "" : result.error().text());
    (void)channel.send_waiting(told);
}

// In place of greeter::run and session::run.
int attack(ipc::Channel channel, const config::Options& options) {
    auto message = channel.wait();
    const auto* enter = message ? message.value().as<ipc::Enter>() : nullptr;
    if (enter == nullptr) return 0;
    auto& descriptors = message.value().descriptors;
    const Fd socket = std::move(descriptors.back());
    descriptors.pop_back();
    auto& scene = inherited.scene;
    scene.handed_socket = socket.get();
    scene.sibling = static_cast<pid_t>(enter->clients);
    if (!descriptors.empty()) {
        const auto entered = enter_jail(descriptors, options, channel.fd(), socket.get());
        tell(channel, entered);
        if (!entered) return 1;
    } else {
        tell(channel, base::success());
    }
    if (enter->unread.view() == just_live) {
        (void)channel.wait();
        return 0;
    }
    if (const auto* found = find(enter->unread.view())) tell(channel, found->carry_out(scene));
    return 0;
}

// ----- outside

bool any_namespace(const config::Native& native) {
    return native.pid || native.ipc || native.uts || native.cgroup || native.mounts ||
           native.network;
}

config::Configuration without_others(config::Configuration configuration, const Layers& layers) {
    auto& native = configuration.native;
    const bool may_make_namespaces = any_namespace(native);
    for (auto* each : {&native.pid, &native.ipc, &native.uts})
        *each = *each && contains(layers, Layer::namespaces);
    native.mounts = native.mounts && contains(layers, Layer::root);
    native.network = native.network && contains(layers, Layer::network);
    native.landlock = native.landlock && contains(layers, Layer::landlock);
    native.system_calls = native.system_calls && contains(layers, Layer::system_calls);
    // This one stops nothing, and for it the spawner keeps the right to make namespaces: what is
    // left of an attacker's rights is then the same each time.
    if (may_make_namespaces && !any_namespace(native)) native.cgroup = true;
    return configuration;
}

// As the broker makes them: the host's, connected to somebody.
Result<std::pair<Fd, Fd>> connection() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    const Fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    Fd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (::bind(listener.get(), any, size) < 0 || ::listen(listener.get(), 1) < 0 ||
        ::getsockname(listener.get(), any, &size) < 0 || ::connect(client.get(), any, size) < 0)
        return base::system_error("a connection over loopback");
    Fd server{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (!server) return base::system_error("accept");
    return std::pair(std::move(server), std::move(client));
}

std::string in_words(int status) {
    if (!WIFSIGNALED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
    return std::string("killed by SIG") + ::sigabbrev_np(WTERMSIG(status));
}

}  // namespace

Cells::Cells(const config::Configuration& configuration, const helpers::Account* account,
             const Layers& layers, const Stage& stage)
    : configuration_(without_others(configuration, layers)),
      account_(account),
      layers_(layers),
      stage_(stage) {}

Result<std::unique_ptr<Cells>> Cells::start(const config::Configuration& configuration,
                                            const helpers::Account* account, const Layers& layers,
                                            const Stage& stage) {
    std::unique_ptr<Cells> cells(new Cells(configuration, account, layers, stage));
    TRY(auto ends, ipc::Channel::pair());
    const pid_t pid = ::fork();
    if (pid < 0) return base::system_error("fork");
    if (pid == 0) {
        ends.first.close();
        inherited = {layers, stage.scene, {}};
        if (account != nullptr && !contains(layers, Layer::root))
            inherited.scene.inside = stage.inside_on_host;
        if (auto ready = session::prepare_jails(cells->configuration_); !ready) {
            base::log::error(ready.error().text());
            ::_exit(2);
        }
        ::_exit(spawner::run(std::move(ends.second), cells->configuration_, {attack, attack}));
    }
    cells->spawner_ = pid;
    cells->channel_ = std::move(ends.first);
    TRY(cells->sibling_, cells->new_cell());
    TRY(cells->enter(cells->sibling_, just_live));
    return cells;
}

Cells::~Cells() {
    sibling_.channel.close();
    if (sibling_.pid > 0) (void)wait_for_end(sibling_);
    channel_.close();
    if (spawner_ > 0) (void)::waitpid(spawner_, nullptr, 0);
}

Result<Cells::Cell> Cells::new_cell() {
    TRY(auto ends, ipc::Channel::pair());
    const auto kind = account_ != nullptr ? ipc::Child::session : ipc::Child::greeter;
    const int end[] = {ends.second.fd()};
    TRY(channel_.send_waiting(ipc::Spawn{++last_id_, kind, 0}, end));
    ends.second.close();
    TRY(const auto message, channel_.wait(patience));
    const auto* spawned = message.as<ipc::Spawned>();
    if (spawned == nullptr || spawned->pid == 0)
        return Error{"no process could be made", spawned == nullptr ? 0 : spawned->number};
    return Cell{last_id_, spawned->pid, std::move(ends.first)};
}

Result<void> Cells::enter(Cell& cell, std::string_view task, bool freed) {
    ipc::Enter enter{};
    enter.unread.assign(task);
    enter.clients = static_cast<std::uint32_t>(sibling_.pid);
    TRY(const auto sockets, connection());
    const sockaddr nobody{};
    if (freed && ::connect(sockets.first.get(), &nobody, sizeof nobody) < 0)
        return base::system_error("connect");
    std::vector<int> numbers;
    Fd root;
    Fd memory;
    Fd home;
    std::vector<Fd> binds;
    if (account_ != nullptr) {
        TRY(auto admitted, let_in(configuration_, *account_));
        TRY(memory, ipc::sealed(ipc::serialise(admitted.admission), "admission"));
        root = std::move(admitted.root);
        binds = std::move(admitted.binds);
        const bool no_root = admitted.admission.jailed && !contains(layers_, Layer::root);
        if (no_root) home = std::exchange(root, Fd{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)});
        numbers = {root.get(), memory.get()};
        for (const auto& each : binds) numbers.push_back(each.get());
        if (no_root) numbers.push_back(home.get());
    }
    numbers.push_back(sockets.first.get());
    TRY(cell.channel.send_waiting(enter, numbers));
    for (;;) {
        const auto message = cell.channel.wait(patience);
        if (!message) return Error{"the jail was not entered: " + message.error().text(), 0};
        const auto* entered = message.value().as<ipc::Entered>();
        if (entered == nullptr) continue;
        if (!entered->step.view().empty())
            return Error{"the jail cannot be entered: " + std::string(entered->step.view()), 0};
        return base::success();
    }
}

Result<int> Cells::wait_for_end(const Cell& cell) {
    for (;;) {
        TRY(const auto message, channel_.wait(patience));
        const auto* exited = message.as<ipc::Exited>();
        if (exited != nullptr && exited->id == cell.id) return exited->status;
    }
}

Result<Tried> Cells::attempt(const Attack& attack) {
    TRY(auto cell, new_cell());
    TRY(enter(cell, attack.name, attack.freed));
    Tried tried;
    bool told = false;
    bool ended = false;
    for (int waited = 0; waited < patience;) {
        const int step = attack.meanwhile != nullptr ? 1 : patience;
        if (attack.meanwhile != nullptr) attack.meanwhile(stage_.folders());
        const auto message = cell.channel.wait(step);
        if (!message) {
            ended = message.error().number != ETIMEDOUT;
            if (ended) break;
            waited += step;
            continue;
        }
        if (message.value().as<ipc::Record>() != nullptr) tried.by_filter = true;
        if (const auto* result = message.value().as<ipc::Entered>()) {
            told = true;
            tried.through = result->step.view().empty();
            tried.how = result->step.view();
        }
    }
    cell.channel.close();
    if (!ended) (void)channel_.send_waiting(ipc::Kill{cell.id, SIGKILL, 0});
    TRY(const auto status, wait_for_end(cell));
    if (!told) {
        const bool ran =
            WIFEXITED(status) && attack.exit_code != 0 &&
            (WEXITSTATUS(status) == attack.exit_code || WEXITSTATUS(status) == set_uid_ran);
        tried.through = ran;
        tried.how = in_words(status);
        tried.by_filter = tried.by_filter || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    }
    stage_.tidy_up();
    return tried;
}

}  // namespace proof
