// SPDX-License-Identifier: MIT
// Follows paths beneath the jail's root, by the kernel or in steps; runs in the session.
#include "session/beneath.hpp"

#include "base/text.hpp"

#include <cerrno>
#include <climits>
#include <cstdint>
#include <utility>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace session {

using base::Error;
using base::Fd;
using base::Result;
using base::system_error;

namespace {

constexpr int most_links = 40;  // as the kernel
// More than any honest path has; ".." costs the whole way from the root.
constexpr int most_steps = 20'000;
constexpr int most_tries = 32;  // when something is renamed at the same moment

Fd open_by_kernel(const Fd& root, const std::string& path, int flags, mode_t mode,
                  std::uint64_t resolve) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.mode = (flags & O_CREAT) != 0 ? mode : 0;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve;
    for (int tries = 0;; ++tries) {
        const auto number = ::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how);
        // EAGAIN: a rename anywhere in the system, while ".." was followed.
        if (number >= 0 || (errno != EAGAIN && errno != EINTR) || tries == most_tries)
            return Fd{static_cast<int>(number)};
    }
}

bool kernel_can(const Fd& root) {
    return static_cast<bool>(open_by_kernel(root, ".", O_PATH | O_DIRECTORY, 0, 0));
}

Result<Fd> copy_of(const Fd& file) {
    Fd copy{::fcntl(file.get(), F_DUPFD_CLOEXEC, 0)};
    if (!copy) return system_error("fcntl");
    return copy;
}

Result<struct stat> status_of(const Fd& file) {
    struct stat status {};
    if (::fstat(file.get(), &status) < 0) return system_error("fstat");
    return status;
}

// The very link that was looked at, whatever stands in its place by now.
Result<std::string> read_link(const Fd& link) {
    char target[PATH_MAX];
    const auto length = ::readlinkat(link.get(), "", target, sizeof target);
    if (length < 0) return system_error("readlink");
    if (length == 0) return Error{"an empty link", ENOENT};
    if (static_cast<std::size_t>(length) == sizeof target) return Error{"readlink", ENAMETOOLONG};
    return std::string(target, static_cast<std::size_t>(length));
}

// fs.protected_symlinks, which the kernel sees to only where it follows links itself: nobody is led
// astray by what a stranger left in a folder for all.
bool may_follow(const struct stat& link, const struct stat& folder) {
    constexpr mode_t for_all = S_ISVTX | S_IWOTH;
    return (folder.st_mode & for_all) != for_all || link.st_uid == ::geteuid() ||
           link.st_uid == folder.st_uid;
}

// Goes from the root to the last part. Holds one folder open and knows the others by name, because
// a session has few descriptors. So that ".." cannot lead out, it is not asked for: the folder
// above is looked up anew from the root, by the names, none of which may have become a link.
class Walk {
  public:
    Walk(const Fd& root, std::string_view path) : root_(root), slash_(path.ends_with('/')) {
        add(path);
    }

    Result<Spot> to_the_last_part(bool follow_last) {
        TRY(at_, copy_of(root_));
        while (!todo_.empty()) {
            const auto part = std::move(todo_.back());
            todo_.pop_back();
            if (part == "." || part == "..") {
                TRY(search());
                if (part == "..") {
                    TRY(go_up());
                }
                continue;
            }
            const bool last = todo_.empty();
            auto next = entry(part);
            if (!next) {
                if (last && errno == ENOENT) return Spot{std::move(at_), part, {}, above_, slash_};
                return system_error(part);
            }
            TRY(const auto status, status_of(next));
            if (S_ISLNK(status.st_mode) && (!last || slash_ || follow_last)) {
                TRY(follow(next, status, last));
                continue;
            }
            if (!S_ISDIR(status.st_mode) && (!last || slash_)) return Error{part, ENOTDIR};
            if (last) return Spot{std::move(at_), part, std::move(next), above_, slash_};
            at_ = std::move(next);
            above_.push_back(part);
        }
        TRY(auto found, copy_of(at_));
        return Spot{std::move(at_), ".", std::move(found), above_, slash_};
    }

  private:
    void add(std::string_view path) {
        const auto parts = base::split(path, '/');
        for (auto part = parts.rbegin(); part != parts.rend(); ++part)
            if (!part->empty()) todo_.emplace_back(*part);
    }

    Fd open_at(const Fd& folder, const std::string& name, int flags) {
        if (++steps_ > most_steps) return errno = ELOOP, Fd{};
        return Fd{::openat(folder.get(), name.c_str(), flags | O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    }

    // Folders first and by O_DIRECTORY, which also makes an automounter mount what should be there.
    Fd entry(const std::string& name) {
        auto folder = open_at(at_, name, O_DIRECTORY);
        if (folder || errno != ENOTDIR) return folder;
        return open_at(at_, name, 0);
    }

    // "." and ".." ask for the right to search the folder that they are in.
    Result<void> search() {
        if (!open_at(at_, ".", O_DIRECTORY)) return system_error(".");
        return base::success();
    }

    Result<void> go_up() {
        if (!above_.empty()) above_.pop_back();
        TRY(at_, copy_of(root_));
        for (const auto& name : above_) {
            at_ = open_at(at_, name, O_DIRECTORY);
            if (!at_) return system_error(name);
        }
        return base::success();
    }

    Result<void> follow(const Fd& link, const struct stat& status, bool last) {
        if (++links_ > most_links) return Error{"too many links", ELOOP};
        TRY(const auto folder, status_of(at_));
        if (!may_follow(status, folder)) return Error{"a stranger's link", EACCES};
        TRY(const auto target, read_link(link));
        if (target.starts_with('/')) {
            TRY(at_, copy_of(root_));
            above_.clear();
        }
        if (last && target.ends_with('/')) slash_ = true;
        add(target);
        return base::success();
    }

    const Fd& root_;
    Fd at_;
    std::vector<std::string> above_;
    std::vector<std::string> todo_;  // the next one last
    bool slash_;
    int links_ = 0;
    int steps_ = 0;
};

// With the last link followed already; the one that may have come since is an error (ELOOP).
Result<Fd> open_spot(Spot spot, int flags, mode_t mode) {
    const bool creates = (flags & O_CREAT) != 0;
    if (creates && spot.slash && spot.name != ".") return Error{spot.name, EISDIR};
    if (!spot.found && !creates) return Error{spot.name, ENOENT};
    if (spot.found && creates && (flags & O_EXCL) != 0) return Error{spot.name, EEXIST};
    if ((flags & O_PATH) != 0) {
        TRY(const auto status, status_of(spot.found));
        if ((flags & O_DIRECTORY) != 0 && !S_ISDIR(status.st_mode))
            return Error{spot.name, ENOTDIR};
        return std::move(spot.found);
    }
    Fd opened{::openat(spot.folder.get(), spot.name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode)};
    if (!opened) return system_error(spot.name);
    return opened;
}

Result<Fd> open_by_steps(const Root& root, const std::string& path, int flags, mode_t mode) {
    const bool exclusive = (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0;
    const bool follow_last = (flags & O_NOFOLLOW) == 0 && !exclusive;
    // What is to be made is refused for a slash behind it, whatever stands there.
    auto name = path;
    while (exclusive && name.ends_with('/')) name.pop_back();
    for (int tries = 0;; ++tries) {
        TRY(auto spot, root.spot(name, follow_last));
        spot.slash = spot.slash || name.size() < path.size();
        auto opened = open_spot(std::move(spot), flags, mode);
        if (opened || opened.error().number != ELOOP || !follow_last || tries == most_tries)
            return opened;
    }
}

// What the kernel says before it looks at the path.
Result<void> check(const std::string& path) {
    if (path.find('\0') != path.npos) return Error{"a path with a NUL byte", EINVAL};
    if (path.size() >= PATH_MAX) return Error{path, ENAMETOOLONG};
    return base::success();
}

}  // namespace

Root::Root(Fd folder)
    : folder_(std::move(folder)), way_(kernel_can(folder_) ? Way::kernel : Way::steps) {}

bool Root::is(dev_t device, ino_t inode) const {
    if (!identity_) {
        const auto status = status_of(folder_);
        if (!status) return false;
        identity_ = Identity{status.value().st_dev, status.value().st_ino};
    }
    return identity_->device == device && identity_->inode == inode;
}

Result<Fd> Root::open(const std::string& path, int flags, mode_t mode) const {
    TRY(check(path));
    if (way_ == Way::kernel) {
        auto opened = open_by_kernel(folder_, path, flags, mode, 0);
        if (opened) return opened;
        if (errno != EAGAIN) return system_error(path);
    }
    return open_by_steps(*this, path, flags, mode);
}

Result<Spot> Root::spot(const std::string& path, bool follow_last) const {
    TRY(check(path));
    return Walk(folder_, path).to_the_last_part(follow_last);
}

bool Root::enterable_without_links(const std::string& path) const {
    // "." asks for search permission, as chdir(2) does.
    return way_ == Way::kernel && check(path) &&
           open_by_kernel(folder_, path + "/.", O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
}

}  // namespace session
