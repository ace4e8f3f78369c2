// SPDX-License-Identifier: MIT
// Cgroups (version 2), by their files.
#include "jail/cgroups.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

namespace jail {

using base::Error;
using base::Fd;
using base::Result;
using base::system_error;

namespace {

// The second is where it stands beside version 1.
constexpr const char* usual_places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

constexpr int as_folder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Result<std::string> read_all(const char* path, int folder = AT_FDCWD) {
    const Fd file{::openat(folder, path, O_RDONLY | O_CLOEXEC)};
    if (!file) return system_error(path);
    std::string text;
    for (char buffer[4096];;) {
        const auto length = ::read(file.get(), buffer, sizeof buffer);
        if (length < 0) return system_error(path);
        if (length == 0) return text;
        text.append(buffer, static_cast<std::size_t>(length));
    }
}

Result<void> write_to(const Fd& cgroup, const char* name, const std::string& text) {
    const Fd file{::openat(cgroup.get(), name, O_WRONLY | O_CLOEXEC)};
    if (!file || ::write(file.get(), text.data(), text.size()) < 0) return system_error(name);
    return base::success();
}

Result<Fd> hierarchy() {
    for (const auto* place : usual_places) {
        Fd folder{::open(place, as_folder)};
        struct statfs status {};
        if (folder && ::fstatfs(folder.get(), &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC)
            return folder;
    }
    return Error{"no cgroup version 2 is mounted below /sys/fs/cgroup", ENOENT};
}

bool is_component(const std::string& name) {
    return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
           name.find('\0') == name.npos;
}

// Without a limit the file need not be there: its controller was not handed down.
Result<void> set_limit(const Fd& cgroup, const char* file, std::uint64_t value,
                       const char* unlimited) {
    if (value != 0) return write_to(cgroup, file, std::to_string(value));
    auto reset = write_to(cgroup, file, unlimited);
    if (!reset && reset.error().number == ENOENT) return base::success();
    return reset;
}

}  // namespace

Result<Fd> own_cgroup() {
    TRY(const auto top, hierarchy());
    TRY(const auto lines, read_all("/proc/self/cgroup"));
    for (const auto line : base::split(lines, '\n')) {
        if (!line.starts_with("0::/")) continue;
        const auto path = "." + std::string(line.substr(3));
        Fd folder{::openat(top.get(), path.c_str(), as_folder)};
        if (!folder) return system_error("cgroup " + std::string(line.substr(3)));
        return folder;
    }
    return Error{"this process is in no cgroup of version 2", ENOENT};
}

Result<Fd> make_cgroup(const Fd& parent, const std::string& name, const CgroupLimits& limits) {
    if (!is_component(name)) return Error{base::quoted(name) + " is no name of a cgroup", EINVAL};
    if (::mkdirat(parent.get(), name.c_str(), 0755) < 0 && errno != EEXIST)
        return system_error(name);
    Fd cgroup{::openat(parent.get(), name.c_str(), as_folder)};
    if (!cgroup) return system_error(name);
    TRY(set_limit(cgroup, "memory.max", limits.memory, "max"));
    TRY(set_limit(cgroup, "pids.max", limits.processes, "max"));
    TRY(set_limit(cgroup, "cpu.weight", limits.cpu_weight, "100"));
    TRY(set_limit(cgroup, "io.weight", limits.io_weight, "100"));
    return cgroup;
}

void remove_cgroup(const Fd& parent, const std::string& name) {
    (void)::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR);
}

Result<void> move_into(const Fd& cgroup, pid_t process) {
    return write_to(cgroup, "cgroup.procs", std::to_string(process));
}

std::vector<std::string> hand_down(const Fd& cgroup, std::span<const char* const> controllers) {
    std::vector<std::string> missing;
    for (const auto* each : controllers) {
        if (!write_to(cgroup, "cgroup.subtree_control", '+' + std::string(each)))
            missing.emplace_back(each);
    }
    return missing;
}

std::vector<std::string> not_to_be_had(std::span<const char* const> controllers) {
    const auto own = own_cgroup();
    const auto text =
        own ? read_all("cgroup.controllers", own.value().get()) : Result<std::string>(own.error());
    const auto there = base::split(text ? base::trim(text.value()) : "", ' ');
    std::vector<std::string> missing;
    for (const auto* each : controllers) {
        if (std::find(there.begin(), there.end(), each) == there.end()) missing.emplace_back(each);
    }
    return missing;
}

std::uint64_t kills_for_memory(const Fd& cgroup) {
    constexpr std::string_view word = "oom_kill ";
    const auto events = read_all("memory.events", cgroup.get());
    if (!events) return 0;
    for (const auto line : base::split(events.value(), '\n')) {
        if (line.starts_with(word))
            return base::to_number<std::uint64_t>(line.substr(word.size())).value_or(0);
    }
    return 0;
}

}  // namespace jail
