// SPDX-License-Identifier: MIT
// Lines of listings, byte for byte.
#include "ftp/listing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/stat.h>

namespace {

using namespace std::string_literals;

constexpr std::int64_t now = 1795560645;  // 2026-11-24 22:50:45
constexpr std::int64_t day = 86400;

ftp::Entry file(std::string name) {
    ftp::Entry entry;
    entry.name = std::move(name);
    entry.mode = S_IFREG | 0644;
    entry.uid = 1002;
    entry.gid = 1002;
    entry.size = 3;
    entry.mtime = 1778157296;  // 2026-05-07 12:34:56, more than half a year ago
    return entry;
}

ftp::Entry folder(std::string name) {
    auto entry = file(std::move(name));
    entry.mode = S_IFDIR | 0755;
    entry.links = 2;
    entry.size = 4096;
    return entry;
}

ftp::Entry link(std::string name, std::string target) {
    auto entry = file(std::move(name));
    entry.mode = S_IFLNK | 0777;
    entry.target = std::move(target);
    return entry;
}

ftp::View view() {
    ftp::View result;
    result.now = now;
    return result;
}

std::string ended(std::string line) {
    ftp::end_data_line(line, 0);
    return line;
}

std::string ls_line(const ftp::Entry& entry, const ftp::View& view, bool classify) {
    std::string line;
    ftp::add_ls_front(line, entry, view);
    ftp::add_ls_name(line, entry, classify);
    return ended(line);
}

std::string nlst_line(const ftp::Entry& entry, bool classify) {
    std::string line;
    ftp::add_nlst_name(line, entry, classify);
    return ended(line);
}

std::string fact_line(const ftp::Entry& entry, std::string_view name, ftp::Facts chosen,
                      const ftp::Viewer& viewer, bool hide_ids,
                      ftp::Relation relation = ftp::Relation::ordinary) {
    std::string line;
    ftp::add_facts(line, entry, name, chosen, viewer, hide_ids, relation);
    return line;
}

TEST(LsLine, IsVsftpds) {
    EXPECT_EQ(ls_line(file("old.txt"), view(), false),
              "-rw-r--r--    1 1002     1002            3 May 07  2026 old.txt\r\n");
}

TEST(LsLine, GrowsWithWideValues) {
    auto entry = file("f");
    entry.links = 123456;
    entry.uid = 1234567890;
    entry.gid = 4294967294;
    entry.size = 12345678901;
    EXPECT_EQ(ls_line(entry, view(), false),
              "-rw-r--r-- 123456 1234567890 4294967294 12345678901 May 07  2026 f\r\n");
}

TEST(LsLine, ShowsTheTimeForHalfAYearAndTheYearBeforeAndAfter) {
    struct Case {
        std::int64_t mtime;
        const char* date;
    };
    const Case cases[] = {
        {now, "Nov 24 22:50"},
        {now + 1, "Nov 24  2026"},
        {now - 182 * day, "May 26 22:50"},
        {now - 182 * day - 1, "May 26  2026"},
        {0, "Jan 01  1970"},
        {-1, "Dec 31  1969"},
        {4102444800, "Jan 01  2100"},
    };
    for (const auto& c : cases) {
        auto entry = file("f");
        entry.mtime = c.mtime;
        EXPECT_NE(ls_line(entry, view(), false).find(" "s + c.date + " f"), std::string::npos)
            << ls_line(entry, view(), false);
    }
}

TEST(LsLine, ShowsLocalTimeWithTheRightOffsetOnBothSidesOfTheChange) {
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    auto local = view();
    local.calendar = ftp::local_calendar;
    auto entry = file("f");
    entry.mtime = 1784116800;  // 2026-07-15 12:00 UTC
    EXPECT_NE(ls_line(entry, local, false).find("Jul 15 14:00"), std::string::npos);
    entry.mtime = 1794916800;  // 2026-11-17 12:00 UTC
    EXPECT_NE(ls_line(entry, local, false).find("Nov 17 13:00"), std::string::npos);
    unsetenv("TZ");
    tzset();
}

TEST(LsLine, ShowsNamesOrHidesThem) {
    auto entry = file("f");
    entry.user = "ann";
    entry.group = "students";
    EXPECT_NE(ls_line(entry, view(), false).find("1 ann      students        3"),
              std::string::npos);
    auto hiding = view();
    hiding.hide_ids = true;
    EXPECT_EQ(ls_line(entry, hiding, false),
              "-rw-r--r--    1 ftp      ftp             3 May 07  2026 f\r\n");
}

TEST(LsLine, ShowsTypesAndSpecialBits) {
    struct Case {
        mode_t mode;
        const char* shown;
    };
    constexpr Case cases[] = {
        {S_IFREG | 0000, "----------"},  {S_IFREG | 0777, "-rwxrwxrwx"},
        {S_IFDIR | 01777, "drwxrwxrwt"}, {S_IFDIR | 01776, "drwxrwxrwT"},
        {S_IFREG | 04755, "-rwsr-xr-x"}, {S_IFREG | 04644, "-rwSr--r--"},
        {S_IFREG | 02755, "-rwxr-sr-x"}, {S_IFREG | 02644, "-rw-r-Sr--"},
        {S_IFLNK | 0777, "lrwxrwxrwx"},  {S_IFBLK | 0600, "brw-------"},
        {S_IFCHR | 0620, "crw--w----"},  {S_IFIFO | 0644, "prw-r--r--"},
        {S_IFSOCK | 0711, "srwx--x--x"},
    };
    for (const auto& c : cases) {
        auto entry = file("f");
        entry.mode = c.mode;
        EXPECT_EQ(ls_line(entry, view(), false).substr(0, 10), c.shown);
    }
}

TEST(LsLine, ShowsLinksAndClassifies) {
    EXPECT_TRUE(ls_line(link("l", "../x y"), view(), false).ends_with(" l -> ../x y\r\n"));
    EXPECT_TRUE(ls_line(link("l", ""), view(), false).ends_with(" l\r\n"));
    EXPECT_TRUE(ls_line(folder("d"), view(), true).ends_with(" d/\r\n"));
    EXPECT_TRUE(ls_line(folder("d"), view(), false).ends_with(" d\r\n"));
}

TEST(Lines, SendLineFeedsInNamesAsNul) {
    EXPECT_TRUE(ls_line(file("a\nb"), view(), false).ends_with(" a\0b\r\n"s));
    EXPECT_EQ(nlst_line(file("a\nb"), false), "a\0b\r\n"s);
    EXPECT_EQ(nlst_line(file("\xFF"), false), "\xFF\r\n");
}

TEST(NlstLine, IsTheNameWhichMayBeClassified) {
    EXPECT_EQ(nlst_line(file("f"), false), "f\r\n");
    EXPECT_EQ(nlst_line(folder("d"), true), "d/\r\n");
    EXPECT_EQ(nlst_line(link("l", "x"), true), "l@\r\n");
    EXPECT_EQ(nlst_line(file("f"), true), "f\r\n");
}

std::string letters(const ftp::ListOptions& o) {
    return std::string(o.all ? "a" : "") + (o.long_lines ? "l" : "") + (o.recursive ? "R" : "") +
           (o.reversed ? "r" : "") + (o.newest_first ? "t" : "") + (o.classify ? "F" : "") +
           (o.unsorted ? "U" : "");
}

TEST(ListOptions, AreOneWordInFront) {
    struct Case {
        const char* argument;
        const char* options;
        const char* path;
    };
    // clang-format off
    constexpr Case cases[] = {
        {"",               "",       ""},
        {"dir",            "",       "dir"},
        {"-a",             "a",      ""},
        {"-la dir",        "al",     "dir"},
        {"-aR some dir",   "aR",     "some dir"},
        {"-alRrtF",        "alRrtF", ""},
        {"-CF",            "F",      ""},
        {"-laU x",         "alU",    "x"},
        {"-1d x",          "",       "x"},
        {"--",             "",       ""},
        {"-",              "",       ""},
        {"- x",            "",       "x"},
        {"-a -l",          "a",      "-l"},
        {"-a  x",          "a",      " x"},
        {"dir -a",         "",       "dir -a"},
        {" -a",            "",       " -a"},
    };
    // clang-format on
    for (const auto& c : cases) {
        const auto request = ftp::parse_list(c.argument);
        EXPECT_EQ(letters(request.options), c.options) << c.argument;
        EXPECT_EQ(request.path, c.path) << c.argument;
    }
}

TEST(Shown, LeavesOutDotFilesUnlessAsked) {
    struct Case {
        const char* name;
        bool plain, forced, all;
    };
    constexpr Case cases[] = {{"f", true, true, true},
                              {".f", false, true, true},
                              {"...", false, true, true},
                              {".", false, false, true},
                              {"..", false, false, true}};
    for (const auto& c : cases) {
        EXPECT_EQ(ftp::shown(c.name, false, false), c.plain) << c.name;
        EXPECT_EQ(ftp::shown(c.name, false, true), c.forced) << c.name;
        EXPECT_EQ(ftp::shown(c.name, true, false), c.all) << c.name;
    }
}

std::string sorted(std::vector<ftp::Entry> entries, const char* options) {
    const auto wanted = ftp::parse_list(options).options;
    const auto key = [&](const ftp::Entry& entry) {
        return wanted.newest_first
                   ? ftp::newest_first(entry.name, entry.mtime, entry.mtime_nanoseconds)
                   : ftp::sort_key(entry.name);
    };
    std::sort(entries.begin(), entries.end(), [&](const ftp::Entry& a, const ftp::Entry& b) {
        return ftp::comes_before(key(a), key(b), wanted);
    });
    std::string names;
    for (const auto& entry : entries) names += entry.name + " ";
    return names;
}

TEST(Sort, OrdersByBytesOrTimeOrBackwards) {
    std::vector<ftp::Entry> entries = {file("b"), file("a"), file("\xC3\xA4"), file("B"),
                                       file("ab")};
    entries[0].mtime = 100;  // b
    entries[1].mtime = 300;  // a
    entries[2].mtime = 200;
    entries[3].mtime = 300;  // B, and a little later than a
    entries[3].mtime_nanoseconds = 1;
    entries[4].mtime = 100;  // ab, with b
    EXPECT_EQ(sorted(entries, ""), "B a ab b \xC3\xA4 ");
    EXPECT_EQ(sorted(entries, "-r"), "\xC3\xA4 b ab a B ");
    EXPECT_EQ(sorted(entries, "-t"), "B a \xC3\xA4 ab b ");
    EXPECT_EQ(sorted(entries, "-tr"), "b ab \xC3\xA4 a B ");
}

TEST(Sort, LooksBehindWhatNamesHaveInCommonAndAtAllOfThem) {
    const auto before = [](std::string_view a, std::string_view b, std::size_t shared) {
        return ftp::comes_before(ftp::sort_key(a, shared), ftp::sort_key(b, shared), {});
    };
    EXPECT_TRUE(before("IMG_0009", "IMG_0010", 0));
    EXPECT_TRUE(before("IMG_0009", "IMG_0010", 5));
    EXPECT_TRUE(before("IMG_", "IMG_0010", 4));
    EXPECT_FALSE(before("IMG_0010", "IMG_", 4));
    EXPECT_TRUE(before("12345678a", "12345678b", 0));
    EXPECT_TRUE(before("12345678", "12345678a", 0));
    EXPECT_FALSE(before("same", "same", 0));
    EXPECT_TRUE(before("a\x7f", "a\x80", 1));
}

// ----- MLSD and MLST -----

ftp::Viewer owner_who_may_all(bool folder_writable = true) {
    ftp::Viewer viewer;
    viewer.uid = 1002;
    viewer.upload = viewer.make_folders = viewer.rename_delete = true;
    viewer.parent_writable = folder_writable;
    return viewer;
}

TEST(FactLine, TellsAllOrWhatWasChosen) {
    auto entry = file("f");
    entry.device = 0x801;
    entry.inode = 0xBEEF;
    const auto viewer = owner_who_may_all();
    EXPECT_EQ(fact_line(entry, "f", ftp::all_facts, viewer, false),
              "type=file;size=3;modify=20260507123456;perm=adfrw;unique=801gbeef;UNIX.mode=0644;"
              "UNIX.owner=1002;UNIX.group=1002; f");
    EXPECT_EQ(
        fact_line(entry, "f", ftp::all_facts, viewer, true),
        "type=file;size=3;modify=20260507123456;perm=adfrw;unique=801gbeef;UNIX.mode=0644; f");
    EXPECT_EQ(fact_line(entry, "a b", ftp::fact_size | ftp::fact_type, viewer, false),
              "type=file;size=3; a b");
    EXPECT_EQ(fact_line(entry, "f", 0, viewer, false), " f");
}

std::string type_of(const ftp::Entry& entry, ftp::Relation relation = ftp::Relation::ordinary) {
    return fact_line(entry, "", ftp::fact_type, {}, false, relation);
}

TEST(FactLine, KnowsTheTypes) {
    EXPECT_EQ(type_of(file("f")), "type=file; ");
    EXPECT_EQ(type_of(folder("d")), "type=dir; ");
    EXPECT_EQ(type_of(folder("."), ftp::Relation::current_folder), "type=cdir; ");
    EXPECT_EQ(type_of(folder(".."), ftp::Relation::parent_folder), "type=pdir; ");
    EXPECT_EQ(type_of(link("l", "../x")), "type=OS.unix=slink:../x; ");
    EXPECT_EQ(type_of(link("l", "")), "type=OS.unix=slink:?; ");
    auto pipe = file("p");
    pipe.mode = S_IFIFO | 0644;
    EXPECT_EQ(type_of(pipe), "type=OS.unix=fifo; ");
}

TEST(FactLine, NeverLetsALinksTargetForgeFacts) {
    for (const auto* target : {"x;size=1", "x y", "x\r", "x\ny"}) {
        EXPECT_EQ(type_of(link("l", target)), "type=OS.unix=slink:?; ");
    }
}

TEST(FactLine, GivesSizesOfFilesOnly) {
    EXPECT_EQ(fact_line(folder("d"), "d", ftp::fact_size, {}, false), " d");
}

TEST(PermFact, FollowsModeAndConfiguration) {
    const auto all = owner_who_may_all();
    EXPECT_EQ(ftp::permissions_fact(file("f"), all), "adfrw");
    EXPECT_EQ(ftp::permissions_fact(folder("d"), all), "cdeflmp");
    EXPECT_EQ(ftp::permissions_fact(file("f"), owner_who_may_all(false)), "arw");

    ftp::Viewer reader;
    reader.uid = 1003;
    EXPECT_EQ(ftp::permissions_fact(file("f"), reader), "r");
    EXPECT_EQ(ftp::permissions_fact(folder("d"), reader), "el");
    reader.download = reader.listing = false;
    EXPECT_EQ(ftp::permissions_fact(file("f"), reader), "");
    EXPECT_EQ(ftp::permissions_fact(folder("d"), reader), "e");
}

// RETR and APPE refuse the rest.
TEST(PermFact, PromisesTransfersOfRegularFilesAlone) {
    for (const mode_t kind : {S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK, S_IFLNK}) {
        auto entry = file("f");
        entry.mode = kind | 0777;
        EXPECT_EQ(ftp::permissions_fact(entry, owner_who_may_all()), "df") << kind;
    }
}

TEST(PermFact, AsksTheFirstClassThatFits) {
    auto entry = file("f");
    entry.mode = S_IFREG | 0060;  // the group alone
    const std::vector<gid_t> groups = {7, 1002};
    auto viewer = owner_who_may_all(false);
    viewer.groups = groups;
    EXPECT_EQ(ftp::permissions_fact(entry, viewer), "");  // the owner may not, though in the group
    viewer.uid = 1003;
    EXPECT_EQ(ftp::permissions_fact(entry, viewer), "arw");
    viewer.groups = {};
    EXPECT_EQ(ftp::permissions_fact(entry, viewer), "");
    viewer.uid = 0;
    EXPECT_EQ(ftp::permissions_fact(entry, viewer), "arw");
}

TEST(Facts, AreChosenByName) {
    EXPECT_EQ(ftp::fact_names(ftp::parse_facts("Size;TYPE;bogus;unix.mode;")),
              "type;size;UNIX.mode;");
    EXPECT_EQ(ftp::parse_facts(""), 0U);
    EXPECT_EQ(ftp::parse_facts(" type"), static_cast<ftp::Facts>(ftp::fact_type));
    EXPECT_EQ(ftp::parse_facts(ftp::fact_names(ftp::all_facts)), ftp::all_facts);
    EXPECT_EQ(ftp::fact_features(ftp::fact_type | ftp::fact_size),
              "type*;size*;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;");
}

}  // namespace
