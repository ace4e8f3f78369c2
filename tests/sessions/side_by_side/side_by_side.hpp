// SPDX-License-Identifier: MIT
// The same conversation with the real vsftpd and with jailftpd, under the same configuration, on
// the same files: what they say, send, write and log must be the same, but for the deliberate
// differences that a conversation names.
#pragma once

#include "tests/sessions/conversation.hpp"
#include "tests/sessions/secure.hpp"
#include "tests/sessions/side_by_side/differences.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sessions {

// A deliberate difference, if there is one; with: only with that value of the option in question.
struct Apart {
    Apart(const Difference* which = nullptr, const char* with = nullptr)
        : which_(which), with_(with != nullptr ? with : "") {}
    // Where it applies.
    [[nodiscard]] const Difference* at(const std::string& value) const {
        return with_.empty() || with_ == value ? which_ : nullptr;
    }

  private:
    const Difference* which_;
    std::string with_;
};

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
        soon,       // a line, if it is not empty; its reply if it comes within seconds
        connect,    // hang up and connect anew
        elsewhere,  // the greeting at another address of the server
        called,     // as receive, but the server connects; from where
        foreign,    // as receive, but from another address than this client's
        aborted,    // as receive, with an urgent ABOR before anything is read
        uploading,  // as send; whether the file is locked meanwhile
        secure,     // a line; if it is answered with 234, the handshake and what was agreed
        clear,      // as receive, without TLS whatever was said
        exposed,    // as send, without TLS
    };

    Step(Kind kind, std::string line, std::string content = {})
        : kind_(kind), line_(std::move(line)), content_(std::move(content)) {}

    // Here the two differ, and jailftpd's answer is this ("": whatever it is); if a value is given,
    // only with that value of the option in question.
    [[nodiscard]] Step but(const Difference& difference, std::string ours = {},
                           const char* with = nullptr) &&;

    [[nodiscard]] const std::string& line() const { return line_; }
    [[nodiscard]] bool begins() const { return kind_ == Kind::connect; }
    [[nodiscard]] const Apart& apart() const { return apart_; }
    [[nodiscard]] const std::string& ours() const { return ours_; }
    // Replies and data as one text, in terms that do not change from run to run.
    [[nodiscard]] std::string take(std::unique_ptr<Conversation>& ftp, const Server& server) const;
    // Of a client that knows TLS.
    [[nodiscard]] std::string take(std::unique_ptr<Secure>& ftp, const Server& server) const;

  private:
    Kind kind_;
    std::string line_;
    std::string content_;
    Apart apart_;
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
[[nodiscard]] Step soon(std::string line = {});
[[nodiscard]] Step connect();
[[nodiscard]] Step elsewhere(std::string address);
[[nodiscard]] Step called(std::string line);
[[nodiscard]] Step foreign(std::string address, std::string line);
[[nodiscard]] Step aborted(std::string line);
[[nodiscard]] Step uploading(std::string command, std::string file);
[[nodiscard]] Step secure(std::string line);
[[nodiscard]] Step clear(std::string line);
[[nodiscard]] Step clear(std::string line, std::string content);

// A whole conversation, told as data. In options, PLACE is the sandbox's folder.
struct Talk {
    const char* name = "";
    Lines options{};                  // in vsftpd.conf
    Steps steps{};                    // after the login
    const Account* as = &alice;       // nullptr: before login
    std::function<void()> furnish{};  // files, as root
    std::string address = "127.0.0.1";
    Apart greeting{};  // it differs
    Apart login{};     // the answer to it does
    Apart disk{};      // files end up differently
    Apart logs{};      // vsftpd.log does
    Apart xferlog{};
    std::vector<std::string> environment{};  // of the server
    uid_t launched_by = 0;                   // who starts it
    bool syslog = false;                     // what goes there is compared, too
    Apart in_syslog{};
    std::string value{};             // of the option in question, if it is about one
    std::optional<Habits> client{};  // of one that knows TLS; its certificate is a file
};
void PrintTo(const Talk& talk, std::ostream* out);

// Who comes to look around, what there is to see for him, and what he tries.
inline const Account anonymous{"ftp", 0, "me@here"};
void furnish_public();
[[nodiscard]] Steps visit();

// The files that conversations are about, in alice's folder "files"; every time is fixed.
void furnish_files();
// Everything below a folder, folders too, gets one and the same old time.
void set_times(const std::filesystem::path& folder);

class WithReference : public testing::Test {
  protected:
    void SetUp() override;  // skips (or fails) without vsftpd
};

class SideBySide : public WithReference, public testing::WithParamInterface<Talk> {};

// Holds it twice and compares. All that came of it with vsftpd.
std::string compare(const Talk& talk);

[[nodiscard]] std::string name_of(const testing::TestParamInfo<Talk>& talk);

}  // namespace sessions
