// SPDX-License-Identifier: MIT
// Who is jailed, where, and where the session starts: vsftpd's decision table as a pure function;
// used in the authenticator's children and in helpers.
#pragma once

#include "base/result.hpp"
#include "config/options.hpp"

#include <string>
#include <string_view>

namespace helpers {

enum class AccountKind : unsigned char {
    local,      // a system user
    guest,      // mapped to guest_username
    tenant,     // of jailftpd.ini: always jailed, with a system user's rights
    anonymous,  // a genuine anonymous login
};

struct Decision {
    bool jailed = false;
    bool anonymous_rights = false;       // anon_* options rule
    bool writable_root_allowed = false;  // allow_writeable_chroot
    // Entered one after the other with the user's identity; the second may be relative to the
    // first. The directory that they lead to is the root, or the start of one who is not jailed.
    std::string first;
    std::string second;            // empty: none
    bool second_may_fail = false;  // then the first is it
    // From there on ("/./" in the home), relative; empty: right there. May always fail.
    std::string start;

    bool operator==(const Decision&) const = default;
};

// home: of the passwd entry in force (the guest user's for guests) or the tenant's. listed: the
// login name is in chroot_list_file. Errors: the login name cannot be put into a path.
[[nodiscard]] base::Result<Decision> decide(const config::Options& options, AccountKind kind,
                                            std::string_view name, std::string_view home,
                                            bool listed);

}  // namespace helpers
