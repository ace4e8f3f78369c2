// SPDX-License-Identifier: MIT
// What the probe says must be what happens.
#include "jail/probe.hpp"

#include "jail/capabilities.hpp"
#include "jail/identity.hpp"
#include "jail/landlock.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using base::Error;
using base::Result;
using observed::Process;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Probe, FindsWhatWorksHere) {
    const auto layers = jail::probe();
    std::set<std::string> names;
    for (const auto& layer : layers) {
        names.insert(layer.name);
        EXPECT_EQ(layer.works(), layer.why.empty()) << layer.name << layer.why;
    }
    EXPECT_EQ(names.size(), layers.size());
    ASSERT_NE(jail::find(layers, "landlock"), nullptr);
    EXPECT_EQ(jail::find(layers, "landlock")->works(), jail::landlock_version() > 0);
    EXPECT_EQ(jail::find(layers, "landlock")->version, jail::landlock_version());
    EXPECT_TRUE(jail::find(layers, "system calls")->works());
    EXPECT_EQ(jail::find(layers, "no such layer"), nullptr);
    if (::geteuid() != 0 || !observed::mounts_allowed()) return;
    for (const auto* each : {"pid", "ipc", "uts", "mount", "mounts", "chroot", "empty network"})
        EXPECT_TRUE(jail::find(layers, each)->works()) << each;
}

TEST(Probe, LeavesNothingBehind) {
    const observed::Facts self(::getpid());
    const auto mounts = self.text("mountinfo");
    const auto open = self.descriptors().size();
    const auto cgroup = self.text("cgroup");
    (void)jail::probe();
    EXPECT_EQ(self.text("mountinfo"), mounts);
    EXPECT_EQ(self.descriptors().size(), open);
    EXPECT_EQ(self.text("cgroup"), cgroup);
    EXPECT_EQ(self.status("Seccomp"), "0");
    EXPECT_EQ(self.status("NoNewPrivs"), "0");
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

// As in a container.
TEST(Probe, NamesWhatIsMissingWithoutTheRightToIt) {
    NEEDS_ROOT();
    const Process process([](int) -> Result<void> {
        TRY(jail::keep_capabilities({}));
        const auto layers = jail::probe();
        for (const auto* each : {"pid", "ipc", "uts", "mount", "mounts", "chroot"}) {
            if (jail::find(layers, each)->works()) return Error{each, 0};
        }
        if (!jail::find(layers, "system calls")->works()) return Error{"system calls", 0};
        return Error{jail::missing(layers), 0};
    });
    EXPECT_THAT(process.error().value_or(""),
                HasSubstr("pid, ipc, uts, cgroup, mount (clone: Operation not permitted); "));
    EXPECT_THAT(process.error().value_or(""),
                HasSubstr("; mounts, nosymfollow (open_tree: Operation not permitted); "));
    EXPECT_THAT(process.error().value_or(""),
                HasSubstr("identity (setgroups: Operation not permitted); "));
    EXPECT_THAT(process.error().value_or(""), Not(HasSubstr("openat2")));
}

TEST(Missing, IsNothingWhereAllWorks) {
    EXPECT_THAT(jail::missing({}), IsEmpty());
    const jail::Layer layers[] = {{"pid"}, {"landlock", ENOSYS, "landlock_create_ruleset"}};
    EXPECT_EQ(jail::missing(layers),
              "landlock (landlock_create_ruleset: Function not implemented)");
}

TEST(Missing, NamesWhatLacksTheSameTogether) {
    const jail::Layer layers[] = {{"pid", EPERM, "clone"},
                                  {"ipc", EPERM, "clone"},
                                  {"uts"},
                                  {"mount", EPERM, "clone"},
                                  {"chroot", EPERM, "chroot"}};
    EXPECT_EQ(jail::missing(layers),
              "pid, ipc, mount (clone: Operation not permitted); "
              "chroot (chroot: Operation not permitted)");
}

}  // namespace
