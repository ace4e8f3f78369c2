// SPDX-License-Identifier: MIT
// The jail of a process that lives, as JSON.
#include "jail/live_state.hpp"

#include "jail/capabilities.hpp"
#include "jail/identity.hpp"
#include "jail/limits.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(LiveState, IsWhatTheKernelSays) {
    const observed::Process process([](int) -> base::Result<void> {
        TRY(jail::own_session());
        TRY(jail::limit(RLIMIT_NOFILE, 77));
        TRY(jail::forbid_new_privileges());
        ::umask(027);
        return base::success();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    const auto live = jail::live_state(process.pid());
    ASSERT_TRUE(live) << live.error().text();
    const auto pid = std::to_string(process.pid());
    EXPECT_THAT(live.value(), StartsWith("{\"pid\":" + pid + ",\"session\":" + pid + ","));
    EXPECT_THAT(live.value(),
                AllOf(HasSubstr("\"no_new_privs\":1"), HasSubstr("\"umask\":\"0027\""),
                      HasSubstr("\"open files\":[\"77\",\"77\"]"), HasSubstr("\"mnt\":\"mnt:["),
                      HasSubstr("\"at\":\"/\""), HasSubstr("\"root\":\"/\"")));
}

TEST(LiveState, OfAnotherUsersProcess) {
    NEEDS_ROOT();
    const observed::Process process([](int) -> base::Result<void> {
        TRY(jail::become({31001, 31002, {31003}}));
        return jail::forbid_dumping();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    const auto live = jail::live_state(process.pid());
    ASSERT_TRUE(live) << live.error().text();
    EXPECT_THAT(live.value(),
                AllOf(HasSubstr("\"uid\":[31001,31001,31001,31001]"),
                      HasSubstr("\"groups\":[31003]"), HasSubstr("\"dumpable\":false"),
                      HasSubstr("\"cap_effective\":\"0000000000000000\"")));
}

// Names come from the process and from its user's files.
TEST(LiveState, IsJsonWhateverTheNames) {
    const observed::Directory directory;
    const auto path = directory.file("a \"quoted\\\n\xff file");
    const observed::Process process([path](int) -> base::Result<void> {
        (void)::prctl(PR_SET_NAME, ") 1 2 3 (\"");
        if (::open(path.c_str(), O_RDONLY) < 0) return base::system_error(path);
        return base::success();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    const auto live = jail::live_state(process.pid());
    ASSERT_TRUE(live);
    EXPECT_THAT(live.value(), HasSubstr(R"(/a \"quoted\\x5c\\x0a\\xff file")"));
    EXPECT_THAT(live.value(), Not(HasSubstr("\n")));
}

TEST(LiveState, OfNobody) {
    observed::Process process([](int) -> base::Result<void> { return base::success(); });
    const auto pid = process.pid();
    process.signal(SIGKILL);
    (void)process.end();
    EXPECT_FALSE(jail::live_state(pid));
}
