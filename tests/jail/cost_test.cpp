// SPDX-License-Identifier: MIT
// What a jail with all layers costs must not depend on what else the host has mounted.
#include "jail/landlock.hpp"
#include "jail/mounts.hpp"
#include "jail/namespaces.hpp"
#include "jail/plans.hpp"
#include "jail/root.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using base::Error;
using base::Fd;
using base::Result;
using observed::Process;

constexpr uid_t ann = 31001;
constexpr int logins = 60;
constexpr int more_mounts = 500;

// Microseconds of this process and those that it waited for.
double cpu_time() {
    double all = 0;
    for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage usage{};
        ::getrusage(who, &usage);
        for (const auto& each : {usage.ru_utime, usage.ru_stime})
            all += static_cast<double>(each.tv_sec) * 1e6 + static_cast<double>(each.tv_usec);
    }
    return all;
}

Result<void> mount_more(const observed::Directory& directory, int count) {
    if (::unshare(CLONE_NEWNS) < 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
        return base::system_error("unshare");
    for (int i = 0; i < count; ++i) {
        const auto place = directory.directory("mount" + std::to_string(i));
        if (::mount("none", place.c_str(), "tmpfs", 0, "size=4k") < 0)
            return base::system_error("mount");
    }
    return base::success();
}

Result<void> log_in(const std::shared_ptr<Fd>& mount, const jail::Walls& walls) {
    TRY(const auto pid, jail::clone_cell({true, true, true, true, true}));
    if (pid == 0) {
        jail::Home home;
        home.root = mount;
        home.root_is_mount = true;
        home.user = {ann, ann, {}};
        home.walls = walls;
        ::_exit(jail::carry_out(jail::user_home(home)) ? 0 : 1);
    }
    mount->close();
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid || status != 0) return Error{"the cell", status};
    return base::success();
}

// The cheapest of some logins with so many more mounts, and what their homes' mounts cost each.
Result<void> measure(const observed::Directory& directory, int mounts, double& cheapest) {
    directory.directory("home", ann);
    TRY(mount_more(directory, mounts));
    jail::Walls walls;
    walls.landlock = jail::landlock_version() >= 2;
    TRY(auto filter, jail::SystemCallFilter::compile({true, jail::read_write, false}));
    walls.system_calls = std::make_shared<const jail::SystemCallFilter>(std::move(filter));

    std::vector<std::shared_ptr<Fd>> homes;
    const auto start = cpu_time();
    const Fd home{::open(directory.path("home").c_str(), O_PATH | O_CLOEXEC)};
    for (int i = 0; i < logins; ++i) {
        TRY(auto mount, jail::detached_mount(home, {}));
        homes.push_back(std::make_shared<Fd>(std::move(mount)));
    }
    const auto of_mounts = (cpu_time() - start) / logins;
    TRY(jail::enter_empty_root(""));
    cheapest = 1e9;
    for (const auto& each : homes) {
        const auto before = cpu_time();
        TRY(log_in(each, walls));
        cheapest = std::min(cheapest, cpu_time() - before);
    }
    cheapest += of_mounts;
    return base::success();
}

TEST(Cost, OfALoginDoesNotGrowWithTheHostsMounts) {
    NEEDS_ROOT();
    NEEDS_MOUNTS();
    auto* costs = static_cast<double*>(
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(costs, MAP_FAILED);
    // Other people's work on this machine can only make it dearer.
    double few = 1e9;
    double many = 1e9;
    for (int tries = 0; tries < 4; ++tries) {
        const observed::Directory lone;
        const observed::Directory crowded;
        const Process one([&](int) { return measure(lone, 0, costs[0]); });
        ASSERT_EQ(one.error(), std::nullopt);
        const Process other([&](int) { return measure(crowded, more_mounts, costs[1]); });
        ASSERT_EQ(other.error(), std::nullopt);
        few = std::min(few, costs[0]);
        many = std::min(many, costs[1]);
        if (tries > 0 && many < few * 1.2) break;
    }
    ::munmap(costs, 4096);
    std::cout << "one login, all layers: " << few << " us of CPU time; with " << more_mounts
              << " more mounts: " << many << '\n';
    EXPECT_LT(many, few * 1.2);
}

}  // namespace
