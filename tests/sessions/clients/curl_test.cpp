// SPDX-License-Identifier: MIT
// Whole sessions with curl.
#include "tests/sessions/clients/client.hpp"

#include <gmock/gmock.h>

using namespace sessions;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace fs = std::filesystem;

namespace {

// Exit codes, as in its manual.
enum : int {
    login_denied = 67,
    access_denied = 9,  // a folder of the URL
    not_found = 78,     // RETR: 550
    upload_failed = 25,
    quote_error = 21,
    partial_file = 18,
    bad_resume = 36,
};

class Curl : public Client {
  protected:
    Curl() : Client("curl") {}
    void SetUp() override {
        Client::SetUp();
        make_folder(there, alice.uid);
        write_file(there / "digits", "0123456789", alice.uid);
    }

    Ran curl(const Server& server, const std::string& path, std::vector<std::string> more = {}) {
        std::vector<std::string> arguments = {"--silent",        "--show-error", "--globoff",
                                              "--max-time",      "30",           "--user",
                                              "alice:wonderland"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        arguments.push_back(server.url() + "/" + path);
        return run(std::move(arguments));
    }
    void works(const Server& server, const std::string& path, std::vector<std::string> more) {
        const auto ran = curl(server, path, std::move(more));
        EXPECT_EQ(ran.status, 0) << path << ": " << said(ran);
    }
};

struct Connecting {
    const char* name;
    const char* address;
    std::vector<std::string> options;
};
void PrintTo(const Connecting& each, std::ostream* out) { *out << each.name; }

class CurlConnects : public Curl, public testing::WithParamInterface<Connecting> {};

}  // namespace

TEST_P(CurlConnects, AndTransfersBothWays) {
    Server server(jailed, {.address = GetParam().address});
    write_file(here / "up", noise(large));
    auto options = GetParam().options;
    options.insert(options.end(), {"--upload-file", "up"});
    works(server, "files/f", options);
    EXPECT_TRUE(content_of(there / "f") == noise(large));
    options = GetParam().options;
    options.insert(options.end(), {"--output", "down"});
    works(server, "files/f", options);
    EXPECT_TRUE(content_of(here / "down") == noise(large));
    const auto list = curl(server, "files/", GetParam().options);
    EXPECT_THAT(list.out, HasSubstr(" digits\n")) << said(list);
}

INSTANTIATE_TEST_SUITE_P(
    All, CurlConnects,
    testing::Values(Connecting{"ByEpsv", "127.0.0.1", {}},
                    Connecting{"ByPasv", "127.0.0.1", {"--disable-epsv"}},
                    Connecting{"ByEprt", "127.0.0.1", {"--ftp-port", "-"}},
                    Connecting{"ByPort", "127.0.0.1", {"--ftp-port", "-", "--disable-eprt"}},
                    Connecting{"ByEpsvOverIpv6", global_ipv6, {}},
                    Connecting{"ByEprtOverIpv6", global_ipv6, {"--ftp-port", "-"}}),
    [](const auto& each) { return each.param.name; });

struct Part {
    const char* range;
    const char* bytes;
};

TEST_F(Curl, FetchesRanges) {
    Server server(jailed);
    // clang-format off
    for (const auto& [range, bytes] : {Part{"0-0", "0"}, {"3-5", "345"}, {"7-", "789"},
                                       {"-4", "6789"}, {"0-", "0123456789"}, {"8-100", "89"}}) {
        // clang-format on
        const auto ran = curl(server, "files/digits", {"--range", range});
        EXPECT_EQ(ran.out, bytes) << range << ": " << said(ran);
    }
}

TEST_F(Curl, ResumesADownload) {
    Server server(jailed);
    write_file(there / "f", noise(large), alice.uid);
    write_file(here / "f", noise(large).substr(0, 1'234'567));
    works(server, "files/f", {"--continue-at", "-", "--output", "f"});
    EXPECT_TRUE(content_of(here / "f") == noise(large));
    EXPECT_EQ(curl(server, "files/digits", {"--continue-at", "6"}).out, "6789");
    EXPECT_EQ(curl(server, "files/digits", {"--continue-at", "60"}).status, bad_resume);
}

TEST_F(Curl, ResumesAnUpload) {
    Server server(jailed);
    write_file(here / "f", noise(large));
    write_file(there / "f", noise(large).substr(0, 1'234'567), alice.uid);
    works(server, "files/f", {"--continue-at", "-", "--upload-file", "f"});
    EXPECT_TRUE(content_of(there / "f") == noise(large));
}

TEST_F(Curl, Appends) {
    Server server(jailed);
    write_file(here / "more", "abc");
    works(server, "files/digits", {"--append", "--upload-file", "more"});
    works(server, "files/new", {"--append", "--upload-file", "more"});
    EXPECT_EQ(content_of(there / "digits"), "0123456789abc");
    EXPECT_EQ(content_of(there / "new"), "abc");
}

TEST_F(Curl, MakesTheFoldersOfAnUpload) {
    Server server(jailed);
    write_file(here / "f", "x");
    works(server, "files/a/b/c/f", {"--ftp-create-dirs", "--upload-file", "f"});
    EXPECT_EQ(content_of(there / "a/b/c/f"), "x");
    works(server, "files/one/f",
          {"--ftp-create-dirs", "--ftp-method", "singlecwd", "--upload-file", "f"});
    EXPECT_EQ(content_of(there / "one/f"), "x");
}

TEST_F(Curl, FindsFilesByEveryMethod) {
    Server server(jailed);
    make_folder(there / "a b/c", alice.uid);
    write_file(there / "a b/c/f", "content", alice.uid);
    for (const auto* method : {"multicwd", "singlecwd", "nocwd"}) {
        EXPECT_EQ(curl(server, "files/a%20b/c/f", {"--ftp-method", method}).out, "content");
        EXPECT_EQ(curl(server, "%2Ffiles/a%20b/c/f", {"--ftp-method", method}).out, "content");
    }
}

TEST_F(Curl, SaysQuotedCommands) {
    Server server(jailed);
    works(server, "files/",
          {"--list-only", "--quote", "MKD files/made", "--quote", "RNFR files/digits", "--quote",
           "RNTO files/made/digits", "--quote", "-SITE CHMOD 600 made/digits"});
    EXPECT_EQ(content_of(there / "made/digits"), "0123456789");
    EXPECT_EQ(mode_of(there / "made/digits"), 0600U);
    works(server, "files/made/digits", {"--quote", "-DELE digits"});
    EXPECT_THAT(tree_of(there / "made"), IsEmpty());
    EXPECT_EQ(curl(server, "files/", {"--quote", "DELE nothing"}).status, quote_error);
    works(server, "files/", {"--quote", "*DELE nothing", "--quote", "NOOP"});
}

TEST_F(Curl, AsksForTheHead) {
    Server server(jailed);
    set_time(there / "digits", 1'500'000'001);
    const auto ran = curl(server, "files/digits", {"--head"});
    EXPECT_EQ(ran.status, 0) << said(ran);
    EXPECT_THAT(ran.out, HasSubstr("Last-Modified: Fri, 14 Jul 2017 02:40:01 GMT"));
    EXPECT_THAT(ran.out, HasSubstr("Content-Length: 10"));
    EXPECT_THAT(ran.out, HasSubstr("Accept-ranges: bytes"));
}

TEST_F(Curl, FetchesWhatIsNewer) {
    Server server(jailed);
    set_time(there / "digits", 1'500'000'001);
    EXPECT_EQ(curl(server, "files/digits", {"--time-cond", "1 Jul 2017"}).out, "0123456789");
    EXPECT_EQ(curl(server, "files/digits", {"--time-cond", "1 Aug 2017"}).out, "");
    works(server, "files/digits", {"--remote-time", "--output", "d"});
    EXPECT_EQ(std::chrono::duration_cast<std::chrono::seconds>(
                  fs::last_write_time(here / "d") - fs::last_write_time(there / "digits"))
                  .count(),
              0);
}

TEST_F(Curl, ListsNames) {
    Server server(jailed);
    write_file(there / "with blank", "", alice.uid);
    write_file(there /
                   "gr\xc3\xbc\xc3\x9f"
                   "e",
               "", alice.uid);
    const auto ran = curl(server, "files/", {"--list-only"});
    EXPECT_EQ(lines_of(ran.out), (Lines{"digits",
                                        "gr\xc3\xbc\xc3\x9f"
                                        "e",
                                        "with blank"}))
        << said(ran);
}

TEST_F(Curl, KeepsNamesWhole) {
    Server server(jailed);
    write_file(here / "f", "x");
    for (const auto* name : {"with%20blank", "gr%C3%BC%C3%9Fe", "per%25cent", "a%23b%3Fc",
                             "%5Bx%5D", "semi%3Bcolon", "%22quoted%22", "-dash"}) {
        const auto path = std::string("files/") + name;
        works(server, path, {"--upload-file", "f"});
        EXPECT_EQ(curl(server, path).out, "x") << name;
    }
    EXPECT_TRUE(fs::exists(there / "gr\xc3\xbc\xc3\x9f"
                                   "e"));
    EXPECT_TRUE(fs::exists(there / "a#b?c"));
    EXPECT_TRUE(fs::exists(there / "-dash"));
}

TEST_F(Curl, UsesOneConnectionForMany) {
    Server server(jailed);
    write_file(there / "other", "abc", alice.uid);
    const auto ran = curl(server, "files/digits",
                          {server.url() + "/files/other", server.url() + "/files/digits"});
    EXPECT_EQ(ran.out, "abc01234567890123456789") << said(ran);
    const auto lines = lines_of(server.log());
    EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                            [](const auto& line) { return line.find("CONNECT") != line.npos; }),
              1);
}

TEST_F(Curl, ConvertsTextWhereConfigured) {
    auto lines = jailed;
    lines.insert(lines.end(), {"ascii_upload_enable=YES", "ascii_download_enable=YES"});
    Server server(lines);
    write_file(there / "text", "one\ntwo\n", alice.uid);
    EXPECT_EQ(curl(server, "files/text", {"--use-ascii"}).out, "one\ntwo\n");
    EXPECT_THAT(server.logged("OK DOWNLOAD"), HasSubstr(" 10 bytes")) << "with CR on the way";
    write_file(here / "up", "one\ntwo\n");
    works(server, "files/up", {"--use-ascii", "--crlf", "--upload-file", "up"});
    EXPECT_EQ(content_of(there / "up"), "one\ntwo\n");
}

TEST_F(Curl, KnowsWhatFailed) {
    Server server(jailed);
    write_file(here / "f", "x");
    EXPECT_EQ(curl(server, "files/nothing").status, not_found);
    EXPECT_EQ(curl(server, "nowhere/f").status, access_denied);
    EXPECT_EQ(curl(server, "f", {"--upload-file", "f"}).status, upload_failed);
    EXPECT_EQ(curl(server, "files/nothing", {"--head"}).status, not_found);
    EXPECT_EQ(curl(server, "", {"--user", "alice:wrong"}).status, login_denied);
    EXPECT_EQ(curl(server, "", {"--user", "nobody-here:x"}).status, login_denied);
}

TEST_F(Curl, LogsInWithoutAName) {
    write_file(home_of(ftp_user) / "readme", "public");
    Server server({"anonymous_enable=YES"});
    const auto ran = run({"--silent", "--show-error", server.url() + "/readme"});
    EXPECT_EQ(ran.out, "public") << said(ran);
}
