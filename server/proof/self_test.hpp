// SPDX-License-Identifier: MIT
// jailftpd --self-test: attacks from inside a jail, and which layers stop each of them; runs as
// root or as the launching user, in no process of the server.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"

#include <string>
#include <string_view>

namespace proof {

struct Report {
    std::string text;
    bool held = false;  // no attack got out
};

// The jail of that login name, or, without a name, of a client before login. configuration: with
// the layers settled. Each attack is made with all layers, with none, and with each of them alone.
// Makes a folder in the home and one beside it, and removes them.
[[nodiscard]] base::Result<Report> self_test(const config::Configuration& configuration,
                                             std::string_view name);

}  // namespace proof
