// SPDX-License-Identifier: MIT
// Each option that says who may log in, where he then is and what he may do, off and on; one suite
// for each, with its name (whole sessions).
#include "tests/jail/observed.hpp"
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include <signal.h>
#include <sys/stat.h>

using namespace sessions;
using observed::Facts;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto welcome = "230 Login successful.";
constexpr auto refused = "530 Login incorrect.";
constexpr auto not_allowed = "550 Permission denied.";
constexpr auto complete = "226 Transfer complete.";
constexpr auto in_the_root = "257 \"/\" is the current directory";
const Account visitor{"ftp", 0, "me@here"};

std::filesystem::path files() { return home_of(alice) / "files"; }
std::filesystem::path incoming() { return home_of(ftp_user) / "incoming"; }

Lines operator+(Lines lines, const Lines& more) {
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
}

// What the last of these commands is answered, to alice or somebody else, with these options.
std::string answer(const Lines& options, const Lines& commands, const Account& who = alice) {
    Server server(options);
    Conversation ftp(server, who);
    std::string last;
    for (const auto& command : commands) last = ftp.say(command);
    return last;
}

std::string login(const Lines& options, const Account& who) {
    Server server(options);
    return Conversation(server).login(who);
}

std::string store(const Lines& options, const std::string& name, const Account& who = alice) {
    Server server(options);
    Conversation ftp(server, who);
    const auto last = ftp.store(name, "content");
    return last.empty() ? ftp.began : last;
}

std::string retrieve(const Lines& options, const std::string& name, const Account& who = alice) {
    Server server(options);
    Conversation ftp(server, who);
    const auto content = ftp.retrieve(name);
    return ftp.done.empty() ? ftp.began : content;
}

std::string list(const std::string& file, const std::string& content) {
    write_file(place(file), content);
    return place(file).string();
}

std::string home_named(const Account& who) {
    return "257 \"" + home_of(who).string() + "\" is the current directory";
}

const Lines open_to_all = {"anonymous_enable=YES"};

}  // namespace

// ----- who may log in

TEST(AnonymousEnable, LetsFtpIn) {
    EXPECT_EQ(login({"anonymous_enable=YES"}, visitor), welcome);
    EXPECT_EQ(login({"anonymous_enable=NO"}, visitor), refused);
}

TEST(LocalEnable, LetsUsersIn) {
    EXPECT_EQ(login({"local_enable=YES"}, alice), welcome);
    Server server(open_to_all + Lines{"local_enable=NO"});
    EXPECT_EQ(Conversation(server).say("USER alice"), "530 This FTP server is anonymous only.");
}

TEST(NoAnonPassword, LogsInAtTheName) {
    for (const bool on : {true, false}) {
        Server server(open_to_all + Lines{on ? "no_anon_password=YES" : "no_anon_password=NO"});
        EXPECT_EQ(Conversation(server).say("USER ftp"),
                  on ? welcome : "331 Please specify the password.");
    }
}

TEST(DenyEmailEnable, RefusesThoseInTheList) {
    const auto file = "banned_email_file=" + list("banned", "me@here\n");
    EXPECT_EQ(login(open_to_all + Lines{file, "deny_email_enable=YES"}, visitor), refused);
    EXPECT_EQ(login(open_to_all + Lines{file, "deny_email_enable=NO"}, visitor), welcome);
}

TEST(BannedEmailFile, IsTheOneThatIsRead) {
    const Lines on = open_to_all + Lines{"deny_email_enable=YES"};
    list("one", "me@here\n");
    list("two", "you@there\n");
    EXPECT_EQ(login(on + Lines{"banned_email_file=" + place("one").string()}, visitor), refused);
    EXPECT_EQ(login(on + Lines{"banned_email_file=" + place("two").string()}, visitor), welcome);
}

TEST(SecureEmailListEnable, LetsOnlyThoseInTheListIn) {
    const auto file = "email_password_file=" + list("passwords", "you@there\n");
    EXPECT_EQ(login(open_to_all + Lines{file, "secure_email_list_enable=YES"}, visitor), refused);
    EXPECT_EQ(login(open_to_all + Lines{file, "secure_email_list_enable=NO"}, visitor), welcome);
}

TEST(EmailPasswordFile, IsTheOneThatIsRead) {
    const Lines on = open_to_all + Lines{"secure_email_list_enable=YES"};
    list("one", "me@here\n");
    list("two", "you@there\n");
    EXPECT_EQ(login(on + Lines{"email_password_file=" + place("one").string()}, visitor), welcome);
    EXPECT_EQ(login(on + Lines{"email_password_file=" + place("two").string()}, visitor), refused);
}

TEST(UserlistEnable, LooksNamesUp) {
    const auto file = "userlist_file=" + list("users", "bob\n");
    for (const bool on : {true, false}) {
        Server server({file, on ? "userlist_enable=YES" : "userlist_enable=NO"});
        EXPECT_THAT(Conversation(server).say("USER bob"), StartsWith(on ? "530" : "331"));
        EXPECT_THAT(Conversation(server).say("USER alice"), StartsWith("331"));
    }
}

TEST(UserlistDeny, SaysWhatTheListMeans) {
    const Lines on = {"userlist_enable=YES", "userlist_file=" + list("users", "bob\n")};
    for (const bool deny : {true, false}) {
        Server server(on + Lines{deny ? "userlist_deny=YES" : "userlist_deny=NO"});
        EXPECT_THAT(Conversation(server).say("USER bob"), StartsWith(deny ? "530" : "331"));
        EXPECT_THAT(Conversation(server).say("USER alice"), StartsWith(deny ? "331" : "530"));
    }
}

TEST(UserlistFile, IsTheOneThatIsRead) {
    list("one", "bob\n");
    list("two", "alice\n");
    for (const auto* name : {"one", "two"}) {
        Server server({"userlist_enable=YES", "userlist_file=" + place(name).string()});
        const bool first = name == std::string_view("one");
        EXPECT_THAT(Conversation(server).say("USER bob"), StartsWith(first ? "530" : "331"));
        EXPECT_THAT(Conversation(server).say("USER alice"), StartsWith(first ? "331" : "530"));
    }
}

TEST(PamServiceName, IsTheServiceThatChecksPasswords) {
    write_file("/etc/pam.d/anything",
               "auth required pam_permit.so\naccount required pam_permit.so\n");
    const Account guessing{"alice", alice.uid, "no idea"};
    EXPECT_EQ(login({"pam_service_name=anything"}, guessing), welcome);
    EXPECT_EQ(login({}, guessing), refused);
    std::filesystem::remove("/etc/pam.d/anything");
}

TEST(CheckShell, IsLeftToPam) {
    for (const auto* value : {"YES", "NO"}) {
        Server server({std::string("check_shell=") + value});
        EXPECT_EQ(Conversation(server).login(no_shell), refused);
        if (value == std::string_view("NO"))
            server.complained("check_shell=NO has no effect.*pam_shells");
    }
}

TEST(MaxLoginFails, EndsTheConnection) {
    for (const int most : {1, 2}) {
        Server server({"max_login_fails=" + std::to_string(most)});
        Conversation ftp(server);
        for (int i = 0; i < most; ++i) EXPECT_EQ(ftp.login("alice", "wrong"), refused);
        EXPECT_TRUE(ftp.ended());
    }
}

TEST(DelayFailedLogin, KeepsWhoGuessesWaiting) {
    EXPECT_EQ(login({"delay_failed_login=600"}, alice), welcome)
        << "a right password does not wait";
    Server server({"delay_failed_login=2"});
    Conversation ftp(server);
    EXPECT_THAT(ftp.say("USER alice"), StartsWith("331"));
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(ftp.say("PASS wrong"), refused);
    EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(1900));
}

// ----- who he then is

TEST(FtpUsername, IsWhoAnonymousSessionsAre) {
    for (const auto& who : {ftp_user, virtual_user}) {
        Server server(open_to_all + Lines{"ftp_username=" + who.name});
        Conversation ftp(server, visitor);
        const auto uid = std::to_string(who.uid);
        EXPECT_EQ(Facts(server.process("127.0.0.1 [session]")).status("Uid"),
                  uid + ' ' + uid + ' ' + uid + ' ' + uid);
    }
}

TEST(GuestEnable, MakesUsersGuests) {
    EXPECT_EQ(store({"guest_enable=YES", "guest_username=virtual", "anon_upload_enable=YES"},
                    "files/guests"),
              complete);
    EXPECT_EQ(owner_of(home_of(virtual_user) / "files/guests"), virtual_user.uid);
    EXPECT_EQ(store({"guest_enable=NO", "guest_username=virtual"}, "files/own"), complete);
    EXPECT_EQ(owner_of(files() / "own"), alice.uid);
}

TEST(GuestUsername, IsWhoGuestsAre) {
    for (const auto& who : {virtual_user, bob}) {
        EXPECT_EQ(
            store({"guest_enable=YES", "guest_username=" + who.name, "anon_upload_enable=YES"},
                  "files/new"),
            complete);
        EXPECT_EQ(owner_of(home_of(who) / "files/new"), who.uid);
    }
}

TEST(VirtualUseLocalPrivs, GivesGuestsTheRightsOfUsers) {
    const Lines guests = {"guest_enable=YES", "guest_username=virtual"};
    EXPECT_THAT(answer(guests + Lines{"virtual_use_local_privs=YES"}, {"MKD files/new"}),
                StartsWith("257"));
    EXPECT_EQ(answer(guests + Lines{"virtual_use_local_privs=NO"}, {"MKD files/other"}),
              not_allowed);
}

TEST(NoprivUser, IsWhoGreetersAre) {
    for (const auto& [name, uid] : {std::pair{"nobody", "65534"}, {"virtual", "2101"}}) {
        Server server({std::string("nopriv_user=") + name});
        Conversation ftp(server);
        EXPECT_THAT(Facts(server.process("127.0.0.1 [greeter]")).status("Uid"), StartsWith(uid));
    }
}

// ----- where he is

TEST(ChrootLocalUser, MakesTheHomeTheRoot) {
    EXPECT_EQ(answer({"chroot_local_user=YES"}, {"PWD"}), in_the_root);
    EXPECT_EQ(answer({"chroot_local_user=NO"}, {"PWD"}), home_named(alice));
}

TEST(ChrootListEnable, TurnsItAroundForThoseInTheList) {
    const auto file = "chroot_list_file=" + list("list", "alice\n");
    EXPECT_EQ(answer({file, "chroot_list_enable=YES"}, {"PWD"}), in_the_root);
    EXPECT_EQ(answer({file, "chroot_list_enable=NO"}, {"PWD"}), home_named(alice));
}

TEST(ChrootListFile, IsTheOneThatIsRead) {
    list("one", "alice\n");
    list("two", "bob\n");
    const auto with = [](const char* name) {
        return Lines{"chroot_list_enable=YES", "chroot_list_file=" + place(name).string()};
    };
    EXPECT_EQ(answer(with("one"), {"PWD"}), in_the_root);
    EXPECT_EQ(answer(with("two"), {"PWD"}), home_named(alice));
}

TEST(PasswdChrootEnable, EndsTheRootAtTheDot) {
    const Lines jailed = {"chroot_local_user=YES", "allow_writeable_chroot=YES"};
    EXPECT_EQ(answer(jailed + Lines{"passwd_chroot_enable=YES"}, {"PWD"}, dotted),
              "257 \"/inside\" is the current directory");
    EXPECT_EQ(answer(jailed + Lines{"passwd_chroot_enable=NO"}, {"PWD"}, dotted), in_the_root);
}

TEST(LocalRoot, IsWhereUsersStart) {
    make_folder(place("root"));
    EXPECT_EQ(answer({"local_root=" + place("root").string()}, {"PWD"}),
              "257 \"" + place("root").string() + "\" is the current directory");
    EXPECT_EQ(answer({}, {"PWD"}), home_named(alice));
}

TEST(UserSubToken, StandsForTheName) {
    make_folder(place("sites/alice"));
    make_folder(place("sites/TOKEN"));
    const auto root = "local_root=" + place("sites/TOKEN").string();
    EXPECT_THAT(answer({root, "user_sub_token=TOKEN"}, {"PWD"}), HasSubstr("sites/alice\""));
    EXPECT_THAT(answer({root}, {"PWD"}), HasSubstr("sites/TOKEN\""));
}

TEST(AnonRoot, IsWhereAnonymousUsersAre) {
    make_folder(place("pub"));
    write_file(place("pub/here"), "x");
    EXPECT_EQ(retrieve(open_to_all + Lines{"anon_root=" + place("pub").string()}, "/here", visitor),
              "x");
    EXPECT_THAT(retrieve(open_to_all, "/here", visitor), StartsWith("550"));
}

TEST(AllowWriteableChroot, TakesARootThatTheUserCanWriteTo) {
    make_folder(home_of(alice), alice.uid);
    EXPECT_EQ(login({"chroot_local_user=YES", "allow_writeable_chroot=YES"}, alice), welcome);
    EXPECT_THAT(login({"chroot_local_user=YES", "allow_writeable_chroot=NO"}, alice),
                HasSubstr("refusing to run with writable root inside chroot()"));
}

TEST(Isolate, GivesProcessesNamespacesOfTheirOwn) {
    for (const bool on : {true, false}) {
        Server server({on ? "isolate=YES" : "isolate=NO"});
        Conversation ftp(server, alice);
        const Facts session(server.process("alice"));
        const Facts here(::getpid());
        EXPECT_EQ(session.link("ns/pid") != here.link("ns/pid"), on);
        EXPECT_EQ(session.link("ns/ipc") != here.link("ns/ipc"), on);
    }
}

TEST(IsolateNetwork, GivesProcessesAnEmptyNetwork) {
    for (const bool on : {true, false}) {
        Server server({on ? "isolate_network=YES" : "isolate_network=NO"});
        Conversation ftp(server, alice);
        const Facts session(server.process("alice"));
        EXPECT_EQ(session.link("ns/net") != Facts(::getpid()).link("ns/net"), on);
    }
}

TEST(SeccompSandbox, StaysOn) {
    for (const auto* value : {"YES", "NO"}) {
        Server server({std::string("seccomp_sandbox=") + value});
        Conversation ftp(server, alice);
        EXPECT_EQ(Facts(server.process("alice")).status("Seccomp"), "2");
        const auto said = lines_of(server.errors());
        EXPECT_EQ(std::count_if(said.begin(), said.end(),
                                [](const auto& line) {
                                    return line.find("seccomp_sandbox=NO") != line.npos;
                                }),
                  value == std::string_view("NO") ? 1 : 0);
        if (value == std::string_view("NO"))
            server.complained("seccomp_sandbox=NO has no effect.*only jailftpd.ini");
    }
}

TEST(PtraceSandbox, IsReplacedByWhatTheKernelHas) {
    Server server({"ptrace_sandbox=YES"});
    Conversation ftp(server, alice);
    server.complained("ptrace_sandbox=YES has no effect.*without a tracer");
    EXPECT_EQ(Facts(server.process("alice")).status("TracerPid"), "0");
    EXPECT_EQ(Facts(server.process("alice")).status("Seccomp"), "2");
}

TEST(OneProcessModel, LetsOnlyAnonymousUsersIn) {
    {
        Server server(open_to_all + Lines{"local_enable=NO", "one_process_model=YES"});
        EXPECT_EQ(Conversation(server).login(visitor), welcome);
        server.complained("one_process_model=YES has no effect.*anonymous only, still");
    }
    write_file(place("x.conf"), "listen=YES\nlocal_enable=YES\none_process_model=YES\n");
    const auto ran = run({path_of(Program::jailftpd), place("x.conf")});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("'one_process_model' is anonymous only"));
}

TEST(AllowRootSquashedChroot, IsNotNeeded) {
    for (const auto* mode : {"chroot_local_user=NO", "chroot_local_user=YES"}) {
        Server server({"allow_root_squashed_chroot=YES", "allow_writeable_chroot=YES", mode});
        make_folder(home_of(bob), bob.uid, 0700);  // root, squashed, could not enter
        EXPECT_EQ(Conversation(server).login(bob), welcome) << mode;
        server.complained("allow_root_squashed_chroot=YES has no effect.*their users' rights");
    }
}

TEST(AddressSpaceLimit, IsTheSessions) {
#ifdef JAILFTPD_SANITIZED
    GTEST_SKIP() << "the sanitizers need it";
#endif
    for (const auto* bytes : {"0", "2000000000"}) {
        Server server({std::string("address_space_limit=") + bytes});
        Conversation ftp(server, alice);
        const auto limit = Facts(server.process("alice")).limit("Max address space");
        if (bytes == std::string_view("0"))
            EXPECT_THAT(limit, StartsWith("unlimited"));
        else
            EXPECT_THAT(limit, StartsWith(bytes));
    }
}

// What does not fit is cut short and said so, and the session goes on.
TEST(AddressSpaceLimit, CutsALongListingShort) {
#ifdef JAILFTPD_SANITIZED
    GTEST_SKIP() << "the sanitizers need it";
#endif
    make_folder(files() / "many", alice.uid);
    constexpr int many = 20'000;
    for (int number = 0; number < many; ++number) {
        const auto name = std::string(240, 'n') + std::to_string(number);
        ASSERT_EQ(::mknod((files() / "many" / name).c_str(), S_IFREG | 0644, 0), 0);
    }
    std::uint64_t usual = 0;  // KiB
    {
        Server server;
        Conversation ftp(server, alice);
        usual = std::stoull(Facts(server.process("alice")).status("VmSize"));
        EXPECT_EQ(lines_of(ftp.list("LIST files/many")).size(), std::size_t{many});
        EXPECT_EQ(ftp.done, "226 Directory send OK.");
    }
    Server server({"address_space_limit=" + std::to_string((usual << 10) + 6'000'000)});
    Conversation ftp(server, alice);
    const auto lines = lines_of(ftp.list("LIST files/many")).size();
    EXPECT_LT(lines, std::size_t{many});
    EXPECT_GT(lines, std::size_t{many} / 4) << "what fits is shown";
    EXPECT_EQ(ftp.done, "451 The listing was cut short.");
    EXPECT_EQ(lines_of(ftp.list("LIST -U files/many")).size(), std::size_t{many});
    EXPECT_THAT(ftp.say("NOOP"), StartsWith("200"));
}

// ----- what he may do

TEST(WriteEnable, AllowsChanges) {
    write_file(files() / "f", "x", alice.uid);
    for (const bool on : {true, false}) {
        Server server({on ? "write_enable=YES" : "write_enable=NO"});
        Conversation ftp(server, alice);
        for (const auto* line : {"MKD files/d", "RMD files/d", "RNFR files/f", "DELE files/f"}) {
            if (on)
                EXPECT_THAT(ftp.say(line), testing::AnyOf(StartsWith("2"), StartsWith("350")))
                    << line;
            else
                EXPECT_EQ(ftp.say(line), not_allowed) << line;
        }
        for (const auto* line : {"APPE files/f", "STOU files/f"}) {
            if (on) continue;
            EXPECT_EQ(ftp.say(line), not_allowed) << line;
        }
        ftp.store("files/f", "x");
        EXPECT_EQ(ftp.began.starts_with("150"), on) << ftp.began;
    }
}

TEST(DownloadEnable, AllowsRetr) {
    write_file(files() / "f", "x", alice.uid);
    EXPECT_EQ(retrieve({"download_enable=YES"}, "files/f"), "x");
    EXPECT_EQ(retrieve({"download_enable=NO"}, "files/f"), not_allowed);
}

TEST(DirlistEnable, AllowsListings) {
    for (const bool on : {true, false}) {
        Server server({on ? "dirlist_enable=YES" : "dirlist_enable=NO"});
        Conversation ftp(server, alice);
        for (const auto* command : {"LIST", "NLST", "MLSD"}) {
            ftp.list(command);
            EXPECT_THAT(ftp.began, StartsWith(on ? "150" : not_allowed)) << command;
        }
    }
}

TEST(ChmodEnable, AllowsSiteChmod) {
    write_file(files() / "f", "x", alice.uid);
    EXPECT_THAT(answer({"chmod_enable=NO"}, {"SITE CHMOD 600 files/f"}), StartsWith("500"));
    EXPECT_EQ(mode_of(files() / "f"), 0644U);
    EXPECT_THAT(answer({"chmod_enable=YES"}, {"SITE CHMOD 600 files/f"}), StartsWith("200"));
    EXPECT_EQ(mode_of(files() / "f"), 0600U);
}

TEST(MdtmWrite, SetsTimes) {
    write_file(files() / "f", "x", alice.uid);
    EXPECT_THAT(answer({"mdtm_write=NO"}, {"MDTM 20200229123456 files/f", "MDTM files/f"}),
                Not(HasSubstr("20200229123456")));
    EXPECT_EQ(answer({"mdtm_write=YES"}, {"MDTM 20200229123456 files/f", "MDTM files/f"}),
              "213 20200229123456");
}

TEST(CmdsAllowed, IsAllThatIsAnswered) {
    EXPECT_EQ(answer({"cmds_allowed=PWD,TYPE"}, {"SYST"}), not_allowed);
    EXPECT_EQ(answer({"cmds_allowed=PWD,TYPE"}, {"XYZZY"}), not_allowed);
    EXPECT_THAT(answer({"cmds_allowed=PWD,TYPE"}, {"PWD"}), StartsWith("257"));
    EXPECT_THAT(answer({}, {"SYST"}), StartsWith("215"));
}

TEST(CmdsDenied, AreRefused) {
    EXPECT_EQ(answer({"cmds_denied=SYST"}, {"SYST"}), not_allowed);
    EXPECT_THAT(answer({"cmds_denied=SYST"}, {"PWD"}), StartsWith("257"));
    EXPECT_EQ(answer({"cmds_denied=SYST", "cmds_allowed=SYST,TYPE"}, {"SYST"}), not_allowed);
}

TEST(DenyFile, KeepsNamesOutOfReach) {
    write_file(files() / "a.mp3", "x", alice.uid);
    for (const auto* name : {"files/a.mp3", "files/./a.mp3", "files/../files/a.mp3"}) {
        EXPECT_EQ(retrieve({"deny_file=*.mp3"}, name), not_allowed) << name;
        EXPECT_EQ(retrieve({}, name), "x") << name;
    }
}

// CVE-2015-1419: none of these matches as it is typed.
TEST(DenyFile, IsAboutTheFileHoweverItIsTyped) {
    write_file(files() / "a.mp3", "x", alice.uid);
    for (const auto* name : {"files/./a.mp3", "files//a.mp3", "files/../files/./a.mp3"}) {
        EXPECT_EQ(retrieve({"deny_file=*files/a.mp3"}, name), not_allowed) << name;
        EXPECT_EQ(retrieve({"deny_file=*files/b.mp3"}, name), "x") << name;
    }
}

TEST(HideFile, LeavesNamesOutOfListings) {
    write_file(files() / "a.mp3", "x", alice.uid);
    write_file(files() / "b.txt", "x", alice.uid);
    for (const bool on : {true, false}) {
        Server server(on ? Lines{"hide_file=*.mp3"} : Lines{});
        Conversation ftp(server, alice);
        const auto listing = ftp.list("LIST files");
        EXPECT_EQ(listing.find("a.mp3") == listing.npos, on);
        EXPECT_THAT(listing, HasSubstr("b.txt"));
        EXPECT_EQ(ftp.retrieve("files/a.mp3"), "x") << "hidden is not forbidden";
    }
}

TEST(UploadFile, NamesWhatMayBeStored) {
    EXPECT_EQ(store({"upload_file=*.txt"}, "files/a.exe"), not_allowed);
    EXPECT_EQ(store({"upload_file=*.txt"}, "files/a.txt"), complete);
    EXPECT_EQ(store({}, "files/a.exe"), complete);
}

TEST(DownloadFile, NamesWhatMayBeRetrieved) {
    write_file(files() / "a.exe", "x", alice.uid);
    write_file(files() / "a.txt", "y", alice.uid);
    EXPECT_EQ(retrieve({"download_file=*.txt"}, "files/a.exe"), not_allowed);
    EXPECT_EQ(retrieve({"download_file=*.txt"}, "files/a.txt"), "y");
    EXPECT_EQ(retrieve({}, "files/a.exe"), "x");
}

// ----- what anonymous users may do

TEST(AnonUploadEnable, LetsThemStore) {
    EXPECT_EQ(store(open_to_all, "incoming/new", visitor), not_allowed);
    EXPECT_EQ(store(open_to_all + Lines{"anon_upload_enable=YES"}, "incoming/new", visitor),
              complete);
}

TEST(AnonMkdirWriteEnable, LetsThemMakeFolders) {
    EXPECT_EQ(answer(open_to_all, {"MKD incoming/new"}, visitor), not_allowed);
    EXPECT_THAT(
        answer(open_to_all + Lines{"anon_mkdir_write_enable=YES"}, {"MKD incoming/new"}, visitor),
        StartsWith("257"));
}

TEST(AnonOtherWriteEnable, LetsThemChangeWhatIsThere) {
    write_file(incoming() / "f", "x", ftp_user.uid);
    const auto on = open_to_all + Lines{"anon_other_write_enable=YES"};
    EXPECT_EQ(answer(open_to_all, {"RNFR incoming/f"}, visitor), not_allowed);
    EXPECT_EQ(answer(open_to_all, {"DELE incoming/f"}, visitor), not_allowed);
    EXPECT_THAT(answer(on, {"RNFR incoming/f", "RNTO incoming/g"}, visitor), StartsWith("250"));
    EXPECT_THAT(answer(on, {"DELE incoming/g"}, visitor), StartsWith("250"));
}

TEST(AnonWorldReadableOnly, HidesWhatIsNotForAll) {
    write_file(home_of(ftp_user) / "f", "x", ftp_user.uid, 0640);
    EXPECT_THAT(retrieve(open_to_all + Lines{"anon_world_readable_only=YES"}, "f", visitor),
                StartsWith("550 Failed to open file."));
    EXPECT_EQ(retrieve(open_to_all + Lines{"anon_world_readable_only=NO"}, "f", visitor), "x");
}

TEST(AnonUmask, KeepsBitsFromTheirFiles) {
    const auto on = open_to_all + Lines{"anon_upload_enable=YES"};
    EXPECT_EQ(store(on + Lines{"anon_umask=022"}, "incoming/a", visitor), complete);
    EXPECT_EQ(store(on, "incoming/b", visitor), complete);
    EXPECT_EQ(mode_of(incoming() / "a"), 0644U);
    EXPECT_EQ(mode_of(incoming() / "b"), 0600U);
}

TEST(ChownUsername, IsTheNewOwner) {
    const auto on = open_to_all + Lines{"anon_upload_enable=YES", "chown_uploads=YES"};
    for (const auto& who : {alice, bob}) {
        EXPECT_EQ(store(on + Lines{"chown_username=" + who.name}, "incoming/" + who.name, visitor),
                  complete);
        EXPECT_EQ(owner_of(incoming() / who.name), who.uid);
    }
}

TEST(ChownUploadMode, IsTheModeOfWhatIsGivenAway) {
    const auto on = open_to_all + Lines{"anon_upload_enable=YES", "chown_uploads=YES"};
    EXPECT_EQ(store(on + Lines{"chown_upload_mode=0640"}, "incoming/a", visitor), complete);
    EXPECT_EQ(store(on, "incoming/b", visitor), complete);
    EXPECT_EQ(mode_of(incoming() / "a"), 0640U);
    EXPECT_EQ(mode_of(incoming() / "b"), 0600U);
}

TEST(LocalUmask, KeepsBitsFromFilesAndFolders) {
    for (const auto& [mask, file, folder] :
         {std::tuple{"077", 0600U, 0700U}, {"022", 0644U, 0755U}, {"002", 0664U, 0775U}}) {
        Server server({std::string("local_umask=") + mask});
        Conversation ftp(server, alice);
        EXPECT_EQ(ftp.store(std::string("files/") + mask, "x"), complete);
        EXPECT_THAT(ftp.say(std::string("MKD files/d") + mask), StartsWith("257"));
        EXPECT_EQ(mode_of(files() / mask), file);
        EXPECT_EQ(mode_of(files() / (std::string("d") + mask)), folder);
    }
}

TEST(FileOpenMode, IsTheModeBeforeTheUmask) {
    EXPECT_EQ(store({"file_open_mode=0777"}, "files/a"), complete);
    EXPECT_EQ(store({}, "files/b"), complete);
    EXPECT_EQ(mode_of(files() / "a"), 0755U);
    EXPECT_EQ(mode_of(files() / "b"), 0644U);
}
