// SPDX-License-Identifier: MIT
// Whole sessions over TLS with curl, lftp and Python's ftplib, session reuse required as by
// default.
#include "tests/sessions/clients/client.hpp"
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

class FtplibTls : public Client {
  protected:
    FtplibTls() : Client("python3") {}
};

}  // namespace

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

TEST_F(LftpTls, MirrorsBothWays) {
    Server server(with_tls(jailed));
    plant_tree(here / "tree", 0);
    const std::string settings =
        "set cmd:fail-exit true; set net:max-retries 1; set net:timeout 15; set "
        "ssl:verify-certificate "
        "no; set ftp:ssl-force true; set ftp:ssl-protect-data true; set file:charset UTF-8; ";
    const auto up = run({"--norc", "-c",
                         settings + "open -u alice,wonderland " + server.url() +
                             "; mirror --reverse tree files/tree"});
    EXPECT_EQ(up.status, 0) << said(up);
    EXPECT_EQ(unlike(there / "tree", here / "tree"), "");
    const auto down = run({"--norc", "-c",
                           settings + "open -u alice,wonderland " + server.url() +
                               "; mirror --parallel=8 files/tree back"});
    EXPECT_EQ(down.status, 0) << said(down);
    EXPECT_EQ(unlike(here / "back", here / "tree"), "");
}

TEST_F(FtplibTls, IsServedWhenItResumes) {
    Server server(with_tls(jailed));
    const auto script =
        std::filesystem::path(JAILFTPD_SOURCE) / "tests/sessions/clients/ftplib_tls_session.py";
    const auto ran = run({"-B", script.string(), server.address(), std::to_string(server.port())});
    EXPECT_EQ(ran.status, 0) << said(ran);
    EXPECT_EQ(ran.out, "all is well\n");
}
