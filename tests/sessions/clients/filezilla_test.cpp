// SPDX-License-Identifier: MIT
// What FileZilla says, scripted: two connections at once, listings by MLSD, times kept by MFMT,
// transfers resumed; on a server configured as hosting panels do.
#include "tests/sessions/clients/client.hpp"
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>

using namespace sessions;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace fs = std::filesystem;

namespace {

// One root-owned folder per customer, with the customer's folders in it.
fs::path customer(const Account& account) { return place("srv/jail") / account.name; }

Lines panel() {
    return {
        "local_umask=022",
        "anon_umask=022",
        "anon_upload_enable=NO",
        "dirmessage_enable=YES",
        "xferlog_std_format=YES",
        "connect_from_port_20=YES",
        "chroot_local_user=YES",
        "pam_service_name=vsftpd",
        "ftpd_banner=Welcome! Please note that all activity is logged.",
        "userlist_enable=NO",
        "force_dot_files=YES",
        "ascii_upload_enable=YES",
        "ascii_download_enable=YES",
        "allow_writeable_chroot=NO",
        "local_root=" + place("srv/jail/%u").string(),
        "user_sub_token=%u",
        "seccomp_sandbox=NO",
        "pasv_enable=YES",
        "pasv_promiscuous=YES",
        "pasv_min_port=12000",
        "pasv_max_port=12100",
        "max_per_ip=10",
        "max_clients=100",
        "use_localtime=NO",
        "utf8_filesystem=YES",
    };
}

// As FileZilla 3 logs in when the server has no TLS.
void log_in(Conversation& ftp, const Account& account) {
    EXPECT_EQ(ftp.greeting, "220 Welcome! Please note that all activity is logged.");
    EXPECT_THAT(ftp.say("AUTH TLS"), StartsWith("5"));
    EXPECT_THAT(ftp.say("AUTH SSL"), StartsWith("5"));
    EXPECT_THAT(ftp.say("USER " + account.name), StartsWith("331"));
    EXPECT_THAT(ftp.say("PASS " + account.password), StartsWith("230"));
    EXPECT_THAT(ftp.say("SYST"), StartsWith("215 UNIX"));
    const auto features = ftp.say("FEAT");
    for (const auto* feature : {" CLNT\n", " EPSV\n", " MDTM\n", " MFMT\n", " MLST type*;size*;",
                                " REST STREAM\n", " SIZE\n", " TVFS\n", " UTF8\n"})
        EXPECT_THAT(features, HasSubstr(feature));
    EXPECT_THAT(ftp.say("CLNT FileZilla"), StartsWith("200"));
    EXPECT_THAT(ftp.say("OPTS UTF8 ON"), StartsWith("200"));
}

std::string fact_line(Conversation& ftp, const std::string& name) {
    EXPECT_EQ(ftp.say("TYPE I"), "200 Switching to Binary mode.");
    for (const auto& line : lines_of(ftp.receive("MLSD"))) {
        if (line.ends_with("; " + name)) return line;
    }
    ADD_FAILURE() << name << " is not listed: " << ftp.began << ftp.done;
    return {};
}

class FileZilla : public testing::TestWithParam<Conversation::Mode> {
  protected:
    void SetUp() override {
        for (const auto& account : {alice, bob}) {
            make_folder(customer(account));
            make_folder(customer(account) / "web", account.uid);
        }
        write_file(customer(alice) / "web/index.html", "<html>", alice.uid);
    }
};

}  // namespace

TEST_P(FileZilla, IsServed) {
    Server server(panel());
    Conversation browsing(server);
    browsing.mode = GetParam();
    log_in(browsing, alice);
    EXPECT_EQ(browsing.say("PWD"), "257 \"/\" is the current directory");
    EXPECT_THAT(fact_line(browsing, "web"), HasSubstr("type=dir;"));
    EXPECT_EQ(browsing.say("CWD web"), "250 Directory successfully changed.");
    EXPECT_EQ(browsing.say("PWD"), "257 \"/web\" is the current directory");
    EXPECT_THAT(fact_line(browsing, "index.html"), HasSubstr("type=file;size=6;"));

    // A second connection transfers, the first one goes on browsing.
    Conversation transferring(server);
    transferring.mode = GetParam();
    log_in(transferring, alice);
    EXPECT_EQ(transferring.say("CWD /web"), "250 Directory successfully changed.");
    transferring.say("TYPE I");
    const auto whole = noise(400'000);
    EXPECT_EQ(transferring.store("photo.jpg", whole.substr(0, 250'000)), "226 Transfer complete.");
    EXPECT_EQ(transferring.say("SIZE photo.jpg"), "213 250000");
    EXPECT_EQ(transferring.say("REST 250000"), "350 Restart position accepted (250000).");
    EXPECT_EQ(transferring.store("photo.jpg", whole.substr(250'000)), "226 Transfer complete.");
    EXPECT_EQ(transferring.say("MFMT 20200229235959 photo.jpg"),
              "213 Modify=20200229235959; photo.jpg");
    EXPECT_TRUE(content_of(customer(alice) / "web/photo.jpg") == whole);
    const auto facts = fact_line(browsing, "photo.jpg");
    EXPECT_THAT(facts, HasSubstr("size=400000;"));
    EXPECT_THAT(facts, HasSubstr("modify=20200229235959;"));

    EXPECT_EQ(transferring.say("MDTM photo.jpg"), "213 20200229235959");
    EXPECT_EQ(transferring.say("REST 399990"), "350 Restart position accepted (399990).");
    EXPECT_EQ(transferring.retrieve("photo.jpg"), whole.substr(399'990));
    transferring.say("TYPE A");
    EXPECT_EQ(transferring.store("style.css", "a\r\nb\r\n"), "226 Transfer complete.");
    EXPECT_EQ(content_of(customer(alice) / "web/style.css"), "a\nb\n");

    EXPECT_EQ(browsing.say("MKD New directory"), "257 \"/web/New directory\" created");
    EXPECT_EQ(browsing.say("RNFR photo.jpg"), "350 Ready for RNTO.");
    EXPECT_EQ(browsing.say("RNTO /web/New directory/f\xc3\xb6to.jpg"), "250 Rename successful.");
    EXPECT_EQ(browsing.say("SITE CHMOD 644 index.html"), "200 SITE CHMOD command ok.");
    browsing.say("CWD New directory");
    EXPECT_THAT(fact_line(browsing, "f\xc3\xb6to.jpg"), HasSubstr("type=file;"));
    EXPECT_EQ(browsing.say("DELE f\xc3\xb6to.jpg"), "250 Delete operation successful.");
    EXPECT_EQ(browsing.say("CDUP"), "250 Directory successfully changed.");
    EXPECT_EQ(browsing.say("RMD New directory"), "250 Remove directory operation successful.");

    // Nothing but the customer's own is in reach.
    EXPECT_THAT(browsing.say("CWD /../" + bob.name), StartsWith("550"));
    EXPECT_THAT(browsing.say("MLST /etc/passwd"), StartsWith("550"));
    EXPECT_EQ(browsing.say("QUIT"), "221 Goodbye.");
    EXPECT_EQ(transferring.say("QUIT"), "221 Goodbye.");
}

INSTANTIATE_TEST_SUITE_P(Modes, FileZilla,
                         testing::Values(Conversation::Mode::passive,
                                         Conversation::Mode::extended_passive,
                                         Conversation::Mode::active),
                         [](const auto& each) {
                             switch (each.param) {
                                 case Conversation::Mode::passive:
                                     return "Pasv";
                                 case Conversation::Mode::extended_passive:
                                     return "Epsv";
                                 default:
                                     return "Port";
                             }
                         });

// To keep a connection open while nothing else is to be done, one of these at random.
TEST_F(FileZilla, KeepsConnectionsAlive) {
    Server server(panel());
    Conversation ftp(server);
    log_in(ftp, alice);
    for (int round = 0; round < 3; ++round) {
        EXPECT_THAT(ftp.say("NOOP"), StartsWith("200"));
        EXPECT_THAT(ftp.say("TYPE I"), StartsWith("200"));
        EXPECT_THAT(ftp.say("TYPE A"), StartsWith("200"));
        EXPECT_THAT(ftp.say("PWD"), StartsWith("257"));
    }
}

// Customers with tenants' records instead of system accounts.
TEST_F(FileZilla, IsServedToTenantsAsWell) {
    Server server({"ftpd_banner=Welcome! Please note that all activity is logged.",
                   "ascii_upload_enable=YES"},
                  {.ini = "[server]\nguest_user = virtual\n" + tenant("carol", "flowers")});
    Conversation ftp(server);
    log_in(ftp, {"carol", 0, "flowers"});
    EXPECT_EQ(ftp.say("PWD"), "257 \"/\" is the current directory");
    EXPECT_EQ(ftp.say("CWD files"), "250 Directory successfully changed.");
    ftp.say("TYPE I");
    EXPECT_EQ(ftp.store("f", "content"), "226 Transfer complete.");
    EXPECT_EQ(ftp.say("MFMT 20200229235959 f"), "213 Modify=20200229235959; f");
    EXPECT_THAT(fact_line(ftp, "f"), HasSubstr("size=7;modify=20200229235959;"));
    EXPECT_EQ(content_of(tenant_home("carol") / "files/f"), "content");
}
