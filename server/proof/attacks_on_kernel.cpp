// SPDX-License-Identifier: MIT
// Attacks on the kernel and on what belongs to the whole machine; run in a jailed process. What
// would do harm is asked for with arguments that cannot succeed: the kernel then says whether it
// was the rights that lacked.
#include "base/fd.hpp"
#include "proof/attack.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>

#include <elf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fanotify.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/quota.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

namespace proof {

using base::Fd;
using base::Result;

namespace {

// The call got past every check of rights, and stumbled over its arguments only.
Result<void> but_for_arguments(long result, const char* what, int expected) {
    if (result >= 0 || errno == expected) return base::success();
    return base::system_error(what);
}

Result<void> opened(long descriptor, const char* what) {
    const Fd made{static_cast<int>(descriptor)};
    if (!made) return base::system_error(what);
    return base::success();
}

// ----- namespaces

Result<void> user_namespace(const Scene&) {
    TRY(checked(::unshare(CLONE_NEWUSER), "unshare"));
    return base::success();
}

Result<void> other_namespaces(const Scene&) {
    TRY(checked(::unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS), "unshare"));
    return base::success();
}

Result<void> clone_into_namespace(const Scene&) {
    const auto pid = ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) ::_exit(0);
    TRY(checked(pid, "clone"));
    return base::success();
}

Result<void> join_namespaces(const Scene& scene) {
    const Fd process{static_cast<int>(::syscall(SYS_pidfd_open, scene.supervisor, 0U))};
    TRY(checked(::setns(process.get(), CLONE_NEWUTS), "setns"));
    return base::success();
}

Result<void> join_namespaces_by_proc(const Scene&) {
    const Fd space{::open("/proc/1/ns/uts", O_RDONLY | O_CLOEXEC)};
    TRY(checked(::setns(space.get(), CLONE_NEWUTS), "setns"));
    return base::success();
}

// ----- wide doors

Result<void> io_uring(const Scene&) {
    struct {
        std::uint32_t fields[30];
    } parameters{};
    return opened(::syscall(SYS_io_uring_setup, 4, &parameters), "io_uring_setup");
}

Result<void> bpf_map(const Scene&) {
    bpf_attr attributes{};
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = 4;
    attributes.value_size = 4;
    attributes.max_entries = 1;
    return opened(::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes), "bpf");
}

Result<void> fault_handling(const Scene&) {
    return opened(::syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY), "userfaultfd");
}

Result<void> performance_counters(const Scene&) {
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.size = sizeof attributes;
    attributes.config = PERF_COUNT_SW_CPU_CLOCK;
    attributes.exclude_kernel = 1;
    return opened(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0UL), "perf_event_open");
}

Result<void> watch_file_systems(const Scene&) {
    return opened(::syscall(SYS_fanotify_init, FAN_CLASS_NOTIF | FAN_REPORT_FID, O_RDONLY),
                  "fanotify_init");
}

// ----- what the machine has once

Result<void> name_the_host(const Scene& scene) {
    TRY(checked(::sethostname(scene.host_name.data(), scene.host_name.size()), "sethostname"));
    return base::success();
}

Result<void> set_the_clock(const Scene&) {
    timeval now{};
    (void)::gettimeofday(&now, nullptr);
    TRY(checked(::settimeofday(&now, nullptr), "settimeofday"));
    return base::success();
}

Result<void> reboot(const Scene&) {
    return but_for_arguments(::syscall(SYS_reboot, 0, 0, 0, nullptr), "reboot", EINVAL);
}

Result<void> swap(const Scene&) {
    return but_for_arguments(::swapon("/no/such/file", 0), "swapon", ENOENT);
}

Result<void> account_processes(const Scene&) {
    return but_for_arguments(::acct("/no/such/file"), "acct", ENOENT);
}

Result<void> load_a_module(const Scene&) {
    return but_for_arguments(::syscall(SYS_finit_module, -1, "", 0), "finit_module", EBADF);
}

Result<void> set_quotas(const Scene&) {
    return but_for_arguments(::quotactl(QCMD(Q_QUOTAOFF, USRQUOTA), "/no/such/device", 0, nullptr),
                             "quotactl", ENOENT);
}

Result<void> read_kernel_log(const Scene&) {
    char text[16];
    TRY(checked(::klogctl(3, text, sizeof text), "syslog"));
    return base::success();
}

Result<void> use_the_terminal(const Scene&) {
    const Fd terminal{::open("/dev/tty", O_RDWR | O_CLOEXEC)};
    if (!terminal) return base::system_error("open");
    return base::success();
}

Result<void> change_personality(const Scene&) {
    TRY(checked(::personality(ADDR_NO_RANDOMIZE), "personality"));
    return base::success();
}

// ----- code of one's own

Result<void> write_code(const Scene&) {
    void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return base::system_error("mmap");
    return base::success();
}

Result<void> make_code_of_data(const Scene&) {
    void* memory =
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return base::system_error("mmap");
    TRY(checked(::mprotect(memory, 4096, PROT_READ | PROT_EXEC), "mprotect"));
    return base::success();
}

// What is no program is refused last.
Result<void> start_from_memory(const Scene&) {
    const Fd file{static_cast<int>(::syscall(SYS_memfd_create, "program", 1U))};
    if (!file) return base::system_error("memfd_create");
    (void)!::write(file.get(), "no program", 10);
    char* const none[] = {nullptr};
    return but_for_arguments(::syscall(SYS_execveat, file.get(), "", none, none, AT_EMPTY_PATH),
                             "execveat", ENOEXEC);
}

Result<void> map_page_zero(const Scene&) {
    void* memory = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (memory == MAP_FAILED) return base::system_error("mmap");
    return base::success();
}

#ifdef __x86_64__
// The calls of another architecture have other numbers: getpid there.
Result<void> call_as_32_bit(const Scene&) {
    long result = 20;
    __asm__ volatile("int $0x80" : "+a"(result)::"memory");
    if (result > 0) return base::success();
    errno = static_cast<int>(-result);
    return base::system_error("int 0x80");
}

Result<void> call_as_x32(const Scene&) {
    constexpr long x32 = 0x40000000;
    TRY(checked(::syscall(x32 | SYS_getpid), "getpid"));
    return base::success();
}
#endif

// clang-format off
constexpr Attack attacks[] = {
    {"make a user namespace",                   user_namespace},
    {"make other namespaces",                   other_namespaces},
    {"clone into a user namespace",             clone_into_namespace},
    {"join the supervisor's namespaces",        join_namespaces},
    {"join those of process 1 in /proc",        join_namespaces_by_proc},
    {"set up an io_uring",                      io_uring},
    {"make a BPF map",                          bpf_map},
    {"handle page faults (userfaultfd)",        fault_handling},
    {"count events (perf_event_open)",          performance_counters},
    {"watch file systems (fanotify)",           watch_file_systems},
    {"name the host",                           name_the_host},
    {"set the clock",                           set_the_clock},
    {"reboot",                                  reboot},
    {"swap to a file",                          swap},
    {"switch accounting",                       account_processes},
    {"load a module",                           load_a_module},
    {"switch quotas off",                       set_quotas},
    {"read the kernel's log",                   read_kernel_log},
    {"open the terminal",                       use_the_terminal},
    {"change the personality",                  change_personality},
    {"have memory that is written and run",     write_code},
    {"run what was written",                    make_code_of_data},
    {"start a program from memory",             start_from_memory},
    {"map page zero",                           map_page_zero},
#ifdef __x86_64__
    {"call the kernel as 32-bit code",          call_as_32_bit},
    {"call it as x32 code",                     call_as_x32},
#endif
};
// clang-format on

}  // namespace

std::span<const Attack> attacks_on_kernel() { return attacks; }

}  // namespace proof
