// SPDX-License-Identifier: MIT
// The real spawner with toy children, asked as the supervisor asks it and seen through /proc.
#include "spawner/spawner.hpp"

#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using observed::Facts;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;
using testing::StartsWith;

constexpr int patience = 20000;  // milliseconds; only a broken spawner takes that long

// ---- toys: they tell where they are, wait, and end with the number they are told

void tell(ipc::Channel& channel, const std::string& text) {
    ipc::Record record{};
    record.event = ipc::Event::debug;
    record.path.assign(text);
    (void)channel.send_waiting(record);
}

std::string local_time_of_summer() {
    const std::time_t summer = 1751371200;  // 2025-07-01 12:00 UTC
    char text[64];
    std::strftime(text, sizeof text, "%H:%M", std::localtime(&summer));
    return text;
}

std::string environment() {
    std::string all;
    for (char** each = environ; each != nullptr && *each != nullptr; ++each)
        all += std::string(" ") + *each;
    return all;
}

int wait_for_orders(ipc::Channel& channel) {
    for (;;) {
        auto message = channel.wait();
        if (!message) return 99;
        if (const auto* stop = message.value().as<ipc::Stop>())
            return static_cast<int>(stop->grace);
    }
}

int toy_greeter(ipc::Channel channel, const config::Options&) {
    tell(channel, "greeter" + environment());
    return wait_for_orders(channel);
}

int toy_session(ipc::Channel channel, const config::Options&) {
    tell(channel, "session " + local_time_of_summer() + environment());
    return wait_for_orders(channel);
}

// ---- the supervisor's side

class Spawner {
  public:
    explicit Spawner(const std::optional<std::string>& zone = std::nullopt,
                     const config::Options& options = {}) {
        // What its spawner leaves behind comes to the supervisor, and so to this test.
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        auto ends = ipc::Channel::pair();
        channel = std::move(ends.value().first);
        pid_ = ::fork();
        if (pid_ == 0) {
            channel.close();
            ::setenv("SECRET", "of the supervisor", 1);
            if (zone) ::setenv("TZ", zone->c_str(), 1);
            config::Configuration configuration;
            configuration.options = options;
            if (const auto* entry = ::getpwnam(options.nopriv_user.c_str()))
                configuration.nobody = {entry->pw_uid, entry->pw_gid};
            ::_exit(spawner::run(std::move(ends.value().second), configuration,
                                 {&toy_greeter, &toy_session}));
        }
    }
    ~Spawner() {
        channel.close();
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        children_.clear();  // the toys end with their channels
        while (::waitpid(-1, nullptr, 0) > 0) {
        }
    }
    Spawner(const Spawner&) = delete;
    Spawner& operator=(const Spawner&) = delete;

    // The child's pid; 0 when it was not made.
    pid_t spawn(std::uint64_t id, ipc::Child kind) {
        auto ends = ipc::Channel::pair();
        const int number = ends.value().second.fd();
        EXPECT_TRUE(channel.send_waiting(ipc::Spawn{id, kind, 0}, std::array{number}));
        children_[id] = std::move(ends.value().first);
        const auto* spawned = next<ipc::Spawned>();
        if (spawned == nullptr || spawned->id != id) return 0;
        return spawned->pid;
    }

    // Also waits until it runs its own code.
    pid_t running(std::uint64_t id, ipc::Child kind) {
        const auto pid = spawn(id, kind);
        told_[id] = hear(id);
        return pid;
    }

    [[nodiscard]] std::string hear(std::uint64_t id) {
        auto message = children_[id].wait(patience);
        if (!message) return message.error().text();
        const auto* record = message.value().as<ipc::Record>();
        return record == nullptr ? "something else" : std::string(record->path.view());
    }
    [[nodiscard]] std::string told(std::uint64_t id) { return told_[id]; }

    void end(std::uint64_t id, std::uint32_t result) {
        EXPECT_TRUE(children_[id].send_waiting(ipc::Stop{result, 0}));
    }

    // The next message, if it is of that kind; valid until the one after it.
    template <typename M>
    const M* next() {
        auto message = channel.wait(patience);
        if (!message) return nullptr;
        last_ = std::move(message.value());
        return last_.as<M>();
    }

    // How it ended, as its parent sees it.
    int wait() {
        int status = -1;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return status;
    }

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] Facts facts() const { return Facts(pid_); }

    // It has answered, so it has arrived.
    Facts settled_facts() {
        EXPECT_GT(spawn(~0ULL, ipc::Child::session), 0);
        return facts();
    }

    ipc::Channel channel;

  private:
    pid_t pid_ = -1;
    ipc::Message last_;
    std::map<std::uint64_t, ipc::Channel> children_;
    std::map<std::uint64_t, std::string> told_;
};

struct SpawnerTest : testing::Test {
    void SetUp() override {
        NEEDS_ROOT();
        if (::getpwnam("nobody") == nullptr) GTEST_SKIP() << "needs the user nobody";
    }
};

TEST_F(SpawnerTest, StandsInAnEmptyReadOnlyRoot) {
    NEEDS_MOUNTS();
    Spawner spawner;
    const auto facts = spawner.settled_facts();
    const auto mounts = facts.text("mountinfo");
    EXPECT_EQ(std::count(mounts.begin(), mounts.end(), '\n'), 1) << mounts;
    EXPECT_THAT(mounts, HasSubstr(" / / ro,nosuid,nodev,noexec"));
    EXPECT_TRUE(std::filesystem::is_empty("/proc/" + std::to_string(spawner.pid()) + "/root/"));
}

TEST_F(SpawnerTest, HoldsAHandfulOfDescriptors) {
    Spawner spawner;
    const auto open = spawner.settled_facts().descriptors();
    EXPECT_LE(open.size(), 7U);  // standard streams, channel, /dev/null, signalfd, empty network
}

TEST_F(SpawnerTest, KeepsTheRightsItNeedsAndNoOthers) {
    Spawner spawner;
    const auto facts = spawner.settled_facts();
    for (const auto* set : {"CapPrm", "CapEff"})
        EXPECT_EQ(facts.status(set), "00000000002400e0")
            << set;  // KILL SETGID SETUID CHROOT, and SYS_ADMIN for namespaces
    EXPECT_EQ(facts.status("CapBnd"), "0000000000000000");
    EXPECT_EQ(facts.status("NoNewPrivs"), "1");
    EXPECT_EQ(facts.session(), spawner.pid());
}

TEST_F(SpawnerTest, JailsAGreeterBeforeItRuns) {
    Spawner spawner;
    const Facts greeter(spawner.running(1, ipc::Child::greeter));
    EXPECT_THAT(spawner.told(1), StartsWith("greeter"));
    const auto* nobody = ::getpwnam("nobody");
    const auto uid = std::to_string(nobody->pw_uid);
    const auto gid = std::to_string(nobody->pw_gid);
    EXPECT_EQ(greeter.status("Uid"), uid + ' ' + uid + ' ' + uid + ' ' + uid);
    EXPECT_EQ(greeter.status("Gid"), gid + ' ' + gid + ' ' + gid + ' ' + gid);
    EXPECT_EQ(greeter.status("Groups"), "");
    for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
        EXPECT_EQ(greeter.status(set), "0000000000000000") << set;
    EXPECT_EQ(greeter.status("NoNewPrivs"), "1");
    EXPECT_EQ(greeter.owner(), 0U);
}

TEST_F(SpawnerTest, LeavesASessionBlank) {
    Spawner spawner;
    const Facts session(spawner.running(1, ipc::Child::session));
    EXPECT_THAT(spawner.told(1), StartsWith("session"));
    EXPECT_EQ(session.status("Uid"), "0 0 0 0");
    EXPECT_EQ(session.status("CapEff"), "00000000002400e0");
}

TEST_F(SpawnerTest, GivesChildrenTheirChannelAndNothingElse) {
    Spawner spawner;
    int id = 0;
    for (const auto kind : {ipc::Child::greeter, ipc::Child::session, ipc::Child::greeter}) {
        auto open = Facts(spawner.running(static_cast<std::uint64_t>(++id), kind)).descriptors();
        EXPECT_THAT(open, ElementsAre(Key(0), Key(1), Key(2), Key(3)));
        EXPECT_EQ(open[0], "/dev/null");
        EXPECT_EQ(open[1], "/dev/null");
        EXPECT_EQ(open[2], "/dev/null");
        EXPECT_THAT(open[3], StartsWith("socket:"));
    }
}

TEST_F(SpawnerTest, StandsChildrenInItsEmptyRoot) {
    Spawner spawner;
    const Facts greeter(spawner.running(1, ipc::Child::greeter));
    EXPECT_EQ(greeter.link("root"), spawner.facts().link("root"));
    EXPECT_EQ(greeter.link("cwd"), spawner.facts().link("root"));
    const auto mounts = greeter.text("mountinfo");
    EXPECT_EQ(std::count(mounts.begin(), mounts.end(), '\n'), 1) << mounts;
    EXPECT_THAT(mounts, HasSubstr(" / / ro,nosuid,nodev,noexec"));
}

TEST_F(SpawnerTest, GivesEachChildNamespacesOfItsOwn) {
    NEEDS_MOUNTS();
    Spawner spawner;
    const Facts greeter(spawner.running(1, ipc::Child::greeter));
    const Facts session(spawner.running(2, ipc::Child::session));
    for (const auto* each : {"ns/pid", "ns/ipc", "ns/uts", "ns/mnt", "ns/cgroup"}) {
        EXPECT_NE(greeter.link(each), spawner.facts().link(each)) << each;
        EXPECT_NE(greeter.link(each), session.link(each)) << each;
    }
    EXPECT_NE(greeter.link("ns/net"), Facts(::getpid()).link("ns/net"));
    EXPECT_EQ(greeter.link("ns/net"), session.link("ns/net")) << "one empty one for all";
}

TEST_F(SpawnerTest, FiltersTheCallsOfGreeters) {
    Spawner spawner;
    const Facts greeter(spawner.running(1, ipc::Child::greeter));
    EXPECT_EQ(greeter.status("Seccomp"), "2");
    EXPECT_EQ(greeter.status("Seccomp_filters"), "2") << "the spawner's and its own";
    EXPECT_EQ(spawner.facts().status("Seccomp"), "2");
    EXPECT_EQ(spawner.facts().status("Seccomp_filters"), "1");
}

TEST_F(SpawnerTest, ResetsSignalsForChildren) {
    Spawner spawner;
    for (const auto kind : {ipc::Child::greeter, ipc::Child::session}) {
        const Facts child(spawner.running(static_cast<std::uint64_t>(kind), kind));
        EXPECT_EQ(child.status("SigBlk"), "0000000000000000");
        EXPECT_EQ(child.status("SigIgn"), "0000000000001000");  // SIGPIPE
        // As pid 1 they have handlers for what ends others, so that it ends them too.
        EXPECT_NE(child.status("SigCgt"), "0000000000000000");
    }
}

TEST_F(SpawnerTest, LetsNothingOfTheEnvironmentThroughButTheTimeZone) {
    Spawner spawner("XYZ-5:30");
    spawner.running(1, ipc::Child::greeter);
    spawner.running(2, ipc::Child::session);
    EXPECT_EQ(spawner.told(1), "greeter TZ=XYZ-5:30");
    EXPECT_EQ(spawner.told(2), "session 17:30 TZ=XYZ-5:30");
}

TEST_F(SpawnerTest, KnowsTheTimeZoneInsideTheEmptyRoot) {
    if (::access("/usr/share/zoneinfo/Europe/Berlin", R_OK) < 0)
        GTEST_SKIP() << "needs the time zone files";
    Spawner berlin("Europe/Berlin");
    berlin.running(2, ipc::Child::session);
    EXPECT_THAT(berlin.told(2), StartsWith("session 14:00 "));
}

TEST_F(SpawnerTest, TellsHowAChildEnded) {
    Spawner spawner;
    const auto pid = spawner.spawn(7, ipc::Child::session);
    spawner.end(7, 42);
    const auto* exited = spawner.next<ipc::Exited>();
    ASSERT_NE(exited, nullptr);
    EXPECT_EQ(exited->id, 7U);
    EXPECT_EQ(exited->pid, pid);
    EXPECT_TRUE(WIFEXITED(exited->status));
    EXPECT_EQ(WEXITSTATUS(exited->status), 42);
}

TEST_F(SpawnerTest, KillsAChildOfItsOwn) {
    Spawner spawner;
    spawner.running(7, ipc::Child::greeter);
    ASSERT_TRUE(spawner.channel.send_waiting(ipc::Kill{7, SIGKILL, 0}));
    const auto* exited = spawner.next<ipc::Exited>();
    ASSERT_NE(exited, nullptr);
    EXPECT_EQ(exited->id, 7U);
    EXPECT_TRUE(WIFSIGNALED(exited->status));
    EXPECT_EQ(WTERMSIG(exited->status), SIGKILL);
}

TEST_F(SpawnerTest, KillsNobodyForAnIdThatIsGone) {
    Spawner spawner;
    spawner.running(7, ipc::Child::session);
    spawner.end(7, 0);
    ASSERT_NE(spawner.next<ipc::Exited>(), nullptr);
    ASSERT_TRUE(spawner.channel.send_waiting(ipc::Kill{7, SIGKILL, 0}));
    ASSERT_TRUE(spawner.channel.send_waiting(ipc::Kill{8, SIGKILL, 0}));
    // It goes on, and nobody has ended.
    EXPECT_GT(spawner.spawn(9, ipc::Child::session), 0);
}

TEST_F(SpawnerTest, ForgetsAChildThatHasEnded) {
    Spawner spawner;
    spawner.running(7, ipc::Child::session);
    spawner.end(7, 0);
    ASSERT_NE(spawner.next<ipc::Exited>(), nullptr);
    EXPECT_GT(spawner.spawn(7, ipc::Child::session), 0);
}

TEST_F(SpawnerTest, SendsTheSignalThatWasAskedFor) {
    Spawner spawner;
    spawner.running(7, ipc::Child::session);
    ASSERT_TRUE(spawner.channel.send_waiting(ipc::Kill{7, SIGTERM, 0}));
    const auto* exited = spawner.next<ipc::Exited>();
    ASSERT_NE(exited, nullptr);
    // Pid 1 of its namespace ends itself for a signal that others die of.
    EXPECT_EQ(WEXITSTATUS(exited->status), 128 + SIGTERM);
}

TEST_F(SpawnerTest, LeavesNoZombieAmongTwoHundred) {
    Spawner spawner;
    const auto before = spawner.settled_facts().descriptors().size();
    std::map<std::uint64_t, int> ended;
    std::set<pid_t> pids;
    for (std::uint64_t id = 1; id <= 200; ++id)
        pids.insert(spawner.spawn(id, id % 2 == 0 ? ipc::Child::greeter : ipc::Child::session));
    EXPECT_EQ(pids.size(), 200U);
    for (std::uint64_t id = 1; id <= 200; ++id)
        spawner.end(id, static_cast<std::uint32_t>(id % 100));
    while (ended.size() < 200) {
        const auto* exited = spawner.next<ipc::Exited>();
        ASSERT_NE(exited, nullptr);
        ended[exited->id] = WEXITSTATUS(exited->status);
    }
    for (std::uint64_t id = 1; id <= 200; ++id)
        EXPECT_EQ(ended[id], static_cast<int>(id % 100)) << id;
    const auto task = "task/" + std::to_string(spawner.pid()) + "/children";
    const auto children = spawner.facts().text(task);
    EXPECT_EQ(std::count(children.begin(), children.end(), ' '), 1) << children;  // settled_facts'
    EXPECT_EQ(spawner.facts().descriptors().size(), before);
}

TEST_F(SpawnerTest, EndsWithItsChannelAndItsChildrenLiveOn) {
    Spawner spawner;
    const auto pid = spawner.running(1, ipc::Child::session);
    spawner.channel.close();
    const auto status = spawner.wait();
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    // Ours by adoption now, and it still takes orders.
    EXPECT_EQ(::waitpid(pid, nullptr, WNOHANG), 0);
    spawner.end(1, 5);
    int ended = 0;
    EXPECT_EQ(::waitpid(pid, &ended, 0), pid);
    EXPECT_EQ(WEXITSTATUS(ended), 5);
}

TEST_F(SpawnerTest, IgnoresTheSignalsThatGoToEverybody) {
    Spawner spawner;
    (void)spawner.settled_facts();
    for (const int each : {SIGTERM, SIGINT, SIGHUP}) ASSERT_EQ(::kill(spawner.pid(), each), 0);
    EXPECT_GT(spawner.spawn(1, ipc::Child::session), 0);
}

// Each of these ends the spawner instead of being answered.
TEST_F(SpawnerTest, DoesNotAnswerWhatMakesNoSense) {
    const base::Fd spare(::open("/dev/null", O_RDWR | O_CLOEXEC));
    const std::array one{spare.get()};
    const std::array three{spare.get(), spare.get(), spare.get()};
    const auto greeter = ipc::Child::greeter;
    const std::vector<std::function<base::Result<void>(ipc::Channel&)>> nonsense{
        [&](auto& channel) {
            return channel.send(ipc::Spawn{1, greeter, 0});
        },
        [&](auto& channel) {
            return channel.send(ipc::Spawn{1, greeter, 0}, three);
        },
        [&](auto& channel) {
            return channel.send(ipc::Spawn{1, ipc::Child{3}, 0}, one);
        },
        [&](auto& channel) {
            return channel.send(ipc::Kill{1, SIGKILL, 0}, one);
        },
        [&](auto& channel) {
            return channel.send(ipc::Stop{0, 0});
        },
        [&](auto& channel) -> base::Result<void> {
            if (::send(channel.fd(), "?", 1, 0) < 0) return base::system_error("send");
            return base::success();
        },
    };
    for (std::size_t i = 0; i < nonsense.size(); ++i) {
        Spawner spawner;
        ASSERT_TRUE(nonsense[i](spawner.channel)) << i;
        EXPECT_TRUE(WIFEXITED(spawner.wait())) << i;
    }
}

TEST_F(SpawnerTest, DoesNotTakeAnIdTwice) {
    Spawner spawner;
    spawner.running(1, ipc::Child::session);
    const base::Fd spare(::open("/dev/null", O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(spawner.channel.send_waiting(ipc::Spawn{1, ipc::Child::session, 0},
                                             std::array{spare.get()}));
    EXPECT_TRUE(WIFEXITED(spawner.wait()));
}

TEST_F(SpawnerTest, SaysWhichStepKeptAGreeterFromItsJail) {
    config::Options options;
    options.nopriv_user = "root";
    Spawner spawner(std::nullopt, options);
    ASSERT_GT(spawner.spawn(1, ipc::Child::greeter), 0);
    EXPECT_EQ(spawner.hear(1),
              "greeter: groups, gid, uid: will not run as root: Operation not permitted");
    const auto* exited = spawner.next<ipc::Exited>();
    ASSERT_NE(exited, nullptr);
    EXPECT_EQ(WEXITSTATUS(exited->status), 2);
}

TEST_F(SpawnerTest, VolunteersWhenMemoryRunsOut) {
    Spawner spawner;
    const auto ours = std::stoi(Facts(::getpid()).text("oom_score_adj"));
    const Facts session(spawner.running(1, ipc::Child::session));
    EXPECT_EQ(std::stoi(session.text("oom_score_adj")), std::min(ours + 200, 1000));
}

}  // namespace
