// SPDX-License-Identifier: MIT
// Wildcards of listings, hide_file and deny_file; runs in the session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ftp {

// Steps that matching may still take; shared by all names of one command. Running out is no match,
// and exhausted() tells. The number bounds the time, whatever pattern and names are.
class Steps {
  public:
    explicit Steps(std::uint64_t most = 20'000'000) : left_(most) {}
    [[nodiscard]] bool take(std::uint64_t steps) {
        if (steps > left_)
            left_ = 0, exhausted_ = true;
        else
            left_ -= steps;
        return !exhausted_;
    }
    [[nodiscard]] bool exhausted() const { return exhausted_; }
    [[nodiscard]] std::uint64_t left() const { return left_; }

  private:
    std::uint64_t left_;
    bool exhausted_ = false;
};

// `*` any bytes, `?` one byte, `{a,b}` either; nothing else is special and nothing escapes. Matches
// whole names. A brace that is never closed ends with the pattern; braces may be nested.
class Pattern {
  public:
    static constexpr std::size_t longest = 4096;

    // Nothing when longer than `longest` or nested too deeply.
    [[nodiscard]] static std::optional<Pattern> parse(std::string_view text);

    // At most (name.size() + 1) * size() steps.
    [[nodiscard]] bool matches(std::string_view name, Steps& steps) const;
    [[nodiscard]] std::size_t size() const { return states_.size(); }

    // Contains none of the special characters: can only name one thing.
    [[nodiscard]] static bool is_plain(std::string_view text);

  private:
    enum class Kind : std::uint8_t { byte, any, star, jump, fork, end };
    struct State {
        Kind kind;
        char byte;
        std::uint32_t next;   // jump, fork: where to go on
        std::uint32_t other;  // fork: the next alternative
    };
    friend class PatternParser;
    std::vector<State> states_;
};

// The rule of hide_file: the whole name by pattern, or the option's text somewhere in it. An empty
// option names nothing. When the pattern is unusable or the steps run out the answer is yes: these
// options protect.
[[nodiscard]] bool hidden(std::string_view option, std::string_view name, Steps& steps);

// The rule of deny_file: the argument as typed, each of its components, the normalised path and its
// last component.
[[nodiscard]] bool denied(std::string_view option, std::string_view typed,
                          std::string_view normalised_path, Steps& steps);

// The rule of download_file and upload_file, which name what may be transferred: the last
// component. An empty option permits all; here running out means no.
[[nodiscard]] bool permitted(std::string_view option, std::string_view normalised_path,
                             Steps& steps);

// Compiled once, for a listing that asks for every name.
class NameFilter {
  public:
    explicit NameFilter(std::string_view option);
    [[nodiscard]] bool contains(std::string_view name, Steps& steps) const;
    [[nodiscard]] bool empty() const { return text_.empty(); }

  private:
    std::string text_;
    std::optional<Pattern> pattern_;
};

}  // namespace ftp
