// SPDX-License-Identifier: MIT
// fill_page TEMPLATE TEXTS PAGE: a manual page with the tables of options and settings in it, and
// what TEXTS (options.txt) says of each option; runs while building.
#include "config/native.hpp"
#include "config/options.hpp"

#include <algorithm>
#include <exception>
#include <fstream>
#include <iostream>
#include <set>
#include <stdexcept>
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
        case config::NativeKind::Field:
            return "field";
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

// Names of options and settings stand out; the kind of name is told by its underscore.
std::string with_bold_names(std::string_view text) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789_";
    // At the start of a line these would be commands.
    std::string result(text.starts_with('.') || text.starts_with('\'') ? "\\&" : "");
    while (!text.empty()) {
        const auto end = std::min(text.find_first_not_of(letters), text.size());
        const auto word = text.substr(0, end);
        if (config::find_option(word) != nullptr && word.find('_') != word.npos)
            result += "\\fB" + std::string(word) + "\\fP";
        else
            result += for_troff(word);
        text.remove_prefix(end);
        const auto other = std::min(text.find_first_of(letters), text.size());
        result += for_troff(text.substr(0, other));
        text.remove_prefix(other);
    }
    return result;
}

std::string paragraph(std::string_view title, std::string_view text) {
    return ".br\n.I " + std::string(title) + ":\n" + with_bold_names(text) + '\n';
}

std::string_view places(config::Scope scope) {
    switch (scope) {
        case config::Scope::server:
            return "main file";
        case config::Scope::per_peer:
            return "main file, connection";
        case config::Scope::per_user:
            return "main file, connection, user, tenant";
    }
    return {};
}

// The paragraphs of one option, each in one line.
struct Text {
    std::string meaning;
    std::string with;
    std::string unlike_vsftpd;
};

std::string entry(const config::OptionInfo& info, const Text& text) {
    auto page = entry(info.name, name_of(info.kind), config::value_text(config::Options{}, info),
                      std::string(info.help));
    page += ".br\n" + with_bold_names(text.meaning) + '\n';
    if (info.effect == config::Effect::instead)
        page += paragraph("Instead", std::string(config::instead_of(info)) + '.');
    if (!text.with.empty()) page += paragraph("With", text.with);
    if (!text.unlike_vsftpd.empty()) page += paragraph("vsftpd", text.unlike_vsftpd);
    return page + paragraph("Where", std::string(places(info.scope)) + '.');
}

// A line of an option's text, at the start of a paragraph or within one.
void add(Text& text, std::string*& paragraph, std::string_view line) {
    line.remove_prefix(line.find_first_not_of(' '));
    constexpr std::string_view with = "With: ";
    constexpr std::string_view vsftpd = "vsftpd: ";
    if (line.starts_with(with)) {
        paragraph = &text.with;
        line.remove_prefix(with.size());
    } else if (line.starts_with(vsftpd)) {
        paragraph = &text.unlike_vsftpd;
        line.remove_prefix(vsftpd.size());
    }
    if (!paragraph->empty()) *paragraph += ' ';
    *paragraph += line;
}

// Every option has one text; what is wrong ends the build.
std::string options(std::istream& texts) {
    std::string page;
    std::set<const config::OptionInfo*> described;
    const config::OptionInfo* info = nullptr;
    Text text;
    std::string* paragraph = nullptr;
    const auto finish = [&] {
        if (info != nullptr) page += entry(*info, text);
        info = nullptr;
    };
    for (std::string line; std::getline(texts, line);) {
        if (line.empty() || line.starts_with('#')) continue;
        if (line.starts_with("    ") && info != nullptr) {
            add(text, paragraph, line);
            continue;
        }
        finish();
        if (line.starts_with("= ")) {
            page += ".SS " + line.substr(2) + '\n';
            continue;
        }
        info = config::find_option(line);
        if (info == nullptr) throw std::runtime_error("no such option: " + line);
        if (!described.insert(info).second) throw std::runtime_error("described twice: " + line);
        text = {};
        paragraph = &text.meaning;
    }
    finish();
    for (const auto& each : config::option_table()) {
        if (!described.contains(&each))
            throw std::runtime_error("not described: " + std::string(each.name));
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

std::string filled(std::string line, std::istream& texts) {
    if (line == "@options@") return options(texts);
    if (line == "@settings@") return settings();
    constexpr std::string_view version = "@PROJECT_VERSION@";
    if (const auto at = line.find(version); at != line.npos)
        line.replace(at, version.size(), JAILFTPD_VERSION);
    return line + '\n';
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 4) {
        std::cerr << "usage: fill_page TEMPLATE TEXTS PAGE\n";
        return 2;
    }
    std::ifstream from(argv[1]);
    std::ifstream texts(argv[2]);
    std::ofstream to(argv[3]);
    for (std::string line; std::getline(from, line);) to << filled(line, texts);
    to.close();
    if (from.eof() && to) return 0;
    std::cerr << "fill_page: cannot write " << argv[3] << " from " << argv[1] << '\n';
    return 1;
} catch (const std::exception& problem) {
    std::cerr << "fill_page: " << argv[2] << ": " << problem.what() << '\n';
    return 1;
}
