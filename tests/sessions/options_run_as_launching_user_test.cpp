// SPDX-License-Identifier: MIT
// run_as_launching_user: a server that an ordinary user starts, with and without a user namespace,
// and what is left where root starts it (whole sessions).
#include "tests/jail/observed.hpp"
#include "tests/sessions/conversation.hpp"
#include "tests/sessions/lesser_host.hpp"
#include "tests/sessions/secure.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <sstream>

#include <grp.h>
#include <signal.h>
#include <sys/capability.h>
#include <unistd.h>

using namespace sessions;
using observed::Facts;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto welcome = "230 Login successful.";
constexpr auto whole = "226 Transfer complete.";
constexpr auto no_capability = "0000000000000000";
const Account& launcher = alice;  // who starts the server; the account has no other part in it

// What the ordinary user serves.
std::filesystem::path pub() { return place("pub"); }

Lines with(const Lines& more = {}) {
    make_folder(pub(), launcher.uid);
    write_file(pub() / "hello", "hello", launcher.uid);
    make_folder(pub() / "incoming", launcher.uid);
    Lines lines = {
        "run_as_launching_user=YES",   "anonymous_enable=YES",   "local_enable=NO",
        "anon_root=" + pub().string(), "anon_upload_enable=YES", "anon_mkdir_write_enable=YES",
        "anon_other_write_enable=YES", "anon_umask=022"};
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
}

Setup by_launcher(std::function<void()> before = {}, std::string ini = {}) {
    Setup setup;
    setup.as = launcher.uid;
    setup.before = std::move(before);
    setup.ini = std::move(ini);
    return setup;
}

std::string tenant_of_launcher(const std::string& name, const std::string& password,
                               const Lines& more = {}) {
    auto section = tenant(name, password, more);
    make_folder(tenant_home(name), launcher.uid);
    make_folder(tenant_home(name) / "files", launcher.uid);
    return section;
}

std::string ids(uid_t id) {
    const auto one = std::to_string(id);
    return one + ' ' + one + ' ' + one + ' ' + one;
}

std::size_t mounts_of(const Facts& facts) { return lines_of(facts.text("mountinfo")).size(); }

// In both kinds of jail.
void expect_launcher_without_rights(const Facts& facts) {
    EXPECT_EQ(facts.status("Uid"), ids(launcher.uid));
    EXPECT_EQ(facts.status("Gid"), ids(launcher.uid));
    for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
        EXPECT_EQ(facts.status(set), no_capability) << set;
    EXPECT_EQ(facts.status("NoNewPrivs"), "1");
    EXPECT_EQ(facts.status("Seccomp"), "2");
    EXPECT_EQ(facts.owner(), 0U) << "not dumpable";
    EXPECT_EQ(facts.limit("Max processes"), "0 0");
}

void expect_own_descriptors_only(pid_t pid) {
    std::size_t sockets = 0;
    for (const auto& [number, target] : Facts(pid).descriptors()) {
        if (target.starts_with("socket:"))
            ++sockets;
        else
            EXPECT_TRUE(target == "/dev/null" || target == "/" || target == pub().string() ||
                        target.starts_with("anon_inode:"))
                << number << " -> " << target;
    }
    EXPECT_EQ(sockets, 2U) << "the control connection and the channel";
}

void expect_every_kind_of_transfer(const Server& server) {
    using Mode = Conversation::Mode;
    for (const auto mode :
         {Mode::passive, Mode::extended_passive, Mode::active, Mode::extended_active}) {
        Conversation ftp(server);
        ftp.mode = mode;
        ASSERT_EQ(ftp.login("anonymous", "me@example.org"), welcome);
        ASSERT_THAT(ftp.say("TYPE I"), StartsWith("200"));
        EXPECT_THAT(ftp.list(), HasSubstr("hello"));
        EXPECT_EQ(ftp.retrieve("hello"), "hello");
        const auto content = noise(300'000, static_cast<unsigned>(mode));
        const auto name = "incoming/" + std::to_string(static_cast<int>(mode));
        EXPECT_EQ(ftp.store(name, content), whole);
        EXPECT_EQ(content_of(pub() / name), content);
        EXPECT_EQ(owner_of(pub() / name), launcher.uid);
        EXPECT_EQ(ftp.retrieve(name), content);
        EXPECT_THAT(ftp.say("RNFR " + name), StartsWith("350"));
        EXPECT_THAT(ftp.say("RNTO incoming/other"), StartsWith("250"));
        EXPECT_THAT(ftp.say("DELE incoming/other"), StartsWith("250"));
    }
}

void expect_no_way_out(const Server& server) {
    write_file(place("secret"), "outside", launcher.uid);
    std::filesystem::create_symlink(place("secret"), pub() / "absolute");
    std::filesystem::create_symlink("../secret", pub() / "relative");
    std::filesystem::create_symlink("/proc/self/root", pub() / "magic");
    make_folder(pub() / "deep", launcher.uid);
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("anonymous", "x"), welcome);
    EXPECT_EQ(ftp.say("PWD"), "257 \"/\" is the current directory");
    for (const auto& path :
         {std::string("../secret"), place("secret").string(), std::string("absolute"),
          std::string("relative"), std::string("magic/etc/passwd"), std::string("/etc/passwd")}) {
        ftp.retrieve(path);
        EXPECT_THAT(ftp.began, StartsWith("550")) << path;
    }
    for (const auto* path : {"absolute", "relative", "../../secret"}) ftp.store(path, "planted");
    EXPECT_EQ(content_of(place("secret")), "outside");
    ASSERT_THAT(ftp.say("CWD deep"), StartsWith("250"));
    std::filesystem::rename(pub() / "deep", place("deep"));
    ftp.store("../secret", "planted");
    EXPECT_EQ(content_of(place("secret")), "outside");
}

}  // namespace

// ----- with a user namespace

TEST(RunAsLaunchingUser, SaysWhichGroupsSessionsKeep) {
    const Server server(with(), by_launcher([] {
                            const gid_t more[] = {launcher.uid, 4321};
                            if (::setgroups(2, more) < 0 || ::setgid(launcher.uid) < 0 ||
                                ::setuid(launcher.uid) < 0)
                                ::_exit(99);
                        }));
    server.complained("all groups of the user who started this \\(gid 4321\\)");
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("anonymous", "me@example.org"), welcome);
    EXPECT_THAT(Facts(server.process("ftp 127.0.0.1 [session]")).status("Groups"),
                HasSubstr("4321"));
}

TEST(RunAsLaunchingUser, ServesAnonymousUsers) {
    Server server(with(), by_launcher());
    expect_every_kind_of_transfer(server);
    server.logged("OK UPLOAD");
}

TEST(RunAsLaunchingUser, ServesTenants) {
    Server server(with(), by_launcher({}, tenant_of_launcher("carl", "sesame")));
    Conversation ftp(server);
    EXPECT_THAT(ftp.login("carl", "wrong"), StartsWith("530"));
    ASSERT_EQ(ftp.login("carl", "sesame"), welcome);
    EXPECT_EQ(ftp.store("files/up", "mine"), whole);
    EXPECT_EQ(content_of(tenant_home("carl") / "files/up"), "mine");
    EXPECT_EQ(owner_of(tenant_home("carl") / "files/up"), launcher.uid);
    ftp.retrieve((pub() / "hello").string());
    EXPECT_THAT(ftp.began, StartsWith("550"));
}

TEST(RunAsLaunchingUser, ASessionHasTheFolderAndNothingElse) {
    Server server(with(), by_launcher());
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("anonymous", "x"), welcome);
    const auto pid = server.process("127.0.0.1 [session]");
    const Facts facts(pid);
    const Facts supervisor(server.pid());
    expect_launcher_without_rights(facts);
    EXPECT_EQ(facts.status("CapBnd"), no_capability);
    EXPECT_EQ(mounts_of(facts), 1U) << facts.text("mountinfo");
    EXPECT_THAT(facts.text("mountinfo"), HasSubstr("nosuid,nodev,noexec"));
    for (const auto* each : {"user", "pid", "ipc", "uts", "cgroup", "mnt", "net"})
        EXPECT_NE(facts.link(std::string("ns/") + each), supervisor.link(std::string("ns/") + each))
            << each;
    expect_own_descriptors_only(pid);
    expect_no_way_out(server);
}

TEST(RunAsLaunchingUser, EveryProcessIsTheLaunchingUsers) {
    const auto pem = authority::make({});
    write_file(place("server.pem"), pem.certificate + pem.key, launcher.uid, 0600);
    Server server(with({"ssl_enable=YES", "rsa_cert_file=" + place("server.pem").string()}),
                  by_launcher({}, tenant_of_launcher("carl", "sesame")));
    Conversation ftp(server);
    for (const auto* kind : {"[spawner]", "[signer]", "helper", "authenticator", "[greeter]"}) {
        ASSERT_TRUE(eventually([&] { return !server.processes(kind).empty(); })) << kind;
        for (const auto& each : server.processes(kind))
            EXPECT_EQ(Facts(each.pid).status("Uid"), ids(launcher.uid)) << each.title;
    }
    const Facts greeter(server.process("127.0.0.1 [greeter]"));
    expect_launcher_without_rights(greeter);
    EXPECT_EQ(greeter.status("CapBnd"), no_capability);
    const auto signer = server.process("[signer]");
    EXPECT_EQ(Facts(signer).status("CapBnd"), no_capability);
    for (const auto pid : {signer, server.process("[spawner]")})
        EXPECT_TRUE(std::filesystem::is_empty("/proc/" + std::to_string(pid) + "/root"));
}

TEST(RunAsLaunchingUser, KeepsFilesInTheFolderByChrootWhereIsolateIsOff) {
    Server server(with({"isolate=NO", "isolate_network=NO"}), by_launcher());
    expect_every_kind_of_transfer(server);
    expect_no_way_out(server);
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("anonymous", "x"), welcome);
    EXPECT_TRUE(eventually([&] { return server.processes("127.0.0.1 [session]").size() == 1; }));
    const Facts facts(server.process("127.0.0.1 [session]"));
    expect_launcher_without_rights(facts);
    EXPECT_EQ(facts.link("root"), pub().string());
}

TEST(RunAsLaunchingUser, SpeaksTls) {
    const auto pem = authority::make({});
    write_file(place("server.pem"), pem.certificate + pem.key, launcher.uid, 0600);
    for (const bool namespaces : {true, false}) {
        Server server(
            with({"ssl_enable=YES", "allow_anon_ssl=YES", "force_anon_logins_ssl=YES",
                  "force_anon_data_ssl=YES", "rsa_cert_file=" + place("server.pem").string()}),
            by_launcher(namespaces ? std::function<void()>{}
                                   : lesser_host::without_user_namespaces));
        Secure ftp(server, {"anonymous", 0, "x"});
        const auto content = noise(500'000);
        EXPECT_EQ(ftp.store("incoming/tls", content), whole) << ftp.trouble;
        EXPECT_EQ(ftp.retrieve("incoming/tls"), content) << ftp.trouble;
        EXPECT_TRUE(ftp.resumed);
        std::filesystem::remove(pub() / "incoming/tls");
    }
}

// ----- without one

TEST(RunAsLaunchingUser, WorksWithoutUserNamespacesAndSaysSo) {
    Server server(with(), by_launcher(lesser_host::without_user_namespaces,
                                      tenant_of_launcher("carl", "sesame")));
    server.complained(
        "this host lacks layers of isolation: pid, ipc, uts, cgroup, mount, users.*"
        "\\(unshare: No space left on device\\)");
    server.complained("no user namespace: .*Landlock and the system call filter");
    expect_every_kind_of_transfer(server);
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("carl", "sesame"), welcome);
    EXPECT_EQ(ftp.store("files/up", "mine"), whole);
    EXPECT_EQ(ftp.say("PWD"), "257 \"/\" is the current directory");
    const auto pid = server.process("carl");
    expect_launcher_without_rights(Facts(pid));
    EXPECT_EQ(Facts(pid).link("cwd"), tenant_home("carl").string());
    Conversation waiting(server);
    expect_launcher_without_rights(Facts(server.process("127.0.0.1 [greeter]")));
}

TEST(RunAsLaunchingUser, HasNoWayOutWithoutUserNamespaces) {
    Server server(with(), by_launcher(lesser_host::without_user_namespaces));
    expect_no_way_out(server);
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("anonymous", "x"), welcome);
    ASSERT_TRUE(eventually([&] { return server.processes("127.0.0.1 [session]").size() == 1; }));
    expect_own_descriptors_only(server.process("127.0.0.1 [session]"));
}

TEST(RunAsLaunchingUser, HasNoWayOutWithoutOpenat2Either) {
    Server server(with(), by_launcher([] {
                      lesser_host::without_user_namespaces();
                      lesser_host::without_call("openat2", ENOSYS);
                  }));
    server.complained("openat2 \\(openat2: Function not implemented\\)");
    expect_every_kind_of_transfer(server);
    expect_no_way_out(server);
}

TEST(JailUsers, GivesSessionsANamespaceWithoutRoot) {
    for (const bool own : {true, false}) {
        Server server(with(), by_launcher({}, own ? "" : "[jail]\nusers = no\n"));
        Conversation ftp(server);
        EXPECT_EQ(ftp.login("ftp", "me@here"), welcome);
        const Facts session(server.process("127.0.0.1 [session]"));
        EXPECT_EQ(session.link("ns/user") != Facts(::getpid()).link("ns/user"), own);
        EXPECT_EQ(mounts_of(session) == 1, own);
    }
}

TEST(RunAsLaunchingUser, DoesNotStartWhereAllLayersAreDemanded) {
    write_file(place("own.conf"), "listen=YES\nrun_as_launching_user=YES\nanon_root=/srv\n",
               launcher.uid);
    write_file(place("own.ini"), "[jail]\nisolate_required = yes\n", launcher.uid);
    const auto ran =
        run({path_of(Program::jailftpd), place("own.conf"), "--ini", place("own.ini")},
            {.input = {}, .as = launcher.uid, .before = lesser_host::without_user_namespaces});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("isolate_required demands users, but this host does not allow "
                                   "it (unshare)"));
}

TEST(RunAsLaunchingUser, DoesNotStartWhereNothingWouldKeepASessionFromFiles) {
    write_file(place("own.conf"), "listen=YES\nrun_as_launching_user=YES\nanon_root=/srv\n",
               launcher.uid);
    const auto before = [] {
        lesser_host::without_user_namespaces();
        lesser_host::without_call("landlock_create_ruleset", ENOSYS);
    };
    const auto ran = run({path_of(Program::jailftpd), place("own.conf")},
                         {.input = {}, .as = launcher.uid, .before = before});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(
        ran.err,
        HasSubstr(
            "neither user namespaces (unshare) nor Landlock (landlock_create_ruleset) work here"));
    Server server(with(), by_launcher(before, "[jail]\nlandlock = no\n"));
    server.complained("kept in theirs by their own care alone");
    expect_no_way_out(server);
}

// What a container, an old kernel or AppArmor leaves of a user namespace.
struct Leaves {
    const char* name;
    const char* call;
    int number;
    const char* told;
    bool root_changes;
};

void PrintTo(const Leaves& row, std::ostream* out) { *out << row.name; }

class RunAsLaunchingUserWithout : public testing::TestWithParam<Leaves> {};

TEST_P(RunAsLaunchingUserWithout, IsToldAndServes) {
    const auto& row = GetParam();
    Server server(with(), by_launcher([&] { lesser_host::without_call(row.call, row.number); }));
    EXPECT_THAT(server.errors(), HasSubstr(row.told));
    expect_every_kind_of_transfer(server);
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("anonymous", "x"), welcome);
    ASSERT_TRUE(eventually([&] { return server.processes("127.0.0.1 [session]").size() == 1; }));
    const Facts facts(server.process("127.0.0.1 [session]"));
    expect_launcher_without_rights(facts);
    const bool is_mount = mounts_of(facts) == 1;
    EXPECT_EQ(is_mount || facts.link("root") == pub().string(), row.root_changes);
    EXPECT_EQ(facts.link("cwd") == pub().string(), !row.root_changes || !is_mount);
}

// clang-format off
INSTANTIATE_TEST_SUITE_P(
    LesserHosts, RunAsLaunchingUserWithout,
    testing::Values(
        //     name           call          errno    told at start                                      root
        Leaves{"Unshare",     "unshare",    EPERM,   "users, chroot, mounts, nosymfollow, empty network (unshare: Operation not permitted)", false},
        Leaves{"Mount",       "mount",      EACCES,  "users, chroot, mounts, nosymfollow, empty network (mount: Permission denied)", false},
        Leaves{"OpenTree",    "open_tree",  ENOSYS,  "isolation: mounts, nosymfollow (open_tree: Function not implemented)", true},
        Leaves{"MoveMount",   "move_mount", EPERM,   "isolation: mounts, nosymfollow (move_mount: Operation not permitted)", true},
        Leaves{"Landlock",    "landlock_create_ruleset", EOPNOTSUPP, "isolation: landlock", true},
        Leaves{"Openat2",     "openat2",    ENOSYS,  "isolation: openat2 (openat2: Function not implemented)", true},
        Leaves{"Keyctl",      "keyctl",     EPERM,   "", true}),
    [](const auto& each) { return each.param.name; });
// clang-format on

TEST(RunAsLaunchingUser, SeesNoOtherProcesses) {
    Server server(with(), by_launcher(lesser_host::with_hidden_processes));
    expect_every_kind_of_transfer(server);
    EXPECT_THAT(server.errors(), Not(HasSubstr("lacks")));
}

// AmbientCapabilities=CAP_NET_BIND_SERVICE: the supervisor's alone.
TEST(RunAsLaunchingUser, MayListenAtPort21WithTheRightToIt) {
    auto setup = by_launcher([] { lesser_host::as_user_with(2001, CAP_NET_BIND_SERVICE); });
    setup.port = 21;
    Server server(with(), std::move(setup));
    expect_every_kind_of_transfer(server);
    Conversation ftp(server);
    EXPECT_EQ(Facts(server.pid()).status("CapEff"), "0000000000000400");
    expect_launcher_without_rights(Facts(server.process("127.0.0.1 [greeter]")));
    ASSERT_EQ(ftp.login("anonymous", "x"), welcome);
    ASSERT_TRUE(eventually([&] { return server.processes("127.0.0.1 [session]").size() == 1; }));
    expect_launcher_without_rights(Facts(server.process("127.0.0.1 [session]")));
}

// ----- what an ordinary user cannot have

TEST(RunAsLaunchingUser, IsToldThatLowPortsAreRoots) {
    write_file(place("own.conf"), "listen=YES\nrun_as_launching_user=YES\nanon_root=/srv\n",
               launcher.uid);
    const auto ran =
        run({path_of(Program::jailftpd), place("own.conf")}, {.input = {}, .as = launcher.uid});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("0.0.0.0:21 (ports below 1024 take root, or "
                                   "CAP_NET_BIND_SERVICE): Permission denied"));
}

TEST(RunAsLaunchingUser, IsNamedToWhoeverStartsWithoutRoot) {
    write_file(place("own.conf"), "listen=YES\n", launcher.uid);
    write_file("/etc/passwd", content_of("/etc/passwd"));
    const auto ran =
        run({path_of(Program::jailftpd), place("own.conf")}, {.input = {}, .as = launcher.uid});
    EXPECT_EQ(ran.status, 2);
    EXPECT_EQ(ran.err,
              "jailftpd: error: vsftpd: must be started as root (see run_as_launching_user "
              "option)\n");
}

TEST(RunAsLaunchingUser, TakesNoPasswordsOfSystemUsers) {
    Server server(with({"local_enable=YES", "connect_from_port_20=YES", "chown_uploads=YES",
                        "chown_username=bob", "session_support=YES"}),
                  by_launcher());
    for (const auto* option :
         {"local_enable", "connect_from_port_20", "chown_uploads", "session_support"})
        server.complained(std::string(option) + "=YES has no effect without root");
    EXPECT_THAT(Conversation(server).login(bob), StartsWith("530"));
    EXPECT_THAT(Conversation(server).login(launcher), StartsWith("530"));
    expect_every_kind_of_transfer(server);
}

TEST(RunAsLaunchingUser, IsCheckedByAnOrdinaryUser) {
    const auto check = [](const std::string& lines, const std::string& ini = "") {
        write_file(place("own.conf"), "listen=YES\nrun_as_launching_user=YES\n" + lines,
                   launcher.uid);
        write_file(place("own.ini"), ini, launcher.uid, 0600);
        return run({path_of(Program::jailftpd), place("own.conf"), "--ini", place("own.ini"), "-t"},
                   {.input = {}, .as = launcher.uid});
    };
    make_folder(pub());
    const auto root = "anon_root=" + pub().string() + "\n";
    const auto good = check(root + "ftp_username=no-such-user\nnopriv_user=no-such-user\n");
    EXPECT_EQ(good.status, 0) << good.out;
    EXPECT_THAT(good.out, AllOf(HasSubstr("the configuration is good"), Not(HasSubstr("warning"))));
    EXPECT_THAT(check("ftp_username=no-such-user\n").out,
                HasSubstr("cannot locate user specified in 'ftp_username':no-such-user"));
    EXPECT_THAT(check("anonymous_enable=NO\nlocal_enable=YES\n").out,
                AllOf(HasSubstr("local_enable=YES has no effect without root"),
                      HasSubstr("both local and anonymous access disabled!")));
    const auto other = check(root, tenant("carl", "sesame", {"uid = 2345"}));
    EXPECT_EQ(other.status, 2);
    EXPECT_THAT(other.out, HasSubstr("tenant carl has a uid, gid or groups of its own, and without "
                                     "root there is one uid for all (2001)"));
    EXPECT_EQ(check(root, tenant("carl", "sesame", {"uid = 2001"})).status, 0);
    EXPECT_EQ(check(root + "xferlog_enable=YES\nvsftpd_log_file=/var/log/x\n").status, 2);
    const auto for_root = check("run_as_launching_user=NO\n" + root + "ftp_username=bob\n");
    EXPECT_EQ(for_root.status, 0) << for_root.out;
    EXPECT_THAT(for_root.out, HasSubstr("were not tried, since it takes root"));
}

TEST(RunAsLaunchingUser, IsExplained) {
    write_file(place("own.conf"),
               "listen=YES\nrun_as_launching_user=YES\nanon_root=" + pub().string() + "\n",
               launcher.uid);
    make_folder(pub(), launcher.uid);
    for (const bool namespaces : {true, false}) {
        const auto ran =
            run({path_of(Program::jailftpd), place("own.conf"), "--explain-user", "anonymous"},
                {.input = {},
                 .as = launcher.uid,
                 .before =
                     namespaces ? std::function<void()>{} : lesser_host::without_user_namespaces});
        EXPECT_EQ(ran.status, 0) << ran.err;
        EXPECT_THAT(ran.out, StartsWith("anonymous is an anonymous login, which is the launching"));
        EXPECT_THAT(ran.out, HasSubstr("uid 2001, gid 2001"));
        EXPECT_THAT(ran.out, HasSubstr(pub().string() + (namespaces ? ", as a mount of its own"
                                                                    : ", as the current dir")));
    }
}

// ----- started, stopped, read again

TEST(RunAsLaunchingUser, ReadsItsFilesAgainAndStops) {
    Server server(with(), by_launcher());
    Conversation before(server);
    ASSERT_EQ(before.login("anonymous", "x"), welcome);
    server.rewrite(with({"ftpd_banner=again"}));
    server.signal(SIGHUP);
    server.complained("configuration reloaded");
    Conversation after(server);
    EXPECT_EQ(after.greeting, "220 again");
    EXPECT_EQ(after.login("anonymous", "x"), welcome);
    EXPECT_EQ(before.retrieve("hello"), "hello");
    server.rewrite(Lines{"anonymous_enable=YES", "local_enable=NO"});
    server.signal(SIGHUP);
    server.complained("reload failed");
    EXPECT_EQ(Conversation(server).greeting, "220 again");
    server.signal(SIGTERM);
    EXPECT_THAT(before.reply(), StartsWith("421"));
    before.hang_up();
    EXPECT_EQ(server.wait(), 0);
}

// Each session of one user takes namespaces, and would take a keyring, of his share.
TEST(RunAsLaunchingUser, ServesHundredsAndOutlivesItsSpawner) {
    Server server(with({"max_per_ip=0"}), by_launcher());
    std::vector<std::unique_ptr<Conversation>> all;
    for (int i = 0; i < 220; ++i) {
        all.push_back(std::make_unique<Conversation>(server));
        ASSERT_EQ(all.back()->login("anonymous", "x"), welcome) << i;
    }
    const auto spawner = server.process("[spawner]");
    ASSERT_GT(spawner, 0);
    ::kill(spawner, SIGKILL);
    server.complained("starting another");
    ASSERT_TRUE(eventually([&] {
        const auto now = server.processes("[spawner]");
        return now.size() == 1 && now.front().pid != spawner;
    }));
    EXPECT_EQ(all.front()->retrieve("hello"), "hello");
    EXPECT_EQ(all.back()->retrieve("hello"), "hello");
    EXPECT_EQ(Conversation(server).login("anonymous", "x"), welcome);
}

// systemd's socket with User= is like that.
TEST(RunAsLaunchingUser, ServesOneConnectionForInetd) {
    const auto listener = listen_at({"127.0.0.1", 3139});
    const auto mine = connect_to({"127.0.0.1", 3139});
    const base::Fd theirs{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    std::string lines;
    for (const auto& line : with()) lines += line + '\n';
    write_file(place("own.conf"), lines, launcher.uid);
    const std::string said = "USER anonymous\r\nPASS x\r\nSIZE hello\r\nQUIT\r\n";
    (void)::send(mine.get(), said.data(), said.size(), MSG_NOSIGNAL);
    const auto ran =
        run({path_of(Program::jailftpd), place("own.conf")},
            {.input = {}, .as = launcher.uid, .before = [&] { ::dup2(theirs.get(), 0); }});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(Data(base::Fd{::dup(mine.get())}).read(65536),
                AllOf(StartsWith("220"), HasSubstr("\n230"), HasSubstr("\n213 5\r\n221")));
}

// ----- root

TEST(RunAsLaunchingUser, IsWithoutEffectForRoot) {
    Server server(with({"local_enable=YES", "chroot_local_user=YES"}));
    server.complained("run_as_launching_user=YES has no effect when root starts the server");
    Conversation anonymous(server);
    ASSERT_EQ(anonymous.login("anonymous", "x"), welcome);
    EXPECT_EQ(Facts(server.process("ftp 127.0.0.1")).status("Uid"), ids(ftp_user.uid));
    Conversation ftp(server);
    ASSERT_EQ(ftp.login(bob), welcome);
    EXPECT_EQ(Facts(server.process("bob")).status("Uid"), ids(bob.uid));
}
