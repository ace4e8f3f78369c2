// SPDX-License-Identifier: MIT
// jailftpd --self-test: attacks from inside real jails, with all layers and with each one off.
#include "base/fd.hpp"
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sessions;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

class SelfTest : public testing::Test {
  protected:
    void SetUp() override {
#ifdef JAILFTPD_SANITIZED
        GTEST_SKIP() << "what the sanitizers need to report is allowed in this build";
#endif
    }

    Ran test(const std::string& user, const std::string& more = {}, const std::string& ini = {}) {
        write_file(place("x.conf"),
                   "listen=YES\nlocal_enable=YES\nwrite_enable=YES\n"
                   "chroot_local_user=YES\nlisten_address=127.0.0.1\n" +
                       more);
        write_file(place("x.ini"), ini);
        std::vector<std::string> command = {path_of(Program::jailftpd), place("x.conf"), "--ini",
                                            place("x.ini"), "--self-test"};
        if (!user.empty()) command.push_back(user);
        return run(command, {.input = {}, .patience = std::chrono::seconds(100)});
    }
};

// The rows between a title and the next one.
std::vector<std::string> rows(const Ran& ran, const std::string& title) {
    std::vector<std::string> result;
    bool inside = false;
    for (const auto& line : lines_of(ran.out)) {
        if (inside && line.starts_with("  "))
            result.push_back(line);
        else
            inside = line.starts_with(title);
    }
    return result;
}

std::string row(const Ran& ran, const std::string& attack) {
    for (const auto& line : lines_of(ran.out)) {
        if (line.starts_with("  " + attack + "  ")) return line;
    }
    return "no such attack";
}

std::vector<std::string> with(const std::vector<std::string>& lines, const std::string& word) {
    std::vector<std::string> result;
    for (const auto& line : lines) {
        if (line.find(word) != line.npos) result.push_back(line);
    }
    return result;
}

// The rows whose attack is held by a layer of that name.
std::vector<std::string> held_by(const std::vector<std::string>& lines, const std::string& layer) {
    std::vector<std::string> result;
    for (const auto& line : lines) {
        const auto column = line.find("  held  ");
        if (column != line.npos && line.find(layer, column) != line.npos) result.push_back(line);
    }
    return result;
}

// In homes and beside them, and where temporary files are; others' come and go there meanwhile.
std::vector<std::string> left_behind() {
    namespace fs = std::filesystem;
    std::vector<std::string> result;
    for (const auto& folder : {home_of(alice).parent_path(), home_of(alice), fs::path("/tmp")}) {
        std::error_code error;
        for (fs::directory_iterator at(folder, error), end; !error && at != end;
             at.increment(error)) {
            if (at->path().filename().string().find("self-test") != std::string::npos)
                result.push_back(at->path());
        }
        EXPECT_FALSE(error) << folder << ": " << error.message();
    }
    return result;
}

constexpr auto without_namespaces = "pid = no\nipc = no\nuts = no\n";

}  // namespace

TEST_F(SelfTest, NothingGetsOut) {
    const auto ran = test("alice");
    EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
    EXPECT_THAT(ran.out, Not(HasSubstr("GOT OUT")));
    EXPECT_GE(rows(ran, "Files").size(), 25U);
    EXPECT_THAT(ran.out, HasSubstr(" 0 got out"));
    EXPECT_THAT(ran.out, HasSubstr("Layers: mounts, namespaces, network, landlock, system calls"));
    EXPECT_GE(with(lines_of(ran.out), "  held  ").size(), 100U);

    // Files have two walls at least, handed sockets the filter.
    EXPECT_THAT(with(rows(ran, "Files"), "one wall"), IsEmpty());
    for (const auto& each : rows(ran, "A socket that was handed over"))
        EXPECT_THAT(each, HasSubstr("system calls"));
    EXPECT_THAT(row(ran, "connect it by sending (MSG_FASTOPEN)"),
                HasSubstr("system calls (one wall)"));
    EXPECT_THAT(row(ran, "read a file by its path"), HasSubstr("mounts, landlock"));
    EXPECT_THAT(row(ran, "read a file that is root's alone"), HasSubstr("mounts, identity alone"));
}

TEST_F(SelfTest, LeavesNothingBehind) {
    EXPECT_EQ(test("alice").status, 0);
    EXPECT_THAT(left_behind(), IsEmpty());
    EXPECT_EQ(content_of("/proc/sysvipc/shm").find(" 4096 "), std::string::npos);
    EXPECT_TRUE(eventually([] { return processes().empty(); })) << described(processes());
}

TEST_F(SelfTest, LeavesNothingBehindWhenItIsInterrupted) {
    EXPECT_EQ(test("nobody-of-this-name").status, 2);  // the configuration is there now
    const auto ran = run({program_path("timeout"), "-s", "TERM", "0.5", path_of(Program::jailftpd),
                          place("x.conf"), "--self-test=alice"});
    EXPECT_EQ(ran.status, 124) << ran.out << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("interrupted"));
    EXPECT_THAT(left_behind(), IsEmpty());
    EXPECT_TRUE(eventually([] { return processes().empty(); })) << described(processes());
}

// The folder of the attacks is in his home, so he can have another program there as soon as it is
// made; whatever is tried without layers, his must not be started.
TEST_F(SelfTest, StartsNothingOfTheUsers) {
    namespace fs = std::filesystem;
    const auto marker = place("home") / "marker";
    const auto evil = home_of(alice) / "files/evil";
    write_file(evil, "#!/bin/sh\n: >" + marker.string() + "\n", alice.uid);
    fs::permissions(evil, fs::perms{0755});
    write_file(marker, "", alice.uid);
    fs::permissions(marker, fs::perms{0666});
    const auto untouched = fs::last_write_time(marker);
    const pid_t user = ::fork();
    ASSERT_GE(user, 0);
    if (user == 0) {
        if (::setresuid(alice.uid, alice.uid, alice.uid) != 0) ::_exit(1);
        for (;;) {
            std::error_code error;
            for (const auto& each : fs::directory_iterator(home_of(alice), error)) {
                if (!each.path().filename().string().starts_with(".jailftpd")) continue;
                for (const auto* name : {"program", "set-uid"}) {
                    const auto aside = each.path() / "aside";
                    if (::link(evil.c_str(), aside.c_str()) == 0)
                        (void)::rename(aside.c_str(), (each.path() / name).c_str());
                    (void)::unlink(aside.c_str());
                }
            }
        }
    }
    const auto ran = test("alice");
    ::kill(user, SIGKILL);
    ::waitpid(user, nullptr, 0);
    EXPECT_EQ(fs::last_write_time(marker), untouched);
    EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
    EXPECT_THAT(row(ran, "start a program that was planted"), HasSubstr("held"));
}

// ----- each layer off in turn

struct Without {
    const char* name;
    std::string conf;
    std::string ini;
    std::string layer;  // the column that must be gone
    bool held;
};

void PrintTo(const Without& without, std::ostream* out) { *out << without.name; }

class SelfTestWithout : public SelfTest, public testing::WithParamInterface<Without> {};

TEST_P(SelfTestWithout, SaysWhatStillStopsTheAttacks) {
    const auto& without = GetParam();
    const auto ran = test("alice", without.conf, "[jail]\n" + without.ini);
    EXPECT_EQ(ran.status, without.held ? 0 : 1) << ran.out << ran.err;
    EXPECT_EQ(with(lines_of(ran.out), "GOT OUT").empty(), without.held);
    EXPECT_THAT(with(rows(ran, "Files"), "GOT OUT"), IsEmpty());
    EXPECT_THAT(ran.out, testing::ContainsRegex("Not in force: [a-z, ]*" + without.layer));
    for (const auto* title : {"Files", "Rights", "Processes", "Network", "The kernel"})
        EXPECT_THAT(held_by(rows(ran, title), without.layer), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Each, SelfTestWithout,
    testing::Values(Without{"Mounts", "", "mounts = no\n", "mounts", true},
                    Without{"Namespaces", "", without_namespaces, "namespaces", true},
                    Without{"Isolate", "isolate=NO\n", "", "mounts", true},
                    Without{"Network", "", "network = no\n", "network", true},
                    Without{"IsolateNetwork", "isolate_network=NO\n", "", "network", true},
                    Without{"Landlock", "", "landlock = no\n", "landlock", true},
                    Without{"SystemCalls", "", "system_calls = no\n", "system calls", false}),
    [](const auto& each) { return std::string(each.param.name); });

using JailLandlock = SelfTest;

TEST_F(JailLandlock, IsAWallOfItsOwn) {
    for (const bool on : {true, false}) {
        const auto ran =
            test("alice", {}, on ? "[jail]\nlandlock = yes\n" : "[jail]\nlandlock = no\n");
        const auto held = held_by(rows(ran, "Files"), "landlock");
        EXPECT_EQ(held.empty(), !on) << ran.out;
    }
}

// Newer kernels refuse it (6.18).
bool may_listen_after_a_connection() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    const base::Fd listener{::socket(AF_INET, SOCK_STREAM, 0)};
    const base::Fd client{::socket(AF_INET, SOCK_STREAM, 0)};
    EXPECT_EQ(::bind(listener.get(), any, size), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener.get(), any, &size), 0);
    EXPECT_EQ(::connect(client.get(), any, size), 0);
    const base::Fd server{::accept(listener.get(), nullptr, nullptr)};
    const sockaddr nobody{};
    EXPECT_EQ(::connect(server.get(), &nobody, sizeof nobody), 0);
    return ::listen(server.get(), 1) == 0;
}

// The only wall around a handed socket.
TEST_F(SelfTest, FindsOutThatTheFilterIsMissing) {
    const auto ran = test("alice", {}, "[jail]\nsystem_calls = no\n");
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(row(ran, "connect it by sending (MSG_FASTOPEN)"), HasSubstr("GOT OUT"));
    EXPECT_THAT(row(ran, "listen with it"),
                HasSubstr(may_listen_after_a_connection() ? "GOT OUT" : "held     identity alone"));
}

// ----- jails that are none

TEST_F(SelfTest, FailsForWhoIsNotJailed) {
    const auto ran = test("alice", "chroot_local_user=NO\n");
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, HasSubstr("is not jailed"));
    EXPECT_THAT(row(ran, "read a file by its path"), HasSubstr("GOT OUT"));
    EXPECT_THAT(row(ran, "read a file that is root's alone"), HasSubstr("held     identity alone"));
}

TEST_F(SelfTest, FailsForAJailWithoutWalls) {
    const auto ran = test("alice", "isolate=NO\nisolate_network=NO\n",
                          "[jail]\nlandlock = no\nsystem_calls = no\n");
    EXPECT_EQ(ran.status, 1);
    // Moved folders, a chroot's old way out, and everything that is no file.
    EXPECT_THAT(row(ran, "the same from a folder that is moved out"), HasSubstr("GOT OUT"));
    EXPECT_THAT(row(ran, "connect to the host (IPv4)"), HasSubstr("GOT OUT"));
    EXPECT_THAT(row(ran, "signal another session of the same user"), HasSubstr("GOT OUT"));
    // The session itself would not have followed.
    EXPECT_THAT(rows(ran, "A client's paths"),
                testing::Each(HasSubstr("held     resolved beneath")));
}

// ----- others

TEST_F(SelfTest, TriesWhatTheOptionsForbid) {
    const auto ran = test("alice", "write_enable=NO\n");
    EXPECT_EQ(ran.status, 0) << ran.out;
    for (const auto* attack :
         {"make a file, which the options forbid", "remove a file, which the options forbid",
          "rename a file, which the options forbid"})
        EXPECT_THAT(row(ran, attack), HasSubstr("mounts, landlock")) << attack;
    EXPECT_THAT(with(rows(ran, "Files"), "one wall"), IsEmpty());
}

TEST_F(SelfTest, KnowsTenantsAndAnonymousUsers) {
    const auto carl = test("carl", {}, tenant("carl", "sesame", {"uid = 2345", "gid = 2346"}));
    EXPECT_EQ(carl.status, 0) << carl.out << carl.err;
    EXPECT_THAT(carl.out, HasSubstr("The jail of carl, who is a tenant"));
    const auto anonymous = test("ftp", "anonymous_enable=YES\n");
    EXPECT_EQ(anonymous.status, 0) << anonymous.out << anonymous.err;
}

TEST_F(SelfTest, OfAClientBeforeLogin) {
    const auto ran = test("");
    EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("The jail of a client that has not logged in"));
    EXPECT_THAT(row(ran, "connect to the host (IPv4)"),
                HasSubstr("network, landlock, system calls"));
    EXPECT_THAT(rows(ran, "A client's paths"), IsEmpty()) << "it follows none";
}

// ----- by an ordinary user, as his server would run

class SelfTestWithoutRoot : public SelfTest {
  protected:
    Ran test_as_alice(const std::string& user, const std::string& ini) {
        make_folder(place("pub"), alice.uid);
        write_file(place("x.conf"),
                   "run_as_launching_user=YES\nlisten=YES\nlocal_enable=NO\nwrite_enable=YES\n"
                   "anonymous_enable=YES\nanon_upload_enable=YES\nanon_root=" +
                       place("pub").string() + '\n',
                   alice.uid);
        write_file(place("x.ini"), ini, alice.uid);
        std::vector<std::string> command = {path_of(Program::jailftpd), place("x.conf"), "--ini",
                                            place("x.ini"), "--self-test"};
        if (!user.empty()) command.push_back(user);
        return run(command, {.input = {}, .patience = std::chrono::seconds(100), .as = alice.uid});
    }
};

TEST_F(SelfTestWithoutRoot, NothingGetsOutOfAUserNamespace) {
    const auto ran = test_as_alice("ftp", {});
    EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
    EXPECT_THAT(ran.out, HasSubstr(" 0 got out"));
    EXPECT_THAT(ran.out, HasSubstr("Layers: mounts, namespaces, network, landlock, system calls"));
    EXPECT_THAT(row(ran, "read a file by its path"), HasSubstr("mounts, landlock"));
    EXPECT_THAT(row(ran, "signal the supervisor"), HasSubstr("namespaces"));
    EXPECT_THAT(row(ran, "read a file that is root's alone"), HasSubstr("no such attack"));
    EXPECT_TRUE(std::filesystem::is_empty(place("pub"))) << "it leaves nothing behind";
    const auto greeter = test_as_alice({}, {});
    EXPECT_EQ(greeter.status, 0) << greeter.out << greeter.err;
}

TEST_F(SelfTestWithoutRoot, NothingGetsOutWithoutOne) {
    const auto ran = test_as_alice("ftp", "[jail]\nusers = no\n");
    EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
    EXPECT_THAT(ran.out, HasSubstr(" 0 got out"));
    EXPECT_THAT(ran.out, HasSubstr("\nLayers: landlock, system calls\n"));
    EXPECT_THAT(row(ran, "read a file by its path"), HasSubstr("landlock (one wall)"));
    const auto greeter = test_as_alice({}, "[jail]\nusers = no\n");
    EXPECT_EQ(greeter.status, 0) << greeter.out << greeter.err;
    EXPECT_THAT(greeter.out, Not(HasSubstr("an empty root")));
}

// All are one user then, and nothing else keeps them apart.
TEST_F(SelfTestWithoutRoot, SaysWhatGetsOut) {
    const auto ran = test_as_alice("ftp", "[jail]\nusers = no\nlandlock = no\n");
    EXPECT_EQ(ran.status, 1) << ran.out << ran.err;
    EXPECT_THAT(row(ran, "read a file by its path"), HasSubstr("GOT OUT"));
}

TEST_F(SelfTest, SaysWhyItCannot) {
    EXPECT_EQ(test("nobody-of-this-name").status, 2);
    make_folder(home_of(alice), alice.uid);
    const auto refused = test("alice");
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.err, HasSubstr("root directory not writable"));
    EXPECT_EQ(run({path_of(Program::jailftpd), place("x.conf"), "--self-test", "alice"},
                  {.input = {}, .as = bob.uid})
                  .status,
              2);
}
