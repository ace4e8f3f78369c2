// SPDX-License-Identifier: MIT
// The jails themselves, as lists; carried out by greeters and sessions.
#include "jail/plans.hpp"

#include "jail/capabilities.hpp"
#include "jail/landlock.hpp"
#include "jail/limits.hpp"
#include "jail/root.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jail {

using base::Error;
using base::Result;

namespace {

// Descriptors.
constexpr std::uint64_t most_before_login = 16;

// Best effort: containers forbid it.
Result<void> own_keyring() {
    join_own_keyring();
    return base::success();
}

Result<void> no_environment() {
    empty_environment();
    return base::success();
}

Result<void> set_umask(mode_t mask) {
    ::umask(mask);
    return base::success();
}

Result<void> limit_descriptors(std::uint64_t most) { return limit(RLIMIT_NOFILE, most); }

Result<void> limit_address_space(std::uint64_t bytes) {
    if (bytes == 0) return base::success();
#ifdef JAILFTPD_SANITIZED
    return base::success();  // the shadow memory alone is terabytes
#else
    return limit(RLIMIT_AS, bytes);
#endif
}

Result<void> limit_as_account(const std::vector<Limit>& limits) {
    for (const auto& each : limits) {
#ifdef JAILFTPD_SANITIZED
        if (each.resource == RLIMIT_AS) continue;
#endif
        TRY(limit(each));
    }
    return base::success();
}

Result<void> enter_root(const Home& home) {
    if (!home.root || !*home.root) return Error{"no root directory was opened", EBADF};
    auto entered = home.root_is_mount ? enter_mount(std::move(*home.root), home.binds, home.user)
                                      : change_root(std::move(*home.root), home.user);
    if (entered || home.path_on_host.empty()) return entered;
    return base::system_error(home.path_on_host + ": " + entered.error().what,
                              entered.error().number);
}

// Without the right to change the root: paths are followed beneath this directory by the session
// itself, and Landlock allows no other.
Result<void> stand_in_root(const Home& home) {
    if (!home.root || !*home.root) return Error{"no root directory was opened", EBADF};
    const auto root = std::move(*home.root);
    if (::fchdir(root.get()) < 0) return base::system_error(home.path_on_host);
    return base::success();
}

Result<void> check_root(const Home& home) {
    if (home.jailed && home.refuse_writable_root && root_is_writable()) return Error{"", 0};
    return base::success();
}

Result<void> start_in(const std::string& directory, bool may_fail) {
    if (::chdir(directory.c_str()) == 0) return base::success();
    const int number = errno;
    if (!may_fail) return base::system_error(directory, number);
    if (::chdir("/") < 0) return base::system_error("/");
    return base::success();
}

Result<base::Fd> open_folder(const std::string& path) {
    base::Fd folder{::open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!folder) return base::system_error(path);
    return folder;
}

// A right to the root is one to all below it: a bind that is not to be written to in a root that is
// has its mount alone to say so.
Result<void> restrict_files(const char* root_directory, const Home& home) {
    std::vector<Ground> grounds;
    TRY(auto root, open_folder(root_directory));
    grounds.push_back({std::move(root), home.root_read_only ? read_only : home.rights});
    for (const auto& bind : home.binds) {
        if (!home.root_read_only || !bind.writable) continue;
        TRY(auto folder, open_folder(bind.target));
        grounds.push_back({std::move(folder), home.rights});
    }
    return restrict_to(grounds);
}

Result<void> allow_only(const SystemCallFilter& filter, DeniedCall denied) {
    TRY(answer_denied_calls(denied));
    return filter.install();
}

// Both need no_new_privs. The filter is last: it forbids what the steps before it do.
void add_walls(Plan& plan, const Walls& walls, const std::function<Result<void>()>& landlock) {
    if (walls.landlock) plan.push_back({"landlock", landlock});
    if (walls.system_calls)
        plan.push_back(
            {"system calls", [=] { return allow_only(*walls.system_calls, walls.denied); }});
}

}  // namespace

Plan before_login(const Identity& nobody, int channel, const Walls& walls, Maker maker) {
    // clang-format off
    auto plan = plan_of(maker, {
        // by whom        step
        {always,        {"descriptors", [=] { return keep_only(std::vector<int>{channel}); }}},
        {always,        {"own session", [] { return own_session(); }}},
        {by_root,       {"keyring", [] { return own_keyring(); }}},
        {always,        {"environment", [] { return no_environment(); }}},
        {always,        {"umask", [] { return set_umask(077); }}},
        {always,        {"no core dumps", [] { return limit(RLIMIT_CORE, 0); }}},
        {always,        {"few descriptors", [] { return limit_descriptors(most_before_login); }}},
        {always,        {"no files", [] { return limit(RLIMIT_FSIZE, 0); }}},
        {always,        {"no processes", [] { return limit(RLIMIT_NPROC, 0); }}},
        // Before the uid: it needs CAP_SETPCAP.
        {with_rights,   {"empty bounding set", [] { return empty_bounding_set(); }}},
        {by_root,       {"groups, gid, uid", [=] { return become(nobody); }}},
        {without_root,  {"uid and gid as at start", [=] { return remain(nobody); }}},
        {always,        {"no capabilities", [] { return drop_capabilities(); }}},
        {always,        {"no new privileges", [] { return forbid_new_privileges(); }}},
        // After the uid: the kernel would undo it with that.
        {always,        {"not dumpable", [] { return forbid_dumping(); }}},
    });
    // clang-format on
    add_walls(plan, walls, restrict_to_nothing);
    return plan;
}

Plan user_home(const Home& home) {
    // One copy for all steps.
    const auto own = std::make_shared<const Home>(home);
    // Without root: a keyring each would use up the user's share of them, and who cannot change the
    // root starts in it and has no other.
    // clang-format off
    auto plan = plan_of(home.maker, {
        // by whom        step
        {by_root,       {"keyring", [] { return own_keyring(); }}},  // before the uid
        {always,        {"own session", [] { return own_session(); }}},
        {always,        {"environment", [] { return no_environment(); }}},
        {with_rights,   {"root directory", [own] { return enter_root(*own); }}},
        {by_user,       {"root directory", [own] { return stand_in_root(*own); }}},
        {always,        {"descriptors", [own] { return keep_only(own->descriptors); }}},
        {always,        {"umask", [own] { return set_umask(own->umask); }}},
        {always,        {"no core dumps", [] { return limit(RLIMIT_CORE, 0); }}},
        {always,        {"few descriptors", [] { return limit_descriptors(most_of_a_session); }}},
        {always,        {"no processes", [] { return limit(RLIMIT_NPROC, 0); }}},
        {always,        {"address space", [own] { return limit_address_space(own->address_space); }}},
        {always,        {"limits of the account", [own] { return limit_as_account(own->limits); }}},
        // Before the uid: it needs CAP_SETPCAP.
        {with_rights,   {"empty bounding set", [] { return empty_bounding_set(); }}},
        {by_root,       {"groups, gid, uid", [own] { return become(own->user); }}},
        {without_root,  {"uid and gid as at start", [own] { return remain(own->user); }}},
        {always,        {"no capabilities", [] { return drop_capabilities(); }}},
        {always,        {"no new privileges", [] { return forbid_new_privileges(); }}},
        // After the uid: the kernel would undo it with that.
        {always,        {"not dumpable", [] { return forbid_dumping(); }}},
        // As the user.
        {with_rights,   {writable_root_step, [own] { return check_root(*own); }}},
        {with_rights,   {"start directory", [own] { return start_in(own->start, own->start_may_fail); }}},
    });
    // clang-format on
    const auto* root = home.maker == Maker::user ? "." : "/";
    add_walls(plan, home.walls, [own, root] { return restrict_files(root, *own); });
    return plan;
}

}  // namespace jail
