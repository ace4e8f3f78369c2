// SPDX-License-Identifier: MIT
// All that the administrator wrote, as one immutable value per generation.
#pragma once

#include "config/native.hpp"
#include "config/options.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace config {

// An account that needs no entry in the system's user database.
struct Tenant {
    std::string name;
    std::string password;  // crypt(3) hash
    std::string home;      // absolute
    uid_t uid = 0;         // never 0 once loaded
    gid_t gid = 0;
    std::vector<gid_t> groups;
    std::string overrides;  // "name=value\0" records, for apply_overrides
    std::string place{};    // "FILE:LINE" of its section; only the supervisor knows it
};

struct Configuration {
    Options options;
    Native native;
    std::vector<Tenant> tenants;  // sorted by name
    // pasv_addr_resolve: the name whose address options.pasv_address is; only the supervisor knows
    // it, to look it up again.
    std::string pasv_host;
    // Of the files that greeters know by heart, when they were checked; the supervisor's as well.
    std::uint64_t files_stamp = 0;
    // Where each option was set last, in the order of option_table(): "FILE:LINE"; empty: its
    // default.
    std::vector<std::string> origins;
};

// With the options that one connection has of its own (tcp_wrappers).
[[nodiscard]] base::Result<Configuration> for_connection(const Configuration& configuration,
                                                         std::string_view overrides);

// nullptr if there is none of that name.
[[nodiscard]] const Tenant* find_tenant(const Configuration& configuration, std::string_view name);

}  // namespace config
