// SPDX-License-Identifier: MIT
// A client logged in to a real session in a jail of its own; the test plays the supervisor.
#pragma once

#include "base/fd.hpp"
#include "config/options.hpp"
#include "ipc/admission.hpp"
#include "ipc/channel.hpp"
#include "tests/control/line_client.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace testing_support {

// The home folder of a user that exists nowhere else; gone with this.
class Home {
  public:
    Home();
    ~Home();
    Home(const Home&) = delete;
    Home& operator=(const Home&) = delete;

    void store(const std::string& name, std::string_view content) const;
    void make_folder(const std::string& name) const;
    void link(const std::string& name, const std::string& target) const;
    [[nodiscard]] std::string content(const std::string& name) const;  // "(none)"
    [[nodiscard]] bool exists(const std::string& name) const;
    [[nodiscard]] mode_t mode(const std::string& name) const;
    [[nodiscard]] std::string path(const std::string& name = {}) const;

    static constexpr uid_t uid = 61234;
    static constexpr gid_t gid = 61234;

  private:
    std::string path_;
};

// What a supervisor would have logged: "OK UPLOAD /a 3".
using Records = std::vector<std::string>;

// Answers a session's requests for data connections as the broker would, on loopback.
class FakeSupervisor {
  public:
    explicit FakeSupervisor(ipc::Channel channel);
    ~FakeSupervisor();
    FakeSupervisor(const FakeSupervisor&) = delete;
    FakeSupervisor& operator=(const FakeSupervisor&) = delete;

    bool no_ports = false;                 // PASV finds none
    void stop();                           // as at SIGTERM
    void die();                            // its end of the channel is gone
    [[nodiscard]] ipc::Entered entered();  // waits for it
    // The first so many, once they are there; protocol and warnings are not among them.
    [[nodiscard]] Records records(std::size_t count);
    [[nodiscard]] std::vector<std::string> warnings(std::size_t count);

  private:
    void serve();
    void answer(const ipc::Message& message);
    void take(const ipc::Record& record);
    template <typename List>
    List first(const List& list, std::size_t count);

    ipc::Channel channel_;
    base::Fd wake_;
    base::Fd wake_here_;
    base::Fd listener_;
    std::uint32_t sequence_ = 0;
    std::mutex mutex_;
    std::condition_variable heard_;
    std::vector<ipc::Entered> entered_;
    Records records_;
    std::vector<std::string> warnings_;
    std::thread thread_;
};

struct LoggedIn {
    config::Options options;
    ipc::Admission admission;
    std::string unread;
};

// Rights as with write_enable=YES and the rest by default; the root is not the user's to write in
// unless the test says so.
[[nodiscard]] LoggedIn ann();

class Conversation {
  public:
    explicit Conversation(const Home& home, LoggedIn who = ann());
    ~Conversation();
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;

    std::string say(std::string_view line) { return client.say(line); }

    // A data connection for the next transfer command.
    [[nodiscard]] base::Fd passive();

    // A whole transfer: the bytes received; replies() are those it got.
    std::string retrieve(std::string_view command);
    void store(std::string_view command, std::string_view content);
    [[nodiscard]] const std::string& replies() const { return replies_; }

    int exit_code();

    LineClient client;
    std::string greeting;  // "230 ..."
    std::unique_ptr<FakeSupervisor> supervisor;
    [[nodiscard]] int pid() const { return pid_; }

  private:
    Conversation(const Home& home, LoggedIn who, std::pair<base::Fd, base::Fd> control);
    std::string replies_;
    int pid_ = 0;
};

}  // namespace testing_support
