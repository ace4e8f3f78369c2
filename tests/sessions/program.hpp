// SPDX-License-Identifier: MIT
// Programs run by tests: started, waited for, looked at through /proc.
#pragma once

#include "base/fd.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace sessions {

// Waits for what has no descriptor to wait on; only a failure takes the whole time.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds patience = std::chrono::seconds(10));

// One command, its output and how it ended.
struct Ran {
    int status = -1;  // exit code; 128 + signal; -1: it took too long
    std::string out;
    std::string err;
};
struct RunWith {
    std::string input;
    std::chrono::seconds patience{60};
    uid_t as = 0;
    std::vector<std::string> environment{};  // added: NAME=VALUE
    std::function<void()> before{};          // in its process, as root, right before it starts
};
Ran run(const std::vector<std::string>& command, const RunWith& with = {});

// Its path, or "" when no such program is installed.
[[nodiscard]] std::string program_path(std::string_view name);

// The processes there are, but for the test itself, the sandbox's first process and zombies that
// are not asked for.
struct Process {
    pid_t pid;
    pid_t parent;
    char state;
    std::string title;  // arguments, blanks between them
};
[[nodiscard]] std::vector<Process> processes();
[[nodiscard]] std::vector<Process> processes(std::string_view title_part);
[[nodiscard]] std::string described(const std::vector<Process>& list);
[[nodiscard]] std::size_t descriptors_of(pid_t pid);

}  // namespace sessions
