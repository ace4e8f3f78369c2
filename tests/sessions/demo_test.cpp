// SPDX-License-Identifier: MIT
// The demonstration of the README, with the program of this build.
#include "tests/sessions/paths.hpp"
#include "tests/sessions/program.hpp"
#include "tests/sessions/required.hpp"
#include "tests/sessions/sandbox.hpp"
#include "tests/sessions/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sessions;
using testing::HasSubstr;

namespace fs = std::filesystem;

namespace {

class Demo : public testing::Test {
  protected:
    void SetUp() override {
        program_ = ::fork();
        ASSERT_GE(program_, 0);
        if (program_ > 0) return;
        const int said = ::open(said_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
        ::dup2(said, 1);
        ::dup2(said, 2);
        ::execl(script.c_str(), script.c_str(), "--program", path_of(Program::jailftpd).c_str(),
                nullptr);
        ::_exit(127);
    }
    void TearDown() override {
        if (program_ > 0) end();
    }

    int end() {
        ::kill(program_, SIGTERM);
        int status = -1;
        ::waitpid(program_, &status, 0);
        program_ = -1;
        return status;
    }
    [[nodiscard]] std::string said() const { return content_of(said_); }
    // What follows the word in the instructions, once they have been printed.
    [[nodiscard]] std::string told(const std::string& word) const {
        eventually([&] { return said().find("Its log") != std::string::npos; });
        std::smatch found;
        const auto all = said();
        EXPECT_TRUE(std::regex_search(all, found, std::regex(word + " +(\\S+)"))) << all;
        return found.empty() ? std::string{} : found[1].str();
    }

    // Runs a line of the instructions, told by its first word and something else in it.
    [[nodiscard]] Ran typed(const std::string& word, const std::string& with = "") const {
        std::smatch found;
        const auto all = said();
        const auto line = "\\n    (" + word + " .*" + with + ".*)";
        if (!std::regex_search(all, found, std::regex(line))) return {};
        return run({"/bin/sh", "-c", found[1].str()});
    }

    const std::string script = source_path("packaging/demo.sh");

  private:
    fs::path said_ = place("demo-said");
    pid_t program_ = -1;
};

}  // namespace

// Each curl line as it is printed.
TEST_F(Demo, TellsHowToComeIn) {
    if (program_path("curl").empty()) return skip_or_fail("no curl on this machine");
    const auto folder = fs::path(told("configuration is")).parent_path();
    EXPECT_TRUE(fs::exists(folder / "vsftpd.conf")) << said();

    const auto listed = typed("curl");
    EXPECT_THAT(listed.out, HasSubstr("welcome.txt")) << listed.err;
    EXPECT_EQ(typed("curl", "--upload-file").status, 0);
    const auto encrypted = typed("curl", "--ssl-reqd");
    EXPECT_THAT(encrypted.out, HasSubstr("welcome.txt")) << encrypted.err;
    EXPECT_EQ(content_of(folder / "home/files/os-release"), content_of("/etc/os-release"));

    EXPECT_EQ(end(), 0) << said();
    EXPECT_FALSE(fs::exists(folder)) << folder;
    EXPECT_TRUE(processes("jailftpd: ").empty()) << described(processes());
}

TEST_F(Demo, SaysThatItsPortIsTaken) {
    ASSERT_FALSE(told("password").empty());
    const auto second = run({script, "--program", path_of(Program::jailftpd)});
    EXPECT_EQ(second.status, 1);
    EXPECT_THAT(second.err, HasSubstr("port 2121"));
}
