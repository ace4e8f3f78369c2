// SPDX-License-Identifier: MIT
// A home as a mount of its own: made by who sees the host's file systems (a helper or the
// authenticator's child), entered by the process that is to be jailed.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "jail/identity.hpp"

#include <memory>
#include <string>
#include <vector>

namespace jail {

struct MountFlags {
    bool read_only = false;
    bool no_links = false;  // symbolic links lead nowhere
};

// A mount of this directory that stands nowhere yet, with what is mounted below it (an
// administrator's shared folders): no set-uid programs, no devices, nothing executed. It is
// private: what is mounted or unmounted on the host afterwards is not seen in it, and the reverse.
[[nodiscard]] base::Result<base::Fd> detached_mount(const base::Fd& directory,
                                                    const MountFlags& flags);

// A shared folder: a detached mount, and the directory below the root that it covers.
struct Bind {
    std::shared_ptr<base::Fd> mount;
    std::string target;
    bool writable = false;
};

// The detached mount becomes "/" and the current directory, and with the binds it is all that there
// is. Needs a mount namespace of its own, in which few mounts stand. Directories are entered with
// the user's rights; the targets of binds must exist, and no link leads to them.
[[nodiscard]] base::Result<void> enter_mount(base::Fd root, const std::vector<Bind>& binds,
                                             const Identity& user);

}  // namespace jail
