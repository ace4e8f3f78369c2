// SPDX-License-Identifier: MIT
// tcp_wrappers: who may come in by hosts.allow and hosts.deny, and with which options (whole
// sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

using namespace sessions;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto welcome = "230 Login successful.";
constexpr auto turned_away = "421 Service not available.";

class TcpWrappers : public testing::Test {
  protected:
    void SetUp() override { rules("", ""); }
    void TearDown() override {
        for (const auto* file : {"/etc/hosts.allow", "/etc/hosts.deny"})
            std::filesystem::remove(file);
    }
    static void rules(const std::string& allow, const std::string& deny) {
        write_file("/etc/hosts.allow", allow);
        write_file("/etc/hosts.deny", deny);
    }
    // For clients from 127.0.0.2; their own file has these lines.
    static void load(const std::string& lines) {
        write_file(place("near.conf"), lines);
        rules("vsftpd: 127.0.0.2: setenv VSFTPD_LOAD_CONF " + place("near.conf").string() + "\n",
              "");
    }
    const Lines on = {"tcp_wrappers=YES"};
    static Lines with(const Lines& more) {
        Lines lines = {"tcp_wrappers=YES"};
        lines.insert(lines.end(), more.begin(), more.end());
        return lines;
    }
};

}  // namespace

TEST_F(TcpWrappers, LetEverybodyInWithoutRules) {
    Server server(on);
    EXPECT_EQ(Conversation(server).login(alice), welcome);
}

// What cannot be looked at must be empty.
TEST_F(TcpWrappers, StartWithoutTheirLibraryUntilThereIsARule) {
    const auto without_library = [] {
        ::unshare(CLONE_NEWNS);
        for (const auto* folder : {"/lib/x86_64-linux-gnu", "/lib", "/lib64"})
            (void)::mount("/dev/null", (std::string(folder) + "/libwrap.so.0").c_str(), nullptr,
                          MS_BIND, nullptr);
    };
    rules("# none\n", "");
    {
        Server server(on, {.before = without_library});
        EXPECT_EQ(Conversation(server).login(alice), welcome);
        server.complained("tcp_wrappers=YES has no effect without libwrap\\.so\\.0");
    }
    rules("", "vsftpd: 192.0.2.1\n");
    RunWith without;
    without.before = without_library;
    const auto ran = run({path_of(Program::jailftpd), "--check-config", "/dev/null", "-olisten=YES",
                          "-otcp_wrappers=YES"},
                         without);
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.out + ran.err, HasSubstr("no tcp wrapper support"));
}

TEST_F(TcpWrappers, TurnAwayWhomARuleDenies) {
    rules("", "vsftpd: 127.0.0.1\n");
    Server server(on);
    Conversation denied(server);
    EXPECT_EQ(denied.greeting, turned_away);
    EXPECT_TRUE(denied.ended());
    EXPECT_EQ(Conversation(server, "127.0.0.2").login(alice), welcome);
    const auto line = server.logged(
        R"(CONNECT: Client "127\.0\.0\.1", "Connection refused: tcp_wrappers denial\.")");
    EXPECT_THAT(server.log(), Not(HasSubstr("CONNECT: Client \"127.0.0.1\"\n")));
}

TEST_F(TcpWrappers, LetInWhomARuleAllows) {
    rules("vsftpd: 127.0.0.2, [::1]\n", "ALL: ALL\n");
    Server server(on);
    EXPECT_EQ(Conversation(server).greeting, turned_away);
    EXPECT_THAT(Conversation(server, "127.0.0.2").greeting, StartsWith("220"));
}

TEST_F(TcpWrappers, AreNotAskedWhenTheyAreOff) {
    rules("", "ALL: ALL\n");
    Server server;
    EXPECT_THAT(Conversation(server).greeting, StartsWith("220"));
}

TEST_F(TcpWrappers, SpeakIPv6) {
    rules("", "vsftpd: [::1]\n");
    Server server(on, {.address = "::1"});
    EXPECT_EQ(Conversation(server).greeting, turned_away);
}

TEST_F(TcpWrappers, KnowIPv4ClientsOfAnIPv6SocketByTheirAddress) {
    rules("", "vsftpd: 127.0.0.2\n");
    Server server(with({"listen=NO", "listen_ipv6=YES", "listen_address6=::"}));
    EXPECT_EQ(Conversation(server, "127.0.0.2").greeting, turned_away);
    EXPECT_THAT(Conversation(server).greeting, StartsWith("220"));
}

TEST_F(TcpWrappers, FollowARuleThatChanges) {
    Server server(on);
    EXPECT_THAT(Conversation(server).greeting, StartsWith("220"));
    rules("", "ALL: ALL\n");
    EXPECT_EQ(Conversation(server).greeting, turned_away);
}

TEST_F(TcpWrappers, DenyWithARuleThatIsWrong) {
    rules("vsftpd: 127.0.0.1: no_such_keyword\n", "");
    Server server(on);
    EXPECT_EQ(Conversation(server).greeting, turned_away);
    EXPECT_THAT(Conversation(server, "127.0.0.2").greeting, StartsWith("220"));
}

// "twist" would replace the process that serves, which is none that could be.
TEST_F(TcpWrappers, AreNotReplacedByACommand) {
    rules("vsftpd: 127.0.0.1: twist /bin/echo 421 Bounced\n", "");
    Server server(on);
    EXPECT_EQ(Conversation(server).greeting, turned_away);
    EXPECT_EQ(Conversation(server, "127.0.0.2").login(alice), welcome);
}

TEST_F(TcpWrappers, RunCommandsAndSendBannersAsRulesSay) {
    make_folder(place("banners"));
    write_file(place("banners/vsftpd"), "421 Not from %a.\n");
    rules("vsftpd: 127.0.0.2: spawn /bin/echo %a > " + place("spawned").string() +
              ": umask 077: nice 5: user nobody\n",
          "vsftpd: 127.0.0.1: banners " + place("banners").string() + "\n");
    Server server(on);
    EXPECT_EQ(Conversation(server).greeting, "421 Not from 127.0.0.1.");
    EXPECT_EQ(Conversation(server, "127.0.0.2").login(alice), welcome);
    EXPECT_EQ(content_of(place("spawned")), "127.0.0.2\n");
}

TEST_F(TcpWrappers, KeepNobodyElseWaiting) {
    rules("vsftpd: 127.0.0.2: aclexec /bin/sleep 1000\n", "");
    Server server(on);
    {
        const Endpoint here(server.address(), server.port());
        std::vector<base::Fd> slow;
        for (int i = 0; i < 45; ++i) slow.push_back(connect_to(here, "127.0.0.2"));
        EXPECT_TRUE(eventually([] { return processes("/bin/sleep").size() >= 16; }));
        EXPECT_THAT(Conversation(server).greeting, StartsWith("220"));
    }
    EXPECT_GE(server.processes("helper").size(), 16U);
    const auto one_of_each_pool = [&] {
        for (const auto& each : processes("/bin/sleep")) ::kill(each.pid, SIGKILL);
        return server.processes("helper").size() == 2;
    };
    EXPECT_TRUE(eventually(one_of_each_pool, std::chrono::seconds(40)))
        << "what the burst needed goes after a while";
    EXPECT_THAT(Conversation(server).greeting, StartsWith("220"));
}

// ----- options of one connection

TEST_F(TcpWrappers, GiveAConnectionOptionsOfItsOwn) {
    load("ftpd_banner=Hello neighbour\nlocal_enable=YES\nmax_login_fails=1\n");
    Server server(with({"local_enable=NO", "anonymous_enable=YES"}));
    Conversation far(server);
    EXPECT_THAT(far.greeting, Not(HasSubstr("neighbour")));
    EXPECT_EQ(far.say("USER alice"), "530 This FTP server is anonymous only.");
    Conversation near(server, "127.0.0.2");
    EXPECT_EQ(near.greeting, "220 Hello neighbour");
    EXPECT_EQ(near.login(alice), welcome);
    Conversation guessing(server, "127.0.0.2");
    EXPECT_EQ(guessing.login("alice", "wrong"), "530 Login incorrect.");
    EXPECT_TRUE(guessing.ended()) << "after one failure";
}

TEST_F(TcpWrappers, GiveASessionOptionsOfItsOwn) {
    load("chroot_local_user=YES\nwrite_enable=NO\npasv_address=192.0.2.9\nlocal_umask=077\n");
    Server server(on);
    Conversation near(server, "127.0.0.2");
    EXPECT_EQ(near.login(alice), welcome);
    EXPECT_EQ(near.say("PWD"), "257 \"/\" is the current directory");
    EXPECT_EQ(near.say("MKD files/x"), "550 Permission denied.");
    EXPECT_THAT(near.say("PASV"), HasSubstr("(192,0,2,9,"));
    Conversation far(server, alice);
    EXPECT_THAT(far.say("PWD"), HasSubstr(home_of(alice).string()));
    EXPECT_THAT(far.say("PASV"), HasSubstr("(127,0,0,1,"));
}

TEST_F(TcpWrappers, GiveAnAnonymousSessionOptionsOfItsOwn) {
    load("anon_root=" + place("near").string() + "\nno_anon_password=YES\n");
    make_folder(place("near"));
    write_file(place("near/here"), "near");
    Server server(with({"anonymous_enable=YES"}));
    Conversation near(server, "127.0.0.2");
    EXPECT_EQ(near.say("USER ftp"), welcome);
    EXPECT_EQ(near.say("SIZE here"), "213 4");
    Conversation far(server);
    EXPECT_THAT(far.say("USER ftp"), StartsWith("331"));
}

TEST_F(TcpWrappers, LeaveTheLastWordToTheUsersOwnFile) {
    load("user_config_dir=" + place("users").string() + "\nlocal_umask=077\nftpd_banner=x\n");
    make_folder(place("users"));
    write_file(place("users/alice"), "local_umask=027\n");
    Server server(on);
    Conversation near(server, "127.0.0.2");
    near.login(alice);
    EXPECT_EQ(near.say("SITE UMASK"), "200 Your current UMASK is 027");
}

TEST_F(TcpWrappers, SayWhatAConnectionCannotHaveOfItsOwn) {
    load("max_clients=1\nbanner_file=/etc/motd\nftpd_banner=near\n");
    Server server(on);
    EXPECT_EQ(Conversation(server, "127.0.0.2").greeting, "220 near");
    server.complained("near\\.conf:1: warning: max_clients has no effect for one connection");
    server.complained("near\\.conf:2: warning: banner_file has no effect for one connection");
}

TEST_F(TcpWrappers, EndAConnectionWhoseOwnFileIsWrong) {
    struct {
        const char* lines;
        const char* said;
    } const cases[] = {
        {"# near\nno_such_option=YES\n",
         "500 OOPS: unrecognised variable in config file: no_such_option"},
        {"\nlocal_enable=maybe\n", "500 OOPS: bad bool value in config file for: local_enable"},
    };
    for (const auto& each : cases) {
        load(each.lines);
        Server server(on);
        Conversation near(server, "127.0.0.2");
        EXPECT_EQ(near.greeting, each.said);
        EXPECT_TRUE(near.ended());
        server.complained("127\\.0\\.0\\.2.*near\\.conf:2: error: ");
        EXPECT_EQ(Conversation(server).login(alice), welcome);
    }
}

TEST_F(TcpWrappers, TakeNoFileOfSomebodyElse) {
    load("ftpd_banner=near\n");
    write_file(place("near.conf"), "ftpd_banner=near\n", alice.uid);
    Server server(on);
    EXPECT_EQ(Conversation(server, "127.0.0.2").greeting,
              "500 OOPS: config file not owned by correct user, or not a file");
}

TEST_F(TcpWrappers, CanAskForAUserList) {
    write_file(place("list"), "bob\n");
    load("userlist_enable=YES\n");
    Server server(with({"userlist_file=" + place("list").string()}));
    EXPECT_EQ(Conversation(server, "127.0.0.2").login(bob), "530 Permission denied.");
    EXPECT_EQ(Conversation(server, "127.0.0.2").login(alice), welcome);
    EXPECT_EQ(Conversation(server).login(bob), welcome);
}

TEST_F(TcpWrappers, LetNobodyInWhereTheUserListIsMissing) {
    load("userlist_enable=YES\n");
    Server server(with({"userlist_file=" + place("missing").string()}));
    EXPECT_EQ(Conversation(server, "127.0.0.2").greeting,
              "500 OOPS: cannot read user list file:" + place("missing").string());
    EXPECT_EQ(Conversation(server).login(bob), welcome);
}

TEST_F(TcpWrappers, NeverLockOutTenants) {
    load("local_enable=NO\nftpd_banner=near\n");
    Server server(on, {.ini = tenant("carl", "sesame", {"uid = 2101", "gid = 2101"})});
    Conversation near(server, "127.0.0.2");
    EXPECT_EQ(near.greeting, "220 near");
    EXPECT_EQ(near.login("carl", "sesame"), welcome);
    EXPECT_EQ(Conversation(server, "127.0.0.2").login(alice), "530 Login incorrect.");
}

TEST_F(TcpWrappers, CanBeSwitchedOnAndOffByReloading) {
    rules("", "ALL: ALL\n");
    Server server;
    EXPECT_THAT(Conversation(server).greeting, StartsWith("220"));
    server.rewrite(on);
    server.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return Conversation(server).greeting == turned_away; }));
    server.rewrite({});
    server.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return Conversation(server).greeting.starts_with("220"); }));
    EXPECT_TRUE(eventually([&] { return server.processes("helper").size() == 1; }));
}
