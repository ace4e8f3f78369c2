// SPDX-License-Identifier: MIT
// What a logged-in account gets: the finished plan of one session, made by an authenticator or
// helper, read by the session, never looked into by the supervisor. Travels in a sealed memfd, so
// its size has no limit that a message would have.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace ipc {

// As setrlimit(2) has it.
struct Limit {
    std::int32_t resource = 0;
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;

    bool operator==(const Limit&) const = default;
};

struct Bind {
    std::string target;  // inside the root
    bool writable = false;

    bool operator==(const Bind&) const = default;
};

struct Admission {
    std::string user;  // the login name that the client and the logs see
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
    std::vector<Limit> limits;    // of this account, by session modules of PAM
    mode_t umask = 0;             // the same: what local_umask or anon_umask is at least
    bool anonymous = false;       // a genuine anonymous login
    bool guest = false;           // mapped to guest_username
    bool by_certificate = false;  // logged in at USER: 232 (RFC 2228)
    bool anonymous_rights =
        false;  // anon_* options rule (anonymous, or guest without virtual_use_local_privs)
    bool jailed = false;                // else the root directory is the host's "/"
    bool root_is_mount = false;         // the root directory comes as a detached mount of its own
    bool root_read_only = false;        // that mount is
    std::vector<Bind> binds;            // mounts that come along, in this order
    bool writable_root_allowed = true;  // false: refuse when access(2) says that "/" is writable
    std::string root;                   // the root directory's path on the host, for messages only
    std::string start;                  // directory inside the root to start in ("/" mostly)
    bool start_may_fail = true;         // then the session starts in the root instead of ending
    std::string home;                   // what ~ means inside the root
    std::string password_shown;         // anonymous: the e-mail address given, for xferlog
    std::string overrides;              // options of this user: "name=value\0" each (config::apply)
    std::string writable_root_hint;     // directory, owner, mode and the ways out; for the log
};

// One form, both ways. Everything is checked on reading: the session trusts nobody's lengths.
[[nodiscard]] std::string serialise(const Admission& admission);
[[nodiscard]] base::Result<Admission> parse_admission(std::string_view bytes);

// A sealed memfd (nobody can change or resize it) holding the bytes, and back. Reading stops with
// an error above `limit` bytes.
[[nodiscard]] base::Result<base::Fd> sealed(std::string_view bytes, const char* name);
[[nodiscard]] base::Result<std::string> read_sealed(const base::Fd& memory,
                                                    std::size_t limit = 4 << 20);

}  // namespace ipc
