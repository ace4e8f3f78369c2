// SPDX-License-Identifier: MIT
// Where a session is locked up, and what its process may do: asked of /proc (whole sessions).
#include "base/fd.hpp"
#include "tests/jail/observed.hpp"
#include "tests/sessions/conversation.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <regex>
#include <set>

#include <sched.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace sessions;
using observed::Facts;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto in_the_root = "257 \"/\" is the current directory";
constexpr auto too_writable =
    "500 OOPS: vsftpd: refusing to run with writable root inside chroot()";

std::string at(const std::filesystem::path& path) {
    return "257 \"" + path.string() + "\" is the current directory";
}

// Same file, by device and number.
bool same(const std::filesystem::path& one, const std::filesystem::path& other) {
    struct stat first {};
    struct stat second {};
    return ::stat(one.c_str(), &first) == 0 && ::stat(other.c_str(), &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

std::filesystem::path root_of(pid_t pid) { return "/proc/" + std::to_string(pid) + "/root"; }

}  // namespace

// ----- the table of chroot_local_user, chroot_list_enable and the list

struct Row {
    bool everybody;
    bool listed_ones;
    bool listed;
    bool jailed;
};

void PrintTo(const Row& row, std::ostream* out) {
    *out << row.everybody << row.listed_ones << row.listed;
}

class ChrootTable : public testing::TestWithParam<Row> {};

TEST_P(ChrootTable, DecidesAsVsftpd) {
    const auto& row = GetParam();
    write_file(place("list"), row.listed ? "alice\n" : "bob\n");
    Server server({std::string("chroot_local_user=") + (row.everybody ? "YES" : "NO"),
                   std::string("chroot_list_enable=") + (row.listed_ones ? "YES" : "NO"),
                   "chroot_list_file=" + place("list").string()});
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("PWD"), row.jailed ? in_the_root : at(home_of(alice)));
    EXPECT_THAT(ftp.say("CWD /etc"), StartsWith(row.jailed ? "550" : "250"));
    EXPECT_THAT(ftp.say("CWD /files"), StartsWith(row.jailed ? "250" : "550"));
}

INSTANTIATE_TEST_SUITE_P(
    EightRows, ChrootTable,
    //                  everybody listed_ones listed  jailed
    testing::Values(Row{false, false, false, false}, Row{false, false, true, false},
                    Row{false, true, false, false}, Row{false, true, true, true},
                    Row{true, false, false, true}, Row{true, false, true, true},
                    Row{true, true, false, true}, Row{true, true, true, false}),
    [](const auto& each) {
        const auto& row = each.param;
        return std::string(row.everybody ? "Everybody" : "Nobody") +
               (row.listed_ones ? "ButListed" : "") + (row.listed ? "AndListed" : "AndNotListed");
    });

TEST(Jail, EndsTheLoginWhenTheListCannotBeRead) {
    write_file(place("list"), "alice\n");
    Server server({"chroot_list_enable=YES", "chroot_list_file=" + place("list").string()});
    std::filesystem::remove(place("list"));
    Conversation ftp(server);
    EXPECT_EQ(ftp.login(alice),
              "500 OOPS: could not read chroot() list file:" + place("list").string());
}

// ----- which folder

TEST(Jail, IsLocalRootWhereOneIsNamed) {
    make_folder(place("root"));
    write_file(place("root/here"), "x");
    Server server({"chroot_local_user=YES", "local_root=" + place("root").string()});
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("PWD"), in_the_root);
    EXPECT_EQ(ftp.retrieve("/here"), "x");
}

TEST(Jail, HasTheLoginNameInItsPath) {
    make_folder(place("sites/alice/web"));
    Server server({"chroot_local_user=YES", "user_sub_token=$USER",
                   "local_root=" + place("sites/$USER/web").string()});
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("PWD"), in_the_root);
    EXPECT_TRUE(same(root_of(server.process("alice")), place("sites/alice/web")));
}

TEST(Jail, EndsTheLoginWhenLocalRootIsMissing) {
    Server server({"chroot_local_user=YES", "local_root=/no/such/folder"});
    Conversation ftp(server);
    EXPECT_EQ(ftp.login(alice), "500 OOPS: cannot change directory:/no/such/folder");
    EXPECT_TRUE(ftp.ended());
}

// As most homes are: root without its rights over files cannot enter them either.
TEST(Jail, MayBeClosedToEverybodyElse) {
    for (const auto* layers : {"", "[jail]\nmounts = no\n"}) {
        make_folder(home_of(alice), alice.uid, 0700);
        Server server({"chroot_local_user=YES", "allow_writeable_chroot=YES"}, {.ini = layers});
        Conversation ftp(server, alice);
        EXPECT_EQ(ftp.say("PWD"), in_the_root);
        EXPECT_EQ(ftp.store("f", "x"), "226 Transfer complete.");
        EXPECT_TRUE(same(root_of(server.process("alice")), home_of(alice)));
    }
}

TEST(NoJail, StartsInTheHomeWhenLocalRootIsMissing) {
    Server server({"local_root=/no/such/folder"});
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("PWD"), at(home_of(alice)));
}

TEST(Jail, EndsAtADotInTheHomesPath) {
    Server server({"chroot_local_user=YES", "passwd_chroot_enable=YES"});
    Conversation ftp(server, dotted);
    EXPECT_EQ(ftp.say("PWD"), "257 \"/inside\" is the current directory");
    EXPECT_TRUE(same(root_of(server.process("dotted")), home_of(dotted)));
}

TEST(Jail, HoldsGuestsWhateverTheTableSays) {
    Server server({"guest_enable=YES", "guest_username=virtual"});
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("PWD"), in_the_root);
    EXPECT_TRUE(same(root_of(server.process("alice")), home_of(virtual_user)));
}

// ----- a root that its user can write to

class WritableRoot : public testing::Test {
  protected:
    void SetUp() override { make_folder(home_of(alice), alice.uid); }
};

TEST_F(WritableRoot, IsRefusedInVsftpdsWords) {
    Server server({"chroot_local_user=YES"});
    Conversation ftp(server);
    EXPECT_EQ(ftp.login(alice), too_writable);
    EXPECT_TRUE(ftp.ended());
}

TEST_F(WritableRoot, IsExplainedToTheAdministrator) {
    Server server({"chroot_local_user=YES"});
    Conversation(server).login(alice);
    const auto line = server.complained("writable root|allow_writeable_chroot");
    EXPECT_THAT(line, HasSubstr(home_of(alice).string()));
    EXPECT_THAT(line, HasSubstr("0755"));
    EXPECT_THAT(line, HasSubstr("alice"));
    EXPECT_THAT(line, HasSubstr("allow_writeable_chroot"));
}

TEST_F(WritableRoot, IsNotWritableWithoutTheModeBit) {
    make_folder(home_of(alice), alice.uid, 0555);
    Server server({"chroot_local_user=YES"});
    Conversation ftp(server);
    EXPECT_EQ(ftp.login(alice), "230 Login successful.");
}

TEST_F(WritableRoot, DoesNotMatterWithoutAJail) {
    Server server;
    EXPECT_EQ(Conversation(server).login(alice), "230 Login successful.");
}

// ----- no way out

class NoWayOut : public testing::Test {
  protected:
    void SetUp() override { write_file(place("secret"), "outside"); }
    std::unique_ptr<Server> server = std::make_unique<Server>(Lines{"chroot_local_user=YES"});
    Conversation ftp{*server, alice};
};

TEST_F(NoWayOut, ByDots) {
    for (const auto* path : {"../secret", "../../../../../../../../etc/passwd", "/../etc/passwd",
                             "files/../../../secret", "/files/./.././../../etc/passwd"}) {
        ftp.retrieve(path);
        EXPECT_THAT(ftp.began, StartsWith("550")) << path;
    }
    EXPECT_THAT(ftp.say("CWD ../.."), StartsWith("250"));
    EXPECT_EQ(ftp.say("PWD"), in_the_root);
    EXPECT_THAT(ftp.say("CDUP"), StartsWith("250"));
    EXPECT_EQ(ftp.say("PWD"), in_the_root);
}

TEST_F(NoWayOut, ByLinks) {
    const auto files = home_of(alice) / "files";
    std::filesystem::create_symlink("/etc/passwd", files / "absolute");
    std::filesystem::create_symlink("../../../../../../etc/passwd", files / "relative");
    std::filesystem::create_symlink("/etc", files / "folder");
    for (const auto* path : {"files/absolute", "files/relative", "files/folder/passwd"}) {
        ftp.retrieve(path);
        EXPECT_THAT(ftp.began, StartsWith("550")) << path;
    }
    EXPECT_THAT(ftp.say("CWD files/folder"), StartsWith("550"));
    EXPECT_THAT(ftp.say("SIZE files/absolute"), StartsWith("550"));
    EXPECT_THAT(ftp.store("files/folder/planted", "x"), StartsWith("553"));
}

TEST_F(NoWayOut, ByRenaming) {
    write_file(home_of(alice) / "files/f", "x", alice.uid);
    EXPECT_THAT(ftp.say("RNFR files/f"), StartsWith("350"));
    EXPECT_THAT(ftp.say("RNTO ../../../../tmp/out"), StartsWith("550"));
    EXPECT_EQ(content_of(home_of(alice) / "files/f"), "x");
}

// Whoever moves the current folder out of the jail hands a plain chroot the whole disk.
TEST_F(NoWayOut, WhenTheFolderIsMovedOutOfTheJail) {
    make_folder(home_of(alice) / "files/deep", alice.uid);
    EXPECT_THAT(ftp.say("CWD files/deep"), StartsWith("250"));
    std::filesystem::rename(home_of(alice) / "files/deep", place("deep"));
    ftp.retrieve("../secret");
    EXPECT_THAT(ftp.began, StartsWith("550"));
    EXPECT_THAT(ftp.say("CWD ../../../etc"), StartsWith("550"));
    ftp.store("../planted", "x");
    EXPECT_EQ(content_of(place("planted")), "(none)");
    ftp.say("CWD ..");
    ftp.retrieve("etc/passwd");
    EXPECT_THAT(ftp.began, StartsWith("550"));
}

// What a C library or OpenSSL would look for is in the home, from where it must never be taken.
TEST(PlantedFiles, AreOpenedByNobody) {
    const auto home = home_of(alice);
    const base::Fd events{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    for (const auto* path :
         {"etc/nsswitch.conf", "etc/passwd", "etc/group", "etc/localtime", "etc/ld.so.cache",
          "etc/ld.so.preload", "etc/hosts", "etc/resolv.conf", "etc/ssl/openssl.cnf",
          "usr/lib/ssl/openssl.cnf", "lib/x86_64-linux-gnu/libnss_files.so.2",
          "lib/x86_64-linux-gnu/libc.so.6", "usr/share/zoneinfo/Europe/Berlin", "dev/log",
          "usr/lib/x86_64-linux-gnu/gconv/gconv-modules", "usr/lib/locale/locale-archive"}) {
        make_folder((home / path).parent_path(), alice.uid);
        write_file(home / path, "planted", alice.uid, 0777);
        ASSERT_GE(::inotify_add_watch(events.get(), (home / path).c_str(), IN_OPEN), 0) << path;
    }
    Server server({"chroot_local_user=YES", "text_userdb_names=YES", "ls_recurse_enable=YES",
                   "use_localtime=YES"});
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.list("LIST -R"), HasSubstr("nsswitch.conf"));
    EXPECT_THAT(ftp.list("MLSD"), HasSubstr("etc"));
    for (const auto* line : {"STAT /", "SIZE files", "MDTM etc/passwd", "HELP", "FEAT", "SYST"})
        ftp.say(line);
    char event[4096];
    EXPECT_LT(::read(events.get(), event, sizeof event), 0);
    // That they would have been noticed.
    EXPECT_EQ(ftp.retrieve("etc/passwd"), "planted");
    EXPECT_GT(::read(events.get(), event, sizeof event), 0);
}

// ----- a home that somebody tampers with

TEST(Jail, IsNotEnteredThroughALinkThatTheUserPlanted) {
    // bob may write to the folder in which his home is, and has put a link to alice's in its place.
    make_folder(place("home/bobs"), bob.uid);
    std::filesystem::create_directory_symlink(home_of(alice), place("home/bobs/home"));
    ASSERT_EQ(::lchown(place("home/bobs/home").c_str(), bob.uid, bob.uid), 0);
    auto passwd = content_of("/etc/passwd");
    passwd = std::regex_replace(passwd, std::regex("/home/bob:"), "/home/bobs/home:");
    write_file("/etc/passwd", passwd);
    Server server({"chroot_local_user=YES"});
    Conversation ftp(server);
    EXPECT_THAT(ftp.login(bob), StartsWith("500 OOPS: cannot change directory:"));
    EXPECT_TRUE(ftp.ended());
}

// ----- the processes

class Processes : public testing::Test {
  protected:
    void SetUp() override {
        if (std::getenv("JAILFTPD_TRY_REFERENCE") != nullptr) GTEST_SKIP();
    }
};

TEST_F(Processes, ASessionIsTheUserAndNothingMore) {
    Server server({"chroot_local_user=YES"});
    Conversation ftp(server, alice);
    const auto pid = server.process("alice");
    const Facts facts(pid);
    EXPECT_EQ(facts.status("Uid"), "2001 2001 2001 2001");
    EXPECT_EQ(facts.status("Gid"), "2001 2001 2001 2001");
    const auto groups = facts.status("Groups");
    std::istringstream words(groups);
    EXPECT_EQ(std::set<std::string>(std::istream_iterator<std::string>(words), {}),
              (std::set<std::string>{"2001", "3001", "3002"}));
    for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
        EXPECT_EQ(facts.status(set), "0000000000000000") << set;
    EXPECT_EQ(facts.status("NoNewPrivs"), "1");
    EXPECT_TRUE(same(root_of(pid), home_of(alice)));
    EXPECT_EQ(facts.owner(), 0U) << "not dumpable";
    EXPECT_EQ(facts.text("environ").find_first_not_of('\0'), std::string::npos);
}

TEST_F(Processes, ASessionHoldsOnlyItsOwnDescriptors) {
    Server server({"chroot_local_user=YES"});
    Conversation other(server, bob);
    Conversation ftp(server, alice);
    const auto pid = server.process("alice");
    std::size_t sockets = 0;
    for (const auto& [number, target] : Facts(pid).descriptors()) {
        if (target.starts_with("socket:")) {
            ++sockets;
            continue;
        }
        EXPECT_TRUE(target == "/dev/null" || target == home_of(alice).string() || target == "/" ||
                    target.starts_with("anon_inode:"))
            << number << " -> " << target;
    }
    EXPECT_EQ(sockets, 2U) << "the control connection and the channel";
    EXPECT_EQ(Facts(pid).descriptors().size(), 6U) << "and 0, 1, 2, and the root";
}

TEST_F(Processes, AGreeterIsNobodyInAnEmptyRoom) {
    Server server;
    Conversation ftp(server);
    const auto pid = server.process("127.0.0.1 [greeter]");
    const Facts facts(pid);
    EXPECT_EQ(facts.status("Uid"), "65534 65534 65534 65534");
    EXPECT_EQ(facts.status("Gid"), "65534 65534 65534 65534");
    EXPECT_EQ(facts.status("Groups"), "");
    for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
        EXPECT_EQ(facts.status(set), "0000000000000000") << set;
    EXPECT_EQ(facts.status("NoNewPrivs"), "1");
    EXPECT_TRUE(std::filesystem::is_empty(root_of(pid)));
    std::size_t sockets = 0;
    for (const auto& [number, target] : facts.descriptors()) {
        if (target.starts_with("socket:"))
            ++sockets;
        else
            EXPECT_TRUE(target == "/dev/null" || target.starts_with("anon_inode:"))
                << number << " -> " << target;
    }
    EXPECT_EQ(sockets, 2U);
    EXPECT_EQ(facts.descriptors().size(), 5U) << "and 0, 1, 2";
}

TEST_F(Processes, TheSpawnerSeesNoFileAndNoClient) {
    Server server;
    Conversation ftp(server, alice);
    const auto pid = server.process("[spawner]");
    const Facts facts(pid);
    EXPECT_TRUE(std::filesystem::is_empty(root_of(pid)));
    const auto mounts = lines_of(facts.text("mountinfo"));
    EXPECT_LE(mounts.size(), 3U) << facts.text("mountinfo");
    EXPECT_EQ(facts.status("Threads"), "1");
    // Nothing that a client has sent ever passes through here, so no TCP socket is open for long.
    EXPECT_LE(facts.descriptors().size(), 24U);
}

bool gives_huge_pages_of_files() {
    constexpr std::size_t huge = 2 << 20;
    const base::Fd file{::memfd_create("huge", MFD_CLOEXEC)};
    if (::ftruncate(file.get(), huge) < 0 || ::write(file.get(), "x", 1) != 1) return false;
    auto* room = ::mmap(nullptr, 2 * huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const auto inside = (reinterpret_cast<std::uintptr_t>(room) + huge - 1) & ~(huge - 1);
    auto* first = reinterpret_cast<char*>(inside);
    constexpr int collapse = 25;  // MADV_COLLAPSE, which older headers lack
    const bool given = ::mmap(first, huge, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
                              file.get(), 0) == first &&
                       ::madvise(first, huge, collapse) == 0;
    ::munmap(room, 2 * huge);
    return given;
}

// What is forked at each login should be small.
void expect_small_spawner(const char* suffix, const Lines& configuration, std::size_t most,
                          std::size_t parts_in_huge_pages) {
    const auto cells = path_of(Program::jailftpd) + suffix;
    if (!std::filesystem::exists(cells)) GTEST_SKIP() << "needs static libraries";
    Server server(configuration);
    const Facts facts(server.process("[spawner]"));
    EXPECT_TRUE(std::filesystem::equivalent(facts.link("exe"), cells)) << facts.link("exe");
    const auto maps = lines_of(facts.text("maps"));
    EXPECT_LT(maps.size(), most) << facts.text("maps");
    if (!gives_huge_pages_of_files()) GTEST_SKIP() << "needs huge pages (MADV_COLLAPSE)";
    std::size_t parts = 0;
    for (const auto& line : lines_of(facts.text("smaps"))) {
        if (line.starts_with("ShmemPmdMapped:") && !line.ends_with(" 0 kB")) ++parts;
    }
    // Linkers lay constants out in one segment or in two.
    EXPECT_GE(parts, parts_in_huge_pages) << facts.text("smaps");
}

TEST_F(Processes, TheSpawnerWithoutTlsIsASmallerProgram) {
    expect_small_spawner("-cells", {}, 24, 2);  // its code and its constants
}

TEST_F(Processes, TheSpawnerWithTlsIsASmallerProgram) {
    const auto made = authority::make({});
    const auto file = place("server.pem");
    write_file(file, made.certificate + made.key, 0, 0600);
    // Those two, and what of libcrypto is constant.
    expect_small_spawner("-cells-tls", {"ssl_enable=YES", "rsa_cert_file=" + file.string()}, 48, 3);
}

TEST_F(Processes, AreNotWhatSomebodyElseHasPutBesideTheProgram) {
    const auto jailftpd = path_of(Program::jailftpd);
    const auto beside = jailftpd + "-cells";
    if (!std::filesystem::exists(beside)) GTEST_SKIP() << "needs static libraries";
    const auto copy = place("copy");
    std::filesystem::copy_file(beside, copy);
    ASSERT_EQ(::chown(copy.c_str(), alice.uid, alice.uid), 0);
    const auto put = [&] {
        if (::unshare(CLONE_NEWNS) < 0 ||
            ::mount(copy.c_str(), beside.c_str(), nullptr, MS_BIND, nullptr) < 0)
            ::_exit(99);
    };
    Server server({}, {.before = put});
    EXPECT_TRUE(
        std::filesystem::equivalent(Facts(server.process("[spawner]")).link("exe"), jailftpd));
    EXPECT_THAT(server.errors(), HasSubstr("-cells is not used: "));
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("PWD"), at(home_of(alice)));
}

TEST_F(Processes, AreVisibleUnderTheirNames) {
    Server server;
    Conversation waiting(server);
    Conversation ftp(server, alice);
    for (const auto* kind : {"[spawner]", "127.0.0.1 [greeter]", "alice"})
        EXPECT_TRUE(eventually([&] { return !server.processes(kind).empty(); }))
            << kind << "\n"
            << described(processes());
}

TEST_F(Processes, OfTwoSessionsShareNothingThatAUserCouldReach) {
    Server server({"chroot_local_user=YES"});
    Conversation one(server, alice);
    Conversation two(server, bob);
    const auto first = server.process("alice");
    const auto second = server.process("bob");
    EXPECT_NE(first, second);
    EXPECT_EQ(Facts(second).status("Uid"), "2002 2002 2002 2002");
    EXPECT_TRUE(same(root_of(second), home_of(bob)));
}

TEST_F(Processes, ATenantsSessionHasTheTenantsNumbers) {
    Server server(
        {}, {.ini = tenant("carl", "sesame", {"uid = 2345", "gid = 2346", "groups = 3001 web"})});
    Conversation ftp(server);
    ASSERT_EQ(ftp.login("carl", "sesame"), "230 Login successful.");
    const auto pid = server.process("carl");
    EXPECT_EQ(Facts(pid).status("Uid"), "2345 2345 2345 2345");
    EXPECT_EQ(Facts(pid).status("Gid"), "2346 2346 2346 2346");
    EXPECT_THAT(Facts(pid).status("Groups"), HasSubstr("3002"));
    EXPECT_TRUE(same(root_of(pid), tenant_home("carl")));
}

// ----- every layer, as the kernel has it

namespace {

std::set<std::string> entries(pid_t pid) {
    std::set<std::string> result;
    for (const auto* each : {"pid", "ipc", "uts", "mnt", "net", "cgroup", "user"})
        result.insert(Facts(pid).link(std::string("ns/") + each));
    return result;
}

std::set<std::string> shared(pid_t one, pid_t other) {
    std::set<std::string> result;
    const auto first = entries(one);
    const auto second = entries(other);
    std::set_intersection(first.begin(), first.end(), second.begin(), second.end(),
                          std::inserter(result, result.end()));
    return result;
}

// Those that a process is jailed with, whatever it is.
void has_every_layer(pid_t pid, const std::string& descriptors) {
    const Facts facts(pid);
    EXPECT_EQ(facts.status("Seccomp"), "2");
    EXPECT_EQ(facts.status("NoNewPrivs"), "1");
    EXPECT_EQ(facts.status("Threads"), "1");
    EXPECT_EQ(facts.owner(), 0U) << "not dumpable";
    EXPECT_EQ(facts.session(), pid);
    EXPECT_EQ(facts.limit("Max core file size"), "0 0");
    EXPECT_EQ(facts.limit("Max processes"), "0 0");
    EXPECT_EQ(facts.limit("Max open files"), descriptors + ' ' + descriptors);
    EXPECT_EQ(facts.text("environ").find_first_not_of('\0'), std::string::npos);
    const auto own = std::stoi(Facts(::getpid()).text("oom_score_adj"));
    EXPECT_EQ(std::stoi(facts.text("oom_score_adj")), std::min(own + 200, 1000));
    // The user's namespace alone is the host's.
    EXPECT_EQ(shared(pid, ::getpid()), std::set<std::string>{facts.link("ns/user")});
    EXPECT_EQ(facts.status("NSpid"), std::to_string(pid) + " 1");
    const auto mounts = lines_of(facts.text("mountinfo"));
    ASSERT_EQ(mounts.size(), 1U);
    EXPECT_THAT(mounts.front(), testing::ContainsRegex(" / r[ow],nosuid,nodev,noexec"));
    // Interfaces, of which none is up.
    EXPECT_THAT(facts.text("net/route"), Not(HasSubstr("lo\t")));
    EXPECT_EQ(lines_of(facts.text("net/if_inet6")).size(), 0U);
}

}  // namespace

TEST_F(Processes, ASessionHasEveryLayer) {
    Server server({"chroot_local_user=YES", "local_umask=027", "address_space_limit=300000000"});
    Conversation ftp(server, alice);
    const auto pid = server.process("alice 127.0.0.1 [session]");
    has_every_layer(pid, "64");
    const Facts facts(pid);
    EXPECT_EQ(facts.status("Umask"), "0027");
#ifndef JAILFTPD_SANITIZED
    EXPECT_EQ(facts.limit("Max address space"), "300000000 300000000");
#endif
    EXPECT_THAT(facts.text("mountinfo"), HasSubstr(" /home/alice / "));
}

TEST_F(Processes, AGreeterHasEveryLayer) {
    Server server;
    Conversation ftp(server);
    const auto pid = server.process("127.0.0.1 [greeter]");
    has_every_layer(pid, "16");
    EXPECT_EQ(Facts(pid).status("Umask"), "0077");
    EXPECT_EQ(Facts(pid).limit("Max file size"), "0 0");
    EXPECT_THAT(Facts(pid).text("mountinfo"), HasSubstr(" / ro,"));
}

TEST_F(Processes, ShareNoNamespaceButTheEmptyNetwork) {
    Server server({"chroot_local_user=YES"});
    Conversation waiting(server);
    Conversation one(server, alice);
    Conversation two(server, bob);
    const auto greeter = server.process("127.0.0.1 [greeter]");
    const auto first = server.process("alice 127.0.0.1 [session]");
    const auto second = server.process("bob 127.0.0.1 [session]");
    const std::set<std::string> common{Facts(first).link("ns/net"), Facts(first).link("ns/user")};
    EXPECT_EQ(shared(first, second), common);
    EXPECT_EQ(shared(first, greeter), common);
}

TEST_F(Processes, AreTheHostsWhereLayersAreSwitchedOff) {
    Server server({"chroot_local_user=YES"},
                  {.ini = "[jail]\npid = no\nipc = no\nuts = no\ncgroup = no\nmounts = no\n"
                          "network = no\nsystem_calls = no\n"});
    Conversation ftp(server, alice);
    const auto pid = server.process("alice 127.0.0.1 [session]");
    auto expected = entries(::getpid());
    expected.erase(Facts(::getpid()).link("ns/mnt"));  // the spawner's
    EXPECT_EQ(shared(pid, ::getpid()), expected);
    EXPECT_EQ(Facts(pid).status("Seccomp"), "0");
    EXPECT_TRUE(same(root_of(pid), home_of(alice)));
}

TEST_F(Processes, AreTracedByNobodyOfTheirUser) {
    Server server({"chroot_local_user=YES"});
    Conversation ftp(server, alice);
    const auto pid = server.process("alice 127.0.0.1 [session]");
    const auto ran =
        run({"cat", "/proc/" + std::to_string(pid) + "/environ"}, {.input = {}, .as = alice.uid});
    EXPECT_NE(ran.status, 0);
}

TEST_F(Processes, AreLoggedAsTheKernelHasThem) {
    Server server({"chroot_local_user=YES"}, {.ini = "[log]\nlevel = debug\n"});
    Conversation ftp(server, alice);
    const auto line = server.complained("the jail of \"alice\" from .*: \\{");
    const auto pid = server.process("alice 127.0.0.1 [session]");
    for (const auto& part :
         {"{\"pid\":" + std::to_string(pid) + ',', std::string("\"uid\":[2001,2001,2001,2001]"),
          std::string("\"groups\":[2001,3001,3002]"), std::string("\"seccomp\":2"),
          std::string("\"dumpable\":false"), std::string("\"open files\":[\"64\",\"64\"]"),
          std::string("\"mounts\":[{\"at\":\"/\",\"of\":\"/home/alice\",\"flags\":\"rw,nosuid,"),
          std::string("\"descriptors\":{\"0\":\"/dev/null\""),
          "\"pid\":\"" + Facts(pid).link("ns/pid") + '"'})
        EXPECT_THAT(line, HasSubstr(part));
}

TEST_F(Processes, AreNotLookedAtWithoutNeed) {
    Server server({"chroot_local_user=YES"});
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("PWD"), StartsWith("257"));
    EXPECT_THAT(server.errors(), Not(HasSubstr("the jail of")));
}
