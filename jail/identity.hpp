// SPDX-License-Identifier: MIT
// Whose rights a process has: for good when it goes into a jail, for a moment when root opens
// something on a user's behalf.
#pragma once

#include "base/result.hpp"

#include <utility>
#include <vector>

#include <sys/types.h>

namespace jail {

struct Identity {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  // supplementary
};

// Groups, gid and uid in all four forms, for good; read back, and tried whether root can be had
// again. uid 0 is refused.
[[nodiscard]] base::Result<void> become(const Identity& user);

// While it lives, this thread opens files with the rights of `user` and no others: file system uid
// and gid, groups, and none of root's rights over files. The other uids stay root's, so the user
// can neither signal nor trace the process meanwhile. Ends the process when it cannot go back.
class ActingAs {
  public:
    [[nodiscard]] static base::Result<ActingAs> begin(const Identity& user);
    ActingAs(ActingAs&& other) noexcept
        : active_(std::exchange(other.active_, false)),
          uid_(other.uid_),
          gid_(other.gid_),
          groups_(std::move(other.groups_)) {}
    ActingAs& operator=(ActingAs&&) = delete;
    ActingAs(const ActingAs&) = delete;
    ActingAs& operator=(const ActingAs&) = delete;
    ~ActingAs();

  private:
    ActingAs() = default;
    bool active_ = false;
    uid_t uid_ = 0;
    gid_t gid_ = 0;
    std::vector<gid_t> groups_;
};

}  // namespace jail
