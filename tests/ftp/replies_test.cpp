// SPDX-License-Identifier: MIT
// Replies as bytes on the wire.
#include "ftp/replies.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace {

using namespace std::string_literals;
namespace reply = ftp::reply;

TEST(Wire, IsCodeTextAndLineEnd) {
    EXPECT_EQ(ftp::wire(reply::transfer_complete), "226 Transfer complete.\r\n");
    EXPECT_EQ(ftp::wire({220, ""}), "220 \r\n");
}

TEST(Wire, SendsLineFeedsAsNulAndDoublesTelnetBytes) {
    EXPECT_EQ(ftp::wire(reply::folder_made("/a\nb")), "257 \"/a\0b\" created\r\n"s);
    EXPECT_EQ(ftp::wire(reply::folder_made("/\xFF")), "257 \"/\xFF\xFF\" created\r\n");
    EXPECT_EQ(ftp::wire_line(" a\nb\xFF"), " a\0b\xFF\xFF\r\n"s);
}

TEST(Wire, NeverLetsANameForgeAReply) {
    const auto bytes = ftp::wire(reply::folder_made("/x\r\n226 Transfer complete.\r\n"));
    EXPECT_EQ(bytes.find('\n'), bytes.size() - 1);
}

TEST(Wire, NumbersMessageLines) {
    const auto welcome = ftp::with_message(reply::login_successful, "Hello\r\n\nthere\n");
    EXPECT_EQ(ftp::wire(welcome), "230-Hello\r\n230-\r\n230-there\r\n230 Login successful.\r\n");
    EXPECT_EQ(ftp::with_message(reply::noop_ok, ""), ftp::Reply(reply::noop_ok));
}

TEST(Wire, IndentsBareLinesThatLookLikeAnEnd) {
    ftp::Reply status{213, "End of status"};
    status.before = {"Status follows:", "213 fake", "drwx"};
    status.numbered = false;
    EXPECT_EQ(ftp::wire(status),
              "213-Status follows:\r\n 213 fake\r\ndrwx\r\n213 End of status\r\n");
    EXPECT_EQ(ftp::wire_first(reply::status_follows), "213-Status follows:\r\n");
}

TEST(Because, KeepsTheTextAndAddsTheReason) {
    EXPECT_EQ(ftp::wire(ftp::because(reply::could_not_open, ENOENT)),
              "550 Failed to open file. (No such file or directory)\r\n");
    EXPECT_EQ(ftp::because(reply::could_not_open, "not a regular file").text,
              "Failed to open file. (not a regular file)");
    EXPECT_EQ(ftp::because(reply::could_not_open, 0), ftp::Reply(reply::could_not_open));
}

TEST(Banner, IsOneLineOrAFile) {
    EXPECT_EQ(ftp::wire(reply::banner("Welcome")), "220 Welcome\r\n");
    EXPECT_EQ(ftp::wire(reply::banner("one\ntwo\n")), "220-one\r\n220-two\r\n220 \r\n");
    EXPECT_EQ(ftp::wire(reply::banner("one\n")), "220-one\r\n220 \r\n");
    EXPECT_EQ(ftp::wire(reply::greeting).substr(0, 4), "220 ");
}

TEST(Texts, AreVsftpds) {
    // clang-format off
    const struct {
        ftp::Reply reply;
        const char* line;
    } cases[] = {
        {reply::current_folder("/a\"b"),         "257 \"/a\"\"b\" is the current directory"},
        {reply::folder_made("/d"),               "257 \"/d\" created"},
        {reply::opening(false, "f", 300000),     "150 Opening BINARY mode data connection for f (300000 bytes)."},
        {reply::opening(true, "f g", 0),         "150 Opening ASCII mode data connection for f g (0 bytes)."},
        {reply::opening_unique("STOU.1"),        "150 FILE: STOU.1"},
        {reply::restart_accepted(4),             "350 Restart position accepted (4)."},
        {reply::size(7),                         "213 7"},
        {reply::modified("20260101000000"),      "213 20260101000000"},
        {reply::umask_is(077),                   "200 Your current UMASK is 077"},
        {reply::umask_set(022),                  "200 UMASK set to 022"},
        {reply::umask_set(0),                    "200 UMASK set to 0"},
        {reply::oops("cannot change directory:/x"), "500 OOPS: cannot change directory:/x"},
        {reply::help_site(true),                 "214 CHMOD UMASK HELP"},
        {reply::help_site(false),                "214 UMASK HELP"},
        {reply::too_many_clients,                "421 There are too many connected users, please try later."},
        {reply::too_many_per_address,            "421 There are too many connections from your internet address."},
        {reply::please_login,                    "530 Please login with USER and PASS."},
        {reply::login_incorrect,                 "530 Login incorrect."},
        {reply::bad_ip_connecting,               "425 Security: Bad IP connecting."},
        {reply::listing_follows,                 "150 Here comes the directory listing."},
        {reply::rnfr_first,                      "503 RNFR required first."},
        {reply::data_timeout,                    "421 Data timeout. Reconnect. Sorry."},
    };
    // clang-format on
    for (const auto& c : cases) EXPECT_EQ(ftp::wire(c.reply), std::string(c.line) + "\r\n");
}

TEST(Facts, ComeInTheMiddleOfTheReply) {
    EXPECT_EQ(ftp::wire(reply::facts("/f", "type=file; /f")),
              "250-Listing /f\r\n type=file; /f\r\n250 End\r\n");
    EXPECT_EQ(ftp::wire(reply::facts_set("Modify=20260101000000;", "f")),
              "213 Modify=20260101000000; f\r\n");
    EXPECT_EQ(reply::mlst_options("type;size;").text, "MLST OPTS type;size;");
    EXPECT_EQ(reply::mlst_options("").text, "MLST OPTS");
    EXPECT_EQ(ftp::wire(reply::hash("SHA-1", 0, 49, "abc", "a b")), "213 SHA-1 0-49 abc a b\r\n");
}

TEST(Status, TellsWhatVsftpdTells) {
    reply::Status status;
    status.peer = "192.0.2.7";
    status.user = "ann";
    status.timeout = 300;
    status.clients = 2;
    EXPECT_EQ(ftp::wire(reply::status(status)),
              "211-FTP server status:\r\n"
              "     Connected to 192.0.2.7\r\n"
              "     Logged in as ann\r\n"
              "     TYPE: ASCII\r\n"
              "     No session bandwidth limit\r\n"
              "     Session timeout in seconds is 300\r\n"
              "     Control connection is plain text\r\n"
              "     Data connections will be plain text\r\n"
              "     At session startup, client count was 2\r\n"
              "     jailftpd - secure, fast, stable\r\n"
              "211 End of status\r\n");
    status = {"::1", "ftp", false, 1000, 0, true, true, 0};
    EXPECT_EQ(ftp::wire(reply::status(status)),
              "211-FTP server status:\r\n"
              "     Connected to ::1\r\n"
              "     Logged in as ftp\r\n"
              "     TYPE: BINARY\r\n"
              "     Session bandwidth limit in byte/s is 1000\r\n"
              "     No session timeout\r\n"
              "     Control connection is encrypted\r\n"
              "     Data connections will be encrypted\r\n"
              "     jailftpd - secure, fast, stable\r\n"
              "211 End of status\r\n");
}

TEST(Help, ListsCommandsBetweenItsTwoLines) {
    const auto bytes = ftp::wire(reply::help());
    EXPECT_TRUE(bytes.starts_with("214-The following commands are recognized.\r\n ABOR ")) << bytes;
    EXPECT_TRUE(bytes.ends_with("\r\n214 Help OK.\r\n")) << bytes;
}

}  // namespace
