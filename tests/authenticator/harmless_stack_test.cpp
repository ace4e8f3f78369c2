// SPDX-License-Identifier: MIT
// Which PAM services leave a process as it was, and for how long that is so.
#include "authenticator/harmless_stack.hpp"

#include "tests/config/folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view debians =
    "# as Debian has it\n"
    "auth\trequired\tpam_listfile.so item=user sense=deny file=/etc/ftpusers onerr=succeed\n"
    "@include common-account\n"
    "@include common-session\n"
    "@include common-auth\n"
    "auth required pam_shells.so\n";

struct HarmlessStack : testing::Test {
    test::Folder folder;

    void SetUp() override {
        folder.write("other", "auth required pam_exec.so x\naccount required pam_exec.so x\n");
        folder.write("common-account",
                     "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n"
                     "account requisite pam_deny.so\naccount required pam_permit.so\n");
        folder.write("common-session", "session optional pam_systemd.so\n");
        folder.write("common-auth",
                     "auth [success=1 default=ignore] pam_unix.so nullok\n"
                     "auth requisite pam_deny.so\nauth required pam_permit.so\n"
                     "auth optional pam_cap.so\n");
        folder.write("capability.conf", "# a comment\n\nnone  *\n");
        folder.write("vsftpd", debians);
    }
    [[nodiscard]] authenticator::HarmlessStack stack(std::time_t tick = 0) const {
        return authenticator::HarmlessStack("vsftpd", {folder.path(), folder.path("vendor")},
                                            folder.path("capability.conf"), tick);
    }
    [[nodiscard]] bool holds(std::string_view service) const {
        folder.write("vsftpd", service);
        return stack().holds();
    }
};

TEST_F(HarmlessStack, IsDebians) { EXPECT_TRUE(stack().holds()); }

TEST_F(HarmlessStack, IsNoneWithAModuleOfWhichLessIsKnown) {
    const std::string account = "account required pam_unix.so\n";
    EXPECT_TRUE(holds("auth required pam_unix.so\n" + account));
    for (const auto* line : {
             "auth required pam_ldap.so",
             "auth optional pam_group.so",
             "-auth optional pam_group.so",
             "AUTH optional pam_group.so",
             "account required pam_exec.so /bin/true",
             "auth required /home/ann/pam_unix.so",
             "auth required ../pam_unix.so",
             "auth substack foreign",
             "auth include foreign",
             "@include foreign",
         }) {
        folder.write("foreign", "auth required pam_python.so x\n");
        EXPECT_FALSE(holds("auth required pam_unix.so\n" + account + line + '\n')) << line;
    }
}

// Of modules for sessions and for new passwords none runs.
TEST_F(HarmlessStack, IsAskedForAPasswordOnly) {
    EXPECT_TRUE(
        holds("auth required pam_unix.so\naccount required pam_unix.so\n"
              "session required pam_limits.so\npassword required pam_pwquality.so\n"));
}

// PAM and we must read the same.
TEST_F(HarmlessStack, IsNoneWhereALineIsDoubtful) {
    const std::string good = "auth required pam_unix.so\naccount required pam_unix.so\n";
    for (const auto& more :
         {std::string("auth required \\\npam_unix.so\n"), std::string("auth required\n"),
          std::string("login auth x y.so\n"), std::string("@include nowhere\n"),
          std::string("auth\0x\n", 7), "# " + std::string(1000, 'x') + '\n'})
        EXPECT_FALSE(holds(good + more)) << more;
    EXPECT_FALSE(holds("@include vsftpd\n" + good));
}

TEST_F(HarmlessStack, HasBothPhases) {
    EXPECT_FALSE(holds("auth required pam_unix.so\n"));
    EXPECT_FALSE(holds("account required pam_unix.so\n"));
    std::filesystem::remove(folder.path("vsftpd"));
    folder.write("other", "auth required pam_unix.so\naccount required pam_unix.so\n");
    EXPECT_FALSE(stack().holds());
}

// What is included for another phase is not the service's: "other" is asked then.
TEST_F(HarmlessStack, HasBothPhasesItself) {
    folder.write("all", "auth required pam_unix.so\naccount required pam_unix.so\n");
    EXPECT_FALSE(holds("account required pam_unix.so\nsession include all\n"));
    EXPECT_TRUE(holds("account required pam_unix.so\nauth include all\n"));
}

TEST_F(HarmlessStack, GivesNobodyCapabilities) {
    for (const auto* harmless : {"", "# cap_net_raw ann\n", "none ann bob\nnone\t*\n"}) {
        folder.write("capability.conf", harmless);
        EXPECT_TRUE(stack().holds()) << harmless;
    }
    for (const auto* given : {"cap_net_raw ann\nnone *\n", "all ann\n", " ^cap_chown *\n"}) {
        folder.write("capability.conf", given);
        EXPECT_FALSE(stack().holds()) << given;
    }
    std::filesystem::remove(folder.path("capability.conf"));
    EXPECT_TRUE(stack().holds());
    const auto with_words = std::string(debians) + "auth optional pam_cap.so config=/tmp/x\n";
    EXPECT_FALSE(holds(with_words));
}

TEST_F(HarmlessStack, HoldsUntilAFileChanges) {
    for (const auto* name : {"vsftpd", "common-auth", "common-session", "capability.conf"}) {
        SetUp();
        auto before = stack();
        ASSERT_TRUE(before.holds());
        const auto content = std::filesystem::file_size(folder.path(name));
        folder.write(name, std::string(content, '#'));  // as long as it was
        EXPECT_FALSE(before.holds()) << name;
    }
}

TEST_F(HarmlessStack, NoticesAFileThatTakesTheOthersPlace) {
    std::filesystem::create_directory(folder.path("vendor"));
    std::filesystem::rename(folder.path("common-auth"), folder.path("vendor/common-auth"));
    auto before = stack();
    ASSERT_TRUE(before.holds());
    folder.write("common-auth", "auth required pam_exec.so x\n");
    EXPECT_FALSE(before.holds());
    before.look_again();
    EXPECT_FALSE(before.holds());
    std::filesystem::remove(folder.path("common-auth"));
    before.look_again();
    EXPECT_TRUE(before.holds());
}

// Within a tick of its clock the file could change and keep its time.
TEST_F(HarmlessStack, DoesNotHoldWhileAFileIsNew) {
    auto early = stack(3600);
    EXPECT_FALSE(early.holds());
    early.look_again();
    EXPECT_FALSE(early.holds());
}

}  // namespace
