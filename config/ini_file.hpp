// SPDX-License-Identifier: MIT
// jailftpd.ini and the tenants' files, read with inih; runs in the supervisor.
#pragma once

#include "config/configuration.hpp"
#include "config/problem.hpp"

#include <string>
#include <string_view>

namespace config {

// Reads one file into the configuration. Every file must be regular, owned by root or the uid that
// runs us, and writable by nobody else, since it says who may log in. must_exist: false for the
// default file. tenants_only: files of tenants_dir may hold nothing but [tenant NAME] sections.
void read_ini_file(const std::string& path, bool must_exist, bool tenants_only,
                   Configuration& configuration, Problems& problems);

// The tenants_dir's *.ini files in the order of their names; then what can be said of all tenants
// together: duplicates, uids, homes. Sorts them.
void finish_tenants(Configuration& configuration, Problems& problems);

// Names that may log in: as vsftpd, they start with a letter, digit, '_' or '.' and have no blanks
// or unprintable bytes; no '/' either, since they become part of paths.
[[nodiscard]] bool valid_user_name(std::string_view name);

// A problem with a setting; where it was set is where to look.
[[nodiscard]] Problem at_setting(const Configuration& configuration, Severity severity,
                                 std::string_view section, std::string_view key, std::string what,
                                 std::string remedy);

}  // namespace config
