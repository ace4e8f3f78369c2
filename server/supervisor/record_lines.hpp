// SPDX-License-Identifier: MIT
// What is logged about clients, and the lines that the log files have for it; runs in the
// supervisor, as root. Text in, text out: the same bytes as vsftpd 3.0.3, but names are escaped, so
// that no client can forge a line or a field.
#pragma once

#include "ipc/requests.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

namespace supervisor {

// One thing that happened. All text but `client` may be whatever a client sent.
struct Entry {
    enum class Kind : std::uint8_t {
        connect,
        refused_too_many,  // max_clients
        refused_per_ip,    // max_per_ip
        refused_by_rule,   // tcp_wrappers
        refused_crashing,  // its sessions crashed too often
        login,
        download,
        upload,
        mkdir,
        rmdir,
        rename,
        chmod,
        remove,
        command,
        response,
        debug,
        died,  // log_die: the reason is what followed "500 OOPS: "; for syslog
    };

    Kind kind = Kind::connect;
    std::chrono::system_clock::time_point time{};
    pid_t pid = 0;              // of the client's process, as the host sees it
    std::uint64_t session = 0;  // 0: there was none
    std::string user;           // empty: not known yet
    std::string client;         // address
    bool anonymous = false;
    bool guest = false;
    std::string shown_password;  // anonymous: the e-mail address
    std::string certificate;     // whose subject stood for a password
    bool success = false;
    std::string reason;  // of a failed login or transfer; never in vsftpd.log
    std::string remark;  // the same, but for vsftpd.log (userlist_log)
    std::string path;    // also the command or the reply
    std::string second;  // rename: the new name; chmod: the mode
    std::uint64_t bytes = 0;
    bool has_size = false;  // bytes and duration mean something
    std::chrono::microseconds duration{};
    bool ascii = false;
};

// None for what is not logged here.
[[nodiscard]] std::optional<Entry::Kind> kind_of(ipc::Event event);

[[nodiscard]] bool is_transfer(Entry::Kind kind);

// vsftpd's own format without date and pid, as syslog has it:
//   [alice] OK UPLOAD: Client "192.0.2.1", "/up load", 3 bytes, 8.32Kbyte/sec
[[nodiscard]] std::string own_text(const Entry& entry);
// With them, as vsftpd.log has it. No format has its newline here.
[[nodiscard]] std::string own_line(const Entry& entry);

// wu-ftpd's format, for transfers:
//   Mon Nov 23 22:50:48 2026 1 192.0.2.1 3 /up_load b _ i r alice ftp 0 * c
[[nodiscard]] std::string xferlog_line(const Entry& entry);

// One JSON object (RFC 8259), valid whatever the names are: bytes that are not UTF-8 become U+FFFD,
// and the name comes again in hexadecimal, as path_hex and so on.
[[nodiscard]] std::string json_line(const Entry& entry);

// In place of lines that could not be written.
[[nodiscard]] std::string lost_text(std::uint64_t count);
[[nodiscard]] std::string lost_own_line(std::uint64_t count);
[[nodiscard]] std::string lost_json_line(std::uint64_t count);

}  // namespace supervisor
