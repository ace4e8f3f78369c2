// SPDX-License-Identifier: MIT
// Whole sessions with the client programs that people use: a folder of the client's own, and how
// trees of files are made and compared.
#pragma once

#include "tests/sessions/conversation.hpp"
#include "tests/sessions/program.hpp"
#include "tests/sessions/required.hpp"
#include "tests/sessions/server.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace sessions {

// A folder as the other side should have it: relative path -> "folder", or size and checksum.
using Tree = std::map<std::string, std::string>;
[[nodiscard]] Tree tree_of(const std::filesystem::path& folder);
// What one has and the other has not, a line each; "" when they are the same.
[[nodiscard]] std::string unlike(const std::filesystem::path& one,
                                 const std::filesystem::path& other);

// Nested folders, an empty one, an empty file, a large one, and names that clients get wrong.
void plant_tree(const std::filesystem::path& folder, uid_t owner);
inline constexpr std::size_t large = 3'000'000;  // bytes of its large file

[[nodiscard]] std::string checksum(std::string_view content);
void set_time(const std::filesystem::path& path, time_t seconds);
[[nodiscard]] time_t time_of(const std::filesystem::path& path);

// Some clients do not use IPv6 on a machine that has only ::1.
inline constexpr const char* global_ipv6 = "2001:db8::1";

// Where the server is and who opens data connections.
struct Way {
    std::string name;
    std::string address;
    bool active;
};
inline std::ostream& operator<<(std::ostream& out, const Way& way) { return out << way.name; }
[[nodiscard]] std::vector<Way> all_ways();

// The base of every client's tests: skips (or fails) where the program is missing.
class Client : public testing::Test {
  protected:
    explicit Client(std::string program) : name_(std::move(program)) {}
    void SetUp() override;

    // The program in the client's folder, with what it would read from a terminal.
    Ran run(std::vector<std::string> arguments, const std::string& input = {}) const {
        return run_program(program_, std::move(arguments), input);
    }
    [[nodiscard]] Ran run_program(const std::string& path, std::vector<std::string> arguments,
                                  const std::string& input) const;

    // What alice has on the server and what the client has here.
    const std::filesystem::path there = home_of(alice) / "files";
    const std::filesystem::path here = place("client");
    // The home is the jail, as on most hosts.
    const Lines jailed = {"chroot_local_user=YES"};

  private:
    std::string name_;
    std::string program_;
};

[[nodiscard]] std::string said(const Ran& ran);  // for failures: everything that it said

}  // namespace sessions
