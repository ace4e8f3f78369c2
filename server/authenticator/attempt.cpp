// SPDX-License-Identifier: MIT
// One login attempt; runs in a child of the authenticator.
#include "authenticator/attempt.hpp"

#include "authenticator/crypt_calls.hpp"
#include "authenticator/hash.hpp"
#include "authenticator/pam.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "broker/address.hpp"
#include "config/cert_users.hpp"
#include "config/name_list.hpp"
#include "helpers/admission.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace authenticator {

using base::Fd;
using helpers::Account;
using helpers::OrRefusal;
using helpers::Refusal;

namespace {

using std::chrono::microseconds;

microseconds cpu_time(__rusage_who who) {
    rusage usage{};
    (void)::getrusage(who, &usage);
    microseconds total{0};
    for (const auto& each : {usage.ru_utime, usage.ru_stime})
        total += std::chrono::seconds(each.tv_sec) + microseconds(each.tv_usec);
    return total;
}

// A little less than a whole one is one.
int hashes_within(microseconds time, microseconds of_one) {
    if (of_one.count() <= 0) return 0;
    return static_cast<int>(std::min<std::int64_t>((time + of_one / 4) / of_one, most_in_pam));
}

// Whoever holds an address can give it any name: one that does not lead back to it is none.
std::string name_of(const ipc::Address& peer) {
    char name[NI_MAXHOST];
    if (::getnameinfo(&peer.any, broker::length(peer), name, sizeof name, nullptr, 0,
                      NI_NAMEREQD) != 0)
        return {};
    addrinfo hints{};
    hints.ai_family = peer.any.sa_family;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(name, nullptr, &hints, &found) != 0) return {};
    bool leads_back = false;
    for (const auto* each = found; each != nullptr; each = each->ai_next) {
        ipc::Address address{};
        std::memcpy(&address, each->ai_addr,
                    std::min<std::size_t>(each->ai_addrlen, sizeof address));
        leads_back = leads_back || broker::same_host(address, peer);
    }
    ::freeaddrinfo(found);
    return leads_back ? name : std::string{};
}

// Where the client is, for PAM: pam_access and the like know nothing of IPv4 in IPv6.
std::string remote_host(const config::Options& options, const ipc::Address& peer) {
    auto address = broker::as_family(peer, AF_INET);
    if (address.any.sa_family != AF_INET) address = peer;
    if (options.reverse_lookup_enable) {
        if (auto name = name_of(address); !name.empty()) return name;
    }
    return broker::to_text(address);
}

Refusal wrong(std::string reason) { return {{}, std::move(reason), true}; }

// Without a password: a certificate has taken its place.
OrRefusal<Account> check_tenant(const config::Tenant& tenant, const Secret* given,
                                const Costs& costs) {
    Account account;
    account.kind = Account::Kind::tenant;
    account.name = tenant.name;
    account.tenant = &tenant;
    if (given == nullptr) {
        if (tenant.password.empty() || tenant.password.front() == '!')
            return wrong("the tenant is locked");
        return account;
    }
    const auto& password = *given;
    switch (match(password, tenant.password)) {
        case Match::yes:
            break;
        case Match::no:
            return wrong("wrong password of a tenant");
        case Match::locked:
            burn(password, costs.tenants);
            return wrong("the tenant is locked");
        case Match::impossible:
            burn(password, costs.tenants);
            return wrong(
                "the tenant's hash is malformed, or the C library does not know its "
                "method; make a new one with \"jailftpd passwd\"");
    }
    return account;
}

// PAM makes none for an unknown name or a locked password; that is made up for.
void burn_from(int made, const Secret& password, const Costs& costs) {
    for (int i = made; i < costs.in_pam; ++i) burn(password, costs.system);
}

OrRefusal<Account> check_system_user(const config::Options& options, const std::string& name,
                                     const Secret* password, const ipc::Address& peer, Costs& costs,
                                     Lasting& lasting) {
    const auto host = remote_host(options, peer);
    if (password == nullptr) {
        if (auto why = objection(options.pam_service_name, name); !why.empty())
            return wrong(std::move(why));
    }
    const auto helpers_before = cpu_time(RUSAGE_CHILDREN);
    const int made_before = hashes_made();
    auto answer = check_with_pam(options.pam_service_name, name, password, host,
                                 options.session_support ? Session::open : Session::none);
    // Those of pam_unix's helper can be told only by the time that it takes.
    const int made =
        std::min(hashes_made() - made_before +
                     hashes_within(cpu_time(RUSAGE_CHILDREN) - helpers_before, costs.of_system),
                 most_in_pam);
    // By steps: one account with a hash of its own kind says little about the others.
    if (password != nullptr && made > 0)
        costs.in_pam += (made > costs.in_pam) - (made < costs.in_pam);
    if (answer.accepted) {
        Account account;
        account.name = std::move(answer.name);
        account.more_groups = std::move(answer.groups);
        for (const auto& each : answer.limits)
            account.limits.push_back({each.resource, each.soft, each.hard});
        account.umask = answer.umask;
        lasting.pam = std::move(answer.session);
        return account;
    }
    if (password != nullptr) burn_from(made, *password, costs);
    return wrong(explain(answer, options.pam_service_name, name, options.guest_enable));
}

OrRefusal<Account> check(const config::Configuration& configuration, Costs& costs,
                         const ipc::Login& login, Lasting& lasting) {
    const std::string name(login.user.view());
    const Secret password(login.password.view());
    const auto& options = configuration.options;
    if (!may_be_a_name(name) || password.has_nul()) {
        if (options.local_enable)
            burn_from(0, password, costs);
        else
            burn(password, costs.tenants);
        return wrong(name.empty() ? "no name, or name or password longer than 128 bytes"
                                  : "name or password has bytes that are not allowed in them");
    }
    const auto* given = login.by_certificate != 0 ? nullptr : &password;
    if (given != nullptr && login.has_password == 0) return wrong("no password was given");
    // The greeter has refused listed users before; but it is not to be believed.
    if (options.userlist_enable) {
        const auto list = config::NameList::read(options.userlist_file);
        if (!list)
            return Refusal{"cannot read user list file:" + options.userlist_file,
                           list.error().text()};
        if (list.value().contains(name) == options.userlist_deny) {
            burn(password, costs.tenants);
            return wrong("refused by userlist_file");
        }
    }
    if (const auto* tenant = config::find_tenant(configuration, name))
        return check_tenant(*tenant, given, costs);
    if (options.local_enable)
        return check_system_user(options, name, given, login.peer, costs, lasting);
    burn(password, costs.tenants);
    return wrong("no such tenant (and local_enable=NO)");
}

// A certificate is only worth something to those whom it names.
bool names_user(const config::Configuration& configuration, const ipc::Login& login) {
    if (configuration.native.cert_username_field.empty()) return false;
    const auto names = base::split(login.names.view(), '\0');
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
        return !name.empty() && config::is_certificate_of(configuration, name, login.user.view());
    });
}

ipc::LoginAnswer ask_for_password(const ipc::Login& login) {
    std::string names(login.names.view());
    if (names.ends_with('\0')) names.pop_back();
    std::replace(names.begin(), names.end(), '\0', ' ');
    ipc::LoginAnswer answer{};
    answer.id = login.id;
    answer.account = login.account;
    answer.outcome = ipc::Outcome::needs_password;
    answer.user = login.user;
    answer.reason.assign("the certificate is not this user's" +
                         (names.empty() ? names : ", its names: " + names));
    return answer;
}

}  // namespace

Costs measure_costs(const config::Configuration& configuration) {
    Costs costs;
    std::vector<std::string> hashes;
    for (const auto& tenant : configuration.tenants) hashes.push_back(tenant.password);
    costs.tenants = usual_setting(hashes);
    hashes = system_hashes();
    costs.system = usual_setting(hashes);
    for (auto& each : hashes) ::explicit_bzero(each.data(), each.size());
    const Secret any("password");
    burn(any, costs.system);  // the first one also loads what the next ones have
    // The least of several: one that is too long would make those of a helper look fewer for ever.
    costs.of_system = microseconds::max();
    for (int i = 0; i < 3; ++i) {
        const auto before = cpu_time(RUSAGE_SELF);
        burn(any, costs.system);
        costs.of_system = std::min(costs.of_system, cpu_time(RUSAGE_SELF) - before);
    }
    return costs;
}

bool may_be_a_name(std::string_view name) {
    const auto alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    if (name.empty() || name.size() > ipc::longest_name) return false;
    if (!alphanumeric(name.front()) && name.front() != '_' && name.front() != '.') return false;
    return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

ipc::LoginAnswer attempt(const config::Configuration& server, Costs& costs, const ipc::Login& login,
                         const helpers::Mounting& mount, std::vector<Fd>& descriptors,
                         Lasting& lasting) {
    // A copy of thousands of tenants, but only where a connection has options of its own.
    std::optional<config::Configuration> own;
    if (login.overrides.length > 0) {
        auto made = config::for_connection(server, login.overrides.view());
        if (!made)
            return helpers::to_answer(login, {}, Refusal{made.error().what, {}}, descriptors);
        own = std::move(made.value());
    }
    const auto& configuration = own ? *own : server;
    if (login.by_certificate != 0 && !names_user(configuration, login))
        return ask_for_password(login);
    auto account = check(configuration, costs, login, lasting);
    if (!account) {
        Account nobody;
        nobody.name = login.user.view();
        return helpers::to_answer(login, nobody, account.error(), descriptors);
    }
    auto result = helpers::admit(configuration, account.value(), mount);
    if (result) {
        for (const auto& warning : result.value().warnings) base::log::warning(warning);
        if (configuration.options.session_support)
            lasting.record = std::make_unique<LoginRecord>(
                account.value().name, remote_host(configuration.options, login.peer), login.peer);
    } else {
        lasting = {};
    }
    return helpers::to_answer(login, account.value(), std::move(result), descriptors);
}

}  // namespace authenticator
