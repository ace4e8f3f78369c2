// SPDX-License-Identifier: MIT
// What an administrator has set up: certificates and keys in files, read as the signer reads them.
#pragma once

#include "signer/keys.hpp"
#include "tests/jail/observed.hpp"
#include "tests/tls/authority.hpp"
#include "tls/context.hpp"

#include <memory>
#include <string>
#include <vector>

namespace site {

// Writes it, for its owner only.
void write(const std::string& path, const std::string& text);

// The file's text.
[[nodiscard]] std::string read(const std::string& path);

// Certificates with keys in this process: for tests that are not about where keys are.
class Site {
  public:
    explicit Site(const std::vector<authority::Wanted>& fallback = {{}},
                  const std::vector<std::pair<std::string, authority::Wanted>>& hosts = {});

    // Signs by itself; what it signed is noted.
    [[nodiscard]] tls::Context context(const tls::Settings& settings,
                                       tls::Purpose purpose = tls::Purpose::control) const;

    [[nodiscard]] std::vector<tls::ToBeSigned>& asked() const { return *asked_; }
    [[nodiscard]] const std::shared_ptr<const tls::Certificates>& certificates() const {
        return certificates_;
    }

  private:
    std::shared_ptr<signer::Keys> keys_;
    std::shared_ptr<const tls::Certificates> certificates_;
    std::shared_ptr<std::vector<tls::ToBeSigned>> asked_ =
        std::make_shared<std::vector<tls::ToBeSigned>>();
};

}  // namespace site
