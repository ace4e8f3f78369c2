// SPDX-License-Identifier: MIT
// Looking up tenants; runs in the supervisor, the authenticator and the helpers.
#include "config/configuration.hpp"

#include <algorithm>

namespace config {

const Tenant* find_tenant(const Configuration& configuration, std::string_view name) {
    const auto& tenants = configuration.tenants;
    const auto found = std::lower_bound(
        tenants.begin(), tenants.end(), name,
        [](const Tenant& tenant, std::string_view wanted) { return tenant.name < wanted; });
    return found != tenants.end() && found->name == name ? &*found : nullptr;
}

}  // namespace config
