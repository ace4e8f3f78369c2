// SPDX-License-Identifier: MIT
// Landlock; runs in the process that is to be jailed. The C library has no functions for it.
#include "jail/landlock.hpp"

#include <cstdint>

#include <sys/syscall.h>
#include <unistd.h>

namespace jail {

using base::Fd;
using base::Result;
using base::system_error;

namespace {

// The kernel's own header is often older than the kernel: its numbers, which never change.
constexpr long create_ruleset = 444;
constexpr long add_rule = 445;
constexpr long restrict_self = 446;
constexpr std::uint32_t ask_version = 1;
constexpr int path_beneath = 1;

struct Ruleset {
    std::uint64_t files;
    std::uint64_t net;     // since version 4
    std::uint64_t scopes;  // since version 6
};

struct [[gnu::packed]] PathBeneath {
    std::uint64_t allowed;
    std::int32_t directory;
};

// clang-format off
enum File : std::uint64_t {
    execute      = 1 << 0,
    write_file   = 1 << 1,
    read_file    = 1 << 2,
    read_folder  = 1 << 3,
    remove_folder = 1 << 4,
    remove_file  = 1 << 5,
    make_device  = 1 << 6,
    make_folder  = 1 << 7,
    make_file    = 1 << 8,
    make_socket  = 1 << 9,
    make_fifo    = 1 << 10,
    make_block   = 1 << 11,
    make_link    = 1 << 12,
    refer        = 1 << 13,
    truncate     = 1 << 14,
    ioctl_device = 1 << 15,
};

// What each version added.
struct Version {
    int number;
    Ruleset handled;
};
constexpr Version versions[] = {
    // since  files                 net (bind, connect)  scopes (abstract sockets, signals)
    {1,      {(1 << 13) - 1,        0,                   0}},
    {2,      {refer,                0,                   0}},
    {3,      {truncate,             0,                   0}},
    {4,      {0,                    0b11,                0}},
    {5,      {ioctl_device,         0,                   0}},
    {6,      {0,                    0,                   0b11}},
};

// What a right is to Landlock. Renaming is removing here and making there, whatever it is; links,
// pipes and sockets are made in no other way, since the calls for it are on no list.
struct Row {
    bool FileRights::* right;
    std::uint64_t allowed;
};
constexpr Row rows[] = {
    {&FileRights::upload,         write_file | make_file | truncate},
    {&FileRights::make_folders,   make_folder},
    {&FileRights::remove_files,   remove_file},
    {&FileRights::remove_folders, remove_folder},
    {&FileRights::rename,         refer | remove_file | remove_folder | make_file | make_folder |
                                  make_link | make_fifo | make_socket},
};
// clang-format on

Ruleset handled(int version) {
    Ruleset all{};
    for (const auto& each : versions) {
        if (each.number > version) continue;
        all.files |= each.handled.files;
        all.net |= each.handled.net;
        all.scopes |= each.handled.scopes;
    }
    return all;
}

std::uint64_t allowed(const FileRights& rights) {
    std::uint64_t files = read_file | read_folder;
    for (const auto& row : rows) {
        if (rights.*row.right) files |= row.allowed;
    }
    return files;
}

Result<Fd> new_ruleset(const Ruleset& rules) {
    Fd ruleset{static_cast<int>(::syscall(create_ruleset, &rules, sizeof rules, 0))};
    if (!ruleset) return system_error("landlock_create_ruleset");
    return ruleset;
}

Result<void> obey(const Fd& ruleset) {
    if (::syscall(restrict_self, ruleset.get(), 0) < 0)
        return system_error("landlock_restrict_self");
    return base::success();
}

}  // namespace

int landlock_version() {
    // The kernel's, for children too.
    static const auto version = ::syscall(create_ruleset, nullptr, 0, ask_version);
    return version < 0 ? 0 : static_cast<int>(version);
}

bool landlock_suits(const FileRights& rights, int version) {
    return version >= 2 || (version == 1 && !rights.rename);
}

Result<void> restrict_to(std::span<const Ground> grounds) {
    const auto rules = handled(landlock_version());
    TRY(const auto ruleset, new_ruleset(rules));
    for (const auto& each : grounds) {
        const PathBeneath rule{allowed(each.rights) & rules.files, each.folder.get()};
        if (::syscall(add_rule, ruleset.get(), path_beneath, &rule, 0) < 0)
            return system_error("landlock_add_rule");
    }
    return obey(ruleset);
}

Result<void> restrict_to_nothing() {
    TRY(const auto ruleset, new_ruleset(handled(landlock_version())));
    return obey(ruleset);
}

}  // namespace jail
