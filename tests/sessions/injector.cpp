// SPDX-License-Identifier: MIT
// Has a process of somebody else's ask the kernel for something, by ptrace.
#include "tests/sessions/injector.hpp"

#include "tests/jail/observed.hpp"
#include "tests/sessions/program.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <utility>

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

namespace sessions {

using call_table::Verdict;

namespace {

constexpr long ptrace_suspend_seccomp = 1 << 21;  // PTRACE_O_SUSPEND_SECCOMP

// What a call that a signal interrupts ends with inside the kernel (ERESTARTSYS and others).
constexpr long first_restart = 512;
constexpr long last_restart = 516;

// ----- what each architecture has its own of

using Registers = user_regs_struct;

#if defined(__x86_64__)
constexpr std::uint64_t call_size = 2;
bool is_call(long word) { return (word & 0xffff) == 0x050f; }
std::uint64_t& place(Registers& all) { return reinterpret_cast<std::uint64_t&>(all.rip); }
std::uint64_t stack(const Registers& all) { return all.rsp; }
long result(const Registers& all) { return static_cast<long>(all.rax); }
void set_call(Registers& all, long number, const call_table::Arguments& a) {
    const auto value = [&](int i) {
        return static_cast<unsigned long long>(a[static_cast<std::size_t>(i)]);
    };
    all.rax = static_cast<unsigned long long>(number);
    all.orig_rax = ~0ULL;  // not in a call: nothing is to be restarted
    all.rdi = value(0), all.rsi = value(1), all.rdx = value(2);
    all.r10 = value(3), all.r8 = value(4), all.r9 = value(5);
}
// The call that was interrupted is made once more.
void repeat(Registers& all) {
    all.rax = all.orig_rax;
    all.orig_rax = ~0ULL;
}
#elif defined(__aarch64__)
constexpr std::uint64_t call_size = 4;
bool is_call(long word) { return (word & 0xffffffff) == 0xd4000001; }
std::uint64_t& place(Registers& all) { return reinterpret_cast<std::uint64_t&>(all.pc); }
std::uint64_t stack(const Registers& all) { return all.sp; }
long result(const Registers& all) { return static_cast<long>(all.regs[0]); }
void set_call(Registers& all, long number, const call_table::Arguments& a) {
    all.regs[8] = static_cast<unsigned long long>(number);
    for (std::size_t i = 0; i < a.size(); ++i) all.regs[i] = static_cast<unsigned long long>(a[i]);
}
// Its first argument was overwritten by the result; whoever waits is asked again by its loop.
void repeat(Registers& all) {
    all.pc += call_size;
    all.regs[0] = static_cast<unsigned long long>(-EINTR);
}
#endif

Registers as_registers(const std::vector<char>& bytes) {
    Registers all{};
    std::memcpy(&all, bytes.data(), sizeof all);
    return all;
}

std::vector<char> as_bytes(const Registers& all) {
    std::vector<char> bytes(sizeof all);
    std::memcpy(bytes.data(), &all, sizeof all);
    return bytes;
}

}  // namespace

Injector::Injector(pid_t pid) : pid_(pid) {
    if (pid <= 0 || ::ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACESYSGOOD) < 0) {
        trouble_ = std::string("it cannot be traced: ") + std::strerror(errno);
        return;
    }
    // It may be about to wait only.
    const bool waits = eventually([this] {
        int status = 0;
        if (::ptrace(PTRACE_INTERRUPT, pid_, nullptr, nullptr) < 0 ||
            ::waitpid(pid_, &status, __WALL) != pid_ || !WIFSTOPPED(status))
            return false;
        auto all = as_registers(registers());
        const bool interrupted = result(all) <= -first_restart && result(all) >= -last_restart;
        place(all) -= call_size;
        if (interrupted && is_call(::ptrace(PTRACE_PEEKTEXT, pid_, place(all), nullptr))) {
            before_ = as_bytes(all);
            return true;
        }
        (void)::ptrace(PTRACE_CONT, pid_, nullptr, nullptr);
        return false;
    });
    if (!waits) trouble_ = "it does not wait in a system call";
}

Injector::~Injector() {
    if (pid_ <= 0 || before_.empty()) return;
    auto all = as_registers(before_);
    repeat(all);
    set_registers(as_bytes(all));
    if (::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr) == 0) return;
    // It has been killed meanwhile, and its parent cannot reap it before its tracer has.
    (void)::waitpid(pid_, nullptr, __WALL);
}

std::vector<char> Injector::registers() const {
    std::vector<char> bytes(sizeof(Registers));
    iovec all{bytes.data(), bytes.size()};
    (void)::ptrace(PTRACE_GETREGSET, pid_, NT_PRSTATUS, &all);
    return bytes;
}

void Injector::set_registers(const std::vector<char>& values) const {
    iovec all{const_cast<char*>(values.data()), values.size()};
    (void)::ptrace(PTRACE_SETREGSET, pid_, NT_PRSTATUS, &all);
}

std::optional<int> Injector::go_on(int signal) {
    int status = 0;
    if (::ptrace(PTRACE_SYSCALL, pid_, nullptr, signal) < 0 ||
        ::waitpid(pid_, &status, __WALL) != pid_)
        return std::nullopt;
    if (WIFSTOPPED(status)) return status;
    end_ = status;
    pid_ = -1;
    return std::nullopt;
}

// By the filter: the signal waits for it.
bool Injector::was_trapped() const {
    const auto pending = observed::Facts(pid_).status("SigPnd");
    return (std::stoull(pending, nullptr, 16) >> (SIGSYS - 1) & 1) != 0;
}

bool Injector::suspend_filter() {
    return ::ptrace(PTRACE_SETOPTIONS, pid_, nullptr,
                    PTRACE_O_TRACESYSGOOD | ptrace_suspend_seccomp) == 0;
}

// Far below its stack, where nobody is.
long Injector::put(std::string_view bytes) const {
    constexpr std::uint64_t distance = 8192;
    const auto all = as_registers(before_);
    const auto address = (stack(all) - distance - bytes.size()) & ~std::uint64_t{15};
    std::string padded(bytes);
    padded.resize((bytes.size() / sizeof(long) + 1) * sizeof(long));
    for (std::size_t at = 0; at < padded.size(); at += sizeof(long)) {
        long word = 0;
        std::memcpy(&word, padded.data() + at, sizeof word);
        (void)::ptrace(PTRACE_POKEDATA, pid_, address + at, word);
    }
    return static_cast<long>(address);
}

Injector::Answer Injector::ask(long number, const call_table::Arguments& arguments) {
    auto all = as_registers(before_);
    const auto after = place(all) + call_size;
    set_call(all, number, arguments);
    set_registers(as_bytes(all));
    const auto ended = [this]() -> Answer {
        const bool by_filter = WIFSIGNALED(end_) && WTERMSIG(end_) == SIGSYS;
        return {by_filter ? Verdict::killed : Verdict::allowed, 0};
    };
    // Entry and exit of the call; when it was trapped, the handler's own ones until it returns.
    if (!go_on(0) || !go_on(0)) return ended();
    const bool trapped = was_trapped();
    if (trapped) {
        auto status = go_on(0);
        if (!status || WSTOPSIG(*status) != SIGSYS) return {Verdict::killed, 0};
        for (int signal = SIGSYS;; signal = 0) {
            if (!go_on(signal)) return ended();
            if (auto now = as_registers(registers()); place(now) == after) break;
        }
    }
    const auto answer = result(as_registers(registers()));
    if (!trapped) return {Verdict::allowed, answer};
    return {answer == -ENOSYS  ? Verdict::enosys
            : answer == -EPERM ? Verdict::eperm
                               : Verdict::allowed,
            answer};
}

}  // namespace sessions
