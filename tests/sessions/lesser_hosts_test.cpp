// SPDX-License-Identifier: MIT
// Containers, old kernels and hardened services: each is told at start what is missing and then
// serves whole sessions with the layers that are left, or it does not start (whole sessions).
#include "tests/jail/observed.hpp"
#include "tests/sessions/conversation.hpp"
#include "tests/sessions/lesser_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include <sys/capability.h>

using namespace sessions;
using observed::Facts;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto welcome = "230 Login successful.";
constexpr auto whole = "226 Transfer complete.";

const Lines both = {"chroot_local_user=YES", "anonymous_enable=YES"};

Setup on(std::function<void()> host) {
    Setup setup;
    setup.before = std::move(host);
    return setup;
}

// A system user and an anonymous one, in their folders, with all that an ordinary session does.
void expect_whole_sessions(const Server& server) {
    write_file(home_of(ftp_user) / "hello", "hello");
    Conversation anonymous(server);
    ASSERT_EQ(anonymous.login("anonymous", "x"), welcome);
    EXPECT_EQ(anonymous.retrieve("hello"), "hello");

    const auto content = noise(300'000);
    Conversation ftp(server, alice);
    for (const auto mode : {Conversation::Mode::passive, Conversation::Mode::active}) {
        ftp.mode = mode;
        EXPECT_EQ(ftp.store("files/up", content), whole);
        EXPECT_EQ(ftp.retrieve("files/up"), content);
        EXPECT_THAT(ftp.list("LIST files"), HasSubstr("up"));
    }
    EXPECT_THAT(ftp.say("RNFR files/up"), StartsWith("350"));
    EXPECT_THAT(ftp.say("RNTO files/renamed"), StartsWith("250"));
    EXPECT_THAT(ftp.say("MKD files/new"), StartsWith("257"));
    ftp.retrieve("/etc/passwd");
    EXPECT_THAT(ftp.began, StartsWith("550"));

    const Facts facts(server.process("alice"));
    EXPECT_EQ(facts.status("Uid"), "2001 2001 2001 2001");
    for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
        EXPECT_EQ(facts.status(set), "0000000000000000") << set;
    EXPECT_EQ(facts.status("NoNewPrivs"), "1");
    EXPECT_EQ(facts.status("Seccomp"), "2");
}

}  // namespace

// ----- calls that a container's filter or an old kernel does not know

struct Call {
    const char* name;
    int number;
    const char* told;  // at start; "": nothing is missing
};

void PrintTo(const Call& call, std::ostream* out) { *out << call.name; }

class WithoutCall : public testing::TestWithParam<Call> {};

TEST_P(WithoutCall, ServesWholeSessions) {
    const auto& call = GetParam();
    Server server(both, on([&] { lesser_host::without_call(call.name, call.number); }));
    expect_whole_sessions(server);
    if (*call.told == '\0')
        EXPECT_THAT(server.errors(), Not(HasSubstr("lacks")));
    else
        EXPECT_THAT(server.errors(), HasSubstr(call.told));
}

// clang-format off
INSTANTIATE_TEST_SUITE_P(
    LesserHosts, WithoutCall,
    testing::Values(
        //   call                       errno       told at start
        Call{"openat2",                 ENOSYS,     "openat2 (openat2: Function not implemented)"},
        Call{"keyctl",                  EPERM,      "keyring (keyctl: Operation not permitted)"},
        Call{"unshare",                 EPERM,      "mounts, nosymfollow (no mounts allowed: Operation not permitted)"},
        Call{"mount",                   EPERM,      "mounts, nosymfollow (no mounts allowed: Operation not permitted)"},
        Call{"pivot_root",              EPERM,      "mounts, nosymfollow (no mounts allowed: Operation not permitted)"},
        Call{"open_tree",               ENOSYS,     "mounts, nosymfollow (open_tree: Function not implemented)"},
        Call{"move_mount",              EPERM,      "mounts, nosymfollow (move_mount: Operation not permitted)"},
        Call{"mount_setattr",           ENOSYS,     "mounts, nosymfollow (mount_setattr: Function not implemented)"},
        Call{"landlock_create_ruleset", EOPNOTSUPP, "landlock (landlock_create_ruleset: Operation not supported)"},
        Call{"clone3",                  ENOSYS,     "isolation: cgroups (clone: Function not implemented)"},
        Call{"close_range",             ENOSYS,     ""},
        Call{"faccessat2",              EPERM,      ""},
        Call{"statx",                   EPERM,      ""}),
    [](const auto& each) { return each.param.name; });
// clang-format on

TEST(LesserHost, WithoutFiltersDoesNotStart) {
    write_file(place("x.conf"), "listen=YES\nlocal_enable=YES\n");
    const auto ran =
        run({path_of(Program::jailftpd), place("x.conf")},
            {.input = {}, .before = [] { lesser_host::without_call("seccomp", EINVAL); }});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("system call filters do not work here"));
}

TEST(LesserHost, ThatEndsProcessesForTryingIsToldAndDoesNotStart) {
    write_file(place("x.conf"), "listen=YES\nlocal_enable=YES\n");
    const std::pair<const char*, const char*> calls[] = {
        {"mount", "mounts, nosymfollow"},
        {"chroot", "chroot"},
        {"keyctl", "keyring"},
        {"openat2", "openat2"},
        {"landlock_create_ruleset", "landlock"},
        {"seccomp", "system calls"},
    };
    for (const auto& [call, layers] : calls) {
        const auto* deadly = call;
        const auto ran =
            run({path_of(Program::jailftpd), place("x.conf")},
                {.input = {}, .before = [deadly] { lesser_host::deadly_call(deadly); }});
        EXPECT_EQ(ran.status, 2) << call;
        EXPECT_THAT(ran.err,
                    HasSubstr(std::string("ends processes for trying ") + layers + "; let"))
            << call;
    }
}

TEST(LesserHost, WithoutProcDoesNotStart) {
#ifdef JAILFTPD_SANITIZED
    GTEST_SKIP() << "the sanitizers need it";
#endif
    write_file(place("x.conf"), "listen=YES\nlocal_enable=YES\n");
    const auto ran = run({path_of(Program::jailftpd), place("x.conf")},
                         {.input = {}, .before = lesser_host::without_proc});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("cannot start the spawner (/proc/self/exe): No such file"));
}

TEST(LesserHost, WithHiddenProcessesServesWholeSessions) {
    Server server(both, on(lesser_host::with_hidden_processes));
    expect_whole_sessions(server);
    EXPECT_THAT(server.errors(), Not(HasSubstr("lacks")));
}

TEST(LesserHost, WithoutUserNamespacesLacksNothingForRoot) {
    Server server(both, on(lesser_host::without_user_namespaces));
    expect_whole_sessions(server);
}

// ----- capabilities

TEST(LesserHost, WithoutTheRightToMountServesWholeSessionsInAChroot) {
    Server server(both, on([] { lesser_host::without_capabilities({CAP_SYS_ADMIN}); }));
    server.complained(
        "lacks layers of isolation: pid, ipc, uts, cgroup, mount \\(clone: Operation "
        "not permitted\\).*mounts, nosymfollow \\(open_tree");
    expect_whole_sessions(server);
    Conversation ftp(server, bob);
    EXPECT_EQ(Facts(server.process("bob")).link("root"), home_of(bob).string());
}

TEST(SecureChrootDir, IsTheRootBeforeALoginWhereNothingIsMounted) {
    const std::string folder = place("bare");
    std::filesystem::create_directories(folder);
    const std::string line = "secure_chroot_dir=" + folder;
    for (const bool mounts : {false, true}) {
        Server server({line}, on([&] {
                          if (!mounts) lesser_host::without_capabilities({CAP_SYS_ADMIN});
                      }));
        const Conversation ftp(server);
        EXPECT_THAT(ftp.greeting, StartsWith("220"));
        EXPECT_EQ(Facts(server.process("127.0.0.1")).link("root"), mounts ? "/" : folder);
    }
}

// What Docker leaves, and then less.
TEST(LesserHost, InAContainerServesWholeSessions) {
    for (const bool bare : {false, true}) {
        std::vector<int> kept = {CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_SYS_CHROOT, CAP_KILL};
        if (!bare)
            kept.insert(kept.end(),
                        {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_NET_BIND_SERVICE,
                         CAP_NET_RAW, CAP_MKNOD, CAP_AUDIT_WRITE, CAP_SETFCAP});
        std::vector<int> taken;
        for (int each = 0; each <= CAP_LAST_CAP; ++each) {
            if (std::find(kept.begin(), kept.end(), each) == kept.end()) taken.push_back(each);
        }
        Server server(both, on([&] {
                          for (const auto* call : {"keyctl", "open_tree", "mount"})
                              lesser_host::without_call(call, EPERM);
                          lesser_host::without_capabilities(taken);
                      }));
        expect_whole_sessions(server);
        std::filesystem::remove_all(home_of(alice) / "files/new");
    }
}

TEST(LesserHost, WithoutARightThatJailsNeedDoesNotStart) {
    const std::pair<int, const char*> rights[] = {{CAP_SYS_CHROOT, "CAP_SYS_CHROOT"},
                                                  {CAP_SETUID, "CAP_SETUID and CAP_SETGID"},
                                                  {CAP_SETGID, "CAP_SETUID and CAP_SETGID"},
                                                  {CAP_SETPCAP, "CAP_SETPCAP"},
                                                  {CAP_KILL, "CAP_KILL"}};
    write_file(place("x.conf"), "listen=YES\nlocal_enable=YES\n");
    for (const auto& [right, name] : rights) {
        for (const bool check : {false, true}) {
            std::vector<std::string> words = {path_of(Program::jailftpd), place("x.conf")};
            if (check) words.emplace_back("--check-config");
            const auto taken = right;
            const auto ran = run(words, {.input = {}, .before = [taken] {
                                             lesser_host::without_capabilities({taken});
                                         }});
            EXPECT_EQ(ran.status, 2) << name;
            EXPECT_THAT(check ? ran.out : ran.err,
                        HasSubstr(std::string("error: root lacks rights here without which no "
                                              "session can be confined")))
                << name;
            EXPECT_THAT(check ? ran.out : ran.err,
                        HasSubstr(std::string("give the container or service ") + name + ", or"));
        }
    }
}
