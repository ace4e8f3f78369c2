// SPDX-License-Identifier: MIT
// Whom a login name means, without a login: the administrator asks, so no password is; runs as
// root, in no process of the server.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"
#include "helpers/admission.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace proof {

struct Subject {
    helpers::Account account;
    std::string kind;                  // "a tenant", ...
    std::vector<std::string> remarks;  // what only a real login would tell, or would stumble over
};

// As greeter and authenticator decide it. An error: such a login is refused, whatever the password.
[[nodiscard]] base::Result<Subject> subject(const config::Configuration& configuration,
                                            std::string_view name);

// A refusal as an error.
[[nodiscard]] base::Result<helpers::Admitted> let_in(const config::Configuration& configuration,
                                                     const helpers::Account& account);

}  // namespace proof
