// SPDX-License-Identifier: MIT
// Who waits how long for a turn.
#include "authenticator/waiting.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include <arpa/inet.h>

namespace {

using namespace std::chrono_literals;
using authenticator::Clock;
using authenticator::Source;
using authenticator::WaitingRoom;

const Clock::time_point start{};

ipc::Address address(const std::string& text) {
    ipc::Address result{};
    if (::inet_pton(AF_INET, text.c_str(), &result.v4.sin_addr) == 1)
        result.any.sa_family = AF_INET;
    else if (::inet_pton(AF_INET6, text.c_str(), &result.v6.sin6_addr) == 1)
        result.any.sa_family = AF_INET6;
    return result;
}

ipc::Login login(std::uint64_t id, const std::string& from) {
    ipc::Login made{};
    made.id = id;
    made.peer = address(from);
    return made;
}

bool anybody(const Source&) { return true; }

// 0: nobody.
template <typename May>
std::uint64_t next(WaitingRoom& room, May may) {
    const auto waiting = room.take(may);
    return waiting.login ? waiting.login->id : 0;
}
std::uint64_t next(WaitingRoom& room) { return next(room, anybody); }

TEST(WaitingRoom, LetsOneSourceThroughInOrder) {
    WaitingRoom room;
    for (std::uint64_t id = 1; id <= 5; ++id) room.add(login(id, "192.0.2.1"), start);
    for (std::uint64_t id = 1; id <= 5; ++id) EXPECT_EQ(next(room), id);
    EXPECT_EQ(next(room), 0U);
    EXPECT_EQ(room.size(), 0U);
}

TEST(WaitingRoom, LetsNobodyWaitForAnothersThousand) {
    WaitingRoom room;
    for (std::uint64_t id = 1; id <= 1000; ++id) room.add(login(id, "192.0.2.1"), start);
    room.add(login(2001, "192.0.2.2"), start);
    room.add(login(2002, "192.0.2.2"), start);
    room.add(login(3001, "2001:db8::1"), start);
    EXPECT_EQ(room.size(), 1003U);
    EXPECT_EQ(next(room), 1U);
    EXPECT_EQ(next(room), 2001U);
    EXPECT_EQ(next(room), 3001U);
    EXPECT_EQ(next(room), 2U);
    EXPECT_EQ(next(room), 2002U);
    EXPECT_EQ(next(room), 3U);
    // Who comes now is behind one of them, not behind all.
    room.add(login(4001, "192.0.2.4"), start);
    EXPECT_EQ(next(room), 4U);
    EXPECT_EQ(next(room), 4001U);
}

TEST(WaitingRoom, PassesOverThoseWhoMayNot) {
    WaitingRoom room;
    room.add(login(1, "192.0.2.1"), start);
    room.add(login(2, "192.0.2.2"), start);
    const auto not_the_first = [](const Source& source) {
        return source != broker::network_of(address("192.0.2.1"));
    };
    EXPECT_EQ(next(room, not_the_first), 2U);
    EXPECT_EQ(next(room, not_the_first), 0U);
    EXPECT_EQ(room.size(), 1U);
    EXPECT_EQ(next(room), 1U);
}

TEST(WaitingRoom, GivesUpOneOfWhomeverHasMost) {
    WaitingRoom room;
    const auto newcomer = broker::network_of(address("192.0.2.9"));
    const auto given_up = [&](const Source& source) {
        const auto waiting = room.give_up_for(source);
        return waiting.login ? waiting.login->id : 0;
    };
    EXPECT_EQ(given_up(newcomer), 0U) << "nobody is there";
    for (std::uint64_t id = 1; id <= 4; ++id) room.add(login(id, "192.0.2.1"), start);
    for (std::uint64_t id = 11; id <= 12; ++id) room.add(login(id, "192.0.2.2"), start);
    EXPECT_EQ(given_up(newcomer), 4U) << "the newest";
    EXPECT_EQ(given_up(broker::network_of(address("192.0.2.2"))), 0U)
        << "three are not clearly more than two";
    EXPECT_EQ(given_up(broker::network_of(address("192.0.2.1"))), 0U) << "he has most himself";
    EXPECT_EQ(given_up(newcomer), 3U);
    EXPECT_EQ(room.size(), 4U);
    EXPECT_EQ(given_up(newcomer), 2U);
    EXPECT_EQ(given_up(newcomer), 12U);
    EXPECT_EQ(given_up(newcomer), 0U) << "one each is fair";
    EXPECT_EQ(next(room), 1U);
    EXPECT_EQ(next(room), 11U);
    EXPECT_EQ(next(room), 0U);
}

TEST(WaitingRoom, FindsThoseWhoWaitedTooLong) {
    WaitingRoom room;
    for (std::uint64_t id = 0; id < 10; ++id)
        room.add(login(id + 1, id % 2 == 0 ? "192.0.2.1" : "192.0.2.2"),
                 start + std::chrono::seconds(id));
    EXPECT_TRUE(room.take_older_than(start).empty());
    const auto old = room.take_older_than(start + 4s);
    ASSERT_EQ(old.size(), 4U);
    for (const auto& each : old) EXPECT_LT(each.arrived, start + 4s);
    EXPECT_EQ(room.size(), 6U);
    EXPECT_EQ(next(room), 5U);
    EXPECT_EQ(room.take_older_than(start + 1h).size(), 5U);
    EXPECT_EQ(room.size(), 0U);
    EXPECT_EQ(next(room), 0U);
}

TEST(WaitingRoom, ForgetsPasswords) {
    WaitingRoom room;
    auto with_password = login(1, "192.0.2.1");
    with_password.password.assign("wonderland");
    room.add(with_password, start);
    room.wipe();
    const auto waiting = room.take(anybody);
    ASSERT_TRUE(waiting.login);
    EXPECT_EQ(waiting.login->password.view(), "");
    EXPECT_EQ(std::string_view(waiting.login->password.bytes, 10), std::string(10, '\0'));
}

}  // namespace
