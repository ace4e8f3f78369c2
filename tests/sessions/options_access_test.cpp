// SPDX-License-Identifier: MIT
// What the broker and the helpers do for sessions as options say: addresses in 227, names in
// listings, homes of others, uploads that change their owner; and names of users and files (whole
// sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include <signal.h>
#include <sys/stat.h>

using namespace sessions;
using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto welcome = "230 Login successful.";
constexpr auto complete = "226 Transfer complete.";

}  // namespace

// ----- the address in 227

class PasvAddrResolve : public testing::Test {
  protected:
    void TearDown() override { names("127.0.0.1 localhost\n"); }
    // In place: what is being read is never half of it.
    static void names(const std::string& lines) {
        write_file("/etc/hosts.new", lines);
        std::filesystem::rename("/etc/hosts.new", "/etc/hosts");
    }
    const Lines on = {"pasv_addr_resolve=YES", "pasv_address=ftp.example.org"};
    const std::string often = "[server]\nresolve_interval = 1\n";
};

TEST_F(PasvAddrResolve, FollowsTheNameInRunningSessionsToo) {
    names("192.0.2.1 ftp.example.org\n");
    Server server(on, {.ini = often});
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("PASV"), HasSubstr("(192,0,2,1,"));
    names("192.0.2.2 ftp.example.org\n");
    EXPECT_TRUE(
        eventually([&] { return ftp.say("PASV").find("(192,0,2,2,") != std::string::npos; }));
    EXPECT_THAT(Conversation(server, alice).say("PASV"), HasSubstr("(192,0,2,2,"));
    server.complained("pasv_address ftp\\.example\\.org is 192\\.0\\.2\\.2 now");
    names("127.0.0.1 localhost\n");
    server.complained("cannot resolve pasv_address ftp\\.example\\.org, its last address stays");
    EXPECT_THAT(ftp.say("PASV"), HasSubstr("(192,0,2,2,"));
    names("192.0.2.3 ftp.example.org\n");
    EXPECT_TRUE(
        eventually([&] { return ftp.say("PASV").find("(192,0,2,3,") != std::string::npos; }));
}

using ServerResolveInterval = PasvAddrResolve;

TEST_F(ServerResolveInterval, IsNeverAtZero) {
    names("192.0.2.1 ftp.example.org\n");
    for (const bool never : {true, false}) {
        Server server(on, {.ini = never ? "[server]\nresolve_interval = 0\n" : often});
        Conversation ftp(server, alice);
        EXPECT_THAT(ftp.say("PASV"), HasSubstr("(192,0,2,1,"));
        names("192.0.2.2 ftp.example.org\n");
        const bool followed =
            eventually([&] { return ftp.say("PASV").find("(192,0,2,2,") != std::string::npos; },
                       std::chrono::seconds(never ? 3 : 10));
        EXPECT_EQ(followed, !never);
        names("192.0.2.1 ftp.example.org\n");
    }
}

TEST_F(PasvAddrResolve, LooksAgainOnReload) {
    names("192.0.2.1 ftp.example.org\n");
    Server server(on, {.ini = "[server]\nresolve_interval = 0\n"});
    EXPECT_THAT(Conversation(server, alice).say("PASV"), HasSubstr("(192,0,2,1,"));
    names("192.0.2.2 ftp.example.org\n");
    server.signal(SIGHUP);
    server.complained("configuration reloaded");
    EXPECT_THAT(Conversation(server, alice).say("PASV"), HasSubstr("(192,0,2,2,"));
}

TEST_F(PasvAddrResolve, LeavesAUsersOwnAddressAlone) {
    names("192.0.2.1 ftp.example.org\n");
    make_folder(place("users"));
    write_file(place("users/alice"), "pasv_address=192.0.2.77\n");
    auto lines = on;
    lines.push_back("user_config_dir=" + place("users").string());
    Server server(lines, {.ini = often});
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("PASV"), HasSubstr("(192,0,2,77,"));
    names("192.0.2.2 ftp.example.org\n");
    server.complained("pasv_address ftp\\.example\\.org is 192\\.0\\.2\\.2 now");
    EXPECT_THAT(ftp.say("PASV"), HasSubstr("(192,0,2,77,"));
}

TEST_F(PasvAddrResolve, StopsAStartWithANameThatIsNone) {
    names("127.0.0.1 localhost\n");
    write_file(place("x.conf"),
               "listen=YES\nlocal_enable=YES\nanonymous_enable=NO\n"
               "pasv_addr_resolve=YES\npasv_address=nowhere.example.org\n");
    const auto ran = run({path_of(Program::jailftpd), place("x.conf"), "--check-config"});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.out, HasSubstr("x.conf:5: error: cannot resolve host:nowhere.example.org"));
}

// An address that is none sends clients nowhere.
TEST(PasvAddress, IsNeverZero) {
    {
        Server server({}, {.address = "::1"});
        Conversation ftp(server, alice);
        EXPECT_THAT(ftp.say("PASV"), StartsWith("425 "));
        EXPECT_THAT(ftp.say("EPSV"), StartsWith("229 "));
    }
    {
        Server server({"pasv_address=192.0.2.5"}, {.address = "::1"});
        Conversation ftp(server, alice);
        EXPECT_THAT(ftp.say("PASV"), HasSubstr("(192,0,2,5,"));
    }
    {
        Server server({"listen=NO", "listen_ipv6=YES", "listen_address6=::"});
        Conversation ftp(server, alice);
        EXPECT_THAT(ftp.say("PASV"), HasSubstr("(127,0,0,1,"));
    }
    Server server({"pasv_address=0.0.0.0"});
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("PASV"), HasSubstr("(127,0,0,1,"));
}

// ----- uploads that change their owner

class ChownUploads : public testing::Test {
  protected:
    static Lines with(const Lines& more) {
        Lines lines = {"anonymous_enable=YES", "anon_upload_enable=YES", "chown_uploads=YES"};
        lines.insert(lines.end(), more.begin(), more.end());
        return lines;
    }
    static std::string upload(Server& server, const std::string& name) {
        Conversation ftp(server);
        EXPECT_EQ(ftp.login("ftp", "me@here"), welcome);
        ftp.say("TYPE I");
        return ftp.store("incoming/" + name, "content");
    }
    const std::filesystem::path incoming = home_of(ftp_user) / "incoming";
};

TEST_F(ChownUploads, GivesThemToRootUnlessItSaysOtherwise) {
    Server server(with({}));
    EXPECT_EQ(upload(server, "a"), complete);
    EXPECT_EQ(owner_of(incoming / "a"), 0U);
    EXPECT_EQ(mode_of(incoming / "a"), 0600U);
    EXPECT_EQ(content_of(incoming / "a"), "content");
}

TEST_F(ChownUploads, GivesThemToTheUserWithTheModeThatItNames) {
    Server server(with({"chown_username=bob", "chown_upload_mode=0640"}));
    EXPECT_EQ(upload(server, "a"), complete);
    EXPECT_EQ(owner_of(incoming / "a"), bob.uid);
    EXPECT_EQ(mode_of(incoming / "a"), 0640U);
    struct stat status {};
    ::stat((incoming / "a").c_str(), &status);
    EXPECT_EQ(status.st_gid, ftp_user.uid) << "the group stays, as with vsftpd";
}

TEST_F(ChownUploads, LeavesThoseOfUsersAlone) {
    Server server(with({}));
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.store("files/a", "mine"), complete);
    EXPECT_EQ(owner_of(home_of(alice) / "files/a"), alice.uid);
}

TEST_F(ChownUploads, TakesThoseOfGuestsWithAnonymousRights) {
    make_folder(home_of(virtual_user));
    make_folder(home_of(virtual_user) / "files", virtual_user.uid);
    Server server(with({"guest_enable=YES", "guest_username=virtual"}));
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.store("files/a", "content"), complete);
    EXPECT_EQ(owner_of(home_of(virtual_user) / "files/a"), 0U);
}

// A link elsewhere could be a way to give away what was no upload: then nothing is.
TEST_F(ChownUploads, GivesUniqueNamesAwayAsWell) {
    Server server(with({"chown_username=bob"}));
    Conversation ftp(server);
    ftp.login("ftp", "me@here");
    ftp.say("TYPE I");
    ftp.say("CWD incoming");
    EXPECT_EQ(ftp.transmit("STOU", "content"), complete);
    EXPECT_EQ(owner_of(incoming / "STOU.1"), bob.uid);
}

// ----- names in listings

TEST(TextUserdbNames, ShowsThemInsideAJail) {
    write_file(home_of(alice) / "files/mine", "x", alice.uid);
    write_file(home_of(alice) / "files/nobodys", "x", 4711);
    Server server({"text_userdb_names=YES", "chroot_local_user=YES"});
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("PWD"), "257 \"/\" is the current directory");
    EXPECT_THAT(ftp.list("LIST files"),
                AllOf(HasSubstr(" alice    alice  "), HasSubstr(" 4711     4711  ")));
    EXPECT_THAT(ftp.list("LIST"), HasSubstr(" alice    alice  "));
    EXPECT_THAT(ftp.say("STAT files"), HasSubstr(" alice    alice  "));
}

TEST(TextUserdbNames, ShowsNumbersOtherwiseAndFtpWhereIdsAreHidden) {
    write_file(home_of(alice) / "files/mine", "x", alice.uid);
    {
        Server server;
        EXPECT_THAT(Conversation(server, alice).list("LIST files"), HasSubstr(" 2001     2001  "));
    }
    Server server({"text_userdb_names=YES", "hide_ids=YES"});
    EXPECT_THAT(Conversation(server, alice).list("LIST files"), HasSubstr(" ftp      ftp  "));
}

// ----- homes of others

TEST(TildeUserEnable, LeadsToTheHomesOfOthers) {
    write_file(home_of(bob) / "files/his", "x", bob.uid);
    Server server({"tilde_user_enable=YES"});
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("CWD ~bob"), "250 Directory successfully changed.");
    EXPECT_THAT(ftp.say("PWD"), HasSubstr(home_of(bob).string() + "\""));
    EXPECT_EQ(ftp.say("CWD ~bob/files"), "250 Directory successfully changed.");
    EXPECT_EQ(ftp.say("SIZE ~bob/files/his"), "213 1");
    EXPECT_EQ(ftp.say("CWD ~"), "250 Directory successfully changed.");
    EXPECT_THAT(ftp.say("PWD"), HasSubstr(home_of(alice).string() + "\""));
    EXPECT_THAT(ftp.say("CWD ~nobody-of-that-name"), StartsWith("550"));
    EXPECT_THAT(ftp.say("MKD ~bob/files/x"), StartsWith("550")) << "with alice's own rights";
}

TEST(TildeUserEnable, IsOffUnlessItIsWanted) {
    Server server;
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("CWD ~bob"), StartsWith("550"));
}

TEST(TildeUserEnable, LeadsOutOfNoJail) {
    Server server({"tilde_user_enable=YES", "chroot_local_user=YES"});
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("CWD ~bob"), StartsWith("550"));
    EXPECT_EQ(ftp.say("CWD ~alice/files"), "250 Directory successfully changed.");
    EXPECT_EQ(ftp.say("PWD"), "257 \"/files\" is the current directory");
}

TEST(TildeUserEnable, LeadsToHomesWithinTheJail) {
    // Not all that begins like the jail is in it.
    make_folder(place("homestead"));
    auto passwd = content_of("/etc/passwd");
    passwd += "farmer:x:2222:2222::" + place("homestead").string() + ":/bin/sh\n";
    write_file("/etc/passwd", passwd);
    Server server(
        {"tilde_user_enable=YES", "chroot_local_user=YES", "local_root=" + place("home").string()});
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("CWD ~bob"), "250 Directory successfully changed.");
    EXPECT_EQ(ftp.say("PWD"), "257 \"/bob\" is the current directory");
    EXPECT_THAT(ftp.say("CWD ~farmer"), StartsWith("550"));
    EXPECT_THAT(ftp.say("CWD ~root"), StartsWith("550"));
}

// ----- names of users and files

TEST(UserlistLog, TellsTheLogWhomTheListRefuses) {
    write_file(place("users"), "bob\n");
    const auto list = "userlist_file=" + place("users").string();
    {
        Server server({"userlist_enable=YES", "userlist_log=YES", list});
        EXPECT_EQ(Conversation(server).say("USER bob"), "530 Permission denied.");
        server.logged(
            R"(\[bob\] FAIL LOGIN: Client "127\.0\.0\.1", "User is in the deny user list\.")");
    }
    {
        Server server({"userlist_enable=YES", "userlist_deny=NO", "userlist_log=YES", list});
        EXPECT_EQ(Conversation(server).say("USER alice"), "530 Permission denied.");
        server.logged(
            R"(\[alice\] FAIL LOGIN: Client "127\.0\.0\.1", "User is not in the allow user list\.")");
        EXPECT_EQ(Conversation(server).login(bob), welcome);
    }
    Server server({"userlist_enable=YES", list});
    EXPECT_EQ(Conversation(server).say("USER bob"), "530 Permission denied.");
    server.complained("user \"bob\" refused by userlist_file");
    EXPECT_THAT(server.log(), Not(HasSubstr("FAIL LOGIN")));
}

TEST(BetterStou, TakesNamesThatNobodyCanTell) {
    Server server({"better_stou=YES"});
    Conversation ftp(server, alice);
    ftp.say("CWD files");
    std::set<std::string> names;
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(ftp.transmit("STOU report", "content"), complete);
        EXPECT_THAT(ftp.began, MatchesRegex("150 FILE: report\\.[a-z0-9]{6}"));
        names.insert(ftp.began.substr(std::string("150 FILE: ").size()));
    }
    EXPECT_EQ(names.size(), 5U);
    for (const auto& name : names)
        EXPECT_EQ(content_of(home_of(alice) / "files" / name), "content");
}

TEST(BetterStou, CountsOtherwise) {
    Server server;
    Conversation ftp(server, alice);
    ftp.say("CWD files");
    for (const auto* name : {"report", "report.1", "report.2"}) {
        EXPECT_EQ(ftp.transmit("STOU report", "content"), complete);
        EXPECT_EQ(ftp.began, std::string("150 FILE: ") + name);
    }
}
