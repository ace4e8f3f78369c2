// SPDX-License-Identifier: MIT
// Namespaces; runs in the spawner, and in what it clones.
#include "jail/namespaces.hpp"

#include "jail/capabilities.hpp"

#include <cerrno>
#include <csignal>
#include <string>

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jail {

using base::Fd;
using base::Result;
using base::system_error;

namespace {

// clang-format off
constexpr Namespace table[] = {
    // name      /proc/PID/ns  flag             in a cell
    {"pid",     "pid",        CLONE_NEWPID,    &Isolation::pid},
    {"ipc",     "ipc",        CLONE_NEWIPC,    &Isolation::ipc},
    {"uts",     "uts",        CLONE_NEWUTS,    &Isolation::uts},
    {"cgroup",  "cgroup",     CLONE_NEWCGROUP, &Isolation::cgroup},
    {"mount",   "mnt",        CLONE_NEWNS,     &Isolation::mounts},
    {"network", "net",        CLONE_NEWNET,    nullptr},
    {"user",    "user",       CLONE_NEWUSER,   nullptr},
};

// What ends a process that has no handler for it. Errors in the program (SIGSEGV ...) end pid 1 too,
// and so does abort(), which tries one of them last.
constexpr int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2,
                          SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR};
// clang-format on

// For the architectures of ours the flags come first.
pid_t old_clone(std::uint64_t flags) {
    return static_cast<pid_t>(
        ::syscall(SYS_clone, static_cast<unsigned long>(flags | SIGCHLD), 0, 0, 0, 0));
}

pid_t clone(std::uint64_t flags, int cgroup) {
    clone_args wanted{};
    wanted.flags = flags;
    wanted.exit_signal = SIGCHLD;
    if (cgroup >= 0) {
        wanted.flags |= CLONE_INTO_CGROUP;
        wanted.cgroup = static_cast<std::uint64_t>(cgroup);
    }
    const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &wanted, sizeof wanted));
    // Filters of containers and of systemd cannot look into clone3's memory, and forbid it whole.
    if (pid < 0 && cgroup < 0 && (errno == ENOSYS || errno == EPERM)) return old_clone(flags);
    return pid;
}

Result<void> write_file(const char* path, const std::string& text) {
    const Fd file{::open(path, O_WRONLY | O_CLOEXEC)};
    if (!file || ::write(file.get(), text.data(), text.size()) < 0) return system_error(path);
    return base::success();
}

extern "C" void end_as_others_would(int signal) { ::_exit(128 + signal); }

}  // namespace

std::span<const Namespace> namespaces() { return table; }

std::uint64_t clone_flags(const Isolation& isolation) {
    std::uint64_t flags = 0;
    for (const auto& each : table) {
        if (each.wanted != nullptr && isolation.*each.wanted) flags |= each.flag;
    }
    return flags;
}

Result<pid_t> clone_cell(const Isolation& isolation, int cgroup) {
    const auto pid = clone(clone_flags(isolation), cgroup);
    if (pid < 0) return system_error("clone");
    return pid;
}

void live_as_init() {
    for (const int each : deadly) {
        struct sigaction now {};
        if (::sigaction(each, nullptr, &now) < 0 || now.sa_handler != SIG_DFL) continue;
        now.sa_handler = end_as_others_would;
        (void)::sigaction(each, &now, nullptr);
    }
}

Result<void> enter_empty_network() {
    if (::unshare(CLONE_NEWNET) < 0) return system_error("unshare");
    return base::success();
}

Result<void> enter_user_namespace() {
    const auto uid = std::to_string(::geteuid());
    const auto gid = std::to_string(::getegid());
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) return system_error("unshare");
    expect_full_bounding_set();
    TRY(write_file("/proc/self/setgroups", "deny"));
    TRY(write_file("/proc/self/uid_map", uid + ' ' + uid + " 1"));
    TRY(write_file("/proc/self/gid_map", gid + ' ' + gid + " 1"));
    // The kernel has done it to all that were shared; AppArmor's word is heard here.
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0)
        return system_error("mount");
    return base::success();
}

}  // namespace jail
