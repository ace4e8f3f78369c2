// SPDX-License-Identifier: MIT
// Random numbers of siblings that have the same pid, and errors in words.
#include "tls/library.hpp"

#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include <array>
#include <set>
#include <string>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Drawn = std::array<unsigned char, 3 * 16>;

// Public, private, and without our context.
Drawn draw() {
    Drawn numbers{};
    RAND_bytes_ex(tls::library(), numbers.data(), 16, 0);
    RAND_priv_bytes_ex(tls::library(), numbers.data() + 16, 16, 0);
    RAND_bytes(numbers.data() + 32, 16);
    return numbers;
}

// What a child that is pid 1 of its own namespace draws; its grandparent is pid 1 as well, so that
// OpenSSL has no chance to notice.
Drawn drawn_by_a_child(bool reseeded) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    Drawn numbers{};
    if (const pid_t pid = ::fork(); pid == 0) {
        if (::unshare(CLONE_NEWPID) < 0) ::_exit(1);
        const pid_t init = ::fork();
        if (init == 0) {
            if (::getpid() != 1) ::_exit(1);
            if (reseeded && !tls::reseed_after_fork()) ::_exit(1);
            numbers = draw();
            ::_exit(::write(ends[1], numbers.data(), numbers.size()) > 0 ? 0 : 1);
        }
        int status = 0;
        ::waitpid(init, &status, 0);
        ::_exit(WEXITSTATUS(status));
    } else {
        ::close(ends[1]);
        EXPECT_EQ(::read(ends[0], numbers.data(), numbers.size()),
                  static_cast<ssize_t>(numbers.size()));
        ::close(ends[0]);
        int status = 0;
        ::waitpid(pid, &status, 0);
        EXPECT_EQ(status, 0);
    }
    return numbers;
}

// Children of a spawner that has drawn numbers, as pid 1.
std::set<Drawn> drawn_by_siblings(bool reseeded) {
    std::set<Drawn> all;
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t outer = ::fork();
    if (outer == 0) {
        if (::unshare(CLONE_NEWPID) < 0) ::_exit(1);
        const pid_t spawner = ::fork();
        if (spawner == 0) {
            tls::prepare();
            (void)draw();
            for (int child = 0; child < 4; ++child) {
                const auto numbers = drawn_by_a_child(reseeded);
                if (::write(ends[1], numbers.data(), numbers.size()) < 0) ::_exit(1);
            }
            ::_exit(testing::Test::HasFailure() ? 1 : 0);
        }
        int status = 0;
        ::waitpid(spawner, &status, 0);
        ::_exit(WEXITSTATUS(status));
    }
    ::close(ends[1]);
    Drawn numbers{};
    while (::read(ends[0], numbers.data(), numbers.size()) == static_cast<ssize_t>(numbers.size()))
        all.insert(numbers);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(outer, &status, 0);
    EXPECT_EQ(status, 0);
    return all;
}

TEST(RandomNumbers, DifferAmongSiblingsWithTheSamePid) {
    NEEDS_ROOT();
    const auto numbers = drawn_by_siblings(true);
    EXPECT_EQ(numbers.size(), 4U);
    std::set<std::string> pieces;
    for (const auto& each : numbers) {
        for (std::size_t at = 0; at < each.size(); at += 16)
            pieces.emplace(each.begin() + static_cast<std::ptrdiff_t>(at),
                           each.begin() + static_cast<std::ptrdiff_t>(at + 16));
    }
    EXPECT_EQ(pieces.size(), 12U) << "each generator for itself";
}

TEST(RandomNumbers, WouldBeTheSameWithoutReseeding) {
    NEEDS_ROOT();
    if (drawn_by_siblings(false).size() == 4)
        GTEST_SKIP() << "this OpenSSL notices such forks by itself";
    SUCCEED();
}

TEST(Reasons, AreTheOldestAndLeaveNoOthers) {
    tls::prepare();  // loads the texts
    ERR_clear_error();
    EXPECT_EQ(tls::openssl_reason(), "no reason given");
    ERR_raise_data(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER, "of %d", 3);
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    EXPECT_EQ(tls::openssl_reason(), "no shared cipher (of 3)");
    EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
