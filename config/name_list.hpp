// SPDX-License-Identifier: MIT
// userlist_file, chroot_list_file, banned_email_file, email_password_file; runs where the list is
// asked.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace config {

// As vsftpd: whole lines are compared byte for byte, so a blank or CR at a line's end makes an
// entry ineffective, and a line that starts with # is an entry like any other.
class NameList {
  public:
    // Errors: the file cannot be read, or has more than 10 MiB. vsftpd silently ignores what is
    // beyond 100000 bytes, which lets in those whom the rest of a list denies.
    [[nodiscard]] static base::Result<NameList> read(const std::string& path);
    [[nodiscard]] static NameList of(std::string content) { return NameList(std::move(content)); }

    [[nodiscard]] bool contains(std::string_view name) const;
    [[nodiscard]] bool empty() const { return content_.empty(); }

  private:
    explicit NameList(std::string content) : content_(std::move(content)) {}
    std::string content_;
};

// The bytes of a file that the administrator wrote, at most `limit`; an error when it has more.
// Regular files and devices (/dev/null is an empty list); a FIFO would be one by accident.
[[nodiscard]] base::Result<std::string> read_file(const std::string& path, std::size_t limit);

}  // namespace config
