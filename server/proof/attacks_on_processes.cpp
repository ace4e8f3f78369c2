// SPDX-License-Identifier: MIT
// Attacks on other processes, and by making some; run in a jailed process.
#include "base/fd.hpp"
#include "proof/attack.hpp"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

namespace proof {

using base::Error;
using base::Fd;
using base::Result;

namespace {

// ----- signals: number 0 is only asked about, never sent

Result<void> signal_sibling(const Scene& scene) {
    TRY(checked(::kill(scene.sibling, 0), "kill"));
    return base::success();
}

Result<void> signal_supervisor(const Scene& scene) {
    TRY(checked(::kill(scene.supervisor, 0), "kill"));
    return base::success();
}

Result<void> signal_everybody(const Scene&) {
    TRY(checked(::kill(-1, 0), "kill"));
    return base::success();
}

// Who owns a socket gets a signal when something comes.
Result<void> signal_by_socket(const Scene& scene) {
    TRY(checked(::fcntl(scene.handed_socket, F_SETOWN, scene.sibling), "F_SETOWN"));
    return base::success();
}

Result<void> queue_signal(const Scene& scene) {
    siginfo_t info{};
    info.si_code = SI_QUEUE;
    TRY(checked(::syscall(SYS_rt_sigqueueinfo, scene.sibling, 0, &info), "rt_sigqueueinfo"));
    return base::success();
}

// ----- memory and descriptors

Result<void> trace(pid_t pid) {
    TRY(checked(::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr), "ptrace"));
    return base::success();
}

Result<void> trace_sibling(const Scene& scene) { return trace(scene.sibling); }
Result<void> trace_supervisor(const Scene& scene) { return trace(scene.supervisor); }

// An address that both have: the sibling comes from the same fork.
Result<void> read_memory(const Scene& scene) {
    char content[16];
    const iovec here{content, sizeof content};
    const iovec there{const_cast<Scene*>(&scene), sizeof content};
    TRY(checked(::process_vm_readv(scene.sibling, &here, 1, &there, 1, 0), "process_vm_readv"));
    return base::success();
}

// What is there already.
Result<void> write_memory(const Scene& scene) {
    char same = *reinterpret_cast<const char*>(&scene);
    const iovec here{&same, 1};
    const iovec there{const_cast<Scene*>(&scene), 1};
    TRY(checked(::process_vm_writev(scene.sibling, &here, 1, &there, 1, 0), "process_vm_writev"));
    return base::success();
}

Result<void> open_memory(const Scene& scene) {
    const auto path = "/proc/" + std::to_string(scene.sibling) + "/mem";
    const Fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    if (!file) return base::system_error("open");
    return base::success();
}

Result<void> take_descriptor(const Scene& scene) {
    const Fd process{static_cast<int>(::syscall(SYS_pidfd_open, scene.sibling, 0U))};
    if (!process) return base::system_error("pidfd_open");
    const Fd taken{static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), 3, 0U))};
    if (!taken) return base::system_error("pidfd_getfd");
    return base::success();
}

Result<void> compare(const Scene& scene) {
    TRY(checked(::syscall(SYS_kcmp, scene.sibling, scene.supervisor, 0, 0, 0), "kcmp"));
    return base::success();
}

Result<void> change_priority(const Scene& scene) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    TRY(checked(::sched_getaffinity(scene.sibling, sizeof cpus, &cpus), "sched_getaffinity"));
    TRY(checked(::sched_setaffinity(scene.sibling, sizeof cpus, &cpus), "sched_setaffinity"));
    return base::success();
}

// Of whoever has started the server, if that is a terminal still.
Result<void> type_into_terminal(const Scene&) {
    for (int number = 0; number < 3; ++number) {
        if (::ioctl(number, TIOCSTI, "x") == 0) return base::success();
    }
    return base::system_error("ioctl");
}

// ----- more processes

Result<void> fork_one(const Scene&) {
    const pid_t pid = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    if (pid == 0) ::_exit(0);
    TRY(checked(pid, "clone"));
    (void)::waitpid(pid, nullptr, 0);
    return base::success();
}

// ----- what processes share

// By who started the self-test, under a key that is nobody else's.
Result<void> shared_memory(const Scene& scene) {
    const int segment = ::shmget(scene.key, 0, 0);
    TRY(checked(segment, "shmget"));
    if (::shmat(segment, nullptr, 0) == reinterpret_cast<void*>(-1))
        return base::system_error("shmat");
    return base::success();
}

Result<void> semaphores(const Scene& scene) {
    TRY(checked(::semget(scene.key, 0, 0), "semget"));
    return base::success();
}

Result<void> message_queue(const Scene& scene) {
    TRY(checked(::msgget(scene.key, 0), "msgget"));
    return base::success();
}

Result<void> posix_queue(const Scene& scene) {
    TRY(checked(::mq_open(scene.queue.c_str(), O_RDWR), "mq_open"));
    return base::success();
}

// All sessions of one user have it.
Result<void> users_keyring(const Scene&) {
    const auto key = ::syscall(SYS_add_key, "user", "jailftpd-self-test", "x", std::size_t{1},
                               KEY_SPEC_USER_KEYRING);
    TRY(checked(key, "add_key"));
    (void)::syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_USER_KEYRING, 0, 0);
    return base::success();
}

Result<void> session_keyring(const Scene&) {
    TRY(checked(::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_SESSION_KEYRING, 0),
                "keyctl"));
    return base::success();
}

// That there is no such key is an answer.
Result<void> ask_for_key(const Scene&) {
    const auto key = ::syscall(SYS_request_key, "user", "jailftpd-self-test", nullptr, 0);
    if (key >= 0 || errno == ENOKEY) return base::success();
    return base::system_error("request_key");
}

// clang-format off
constexpr Attack attacks[] = {
    {"signal another session of the same user",   signal_sibling},
    {"signal the supervisor",                     signal_supervisor},
    {"signal everybody",                          signal_everybody},
    {"have the kernel signal it (F_SETOWN)",      signal_by_socket},
    {"queue a signal to it",                      queue_signal},
    {"trace another session",                     trace_sibling},
    {"trace the supervisor",                      trace_supervisor},
    {"read another session's memory",             read_memory},
    {"write to it",                               write_memory},
    {"open its memory in /proc",                  open_memory},
    {"take a descriptor from it (pidfd_getfd)",   take_descriptor},
    {"compare processes (kcmp)",                  compare},
    {"bind another session to a processor",       change_priority},
    {"type into a terminal (TIOCSTI)",            type_into_terminal},
    {"make a process",                            fork_one},
    {"attach to shared memory (SysV)",            shared_memory},
    {"find semaphores (SysV)",                    semaphores},
    {"find a message queue (SysV)",               message_queue},
    {"open a message queue (POSIX)",              posix_queue},
    {"put a key into the user's keyring",         users_keyring},
    {"find the user's session keyring",           session_keyring},
    {"ask for a key",                             ask_for_key},
};
// clang-format on

}  // namespace

std::span<const Attack> attacks_on_processes() { return attacks; }

}  // namespace proof
