// SPDX-License-Identifier: MIT
// jailftpd [config-file ...] [-oOPTION=VALUE ...] and the switches; runs in the supervisor.
#pragma once

#include "base/result.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace config {

enum class Action : unsigned char { serve, version, help, check, dump, explain, self_test };

// A file or a -o setting, in the order in which they apply: later ones win.
struct Source {
    bool is_file;
    std::string text;  // the path, or NAME=VALUE
};

struct CommandLine {
    Action action = Action::serve;
    std::vector<Source> sources;
    std::string ini_file;  // --ini; empty: the default, which may be absent
    std::string account;   // explain, self_test: whose jail; self_test without: a greeter's
};

inline constexpr const char* default_files[] = {"/etc/jailftpd/vsftpd.conf", "/etc/vsftpd.conf"};
inline constexpr const char* default_ini_file = "/etc/jailftpd/jailftpd.ini";

// As vsftpd: strictly left to right; -v and --help end the reading, so what follows is not looked
// at, but what came before is (a bad file before -v is an error). No file: the default file if
// there is one, read last. What follows --self-test is a user unless it looks like a file or an
// option.
[[nodiscard]] base::Result<CommandLine> parse_command_line(
    const std::vector<std::string_view>& arguments,
    std::span<const char* const> defaults = default_files);

[[nodiscard]] std::string_view help_text();

}  // namespace config
