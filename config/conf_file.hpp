// SPDX-License-Identifier: MIT
// The vsftpd.conf dialect, line by line; runs in the supervisor, and for per-user files in the
// authenticator and the helpers.
#pragma once

#include "config/options.hpp"
#include "config/problem.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace config {

// What a file has beyond this many bytes does not count, as with vsftpd, but with a warning.
inline constexpr std::size_t largest_file = 100000;

struct Setting {
    const OptionInfo* info;
    std::string value;
    std::size_t line;
};

// One line without its LF, as vsftpd reads it, more forgiving about blanks, CR and a BOM (with a
// warning). Calls `on_setting` for a setting that is well-formed; comments and empty lines are
// nothing.
void parse_line(std::string_view text, const std::string& file, std::size_t line,
                Problems& problems, const std::function<void(const Setting&)>& on_setting);

// All lines of a file's content.
void parse_conf(std::string_view content, const std::string& file, Problems& problems,
                const std::function<void(const Setting&)>& on_setting);

// Checks owner, kind and size as vsftpd does and reads the file. False after an error, which is in
// problems. owner: who must own it (vsftpd: the uid that runs the server).
[[nodiscard]] bool read_conf_file(const std::string& path, uid_t owner, std::string& content,
                                  Problems& problems);

// A setting applied to options: values that vsftpd would misread in silence are problems.
void apply(const Setting& setting, const std::string& file, Options& options, Problems& problems);

// A mask or mode that was set without a leading 0: 22 is 026 then, as for vsftpd.
void warn_of_decimal(const Setting& setting, const std::string& file, const Options& options,
                     Problems& problems);

}  // namespace config
