// SPDX-License-Identifier: MIT
// The table of options against what vsftpd knows, and values as text and back.
#include "config/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace {

using config::Kind;
using config::Options;
using config::ValueProblem;

enum Type { flag, number, text };

struct Known {
    std::string_view name;
    Type type;
    std::string_view fallback;
};

constexpr Known known[] = {
#include "vsftpd_options.inc"
};

// What is different here, and why.
const std::map<std::string_view, std::string_view> other_defaults = {
    {"listen", "NO"},                                // Debian's binary
    {"pam_service_name", "vsftpd"},                  // Debian's binary
    {"secure_chroot_dir", "/var/run/vsftpd/empty"},  // Debian's binary
    {"reverse_lookup_enable", "NO"},                 // YES is Red Hat's alone
};

Type type_of(const config::OptionInfo& info) {
    switch (info.kind) {
        case Kind::Flag:
            return flag;
        case Kind::Text:
        case Kind::Path:
            return text;
        default:
            return number;
    }
}

const config::OptionInfo& option(std::string_view name) {
    const auto* info = config::find_option(name);
    if (info == nullptr) throw std::invalid_argument(std::string(name));
    return *info;
}

TEST(OptionTable, KnowsEveryOptionOfVsftpdWithItsTypeAndDefault) {
    const Options defaults;
    for (const auto& each : known) {
        const auto* info = config::find_option(each.name);
        ASSERT_NE(info, nullptr) << each.name;
        EXPECT_EQ(type_of(*info), each.type) << each.name;
        const auto other = other_defaults.find(each.name);
        const auto expected = other == other_defaults.end() ? each.fallback : other->second;
        Options options = defaults;
        EXPECT_EQ(
            config::set_option(options, *info, expected),
            expected.empty() && each.type != text ? ValueProblem::missing : ValueProblem::none)
            << each.name;
        EXPECT_EQ(config::value_text(options, *info), config::value_text(defaults, *info))
            << each.name;
    }
}

TEST(OptionTable, HasNoOptionThatVsftpdDoesNotKnow) {
    for (const auto& info : config::option_table()) {
        EXPECT_TRUE(std::any_of(std::begin(known), std::end(known), [&](const Known& each) {
            return each.name == info.name;
        })) << info.name;
        EXPECT_FALSE(info.help.empty()) << info.name;
    }
}

TEST(OptionTable, NamesEachOptionOnce) {
    std::set<std::string_view> names;
    for (const auto& info : config::option_table()) EXPECT_TRUE(names.insert(info.name).second);
}

TEST(OptionTable, KnowsBothSpellingsOfTheTlsVersions) {
    EXPECT_EQ(config::find_option("ssl_tlsv1_1"), config::find_option("ssl_tlsv11"));
    EXPECT_EQ(config::find_option("ssl_tlsv1_2"), config::find_option("ssl_tlsv12"));
    EXPECT_EQ(config::find_option("ssl_tlsv1_3"), config::find_option("ssl_tlsv13"));
}

TEST(OptionTable, KnowsNoOtherNames) {
    for (const auto* name : {"", "WRITE_ENABLE", " listen", "listen ", "sql_plugin", "nonesuch"})
        EXPECT_EQ(config::find_option(name), nullptr) << name;
}

// vsftpd reads a user's own file after these have been used up.
TEST(OptionTable, LeavesToTheMainFileWhatAUserCannotChange) {
    for (const auto* name : {"chroot_local_user", "chroot_list_enable", "chroot_list_file",
                             "userlist_enable",   "userlist_deny",      "userlist_file",
                             "local_enable",      "anonymous_enable",   "pam_service_name",
                             "max_clients",       "max_per_ip",         "listen",
                             "listen_port",       "listen_address",     "ftpd_banner",
                             "banner_file",       "delay_failed_login", "max_login_fails",
                             "xferlog_enable",    "xferlog_file",       "vsftpd_log_file",
                             "tcp_wrappers",      "ssl_enable",         "rsa_cert_file",
                             "deny_email_enable", "banned_email_file",  "isolate",
                             "session_support",   "chown_username",     "force_local_logins_ssl",
                             "require_ssl_reuse"})
        EXPECT_NE(option(name).scope, config::Scope::per_user) << name;
    for (const auto* name :
         {"local_root", "anon_root", "passwd_chroot_enable", "guest_enable", "guest_username",
          "write_enable", "local_umask", "local_max_rate", "idle_session_timeout", "pasv_address",
          "pasv_min_port", "cmds_allowed", "cmds_denied", "hide_file", "deny_file",
          "user_sub_token", "virtual_use_local_privs", "allow_writeable_chroot", "use_localtime"})
        EXPECT_EQ(option(name).scope, config::Scope::per_user) << name;
}

// Used up before a connection is there, or the same for all of them.
TEST(OptionTable, LeavesToTheMainFileWhatAConnectionCannotChange) {
    for (const auto* name :
         {"max_clients", "max_per_ip", "listen", "listen_ipv6", "listen_port", "listen_address",
          "background", "tcp_wrappers", "banner_file", "userlist_file", "nopriv_user",
          "xferlog_enable", "xferlog_file", "vsftpd_log_file", "syslog_enable", "ssl_enable",
          "rsa_cert_file", "isolate", "pasv_addr_resolve"})
        EXPECT_EQ(option(name).scope, config::Scope::server) << name;
    for (const auto* name :
         {"anonymous_enable", "local_enable", "ftpd_banner", "chroot_local_user", "max_login_fails",
          "pam_service_name", "userlist_enable", "force_local_logins_ssl", "user_config_dir"})
        EXPECT_EQ(option(name).scope, config::Scope::per_peer) << name;
}

TEST(OptionTable, KeepsItsPromises) {
    for (const auto& info : config::option_table()) {
        EXPECT_EQ(config::instead_of(info).empty(), info.effect == config::Effect::now)
            << info.name;
    }
}

TEST(SimilarOption, FindsWhatWasMeant) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"WRITE_ENABLE", "write_enable"},
        {"write_enabled", "write_enable"},
        {"wirte_enable", "write_enable"},
        {"anonymous_enabel", "anonymous_enable"},
        {"allow_writable_chroot", "allow_writeable_chroot"},
        {"local-umask", "local_umask"},
        {"pasv_adress", "pasv_address"},
        {"max_client", "max_clients"},
    };
    for (const auto& [wrong, right] : cases) EXPECT_EQ(config::similar_option(wrong), right);
}

TEST(SimilarOption, GuessesNothingFromAfar) {
    for (const auto* name : {"", "x", "ab", "sql_plugin", "Port 21", "pgsql_conninfo"})
        EXPECT_EQ(config::similar_option(name), "") << name;
    EXPECT_EQ(config::similar_option(std::string(100000, 'a')), "");
}

struct Value {
    std::string_view name;
    std::string_view value;
    ValueProblem problem;
    std::string_view result;  // as value_text says it afterwards
};

TEST(SetOption, ReadsValuesAsVsftpdDoes) {
    // clang-format off
    const Value values[] = {
        {"write_enable", "YES",   ValueProblem::none,     "YES"},
        {"write_enable", "yes",   ValueProblem::none,     "YES"},
        {"write_enable", "True",  ValueProblem::none,     "YES"},
        {"write_enable", "1",     ValueProblem::none,     "YES"},
        {"isolate",      "no",    ValueProblem::none,     "NO"},
        {"isolate",      "FALSE", ValueProblem::none,     "NO"},
        {"isolate",      "0",     ValueProblem::none,     "NO"},
        {"isolate",      "on",    ValueProblem::bad_bool, "YES"},
        {"isolate",      "y",     ValueProblem::bad_bool, "YES"},
        {"isolate",      "2",     ValueProblem::bad_bool, "YES"},
        {"isolate",      "00",    ValueProblem::bad_bool, "YES"},
        {"isolate",      "\"NO\"", ValueProblem::bad_bool, "YES"},
        {"isolate",      "",      ValueProblem::missing,  "YES"},

        {"max_clients",  "5",     ValueProblem::none,     "5"},
        {"max_clients",  " 5",    ValueProblem::none,     "5"},
        {"max_clients",  "+5",    ValueProblem::none,     "5"},
        {"max_clients",  "010",   ValueProblem::none,     "8"},
        {"max_clients",  "0",     ValueProblem::none,     "0"},
        {"max_clients",  "-0",    ValueProblem::none,     "0"},
        {"max_clients",  "5abc",  ValueProblem::trailing, "5"},
        {"max_clients",  "5 #x",  ValueProblem::trailing, "5"},
        {"max_clients",  "1.5",   ValueProblem::trailing, "1"},
        {"max_clients",  "0x10",  ValueProblem::trailing, "0"},
        {"max_clients",  "09",    ValueProblem::trailing, "0"},
        {"max_clients",  "0128",  ValueProblem::trailing, "10"},
        {"max_clients",  "abc",   ValueProblem::not_a_number, "0"},
        {"max_clients",  "-",     ValueProblem::not_a_number, "0"},
        {"max_clients",  "#5",    ValueProblem::not_a_number, "0"},
        {"max_clients",  "",      ValueProblem::missing,  "2000"},
        {"max_clients",  "4294967295", ValueProblem::none,    "4294967295"},
        {"max_clients",  "4294967296", ValueProblem::out_of_range, "4294967295"},
        {"max_clients",  "-1",    ValueProblem::out_of_range,  "4294967295"},
        {"max_clients",  "99999999999999999999999999", ValueProblem::out_of_range, "4294967295"},

        {"local_umask",  "022",   ValueProblem::none,     "0022"},
        {"local_umask",  "22",    ValueProblem::none,     "0026"},
        {"local_umask",  "0",     ValueProblem::none,     "0000"},
        {"local_umask",  "0777",  ValueProblem::none,     "0777"},
        {"local_umask",  "9999",  ValueProblem::out_of_range,  "07777"},

        {"listen_port",  "2121",  ValueProblem::none,     "2121"},
        {"listen_port",  "65535", ValueProblem::none,     "65535"},
        {"listen_port",  "65536", ValueProblem::out_of_range, "0"},
        {"listen_port",  "-1",    ValueProblem::out_of_range, "65535"},
        {"listen_port",  "4294967317", ValueProblem::out_of_range, "21"},
        {"listen_port",  "021",   ValueProblem::none,     "17"},

        {"ftpd_banner",  "a = b # c", ValueProblem::none, "a = b # c"},
        {"ftpd_banner",  "\"hi\"", ValueProblem::none,    "\"hi\""},
        {"message_file", "",      ValueProblem::none,     ""},
    };
    // clang-format on
    for (const auto& each : values) {
        Options options;
        EXPECT_EQ(config::set_option(options, option(each.name), each.value), each.problem)
            << each.name << '=' << each.value;
        EXPECT_EQ(config::value_text(options, option(each.name)), each.result)
            << each.name << '=' << each.value;
    }
}

// Every option away from its default.
Options all_changed() {
    Options options;
    for (const auto& info : config::option_table()) {
        switch (type_of(info)) {
            case flag:
                options.*std::get<bool Options::*>(info.field) ^= true;
                break;
            case number:
                options.*std::get<std::uint32_t Options::*>(info.field) += 1;
                break;
            case text:
                options.*std::get<std::string Options::*>(info.field) += " x=\n\xFF#";
                break;
        }
    }
    return options;
}

TEST(Serialise, CarriesEveryOptionToAnotherProcess) {
    const auto options = all_changed();
    const auto copy = config::deserialise_options(config::serialise(options));
    ASSERT_TRUE(copy);
    EXPECT_EQ(copy.value(), options);
}

TEST(Serialise, SaysNothingOfDefaults) {
    EXPECT_EQ(config::serialise(Options{}), "");
    Options options;
    options.max_clients = 3;
    options.message_file = "";
    EXPECT_EQ(config::serialise(options), std::string("max_clients=3\0message_file=\0", 28));
}

TEST(ApplyOverrides, ChangesWhatItNamesAndNothingElse) {
    Options options;
    options.local_root = "/srv";
    ASSERT_TRUE(config::apply_overrides(
        options, std::string_view("write_enable=YES\0local_umask=022\0deny_file={a=b}\0", 49)));
    Options expected;
    expected.local_root = "/srv";
    expected.write_enable = true;
    expected.local_umask = 022;
    expected.deny_file = "{a=b}";
    EXPECT_EQ(options, expected);
}

TEST(ApplyOverrides, RefusesWhatIsNoRecord) {
    using namespace std::string_view_literals;
    for (const auto records : {"write_enable=YES"sv, "write_enable\0"sv, "\0"sv, "nonesuch=1\0"sv,
                               "write_enable=maybe\0"sv, "listen_port=99999\0"sv, "=YES\0"sv,
                               "max_clients=5x\0"sv, "write_enable\0=YES\0"sv}) {
        Options options;
        EXPECT_FALSE(config::apply_overrides(options, records)) << records;
    }
}

}  // namespace
