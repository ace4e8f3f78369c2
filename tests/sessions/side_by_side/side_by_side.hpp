// SPDX-License-Identifier: MIT
// The same conversation with the real vsftpd and with jailftpd, under the same configuration, on
// the same files: what they say, send, write and log must be the same, but for the deliberate
// differences that a conversation names.
#pragma once

#include "tests/sessions/conversation.hpp"
#include "tests/sessions/side_by_side/differences.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sessions {

// One thing that the client does. What comes of it is compared.
class Step {
  public:
    enum class Kind {
        say,        // a line; its reply
        receive,    // a data connection, then the line; replies and what came
        retry,      // the same, after a command for that data connection that is refused
        send,       // a data connection, then the line, then content
        broken,     // the same, but the data connection ends with a reset
        stalled,    // a data connection, then the line; nothing more, but two replies
        meanwhile,  // another client's greeting
        raw,        // bytes as they are; the reply
        hear,       // nothing is said; the next reply
        connect,    // hang up and connect anew
    };

    Step(Kind kind, std::string line, std::string content = {})
        : kind_(kind), line_(std::move(line)), content_(std::move(content)) {}

    // Here the two differ, and jailftpd's answer is this ("": whatever it is).
    [[nodiscard]] Step but(const Difference& difference, std::string ours = {}) &&;

    [[nodiscard]] const std::string& line() const { return line_; }
    [[nodiscard]] const Difference* difference() const { return difference_; }
    [[nodiscard]] const std::string& ours() const { return ours_; }
    // Replies and data as one text, in terms that do not change from run to run.
    [[nodiscard]] std::string take(std::unique_ptr<Conversation>& ftp, const Server& server) const;

  private:
    Kind kind_;
    std::string line_;
    std::string content_;
    const Difference* difference_ = nullptr;
    std::string ours_;
};

using Steps = std::vector<Step>;

[[nodiscard]] Step say(std::string line);
[[nodiscard]] Step receive(std::string line);
[[nodiscard]] Step retry(std::string refused, std::string line);
[[nodiscard]] Step send(std::string line, std::string content);
[[nodiscard]] Step broken(std::string line, std::string content);
[[nodiscard]] Step stalled(std::string line);
[[nodiscard]] Step meanwhile();
[[nodiscard]] Step raw(std::string bytes);
[[nodiscard]] Step hear();
[[nodiscard]] Step connect();

// A whole conversation, told as data. In options, PLACE is the sandbox's folder.
struct Talk {
    const char* name;
    Lines options{};                  // in vsftpd.conf
    Steps steps{};                    // after the login
    const Account* as = &alice;       // nullptr: before login
    std::function<void()> furnish{};  // files, as root
    std::string address = "127.0.0.1";
    const Difference* greeting = nullptr;  // it differs
    const Difference* disk = nullptr;      // files end up differently
    const Difference* logs = nullptr;      // vsftpd.log does
    const Difference* xferlog = nullptr;
    std::vector<std::string> environment{};  // of the server
};
void PrintTo(const Talk& talk, std::ostream* out);

// The files that conversations are about, in alice's folder "files"; every time is fixed.
void furnish_files();
// Everything below a folder, folders too, gets one and the same old time.
void set_times(const std::filesystem::path& folder);

class SideBySide : public testing::TestWithParam<Talk> {
  protected:
    void SetUp() override;  // skips (or fails) without vsftpd
};

// Holds it twice and compares.
void compare(const Talk& talk);

[[nodiscard]] std::string name_of(const testing::TestParamInfo<Talk>& talk);

}  // namespace sessions
