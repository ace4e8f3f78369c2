// SPDX-License-Identifier: MIT
// Options -> features; runs in greeter and session.
#include "control/announced.hpp"

#include <algorithm>

namespace control {

ftp::Switches announced(const config::Options& options) {
    ftp::Switches on;
    on.ssl = options.ssl_enable;
    on.auth_ssl = options.ssl_enable && (options.ssl_sslv2 || options.ssl_sslv3);
    on.port = options.port_enable;
    on.pasv = options.pasv_enable;
    on.download = options.download_enable;
    on.dirlist = options.dirlist_enable;
    on.set_times = options.write_enable && options.mdtm_write;
    on.set_facts = on.set_times && options.chmod_enable;
    on.cmds_allowed = options.cmds_allowed;
    on.cmds_denied = options.cmds_denied;
    return on;
}

bool is_http(std::string_view verb) {
    // vsftpd's, and behind them what a browser's script may say as well.
    constexpr std::string_view verbs[] = {"GET",     "POST", "HEAD",   "OPTIONS",
                                          "CONNECT", "PUT",  "DELETE", "PATCH"};
    return std::find(std::begin(verbs), std::end(verbs), verb) != std::end(verbs);
}

}  // namespace control
