// SPDX-License-Identifier: MIT
// What a child allocates does not make it copy the pages of its parent.
#include "base/fork.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, Free>;

std::uintptr_t place(const Memory& memory) {
    return reinterpret_cast<std::uintptr_t>(memory.get());
}

// In a child, whose heap is nobody else's.
bool all_lies_behind_what_was_there() {
    std::vector<Memory> all;
    for (std::size_t i = 0; i < 4000; ++i) all.emplace_back(std::malloc(16 + i % 3000));
    const auto last = std::max_element(
        all.begin(), all.end(), [](const auto& a, const auto& b) { return place(a) < place(b); });
    const auto end = place(*last);
    last->swap(all.back());
    for (std::size_t i = 0; i + 1 < all.size(); i += 2) all[i].reset();
    base::prepare_to_fork();
    for (std::size_t size = 8; size < 60000; size += 1 + size / 3) {
        if (place(Memory{std::malloc(size)}) <= end) return false;
    }
    return true;
}

std::size_t pages_in_memory() {
    std::size_t all = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> all >> resident;
    return resident;
}

// Behind it something is still in use.
bool gives_back_what_was_freed() {
    std::vector<Memory> all;
    for (int i = 0; i < 1000; ++i) {
        all.emplace_back(std::malloc(8000));
        std::memset(all.back().get(), 1, 8000);
    }
    all.erase(all.begin(), all.end() - 1);
    const auto before = pages_in_memory();
    base::shrink_heap();
    return pages_in_memory() + 1000 < before;
}

TEST(Fork, LeavesNoGapsForChildrenToFill) {
#if !defined(__GLIBC__) || defined(JAILFTPD_SANITIZED)
    GTEST_SKIP() << "another allocator";
#else
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(all_lies_behind_what_was_there() ? 0 : 1);
    int status = -1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
#endif
}

TEST(Fork, GivesBackWhatAChildNeedsNoMore) {
#if !defined(__GLIBC__) || defined(JAILFTPD_SANITIZED)
    GTEST_SKIP() << "another allocator";
#else
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(gives_back_what_was_freed() ? 0 : 1);
    int status = -1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
#endif
}

}  // namespace
