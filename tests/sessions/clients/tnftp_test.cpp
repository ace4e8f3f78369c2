// SPDX-License-Identifier: MIT
// Whole sessions with tnftp, the BSDs' and macOS's ftp.
#include "tests/sessions/clients/client.hpp"

#include <gmock/gmock.h>

using namespace sessions;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace fs = std::filesystem;

namespace {

class Tnftp : public Client {
  protected:
    Tnftp() : Client("tnftp") {}

    // One session with commands as at its prompt; returns all that it shows.
    std::string tnftp(const Server& server, const Lines& commands, const char* mode = "-p") {
        std::string input = "user alice wonderland\n";
        for (const auto& command : commands) input += command + '\n';
        input += "quit\n";
        const auto ran =
            run({"-n", "-i", "-v", mode, server.address(), std::to_string(server.port())}, input);
        EXPECT_EQ(ran.status, 0) << said(ran);
        EXPECT_THAT(ran.out, HasSubstr("230 Login successful."));
        EXPECT_THAT(ran.out, HasSubstr("221 Goodbye."));
        return ran.out + ran.err;
    }
    std::string with_login(const Server& server) {
        auto url = server.url();
        return url.insert(6, "alice:wonderland@");
    }
};

class TnftpWays : public Tnftp, public testing::WithParamInterface<Way> {};

}  // namespace

TEST_P(TnftpWays, TransfersBothWays) {
    const auto& way = GetParam();
    Server server(jailed, {.address = way.address});
    write_file(here / "f", noise(large));
    const auto all = tnftp(server, {"binary", "cd files", "put f", "get f back", "dir"},
                           way.active ? "-A" : "-p");
    EXPECT_TRUE(content_of(there / "f") == noise(large)) << all;
    EXPECT_TRUE(content_of(here / "back") == noise(large)) << all;
    EXPECT_THAT(all, HasSubstr(" 3000000 "));
}

INSTANTIATE_TEST_SUITE_P(All, TnftpWays, testing::ValuesIn(all_ways()),
                         [](const auto& each) { return each.param.name; });

TEST_F(Tnftp, UsesPasvAndPortOnRequest) {
    Server server(jailed);
    write_file(here / "f", "abc");
    EXPECT_THAT(tnftp(server, {"epsv4", "put f files/f", "get files/f back"}),
                HasSubstr("227 Entering Passive Mode"));
    EXPECT_EQ(content_of(here / "back"), "abc");
    tnftp(server, {"epsv4", "put f files/g"}, "-A");
    EXPECT_EQ(content_of(there / "g"), "abc");
}

TEST_F(Tnftp, MovesManyFilesAtOnce) {
    Server server(jailed);
    for (const auto* name : {"a1", "a2", "b1"}) write_file(here / name, name);
    make_folder(here / "got");
    const auto all = tnftp(server, {"cd files", "mkdir up", "cd up", "mput a* b*", "lcd got",
                                    "mget a*", "mls a* -", "mdelete b*", "pwd", "cdup", "pwd"});
    EXPECT_EQ(tree_of(here / "got").size(), 2U) << all;
    EXPECT_EQ(unlike(there / "up", here / "got"), "");
    EXPECT_THAT(all, HasSubstr("Remote directory: /files/up\n"));
    EXPECT_THAT(all, HasSubstr("Remote directory: /files\n"));
}

TEST_F(Tnftp, ResumesAndAppends) {
    Server server(jailed);
    write_file(there / "f", noise(large), alice.uid);
    write_file(here / "f", noise(large).substr(0, 1'000'000));
    write_file(here / "more", "more");
    tnftp(server, {"binary", "reget files/f f", "append more files/log", "append more files/log"});
    EXPECT_TRUE(content_of(here / "f") == noise(large));
    EXPECT_EQ(content_of(there / "log"), "moremore");
}

TEST_F(Tnftp, RestartsAnUpload) {
    Server server(jailed);
    write_file(there / "f", "01234", alice.uid);
    write_file(here / "f", "0123456789");
    tnftp(server, {"binary", "restart 5", "put f files/f"});
    EXPECT_EQ(content_of(there / "f"), "0123456789");
}

TEST_F(Tnftp, ManagesFiles) {
    Server server(jailed);
    write_file(there / "f", "0123456789", alice.uid);
    set_time(there / "f", 1'500'000'001);
    const auto all = tnftp(server, {"cd files", "size f", "modtime f", "chmod 600 f",
                                    "rename f \"two words\"", "mkdir d", "rmdir d", "umask",
                                    "umask 027", "system", "features", "remopts utf8 on"});
    EXPECT_EQ(content_of(there / "two words"), "0123456789") << all;
    EXPECT_EQ(mode_of(there / "two words"), 0600U);
    for (const auto* part :
         {"f\t10\n", "Fri, 14 Jul 2017 02:40:01 +0000", "250 Rename successful.",
          "250 Remove directory operation successful.", "Your current UMASK is 022",
          "UMASK set to 027", "UNIX Type: L8", "REST STREAM"})
        EXPECT_THAT(all, HasSubstr(part));
    EXPECT_FALSE(fs::exists(there / "d"));
}

TEST_F(Tnftp, FetchesByUrl) {
    Server server(jailed);
    write_file(there / "f", noise(100'000), alice.uid);
    const auto ran = run({"-V", "-o", "got", with_login(server) + "/files/f"});
    EXPECT_EQ(ran.status, 0) << said(ran);
    EXPECT_TRUE(content_of(here / "got") == noise(100'000));
    const auto missing = run({"-V", "-o", "none", with_login(server) + "/files/nothing"});
    EXPECT_NE(missing.status, 0) << said(missing);
}

TEST_F(Tnftp, UploadsByUrl) {
    Server server(jailed);
    write_file(here / "f", noise(100'000));
    const auto ran = run({"-V", "-u", with_login(server) + "/files/", "f"});
    EXPECT_EQ(ran.status, 0) << said(ran);
    EXPECT_TRUE(content_of(there / "f") == noise(100'000));
}
