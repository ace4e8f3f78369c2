// SPDX-License-Identifier: MIT
// The tests of whole sessions: enters the sandbox, then runs them. Without root every test skips.
#include "tests/sessions/required.hpp"
#include "tests/sessions/sandbox.hpp"

#include <gtest/gtest.h>

#include <string>

#include <signal.h>

namespace {

class Sandbox : public testing::EmptyTestEventListener {
  public:
    explicit Sandbox(std::string problem) : problem_(std::move(problem)) {}
    void OnTestStart(const testing::TestInfo&) override {
        if (problem_.empty()) return sessions::refurnish();
        sessions::skip_or_fail(problem_);
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
