// SPDX-License-Identifier: MIT
// A process that goes into a jail while a test looks at it from outside, through /proc.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "jail/namespaces.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace observed {

// What /proc says of a process that lives.
class Facts {
  public:
    explicit Facts(pid_t pid) : folder_("/proc/" + std::to_string(pid)) {}
    [[nodiscard]] std::string status(std::string_view field) const;  // blanks as one space each
    [[nodiscard]] std::string link(std::string_view name) const;     // "root", "cwd", "ns/mnt"
    [[nodiscard]] std::string text(std::string_view name) const;     // "mountinfo"
    [[nodiscard]] std::map<int, std::string> descriptors() const;
    [[nodiscard]] std::string limit(std::string_view name) const;  // "soft hard"
    [[nodiscard]] uid_t owner() const;                             // root's when not dumpable
    [[nodiscard]] pid_t session() const;

  private:
    std::filesystem::path folder_;
};

// A child that carries out `action`, reports how it went, and then stands still until this object
// goes. The action is given the one descriptor that must stay open for that.
class Process {
  public:
    using Action = std::function<base::Result<void>(int kept)>;
    explicit Process(const Action& action, const jail::Isolation& isolation = {}, int cgroup = -1);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    // How the action ended: nothing, or its error's text.
    [[nodiscard]] const std::optional<std::string>& error() const { return error_; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] Facts facts() const { return Facts(pid_); }

    // To it alone: where it could not be made there is no pid, and -1 would be everybody.
    void signal(int number) const;

    // Waits for its end; the status of waitpid.
    [[nodiscard]] int end();

  private:
    pid_t pid_ = -1;
    base::Fd end_;
    std::optional<std::string> error_;
};

// A directory of root's for one test, 0755; everything in it goes with it.
class Directory {
  public:
    Directory();
    ~Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    [[nodiscard]] std::string path(std::string_view name = {}) const;

    // Each returns the new entry's path; its parent must exist.
    std::string directory(std::string_view name, uid_t owner = 0, mode_t mode = 0755,
                          gid_t group = 0) const;
    std::string file(std::string_view name) const;
    std::string link(std::string_view name, const std::string& target, uid_t owner = 0) const;

  private:
    std::filesystem::path path_;
};

// Containers often forbid mounts, even in a mount namespace of one's own.
[[nodiscard]] bool mounts_allowed();

}  // namespace observed

#define NEEDS_ROOT() \
    if (::geteuid() != 0) GTEST_SKIP() << "needs root"

#define NEEDS_MOUNTS() \
    if (!observed::mounts_allowed()) GTEST_SKIP() << "needs to be allowed to mount"
