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

constexpr std::size_t buffer_size = 128 << 10;

}  // namespace

FolderReader::FolderReader(const Fd& folder)
    : folder_(folder), buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)) {
    (void)::lseek(folder_.get(), 0, SEEK_SET);
}

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

Result<ftp::Entry> entry_at(const Fd& folder, const char* name, unsigned wanted) {
    constexpr int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
    struct statx status {};
    if (::statx(folder.get(), name, flags | (*name == '\0' ? AT_EMPTY_PATH : 0), wanted, &status) <
        0)
        return system_error(name);
    ftp::Entry entry;
    entry.mode = status.stx_mode;
    entry.links = status.stx_nlink;
    entry.uid = status.stx_uid;
    entry.gid = status.stx_gid;
    entry.size = status.stx_size;
    entry.mtime = status.stx_mtime.tv_sec;
    entry.mtime_nanoseconds = status.stx_mtime.tv_nsec;
    entry.device = ::makedev(status.stx_dev_major, status.stx_dev_minor);
    entry.inode = status.stx_ino;
    return entry;
}

std::string link_target(const Fd& folder, const char* name) {
    std::array<char, PATH_MAX> target;
    const auto length = ::readlinkat(folder.get(), name, target.data(), target.size());
    return length < 0 ? std::string{}
                      : std::string(target.data(), static_cast<std::size_t>(length));
}

}  // namespace session
