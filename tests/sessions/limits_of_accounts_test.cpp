// SPDX-License-Identifier: MIT
// Cgroups of the server and of accounts with limits (whole sessions). Where there are controllers
// the limits themselves are read back as well.
#include "jail/cgroups.hpp"
#include "tests/jail/observed.hpp"
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

using namespace sessions;
using observed::Facts;
using testing::HasSubstr;

namespace {

constexpr auto welcome = "230 Login successful.";

// A server in a cgroup of its own, which goes with the test.
class LimitsOfAccounts : public testing::Test {
  protected:
    void SetUp() override {
        auto own = jail::own_cgroup();
        if (!own) GTEST_SKIP() << own.error().text();
        own_ = std::move(own.value());
        auto top = jail::make_cgroup(own_, name_);
        if (!top) GTEST_SKIP() << top.error().text();
        top_ = std::move(top.value());
        // Descriptors of the test are closed there.
        setup_.before = [name = name_] {
            const auto above = jail::own_cgroup();
            const auto its = above ? jail::make_cgroup(above.value(), name) : above.error();
            if (!its || !jail::move_into(its.value(), ::getpid())) ::_exit(9);
        };
        setup_.ini =
            tenant("tess", "secret", {"memory = 64M", "processes = 7"}) + tenant("free", "secret");
    }
    void TearDown() override {
        if (!top_) return;
        EXPECT_TRUE(eventually([this] {
            for (const auto* leaf : {"jailftpd-supervisor", "jailftpd-cells"})
                jail::remove_cgroup(top_, leaf);
            jail::remove_cgroup(own_, name_);
            return ::faccessat(own_.get(), name_.c_str(), F_OK, 0) != 0;
        })) << "something is left in the cgroup";
    }

    [[nodiscard]] std::string leaf(pid_t pid) const {
        for (const auto& line : lines_of(Facts(pid).text("cgroup"))) {
            const auto at = line.find(name_ + '/');
            if (line.starts_with("0::") && at != line.npos) return line.substr(at + name_.size());
        }
        return "";
    }
    [[nodiscard]] bool there(const char* leaf) const {
        return ::faccessat(top_.get(), leaf, F_OK, 0) == 0;
    }

    const std::string name_ =
        "sessions-test-" + std::to_string(::getpid()) + '-' + place().filename().string();
    base::Fd own_;
    base::Fd top_;
    sessions::Setup setup_;
    const Lines lines_ = {"allow_writeable_chroot=YES"};
};

}  // namespace

// The greeter and the authenticator that ended with the login have the account's name in their
// titles, too, and may still be there.
TEST_F(LimitsOfAccounts, AreALeafOfTheAccountAsLongAsItHasSessions) {
    const Server server(lines_, setup_);
    Conversation one(server);
    ASSERT_EQ(one.login("tess", "secret"), welcome);
    EXPECT_EQ(leaf(server.process("tess 127.0.0.1 [session]")), "/jailftpd-tenant-tess");
    EXPECT_EQ(leaf(server.pid()), "/jailftpd-supervisor");
    EXPECT_EQ(leaf(server.process("[spawner]")), "/jailftpd-cells");
    for (const auto& each : server.processes("[greeter]"))
        EXPECT_EQ(leaf(each.pid), "/jailftpd-cells");
    {
        Conversation other(server);
        ASSERT_EQ(other.login("free", "secret"), welcome);
        EXPECT_EQ(leaf(server.process("free 127.0.0.1 [session]")), "/jailftpd-cells");
        Conversation two(server);
        ASSERT_EQ(two.login("tess", "secret"), welcome);
        for (const auto& each : server.processes("tess 127.0.0.1 [session]"))
            EXPECT_EQ(leaf(each.pid), "/jailftpd-tenant-tess");
    }
    EXPECT_TRUE(
        eventually([&] { return server.processes("tess 127.0.0.1 [session]").size() == 1; }));
    EXPECT_TRUE(there("jailftpd-tenant-tess"));
    EXPECT_EQ(one.say("QUIT"), "221 Goodbye.");
    EXPECT_TRUE(eventually([&] { return !there("jailftpd-tenant-tess"); }));
}

TEST_F(LimitsOfAccounts, AreToldWhereTheyCannotBeHad) {
    const char* const needed[] = {"memory", "pids"};
    if (jail::not_to_be_had(needed).empty()) GTEST_SKIP() << "they can be had here";
    {
        const Server server(lines_, setup_);
        EXPECT_NE(server.complained("no controllers for limits of accounts: memory, pids"), "");
    }
    write_file(place("x.conf"), "listen=YES\nlisten_port=2121\nlocal_enable=YES\n");
    write_file(place("x.ini"), setup_.ini + "[jail]\nisolate_required = limits\n");
    std::filesystem::permissions(place("x.ini"), std::filesystem::perms(0600));
    for (const auto* how : {"--check-config", "-obackground=NO"}) {
        const auto ran = run(
            {path_of(Program::jailftpd), place("x.conf"), "--ini", place("x.ini").string(), how});
        EXPECT_NE(ran.status, 0) << how;
        EXPECT_THAT(ran.out + ran.err, HasSubstr("isolate_required demands limits")) << how;
    }
}
