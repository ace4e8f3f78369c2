// SPDX-License-Identifier: MIT
// What listings show of real folders: which names, in which order, within which bounds.
#include "session/lister.hpp"

#include "session/files.hpp"
#include "tests/session/jail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using session::Lister;
using session::Listing;
using session::Style;
using session::Way;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Lt;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;
using testing_support::as_somebody;
using testing_support::Jail;
using testing_support::outcome;
using testing_support::somebody;

using Lines = std::vector<std::string>;

Lines lines_of(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        const auto end = text.find("\r\n");
        if (end == text.npos) return lines.emplace_back("(no CRLF)"), lines;
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 2);
    }
    return lines;
}

class Listings : public testing::Test {
  protected:
    Listings() {
        options.write_enable = true;
        admission.user = "ann";
        admission.uid = somebody;
        admission.gid = somebody;
    }

    // As the commands do: "-la dir" and the like; the current folder is the root.
    Listing wanted(Style style, std::string_view argument) const {
        const auto request = ftp::parse_list(argument);
        Listing listing;
        listing.style = style;
        listing.options = request.options;
        listing.typed = request.path;
        listing.path = '/' + std::string(request.path.empty() ? "." : request.path);
        if (request.path.starts_with('/')) listing.path = request.path;
        if (style == Style::facts) listing.options.all = true;
        listing.facts = facts;
        return listing;
    }

    std::string text(Style style, std::string_view argument) {
        const auto listing = wanted(style, argument);
        const auto files = jail.files(way);
        Lister lister(files, options, admission);
        const auto found = lister.look_up(listing);
        if (!found) return outcome(found) + "\r\n";
        std::string lines;
        whole = lister.write(listing, [&](std::string_view more) {
            lines += more;
            return true;
        });
        return lines;
    }
    Lines names(std::string_view argument) { return lines_of(text(Style::names, argument)); }
    Lines ls(std::string_view argument) { return lines_of(text(Style::ls, argument)); }
    Lines mlsd(std::string_view argument) { return lines_of(text(Style::facts, argument)); }

    void set_time(const std::string& name, time_t seconds) const {
        const timespec times[2] = {{seconds, 0}, {seconds, 0}};
        ASSERT_EQ(::utimensat(AT_FDCWD, jail.path(name).c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
    }

    void fill() const {
        jail.file("b.txt", "123");
        jail.file("a.txt", "1");
        jail.file(".dot");
        jail.file("dir/inner.txt", "22");
        jail.link("link", "a.txt");
        jail.link("to-dir", "dir");
        jail.give_to(1002);
        for (const auto* name : {"a.txt", "b.txt", "dir", "link", "to-dir", ".dot", ""})
            set_time(name, 1583020799);  // 29 February 2020
    }

    Jail jail;
    Way way = Way::steps;  // as good as the kernel's, and everywhere
    config::Options options;
    ipc::Admission admission;
    ftp::Facts facts = ftp::all_facts;
    bool whole = false;
};

// ----- LIST

TEST_F(Listings, OfAFolderAreSortedLinesOfLs) {
    fill();
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, for the owner";
    EXPECT_THAT(ls(""),
                ElementsAre("-rw-r--r--    1 1002     1002            1 Feb 29  2020 a.txt",
                            "-rw-r--r--    1 1002     1002            3 Feb 29  2020 b.txt",
                            testing::MatchesRegex("drwxr-xr-x    2 1002     1002     +[0-9]+ "
                                                  "Feb 29  2020 dir"),
                            "lrwxrwxrwx    1 1002     1002            5 Feb 29  2020 link -> a.txt",
                            "lrwxrwxrwx    1 1002     1002            3 Feb 29  2020 "
                            "to-dir -> dir"));
    EXPECT_TRUE(whole);
}

TEST_F(Listings, FollowALinkToAFolderButShowOneToAFile) {
    fill();
    EXPECT_THAT(ls("to-dir"), ElementsAre(HasSubstr(" inner.txt")));
    EXPECT_THAT(ls("link"), ElementsAre(HasSubstr(" link -> a.txt")));
    EXPECT_THAT(ls("a.txt"), ElementsAre(HasSubstr(" 1 Feb 29  2020 a.txt")));
    EXPECT_THAT(ls("dir/inner.txt"), ElementsAre(HasSubstr(" inner.txt")));
}

TEST_F(Listings, ShowLinksThatLeadNowhere) {
    jail.link("dangling", "nothing");
    jail.link("loop", "loop");
    jail.link("out", "../../secret");
    EXPECT_THAT(ls(""), ElementsAre(HasSubstr("dangling -> nothing"), HasSubstr("loop -> loop"),
                                    HasSubstr("out -> ../../secret")));
    EXPECT_THAT(ls("dangling"), ElementsAre(HasSubstr("dangling -> nothing")));
    EXPECT_THAT(ls("loop"), ElementsAre(HasSubstr("loop -> loop")));
    EXPECT_THAT(names("out"), ElementsAre("out"));
}

TEST_F(Listings, TellWhatIsMissingOrForbidden) {
    fill();
    jail.folder("closed", 0711);
    ASSERT_EQ(::chmod(jail.path("closed").c_str(), 0311), 0);
    EXPECT_THAT(ls("nothing"), ElementsAre("ENOENT"));
    EXPECT_THAT(names("nothing"), ElementsAre("ENOENT"));
    EXPECT_THAT(ls("nowhere/*"), ElementsAre("ENOENT"));
    EXPECT_THAT(ls("a.txt/"), ElementsAre("ENOTDIR"));
    EXPECT_THAT(ls("a.txt/*"), ElementsAre("ENOTDIR"));
    EXPECT_THAT(ls("d*/"), ElementsAre("ENOENT")) << "patterns are for the last part only";
    EXPECT_THAT(ls("*/inner.txt"), ElementsAre("ENOENT"));
    jail.give_to(somebody);
    for (const auto* argument : {"closed", "closed/", "closed/*"})
        EXPECT_EQ(as_somebody([&] { return text(Style::ls, argument); }), "EACCES\r\n") << argument;
}

TEST_F(Listings, ShowAnonymousUsersOnlyWhatTheWorldMayRead) {
    fill();
    ASSERT_EQ(::chmod(jail.path("dir").c_str(), 0751), 0);
    admission.anonymous_rights = true;
    for (const auto* argument : {"dir", "dir/", "dir/*"}) {
        EXPECT_THAT(names(argument), ElementsAre("EACCES")) << argument;
        EXPECT_THAT(mlsd("dir"), ElementsAre("EACCES")) << argument;
    }
    EXPECT_THAT(names("-R"), ElementsAre(".:", "a.txt", "b.txt", "dir", "link", "to-dir"));
    EXPECT_TRUE(whole);
    options.anon_world_readable_only = false;
    EXPECT_THAT(names("dir"), ElementsAre("dir/inner.txt"));
    admission.anonymous_rights = false;
    options.anon_world_readable_only = true;
    EXPECT_THAT(names("dir"), ElementsAre("dir/inner.txt"));
}

TEST_F(Listings, AreEmptyWherePatternsMatchNothing) {
    fill();
    EXPECT_THAT(ls("x*"), IsEmpty());
    EXPECT_TRUE(whole);
}

TEST_F(Listings, LeaveOutWhatMayNotBeLookedAt) {
    jail.file("names-only/f");
    jail.folder("names-only", 0444);
    jail.give_to(somebody);
    EXPECT_EQ(as_somebody([&] { return text(Style::ls, "names-only"); }), "");
    EXPECT_EQ(as_somebody([&] { return text(Style::names, "names-only"); }), "names-only/f\r\n");
}

// ----- which names, in which order

struct Row {
    const char* argument;
    Lines expected;
};

TEST_F(Listings, TakeVsftpdsOptionsPathsAndPatterns) {
    fill();
    jail.file("dir/.hidden");
    set_time("dir", 1583020799);
    set_time("b.txt", 1583020899);
    const Row rows[] = {
        {"", {"a.txt", "b.txt", "dir", "link", "to-dir"}},
        {".", {"a.txt", "b.txt", "dir", "link", "to-dir"}},
        {"./", {"./a.txt", "./b.txt", "./dir", "./link", "./to-dir"}},
        {"/", {"/a.txt", "/b.txt", "/dir", "/link", "/to-dir"}},
        {"-a", {".", "..", ".dot", "a.txt", "b.txt", "dir", "link", "to-dir"}},
        {"-r", {"to-dir", "link", "dir", "b.txt", "a.txt"}},
        {"-t", {"b.txt", "a.txt", "dir", "link", "to-dir"}},
        {"-tr", {"to-dir", "link", "dir", "a.txt", "b.txt"}},
        {"-F", {"a.txt", "b.txt", "dir/", "link@", "to-dir@"}},
        {"-tF", {"b.txt", "a.txt", "dir/", "link@", "to-dir@"}},
        {"-1C", {"a.txt", "b.txt", "dir", "link", "to-dir"}},
        {"dir", {"dir/inner.txt"}},
        {"dir/", {"dir/inner.txt"}},
        {"/dir", {"/dir/inner.txt"}},
        {"-a dir", {"dir/.", "dir/..", "dir/.hidden", "dir/inner.txt"}},
        {"to-dir", {"to-dir/inner.txt"}},
        {"a.txt", {"a.txt"}},
        {"/a.txt", {"/a.txt"}},
        {"dir/inner.txt", {"dir/inner.txt"}},
        {".dot", {".dot"}},
        {"a*", {"a.txt"}},
        {"*.txt", {"a.txt", "b.txt"}},
        {"?.txt", {"a.txt", "b.txt"}},
        {"{a,b}.txt", {"a.txt", "b.txt"}},
        {"dir/*", {"dir/inner.txt"}},
        {"/dir/*", {"/dir/inner.txt"}},
        {"/*.txt", {"/a.txt", "/b.txt"}},
        {".d*", {".dot"}},
        {"dir/.*", {"dir/.", "dir/..", "dir/.hidden"}},
        {"*", {"a.txt", "b.txt", "dir", "link", "to-dir"}},
        {"-r *.txt", {"b.txt", "a.txt"}},
        {"[ab].txt", {"ENOENT"}},
    };
    for (const auto each : {Way::steps, Way::kernel}) {
        way = each;
        for (const auto& row : rows) EXPECT_EQ(names(row.argument), row.expected) << row.argument;
    }
}

TEST_F(Listings, SortByBytes) {
    for (const auto* name : {"b", "B", "a", "\xC3\xA4", "10", "9", "a b", "a-b", "~"})
        jail.file(name);
    EXPECT_THAT(names(""), ElementsAre("10", "9", "B", "a", "a b", "a-b", "b", "~", "\xC3\xA4"));
}

TEST_F(Listings, LeaveTheFoldersOrderIfSoAsked) {
    for (int number = 0; number < 50; ++number) jail.file("d/f" + std::to_string(number * 7 % 50));
    jail.file("d/inner/last");
    const auto as_it_comes = names("-U d");
    auto sorted = as_it_comes;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(sorted, names("d"));
    EXPECT_NE(sorted, as_it_comes) << "or this file system sorts by itself";
    EXPECT_EQ(names("-Ur d"), as_it_comes);
    EXPECT_EQ(ls("-U d").size(), 51U);
    EXPECT_EQ(names("-UR d").size(), 51U + 4);  // two headings, an empty line, and what is inner
}

TEST_F(Listings, SortSameTimesByName) {
    for (const auto* name : {"3", "1", "2"}) {
        jail.file(name);
        set_time(name, 1000);
    }
    jail.file("new");
    set_time("new", 2000);
    EXPECT_THAT(names("-t"), ElementsAre("new", "1", "2", "3"));
}

TEST_F(Listings, ShowDotFilesWhereConfigured) {
    fill();
    options.force_dot_files = true;
    EXPECT_THAT(names(""), ElementsAre(".dot", "a.txt", "b.txt", "dir", "link", "to-dir"));
}

TEST_F(Listings, HideWhatTheAdministratorHides) {
    fill();
    options.hide_file = "{*.txt,.dot}";
    EXPECT_THAT(names("-a"), ElementsAre(".", "..", "dir", "link", "to-dir"));
    EXPECT_THAT(names("*.txt"), IsEmpty());
    EXPECT_THAT(names("a.txt"), ElementsAre("ENOENT")) << "as if it were not there";
    options.hide_file = "ir";
    EXPECT_THAT(names(""), ElementsAre("a.txt", "b.txt", "link")) << "part of a name";
    EXPECT_THAT(mlsd(""), Not(testing::Contains(HasSubstr(" dir"))));
    options.hide_file = "{inner.txt}";
    EXPECT_THAT(names("dir"), IsEmpty());
}

TEST_F(Listings, HideIdsAndUseTheLocalTimeWhereConfigured) {
    jail.file("f");
    set_time("f", 1583020799);  // 29 February 2020, 23:59:59 UTC
    options.hide_ids = true;
    options.use_localtime = true;
    const std::string zone = std::getenv("TZ") == nullptr ? "" : std::getenv("TZ");
    ::setenv("TZ", "XST-3", 1);
    ::tzset();
    EXPECT_THAT(ls(""), ElementsAre("-rw-r--r--    1 ftp      ftp             0 Mar 01  2020 f"));
    zone.empty() ? ::unsetenv("TZ") : ::setenv("TZ", zone.c_str(), 1);
    ::tzset();
    EXPECT_THAT(mlsd(""), testing::Each(Not(HasSubstr("owner="))));
}

TEST_F(Listings, CarryAnyName) {
    jail.file("two\nlines");
    jail.file("\"quoted\"");
    jail.file(std::string(255, 'n'));
    jail.file("gr\xC3\xBC\xC3\x9F");
    EXPECT_THAT(names(""), UnorderedElementsAre(std::string("two\0lines", 9), "\"quoted\"",
                                                std::string(255, 'n'), "gr\xC3\xBC\xC3\x9F"));
}

// ----- -R

TEST_F(Listings, DescendInOrderWithHeadings) {
    jail.file("a/b/deep");
    jail.file("a/f");
    jail.file("c/g");
    jail.link("a/back", "..");
    jail.link("loop", "/");
    EXPECT_THAT(names("-R"), ElementsAre(".:", "a", "c", "loop",                    //
                                         "", "./a:", "./a/b", "./a/back", "./a/f",  //
                                         "", "./a/b:", "./a/b/deep",                //
                                         "", "./c:", "./c/g"));
    EXPECT_THAT(names("-R a/"), ElementsAre("a/:", "a/b", "a/back", "a/f", "", "a/b:", "a/b/deep"));
    EXPECT_THAT(names("-aR c"), ElementsAre("c:", "c/.", "c/..", "c/g"));
    EXPECT_THAT(names("-rR a"), ElementsAre("a:", "a/f", "a/back", "a/b", "", "a/b:", "a/b/deep"));
    EXPECT_THAT(ls("-R a"), ElementsAre("a:", HasSubstr(" b"), HasSubstr(" back -> .."),
                                        HasSubstr(" f"), "", "a/b:", HasSubstr(" deep")));
    EXPECT_TRUE(whole);
}

TEST_F(Listings, DescendIntoNothingUnreadable) {
    jail.file("closed/f");
    jail.folder("closed", 0311);
    jail.file("open/f");
    jail.give_to(somebody);
    EXPECT_EQ(as_somebody([&] {
                  const auto lines = text(Style::names, "-R");
                  return lines + (whole ? "whole" : "cut");
              }),
              ".:\r\nclosed\r\nopen\r\n\r\n./open:\r\n./open/f\r\nwhole");
}

TEST_F(Listings, DescendOnlySoFar) {
    std::string path;
    for (int depth = 0; depth < 105; ++depth) path += "/d";
    jail.folder(path);
    const auto lines = names("-R");
    EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                            [](const auto& line) { return line.ends_with(':'); }),
              101);
    EXPECT_FALSE(whole) << "and say so";
}

TEST_F(Listings, DescendWithFewDescriptors) {
    std::string path;
    for (int depth = 0; depth < 80; ++depth) path += "/d";
    jail.folder(path);
    EXPECT_EQ(as_somebody([&]() -> std::string {
                  const rlimit few{24, 24};
                  (void)::setrlimit(RLIMIT_NOFILE, &few);
                  (void)text(Style::names, "-R");
                  return whole ? "whole" : "cut";
              }),
              "whole");
}

// ----- while others are at work

TEST_F(Listings, LeaveOutWhatVanishes) {
    const auto files = jail.files(way);
    for (const auto style : {Style::ls, Style::facts}) {
        for (int number = 0; number < 3000; ++number) jail.file("f" + std::to_string(number));
        const auto listing = wanted(style, "-U");
        Lister lister(files, options, admission);
        ASSERT_TRUE(lister.look_up(listing));
        std::string lines;
        // The first lines are out when the rest goes.
        EXPECT_TRUE(lister.write(listing, [&](std::string_view more) {
            lines += more;
            for (int number = 0; number < 3000; ++number)
                (void)::unlink(jail.path("f" + std::to_string(number)).c_str());
            return true;
        }));
        EXPECT_THAT(lines_of(lines).size(), AllOf(Gt(0U), Lt(3000U)));
    }
}

TEST_F(Listings, AreWholeWhenTheFolderGoes) {
    jail.folder("d");
    const auto files = jail.files(way);
    const auto listing = wanted(Style::names, "d");
    Lister lister(files, options, admission);
    ASSERT_TRUE(lister.look_up(listing));
    ASSERT_EQ(::rmdir(jail.path("d").c_str()), 0);
    EXPECT_TRUE(lister.write(listing, [](std::string_view) { return true; }));
    EXPECT_THAT(names("d/."), ElementsAre("ENOENT"));
}

TEST_F(Listings, EndWhenNobodyTakesThem) {
    for (int number = 0; number < 3000; ++number) jail.file("f" + std::to_string(number));
    const auto files = jail.files(way);
    for (const auto style : {Style::ls, Style::names, Style::facts}) {
        const auto listing = wanted(style, "");
        Lister lister(files, options, admission);
        ASSERT_TRUE(lister.look_up(listing));
        int calls = 0;
        EXPECT_FALSE(lister.write(listing, [&](std::string_view lines) {
            EXPECT_TRUE(lines.ends_with("\r\n"));
            return ++calls > 1;
        }));
        EXPECT_EQ(calls, 1);
    }
}

TEST_F(Listings, HoldManyNames) {
    constexpr std::size_t many = 5000;
    jail.folder("many");
    for (std::size_t number = 0; number < many; ++number)
        (void)::mknod(jail.path("many/" + std::to_string(number)).c_str(), S_IFREG | 0644, 0);
    for (const auto* argument : {"many", "-t many", "-F many", "-R many"}) {
        EXPECT_EQ(names(argument).size(), many + (argument[1] == 'R' ? 1 : 0)) << argument;
        EXPECT_TRUE(whole);
    }
    const auto sorted = names("many");
    EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end()));
    EXPECT_EQ(std::set(sorted.begin(), sorted.end()).size(), many) << "each once";
    const auto lines = ls("many");
    ASSERT_EQ(lines.size(), many);
    for (std::size_t number = 0; number < many; ++number)
        EXPECT_THAT(lines[number],
                    AllOf(StartsWith("-rw-r--r-- "), EndsWith(' ' + sorted[number].substr(5))));
    EXPECT_EQ(mlsd("many").size(), many + 2);
}

TEST_F(Listings, BoundCostlyPatterns) {
    for (int number = 0; number < 2000; ++number)
        jail.file(std::string(200, 'a') + std::to_string(number));
    std::string pattern;
    for (int star = 0; star < 120; ++star) pattern += "a*";
    (void)names(pattern + 'b');
    EXPECT_TRUE(whole) << "100 million steps";
    for (int number = 2000; number < 6000; ++number)
        jail.file(std::string(200, 'a') + std::to_string(number));
    (void)names(pattern + 'b');
    EXPECT_FALSE(whole);
    EXPECT_THAT(names(std::string(20, '{') + "a"), ElementsAre("EINVAL"));
}

// ----- MLSD and MLST

// Here the root is a folder of the host's, and the kernel's own ".." leads out of it.
TEST_F(Listings, ShowTheFolderAboveByThePath) {
    jail.folder("a/b/c");
    jail.link("link", "a/b");
    facts = ftp::fact_unique;
    const auto above = [&](std::string_view folder) {
        for (auto& line : mlsd(folder)) {
            if (line.ends_with("; ..")) return line.substr(0, line.size() - 2);
        }
        return std::string("none");
    };
    for (const auto each : {Way::kernel, Way::steps}) {
        way = each;
        const auto files = jail.files(way);
        Lister lister(files, options, admission);
        const auto self = [&](const std::string& path) {
            return lister.facts(path, "", facts).value();
        };
        EXPECT_EQ(above(""), self("/"));
        EXPECT_EQ(above("a"), self("/"));
        EXPECT_EQ(above("a/b"), self("/a"));
        EXPECT_EQ(above("a/b/c"), self("/a/b"));
        EXPECT_EQ(above("link"), self("/a"));
        EXPECT_NE(self("/"), self("/a"));
    }
}

TEST_F(Listings, OfFactsTellOfEachNameAndOfTheFolders) {
    fill();
    ASSERT_EQ(::mkfifo(jail.path("fifo").c_str(), 0600), 0);
    facts = ftp::fact_type | ftp::fact_size | ftp::fact_modify | ftp::fact_mode;
    EXPECT_THAT(mlsd(""),
                UnorderedElementsAre(
                    testing::MatchesRegex("type=cdir;modify=[0-9]+;UNIX.mode=0755; \\."),
                    testing::MatchesRegex("type=pdir;modify=[0-9]+;UNIX.mode=0755; \\.\\."),
                    "type=file;size=0;modify=20200229235959;UNIX.mode=0644; .dot",
                    "type=file;size=1;modify=20200229235959;UNIX.mode=0644; a.txt",
                    "type=file;size=3;modify=20200229235959;UNIX.mode=0644; b.txt",
                    "type=dir;modify=20200229235959;UNIX.mode=0755; dir",
                    "type=OS.unix=slink:a.txt;modify=20200229235959;UNIX.mode=0777; link",
                    "type=OS.unix=slink:dir;modify=20200229235959;UNIX.mode=0777; to-dir",
                    StartsWith("type=OS.unix=fifo;")));
}

TEST_F(Listings, OfFactsAreForFoldersOnly) {
    fill();
    EXPECT_THAT(mlsd("a.txt"), ElementsAre("ENOTDIR"));
    EXPECT_THAT(mlsd("*"), ElementsAre("ENOENT"));
    EXPECT_THAT(mlsd("nothing"), ElementsAre("ENOENT"));
    EXPECT_EQ(mlsd("to-dir").size(), 3U);
}

// ".." of the root is the root, and not what is above it on the host.
TEST_F(Listings, NeverLookAboveTheRoot) {
    ASSERT_EQ(::chmod(jail.path().c_str(), 0750), 0);
    ASSERT_EQ(::chmod(jail.outside().c_str(), 0711), 0);
    facts = ftp::fact_type | ftp::fact_mode;
    EXPECT_THAT(mlsd(""), UnorderedElementsAre("type=cdir;UNIX.mode=0750; .",
                                               "type=pdir;UNIX.mode=0750; .."));
    EXPECT_THAT(ls("-a"), testing::Each(StartsWith("drwxr-x---")));
    jail.folder("d", 0700);
    EXPECT_THAT(ls("-a d"), ElementsAre(StartsWith("drwx------"), StartsWith("drwxr-x---")));
}

class PermFact : public Listings {
  protected:
    PermFact() {
        facts = ftp::fact_perm;
        jail.file("old", "", 0644);
        jail.folder("folder", 0755);
        jail.link("link", "old");
        jail.give_to(somebody);
    }
    // As that user: in the folder, which is his.
    std::string of(const std::string& name) {
        return as_somebody([&] {
            for (const auto& line : lines_of(text(Style::facts, "")))
                if (line.ends_with("; " + name)) return line.substr(5, line.find(';') - 5);
            return std::string("(none)");
        });
    }
};

TEST_F(PermFact, TellsWhatTheUserMayDo) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    EXPECT_EQ(of("old"), "adfrw");
    EXPECT_EQ(of("folder"), "cdeflmp");
    EXPECT_EQ(of("."), "celmp") << "nobody removes a folder that he stands in";
}

TEST_F(PermFact, TellsWhatTheConfigurationLetsHimDo) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    options.write_enable = false;
    EXPECT_EQ(of("old"), "r");
    EXPECT_EQ(of("folder"), "el");
    options.write_enable = true;
    options.download_enable = false;
    options.cmds_denied = "MKD,DELE";
    EXPECT_EQ(of("old"), "aw");
    EXPECT_EQ(of("folder"), "cel");
    options.cmds_denied.clear();
    options.download_enable = true;
    admission.anonymous_rights = true;
    EXPECT_EQ(of("old"), "r");
    options.anon_upload_enable = true;
    EXPECT_EQ(of("old"), "r") << "anonymous never overwrites";
    EXPECT_EQ(of("folder"), "cel");
    options.anon_mkdir_write_enable = true;
    EXPECT_EQ(of("folder"), "celm");
    options.anon_other_write_enable = true;
    EXPECT_EQ(of("old"), "adfrw");
}

TEST_F(PermFact, TellsWhatTheFolderLetsHimDo) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    ASSERT_EQ(::chmod(jail.path().c_str(), 0555), 0);
    EXPECT_EQ(of("old"), "arw");
    ASSERT_EQ(::chown(jail.path().c_str(), 0, 0), 0);
    ASSERT_EQ(::chmod(jail.path().c_str(), 01777), 0);
    EXPECT_EQ(of("old"), "adfrw");
    ASSERT_EQ(::chown(jail.path("old").c_str(), 0, 0), 0);
    EXPECT_EQ(of("old"), "r") << "a stranger's in a sticky folder";
    ASSERT_EQ(::chown(jail.path("old").c_str(), 0, somebody + 7), 0);
    ASSERT_EQ(::chmod(jail.path("old").c_str(), 0620), 0);
    admission.groups = {somebody + 7};
    EXPECT_EQ(of("old"), "aw") << "by one of his groups";
}

TEST_F(Listings, MlstTellsOfExactlyTheNamed) {
    fill();
    const auto files = jail.files(way);
    Lister lister(files, options, admission);
    const auto chosen = ftp::fact_type | ftp::fact_size;
    EXPECT_EQ(lister.facts("/a.txt", "/a.txt", chosen).value(), "type=file;size=1; /a.txt");
    EXPECT_EQ(lister.facts("/.", "/", chosen).value(), "type=dir; /");
    EXPECT_EQ(lister.facts("/../..", "/", chosen).value(), "type=dir; /");
    EXPECT_EQ(lister.facts("/to-dir", "/to-dir", chosen).value(),
              "type=OS.unix=slink:dir; /to-dir");
    EXPECT_EQ(lister.facts("/to-dir/", "/to-dir", chosen).value(), "type=dir; /to-dir");
    EXPECT_EQ(outcome(lister.facts("/nothing", "/nothing", chosen)), "ENOENT");
    EXPECT_EQ(outcome(lister.facts("/a.txt/x", "", chosen)), "ENOTDIR");
    const auto all = lister.facts("/a.txt", "/a.txt", ftp::all_facts).value();
    EXPECT_THAT(all, HasSubstr(";perm="));
    EXPECT_THAT(all, HasSubstr(";unique="));
}

}  // namespace
