// SPDX-License-Identifier: MIT
// Namespaces: which there are, and processes cloned into new ones; runs in the spawner, and in
// what it clones.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <span>

#include <sys/types.h>

namespace jail {

// Which of them a cell gets anew. The network's is not among them: an empty one is shared.
struct Isolation {
    bool pid = false;
    bool ipc = false;
    bool uts = false;
    bool cgroup = false;
    bool mounts = false;

    bool operator==(const Isolation&) const = default;
};

struct Namespace {
    const char* name;   // in messages and in the configuration
    const char* entry;  // in /proc/PID/ns
    std::uint64_t flag;
    bool Isolation::*wanted;  // null: not a cell's
};

[[nodiscard]] std::span<const Namespace> namespaces();
[[nodiscard]] std::uint64_t clone_flags(const Isolation& isolation);

// fork() into new namespaces, and into the cgroup whose directory is given (-1: the parent's): the
// child's pid here, 0 there. Only for a process with one thread: handlers of pthread_atfork are not
// called, and the C library goes on to think that the thread has the parent's id, which matters to
// robust and recursive mutexes. With Isolation::pid the child is pid 1 (see live_as_init).
[[nodiscard]] base::Result<pid_t> clone_cell(const Isolation& isolation, int cgroup = -1);

// Signals without a handler are ignored by pid 1, even from outside (SIGKILL apart): what would end
// another process ends this one too, with exit code 128 + the signal's number.
void live_as_init();

// A new network namespace without interfaces that are up, which is that of all children as well:
// one each would cost a login more than everything else.
[[nodiscard]] base::Result<void> enter_empty_network();

// For a process that is not root and has one thread: capabilities over namespaces, mounts and roots
// of its own, with its own uid and gid as the only ones that exist. What is mounted on the host
// afterwards is seen, what it mounts is not seen there. Needs /proc, and a process that may be
// dumped.
[[nodiscard]] base::Result<void> enter_user_namespace();

}  // namespace jail
