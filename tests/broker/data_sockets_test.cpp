// SPDX-License-Identifier: MIT
// Tests broker/data_sockets.cpp with real sockets on loopback addresses.
#include "broker/data_sockets.hpp"

#include "broker/address.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using base::Fd;
using namespace std::chrono_literals;

ipc::Address loopback(const char* text, std::uint16_t port = 0) {
    ipc::Address address{};
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(port);
    ::inet_pton(AF_INET, text, &address.v4.sin_addr);
    return address;
}

Fd connected_from(const char* source, const ipc::Address& target) {
    Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto from = loopback(source);
    EXPECT_EQ(::bind(socket.get(), &from.any, sizeof from.v4), 0);
    if (::connect(socket.get(), &target.any, sizeof target.v4) < 0) return {};
    return socket;
}

class DataSocketsTest : public testing::Test {
  protected:
    void start(const ipc::DataPolicy& policy) {
        sockets.emplace(io, loopback("127.0.0.1"), loopback("127.0.0.1"), policy,
                        broker::DataSockets::Callbacks{
                            [this] { return by_name; },
                            [this](const ipc::Listening& answer) {
                                port = answer.port;
                                told = answer.address;
                            },
                            [this](const ipc::DataConnected& answer, Fd socket) {
                                sequence = answer.sequence;
                                next_port = answer.next_port;
                                connected = std::move(socket);
                            },
                            [this](const ipc::DataFailed& answer) { failure = answer.failure; },
                            [this](std::string why) { reasons.push_back(std::move(why)); },
                            [this](std::uint32_t ports) { in_vain += ports; },
                            [this] { return reads; }, [this] { return clients; }});
    }

    static ipc::DataPolicy permissive() {
        ipc::DataPolicy policy{};
        policy.pasv_enable = 1;
        policy.port_enable = 1;
        policy.connect_timeout = 5;
        return policy;
    }

    void run_until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + 5s;
        while (!done() && std::chrono::steady_clock::now() < end) {
            io.restart();
            io.run_for(10ms);
        }
        ASSERT_TRUE(done());
    }

    boost::asio::io_context io;
    std::optional<broker::DataSockets> sockets;
    in_addr told{};
    in_addr by_name{htonl(0x05060708)};
    std::optional<std::uint16_t> port;
    std::uint32_t sequence = 0;
    std::uint16_t next_port = 0;
    Fd connected;
    std::optional<ipc::DataFailure> failure;
    std::uint32_t in_vain = 0;
    bool reads = true;
    std::size_t clients = 1;
    std::vector<std::string> reasons;
};

TEST_F(DataSocketsTest, HandOverAConnectionOfTheirOwnClient) {
    start(permissive());
    sockets->passive_open({7});
    ASSERT_TRUE(port);
    ASSERT_GE(*port, 1024);
    const auto client = connected_from("127.0.0.1", loopback("127.0.0.1", *port));
    run_until([&] { return static_cast<bool>(connected); });
    EXPECT_EQ(sequence, 7U);
}

TEST_F(DataSocketsTest, ListenAheadOnAnotherPort) {
    for (const auto highest :
         {std::uint16_t{0}, std::uint16_t{60000}}) {  // of the kernel's choice, and of ours
        auto policy = permissive();
        policy.pasv_min_port = 5001;
        policy.pasv_max_port = highest;
        start(policy);
        sockets->passive_open({7});
        auto before = *port;
        int ahead = 0;
        for (std::uint32_t next = 7; next < 10; ++next) {
            connected.close();
            const auto client = connected_from("127.0.0.1", loopback("127.0.0.1", before));
            run_until([&] { return static_cast<bool>(connected); });
            EXPECT_EQ(sequence, next);
            if (next_port != 0) ++ahead;
            // Ports that were drawn may all be busy; then it is asked for one as at first.
            if (next_port == 0) sockets->passive_open({next + 1}), next_port = *port;
            ASSERT_GE(next_port, 5001);
            EXPECT_FALSE(connected_from("127.0.0.1", loopback("127.0.0.1", before)));
            EXPECT_NE(std::exchange(before, next_port), next_port);
        }
        EXPECT_GT(ahead, 0);
        sockets->passive_close({10});
        EXPECT_FALSE(connected_from("127.0.0.1", loopback("127.0.0.1", next_port)));
        connected.close();
    }
}

// Else a minute's ports in TIME_WAIT would be tried one after the other, by the supervisor.
TEST_F(DataSocketsTest, LetTheKernelTryFewPortsOnly) {
    constexpr int local_port_range = 51;  // IP_LOCAL_PORT_RANGE
    start(permissive());
    std::set<std::uint32_t> windows;
    for (std::uint32_t number = 1; number < 5; ++number) {
        sockets->passive_open({number});
        connected.close();
        const auto client = connected_from("127.0.0.1", loopback("127.0.0.1", *port));
        run_until([&] { return static_cast<bool>(connected); });
        std::uint32_t window = 0;
        socklen_t size = sizeof window;
        if (::getsockopt(connected.get(), IPPROTO_IP, local_port_range, &window, &size) < 0)
            GTEST_SKIP() << "a kernel before 6.3";
        if (window == 0) continue;  // of our own choice, since those few were busy
        EXPECT_LT((window >> 16) - (window & 0xffff), 64U);
        windows.insert(window);
    }
    EXPECT_GT(windows.size(), 1U);
}

class DataSocketsAlone : public DataSocketsTest {
  protected:
    // In a network of the thread's own, whose kernel gives away two ports, which are taken.
    void take_the_kernels_ports() {
        ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
        ifreq loopback_up{};
        loopback_up.ifr_name[0] = 'l';
        loopback_up.ifr_name[1] = 'o';
        loopback_up.ifr_flags = IFF_UP;
        const Fd any{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        ASSERT_EQ(::ioctl(any.get(), SIOCSIFFLAGS, &loopback_up), 0);
        std::ofstream("/proc/sys/net/ipv4/ip_local_port_range") << "40000 40001";
        for (const auto number : {std::uint16_t{40000}, std::uint16_t{40001}}) {
            taken.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            const auto address = loopback("127.0.0.1", number);
            ASSERT_EQ(::bind(taken.back().get(), &address.any, sizeof address.v4), 0);
            ASSERT_EQ(::listen(taken.back().get(), 1), 0);
        }
    }
    std::vector<Fd> taken;
};

TEST_F(DataSocketsAlone, TakeAnotherPortEachTimeThoughTheKernelHasNone) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    std::thread([this] {
        take_the_kernels_ports();
        start(permissive());
        sockets->passive_open({1});
        auto before = *port;
        for (std::uint32_t number = 1; number < 5; ++number) {
            ASSERT_NE(before, 0);
            connected.close();
            Fd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
            const auto from = loopback("127.0.0.1", static_cast<std::uint16_t>(30000 + number));
            ASSERT_EQ(::bind(client.get(), &from.any, sizeof from.v4), 0);
            const auto to = loopback("127.0.0.1", before);
            ASSERT_EQ(::connect(client.get(), &to.any, sizeof to.v4), 0);
            run_until([&] { return static_cast<bool>(connected); });
            EXPECT_NE(std::exchange(before, next_port), next_port);
        }
    }).join();
}

TEST_F(DataSocketsTest, MakeConnectionsThatCarryBytesHoweverOftenTheyListen) {
    for (const bool ahead : {true, false}) {
        auto policy = permissive();
        policy.pasv_by_name = ahead ? 0 : 1;
        start(policy);
        for (std::uint32_t number = 1; number < 8; ++number) {
            sockets->passive_open({number});
            if (number % 3 == 0) sockets->passive_open({number});
            connected.close();
            const auto client = connected_from("127.0.0.1", loopback("127.0.0.1", *port));
            run_until([&] { return static_cast<bool>(connected); });
            EXPECT_EQ(::send(connected.get(), "x", 1, MSG_NOSIGNAL), 1);
            char byte = 0;
            EXPECT_EQ(::recv(client.get(), &byte, 1, 0), 1);
            if (number % 4 == 0) sockets->passive_close({number});
        }
        connected.close();
    }
}

// With eight ports for each of the clients, and sixteen in all, they do.
TEST_F(DataSocketsTest, DoNotListenAheadWherePortsAreFew) {
    struct {
        std::uint16_t ports;
        std::size_t clients;
        bool ahead;
    } const cases[]{{10, 1, false}, {15, 1, false},  {16, 1, true},   {16, 2, true},
                    {16, 3, false}, {100, 12, true}, {100, 13, false}};
    for (const auto& each : cases) {
        auto policy = permissive();
        policy.pasv_min_port = 20100;
        policy.pasv_max_port = 20100U + each.ports - 1U;
        clients = each.clients;
        start(policy);
        sockets->passive_open({1});
        const auto client = connected_from("127.0.0.1", loopback("127.0.0.1", *port));
        run_until([&] { return static_cast<bool>(connected); });
        EXPECT_EQ(next_port != 0, each.ahead) << each.ports << " ports, " << each.clients;
        if (!each.ahead) EXPECT_FALSE(connected_from("127.0.0.1", loopback("127.0.0.1", *port)));
        connected.close();
    }
}

TEST_F(DataSocketsTest, DoNotListenAheadForASessionThatDoesNotRead) {
    start(permissive());
    sockets->passive_open({7});
    ASSERT_TRUE(port);
    const auto client = connected_from("127.0.0.1", loopback("127.0.0.1", *port));
    run_until([&] { return static_cast<bool>(connected); });
    ASSERT_NE(next_port, 0);
    connected.close();
    reads = false;
    const auto other = connected_from("127.0.0.1", loopback("127.0.0.1", next_port));
    run_until([&] { return static_cast<bool>(connected); });
    EXPECT_EQ(sequence, 8U);
    EXPECT_EQ(next_port, 0);
}

// Otherwise the loop would turn and turn for as long as there are none.
TEST_F(DataSocketsTest, GiveUpWhereThereAreNoDescriptors) {
    start(permissive());
    // One that is served goes first: to check a virtual call for the first time, UBSan opens a
    // pipe.
    sockets->passive_open({6});
    ASSERT_TRUE(port);
    const auto first = connected_from("127.0.0.1", loopback("127.0.0.1", *port));
    run_until([&] { return static_cast<bool>(connected); });
    connected = {};
    sockets->passive_open({7});
    const auto client = connected_from("127.0.0.1", loopback("127.0.0.1", *port));
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{0, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    run_until([&] { return failure.has_value(); });
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(failure, ipc::DataFailure::refused);
    ASSERT_EQ(reasons.size(), 1U);
    EXPECT_NE(reasons[0].find("Too many open files"), std::string::npos) << reasons[0];
    EXPECT_FALSE(connected);
    // The next one is served as ever.
    sockets->passive_open({8});
    const auto next = connected_from("127.0.0.1", loopback("127.0.0.1", *port));
    run_until([&] { return static_cast<bool>(connected); });
    EXPECT_EQ(sequence, 8U);
}

TEST_F(DataSocketsTest, RefuseAConnectionOfAnybodyElseAndNameBoth) {
    start(permissive());
    sockets->passive_open({1});
    const auto thief = connected_from("127.0.0.2", loopback("127.0.0.1", *port));
    run_until([&] { return failure.has_value(); });
    EXPECT_EQ(*failure, ipc::DataFailure::wrong_peer);
    ASSERT_EQ(reasons.size(), 1U);
    EXPECT_NE(reasons[0].find("127.0.0.2"), std::string::npos);
    EXPECT_NE(reasons[0].find("127.0.0.1"), std::string::npos);
}

TEST_F(DataSocketsTest, AcceptAnybodyWhenPromiscuous) {
    auto policy = permissive();
    policy.pasv_promiscuous = 1;
    start(policy);
    sockets->passive_open({1});
    const auto other = connected_from("127.0.0.2", loopback("127.0.0.1", *port));
    run_until([&] { return static_cast<bool>(connected); });
}

TEST_F(DataSocketsTest, UseEveryPortOfTheirRangeAndSayWhenNoneIsFree) {
    auto policy = permissive();
    // A range that the kernel does not give away by itself.
    policy.pasv_min_port = 20100;
    policy.pasv_max_port = 20102;
    std::vector<std::unique_ptr<broker::DataSockets>> taken;
    std::set<std::uint16_t> ports;
    std::optional<std::uint16_t> last;
    for (int i = 0; i < 4; ++i) {
        taken.push_back(std::make_unique<broker::DataSockets>(
            io, loopback("127.0.0.1"), loopback("127.0.0.1"), policy,
            broker::DataSockets::Callbacks{
                {},
                [&](const ipc::Listening& answer) { last = answer.port; },
                {},
                {},
                [](const std::string&) {},
                [this](std::uint32_t number) { in_vain += number; },
                [] { return true; },
                [] { return std::size_t{1}; }}));
        in_vain = 0;
        taken.back()->passive_open({1});
        ASSERT_TRUE(last);
        if (i < 3) ports.insert(*last);
    }
    EXPECT_EQ(ports, (std::set<std::uint16_t>{20100, 20101, 20102}));
    EXPECT_EQ(*last, 0);
    EXPECT_EQ(in_vain, 3U) << "what the search cost";
}

TEST_F(DataSocketsTest, ConnectToTheirOwnClientOnly) {
    Fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto address = loopback("127.0.0.1");
    ASSERT_EQ(::bind(listener.get(), &address.any, sizeof address.v4), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    socklen_t size = sizeof address;
    ASSERT_EQ(::getsockname(listener.get(), &address.any, &size), 0);

    start(permissive());
    sockets->active_open({3, address});
    run_until([&] { return static_cast<bool>(connected); });

    for (const auto& target :
         {loopback("127.0.0.2", broker::port(address)), loopback("127.0.0.1", 22),
          loopback("127.0.0.1", 1023), ipc::Address{}}) {
        failure.reset();
        sockets->active_open({4, target});
        ASSERT_TRUE(failure);
        EXPECT_EQ(*failure, ipc::DataFailure::forbidden);
    }
}

TEST_F(DataSocketsTest, SayWhenNobodyListensAtTheClient) {
    start(permissive());
    sockets->active_open({1, loopback("127.0.0.1", 20199)});
    run_until([&] { return failure.has_value(); });
    EXPECT_EQ(*failure, ipc::DataFailure::refused);
}

TEST_F(DataSocketsTest, DoNothingThatTheOptionsForbid) {
    start({});
    sockets->passive_open({1});
    EXPECT_EQ(port, 0);
    sockets->active_open({2, loopback("127.0.0.1", 2000)});
    EXPECT_EQ(failure, ipc::DataFailure::forbidden);
}

TEST_F(DataSocketsTest, ListenNoLongerAfterPassiveClose) {
    start(permissive());
    sockets->passive_open({1});
    sockets->passive_close({1});
    EXPECT_FALSE(connected_from("127.0.0.1", loopback("127.0.0.1", *port)));
}

}  // namespace

TEST_F(DataSocketsTest, TellTheAddressThatIsConfigured) {
    auto policy = permissive();
    start(policy);
    sockets->passive_open({1});
    EXPECT_EQ(ntohl(told.s_addr), 0x7F000001U) << "where the client found us";

    policy.pasv_address.s_addr = htonl(0x01020304);
    start(policy);
    sockets->passive_open({2});
    EXPECT_EQ(ntohl(told.s_addr), 0x01020304U);

    policy.pasv_by_name = 1;
    start(policy);
    sockets->passive_open({3});
    EXPECT_EQ(ntohl(told.s_addr), 0x05060708U) << "what the name stands for now";

    by_name.s_addr = 0;
    policy.pasv_address.s_addr = 0;
    start(policy);
    sockets->passive_open({4});
    EXPECT_EQ(ntohl(told.s_addr), 0x7F000001U) << "pasv_addr_resolve=YES without a pasv_address";
}
