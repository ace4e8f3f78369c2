// SPDX-License-Identifier: MIT
// The steps of a plan in words; for administrators, in no process of the server.
#include "jail/explained.hpp"

#include "jail/landlock.hpp"
#include "jail/system_call_trap.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include <sys/resource.h>
#include <sys/statvfs.h>

namespace jail {
namespace {

constexpr unsigned long no_links = 0x2000;  // ST_NOSYMFOLLOW, which the C library has not

std::string join(std::string all, const std::string& next) {
    return all.empty() ? next : std::move(all) + ", " + next;
}

std::string octal(mode_t mode) {
    char text[16];
    (void)std::snprintf(text, sizeof text, "%03o", mode);
    return text;
}

// As the kernel has it, of a mount that stands nowhere yet as well.
std::string mount_flags(const base::Fd& root) {
    struct Flag {
        unsigned long bit;
        const char* name;
    };
    constexpr Flag flags[] = {{ST_RDONLY, "ro"},
                              {ST_NOSUID, "nosuid"},
                              {ST_NODEV, "nodev"},
                              {ST_NOEXEC, "noexec"},
                              {no_links, "nosymfollow"}};
    struct statvfs status {};
    std::string text;
    if (::fstatvfs(root.get(), &status) < 0) return "?";
    for (const auto& each : flags) {
        if ((status.f_flag & each.bit) != 0) text = join(std::move(text), each.name);
    }
    return text;
}

std::string root_directory(const Home& home) {
    if (home.maker == Maker::user)
        return home.path_on_host + ", as the current directory, beneath which paths are followed";
    if (!home.root_is_mount)
        return home.jailed ? home.path_on_host + ", by chroot" : "the host's own (not jailed)";
    auto text = home.path_on_host + ", as a mount of its own and the only one (" +
                mount_flags(*home.root) + ")";
    for (const auto& each : home.binds)
        text += "; with " + each.target + " (" + mount_flags(*each.mount) + ")";
    return text;
}

std::string identity(const Home& home) {
    std::string groups;
    for (const auto each : home.user.groups) groups = join(std::move(groups), std::to_string(each));
    return "uid " + std::to_string(home.user.uid) + ", gid " + std::to_string(home.user.gid) +
           ", groups " + (groups.empty() ? "none" : groups);
}

std::string in_words(std::uint64_t value) {
    return value == static_cast<std::uint64_t>(RLIM_INFINITY) ? "unlimited" : std::to_string(value);
}

std::string resource(int number) {
    struct Name {
        int number;
        const char* name;
    };
    constexpr Name names[] = {
        {RLIMIT_AS, "AS"},         {RLIMIT_CORE, "CORE"},         {RLIMIT_CPU, "CPU"},
        {RLIMIT_DATA, "DATA"},     {RLIMIT_FSIZE, "FSIZE"},       {RLIMIT_MEMLOCK, "MEMLOCK"},
        {RLIMIT_NOFILE, "NOFILE"}, {RLIMIT_NPROC, "NPROC"},       {RLIMIT_RSS, "RSS"},
        {RLIMIT_STACK, "STACK"},   {RLIMIT_NICE, "NICE"},         {RLIMIT_RTPRIO, "RTPRIO"},
        {RLIMIT_LOCKS, "LOCKS"},   {RLIMIT_MSGQUEUE, "MSGQUEUE"}, {RLIMIT_SIGPENDING, "SIGPENDING"},
    };
    const auto found = std::find_if(std::begin(names), std::end(names),
                                    [number](const Name& each) { return each.number == number; });
    return std::string("RLIMIT_") +
           (found == std::end(names) ? std::to_string(number) : found->name);
}

std::string limits_of_account(const Home& home) {
    std::string text;
    for (const auto& each : home.limits)
        text = join(std::move(text), resource(each.resource) + ' ' + in_words(each.soft) + " to " +
                                         in_words(each.hard));
    return text.empty() ? "none" : text;
}

std::string file_rights(const FileRights& rights) {
    struct Right {
        bool FileRights::*field;
        const char* name;
    };
    constexpr Right all[] = {
        {&FileRights::upload, "upload"},
        {&FileRights::make_folders, "make folders"},
        {&FileRights::remove_files, "remove files"},
        {&FileRights::remove_folders, "remove folders"},
        {&FileRights::rename, "rename"},
        {&FileRights::change_modes, "change modes"},
        {&FileRights::set_times, "set times"},
        {&FileRights::sync, "sync"},
    };
    std::string text = "read";
    for (const auto& each : all) {
        if (rights.*each.field) text = join(std::move(text), each.name);
    }
    return text;
}

std::string landlock(const Home& home) {
    std::string in_binds;
    for (const auto& each : home.binds) {
        if (home.root_read_only && each.writable)
            in_binds += "; below " + each.target + ": " + file_rights(home.rights);
    }
    return "version " + std::to_string(landlock_version()) +
           "; below the root: " + file_rights(home.root_read_only ? read_only : home.rights) +
           in_binds + "; elsewhere nothing, and no TCP port";
}

std::string system_calls(const Home& home) {
    const auto& listed = home.walls.system_calls->listed();
    std::vector<std::string> names;
    for (std::size_t number = 0; number < listed.size(); ++number) {
        if (listed[number]) names.push_back(call_name(static_cast<int>(number)));
    }
    std::sort(names.begin(), names.end());
    std::string text;
    for (const auto& each : names) text = join(std::move(text), each);
    return std::to_string(names.size()) + " allowed, for some arguments at least: " + text;
}

std::string kept(const Home& home) {
    std::string text = "0, 1, 2";
    for (const auto each : home.descriptors) text = join(std::move(text), std::to_string(each));
    return "all are closed but " + text;
}

std::string start(const Home& home) {
    return home.start + (home.start_may_fail ? ", or else the root" : ", or the login ends");
}

std::string may_be_writable(const Home& home) {
    return home.jailed && home.refuse_writable_root ? "or the login ends" : "is not asked for";
}

struct Row {
    std::string_view step;
    std::string (*text)(const Home&);
};

// clang-format off
const Row rows[] = {
    {"keyring",              [](const Home&) -> std::string { return "a session keyring of its own, empty"; }},
    {"own session",          [](const Home&) -> std::string { return "setsid: no terminal, nobody's process group"; }},
    {"environment",          [](const Home&) -> std::string { return "nothing but TZ"; }},
    {"root directory",       root_directory},
    {"descriptors",          kept},
    {"umask",                [](const Home& home) { return octal(home.umask); }},
    {"no core dumps",        [](const Home&) -> std::string { return "RLIMIT_CORE 0"; }},
    {"few descriptors",      [](const Home&) { return "RLIMIT_NOFILE " + std::to_string(most_of_a_session); }},
    {"no processes",         [](const Home&) -> std::string { return "RLIMIT_NPROC 0"; }},
    {"address space",        [](const Home& home) { return home.address_space == 0 ? "no limit (address_space_limit)" : "RLIMIT_AS " + std::to_string(home.address_space); }},
    {"limits of the account", limits_of_account},
    {"empty bounding set",   [](const Home&) -> std::string { return "no program could ever give a capability back; securebits locked"; }},
    {"groups, gid, uid",     identity},
    {"uid and gid as at start", identity},
    {"no capabilities",      [](const Home&) -> std::string { return "effective, permitted, inheritable, ambient: none"; }},
    {"no new privileges",    [](const Home&) -> std::string { return "set-uid files and file capabilities count for nothing"; }},
    {"not dumpable",         [](const Home&) -> std::string { return "no ptrace and no look into its memory by the same user"; }},
    {writable_root_step,     may_be_writable},
    {"start directory",      start},
    {"landlock",             landlock},
    {"system calls",         system_calls},
};
// clang-format on

}  // namespace

std::string explained(std::string_view step, const Home& home) {
    const auto found = std::find_if(std::begin(rows), std::end(rows),
                                    [step](const Row& row) { return row.step == step; });
    return found == std::end(rows) ? std::string{} : found->text(home);
}

}  // namespace jail
