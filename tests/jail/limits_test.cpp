// SPDX-License-Identifier: MIT
// Limits and descriptors, seen from outside.
#include "jail/limits.hpp"

#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using base::Result;
using observed::Process;
using testing::ElementsAre;
using testing::Key;

int duplicate_at(int number) {
    const base::Fd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    return ::dup2(nothing.get(), number);
}

TEST(Limit, IsSoftAndHard) {
    const Process process([](int) { return jail::limit(RLIMIT_CORE, 0); });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().limit("Max core file size"), "0 0");
}

TEST(Limit, NeverRaisesWhatIsLowerAlready) {
    const Process process([](int) -> Result<void> {
        const rlimit low{10, 20};
        if (::setrlimit(RLIMIT_NOFILE, &low) < 0) return base::system_error("setrlimit");
        return jail::limit(RLIMIT_NOFILE, 15);
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().limit("Max open files"), "10 15");
}

TEST(KeepOnly, ClosesAllButTheListAndTheStandardStreams) {
    const Process process([](int kept) -> Result<void> {
        for (const int number : {40, 41, 42, 900}) duplicate_at(number);
        const int wanted[] = {900, 41, kept, 41, 2, -1};  // in no order, with nonsense
        return jail::keep_only(wanted);
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_THAT(process.facts().descriptors(),
                ElementsAre(Key(0), Key(1), Key(2), testing::_, Key(41), Key(900)));
}

TEST(OwnSession, IsNoErrorForOneWhoHasIt) {
    const Process process([](int) -> Result<void> {
        TRY(jail::own_session());
        return jail::own_session();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().session(), process.pid());
}

TEST(OwnKeyring, IsNotTheParentsKeyring) {
    NEEDS_ROOT();
    const auto keyring = [] {
        return ::syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3 /* session */, 0);
    };
    const Process process([&](int) -> Result<void> {
        const auto before = keyring();
        if (before < 0) return base::success();  // a container that forbids keyctl
        jail::join_own_keyring();
        if (keyring() == before) return base::Error{"the keyring is still the parent's", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST(OutOfMemory, EndsVolunteersFirst) {
    const auto before = std::stoi(observed::Facts(::getpid()).text("oom_score_adj"));
    const Process process([](int) -> Result<void> {
        jail::volunteer_for_oom(200);
        return base::success();
    });
    const auto after = std::stoi(process.facts().text("oom_score_adj"));
    EXPECT_EQ(after, std::min(before + 200, 1000));
}

}  // namespace
