// SPDX-License-Identifier: MIT
// Clients that know nothing of TLS on a server that has it: served where nothing is forced, and
// told what is wanted of them where it is.
#include "tests/sessions/clients/client.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>

using namespace sessions;
using testing::ContainsRegex;
using testing::HasSubstr;

namespace {

struct ClientProgram {
    std::string name;
    // Puts the file "up" into "files" and gets it back as "back"; words and what it types.
    std::vector<std::string> (*words)(const Server& server);
    std::string input;
};
std::ostream& operator<<(std::ostream& out, const ClientProgram& each) { return out << each.name; }

std::vector<std::string> prompting(const Server& server, std::vector<std::string> options) {
    options.insert(options.end(), {server.address(), std::to_string(server.port())});
    return options;
}

constexpr const char* typed =
    "user alice wonderland\nbinary\nput up files/up\nget files/up back\ndir\nquit\n";

const std::vector<ClientProgram> programs = {
    {"tnftp",
     [](const Server& server) {
         return prompting(server, {"-n", "-i", "-v", "-p"});
     },
     typed},
    {"inetutils-ftp",
     [](const Server& server) {
         return prompting(server, {"--no-login", "--no-prompt", "--verbose", "--passive"});
     },
     typed},
    {"lftp",
     [](const Server& server) -> std::vector<std::string> {
         return {"--norc", "-c",
                 "debug 5; set net:max-retries 1; set net:timeout 15; set ftp:ssl-allow false; "
                 "open -u alice,wonderland " +
                     server.url() + "; put up -o files/up; get files/up -o back; ls"};
     },
     ""},
    {"curl",
     [](const Server& server) -> std::vector<std::string> {
         const auto url = server.url() + "/files/up";
         return {"-q",     "-sSv", "-u", "alice:wonderland", "-T", "up",   url,
                 "--next", "-sSv", "-u", "alice:wonderland", "-o", "back", url};
     },
     ""},
    {"ncftpput",
     [](const Server& server) -> std::vector<std::string> {
         return {"-u",
                 "alice",
                 "-p",
                 "wonderland",
                 "-P",
                 std::to_string(server.port()),
                 "-r",
                 "1",
                 "-t",
                 "20",
                 "-d",
                 "stdout",
                 server.address(),
                 "files",
                 "up"};
     },
     ""},
    {"wget",
     [](const Server& server) -> std::vector<std::string> {
         return {"--no-config",
                 "--tries=1",
                 "--timeout=20",
                 "--user=alice",
                 "--password=wonderland",
                 "-d",
                 "-O",
                 "back",
                 server.url() + "/files/there"};
     },
     ""},
};

class ClearText : public Client, public testing::WithParamInterface<ClientProgram> {
  protected:
    ClearText() : Client(GetParam().name) {}
    void SetUp() override {
        Client::SetUp();
        make_folder(here / ".ncftp");
        write_file(here / ".ncftp/init_v3", "");
        write_file(here / "up", noise(large));
        write_file(there / "there", noise(large), alice.uid);
    }
    static Lines with_tls(const Lines& more) {
        const auto made = authority::make({});
        const auto file = place("server.pem");
        write_file(file, made.certificate + made.key, 0, 0600);
        Lines lines = {"chroot_local_user=YES", "ssl_enable=YES", "rsa_cert_file=" + file.string()};
        lines.insert(lines.end(), more.begin(), more.end());
        return lines;
    }
    std::string say(const Server& server) {
        const auto ran = run(GetParam().words(server), GetParam().input);
        return ran.out + ran.err;
    }
};

}  // namespace

TEST_P(ClearText, IsServedWhereNothingIsForced) {
    Server server(with_tls({"force_local_logins_ssl=NO", "force_local_data_ssl=NO"}));
    const auto said = say(server);
    EXPECT_THAT(said, HasSubstr("226"));
    const bool uploads = GetParam().name != "wget";
    const bool downloads = GetParam().name != "ncftpput";
    EXPECT_TRUE(!uploads || content_of(there / "up") == noise(large)) << said;
    EXPECT_TRUE(!downloads || content_of(here / "back") == noise(large)) << said;
}

TEST_P(ClearText, IsToldThatLoginsAreEncrypted) {
    Server server(with_tls({}));
    EXPECT_THAT(say(server), ContainsRegex("530:? Non-anonymous sessions must use encryption."));
    EXPECT_EQ(content_of(there / "up"), "(none)");
}

TEST_P(ClearText, IsToldThatDataAreEncrypted) {
    if (GetParam().name == "lftp") return;  // tries again for ever
    Server server(with_tls({"force_local_logins_ssl=NO"}));
    EXPECT_THAT(say(server), ContainsRegex("522:? Data connections must be encrypted."));
    EXPECT_EQ(content_of(there / "up"), "(none)");
}

INSTANTIATE_TEST_SUITE_P(All, ClearText, testing::ValuesIn(programs), [](const auto& each) {
    auto name = each.param.name;
    std::erase(name, '-');
    return name;
});
