// SPDX-License-Identifier: MIT
// Tests broker/permissions.cpp.
#include "broker/permissions.hpp"

#include <gtest/gtest.h>

namespace {

using broker::Phase;
using broker::Verdict;
using Clock = broker::Permissions::Clock;
using std::chrono::seconds;

const Clock::time_point start = Clock::time_point{} + seconds(1000);

TEST(Permissions, LetAGreeterAskForALoginAndNothingElse) {
    EXPECT_EQ(broker::Permissions{}.check(ipc::Type::authenticate, Phase::before_login, start),
              Verdict::allowed);
    for (const auto request :
         {ipc::Type::passive_open, ipc::Type::active_open, ipc::Type::give_away, ipc::Type::entered,
          ipc::Type::enter, ipc::Type::spawn})
        EXPECT_EQ(broker::Permissions{}.check(request, Phase::before_login, start),
                  Verdict::misplaced)
            << static_cast<int>(request);
}

TEST(Permissions, LetNoSessionAskForAnythingBeforeItsJailStands) {
    for (const auto request :
         {ipc::Type::passive_open, ipc::Type::active_open, ipc::Type::authenticate})
        EXPECT_EQ(broker::Permissions{}.check(request, Phase::entering, start), Verdict::misplaced);
}

TEST(Permissions, LetGreetersAndJailedSessionsAskForSignatures) {
    for (const auto phase : {Phase::before_login, Phase::after_login})
        EXPECT_EQ(broker::Permissions{}.check(ipc::Type::sign, phase, start), Verdict::allowed);
    EXPECT_EQ(broker::Permissions{}.check(ipc::Type::sign, Phase::entering, start),
              Verdict::misplaced);
}

TEST(Permissions, LetAGreeterAloneShowACertificate) {
    for (const auto& [phase, expected] : {std::pair{Phase::before_login, Verdict::allowed},
                                          {Phase::entering, Verdict::misplaced},
                                          {Phase::after_login, Verdict::misplaced}})
        EXPECT_EQ(broker::Permissions{}.check(ipc::Type::proof_part, phase, start), expected);
    for (const auto request : {ipc::Type::prove, ipc::Type::proven})
        EXPECT_EQ(broker::Permissions{}.check(request, Phase::before_login, start),
                  Verdict::misplaced);
}

TEST(Permissions, LetNoSessionLogInAgain) {
    EXPECT_EQ(broker::Permissions{}.check(ipc::Type::authenticate, Phase::after_login, start),
              Verdict::misplaced);
}

TEST(Permissions, LetNoDescriptorComeWithWhatNeedsNone) {
    const auto check = [](ipc::Type request, Phase phase, std::size_t descriptors) {
        return broker::Permissions{}.check(request, phase, start, descriptors);
    };
    EXPECT_EQ(check(ipc::Type::authenticate, Phase::before_login, 1), Verdict::allowed);
    EXPECT_EQ(check(ipc::Type::authenticate, Phase::before_login, 2), Verdict::misplaced);
    EXPECT_EQ(check(ipc::Type::give_away, Phase::after_login, 1), Verdict::allowed);
    EXPECT_EQ(check(ipc::Type::record, Phase::before_login, 1), Verdict::misplaced);
    EXPECT_EQ(check(ipc::Type::passive_open, Phase::after_login, 1), Verdict::misplaced);
}

TEST(Permissions, RefuseTypesThatDoNotExist) {
    EXPECT_EQ(broker::Permissions{}.check(static_cast<ipc::Type>(9999), Phase::after_login, start),
              Verdict::misplaced);
}

TEST(Permissions, StopAFloodOfRecordsAndRecoverWithTime) {
    broker::Permissions permissions;
    int allowed = 0;
    while (permissions.check(ipc::Type::record, Phase::after_login, start) == Verdict::allowed)
        ASSERT_LT(++allowed, 100000);
    EXPECT_EQ(allowed, 20000);
    EXPECT_EQ(permissions.check(ipc::Type::record, Phase::after_login, start + seconds(1)),
              Verdict::allowed);
}

TEST(Permissions, NeverStopDataConnections) {
    broker::Permissions permissions;
    for (int i = 0; i < 100000; ++i)
        ASSERT_EQ(permissions.check(ipc::Type::passive_open, Phase::after_login, start),
                  Verdict::allowed);
}

TEST(Permissions, MakeSearchesInACrowdedRangeWaitForTheirTurn) {
    broker::Permissions permissions;
    const auto open = [&](std::chrono::milliseconds passed) {
        return permissions.check(ipc::Type::passive_open, Phase::after_login, start + passed);
    };
    int searches = 0;
    for (; open(std::chrono::milliseconds(0)) == Verdict::allowed; ++searches) {
        ASSERT_LT(searches, 1000);
        permissions.charge(512);
    }
    EXPECT_EQ(searches, 20000 / 512 + 1);
    EXPECT_EQ(open(std::chrono::milliseconds(100)), Verdict::allowed);
}

}  // namespace
