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

constexpr std::uint64_t most_descriptors_before_login = 16;
constexpr std::uint64_t most_descriptors_of_a_session = 64;

Result<void> set_umask(mode_t mask) {
    ::umask(mask);
    return base::success();
}

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

Result<void> check_root(bool refuse_writable) {
    if (refuse_writable && root_is_writable()) return Error{"", 0};
    return base::success();
}

Result<void> start_in(const std::string& directory, bool may_fail) {
    if (::chdir(directory.c_str()) == 0) return base::success();
    const int number = errno;
    if (!may_fail) return base::system_error(directory, number);
    if (::chdir("/") < 0) return base::system_error("/");
    return base::success();
}

Result<void> restrict_files(const FileRights& rights) {
    const base::Fd root{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (!root) return base::system_error("/");
    return restrict_to(root, rights);
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

Plan before_login(const Identity& nobody, int channel, const Walls& walls) {
    Plan plan{
        {"descriptors", [=] { return keep_only(std::vector<int>{channel}); }},
        {"own session", [] { return own_session(); }},
        {"keyring", []() -> Result<void> { return join_own_keyring(), base::success(); }},
        {"environment", []() -> Result<void> { return empty_environment(), base::success(); }},
        {"umask", [] { return set_umask(077); }},
        {"no core dumps", [] { return limit(RLIMIT_CORE, 0); }},
        {"few descriptors", [] { return limit(RLIMIT_NOFILE, most_descriptors_before_login); }},
        {"no files", [] { return limit(RLIMIT_FSIZE, 0); }},
        {"no processes", [] { return limit(RLIMIT_NPROC, 0); }},
        {"empty bounding set",
         [] { return empty_bounding_set(); }},  // before the uid: needs CAP_SETPCAP
        {"groups, gid, uid", [=] { return become(nobody); }},
        {"no capabilities", [] { return drop_capabilities(); }},
        {"no new privileges", [] { return forbid_new_privileges(); }},
        {"not dumpable",
         [] { return forbid_dumping(); }},  // after the uid, which the kernel would undo it with
    };
    add_walls(plan, walls, restrict_to_nothing);
    return plan;
}

Plan user_home(const Home& home) {
    // One copy for all steps.
    const auto own = std::make_shared<const Home>(home);
    Plan plan{
        {"keyring",
         []() -> Result<void> { return join_own_keyring(), base::success(); }},  // before the uid
        {"own session", [] { return own_session(); }},
        {"environment", []() -> Result<void> { return empty_environment(), base::success(); }},
        {"root directory", [own] { return enter_root(*own); }},
        {"descriptors", [own] { return keep_only(own->descriptors); }},
        {"umask", [own] { return set_umask(own->umask); }},
        {"no core dumps", [] { return limit(RLIMIT_CORE, 0); }},
        {"few descriptors", [] { return limit(RLIMIT_NOFILE, most_descriptors_of_a_session); }},
        {"no processes", [] { return limit(RLIMIT_NPROC, 0); }},
        {"address space", [own] { return limit_address_space(own->address_space); }},
        {"limits of the account", [own] { return limit_as_account(own->limits); }},
        {"empty bounding set",
         [] { return empty_bounding_set(); }},  // before the uid: needs CAP_SETPCAP
        {"groups, gid, uid", [own] { return become(own->user); }},
        {"no capabilities", [] { return drop_capabilities(); }},
        {"no new privileges", [] { return forbid_new_privileges(); }},
        {"not dumpable",
         [] { return forbid_dumping(); }},  // after the uid, which the kernel would undo it with
        {writable_root_step,
         [own] { return check_root(own->jailed && own->refuse_writable_root); }},  // as the user
        {"start directory",
         [own] { return start_in(own->start, own->start_may_fail); }},  // as the user
    };
    add_walls(plan, home.walls, [own] { return restrict_files(own->rights); });
    return plan;
}

}  // namespace jail
