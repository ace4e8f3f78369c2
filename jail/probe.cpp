// SPDX-License-Identifier: MIT
// Tries the layers of a jail, as a table; runs at start.
#include "jail/probe.hpp"

#include "base/fd.hpp"
#include "base/result.hpp"
#include "jail/capabilities.hpp"
#include "jail/cgroups.hpp"
#include "jail/identity.hpp"
#include "jail/landlock.hpp"
#include "jail/mounts.hpp"
#include "jail/namespaces.hpp"
#include "jail/plan.hpp"
#include "jail/root.hpp"
#include "jail/system_calls.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <sys/random.h>
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

// A uid that nobody has who could mind.
constexpr uid_t some_uid = 65534;

Result<void> try_identity() { return become({some_uid, some_uid, {}}); }

// What root needs besides to end a session, which runs as somebody else.
Result<void> try_signals() {
    if (!has_capability(CAP_KILL)) return Error{"no CAP_KILL", EPERM};
    return base::success();
}

// A home as a mount, made in one namespace and entered in another, as at a login. Without root the
// process that makes it has another user namespace than the one that enters it.
Result<void> try_mounts(const MountFlags& flags) {
    const Fd home{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    TRY(auto mount, detached_mount(home, flags));
    if (::geteuid() != 0) {
        TRY(enter_user_namespace());
    }
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
        return Error{"move_mount", WIFEXITED(status) ? WEXITSTATUS(status) : EPERM};
    return base::success();
}

Result<void> try_network() { return enter_empty_network(); }

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
    // Not by the pid: who does the same in another pid namespace may have the same one.
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) < 0) return system_error("getrandom");
    const auto name = "jailftpd-probe-" + std::to_string(number);
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

// Who needs it: root, and an ordinary user in a user namespace (in which it is tried) or as such.
// clang-format off
struct Attempt {
    const char* name;
    unsigned makers;
    Result<void> (*attempt)();
};
const Attempt attempts[] = {
    {"identity",      by_root,       try_identity},
    {"bounding set",  by_root,       empty_bounding_set},
    {"signals",       by_root,       try_signals},
    {"users",         by_user,       enter_user_namespace},
    {"chroot",        with_rights,   try_chroot},
    {"mounts",        with_rights,   [] { return try_mounts({}); }},
    {"nosymfollow",   with_rights,   [] { return try_mounts({.no_links = true}); }},
    {"empty network", with_rights,   try_network},
    {"openat2",       always,        try_openat2},
    {"landlock",      always,        try_landlock},
    {"system calls",  always,        try_filter},
    {"cgroups",       by_root,       try_cgroups},
    {"keyring",       by_root,       try_keyring},
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

Result<void> be_as_in(unsigned makers) {
    if (::geteuid() == 0 || (makers & by_user) != 0) return base::success();
    return enter_user_namespace();
}

Result<void> carry_out(const Attempt& attempt) {
    TRY(be_as_in(attempt.makers));
    return attempt.attempt();
}

Layer tried(const char* name, const std::function<Result<void>()>& attempt) {
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
    if (!WIFEXITED(status)) return {name, EPERM, "a process was ended for trying it", 0, true};
    return {name};
}

Result<void> try_namespace(const Namespace& each) {
    TRY(be_as_in(with_rights));
    TRY(const auto pid, clone_cell({.pid = each.wanted == &Isolation::pid,
                                    .ipc = each.wanted == &Isolation::ipc,
                                    .uts = each.wanted == &Isolation::uts,
                                    .cgroup = each.wanted == &Isolation::cgroup,
                                    .mounts = each.wanted == &Isolation::mounts}));
    if (pid == 0) ::_exit(0);
    (void)::waitpid(pid, nullptr, 0);
    return base::success();
}

}  // namespace

std::vector<Layer> probe() {
    std::vector<Layer> layers;
    for (const auto& each : namespaces()) {
        if (each.wanted != nullptr)
            layers.push_back(tried(each.name, [&each] { return try_namespace(each); }));
    }
    const auto asked = ::geteuid() == 0 ? by_root : without_root;
    for (const auto& each : attempts) {
        if ((each.makers & asked) != 0)
            layers.push_back(tried(each.name, [&each] { return carry_out(each); }));
    }
    for (auto& layer : layers) {
        if (std::string_view(layer.name) == "landlock" && layer.works())
            layer.version = landlock_version();
    }
    return layers;
}

const Layer* find(std::span<const Layer> layers, std::string_view name) {
    const auto found = std::find_if(layers.begin(), layers.end(),
                                    [&](const Layer& each) { return each.name == name; });
    return found == layers.end() ? nullptr : &*found;
}

std::string missing(std::span<const Layer> layers) {
    // Neighbours that lack the same share its name.
    std::string text;
    std::string last;
    for (const auto& layer : layers) {
        if (layer.works()) continue;
        const auto reason = " (" + layer.why + ": " + std::strerror(layer.number) + ')';
        if (!last.empty()) text += last == reason ? ", " : last + "; ";
        text += layer.name;
        last = reason;
    }
    return text + last;
}

}  // namespace jail
