// SPDX-License-Identifier: MIT
// What a session may do with the files below its root, as plain values: the options and the account
// decide, Landlock and the system call filter hold to it.
#pragma once

namespace jail {

// Reading and listing are always possible; where that is not wanted, the session's own checks say
// so.
struct FileRights {
    bool upload = false;  // make files and write to them
    bool make_folders = false;
    bool remove_files = false;
    bool remove_folders = false;
    bool rename = false;
    bool change_modes = false;
    bool set_times = false;
    bool sync = false;  // wait until what was changed is on the disk

    bool operator==(const FileRights&) const = default;
    [[nodiscard]] bool any() const { return *this != FileRights{}; }
};

inline constexpr FileRights read_only{};
inline constexpr FileRights read_write{true, true, true, true, true, true, true, true};

}  // namespace jail
