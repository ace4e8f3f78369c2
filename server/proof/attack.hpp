// SPDX-License-Identifier: MIT
// Ways out of a jail, as a table; each is tried in a process of its own that stands in the jail, as
// code would that has taken a session over. Knows nothing of FTP.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "jail/rights.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <sys/types.h>

namespace proof {

// What there is to be reached, put there by the self-test before.
struct Scene {
    // On the host, outside of the jail.
    std::string outside;         // a folder that everybody may write to
    std::string secret;          // a file in it that everybody may read
    std::string private_secret;  // one that only root may read; empty: root has put up nothing here
    std::string token;           // what is in both
    std::string socket;          // a listening socket in the folder
    std::string abstract_name;   // and one without a place
    std::vector<char> handle;    // of the secret, for open_by_handle_at(2)
    std::uint16_t tcp_port = 0;  // somebody listens there on 127.0.0.1
    std::uint16_t tcp6_port = 0;  // and there on ::1; 0: no IPv6
    std::uint16_t udp_port = 0;
    key_t key = 0;      // of shared memory, semaphores and a queue (SysV)
    std::string queue;  // POSIX's
    pid_t supervisor = 0;
    pid_t sibling = 0;  // another session of the same user, in such a jail
    std::string host_name;

    // Below the jail's root: a folder that is the user's, with "program" and "set-uid" (they end
    // with program_ran, or set_uid_ran), "absolute" and "relative" (links to the secret), "race"
    // and "deep" (see the attacks). Empty for who has no files.
    std::string inside;
    struct stat program {};     // of who started the self-test: what is started is compared with
    struct stat set_uid {};     // them, because others may put something else under their names
    bool movable = false;       // "deep" can be moved into the folder outside
    jail::FileRights rights{};  // what may be done there

    // Its own process's.
    int handed_socket = -1;  // TCP, connected, of the host's network
    int home = -1;           // the root directory, where that is not "/"
};

// The same folders, for who stands on the host.
struct Folders {
    int inside;
    int outside;
};

inline constexpr int program_ran = 43;  // exit codes
inline constexpr int set_uid_ran = 42;  // the same, as root

enum class Group : unsigned char { beneath, files, privileges, processes, network, handed, kernel };

struct Attack {
    const char* name;
    // Success means that it got out.
    base::Result<void> (*carry_out)(const Scene&);
    // Does it make sense? null: always.
    bool (*applies)(const Scene&) = nullptr;
    // What somebody on the host does meanwhile, again and again.
    void (*meanwhile)(const Folders&) = nullptr;
    int exit_code = 0;   // of a program that it starts: then it got out
    bool freed = false;  // the socket is handed over disconnected, as if there were a way to that
};

struct Chapter {
    Group group;
    const char* title;
    std::span<const Attack> attacks;
};

[[nodiscard]] std::span<const Chapter> chapters();

// One per group; each in a file of its own.
[[nodiscard]] std::span<const Attack> attacks_by_paths();
[[nodiscard]] std::span<const Attack> attacks_on_files();
[[nodiscard]] std::span<const Attack> attacks_on_privileges();
[[nodiscard]] std::span<const Attack> attacks_on_processes();
[[nodiscard]] std::span<const Attack> attacks_on_network();
[[nodiscard]] std::span<const Attack> attacks_by_handed_socket();
[[nodiscard]] std::span<const Attack> attacks_on_kernel();

// ----- what attacks are made of

// The answer of a system call: -1 is an error.
[[nodiscard]] base::Result<int> checked(long result, const char* what);

// Success if the token is in the file.
[[nodiscard]] base::Result<void> expect_token(const Scene& scene, const base::Fd& file);
[[nodiscard]] base::Result<void> read_token(const Scene& scene, int folder,
                                            const std::string& path);
[[nodiscard]] base::Result<void> read_token(const Scene& scene, const std::string& path);

}  // namespace proof
