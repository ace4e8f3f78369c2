// SPDX-License-Identifier: MIT
// System calls with arguments, and what each kind of process is answered; for the filters as they
// are compiled, and for greeters and sessions that live.
#pragma once

#include <array>
#include <ostream>
#include <string>

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

namespace call_table {

enum class Verdict { allowed, enosys, eperm, killed };
constexpr auto allowed = Verdict::allowed;
constexpr auto enosys = Verdict::enosys;
constexpr auto eperm = Verdict::eperm;
constexpr auto killed = Verdict::killed;

inline void PrintTo(Verdict verdict, std::ostream* out) {
    constexpr const char* words[] = {"allowed", "ENOSYS", "EPERM", "killed"};
    *out << words[static_cast<int>(verdict)];
}

using Arguments = std::array<long, 6>;

struct Attempt {
    const char* call;
    Verdict greeter;
    Verdict reader;
    Verdict writer;
    Arguments arguments = {-1, 0, 0, 0, 0, 0};
};

// Arguments that fail for another reason where the call is allowed.
inline const timespec no_time{};

// clang-format off
inline const Attempt attempts[] = {
    // call                  greeter   reader    writer    arguments
    // memory
    {"brk",                  allowed,  allowed,  allowed,  {0}},
    {"munmap",               allowed,  allowed,  allowed,  {1}},
    {"mremap",               allowed,  allowed,  allowed,  {1}},
    {"madvise",              allowed,  allowed,  allowed,  {1}},
    {"mmap",                 allowed,  allowed,  allowed,  {0, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
    {"mmap",                 eperm,    eperm,    eperm,    {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
    {"mprotect",             allowed,  allowed,  allowed,  {0, 0, PROT_READ}},
    {"mprotect",             eperm,    eperm,    eperm,    {0, 0, PROT_READ | PROT_EXEC}},
    {"pkey_mprotect",        enosys,   enosys,   enosys,   {0, 0, PROT_EXEC, -1}},
    {"mlock",                enosys,   enosys,   enosys},
    {"memfd_create",         enosys,   enosys,   enosys,   {0}},
    {"memfd_secret",         enosys,   enosys,   enosys,   {0}},
    {"userfaultfd",          killed,   killed,   killed,   {0}},
    {"remap_file_pages",     killed,   killed,   killed},
    // the process
    {"exit",                 allowed,  allowed,  allowed,  {77}},
    {"exit_group",           allowed,  allowed,  allowed,  {77}},
    {"rt_sigaction",         allowed,  allowed,  allowed},
    {"rt_sigprocmask",       allowed,  allowed,  allowed,  {0, 0, 0, 8}},
    {"getpid",               allowed,  allowed,  allowed},
    {"gettid",               allowed,  allowed,  allowed},
    {"geteuid",              allowed,  allowed,  allowed},
    {"futex",                allowed,  allowed,  allowed,  {1, FUTEX_WAKE | FUTEX_PRIVATE_FLAG}},
    {"futex",                eperm,    eperm,    eperm,    {1, FUTEX_LOCK_PI}},
    {"futex",                eperm,    eperm,    eperm,    {1, FUTEX_CMP_REQUEUE_PI}},
    {"fork",                 enosys,   enosys,   enosys},
    {"vfork",                enosys,   enosys,   enosys},
    {"clone",                enosys,   enosys,   enosys,   {0}},
    {"clone3",               enosys,   enosys,   enosys,   {0}},
    {"execve",               killed,   killed,   killed,   {0}},
    {"execveat",             killed,   killed,   killed},
    {"kill",                 enosys,   enosys,   enosys,   {1, 0}},
    {"tgkill",               enosys,   enosys,   enosys,   {1, 1, 0}},
    {"rt_sigqueueinfo",      enosys,   enosys,   enosys,   {1}},
    {"pidfd_open",           enosys,   enosys,   enosys,   {1}},
    {"pidfd_send_signal",    enosys,   enosys,   enosys},
    {"pidfd_getfd",          killed,   killed,   killed},
    {"ptrace",               killed,   killed,   killed,   {0}},
    {"process_vm_readv",     killed,   killed,   killed},
    {"process_vm_writev",    killed,   killed,   killed},
    {"process_madvise",      killed,   killed,   killed},
    {"kcmp",                 killed,   killed,   killed},
    {"prctl",                enosys,   enosys,   enosys,   {PR_SET_NAME, 0}},
    {"prlimit64",            enosys,   enosys,   enosys,   {0}},
    {"setpriority",          enosys,   enosys,   enosys},
    {"sched_setscheduler",   enosys,   enosys,   enosys},
    {"setuid",               enosys,   enosys,   enosys},
    {"setresuid",            enosys,   enosys,   enosys,   {-1, -1, -1}},
    {"setgroups",            enosys,   enosys,   enosys},
    {"capset",               enosys,   enosys,   enosys,   {0}},
    {"setsid",               enosys,   enosys,   enosys},
    {"wait4",                enosys,   enosys,   enosys},
    {"seccomp",              enosys,   enosys,   enosys},
    {"landlock_create_ruleset", enosys, enosys,  enosys,   {0}},
    {"personality",          killed,   killed,   killed},
    // time, waiting, randomness
    {"clock_gettime",        allowed,  allowed,  allowed},
    {"clock_nanosleep",      allowed,  allowed,  allowed},
    {"poll",                 allowed,  allowed,  allowed,  {0, 0, 0}},
    {"ppoll",                allowed,  allowed,  allowed,  {0, 0, reinterpret_cast<long>(&no_time)}},
    {"getrandom",            allowed,  allowed,  allowed,  {0, 0, 0}},
    {"epoll_create1",        enosys,   enosys,   enosys},
    {"timer_create",         enosys,   enosys,   enosys},
    {"clock_settime",        killed,   killed,   killed},
    {"adjtimex",             killed,   killed,   killed,   {0}},
    // sockets that were handed over, and others
    {"recvfrom",             allowed,  allowed,  allowed},
    {"recvmsg",              allowed,  allowed,  allowed},
    {"shutdown",             allowed,  allowed,  allowed},
    {"sendto",               allowed,  allowed,  allowed,  {-1, 0, 0, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0}},
    {"sendto",               eperm,    eperm,    eperm,    {-1, 0, 0, MSG_NOSIGNAL, 8, 16}},
    {"sendto",               eperm,    eperm,    eperm,    {-1, 0, 0, MSG_NOSIGNAL, 1L << 32, 16}},
    {"sendto",               eperm,    eperm,    eperm,    {-1, 0, 0, MSG_FASTOPEN, 0, 0}},
    {"sendto",               eperm,    eperm,    eperm,    {-1, 0, 0, MSG_OOB, 0, 0}},
    {"sendmsg",              allowed,  allowed,  allowed,  {-1, 0, MSG_NOSIGNAL | MSG_DONTWAIT}},
    {"sendmsg",              eperm,    eperm,    eperm,    {-1, 0, MSG_FASTOPEN}},
    {"sendmmsg",             enosys,   enosys,   enosys},
    {"setsockopt",           allowed,  allowed,  allowed,  {-1, SOL_SOCKET, SO_OOBINLINE}},
    {"setsockopt",           allowed,  allowed,  allowed,  {-1, SOL_SOCKET, SO_KEEPALIVE}},
    {"setsockopt",           allowed,  allowed,  allowed,  {-1, IPPROTO_TCP, TCP_NODELAY}},
    {"setsockopt",           allowed,  allowed,  allowed,  {-1, IPPROTO_TCP, TCP_QUICKACK}},
    {"setsockopt",           eperm,    eperm,    eperm,    {-1, IPPROTO_IP, SO_KEEPALIVE}},
    {"setsockopt",           eperm,    eperm,    eperm,    {-1, SOL_SOCKET, SO_ATTACH_FILTER}},
    {"setsockopt",           eperm,    eperm,    eperm,    {-1, SOL_SOCKET, SO_BINDTODEVICE}},
    {"setsockopt",           eperm,    eperm,    eperm,    {-1, IPPROTO_TCP, TCP_FASTOPEN_CONNECT}},
    {"setsockopt",           eperm,    eperm,    eperm,    {-1, IPPROTO_TCP, TCP_ULP}},
    {"setsockopt",           eperm,    eperm,    eperm,    {-1, IPPROTO_TCP, TCP_REPAIR}},
    {"getsockopt",           allowed,  allowed,  allowed,  {-1, SOL_SOCKET, SO_ERROR}},
    {"getsockopt",           eperm,    eperm,    eperm,    {-1, SOL_SOCKET, SO_PEERCRED}},
    {"getsockopt",           eperm,    eperm,    eperm,    {-1, SOL_SOCKET, SO_PEERGROUPS}},
    {"socket",               enosys,   enosys,   enosys,   {AF_INET, SOCK_STREAM, 0}},
    {"socketpair",           enosys,   enosys,   enosys},
    {"connect",              killed,   killed,   killed},
    {"bind",                 killed,   killed,   killed},
    {"listen",               killed,   killed,   killed},
    {"accept",               killed,   killed,   killed},
    {"accept4",              killed,   killed,   killed},
    {"getsockname",          enosys,   enosys,   enosys},
    {"getpeername",          enosys,   enosys,   enosys},
    // descriptors
    {"close",                allowed,  allowed,  allowed},
    {"fcntl",                allowed,  allowed,  allowed,  {-1, F_GETFD}},
    {"fcntl",                allowed,  allowed,  allowed,  {-1, F_SETFL}},
    {"fcntl",                allowed,  allowed,  allowed,  {-1, F_DUPFD_CLOEXEC}},
    {"fcntl",                eperm,    allowed,  allowed,  {-1, F_OFD_SETLK}},
    {"fcntl",                eperm,    eperm,    allowed,  {-1, F_SETPIPE_SZ}},
    {"fcntl",                eperm,    eperm,    eperm,    {-1, F_SETOWN}},
    {"fcntl",                eperm,    eperm,    eperm,    {-1, F_SETSIG}},
    {"fcntl",                eperm,    eperm,    eperm,    {-1, F_SETLEASE}},
    {"fcntl",                eperm,    eperm,    eperm,    {-1, F_NOTIFY}},
    {"fcntl",                eperm,    eperm,    eperm,    {-1, F_ADD_SEALS}},
    // the kernel reads the lower half alone
    {"fcntl",                eperm,    eperm,    eperm,    {-1, (1L << 32) | F_SETOWN}},
    {"fcntl",                allowed,  allowed,  allowed,  {-1, (1L << 32) | F_GETFD}},
    {"ioctl",                enosys,   allowed,  allowed,  {-1, SIOCOUTQ}},
    {"ioctl",                enosys,   allowed,  allowed,  {-1, FIONREAD}},
    {"ioctl",                enosys,   eperm,    eperm,    {-1, SIOCGIFCONF}},
    {"ioctl",                enosys,   eperm,    eperm,    {-1, SIOCGIFADDR}},
    {"ioctl",                enosys,   eperm,    eperm,    {-1, TIOCSTI}},
    {"dup",                  enosys,   enosys,   enosys},
    {"pipe2",                enosys,   enosys,   allowed,  {0}},
    // files
    {"openat",               enosys,   allowed,  allowed,  {-1, 0, O_RDONLY | O_CLOEXEC}},
    {"openat",               enosys,   allowed,  allowed,  {-1, 0, O_PATH | O_DIRECTORY}},
    {"openat",               enosys,   eperm,    allowed,  {-1, 0, O_WRONLY}},
    {"openat",               enosys,   eperm,    allowed,  {-1, 0, O_RDWR}},
    {"openat",               enosys,   eperm,    allowed,  {-1, 0, O_RDONLY | O_CREAT}},
    {"openat",               enosys,   eperm,    allowed,  {-1, 0, O_RDONLY | O_TRUNC}},
    {"openat",               enosys,   eperm,    allowed,  {-1, 0, O_TMPFILE | O_RDWR}},
    {"openat2",              enosys,   allowed,  allowed},
    {"open",                 enosys,   enosys,   enosys,   {0}},
    {"creat",                enosys,   enosys,   enosys,   {0}},
    {"read",                 enosys,   allowed,  allowed},
    {"pread64",              enosys,   allowed,  allowed},
    {"lseek",                enosys,   allowed,  allowed},
    {"getdents64",           enosys,   allowed,  allowed},
    {"newfstatat",           enosys,   allowed,  allowed},
    {"statx",                enosys,   allowed,  allowed},
    {"fstatfs",              enosys,   allowed,  allowed},
    {"readlinkat",           enosys,   allowed,  allowed},
    {"sendfile",             enosys,   allowed,  allowed,  {-1, -1}},
    {"write",                enosys,   enosys,   allowed},
    {"pwrite64",             enosys,   enosys,   allowed},
    {"writev",               enosys,   enosys,   enosys},
    {"pwritev2",             enosys,   enosys,   enosys},
    {"splice",               enosys,   enosys,   allowed,  {-1, 0, -1, 0, 1, 0}},
    {"vmsplice",             enosys,   enosys,   enosys},
    {"copy_file_range",      enosys,   enosys,   enosys,   {-1, 0, -1}},
    {"ftruncate",            enosys,   enosys,   allowed},
    {"truncate",             enosys,   enosys,   enosys,   {0}},
    {"fallocate",            enosys,   enosys,   enosys},
    {"fsync",                enosys,   enosys,   allowed},
    {"syncfs",               enosys,   enosys,   allowed},
    {"sync",                 enosys,   enosys,   enosys},
    {"fdatasync",            enosys,   enosys,   enosys},
    {"mkdirat",              enosys,   enosys,   allowed},
    {"mkdir",                enosys,   enosys,   enosys,   {0}},
    {"unlinkat",             enosys,   enosys,   allowed,  {-1, 0, 0}},
    {"unlinkat",             enosys,   enosys,   allowed,  {-1, 0, AT_REMOVEDIR}},
    {"renameat",             enosys,   enosys,   allowed,  {-1, 0, -1, 0}},
    {"renameat2",            enosys,   enosys,   allowed,  {-1, 0, -1, 0, 1}},
    {"renameat2",            enosys,   enosys,   eperm,    {-1, 0, -1, 0, 2}},  // exchange
    {"linkat",               enosys,   enosys,   enosys,   {-1, 0, -1}},
    {"symlinkat",            enosys,   enosys,   enosys,   {0, -1}},
    {"mknodat",              killed,   killed,   killed},
    {"fchmod",               enosys,   enosys,   allowed},
    {"fchmodat",             enosys,   enosys,   allowed},
    {"fchown",               enosys,   enosys,   enosys},
    {"fchownat",             enosys,   enosys,   enosys},
    {"utimensat",            enosys,   enosys,   allowed,  {-1, 0, 0}},
    {"fsetxattr",            enosys,   enosys,   enosys},
    {"umask",                enosys,   enosys,   allowed,  {077}},
    {"chdir",                enosys,   enosys,   enosys,   {0}},
    {"fchdir",               enosys,   enosys,   enosys},
    {"chroot",               killed,   killed,   killed,   {0}},
    {"inotify_init1",        enosys,   enosys,   enosys,   {0}},
    {"fanotify_init",        killed,   killed,   killed},
    {"name_to_handle_at",    killed,   killed,   killed},
    {"open_by_handle_at",    killed,   killed,   killed},
    {"quotactl",             killed,   killed,   killed},
    // mounts and namespaces
    {"mount",                killed,   killed,   killed,   {0}},
    {"umount2",              killed,   killed,   killed,   {0}},
    {"pivot_root",           killed,   killed,   killed,   {0}},
    {"open_tree",            killed,   killed,   killed},
    {"move_mount",           killed,   killed,   killed,   {-1, 0, -1}},
    {"mount_setattr",        killed,   killed,   killed},
    {"fsopen",               killed,   killed,   killed,   {0}},
    {"fsmount",              killed,   killed,   killed},
    {"unshare",              killed,   killed,   killed,   {0}},
    {"setns",                killed,   killed,   killed},
    // what else the kernel offers
    {"shmget",               killed,   killed,   killed,   {0}},
    {"shmat",                killed,   killed,   killed},
    {"msgget",               killed,   killed,   killed,   {0}},
    {"semget",               killed,   killed,   killed,   {0}},
    {"mq_open",              killed,   killed,   killed,   {0}},
    {"keyctl",               killed,   killed,   killed},
    {"add_key",              killed,   killed,   killed,   {0}},
    {"request_key",          killed,   killed,   killed,   {0}},
    {"bpf",                  killed,   killed,   killed},
    {"perf_event_open",      killed,   killed,   killed,   {0}},
    {"io_uring_setup",       killed,   killed,   killed,   {0}},
    {"io_uring_enter",       killed,   killed,   killed},
    {"io_uring_register",    killed,   killed,   killed},
    {"finit_module",         killed,   killed,   killed},
    {"kexec_load",           killed,   killed,   killed},
    {"reboot",               killed,   killed,   killed,   {0}},
    {"swapon",               killed,   killed,   killed,   {0}},
    {"sethostname",          killed,   killed,   killed,   {0}},
    {"syslog",               killed,   killed,   killed},
    {"sysinfo",              enosys,   enosys,   enosys,   {0}},
    {"uname",                enosys,   enosys,   enosys,   {0}},
};
// clang-format on

inline std::string words(const Attempt& attempt) {
    std::string text = std::string(attempt.call) + '(';
    for (const auto each : attempt.arguments) text += std::to_string(each) + ", ";
    return text + ')';
}

}  // namespace call_table
