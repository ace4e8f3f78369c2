// SPDX-License-Identifier: MIT
// Whole sessions with wget.
#include "tests/sessions/clients/client.hpp"

#include <gmock/gmock.h>

using namespace sessions;
using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

namespace {

class Wget : public Client {
  protected:
    Wget() : Client("wget") {}

    Ran wget(const Server& server, const std::string& path, std::vector<std::string> more) {
        std::vector<std::string> arguments = {"--no-verbose", "--no-config",          "--no-proxy",
                                              "--tries=1",    "--timeout=20",         "--no-hsts",
                                              "--user=alice", "--password=wonderland"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        arguments.push_back(server.url() + "/" + path);
        return run(std::move(arguments));
    }
    void works(const Server& server, const std::string& path,
               const std::vector<std::string>& more) {
        const auto ran = wget(server, path, more);
        EXPECT_EQ(ran.status, 0) << said(ran);
    }
};

class WgetWays : public Wget, public testing::WithParamInterface<Way> {};

}  // namespace

TEST_P(WgetWays, FetchesATree) {
    const auto& way = GetParam();
    Server server(jailed, {.address = way.address});
    plant_tree(there / "tree", alice.uid);
    // Empty folders it leaves out, and "%ce" in a name becomes a byte.
    fs::remove(there / "tree/empty");
    fs::remove(there / "tree/per%cent+plus&and#hash");
    std::vector<std::string> options = {"--recursive", "--no-host-directories", "--cut-dirs=1",
                                        "--restrict-file-names=nocontrol"};
    if (way.active) options.push_back("--no-passive-ftp");
    works(server, "files/tree/", options);
    EXPECT_EQ(unlike(here / "tree", there / "tree"), "");
}

INSTANTIATE_TEST_SUITE_P(All, WgetWays, testing::ValuesIn(all_ways()),
                         [](const auto& each) { return each.param.name; });

TEST_F(Wget, ResumesADownload) {
    Server server(jailed);
    write_file(there / "f", noise(large), alice.uid);
    write_file(here / "f", noise(large).substr(0, 1'000'000));
    works(server, "files/f", {"--continue"});
    EXPECT_TRUE(content_of(here / "f") == noise(large));
}

TEST_F(Wget, FetchesByPattern) {
    Server server(jailed);
    plant_tree(there / "tree", alice.uid);
    works(server, "files/tree/*.txt", {});
    EXPECT_EQ(content_of(here / "plain.txt"), "one\ntwo\n");
    EXPECT_EQ(content_of(here / "dos.txt"), "one\r\ntwo\r\n");
    EXPECT_FALSE(fs::exists(here / "large.bin"));
}

TEST_F(Wget, FetchesOnlyWhatIsNewer) {
    Server server(jailed);
    write_file(there / "f", "content", alice.uid);
    works(server, "files/f", {"--timestamping"});
    const auto again = wget(server, "files/f", {"--timestamping", "--verbose"});
    EXPECT_EQ(again.status, 0) << said(again);
    EXPECT_THAT(again.err, HasSubstr("not retrieving")) << said(again);
}

TEST_F(Wget, KnowsWhatFailed) {
    Server server(jailed);
    EXPECT_EQ(wget(server, "files/nothing", {}).status, 8) << "the server said no";
    EXPECT_EQ(wget(server, "files/f", {"--password=wrong"}).status, 6) << "not let in";
}
