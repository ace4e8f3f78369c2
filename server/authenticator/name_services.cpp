// SPDX-License-Identifier: MIT
// Loading what the C library would load; runs in the authenticator.
#include "authenticator/name_services.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <dlfcn.h>
#include <grp.h>
#include <pwd.h>

namespace authenticator {
namespace {

// Part of the C library.
constexpr std::string_view files = "files";

bool is_a_name(std::string_view word) {
    return std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

}  // namespace

namespace {

// What is said of one database, "[SUCCESS=merge]" among it.
std::vector<std::string> words_of(std::string_view nsswitch_conf, std::string_view database) {
    std::vector<std::string> found;
    for (auto line : base::split(nsswitch_conf, '\n')) {
        line = line.substr(0, line.find('#'));
        const auto colon = line.find(':');
        if (colon == line.npos || base::trim(line.substr(0, colon)) != database) continue;
        std::string words(line.substr(colon + 1));
        std::replace(words.begin(), words.end(), '\t', ' ');
        for (const auto word : base::split(words, ' ')) {
            if (!word.empty()) found.emplace_back(word);
        }
    }
    return found;
}

}  // namespace

std::vector<std::string> name_services(std::string_view nsswitch_conf, std::string_view database) {
    auto found = words_of(nsswitch_conf, database);
    std::erase_if(found, [](const std::string& word) { return !is_a_name(word); });
    return found;
}

bool end_at_files(std::string_view nsswitch_conf, std::string_view database) {
    const auto words = words_of(nsswitch_conf, database);
    return !words.empty() && words[0] == files && (words.size() == 1 || words[1].front() != '[');
}

void hold_name_services(std::string_view nsswitch_conf) {
    for (const auto* database : {"passwd", "group", "initgroups", "shadow"}) {
        const auto services = name_services(nsswitch_conf, database);
        for (const auto& each : services) {
            if (each != files)
                (void)::dlopen(("libnss_" + each + ".so.2").c_str(), RTLD_NOW | RTLD_LOCAL);
        }
        // These are everywhere. The C library has read the configuration then, and knows whether
        // there is an nscd.
        if (!end_at_files(nsswitch_conf, database)) continue;
        if (database == std::string_view("passwd")) (void)::getpwuid(0);
        if (database == std::string_view("group")) (void)::getgrgid(0);
    }
}

}  // namespace authenticator
