// SPDX-License-Identifier: MIT
// Disks that are full, broken or taken away: an upload that is not whole is never acknowledged, and
// client and administrator learn why (whole sessions).
#include "tests/sessions/failing_folder.hpp"
#include "tests/sessions/required.hpp"
#include "tests/sessions/secure.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace sessions;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace fs = std::filesystem;

namespace {

constexpr auto complete = "226 Transfer complete.";
constexpr auto full = "452 Failure writing to local file. (No space left on device)";
constexpr std::size_t room = 256 << 10;

fs::path disk() { return home_of(alice) / "files/disk"; }

// Of the text that line ends in TYPE A leave.
std::string too_much(bool ascii) {
    if (!ascii) return noise(1'000'000);
    std::string text;
    while (text.size() < 1'000'000) text += "a line of text\r\n";
    return text;
}

std::string as_stored(std::string text, bool ascii) {
    if (ascii) std::erase(text, '\r');
    return text;
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
    return found;
}

// ----- every way to store

struct Way {
    std::string name;
    std::string command;
    bool secure = false;
    bool ascii = false;
    bool existing = false;  // there is a file already, of which the upload keeps the first bytes
    bool deletes = false;   // delete_failed_uploads
};
std::ostream& operator<<(std::ostream& out, const Way& way) { return out << way.name; }

std::vector<Way> ways() {
    std::vector<Way> all;
    for (const bool secure : {false, true}) {
        for (const bool ascii : {false, true}) {
            for (const bool deletes : {false, true}) {
                const auto name = [&](const char* what) {
                    return std::string(what) + (secure ? "OverTls" : "") +
                           (ascii ? "InTypeA" : "") + (deletes ? "Deletes" : "");
                };
                all.push_back({name("Stor"), "STOR f", secure, ascii, false, deletes});
                all.push_back({name("Appe"), "APPE f", secure, ascii, false, deletes});
                all.push_back({name("Stou"), "STOU f", secure, ascii, false, deletes});
                all.push_back({name("AppeToAFile"), "APPE f", secure, ascii, true, deletes});
                all.push_back({name("RestAndStor"), "STOR f", secure, ascii, true, deletes});
            }
        }
    }
    return all;
}

class FullDisk : public testing::TestWithParam<Way> {
  protected:
    // What is the same for clients with and without TLS.
    template <typename Client>
    void store_too_much(Client& ftp, const Server& server) const {
        const auto& way = GetParam();
        const std::string before = way.existing ? "0123456789" : "";
        if (way.existing) write_file(disk() / "f", before, alice.uid);
        const auto text = too_much(way.ascii);
        ftp.say("CWD files/disk");
        ftp.say(way.ascii ? "TYPE A" : "TYPE I");
        if (way.existing && way.command.starts_with("STOR")) {
            EXPECT_THAT(ftp.say("REST 10"), StartsWith("350"));
        }
        EXPECT_EQ(ftp.transmit(way.command, text), full);

        if (way.deletes && !way.existing) {
            EXPECT_FALSE(fs::exists(disk() / "f"));
        } else {
            const auto stored = content_of(disk() / "f");
            EXPECT_LE(stored.size(), room);
            EXPECT_GT(stored.size(), room / 2);
            EXPECT_TRUE((before + as_stored(text, way.ascii)).starts_with(stored));
            if (!way.ascii)
                server.logged("FAIL UPLOAD: .*/f\", " +
                              std::to_string(stored.size() - before.size()) + " bytes");
            ftp.say("TYPE I");
            EXPECT_EQ(ftp.say("SIZE f"), "213 " + std::to_string(stored.size()));
            EXPECT_EQ(ftp.say("DELE f"), "250 Delete operation successful.");
        }
        EXPECT_EQ(ftp.store("g", "fits"), complete) << "and the session goes on";
        EXPECT_EQ(content_of(disk() / "g"), "fits");
        server.logged(R"(FAIL UPLOAD: Client "127\.0\.0\.1", "[^"]*/files/disk/f", \d+ bytes, )");
        server.logged("OK UPLOAD: .*/g\"");
        EXPECT_THAT(server.log(), Not(HasSubstr("/f\", 1000000 bytes")));
        EXPECT_TRUE(eventually([&] { return count(server.xferlog(), " ftp 0 * ") == 2; }));
        EXPECT_THAT(lines_of(server.xferlog()).front(), testing::EndsWith(" ftp 0 * i"));
    }
};

}  // namespace

TEST_P(FullDisk, EndsAnUploadWithAnErrorAndNothingElse) {
    const auto& way = GetParam();
    mount_small(disk(), room, alice.uid);
    Lines lines = {"ascii_upload_enable=YES", "dual_log_enable=YES"};
    if (way.deletes) lines.emplace_back("delete_failed_uploads=YES");
    if (!way.secure) {
        Server server(lines);
        Conversation ftp(server, alice);
        return store_too_much(ftp, server);
    }
    const auto made = authority::make({});
    write_file(place("server.pem"), made.certificate + made.key, 0, 0600);
    lines.emplace_back("ssl_enable=YES");
    lines.push_back("rsa_cert_file=" + place("server.pem").string());
    Server server(lines);
    Secure ftp(server, alice);
    store_too_much(ftp, server);
}

INSTANTIATE_TEST_SUITE_P(All, FullDisk, testing::ValuesIn(ways()),
                         [](const auto& each) { return each.param.name; });

// ----- names instead of bytes

TEST(DiskWithoutInodes, RefusesWhatIsNew) {
    mount_small(disk(), 1 << 20, alice.uid, ",nr_inodes=3");
    write_file(disk() / "old", "old", alice.uid);
    write_file(disk() / "other", "other", alice.uid);
    Server server;
    Conversation ftp(server, alice);
    ftp.say("CWD files/disk");
    constexpr auto not_created = "553 Could not create file. (No space left on device)";
    for (const auto* command : {"STOR new", "APPE new", "STOU new", "STOU"})
        EXPECT_EQ(ftp.transmit(command, "x"), not_created) << command;
    EXPECT_EQ(ftp.say("MKD new"),
              "550 Create directory operation failed. (No space left on device)");
    EXPECT_EQ(ftp.store("old", "newer"), complete);
    ftp.say("RNFR old");
    EXPECT_EQ(ftp.say("RNTO new"), "250 Rename successful.");
    EXPECT_EQ(ftp.say("DELE other"), "250 Delete operation successful.");
    EXPECT_THAT(ftp.say("MKD other"), StartsWith("257"));
    server.logged("FAIL UPLOAD: .*/new\"");
    server.logged("FAIL MKDIR: .*/new\"");
    server.complained("alice.*: storing a file failed: No space left on device");
    EXPECT_EQ(count(server.errors(), "No space left on device"), 1U) << "once a session";
}

// ----- anonymous uploads that are given away

TEST(FullDiskOfAnonymous, EndsUploadsThatAreGivenAway) {
    mount_small(home_of(ftp_user), room, 0);
    make_folder(home_of(ftp_user) / "incoming", ftp_user.uid);
    Server server({"anonymous_enable=YES", "anon_upload_enable=YES", "chown_uploads=YES",
                   "chown_username=bob", "delete_failed_uploads=YES"});
    Conversation ftp(server);
    ftp.login("ftp", "me@here");
    ftp.say("TYPE I");
    EXPECT_EQ(ftp.store("incoming/large", noise(1'000'000)), full);
    EXPECT_FALSE(fs::exists(home_of(ftp_user) / "incoming/large"));
    EXPECT_EQ(ftp.store("incoming/small", "fits"), complete);
    EXPECT_EQ(owner_of(home_of(ftp_user) / "incoming/small"), bob.uid);
}

// ----- files that others take away

class TakenAway : public testing::Test {
  protected:
    const fs::path file = home_of(alice) / "files/f";
    Server server;
    Conversation ftp{server, alice};

    // After so much has come of it.
    void wait_for(std::uint64_t size) const {
        EXPECT_TRUE(eventually([&] { return fs::exists(file) && fs::file_size(file) >= size; }));
    }
};

TEST_F(TakenAway, AFileThatIsCutOffWhileItIsStored) {
    for (const std::size_t size : {10'000U, 2'000'000U}) {
        fs::remove(file);
        auto data = ftp.open();
        EXPECT_EQ(ftp.say("STOR files/f"), "150 Ok to send data.");
        data.write(noise(size));
        wait_for(size);
        fs::resize_file(file, 100);
        data.write("the rest");
        data.close();
        EXPECT_EQ(ftp.reply(), "451 Failure writing to local file. (The file has been cut off)");
        EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
    }
    server.logged("FAIL UPLOAD: .*/files/f\"");
}

TEST_F(TakenAway, AFileThatIsCutOffAtTheEnd) {
    auto data = ftp.open();
    EXPECT_EQ(ftp.say("STOR files/f"), "150 Ok to send data.");
    data.write("0123456789");
    wait_for(10);
    fs::resize_file(file, 0);
    data.close();
    EXPECT_EQ(ftp.reply(), "451 Failure writing to local file. (The file has been cut off)");
}

TEST_F(TakenAway, AFileThatGrowsIsNotCutOff) {
    write_file(file, "0123456789", alice.uid);
    EXPECT_THAT(ftp.say("REST 5"), StartsWith("350"));
    auto data = ftp.open();
    EXPECT_EQ(ftp.say("STOR files/f"), "150 Ok to send data.");
    fs::resize_file(file, 1000);
    data.write("abc");
    data.close();
    EXPECT_EQ(ftp.reply(), complete);
}

// Whoever takes lines out of a file that is appended to has had them.
TEST_F(TakenAway, WhatWasAppendedMayBeTaken) {
    auto data = ftp.open();
    EXPECT_EQ(ftp.say("APPE files/f"), "150 Ok to send data.");
    data.write("one\n");
    wait_for(4);
    fs::resize_file(file, 0);
    data.write("two\n");
    data.close();
    EXPECT_EQ(ftp.reply(), complete);
    EXPECT_EQ(content_of(file), "two\n");
}

TEST_F(TakenAway, AFileThatIsRemovedWhileItIsStored) {
    auto data = ftp.open();
    EXPECT_EQ(ftp.say("STOR files/f"), "150 Ok to send data.");
    data.write("0123456789");
    wait_for(10);
    fs::remove(file);
    data.close();
    EXPECT_EQ(ftp.reply(), "451 Failure writing to local file. (No such file or directory)");
    server.logged("FAIL UPLOAD: .*/files/f\"");
}

// ----- disks that fail

namespace {

class FailingDisk : public testing::Test {
  protected:
    FailingFolder folder{disk(), alice.uid};
    void SetUp() override {
        // Containers may have none; no package brings it.
        if (!folder.trouble().empty()) GTEST_SKIP() << folder.trouble();
    }
};

}  // namespace

TEST_F(FailingDisk, WorksFirst) {
    Server server;
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.store("files/disk/f", noise(1'000'000)), complete);
    EXPECT_EQ(ftp.say("SIZE files/disk/f"), "213 1000000");
}

TEST_F(FailingDisk, NeverAcknowledgesWhatCannotBeWritten) {
    struct {
        int number;
        const char* reply;
    } const failures[] = {
        {EIO, "451 Failure writing to local file. (Input/output error)"},
        {EROFS, "451 Failure writing to local file. (Read-only file system)"},
        {ENOSPC, full},
        {EDQUOT, "452 Failure writing to local file. (Disk quota exceeded)"},
        {EFBIG, "452 Failure writing to local file. (File too large)"},
    };
    Server server({"delete_failed_uploads=YES"});
    Conversation ftp(server, alice);
    for (const auto& failure : failures) {
        for (const std::uint64_t works : {0, 100'000, 1'000'000}) {
            folder.failures.room = works;
            folder.failures.write = failure.number;
            for (const auto* command : {"STOR files/disk/f", "APPE files/disk/f"})
                EXPECT_EQ(ftp.transmit(command, noise(2'000'000)), failure.reply) << works;
            folder.failures.write = 0;
            EXPECT_THAT(ftp.say("SIZE files/disk/f"), StartsWith("550")) << "it is deleted";
        }
    }
    EXPECT_EQ(ftp.store("files/disk/f", "x"), complete);
    server.complained("alice.*: storing a file failed: Input/output error");
}

TEST_F(FailingDisk, NeverAcknowledgesWhatIsLostWhenTheFileIsClosed) {
    struct {
        int number;
        const char* reply;
    } const failures[] = {
        {EIO, "451 Failure writing to local file. (Input/output error)"},
        {ENOSPC, full},
        {EDQUOT, "452 Failure writing to local file. (Disk quota exceeded)"},
        {EFBIG, "452 Failure writing to local file. (File too large)"},
    };
    for (const bool deletes : {false, true}) {
        Server server({deletes ? "delete_failed_uploads=YES" : "delete_failed_uploads=NO"});
        Conversation ftp(server, alice);
        for (const auto& failure : failures) {
            folder.failures.close = failure.number;
            EXPECT_EQ(ftp.store("files/disk/f", "text"), failure.reply);
            folder.failures.close = 0;
            EXPECT_THAT(ftp.say("SIZE files/disk/f"), StartsWith(deletes ? "550" : "213 4"));
        }
        server.logged("FAIL UPLOAD: .*/files/disk/f\", 4 bytes");
        EXPECT_EQ(ftp.store("files/disk/f", "text"), complete);
        EXPECT_EQ(ftp.say("DELE files/disk/f"), "250 Delete operation successful.");
    }
}

// No file is lost there for that.
TEST_F(FailingDisk, MayCountNoLinks) {
    folder.failures.links = true;
    Server server;
    Conversation ftp(server, alice);
    for (const auto* text : {"new", "old"}) {
        EXPECT_EQ(ftp.store("files/disk/f", text), complete);
        EXPECT_EQ(ftp.transmit("APPE files/disk/f", "more"), complete);
    }
    EXPECT_EQ(ftp.say("SIZE files/disk/f"), "213 7");
}

TEST_F(FailingDisk, RefusesFoldersAndNames) {
    Server server;
    Conversation ftp(server, alice);
    ftp.store("files/disk/f", "x");
    folder.failures.create = EIO;
    EXPECT_EQ(ftp.say("MKD files/disk/d"),
              "550 Create directory operation failed. (Input/output error)");
    EXPECT_EQ(ftp.store("files/disk/g", "x"), "553 Could not create file. (Input/output error)");
    folder.failures.rename = ENOSPC;
    ftp.say("RNFR files/disk/f");
    EXPECT_EQ(ftp.say("RNTO files/disk/g"), "550 Rename failed. (No space left on device)");
    EXPECT_EQ(ftp.say("SIZE files/disk/f"), "213 1");
    server.logged("FAIL RENAME: ");
    server.complained("alice.*: changing a folder failed: Input/output error");
}

// ----- what the administrator reads

TEST(FullDiskInLogs, HasItsReasonInJsonAndIsToldOnceASession) {
    mount_small(disk(), room, alice.uid);
    const auto json = place("log.json");
    Server server({}, {.ini = "[log]\njson = " + json.string() + "\n"});
    Conversation ftp(server, alice);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ftp.store("files/disk/f", noise(1'000'000)), full);
    ftp.store("files/none/f", "x");
    EXPECT_TRUE(eventually([&] { return count(content_of(json), "\"reason\"") == 4; }));
    const auto lines = content_of(json);
    const std::string failed = R"("success":false,"reason":")";
    EXPECT_EQ(count(lines, failed + "Failure writing to local file. (No space left on device)\""),
              3U)
        << lines;
    EXPECT_EQ(count(lines, failed + "Could not create file. (No such file or directory)\""), 1U)
        << lines;
    server.complained("alice.*: storing a file failed: No space left on device");
    EXPECT_EQ(count(server.errors(), "storing a file failed"), 1U);
}

TEST(FullLogDisk, IsToldOnceAndLosesNoLine) {
    const auto logs = place("logs");
    mount_small(logs, 8192, 0);
    Server server({"vsftpd_log_file=" + (logs / "vsftpd.log").string(),
                   "xferlog_file=" + (logs / "xferlog").string(), "dual_log_enable=YES"});
    constexpr int folders = 300;
    {
        Conversation ftp(server, alice);
        for (int i = 0; i < folders; ++i)
            EXPECT_THAT(ftp.say("MKD files/d" + std::to_string(i) + '.'), StartsWith("257"));
        EXPECT_EQ(ftp.store("files/f", "x"), complete);
    }
    server.complained("vsftpd\\.log\": No space left on device; it is tried again");
    ASSERT_EQ(::mount("tmpfs", logs.c_str(), "tmpfs", MS_REMOUNT, "size=1m"), 0);
    EXPECT_TRUE(eventually([&] {
        return content_of(logs / "vsftpd.log").find("OK UPLOAD") != std::string::npos &&
               !content_of(logs / "xferlog").empty();
    }));
    const auto log = content_of(logs / "vsftpd.log");
    for (int i = 0; i < folders; ++i)
        EXPECT_EQ(count(log, "/files/d" + std::to_string(i) + ".\""), 1U) << i;
    server.complained("vsftpd\\.log\" can be written again");
    EXPECT_EQ(count(server.errors(), "vsftpd.log\": No space left on device"), 1U);
}

// As systemd's LimitFSIZE: a signal would end the server.
TEST(LimitedLog, IsALogThatIsFull) {
    constexpr rlim_t most = 1 << 20;
    sessions::Setup setup;
    setup.before = [] {
        const rlimit limit{most, most};
        (void)::setrlimit(RLIMIT_FSIZE, &limit);
    };
    write_file(place("vsftpd.log"), std::string(most - 200, '\n'));
    Server server({"vsftpd_log_file=" + place("vsftpd.log").string()}, setup);
    Conversation ftp(server, alice);
    for (int i = 0; i < 5; ++i)
        EXPECT_THAT(ftp.say("MKD files/d" + std::to_string(i)), StartsWith("257"));
    EXPECT_EQ(ftp.store("files/large", noise(2 << 20)),
              "452 Failure writing to local file. (File too large)");
    EXPECT_EQ(ftp.store("files/small", "x"), complete);
    server.complained("vsftpd\\.log\": File too large");
    EXPECT_EQ(Conversation(server).login(bob), "230 Login successful.");
}
