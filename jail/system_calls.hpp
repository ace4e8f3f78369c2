// SPDX-License-Identifier: MIT
// System call filters (seccomp): lists of what is allowed, put together from named sets. Compiled
// by the spawner, installed by the process that is to be jailed.
#pragma once

#include "base/result.hpp"
#include "jail/rights.hpp"
#include "jail/system_call_trap.hpp"

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <linux/filter.h>

namespace jail {

// What a process may ask of the kernel. What is on no list is answered by the trap
// (system_call_trap.hpp); what only an attacker would ask for ends the process.
struct Calls {
    bool files = false;       // a session's; a greeter has none
    FileRights rights;        // with files
    bool tls = false;         // OpenSSL reads and writes the client's sockets
    bool kernel_tls = false;  // and gives the keys to the kernel
    bool inherits = false;    // it has the spawner's filter: what that kills for stands there only

    bool operator==(const Calls&) const = default;
};

inline constexpr Calls calls_before_login{};
inline constexpr Calls calls_before_login_with_tls{false, {}, true};

// A filter as the kernel takes it, without libseccomp: installing it allocates nothing.
class SystemCallFilter {
  public:
    // architecture: libseccomp's number (SCMP_ARCH_AARCH64 ...); 0 is that of this machine.
    [[nodiscard]] static base::Result<SystemCallFilter> compile(const Calls& calls,
                                                                std::uint32_t architecture = 0);

    // The spawner's own, which all that it forks have as well: any call that a greeter, a session
    // or a process on the way to be one may need, by name alone. Their own filters are in force
    // above it. Installing those costs half as much then, for the kernel asks a filter beforehand
    // about every number that the ones below it allow.
    [[nodiscard]] static base::Result<SystemCallFilter> compile_spawners(
        std::uint32_t architecture = 0);

    // For this thread and whatever it becomes; there is no way back. Needs no_new_privs.
    [[nodiscard]] base::Result<void> install() const;

    [[nodiscard]] const std::vector<sock_filter>& program() const { return program_; }

    // On the list for some arguments at least.
    [[nodiscard]] const std::bitset<most_calls>& listed() const { return listed_; }

  private:
    enum class Kind : unsigned char { whole, spawners, above_spawners };
    Kind kind_ = Kind::whole;
    std::vector<sock_filter> program_;
    std::bitset<most_calls> listed_;
};

// Filters made beforehand, for a process to find its own after the fork. One that is not there is
// compiled then, which costs a login half a millisecond.
class SystemCallFilters {
  public:
    using Shared = std::shared_ptr<const SystemCallFilter>;
    [[nodiscard]] base::Result<void> prepare(const Calls& calls);
    [[nodiscard]] base::Result<Shared> get(const Calls& calls) const;

  private:
    struct Prepared {
        Calls calls;
        Shared filter;
    };
    std::vector<Prepared> prepared_;
};

// Every call on the list, once, with "(some)" behind those whose arguments are looked at.
[[nodiscard]] std::vector<std::string> described(const Calls& calls);

}  // namespace jail
