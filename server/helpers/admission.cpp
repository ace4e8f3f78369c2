// SPDX-License-Identifier: MIT
// From an account to all that its session needs; runs in the authenticator's children and in
// helpers, as root.
#include "helpers/admission.hpp"

#include "base/text.hpp"
#include "config/confinement.hpp"
#include "config/name_list.hpp"
#include "config/user_file.hpp"
#include "helpers/home.hpp"
#include "jail/identity.hpp"
#include "jail/mounts.hpp"
#include "jail/open_beneath.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace helpers {
namespace {

using Kind = Account::Kind;

constexpr const char* try_later = "login service unavailable, please try later";

std::chrono::milliseconds remembered_for{0};

Refusal refused(std::string client_text, const std::string& details = {}) {
    auto reason = details.empty() ? client_text : client_text + " (" + details + ')';
    return {std::move(client_text), std::move(reason)};
}

// ----- options of one's own

struct Own {
    config::Options options;
    std::string overrides;
    std::vector<std::string> warnings;
};

OrRefusal<Own> own_options(const config::Configuration& configuration, const Account& account) {
    Own own;
    own.options = configuration.options;
    // A tenant's record names the home; a local_root for all system users is not meant.
    if (account.kind == Kind::tenant) own.options.local_root.clear();
    auto file = config::read_user_file(own.options.user_config_dir, account.name, ::geteuid());
    for (const auto& problem : file.problems) {
        if (problem.severity == config::Severity::error)
            return Refusal{problem.what, config::to_text(problem)};
        own.warnings.push_back(config::to_text(problem));
    }
    own.overrides = std::move(file.overrides);
    if (account.tenant != nullptr) own.overrides += account.tenant->overrides;
    if (const auto applied = config::apply_overrides(own.options, own.overrides); !applied)
        return refused("bad options for one user", applied.error().text());
    config::do_without_root(own.options);
    const auto& ports = own.options;
    if (!own.overrides.empty() && ports.pasv_max_port != 0 &&
        ports.pasv_min_port > ports.pasv_max_port)
        own.warnings.push_back("pasv_min_port of user " + base::escaped(account.name) +
                               " is above pasv_max_port, which then does not count");
    return own;
}

// Before the user's own options, which cannot jail anybody.
OrRefusal<bool> is_listed(const config::Options& options, const Account& account) {
    if (account.kind != Kind::system || !options.chroot_list_enable) return false;
    const auto list = config::NameList::read(options.chroot_list_file);
    if (!list)
        return refused("could not read chroot() list file:" + options.chroot_list_file,
                       list.error().text());
    return list.value().contains(account.name);
}

// ----- whom it runs as

struct Person {
    AccountKind kind = AccountKind::local;
    jail::Identity identity;
    std::string home;
};

std::vector<gid_t> groups_of(const char* name, gid_t primary) {
    std::vector<gid_t> groups(64);
    for (;;) {
        int count = static_cast<int>(groups.size());
        const int found = ::getgrouplist(name, primary, groups.data(), &count);
        const auto needed = static_cast<std::size_t>(std::max(count, 0));
        if (found >= 0) {
            groups.resize(needed);
            return groups;
        }
        groups.resize(std::max(needed, 2 * groups.size()));
    }
}

OrRefusal<Person> system_person(AccountKind kind, const std::string& name,
                                const std::string& when_missing) {
    errno = 0;
    const auto* entry = ::getpwnam(name.c_str());
    if (entry == nullptr) {
        const bool absent = errno == 0 || errno == ENOENT || errno == ESRCH;
        return refused(when_missing, absent ? "there is no such entry in the user database"
                                            : std::strerror(errno));
    }
    if (entry->pw_uid == 0) {
        Refusal refusal = refused("refusing to run as root", "user " + name + " has uid 0");
        refusal.is_wrong = kind == AccountKind::local;
        return refusal;
    }
    Person person{kind, {entry->pw_uid, entry->pw_gid, {}}, entry->pw_dir};
    person.identity.groups = groups_of(name.c_str(), person.identity.gid);
    return person;
}

struct Remembered {
    AccountKind kind = AccountKind::local;
    std::string name;
    Person person;
    std::chrono::steady_clock::time_point since;
};

std::optional<Remembered>& remembered() {
    static std::optional<Remembered> instance;
    return instance;
}

OrRefusal<Person> named_by_option(AccountKind kind, const std::string& name,
                                  const std::string& when_missing) {
    auto& last = remembered();
    const auto now = std::chrono::steady_clock::now();
    if (!last || last->kind != kind || last->name != name || now - last->since >= remembered_for) {
        BOOST_OUTCOME_TRY(auto person, system_person(kind, name, when_missing));
        last = Remembered{kind, name, std::move(person), now};
    }
    return last->person;
}

// Started without root (run_as_launching_user): there is one uid for all, and what differs is the
// folder. With one of their own anonymous users need no account's.
OrRefusal<Person> person_without_root(const config::Options& options, const Account& account) {
    auto identity = jail::own_identity();
    if (!identity) return refused("cannot look at the own identity", identity.error().text());
    if (account.kind == Kind::tenant)
        return Person{AccountKind::tenant, std::move(identity.value()), account.tenant->home};
    if (account.kind == Kind::system)
        return refused("login service unavailable, please try later",
                       "a system user, and no root to become one");
    auto home = options.anon_root;
    if (const auto* entry = ::getpwnam(options.ftp_username.c_str());
        entry != nullptr && !home.starts_with('/'))
        home = entry->pw_dir;
    return Person{AccountKind::anonymous, std::move(identity.value()), std::move(home)};
}

OrRefusal<Person> person_of(const config::Options& options, const Account& account) {
    if (config::without_root(options)) return person_without_root(options, account);
    switch (account.kind) {
        case Kind::anonymous:
            return named_by_option(
                AccountKind::anonymous, options.ftp_username,
                "vsftpd: cannot locate user specified in 'ftp_username':" + options.ftp_username);
        case Kind::tenant: {
            const auto& tenant = *account.tenant;
            if (tenant.uid == 0) return refused("refusing to run as root", "a tenant with uid 0");
            return Person{
                AccountKind::tenant, {tenant.uid, tenant.gid, tenant.groups}, tenant.home};
        }
        case Kind::system:
            break;
    }
    if (options.guest_enable)
        return named_by_option(AccountKind::guest, options.guest_username,
                               "cannot locate user entry:" + options.guest_username);
    BOOST_OUTCOME_TRY(auto person, system_person(AccountKind::local, account.name,
                                                 "cannot locate user entry:" + account.name));
    auto& groups = person.identity.groups;
    for (const auto group : account.more_groups) {
        if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
    }
    return person;
}

// What the supervisor may do for the session.
OrRefusal<ipc::Grants> grants(const config::Options& options, const ipc::Admission& admission,
                              const base::Fd& root) {
    ipc::Grants result{};
    result.uid = admission.uid;
    result.names = options.text_userdb_names && !options.hide_ids;
    result.homes = options.tilde_user_enable;
    struct stat status {};
    if (::fstat(root.get(), &status) < 0)
        return refused("cannot look at the root directory", std::strerror(errno));
    result.devices[0] = status.st_dev;
    if (!options.chown_uploads || !admission.anonymous_rights) return result;
    const auto* owner = ::getpwnam(options.chown_username.c_str());
    if (owner == nullptr)
        return refused("vsftpd: cannot locate user specified in 'chown_username':" +
                       options.chown_username);
    result.give_away = 1;
    result.new_owner = owner->pw_uid;
    result.new_mode = options.chown_upload_mode & 0777;
    return result;
}

// ----- what else the administrator says about the jail

static_assert(config::most_binds == ipc::most_binds);

// With the user's rights, and not by links that a user could have planted: a bind shows what the
// user could reach, but for the jail.
OrRefusal<base::Fd> open_bind(const config::Bind& bind, const jail::Identity& user, bool no_links,
                              const Mounting& make_mount) {
    const auto folder = jail::open_directory(bind.source, user);
    if (!folder)
        return refused(try_later, "the shared folder " + config::to_text(bind) +
                                      " cannot be entered with the rights of uid " +
                                      std::to_string(user.uid) + ": " + folder.error().text());
    auto mount = make_mount(folder.value(),
                            {.read_only = !bind.writable, .no_links = no_links || bind.no_links});
    if (!mount)
        return refused(try_later,
                       "the shared folder " + config::to_text(bind) + ": " + mount.error().text());
    return std::move(mount.value());
}

OrRefusal<void> add_binds(Admitted& admitted, const config::Confinement& confinement,
                          const jail::Identity& user, bool no_links, const Mounting& make_mount) {
    if (confinement.binds.size() > config::most_binds)
        return refused(try_later, "more than " + std::to_string(config::most_binds) +
                                      " shared folders, of the account and its groups");
    for (const auto& bind : confinement.binds) {
        BOOST_OUTCOME_TRY(auto mount, open_bind(bind, user, no_links, make_mount));
        struct stat status {};
        if (::fstat(mount.get(), &status) < 0) return refused(try_later, std::strerror(errno));
        admitted.grants.devices[1 + admitted.binds.size()] = status.st_dev;
        admitted.binds.push_back(std::move(mount));
        admitted.admission.binds.push_back({bind.target, bind.writable});
    }
    return boost::outcome_v2::success();
}

// Whether there is anything that the options let a session change.
bool may_write(const config::Options& on, bool anonymous_rights) {
    return on.write_enable && (!anonymous_rights || on.anon_upload_enable ||
                               on.anon_mkdir_write_enable || on.anon_other_write_enable);
}

// By the login name where it is a tenant's, which several may share a uid; else by the uid. Both
// are single path components and collide with none of the kernel's files.
ipc::Cgroup cgroup_of(const Account& account, const jail::Identity& user,
                      const config::Confinement& confinement) {
    ipc::Cgroup cgroup{};
    if (!confinement.needs_cgroup()) return cgroup;
    cgroup.memory = confinement.memory;
    cgroup.processes = confinement.processes;
    cgroup.cpu_weight = confinement.cpu_weight;
    cgroup.io_weight = confinement.io_weight;
    cgroup.name.assign(account.kind == Kind::tenant ? "tenant-" + account.name
                                                    : "uid-" + std::to_string(user.uid));
    return cgroup;
}

}  // namespace

void remember_users_for(std::chrono::milliseconds time) {
    remembered_for = time;
    remembered().reset();
}

OrRefusal<Admitted> admit(const config::Configuration& configuration, const Account& account,
                          const Mounting& make_mount) {
    if (account.name.empty()) return refused("no user name", "PAM took it away");
    if (account.name.size() > ipc::longest_name)
        return refused("user name too long", "PAM made it " + account.name);
    BOOST_OUTCOME_TRY(const bool listed, is_listed(configuration.options, account));
    BOOST_OUTCOME_TRY(auto own, own_options(configuration, account));
    BOOST_OUTCOME_TRY(auto person, person_of(own.options, account));
    const auto decision = decide(own.options, person.kind, account.name, person.home, listed);
    if (!decision) return refused("cannot change directory", decision.error().what);
    auto opened = open_home(decision.value(), person.identity);
    if (!opened)
        return Refusal{"cannot change directory:" + opened.error().path, opened.error().reason};
    auto& home = opened.value();

    Admitted admitted;
    auto& admission = admitted.admission;
    admission.user = account.name;
    admission.uid = person.identity.uid;
    admission.gid = person.identity.gid;
    admission.groups = person.identity.groups;
    admission.limits = account.limits;
    admission.umask = account.umask;
    admission.anonymous = person.kind == AccountKind::anonymous;
    admission.guest = person.kind == AccountKind::guest;
    admission.anonymous_rights = decision.value().anonymous_rights;
    admission.jailed = decision.value().jailed;
    // Without root all that could be served is the own user's mostly, and nothing is loaded from
    // it.
    admission.writable_root_allowed =
        decision.value().writable_root_allowed || config::without_root(own.options);
    if (admission.jailed && !admission.writable_root_allowed)
        admission.writable_root_hint =
            writable_root_hint(home, person.identity, !admission.anonymous);
    admission.root = home.root_path;
    admission.start = home.start;
    admission.start_may_fail = admission.jailed;
    admission.home = home.start;  // vsftpd: ~ is where the session started
    admission.password_shown = account.password_shown;
    admission.overrides = std::move(own.overrides);
    BOOST_OUTCOME_TRY(admitted.grants, grants(own.options, admission, home.root));
    const auto confinement = config::confinement_of(configuration, account.tenant,
                                                    person.identity.gid, person.identity.groups);
    admitted.cgroup = cgroup_of(account, person.identity, confinement);
    if (admission.jailed && configuration.options.isolate && configuration.native.mounts) {
        // Nothing of the host is left in there, so nothing can be planted for it to load.
        if (configuration.native.writable_root == "safe") {
            admission.writable_root_allowed = true;
            admission.writable_root_hint.clear();
        }
        // A root that is to be refused for being writable stays so, for the session to see.
        admission.root_read_only =
            confinement.read_only || (!may_write(own.options, admission.anonymous_rights) &&
                                      admission.writable_root_hint.empty());
        auto mount = make_mount(home.root, {.read_only = admission.root_read_only,
                                            .no_links = configuration.native.no_symlinks});
        if (!mount)
            return refused("cannot change directory:" + home.root_path,
                           "its mount for the jail: " + mount.error().text());
        home.root = std::move(mount.value());
        admission.root_is_mount = true;
        BOOST_OUTCOME_TRYV(add_binds(admitted, confinement, person.identity,
                                     configuration.native.no_symlinks, make_mount));
    } else if (confinement.needs_mounts()) {
        return refused(try_later, std::string("bind and read_only need ") +
                                      (admission.jailed ? "the layer of mounts, which is off"
                                                        : "a jail, and the user has none "
                                                          "(chroot_local_user)"));
    }
    admitted.root = std::move(home.root);
    admitted.data = data_policy(own.options);
    admitted.data.pasv_by_name = own.options.pasv_addr_resolve &&
                                 own.options.pasv_address == configuration.options.pasv_address;
    admitted.warnings = std::move(own.warnings);
    return admitted;
}

ipc::DataPolicy data_policy(const config::Options& options) {
    ipc::DataPolicy policy{};
    policy.pasv_min_port = static_cast<std::uint16_t>(options.pasv_min_port);
    policy.pasv_max_port = static_cast<std::uint16_t>(options.pasv_max_port);
    policy.source_port =
        options.connect_from_port_20 ? static_cast<std::uint16_t>(options.ftp_data_port) : 0;
    policy.pasv_promiscuous = options.pasv_promiscuous;
    policy.port_promiscuous = options.port_promiscuous;
    policy.pasv_enable = options.pasv_enable;
    policy.port_enable = options.port_enable;
    policy.accept_timeout = options.accept_timeout;
    policy.connect_timeout = options.connect_timeout;
    if (!options.pasv_address.empty())
        (void)::inet_aton(options.pasv_address.c_str(), &policy.pasv_address);
    return policy;
}

ipc::LoginAnswer to_answer(const ipc::Login& login, const Account& account,
                           OrRefusal<Admitted> result, std::vector<base::Fd>& descriptors) {
    ipc::LoginAnswer answer{};
    answer.id = login.id;
    answer.account = login.account;
    answer.user.assign(account.name);
    answer.shown_password.assign(account.password_shown);
    if (result) {
        auto& admitted = result.value();
        admitted.admission.overrides.insert(0, login.overrides.view());
        admitted.admission.by_certificate = login.by_certificate != 0;
        auto memory = ipc::sealed(ipc::serialise(admitted.admission), "admission");
        if (memory) {
            answer.outcome = ipc::Outcome::admitted;
            answer.guest = admitted.admission.guest ? 1 : 0;
            answer.data = admitted.data;
            answer.grants = admitted.grants;
            answer.cgroup = admitted.cgroup;
            answer.binds = static_cast<std::uint32_t>(admitted.binds.size());
            descriptors.push_back(std::move(admitted.root));
            descriptors.push_back(std::move(memory.value()));
            for (auto& each : admitted.binds) descriptors.push_back(std::move(each));
            return answer;
        }
        result = refused("login service unavailable, please try later", memory.error().text());
    }
    const auto& refusal = result.error();
    answer.outcome = refusal.is_wrong ? ipc::Outcome::wrong : ipc::Outcome::broken;
    if (!refusal.is_wrong) answer.client_text.assign(refusal.client_text);
    answer.reason.assign(refusal.reason);
    return answer;
}

}  // namespace helpers
