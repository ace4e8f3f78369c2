// SPDX-License-Identifier: MIT
// Commands and their replies, in vsftpd's words (whole sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace sessions;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

struct Exchange {
    std::string line;
    std::string starts;  // of the reply
};

// In one session: the order matters.
void converse(Conversation& ftp, const std::vector<Exchange>& exchanges) {
    for (const auto& [line, starts] : exchanges)
        EXPECT_THAT(ftp.say(line), StartsWith(starts)) << line;
}

class Commands : public testing::Test {
  protected:
    void SetUp() override {
        write_file(files / "f", "0123456789", alice.uid);
        make_folder(files / "d", alice.uid);
    }
    const std::filesystem::path files = home_of(alice) / "files";
    Server server{{"chroot_local_user=YES"}};
    Conversation ftp{server, alice};
};

}  // namespace

TEST_F(Commands, ThatSayHowTransfersAre) {
    converse(ftp, {
                      {"TYPE I", "200 Switching to Binary mode."},
                      {"TYPE L8", "200 Switching to Binary mode."},
                      {"TYPE L 8", "200 Switching to Binary mode."},
                      {"TYPE A", "200 Switching to ASCII mode."},
                      {"type a n", "200 Switching to ASCII mode."},
                      {"TYPE E", "500 Unrecognised TYPE command."},
                      {"TYPE", "500 Unrecognised TYPE command."},
                      {"STRU F", "200 Structure set to F."},
                      {"STRU R", "504 Bad STRU command."},
                      {"MODE S", "200 Mode set to S."},
                      {"MODE Z", "504 Bad MODE command."},
                      {"ALLO 100", "202 ALLO command ignored."},
                      {"REST 5", "350 Restart position accepted (5)."},
                  });
}

TEST_F(Commands, ThatTellAboutTheServer) {
    converse(ftp, {
                      {"NOOP", "200 NOOP ok."},
                      {"noop", "200 NOOP ok."},
                      {"SYST", "215 UNIX Type: L8"},
                      {"ABOR", "225 No transfer to ABOR."},
                      {"REIN", "502 REIN not implemented."},
                      {"ACCT x", "502 ACCT not implemented."},
                      {"SMNT /", "502 SMNT not implemented."},
                      {"OPTS UTF8 ON", "200 Always in UTF8 mode."},
                      {"OPTS XYZZY", "501 Option not understood."},
                      {"HELP", "214-The following commands are recognized."},
                      {"STAT", "211-FTP server status:"},
                      {"XYZZY", "500 Unknown command."},
                      {"PBSZ 0", "550 Permission denied."},
                      {"PROT P", "550 Permission denied."},
                  });
    EXPECT_THAT(ftp.say("STAT"), HasSubstr("     Logged in as alice\n"));
    EXPECT_THAT(ftp.say("HELP"), testing::EndsWith("214 Help OK."));
    EXPECT_EQ(ftp.say("QUIT"), "221 Goodbye.");
    EXPECT_TRUE(ftp.ended());
}

TEST_F(Commands, FeatSaysWhatWorks) {
    const auto features = lines_of(ftp.say("FEAT"));
    EXPECT_EQ(features.front(), "211-Features:");
    EXPECT_EQ(features.back(), "211 End");
    for (const auto* feature : {" EPRT", " EPSV", " MDTM", " PASV", " REST STREAM", " SIZE",
                                " TVFS", " UTF8", " MFMT", " CLNT"})
        EXPECT_THAT(features, testing::Contains(feature));
    EXPECT_THAT(features, testing::Contains(StartsWith(" MLST ")));
    EXPECT_THAT(features, testing::Contains(StartsWith(" HASH ")));
    for (const auto* absent : {" AUTH TLS", " PBSZ", " PROT", " LANG", " MODE Z"})
        EXPECT_THAT(features, Not(testing::Contains(StartsWith(absent)))) << absent;
}

TEST_F(Commands, ThatMoveAround) {
    converse(ftp, {
                      {"PWD", "257 \"/\" is the current directory"},
                      {"XPWD", "257 \"/\" is the current directory"},
                      {"CWD files/d", "250 Directory successfully changed."},
                      {"PWD", "257 \"/files/d\" is the current directory"},
                      {"CDUP", "250 Directory successfully changed."},
                      {"PWD", "257 \"/files\" is the current directory"},
                      {"XCWD d", "250 Directory successfully changed."},
                      {"XCUP ignored", "250 Directory successfully changed."},
                      {"CWD f", "550 Failed to change directory."},
                      {"CWD nothing", "550 Failed to change directory."},
                      {"CWD", "550 Failed to change directory."},
                      {"CWD ~", "250 Directory successfully changed."},
                      {"PWD", "257 \"/\" is the current directory"},
                      {"CWD ~/files", "250 Directory successfully changed."},
                      {"PWD", "257 \"/files\" is the current directory"},
                      {"CWD .", "250 Directory successfully changed."},
                      {"CWD //files///d/../d/", "250 Directory successfully changed."},
                      {"PWD", "257 \"/files/d\" is the current directory"},
                  });
}

TEST_F(Commands, ThatLeaveAFolderWhichSomebodyHasRemoved) {
    for (const auto* line : {"CDUP", "CWD .."}) {
        EXPECT_THAT(ftp.say("MKD /files/gone"), StartsWith("257"));
        EXPECT_THAT(ftp.say("CWD /files/gone"), StartsWith("250"));
        std::filesystem::remove(home_of(alice) / "files/gone");
        EXPECT_EQ(ftp.say(line), "250 Directory successfully changed.");
        EXPECT_EQ(ftp.say("PWD"), "257 \"/files\" is the current directory");
    }
}

TEST_F(Commands, DoublesQuotesInNamesOfFolders) {
    EXPECT_EQ(ftp.say("MKD files/a\"b"), "257 \"/files/a\"\"b\" created");
    EXPECT_THAT(ftp.say("CWD files/a\"b"), StartsWith("250"));
    EXPECT_EQ(ftp.say("PWD"), "257 \"/files/a\"\"b\" is the current directory");
}

TEST_F(Commands, ThatChangeFiles) {
    converse(ftp, {
                      {"CWD files", "250"},
                      {"MKD new", "257 \"/files/new\" created"},
                      {"MKD new", "550 Create directory operation failed."},
                      {"XMKD old", "257 \"/files/old\" created"},
                      {"RMD new", "250 Remove directory operation successful."},
                      {"XRMD old", "250 Remove directory operation successful."},
                      {"RMD new", "550 Remove directory operation failed."},
                      {"RMD f", "550 Remove directory operation failed."},
                      {"RNTO x", "503 RNFR required first."},
                      {"RNFR nothing", "550 RNFR command failed."},
                      {"RNFR f", "350 Ready for RNTO."},
                      {"RNTO d/g", "250 Rename successful."},
                      {"RNTO h", "503 RNFR required first."},
                      {"RNFR d/g", "350 Ready for RNTO."},
                      {"RNTO nowhere/g", "550 Rename failed."},
                      {"SIZE d/g", "213 10"},
                      {"SIZE d", "550 Could not get file size."},
                      {"DELE d", "550 Delete operation failed."},
                      {"DELE d/g", "250 Delete operation successful."},
                      {"DELE d/g", "550 Delete operation failed."},
                  });
    EXPECT_EQ(content_of(files / "d/g"), "(none)");
}

TEST_F(Commands, ThatGoToSite) {
    converse(ftp, {
                      {"SITE HELP", "214 CHMOD UMASK HELP"},
                      {"SITE UMASK", "200 Your current UMASK is 022"},
                      {"SITE UMASK 027", "200 UMASK set to 027"},
                      {"SITE UMASK", "200 Your current UMASK is 027"},
                      {"SITE CHMOD 640 files/f", "200 SITE CHMOD command ok."},
                      {"site chmod 0604 files/f", "200 SITE CHMOD command ok."},
                      {"SITE CHMOD 640", "500 SITE CHMOD needs 2 arguments."},
                      {"SITE CHMOD 640 nothing", "550 SITE CHMOD command failed."},
                      {"SITE XYZZY", "500 Unknown SITE command."},
                      {"SITE", "500 Unknown SITE command."},
                  });
    EXPECT_EQ(mode_of(files / "f"), 0604U);
    EXPECT_EQ(ftp.store("files/g", "x"), "226 Transfer complete.");
    EXPECT_EQ(mode_of(files / "g"), 0640U);
}

TEST_F(Commands, ChmodTakesOctalDigitsOnly) {
    for (const auto* mode : {"u+x", "9", "0x1ff", "-1", ""})
        EXPECT_THAT(ftp.say(std::string("SITE CHMOD ") + mode + " files/f"), StartsWith("50"))
            << mode;
    EXPECT_EQ(mode_of(files / "f"), 0644U) << "it stays what it was";
    EXPECT_THAT(ftp.say("SITE CHMOD 4755 files/f"), StartsWith("200"));
    EXPECT_EQ(mode_of(files / "f"), 0755U) << "and never a set-uid bit";
}

TEST_F(Commands, TellTimesInUtcAndSetThem) {
    EXPECT_EQ(ftp.say("MDTM 20200229123456 files/f"), "213 File modification time set.");
    EXPECT_EQ(ftp.say("MDTM files/f"), "213 20200229123456");
    EXPECT_EQ(ftp.say("MFMT 20210304050607 files/f"), "213 Modify=20210304050607; files/f");
    EXPECT_EQ(ftp.say("MDTM files/f"), "213 20210304050607");
    EXPECT_THAT(ftp.say("MDTM files/d"), StartsWith("550 Could not get file modification time."));
    EXPECT_THAT(ftp.say("MDTM nothing"), StartsWith("550 Could not get file modification time."));
    EXPECT_THAT(ftp.say("MFMT 20211399000000 files/f"), StartsWith("501"));
    EXPECT_EQ(ftp.say("MDTM files/f"), "213 20210304050607");
}

TEST(TimesOfFiles, AreUtcWhateverTheLocalTime) {
    write_file(home_of(alice) / "files/f", "x", alice.uid);
    Server server({"use_localtime=YES"}, {.environment = {"TZ=EST5EDT,M3.2.0,M11.1.0"}});
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("MFMT 20200701120000 files/f"), StartsWith("213"));
    EXPECT_EQ(ftp.say("MDTM files/f"), "213 20200701120000");
}

TEST_F(Commands, KnowPathsWithBlanksAndUtf8) {
    for (const std::string name :
         {"with blank", " leading", "trailing ", "grüße", "日本語", "a;b&c"}) {
        EXPECT_EQ(ftp.store("files/" + name, name), "226 Transfer complete.") << name;
        EXPECT_EQ(ftp.retrieve("files/" + name), name);
        EXPECT_TRUE(std::filesystem::exists(files / name)) << name;
        EXPECT_THAT(ftp.list("NLST files"), HasSubstr("/" + name + "\r\n"));
    }
}

TEST_F(Commands, MayComeAllAtOnce) {
    ftp.send("NOOP\r\nPWD\r\nTYPE A\r\nNOOP\r\n");
    EXPECT_EQ(ftp.reply(), "200 NOOP ok.");
    EXPECT_EQ(ftp.reply(), "257 \"/\" is the current directory");
    EXPECT_EQ(ftp.reply(), "200 Switching to ASCII mode.");
    EXPECT_EQ(ftp.reply(), "200 NOOP ok.");
}

TEST(Pipelining, WorksAcrossTheLogin) {
    Server server;
    Conversation ftp(server);
    ftp.send("USER alice\r\nPASS wonderland\r\nNOOP\r\nTYPE I\r\nQUIT\r\n");
    EXPECT_EQ(ftp.reply(), "331 Please specify the password.");
    EXPECT_EQ(ftp.reply(), "230 Login successful.");
    EXPECT_EQ(ftp.reply(), "200 NOOP ok.");
    EXPECT_EQ(ftp.reply(), "200 Switching to Binary mode.");
    EXPECT_EQ(ftp.reply(), "221 Goodbye.");
    EXPECT_TRUE(ftp.ended());
}

TEST_F(Commands, MayComeInSmallPieces) {
    for (const char byte : std::string("NO")) ftp.send({&byte, 1});
    EXPECT_EQ(ftp.reply(std::chrono::milliseconds(50)), "(nothing)");
    ftp.send("OP\n");
    EXPECT_EQ(ftp.reply(), "200 NOOP ok.") << "a bare LF ends a line";
    EXPECT_EQ(ftp.say("NOOP\r\r"), "200 NOOP ok.");
}

TEST_F(Commands, OfHttpEndTheConnection) {
    EXPECT_EQ(ftp.say("GET / HTTP/1.1"), "500 HTTP protocol commands not allowed.");
    EXPECT_TRUE(ftp.ended());
}

TEST(DeniedFiles, AreOutOfReachUnderEveryName) {
    Server server({"deny_file={*.secret,.ht*}", "hide_file={*.hidden}"});
    for (const auto* name : {"a.secret", ".htaccess", "b.hidden", "c"})
        write_file(home_of(alice) / "files" / name, "x", alice.uid);
    Conversation ftp(server, alice);
    ftp.say("CWD files");
    for (const auto* name : {"a.secret", "./a.secret", "../files/a.secret", ".htaccess"}) {
        ftp.retrieve(name);
        EXPECT_EQ(ftp.began, "550 Permission denied.") << name;
    }
    EXPECT_EQ(ftp.retrieve("c"), "x");
    EXPECT_THAT(ftp.list("NLST -a"), Not(HasSubstr("b.hidden")));
    EXPECT_EQ(ftp.retrieve("b.hidden"), "x") << "hidden is not forbidden";
}

TEST(Messages, GreetEachFolderOnce) {
    write_file(home_of(alice) / "files/.message", "mind the step\n", alice.uid);
    Server server({"dirmessage_enable=YES"});
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("CWD files"), "250-mind the step\n250 Directory successfully changed.");
    EXPECT_EQ(ftp.say("CWD ."), "250 Directory successfully changed.");
}
