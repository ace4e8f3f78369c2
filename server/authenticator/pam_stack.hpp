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
    std::string phase{};                 // "auth"
    std::string control{};               // "required"

    // The value of NAME=VALUE among the arguments; empty when it is not there.
    [[nodiscard]] std::string_view argument(std::string_view wanted) const;
};

// Where services are looked for, the administrator's own first.
using PamFolders = std::vector<std::string>;
[[nodiscard]] const PamFolders& pam_folders();

// In their order, with what is included; the stack of "other" where there is no such service. Best
// effort, PAM itself decides.
[[nodiscard]] std::vector<PamModule> pam_stack(const std::string& service,
                                               const PamFolders& folders = pam_folders());

// False: PAM asks "other".
[[nodiscard]] bool has_pam_service(const std::string& service,
                                   const PamFolders& folders = pam_folders());

}  // namespace authenticator
