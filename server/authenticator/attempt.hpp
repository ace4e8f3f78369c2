// SPDX-License-Identifier: MIT
// One login attempt, from name and password to the answer; runs in a child of the authenticator
// that ends with it.
#pragma once

#include "authenticator/login_record.hpp"
#include "authenticator/pam.hpp"
#include "base/fd.hpp"
#include "config/configuration.hpp"
#include "helpers/admission.hpp"
#include "ipc/requests.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace authenticator {

// What a failure costs: names that exist and names that do not shall take the same time. Made once,
// in the template, and learned from attempts.
struct Costs {
    std::string tenants;  // settings for crypt(3)
    std::string system;
    std::chrono::microseconds of_system{0};  // CPU time of one such hash
    // As many of them as the PAM service makes for a name that exists. (pam_unix that has its
    // helper look at the hash makes one more, to see whether the password is empty.)
    int in_pam = 1;
};
inline constexpr int most_in_pam = 8;

[[nodiscard]] Costs measure_costs(const config::Configuration& configuration);

// vsftpd's rule for names: at most 128 bytes, alphanumeric or '_' or '.' first, nothing that is not
// printable ASCII, and no blank.
[[nodiscard]] bool may_be_a_name(std::string_view name);

// session_support: what is there as long as the session lasts.
struct Lasting {
    std::shared_ptr<Transaction> pam;
    std::unique_ptr<LoginRecord> record;

    [[nodiscard]] explicit operator bool() const { return pam != nullptr || record != nullptr; }
};

// The two descriptors of an admission are appended. What it cost is learned.
[[nodiscard]] ipc::LoginAnswer attempt(const config::Configuration& configuration, Costs& costs,
                                       const ipc::Login& login, const helpers::Mounting& mount,
                                       std::vector<base::Fd>& descriptors, Lasting& lasting);

}  // namespace authenticator
