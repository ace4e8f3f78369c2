// SPDX-License-Identifier: MIT
// The tests of whole sessions: enters the sandbox, then runs them. Without root every test skips.
#include "tests/sessions/sandbox.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <signal.h>

namespace {

// Where a run must not skip in silence (CI as root), a missing sandbox is a failure.
class Sandbox : public testing::EmptyTestEventListener {
  public:
    explicit Sandbox(std::string problem) : problem_(std::move(problem)) {}
    void OnTestStart(const testing::TestInfo&) override {
        if (problem_.empty()) return sessions::refurnish();
        if (std::getenv("JAILFTPD_MUST_RUN") != nullptr) FAIL() << problem_;
        GTEST_SKIP() << problem_;
    }

  private:
    std::string problem_;
};

}  // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    ::signal(SIGPIPE, SIG_IGN);
    if (!GTEST_FLAG_GET(list_tests)) {
        auto problem = sessions::enter_sandbox();
        testing::UnitTest::GetInstance()->listeners().Append(new Sandbox(problem));
    }
    return RUN_ALL_TESTS();
}
