// SPDX-License-Identifier: MIT
// Cgroups: processes cloned into leaves; limits where the controllers are there.
#include "jail/cgroups.hpp"

#include "jail/namespaces.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using base::Fd;
using base::Result;
using observed::Facts;
using observed::Process;
using testing::EndsWith;
using testing::HasSubstr;

Result<void> nothing(int) { return base::success(); }

std::string read(const Fd& cgroup, const char* name) {
    const Fd file{::openat(cgroup.get(), name, O_RDONLY | O_CLOEXEC)};
    char text[256];
    const auto length = ::read(file.get(), text, sizeof text);
    return length < 0 ? "" : std::string(text, static_cast<std::size_t>(length));
}

std::string place_of(const Facts& facts) {
    const auto all = facts.text("cgroup");
    const auto start = all.find("0::");
    return all.substr(start + 3, all.find('\n', start) - start - 3);
}

// A group of the test's own, which goes with its leaves.
struct Cgroups : testing::Test {
    std::string name = "jail-test-" + std::to_string(::getpid());
    std::vector<std::string> leaves;
    Fd own;
    Fd group;

    void SetUp() override {
        NEEDS_ROOT();
        auto found = jail::own_cgroup();
        if (!found) GTEST_SKIP() << found.error().text();
        own = std::move(found.value());
        auto made = jail::make_cgroup(own, name);
        if (!made) GTEST_SKIP() << made.error().text();
        group = std::move(made.value());
    }
    void TearDown() override {
        for (const auto& each : leaves) jail::remove_cgroup(group, each);
        if (group) {
            jail::remove_cgroup(own, name);
            EXPECT_NE(::faccessat(own.get(), name.c_str(), F_OK, 0), 0);
        }
    }
    Result<Fd> leaf(const std::string& leaf_name, const jail::CgroupLimits& limits = {}) {
        leaves.push_back(leaf_name);
        return jail::make_cgroup(group, leaf_name, limits);
    }
};

TEST_F(Cgroups, TakeProcessesThatAreClonedIntoThem) {
    const auto common = leaf("cells");
    ASSERT_TRUE(common) << common.error().text();
    Process process(nothing, {}, common.value().get());
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_THAT(place_of(process.facts()), EndsWith('/' + name + "/cells"));
    EXPECT_EQ(read(common.value(), "cgroup.procs"), std::to_string(process.pid()) + '\n');
    // A removal needs an empty one.
    process.signal(SIGKILL);
    (void)process.end();
}

TEST_F(Cgroups, AreTheRootsOfTheirNamespaces) {
    const auto common = leaf("cells");
    ASSERT_TRUE(common) << common.error().text();
    Process process(
        [](int) -> Result<void> {
            if (place_of(Facts(::getpid())) != "/") return base::Error{"sees the host's tree", 0};
            return base::success();
        },
        {.cgroup = true}, common.value().get());
    if (process.pid() < 0) GTEST_SKIP() << *process.error();
    EXPECT_EQ(process.error(), std::nullopt);
    process.signal(SIGKILL);
    (void)process.end();
}

TEST_F(Cgroups, TakeProcessesThatMove) {
    const auto supervisor = leaf("supervisor");
    ASSERT_TRUE(supervisor) << supervisor.error().text();
    Process process([&](int) { return jail::move_into(supervisor.value(), ::getpid()); });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_THAT(place_of(process.facts()), EndsWith('/' + name + "/supervisor"));
    process.signal(SIGKILL);
    (void)process.end();
}

// What hands controllers down may hold no processes: this one goes aside meanwhile, as the
// supervisor does. It works where the test is alone in a cgroup that it may change
// (systemd-run --scope -p Delegate=yes).
class Aside {
  public:
    explicit Aside(const Fd& cgroup) : cgroup_(cgroup) {
        const auto leaf = jail::make_cgroup(cgroup, name_);
        if (leaf) (void)jail::move_into(leaf.value(), ::getpid());
        missing_ = jail::hand_down(cgroup, controllers);
    }
    ~Aside() {
        const Fd file{::openat(cgroup_.get(), "cgroup.subtree_control", O_WRONLY | O_CLOEXEC)};
        for (const std::string each : controllers)
            (void)!::write(file.get(), ('-' + each).c_str(), each.size() + 1);
        (void)jail::move_into(cgroup_, ::getpid());
        jail::remove_cgroup(cgroup_, name_);
    }
    [[nodiscard]] const std::vector<std::string>& missing() const { return missing_; }

    static constexpr const char* controllers[] = {"memory", "pids", "cpu"};

  private:
    const Fd& cgroup_;
    std::string name_ = "jail-test-aside-" + std::to_string(::getpid());
    std::vector<std::string> missing_;
};

TEST_F(Cgroups, HaveTheLimitsThatAreWanted) {
    const Aside aside(own);
    if (!aside.missing().empty())
        GTEST_SKIP() << "the controller " << aside.missing().front() << " is not to be had here";
    ASSERT_EQ(jail::hand_down(group, Aside::controllers), std::vector<std::string>{});
    auto limited = leaf("alice", {.memory = 64 << 20, .processes = 3, .cpu_weight = 50});
    ASSERT_TRUE(limited) << limited.error().text();
    EXPECT_EQ(read(limited.value(), "memory.max"), "67108864\n");
    EXPECT_EQ(read(limited.value(), "pids.max"), "3\n");
    EXPECT_EQ(read(limited.value(), "cpu.weight"), "50\n");
    Process process(
        [](int) -> Result<void> {
            for (int i = 0; i < 10; ++i) {
                const auto pid = ::fork();
                if (pid == 0) ::pause();
                if (pid < 0)
                    return i == 2 ? Result<void>(base::success())
                                  : base::system_error("fork " + std::to_string(i));
            }
            return base::Error{"ten children", 0};
        },
        {.pid = true}, limited.value().get());
    if (process.pid() < 0) GTEST_SKIP() << *process.error();
    EXPECT_EQ(process.error(), std::nullopt);
    process.signal(SIGKILL);
    (void)process.end();
    // A limit that is no longer configured is taken away.
    limited = jail::make_cgroup(group, "alice");
    ASSERT_TRUE(limited) << limited.error().text();
    EXPECT_EQ(read(limited.value(), "memory.max"), "max\n");
    EXPECT_EQ(read(limited.value(), "pids.max"), "max\n");
    EXPECT_EQ(read(limited.value(), "cpu.weight"), "100\n");
    // What hands nothing down any more can be removed.
    const Fd file{::openat(group.get(), "cgroup.subtree_control", O_WRONLY | O_CLOEXEC)};
    for (const std::string each : Aside::controllers)
        EXPECT_GT(::write(file.get(), ('-' + each).c_str(), each.size() + 1), 0);
}

TEST_F(Cgroups, WithLimitsThatCannotBeHadAreAnError) {
    const auto limited = leaf("alice", {.memory = 64 << 20});
    if (limited) GTEST_SKIP() << "the controllers are handed down already";
    EXPECT_THAT(limited.error().text(), HasSubstr("memory.max"));
}

TEST_F(Cgroups, NameTheControllersThatAreMissing) {
    constexpr const char* wanted[] = {"no-such-controller"};
    EXPECT_EQ(jail::hand_down(group, wanted), std::vector<std::string>{"no-such-controller"});
}

TEST_F(Cgroups, HavePlainNames) {
    for (const auto* each : {"", ".", "..", "a/b", "/"}) EXPECT_FALSE(jail::make_cgroup(own, each));
}

TEST(Cell, IsNotClonedIntoWhatIsNoCgroup) {
    const Fd folder{::open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    EXPECT_FALSE(jail::clone_cell({}, folder.get()));
}

}  // namespace
