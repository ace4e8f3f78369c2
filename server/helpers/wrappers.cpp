// SPDX-License-Identifier: MIT
// Rules of hosts.allow and hosts.deny, by way of libwrap; runs in a helper, and a child of it for
// each question.
#include "helpers/wrappers.hpp"

#include "base/log.hpp"
#include "config/name_list.hpp"
#include "config/user_file.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include <dlfcn.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <tcpd.h>
#include <unistd.h>

namespace helpers {

using base::Error;
using base::Fd;
using base::Result;

namespace {

struct Library {
    decltype(&::request_init) request_init = nullptr;
    decltype(&::sock_host) sock_host = nullptr;
    decltype(&::hosts_access) hosts_access = nullptr;
};

std::optional<Library>& library() {
    static std::optional<Library> instance;
    return instance;
}

template <typename Symbol>
bool find(void* handle, const char* name, Symbol& symbol) {
    symbol = reinterpret_cast<Symbol>(::dlsym(handle, name));
    return symbol != nullptr;
}

void refuse(ipc::Wrapped& answer, std::string_view client_text, std::string_view reason) {
    answer.client_text.assign(client_text);
    answer.reason.assign(reason);
    answer.overrides.assign({});
}

void read_own_options(const config::Configuration& configuration, const std::string& path,
                      uid_t owner, ipc::Wrapped& answer) {
    const auto file = config::read_peer_file(path, owner, configuration);
    for (const auto& problem : file.problems) {
        if (problem.severity == config::Severity::error)
            return refuse(answer, problem.what, config::to_text(problem));
        base::log::warning(config::to_text(problem));
    }
    if (file.overrides.size() > answer.overrides.capacity)
        return refuse(answer, "too many options for one connection", path + ": it is too long");
    auto options = configuration.options;
    (void)config::apply_overrides(options, file.overrides);
    if (options.userlist_enable && options.local_enable) {
        const auto list = config::NameList::read(options.userlist_file);
        if (!list)
            return refuse(answer, "cannot read user list file:" + options.userlist_file,
                          list.error().text());
    }
    answer.overrides.assign(file.overrides);
}

// As vsftpd asks.
void ask(const config::Configuration& configuration, const Fd& connection, ipc::Wrapped& answer) {
    const auto owner = ::geteuid();
    ::openlog("vsftpd", LOG_PID, LOG_FTP);  // libwrap reports errors in rules there
    request_info request{};
    library()->request_init(&request, RQ_DAEMON, "vsftpd", RQ_FILE, connection.get(), 0);
    library()->sock_host(&request);
    if (library()->hosts_access(&request) == 0) return;
    answer.allowed = 1;
    if (const char* path = std::getenv("VSFTPD_LOAD_CONF"))
        read_own_options(configuration, path, owner, answer);
}

[[noreturn]] void be_child(pid_t parent, const config::Configuration& configuration,
                           const Fd& connection, ipc::Wrapped answer, const Fd& to) noexcept {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    (void)::setsid();
    ask(configuration, connection, answer);
    const auto sent = ::write(to.get(), &answer, sizeof answer);
    ::_exit(sent == static_cast<ssize_t>(sizeof answer) ? 0 : 1);
}

}  // namespace

Result<void> load_wrappers() {
    // For the rest of the process's life.
    void* handle = ::dlopen("libwrap.so.0", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return Error{::dlerror()};
    Library found;
    int* resident = nullptr;
    if (!find(handle, "request_init", found.request_init) ||
        !find(handle, "sock_host", found.sock_host) ||
        !find(handle, "hosts_access", found.hosts_access) || !find(handle, "resident", resident))
        return Error{"libwrap.so.0 is not what it should be"};
    *resident = 1;  // "twist" would put another program in our place
    library() = found;
    return base::success();
}

ipc::Wrapped wrap(const config::Configuration& configuration, const ipc::Wrap& question,
                  const Fd& connection, const ipc::Channel& supervisor) {
    ipc::Wrapped answer{};
    answer.id = question.id;
    const auto failed = [&](std::string reason) {
        base::log::error("tcp_wrappers: " + std::move(reason) + "; the client is turned away");
        return answer;
    };
    if (!library()) return failed("libwrap is not loaded");
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return failed(base::system_error("socketpair").text());
    const Fd from{ends[0]};
    Fd to{ends[1]};
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) be_child(parent, configuration, connection, answer, to);
    if (pid < 0) return failed(base::system_error("fork").text());
    to.close();
    pollfd wanted[] = {{from.get(), POLLIN, 0}, {supervisor.fd(), POLLRDHUP, 0}};
    while (::poll(wanted, 2, -1) < 0 && errno == EINTR) {
    }
    ipc::Wrapped said{};
    const auto got = ::recv(from.get(), &said, sizeof said, MSG_DONTWAIT);
    if (got < 0) {
        (void)::kill(-pid, SIGKILL);  // commands of the rules
        (void)::kill(pid, SIGKILL);   // it may not lead that group yet
    }
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    if (got != static_cast<ssize_t>(sizeof said))
        return failed("the process that looks at the rules died");
    return said;
}

}  // namespace helpers
