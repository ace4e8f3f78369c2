// SPDX-License-Identifier: MIT
// cmds_allowed and cmds_denied.
#include "ftp/cmds_list.hpp"

#include <gtest/gtest.h>

namespace {

TEST(CommandLists, CompareExactly) {
    EXPECT_TRUE(ftp::listed("PWD,CWD", "CWD"));
    EXPECT_TRUE(ftp::listed("PWD", "PWD"));
    EXPECT_FALSE(ftp::listed("PWD,CWD", "CW"));
    EXPECT_FALSE(ftp::listed("PWD,CWD", "XCWD"));
    EXPECT_FALSE(ftp::listed("pwd", "PWD"));
    EXPECT_TRUE(ftp::listed("SITE, MKD", "SITE"));
    EXPECT_FALSE(ftp::listed("SITE, MKD", "MKD"));  // measured with vsftpd
}

TEST(CommandLists, DenyBeforeTheyAllow) {
    struct Case {
        const char* allowed;
        const char* denied;
        bool result;  // for RETR
    };
    constexpr Case cases[] = {
        {"", "", true},         {"RETR", "", true},      {"STOR", "", false},
        {"", "RETR", false},    {"", "STOR", true},      {"RETR", "RETR", false},
        {"RETR", "STOR", true}, {"STOR", "STOR", false}, {",", "", false},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(ftp::command_allowed(c.allowed, c.denied, "RETR"), c.result)
            << c.allowed << " / " << c.denied;
    }
}

}  // namespace
