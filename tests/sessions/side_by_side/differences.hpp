// SPDX-License-Identifier: MIT
// Where jailftpd deliberately answers otherwise than vsftpd. Each has its reason, for
// administrators, in packaging/MIGRATING.md under the same name; a test compares the two.
#pragma once

#include <string>
#include <vector>

namespace sessions {

class Difference {
  public:
    explicit Difference(const char* name) : name_(name) { all().push_back(name); }
    Difference(const Difference&) = delete;
    Difference& operator=(const Difference&) = delete;
    [[nodiscard]] const std::string& name() const { return name_; }

    // The names of all that there are.
    static std::vector<std::string>& all() {
        static std::vector<std::string> names;
        return names;
    }

  private:
    std::string name_;
};

namespace different {

// clang-format off
inline const Difference greeting        {"Greeting and version"};
inline const Difference reasons         {"Reasons in refusals"};
inline const Difference modern          {"Modern commands"};
inline const Difference no_session      {"Right password, no session"};
inline const Difference planted_links   {"Links to the root directory"};
inline const Difference at_start        {"Errors at start"};
inline const Difference empty_root      {"secure_chroot_dir"};
inline const Difference as_root         {"Nobody is served as root"};
inline const Difference launching_user  {"run_as_launching_user"};
inline const Difference line_ends       {"DOS line ends in messages"};
inline const Difference paths           {"Paths in replies and logs"};
inline const Difference names_in_logs   {"Names in logs"};
inline const Difference protocol_log    {"log_ftp_protocol"};
inline const Difference abor            {"ABOR in transfers"};
inline const Difference syslog_connect  {"CONNECT in syslog"};
inline const Difference stou            {"STOU in logs"};
inline const Difference no_numbers      {"Numbers that are none"};
inline const Difference no_address      {"Addresses that are none"};
inline const Difference old_spellings   {"Old spellings"};
inline const Difference names_in_jails  {"Names in a jail"};
inline const Difference utc             {"MDTM in UTC"};
inline const Difference no_dates        {"Dates that are none"};
inline const Difference text_sizes      {"Sizes of text"};
inline const Difference folder_times    {"Times of folders"};
inline const Difference dangling_links  {"Links that lead nowhere"};
inline const Difference missing         {"Listing what is missing"};
inline const Difference recursion       {"Recursive listings"};
inline const Difference patterns        {"Patterns look at names"};
inline const Difference below_denied    {"deny_file and what is below"};
inline const Difference early_changes   {"Uploads that never began"};
inline const Difference deleted_uploads {"delete_failed_uploads"};
inline const Difference full_disk       {"Full disks"};
inline const Difference pasv_over_ipv6  {"PASV over IPv6"};
inline const Difference rest_beyond     {"REST beyond the end"};
inline const Difference rest_in_text    {"Resuming in TYPE A"};
inline const Difference unsorted        {"LIST -U"};
inline const Difference rest_and_list   {"REST and listings"};
inline const Difference tls_data        {"TLS of data connections"};
inline const Difference key_exchange    {"Key exchanges of TLS"};
inline const Difference tls_log         {"TLS in logs"};
inline const Difference ccc             {"CCC"};
inline const Difference behind_auth     {"Lines behind AUTH"};
// clang-format on

}  // namespace different
}  // namespace sessions
