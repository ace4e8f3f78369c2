// SPDX-License-Identifier: MIT
// Configurations of single connections, and looking up tenants; runs in the supervisor, the
// authenticator and the helpers.
#include "config/configuration.hpp"

#include <algorithm>

namespace config {

base::Result<Configuration> for_connection(const Configuration& configuration,
                                           std::string_view overrides) {
    auto own = configuration;
    TRY(apply_overrides(own.options, overrides));
    do_without_root(own.options);
    // Another address than the server's is none that is looked up again.
    if (own.options.pasv_address != configuration.options.pasv_address)
        own.options.pasv_addr_resolve = false;
    return own;
}

Confinement confinement_of(const Configuration& configuration, const Tenant* tenant, gid_t gid,
                           const std::vector<gid_t>& groups) {
    Confinement all;
    const auto add = [&all](const Confinement& one) {
        for (const auto& bind : one.binds) {
            const bool taken =
                std::any_of(all.binds.begin(), all.binds.end(),
                            [&](const Bind& other) { return other.target == bind.target; });
            if (!taken) all.binds.push_back(bind);
        }
        all.read_only = all.read_only || one.read_only;
        if (all.memory == 0) all.memory = one.memory;
        for (const auto field :
             {&Confinement::processes, &Confinement::cpu_weight, &Confinement::io_weight}) {
            if (all.*field == 0) all.*field = one.*field;
        }
    };
    if (tenant != nullptr) add(tenant->confinement);
    for (const auto& group : configuration.groups) {
        if (group.gid == gid || std::find(groups.begin(), groups.end(), group.gid) != groups.end())
            add(group.confinement);
    }
    return all;
}

const Tenant* find_tenant(const Configuration& configuration, std::string_view name) {
    const auto& tenants = configuration.tenants;
    const auto found = std::lower_bound(
        tenants.begin(), tenants.end(), name,
        [](const Tenant& tenant, std::string_view wanted) { return tenant.name < wanted; });
    return found != tenants.end() && found->name == name ? &*found : nullptr;
}

}  // namespace config
