// SPDX-License-Identifier: MIT
// What a start-up check has to say: with the place of the option, and nothing that may only follow
// from an error that was found before; runs in the supervisor.
#pragma once

#include "config/load.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace config {

class Findings {
  protected:
    explicit Findings(Loaded& loaded);

    void error(const std::string& option, std::string what, std::string remedy);
    void warning(const std::string& option, std::string what, std::string remedy);
    // Nothing is said of what may be meant otherwise.
    void add(Severity severity, const std::string& option, std::string what, std::string remedy);
    // Of jailftpd.ini.
    void setting(Severity severity, const char* section, const char* key, std::string what,
                 std::string remedy);

    [[nodiscard]] const std::string& origin(std::string_view option) const;
    // After an error only what was set without one is.
    [[nodiscard]] bool known(std::string_view option) const;
    // There are users other than anonymous ones; also when they may be meant.
    [[nodiscard]] bool local() const;
    [[nodiscard]] bool has_certificate() const;

    const Loaded& loaded_;
    const Options& options_;
    const bool without_root_;
    const Configuration& configuration_;
    Problems& problems_;

  private:
    std::vector<bool> misread_;  // by index in option_table(): load() has found an error there
};

}  // namespace config
