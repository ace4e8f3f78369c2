// SPDX-License-Identifier: MIT
// The walls of a session's jail: what its login was like decides what it may ask of the kernel.
#include "jail/system_calls.hpp"
#include "session/jail.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

TEST(Walls, LeaveCallsForTlsToSessionsThatHaveIt) {
    config::Configuration configuration;
    configuration.options.ssl_enable = true;
    configuration.native.kernel_tls = true;
    configuration.native.system_calls = true;
    ASSERT_TRUE(session::prepare_jails(configuration));
    for (const bool encrypted : {false, true}) {
        const session::Entry entry{configuration.options, {}};
        const auto home = session::jail_of(entry, encrypted, std::vector<base::Fd>(1), {});
        ASSERT_TRUE(home) << home.error().text();
        const auto& walls = home.value().walls;
        ASSERT_TRUE(walls.system_calls);
        const jail::Calls calls{true, home.value().rights, encrypted, encrypted};
        const auto expected = jail::SystemCallFilter::compile(calls);
        ASSERT_TRUE(expected);
        const auto& program = walls.system_calls->program();
        const auto& wanted = expected.value().program();
        ASSERT_EQ(program.size(), wanted.size()) << encrypted;
        for (std::size_t at = 0; at < program.size(); ++at) {
            EXPECT_EQ(program[at].code, wanted[at].code) << at;
            EXPECT_EQ(program[at].k, wanted[at].k) << at;
        }
    }
}
