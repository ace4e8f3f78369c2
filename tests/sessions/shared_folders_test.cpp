// SPDX-License-Identifier: MIT
// Folders of the host in a session's jail, and homes in which nothing can be changed (whole
// sessions).
#include "tests/jail/observed.hpp"
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/mount.h>
#include <sys/stat.h>

using namespace sessions;
using observed::Facts;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto welcome = "230 Login successful.";
constexpr auto whole = "226 Transfer complete.";

// A tenant with a home that is hers, /shared to see and /drop to write to.
class SharedFolders : public testing::Test {
  protected:
    void SetUp() override {
        ini_ = "[server]\nguest_user = virtual\n" +
               tenant("tess", "secret",
                      {"bind = " + shared().string() + ":/shared",
                       "bind = " + drop().string() + ":/deep/drop:rw"});
        for (const auto* each : {"shared", "deep", "deep/drop"})
            make_folder(tenant_home("tess") / each, virtual_user.uid);
        write_file(tenant_home("tess") / "shared/covered", "home's");
        // Both could be written to, but for the mount.
        make_folder(shared(), virtual_user.uid);
        make_folder(drop(), virtual_user.uid);
        write_file(shared() / "read me", "everybody's", virtual_user.uid);
    }

    static std::filesystem::path shared() { return place("srv/shared"); }
    static std::filesystem::path drop() { return place("srv/drop"); }

    sessions::Setup with_ini(const std::string& more = {}) const {
        sessions::Setup setup;
        setup.ini = ini_ + more;
        return setup;
    }

    std::string ini_;
    const Lines lines_ = {"allow_writeable_chroot=YES"};
};

std::vector<std::string> mount_points(const Facts& facts) {
    std::vector<std::string> points;
    for (const auto& line : lines_of(facts.text("mountinfo"))) {
        std::size_t at = 0;
        for (int field = 0; field < 4; ++field) at = line.find(' ', at) + 1;
        points.push_back(line.substr(at, line.find(' ', at) - at));
    }
    return points;
}

}  // namespace

TEST_F(SharedFolders, AreMountsOfTheSessionAlone) {
    const Server server(lines_, with_ini());
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("tess", "secret"), welcome);
    const Facts facts(server.process("tess"));
    EXPECT_THAT(mount_points(facts), testing::ElementsAre("/", "/shared", "/deep/drop"));
    for (const auto& line : lines_of(facts.text("mountinfo"))) {
        EXPECT_THAT(line, HasSubstr("nosuid,nodev,noexec")) << line;
        const bool shared_one = line.find(" /shared ") != line.npos;
        EXPECT_EQ(line.find(" ro,") != line.npos, shared_one) << line;
    }
    // Nobody else sees them, and the home has nothing that it had not before.
    EXPECT_EQ(content_of(tenant_home("tess") / "shared/covered"), "home's");
    EXPECT_THAT(Facts(server.process("[spawner]")).text("mountinfo"), Not(HasSubstr("/shared")));
    EXPECT_EQ(ftp.say("QUIT"), "221 Goodbye.");
    EXPECT_EQ(::rmdir((tenant_home("tess") / "deep/drop").c_str()), 0);
}

TEST_F(SharedFolders, AreReadAndListedButNotChanged) {
    const Server server(lines_, with_ini());
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("tess", "secret"), welcome);
    EXPECT_EQ(ftp.retrieve("/shared/read me"), "everybody's");
    EXPECT_THAT(ftp.list("NLST /shared"), AllOf(HasSubstr("read me"), Not(HasSubstr("covered"))));
    EXPECT_THAT(ftp.list("LIST /"), AllOf(HasSubstr(" shared"), HasSubstr(" deep")));
    EXPECT_THAT(ftp.say("CWD /shared"), StartsWith("250"));
    EXPECT_EQ(ftp.say("PWD"), "257 \"/shared\" is the current directory");
    for (const auto* command : {"DELE read me", "MKD new", "SITE CHMOD 777 read me"})
        EXPECT_THAT(ftp.say(command),
                    AllOf(StartsWith("550"), HasSubstr("(Read-only file system)")))
            << command;
    for (const auto* command : {"APPE read me", "STOR upload"}) {
        ftp.transmit(command, "more");
        EXPECT_THAT(ftp.began, AllOf(StartsWith("553"), HasSubstr("(Read-only file system)")))
            << command;
    }
    EXPECT_THAT(ftp.say("RNFR read me"), StartsWith("350"));
    EXPECT_THAT(ftp.say("RNTO /stolen"), StartsWith("550"));
    EXPECT_THAT(ftp.say("CDUP"), StartsWith("250"));
    EXPECT_EQ(ftp.say("PWD"), "257 \"/\" is the current directory");
    EXPECT_EQ(content_of(shared() / "read me"), "everybody's");
    EXPECT_EQ(content_of(shared() / "upload"), "(none)");
}

TEST_F(SharedFolders, AreWrittenToWhereTheyMayBe) {
    const Server server(lines_, with_ini());
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("tess", "secret"), welcome);
    EXPECT_EQ(ftp.store("/deep/drop/up", "uploaded"), whole);
    EXPECT_EQ(content_of(drop() / "up"), "uploaded");
    EXPECT_EQ(owner_of(drop() / "up"), virtual_user.uid);
    EXPECT_THAT(ftp.say("MKD /deep/drop/new"), StartsWith("257"));
    EXPECT_THAT(ftp.say("RNFR /deep/drop/up"), StartsWith("350"));
    EXPECT_THAT(ftp.say("RNTO /deep/drop/new/up"), StartsWith("250"));
    EXPECT_EQ(content_of(drop() / "new/up"), "uploaded");
    EXPECT_EQ(ftp.store("/files/own", "own"), whole);
}

// Neither taken away nor moved aside: the next session would be without.
TEST_F(SharedFolders, StayWhereTheyAre) {
    const Server server(lines_, with_ini());
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("tess", "secret"), welcome);
    EXPECT_THAT(ftp.say("RMD /shared"), StartsWith("550"));
    EXPECT_THAT(ftp.say("RMD /deep/drop"), StartsWith("550"));
    EXPECT_THAT(ftp.say("RNFR /shared"), StartsWith("350"));
    EXPECT_THAT(ftp.say("RNTO /elsewhere"), StartsWith("550"));
    EXPECT_THAT(ftp.say("CWD /deep/drop"), StartsWith("250"));
}

// The target lies in the user's own home.
TEST_F(SharedFolders, AreNotLedElsewhereByALink) {
    make_folder(place("victim"));
    const auto target = tenant_home("tess") / "shared";
    for (const auto& to : {place("victim").string(), std::string("/etc"), std::string("files")}) {
        std::filesystem::remove_all(target);
        std::filesystem::create_directory_symlink(to, target);
        sessions::Setup setup = with_ini();
        const Server server(lines_, setup);
        Conversation ftp(server);
        EXPECT_THAT(ftp.login("tess", "secret"), StartsWith("500 OOPS:")) << to;
        EXPECT_TRUE(ftp.ended());
        EXPECT_NE(server.complained("no directory of the home to show the shared folder /shared"),
                  "");
    }
}

TEST_F(SharedFolders, NeedADirectoryToStandAt) {
    std::filesystem::remove_all(tenant_home("tess") / "deep");
    const Server server(lines_, with_ini());
    Conversation ftp(server);
    EXPECT_THAT(ftp.login("tess", "secret"), StartsWith("500 OOPS:"));
    EXPECT_NE(server.complained("shared folder /deep/drop at: .*No such file"), "");
    EXPECT_FALSE(std::filesystem::exists(tenant_home("tess") / "deep")) << "nothing is made";
}

// What the user could not reach without a jail is not reached with one.
TEST_F(SharedFolders, AreEnteredWithTheUsersRights) {
    ASSERT_EQ(::chmod(place("srv").c_str(), 0700), 0);
    const Server server(lines_, with_ini());
    Conversation ftp(server);
    EXPECT_EQ(ftp.login("tess", "secret"), "500 OOPS: login service unavailable, please try later");
    EXPECT_NE(server.complained("srv/shared:/shared:ro cannot be entered with the rights of uid"),
              "");
    ASSERT_EQ(::chmod(place("srv").c_str(), 0755), 0);
}

TEST_F(SharedFolders, AreNotThereForOthers) {
    const Server server({"allow_writeable_chroot=YES", "chroot_local_user=YES"},
                        with_ini("[group web]\nbind = " + shared().string() + ":/team\n"));
    make_folder(home_of(alice) / "team");
    make_folder(home_of(bob) / "team");
    Conversation of_alice(server, alice);  // of that group
    EXPECT_EQ(of_alice.retrieve("/team/read me"), "everybody's");
    Conversation of_bob(server, bob);
    of_bob.retrieve("/team/read me");
    EXPECT_THAT(of_bob.began, StartsWith("550"));
    EXPECT_THAT(mount_points(Facts(server.process("bob"))), testing::ElementsAre("/"));
}

TEST_F(SharedFolders, AreNoneForOneWithoutAJail) {
    const Server server(lines_, with_ini("[group web]\nbind = " + shared().string() + ":/team\n"));
    Conversation ftp(server);
    EXPECT_THAT(ftp.login(alice), StartsWith("500 OOPS:"));
    EXPECT_NE(server.complained("bind and read_only need a jail"), "");
    EXPECT_EQ(Conversation(server).login(bob), welcome);
}

TEST_F(SharedFolders, AreDemandedAtTheStart) {
    write_file(place("x.conf"), "listen=YES\nlisten_port=2121\nlocal_enable=YES\n");
    write_file(place("x.ini"), ini_ + "[jail]\nmounts = no\n");
    std::filesystem::permissions(place("x.ini"), std::filesystem::perms(0600));
    for (const auto* how : {"--check-config", "-obackground=NO"}) {
        const auto ran = run(
            {path_of(Program::jailftpd), place("x.conf"), "--ini", place("x.ini").string(), how});
        EXPECT_NE(ran.status, 0) << how;
        EXPECT_THAT(ran.out + ran.err,
                    HasSubstr("tenant tess has bind or read_only, which need mounts"))
            << how;
    }
}

// ----- what an upload there is

TEST_F(SharedFolders, GiveAwayUploadsOnTheirOwnFileSystem) {
    make_folder(home_of(ftp_user) / "incoming");
    mount_small(drop(), 1 << 20, ftp_user.uid);
    const Server server({"anonymous_enable=YES", "anon_upload_enable=YES", "chown_uploads=YES",
                         "chown_username=bob"},
                        with_ini("[group " + std::to_string(ftp_user.uid) +
                                 "]\nbind = " + drop().string() + ":/incoming:rw\n"));
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("anonymous", "x"), welcome);
    EXPECT_EQ(ftp.store("/incoming/up", "x"), whole);
    EXPECT_EQ(owner_of(drop() / "up"), bob.uid);
}

// ----- homes in which nothing changes

class ReadOnlyHomes : public SharedFolders {
  protected:
    static bool read_only(const Server& server, std::string_view user) {
        return lines_of(Facts(server.process(user)).text("mountinfo")).at(0).find(" ro,") !=
               std::string::npos;
    }
};

TEST_F(ReadOnlyHomes, AreThoseOfWhoMayWriteNothing) {
    const Server server({"anonymous_enable=YES", "write_enable=NO", "chroot_local_user=YES"});
    write_file(home_of(ftp_user) / "hello", "hello");
    Conversation anonymous(server);
    ASSERT_EQ(anonymous.login("anonymous", "x"), welcome);
    EXPECT_EQ(anonymous.retrieve("hello"), "hello");
    EXPECT_TRUE(read_only(server, "ftp 127"));
    Conversation ftp(server, alice);
    EXPECT_TRUE(read_only(server, "alice"));
    EXPECT_THAT(ftp.list("LIST files"), StartsWith(""));
}

TEST_F(ReadOnlyHomes, AreNotThoseOfWhoMayWriteByOptionsOfTheirOwn) {
    make_folder(place("users"));
    write_file(place("users/alice"), "write_enable=YES\n");
    const Server server({"anonymous_enable=YES", "anon_mkdir_write_enable=YES", "write_enable=NO",
                         "chroot_local_user=YES", "user_config_dir=" + place("users").string()});
    Conversation ftp(server, alice);
    EXPECT_FALSE(read_only(server, "alice"));
    EXPECT_EQ(ftp.store("files/up", "x"), whole);
    Conversation other(server, bob);
    EXPECT_TRUE(read_only(server, "bob"));
}

// As with vsftpd, which does not ask whether anything may be written at all.
TEST_F(ReadOnlyHomes, AreRefusedNoLessForBeingWritable) {
    ASSERT_EQ(::chmod(home_of(alice).c_str(), 0777), 0);
    const Server server({"write_enable=NO", "chroot_local_user=YES"});
    Conversation ftp(server);
    EXPECT_EQ(ftp.login(alice),
              "500 OOPS: vsftpd: refusing to run with writable root inside chroot()");
}

TEST_F(ReadOnlyHomes, AreWritableInTheirFoldersForAll) {
    ini_ += "read_only = yes\n";
    const Server server({}, with_ini());
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("tess", "secret"), welcome);
    EXPECT_TRUE(read_only(server, "tess"));
    EXPECT_EQ(ftp.store("/deep/drop/up", "uploaded"), whole);
    EXPECT_THAT(ftp.say("MKD /deep/drop/new"), StartsWith("257"));
    ftp.store("/files/up", "x");
    EXPECT_THAT(ftp.began, StartsWith("55"));
    EXPECT_THAT(ftp.say("MKD /files/new"), StartsWith("550"));
    EXPECT_EQ(content_of(tenant_home("tess") / "files/up"), "(none)");
}
