// SPDX-License-Identifier: MIT
// Admissions as bytes, and the sealed memory that they travel in.
#include "ipc/admission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using ipc::Admission;

Admission full() {
    Admission a;
    a.user = "ann";
    a.uid = 1001;
    a.gid = 1002;
    a.groups = {1002, 5, 0xFFFFFFFE};
    a.limits = {{1, 0, 4096}, {9, ~0ULL, ~0ULL}};
    a.umask = 027;
    a.anonymous = true;
    a.guest = false;
    a.anonymous_rights = true;
    a.jailed = true;
    a.writable_root_allowed = false;
    a.start_may_fail = false;
    a.by_certificate = true;
    a.root = "/home/ann";
    a.start = "/sub";
    a.home = "/~";
    a.password_shown = "ann@example.org";
    a.overrides = std::string("write_enable=NO\0local_umask=022\0", 32);
    a.writable_root_hint = "chmod a-w";
    return a;
}

TEST(Admission, ComesOutAsItWentIn) {
    const auto in = full();
    const auto parsed = ipc::parse_admission(ipc::serialise(in));
    ASSERT_TRUE(parsed);
    const auto& out = parsed.value();
    EXPECT_EQ(out.user, in.user);
    EXPECT_EQ(out.uid, in.uid);
    EXPECT_EQ(out.gid, in.gid);
    EXPECT_EQ(out.groups, in.groups);
    EXPECT_EQ(out.limits, in.limits);
    EXPECT_EQ(out.umask, in.umask);
    EXPECT_EQ(out.anonymous, in.anonymous);
    EXPECT_EQ(out.guest, in.guest);
    EXPECT_EQ(out.anonymous_rights, in.anonymous_rights);
    EXPECT_EQ(out.jailed, in.jailed);
    EXPECT_EQ(out.writable_root_allowed, in.writable_root_allowed);
    EXPECT_EQ(out.start_may_fail, in.start_may_fail);
    EXPECT_EQ(out.by_certificate, in.by_certificate);
    EXPECT_EQ(out.root, in.root);
    EXPECT_EQ(out.start, in.start);
    EXPECT_EQ(out.home, in.home);
    EXPECT_EQ(out.password_shown, in.password_shown);
    EXPECT_EQ(out.overrides, in.overrides);
    EXPECT_EQ(out.writable_root_hint, in.writable_root_hint);
}

TEST(Admission, IsRefusedWhereverItIsCutOff) {
    const auto bytes = ipc::serialise(full());
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(ipc::parse_admission(std::string_view(bytes).substr(0, size))) << size;
    EXPECT_FALSE(ipc::parse_admission(bytes + '\0')) << "with something behind it";
}

TEST(Admission, IsRefusedInAnotherVersion) {
    auto bytes = ipc::serialise(full());
    ++bytes[0];
    EXPECT_FALSE(ipc::parse_admission(bytes));
}

TEST(Admission, MakesNoRoomForGroupsThatAreNotThere) {
    auto bytes = ipc::serialise(Admission{});
    for (int at = 12; at < 16; ++at) bytes[static_cast<std::size_t>(at)] = '\xFF';
    EXPECT_FALSE(ipc::parse_admission(bytes));
}

TEST(Admission, HasFlagsThatAreYesOrNo) {
    auto bytes = ipc::serialise(Admission{});
    ASSERT_TRUE(ipc::parse_admission(bytes));
    bytes[24] = 2;
    EXPECT_FALSE(ipc::parse_admission(bytes));
}

TEST(Admission, HasNoPathThatCWouldReadDifferently) {
    for (auto field : {&Admission::root, &Admission::start, &Admission::home}) {
        auto admission = full();
        (admission.*field).push_back('\0');
        EXPECT_FALSE(ipc::parse_admission(ipc::serialise(admission)));
    }
}

TEST(SealedMemory, HoldsWhatItWasGiven) {
    const auto bytes = ipc::serialise(full());
    const auto memory = ipc::sealed(bytes, "test");
    ASSERT_TRUE(memory);
    for (int time = 0; time < 2; ++time) {
        const auto read = ipc::read_sealed(memory.value());
        ASSERT_TRUE(read);
        EXPECT_EQ(read.value(), bytes);
    }
    const auto empty = ipc::sealed({}, "test");
    ASSERT_TRUE(empty);
    EXPECT_EQ(ipc::read_sealed(empty.value()).value(), "");
}

TEST(SealedMemory, CannotBeChangedByAnybody) {
    const auto memory = ipc::sealed("0123456789", "test");
    ASSERT_TRUE(memory);
    const int number = memory.value().get();
    EXPECT_EQ(::pwrite(number, "x", 1, 0), -1);
    EXPECT_EQ(::pwrite(number, "x", 1, 10), -1);
    EXPECT_EQ(::ftruncate(number, 5), -1);
    EXPECT_EQ(::ftruncate(number, 50), -1);
    EXPECT_EQ(::mmap(nullptr, 10, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0), MAP_FAILED);
    EXPECT_EQ(::fcntl(number, F_ADD_SEALS, F_SEAL_WRITE), -1);
    EXPECT_NE(::fcntl(number, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(ipc::read_sealed(memory.value()).value(), "0123456789");
}

TEST(SealedMemory, IsRefusedWithASealMissing) {
    constexpr int all[] = {F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE};
    for (const int missing : all) {
        const base::Fd memory{::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
        int seals = 0;
        for (const int seal : all) seals |= seal == missing ? 0 : seal;
        ASSERT_EQ(::fcntl(memory.get(), F_ADD_SEALS, seals), 0);
        EXPECT_FALSE(ipc::read_sealed(memory)) << missing;
    }
}

TEST(SealedMemory, IsNoFilePipeOrNothing) {
    const base::Fd file{::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
    EXPECT_FALSE(ipc::read_sealed(file));
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const base::Fd reading{ends[0]}, writing{ends[1]};
    EXPECT_FALSE(ipc::read_sealed(reading));
    EXPECT_FALSE(ipc::read_sealed(base::Fd{}));
}

TEST(SealedMemory, IsRefusedAboveTheLimit) {
    const auto memory = ipc::sealed(std::string(1001, 'x'), "test");
    ASSERT_TRUE(memory);
    EXPECT_FALSE(ipc::read_sealed(memory.value(), 1000));
    EXPECT_TRUE(ipc::read_sealed(memory.value(), 1001));
}

}  // namespace
