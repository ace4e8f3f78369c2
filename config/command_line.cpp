// SPDX-License-Identifier: MIT
// The command line; runs in the supervisor.
#include "config/command_line.hpp"

#include <algorithm>

#include <unistd.h>

namespace config {

base::Result<CommandLine> parse_command_line(const std::vector<std::string_view>& arguments,
                                             std::span<const char* const> defaults) {
    CommandLine line;
    bool any_file = false;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const auto argument = arguments[i];
        if (argument.empty() || argument.front() != '-') {
            line.sources.push_back({true, std::string(argument)});
            any_file = true;
        } else if (argument.starts_with("-o")) {
            line.sources.push_back({false, std::string(argument.substr(2))});
        } else if (argument == "-t" || argument == "--check-config") {
            line.action = Action::check;
        } else if (argument == "--dump-config") {
            line.action = Action::dump;
        } else if (argument == "--ini") {
            if (i + 1 == arguments.size() || arguments[i + 1].empty())
                return base::Error{"--ini needs a file name"};
            line.ini_file = arguments[++i];
        } else if (argument.starts_with("--ini=") && argument.size() > 6) {
            line.ini_file = argument.substr(6);
        } else if (argument == "--help" || argument == "-h") {
            line.action = Action::help;
            return line;
        } else if (argument == "--version" || argument.starts_with("-v")) {
            line.action = Action::version;
            return line;
        } else {
            return base::Error{"unrecognise option: " + std::string(argument)};  // vsftpd's words
        }
    }
    if (!any_file) {
        const auto found = std::find_if(defaults.begin(), defaults.end(),
                                        [](const char* path) { return ::access(path, F_OK) == 0; });
        if (found != defaults.end()) line.sources.push_back({true, *found});
    }
    return line;
}

std::string_view help_text() {
    return R"(usage: jailftpd [config-file ...] [-oOPTION=VALUE ...]
       jailftpd passwd [--method yescrypt|sha512|bcrypt]

A chroot-jailed FTP server that reads vsftpd.conf files. Files and -o settings apply from left to right, later
ones win. Without a file, /etc/jailftpd/vsftpd.conf is read, or else /etc/vsftpd.conf.

  -oOPTION=VALUE      set an option of vsftpd.conf (no blank after -o)
  --ini FILE          read FILE instead of /etc/jailftpd/jailftpd.ini (tenants, log, server settings)
  -t, --check-config  read everything, print every problem, start nothing; exit 0 or 2
  --dump-config       print every option, its value and where it was set
  -v, --version       print the version
  --help              print this

  jailftpd passwd     make the hash of a tenant's password, read from the terminal or standard input

Signals: HUP reads the configuration again for new connections and reopens the logs; TERM stops listening and lets
running transfers finish, a second TERM ends all at once.
)";
}

}  // namespace config
