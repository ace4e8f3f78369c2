// SPDX-License-Identifier: MIT
// A vsftpd.conf from the field, on a machine with everything that it names: paths below the
// sandbox's own folder, certificates, lists and users made, and what a client of it can do.
#pragma once

#include "config/options.hpp"
#include "config/problem.hpp"
#include "tests/sessions/server.hpp"

#include <string>

namespace sessions {

inline const Account tester{"tester", 2200, "testpw"};

// What the text sets; its problems, where somebody wants them.
[[nodiscard]] config::Options options_of(const std::string& text);
[[nodiscard]] config::Options options_of(const std::string& text, config::Problems& problems);

// Makes what the file names and returns its lines, with their paths and the listener's addresses
// moved into the sandbox. Everything else is as the file says.
[[nodiscard]] Lines furnished(const std::string& text);

// How it is started, at the file's own port, by an inetd where the file has no listener; but not in
// the background.
[[nodiscard]] Setup setup_for(const config::Options& options, Program program);

// What a client sees, one thing a line: greeting, login, folders, a download, uploads, a listing,
// each as vsftpd would have said it; then what became of the uploads.
struct Seen {
    Lines of_local;      // as tester; empty when the file lets nobody but anonymous users in
    Lines of_anonymous;  // the same for them
};
[[nodiscard]] Seen seen_by_clients(const Server& server, const config::Options& options);

// What must work, by the options alone.
struct Expected {
    bool login = false;
    bool download = false;
    bool upload = false;  // into a folder that is the user's
};
[[nodiscard]] Expected expected_of_local(const config::Options& options);
[[nodiscard]] Expected expected_of_anonymous(const config::Options& options);

}  // namespace sessions
