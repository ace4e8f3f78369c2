// SPDX-License-Identifier: MIT
// user_config_dir; runs in the authenticator's children and the helpers.
#include "config/user_file.hpp"

#include "config/conf_file.hpp"
#include "config/options.hpp"

#include <cerrno>

#include <sys/stat.h>

namespace config {

UserFile read_user_file(const std::string& directory, std::string_view name, uid_t owner) {
    UserFile result;
    if (directory.empty() || name.empty() || name == "." || name == ".." ||
        name.find('/') != name.npos || name.find('\0') != name.npos)
        return result;
    const auto path = directory + '/' + std::string(name);
    struct stat status {};
    if (::stat(path.c_str(), &status) < 0 && (errno == ENOENT || errno == ENOTDIR)) return result;

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
        if (setting.info->scope == Scope::server)
            return warn(option + " has no effect for one user",
                        option == "chroot_local_user" || option.starts_with("chroot_list")
                            ? "who is jailed is decided before this file is read; use "
                              "chroot_list_file in the main file"
                            : "it is used up before the user is known; set it in the main file");
        if (setting.info->effect != Effect::now && !is_default(scratch, *setting.info))
            warn(option + " has no effect" +
                     (setting.info->effect == Effect::later ? " in this version" : ""),
                 std::string(instead_of(*setting.info)));
        if (!valid_pasv_address(scratch.pasv_address))
            result.problems.push_back({Severity::error, path, setting.line, option,
                                       "invalid pasv_address: " + scratch.pasv_address,
                                       "a numeric IPv4 address"});
        result.overrides += option + '=' + value_text(scratch, *setting.info) + '\0';
    });
    if (any_error(result.problems)) result.overrides.clear();
    return result;
}

}  // namespace config
