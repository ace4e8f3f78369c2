// SPDX-License-Identifier: MIT
// Hosts, containers and service managers that allow less than this machine does: for Setup::before
// and RunWith::before. A process that cannot be made so ends with exit code 125.
#pragma once

#include <string>
#include <vector>

namespace sessions::lesser_host {

// user.max_user_namespaces = 0, in a user namespace made around the process, so that the machine's
// own stays.
void without_user_namespaces();

// As a container's filter or RestrictSUIDSGID does: this call fails with that errno; or, as
// SystemCallFilter does, it ends the process.
void without_call(const std::string& name, int number);
void deadly_call(const std::string& name);

// Out of the bounding set and all others (CAP_SYS_ADMIN ...).
void without_capabilities(const std::vector<int>& taken);

// An ordinary user with one capability of root's, as AmbientCapabilities of a service.
void as_user_with(unsigned uid, int capability);

// /proc mounted with hidepid=2, or an empty folder, in a mount namespace around the process.
void with_hidden_processes();
void without_proc();

}  // namespace sessions::lesser_host
