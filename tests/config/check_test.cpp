// SPDX-License-Identifier: MIT
// The start-up checks, one option at a time.
#include "config/load.hpp"
#include "config/options.hpp"
#include "folder.hpp"
#include "problems.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pwd.h>

namespace {

using config::Severity;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Check : public testing::Test {
  protected:
    void SetUp() override {
        if (::getpwnam("nobody") == nullptr) GTEST_SKIP() << "no user nobody here";
    }

    // A server for local users that starts, and these lines.
    config::Loaded checked(const std::string& lines, const std::string& ini = {}) const {
        const auto file = folder.write(
            "vsftpd.conf", "listen=YES\nanonymous_enable=NO\nlocal_enable=YES\n" + lines);
        const auto native = folder.write("jailftpd.ini", ini);
        auto loaded = config::load(config::parse_command_line({"--ini", native, file}, {}).value());
        config::check(loaded);
        return loaded;
    }
    std::vector<std::string> errors(const std::string& lines) const {
        return test::errors(checked(lines).problems);
    }
    std::vector<std::string> warnings(const std::string& lines) const {
        return test::warnings(checked(lines).problems);
    }

    test::Folder folder;
};

std::string tenant(const std::string& name, const std::string& uid) {
    return "[tenant " + name + "]\npassword = !\nhome = /srv\nuid = " + uid + "\n";
}

TEST_F(Check, HasNothingAgainstAPlainServer) {
    EXPECT_THAT(test::texts(checked("").problems), IsEmpty());
}

// The active lines of Debian's package.
TEST_F(Check, HasNothingAgainstDebiansFile) {
    EXPECT_THAT(test::texts(checked("listen=NO\nlisten_ipv6=YES\ndirmessage_enable=YES\n"
                                    "use_localtime=YES\nxferlog_enable=YES\n"
                                    "vsftpd_log_file=" +
                                    folder.path("log") +
                                    "\n"
                                    "connect_from_port_20=YES\n"
                                    "secure_chroot_dir=/var/run/vsftpd/empty\n"
                                    "pam_service_name=vsftpd\n"
                                    "rsa_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem\n"
                                    "rsa_private_key_file=/etc/ssl/private/ssl-cert-snakeoil.key\n"
                                    "ssl_enable=NO\n")
                                .problems),
                IsEmpty());
}

TEST_F(Check, StopsWhereVsftpdTellsOnlyTheClient) {
    const std::pair<std::string, std::string> cases[] = {
        {"listen_ipv6=YES", "run two copies of vsftpd for IPv4 and IPv6"},
        {"local_enable=NO", "vsftpd: both local and anonymous access disabled!"},
        {"one_process_model=YES", "vsftpd: security: 'one_process_model' is anonymous only"},
        {"ftp_enable=NO", "vsftpd: both FTP and HTTP disabled!"},
        {"anonymous_enable=YES\nftp_username=no-such-user",
         "vsftpd: cannot locate user specified in 'ftp_username':no-such-user"},
        {"guest_enable=YES\nguest_username=no-such-user",
         "vsftpd: cannot locate user specified in 'guest_username':no-such-user"},
        {"nopriv_user=no-such-user", "cannot locate user entry:no-such-user"},
        {"nopriv_user=root", "nopriv_user must not be root"},
        {"banner_file=/nonexistent/b", "cannot read banner file:/nonexistent/b"},
        {"userlist_enable=YES\nuserlist_file=/nonexistent/l",
         "cannot read user list file:/nonexistent/l"},
        {"chroot_list_enable=YES\nchroot_list_file=/nonexistent/c",
         "cannot read chroot() list file:/nonexistent/c"},
        {"anonymous_enable=YES\nftp_username=nobody\ndeny_email_enable=YES\n"
         "banned_email_file=/nonexistent/e",
         "cannot read anon e-mail list file:/nonexistent/e"},
        {"anonymous_enable=YES\nftp_username=nobody\nsecure_email_list_enable=YES\n"
         "email_password_file=/nonexistent/p",
         "cannot read email passwords file:/nonexistent/p"},
        {"xferlog_enable=YES\nvsftpd_log_file=/nonexistent/v",
         "failed to open vsftpd log file:/nonexistent/v"},
        {"xferlog_enable=YES\nxferlog_std_format=YES\nxferlog_file=/nonexistent/x",
         "failed to open xferlog log file:/nonexistent/x"},
        {"dual_log_enable=YES\nvsftpd_log_file=/dev/null\nxferlog_file=/tmp",
         "failed to open xferlog log file:/tmp"},
        {"listen_address=localhost", "bad listen_address: localhost"},
        {"listen_address6=192.0.2.1", "bad listen_address6: 192.0.2.1"},
        {"pasv_address=\"192.0.2.1\"", "invalid pasv_address: \"192.0.2.1\""},
        {"pasv_address=ftp.example.org", "invalid pasv_address: ftp.example.org"},
        {"pasv_min_port=6000\npasv_max_port=5999",
         "pasv_min_port (6000) is above pasv_max_port (5999)"},
        {"pasv_max_port=5000", "pasv_min_port (5001) is above pasv_max_port (5000)"},
        {"pasv_min_port=10\npasv_max_port=20", "pasv_max_port is below 1024"},
        {"run_as_launching_user=YES", "run_as_launching_user has no effect in this version"},
    };
    for (const auto& [lines, what] : cases)
        EXPECT_THAT(errors(lines + "\n"), ElementsAre(what)) << lines;
}

TEST_F(Check, AsksOnlyForFilesThatAreUsed) {
    EXPECT_THAT(errors("userlist_file=/nonexistent/l\nchroot_list_file=/nonexistent/c\n"
                       "banned_email_file=/nonexistent/e\nemail_password_file=/nonexistent/p\n"
                       "deny_email_enable=YES\nguest_username=no-such-user\n"
                       "ftp_username=no-such-user\nchown_username=no-such-user\n"
                       "vsftpd_log_file=/nonexistent/v\nxferlog_file=/nonexistent/x\n"
                       "rsa_cert_file=/nonexistent/r\nsecure_chroot_dir=/nonexistent/d\n"),
                IsEmpty());
    EXPECT_THAT(errors("xferlog_enable=YES\nsyslog_enable=YES\nvsftpd_log_file=/nonexistent/v\n"),
                IsEmpty());
}

TEST_F(Check, TakesListsAndLogsThatAreThere) {
    const auto list = folder.write("list", "ann\n");
    EXPECT_THAT(
        errors("userlist_enable=YES\nuserlist_file=" + list +
               "\nchroot_list_enable=YES\nchroot_list_file=" + list + "\nbanner_file=" + list +
               "\ndual_log_enable=YES\nvsftpd_log_file=" + list + "\nxferlog_file=/dev/null\n"),
        IsEmpty());
}

TEST_F(Check, MakesNoLog) {
    EXPECT_THAT(errors("xferlog_enable=YES\nvsftpd_log_file=" + folder.path("log") + "\n"),
                IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(folder.path("log")));
}

TEST_F(Check, SaysWhereTheOptionWasSet) {
    EXPECT_THAT(test::texts(checked("\nbanner_file=/nonexistent/b\n").problems),
                ElementsAre(folder.path("vsftpd.conf") +
                            ":5: error: cannot read banner file:/nonexistent/b (No such file or "
                            "directory)"));
    EXPECT_THAT(test::texts(checked("userlist_enable=YES\nuserlist_file=\n").problems),
                ElementsAre(HasSubstr(folder.path("vsftpd.conf") + ":5: error: cannot read user")));
}

TEST_F(Check, FindsAllProblemsAtOnce) {
    EXPECT_EQ(errors("listen_ipv6=YES\nlisten_address=x\npasv_address=y\nbanner_file=/nonexistent\n"
                     "nopriv_user=no-such-user\n")
                  .size(),
              5U);
}

// A loopback name needs no DNS.
TEST_F(Check, LooksUpTheNameInPasvAddress) {
    const auto loaded = checked("pasv_addr_resolve=YES\npasv_address=localhost\n");
    EXPECT_THAT(test::texts(loaded.problems), IsEmpty());
    EXPECT_EQ(loaded.configuration.options.pasv_address, "127.0.0.1");
    const auto number = checked("pasv_addr_resolve=YES\npasv_address=192.0.2.7\n");
    EXPECT_EQ(number.configuration.options.pasv_address, "192.0.2.7");
}

TEST_F(Check, StopsWhenTheNameInPasvAddressHasNoAddress) {
    EXPECT_THAT(errors("pasv_addr_resolve=YES\npasv_address=a..b\n"),
                ElementsAre("cannot resolve host:a..b"));
}

TEST_F(Check, TakesTheOptionsOfTls) {
    EXPECT_THAT(errors("ssl_enable=YES\nimplicit_ssl=YES\nforce_local_logins_ssl=NO\n"
                       "ssl_tlsv1=YES\nrequire_cert=YES\ndebug_ssl=YES\n"),
                IsEmpty());
    EXPECT_THAT(warnings("ssl_enable=YES\nssl_tlsv1=YES\nstrict_ssl_read_eof=NO\n"), IsEmpty());
    EXPECT_THAT(warnings("ssl_enable=YES\nssl_sslv3=YES\n"),
                Contains(HasSubstr("ssl_sslv3=YES has no effect")));
}

TEST_F(Check, NamesWhatHasNoEffectYetWithItsLine) {
    for (const auto& info : config::option_table()) {
        if (info.effect == config::Effect::now || info.kind != config::Kind::Flag) continue;
        config::Options options;
        const auto* other = config::value_text(options, info) == "YES" ? "NO" : "YES";
        const auto name = std::string(info.name);
        const auto loaded = checked("ssl_enable=YES\n" + name + '=' + other + '\n');
        bool named = false;
        for (const auto& problem : loaded.problems)
            named = named || (problem.option == name && problem.line == 5) || name == "ssl_enable";
        EXPECT_TRUE(named) << name;
    }
}

TEST_F(Check, IsSilentAboutTlsWhileItIsOff) {
    EXPECT_THAT(warnings("rsa_cert_file=/x\nssl_tlsv1=YES\nrequire_ssl_reuse=NO\nimplicit_ssl=YES\n"
                         "ssl_ciphers=HIGH\nforce_local_data_ssl=NO\nca_certs_file=/y\n"),
                IsEmpty());
}

TEST_F(Check, NeedsAJsonLogThatCanBeWritten) {
    const auto json = [&](const std::string& path) {
        return test::texts(checked("", "[log]\njson = " + path + '\n').problems);
    };
    const auto file = folder.path("jailftpd.ini");
    EXPECT_THAT(json(folder.path()), ElementsAre(file + ": error: failed to open JSON log file:" +
                                                 folder.path() + " (Is a directory)"));
    EXPECT_THAT(json("/nonexistent/x.json"),
                ElementsAre(file + ": error: failed to open JSON log file:/nonexistent/x.json "
                                   "(/nonexistent/: No such file or directory)"));
    EXPECT_THAT(json(folder.path("x.json")), IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(folder.path("x.json")));
}

TEST_F(Check, LooksAtEachTenantsPorts) {
    const auto of = [&](const std::string& lines, const std::string& ini) {
        return test::texts(checked(lines, tenant("ann", "1234") + ini).problems);
    };
    EXPECT_THAT(of("pasv_max_port=6000\n", "pasv_max_port = 5999\n"), IsEmpty());
    EXPECT_THAT(of("pasv_max_port=6000\n", "pasv_min_port = 6001\n"),
                ElementsAre(folder.path("jailftpd.ini") +
                            ":1: error: tenant ann: pasv_min_port (6001) is above pasv_max_port "
                            "(6000) (vsftpd would silently use any port)"));
    EXPECT_THAT(of("", "pasv_min_port = 10\npasv_max_port = 20\n"),
                ElementsAre(HasSubstr("tenant ann: pasv_max_port is below 1024")));
    EXPECT_THAT(of("pasv_max_port=20\npasv_min_port=10\n", "local_umask = 022\n"),
                ElementsAre(HasSubstr("vsftpd.conf:4: error: pasv_max_port is below 1024")));
}

TEST_F(Check, WarnsOfTenantsInRootsGroup) {
    const auto warned = [&](const std::string& ini) {
        return test::texts(checked("", tenant("ann", "1234") + ini).problems);
    };
    const auto file = folder.path("jailftpd.ini");
    EXPECT_THAT(warned("gid = 0\n"),
                ElementsAre(HasSubstr(file + ":1: warning: tenant ann has the gid 0")));
    EXPECT_THAT(warned("gid = 7\ngroups = 5, 0\n"),
                ElementsAre(HasSubstr(":1: warning: tenant ann is in the group with the gid 0")));
    EXPECT_THAT(warned("gid = 7\ngroups = 5\n"), IsEmpty());
}

// The one that is to be mended is not lost among others.
TEST_F(Check, SaysNothingThatFollowsFromAnError) {
    const auto one_of_ini = [&](const std::string& ini) {
        const auto loaded = checked("local_enable=NO\n", ini);
        EXPECT_EQ(loaded.problems.size(), 1U)
            << ini << testing::PrintToString(test::texts(loaded.problems));
    };
    one_of_ini("[tenant a]\nhome = /srv\nuid = 7\npassword: x\n");
    one_of_ini("[tenant a]\nhome = /srv\nuid: 7\npassword = !\n");
    one_of_ini("[server]\nguest_usr = x\n[tenant a]\nhome = /srv\npassword = !\n");
    one_of_ini("[tenant a\nhome = /srv\npassword = !\n");

    const auto one_of_conf = [&](const std::string& lines) {
        const auto file = folder.write("own.conf", lines);
        const auto native = folder.write("jailftpd.ini", "");
        auto loaded = config::load(config::parse_command_line({"--ini", native, file}, {}).value());
        config::check(loaded);
        EXPECT_EQ(loaded.problems.size(), 1U)
            << lines << testing::PrintToString(test::texts(loaded.problems));
    };
    one_of_conf("anonymous_enable=NO\nlocal_enabel=YES\n");
    one_of_conf("anonymous_enable=NO\nlocal_enable=YSE\n");
    one_of_conf("ftp_usernam=nobody\n");
    one_of_conf("anonymous_enable=NO\nlocal_enable=YES\npasv_minport=100\npasv_max_port=200\n");
    one_of_conf("anonymous_enable=NO\nlocal_enabel=YES\nguest_enable=YES\nguest_username=nobody\n");

    auto missing = config::load(
        config::parse_command_line({"--ini", folder.write("a.ini", ""), "/nonexistent/v"}, {})
            .value());
    config::check(missing);
    EXPECT_THAT(test::errors(missing.problems),
                ElementsAre("cannot read config file: /nonexistent/v"));
    EXPECT_EQ(errors("shoe_size=43\nbanner_file=/nonexistent/b\n").size(), 2U)
        << "what was set is looked at all the same";
}

TEST_F(Check, KnowsTenantsForUsers) {
    EXPECT_THAT(test::errors(checked("local_enable=NO\n", tenant("ann", "1234")).problems),
                IsEmpty());
}

TEST_F(Check, WarnsOfATenantThatCannotLogIn) {
    const auto loaded =
        checked("anonymous_enable=YES\nftp_username=nobody\n", tenant("FTP", "1234"));
    EXPECT_THAT(test::warnings(loaded.problems),
                ElementsAre("tenant FTP cannot log in: the name means anonymous"));
}

TEST_F(Check, WarnsOfTenantsThatShareAUidWithProcessesBeforeLogin) {
    EXPECT_THAT(test::warnings(checked("", tenant("ann", "nobody")).problems),
                ElementsAre(HasSubstr("tenant ann has the uid of nopriv_user (nobody)")));
}

TEST_F(Check, WarnsOfCommandsThatAreNone) {
    EXPECT_THAT(warnings("cmds_denied=DELE, RMD,stor\ncmds_allowed=USER,PASS\n"),
                ElementsAre("\" RMD\" is no command, so it has no effect",
                            "\"stor\" is no command, so it has no effect"));
}

TEST_F(Check, WarnsOfDirectoriesThatAreNotThere) {
    EXPECT_THAT(warnings("user_config_dir=/nonexistent/u\nlocal_root=/nonexistent/l\n"),
                ElementsAre("user_config_dir=/nonexistent/u is no directory",
                            "local_root=/nonexistent/l is no directory"));
    EXPECT_THAT(warnings("user_sub_token=$USER\nlocal_root=/nonexistent/$USER\n"), IsEmpty());
}

}  // namespace
