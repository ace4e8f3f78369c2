// SPDX-License-Identifier: MIT
// chroot and pivot_root; runs in the process that is to be jailed.
#include "jail/root.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jail {

using base::Fd;
using base::Result;
using base::system_error;

namespace {

constexpr unsigned long inert = MS_NOSUID | MS_NODEV | MS_NOEXEC;

constexpr const char* emptiness = "size=4k,nr_inodes=4,mode=0555";

// An empty file system in the place of everything, with the old root on top of it still. /proc
// serves as a mount point because it exists everywhere, and the mount is nobody else's to see.
Result<void> mount_emptiness() {
    if (::unshare(CLONE_NEWNS) < 0) return system_error("unshare");
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
        return system_error("cannot make the mounts private");
    const char* place = nullptr;
    for (const auto* each : {"/proc", "/tmp", "/run", "/var"}) {
        if (::mount("none", each, "tmpfs", inert, emptiness) == 0) {
            place = each;
            break;
        }
    }
    if (place == nullptr) return system_error("cannot mount a tmpfs");
    if (::chdir(place) < 0) return system_error("chdir");
    // "." twice: the old root ends up on top of the new one.
    if (::syscall(SYS_pivot_root, ".", ".") < 0) return system_error("pivot_root");
    return base::success();
}

Result<void> take_off_old_root() {
    if (::umount2(".", MNT_DETACH) < 0) return system_error("cannot unmount the old root");
    if (::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_RDONLY | inert, emptiness) < 0)
        return system_error("cannot make the empty root read-only");
    if (::chdir("/") < 0) return system_error("chdir");
    return base::success();
}

bool is_empty(const Fd& directory) {
    Fd copy{::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    auto* stream = ::fdopendir(copy.get());
    if (stream == nullptr) return false;
    (void)copy.release();  // the stream's now
    bool empty = true;
    while (const auto* entry = ::readdir(stream)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") empty = false;
    }
    ::closedir(stream);
    return empty;
}

Result<Fd> empty_directory(const std::string& fallback) {
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    if (!fallback.empty()) {
        Fd directory{::open(fallback.c_str(), flags)};
        struct stat status {};
        if (directory && ::fstat(directory.get(), &status) == 0 && status.st_uid == 0 &&
            (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 && is_empty(directory))
            return directory;
    }
    for (std::string name : {"/run/jailftpd-XXXXXX", "/tmp/jailftpd-XXXXXX"}) {
        if (::mkdtemp(name.data()) == nullptr) continue;
        Fd directory{::open(name.c_str(), flags)};
        // Removed while it is open: nobody can ever put anything into it.
        (void)::rmdir(name.c_str());
        if (directory) return directory;
    }
    return system_error("no empty directory for processes that need no files");
}

}  // namespace

Result<void> change_root(Fd directory) {
    if (::fchdir(directory.get()) < 0) return system_error("fchdir");
    if (::chroot(".") < 0) return system_error("chroot");
    if (::chdir("/") < 0) return system_error("chdir");
    return base::success();
}

Result<void> change_root(Fd directory, const Identity& user) {
    TRY(const auto borrowed, Borrowed::take(user));
    return change_root(std::move(directory));
}

Result<EmptyRoot> enter_empty_root(const std::string& fallback) {
    // Containers forbid unshare, mount or pivot_root, each with an errno of its own (EPERM, EACCES,
    // EINVAL, ENOSYS); up to pivot_root nothing has happened that a chroot would mind.
    if (mount_emptiness()) {
        TRY(take_off_old_root());
        return EmptyRoot::own_mount_namespace;
    }
    TRY(auto directory, empty_directory(fallback));
    TRY(change_root(std::move(directory)));
    return EmptyRoot::chroot_only;
}

bool root_is_writable() { return ::access("/", W_OK) == 0; }

}  // namespace jail
