// SPDX-License-Identifier: MIT
// Reads folders with as few system calls as there are; runs in the session.
#include "session/folder.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace session {

using base::Fd;
using base::Result;
using base::system_error;

namespace {

// Less than what the C library asks the kernel for anew each time.
constexpr std::size_t buffer_size = 64 << 10;

// Where a container's filter is older than statx. The C library would do it as well, but not with
// these flags.
Result<void> look_by_old_call(const Fd& folder, const char* name, int flags, ftp::Entry& entry) {
    struct stat status {};
    if (::fstatat(folder.get(), name, &status, flags) < 0) return system_error(name);
    entry.mode = status.st_mode;
    entry.links = static_cast<decltype(entry.links)>(status.st_nlink);
    entry.uid = status.st_uid;
    entry.gid = status.st_gid;
    entry.size = static_cast<decltype(entry.size)>(status.st_size);
    entry.mtime = status.st_mtim.tv_sec;
    entry.mtime_nanoseconds =
        static_cast<decltype(entry.mtime_nanoseconds)>(status.st_mtim.tv_nsec);
    entry.device = status.st_dev;
    entry.inode = status.st_ino;
    return base::success();
}

}  // namespace

FolderReader::FolderReader(const Fd& folder)
    : folder_(folder), buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)) {}

Result<std::optional<FolderReader::Name>> FolderReader::next() {
    if (at_ == end_) {
        const auto count = ::getdents64(folder_.get(), buffer_.get(), buffer_size);
        // Somebody has removed the folder: nothing more is in it.
        if (count == 0 || (count < 0 && errno == ENOENT)) return std::nullopt;
        if (count < 0) return system_error("getdents");
        at_ = 0;
        end_ = static_cast<std::size_t>(count);
    }
    const auto* entry = reinterpret_cast<const dirent64*>(buffer_.get() + at_);
    at_ += entry->d_reclen;
    return Name{entry->d_name, entry->d_type};
}

Result<void> look_at(const Fd& folder, const char* name, unsigned wanted, ftp::Entry& entry) {
    const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name == '\0' ? AT_EMPTY_PATH : 0);
    struct statx status;  // 256 bytes, which the kernel fills
    if (::statx(folder.get(), name, flags | AT_STATX_DONT_SYNC, wanted, &status) < 0) {
        if (errno == ENOSYS || errno == EPERM) return look_by_old_call(folder, name, flags, entry);
        return system_error(name);
    }
    entry.mode = status.stx_mode;
    entry.links = status.stx_nlink;
    entry.uid = status.stx_uid;
    entry.gid = status.stx_gid;
    entry.size = status.stx_size;
    entry.mtime = status.stx_mtime.tv_sec;
    entry.mtime_nanoseconds = status.stx_mtime.tv_nsec;
    entry.device = ::makedev(status.stx_dev_major, status.stx_dev_minor);
    entry.inode = status.stx_ino;
    return base::success();
}

std::string link_target(const Fd& folder, const char* name) {
    std::array<char, PATH_MAX> target;
    const auto length = ::readlinkat(folder.get(), name, target.data(), target.size());
    return length < 0 ? std::string{}
                      : std::string(target.data(), static_cast<std::size_t>(length));
}

}  // namespace session
