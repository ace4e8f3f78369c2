// SPDX-License-Identifier: MIT
// A folder that is the root of a jail, with something outside of it to be kept from.
#pragma once

#include "base/fd.hpp"
#include "ftp/replies.hpp"
#include "session/files.hpp"

#include <functional>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace testing_support {

// Gone with this, and all that is in it. The umask is 022 meanwhile.
class Jail {
  public:
    Jail();
    ~Jail();
    Jail(const Jail&) = delete;
    Jail& operator=(const Jail&) = delete;

    // Paths on the host: in the jail, and next to it. The folder next to it holds "secret".
    [[nodiscard]] std::string path(std::string_view name = {}) const;
    [[nodiscard]] std::string outside(std::string_view name = {}) const;

    void file(const std::string& name, std::string_view content = {}, mode_t mode = 0644) const;
    void folder(const std::string& name, mode_t mode = 0755) const;
    void link(const std::string& name, const std::string& target) const;

    [[nodiscard]] bool exists(const std::string& name) const;          // links are not followed
    [[nodiscard]] std::string content(const std::string& name) const;  // "(none)"
    [[nodiscard]] struct stat status(const std::string& name) const;   // links are not followed

    [[nodiscard]] session::Root root(session::Way way) const;
    [[nodiscard]] session::Files files(session::Way way) const;

    // Everything becomes that user's.
    void give_to(uid_t owner) const;

  private:
    std::string top_;
    mode_t umask_;
};

constexpr uid_t somebody = 61235;

// What `action` says in a child that is no longer root (if we are).
[[nodiscard]] std::string as_somebody(const std::function<std::string()>& action);

// "ok" or errno's name.
template <typename Result>
[[nodiscard]] std::string outcome(const Result& result) {
    if (!result && result.error().number == ftp::not_a_regular_file) return "irregular";
    return result ? "ok" : ::strerrorname_np(result.error().number);
}

}  // namespace testing_support
