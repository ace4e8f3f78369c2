// SPDX-License-Identifier: MIT
// Files going both ways: whole, resumed, converted, interrupted (whole sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include <sys/socket.h>

using namespace sessions;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto complete = "226 Transfer complete.";

class Transfers : public testing::Test {
  protected:
    const std::filesystem::path files = home_of(alice) / "files";
    Server server{{"chroot_local_user=YES"}};
    Conversation ftp{server, alice};
    void SetUp() override { ftp.say("CWD files"); }
};

}  // namespace

TEST_F(Transfers, KeepEveryByteOfABigFile) {
    const auto big = noise(64'000'000);
    EXPECT_EQ(ftp.store("big", big), complete);
    EXPECT_TRUE(content_of(files / "big") == big);
    EXPECT_TRUE(ftp.retrieve("big") == big);
    EXPECT_EQ(ftp.done, complete);
}

TEST_F(Transfers, KeepAnEmptyFile) {
    EXPECT_EQ(ftp.store("empty", ""), complete);
    EXPECT_EQ(ftp.retrieve("empty"), "");
    EXPECT_EQ(ftp.done, complete);
    EXPECT_EQ(ftp.say("SIZE empty"), "213 0");
}

TEST_F(Transfers, GiveFilesTheConfiguredMode) {
    ftp.store("f", "x");
    EXPECT_EQ(mode_of(files / "f"), 0644U);
    EXPECT_EQ(owner_of(files / "f"), alice.uid);
    ftp.say("MKD d");
    EXPECT_EQ(mode_of(files / "d"), 0755U);
}

TEST(UploadModes, FollowUmaskAndFileOpenMode) {
    Server server({"local_umask=027", "file_open_mode=0777"});
    Conversation ftp(server, alice);
    ftp.store("files/f", "x");
    EXPECT_EQ(mode_of(home_of(alice) / "files/f"), 0750U);
}

TEST_F(Transfers, ReplaceAFile) {
    ftp.store("f", "a long first version");
    EXPECT_EQ(ftp.store("f", "short"), complete);
    EXPECT_EQ(content_of(files / "f"), "short");
}

TEST_F(Transfers, Append) {
    ftp.store("f", "one ");
    EXPECT_EQ(ftp.transmit("APPE f", "two"), complete);
    EXPECT_EQ(content_of(files / "f"), "one two");
    EXPECT_EQ(ftp.transmit("APPE new", "from nothing"), complete);
    EXPECT_EQ(content_of(files / "new"), "from nothing");
}

TEST_F(Transfers, FindAFreeName) {
    EXPECT_EQ(ftp.transmit("STOU", "a"), complete);
    EXPECT_EQ(ftp.began, "150 FILE: STOU.1");
    EXPECT_EQ(ftp.transmit("STOU", "b"), complete);
    EXPECT_EQ(ftp.began, "150 FILE: STOU.2");
    EXPECT_EQ(ftp.transmit("STOU n", "c"), complete);
    EXPECT_EQ(ftp.began, "150 FILE: n");
    EXPECT_EQ(ftp.transmit("STOU n", "d"), complete);
    EXPECT_EQ(ftp.began, "150 FILE: n.1");
    EXPECT_EQ(content_of(files / "n.1"), "d");
}

TEST_F(Transfers, ResumeADownload) {
    ftp.store("digits", "0123456789");
    EXPECT_THAT(ftp.say("REST 4"), StartsWith("350"));
    EXPECT_EQ(ftp.retrieve("digits"), "456789");
    EXPECT_EQ(ftp.retrieve("digits"), "0123456789") << "once only";
}

TEST_F(Transfers, ResumeAnUpload) {
    ftp.store("digits", "01234");
    EXPECT_THAT(ftp.say("REST 5"), StartsWith("350"));
    EXPECT_EQ(ftp.store("digits", "56789"), complete);
    EXPECT_EQ(content_of(files / "digits"), "0123456789");
}

TEST_F(Transfers, RefuseToStartBeyondTheEnd) {
    ftp.store("digits", "0123456789");
    EXPECT_THAT(ftp.say("REST 10"), StartsWith("350"));
    EXPECT_EQ(ftp.retrieve("digits"), "") << "exactly at the end is empty";
    EXPECT_EQ(ftp.done, complete);
    ftp.say("REST 11");
    ftp.retrieve("digits");
    EXPECT_THAT(ftp.began, StartsWith("55"));
    ftp.say("REST 11");
    EXPECT_THAT(ftp.store("digits", "x"), StartsWith("55"));
    EXPECT_EQ(content_of(files / "digits"), "0123456789");
}

TEST_F(Transfers, RefuseRestWithoutANumber) {
    for (const auto* position : {"abc", "-5", "5x", "", "1234567890123456"})
        EXPECT_THAT(ftp.say(std::string("REST ") + position), StartsWith("501")) << position;
}

TEST_F(Transfers, RangesOfBytes) {
    ftp.store("digits", "0123456789");
    EXPECT_THAT(ftp.say("RANG 2 4"), StartsWith("350"));
    EXPECT_EQ(ftp.retrieve("digits"), "234");
    EXPECT_EQ(ftp.retrieve("digits"), "0123456789") << "once only";
    EXPECT_THAT(ftp.say("RANG 4 2"), StartsWith("501"));
}

TEST_F(Transfers, ComplainAboutFilesThatAreNone) {
    write_file(files / "unreadable", "x", 0, 0600);
    ASSERT_EQ(::mkfifo((files / "pipe").c_str(), 0666), 0);
    make_folder(files / "folder", alice.uid);
    for (const auto* name : {"nothing", "unreadable", "folder", "pipe", "folder/nothing", ""}) {
        ftp.retrieve(name);
        EXPECT_THAT(ftp.began, AnyOf(StartsWith("550 Failed to open file."), StartsWith("501")))
            << name;
    }
    for (const auto* name : {"folder", "nowhere/x", "pipe", "/at-the-top"})
        EXPECT_THAT(ftp.store(name, "x"), StartsWith("553 Could not create file.")) << name;
}

TEST_F(Transfers, LeaveTheOldFileAloneUntilTheDataConnectionStands) {
    ftp.store("f", "precious");
    EXPECT_EQ(ftp.say("STOR f"), "425 Use PORT or PASV first.");
    EXPECT_THAT(ftp.say("PORT 127,0,0,1,250,1"), StartsWith("200"));
    EXPECT_EQ(ftp.say("STOR f"), "425 Failed to establish connection.");
    EXPECT_EQ(content_of(files / "f"), "precious");
}

// ----- ASCII

TEST(Ascii, IsConvertedWhereEnabled) {
    Server server({"ascii_upload_enable=YES", "ascii_download_enable=YES"});
    Conversation ftp(server, alice);
    const auto file = home_of(alice) / "files/text";
    ftp.say("TYPE A");
    EXPECT_EQ(ftp.store("files/text", "one\r\ntwo\r\nlone\rcr\r\n"), complete);
    EXPECT_EQ(content_of(file), "one\ntwo\nlone\rcr\n");
    EXPECT_EQ(ftp.retrieve("files/text"), "one\r\ntwo\r\nlone\rcr\r\n");
    EXPECT_THAT(ftp.began, StartsWith("150 Opening ASCII mode"));
    ftp.say("REST 3");
    ftp.retrieve("files/text");
    EXPECT_EQ(ftp.began, "550 No support for resume of ASCII transfer.");
    ftp.say("TYPE I");
    EXPECT_EQ(ftp.retrieve("files/text"), "one\ntwo\nlone\rcr\n");
}

TEST(Ascii, IsLeftAloneByDefault) {
    Server server;
    Conversation ftp(server, alice);
    ftp.say("TYPE A");
    EXPECT_EQ(ftp.store("files/text", "one\r\n"), complete);
    EXPECT_EQ(content_of(home_of(alice) / "files/text"), "one\r\n");
    EXPECT_EQ(ftp.retrieve("files/text"), "one\r\n");
    EXPECT_THAT(ftp.began, StartsWith("150 Opening BINARY mode"));
}

TEST(Ascii, HasAnHonestSize) {
    write_file(home_of(alice) / "files/text", "one\ntwo\n", alice.uid);
    Server server({"ascii_download_enable=YES"});
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("SIZE files/text"), "213 8");
    ftp.say("TYPE A");
    const auto answer = ftp.say("SIZE files/text");
    EXPECT_THAT(answer, AnyOf(testing::Eq("213 10"), StartsWith("550")))
        << "what will be sent, or nothing";
}

TEST(Ascii, ConvertsAcrossTheEdgesOfBuffers) {
    std::string there;
    std::string here;
    for (int line = 0; line < 60'000; ++line) {
        there += std::string(static_cast<std::size_t>(line % 37), 'x') + "\n";
        here += std::string(static_cast<std::size_t>(line % 37), 'x') + "\r\n";
    }
    Server server({"ascii_upload_enable=YES", "ascii_download_enable=YES"});
    Conversation ftp(server, alice);
    ftp.say("TYPE A");
    EXPECT_EQ(ftp.store("files/text", here), complete);
    EXPECT_TRUE(content_of(home_of(alice) / "files/text") == there);
    EXPECT_TRUE(ftp.retrieve("files/text") == here);
}

// ----- during a transfer

class DuringATransfer : public testing::Test {
  protected:
    void SetUp() override {
        write_file(home_of(alice) / "files/big", big, alice.uid);
        data = ftp.open();
        ASSERT_THAT(ftp.say("RETR files/big"), StartsWith("150"));
        received = data.read(1000);
    }
    const std::string big = noise(40'000'000);
    Server server{{"async_abor_enable=YES"}};
    Conversation ftp{server, alice};
    Data data;
    std::string received;
};

TEST_F(DuringATransfer, NoopAndStatAreAnswered) {
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    EXPECT_THAT(ftp.say("STAT"), StartsWith("21"));
    received += data.read_all();
    EXPECT_TRUE(received == big);
    EXPECT_EQ(ftp.reply(), complete);
}

TEST_F(DuringATransfer, AborEndsItWithUrgentBytes) {
    ftp.send("\xff\xf4");
    ftp.send_urgent("\xff\xf2");
    ftp.send("ABOR\r\n");
    EXPECT_THAT(ftp.reply(), StartsWith("426"));
    EXPECT_EQ(ftp.reply(), "226 ABOR successful.");
    EXPECT_LT((received + data.read_all()).size(), big.size());
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

TEST_F(DuringATransfer, AborEndsItWithoutThemToo) {
    ftp.send("ABOR\r\n");
    EXPECT_THAT(ftp.reply(), StartsWith("426"));
    EXPECT_THAT(ftp.reply(), StartsWith("226"));
    data.close();
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    EXPECT_EQ(ftp.retrieve("files/big").size(), big.size()) << "and the next one is whole";
}

TEST_F(DuringATransfer, OtherCommandsWaitTheirTurn) {
    ftp.send("PWD\r\n");
    received += data.read_all();
    EXPECT_TRUE(received == big);
    EXPECT_EQ(ftp.reply(), complete);
    EXPECT_THAT(ftp.reply(), StartsWith("257"));
}

TEST_F(DuringATransfer, QuitLetsItFinish) {
    ftp.send("QUIT\r\n");
    received += data.read_all();
    EXPECT_TRUE(received == big);
    EXPECT_EQ(ftp.reply(), complete);
    EXPECT_EQ(ftp.reply(), "221 Goodbye.");
    EXPECT_TRUE(ftp.ended());
}

TEST_F(DuringATransfer, AClosedDataConnectionIsNoSuccess) {
    data.reset();
    EXPECT_EQ(ftp.reply(), "426 Failure writing network stream.");
    server.logged(R"(FAIL DOWNLOAD: Client "127\.0\.0\.1", ".*/files/big", \d+ bytes)");
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

TEST_F(Transfers, ThatAreResetAreNoSuccess) {
    auto data = ftp.open();
    EXPECT_THAT(ftp.say("STOR f"), StartsWith("150"));
    data.write(noise(100'000));
    data.reset();
    EXPECT_EQ(ftp.reply(), "426 Failure reading network stream.");
    server.logged(R"(FAIL UPLOAD: Client "127\.0\.0\.1", "/files/f", \d+ bytes)");
}

TEST(FailedUploads, DeleteTheFileThatALinkLeadsToAndNotTheLink) {
    const auto files = home_of(alice) / "files";
    for (const bool deletes : {false, true}) {
        Server server({deletes ? "delete_failed_uploads=YES" : "delete_failed_uploads=NO"});
        std::filesystem::create_directory_symlink("made", files / "link");
        Conversation ftp(server, alice);
        EXPECT_THAT(ftp.say("PORT 127,0,0,1,250,1"), StartsWith("200"));
        EXPECT_THAT(ftp.say("STOR files/link"), StartsWith("425"));
        EXPECT_TRUE(std::filesystem::is_symlink(files / "link")) << "nothing came";
        EXPECT_FALSE(std::filesystem::exists(files / "made"));
        auto data = ftp.open();
        EXPECT_THAT(ftp.say("STOR files/link"), StartsWith("150"));
        data.write("half a");
        data.reset();
        EXPECT_THAT(ftp.reply(), StartsWith("426"));
        EXPECT_TRUE(std::filesystem::is_symlink(files / "link")) << "cut off";
        EXPECT_EQ(std::filesystem::exists(files / "made"), !deletes);
        std::filesystem::remove(files / "link");
        std::filesystem::remove(files / "made");
    }
}

TEST(FailedUploads, NeverDeleteWhatWasThereBefore) {
    write_file(home_of(alice) / "files/old", "precious", alice.uid);
    Server server({"delete_failed_uploads=YES"});
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("PORT 127,0,0,1,250,1"), StartsWith("200"));
    EXPECT_THAT(ftp.say("STOR files/old"), StartsWith("425"));
    EXPECT_EQ(content_of(home_of(alice) / "files/old"), "precious");
    auto data = ftp.open();
    EXPECT_THAT(ftp.say("APPE files/old"), StartsWith("150"));
    data.write("half a");
    data.reset();
    EXPECT_THAT(ftp.reply(), StartsWith("426"));
    EXPECT_THAT(content_of(home_of(alice) / "files/old"), StartsWith("precious"));
}
