// SPDX-License-Identifier: MIT
// Who is let in, and what the others are told (whole sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace sessions;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Login, LetsASystemUserIn) {
    Server server;
    Conversation ftp(server);
    EXPECT_THAT(ftp.greeting, StartsWith("220"));
    EXPECT_EQ(ftp.say("USER alice"), "331 Please specify the password.");
    EXPECT_EQ(ftp.say("PASS wonderland"), "230 Login successful.");
}
