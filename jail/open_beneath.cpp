// SPDX-License-Identifier: MIT
// Opens directories without following links that their user could have planted; runs in helpers and
// the authenticator's children, as root.
#include "jail/open_beneath.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <deque>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jail {

using base::Error;
using base::Fd;
using base::Result;
using base::system_error;

namespace {

constexpr int most_links = 40;  // as the kernel

bool belongs(const Identity& user, gid_t group) {
    return user.gid == group ||
           std::find(user.groups.begin(), user.groups.end(), group) != user.groups.end();
}

// What the mode does not tell: access control lists. They grant nothing that the group's bits
// (their mask) do not show, so without an answer these decide. Asked while acting as the user.
bool is_granted(const Fd& directory, mode_t mode) {
    if ((mode & S_IWGRP) == 0) return false;
    // Not by glibc's wrapper, which has an opinion of its own where the call is missing.
    const auto answer =
        ::syscall(SYS_faccessat2, directory.get(), "", W_OK, AT_EACCESS | AT_EMPTY_PATH);
    return answer == 0 || (errno != EACCES && errno != EROFS);
}

// Whether the user can rename or replace what is in this directory. Root's sticky directories
// protect root's entries in them.
bool can_change(const Identity& user, const Fd& directory, const struct stat& status) {
    if (status.st_uid == user.uid) return true;  // the owner can give himself the bits
    if ((status.st_mode & S_ISVTX) != 0 && status.st_uid == 0) return false;
    if ((status.st_mode & S_IWOTH) != 0) return true;
    if ((status.st_mode & S_IWGRP) != 0 && belongs(user, status.st_gid)) return true;
    return is_granted(directory, status.st_mode);
}

// Directories first and by O_DIRECTORY, which also makes an automounter mount what should be there.
Fd open_entry(const Fd& directory, const std::string& name) {
    constexpr int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    const int number = ::openat(directory.get(), name.c_str(), flags | O_DIRECTORY);
    if (number >= 0 || errno != ENOTDIR) return Fd{number};
    return Fd{::openat(directory.get(), name.c_str(), flags)};
}

// The very link that was looked at, whatever stands in its place by now.
Result<std::string> read_link(const Fd& link, const std::string& path) {
    char target[PATH_MAX];
    const auto length = ::readlinkat(link.get(), "", target, sizeof target);
    if (length < 0) return system_error(path);
    if (static_cast<std::size_t>(length) == sizeof target) return Error{path, ENAMETOOLONG};
    return std::string(target, static_cast<std::size_t>(length));
}

void push_front(std::deque<std::string>& todo, std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
        const auto end = path.find('/');
        if (const auto part = path.substr(0, end); !part.empty()) parts.emplace_back(part);
        path = end == path.npos ? std::string_view{} : path.substr(end + 1);
    }
    todo.insert(todo.begin(), parts.begin(), parts.end());
}

Result<Fd> open_root() {
    Fd root{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (!root) return system_error("/");
    return root;
}

}  // namespace

Result<Fd> open_directory_at(const Fd& start, std::string_view path, const Identity& user) {
    if (path.find('\0') != path.npos) return Error{"a path with a NUL byte", EINVAL};
    TRY(const auto borrowed, Borrowed::take(user));
    Fd current;
    if (path.starts_with('/') || !start) {
        TRY(current, open_root());
    } else {
        current = Fd{::openat(start.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
        if (!current) return system_error(std::string(path));
    }
    std::deque<std::string> todo;
    push_front(todo, path);
    std::string walked;  // for messages
    int links = 0;
    while (!todo.empty()) {
        const auto name = std::move(todo.front());
        todo.pop_front();
        if (name == ".") continue;
        walked += '/' + name;
        auto next = open_entry(current, name);
        if (!next) return system_error(walked);
        struct stat status {};
        if (::fstat(next.get(), &status) < 0) return system_error(walked);
        if (S_ISDIR(status.st_mode)) {
            current = std::move(next);
            continue;
        }
        if (!S_ISLNK(status.st_mode)) return Error{walked, ENOTDIR};
        struct stat directory {};
        if (::fstat(current.get(), &directory) < 0) return system_error(walked);
        if (status.st_uid != 0 || can_change(user, current, directory))
            return Error{walked + " is a symbolic link that its user could have made", ELOOP};
        if (++links > most_links) return Error{walked, ELOOP};
        TRY(const auto target, read_link(next, walked));
        if (target.starts_with('/')) {
            TRY(current, open_root());
        }
        push_front(todo, target);
    }
    // Looking up "." asks for search permission, as chdir(2) does.
    Fd directory{::openat(current.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (!directory) return system_error(std::string(path));
    return directory;
}

Result<Fd> open_directory(std::string_view absolute_path, const Identity& user) {
    if (!absolute_path.starts_with('/'))
        return Error{std::string(absolute_path) + " is not absolute", EINVAL};
    return open_directory_at(Fd{}, absolute_path, user);
}

}  // namespace jail
