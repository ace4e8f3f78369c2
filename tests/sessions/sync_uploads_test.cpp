// SPDX-License-Identifier: MIT
// [server] sync_uploads: 226 means that the file is on the disk, and its name (whole sessions).
#include "tests/sessions/failing_folder.hpp"
#include "tests/sessions/secure.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include <unistd.h>

using namespace sessions;
using testing::StartsWith;
namespace fs = std::filesystem;

namespace {

constexpr auto complete = "226 Transfer complete.";
constexpr auto broken = "451 Failure writing to local file. (Input/output error)";
const std::string on = "[server]\nsync_uploads = yes\n";

fs::path disk() { return home_of(alice) / "files/disk"; }

class ServerSyncUploads : public testing::Test {
  protected:
    FailingFolder folder{disk(), alice.uid};
    void SetUp() override {
        if (!folder.trouble().empty()) GTEST_SKIP() << folder.trouble();
    }
    // Since the last time.
    std::pair<int, int> synced() {
        return {folder.synced.files.exchange(0), folder.synced.folders.exchange(0)};
    }
};

using Synced = std::pair<int, int>;  // files, folders

// ----- every way to store

struct Way {
    std::string name;
    std::string command;
    bool secure = false;
    bool ascii = false;
    bool existing = false;  // there is a file already
};
std::ostream& operator<<(std::ostream& out, const Way& way) { return out << way.name; }

std::vector<Way> ways() {
    std::vector<Way> all;
    for (const bool secure : {false, true}) {
        for (const bool ascii : {false, true}) {
            const auto name = [&](const char* what) {
                return std::string(what) + (secure ? "OverTls" : "") + (ascii ? "InTypeA" : "");
            };
            all.push_back({name("Stor"), "STOR f", secure, ascii, false});
            all.push_back({name("StorOverAFile"), "STOR f", secure, ascii, true});
            all.push_back({name("Appe"), "APPE f", secure, ascii, false});
            all.push_back({name("AppeToAFile"), "APPE f", secure, ascii, true});
            all.push_back({name("Stou"), "STOU f", secure, ascii, false});
            all.push_back({name("RestAndStor"), "STOR f", secure, ascii, true});
        }
    }
    return all;
}

class ServerSyncUploadsOf : public ServerSyncUploads, public testing::WithParamInterface<Way> {
  protected:
    template <typename Client>
    std::string store(Client& ftp, std::string_view text) {
        const auto& way = GetParam();
        if (way.name.starts_with("Rest")) {
            EXPECT_THAT(ftp.say("REST 10"), StartsWith("350"));
        }
        return ftp.transmit(way.command, text);
    }

    template <typename Client>
    void upload(Client& ftp, const Server& server, bool deletes) {
        const auto& way = GetParam();
        ftp.say("CWD files/disk");
        ftp.say("TYPE I");
        if (way.existing) {
            EXPECT_EQ(ftp.store("f", "0123456789"), complete);
        }
        ftp.say(way.ascii ? "TYPE A" : "TYPE I");
        const auto text = way.ascii ? std::string(20'000, 'x') + "\r\n" : noise(300'000);
        const bool keeps = way.existing && !way.name.starts_with("StorOver");
        const auto size = text.size() - (way.ascii ? 1 : 0) + (keeps ? 10 : 0);
        (void)synced();
        folder.failures.folder = EIO;
        EXPECT_EQ(store(ftp, text), broken);
        EXPECT_EQ(synced(), Synced(1, 1));
        folder.failures.folder = 0;

        struct {
            int number;
            const char* reply;
        } const failures[] = {
            {EIO, broken},
            {ENOSPC, "452 Failure writing to local file. (No space left on device)"},
            {EDQUOT, "452 Failure writing to local file. (Disk quota exceeded)"},
        };
        for (const auto& failure : failures) {
            folder.failures.sync = failure.number;
            EXPECT_EQ(store(ftp, text), failure.reply);
            EXPECT_EQ(synced(), Synced(1, 0));
        }
        folder.failures.sync = 0;
        server.logged(R"(FAIL UPLOAD: Client "127\.0\.0\.1", "[^"]*/files/disk/f")");
        server.complained("alice.*: storing a file failed: Input/output error");
        ftp.say("TYPE I");
        EXPECT_THAT(ftp.say("SIZE f"), StartsWith(deletes && !way.existing ? "550" : "213"));
        ftp.say("DELE f");
        if (way.existing) {
            EXPECT_EQ(ftp.store("f", "0123456789"), complete);
        }
        ftp.say(way.ascii ? "TYPE A" : "TYPE I");

        (void)synced();
        EXPECT_EQ(store(ftp, text), complete);
        EXPECT_EQ(synced(), Synced(1, 1));
        EXPECT_EQ(folder.synced.size, size);
    }
};

}  // namespace

TEST_P(ServerSyncUploadsOf, MakesThemWaitForTheDiskAndFailWithIt) {
    const auto& way = GetParam();
    for (const bool deletes : {false, true}) {
        Lines lines = {"ascii_upload_enable=YES"};
        if (deletes) lines.emplace_back("delete_failed_uploads=YES");
        if (!way.secure) {
            Server server(lines, {.ini = on});
            Conversation ftp(server, alice);
            upload(ftp, server, deletes);
            ftp.say("DELE f");
            continue;
        }
        const auto made = authority::make({});
        write_file(place("server.pem"), made.certificate + made.key, 0, 0600);
        lines.emplace_back("ssl_enable=YES");
        lines.push_back("rsa_cert_file=" + place("server.pem").string());
        Server server(lines, {.ini = on});
        Secure ftp(server, alice);
        upload(ftp, server, deletes);
        ftp.say("DELE f");
    }
}

INSTANTIATE_TEST_SUITE_P(All, ServerSyncUploadsOf, testing::ValuesIn(ways()),
                         [](const auto& each) { return each.param.name; });

TEST_F(ServerSyncUploads, IsOffUnlessSwitchedOn) {
    for (const auto* ini : {"", "[server]\nsync_uploads = no\n"}) {
        Server server({}, {.ini = ini});
        Conversation ftp(server, alice);
        EXPECT_EQ(ftp.store("files/disk/f", noise(300'000)), complete);
        ftp.say("MKD files/disk/d");
        ftp.say("RNFR files/disk/f");
        EXPECT_EQ(ftp.say("RNTO files/disk/g"), "250 Rename successful.");
        EXPECT_EQ(synced(), Synced(0, 0));
        ftp.say("RMD files/disk/d");
        ftp.say("DELE files/disk/g");
    }
}

// ----- failed ends

// What was cut off is not synced; the file that it has left, with a name that nobody has synced,
// is, when another command completes it.
TEST_F(ServerSyncUploads, SyncsTheNameThatAnEarlierCommandMade) {
    Server server({}, {.ini = on});
    Conversation ftp(server, alice);
    auto data = ftp.open();
    EXPECT_THAT(ftp.say("STOR files/disk/f"), StartsWith("150"));
    data.write("0123456789");
    EXPECT_TRUE(
        eventually([&] { return fs::exists(disk() / "f") && fs::file_size(disk() / "f") == 10; }));
    data.reset();
    EXPECT_THAT(ftp.reply(), StartsWith("426"));
    EXPECT_EQ(synced(), Synced(0, 0));
    EXPECT_THAT(ftp.say("REST 10"), StartsWith("350"));
    EXPECT_EQ(ftp.store("files/disk/f", "the rest"), complete);
    EXPECT_EQ(synced(), Synced(1, 1));
}

// ----- slow disks

TEST_F(ServerSyncUploads, TakesItsTime) {
    Server server({"data_connection_timeout=3", "idle_session_timeout=3", "accept_timeout=3"},
                  {.ini = on});
    Conversation ftp(server, alice);
    folder.failures.slow = 5000;
    auto data = ftp.open();
    EXPECT_THAT(ftp.say("STOR files/disk/f"), StartsWith("150"));
    data.write("text");
    const auto start = std::chrono::steady_clock::now();
    data.close();
    // The transfer is over, and its end is not what the client thinks of by now.
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    ftp.send("NOOP\r\nABOR\r\nPWD\r\n");
    EXPECT_EQ(ftp.reply(), complete);
    EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(4900));
    EXPECT_EQ(ftp.reply(), "200 NOOP ok.");
    EXPECT_EQ(ftp.reply(), "225 No transfer to ABOR.");
    EXPECT_THAT(ftp.reply(), StartsWith("257"));
}

// ----- names

TEST_F(ServerSyncUploads, HoldsForRenamesAndNewFolders) {
    Server server({}, {.ini = on});
    Conversation ftp(server, alice);
    ftp.say("CWD files/disk");
    EXPECT_EQ(ftp.store("f.part", "text"), complete);
    (void)synced();
    ftp.say("RNFR f.part");
    EXPECT_EQ(ftp.say("RNTO f"), "250 Rename successful.");
    EXPECT_EQ(synced(), Synced(0, 1)) << "once where both names are in one folder";
    EXPECT_THAT(ftp.say("MKD d"), StartsWith("257"));
    EXPECT_EQ(synced(), Synced(0, 1));
    ftp.say("RNFR f");
    EXPECT_EQ(ftp.say("RNTO d/g"), "250 Rename successful.");
    EXPECT_EQ(synced(), Synced(0, 2));
    folder.failures.folder = EIO;
    EXPECT_EQ(ftp.say("MKD e"), "550 Create directory operation failed. (Input/output error)");
    ftp.say("RNFR g");
    EXPECT_EQ(ftp.say("RNTO h"), "550 Rename failed. (Input/output error)");
    server.logged("FAIL MKDIR: ");
    server.logged("FAIL RENAME: ");
}

// ----- what the jail leaves of it

// A drop box: its names are used and not read. The disk has them all the same.
TEST(ServerSyncUploadsInADropBox, NeedNotReadIt) {
    Server server({"chroot_local_user=YES"}, {.ini = on});
    Conversation ftp(server, alice);
    ftp.say("CWD files");
    EXPECT_THAT(ftp.say("MKD box"), StartsWith("257"));
    EXPECT_THAT(ftp.say("SITE CHMOD 300 box"), StartsWith("200"));
    EXPECT_EQ(ftp.store("box/f", "text"), complete);
    ftp.say("RNFR box/f");
    EXPECT_EQ(ftp.say("RNTO box/g"), "250 Rename successful.");
    EXPECT_THAT(ftp.say("SITE CHMOD 000 box/g"), StartsWith("200"));
    ftp.say("RNFR box/g");
    EXPECT_EQ(ftp.say("RNTO box/h"), "250 Rename successful.");
    EXPECT_THAT(ftp.say("MKD box/d"), StartsWith("257"));
    EXPECT_EQ(content_of(home_of(alice) / "files/box/h"), "text");
}

TEST(ServerSyncUploadsOfAMovedFile, SyncsItWhereverItIs) {
    Server server({"chroot_local_user=YES"}, {.ini = on});
    Conversation ftp(server, alice);
    const auto file = home_of(alice) / "files/f";
    auto data = ftp.open();
    EXPECT_THAT(ftp.say("STOR files/f"), StartsWith("150"));
    data.write("text");
    EXPECT_TRUE(eventually([&] { return fs::exists(file); }));
    fs::rename(file, home_of(alice) / "files/g");
    data.close();
    EXPECT_EQ(ftp.reply(), complete);
}

// Who may make folders and nothing else has the right to wait for them.
TEST(ServerSyncUploadsOfAnonymous, AreTheSame) {
    make_folder(home_of(ftp_user) / "incoming", ftp_user.uid);
    for (const bool uploads : {true, false}) {
        Server server(
            {"anonymous_enable=YES", "anon_mkdir_write_enable=YES", "chown_uploads=YES",
             "chown_username=bob", uploads ? "anon_upload_enable=YES" : "anon_upload_enable=NO"},
            {.ini = on});
        Conversation ftp(server);
        ftp.login("ftp", "me@here");
        ftp.say("TYPE I");
        EXPECT_THAT(ftp.say("MKD incoming/d" + std::to_string(uploads)), StartsWith("257"));
        EXPECT_THAT(ftp.transmit("STOR incoming/f", "text"), StartsWith(uploads ? "226" : "550"));
    }
    EXPECT_EQ(owner_of(home_of(ftp_user) / "incoming/f"), bob.uid);
}

// ----- a power cut

namespace {

class PowerCut : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(disk());
        const auto image = image_.string();
        // The sandbox has few devices.
        (void)shell(
            "mknod /dev/loop-control c 10 237; "
            "for n in 0 1 2 3 4 5 6 7 8 9; do mknod /dev/loop$n b 7 $n; done");
        if (!shell("truncate -s 32M " + image + " && mkfs.ext4 -q -F " + image +
                   " && mount -o loop " + image + ' ' + disk().string()))
            GTEST_SKIP() << "no ext4 here on a file: " << said_;
        ASSERT_EQ(::chown(disk().c_str(), alice.uid, alice.uid), 0);
    }
    void TearDown() override { (void)shell("umount -l " + disk().string()); }

    // What is on the disk in this moment, as the next start finds it: names and contents of files.
    std::map<std::string, std::string> files_after_it() {
        const auto copy = place("copy.img");
        const auto there = place("after");
        fs::copy_file(image_, copy, fs::copy_options::overwrite_existing);
        fs::create_directories(there);
        EXPECT_TRUE(shell("mount -o loop " + copy.string() + ' ' + there.string())) << said_;
        std::map<std::string, std::string> found;
        for (const auto& each : fs::recursive_directory_iterator(there)) {
            if (each.is_regular_file())
                found[each.path().lexically_relative(there).string()] = content_of(each.path());
        }
        EXPECT_TRUE(shell("umount " + there.string())) << said_;
        return found;
    }

  private:
    bool shell(const std::string& command) {
        const auto ran = run({"/bin/sh", "-c", "PATH=/usr/sbin:/usr/bin:/sbin:/bin; " + command});
        said_ = ran.err;
        return ran.status == 0;
    }

    const fs::path image_ = place("disk.img");
    std::string said_;
};

}  // namespace

TEST_F(PowerCut, LeavesWhatWasAcknowledged) {
    Server server({"chroot_local_user=YES"}, {.ini = on});
    Conversation ftp(server, alice);
    ftp.say("CWD files/disk");
    EXPECT_EQ(ftp.store("large", noise(300'000)), complete);
    EXPECT_EQ(files_after_it()["large"], noise(300'000));
    EXPECT_THAT(ftp.say("MKD a"), StartsWith("257"));
    EXPECT_THAT(ftp.say("MKD a/b"), StartsWith("257"));
    EXPECT_EQ(ftp.store("a/b/deep", "deep"), complete);
    EXPECT_EQ(files_after_it()["a/b/deep"], "deep");

    auto data = ftp.open();
    EXPECT_THAT(ftp.say("STOR resumed"), StartsWith("150"));
    data.write("0123456789");
    EXPECT_TRUE(eventually([&] { return content_of(disk() / "resumed").size() == 10; }));
    data.reset();
    EXPECT_THAT(ftp.reply(), StartsWith("426"));
    EXPECT_THAT(ftp.say("REST 10"), StartsWith("350"));
    EXPECT_EQ(ftp.store("resumed", "the rest"), complete);
    EXPECT_EQ(files_after_it()["resumed"], "0123456789the rest");
    EXPECT_EQ(ftp.transmit("APPE resumed", " and more"), complete);
    EXPECT_EQ(files_after_it()["resumed"], "0123456789the rest and more");

    EXPECT_EQ(ftp.store("new.part", "new"), complete);
    ftp.say("RNFR new.part");
    EXPECT_EQ(ftp.say("RNTO a/new"), "250 Rename successful.");
    const auto renamed = files_after_it();
    EXPECT_EQ(renamed.count("new.part"), 0U);
    EXPECT_EQ(renamed.count("a/new"), 1U);

    EXPECT_THAT(ftp.say("MKD box"), StartsWith("257"));
    EXPECT_THAT(ftp.say("SITE CHMOD 300 box"), StartsWith("200"));
    EXPECT_EQ(ftp.store("box/in", "dropped"), complete);
    EXPECT_EQ(files_after_it()["box/in"], "dropped");
}
