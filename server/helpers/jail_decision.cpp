// SPDX-License-Identifier: MIT
// vsftpd's decision table (chroot_local_user, chroot_list_enable, guests, anonymous); runs in the
// authenticator's children and in helpers.
#include "helpers/jail_decision.hpp"

#include <cerrno>

namespace helpers {
namespace {

bool is_jailed(const config::Options& options, AccountKind kind, bool listed) {
    if (kind == AccountKind::anonymous || kind == AccountKind::tenant) return true;
    if (kind == AccountKind::guest && !options.virtual_use_local_privs) return true;
    // The list is one of exceptions to chroot_local_user, whichever way that points.
    return options.chroot_local_user != (options.chroot_list_enable && listed);
}

base::Result<std::string> substitute(std::string_view path, const std::string& token,
                                     std::string_view name) {
    std::string result(path);
    if (token.empty()) return result;
    for (auto at = result.find(token); at != result.npos; at = result.find(token, at)) {
        // The name comes from outside: as part of a path it must stay one component.
        if (name.empty() || name == "." || name == ".." || name.find('/') != name.npos ||
            name.find('\0') != name.npos)
            return base::Error{
                "the login name cannot be a part of " + std::string(path) + " (user_sub_token)",
                EINVAL};
        result.replace(at, token.size(), name);
        at += name.size();
    }
    return result;
}

}  // namespace

base::Result<Decision> decide(const config::Options& options, AccountKind kind,
                              std::string_view name, std::string_view home, bool listed) {
    Decision decision;
    decision.jailed = is_jailed(options, kind, listed);
    decision.anonymous_rights = kind == AccountKind::anonymous ||
                                (kind == AccountKind::guest && !options.virtual_use_local_privs);
    decision.writable_root_allowed =
        options.allow_writeable_chroot && kind != AccountKind::anonymous;
    if (kind == AccountKind::anonymous) {
        decision.first = home;
        decision.second = options.anon_root;
        return decision;
    }
    TRY(decision.first, substitute(home, options.user_sub_token, name));
    TRY(decision.second, substitute(options.local_root, options.user_sub_token, name));
    decision.second_may_fail = !decision.jailed;
    if (!options.passwd_chroot_enable) return decision;

    // "/jail/./start": the left part takes local_root's place. With nothing on the left vsftpd
    // enters the home as a whole.
    const auto dot = decision.first.find("/./");
    if (dot == std::string::npos) return decision;
    decision.start = decision.first.substr(dot + 3);
    decision.second.clear();
    if (dot > 0) decision.first.resize(dot);
    return decision;
}

}  // namespace helpers
