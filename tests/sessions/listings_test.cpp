// SPDX-License-Identifier: MIT
// LIST, NLST and STAT: what is shown, how, in which order (whole sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

using namespace sessions;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

void set_time(const std::filesystem::path& path, time_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

class Listings : public testing::Test {
  protected:
    void SetUp() override {
        write_file(files / "b.txt", std::string(300, 'x'), alice.uid);
        write_file(files / "a.txt", "1", alice.uid, 0604);
        write_file(files / ".dot", "", alice.uid);
        make_folder(files / "dir", alice.uid, 0750);
        write_file(files / "dir/inner.txt", "22", alice.uid);
        std::filesystem::create_symlink("a.txt", files / "link");
        set_time(files / "a.txt", 1583020799);  // 29 February 2020, 23:59:59
        set_time(files / "b.txt", 1546300800);  // 1 January 2019
        set_time(files / "dir", 1514764800);    // 1 January 2018
        set_time(files / "link", 1483228800);   // 1 January 2017
    }
    const std::filesystem::path files = home_of(alice) / "files";
    std::vector<std::string> names(Conversation& ftp, const std::string& command) {
        return lines_of(ftp.list(command));
    }
};

}  // namespace

TEST_F(Listings, ShowFilesAsLsDoes) {
    Server server;
    Conversation ftp(server, alice);
    EXPECT_THAT(names(ftp, "LIST files"),
                ElementsAre("-rw----r--    1 2001     2001            1 Feb 29  2020 a.txt",
                            "-rw-r--r--    1 2001     2001          300 Jan 01  2019 b.txt",
                            "drwxr-x---    2 2001     2001           60 Jan 01  2018 dir",
                            StartsWith("lrwxrwxrwx    1 0        0               5 Jan 01  2017 link -> a.txt")));
    EXPECT_EQ(ftp.done, "226 Directory send OK.");
}

TEST_F(Listings, ShowTheHourOfThisYearsFiles) {
    const auto now = std::time(nullptr);
    set_time(files / "a.txt", now - 3600);
    set_time(files / "b.txt", now + 86400 * 3);
    char hour[32];
    char year[32];
    const auto before = now - 3600;
    const auto later = now + 86400 * 3;
    std::strftime(hour, sizeof hour, "%b %d %H:%M a.txt", std::gmtime(&before));
    std::strftime(year, sizeof year, "%b %d  %Y b.txt", std::gmtime(&later));
    Server server;
    Conversation ftp(server, alice);
    const auto listing = ftp.list("LIST files");
    EXPECT_THAT(listing, HasSubstr(hour));
    EXPECT_THAT(listing, HasSubstr(year)) << "the future has its year";
}

TEST_F(Listings, UseTheLocalTimeOfEachDateWhereConfigured) {
    set_time(files / "a.txt", 1577883600);  // 1 January 2020, 13:00 UTC
    set_time(files / "b.txt", std::time(nullptr) - 3600);
    Server server({"use_localtime=YES"}, {.environment = {"TZ=XST-3"}});
    Conversation ftp(server, alice);
    const auto shifted = std::time(nullptr) - 3600 + 3 * 3600;
    char text[32];
    std::strftime(text, sizeof text, "%b %d %H:", std::gmtime(&shifted));
    EXPECT_THAT(ftp.list("LIST files"), HasSubstr(text));
}

TEST_F(Listings, TakeOptions) {
    Server server;
    Conversation ftp(server, alice);
    ftp.say("CWD files");
    EXPECT_THAT(names(ftp, "NLST"), ElementsAre("a.txt", "b.txt", "dir", "link"));
    EXPECT_THAT(names(ftp, "NLST -a"), ElementsAre(".", "..", ".dot", "a.txt", "b.txt", "dir", "link"));
    EXPECT_THAT(names(ftp, "NLST -r"), ElementsAre("link", "dir", "b.txt", "a.txt"));
    EXPECT_THAT(names(ftp, "NLST -t"), ElementsAre("a.txt", "b.txt", "dir", "link"));
    EXPECT_THAT(names(ftp, "NLST -tr"), ElementsAre("link", "dir", "b.txt", "a.txt"));
    EXPECT_THAT(names(ftp, "NLST -F"), ElementsAre("a.txt", "b.txt", "dir/", "link@"));
    EXPECT_THAT(names(ftp, "NLST -CF1"), ElementsAre("a.txt", "b.txt", "dir/", "link@"));
    EXPECT_THAT(names(ftp, "NLST -l").at(0), HasSubstr(" a.txt"));
    EXPECT_THAT(names(ftp, "LIST -a").at(2), HasSubstr(" .dot"));
}

TEST_F(Listings, TakePathsAndPatterns) {
    Server server;
    Conversation ftp(server, alice);
    ftp.say("CWD files");
    EXPECT_THAT(names(ftp, "NLST dir"), ElementsAre("dir/inner.txt"));
    EXPECT_THAT(names(ftp, "NLST a*"), ElementsAre("a.txt"));
    EXPECT_THAT(names(ftp, "NLST ?.txt"), ElementsAre("a.txt", "b.txt"));
    EXPECT_THAT(names(ftp, "NLST {a,b}.txt"), ElementsAre("a.txt", "b.txt"));
    EXPECT_THAT(names(ftp, "NLST dir/*.txt"), ElementsAre("dir/inner.txt"));
    EXPECT_THAT(names(ftp, "LIST a.txt"), ElementsAre(HasSubstr(" a.txt")));
    EXPECT_THAT(names(ftp, "NLST .d*"), ElementsAre(".dot"));
}

TEST_F(Listings, SayWhatIsMissing) {
    make_folder(files / "closed", 0, 0700);
    Server server;
    Conversation ftp(server, alice);
    ftp.say("CWD files");
    for (const auto* command : {"LIST nothing", "NLST nothing", "LIST nowhere/x", "LIST closed/"}) {
        ftp.list(command);
        EXPECT_THAT(ftp.began + ftp.done, HasSubstr("550")) << command << ": " << ftp.began << ftp.done;
    }
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}

TEST_F(Listings, DescendWhereAllowed) {
    {
        Server server({"ls_recurse_enable=YES"});
        Conversation ftp(server, alice);
        const auto listing = ftp.list("LIST -R files");
        EXPECT_THAT(listing, HasSubstr("dir:\r\n"));
        EXPECT_THAT(listing, HasSubstr(" inner.txt\r\n"));
    }
    Server server;
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.list("LIST -R files"), Not(HasSubstr("inner.txt")));
}

TEST_F(Listings, HideNumbersAndShowDotFilesWhereConfigured) {
    Server server({"hide_ids=YES", "force_dot_files=YES"});
    Conversation ftp(server, alice);
    const auto listing = ftp.list("LIST files");
    EXPECT_THAT(listing, HasSubstr("1 ftp      ftp "));
    EXPECT_THAT(listing, HasSubstr(" .dot\r\n"));
}

TEST_F(Listings, ComeOverTheControlConnectionToo) {
    Server server;
    Conversation ftp(server, alice);
    const auto status = ftp.say("STAT files");
    EXPECT_THAT(status, StartsWith("213-Status follows:\n"));
    EXPECT_THAT(status, HasSubstr(" a.txt\n"));
    EXPECT_THAT(status, HasSubstr(" .dot\n"));
    EXPECT_THAT(status, testing::EndsWith("\n213 End of status"));
}

TEST_F(Listings, HoldTenThousandNames) {
    make_folder(files / "many", alice.uid);
    for (int number = 0; number < 10'000; ++number) write_file(files / "many" / ("file-" + std::to_string(10'000 + number)), "");
    Server server;
    Conversation ftp(server, alice);
    const auto all = names(ftp, "NLST files/many");
    ASSERT_EQ(all.size(), 10'000U);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
    EXPECT_EQ(ftp.done, "226 Directory send OK.");
}

TEST_F(Listings, BoundCostlyPatterns) {
    for (int number = 0; number < 300; ++number) write_file(files / (std::string(100, 'a') + std::to_string(number)), "");
    Server server;
    Conversation ftp(server, alice);
    const auto before = std::chrono::steady_clock::now();
    ftp.list("LIST files/" + []{ std::string p; for (int i = 0; i < 40; ++i) p += "a*"; return p; }() + "b");
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
    EXPECT_EQ(ftp.say("NOOP"), "200 NOOP ok.");
}
