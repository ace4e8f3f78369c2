// SPDX-License-Identifier: MIT
// Limits: connections, logins, sessions, rates and delays, as vsftpd.conf and [limits] in
// jailftpd.ini set them (whole sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

using namespace sessions;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto welcome = "230 Login successful.";
constexpr auto too_many = "421 There are too many connected users, please try later.";
constexpr auto too_many_here = "421 There are too many connections from your internet address.";

std::string limits(const std::string& lines) { return "[limits]\n" + lines; }

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

bool greets(const Server& server, const std::string& from = "") {
    return eventually([&] { return Conversation(server, from).greeting.starts_with("220"); });
}

// Another address of the loopback.
void add_address(const char* text) {
    const base::Fd any{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    in6_ifreq request{};
    ::inet_pton(AF_INET6, text, &request.ifr6_addr);
    request.ifr6_prefixlen = 128;
    request.ifr6_ifindex = static_cast<int>(::if_nametoindex("lo"));
    ASSERT_TRUE(::ioctl(any.get(), SIOCSIFADDR, &request) == 0 || errno == EEXIST)
        << std::strerror(errno);
}

// Seconds of processor time that a process has used.
double processor_time(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(file, line);
    std::istringstream rest(line.substr(line.rfind(')') + 2));
    std::string ignored;
    for (int i = 0; i < 11; ++i) rest >> ignored;
    double user = 0;
    double system = 0;
    rest >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

// ----- connections

TEST(MaxPerIp, TurnsTheNextOneOfAnAddressAway) {
    Server server({"max_per_ip=1"});
    Conversation first(server);
    EXPECT_EQ(Conversation(server).greeting,
              "421 There are too many connections from your internet address.");
    EXPECT_THAT(Conversation(server, "127.0.0.2").greeting, StartsWith("220"));
    server.logged(
        R"(CONNECT: Client "127\.0\.0\.1", "Connection refused: too many sessions for this address\.")");
}

TEST(MaxPerIp, CountsIPv6AddressesOneByOne) {
    add_address("2001:db8::2");
    Server server({"max_per_ip=1"}, {.address = "::1"});
    Conversation first(server);
    EXPECT_THAT(first.greeting, StartsWith("220"));
    EXPECT_EQ(Conversation(server).greeting, too_many_here);
    Conversation other(server, "2001:db8::2");
    EXPECT_THAT(other.greeting, StartsWith("220"));
    EXPECT_EQ(Conversation(server, "2001:db8::2").greeting, too_many_here);
    server.logged(
        R"(CONNECT: Client "::1", "Connection refused: too many sessions for this address\.")");
    first.hang_up();
    EXPECT_TRUE(greets(server));
}

TEST(MaxPerIp, KnowsAnIPv4ClientOfAnIPv6Socket) {
    Server server({"listen=NO", "listen_ipv6=YES", "listen_address6=::", "max_per_ip=1"});
    Conversation first(server);
    EXPECT_EQ(Conversation(server).greeting, too_many_here);
    EXPECT_THAT(Conversation(server, "127.0.0.2").greeting, StartsWith("220"));
}

TEST(LimitsBeforeLogin, CountsThoseWhoHaveNotLoggedIn) {
    Server server({}, {.ini = limits("before_login = 2\n")});
    Conversation first(server);
    Conversation second(server);
    EXPECT_EQ(Conversation(server).greeting, too_many);
    EXPECT_EQ(first.login(alice), welcome);
    Conversation third(server);
    EXPECT_THAT(third.greeting, StartsWith("220")) << "there is room again";
    EXPECT_EQ(Conversation(server).greeting, too_many);
    second.hang_up();
    EXPECT_TRUE(greets(server));
    server.logged(R"(CONNECT: Client "127\.0\.0\.1", "Connection refused: too many sessions\.")");
}

TEST(LimitsBeforeLoginPerIp, CountsOneAddressApart) {
    Server server({}, {.ini = limits("before_login_per_ip = 1\n")});
    Conversation first(server);
    EXPECT_EQ(Conversation(server).greeting, too_many_here);
    EXPECT_THAT(Conversation(server, "127.0.0.2").greeting, StartsWith("220"));
    EXPECT_EQ(first.login(alice), welcome);
    EXPECT_TRUE(greets(server));
}

// A failed login does not take the connection out of the count, and its end does so once.
TEST(LimitsBeforeLogin, CountsRightWhateverHappens) {
    Server server({}, {.ini = limits("before_login = 1\n")});
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(greets(server));
        Conversation ftp(server);
        while (!ftp.greeting.starts_with("220")) ftp = Conversation(server);
        ftp.login("alice", "wrong");
        EXPECT_EQ(Conversation(server).greeting, too_many);
        if (round == 1) {
            EXPECT_EQ(ftp.login(alice), welcome);
        }
        ftp.hang_up();
    }
    EXPECT_TRUE(greets(server));
}

TEST(LimitsLoginTime, EndsConnectionsThatDoNotLogInSoon) {
    Server server({}, {.ini = limits("login_time = 1\n")});
    Conversation in_time(server, alice);
    Conversation slow(server);
    const auto start = Clock::now();
    // Talking does not help.
    std::string last;
    while (seconds_since(start) < 5) {
        last = slow.say("USER alice");
        if (!last.starts_with("331")) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    EXPECT_EQ(last, "421 Timeout.");
    EXPECT_TRUE(slow.ended());
    EXPECT_GE(seconds_since(start), 0.8);
    EXPECT_LT(seconds_since(start), 3);
    EXPECT_EQ(in_time.say("NOOP"), "200 NOOP ok.") << "who has logged in stays";
    server.complained("did not log in within 1 s \\(login_time\\)");
}

// ----- sessions of one account

TEST(LimitsSessionsPerAccount, RefuseOneTooMany) {
    Server server({"anonymous_enable=YES"},
                  {.ini = limits("sessions_per_account = 1\n") +
                          tenant("carl", "sesame", {"uid = 2101", "gid = 2101"})});
    Conversation first(server, alice);
    Conversation second(server);
    EXPECT_EQ(second.login(alice), "421 There are too many sessions of your account.");
    EXPECT_TRUE(second.ended());
    server.logged("\\[alice\\] FAIL LOGIN: Client \"127\\.0\\.0\\.1\"");
    server.complained("sessions already \\(sessions_per_account\\)");
    Conversation other(server, bob);
    Conversation carl(server);
    EXPECT_EQ(carl.login("carl", "sesame"), welcome);
    EXPECT_THAT(Conversation(server).login("carl", "sesame"), StartsWith("421"));
    for (int i = 0; i < 3; ++i) {
        Conversation anonymous(server);
        EXPECT_EQ(anonymous.login("ftp", "me@here"), welcome) << "each is apart";
        anonymous.say("NOOP");
    }
    EXPECT_EQ(first.say("QUIT"), "221 Goodbye.");
    first.hang_up();
    EXPECT_TRUE(eventually([&] { return Conversation(server).login(alice) == welcome; }));
}

// ----- rates

class SteadyRates : public testing::Test {
  protected:
    static constexpr std::size_t rate = 200'000;
    static constexpr double tolerance = 0.03;
    const std::string five_seconds = noise(5 * rate);

    static void is_about(double measured, double expected) {
        EXPECT_GT(measured, expected * (1 - tolerance));
        EXPECT_LT(measured, expected * (1 + tolerance));
    }
    // Bytes a second, and the most by which what came, counted from wherever, was above the rate.
    struct Measured {
        double average = 0;
        double burst = 0;
    };
    static Measured download(Conversation& ftp, const std::string& name) {
        Measured result;
        auto data = ftp.open();
        EXPECT_THAT(ftp.say("RETR " + name), StartsWith("150"));
        const auto start = Clock::now();
        std::size_t total = 0;
        auto last = start;
        double ahead = 0;
        for (std::string part; !(part = data.read(1 << 18)).empty(); total += part.size()) {
            const auto now = Clock::now();
            ahead -= rate * std::chrono::duration<double>(now - std::exchange(last, now)).count();
            ahead = std::max(ahead, 0.0) + static_cast<double>(part.size());
            result.burst = std::max(result.burst, ahead);
        }
        EXPECT_EQ(ftp.reply(), "226 Transfer complete.");
        result.average = static_cast<double>(total) / seconds_since(start);
        return result;
    }
};

TEST_F(SteadyRates, AreKeptInDownloads) {
    write_file(home_of(alice) / "files/five", five_seconds, alice.uid);
    Server server({"local_max_rate=" + std::to_string(rate)});
    Conversation ftp(server, alice);
    const auto measured = download(ftp, "files/five");
    is_about(measured.average, rate);
    EXPECT_LE(measured.burst, 65536) << "a chunk of vsftpd's";
}

TEST_F(SteadyRates, AreKeptInUploads) {
    Server server({"local_max_rate=" + std::to_string(rate)});
    Conversation ftp(server, alice);
    const auto start = Clock::now();
    EXPECT_EQ(ftp.store("files/five", five_seconds), "226 Transfer complete.");
    is_about(static_cast<double>(five_seconds.size()) / seconds_since(start), rate);
    EXPECT_TRUE(content_of(home_of(alice) / "files/five") == five_seconds);
}

// A client that stood still does not get at once what it has missed.
TEST_F(SteadyRates, AreNotMadeUpFor) {
    Server server({"local_max_rate=" + std::to_string(rate)});
    Conversation ftp(server, alice);
    auto data = ftp.open();
    EXPECT_THAT(ftp.say("STOR files/two"), StartsWith("150"));
    data.write("x");
    std::this_thread::sleep_for(std::chrono::seconds(2));
    const auto start = Clock::now();
    data.write(noise(2 * rate));
    data.close();
    EXPECT_EQ(ftp.reply(), "226 Transfer complete.");
    EXPECT_GT(seconds_since(start), 2 - 0.25 - 0.05);
}

TEST_F(SteadyRates, AreKeptForAnonymousUsersInSmallSteps) {
    write_file(home_of(ftp_user) / "five", five_seconds);
    Server server({"anonymous_enable=YES", "anon_max_rate=" + std::to_string(rate),
                   "trans_chunk_size=4096", "local_max_rate=1000"});
    Conversation ftp(server);
    ftp.login("ftp", "me@here");
    ftp.say("TYPE I");
    const auto measured = download(ftp, "five");
    is_about(measured.average, rate);
    EXPECT_LE(measured.burst, 4096 + rate / 4) << "a chunk, and what a late one may make up for";
}

using LimitsSharedRates = SteadyRates;

TEST_F(LimitsSharedRates, AreOffUnlessTheyAreWanted) {
    write_file(home_of(alice) / "files/two", noise(2 * rate), alice.uid);
    Server server({"local_max_rate=" + std::to_string(rate)});
    Conversation first(server, alice);
    Conversation second(server, alice);
    Measured one;
    std::thread other([&] { one = download(first, "files/two"); });
    const auto two = download(second, "files/two");
    other.join();
    EXPECT_GT(one.average, 0.9 * rate);
    EXPECT_GT(two.average, 0.9 * rate);
}

TEST_F(LimitsSharedRates, AreOfAnAccountsSessionsTogether) {
    write_file(home_of(alice) / "files/half", noise(5 * rate / 2), alice.uid);
    write_file(home_of(bob) / "files/one", noise(rate), bob.uid);
    Server server({"local_max_rate=" + std::to_string(rate)},
                  {.ini = limits("shared_rates = yes\n")});
    Conversation first(server, alice);
    Conversation second(server, alice);
    Conversation other(server, bob);
    Measured one;
    Measured bobs;
    std::thread beside([&] { one = download(first, "files/half"); });
    std::thread apart([&] { bobs = download(other, "files/one"); });
    const auto two = download(second, "files/half");
    beside.join();
    apart.join();
    for (const auto& each : {one, two}) {
        EXPECT_GT(each.average, 0.45 * rate);
        EXPECT_LT(each.average, 0.60 * rate);
    }
    EXPECT_GT(bobs.average, 0.9 * rate) << "another account's is another";
}

TEST_F(SteadyRates, CostNoBusyLoop) {
    constexpr int many = 20;
    write_file(home_of(alice) / "files/slow", noise(100'000), alice.uid);
    Server server({"local_max_rate=20000", "max_per_ip=0"});
    std::vector<std::unique_ptr<Conversation>> all;
    std::vector<Data> data;
    for (int i = 0; i < many; ++i) {
        all.push_back(std::make_unique<Conversation>(server, alice));
        data.push_back(all.back()->open());
        EXPECT_THAT(all.back()->say("RETR files/slow"), StartsWith("150"));
    }
    const auto used = [&] {
        double total = processor_time(server.pid());
        for (const auto& each : server.processes("alice")) total += processor_time(each.pid);
        return total;
    };
    const auto before = used();
    std::this_thread::sleep_for(std::chrono::seconds(2));
    EXPECT_LT(used() - before, 0.4) << "seconds of the processor, for all of them in two seconds";
}

// ----- delays

TEST(DelaySuccessfulLogin, KeepsTheClientWaiting) {
    Server server({"delay_successful_login=1"});
    Conversation ftp(server);
    ftp.say("USER alice");
    const auto start = Clock::now();
    EXPECT_EQ(ftp.say("PASS wonderland"), welcome);
    EXPECT_GE(seconds_since(start), 0.95);
    EXPECT_LT(seconds_since(start), 3);
}
