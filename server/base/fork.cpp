// SPDX-License-Identifier: MIT
// The heap as it is left to children; runs in the spawner and in the authenticator's template.
#include "base/fork.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <malloc.h>
#include <unistd.h>

namespace base {
namespace {

// For what a child allocates without asking the kernel.
constexpr std::size_t room_behind = 64 * 1024;
constexpr std::size_t largest_gap = 1 << 20;
// Smaller ones are kept in lists by size, at distances of 16.
constexpr std::size_t largest_small = 1040;

// Takes all gaps of this size and never gives them back.
void fill_gaps(std::size_t size, std::uintptr_t top) {
    for (;;) {
        void* taken = std::malloc(size);
        if (taken == nullptr) return;
        if (reinterpret_cast<std::uintptr_t>(taken) >= top) return std::free(taken);
    }
}

}  // namespace

void prepare_to_fork() {
#if defined(__GLIBC__) && !defined(JAILFTPD_SANITIZED)
    // Or it would take what is large from elsewhere, for which a child has to ask the kernel.
    (void)::mallopt(M_MMAP_THRESHOLD, 4 << 20);
    (void)::malloc_trim(room_behind);
    const auto top = reinterpret_cast<std::uintptr_t>(::sbrk(0)) - ::mallinfo2().keepcost;
    std::size_t size = largest_gap;
    for (; size > largest_small; size /= 2) fill_gaps(size, top);
    for (size = largest_small; size >= 24; size -= 8) fill_gaps(size, top);
#endif
}

void shrink_heap() {
#if defined(__GLIBC__) && !defined(JAILFTPD_SANITIZED)
    (void)::malloc_trim(0);
#endif
}

}  // namespace base
