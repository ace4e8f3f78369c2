// SPDX-License-Identifier: MIT
// Virtual paths.
#include "ftp/path.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace {

struct JoinCase {
    std::string_view cwd;
    std::string_view argument;
    std::string_view absolute;  // ".." left in
    std::string_view normalised;
};

TEST(Join, FollowsArgumentsFromTheCurrentFolder) {
    // clang-format off
    constexpr JoinCase cases[] = {
        // cwd    argument      absolute         normalised
        {"/",     "",           "/",             "/"},
        {"/a",    "",           "/a/",           "/a"},
        {"/",     "b",          "/b",            "/b"},
        {"/a",    "b",          "/a/b",          "/a/b"},
        {"/a/",   "b",          "/a/b",          "/a/b"},
        {"/a",    "b/",         "/a/b/",         "/a/b"},
        {"/a",    "/b",         "/b",            "/b"},
        {"/a",    "//b//c",     "//b//c",        "/b/c"},
        {"/a/b",  "..",         "/a/b/..",       "/a"},
        {"/a/b",  "../..",      "/a/b/../..",    "/"},
        {"/a/b",  "../../../x", "/a/b/../../../x", "/x"},
        {"/",     "..",         "/..",           "/"},
        {"/",     "../../etc",  "/../../etc",    "/etc"},
        {"/a",    "./x/./y",    "/a/./x/./y",    "/a/x/y"},
        {"/a",    "...",        "/a/...",        "/a/..."},
        {"/a",    "..b",        "/a/..b",        "/a/..b"},
        {"/a",    " x ",        "/a/ x ",        "/a/ x "},
        {"/a",    "~",          "/home/ann/",    "/home/ann"},
        {"/a",    "~/x",        "/home/ann/x",   "/home/ann/x"},
        {"/a",    "~/../x",     "/home/ann/../x", "/home/x"},
        {"/a",    "~bob",       "/a/~bob",       "/a/~bob"},
        {"/a",    "x/~",        "/a/x/~",        "/a/x/~"},
        {"",      "x",          "/x",            "/x"},
    };
    // clang-format on
    for (const auto& c : cases) {
        EXPECT_EQ(ftp::absolute(c.cwd, c.argument, "/home/ann"), c.absolute) << c.argument;
        EXPECT_EQ(ftp::join(c.cwd, c.argument, "/home/ann"), c.normalised) << c.argument;
    }
}

TEST(Tilde, NamesAnotherUserOnlyWithAName) {
    EXPECT_EQ(ftp::tilde_user("~bob"), "bob");
    EXPECT_EQ(ftp::tilde_user("~bob/x"), "bob");
    EXPECT_EQ(ftp::tilde_user("~"), std::nullopt);
    EXPECT_EQ(ftp::tilde_user("~/x"), std::nullopt);
    EXPECT_EQ(ftp::tilde_user("x~bob"), std::nullopt);
    EXPECT_EQ(ftp::tilde_user(""), std::nullopt);
}

TEST(Fits, RefusesWhatTheKernelWould) {
    EXPECT_TRUE(ftp::fits("/a/b"));
    EXPECT_TRUE(ftp::fits("/" + std::string(255, 'x')));
    EXPECT_FALSE(ftp::fits("/" + std::string(256, 'x')));
    EXPECT_FALSE(ftp::fits(std::string_view("/a\0b", 4)));
    std::string path;
    while (path.size() < 4094) path += "/x";
    EXPECT_TRUE(ftp::fits(path + "y"));
    EXPECT_FALSE(ftp::fits(path + "yy"));
}

TEST(Place, IsParentAndName) {
    struct Case {
        std::string_view path, parent, name;
        bool slash;
    };
    // clang-format off
    constexpr Case cases[] = {
        {"/a",        "/",       "a", false},
        {"/a/b",      "/a",      "b", false},
        {"/a/b/",     "/a",      "b", true},
        {"/a/b///",   "/a",      "b", true},
        {"//b",       "/",       "b", false},
        {"/a//b",     "/a",      "b", false},
        {"/a/../b",   "/a/..",   "b", false},
        {"/l/../b/c", "/l/../b", "c", false},
        {"/...",      "/",       "...", false},
    };
    // clang-format on
    for (const auto& c : cases) {
        const auto place = ftp::place(c.path);
        ASSERT_TRUE(place) << c.path;
        EXPECT_EQ(place->parent, c.parent) << c.path;
        EXPECT_EQ(place->name, c.name) << c.path;
        EXPECT_EQ(place->slash, c.slash) << c.path;
    }
    for (const auto* nowhere : {"", "/", "//", "/.", "/..", "/a/.", "/a/..", "/a/../", "/a/./"}) {
        EXPECT_FALSE(ftp::place(nowhere)) << nowhere;
    }
}

TEST(Quoted, DoublesQuotes) {
    EXPECT_EQ(ftp::quoted("/"), "\"/\"");
    EXPECT_EQ(ftp::quoted("/a \"b\""), "\"/a \"\"b\"\"\"");
}

}  // namespace
