// SPDX-License-Identifier: MIT
// fill_page TEMPLATE PAGE: a manual page with the tables of options and settings in it; runs while
// building.
#include "config/native.hpp"
#include "config/options.hpp"

#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

namespace {

std::string for_troff(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '-' || c == '\\') result += '\\';
        result += c;
    }
    return result;
}

std::string_view name_of(config::Kind kind) {
    switch (kind) {
        case config::Kind::Flag:
            return "flag";
        case config::Kind::Count:
            return "count";
        case config::Kind::Seconds:
            return "seconds";
        case config::Kind::Octal:
            return "octal";
        case config::Kind::Port:
            return "port";
        case config::Kind::Text:
            return "text";
        case config::Kind::Path:
            return "path";
    }
    return {};
}

std::string_view name_of(config::NativeKind kind) {
    switch (kind) {
        case config::NativeKind::Number:
            return "number";
        case config::NativeKind::Seconds:
            return "seconds";
        case config::NativeKind::Switch:
            return "switch";
        case config::NativeKind::Path:
            return "path";
        case config::NativeKind::User:
            return "user";
        case config::NativeKind::Level:
            return "level";
        case config::NativeKind::Root:
            return "root";
        case config::NativeKind::Words:
            return "text";
        case config::NativeKind::Addresses:
            return "addresses";
        case config::NativeKind::Layers:
            return "layers";
    }
    return {};
}

std::string entry(std::string_view name, std::string_view kind, std::string_view standard,
                  const std::string& text) {
    return ".TP\n.BR " + std::string(name) + " \" (" + std::string(kind) + ", " +
           for_troff(standard.empty() ? "none" : standard) + ")\"\n" + for_troff(text) + ".\n";
}

std::string options() {
    std::string page;
    std::map<std::string_view, const config::OptionInfo*> sorted;
    for (const auto& info : config::option_table()) sorted[info.name] = &info;
    for (const auto& [name, info] : sorted) {
        std::string text(info->help);
        if (info->scope == config::Scope::per_user)
            text += ". May be set for one user or connection";
        if (info->scope == config::Scope::per_peer) text += ". May be set for one connection";
        if (info->effect == config::Effect::later) text += ". Without effect in this version";
        if (info->effect == config::Effect::instead)
            text += ". Without effect: " + std::string(config::instead_of(*info));
        page +=
            entry(name, name_of(info->kind), config::value_text(config::Options{}, *info), text);
    }
    return page;
}

std::string settings() {
    std::string page;
    std::string_view section;
    for (const auto& info : config::native_table()) {
        if (info.section != section) page += ".SS [" + std::string(info.section) + "]\n";
        section = info.section;
        page += entry(info.key, name_of(info.kind), config::value_text(config::Native{}, info),
                      std::string(info.help));
    }
    return page;
}

std::string filled(std::string line) {
    if (line == "@options@") return options();
    if (line == "@settings@") return settings();
    constexpr std::string_view version = "@PROJECT_VERSION@";
    if (const auto at = line.find(version); at != line.npos)
        line.replace(at, version.size(), JAILFTPD_VERSION);
    return line + '\n';
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: fill_page TEMPLATE PAGE\n";
        return 2;
    }
    std::ifstream from(argv[1]);
    std::ofstream to(argv[2]);
    for (std::string line; std::getline(from, line);) to << filled(line);
    to.close();
    if (from.eof() && to) return 0;
    std::cerr << "fill_page: cannot write " << argv[2] << " from " << argv[1] << '\n';
    return 1;
}
