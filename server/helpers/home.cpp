// SPDX-License-Identifier: MIT
// Homes, opened with their users' rights; runs in the authenticator's children and in helpers, as
// root.
#include "helpers/home.hpp"

#include "jail/open_beneath.hpp"

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace helpers {

using base::Fd;
using base::Result;
using base::system_error;

namespace {

constexpr int as_place = O_PATH | O_DIRECTORY | O_CLOEXEC;

std::string described(const struct stat& status) {
    const auto* owner = ::getpwuid(status.st_uid);
    const auto owner_name = owner != nullptr ? std::string(owner->pw_name) + ", " : std::string{};
    const auto* group = ::getgrgid(status.st_gid);
    const auto group_name = group != nullptr ? std::string(group->gr_name) + ", " : std::string{};
    char mode[16];
    (void)std::snprintf(mode, sizeof mode, "%04o", status.st_mode & 07777U);
    return "owner " + owner_name + "uid " + std::to_string(status.st_uid) + "; group " +
           group_name + "gid " + std::to_string(status.st_gid) + "; mode " + mode;
}

// The first directory on the way that is closed to the user, with what closes it.
std::string closed_door(const std::string& path, const jail::Identity& user) {
    const auto borrowed = jail::Borrowed::take(user);
    if (!borrowed) return {};
    for (auto end = path.find('/'); end != path.npos;) {
        end = path.find('/', end + 1);
        const auto door = path.substr(0, end);
        struct stat status {};
        if (::stat(door.c_str(), &status) < 0) return {};
        if (::faccessat(AT_FDCWD, door.c_str(), X_OK, AT_EACCESS) < 0)
            return door + " is closed to uid " + std::to_string(user.uid) + " (" +
                   described(status) + ")";
    }
    return {};
}

std::string way_out(const base::Error& error, const std::string& path, const jail::Identity& user) {
    const auto uid = std::to_string(user.uid);
    switch (error.number) {
        case ENOENT:
            return "create it for uid " + uid + ", or correct the account's home";
        case ENOTDIR:
            return "the home must be a directory";
        case ELOOP:
            return "name the directory that it leads to, or make the link root's in a directory "
                   "of root's";
        case EACCES: {
            const auto door = closed_door(path, user);
            return (door.empty() ? "uid " + uid + " may not enter it" : door) +
                   "; give the right to pass (x) to the user or one of its groups";
        }
        default:
            return "it is entered with the rights of uid " + uid;
    }
}

// path: as it stands in the configuration or user database; from: what it is relative to.
NoHome no_home(const std::string& path, const std::string& from, const base::Error& error,
               const jail::Identity& user) {
    const bool absolute = path.starts_with('/') || from.empty();
    const auto whole = absolute ? path : from + '/' + path;
    const bool telling = absolute || error.number == ELOOP;
    return {path, "cannot enter the directory " + whole + ": " +
                      (telling ? error.text() : std::strerror(error.number)) + " (" +
                      way_out(error, whole, user) + ")"};
}

// Links are followed wherever they lead: who is not jailed could go there anyway.
Result<Fd> open_freely(const Fd& start, const std::string& path, const jail::Identity& user) {
    TRY(const auto borrowed, jail::Borrowed::take(user));
    Fd directory{::openat(start ? start.get() : AT_FDCWD, path.c_str(), as_place)};
    if (!directory) return system_error(path);
    // Looking up "." asks for search permission, as chdir(2) does.
    Fd entered{::openat(directory.get(), ".", as_place)};
    if (!entered) return system_error(path);
    return entered;
}

Result<Fd> open(const Decision& decision, const Fd& start, const std::string& path,
                const jail::Identity& user) {
    if (path.empty()) return system_error("no home directory", ENOENT);
    if (!start && !path.starts_with('/')) return base::Error{path + " is not absolute", EINVAL};
    if (!decision.jailed) return open_freely(start, path, user);
    return jail::open_directory_at(start, path, user);
}

// Empty where the kernel does not tell (no /proc), or no more truly (removed meanwhile).
std::string physical_path(const Fd& directory) {
    char path[PATH_MAX];
    const auto link = "/proc/self/fd/" + std::to_string(directory.get());
    const auto length = ::readlink(link.c_str(), path, sizeof path);
    if (length <= 0 || static_cast<std::size_t>(length) == sizeof path || path[0] != '/') return {};
    std::string result(path, static_cast<std::size_t>(length));
    struct stat there {};
    struct stat here {};
    if (::stat(result.c_str(), &there) < 0 || ::fstat(directory.get(), &here) < 0 ||
        there.st_dev != here.st_dev || there.st_ino != here.st_ino)
        return {};
    return result;
}

// "/srv/a/b" seen from a jail in "/srv/a" is "/b".
std::string seen_from(const std::string& root, const std::string& path) {
    if (root == "/" && !path.empty()) return path;
    if (path == root || !path.starts_with(root + '/')) return "/";
    return path.substr(root.size());
}

Result<Fd> open_in_root(const Fd& root, const std::string& path, const jail::Identity& user) {
    TRY(const auto borrowed, jail::Borrowed::take(user));
    open_how how{};
    how.flags = static_cast<std::uint64_t>(as_place);
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    Fd directory{
        static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how))};
    if (!directory) return system_error(path);
    Fd entered{::openat(directory.get(), ".", as_place)};
    if (!entered) return system_error(path);
    return entered;
}

std::string start_in_jail(const Home& home, const std::string& start, const jail::Identity& user) {
    if (start.empty()) return "/";
    const auto opened = open_in_root(home.root, start, user);
    if (opened) return seen_from(home.root_path, physical_path(opened.value()));
    // An old kernel, or one that is kept from us: the session finds out.
    const int number = opened.error().number;
    if (number == ENOSYS || number == EPERM) return start.starts_with('/') ? start : '/' + start;
    return "/";
}

}  // namespace

OrNoHome<Home> open_home(const Decision& decision, const jail::Identity& user) {
    auto first = open(decision, Fd{}, decision.first, user);
    if (!first) return no_home(decision.first, {}, first.error(), user);
    auto directory = std::move(first.value());
    auto path = decision.first;
    if (!decision.second.empty()) {
        auto second = open(decision, directory, decision.second, user);
        if (second) {
            directory = std::move(second.value());
            path =
                decision.second.starts_with('/') ? decision.second : path + '/' + decision.second;
        } else if (!decision.second_may_fail) {
            return no_home(decision.second, path, second.error(), user);
        }
    }
    Home home;
    if (decision.jailed) {
        const auto physical = physical_path(directory);
        home.root_path = physical.empty() ? path : physical;
        home.root = std::move(directory);
        home.start = start_in_jail(home, decision.start, user);
        return home;
    }
    if (!decision.start.empty()) {
        if (auto start = open_freely(directory, decision.start, user)) {
            directory = std::move(start.value());
            path = decision.start.starts_with('/') ? decision.start : path + '/' + decision.start;
        }
    }
    const auto physical = physical_path(directory);
    home.start = physical.empty() ? path : physical;
    home.root_path = "/";
    home.root = Fd{::open("/", as_place)};
    if (!home.root) return no_home("/", {}, system_error("/"), user);
    return home;
}

std::string writable_root_hint(const Home& home, const jail::Identity& user, bool option_helps) {
    {
        const auto borrowed = jail::Borrowed::take(user);
        if (!borrowed ||
            ::syscall(SYS_faccessat2, home.root.get(), "", W_OK, AT_EACCESS | AT_EMPTY_PATH) < 0)
            return {};
    }
    struct stat status {};
    if (::fstat(home.root.get(), &status) < 0) return {};
    auto hint = "the root directory " + home.root_path + " (" + described(status) +
                ") is writable for uid " + std::to_string(user.uid) +
                ": take that right away (chmod a-w " + home.root_path +
                ") and give the user a directory in it to write to";
    if (option_helps) hint += ", or set allow_writeable_chroot=YES";
    return hint;
}

}  // namespace helpers
