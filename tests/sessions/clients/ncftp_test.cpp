// SPDX-License-Identifier: MIT
// Whole sessions with NcFTP's three programs for scripts.
#include "tests/sessions/clients/client.hpp"

#include <gmock/gmock.h>

using namespace sessions;
using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

namespace {

class Ncftp : public Client {
  protected:
    Ncftp() : Client("ncftpget") {}
    void SetUp() override {
        Client::SetUp();
        // Without it the programs ask and advise.
        make_folder(here / ".ncftp");
        write_file(here / ".ncftp/init_v3", "");
    }

    Ran ncftp(const std::string& which, const Server& server, std::vector<std::string> options,
              const std::vector<std::string>& operands) {
        std::vector<std::string> arguments = {
            "-u", "alice", "-p", "wonderland", "-P", std::to_string(server.port()),
            "-r", "1",     "-t", "20"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        arguments.insert(arguments.end(), operands.begin(), operands.end());
        return run_program(program_path(which), std::move(arguments), {});
    }
    void put(const Server& server, const std::vector<std::string>& options,
             const std::string& folder, const std::vector<std::string>& files) {
        std::vector<std::string> operands = {server.address(), folder};
        operands.insert(operands.end(), files.begin(), files.end());
        const auto ran = ncftp("ncftpput", server, options, operands);
        EXPECT_EQ(ran.status, 0) << said(ran);
    }
    void get(const Server& server, const std::vector<std::string>& options,
             const std::vector<std::string>& files) {
        std::vector<std::string> operands = {server.address(), "."};
        operands.insert(operands.end(), files.begin(), files.end());
        const auto ran = ncftp("ncftpget", server, options, operands);
        EXPECT_EQ(ran.status, 0) << said(ran);
    }
};

class NcftpModes : public Ncftp, public testing::WithParamInterface<const char*> {};

}  // namespace

// It takes no numeric IPv6 address together with -P.
TEST_P(NcftpModes, MoveWholeTrees) {
    Server server(jailed);
    plant_tree(here / "tree", 0);
    put(server, {"-R", "-m", GetParam()}, "files/up", {"tree"});
    EXPECT_EQ(unlike(there / "up/tree", here / "tree"), "");
    fs::rename(here / "tree", here / "sent");
    get(server, {"-R", GetParam()}, {"files/up/tree"});
    EXPECT_EQ(unlike(here / "tree", here / "sent"), "");
}

INSTANTIATE_TEST_SUITE_P(All, NcftpModes, testing::Values("-F", "-E"), [](const auto& each) {
    return std::string(each.param) == "-F" ? "Passive" : "Active";
});

TEST_F(Ncftp, ResumesADownload) {
    Server server(jailed);
    write_file(there / "f", noise(large), alice.uid);
    write_file(here / "f", noise(large).substr(0, 1'000'000));
    get(server, {"-z"}, {"files/f"});
    EXPECT_TRUE(content_of(here / "f") == noise(large));
}

// Its -z for uploads sends the whole file after REST, whatever the server.
TEST_F(Ncftp, AppendsToUploads) {
    Server server(jailed);
    write_file(here / "log", "more");
    put(server, {"-A"}, "files", {"log"});
    put(server, {"-A"}, "files", {"log"});
    EXPECT_EQ(content_of(there / "log"), "moremore");
}

TEST_F(Ncftp, UploadsUnderAnotherNameFirst) {
    Server server(jailed);
    write_file(here / "f", "content");
    put(server, {"-T", "tmp."}, "files", {"f"});
    EXPECT_EQ(content_of(there / "f"), "content");
    EXPECT_THAT(server.logged("OK RENAME"), HasSubstr("/files/f"));
}

TEST_F(Ncftp, RemovesWhatItHasFetched) {
    Server server(jailed);
    write_file(there / "f", "content", alice.uid);
    get(server, {"-DD"}, {"files/f"});
    EXPECT_EQ(content_of(here / "f"), "content");
    EXPECT_FALSE(fs::exists(there / "f"));
}

TEST_F(Ncftp, Lists) {
    Server server(jailed);
    plant_tree(there / "tree", alice.uid);
    const auto url = server.url() + "/files/tree/";
    for (const auto* options : {"-1", "-l", "-x1"}) {
        const auto ran = ncftp("ncftpls", server, {options}, {url});
        EXPECT_EQ(ran.status, 0) << said(ran);
        EXPECT_THAT(ran.out, HasSubstr("large.bin")) << said(ran);
        EXPECT_THAT(ran.out, HasSubstr("with blank")) << said(ran);
    }
    EXPECT_THAT(ncftp("ncftpls", server, {"-l"}, {url}).out, HasSubstr("3000000"));
    EXPECT_THAT(ncftp("ncftpls", server, {"-m"}, {url}).out, HasSubstr("size=3000000"));
}

TEST_F(Ncftp, KnowsWhatFailed) {
    Server server(jailed);
    EXPECT_NE(ncftp("ncftpget", server, {}, {server.address(), ".", "files/nothing"}).status, 0);
    write_file(here / "f", "x");
    EXPECT_NE(ncftp("ncftpput", server, {}, {server.address(), "/", "f"}).status, 0);
}
