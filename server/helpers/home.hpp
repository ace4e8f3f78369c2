// SPDX-License-Identifier: MIT
// Opens what a decision decided, with the user's rights; runs in the authenticator's children and
// in helpers, as root.
#pragma once

#include "base/fd.hpp"
#include "helpers/jail_decision.hpp"
#include "jail/identity.hpp"

#include <string>

namespace helpers {

struct Home {
    base::Fd root;            // O_PATH; "/" of the host for one who is not jailed
    std::string root_path;    // on the host
    std::string start = "/";  // inside the root
};

// A directory that could not be entered: its path as vsftpd would name it, and for the
// administrator all that there is to say about it.
struct NoHome {
    std::string path;
    std::string reason;
};

template <typename T>
using OrNoHome = boost::outcome_v2::basic_result<T, NoHome, boost::outcome_v2::policy::terminate>;

[[nodiscard]] OrNoHome<Home> open_home(const Decision& decision, const jail::Identity& user);

// Empty when the user cannot write into the directory; else its path, owner, mode, and what the
// administrator can do. option_helps: allow_writeable_chroot=YES would.
[[nodiscard]] std::string writable_root_hint(const Home& home, const jail::Identity& user,
                                             bool option_helps);

}  // namespace helpers
