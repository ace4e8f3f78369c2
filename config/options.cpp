// SPDX-License-Identifier: MIT
// The table made from options.def, and values as text; runs in every process.
#include "config/options.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <utility>

#include <arpa/inet.h>
#include <unistd.h>

namespace config {
namespace {

constexpr OptionInfo table[] = {
#define OPTION(name, kind, fallback, scope, effect, help) \
    {#name, Kind::kind, Scope::scope, Effect::effect, help, &Options::name},
#define ALIAS(other, name)
#include "config/options.def"
#undef OPTION
#undef ALIAS
};

struct Alias {
    std::string_view other;
    std::string_view name;
};

constexpr Alias aliases[] = {
#define OPTION(name, kind, fallback, scope, effect, help)
#define ALIAS(other, name) {#other, #name},
#include "config/options.def"
#undef OPTION
#undef ALIAS
};

const Options& defaults() {
    static const Options untouched;
    return untouched;
}

// Number of single-character edits between two short words, the swap of two neighbours counting as
// one.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = std::exchange(last, row);
    }
    return last[b.size()];
}

struct Number {
    std::uint64_t value = 0;
    std::uint16_t port = 0;  // its low bits, which are all that a socket takes
    bool any_digit = false;
    bool too_large = false;
    bool negative = false;
    bool trailing = false;
};

// C's atoi, or octal after a leading 0, as vsftpd reads numbers; but what vsftpd wraps around is
// told.
Number read_number(std::string_view text) {
    Number number;
    const auto blank = text.find_first_not_of(" \t\r\n\v\f");
    text.remove_prefix(blank == text.npos ? text.size() : blank);
    const unsigned radix = !text.empty() && text.front() == '0' ? 8 : 10;
    if (radix == 10 && !text.empty() && (text.front() == '+' || text.front() == '-')) {
        number.negative = text.front() == '-';
        text.remove_prefix(1);
    }
    std::size_t used = 0;
    for (; used < text.size(); ++used) {
        const auto digit = static_cast<unsigned>(static_cast<unsigned char>(text[used])) - '0';
        if (digit >= radix) break;
        number.any_digit = true;
        number.value = number.value * radix + digit;
        number.port = static_cast<std::uint16_t>(number.port * radix + digit);
        if (number.value > std::numeric_limits<std::uint32_t>::max()) {
            number.too_large = true;
            number.value = std::numeric_limits<std::uint32_t>::max();
        }
    }
    if (number.negative) number.port = static_cast<std::uint16_t>(-number.port);
    number.trailing = used < text.size();
    return number;
}

ValueProblem set_number(std::uint32_t& field, Kind kind, std::string_view value) {
    if (value.empty()) return ValueProblem::missing;
    const auto number = read_number(value);
    if (!number.any_digit) return field = 0, ValueProblem::not_a_number;
    const std::uint64_t highest = kind == Kind::Port    ? 65535
                                  : kind == Kind::Octal ? 07777
                                                        : std::numeric_limits<std::uint32_t>::max();
    if (number.too_large || (number.negative && number.value != 0) || number.value > highest) {
        field = kind == Kind::Port ? number.port : static_cast<std::uint32_t>(highest);
        return ValueProblem::out_of_range;
    }
    field = static_cast<std::uint32_t>(number.value);
    return number.trailing ? ValueProblem::trailing : ValueProblem::none;
}

ValueProblem set_flag(bool& field, std::string_view value) {
    if (value.empty()) return ValueProblem::missing;
    for (const auto* yes : {"YES", "TRUE", "1"}) {
        if (base::equal_ignoring_case(value, yes)) return field = true, ValueProblem::none;
    }
    for (const auto* no : {"NO", "FALSE", "0"}) {
        if (base::equal_ignoring_case(value, no)) return field = false, ValueProblem::none;
    }
    return ValueProblem::bad_bool;
}

}  // namespace

std::span<const OptionInfo> option_table() { return table; }

const OptionInfo* find_option(std::string_view name) {
    for (const auto& alias : aliases) {
        if (alias.other == name) name = alias.name;
    }
    const auto* found = std::find_if(std::begin(table), std::end(table),
                                     [&](const OptionInfo& info) { return info.name == name; });
    return found == std::end(table) ? nullptr : found;
}

std::string_view similar(std::string_view name, std::span<const std::string_view> candidates) {
    if (name.size() > 40) return {};
    const auto wanted = base::lower(base::trim(name));
    std::string_view best;
    std::size_t least = 1 + wanted.size() / 4;
    for (const auto candidate : candidates) {
        // Not all of a short word: then any other would do.
        const auto edits = distance(wanted, candidate);
        if (edits >= wanted.size() || edits > least || (edits == least && !best.empty())) continue;
        least = edits;
        best = candidate;
    }
    return best;
}

std::string_view instead_of(const OptionInfo& info) {
    constexpr struct {
        std::string_view name;
        std::string_view instead;
    } words[] = {
        {"allow_root_squashed_chroot", "homes are entered with their users' rights anyway"},
        {"async_abor_enable", "ABOR is read during every transfer, with or without urgent bytes"},
        {"bind_retries", "all ports between pasv_min_port and pasv_max_port are tried"},
        {"check_shell", "PAM decides about shells (pam_shells)"},
        {"dh_param_file", "keys are exchanged on elliptic curves only"},
        {"ecdh_param_file", "the curves are OpenSSL's"},
        {"one_process_model", "a session is a process of its own as always; anonymous only, still"},
        {"ptrace_sandbox", "processes are confined by the kernel, without a tracer"},
        {"seccomp_sandbox",
         "that is about vsftpd's filter; ours stays on, only jailftpd.ini switches it off"},
        {"ssl_sslv2", "SSL is broken and never offered, TLS is"},
        {"ssl_sslv3", "SSL is broken and never offered, TLS is"},
        {"utf8_filesystem", "UTF8 is always in FEAT, and names are taken as they are"},
        {"wc_logs_enable", "logs are UTF-8, whatever the locale"},
    };
    for (const auto& each : words) {
        if (each.name == info.name) return each.instead;
    }
    return {};
}

std::string_view similar_option(std::string_view name) {
    std::vector<std::string_view> names;
    for (const auto& info : table) names.push_back(info.name);
    return similar(name, names);
}

ValueProblem set_option(Options& options, const OptionInfo& info, std::string_view value) {
    if (const auto* flag = std::get_if<bool Options::*>(&info.field))
        return set_flag(options.*(*flag), value);
    if (const auto* number = std::get_if<std::uint32_t Options::*>(&info.field))
        return set_number(options.*(*number), info.kind, value);
    options.*std::get<std::string Options::*>(info.field) = value;
    return ValueProblem::none;
}

bool valid_pasv_address(const std::string& text) {
    in_addr address{};
    return text.empty() || ::inet_aton(text.c_str(), &address) != 0;
}

std::string value_text(const Options& options, const OptionInfo& info) {
    if (const auto* flag = std::get_if<bool Options::*>(&info.field))
        return options.*(*flag) ? "YES" : "NO";
    if (const auto* number = std::get_if<std::uint32_t Options::*>(&info.field)) {
        const auto value = options.*(*number);
        if (info.kind != Kind::Octal) return std::to_string(value);
        char text[16];
        std::snprintf(text, sizeof text, "0%03o", value);
        return text;
    }
    return options.*std::get<std::string Options::*>(info.field);
}

bool is_default(const Options& options, const OptionInfo& info) {
    return std::visit([&](auto field) { return options.*field == defaults().*field; }, info.field);
}

std::string serialise(const Options& options) {
    std::string records;
    for (const auto& info : table) {
        if (is_default(options, info)) continue;
        records += info.name;
        records += '=';
        records += value_text(options, info);
        records += '\0';
    }
    return records;
}

base::Result<void> apply_overrides(Options& options, std::string_view records) {
    while (!records.empty()) {
        const auto end = records.find('\0');
        const auto equals = records.find('=');
        if (end == records.npos || equals > end) return base::Error{"malformed option record"};
        const auto* info = find_option(records.substr(0, equals));
        if (info == nullptr) return base::Error{"option record with an unknown name"};
        const auto problem =
            set_option(options, *info, records.substr(equals + 1, end - equals - 1));
        if (problem != ValueProblem::none) return base::Error{"option record with a bad value"};
        records.remove_prefix(end + 1);
    }
    return base::success();
}

std::span<const NeedsRoot> needs_root() {
    // clang-format off
    static constexpr NeedsRoot rows[] = {
        // as vsftpd, which is silent about it
        {"connect_from_port_20", &Options::connect_from_port_20, "data connections come from any port"},
        {"chown_uploads",        &Options::chown_uploads,        "uploads stay the launching user's"},
        // beyond it
        {"local_enable",         &Options::local_enable,
         "there is no becoming a system user: anonymous users and tenants of jailftpd.ini can log in"},
        {"session_support",      &Options::session_support,      "logins are not in utmp and wtmp"},
    };
    // clang-format on
    return rows;
}

bool without_root(const Options& options) {
    return options.run_as_launching_user && ::geteuid() != 0;
}

void do_without_root(Options& options) {
    if (!without_root(options)) return;
    for (const auto& each : needs_root()) options.*each.field = false;
}

base::Result<Options> deserialise_options(std::string_view records) {
    Options options;
    TRY(apply_overrides(options, records));
    return options;
}

}  // namespace config
