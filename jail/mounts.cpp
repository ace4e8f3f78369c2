// SPDX-License-Identifier: MIT
// Detached mounts, and entering them.
#include "jail/mounts.hpp"

#include "base/text.hpp"
#include "jail/root.hpp"

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jail {

using base::Error;
using base::Fd;
using base::Result;
using base::system_error;

namespace {

// The C library's header has them since 2.36, and the kernel's clashes with it.
constexpr std::uint64_t read_only = 0x1;
constexpr std::uint64_t no_set_uid = 0x2;
constexpr std::uint64_t no_devices = 0x4;
constexpr std::uint64_t no_programs = 0x8;
constexpr std::uint64_t no_links = 0x200000;
constexpr unsigned tree_clone = 1;
constexpr unsigned from_descriptor = 0x4;
constexpr unsigned to_descriptor = 0x40;
constexpr unsigned with_what_is_below = 0x8000;  // AT_RECURSIVE

struct Attributes {
    std::uint64_t set;
    std::uint64_t clear;
    std::uint64_t propagation;
    std::uint64_t user_namespace;
};

constexpr int as_place = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// Beneath the root, by names that are no links: the user could have planted them.
Result<Fd> find_target(const Fd& root, const std::string& path) {
    Fd current{::openat(root.get(), ".", as_place)};
    if (!current) return system_error(path);
    bool below = false;
    for (const auto name : base::split(path, '/')) {
        if (name.empty()) continue;
        if (name == "." || name == "..") return Error{path + " is no plain path", EINVAL};
        current = Fd{::openat(current.get(), std::string(name).c_str(), as_place)};
        if (!current) return system_error(path);
        below = true;
    }
    if (!below) return Error{"a shared folder cannot stand in the place of the root", EINVAL};
    return current;
}

Result<void> move_to(const Fd& mount, int directory, const char* path, unsigned flags) {
    if (::syscall(SYS_move_mount, mount.get(), "", directory, path, from_descriptor | flags) < 0)
        return system_error("move_mount");
    return base::success();
}

// Who was started without root is the user already, and may change no groups.
template <typename Action>
auto as_user(const Identity& user, Action action) -> decltype(action()) {
    if (::geteuid() == user.uid) return action();
    TRY(const auto borrowed, Borrowed::take(user));
    return action();
}

Result<void> attach(const Fd& root, const Bind& bind, const Identity& user) {
    if (!bind.mount || !*bind.mount) return Error{bind.target + ": no folder was opened", EBADF};
    const auto target = as_user(user, [&] { return find_target(root, bind.target); });
    if (!target)
        return Error{"no directory of the home to show the shared folder " + bind.target +
                         " at: " + target.error().what,
                     target.error().number};
    TRY(move_to(*bind.mount, target.value().get(), "", to_descriptor));
    bind.mount->close();
    return base::success();
}

}  // namespace

Result<Fd> detached_mount(const Fd& directory, const MountFlags& flags) {
    Fd tree{static_cast<int>(::syscall(
        SYS_open_tree, directory.get(), "",
        tree_clone | static_cast<unsigned>(O_CLOEXEC) | AT_EMPTY_PATH | with_what_is_below))};
    if (!tree) return system_error("open_tree");
    Attributes wanted{};
    wanted.set = no_set_uid | no_devices | no_programs;
    if (flags.read_only) wanted.set |= read_only;
    if (flags.no_links) wanted.set |= no_links;
    wanted.propagation = MS_PRIVATE;
    if (::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH | with_what_is_below, &wanted,
                  sizeof wanted) < 0)
        return system_error("mount_setattr");
    return tree;
}

Result<void> enter_mount(Fd root, const std::vector<Bind>& binds, const Identity& user) {
    // It covers what was the root. pivot_root would leave the same, but looks at every process of
    // the host whether that is its root, so that a login costs the more the more there are.
    TRY(move_to(root, AT_FDCWD, "/", 0));
    for (const auto& bind : binds) {
        TRY(attach(root, bind, user));
    }
    // "." is looked up, and a home may be closed to everybody but its user (0700).
    return as_user(user, [&] { return change_root(std::move(root)); });
}

}  // namespace jail
