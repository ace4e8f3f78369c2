// SPDX-License-Identifier: MIT
// Groups, gid and uid; runs in the process that is to be jailed, and in helpers.
#include "jail/identity.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <grp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace jail {

using base::Error;
using base::Result;
using base::system_error;

namespace {

// The kernel sorts groups and keeps duplicates.
std::vector<gid_t> sorted(std::vector<gid_t> groups) {
    std::sort(groups.begin(), groups.end());
    return groups;
}

Result<std::vector<gid_t>> current_groups() {
    const int count = ::getgroups(0, nullptr);
    if (count < 0) return system_error("getgroups");
    std::vector<gid_t> groups(static_cast<std::size_t>(count));
    if (count > 0 && ::getgroups(count, groups.data()) != count) return system_error("getgroups");
    return groups;
}

// All forms of uid and gid.
Result<void> check_numbers(const Identity& user) {
    uid_t real = 0, effective = 0, saved = 0;
    if (::getresuid(&real, &effective, &saved) < 0) return system_error("getresuid");
    if (real != user.uid || effective != user.uid || saved != user.uid)
        return Error{"it has another uid", EPERM};
    gid_t real_group = 0, effective_group = 0, saved_group = 0;
    if (::getresgid(&real_group, &effective_group, &saved_group) < 0)
        return system_error("getresgid");
    if (real_group != user.gid || effective_group != user.gid || saved_group != user.gid)
        return Error{"it has another gid", EPERM};
    return base::success();
}

Result<void> try_to_regain_root() {
    if (::setuid(0) == 0 || ::seteuid(0) == 0) return Error{"root can be regained", EPERM};
    return base::success();
}

}  // namespace

Result<void> become(const Identity& user) {
    if (user.uid == 0) return Error{"will not run as root", EPERM};
    if (user.uid == static_cast<uid_t>(-1) || user.gid == static_cast<gid_t>(-1))
        return Error{"no such identity", EINVAL};
    if (::setgroups(user.groups.size(), user.groups.data()) < 0) return system_error("setgroups");
    if (::setresgid(user.gid, user.gid, user.gid) < 0) return system_error("setresgid");
    if (::setresuid(user.uid, user.uid, user.uid) < 0) return system_error("setresuid");

    TRY(check_numbers(user));
    TRY(const auto groups, current_groups());
    if (sorted(groups) != sorted(user.groups)) return Error{"the groups did not change", EPERM};
    return try_to_regain_root();
}

Result<void> remain(const Identity& user) {
    if (user.uid == 0) return Error{"will not run as root", EPERM};
    TRY(check_numbers(user));
    return try_to_regain_root();
}

Result<Identity> own_identity() {
    TRY(auto groups, current_groups());
    return Identity{::geteuid(), ::getegid(), std::move(groups)};
}

Ties::Ties() : parent_(::getppid()), dumpable_(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) {
    (void)::prctl(PR_GET_PDEATHSIG, &death_signal_, 0, 0, 0);
}

void Ties::restore() const {
    if (!dumpable_) (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (death_signal_ == 0) return;
    (void)::prctl(PR_SET_PDEATHSIG, death_signal_, 0, 0, 0);
    if (::getppid() != parent_) (void)::raise(death_signal_);  // it came while it was forgotten
}

Result<Borrowed> Borrowed::take(const Identity& user) {
    Borrowed borrowed;
    if (::geteuid() == user.uid) return borrowed;
    TRY(borrowed.groups_, current_groups());
    borrowed.gid_ = ::getegid();
    if (::setgroups(user.groups.size(), user.groups.data()) < 0) return system_error("setgroups");
    borrowed.active_ = true;  // from here on the destructor has something to restore
    ::setfsgid(user.gid);
    ::setfsuid(user.uid);
    // They report no errors, but tell what is in force.
    if (static_cast<gid_t>(::setfsgid(static_cast<gid_t>(-1))) != user.gid ||
        static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1))) != user.uid)
        return Error{"cannot act as the user", EPERM};
    borrowed.ties_.restore();
    return borrowed;
}

Borrowed::Borrowed(Borrowed&& other) noexcept
    : ties_(other.ties_),
      groups_(std::move(other.groups_)),
      gid_(other.gid_),
      active_(std::exchange(other.active_, false)) {}

Borrowed::~Borrowed() {
    if (!active_) return;
    ::setfsuid(::geteuid());
    ::setfsgid(gid_);
    if (::setgroups(groups_.size(), groups_.data()) < 0 ||
        static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1))) != ::geteuid() ||
        static_cast<gid_t>(::setfsgid(static_cast<gid_t>(-1))) != gid_)
        std::abort();
    ties_.restore();
}

}  // namespace jail
