// SPDX-License-Identifier: MIT
// Which layers of the jails there are on this host; runs in the supervisor, as root.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"
#include "jail/probe.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace supervisor {

// Whether the kernel and OpenSSL can do it; the error says why not.
[[nodiscard]] base::Result<void> kernel_tls();
// For the log, once it is settled.
[[nodiscard]] std::string about_kernel_tls(const config::Configuration& configuration);
// Whether isolate_required names this one, or all.
[[nodiscard]] bool is_required(const config::Native& native, std::string_view key);

// Switches off what does not work here, so that nothing is tried at each login. An error when the
// configuration demands it (isolate_required), or when it is the system call filter, which only an
// explicit word in jailftpd.ini does without.
[[nodiscard]] base::Result<void> settle(config::Configuration& configuration,
                                        std::span<const jail::Layer> layers);

// For the administrator, one line each: what is missing, and what vsftpd.conf does not switch off.
[[nodiscard]] std::vector<std::string> remarks(const config::Configuration& configuration,
                                               std::span<const jail::Layer> layers);

}  // namespace supervisor
