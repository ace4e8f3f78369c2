// SPDX-License-Identifier: MIT
// A real server process on loopback for the length of a test, and what can be seen of it.
#pragma once

#include "tests/sessions/program.hpp"
#include "tests/sessions/sandbox.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace sessions {

enum class Program { jailftpd, vsftpd };

// Path of the server; empty when vsftpd has not been unpacked.
[[nodiscard]] std::string path_of(Program program);

using Lines = std::vector<std::string>;

struct Setup {
    Program program = Program::jailftpd;
    std::vector<std::string> arguments{};  // after the configuration file
    std::string ini{};                     // content of jailftpd.ini; empty: none
    bool own_lines = true;                 // the usual lines first (local users, logs, loopback)
    std::uint16_t port = 0;                // 0: one that this test has not used yet
    std::string address = "127.0.0.1";
    bool cleanly = true;                     // it must end by itself and leave nothing behind
    bool may_fail = false;                   // it may not start
    std::vector<std::string> environment{};  // added: NAME=VALUE
    uid_t as = 0;                            // who starts it; folder and configuration are his
    std::function<void()> before{};          // in its process, as root, right before it starts
};

// A section of jailftpd.ini for somebody who exists nowhere else; the home is made, root's, with a
// folder "files" of the tenant's.
[[nodiscard]] std::string tenant(const std::string& name, const std::string& password,
                                 const Lines& more = {});
[[nodiscard]] std::filesystem::path tenant_home(const std::string& name);

class Server {
  public:
    // Starts it and waits until it accepts; a test fails when it does not come up.
    explicit Server(const Lines& lines = {}, Setup setup = {});
    // Stops it, unless the test has, and checks that it ended well and left no process.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] bool running() const;
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::uint16_t port() const { return setup_.port; }
    [[nodiscard]] const std::string& address() const { return setup_.address; }
    [[nodiscard]] std::string url() const;  // ftp://127.0.0.1:2121

    // Replaces the file's test lines; SIGHUP makes the server read them.
    void rewrite(const Lines& lines) const;
    void rewrite_ini(std::string_view content) const;
    void signal(int number) const;
    // The exit code, or 128 + signal; -1 when it is still running after that time.
    int wait(std::chrono::milliseconds patience = std::chrono::seconds(15));

    [[nodiscard]] std::filesystem::path folder() const { return folder_; }
    [[nodiscard]] std::filesystem::path log_file() const { return folder_ / "vsftpd.log"; }
    [[nodiscard]] std::filesystem::path xferlog_file() const { return folder_ / "xferlog"; }
    [[nodiscard]] std::filesystem::path config_file() const { return folder_ / "vsftpd.conf"; }
    [[nodiscard]] std::string errors() const;  // what it said on standard error
    [[nodiscard]] std::string log() const;
    [[nodiscard]] std::string xferlog() const;

    // The first line of the log that the expression (ECMAScript) matches in part, once it is there;
    // "" and a failure when it does not come.
    std::string logged(const std::string& expression) const;
    std::string complained(const std::string& expression) const;

    // Its own processes of a kind, by title: "[session]", "[greeter]", "[spawner]", ...
    [[nodiscard]] std::vector<Process> processes(std::string_view kind) const;
    // Waits until there is exactly one and returns its pid.
    [[nodiscard]] pid_t process(std::string_view kind) const;

  private:
    void start();
    void write_config(const Lines& lines) const;

    Setup setup_;
    std::filesystem::path folder_;
    pid_t pid_ = -1;
    bool waited_for_ = false;
    int status_ = -1;
};

}  // namespace sessions
