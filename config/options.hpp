// SPDX-License-Identifier: MIT
// Every vsftpd.conf option as a field, and the table that describes them; used in every process.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace config {

// What the kinds of options.def are in C++.
namespace types {
using Flag = bool;
using Count = std::uint32_t;
using Seconds = std::uint32_t;  // 0: for ever
using Octal = std::uint32_t;
using Port = std::uint32_t;  // checked to be at most 65535
using Text = std::string;    // empty: unset
using Path = std::string;
}  // namespace types

// The defaults are those of options.def; see there.
struct Options {
#define OPTION(name, kind, fallback, scope, effect, help) types::kind name = fallback;
#define ALIAS(other, name)
#include "config/options.def"
#undef OPTION
#undef ALIAS

    bool operator==(const Options&) const = default;
};

enum class Kind : std::uint8_t { Flag, Count, Seconds, Octal, Port, Text, Path };
enum class Scope : std::uint8_t { server, per_peer, per_user };  // each includes those before it
// now; instead: what it names does not exist here by design, and instead_of() says what happens.
enum class Effect : std::uint8_t { now, instead };

struct OptionInfo {
    std::string_view name;
    Kind kind;
    Scope scope;
    Effect effect;
    std::string_view help;
    // Where the value lives.
    std::variant<bool Options::*, std::uint32_t Options::*, std::string Options::*> field;
};

// In the order of options.def.
[[nodiscard]] std::span<const OptionInfo> option_table();

// By name or alias; nullptr if there is none.
[[nodiscard]] const OptionInfo* find_option(std::string_view name);

// For an option whose effect is `instead`: what happens instead of it.
[[nodiscard]] std::string_view instead_of(const OptionInfo& info);

// The known name that was probably meant; empty when nothing is near.
[[nodiscard]] std::string_view similar_option(std::string_view name);

// The same among other names.
[[nodiscard]] std::string_view similar(std::string_view name,
                                       std::span<const std::string_view> candidates);

// What is wrong with a value, or what had to be overlooked in it.
enum class ValueProblem : std::uint8_t {
    none,
    missing,  // empty, and a Flag or number
    bad_bool,
    not_a_number,  // no digits at all, taken as 0
    out_of_range,  // negative or too large, taken as the largest value (vsftpd wraps around); of a
                   // port the low 16 bits
    trailing,      // taken, but something after the number was ignored (vsftpd ignores it too)
};

// Sets one option from text, as vsftpd does: Flags are YES/TRUE/1 and NO/FALSE/0 in any case;
// numbers are octal when they start with 0 and stop at the first character that is no digit; an
// empty text unsets a Text.
[[nodiscard]] ValueProblem set_option(Options& options, const OptionInfo& info,
                                      std::string_view value);

// What PASV can tell: empty, or an IPv4 address as inet_aton reads it (vsftpd: 10.1 is 10.0.0.1).
[[nodiscard]] bool valid_pasv_address(const std::string& text);

// run_as_launching_user, by an ordinary user; root's children have no use for it.
[[nodiscard]] bool without_root(const Options& options);

// What is off then, whatever is set, and what that means.
struct NeedsRoot {
    std::string_view option;
    bool Options::*field;
    std::string_view reason;
};
[[nodiscard]] std::span<const NeedsRoot> needs_root();
void do_without_root(Options& options);

// In the form in which it could stand in a file: "YES", "022", "hello".
[[nodiscard]] std::string value_text(const Options& options, const OptionInfo& info);
[[nodiscard]] bool is_default(const Options& options, const OptionInfo& info);

// "name=value\0" for every option whose value is not its default; for the memfd of a generation.
[[nodiscard]] std::string serialise(const Options& options);
[[nodiscard]] base::Result<Options> deserialise_options(std::string_view records);

// The same records over options that are there already: what a user has of his own.
[[nodiscard]] base::Result<void> apply_overrides(Options& options, std::string_view records);

}  // namespace config
