// SPDX-License-Identifier: MIT
// Settings of jailftpd.ini that no other file here is about, each off and on; a suite for each,
// named by its section and key (whole sessions).
#include "tests/jail/observed.hpp"
#include "tests/sessions/conversation.hpp"
#include "tests/sessions/lesser_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

#include <unistd.h>

using namespace sessions;
using observed::Facts;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto welcome = "230 Login successful.";
constexpr auto complete = "226 Transfer complete.";

const std::string alices = "alice 127.0.0.1 [session]";

Setup ini(const std::string& section, const std::string& line) {
    Setup setup;
    setup.ini = '[' + section + "]\n" + line + '\n';
    return setup;
}

// A session has one of these of its own with the setting, and shares the host's without.
void expect_own_namespace(const std::string& key, const std::string& link) {
    for (const bool on : {true, false}) {
        Server server({"chroot_local_user=YES"}, ini("jail", key + (on ? " = yes" : " = no")));
        Conversation ftp(server, alice);
        const auto session = Facts(server.process(alices)).link(link);
        EXPECT_FALSE(session.empty());
        EXPECT_EQ(session != Facts(::getpid()).link(link), on) << key;
    }
}

}  // namespace

// ----- [server]

TEST(ServerGrace, IsHowLongTransfersMayTake) {
    for (const bool is_short : {true, false}) {
        Server server({}, ini("server", is_short ? "grace = 1" : "grace = 600"));
        write_file(home_of(alice) / "files/big", noise(30'000'000), alice.uid);
        Conversation ftp(server, alice);
        auto data = ftp.open();
        EXPECT_THAT(ftp.say("RETR files/big"), StartsWith("150"));
        server.signal(SIGTERM);
        EXPECT_EQ(server.wait(std::chrono::seconds(is_short ? 15 : 3)), is_short ? 0 : -1);
        if (is_short) continue;
        server.signal(SIGTERM);
        EXPECT_EQ(server.wait(), 0);
    }
}

// ----- [log]

TEST(LogLevel, IsTheLeastThatIsSaid) {
    struct {
        const char* level;
        bool jails;
        bool warnings;
    } const cases[] = {{"debug", true, true},
                       {"info", false, true},
                       {"warning", false, true},
                       {"error", false, false}};
    for (const auto& each : cases) {
        Server server({"chroot_local_user=YES", "ptrace_sandbox=YES"},
                      ini("log", std::string("level = ") + each.level));
        Conversation ftp(server, alice);
        EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
        if (each.jails) server.complained("the jail of \"alice\"");
        EXPECT_EQ(server.errors().find("the jail of") != std::string::npos, each.jails)
            << each.level;
        EXPECT_EQ(server.errors().find("ptrace_sandbox=YES has no effect") != std::string::npos,
                  each.warnings)
            << each.level;
    }
}

// ----- [jail]

TEST(JailPid, GivesASessionItsOwn) { expect_own_namespace("pid", "ns/pid"); }
TEST(JailIpc, GivesASessionItsOwn) { expect_own_namespace("ipc", "ns/ipc"); }
TEST(JailUts, GivesASessionItsOwn) { expect_own_namespace("uts", "ns/uts"); }
TEST(JailCgroup, GivesASessionItsOwn) { expect_own_namespace("cgroup", "ns/cgroup"); }
TEST(JailNetwork, GivesASessionAnEmptyOne) { expect_own_namespace("network", "ns/net"); }

TEST(JailMounts, LeavesASessionTheHomeAlone) {
    for (const bool on : {true, false}) {
        Server server({"chroot_local_user=YES"}, ini("jail", on ? "mounts = yes" : "mounts = no"));
        Conversation ftp(server, alice);
        const auto mounts = lines_of(Facts(server.process(alices)).text("mountinfo"));
        EXPECT_EQ(mounts.size() == 1 && mounts[0].find(" / rw,nosuid") != std::string::npos, on);
    }
}

TEST(JailSystemCalls, AreFiltered) {
    for (const bool on : {true, false}) {
        Server server({"chroot_local_user=YES"},
                      ini("jail", on ? "system_calls = yes" : "system_calls = no"));
        Conversation ftp(server, alice);
        EXPECT_EQ(Facts(server.process(alices)).status("Seccomp"), on ? "2" : "0");
    }
}

TEST(JailNoSymlinks, KeepsThemFromLeadingAnywhere) {
    write_file(home_of(alice) / "files/f", "content", alice.uid);
    std::filesystem::create_symlink("f", home_of(alice) / "files/link");
    for (const bool on : {true, false}) {
        Server server({"chroot_local_user=YES"},
                      ini("jail", on ? "no_symlinks = yes" : "no_symlinks = no"));
        Conversation ftp(server, alice);
        EXPECT_EQ(ftp.retrieve("files/f"), "content");
        EXPECT_EQ(ftp.retrieve("files/link"), on ? "" : "content");
        EXPECT_THAT(ftp.began, StartsWith(on ? "550" : "150"));
    }
}

TEST(JailWritableRoot, MayBeSafeWhereTheHomeIsTheOnlyMount) {
    make_folder(home_of(alice), alice.uid);
    const auto login = [](const std::string& lines) {
        Server server({"chroot_local_user=YES"}, ini("jail", lines));
        return Conversation(server).login(alice);
    };
    EXPECT_EQ(login("writable_root = safe"), welcome);
    EXPECT_THAT(login("writable_root = refuse"), HasSubstr("writable root inside chroot()"));
    EXPECT_THAT(login("writable_root = safe\nmounts = no"),
                HasSubstr("writable root inside chroot()"));
}

TEST(JailIsolateRequired, StopsAStartWithoutALayer) {
    write_file(place("x.conf"), "listen=YES\nlocal_enable=YES\n");
    for (const auto* required : {"landlock", "yes", "no", "pid"}) {
        write_file(place("x.ini"), std::string("[jail]\nisolate_required = ") + required + '\n', 0,
                   0600);
        const auto ran = run({path_of(Program::jailftpd), "--check-config", place("x.conf"),
                              "--ini", place("x.ini")},
                             {.input = {}, .before = [] {
                                  lesser_host::without_call("landlock_create_ruleset", ENOSYS);
                              }});
        const bool stops =
            required == std::string_view("landlock") || required == std::string_view("yes");
        EXPECT_EQ(ran.status, stops ? 2 : 0) << required << ran.out;
        EXPECT_EQ(ran.out.find("isolate_required demands landlock") != std::string::npos, stops)
            << ran.out;
    }
}
