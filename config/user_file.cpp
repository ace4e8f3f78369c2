// SPDX-License-Identifier: MIT
// user_config_dir and VSFTPD_LOAD_CONF; runs in the authenticator's children and the helpers.
#include "config/user_file.hpp"

#include "base/text.hpp"
#include "config/conf_file.hpp"
#include "config/options.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <sys/stat.h>

namespace config {
namespace {

std::string why_not(Scope scope, std::string_view option) {
    if (scope == Scope::per_peer)
        return "it is used up before the connection comes; set it in the main file";
    if (option == "chroot_local_user" || option.starts_with("chroot_list"))
        return "who is jailed is decided before this file is read; use chroot_list_file in the "
               "main file";
    return "it is used up before the user is known; set it in the main file";
}

// Without these a connection would be less protected than its file says, so it ends.
bool protects(std::string_view option) {
    constexpr std::string_view all[] = {"ssl_enable",    "implicit_ssl",  "require_cert",
                                        "validate_cert", "ca_certs_file", "userlist_file"};
    return std::find(std::begin(all), std::end(all), option) != std::end(all);
}

// Whose file it is says what may stand in it. The server's options: for whom a line says nothing
// new.
OwnFile read_own_file(const std::string& path, uid_t owner, Scope scope,
                      const Options* server = nullptr) {
    OwnFile result;
    std::string content;
    if (!read_conf_file(path, owner, content, result.problems)) return result;
    parse_conf(content, path, result.problems, [&](const Setting& setting) {
        const std::string option(setting.info->name);
        const auto warn = [&](std::string what, std::string remedy) {
            result.problems.push_back({Severity::warning, path, setting.line, option,
                                       std::move(what), std::move(remedy)});
        };
        Options scratch;
        apply(setting, path, scratch, result.problems);
        const auto value = value_text(scratch, *setting.info);
        if (setting.info->scope < scope && server != nullptr) {
            if (value == value_text(*server, *setting.info)) return;
            if (protects(option)) {
                result.problems.push_back({Severity::error, path, setting.line, option,
                                           option + " cannot be set for one connection",
                                           why_not(scope, option)});
                return;
            }
        }
        if (setting.info->scope < scope)
            return warn(option + " has no effect for one " +
                            (scope == Scope::per_user ? "user" : "connection"),
                        why_not(scope, option));
        if (setting.info->effect != Effect::now && !is_default(scratch, *setting.info))
            warn(option + " has no effect", std::string(instead_of(*setting.info)));
        if (!valid_pasv_address(scratch.pasv_address))
            return warn("invalid pasv_address: " + scratch.pasv_address,
                        "the line does not count; right is a numeric IPv4 address");
        result.overrides += option + '=' + value + '\0';
        result.places.push_back(path + ':' + std::to_string(setting.line));
    });
    return result;
}

}  // namespace

OwnFile read_user_file(const std::string& directory, std::string_view name, uid_t owner) {
    if (directory.empty() || name.empty() || name == "." || name == ".." ||
        name.find('/') != name.npos || name.find('\0') != name.npos)
        return {};
    const auto path = directory + '/' + std::string(name);
    struct stat status {};
    if (::stat(path.c_str(), &status) < 0 && (errno == ENOENT || errno == ENOTDIR)) return {};
    auto result = read_own_file(path, owner, Scope::per_user);
    if (any_error(result.problems)) result.overrides.clear();
    return result;
}

OwnFile read_peer_file(const std::string& path, uid_t owner, const Configuration& configuration) {
    OwnFile result;
    const auto fail = [&](std::string what, std::string remedy) {
        result.problems.push_back(
            {Severity::error, path, 0, {}, std::move(what), std::move(remedy)});
    };
    const auto parts = base::split(path, '/');
    if (std::count(parts.begin(), parts.end(), "..") != 0) {
        fail("cannot read config file: " + path, "VSFTPD_LOAD_CONF must not contain \"..\"");
        return result;
    }
    result = read_own_file(path, owner, Scope::per_peer, &configuration.options);
    auto options = configuration.options;
    if (!any_error(result.problems) && apply_overrides(options, result.overrides) &&
        !options.anonymous_enable && !options.local_enable && configuration.tenants.empty())
        fail("vsftpd: both local and anonymous access disabled!",
             "a connection for nobody is better denied in hosts.deny");
    if (any_error(result.problems)) result.overrides.clear();
    return result;
}

}  // namespace config
