// SPDX-License-Identifier: MIT
// Lists of names are compared line by line, to the byte.
#include "config/name_list.hpp"

#include "folder.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace {

TEST(NameList, HoldsWholeLinesToTheByte) {
    const auto list =
        config::NameList::of("ann\nbob \n# carl\n\n dave\neve\r\nfrank@example.org\nlast");
    const std::pair<std::string_view, bool> cases[] = {
        {"ann", true},   {"an", false},   {"annn", false},      {"Ann", false},
        {"bob", false},  {"bob ", true},  {"carl", false},      {"# carl", true},
        {"dave", false}, {" dave", true}, {"eve", false},       {"eve\r", true},
        {"last", true},  {"", false},     {"ann\nbob ", false}, {"frank@example.org", true},
    };
    for (const auto& [name, listed] : cases) EXPECT_EQ(list.contains(name), listed) << name;
}

TEST(NameList, MayBeEmpty) {
    EXPECT_TRUE(config::NameList::of("").empty());
    EXPECT_FALSE(config::NameList::of("").contains(""));
    EXPECT_FALSE(config::NameList::of("\n").contains(""));
}

TEST(NameList, ReadsALongerFileThanVsftpdDoes) {
    const test::Folder folder;
    const auto file = folder.write("list", std::string(200000, '#') + "\nann\n");
    const auto list = config::NameList::read(file);
    ASSERT_TRUE(list);
    EXPECT_TRUE(list.value().contains("ann"));
}

TEST(NameList, TakesDevNullForAnEmptyList) {
    const auto list = config::NameList::read("/dev/null");
    ASSERT_TRUE(list);
    EXPECT_TRUE(list.value().empty());
}

TEST(NameList, IsNotReadFromWhatIsNoFile) {
    const test::Folder folder;
    ASSERT_EQ(::mkfifo(folder.path("fifo").c_str(), 0600), 0);
    EXPECT_FALSE(config::NameList::read(folder.path("fifo")));
    const auto missing = config::NameList::read(folder.path("missing"));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().number, ENOENT);
    const auto directory = config::NameList::read(folder.path());
    ASSERT_FALSE(directory);
    EXPECT_EQ(directory.error().number, EISDIR);
    EXPECT_FALSE(config::NameList::read("/dev/zero"));
}

TEST(ReadFile, StopsAtTheLimit) {
    const test::Folder folder;
    const auto file = folder.write("file", "0123456789");
    EXPECT_TRUE(config::read_file(file, 10));
    EXPECT_FALSE(config::read_file(file, 9));
}

}  // namespace
