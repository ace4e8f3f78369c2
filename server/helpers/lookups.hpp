// SPDX-License-Identifier: MIT
// What sessions may ask of the user database, and uploads that change their owner; runs in a
// helper.
#pragma once

#include "base/fd.hpp"
#include "config/configuration.hpp"
#include "ipc/requests.hpp"

namespace helpers {

[[nodiscard]] ipc::Named name_of(const ipc::NameOf& question);     // text_userdb_names
[[nodiscard]] ipc::HomeTold home_of(const ipc::HomeOf& question);  // tilde_user_enable

[[nodiscard]] ipc::Resolved resolve(const ipc::Resolve& question);  // pasv_addr_resolve

// Of the files that greeters know by heart.
[[nodiscard]] ipc::Stamped stamp(const ipc::Stamp& question,
                                 const config::Configuration& configuration);

// chown_uploads: as vsftpd, the group stays. EPERM for a file that is not what the question says.
[[nodiscard]] ipc::OwnerChanged change_owner(const ipc::ChangeOwner& question,
                                             const base::Fd& file);

}  // namespace helpers
