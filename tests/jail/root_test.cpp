// SPDX-License-Identifier: MIT
// Roots: the empty one of processes that need no files, and what stands in for it.
#include "jail/root.hpp"

#include "jail/capabilities.hpp"
#include "jail/limits.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using base::Error;
using base::Result;
using jail::EmptyRoot;
using observed::Directory;
using observed::Process;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// The test's own wish is an error if it is not what came out.
Result<void> empty_root(const std::string& fallback, EmptyRoot wanted) {
    TRY(const auto root, jail::enter_empty_root(fallback));
    if (root != wanted) return Error{"another root than expected", 0};
    return base::success();
}

// As in a container that allows chroot and nothing more.
Result<void> without_mounts(const std::string& fallback) {
    const int few[] = {CAP_SYS_CHROOT, CAP_DAC_OVERRIDE};
    TRY(jail::keep_capabilities(few));
    return empty_root(fallback, EmptyRoot::chroot_only);
}

Result<void> expect_nothing_inside() {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/", error))
        return Error{"found " + entry.path().string(), 0};
    if (error) return Error{"cannot read the root", error.value()};
    if (::open("/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600) >= 0) return Error{"made a file", 0};
    return base::success();
}

TEST(EmptyRoot, IsOneReadOnlyMount) {
    NEEDS_ROOT();
    NEEDS_MOUNTS();
    const Process process([](int) { return empty_root("", EmptyRoot::own_mount_namespace); });
    ASSERT_EQ(process.error(), std::nullopt);
    const auto mounts = process.facts().text("mountinfo");
    EXPECT_EQ(std::count(mounts.begin(), mounts.end(), '\n'), 1) << mounts;
    EXPECT_THAT(mounts, HasSubstr(" / / ro,nosuid,nodev,noexec"));
    EXPECT_THAT(mounts, HasSubstr(" tmpfs "));
    EXPECT_EQ(process.facts().link("root"), "/");
    EXPECT_EQ(process.facts().link("cwd"), "/");
    EXPECT_NE(process.facts().link("ns/mnt"), observed::Facts(::getpid()).link("ns/mnt"));
}

TEST(EmptyRoot, HoldsNothingAndTakesNothing) {
    NEEDS_ROOT();
    NEEDS_MOUNTS();
    const Process process([](int) -> Result<void> {
        TRY(empty_root("", EmptyRoot::own_mount_namespace));
        return expect_nothing_inside();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST(EmptyRoot, LeavesTheHostsMountsAlone) {
    NEEDS_ROOT();
    NEEDS_MOUNTS();
    const auto before = observed::Facts(::getpid()).text("mountinfo");
    const Process process([](int) { return empty_root("", EmptyRoot::own_mount_namespace); });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(observed::Facts(::getpid()).text("mountinfo"), before);
}

TEST(EmptyRoot, WithoutMountsIsTheGivenDirectory) {
    NEEDS_ROOT();
    const Directory directory;
    const Process process([&](int) { return without_mounts(directory.path()); });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().link("root"), directory.path());
    EXPECT_EQ(process.facts().link("cwd"), directory.path());
}

TEST(EmptyRoot, DoesNotTrustADirectoryThatIsNotEmptyOrNotRoots) {
    NEEDS_ROOT();
    const Directory directory;
    const auto full = directory.directory("full");
    directory.file("full/file");
    const auto others = directory.directory("others", 31001);
    const auto writable = directory.directory("writable", 0, 0775);
    const auto link = directory.link("link", "others");
    for (const auto& path :
         {full, others, writable, link, directory.path("missing"), std::string()}) {
        const Process process([&](int) -> Result<void> {
            TRY(without_mounts(path));
            return expect_nothing_inside();
        });
        ASSERT_EQ(process.error(), std::nullopt) << path;
        EXPECT_THAT(process.facts().link("root"), StartsWith("/run/jailftpd-")) << path;
        EXPECT_THAT(process.facts().link("root"), EndsWith(" (deleted)")) << path;
    }
}

TEST(EmptyRoot, IsAnErrorWhereNotEvenChrootWorks) {
    NEEDS_ROOT();
    const Process process([](int) -> Result<void> {
        TRY(jail::keep_capabilities({}));
        return jail::enter_empty_root("").as_failure();
    });
    EXPECT_EQ(process.error(), "chroot: Operation not permitted");
}

}  // namespace
