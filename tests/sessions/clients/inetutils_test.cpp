// SPDX-License-Identifier: MIT
// Whole sessions with GNU inetutils' ftp, which asks nothing of a server that RFC 959 has not.
#include "tests/sessions/clients/client.hpp"

#include <gmock/gmock.h>

using namespace sessions;
using testing::HasSubstr;

namespace fs = std::filesystem;

namespace {

class Inetutils : public Client {
  protected:
    Inetutils() : Client("inetutils-ftp") {}

    std::string ftp(const Server& server, const Lines& commands, bool active = false) {
        std::string input = "user alice wonderland\n";
        for (const auto& command : commands) input += command + '\n';
        input += "quit\n";
        std::vector<std::string> arguments = {"--no-login",     "--no-prompt",
                                              "--verbose",      active ? "--active" : "--passive",
                                              server.address(), std::to_string(server.port())};
        const auto ran = run(arguments, input);
        EXPECT_EQ(ran.status, 0) << said(ran);
        EXPECT_THAT(ran.out, HasSubstr("230 Login successful."));
        EXPECT_THAT(ran.out, HasSubstr("221 Goodbye."));
        return ran.out + ran.err;
    }
};

class InetutilsWays : public Inetutils, public testing::WithParamInterface<Way> {};

}  // namespace

TEST_P(InetutilsWays, TransfersBothWays) {
    const auto& way = GetParam();
    Server server(jailed, {.address = way.address});
    write_file(here / "f", noise(large));
    const auto all =
        ftp(server, {"binary", "cd files", "put f", "get f back", "dir", "nlist"}, way.active);
    EXPECT_TRUE(content_of(there / "f") == noise(large)) << all;
    EXPECT_TRUE(content_of(here / "back") == noise(large)) << all;
    EXPECT_THAT(all, HasSubstr(" 3000000 "));
}

INSTANTIATE_TEST_SUITE_P(All, InetutilsWays, testing::ValuesIn(all_ways()),
                         [](const auto& each) { return each.param.name; });

TEST_F(Inetutils, MovesManyFilesAtOnce) {
    Server server(jailed);
    for (const auto* name : {"a1", "a2", "b1"}) write_file(here / name, name);
    make_folder(here / "got");
    const auto all = ftp(server, {"cd files", "mkdir up", "cd up", "mput a* b*", "lcd got",
                                  "mget a*", "mdelete b*"});
    EXPECT_EQ(tree_of(here / "got").size(), 2U) << all;
    EXPECT_EQ(unlike(there / "up", here / "got"), "");
}

TEST_F(Inetutils, ResumesAndAppends) {
    Server server(jailed);
    write_file(there / "f", noise(large), alice.uid);
    write_file(here / "f", noise(large).substr(0, 1'000'000));
    write_file(here / "more", "more");
    const auto all = ftp(
        server, {"binary", "reget files/f f", "append more files/log", "append more files/log"});
    EXPECT_TRUE(content_of(here / "f") == noise(large)) << all;
    EXPECT_EQ(content_of(there / "log"), "moremore");
}

TEST_F(Inetutils, UploadsUnderAUniqueName) {
    Server server(jailed);
    write_file(here / "f", "new");
    write_file(there / "f", "old", alice.uid);
    const auto all = ftp(server, {"cd files", "sunique", "put f"});
    EXPECT_EQ(content_of(there / "f"), "old") << all;
    EXPECT_EQ(content_of(there / "f.1"), "new") << all;
}

TEST_F(Inetutils, ManagesFiles) {
    Server server(jailed);
    write_file(there / "f", "0123456789", alice.uid);
    set_time(there / "f", 1'500'000'001);
    const auto all = ftp(server, {"cd files", "size f", "modtime f", "chmod 600 f", "rename f g",
                                  "mkdir d", "rmdir d", "umask 027", "system", "status", "rstatus",
                                  "rhelp", "idle", "site help", "quote NOOP"});
    EXPECT_EQ(content_of(there / "g"), "0123456789") << all;
    EXPECT_EQ(mode_of(there / "g"), 0600U);
    for (const auto* part : {"UMASK set to 027", "UNIX Type: L8", "211 End of status",
                             "214 Help OK.", "200 NOOP ok.", "250 Rename successful."})
        EXPECT_THAT(all, HasSubstr(part));
}
