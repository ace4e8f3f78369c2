// SPDX-License-Identifier: MIT
// Who is let in, and what the others are told (whole sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace sessions;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto asks = "331 Please specify the password.";
constexpr auto welcome = "230 Login successful.";
constexpr auto refused = "530 Login incorrect.";

const Lines anonymous = {"anonymous_enable=YES"};

}  // namespace

// ----- system users

TEST(Login, LetsASystemUserIn) {
    Server server;
    Conversation ftp(server);
    EXPECT_THAT(ftp.greeting, StartsWith("220"));
    EXPECT_EQ(ftp.say("USER alice"), asks);
    EXPECT_EQ(ftp.say("PASS wonderland"), welcome);
    server.logged(R"(\[pid \d+\] \[alice\] OK LOGIN: Client "127\.0\.0\.1"$)");
}

TEST(Login, AsksEverybodyForAPassword) {
    Server server;
    Conversation ftp(server);
    for (const auto* line : {"USER alice", "USER stranger", "USER", "USER ", "USER a b c"})
        EXPECT_EQ(ftp.say(line), asks) << line;
}

struct Refused {
    const char* why;
    std::string user;
    std::string password;
};

void PrintTo(const Refused& each, std::ostream* out) { *out << each.why; }

class LoginRefuses : public testing::TestWithParam<Refused> {};

TEST_P(LoginRefuses, InTheSameWords) {
    Server server;
    Conversation ftp(server);
    const auto& [why, user, password] = GetParam();
    EXPECT_EQ(ftp.say("USER " + user), asks);
    EXPECT_EQ(ftp.say("PASS " + password), refused);
    EXPECT_EQ(ftp.say("PASS " + password), "503 Login with USER first.");
    EXPECT_EQ(ftp.login(alice), welcome) << "and still lets others in";
}

INSTANTIATE_TEST_SUITE_P(All, LoginRefuses,
                         testing::Values(Refused{"WrongPassword", "alice", "looking-glass"},
                                         Refused{"NoPassword", "alice", ""},
                                         Refused{"PasswordCut", "alice", "wonderlan"},
                                         Refused{"PasswordWithBlank", "alice", "wonderland "},
                                         Refused{"UnknownUser", "stranger", "secret"},
                                         Refused{"LockedUser", "locked", "secret"},
                                         Refused{"ExpiredAccount", "expired", "secret"},
                                         Refused{"ShellNotInShells", "noshell", "secret"},
                                         Refused{"NamedInFtpusers", "denied", "secret"},
                                         Refused{"Root", "root", ""},
                                         Refused{"NameWithBlank", "alice x", "wonderland"},
                                         Refused{"NameWithSlash", "../alice", "wonderland"},
                                         Refused{"NameStartingWithADash", "-alice", "wonderland"},
                                         Refused{"NameWithControlByte",
                                                 "ali\x07"
                                                 "ce",
                                                 "wonderland"},
                                         Refused{"NameTooLong", std::string(200, 'a'), "secret"},
                                         Refused{"PasswordTooLong", "alice", std::string(200, 'x')},
                                         Refused{"AnonymousWhenOff", "anonymous", "me@here"},
                                         Refused{"FtpWhenOff", "ftp", "me@here"}),
                         [](const auto& each) { return each.param.why; });

TEST(Login, WantsAName) {
    Server server;
    Conversation ftp(server);
    EXPECT_EQ(ftp.login("", "secret"), "503 Login with USER first.");
    EXPECT_EQ(ftp.login(alice), "230 Login successful.");
}

TEST(Login, TellsTheAdministratorTheRealReason) {
    Server server;
    const std::pair<const char*, const char*> reasons[] = {
        {"alice", "alice"}, {"stranger", "stranger"}, {"locked", "locked"}, {"expired", "expired"}};
    for (const auto& [user, named] : reasons) {
        Conversation ftp(server);
        EXPECT_EQ(ftp.login(user, "wrong"), refused);
        server.logged(std::string(R"(\[)") + user + R"(\] FAIL LOGIN: Client "127\.0\.0\.1")");
        server.complained(std::string(named) + ".*127\\.0\\.0\\.1|127\\.0\\.0\\.1.*" + named);
    }
}

TEST(Login, NeverLogsAPassword) {
    Server server({"log_ftp_protocol=YES"}, {.ini = tenant("carl", "hush-hush-hush")});
    for (const auto& account : {alice, Account{"carl", 0, "hush-hush-hush"}}) {
        Conversation ftp(server);
        EXPECT_EQ(ftp.login(account), welcome);
        EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
        EXPECT_EQ(ftp.login(account.name, "guessing-it"), "230 Already logged in.");
    }
    {
        Conversation ftp(server);
        ftp.login("alice", "guessing-it");
    }
    server.logged(R"(\[alice\] FTP command: Client "127\.0\.0\.1", "PASS <password>")");
    server.logged(R"(FTP command: Client "127\.0\.0\.1", "NOOP")");
    for (const auto* secret : {"wonderland", "hush-hush-hush", "guessing-it"}) {
        EXPECT_THAT(server.log(), Not(HasSubstr(secret)));
        EXPECT_THAT(server.errors(), Not(HasSubstr(secret)));
    }
}

TEST(Login, NeedsNoSystemUsersWhenTheseAreOff) {
    Server server({"local_enable=NO", "anonymous_enable=YES"});
    Conversation ftp(server);
    EXPECT_EQ(ftp.say("USER alice"), "530 This FTP server is anonymous only.");
    EXPECT_EQ(ftp.say("PASS wonderland"), "503 Login with USER first.");
    EXPECT_EQ(ftp.login("anonymous", "me@here"), welcome);
}

TEST(Login, StaysWithItsUser) {
    Server server;
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("USER alice"), "331 Any password will do.");
    EXPECT_EQ(ftp.say("PASS whatever"), "230 Already logged in.");
    EXPECT_EQ(ftp.say("USER bob"), "530 Can't change to another user.");
    EXPECT_THAT(ftp.say("STAT"), HasSubstr("Logged in as alice"));
}

TEST(Login, ComesBeforeEverythingElse) {
    Server server;
    Conversation ftp(server);
    for (const auto* line : {"PWD", "HELP", "SYST", "STAT", "NOOP", "LIST", "PASV", "RETR x",
                             "XYZZY", "CCC"})
        EXPECT_EQ(ftp.say(line), "530 Please login with USER and PASS.") << line;
    EXPECT_EQ(ftp.say("PASS x"), "503 Login with USER first.");
    EXPECT_THAT(ftp.say("FEAT"), StartsWith("211-Features:"));
    EXPECT_EQ(ftp.say("OPTS UTF8 ON"), "200 Always in UTF8 mode.");
    EXPECT_EQ(ftp.say("\r\nQUIT"), "221 Goodbye.") << "an empty line has no answer";
    EXPECT_TRUE(ftp.ended());
}

// As vsftpd from 3.0.4 on.
TEST(Login, EndsForOneWhoIsNotTryingToLogIn) {
    Server server;
    Conversation ftp(server);
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(ftp.say("NOOP"), "530 Please login with USER and PASS.") << i;
    EXPECT_EQ(ftp.say("NOOP"), "500 Too many errors.");
    EXPECT_TRUE(ftp.ended());
}

TEST(Login, RefusesListedUsersBeforeTheirPassword) {
    write_file(place("users"), "bob\n");
    Server server({"userlist_enable=YES", "userlist_file=" + place("users").string()});
    Conversation ftp(server);
    EXPECT_EQ(ftp.say("USER bob"), "530 Permission denied.");
    EXPECT_EQ(ftp.say("PASS builder"), "503 Login with USER first.");
    EXPECT_EQ(ftp.login(alice), welcome);
}

TEST(Login, CountsARefusedNameAsAFailure) {
    write_file(place("users"), "bob\n");
    Server server(
        {"userlist_enable=YES", "max_login_fails=2", "userlist_file=" + place("users").string()});
    Conversation ftp(server);
    EXPECT_EQ(ftp.say("USER bob"), "530 Permission denied.");
    EXPECT_EQ(ftp.say("USER bob"), "530 Permission denied.");
    EXPECT_TRUE(ftp.ended());
}

TEST(Login, ShowsTheMessageOfTheFirstFolder) {
    write_file(home_of(alice) / ".message", "hello\nthere\n");
    Server server({"dirmessage_enable=YES", "chroot_local_user=YES"});
    Conversation ftp(server);
    EXPECT_EQ(ftp.login(alice), "230-hello\n230-there\n230 Login successful.");
}

TEST(Login, SpeaksIPv6) {
    Server server({}, {.address = "::1"});
    Conversation ftp(server, alice);
    ftp.mode = Conversation::Mode::extended_passive;
    EXPECT_EQ(ftp.store("files/six", "over six"), "226 Transfer complete.");
    EXPECT_EQ(ftp.retrieve("files/six"), "over six");
    server.logged(R"(\[alice\] OK LOGIN: Client "::1")");
}

TEST(Login, SpeaksBothAtOnceOnOneSocket) {
    Server server({"listen=NO", "listen_ipv6=YES", "listen_address6=::"});
    Conversation four(server, alice);
    EXPECT_EQ(four.store("files/four", "4"), "226 Transfer complete.");
    server.logged(R"(\[alice\] OK LOGIN: Client "(::ffff:)?127\.0\.0\.1")");
}

// ----- anonymous

class Anonymous : public testing::Test {
  protected:
    void SetUp() override {
        write_file(home_of(ftp_user) / "readme", "for all");
        write_file(home_of(ftp_user) / "private", "for few", 0, 0640);
    }
};

TEST_F(Anonymous, LogsInUnderEitherNameInAnyCase) {
    Server server(anonymous);
    for (const auto* name : {"ftp", "anonymous", "FTP", "Anonymous", "ANONYMOUS"}) {
        Conversation ftp(server);
        EXPECT_EQ(ftp.say(std::string("USER ") + name), asks);
        EXPECT_EQ(ftp.say("PASS me@x y"), welcome);
        EXPECT_EQ(ftp.say("PWD"), "257 \"/\" is the current directory");
    }
    server.logged(R"(\[ftp\] OK LOGIN: Client "127\.0\.0\.1", anon password "me@x_y")");
}

TEST_F(Anonymous, ReadsWhatAllMayReadAndWritesNothing) {
    Server server(anonymous);
    Conversation ftp(server);
    ftp.login("ftp", "");
    ftp.say("TYPE I");
    EXPECT_EQ(ftp.retrieve("readme"), "for all");
    ftp.retrieve("private");
    EXPECT_THAT(ftp.began, StartsWith("550 Failed to open file."));
    for (const auto* line : {"STOR incoming/x", "DELE readme", "MKD x", "RMD incoming",
                             "RNFR readme", "SITE CHMOD 777 readme", "APPE readme", "STOU"})
        EXPECT_EQ(ftp.say(line), "550 Permission denied.") << line;
}

TEST_F(Anonymous, UploadsButNeverOverwritesWhereAllowed) {
    Server server({"anonymous_enable=YES", "anon_upload_enable=YES"});
    Conversation ftp(server);
    ftp.login("ftp", "me@here");
    ftp.say("TYPE I");
    EXPECT_EQ(ftp.store("incoming/new", "first"), "226 Transfer complete.");
    EXPECT_THAT(ftp.store("incoming/new", "second"), StartsWith("553 Could not create file."));
    EXPECT_EQ(content_of(home_of(ftp_user) / "incoming/new"), "first");
    EXPECT_EQ(owner_of(home_of(ftp_user) / "incoming/new"), ftp_user.uid);
}

TEST_F(Anonymous, CannotBecomeSomebodyElse) {
    Server server(anonymous);
    Conversation ftp(server);
    ftp.login("ftp", "me@here");
    EXPECT_EQ(ftp.say("USER alice"), "530 Can't change from guest user.");
}

TEST_F(Anonymous, IsRefusedInARootThatItCouldWriteTo) {
    make_folder(place("pub"), ftp_user.uid);
    Server server({"anonymous_enable=YES", "allow_writeable_chroot=YES",
                   "anon_root=" + place("pub").string()});
    Conversation ftp(server);
    EXPECT_EQ(ftp.login("ftp", "me@here"),
              "500 OOPS: vsftpd: refusing to run with writable root inside chroot()");
    EXPECT_TRUE(ftp.ended());
}

// ----- tenants

TEST(Tenants, NeedNoSystemAccount) {
    Server server({"guest_username=virtual"},
                  {.ini = tenant("carl", "sesame", {"uid = 2101", "gid = 2101"})});
    Conversation ftp(server);
    EXPECT_EQ(ftp.login("carl", "sesame"), welcome);
    ftp.say("TYPE I");
    EXPECT_EQ(ftp.say("PWD"), "257 \"/\" is the current directory");
    EXPECT_EQ(ftp.store("files/a", "bytes"), "226 Transfer complete.");
    EXPECT_EQ(content_of(tenant_home("carl") / "files/a"), "bytes");
    EXPECT_EQ(owner_of(tenant_home("carl") / "files/a"), 2101U);
    server.logged(R"(\[carl\] OK LOGIN: Client "127\.0\.0\.1")");
}

TEST(Tenants, AreRefusedWithTheWrongPassword) {
    Server server({}, {.ini = tenant("carl", "sesame") + tenant("dora", "other")});
    EXPECT_EQ(Conversation(server).login("carl", "other"), refused);
    EXPECT_EQ(Conversation(server).login("carl", ""), refused);
    EXPECT_EQ(Conversation(server).login("dora", "other"), welcome);
}

TEST(Tenants, HaveTheirOwnOptions) {
    Server server(
        {"guest_username=virtual"},
        {.ini = tenant("reader", "r", {"write_enable = NO"}) +
                tenant("writer", "w", {"local_umask = 0002", "uid = 2101", "gid = 2101"})});
    Conversation reader(server);
    reader.login("reader", "r");
    EXPECT_EQ(reader.say("MKD files/x"), "550 Permission denied.");
    Conversation writer(server);
    writer.login("writer", "w");
    EXPECT_THAT(writer.say("MKD files/x"), StartsWith("257"));
    EXPECT_EQ(mode_of(tenant_home("writer") / "files/x"), 0775U);
}

TEST(ServerGuestUser, IsWhomTenantsAreWithoutAUid) {
    Server server({}, {.ini = "[server]\nguest_user = virtual\n" + tenant("carl", "sesame")});
    Conversation ftp(server);
    EXPECT_EQ(ftp.login("carl", "sesame"), welcome);
    EXPECT_THAT(ftp.say("MKD files/x"), StartsWith("257"));
    EXPECT_EQ(owner_of(tenant_home("carl") / "files/x"), virtual_user.uid);
}

TEST(ServerTenantsDir, HasFilesOfTenants) {
    make_folder(place("tenants.d"), 0, 0700);
    write_file(place("tenants.d/ten.ini"), tenant("carl", "sesame") + tenant("dora", "other"));
    Server server({}, {.ini = "[server]\ntenants_dir = " + place("tenants.d").string() + "\n"});
    EXPECT_EQ(Conversation(server).login("carl", "sesame"), welcome);
    EXPECT_EQ(Conversation(server).login("dora", "other"), welcome);
}

TEST(Tenants, AreThereAfterAReload) {
    Server server({}, {.ini = tenant("carl", "sesame")});
    server.rewrite_ini(tenant("dora", "other"));
    server.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return Conversation(server).login("dora", "other") == welcome; }));
    EXPECT_EQ(Conversation(server).login("carl", "sesame"), refused);
}

TEST(Tenants, GetPasswordsFromTheProgramItself) {
    const auto made = run({path_of(Program::jailftpd), "passwd"}, {.input = "open sesame\n"});
    ASSERT_EQ(made.status, 0) << made.err;
    const auto hash = lines_of(made.out).at(0);
    EXPECT_THAT(hash, StartsWith("$"));
    make_folder(tenant_home("carl"));
    Server server({}, {.ini = "[tenant carl]\npassword = " + hash +
                              "\nhome = " + tenant_home("carl").string() + "\n"});
    EXPECT_EQ(Conversation(server).login("carl", "open sesame"), welcome);
    EXPECT_EQ(Conversation(server).login("carl", "open sesam"), refused);
}

// ----- guests and PAM

TEST(Guests, AreAllTheSameSystemUser) {
    Server server({"guest_enable=YES", "guest_username=virtual", "anon_world_readable_only=NO",
                   "anon_upload_enable=YES"});
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("PWD"), "257 \"/\" is the current directory");
    EXPECT_EQ(ftp.store("files/by-guest", "x"), "226 Transfer complete.");
    EXPECT_EQ(owner_of(home_of(virtual_user) / "files/by-guest"), virtual_user.uid);
    EXPECT_EQ(ftp.say("DELE files/by-guest"), "550 Permission denied.") << "anonymous rights";
}

TEST(Pam, FallsBackToTheServiceNamedOther) {
    Server server({"pam_service_name=no-such-service"});
    EXPECT_EQ(Conversation(server).login(alice), refused);
}

TEST(Pam, MayLetSomebodyInWhoseHomeIsMissing) {
    Server server;
    Conversation ftp(server);
    EXPECT_EQ(ftp.login(homeless),
              "500 OOPS: cannot change directory:" + place("home/nowhere").string());
    EXPECT_TRUE(ftp.ended());
    EXPECT_EQ(Conversation(server).login(alice), welcome);
}

TEST(UserConfigDir, AppliesToItsUserOnly) {
    make_folder(place("users.d"));
    write_file(place("users.d/alice"), "write_enable=NO\nlocal_root=/\n");
    Server server({"user_config_dir=" + place("users.d").string()});
    Conversation limited(server, alice);
    EXPECT_EQ(limited.say("MKD x"), "550 Permission denied.");
    EXPECT_EQ(limited.say("PWD"), "257 \"/\" is the current directory");
    Conversation free(server, bob);
    EXPECT_THAT(free.say("MKD files/x"), StartsWith("257"));
}

TEST(UserConfigDir, EndsTheLoginWhenItsFileIsBad) {
    make_folder(place("users.d"));
    write_file(place("users.d/alice"), "write_enbale=NO\n");
    Server server({"user_config_dir=" + place("users.d").string()});
    Conversation ftp(server);
    EXPECT_THAT(ftp.login(alice),
                StartsWith("500 OOPS: unrecognised variable in config file: write_enbale"));
    EXPECT_TRUE(ftp.ended());
}

// As vsftpd, which reads the file for each connection.
TEST(Login, RefusesOneWhoWasListedAMomentAgo) {
    write_file(place("users"), "bob\n");
    Server server({"userlist_enable=YES", "userlist_file=" + place("users").string()});
    EXPECT_EQ(Conversation(server).login(alice), welcome);
    write_file(place("users"), "bob\nalice\n");
    EXPECT_NE(Conversation(server).login(alice), welcome) << "whatever its greeter still knows";
    EXPECT_TRUE(eventually([&] {
        return Conversation(server).say("USER alice") == "530 Permission denied.";
    }));
}

TEST(Login, SaysWhyThereIsNoneWithoutTheList) {
    write_file(place("users"), "bob\n");
    Server server({"userlist_enable=YES", "userlist_file=" + place("users").string()});
    std::filesystem::remove(place("users"));
    const auto oops = "500 OOPS: cannot read user list file:" + place("users").string();
    EXPECT_TRUE(eventually([&] { return Conversation(server).greeting == oops; }));
    write_file(place("users"), "bob\n");
    EXPECT_TRUE(eventually([&] { return Conversation(server).login(alice) == welcome; }));
}
