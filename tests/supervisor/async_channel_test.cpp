// SPDX-License-Identifier: MIT
// The order in which what comes on several channels is heard.
#include "supervisor/async_channel.hpp"

#include "ipc/requests.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

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
            [](const base::Error&) {});
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
