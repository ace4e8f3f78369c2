// SPDX-License-Identifier: MIT
// From an admission to the jail that it means: options of the user's own, rights to files, walls;
// runs in the session before it is jailed.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/configuration.hpp"
#include "ipc/admission.hpp"
#include "jail/plans.hpp"

#include <vector>

namespace session {

// The filters of sessions whose user has no options of his own. in_spawner: sessions will have its
// own filter, too.
[[nodiscard]] base::Result<void> prepare_jails(const config::Configuration& configuration,
                                               bool in_spawner = false);

struct Entry {
    config::Options options;  // with what this user has of his own
    ipc::Admission admission;
};

[[nodiscard]] base::Result<Entry> read_entry(const base::Fd& memory, const config::Options& server);

// with_tls: the session's data connections may be encrypted, as they are when the login was.
// folders: the root and the mounts of the binds. descriptors: what stays open, besides 0, 1 and 2.
[[nodiscard]] base::Result<jail::Home> jail_of(const Entry& entry, bool with_tls,
                                               std::vector<base::Fd> folders,
                                               std::vector<int> descriptors);

}  // namespace session
