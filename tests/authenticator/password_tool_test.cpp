// SPDX-License-Identifier: MIT
// jailftpd passwd, by pipes and at a terminal.
#include "authenticator/password_tool.hpp"

#include "authenticator/hash.hpp"
#include "base/fd.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace {

using authenticator::make_hash;
using authenticator::match;
using authenticator::Match;
using authenticator::Secret;
using base::Fd;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr int patience = 20000;  // milliseconds

// ----- hashes

TEST(MakeHash, KnowsThreeMethods) {
    for (const auto& [method, prefix] :
         {std::pair{"yescrypt", "$y$"}, {"sha512", "$6$"}, {"bcrypt", "$2b$12$"}}) {
        const auto hash = make_hash(method, "wonderland");
        ASSERT_TRUE(hash) << hash.error().text();
        EXPECT_THAT(hash.value(), StartsWith(prefix));
        EXPECT_EQ(match(Secret("wonderland"), hash.value()), Match::yes);
        EXPECT_EQ(match(Secret("looking-glass"), hash.value()), Match::no);
        EXPECT_LT(hash.value().size(), 180U) << "it must fit into a line of the ini file";
    }
}

TEST(MakeHash, TakesAnotherSaltEachTime) {
    EXPECT_NE(make_hash("sha512", "wonderland").value(), make_hash("sha512", "wonderland").value());
}

TEST(MakeHash, KnowsNoOther) {
    for (const auto* method : {"", "md5", "des", "YESCRYPT", "$6$", "plain"}) {
        const auto hash = make_hash(method, "wonderland");
        ASSERT_FALSE(hash) << method;
        EXPECT_THAT(hash.error().text(), HasSubstr("yescrypt, sha512 and bcrypt"));
    }
}

TEST(MakeHash, IsHonestAboutBcrypt) {
    EXPECT_TRUE(make_hash("bcrypt", std::string(72, 'x')));
    const auto hash = make_hash("bcrypt", std::string(73, 'x'));
    ASSERT_FALSE(hash);
    EXPECT_THAT(hash.error().text(), HasSubstr("72 bytes"));
    EXPECT_TRUE(make_hash("yescrypt", std::string(128, 'x')));
}

// ----- the command

struct Said {
    int status = -1;
    std::string out;
    std::string errors;
};

std::string all_of(const Fd& file) {
    std::string text;
    char buffer[1024];
    for (ssize_t got = 0; (got = ::read(file.get(), buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(got));
    return text;
}

struct Pipe {
    Fd from;
    Fd to;
    Pipe() {
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        from = Fd{ends[0]};
        to = Fd{ends[1]};
    }
};

int exit_status(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// No input: standard input stays open and silent.
Said passwd(const std::vector<std::string_view>& arguments, std::optional<std::string> input) {
    Pipe in, out, errors;
    std::fflush(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(in.from.get(), 0);
        ::dup2(out.to.get(), 1);
        ::dup2(errors.to.get(), 2);
        in.to.close();
        ::alarm(20);
        const int status = authenticator::passwd_main(arguments);
        std::fflush(stdout);
        ::_exit(status);
    }
    in.from.close();
    out.to.close();
    errors.to.close();
    if (input) {
        (void)!::write(in.to.get(), input->data(), input->size());
        in.to.close();
    }
    Said said{-1, all_of(out.from), all_of(errors.from)};
    said.status = exit_status(pid);
    return said;
}

TEST(Passwd, MakesAHashOfOneLine) {
    for (const std::string line :
         {"wonderland\n", "wonderland\r\n", "wonderland", "wonderland\nx\n"}) {
        const auto said = passwd({"--method", "sha512"}, line);
        EXPECT_EQ(said.status, 0) << said.errors;
        EXPECT_EQ(said.errors, "");
        ASSERT_THAT(said.out, AllOf(StartsWith("$6$"), testing::EndsWith("\n")));
        EXPECT_EQ(match(Secret("wonderland"), said.out.substr(0, said.out.size() - 1)), Match::yes);
    }
    EXPECT_THAT(passwd({}, "wonderland\n").out, StartsWith("$y$"));
    EXPECT_THAT(passwd({"--method=bcrypt"}, "wonderland\n").out, StartsWith("$2b$"));
}

TEST(Passwd, TakesWhatCanBeSaidOverFtp) {
    const std::string ok[] = {std::string(128, 'x'), "two words",
                              "gr\xC3\xBC\xC3\x9F"
                              "e",
                              " blank ", "#;="};
    for (const auto& each : ok) {
        const auto said = passwd({"--method=sha512"}, each + "\n");
        EXPECT_EQ(said.status, 0) << said.errors;
        EXPECT_EQ(match(Secret(each), said.out.substr(0, said.out.size() - 1)), Match::yes);
    }
}

TEST(Passwd, RefusesWhatCannot) {
    const std::pair<std::string, const char*> bad[] = {
        {"", "no password was given"},
        {"\n", "an empty password"},
        {"\r\n", "an empty password"},
        {std::string(129, 'x') + "\n", "at most 128 bytes"},
        {std::string(5000, 'x') + "\n", "too long"},
        {"a\tb\n", "no control characters"},
        {"a\x7F\n", "no control characters"},
        {std::string("a\0b\n", 4), "no control characters"},
        {"a\rb\n", "no control characters"},
        {"a\x03\n", "no control characters"},  // no terminal, no ^C
    };
    for (const auto& [input, words] : bad) {
        const auto said = passwd({"--method=sha512"}, input);
        EXPECT_EQ(said.status, 2) << input;
        EXPECT_EQ(said.out, "");
        EXPECT_THAT(said.errors, AllOf(StartsWith("jailftpd passwd: "), HasSubstr(words)));
    }
    const auto said = passwd({"--method=bcrypt"}, std::string(73, 'x') + "\n");
    EXPECT_EQ(said.status, 2);
    EXPECT_THAT(said.errors, Not(HasSubstr("xxx")));
}

TEST(Passwd, AsksForNothingWithAMethodThatIsNone) {
    const auto said = passwd({"--method=rot13"}, std::nullopt);
    EXPECT_EQ(said.status, 2);
    EXPECT_EQ(said.errors,
              "jailftpd passwd: there is no method rot13, but yescrypt, sha512 and bcrypt\n");
}

TEST(Passwd, ExplainsItself) {
    for (const auto* word : {"--help", "-h"}) {
        const auto said = passwd({word}, std::nullopt);
        EXPECT_EQ(said.status, 0);
        EXPECT_THAT(said.out, StartsWith("usage: jailftpd passwd"));
    }
    for (const std::vector<std::string_view>& wrong : {std::vector<std::string_view>{"wonderland"},
                                                       {"--method"},
                                                       {"-x"},
                                                       {"--method", "sha512", "x"}}) {
        const auto said = passwd(wrong, std::nullopt);
        EXPECT_EQ(said.status, 2);
        EXPECT_EQ(said.out, "");
        EXPECT_THAT(said.errors, StartsWith("usage: jailftpd passwd"));
    }
}

// ----- at a terminal

// A terminal with the command at it; what it prints as result comes by the terminal as well.
class Terminal {
  public:
    explicit Terminal(const std::vector<std::string_view>& arguments = {"--method=sha512"}) {
        Fd slave;
        if (!open(slave)) return;
        ::tcgetattr(slave.get(), &before_);
        std::fflush(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::setsid();
            ::ioctl(slave.get(), TIOCSCTTY, 0);
            for (const int each : {0, 1, 2}) ::dup2(slave.get(), each);
            master_.close();
            ::alarm(20);
            ::_exit(authenticator::passwd_main(arguments));
        }
        slave_ = std::move(slave);
    }
    ~Terminal() {
        if (pid_ > 0) ::kill(pid_, SIGKILL);
        if (pid_ > 0) (void)exit_status(pid_);
        if (!mounted_.empty()) {
            ::umount2(mounted_.c_str(), MNT_DETACH);
            ::rmdir(mounted_.c_str());
        }
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    [[nodiscard]] bool exists() const { return static_cast<bool>(slave_); }

    void type(std::string_view text) const {
        (void)!::write(master_.get(), text.data(), text.size());
    }

    // All that came until these words; whatever came if they do not.
    std::string until(std::string_view words) {
        std::string text;
        while (text.find(words) == text.npos) {
            pollfd readable{master_.get(), POLLIN, 0};
            char buffer[1024];
            if (::poll(&readable, 1, patience) != 1) break;
            const auto got = ::read(master_.get(), buffer, sizeof buffer);
            if (got <= 0) break;
            text.append(buffer, static_cast<std::size_t>(got));
        }
        shown += text;
        return text;
    }

    // What is still to come, once it has ended.
    int status() {
        const int result = exit_status(std::exchange(pid_, -1));
        pollfd readable{master_.get(), POLLIN, 0};
        while (::poll(&readable, 1, 0) == 1) {
            char buffer[1024];
            const auto got = ::read(master_.get(), buffer, sizeof buffer);
            if (got <= 0) break;
            shown.append(buffer, static_cast<std::size_t>(got));
        }
        return result;
    }

    [[nodiscard]] bool is_as_before() const {
        termios now{};
        ::tcgetattr(slave_.get(), &now);
        return now.c_lflag == before_.c_lflag && now.c_cc[VEOL] == before_.c_cc[VEOL];
    }

    std::string shown;

  private:
    // The sandbox has no /dev/pts, but may mount one.
    bool open(Fd& slave) {
        std::string master = "/dev/ptmx";
        if (!std::filesystem::exists(master)) {
            mounted_ = "/tmp/pts-XXXXXX";
            if (::mkdtemp(mounted_.data()) == nullptr ||
                ::mount("devpts", mounted_.c_str(), "devpts", 0, "newinstance,ptmxmode=0666") < 0)
                return false;
            master = mounted_ + "/ptmx";
        }
        master_ = Fd{::open(master.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)};
        if (!master_ || ::unlockpt(master_.get()) < 0) return false;
        slave = Fd{::ioctl(master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)};
        return static_cast<bool>(slave);
    }

    Fd master_;
    Fd slave_;
    termios before_{};
    std::string mounted_;
    pid_t pid_ = -1;
};

struct PasswdAtATerminal : testing::Test {
    std::optional<Terminal> terminal;
    void SetUp() override {
        terminal.emplace();
        if (!terminal->exists()) GTEST_SKIP() << "no terminals here";
    }
};

TEST_F(PasswdAtATerminal, AsksTwiceAndShowsNothing) {
    terminal->until("Password: ");
    terminal->type("wonderland\n");
    terminal->until("Again: ");
    terminal->type("wonderland\n");
    terminal->until("$6$");
    EXPECT_EQ(terminal->status(), 0) << terminal->shown;
    const auto& hash = terminal->shown;
    EXPECT_THAT(terminal->shown, Not(HasSubstr("wonderland")));
    const auto begin = hash.find("$6$");
    ASSERT_NE(begin, hash.npos) << terminal->shown;
    EXPECT_EQ(match(Secret("wonderland"), hash.substr(begin, hash.find('\r', begin) - begin)),
              Match::yes);
    EXPECT_TRUE(terminal->is_as_before());
}

TEST_F(PasswdAtATerminal, NoticesASlip) {
    terminal->until("Password: ");
    terminal->type("wonderland\n");
    terminal->until("Again: ");
    terminal->type("wonderlamd\n");
    EXPECT_EQ(terminal->status(), 2);
    EXPECT_THAT(terminal->shown, HasSubstr("the two passwords are not the same"));
    EXPECT_TRUE(terminal->is_as_before());
}

TEST_F(PasswdAtATerminal, EndsAtControlCAtOnce) {
    terminal->until("Password: ");
    terminal->type("wonder\x03");  // and no return
    EXPECT_EQ(terminal->status(), 2);
    EXPECT_THAT(terminal->shown, AllOf(HasSubstr("interrupted"), Not(HasSubstr("wonder"))));
    EXPECT_TRUE(terminal->is_as_before());
}

TEST_F(PasswdAtATerminal, EndsAtControlD) {
    terminal->until("Password: ");
    terminal->type("\x04");
    EXPECT_EQ(terminal->status(), 2);
    EXPECT_THAT(terminal->shown, HasSubstr("no password was given"));
    EXPECT_TRUE(terminal->is_as_before());
}

}  // namespace
