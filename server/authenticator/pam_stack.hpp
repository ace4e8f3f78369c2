// SPDX-License-Identifier: MIT
// Which modules a PAM service names, to explain refusals by; runs in the authenticator's children.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace authenticator {

struct PamModule {
    std::string name;                    // "pam_shells.so"
    std::vector<std::string> arguments;  // "file=/etc/ftpusers"

    // The value of NAME=VALUE among the arguments; empty when it is not there.
    [[nodiscard]] std::string_view argument(std::string_view wanted) const;
};

// In their order, with what is included; best effort, PAM itself decides.
[[nodiscard]] std::vector<PamModule> pam_stack(const std::string& service,
                                               const std::string& directory = "/etc/pam.d");

}  // namespace authenticator
