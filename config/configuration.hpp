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

// A folder of the host that an account sees in its jail.
struct Bind {
    std::string source;  // on the host
    std::string target;  // below the account's root, where a directory must be
    bool writable = false;
    bool no_links = false;  // symbolic links lead nowhere in it

    bool operator==(const Bind&) const = default;
};

inline constexpr std::size_t most_binds = 8;  // of one account, its groups' included

// What sections of tenants and of groups may say about the jails of their accounts. 0: no limit.
struct Confinement {
    std::vector<Bind> binds;
    bool read_only = false;       // the home, but not the binds
    std::uint64_t memory = 0;     // bytes
    std::uint32_t processes = 0;  // of all its sessions
    std::uint32_t cpu_weight = 0;
    std::uint32_t io_weight = 0;

    bool operator==(const Confinement&) const = default;
    [[nodiscard]] bool needs_mounts() const { return read_only || !binds.empty(); }
    [[nodiscard]] bool needs_cgroup() const {
        return memory != 0 || processes != 0 || cpu_weight != 0 || io_weight != 0;
    }
};

// Accounts that have this group, whatever kind they are.
struct Group {
    std::string name;
    gid_t gid = 0;
    Confinement confinement;
    std::string place{};  // as a tenant's
};

// An account that needs no entry in the system's user database.
struct Tenant {
    std::string name;
    std::string password;  // crypt(3) hash
    std::string home;      // absolute
    uid_t uid = 0;         // never 0 once loaded
    gid_t gid = 0;
    std::vector<gid_t> groups;
    std::string overrides;  // "name=value\0" records, for apply_overrides
    Confinement confinement{};
    std::vector<std::string> certificates{};  // names of its clients' (is_certificate_of)
    // Only the supervisor knows where it all stands: "FILE:LINE" of its section, and of each
    // override.
    std::string place{};
    std::vector<std::string> override_places{};
};

// A line of cert_username_map.
struct CertUser {
    std::string account;
    std::string name;  // in the certificate
};

// nopriv_user, as the user database has it.
struct Nobody {
    uid_t uid = 0;
    gid_t gid = 0;
};

struct Configuration {
    Options options;
    Native native;
    std::vector<Tenant> tenants;  // sorted by name
    std::vector<CertUser> cert_map;
    std::vector<Group> groups;  // in the order of the file
    Nobody nobody;              // root, with which no greeter runs, until check() has looked it up
    // pasv_addr_resolve: the name whose address options.pasv_address is; only the supervisor knows
    // it, to look it up again.
    std::string pasv_host;
    // Of the files that greeters know by heart, when they were checked; the supervisor's as well.
    std::uint64_t files_stamp = 0;
    std::uint64_t certificates_stamp = 0;  // the same of what handshakes need
    // Where each option was set last, in the order of option_table(): "FILE:LINE"; empty: its
    // default.
    std::vector<std::string> origins;
    // The same of the settings of jailftpd.ini, in the order of native_table(); only the supervisor
    // knows them. Empty: all defaults.
    std::vector<std::string> native_origins;
};

// With the options that one connection has of its own (tcp_wrappers).
[[nodiscard]] base::Result<Configuration> for_connection(const Configuration& configuration,
                                                         std::string_view overrides);

// Of an account with these groups: what the tenant's section says, then the groups' in their order;
// of two that differ the first one counts.
[[nodiscard]] Confinement confinement_of(const Configuration& configuration, const Tenant* tenant,
                                         gid_t gid, const std::vector<gid_t>& groups);

// nullptr if there is none of that name.
[[nodiscard]] const Tenant* find_tenant(const Configuration& configuration, std::string_view name);

}  // namespace config
