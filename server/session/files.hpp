// SPDX-License-Identifier: MIT
// The user's files: every path is resolved beneath a descriptor of the jail's root; runs in the
// session. Paths are absolute and virtual, as ftp::absolute makes them.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "session/beneath.hpp"

#include <cstdint>
#include <string>
#include <utility>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

namespace session {

struct OpenFile {
    base::Fd file;
    struct stat status {};  // of one that was there
    bool created = false;   // by this very call
};

class Files {
  public:
    // syncs: what has been made and renamed is on the disk when the call returns (sync_uploads).
    explicit Files(Root root, bool syncs = false) : root_(std::move(root)), syncs_(syncs) {}

    // Opens "/" as it is now, or what else is to be the root.
    [[nodiscard]] static base::Result<Files> open_root(const char* path = "/", bool syncs = false);

    // A regular file for reading; directories, devices and the like are an error (EISDIR,
    // ftp::not_a_regular_file).
    [[nodiscard]] base::Result<OpenFile> open(const std::string& path) const;

    // For writing, made when it is not there; never truncates. exclusive: EEXIST when it is there.
    [[nodiscard]] base::Result<OpenFile> create(const std::string& path, mode_t mode,
                                                bool exclusive) const;

    // With syncs, and else at once: the file is on the disk, and the name that it has there. It may
    // take as long as the disk does. An error is told once: a second call may find no fault.
    [[nodiscard]] base::Result<void> sync(const base::Fd& file, const std::string& path) const;

    // For reading the names in it.
    [[nodiscard]] base::Result<base::Fd> open_folder(const std::string& path,
                                                     bool follow_last = true) const;

    [[nodiscard]] bool is_root(dev_t device, ino_t inode) const { return root_.is(device, inode); }

    // Whatever it is, only to be looked at (O_PATH).
    [[nodiscard]] base::Result<base::Fd> find(const std::string& path,
                                              bool follow_last = true) const;
    [[nodiscard]] base::Result<struct stat> status(const std::string& path,
                                                   bool follow_last = true) const;
    [[nodiscard]] base::Result<struct statvfs> space(const std::string& path) const;

    // CWD: the physical path (no links, no "..") of a folder that may be entered.
    [[nodiscard]] base::Result<std::string> enter(const std::string& path) const;

    [[nodiscard]] base::Result<void> make_folder(const std::string& path) const;
    [[nodiscard]] base::Result<void> remove_folder(const std::string& path) const;
    [[nodiscard]] base::Result<void> remove(const std::string& path) const;
    // Where the path leads at last, if that is this very file still; the links on the way stay.
    [[nodiscard]] base::Result<void> remove_end(const std::string& path,
                                                const struct stat& file) const;
    [[nodiscard]] base::Result<void> rename(const std::string& from, const std::string& to) const;
    [[nodiscard]] base::Result<void> change_mode(const std::string& path, mode_t mode) const;
    [[nodiscard]] base::Result<void> set_time(const std::string& path, std::int64_t seconds,
                                              std::uint32_t nanoseconds) const;

  private:
    // The names in a folder (O_PATH) that was changed; path: what has got its name there.
    [[nodiscard]] base::Result<void> sync_names(const base::Fd& folder,
                                                const std::string& path) const;

    Root root_;
    bool syncs_;
};

}  // namespace session
