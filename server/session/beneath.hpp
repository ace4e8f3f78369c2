// SPDX-License-Identifier: MIT
// What a path names beneath the jail's root, whatever the links and ".." in it; runs in the
// session. A plain chroot does not promise that: who moves a folder out of it moves those that
// stand in the folder as well.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace session {

// Who follows a path: the kernel (openat2), or this process part by part, where the kernel is too
// old or a filter in front of it (systemd's RestrictSUIDSGID, older containers) does not let it.
enum class Way { kernel, steps };

// Where the last part of a path stands, and what stands there.
struct Spot {
    base::Fd folder;                 // O_PATH
    std::string name;                // "." for the root itself and behind a last "." or ".."
    base::Fd found;                  // O_PATH; none when there is nothing of that name
    std::vector<std::string> above;  // the folder's own names from the root on
    bool slash = false;              // only a folder is meant
};

class Root {
  public:
    explicit Root(base::Fd folder);
    Root(base::Fd folder, Way way) : folder_(std::move(folder)), way_(way) {}

    [[nodiscard]] Way way() const { return way_; }

    // Whether that is the root itself.
    [[nodiscard]] bool is(dev_t device, ino_t inode) const;

    // As open(2) in a chroot at the root; O_CLOEXEC goes without saying.
    [[nodiscard]] base::Result<base::Fd> open(const std::string& path, int flags,
                                              mode_t mode = 0) const;

    // Always in steps.
    [[nodiscard]] base::Result<Spot> spot(const std::string& path, bool follow_last) const;

    // A folder that may be entered and on the way to which is no symbolic link; false also when
    // nobody can tell.
    [[nodiscard]] bool enterable_without_links(const std::string& path) const;

  private:
    struct Identity {
        dev_t device;
        ino_t inode;
    };

    base::Fd folder_;
    Way way_;
    mutable std::optional<Identity> identity_;  // once somebody has asked for it
};

}  // namespace session
