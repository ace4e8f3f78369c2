// SPDX-License-Identifier: MIT
// Whom a login name means; runs as root, in no process of the server.
#include "proof/account.hpp"

#include "base/text.hpp"
#include "config/name_list.hpp"

#include <cerrno>
#include <cstring>

#include <pwd.h>

namespace proof {

using base::Error;
using base::Result;
using Kind = helpers::Account::Kind;

namespace {

bool is_anonymous(const config::Options& options, std::string_view name) {
    return options.anonymous_enable &&
           (base::equal_ignoring_case(name, "anonymous") || base::equal_ignoring_case(name, "ftp"));
}

Result<void> check_user_list(const config::Options& options, std::string_view name) {
    if (!options.userlist_enable) return base::success();
    TRY(const auto list, config::NameList::read(options.userlist_file));
    if (list.contains(name) != options.userlist_deny) return base::success();
    return Error{"user " + base::escaped(name) + " is refused by " + options.userlist_file +
                 " (userlist_enable, userlist_deny)"};
}

Result<Subject> system_user(const config::Options& options, Subject subject) {
    const auto& name = subject.account.name;
    if (!options.local_enable)
        return Error{"there is no tenant " + base::escaped(name) +
                     ", and system users cannot log in (local_enable=NO)"};
    subject.remarks.push_back("PAM (" + options.pam_service_name +
                              ") was not asked: it says who may log in, and its session modules "
                              "may add groups, limits and a umask");
    if (options.guest_enable) {
        subject.kind = "a guest, who is " + options.guest_username + " of the system";
        return subject;
    }
    errno = 0;
    const auto* entry = ::getpwnam(name.c_str());
    if (entry == nullptr) {
        const bool absent = errno == 0 || errno == ENOENT || errno == ESRCH;
        return Error{"unknown user " + base::escaped(name) + ": " +
                     (absent ? "neither a tenant nor in the user database" : std::strerror(errno))};
    }
    subject.account.name = entry->pw_name;
    subject.kind = "a system user";
    return subject;
}

// The jail is also tried without mounts, which a server would refuse for such an account.
helpers::OrRefusal<helpers::Admitted> admit_without_binds(config::Configuration configuration,
                                                          helpers::Account account) {
    configuration.groups.clear();
    config::Tenant tenant;
    if (account.tenant != nullptr) {
        tenant = *account.tenant;
        tenant.confinement = {};
        account.tenant = &tenant;
    }
    return helpers::admit(configuration, account);
}

}  // namespace

Result<Subject> subject(const config::Configuration& configuration, std::string_view name) {
    const auto& options = configuration.options;
    TRY(check_user_list(options, name));
    Subject subject;
    if (is_anonymous(options, name)) {
        subject.account.kind = Kind::anonymous;
        subject.account.name = options.ftp_username;
        subject.kind =
            config::without_root(options)
                ? "an anonymous login, which is the launching user"
                : "an anonymous login, which is " + options.ftp_username + " of the system";
        return subject;
    }
    subject.account.name = name;
    subject.account.tenant = config::find_tenant(configuration, name);
    if (subject.account.tenant == nullptr) return system_user(options, std::move(subject));
    subject.account.kind = Kind::tenant;
    subject.kind = "a tenant, " + subject.account.tenant->place;
    return subject;
}

Result<helpers::Admitted> let_in(const config::Configuration& configuration,
                                 const helpers::Account& account) {
    auto admitted = configuration.native.mounts ? helpers::admit(configuration, account)
                                                : admit_without_binds(configuration, account);
    if (admitted) return std::move(admitted.value());
    const auto& refusal = admitted.error();
    return Error{"the login of " + base::escaped(account.name) +
                 " is refused: " + (refusal.reason.empty() ? refusal.client_text : refusal.reason)};
}

}  // namespace proof
