// SPDX-License-Identifier: MIT
// Has a process of somebody else's ask the kernel for something, by ptrace: what an attacker could
// who runs code in it.
#pragma once

#include "tests/jail/call_table.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>
#include <sys/user.h>

namespace sessions {

class Injector {
  public:
    // The process must be waiting in a system call.
    explicit Injector(pid_t pid);
    // It goes on waiting, if it lives.
    ~Injector();
    Injector(const Injector&) = delete;
    Injector& operator=(const Injector&) = delete;

    // What is wrong with it, or with the kernel.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }

    struct Answer {
        call_table::Verdict verdict;
        long result = 0;  // of one that is allowed: -errno or more
    };
    // With an `exit` the process ends, and killed is the end as well.
    [[nodiscard]] Answer ask(long number, const call_table::Arguments& arguments);

    // Bytes put into its memory, for an argument; their address there. The next ones take their
    // place.
    [[nodiscard]] long put(std::string_view bytes) const;

    // From now on the filter does not count: to look at what it hides. False where the kernel has
    // no such thing.
    [[nodiscard]] bool suspend_filter();

  private:
    [[nodiscard]] std::vector<char> registers() const;
    void set_registers(const std::vector<char>& values) const;
    // Until its next stop; its status, or nothing when it has ended.
    [[nodiscard]] std::optional<int> go_on(int signal);
    [[nodiscard]] bool was_trapped() const;

    pid_t pid_;
    std::string trouble_;
    std::vector<char> before_;
    int end_ = 0;  // status of an end
};

}  // namespace sessions
