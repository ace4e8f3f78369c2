// SPDX-License-Identifier: MIT
// Everything that the command line names, as one Configuration or a list of problems; runs in the
// supervisor at start, on SIGHUP (in a thread) and for --check-config.
#pragma once

#include "config/command_line.hpp"
#include "config/configuration.hpp"
#include "config/problem.hpp"

#include <cstdint>
#include <string>

namespace config {

struct Loaded {
    Configuration configuration;
    Problems problems;
    // False after an error: what is not set may be what could not be read.
    bool options_whole = true;  // vsftpd.conf and the command line
    bool native_whole = true;   // jailftpd.ini and tenants_dir
};

// Parses files, settings and the ini file; all problems are found, not only the first. Looks at
// nothing that the options name (that is check()).
[[nodiscard]] Loaded load(const CommandLine& line);

// The start-up checks: files, lists, users and addresses that options name, contradictions, and
// what is set but not in effect; not what may only follow from an error that is there already. Adds
// to the problems. Looks up the name in pasv_address with
// pasv_addr_resolve, so that it is an address from then on; may wait for name services.
void check(Loaded& loaded);

// A problem with an option of vsftpd.conf; where it was set is where to look.
[[nodiscard]] Problem at_option(const Configuration& configuration, Severity severity,
                                std::string option, std::string what, std::string remedy);

// Changes when userlist_file or banner_file do; never 0. check() notes it in the configuration
// before anybody reads them.
[[nodiscard]] std::uint64_t stamp_of_files(const Options& options);

// The same of the certificates, their keys and ca_certs_file, by name and by the folder [tls]
// certificates.
[[nodiscard]] std::uint64_t stamp_of_certificates(const Configuration& configuration);

// --dump-config: "name=value" with the place where it was set, every option; then the native
// settings and the tenants without their passwords.
[[nodiscard]] std::string dump(const Configuration& configuration);

// --check-config: the problems, and the options whose mechanism does not exist here.
[[nodiscard]] std::string report(const Loaded& loaded);

}  // namespace config
