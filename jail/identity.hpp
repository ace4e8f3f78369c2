// SPDX-License-Identifier: MIT
// Becoming a user for good, or for a moment; runs in the process that is to be jailed, and in
// helpers.
#pragma once

#include "base/result.hpp"

#include <vector>

#include <sys/types.h>

namespace jail {

struct Identity {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  // supplementary
};

// Groups, gid and uid in all their forms, read back from the kernel. There is no way back; uid 0 is
// refused.
[[nodiscard]] base::Result<void> become(const Identity& user);

// For who was started without root and is the user already: read back from the kernel all the same.
[[nodiscard]] base::Result<void> remain(const Identity& user);

// What this process is.
[[nodiscard]] base::Result<Identity> own_identity();

// What the kernel forgets when a process changes its identity, if only for files: the signal that
// it gets when its parent ends, and that it may not be dumped.
class Ties {
  public:
    Ties();
    void restore() const;

  private:
    int death_signal_ = 0;
    pid_t parent_;
    bool dumpable_;
};

// File permissions as the user sees them, for as long as this lives: fsuid, fsgid and supplementary
// groups of a root process with one thread. If the old identity cannot be restored the process is
// aborted. Who was started without root is the user already, and nothing is done.
class Borrowed {
  public:
    [[nodiscard]] static base::Result<Borrowed> take(const Identity& user);
    Borrowed(Borrowed&& other) noexcept;
    Borrowed& operator=(Borrowed&&) = delete;
    ~Borrowed();

  private:
    Borrowed() = default;
    Ties ties_;
    std::vector<gid_t> groups_;
    gid_t gid_ = 0;
    bool active_ = false;
};

}  // namespace jail
