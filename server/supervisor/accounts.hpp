// SPDX-License-Identifier: MIT
// Who is logged in how often, and the clock that all sessions of an account share for their rate
// ([limits] in jailftpd.ini); runs in the supervisor, as root.
#pragma once

#include "base/fd.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>

namespace supervisor {

class Accounts {
  public:
    // False when the account has as many sessions as it may have (0: no limit); counted otherwise.
    [[nodiscard]] bool enter(const std::string& name, std::uint32_t most);
    void leave(const std::string& name);
    [[nodiscard]] std::uint32_t sessions(const std::string& name) const;

    // Memory of eight bytes, the same for all sessions of the account, whose size nobody can
    // change. Empty when there is none to be had: then each session keeps the rate by itself.
    [[nodiscard]] base::Fd shared_clock(const std::string& name);

  private:
    struct Account {
        std::uint32_t sessions = 0;
        base::Fd clock;
    };
    std::unordered_map<std::string, Account> accounts_;  // only those that have sessions
};

}  // namespace supervisor
