// SPDX-License-Identifier: MIT
// Every option, and every setting of jailftpd.ini, has tests that observe its effect: those of a
// suite here (whole sessions of the real program) that has its name, as MaxPerIp for max_per_ip and
// LimitsLoginTime for login_time in [limits]. Tests of parsers and tables are other programs and do
// not count.
#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <string_view>

namespace {

// vsftpd's own list, so that an option missing in ours is missed here.
enum Type { flag, number, text };
constexpr struct {
    std::string_view name;
    Type type;
    std::string_view fallback;
} options[] = {
#include "tests/config/vsftpd_options.inc"
};

constexpr std::string_view settings[] = {
#define SETTING(section, key, kind, field, fallback, help) #section "_" #key,
#include "config/native.def"
#undef SETTING
};

// max_per_ip -> MaxPerIp
std::string suite_of(std::string_view option) {
    std::string suite;
    bool capital = true;
    for (const char c : option) {
        if (c != '_') suite += capital ? static_cast<char>(std::toupper(c)) : c;
        capital = c == '_';
    }
    return suite;
}

// Those of parameters are called Instantiation/Suite.
bool has_tests(const std::string& suite) {
    const auto& all = *testing::UnitTest::GetInstance();
    for (int i = 0; i < all.total_test_suite_count(); i++) {
        const std::string name = all.GetTestSuite(i)->name();
        if (name.substr(name.rfind('/') + 1) == suite) return true;
    }
    return false;
}

}  // namespace

TEST(EveryOption, HasTestsOfItsName) {
    for (const auto& option : options) {
        const auto suite = suite_of(option.name);
        if (!has_tests(suite))
            ADD_FAILURE() << option.name << ": no test of its effect; write TEST(" << suite
                          << ", ...)";
    }
}

TEST(EverySetting, HasTestsOfItsName) {
    for (const auto setting : settings) {
        const auto suite = suite_of(setting);
        if (!has_tests(suite))
            ADD_FAILURE() << setting << ": no test of its effect; write TEST(" << suite << ", ...)";
    }
}
