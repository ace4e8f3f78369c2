// SPDX-License-Identifier: MIT
// Side by side with vsftpd: every option that Debian's vsftpd knows, off and on.
#include "tests/sessions/side_by_side/effects.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <string_view>

using namespace sessions;

namespace {

constexpr std::string_view options[] = {
#define OPTION(name, kind, fallback, scope, effect, help) #name,
#define ALIAS(other, name)
#include "config/options.def"
#undef OPTION
#undef ALIAS
};

// What no conversation with a client can show, and why. Their own tests look elsewhere.
constexpr struct {
    std::string_view option;
    const char* why;
} unseen[] = {
    {"background", "only who starts the server sees whether it waits"},
    {"check_shell", "vsftpd looks at shells only when it is built without PAM"},
    {"isolate", "namespaces of processes"},
    {"isolate_network", "namespaces of processes"},
    {"listen_address6", "each conversation over IPv6 is held there; `::` vsftpd reads wrongly"},
    {"listen_port", "each conversation is held at the port that it names"},
    {"no_log_lock", "a lock on the log while a line is written"},
    {"nopriv_user", "whose processes they are before login"},
    {"ptrace_sandbox", "vsftpd has it for 32-bit processors only"},
    {"seccomp_sandbox", "vsftpd's own filter ends its sessions with today's C library"},
    {"session_support", "PAM's session, utmp and wtmp"},
    {"setproctitle_enable", "titles of processes"},
    {"trans_chunk_size", "the pace of transfers that have a limit"},
    {"use_sendfile", "the same bytes by other system calls"},
};

// Whether Debian's vsftpd has the name in its tables; a shorter one may be the end of a longer.
bool known_to_vsftpd(std::string_view option) {
    static const auto program = content_of(path_of(Program::vsftpd));
    return program.find(std::string(option) + '\0') != program.npos;
}

bool is_unseen(std::string_view option) {
    return std::any_of(std::begin(unseen), std::end(unseen),
                       [&](const auto& each) { return each.option == option; });
}

class SideBySideEffects : public WithReference, public testing::WithParamInterface<Effect> {};
class SideBySideOptions : public WithReference {};

std::string option_of(const testing::TestParamInfo<Effect>& effect) { return effect.param.option; }

}  // namespace

namespace sessions {
void PrintTo(const Effect& effect, std::ostream* out) { *out << effect.option; }
}  // namespace sessions

TEST_P(SideBySideEffects, AreTheSame) {
    const auto& effect = GetParam();
    std::set<std::string> came;
    for (const auto& value : effect.values) {
        auto talk = effect.talk;
        talk.options.push_back(std::string(effect.option) + '=' + value);
        SCOPED_TRACE(talk.options.back());
        talk.value = value;
        came.insert(compare(talk));
    }
    EXPECT_EQ(came.size(), effect.values.size()) << "the conversation does not show the option";
}

INSTANTIATE_TEST_SUITE_P(Of, SideBySideEffects, testing::ValuesIn(effects()), option_of);

TEST_F(SideBySideOptions, AreAllHere) {
    std::set<std::string_view> shown;
    for (const auto& effect : effects()) {
        EXPECT_TRUE(shown.insert(effect.option).second) << effect.option << ": twice";
        EXPECT_FALSE(is_unseen(effect.option)) << effect.option << ": unseen and seen";
    }
    for (const auto& each : unseen) {
        EXPECT_TRUE(known_to_vsftpd(each.option)) << each.option << ": vsftpd does not know it";
    }
    int known = 0;
    for (const auto option : options) {
        known += known_to_vsftpd(option) ? 1 : 0;
        if (known_to_vsftpd(option) && !is_unseen(option) && !shown.contains(option))
            ADD_FAILURE() << option << ": write an Effect of it, or say why nothing shows it";
    }
    EXPECT_EQ(known, 135);
}
