// SPDX-License-Identifier: MIT
// Leaves of the supervisor, of cells and of accounts; runs in the supervisor, as root.
#include "supervisor/cgroups.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace supervisor {

using base::Fd;
using base::Result;

namespace {

// In front of all names: our cgroup may be one that others have a part in.
constexpr const char* prefix = "jailftpd-";

const std::pair<const char*, bool (*)(const config::Confinement&)> needs[] = {
    {"memory", [](const config::Confinement& of) { return of.memory != 0; }},
    {"pids", [](const config::Confinement& of) { return of.processes != 0; }},
    {"cpu", [](const config::Confinement& of) { return of.cpu_weight != 0; }},
    {"io", [](const config::Confinement& of) { return of.io_weight != 0; }},
};

}  // namespace

std::vector<const char*> controllers(const config::Configuration& configuration) {
    std::vector<const char*> wanted;
    for (const auto& [name, is_needed] : needs) {
        const auto by = [needed = is_needed](const auto& one) { return needed(one.confinement); };
        if (std::any_of(configuration.groups.begin(), configuration.groups.end(), by) ||
            std::any_of(configuration.tenants.begin(), configuration.tenants.end(), by))
            wanted.push_back(name);
    }
    return wanted;
}

std::string missing_controllers(const config::Configuration& configuration) {
    const auto wanted = controllers(configuration);
    if (wanted.empty()) return {};
    std::string text;
    for (const auto& each : jail::not_to_be_had(wanted)) text += (text.empty() ? "" : ", ") + each;
    return text;
}

Result<void> Cgroups::arrange(const config::Configuration& configuration) {
    const auto wanted = controllers(configuration);
    if (wanted.empty()) return base::success();
    if (!top_) {
        TRY(auto top, jail::own_cgroup());
        TRY(const auto own, jail::make_cgroup(top, prefix + std::string("supervisor")));
        TRY(jail::move_into(own, ::getpid()));
        TRY(cells_, jail::make_cgroup(top, prefix + std::string("cells")));
        top_ = std::move(top);
    }
    // All, for what a reload may bring.
    std::vector<const char*> all;
    for (const auto& each : needs) all.push_back(each.first);
    missing_ = jail::hand_down(top_, all);
    std::string refused;
    const auto absent = jail::not_to_be_had(wanted);
    for (const auto* each : wanted) {
        const auto is = [each](const std::string& one) { return one == each; };
        if (std::any_of(missing_.begin(), missing_.end(), is) &&
            std::none_of(absent.begin(), absent.end(), is))
            refused += (refused.empty() ? "" : ", ") + std::string(each);
    }
    if (refused.empty()) return base::success();
    return base::Error{"the cgroup that the server was started in does not hand down " + refused +
                       " (others stand in it, or it was not delegated: Delegate=yes)"};
}

void Cgroups::take_in(pid_t spawner) const {
    if (!cells_) return;
    if (const auto moved = jail::move_into(cells_, spawner); !moved)
        base::log::warning("the spawner's cgroup: " + moved.error().text());
}

// Of those that there is no controller for the administrator has been told.
jail::CgroupLimits Cgroups::limits(const ipc::Cgroup& wanted) const {
    jail::CgroupLimits all{wanted.memory, wanted.processes, wanted.cpu_weight, wanted.io_weight};
    for (const auto& each : missing_) {
        if (each == "memory") all.memory = 0;
        if (each == "pids") all.processes = 0;
        if (each == "cpu") all.cpu_weight = 0;
        if (each == "io") all.io_weight = 0;
    }
    return all;
}

Result<Fd> Cgroups::enter(const ipc::Cgroup& wanted) {
    if (!top_) return Fd{};
    const std::string name(wanted.name.view());
    auto found = accounts_.find(name);
    if (found == accounts_.end() || found->second.limits != limits(wanted)) {
        TRY(auto leaf, jail::make_cgroup(top_, prefix + name, limits(wanted)));
        auto& account = accounts_[name];
        account.leaf = std::move(leaf);
        account.limits = limits(wanted);
        account.kills = jail::kills_for_memory(account.leaf);
        found = accounts_.find(name);
    }
    Fd copy{::fcntl(found->second.leaf.get(), F_DUPFD_CLOEXEC, 0)};
    if (!copy) return base::system_error("fcntl");
    ++found->second.sessions;
    return copy;
}

void Cgroups::leave(const std::string& name) {
    const auto found = accounts_.find(name);
    if (found == accounts_.end() || --found->second.sessions > 0) return;
    accounts_.erase(found);
    jail::remove_cgroup(top_, prefix + name);
}

bool Cgroups::ran_out_of_memory(const std::string& name) {
    const auto found = accounts_.find(name);
    if (found == accounts_.end()) return false;
    const auto now = jail::kills_for_memory(found->second.leaf);
    return std::exchange(found->second.kills, now) < now;
}

}  // namespace supervisor
