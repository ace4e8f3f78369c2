// SPDX-License-Identifier: MIT
// The file of one user in user_config_dir, and the one of a connection.
#include "config/user_file.hpp"

#include "config/options.hpp"
#include "folder.hpp"
#include "problems.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(UserFile, ChangesTheUsersOptions) {
    const test::Folder folder;
    folder.write("ann", "# ann's\nlocal_root=/srv/ann\nwrite_enable=YES\nlocal_umask=022\n");
    const auto file = config::read_user_file(folder.path(), "ann", ::geteuid());
    EXPECT_THAT(test::texts(file.problems), IsEmpty());
    config::Options options;
    options.max_clients = 3;
    ASSERT_TRUE(config::apply_overrides(options, file.overrides));
    EXPECT_EQ(options.local_root, "/srv/ann");
    EXPECT_TRUE(options.write_enable);
    EXPECT_EQ(options.local_umask, 022U);
    EXPECT_EQ(options.max_clients, 3U);
}

// A user may be given back what the main file took away.
TEST(UserFile, MaySetAnOptionToItsDefault) {
    const test::Folder folder;
    folder.write("ann", "download_enable=YES\nlocal_root=\n");
    config::Options options;
    options.download_enable = false;
    options.local_root = "/srv";
    const auto file = config::read_user_file(folder.path(), "ann", ::geteuid());
    ASSERT_TRUE(config::apply_overrides(options, file.overrides));
    EXPECT_TRUE(options.download_enable);
    EXPECT_EQ(options.local_root, "");
}

TEST(UserFile, IsNothingWhenThereIsNone) {
    const test::Folder folder;
    folder.write("sub/ann", "nonsense\n");
    for (const auto* name : {"bob", "sub/ann", "../ann", "..", ".", ""}) {
        const auto file = config::read_user_file(folder.path(), name, ::geteuid());
        EXPECT_THAT(test::texts(file.problems), IsEmpty()) << name;
        EXPECT_EQ(file.overrides, "");
    }
    EXPECT_THAT(config::read_user_file("", "ann", ::geteuid()).problems, IsEmpty());
    EXPECT_THAT(config::read_user_file("/nonexistent", "ann", ::geteuid()).problems, IsEmpty());
}

TEST(UserFile, SaysWhatCannotBeChangedForOneUser) {
    const test::Folder folder;
    const auto path =
        folder.write("ann", "chroot_local_user=YES\nmax_per_ip=2\nwrite_enable=YES\n");
    const auto file = config::read_user_file(folder.path(), "ann", ::geteuid());
    EXPECT_THAT(test::texts(file.problems),
                ElementsAre(path + ":1: warning: chroot_local_user has no effect for one user (who "
                                   "is jailed is decided before this file is read; use "
                                   "chroot_list_file in the main file)",
                            path + ":2: warning: max_per_ip has no effect for one user (it is used "
                                   "up before the user is known; set it in the main file)"));
    EXPECT_EQ(file.overrides, std::string("write_enable=YES\0", 17));
}

TEST(UserFile, GivesNothingWhenALineIsWrong) {
    const test::Folder folder;
    for (const auto* wrong : {"write_enabel=YES\n", "write_enable=maybe\n", "max_clients=\n"}) {
        folder.write("ann", std::string("local_root=/srv\n") + wrong);
        const auto file = config::read_user_file(folder.path(), "ann", ::geteuid());
        EXPECT_TRUE(config::any_error(file.problems)) << wrong;
        EXPECT_EQ(file.overrides, "") << wrong;
    }
}

TEST(UserFile, TakesWhatVsftpdTakesWithAWarning) {
    const test::Folder folder;
    const auto path = folder.write(
        "ann", "local_max_rate=x\npasv_min_port=70000\npasv_address=ftp.example.org\n");
    const auto file = config::read_user_file(folder.path(), "ann", ::geteuid());
    EXPECT_THAT(test::texts(file.problems),
                ElementsAre(HasSubstr(":1: warning: \"x\" is no number for: local_max_rate"),
                            HasSubstr(":2: warning: 70000 is out of range for: pasv_min_port"),
                            HasSubstr(":3: warning: invalid pasv_address: ftp.example.org")));
    EXPECT_EQ(file.overrides, std::string("local_max_rate=0\0pasv_min_port=4464\0", 36));
}

TEST(UserFile, MustBelongToTheServersUser) {
    const test::Folder folder;
    folder.write("ann", "write_enable=YES\n");
    const auto file = config::read_user_file(folder.path(), "ann", ::geteuid() + 1);
    EXPECT_THAT(test::errors(file.problems),
                ElementsAre("config file not owned by correct user, or not a file"));
    EXPECT_EQ(file.overrides, "");
}

TEST(UserFile, MayNotBeADirectory) {
    const test::Folder folder;
    folder.write("ann/x", "");
    const auto file = config::read_user_file(folder.path(), "ann", ::geteuid());
    EXPECT_TRUE(config::any_error(file.problems));
}

TEST(UserFile, SaysWhatHasNoEffect) {
    const test::Folder folder;
    folder.write("ann", "bind_retries=5\n");
    const auto file = config::read_user_file(folder.path(), "ann", ::geteuid());
    EXPECT_THAT(test::texts(file.problems),
                ElementsAre(HasSubstr("bind_retries has no effect (all ports between")));
}

// ----- of a connection

struct PeerFile : testing::Test {
    config::OwnFile read(const std::string& content) const {
        return config::read_peer_file(folder.write("peer", content), ::geteuid(), configuration);
    }
    test::Folder folder;
    config::Configuration configuration;
};

TEST_F(PeerFile, ChangesWhatIsNotUsedUpYet) {
    const auto file = read("local_enable=YES\nanon_max_rate=1000\nftpd_banner=Hello there\n");
    EXPECT_THAT(test::texts(file.problems), IsEmpty());
    config::Options options;
    ASSERT_TRUE(config::apply_overrides(options, file.overrides));
    EXPECT_TRUE(options.local_enable);
    EXPECT_EQ(options.anon_max_rate, 1000U);
    EXPECT_EQ(options.ftpd_banner, "Hello there");
}

TEST_F(PeerFile, SaysWhatCannotBeChangedForOneConnection) {
    const auto file = read("max_clients=1\nbanner_file=/etc/motd\n");
    EXPECT_THAT(test::texts(file.problems),
                ElementsAre(folder.path("peer") +
                                ":1: warning: max_clients has no effect for one connection (it is "
                                "used up before the connection comes; set it in the main file)",
                            folder.path("peer") +
                                ":2: warning: banner_file has no effect for one connection (it is "
                                "used up before the connection comes; set it in the main file)"));
    EXPECT_EQ(file.overrides, "");
}

TEST_F(PeerFile, MayRepeatWhatTheServerHas) {
    configuration.options.max_clients = 7;
    EXPECT_THAT(test::texts(read("max_clients=7\nssl_enable=NO\n").problems), IsEmpty());
}

TEST_F(PeerFile, PromisesNoProtectionThatItCannotGive) {
    for (const auto* option : {"ssl_enable", "require_cert", "implicit_ssl"})
        EXPECT_THAT(test::errors(read(std::string(option) + "=YES\n").problems),
                    ElementsAre(std::string(option) + " cannot be set for one connection"));
    EXPECT_THAT(test::errors(read("userlist_file=/etc/other\n").problems),
                ElementsAre("userlist_file cannot be set for one connection"));
}

TEST_F(PeerFile, GivesNothingWhenALineIsWrong) {
    for (const auto* wrong : {"write_enabel=YES\n", "write_enable=maybe\n"}) {
        const auto file = read(std::string("ftpd_banner=x\n") + wrong);
        EXPECT_TRUE(config::any_error(file.problems)) << wrong;
        EXPECT_EQ(file.overrides, "") << wrong;
    }
}

TEST_F(PeerFile, MustBeThereAndTheServersUsers) {
    const auto path = folder.write("peer", "ftpd_banner=x\n");
    const auto strangers = config::read_peer_file(path, ::geteuid() + 1, configuration);
    EXPECT_THAT(test::errors(strangers.problems),
                ElementsAre("config file not owned by correct user, or not a file"));
    const auto missing = config::read_peer_file("/nonexistent/p", ::geteuid(), configuration);
    EXPECT_THAT(test::errors(missing.problems),
                ElementsAre("cannot read config file: /nonexistent/p"));
}

// The rule may be "setenv VSFTPD_LOAD_CONF /etc/vsftpd/%u", and %u is what the client says.
TEST_F(PeerFile, IsNotFoundByClimbing) {
    folder.write("peers/ann", "");
    folder.write("peer", "ftpd_banner=x\n");
    const auto file =
        config::read_peer_file(folder.path("peers/../peer"), ::geteuid(), configuration);
    EXPECT_THAT(test::errors(file.problems), ElementsAre(HasSubstr("cannot read config file")));
    EXPECT_EQ(file.overrides, "");
}

TEST_F(PeerFile, LeavesSomebodyToLogIn) {
    EXPECT_THAT(test::errors(read("anonymous_enable=NO\n").problems),
                ElementsAre("vsftpd: both local and anonymous access disabled!"));
    EXPECT_THAT(test::errors(read("anonymous_enable=NO\nlocal_enable=YES\n").problems), IsEmpty());
    configuration.tenants.resize(1);
    EXPECT_THAT(test::errors(read("anonymous_enable=NO\n").problems), IsEmpty());
}

}  // namespace
