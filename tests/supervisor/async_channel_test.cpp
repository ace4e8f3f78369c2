// SPDX-License-Identifier: MIT
// When and in which order what comes on several channels is heard.
#include "supervisor/async_channel.hpp"

#include "ipc/requests.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>

namespace {

// Two peers of one loop; who was heard, in order.
struct TwoPeers : testing::Test {
    TwoPeers() {
        start(a_heard, 'a');
        start(b_heard, 'b');
        loop.poll();
    }

    void start(supervisor::AsyncChannel& channel, char name) {
        channel.start(
            [this, name](const ipc::Message&) {
                order += name;
                if (name == 'a' && talkative && order.size() < 1000) speak(a.second);
            },
            [this](const base::Error&) { order += '.'; });
    }

    static void speak(ipc::Channel& channel) {
        EXPECT_TRUE(channel.send(ipc::ShortRecord{}).has_value());
    }

    std::pair<ipc::Channel, ipc::Channel> a = ipc::Channel::pair().value();
    std::pair<ipc::Channel, ipc::Channel> b = ipc::Channel::pair().value();
    boost::asio::io_context loop;
    supervisor::AsyncChannel a_heard{loop, std::move(a.first), 0};
    supervisor::AsyncChannel b_heard{loop, std::move(b.first), 0};
    bool talkative = false;  // a: whenever it was heard, it says more
    std::string order;
};

// a makes one transfer after another.
struct BusyPeer : TwoPeers {
    BusyPeer() {
        busy.served(a_heard);
        busy.served(a_heard);
    }

    void run_for_an_interval() {
        loop.run_for(BusyChannels::interval + std::chrono::milliseconds(5));
    }

    // What was heard when `steps` took less than the interval, on a machine that has other work,
    // too; a has become busy right before them.
    std::string quickly(const std::function<void()>& steps) {
        constexpr int most_tries = 100;
        for (int tries = 0; tries < most_tries; ++tries) {
            for (int i = 0; i < 3; ++i) run_for_an_interval();
            order.clear();
            const auto begun = std::chrono::steady_clock::now();
            busy.served(a_heard);
            busy.served(a_heard);
            steps();
            if (std::chrono::steady_clock::now() - begun < BusyChannels::interval) return order;
        }
        return "(too slow)";
    }

    using BusyChannels = supervisor::BusyChannels;
    BusyChannels busy{loop};
};

}  // namespace

TEST_F(TwoPeers, AreHeardInTheOrderInWhichTheySpoke) {
    for (int i = 0; i < 3; ++i) speak(a.second);
    speak(b.second);
    loop.poll();
    EXPECT_EQ(order, "aaab");
}

TEST_F(TwoPeers, AreBothHeardThoughOneTalksWithoutEnd) {
    talkative = true;
    speak(a.second);
    speak(b.second);
    loop.poll();
    EXPECT_EQ(order.size(), 1000U);
    EXPECT_LT(order.find('b'), 100U);
}

TEST_F(BusyPeer, WakesNobodyAndIsHeardWhenItIsServedNext) {
    const auto heard = quickly([&] {
        speak(a.second);
        speak(b.second);
        loop.poll();
        order += '|';
        busy.served(a_heard);
    });
    EXPECT_EQ(heard, "b|a");
}

TEST_F(BusyPeer, IsHeardAheadOfWhatComesNext) {
    const auto heard = quickly([&] {
        speak(a.second);
        speak(a.second);
        busy.hear();
    });
    EXPECT_EQ(heard, "aa");
}

TEST_F(BusyPeer, WaitsForTheIntervalAtMost) {
    speak(a.second);
    run_for_an_interval();
    EXPECT_EQ(order, "a");
}

// As any other, from then on.
TEST_F(BusyPeer, IsHeardAtOnceAfterAnIntervalWithoutBeingServed) {
    run_for_an_interval();
    run_for_an_interval();
    speak(a.second);
    loop.poll();
    EXPECT_EQ(order, "a");
}

TEST_F(BusyPeer, IsHeardAtOnceOnceItIsWoken) {
    const auto heard = quickly([&] {
        speak(a.second);
        a_heard.wake();
        loop.poll();
        order += '|';
        for (int i = 0; i < 3; ++i) {  // and may become busy again
            busy.served(a_heard);
            a_heard.wake();
        }
        busy.served(a_heard);
        speak(a.second);
        loop.poll();
    });
    EXPECT_EQ(heard, "a|");
    run_for_an_interval();
    EXPECT_EQ(order, "a|a");
}

TEST_F(BusyPeer, IsSeenToGoAndIsHeardToTheEnd) {
    speak(a.second);
    a.second = ipc::Channel{base::Fd{}};
    run_for_an_interval();
    EXPECT_EQ(order, "a.");
}

TEST_F(BusyPeer, MayBeClosed) {
    speak(a.second);
    a_heard.close();
    run_for_an_interval();
    busy.served(a_heard);
    busy.hear();
    EXPECT_EQ(order, "");
}

TEST_F(BusyPeer, IsNotHeardWhilePaused) {
    a_heard.pause(std::chrono::milliseconds(1000));
    speak(a.second);
    busy.served(a_heard);
    run_for_an_interval();
    run_for_an_interval();
    EXPECT_EQ(order, "");
    for (int i = 0; i < 100 && order.empty(); ++i) loop.run_for(std::chrono::milliseconds(100));
    EXPECT_EQ(order, "a");
}

TEST_F(BusyPeer, GetsLaterWhatDoesNotFitAtOnce) {
    auto ends = ipc::Channel::pair().value();
    constexpr std::size_t many = 5000;  // messages, more than a socket holds
    supervisor::AsyncChannel channel{loop, std::move(ends.first), many};
    channel.start([](const ipc::Message&) {}, [](const base::Error&) {});
    busy.served(channel);
    busy.served(channel);
    for (std::size_t i = 0; i < many; ++i) ASSERT_TRUE(channel.send(ipc::ShortRecord{}));
    std::size_t got = 0;
    while (got < many && loop.run_one_for(std::chrono::seconds(5)) > 0) {
        while (ends.second.receive()) ++got;
    }
    EXPECT_EQ(got, many);
}

// Which cannot be sent what waits for it any more, but has said something before.
TEST_F(TwoPeers, AreHeardToTheEndThoughTheyHaveNotReadAll) {
    auto ends = ipc::Channel::pair().value();
    constexpr std::size_t many = 5000;  // messages, more than a socket holds
    supervisor::AsyncChannel channel{loop, std::move(ends.first), many};
    channel.start([this](const ipc::Message&) { order += 'c'; },
                  [this](const base::Error&) { order += '.'; });
    while (!channel.is_behind()) ASSERT_TRUE(channel.send(ipc::ShortRecord{}));
    for (int i = 0; i < 3; ++i) speak(ends.second);
    ends.second = ipc::Channel{base::Fd{}};
    loop.run_for(std::chrono::milliseconds(20));
    EXPECT_EQ(order, "ccc.");
}

TEST_F(TwoPeers, AreNotBusyWhenServedOnce) {
    supervisor::BusyChannels busy{loop};
    busy.served(a_heard);
    speak(a.second);
    loop.poll();
    EXPECT_EQ(order, "a");
}

// What it says must not have its own next message, or another's, come in between.
TEST_F(BusyPeer, IsHeardOneMessageAfterTheOther) {
    auto c = ipc::Channel::pair().value();
    supervisor::AsyncChannel c_heard{loop, std::move(c.first), 0};
    c_heard.start(
        [&](const ipc::Message&) {
            order += '(';
            busy.hear();
            order += ')';
        },
        [](const base::Error&) {});
    const auto heard = quickly([&] {
        busy.served(c_heard);
        busy.served(c_heard);
        for (int i = 0; i < 2; ++i) speak(c.second);
        speak(a.second);
        busy.hear();
    });
    EXPECT_EQ(heard, "a()()");
}
