// SPDX-License-Identifier: MIT
// Who is admitted, and that the counters come back down.
#include "supervisor/limits.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include <arpa/inet.h>

namespace {

using supervisor::Limits;
using Verdict = Limits::Verdict;
using namespace std::chrono_literals;

ipc::Address address(const std::string& text) {
    ipc::Address result{};
    if (text.find(':') == text.npos) {
        result.v4.sin_family = AF_INET;
        EXPECT_EQ(::inet_pton(AF_INET, text.c_str(), &result.v4.sin_addr), 1) << text;
    } else {
        result.v6.sin6_family = AF_INET6;
        EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &result.v6.sin6_addr), 1) << text;
    }
    return result;
}

class LimitsTest : public testing::Test {
  protected:
    Verdict admit(const std::string& peer, std::uint32_t max_clients = 0,
                  std::uint32_t max_per_ip = 0) {
        return limits.admit(address(peer), max_clients, max_per_ip, now);
    }
    void release(const std::string& peer) { limits.release(address(peer)); }
    void crash(const std::string& peer, unsigned times = 1) {
        for (; times > 0; --times) limits.crashed(address(peer), now);
    }

    Limits limits;
    Limits::Clock::time_point now = Limits::Clock::time_point{} + 1h;
};

TEST_F(LimitsTest, HasNoneWhenTheyAreZero) {
    for (int i = 0; i < 5000; ++i) EXPECT_EQ(admit("192.0.2.1"), Verdict::ok);
    EXPECT_EQ(limits.clients(), 5000U);
}

TEST_F(LimitsTest, AdmitsMaxClients) {
    EXPECT_EQ(admit("192.0.2.1", 2), Verdict::ok);
    EXPECT_EQ(admit("192.0.2.2", 2), Verdict::ok);
    EXPECT_EQ(admit("192.0.2.3", 2), Verdict::too_many);
    release("192.0.2.1");
    EXPECT_EQ(admit("192.0.2.3", 2), Verdict::ok);
}

TEST_F(LimitsTest, AdmitsMaxPerIp) {
    EXPECT_EQ(admit("192.0.2.1", 0, 1), Verdict::ok);
    EXPECT_EQ(admit("192.0.2.1", 0, 1), Verdict::too_many_per_ip);
    EXPECT_EQ(admit("192.0.2.2", 0, 1), Verdict::ok);
    EXPECT_EQ(admit("2001:db8::1", 0, 1), Verdict::ok);
    EXPECT_EQ(admit("2001:db8::2", 0, 1), Verdict::ok) << "another address";
    EXPECT_EQ(admit("2001:db8::1", 0, 1), Verdict::too_many_per_ip);
    release("192.0.2.1");
    EXPECT_EQ(admit("192.0.2.1", 0, 1), Verdict::ok);
}

TEST_F(LimitsTest, TakesMappedAddressesForIpv4) {
    EXPECT_EQ(admit("192.0.2.1", 0, 1), Verdict::ok);
    EXPECT_EQ(admit("::ffff:192.0.2.1", 0, 1), Verdict::too_many_per_ip);
    release("::ffff:192.0.2.1");
    EXPECT_EQ(admit("::ffff:192.0.2.1", 0, 1), Verdict::ok);
}

TEST_F(LimitsTest, LooksAtMaxClientsFirst) {
    EXPECT_EQ(admit("192.0.2.1", 1, 1), Verdict::ok);
    EXPECT_EQ(admit("192.0.2.1", 1, 1), Verdict::too_many);
}

TEST_F(LimitsTest, CountsNobodyWhoWasRefused) {
    EXPECT_EQ(admit("192.0.2.1", 0, 1), Verdict::ok);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(admit("192.0.2.1", 0, 1), Verdict::too_many_per_ip);
    release("192.0.2.1");
    EXPECT_EQ(limits.clients(), 0U);
    EXPECT_EQ(limits.addresses(), 0U);
}

TEST_F(LimitsTest, ComesBackToNothing) {
    for (int i = 0; i < 1000; ++i)
        EXPECT_EQ(admit("192.0.2." + std::to_string(i % 250)), Verdict::ok);
    for (int i = 0; i < 1000; ++i) release("192.0.2." + std::to_string(i % 250));
    EXPECT_EQ(limits.clients(), 0U);
    EXPECT_EQ(limits.addresses(), 0U);
    release("192.0.2.1");
    EXPECT_EQ(limits.clients(), 0U) << "one release too many";
}

TEST_F(LimitsTest, ShutsOutWhoseSessionsCrash) {
    crash("192.0.2.1", Limits::most_crashes - 1);
    EXPECT_EQ(admit("192.0.2.1"), Verdict::ok);
    crash("192.0.2.1");
    EXPECT_EQ(admit("192.0.2.1"), Verdict::throttled);
    EXPECT_EQ(admit("::ffff:192.0.2.1"), Verdict::throttled);
    EXPECT_EQ(admit("192.0.2.2"), Verdict::ok) << "another address";
    now += Limits::throttle_time - 1s;
    EXPECT_EQ(admit("192.0.2.1"), Verdict::throttled);
    now += 1s;
    EXPECT_EQ(admit("192.0.2.1"), Verdict::ok);
    crash("192.0.2.1", Limits::most_crashes - 1);
    EXPECT_EQ(admit("192.0.2.1"), Verdict::ok) << "counted anew";
}

// The kernel kills the innocent when memory is short, and administrators kill whom they like.
TEST_F(LimitsTest, CallsOnlyFaultsOfItsOwnACrash) {
    for (const int signal : {SIGSEGV, SIGSYS, SIGABRT, SIGBUS, SIGILL, SIGFPE, SIGTRAP})
        EXPECT_TRUE(Limits::is_crash(signal)) << signal;
    for (const int signal : {SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGXCPU, SIGXFSZ})
        EXPECT_FALSE(Limits::is_crash(signal)) << signal;
}

TEST_F(LimitsTest, ForgivesCrashesOnceInAWhile) {
    for (unsigned i = 0; i < 10 * Limits::most_crashes; ++i) {
        crash("192.0.2.1");
        now += Limits::crash_window / (Limits::most_crashes - 2);
        EXPECT_EQ(admit("192.0.2.1"), Verdict::ok);
    }
}

TEST_F(LimitsTest, TakesANetworkOfIpv6ForOneAttacker) {
    for (unsigned i = 0; i < Limits::most_crashes; ++i) crash("2001:db8::" + std::to_string(i));
    EXPECT_EQ(admit("2001:db8::77"), Verdict::throttled);
    EXPECT_EQ(admit("2001:db8:0:1::77"), Verdict::ok);
}

TEST_F(LimitsTest, RemembersABoundedNumberOfCrashes) {
    for (unsigned i = 0; i < 3 * Limits::most_remembered; ++i) {
        crash("10.0." + std::to_string(i / 250) + '.' + std::to_string(i % 250));
        now += 1ms;
    }
    EXPECT_EQ(limits.addresses(), Limits::most_remembered);
    now += Limits::crash_window;
    crash("192.0.2.1");
    EXPECT_EQ(limits.addresses(), 1U) << "what is over has gone";
}

}  // namespace
