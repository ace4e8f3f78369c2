// SPDX-License-Identifier: MIT
// jailftpd --explain-user; runs as root, in no process of the server.
#include "proof/explain.hpp"

#include "base/text.hpp"
#include "config/cert_users.hpp"
#include "config/user_file.hpp"
#include "jail/explained.hpp"
#include "jail/namespaces.hpp"
#include "jail/plan.hpp"
#include "proof/account.hpp"
#include "session/jail.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <unistd.h>

namespace proof {

using base::Result;

namespace {

constexpr std::size_t column = 48;
constexpr std::size_t step_column = 34;

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text;
}

std::string line(std::string setting, std::string_view origin) {
    return padded(std::move(setting), column) + "  # " +
           (origin.empty() ? "default" : base::escaped(origin)) + '\n';
}

// Where options of one's own stand, by name; the later one of two.
using Places = std::map<std::string, std::string, std::less<>>;

void note(Places& places, std::string_view overrides, const std::vector<std::string>& where) {
    std::size_t index = 0;
    for (const auto record : base::split(overrides, '\0')) {
        if (index < where.size() && !record.empty())
            places[std::string(record.substr(0, record.find('=')))] = where[index];
        ++index;
    }
}

Places own_places(const config::Options& options, const helpers::Account& account) {
    Places places;
    if (account.tenant != nullptr && !options.local_root.empty())
        places["local_root"] = account.tenant->place + " (a tenant's home takes its place)";
    const auto file = config::read_user_file(options.user_config_dir, account.name, ::geteuid());
    note(places, file.overrides, file.places);
    if (account.tenant != nullptr)
        note(places, account.tenant->overrides, account.tenant->override_places);
    return places;
}

std::string settings(const config::Configuration& configuration, const config::Options& options,
                     const Places& places) {
    std::string text = "Settings, and where each was set\n";
    std::size_t index = 0;
    for (const auto& info : config::option_table()) {
        const auto own = places.find(info.name);
        text += "  " + line(std::string(info.name) + '=' +
                                base::escaped(config::value_text(options, info)),
                            own != places.end() ? own->second : configuration.origins[index]);
        ++index;
    }
    index = 0;
    std::string_view section;
    for (const auto& info : config::native_table()) {
        if (info.section != section) text += "  [" + std::string(info.section) + "]\n";
        section = info.section;
        const auto& origins = configuration.native_origins;
        text += "  " + line(std::string(info.key) + " = " +
                                base::escaped(config::value_text(configuration.native, info)),
                            origins.empty() ? std::string_view{} : origins[index]);
        ++index;
    }
    return text;
}

std::string certificates(const config::Configuration& configuration, std::string_view name,
                         const helpers::Account& account) {
    const auto& native = configuration.native;
    if (native.cert_username_field.empty() || account.kind == helpers::Account::Kind::anonymous)
        return {};
    std::string origin = native.cert_username_map;
    if (origin.empty()) origin = "the account's name";
    if (account.tenant != nullptr && !account.tenant->certificates.empty())
        origin = account.tenant->place;
    std::string text;
    for (const auto& each : config::certificate_names(configuration, name))
        text += "  " + line(native.cert_username_field + " = " + base::escaped(each), origin);
    if (text.empty()) text = "  none in " + base::escaped(origin) + '\n';
    return "\nClients' certificates that log in without a password (TLS 1.3)\n" + text;
}

// What the spawner does before there is a login.
std::string cell(const config::Native& native) {
    const std::pair<bool, const char*> all[] = {{native.pid, "pid"},
                                                {native.ipc, "ipc"},
                                                {native.uts, "uts"},
                                                {native.cgroup, "cgroup"},
                                                {native.mounts, "mounts"}};
    std::string names;
    for (const auto& [wanted, name] : all) {
        if (wanted) names += (names.empty() ? "" : ", ") + std::string(name);
    }
    return "  " + padded("namespaces of its own", step_column) + (names.empty() ? "none" : names) +
           "\n  " + padded("network", step_column) +
           (native.network ? "the empty one that all sessions share" : "the host's") + '\n';
}

std::string steps(const jail::Home& home) {
    std::string text;
    int number = 0;
    for (const auto& step : jail::user_home(home)) {
        const auto words = padded(std::to_string(++number), 4) + step.name;
        text += "  " + padded(words, step_column) +
                base::escaped(jail::explained(step.name, home)) + '\n';
    }
    return text;
}

}  // namespace

Result<std::string> explain(const config::Configuration& configuration, std::string_view name) {
    TRY(const auto who, subject(configuration, name));
    if (jail::maker(configuration.native.users) == jail::Maker::user_in_namespace) {
        TRY(jail::enter_user_namespace());
    }
    TRY(auto admitted, let_in(configuration, who.account));
    TRY(session::prepare_jails(configuration));
    session::Entry entry;
    entry.admission = std::move(admitted.admission);
    entry.options = configuration.options;
    if (who.account.kind == helpers::Account::Kind::tenant) entry.options.local_root.clear();
    TRY(config::apply_overrides(entry.options, entry.admission.overrides));
    config::do_without_root(entry.options);
    constexpr int channel = STDERR_FILENO + 1;
    std::vector<base::Fd> folders;
    folders.push_back(std::move(admitted.root));
    for (auto& each : admitted.binds) folders.push_back(std::move(each));
    TRY(const auto home, session::jail_of(entry, configuration.options.ssl_enable,
                                          std::move(folders), {channel, channel + 1}));

    std::string text = base::escaped(name) + " is " + who.kind + ".\n";
    for (const auto& remark : who.remarks) text += "Note: " + base::escaped(remark) + ".\n";
    for (const auto& warning : admitted.warnings)
        text += "Warning: " + base::escaped(warning) + '\n';
    if (const auto& hint = entry.admission.writable_root_hint; !hint.empty())
        text += "Warning: the login ends at the step \"" + std::string(jail::writable_root_step) +
                "\": " + base::escaped(hint) + '\n';
    text += certificates(configuration, name, who.account);
    text += '\n' +
            settings(configuration, entry.options, own_places(configuration.options, who.account));
    text += "\nBefore the login, when the process is made\n" + cell(configuration.native);
    text += "\nSteps of the jail, in their order\n" + steps(home);
    return text;
}

}  // namespace proof
