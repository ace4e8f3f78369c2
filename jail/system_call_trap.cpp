// SPDX-License-Identifier: MIT
// The handler of SIGSYS; runs in the process that is jailed.
#include "jail/system_call_trap.hpp"

#include <seccomp.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>

#include <ucontext.h>

namespace jail {

using base::Result;
using base::system_error;

namespace {

// One process, one thread, one jail.
std::array<const char*, most_calls> names;
std::bitset<most_calls> listed_calls;
std::bitset<most_calls> reported;
DeniedCall reporter = nullptr;

#if defined(__x86_64__)
void set_result(ucontext_t& context, long result) { context.uc_mcontext.gregs[REG_RAX] = result; }
#elif defined(__aarch64__)
void set_result(ucontext_t& context, long result) {
    context.uc_mcontext.regs[0] = static_cast<std::uint64_t>(result);
}
#else
#error "where does a system call's result stand here?"
#endif

extern "C" void answer(int, siginfo_t* info, void* context) {
    const int before = errno;
    const auto number = static_cast<std::size_t>(static_cast<unsigned>(info->si_syscall));
    const bool known = number < most_calls;
    const bool listed = known && listed_calls[number];
    set_result(*static_cast<ucontext_t*>(context), listed ? -EPERM : -ENOSYS);
    if (reporter != nullptr && !(known && reported[number])) {
        if (known) reported.set(number);
        const auto* name = known ? names[number] : nullptr;
        reporter(name != nullptr ? name : "of a number without a name", listed);
    }
    errno = before;
}

}  // namespace

Result<void> answer_denied_calls(DeniedCall report) {
    reporter = report;
    struct sigaction action {};
    action.sa_sigaction = answer;
    // The report may itself ask for a call that is denied.
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    ::sigemptyset(&action.sa_mask);
    if (::sigaction(SIGSYS, &action, nullptr) < 0) return system_error("sigaction");
    // While it is blocked the kernel ends a process instead of asking its handler.
    ::sigaddset(&action.sa_mask, SIGSYS);
    if (::sigprocmask(SIG_UNBLOCK, &action.sa_mask, nullptr) < 0)
        return system_error("sigprocmask");
    return base::success();
}

void prepare_call_names() {
    static bool done = false;
    if (std::exchange(done, true)) return;
    for (std::size_t number = 0; number < most_calls; ++number)
        names[number] =
            seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
}

void remember_listed_calls(const std::bitset<most_calls>& listed) { listed_calls = listed; }

std::string call_name(int number) {
    prepare_call_names();
    const auto index = static_cast<std::size_t>(static_cast<unsigned>(number));
    if (index < most_calls && names[index] != nullptr) return names[index];
    return "system call " + std::to_string(number);
}

}  // namespace jail
