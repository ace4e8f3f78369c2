// SPDX-License-Identifier: MIT
// Whole sessions with lftp.
#include "tests/sessions/clients/client.hpp"

#include <gmock/gmock.h>

using namespace sessions;
using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

namespace {

class Lftp : public Client {
  protected:
    Lftp() : Client("lftp") {}

    // One session; a failing command ends it.
    Ran lftp(const Server& server, const std::string& commands, const std::string& settings = {}) {
        const std::string always =
            "set cmd:fail-exit true; set net:max-retries 1; set net:timeout 15; "
            "set net:reconnect-interval-base 1; set ftp:ssl-allow false; "
            "set file:charset UTF-8; " +
            settings;
        return run({"--norc", "-c",
                    always + "; open -u alice,wonderland " + server.url() + "; " + commands});
    }
    void works(const Server& server, const std::string& commands,
               const std::string& settings = {}) {
        const auto ran = lftp(server, commands, settings);
        EXPECT_EQ(ran.status, 0) << commands << ": " << said(ran);
    }
};

class LftpWays : public Lftp, public testing::WithParamInterface<Way> {};

}  // namespace

TEST_P(LftpWays, MirrorsBothWays) {
    const auto& way = GetParam();
    Server server(jailed, {.address = way.address});
    plant_tree(here / "tree", 0);
    const auto passive = std::string("set ftp:passive-mode ") + (way.active ? "false" : "true");
    works(server, "mirror --reverse --verbose tree files/tree", passive);
    EXPECT_EQ(unlike(there / "tree", here / "tree"), "");
    works(server, "mirror --parallel=3 files/tree back", passive);
    EXPECT_EQ(unlike(here / "back", here / "tree"), "");
}

INSTANTIATE_TEST_SUITE_P(All, LftpWays, testing::ValuesIn(all_ways()),
                         [](const auto& each) { return each.param.name; });

// What has not changed is not sent again: times and sizes survive both ways.
TEST_F(Lftp, MirrorsOnlyWhatHasChanged) {
    Server server(jailed);
    make_folder(here / "tree");
    for (const auto* name : {"one", "two", "three"}) write_file(here / "tree" / name, name);
    for (const auto* name : {"one", "two"}) {
        set_time(here / "tree" / name, 1'500'000'001);
    }
    works(server, "mirror --reverse tree files/tree");
    EXPECT_EQ(time_of(there / "tree/one"), 1'500'000'001);
    write_file(here / "tree/two", "changed");
    const auto again = lftp(server, "mirror --reverse --verbose=3 tree files/tree");
    EXPECT_EQ(again.status, 0) << said(again);
    EXPECT_THAT(again.out + again.err, HasSubstr("two"));
    EXPECT_THAT(again.out + again.err, Not(HasSubstr("one")));
    works(server, "mirror --verbose files/tree back");
    EXPECT_EQ(time_of(here / "back/one"), 1'500'000'001);
    EXPECT_EQ(unlike(here / "back", here / "tree"), "");
}

TEST_F(Lftp, DeletesWhatIsGoneFromTheOtherSide) {
    Server server(jailed);
    plant_tree(here / "tree", 0);
    plant_tree(there / "tree", alice.uid);
    fs::remove_all(here / "tree/nested");
    fs::remove(here / "tree/with blank");
    works(server, "mirror --reverse --delete tree files/tree");
    EXPECT_EQ(unlike(there / "tree", here / "tree"), "");
}

TEST_F(Lftp, ResumesAnUpload) {
    Server server(jailed);
    const auto whole = noise(large);
    write_file(here / "f", whole);
    write_file(there / "f", whole.substr(0, large / 3), alice.uid);
    works(server, "cd files; put -c f");
    EXPECT_TRUE(content_of(there / "f") == whole);
    EXPECT_THAT(server.logged("OK UPLOAD"),
                HasSubstr(std::to_string(large - large / 3) + " bytes"));
}

TEST_F(Lftp, ResumesADownload) {
    Server server(jailed);
    const auto whole = noise(large);
    write_file(there / "f", whole, alice.uid);
    write_file(here / "f", whole.substr(0, large / 3));
    works(server, "get -c files/f");
    EXPECT_TRUE(content_of(here / "f") == whole);
}

TEST_F(Lftp, FetchesInPartsAtOnce) {
    Server server(jailed);
    write_file(there / "f", noise(large), alice.uid);
    works(server, "pget -n 4 files/f", "set pget:min-chunk-size 100000");
    EXPECT_TRUE(content_of(here / "f") == noise(large));
}

TEST_F(Lftp, ManagesFiles) {
    Server server(jailed);
    write_file(there / "f", "0123456789", alice.uid);
    works(server,
          "cd files; mkdir -p a/b/c; chmod 640 f; mv f a/g; mv a/g 'a/b/two words'; "
          "rmdir a/b/c");
    EXPECT_EQ(content_of(there / "a/b/two words"), "0123456789");
    EXPECT_EQ(mode_of(there / "a/b/two words"), 0640U);
    EXPECT_FALSE(fs::exists(there / "a/b/c"));
    works(server, "cd files; rm 'a/b/two words'; rm -r a");
    EXPECT_FALSE(fs::exists(there / "a"));
}

TEST_F(Lftp, RemovesWholeTrees) {
    Server server(jailed);
    plant_tree(there / "tree", alice.uid);
    works(server, "rm -r files/tree");
    EXPECT_FALSE(fs::exists(there / "tree"));
}

TEST_F(Lftp, Lists) {
    Server server(jailed);
    plant_tree(there / "tree", alice.uid);
    const auto ls = lftp(server, "ls files/tree");
    EXPECT_EQ(ls.status, 0) << said(ls);
    EXPECT_THAT(ls.out, HasSubstr(" 3000000 "));
    EXPECT_THAT(ls.out, HasSubstr(" large.bin"));
    EXPECT_THAT(ls.out, HasSubstr(" gr\xc3\xbc\xc3\x9f"
                                  "e"));
    const auto cls = lftp(server, "cls -1 --size --block-size=1 files/tree/");
    EXPECT_EQ(cls.status, 0) << said(cls);
    EXPECT_THAT(cls.out, HasSubstr("3000000 files/tree/large.bin"));
    EXPECT_THAT(cls.out, HasSubstr("with blank"));
    EXPECT_THAT(cls.out, HasSubstr("a folder/"));
    const auto pattern = lftp(server, "cls -1 files/tree/*.txt");
    EXPECT_EQ(pattern.out, "files/tree/dos.txt\nfiles/tree/plain.txt\n") << said(pattern);
    const auto found = lftp(server, "find files/tree/nested/deeper");
    EXPECT_EQ(found.out,
              "files/tree/nested/deeper/\nfiles/tree/nested/deeper/still/\n"
              "files/tree/nested/deeper/still/leaf\n")
        << said(found);
    const auto used = lftp(server, "du -b -s files/tree/a\\ folder");
    EXPECT_THAT(used.out, HasSubstr("files/tree/a folder")) << said(used);
}

TEST_F(Lftp, GetsAndPutsManyByPattern) {
    Server server(jailed);
    plant_tree(there / "tree", alice.uid);
    make_folder(there / "up", alice.uid);
    make_folder(here / "got");
    works(server, "mget -O got files/tree/nested/small-1*; mput -O files/up got/*");
    EXPECT_EQ(tree_of(here / "got").size(), 11U);
    EXPECT_EQ(unlike(there / "up", here / "got"), "");
}

TEST_F(Lftp, TellsAFailure) {
    Server server(jailed);
    for (const auto* command :
         {"get files/nothing", "cd nowhere", "rm files/nothing", "mkdir files", "put missing",
          "rmdir files/nothing", "mv files/nothing files/x", "chmod 600 files/nothing"}) {
        const auto ran = lftp(server, command);
        EXPECT_NE(ran.status, 0) << command << ": " << said(ran);
    }
    const auto login = run({"--norc", "-c",
                            "set net:max-retries 1; set ftp:ssl-allow false; set cmd:fail-exit "
                            "true; open -u alice,wrong " +
                                server.url() + "; ls"});
    EXPECT_NE(login.status, 0);
    EXPECT_THAT(login.out + login.err, HasSubstr("530"));
}

TEST_F(Lftp, StaysInTheJail) {
    Server server(jailed);
    const auto ran = lftp(server, "pwd; cd /../../..; pwd; cls -1 /");
    EXPECT_EQ(ran.status, 0) << said(ran);
    EXPECT_THAT(ran.out, HasSubstr("files/\n"));
    EXPECT_THAT(ran.out, Not(HasSubstr("etc")));
}
