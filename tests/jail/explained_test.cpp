// SPDX-License-Identifier: MIT
// The steps of a plan in words.
#include "jail/explained.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include <sys/resource.h>

using testing::HasSubstr;
using testing::StartsWith;

namespace {

jail::Home whole_home() {
    jail::Home home;
    home.root = std::make_shared<base::Fd>();
    home.path_on_host = "/home/ann";
    home.user = {1001, 1002, {1002, 1003}};
    home.umask = 027;
    home.address_space = 1 << 30;
    home.descriptors = {3, 7};
    home.walls.landlock = true;
    auto filter = jail::SystemCallFilter::compile({true, jail::read_only, false});
    home.walls.system_calls =
        std::make_shared<const jail::SystemCallFilter>(std::move(filter.value()));
    return home;
}

}  // namespace

TEST(Explained, EveryStepOfAHome) {
    const auto home = whole_home();
    for (const auto& step : jail::user_home(home))
        EXPECT_NE(jail::explained(step.name, home), "") << step.name;
}

TEST(Explained, WithItsArguments) {
    const auto home = whole_home();
    EXPECT_EQ(jail::explained("groups, gid, uid", home), "uid 1001, gid 1002, groups 1002, 1003");
    EXPECT_EQ(jail::explained("root directory", home), "/home/ann, by chroot");
    EXPECT_EQ(jail::explained("umask", home), "027");
    EXPECT_EQ(jail::explained("descriptors", home), "all are closed but 0, 1, 2, 3, 7");
    EXPECT_EQ(jail::explained("address space", home), "RLIMIT_AS 1073741824");
    EXPECT_THAT(jail::explained("system calls", home), HasSubstr(", openat, openat2, "));
    EXPECT_EQ(jail::explained("no such step", home), "");
    auto limited = home;
    limited.limits = {{RLIMIT_FSIZE, 10, RLIM_INFINITY}};
    EXPECT_EQ(jail::explained("limits of the account", limited), "RLIMIT_FSIZE 10 to unlimited");
}

TEST(Explained, TheRightsThatAreLeft) {
    auto home = whole_home();
    home.rights = jail::read_only;
    EXPECT_THAT(jail::explained("landlock", home), HasSubstr("below the root: read;"));
    home.rights.upload = true;
    EXPECT_THAT(jail::explained("landlock", home), HasSubstr("below the root: read, upload;"));
}
