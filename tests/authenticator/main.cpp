// SPDX-License-Identifier: MIT
// The authenticator's tests: in the sandbox where there can be one, else without those that need
// it.
#include "tests/authenticator/sandboxed.hpp"

#include <gtest/gtest.h>

#include <string>

#include <signal.h>

namespace sandboxed {
namespace {
std::string the_problem = "not entered";
}
const std::string& problem() { return the_problem; }
}  // namespace sandboxed

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    ::signal(SIGPIPE, SIG_IGN);
    if (!GTEST_FLAG_GET(list_tests)) sandboxed::the_problem = sessions::enter_sandbox();
    return RUN_ALL_TESTS();
}
