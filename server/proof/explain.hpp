// SPDX-License-Identifier: MIT
// jailftpd --explain-user: an account's settings, where each was set, and its jail step by step;
// runs as root, in no process of the server.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"

#include <string>
#include <string_view>

namespace proof {

// configuration: with the layers settled. The login is carried out up to the jail, by the code that
// does it in the server; nothing is entered, changed or started.
[[nodiscard]] base::Result<std::string> explain(const config::Configuration& configuration,
                                                std::string_view name);

}  // namespace proof
