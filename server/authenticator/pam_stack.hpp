// SPDX-License-Identifier: MIT
// Which modules a PAM service names, to explain refusals by and to tell what runs in an attempt;
// runs in the authenticator and its children.
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
    std::string file{};                  // as it stands there: the name alone, or a path

    // The value of NAME=VALUE among the arguments; empty when it is not there.
    [[nodiscard]] std::string_view argument(std::string_view wanted) const;

    bool operator==(const PamModule&) const = default;
};

// Where services are looked for, the administrator's own first.
using PamFolders = std::vector<std::string>;
[[nodiscard]] const PamFolders& pam_folders();

struct PamStack {
    std::vector<PamModule> modules;  // in their order, with what is included
    std::vector<std::string> files;  // all that were looked for, there or not
    bool plain = true;  // every line was understood beyond doubt, and no file was missing

    bool operator==(const PamStack&) const = default;
};

// The stack of "other" where there is no such service.
[[nodiscard]] PamStack read_pam_stack(const std::string& service,
                                      const PamFolders& folders = pam_folders());

// Its modules. Best effort, PAM itself decides.
[[nodiscard]] std::vector<PamModule> pam_stack(const std::string& service,
                                               const PamFolders& folders = pam_folders());

// False: PAM asks "other".
[[nodiscard]] bool has_pam_service(const std::string& service,
                                   const PamFolders& folders = pam_folders());

}  // namespace authenticator
