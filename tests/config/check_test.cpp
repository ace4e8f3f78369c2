// SPDX-License-Identifier: MIT
// The start-up checks, one option at a time.
#include "config/load.hpp"
#include "config/options.hpp"
#include "folder.hpp"
#include "problems.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

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
        auto loaded = config::load(
            config::parse_command_line({"--ini", native, file, "-opam_service_name=other"}, {})
                .value());
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
                                    "rsa_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem\n"
                                    "rsa_private_key_file=/etc/ssl/private/ssl-cert-snakeoil.key\n"
                                    "ssl_enable=NO\n")
                                .problems),
                IsEmpty());
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

TEST_F(Check, LooksUpTheUserOfProcessesBeforeLogin) {
    const auto* entry = ::getpwnam("nobody");
    if (entry == nullptr) GTEST_SKIP() << "needs the user nobody";
    const auto found = checked("nopriv_user=nobody\n").configuration.nobody;
    EXPECT_EQ(found.uid, entry->pw_uid);
    EXPECT_EQ(found.gid, entry->pw_gid);
}

TEST_F(Check, FindsAllProblemsAtOnce) {
    EXPECT_EQ(errors("listen_ipv6=YES\nlisten_address=x\nftp_enable=NO\nbanner_file=/nonexistent\n"
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
    const auto pem = "rsa_cert_file=" + folder.write("pem", "", 0600) + '\n';
    EXPECT_THAT(errors(pem + "ssl_enable=YES\nimplicit_ssl=YES\nforce_local_logins_ssl=NO\n"
                             "ssl_tlsv1=YES\nrequire_cert=YES\ndebug_ssl=YES\n"),
                IsEmpty());
    EXPECT_THAT(warnings(pem + "ssl_enable=YES\nssl_tlsv1=YES\nstrict_ssl_read_eof=NO\n"),
                IsEmpty());
    EXPECT_THAT(warnings("ssl_enable=YES\nssl_sslv3=YES\n"),
                Contains(HasSubstr("ssl_sslv3=YES has no effect")));
}

TEST_F(Check, NeedsTheFilesOfTls) {
    const auto pem = folder.write("pem", "");
    const std::pair<std::string, std::string> cases[] = {
        {"", "SSL: cannot load RSA certificate: /usr/share/ssl/certs/vsftpd.pem"},
        {"rsa_cert_file=/nonexistent/c", "SSL: cannot load RSA certificate: /nonexistent/c"},
        {"rsa_cert_file=" + pem + "\nrsa_private_key_file=/nonexistent/k",
         "SSL: cannot load RSA private key: /nonexistent/k"},
        {"rsa_cert_file=\ndsa_cert_file=/nonexistent/d",
         "SSL: cannot load DSA certificate: /nonexistent/d"},
        {"rsa_cert_file=" + pem + "\nca_certs_file=/nonexistent/a",
         "SSL: could not load verify file: /nonexistent/a"},
        {"rsa_cert_file=", "SSL: there is no certificate"},
    };
    for (const auto& [lines, what] : cases)
        EXPECT_THAT(errors("ssl_enable=YES\n" + lines + '\n'), ElementsAre(what)) << lines;
    EXPECT_THAT(test::texts(checked("ssl_enable=YES\nrsa_cert_file=/nonexistent/c\n").problems),
                ElementsAre(folder.path("vsftpd.conf") +
                            ":5: error: SSL: cannot load RSA certificate: /nonexistent/c (No such "
                            "file or directory)"));
}

TEST_F(Check, DoesWithoutTlsWhereNobodyIsForced) {
    const std::string none = "ssl_enable=YES\nrsa_cert_file=\n";
    const std::string free = "force_local_logins_ssl=NO\nforce_local_data_ssl=NO\n";
    const auto loaded = checked(none + free);
    EXPECT_THAT(test::texts(loaded.problems),
                ElementsAre(HasSubstr("ssl_enable=YES has no effect without a certificate")));
    EXPECT_FALSE(loaded.configuration.options.ssl_enable);
    for (const auto* forced :
         {"force_local_logins_ssl=YES\n", "force_local_data_ssl=YES\n", "implicit_ssl=YES\n",
          "anonymous_enable=YES\nftp_username=nobody\nforce_anon_data_ssl=YES\n"})
        EXPECT_THAT(errors(none + free + forced), ElementsAre("SSL: there is no certificate"))
            << forced;
}

TEST_F(Check, NamesAListThatLetsNobodyIn) {
    const std::string list =
        "userlist_enable=YES\nuserlist_deny=NO\nuserlist_file=" + folder.write("list", "ann\n") +
        "\n";
    EXPECT_THAT(warnings(list), IsEmpty());
    EXPECT_THAT(
        warnings(list +
                 "local_enable=NO\nanonymous_enable=YES\nanon_root=/\nftp_username=nobody\n"),
        ElementsAre(HasSubstr("userlist_deny=NO lets nobody in without local users")));
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
    EXPECT_THAT(warnings("rsa_cert_file=/x\nssl_tlsv1=YES\nrequire_ssl_reuse=NO\n"
                         "ssl_ciphers=HIGH\nforce_local_data_ssl=NO\nca_certs_file=/y\n"),
                IsEmpty());
}

TEST_F(Check, NeedsAJsonLogThatCanBeWritten) {
    const auto json = [&](const std::string& path) {
        return test::texts(checked("", "[log]\njson = " + path + '\n').problems);
    };
    const auto file = folder.path("jailftpd.ini");
    EXPECT_THAT(json(folder.path()), ElementsAre(file + ":2: error: failed to open JSON log file:" +
                                                 folder.path() + " (Is a directory)"));
    EXPECT_THAT(json("/nonexistent/x.json"),
                ElementsAre(file + ":2: error: failed to open JSON log file:/nonexistent/x.json "
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
                            ":1: warning: tenant ann: pasv_min_port (6001) is above pasv_max_port "
                            "(6000) (then pasv_max_port does not count, as with vsftpd: the "
                            "highest port is 65535)"));
    EXPECT_THAT(of("", "pasv_max_port = 20\n"),
                ElementsAre(HasSubstr("tenant ann: pasv_max_port is below 1024")));
    EXPECT_THAT(of("pasv_max_port=20\n", "local_umask = 022\n"),
                ElementsAre(HasSubstr("vsftpd.conf:4: warning: pasv_max_port is below 1024")));
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
        checked("anonymous_enable=YES\nanon_root=/\nftp_username=nobody\n", tenant("FTP", "1234"));
    EXPECT_THAT(test::warnings(loaded.problems),
                ElementsAre("tenant FTP cannot log in: the name means anonymous"));
}

TEST_F(Check, WarnsOfTenantsThatShareAUidWithProcessesBeforeLogin) {
    EXPECT_THAT(test::warnings(checked("", tenant("ann", "nobody")).problems),
                ElementsAre(HasSubstr("tenant ann has the uid of nopriv_user (nobody)")));
}

TEST_F(Check, LooksForNoFolderThatDependsOnTheUser) {
    EXPECT_THAT(warnings("user_sub_token=$USER\nlocal_root=/nonexistent/$USER\n"), IsEmpty());
}

// ----- logins by certificate

TEST_F(Check, WantsAllThatLoginsByCertificateNeed) {
    const auto pem = folder.write("pem", "", 0600);
    const auto enabled = "ssl_enable=YES\nrsa_cert_file=" + pem + '\n';
    const auto tls = enabled + "ca_certs_file=" + pem + '\n';
    const std::string ini = "[tls]\ncert_username_field = commonName\n";
    const auto objections = [&](const std::string& lines, const std::string& native) {
        return test::errors(checked(lines, native).problems);
    };
    EXPECT_THAT(objections(tls, ini), IsEmpty());
    EXPECT_THAT(objections(tls + "ssl_request_cert=NO\nrequire_cert=YES\n", ini), IsEmpty());
    const auto place = folder.path("jailftpd.ini") + ":2: error: cert_username_field ";
    EXPECT_THAT(test::texts(checked("", ini).problems),
                ElementsAre(place + "needs TLS (set ssl_enable=YES in "
                                    "vsftpd.conf)"));
    EXPECT_THAT(objections(tls + "ssl_tlsv1_3=NO\n", ini),
                ElementsAre(HasSubstr("cert_username_field needs TLS 1.3")));
    EXPECT_THAT(objections(tls + "ssl_request_cert=NO\n", ini),
                ElementsAre(HasSubstr("no client is asked for a certificate")));
    EXPECT_THAT(objections(enabled, ini), ElementsAre(HasSubstr("there is no issuer to believe")));
    EXPECT_THAT(objections(tls, "[tls]\ncert_username_field = subject\n"),
                ElementsAre(HasSubstr("no account's name is a whole subject")));
    EXPECT_THAT(objections(tls, "[tls]\ncert_username_field = subject\n" + tenant("ann", "61000") +
                                    "certificate = CN=ann\n"),
                IsEmpty());
    EXPECT_THAT(objections(tls, "[tls]\ncert_username_field = uid\n"),
                ElementsAre(HasSubstr("cert_username_field is commonName, subject, rfc822Name")));
    EXPECT_THAT(objections(tls, tenant("ann", "61000") + "certificate = CN=ann\n"),
                ElementsAre(HasSubstr("tenant ann has a certificate, and cert_username_field is "
                                      "empty")));
    EXPECT_THAT(objections(tls, tenant("ann", "61000") + "certificate =\n"),
                ElementsAre(HasSubstr("certificate is what cert_username_field names")));
}

TEST_F(Check, WantsAMapThatRootAloneCouldWrite) {
    const auto pem = folder.write("pem", "", 0600);
    const auto lines = "ssl_enable=YES\nrsa_cert_file=" + pem + "\nca_certs_file=" + pem + '\n';
    const auto map = folder.write("map", "ann CN=ann\n");
    const auto ini = "cert_username_map = " + map + '\n';
    const auto objections = [&] {
        return test::errors(
            checked(lines, "[tls]\ncert_username_field = subject\n" + ini).problems);
    };
    EXPECT_THAT(objections(), IsEmpty());
    EXPECT_THAT(test::errors(checked(lines, "[tls]\n" + ini).problems),
                ElementsAre(HasSubstr("cert_username_map says nothing without")));
    ASSERT_EQ(::chmod(map.c_str(), 0664), 0);
    EXPECT_THAT(objections(),
                ElementsAre(HasSubstr("others than its owner may write to the file")));
    ASSERT_EQ(::chmod(map.c_str(), 0644), 0);
    (void)folder.write("map", "ann CN=ann\n-ann CN=x\nbob\n");
    EXPECT_THAT(
        test::texts(checked(lines, "[tls]\ncert_username_field = subject\n" + ini).problems),
        ElementsAre(HasSubstr(map + ":2: error: \"-ann\" is no name for an account"),
                    HasSubstr(map + ":3: error: nothing stands behind the account bob")));
    ASSERT_EQ(::unlink(map.c_str()), 0);
    EXPECT_THAT(objections(), ElementsAre(HasSubstr("cannot read it: No such file")));
}

}  // namespace
