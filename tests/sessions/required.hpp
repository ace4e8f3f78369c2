// SPDX-License-Identifier: MIT
// What a test of whole sessions cannot do without and that may not be there: root, a client
// program, the reference.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace sessions {

// Skips the running test with the reason. Where a run must not skip in silence (JAILFTPD_MUST_RUN,
// as in CI) it fails instead. Called in SetUp() or by a listener, it keeps the test from running.
inline void skip_or_fail(const std::string& reason) {
    if (std::getenv("JAILFTPD_MUST_RUN") != nullptr) FAIL() << reason;
    GTEST_SKIP() << reason;
}

}  // namespace sessions
