// SPDX-License-Identifier: MIT
// Reads #include lines and compares them with the table of who may include whom.
#include "includes.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace includes {
namespace {

namespace fs = std::filesystem;
using Folders = std::vector<std::string_view>;

bool contains(const Folders& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

struct Rule {
    std::string_view folder;
    Folders may_use;  // and itself
};

// What runs as root never sees ftp, greeter or session. The supervisor contains the broker; helpers
// and authenticator make admissions with the broker's and the helpers' code.
// clang-format off
const Rule rules[] = {
    {"base",          {}},
    {"ftp",           {"base"}},
    {"ipc",           {"base"}},
    {"config",        {"base"}},
    {"jail",          {"base"}},
    {"broker",        {"base", "config", "ipc", "jail"}},
    {"supervisor",    {"base", "config", "ipc", "jail", "broker"}},
    {"spawner",       {"base", "config", "ipc", "jail"}},
    {"helpers",       {"base", "config", "ipc", "jail", "broker"}},
    {"authenticator", {"base", "config", "ipc", "jail", "broker", "helpers"}},
    {"tls",           {"base", "config", "ipc", "ftp"}},
    {"signer",        {"base", "config", "ipc", "jail", "tls"}},
    {"control",       {"base", "config", "ipc", "ftp", "tls"}},
    {"greeter",       {"base", "config", "ipc", "jail", "ftp", "tls", "control"}},
    {"session",       {"base", "config", "ipc", "jail", "ftp", "tls", "control"}},
    // For the administrator: no process of the server runs it.
    {"proof",         {"base", "config", "ipc", "jail", "helpers", "spawner", "session"}},
    // main.cpp starts every process and looks into none.
    {"main",          {"base", "config", "ipc", "supervisor", "spawner", "signer", "helpers", "authenticator",
                       "greeter", "session", "proof", "cells"}},
    // What forks greeters and sessions prepares them.
    {"cells",         {"base", "config", "ipc", "supervisor", "spawner", "greeter", "session"}},
    {"cells_main",    {"base", "config", "ipc", "supervisor", "cells"}},
};

struct LibraryRule {
    std::string_view header;  // the name's beginning
    Folders only_in;
    std::string_view why;
};

const LibraryRule library_rules[] = {
    {"spdlog/",     {"base"}, "only base/log.cpp uses spdlog"},
    {"boost/asio",  {"supervisor", "broker"}, "only the supervisor does many things at once"},
    {"ini.h",       {"config"}, "only config reads INI files"},
    {"security/",   {"authenticator"}, "only the authenticator talks to PAM"},
    {"tcpd.h",      {"helpers"}, "only helpers ask tcp_wrappers"},
    {"openssl/",    {"session", "tls", "signer", "greeter"}, "no crypto library in root code"},
    {"filesystem",  {"config"}, "paths are opened beneath descriptors, and errors are values"},
    {"fstream",     {"config"}, "files are opened close-on-exec"},
    {"iostream",    {"main"}, "logging goes through base/log"},
};

// ftp is text in, text out.
const Folders system_of_ftp = {"<arpa/inet.h>", "<netinet/in.h>", "<strings.h>", "<sys/stat.h>",
                               "<sys/types.h>"};
// clang-format on

const Rule* rule_of(std::string_view folder) {
    const auto found = std::find_if(std::begin(rules), std::end(rules),
                                    [&](const Rule& rule) { return rule.folder == folder; });
    return found == std::end(rules) ? nullptr : found;
}

std::string objection_to_own(const Rule& rule, std::string_view name) {
    const auto slash = name.find('/');
    const auto target = slash == name.npos ? std::string_view{} : name.substr(0, slash);
    if (name.find("..") != name.npos || rule_of(target) == nullptr || target == "main") {
        return "name the folder that it is in";
    }
    if (target == rule.folder || contains(rule.may_use, target)) return {};
    return std::string(rule.folder) + " may not use " + std::string(target);
}

std::string objection_to_library(const Rule& rule, std::string_view bracketed) {
    const auto name = bracketed.substr(1, bracketed.size() - 2);
    for (const auto& library : library_rules) {
        if (name.starts_with(library.header) && !contains(library.only_in, rule.folder)) {
            return std::string(library.why);
        }
    }
    if (rule.folder == "ftp" && name.ends_with(".h") && !contains(system_of_ftp, bracketed)) {
        return "ftp makes no system calls";
    }
    return {};
}

bool is_source(const fs::path& file) {
    const auto extension = file.extension();
    return extension == ".cpp" || extension == ".hpp" || extension == ".def";
}

}  // namespace

std::vector<std::string> included_by(std::string_view source) {
    std::vector<std::string> names;
    std::istringstream lines{std::string(source)};
    for (std::string line; std::getline(lines, line);) {
        std::string_view rest = line;
        const auto skip_blanks = [&] {
            rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
        };
        skip_blanks();
        if (!rest.starts_with('#')) continue;
        rest.remove_prefix(1);
        skip_blanks();
        if (!rest.starts_with("include")) continue;
        rest.remove_prefix(std::string_view("include").size());
        skip_blanks();
        if (rest.empty()) continue;
        const bool own = rest.front() == '"';
        const auto end = rest.find(own ? '"' : '>', 1);
        if (end == rest.npos) continue;
        names.emplace_back(own ? rest.substr(1, end - 1) : rest.substr(0, end + 1));
    }
    return names;
}

std::string folder_of(const fs::path& file) {
    std::vector<std::string> parts;
    for (const auto& part : file) parts.push_back(part.string());
    if (parts.size() < 2) return {};
    if (parts[0] != "server") return parts[0];
    return parts.size() == 2 ? file.stem().string() : parts[1];
}

std::string objection(const fs::path& file, std::string_view included) {
    const auto* rule = rule_of(folder_of(file));
    if (rule == nullptr) return "this folder is not in the table of who may include whom";
    return included.starts_with('<') ? objection_to_library(*rule, included)
                                     : objection_to_own(*rule, included);
}

Survey survey(const fs::path& tree) {
    Survey result;
    for (const auto* top : {"config", "jail", "server"}) {
        if (!fs::is_directory(tree / top)) continue;
        for (const auto& item : fs::recursive_directory_iterator(tree / top)) {
            if (!item.is_regular_file() || !is_source(item.path())) continue;
            ++result.files;
            const auto file = fs::relative(item.path(), tree);
            std::ifstream stream(item.path());
            const std::string source{std::istreambuf_iterator<char>(stream), {}};
            for (const auto& name : included_by(source)) {
                const auto why = objection(file, name);
                if (why.empty()) continue;
                result.objections.push_back(file.string() + " includes " + name + ": " + why);
            }
        }
    }
    std::sort(result.objections.begin(), result.objections.end());
    return result;
}

}  // namespace includes
