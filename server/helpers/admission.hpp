// SPDX-License-Identifier: MIT
// What an account gets once its password was right: options, identity, root directory; runs in the
// authenticator's children and in helpers, as root.
#pragma once

#include "base/fd.hpp"
#include "config/configuration.hpp"
#include "helpers/jail_decision.hpp"
#include "ipc/admission.hpp"
#include "ipc/requests.hpp"
#include "jail/mounts.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace helpers {

struct Account {
    enum class Kind : unsigned char { system, tenant, anonymous };
    Kind kind = Kind::system;
    std::string name;                        // the login name; anonymous: ftp_username
    const config::Tenant* tenant = nullptr;  // of that kind
    std::vector<gid_t> more_groups;          // that PAM added; a guest does not get them
    std::vector<ipc::Limit> limits;          // what PAM's session modules say, of guests as well
    mode_t umask = 0;
    std::string password_shown;  // anonymous: for the logs
};

struct Refusal {
    std::string client_text;  // what follows "500 OOPS: "
    std::string reason;       // for the administrator: what, whose, which mode, and the ways out
    bool is_wrong = false;    // the client is told no more than that the login is incorrect
};

struct Admitted {
    ipc::Admission admission;
    base::Fd root;                // O_PATH; "/" of the host for one who is not jailed
    std::vector<base::Fd> binds;  // as the admission lists them
    ipc::DataPolicy data{};
    ipc::Grants grants{};
    ipc::Cgroup cgroup{};
    std::vector<std::string> warnings;  // of the user's own file
};

template <typename T>
using OrRefusal = boost::outcome_v2::basic_result<T, Refusal, boost::outcome_v2::policy::terminate>;

// Makes a detached mount of a directory (jail/mounts.hpp).
using Mounting =
    std::function<base::Result<base::Fd>(const base::Fd& directory, const jail::MountFlags&)>;

[[nodiscard]] OrRefusal<Admitted> admit(const config::Configuration& configuration,
                                        const Account& account,
                                        const Mounting& mount = jail::detached_mount);

// Users that options name (ftp_username, guest_username) are the same for one login after the
// other, and each look-up goes through files and services: so long an answer is taken for the next
// one's.
void remember_users_for(std::chrono::milliseconds time);

// What the broker may do for a session with these options.
[[nodiscard]] ipc::DataPolicy data_policy(const config::Options& options);

// The message for the supervisor; what an admission brings along is appended to the descriptors.
[[nodiscard]] ipc::LoginAnswer to_answer(const ipc::Login& login, const Account& account,
                                         OrRefusal<Admitted> result,
                                         std::vector<base::Fd>& descriptors);

}  // namespace helpers
