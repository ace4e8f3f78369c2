// SPDX-License-Identifier: MIT
// The table of pairs; runs in the supervisor.
#include "config/pairs.hpp"

namespace config {
namespace {

using O = const Options&;

// Which formats are written decides whether there is a log of vsftpd's own.
bool has_own_log(O o) { return o.dual_log_enable || (o.xferlog_enable && !o.xferlog_std_format); }

// A user's own file may bring what is missing.
bool may_not_write(O o) {
    return o.anonymous_enable && !o.write_enable && o.user_config_dir.empty();
}

constexpr std::string_view in_the_clear =
    "set ssl_enable=YES, or passwords and files travel in the clear";
constexpr std::string_view no_writing = "set write_enable=YES, or nobody can write";

// clang-format off
constexpr Pair table[] = {
    // what protects, and does not
    {"implicit_ssl",           [](O o) { return o.implicit_ssl && !o.ssl_enable; },
     "implicit_ssl=YES has no effect without ssl_enable=YES", in_the_clear},
    {"require_cert",           [](O o) { return o.require_cert && !o.ssl_enable; },
     "require_cert=YES has no effect without ssl_enable=YES", in_the_clear},
    {"force_anon_logins_ssl",  [](O o) { return o.force_anon_logins_ssl && !o.ssl_enable; },
     "force_anon_logins_ssl=YES has no effect without ssl_enable=YES", in_the_clear},
    {"force_anon_data_ssl",    [](O o) { return o.force_anon_data_ssl && !o.ssl_enable; },
     "force_anon_data_ssl=YES has no effect without ssl_enable=YES", in_the_clear},
    {"force_local_logins_ssl", [](O o) { return o.force_local_logins_ssl && !o.ssl_enable; },
     "force_local_logins_ssl=YES has no effect without ssl_enable=YES", in_the_clear},
    {"force_local_data_ssl",   [](O o) { return o.force_local_data_ssl && !o.ssl_enable; },
     "force_local_data_ssl=YES has no effect without ssl_enable=YES", in_the_clear},
    {"require_cert",           [](O o) { return o.ssl_enable && o.require_cert && !o.validate_cert; },
     "require_cert=YES without validate_cert=YES takes any certificate",
     "set validate_cert=YES and ca_certs_file, or a client may have made its own"},
    {"validate_cert",          [](O o) { return o.ssl_enable && o.validate_cert && o.ca_certs_file.empty(); },
     "validate_cert=YES without ca_certs_file finds no certificate valid",
     "set ca_certs_file to the certificates of those who signed the clients'"},
    {"userlist_deny",          [](O o) { return !o.userlist_deny && !o.userlist_enable; },
     "userlist_deny=NO has no effect without userlist_enable=YES",
     "set userlist_enable=YES, or users who are not in userlist_file can log in"},
    {"no_anon_password",       [](O o) { return o.anonymous_enable && o.no_anon_password && o.deny_email_enable; },
     "no_anon_password=YES asks for no e-mail address, so deny_email_enable=YES bans nobody",
     "set no_anon_password=NO"},

    // what keeps everybody out
    {"no_anon_password",       [](O o) { return o.anonymous_enable && o.no_anon_password && o.secure_email_list_enable; },
     "no_anon_password=YES asks for no e-mail address, so none is in email_password_file",
     "set no_anon_password=NO, or no anonymous user can log in"},
    {"force_anon_data_ssl",    [](O o) { return o.ssl_enable && o.anonymous_enable && o.force_anon_data_ssl &&
                                                !o.allow_anon_ssl && !o.force_anon_logins_ssl; },
     "force_anon_data_ssl=YES needs a TLS that anonymous users may not use", "set allow_anon_ssl=YES"},
    {"pasv_enable",            [](O o) { return !o.pasv_enable && !o.port_enable; },
     "pasv_enable=NO and port_enable=NO leave no way to transfer anything", "set pasv_enable=YES"},

    // what has no effect
    {"anon_upload_enable",      [](O o) { return o.anon_upload_enable && may_not_write(o); },
     "anon_upload_enable=YES has no effect without write_enable=YES", no_writing},
    {"anon_mkdir_write_enable", [](O o) { return o.anon_mkdir_write_enable && may_not_write(o); },
     "anon_mkdir_write_enable=YES has no effect without write_enable=YES", no_writing},
    {"anon_other_write_enable", [](O o) { return o.anon_other_write_enable && may_not_write(o); },
     "anon_other_write_enable=YES has no effect without write_enable=YES", no_writing},
    {"virtual_use_local_privs", [](O o) { return o.virtual_use_local_privs && !o.guest_enable && o.user_config_dir.empty(); },
     "virtual_use_local_privs=YES has no effect without guest_enable=YES",
     "set guest_enable=YES if users are virtual ones"},
    {"max_per_ip",              [](O o) { return o.max_clients != 0 && o.max_per_ip > o.max_clients; },
     "max_per_ip above max_clients has no effect", "max_clients holds for all addresses together"},
    {"connect_from_port_20",    [](O o) { return o.connect_from_port_20 && o.ftp_data_port == 0; },
     "connect_from_port_20=YES has no effect with ftp_data_port=0", "remove ftp_data_port; 20 is its default"},
    {"xferlog_std_format",      [](O o) { return o.xferlog_std_format && !o.xferlog_enable && !o.dual_log_enable; },
     "xferlog_std_format=YES has no effect without xferlog_enable=YES", "set xferlog_enable=YES, or nothing is logged"},
    {"log_ftp_protocol",        [](O o) { return o.log_ftp_protocol && !has_own_log(o); },
     "log_ftp_protocol=YES has no effect without a log of vsftpd's own format",
     "set xferlog_enable=YES, and xferlog_std_format=NO or dual_log_enable=YES"},
};
// clang-format on

}  // namespace

std::span<const Pair> pairs() { return table; }

}  // namespace config
