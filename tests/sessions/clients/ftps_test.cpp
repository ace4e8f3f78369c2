// SPDX-License-Identifier: MIT
// Whole sessions over TLS with curl, lftp, FileZilla, Python's ftplib, Perl's Net::FTP, node's
// basic-ftp and the TLS libraries' own clients, session reuse required as by default.
#include "tests/sessions/clients/client.hpp"
#include "tests/sessions/paths.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>

using namespace sessions;
using testing::HasSubstr;

namespace {

Lines with_tls(Lines lines) {
    const auto made = authority::make({});
    const auto file = place("server.pem");
    write_file(file, made.certificate + made.key, 0, 0600);
    lines.insert(lines.end(), {"ssl_enable=YES", "rsa_cert_file=" + file.string()});
    return lines;
}

// A server that lets alice in by her certificate, which client.pem holds with its key.
Lines with_certificate_of_alice(Lines lines = {}) {
    authority::Wanted wanted;
    wanted.common_name = "Clients' issuer";
    wanted.issuer = true;
    const auto issuer = authority::make(wanted);
    wanted.common_name = "alice";
    wanted.issuer = false;
    wanted.usage = "clientAuth";
    const auto own = authority::make(wanted, &issuer);
    write_file(place("issuer.pem"), issuer.certificate);
    write_file(place("client.pem"), own.certificate + own.key);
    lines.push_back("ca_certs_file=" + place("issuer.pem").string());
    return with_tls(lines);
}

constexpr const char* by_common_name = "[tls]\ncert_username_field = commonName\n";

class CurlTls : public Client {
  protected:
    CurlTls() : Client("curl") {}
    Ran curl(const Server& server, const std::string& path, std::vector<std::string> more) {
        std::vector<std::string> arguments{
            "-q", "-sS", "-k", "-u", "alice:wonderland", "--max-time", "60", server.url() + path};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments);
    }
};

class LftpTls : public Client {
  protected:
    LftpTls() : Client("lftp") {}
};

class FileZillaTls : public Client {
  protected:
    FileZillaTls() : Client("filezilla") {}
    void SetUp() override {
        Client::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        for (const auto* other : {"Xvfb", "xdotool"}) {
            if (program_path(other).empty()) return skip_or_fail(std::string("no ") + other);
        }
    }
    Ran filezilla(const Server& server, const std::string& way, const std::string& local) {
        const auto script = source_path("tests/sessions/clients/filezilla_session.sh");
        return sessions::run(
            {"/usr/bin/env", "-C", here.string(), script.string(), way, server.address(),
             std::to_string(server.port()), place("server.pem").string(), (here / local).string(),
             there.string()},
            {.input = {},
             .patience = std::chrono::seconds(110),
             .environment = {"LC_ALL=C.UTF-8"}});
    }
};

class NetFtp : public Client {
  protected:
    NetFtp() : Client("perl") {}
    void SetUp() override {
        Client::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        if (run({"-MIO::Socket::SSL", "-e", "1"}).status != 0)
            skip_or_fail("Perl has no IO::Socket::SSL here");
    }
};

class GnutlsCli : public Client {
  protected:
    GnutlsCli() : Client("gnutls-cli") {}
};

class OpensslClient : public Client {
  protected:
    OpensslClient() : Client("openssl") {}
};

constexpr const char* conversation = "USER alice\r\nPASS wonderland\r\nPWD\r\nQUIT\r\n";
constexpr const char* user_alone = "USER alice\r\nPWD\r\nQUIT\r\n";

class FtplibTls : public Client {
  protected:
    FtplibTls() : Client("python3") {}
};

class BasicFtp : public Client {
  protected:
    BasicFtp() : Client("node") {}
    void SetUp() override {
        Client::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        if (std::filesystem::is_directory(module_)) return;
        skip_or_fail("no basic-ftp: " + content_of(basic_ftp_path("missing")));
    }
    const std::filesystem::path module_ = basic_ftp_path("node_modules/basic-ftp");
};

}  // namespace

// In passive mode it gives no goodbye of its own, and its OpenSSL then forgets the session.
TEST_F(CurlTls, TakesTheControlConnectionBackToClearText) {
    write_file(here / "data", noise(large));
    for (const auto& [mode, reuse] : {std::pair{"active", "YES"}, {"passive", "NO"}}) {
        Server server(
            with_tls({"chroot_local_user=YES", "require_ssl_reuse=" + std::string(reuse)}),
            {.ini = "[tls]\nccc = yes\n"});
        const auto stored = curl(server, "/files/data",
                                 {"-v", "--ssl-reqd", "--ftp-ssl-ccc", "--ftp-ssl-ccc-mode", mode,
                                  "-T", (here / "data").string()});
        EXPECT_EQ(stored.status, 0) << mode << said(stored);
        EXPECT_THAT(stored.err, HasSubstr("200 The control connection is in clear text now."));
        EXPECT_THAT(stored.err, HasSubstr("226 Transfer complete."));
        const auto file = home_of(alice) / "files" / "data";
        EXPECT_EQ(checksum(content_of(file)), checksum(content_of(here / "data")));
        remove(file);
    }
}

// The password is wrong, and nobody asks for it.
TEST_F(CurlTls, LogsInByCertificate) {
    Server server(with_certificate_of_alice(), {.ini = by_common_name});
    write_file(there / "data", "12345");
    const auto got = curl(server, "/files/data",
                          {"-v", "--ssl-reqd", "-u", "alice:wrong", "--cert",
                           place("client.pem").string(), "--key", place("client.pem").string()});
    EXPECT_EQ(got.status, 0) << said(got);
    EXPECT_EQ(got.out, "12345");
    EXPECT_THAT(got.err, HasSubstr("232 Login successful, by certificate."));
    EXPECT_EQ(curl(server, "/files/data", {"--ssl-reqd", "-u", "alice:wrong"}).status, 67);
}

// Passive only: curl 7.88 speaks no TLS on data connections that it has accepted.
TEST_F(CurlTls, IsServedWithEveryVersion) {
    Server server(with_tls(jailed));
    write_file(here / "data", noise(large));
    for (const std::vector<std::string>& how :
         {std::vector<std::string>{"--ssl-reqd"}, {"--ssl-reqd", "--tls-max", "1.2"}}) {
        auto up = how;
        up.insert(up.end(), {"-T", (here / "data").string()});
        const auto stored = curl(server, "/files/data", up);
        EXPECT_EQ(stored.status, 0) << said(stored);
        auto down = how;
        down.insert(down.end(), {"-o", (here / "back").string()});
        const auto got = curl(server, "/files/data", down);
        EXPECT_EQ(got.status, 0) << said(got);
        EXPECT_EQ(checksum(content_of(here / "back")), checksum(content_of(here / "data")));
        EXPECT_THAT(curl(server, "/files/", how).out, HasSubstr("data"));
    }
    // Without TLS there is no login.
    EXPECT_EQ(curl(server, "/", {}).status, 67);
}

// It says AUTH SSL first, after which data connections are private unless told otherwise.
TEST_F(CurlTls, SaysAuthSslFirst) {
    Server server(with_tls(jailed));
    const auto listed = curl(server, "/files/", {"-v", "--ssl-reqd"});
    EXPECT_EQ(listed.status, 0) << said(listed);
    EXPECT_THAT(listed.err, HasSubstr("> AUTH SSL"));
    EXPECT_THAT(listed.err, HasSubstr("< 234 "));
}

TEST_F(CurlTls, MayLeaveDataInClearText) {
    write_file(here / "data", noise(large));
    for (const bool forced : {true, false}) {
        Server server(with_tls({"chroot_local_user=YES",
                                forced ? "force_local_data_ssl=YES" : "force_local_data_ssl=NO"}));
        const auto stored = curl(server, "/files/data",
                                 {"-v", "--ftp-ssl-control", "-T", (here / "data").string()});
        EXPECT_THAT(stored.err, HasSubstr("> PROT C"));
        EXPECT_EQ(stored.status, forced ? 25 : 0) << said(stored);
        EXPECT_EQ(stored.err.find("< 522 ") != stored.err.npos, forced);
        EXPECT_EQ(content_of(there / "data") == noise(large), !forced);
    }
}

TEST_F(CurlTls, ShakesHandsFirstWithImplicitSsl) {
    auto lines = jailed;
    lines.emplace_back("implicit_ssl=YES");
    Server server(with_tls(lines));
    write_file(here / "data", noise(large));
    const auto url = "ftps" + server.url().substr(3) + "/files/";
    const std::vector<std::string> always{"-q", "-sS", "-k", "-u", "alice:wonderland"};
    const auto works = [&](const std::vector<std::string>& more) {
        auto arguments = always;
        arguments.insert(arguments.end(), more.begin(), more.end());
        const auto ran = run(arguments);
        EXPECT_EQ(ran.status, 0) << said(ran);
        return ran.out;
    };
    works({"-T", "{data,data}", url});
    EXPECT_TRUE(content_of(there / "data") == noise(large));
    works({"-o", "back", url + "data"});
    EXPECT_TRUE(content_of(here / "back") == noise(large));
    EXPECT_THAT(works({url}), HasSubstr(" data"));
}

TEST_F(CurlTls, ResumesBothWays) {
    Server server(with_tls(jailed));
    const auto content = noise(large);
    write_file(here / "data", content);
    write_file(there / "data", content.substr(0, 1'000'000), alice.uid);
    EXPECT_EQ(curl(server, "/files/data", {"--ssl-reqd", "-C", "-", "-T", "data"}).status, 0);
    EXPECT_TRUE(content_of(there / "data") == content);
    write_file(here / "back", content.substr(0, 2'000'000));
    EXPECT_EQ(curl(server, "/files/data", {"--ssl-reqd", "-C", "-", "-o", "back"}).status, 0);
    EXPECT_TRUE(content_of(here / "back") == content);
    // It ends the data connection in the midst of the file.
    EXPECT_EQ(curl(server, "/files/data", {"--ssl-reqd", "-r", "1000-1999"}).out,
              content.substr(1000, 1000));
}

TEST_F(LftpTls, LogsInByCertificate) {
    Server server(with_certificate_of_alice(), {.ini = by_common_name});
    write_file(there / "data", "12345");
    const auto file = place("client.pem").string();
    const auto got = run({"--norc", "-c",
                          "set cmd:fail-exit true; set net:max-retries 1; set net:timeout 15; set "
                          "ssl:verify-certificate no; set ftp:ssl-force true; set ssl:cert-file " +
                              file + "; set ssl:key-file " + file + "; open -u alice,wrong " +
                              server.url() + "; cat files/data"});
    EXPECT_EQ(got.status, 0) << said(got);
    EXPECT_EQ(got.out, "12345");
}

TEST_F(LftpTls, MirrorsBothWays) {
    struct How {
        bool implicit;
        const char* settings;
        Lines lines;
    };
    const How all[] = {
        {false, "set ftp:ssl-protect-data true", {}},
        {false, "set ftp:ssl-protect-data true; set ftp:ssl-auth SSL", {}},
        {false, "set ftp:ssl-protect-data true; set ftp:passive-mode false", {}},
        {false, "set ftp:ssl-protect-data false", {"force_local_data_ssl=NO"}},
        {true, "set ftp:ssl-protect-data true", {"implicit_ssl=YES"}},
    };
    plant_tree(here / "tree", 0);
    for (const auto& how : all) {
        auto lines = with_tls(jailed);
        lines.insert(lines.end(), how.lines.begin(), how.lines.end());
        Server server(lines);
        const auto url = how.implicit ? "ftps" + server.url().substr(3) : server.url();
        const auto works = [&](const std::string& command) {
            const auto ran =
                run({"--norc", "-c",
                     "set cmd:fail-exit true; set net:max-retries 1; set net:timeout 15; set "
                     "ssl:verify-certificate no; set ftp:ssl-force true; set file:charset UTF-8; " +
                         std::string(how.settings) + "; open -u alice,wonderland " + url + "; " +
                         command});
            EXPECT_EQ(ran.status, 0) << how.settings << said(ran);
        };
        works("mirror --reverse tree files/tree");
        EXPECT_EQ(unlike(there / "tree", here / "tree"), "") << how.settings;
        works("mirror --parallel=8 files/tree back");
        EXPECT_EQ(unlike(here / "back", here / "tree"), "") << how.settings;
        std::filesystem::remove_all(there / "tree");
        std::filesystem::remove_all(here / "back");
    }
}

// It is asked for a certificate, and has none.
TEST_F(FileZillaTls, TakesTreesThereAndBack) {
    auto lines = jailed;
    lines.emplace_back("debug_ssl=YES");
    Server server(with_certificate_of_alice(lines), {.ini = by_common_name});
    plant_tree(here / "tree", 0);
    const auto up = filezilla(server, "up", "tree");
    EXPECT_EQ(up.status, 0) << said(up);
    EXPECT_EQ(unlike(there, here / "tree"), "") << said(up);
    const auto down = filezilla(server, "down", "back");
    EXPECT_EQ(down.status, 0) << said(down);
    EXPECT_EQ(unlike(here / "back", here / "tree"), "") << said(down);
    server.logged("SSL version: TLSv1.3, .*, reused");
}

TEST_F(FtplibTls, IsServedWhenItResumesOrNeedNot) {
    const auto script = source_path("tests/sessions/clients/ftplib_tls_session.py");
    for (const std::string reuse : {"resumed", "anew"}) {
        auto lines = jailed;
        if (reuse == "anew") lines.emplace_back("require_ssl_reuse=NO");
        Server server(with_tls(lines));
        const auto ran =
            run({"-B", script.string(), server.address(), std::to_string(server.port()), reuse});
        EXPECT_EQ(ran.status, 0) << said(ran);
        EXPECT_EQ(ran.out, "all is well\n");
    }
}

// It resumes in active mode alone: in passive mode it looks its session up under the port.
TEST_F(NetFtp, IsServed) {
    const auto script = source_path("tests/sessions/clients/net_ftp_session.pl");
    for (const std::string kind : {"explicit", "implicit"}) {
        for (const std::string mode : {"passive", "active"}) {
            auto lines = jailed;
            if (kind == "implicit") lines.emplace_back("implicit_ssl=YES");
            if (mode == "passive") lines.emplace_back("require_ssl_reuse=NO");
            Server server(with_tls(lines));
            const auto ran =
                run({script.string(), server.address(), std::to_string(server.port()), kind, mode});
            EXPECT_EQ(ran.status, 0) << said(ran);
            EXPECT_EQ(ran.out, "all is well\n");
        }
    }
}

TEST_F(GnutlsCli, TalksToTheServer) {
    Server server(with_tls(jailed));
    const auto ran = run({"--starttls-proto=ftp", "--port", std::to_string(server.port()),
                          "--insecure", server.address()},
                         conversation);
    EXPECT_EQ(ran.status, 0) << said(ran);
    EXPECT_THAT(ran.out, HasSubstr("230 Login successful."));
    EXPECT_THAT(ran.out, HasSubstr("257 \"/\" is the current directory"));
    EXPECT_THAT(ran.out, HasSubstr("221 Goodbye."));
}

TEST_F(GnutlsCli, LogsInByCertificate) {
    Server server(with_certificate_of_alice(jailed), {.ini = by_common_name});
    const auto file = place("client.pem").string();
    const auto ran =
        run({"--starttls-proto=ftp", "--port", std::to_string(server.port()), "--insecure",
             "--x509certfile", file, "--x509keyfile", file, server.address()},
            user_alone);
    EXPECT_EQ(ran.status, 0) << said(ran);
    EXPECT_THAT(ran.out, HasSubstr("232 Login successful, by certificate."));
    EXPECT_THAT(ran.out, HasSubstr("257 \"/\" is the current directory"));
}

TEST_F(OpensslClient, LogsInByCertificate) {
    Server server(with_certificate_of_alice(jailed), {.ini = by_common_name});
    for (const std::string version : {"-tls1_2", "-tls1_3"}) {
        const auto ran = run({"s_client", "-quiet", "-starttls", "ftp", version, "-cert",
                              place("client.pem").string(), "-connect",
                              server.address() + ":" + std::to_string(server.port())},
                             user_alone);
        EXPECT_EQ(ran.status, 0) << said(ran);
        EXPECT_THAT(ran.out,
                    HasSubstr(version == "-tls1_3" ? "232 Login successful, by certificate."
                                                   : "331 Please specify the password."));
    }
}

TEST_F(OpensslClient, TalksToTheServer) {
    Server server(with_tls(jailed));
    for (const auto* version : {"-tls1_2", "-tls1_3"}) {
        const auto ran = run({"s_client", "-quiet", "-starttls", "ftp", version, "-connect",
                              server.address() + ":" + std::to_string(server.port())},
                             conversation);
        EXPECT_EQ(ran.status, 0) << said(ran);
        EXPECT_THAT(ran.out, HasSubstr("230 Login successful."));
        EXPECT_THAT(ran.out, HasSubstr("221 Goodbye."));
    }
}

TEST_F(BasicFtp, TakesTreesThereAndBack) {
    const auto script = source_path("tests/sessions/clients/basic_ftp_session.js");
    plant_tree(here / "tree", 0);
    // At 150 it ends an empty upload even amid its handshake: Session::protect.
    for (int number = 0; number < 20; ++number)
        write_file(here / "tree" / "empty" / std::to_string(number), "");
    for (const std::string kind : {"explicit", "implicit"}) {
        auto lines = jailed;
        if (kind == "implicit") lines.emplace_back("implicit_ssl=YES");
        Server server(with_tls(lines));
        const auto ran = run({script.string(), module_.string(), server.address(),
                              std::to_string(server.port()), kind, "tree", kind});
        EXPECT_EQ(ran.status, 0) << said(ran);
        EXPECT_EQ(ran.out, "all is well\n");
        for (const auto* version : {"TLSv1.2", "TLSv1.3"})
            EXPECT_EQ(unlike(here / kind / version, here / "tree"), "");
    }
}
