// SPDX-License-Identifier: MIT
// Capabilities, seen from outside.
#include "jail/capabilities.hpp"

#include "tests/jail/observed.hpp"

#include <gtest/gtest.h>

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace {

using base::Error;
using base::Result;
using observed::Process;

constexpr const char* sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};

TEST(Capabilities, AreAllDropped) {
    NEEDS_ROOT();
    const Process process([](int) -> Result<void> {
        TRY(jail::empty_bounding_set());
        return jail::drop_capabilities();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    for (const auto* set : sets) EXPECT_EQ(process.facts().status(set), "0000000000000000") << set;
}

TEST(Capabilities, AreDroppedWithTheAmbientSetToo) {
    NEEDS_ROOT();
    const Process process([](int) -> Result<void> {
        // An ambient capability needs an inheritable one.
        struct __user_cap_header_struct header {
            _LINUX_CAPABILITY_VERSION_3, 0
        };
        struct __user_cap_data_struct data[2]{};
        if (::capget(&header, data) < 0) return base::system_error("capget");
        data[0].inheritable = 1U << CAP_CHOWN;
        if (::capset(&header, data) < 0) return base::system_error("capset");
        if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) < 0)
            return base::system_error("prctl");
        return jail::drop_capabilities();
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().status("CapInh"), "0000000000000000");
    EXPECT_EQ(process.facts().status("CapAmb"), "0000000000000000");
}

TEST(Capabilities, CannotComeBackByRootsUid) {
    NEEDS_ROOT();
    const Process process([](int) -> Result<void> {
        TRY(jail::empty_bounding_set());
        const int bits = ::prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
        for (const int bit : {SECBIT_NOROOT, SECBIT_NOROOT_LOCKED, SECBIT_KEEP_CAPS_LOCKED,
                              SECBIT_NO_SETUID_FIXUP_LOCKED, SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED}) {
            if ((bits & bit) == 0) return Error{"bit " + std::to_string(bit) + " is missing", 0};
        }
        if (::prctl(PR_SET_SECUREBITS, 0, 0, 0, 0) == 0) return Error{"unlocked them", 0};
        if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0) return Error{"kept capabilities", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST(Capabilities, OfAProcessThatStaysRootAreTheListedOnes) {
    NEEDS_ROOT();
    const Process process([](int) {
        const int kept[] = {CAP_SETUID, CAP_KILL};
        return jail::keep_capabilities(kept);
    });
    ASSERT_EQ(process.error(), std::nullopt);
    const auto facts = process.facts();
    for (const auto* set : {"CapPrm", "CapEff", "CapBnd"})
        EXPECT_EQ(facts.status(set), "00000000000000a0") << set;
    EXPECT_EQ(facts.status("CapInh"), "0000000000000000");
    EXPECT_EQ(facts.status("Uid"), "0 0 0 0");
}

TEST(Capabilities, ThatAreMissingAreNotGiven) {
    NEEDS_ROOT();
    const Process process([](int) -> Result<void> {
        const int first[] = {CAP_SETUID, CAP_SETPCAP};
        TRY(jail::keep_capabilities(first));
        const int then[] = {CAP_SETUID, CAP_KILL};
        return jail::keep_capabilities(then);
    });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().status("CapEff"), "0000000000000080");
}

TEST(NewPrivileges, AreForbidden) {
    const Process process([](int) { return jail::forbid_new_privileges(); });
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().status("NoNewPrivs"), "1");
}

// A spawner empties the bounding set once, for all that it will ever clone.
TEST(Capabilities, LeftInNoSetAreInNoChildsEither) {
    NEEDS_ROOT();
    const Process process([](int) -> Result<void> {
        TRY(jail::empty_bounding_set());
        TRY(jail::keep_capabilities({}));
        const Process child([](int) { return jail::empty_bounding_set(); });
        if (child.error()) return Error{*child.error(), 0};
        if (child.facts().status("CapBnd") != "0000000000000000")
            return Error{child.facts().status("CapBnd"), 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST(Capabilities, AreDroppedAnewInANewUserNamespace) {
    NEEDS_ROOT();
    const Process process([](int) -> Result<void> {
        TRY(jail::empty_bounding_set());
        if (const auto entered = jail::enter_user_namespace(); !entered)
            return Error{"no namespace", 0};
        return jail::empty_bounding_set();
    });
    if (process.error() == "no namespace") GTEST_SKIP() << *process.error();
    ASSERT_EQ(process.error(), std::nullopt);
    EXPECT_EQ(process.facts().status("CapBnd"), "0000000000000000");
}

}  // namespace
