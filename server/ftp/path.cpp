// SPDX-License-Identifier: MIT
// Virtual paths: text only, nothing is looked up. Runs in the session, and in what reads
// configurations.
#include "ftp/path.hpp"

#include "base/text.hpp"

#include <vector>

namespace ftp {
namespace {

std::string below(std::string_view folder, std::string_view rest) {
    std::string path;
    if (!folder.starts_with('/')) path += '/';
    path += folder;
    if (!path.ends_with('/')) path += '/';
    return path += rest;
}

}  // namespace

std::string absolute(std::string_view cwd, std::string_view argument, std::string_view home) {
    if (argument.starts_with('/')) return std::string(argument);
    if (argument == "~") return below(home, {});
    if (argument.starts_with("~/")) return below(home, argument.substr(2));
    return below(cwd, argument);
}

std::optional<std::string_view> tilde_user(std::string_view argument) {
    if (!argument.starts_with('~')) return std::nullopt;
    const auto name = argument.substr(1, argument.find('/') - 1);
    if (name.empty()) return std::nullopt;
    return name;
}

std::string normalised(std::string_view path) {
    std::vector<std::string_view> kept;
    for (const auto part : base::split(path, '/')) {
        if (part.empty() || part == ".") continue;
        if (part != "..") {
            kept.push_back(part);
        } else if (!kept.empty()) {
            kept.pop_back();
        }
    }
    if (kept.empty()) return "/";
    std::string result;
    result.reserve(path.size() + 1);
    for (const auto part : kept) {
        result += '/';
        result += part;
    }
    return result;
}

std::string join(std::string_view cwd, std::string_view argument, std::string_view home) {
    return normalised(absolute(cwd, argument, home));
}

bool fits(std::string_view path) {
    if (path.size() >= longest_path || path.find('\0') != path.npos) return false;
    for (const auto part : base::split(path, '/')) {
        if (part.size() > longest_component) return false;
    }
    return true;
}

std::optional<Place> place(std::string_view absolute_path) {
    auto path = absolute_path;
    while (path.ends_with('/')) path.remove_suffix(1);
    const auto slash = path.rfind('/');
    const auto name = slash == path.npos ? path : path.substr(slash + 1);
    if (name.empty() || name == "." || name == "..") return std::nullopt;
    auto parent = slash == path.npos ? std::string_view{} : path.substr(0, slash);
    while (parent.ends_with('/')) parent.remove_suffix(1);
    Place result;
    if (!parent.starts_with('/')) result.parent = '/';
    result.parent += parent;
    result.name = name;
    result.slash = path.size() < absolute_path.size();
    return result;
}

std::string quoted(std::string_view path) {
    std::string result = "\"";
    for (const char byte : path) {
        if (byte == '"') result += '"';
        result += byte;
    }
    return result += '"';
}

}  // namespace ftp
