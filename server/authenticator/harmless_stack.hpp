// SPDX-License-Identifier: MIT
// Whether a PAM service leaves a process as it was, so that this one may check the next password
// too; runs in the authenticator and its children.
#pragma once

#include "authenticator/pam_stack.hpp"

#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>

namespace authenticator {

// A PAM service as its files had it at one moment. Only its phases without a session count.
class HarmlessStack {
  public:
    // tick: in seconds. A file that was written at the same tick of its file system's clock as it
    // was read may be written once more without getting another time; some count seconds.
    explicit HarmlessStack(std::string service, PamFolders folders = pam_folders(),
                           std::string capabilities = "/etc/security/capability.conf",
                           std::time_t tick = 2);

    // Reads the files if they have changed, or were too new for their times to tell that they have.
    void look_again();

    // Nothing but modules that are known to change nothing in the process that runs them, and the
    // files are still as they were: so whoever has run this service since has run nothing else.
    [[nodiscard]] bool holds() const { return harmless_ && unchanged(); }

  private:
    struct File {
        std::string path;
        std::optional<struct stat> status;  // empty: it was not there
    };

    void look();
    [[nodiscard]] bool unchanged() const;
    [[nodiscard]] bool is_harmless(const PamStack& stack) const;
    [[nodiscard]] bool gives_no_capabilities() const;

    std::string service_;
    PamFolders folders_;
    std::string capabilities_;
    std::time_t tick_;
    std::vector<File> files_;
    bool harmless_ = false;
    bool too_new_ = false;
};

}  // namespace authenticator
