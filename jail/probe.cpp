// SPDX-License-Identifier: MIT
// Tries the layers of a jail, as a table; runs at start.
#include "jail/probe.hpp"

#include "base/fd.hpp"
#include "base/result.hpp"
#include "jail/capabilities.hpp"
#include "jail/cgroups.hpp"
#include "jail/landlock.hpp"
#include "jail/mounts.hpp"
#include "jail/namespaces.hpp"
#include "jail/root.hpp"
#include "jail/system_calls.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jail {

using base::Error;
using base::Fd;
using base::Result;
using base::system_error;

namespace {

// ----- what is tried, each in a child of its own

Result<void> try_chroot() { return change_root(Fd{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)}); }

// A home as a mount, made in one namespace and entered in another, as at a login.
Result<void> try_mounts(const MountFlags& flags) {
    const Fd home{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    TRY(auto mount, detached_mount(home, flags));
    TRY(const auto root, enter_empty_root(""));
    if (root == EmptyRoot::chroot_only) return Error{"no mounts allowed", EPERM};
    TRY(const auto pid, clone_cell({.mounts = true}));
    if (pid == 0) {
        const auto entered = enter_mount(std::move(mount), {}, {::geteuid(), ::getegid(), {}});
        ::_exit(entered ? 0 : entered.error().number);
    }
    int status = 0;
    if (::waitpid(pid, &status, 0) < 0) return system_error("waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return Error{"pivot_root", WIFEXITED(status) ? WEXITSTATUS(status) : EPERM};
    return base::success();
}

Result<void> try_network() {
    TRY(const auto network, make_empty_network());
    return enter_network(network);
}

Result<void> try_openat2() {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT;
    const Fd root{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    const Fd found{static_cast<int>(::syscall(SYS_openat2, root.get(), ".", &how, sizeof how))};
    if (!found) return system_error("openat2");
    return base::success();
}

Result<void> try_landlock() {
    TRY(forbid_new_privileges());
    return restrict_to_nothing();
}

Result<void> try_filter() {
    TRY(const auto filter, SystemCallFilter::compile(calls_before_login));
    TRY(forbid_new_privileges());
    return filter.install();
}

Result<void> try_cgroups() {
    TRY(const auto own, own_cgroup());
    const auto name = "jailftpd-probe-" + std::to_string(::getpid());
    TRY(const auto leaf, make_cgroup(own, name));
    const auto child = clone_cell({}, leaf.get());
    if (child && child.value() == 0) ::_exit(0);
    if (child) (void)::waitpid(child.value(), nullptr, 0);
    remove_cgroup(own, name);
    if (!child) return child.error();
    return base::success();
}

Result<void> try_keyring() {
    if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0)
        return system_error("keyctl");
    return base::success();
}

// clang-format off
struct Attempt {
    const char* name;
    Result<void> (*attempt)();
};
const Attempt attempts[] = {
    {"chroot",       try_chroot},
    {"mounts",       [] { return try_mounts({}); }},
    {"nosymfollow",  [] { return try_mounts({.no_links = true}); }},
    {"empty network", try_network},
    {"users",        enter_user_namespace},
    {"openat2",      try_openat2},
    {"landlock",     try_landlock},
    {"system calls", try_filter},
    {"cgroups",      try_cgroups},
    {"keyring",      try_keyring},
};
// clang-format on

// ----- trying

// The answer is as short as a pipe takes whole.
struct Answer {
    int number = 0;
    std::array<char, 200> why{};
};

Answer answer_of(const Result<void>& result) {
    Answer answer;
    if (result) return answer;
    answer.number = result.error().number != 0 ? result.error().number : EPERM;
    result.error().what.copy(answer.why.data(), answer.why.size() - 1);
    return answer;
}

Layer tried(const char* name, Result<void> (*attempt)()) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0) return {name, errno, "pipe"};
    const Fd in{ends[0]};
    Fd out{ends[1]};
    const pid_t pid = ::fork();
    if (pid < 0) return {name, errno, "fork"};
    if (pid == 0) {
        // A filter has no write; where the attempt left one standing, the end says that it worked.
        const auto answer = answer_of(attempt());
        if (answer.number != 0) (void)!::write(out.get(), &answer, sizeof answer);
        ::_exit(0);
    }
    out.close();
    Answer answer;
    const auto length = ::read(in.get(), &answer, sizeof answer);
    int status = 0;
    (void)::waitpid(pid, &status, 0);
    if (length == sizeof answer) return {name, answer.number, answer.why.data()};
    if (!WIFEXITED(status)) return {name, EPERM, "a process was ended for trying it"};
    return {name};
}

Layer tried(const Namespace& each) {
    const auto pid = clone_cell({.pid = each.wanted == &Isolation::pid,
                                 .ipc = each.wanted == &Isolation::ipc,
                                 .uts = each.wanted == &Isolation::uts,
                                 .cgroup = each.wanted == &Isolation::cgroup,
                                 .mounts = each.wanted == &Isolation::mounts});
    if (!pid) return {each.name, pid.error().number, pid.error().what};
    if (pid.value() == 0) ::_exit(0);
    (void)::waitpid(pid.value(), nullptr, 0);
    return {each.name};
}

}  // namespace

std::vector<Layer> probe() {
    std::vector<Layer> layers;
    for (const auto& each : namespaces()) {
        if (each.wanted != nullptr) layers.push_back(tried(each));
    }
    for (const auto& [name, attempt] : attempts) layers.push_back(tried(name, attempt));
    for (auto& layer : layers) {
        if (std::string_view(layer.name) == "landlock") layer.version = landlock_version();
    }
    return layers;
}

const Layer* find(std::span<const Layer> layers, std::string_view name) {
    const auto found = std::find_if(layers.begin(), layers.end(),
                                    [&](const Layer& each) { return each.name == name; });
    return found == layers.end() ? nullptr : &*found;
}

std::string missing(std::span<const Layer> layers) {
    std::string text;
    for (const auto& layer : layers) {
        if (layer.works()) continue;
        text += (text.empty() ? "" : "; ") + std::string(layer.name) + " (" + layer.why + ": " +
                std::strerror(layer.number) + ')';
    }
    return text;
}

}  // namespace jail
