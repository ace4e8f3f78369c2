// SPDX-License-Identifier: MIT
// Files and settings in their order, as one configuration; runs in the supervisor.
#include "config/load.hpp"

#include "base/text.hpp"
#include "config/conf_file.hpp"
#include "config/confinement.hpp"
#include "config/ini_file.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <unistd.h>

namespace config {
namespace {

std::size_t index_of(const OptionInfo& info) {
    return static_cast<std::size_t>(&info - option_table().data());
}

std::string dump(const Confinement& confinement) {
    std::string text;
    for (const auto& bind : confinement.binds)
        text += "bind = " + base::escaped(to_text(bind)) + '\n';
    if (confinement.read_only) text += "read_only = yes\n";
    const auto number = [&text](const char* key, std::uint64_t value) {
        if (value != 0) text += std::string(key) + " = " + std::to_string(value) + '\n';
    };
    number("memory", confinement.memory);
    number("processes", confinement.processes);
    number("cpu_weight", confinement.cpu_weight);
    number("io_weight", confinement.io_weight);
    return text;
}

}  // namespace

Loaded load(const CommandLine& line) {
    Loaded loaded;
    auto& configuration = loaded.configuration;
    configuration.origins.resize(option_table().size());
    const auto take = [&](const Setting& setting, const std::string& file) {
        apply(setting, file, configuration.options, loaded.problems);
        auto& origin = configuration.origins[index_of(*setting.info)];
        origin = file;
        if (setting.line != 0) origin += ':' + std::to_string(setting.line);
    };
    for (const auto& source : line.sources) {
        if (source.is_file) {
            std::string content;
            if (!read_conf_file(source.text, ::geteuid(), content, loaded.problems)) continue;
            parse_conf(content, source.text, loaded.problems,
                       [&](const Setting& setting) { take(setting, source.text); });
            continue;
        }
        const std::string where = "command line";
        if (base::trim(source.text).empty()) {
            loaded.problems.push_back({Severity::error,
                                       where,
                                       0,
                                       {},
                                       "missing value in config file for: ",
                                       "write -oOPTION=VALUE as one word"});
            continue;
        }
        parse_line(source.text, where, 0, loaded.problems,
                   [&](const Setting& setting) { take(setting, where); });
    }
    loaded.options_whole = !any_error(loaded.problems);
    if (line.action == Action::version) return loaded;  // as vsftpd: only what stands before -v
    const bool named = !line.ini_file.empty();
    const std::string ini_file = named ? line.ini_file : default_ini_file;
    Problems problems;
    read_ini_file(ini_file, named, false, configuration, problems);
    finish_tenants(configuration, problems);
    loaded.native_whole = !any_error(problems);
    std::move(problems.begin(), problems.end(), std::back_inserter(loaded.problems));
    return loaded;
}

std::string dump(const Configuration& configuration) {
    std::string text;
    for (const auto& info : option_table()) {
        const auto& origin = configuration.origins[index_of(info)];
        auto setting =
            std::string(info.name) + '=' + base::escaped(value_text(configuration.options, info));
        setting.resize(std::max<std::size_t>(setting.size(), 48), ' ');
        text += setting + "  # " + (origin.empty() ? "default" : base::escaped(origin)) + '\n';
    }
    std::string_view section;
    for (const auto& info : native_table()) {
        if (info.section != section)
            text += (section.empty() ? "\n[" : "[") + std::string(info.section) + "]\n";
        section = info.section;
        text += std::string(info.key) + " = " +
                base::escaped(value_text(configuration.native, info)) + '\n';
    }
    for (const auto& group : configuration.groups)
        text += "[group " + group.name + "]\n" + dump(group.confinement);
    for (const auto& tenant : configuration.tenants) {
        text += "[tenant " + tenant.name + "]\nhome = " + base::escaped(tenant.home) +
                "\nuid = " + std::to_string(tenant.uid) + "\ngid = " + std::to_string(tenant.gid) +
                '\n' + dump(tenant.confinement);
        for (const auto& name : tenant.certificates)
            text += "certificate = " + base::escaped(name) + '\n';
        for (const auto record : base::split(tenant.overrides, '\0')) {
            if (!record.empty()) text += base::escaped(record) + '\n';
        }
    }
    return text;
}

std::string report(const Loaded& loaded) {
    std::string text;
    for (const auto& problem : loaded.problems) text += to_text(problem) + '\n';
    std::string instead;
    for (const auto& info : option_table()) {
        if (info.effect == Effect::instead)
            instead += "  " + std::string(info.name) + ": " + std::string(instead_of(info)) + '\n';
    }
    if (!instead.empty()) text += "options whose mechanism does not exist here:\n" + instead;
    text += any_error(loaded.problems) ? "the configuration has errors\n"
                                       : "the configuration is good\n";
    return text;
}

}  // namespace config
