// SPDX-License-Identifier: MIT
// Sessions by account; runs in the supervisor, as root.
#include "supervisor/accounts.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace supervisor {

bool Accounts::enter(const std::string& name, std::uint32_t most) {
    auto& account = accounts_[name];
    if (most > 0 && account.sessions >= most) return false;
    ++account.sessions;
    return true;
}

void Accounts::leave(const std::string& name) {
    const auto found = accounts_.find(name);
    if (found == accounts_.end()) return;
    if (--found->second.sessions == 0) accounts_.erase(found);
}

std::uint32_t Accounts::sessions(const std::string& name) const {
    const auto found = accounts_.find(name);
    return found == accounts_.end() ? 0 : found->second.sessions;
}

base::Fd Accounts::shared_clock(const std::string& name) {
    const auto found = accounts_.find(name);
    if (found == accounts_.end()) return {};
    auto& clock = found->second.clock;
    if (!clock) {
        clock = base::Fd{::memfd_create("rate", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
        // A session that shrank it would take its siblings along (SIGBUS).
        if (::ftruncate(clock.get(), sizeof(std::int64_t)) < 0 ||
            ::fcntl(clock.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
            clock.close();
    }
    return base::Fd{clock ? ::fcntl(clock.get(), F_DUPFD_CLOEXEC, 0) : -1};
}

}  // namespace supervisor
