// SPDX-License-Identifier: MIT
// Guessing passwords: what it costs others, and what its times tell (whole sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>

using namespace sessions;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

milliseconds time_of(const std::function<void()>& action) {
    const auto before = steady_clock::now();
    action();
    return duration_cast<milliseconds>(steady_clock::now() - before);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

}  // namespace

TEST(Guessing, ByTwentyClientsDoesNotSlowARightLogin) {
    Server server({"delay_failed_login=3", "max_login_fails=10"});
    std::vector<std::unique_ptr<Conversation>> guessers;
    for (int number = 0; number < 20; ++number) {
        guessers.push_back(std::make_unique<Conversation>(server, "127.0.1." + std::to_string(number + 1)));
        guessers.back()->say("USER alice");
        guessers.back()->send("PASS guess\r\n");
    }
    const auto took = time_of([&] {
        Conversation ftp(server);
        EXPECT_EQ(ftp.login(alice), "230 Login successful.");
    });
    EXPECT_LT(took, milliseconds(1500)) << "it waits for nobody's delay";
    for (auto& each : guessers) EXPECT_EQ(each->reply(), "530 Login incorrect.");
}

TEST(Guessing, FromOneAddressDoesNotLockAnotherOut) {
    // PAM as Debian ships it: two seconds of delay of its own after each failure.
    write_file("/etc/pam.d/common-auth",
               "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n"
               "auth required pam_permit.so\n");
    Server server({"max_login_fails=10"});
    std::vector<std::unique_ptr<Conversation>> guessers;
    for (int number = 0; number < 10; ++number) {
        guessers.push_back(std::make_unique<Conversation>(server, "127.0.0.66"));
        guessers.back()->say("USER stranger");
        guessers.back()->send("PASS guess\r\n");
    }
    const auto took = time_of([&] {
        Conversation ftp(server);
        EXPECT_EQ(ftp.login(alice), "230 Login successful.");
    });
    EXPECT_LT(took, milliseconds(1500));
    for (auto& each : guessers) EXPECT_EQ(each->reply(), "530 Login incorrect.");
}

// Fifty tries each, taken in turns so that the machine's moods hit all alike.
TEST(Guessing, LearnsNothingFromTheTime) {
    Server server({"max_login_fails=1000"}, {.ini = tenant("carl", "sesame")});
    const char* const users[] = {"alice", "stranger", "locked", "carl"};
    std::map<std::string, std::vector<double>> times;
    Conversation ftp(server);
    for (int round = 0; round < 50; ++round) {
        for (const auto* user : users) {
            ftp.say(std::string("USER ") + user);
            const auto before = steady_clock::now();
            EXPECT_EQ(ftp.say("PASS wrong"), "530 Login incorrect.");
            times[user].push_back(std::chrono::duration<double, std::milli>(steady_clock::now() - before).count());
        }
    }
    const auto known = median(times["alice"]);
    for (const auto* user : users) {
        const auto other = median(times[user]);
        EXPECT_LT(std::abs(other - known), std::max(15.0, 0.3 * known))
            << user << ": " << other << " ms, alice: " << known << " ms";
    }
}
