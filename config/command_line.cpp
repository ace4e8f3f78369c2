// SPDX-License-Identifier: MIT
// The command line; runs in the supervisor.
#include "config/command_line.hpp"

#include <algorithm>

#include <unistd.h>

namespace config {

namespace {

// Neither an option nor a file's path.
bool is_name(std::string_view text) {
    return !text.empty() && text.front() != '-' && text.find('/') == text.npos;
}

}  // namespace

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
        } else if (argument == "--explain-user" || argument.starts_with("--explain-user=")) {
            line.action = Action::explain;
            const bool apart = argument.find('=') == argument.npos;
            if (apart ? i + 1 == arguments.size() : argument.back() == '=')
                return base::Error{"--explain-user needs a user's name"};
            line.account = apart ? arguments[++i] : argument.substr(argument.find('=') + 1);
        } else if (argument == "--self-test" || argument.starts_with("--self-test=")) {
            line.action = Action::self_test;
            if (const auto equals = argument.find('='); equals != argument.npos)
                line.account = argument.substr(equals + 1);
            else if (i + 1 < arguments.size() && is_name(arguments[i + 1]))
                line.account = arguments[++i];
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
  --explain-user NAME print a user's settings, where each was set, and his jail step by step
  --self-test [USER]  enter the jail of that user (none: of a client before login) and try to get out in many ways;
                      exit 1 if one succeeds
  -v, --version       print the version
  --help              print this

  jailftpd passwd     make the hash of a tenant's password, read from the terminal or standard input

Signals: HUP reads the configuration again for new connections and reopens the logs; TERM stops listening and lets
running transfers finish, a second TERM ends all at once.
)";
}

}  // namespace config
