// SPDX-License-Identifier: MIT
// A machine of its own for whole sessions: namespaces with a loopback, a private /etc with test
// accounts, /run, /dev and /var/log, homes on a tmpfs. Nothing of the real machine changes and any
// port is free.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace sessions {

// An account in the sandbox's passwd.
struct Account {
    std::string name;
    uid_t uid;
    std::string password;
};

// clang-format off
//                                name       uid   password
inline const Account alice      {"alice",    2001, "wonderland"};   // also in groups team and web
inline const Account bob        {"bob",      2002, "builder"};
inline const Account locked     {"locked",   2003, "secret"};       // right password, account locked
inline const Account expired    {"expired",  2004, "secret"};       // right password, account expired
inline const Account no_shell   {"noshell",  2005, "secret"};       // nologin, not in /etc/shells
inline const Account homeless   {"homeless", 2006, "secret"};       // its home does not exist
inline const Account denied     {"denied",   2007, "secret"};       // in /etc/ftpusers
inline const Account dotted     {"dotted",   2008, "secret"};       // home ends in /./inside
inline const Account ftp_user   {"ftp",      2100, "!"};
inline const Account virtual_user{"virtual", 2101, "!"};            // guests' and tenants' uid
// clang-format on
inline constexpr gid_t team = 3001;
inline constexpr gid_t web = 3002;

// Called once, first thing. The caller goes on in the sandbox, as one process of a new pid
// namespace; the process that called waits outside and ends with the same exit code. Returns the
// reason where there can be no sandbox.
[[nodiscard]] std::string enter_sandbox();

// Accounts and homes as they were at first, and nothing else: each test starts so.
void refurnish();

// Below the sandbox's tmpfs: everything a test makes is here.
[[nodiscard]] std::filesystem::path place(std::string_view name = {});
[[nodiscard]] std::filesystem::path home_of(const Account& account);

// Files, as root.
void write_file(const std::filesystem::path& path, std::string_view content);
void write_file(const std::filesystem::path& path, std::string_view content, uid_t owner,
                mode_t mode = 0644);
[[nodiscard]] std::string content_of(const std::filesystem::path& path);  // "(none)"
void make_folder(const std::filesystem::path& path, uid_t owner = 0, mode_t mode = 0755);
[[nodiscard]] mode_t mode_of(const std::filesystem::path& path);
[[nodiscard]] uid_t owner_of(const std::filesystem::path& path);

// A file system of so many bytes, mounted there for the rest of this test; more: ",OPTION=VALUE".
void mount_small(const std::filesystem::path& path, std::size_t bytes, uid_t owner,
                 const std::string& more = {});

// sha512-crypt with few rounds, so that tests do not wait for it.
[[nodiscard]] std::string hash_of(const std::string& password);

// Text that cannot be guessed or compressed, always the same for the same seed.
[[nodiscard]] std::string noise(std::size_t bytes, unsigned seed = 1);

}  // namespace sessions
