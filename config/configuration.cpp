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
    // Another address than the server's is none that is looked up again.
    if (own.options.pasv_address != configuration.options.pasv_address)
        own.options.pasv_addr_resolve = false;
    return own;
}

const Tenant* find_tenant(const Configuration& configuration, std::string_view name) {
    const auto& tenants = configuration.tenants;
    const auto found = std::lower_bound(
        tenants.begin(), tenants.end(), name,
        [](const Tenant& tenant, std::string_view wanted) { return tenant.name < wanted; });
    return found != tenants.end() && found->name == name ? &*found : nullptr;
}

}  // namespace config
