// SPDX-License-Identifier: MIT
// Wildcards of listings, hide_file and deny_file; runs in the session.
#include "ftp/pattern.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace ftp {

// Text to states: each consumes a byte and goes on to the one behind it, but for jumps and forks.
// So every edge without input leads forward, and one pass over the states follows them all.
class PatternParser {
  public:
    PatternParser(std::string_view text, std::vector<Pattern::State>& states)
        : text_(text), states_(states) {}

    bool parse() {
        if (!sequence(0)) return false;
        emit(Pattern::Kind::end);
        return true;
    }

  private:
    static constexpr int deepest = 16;

    [[nodiscard]] std::uint32_t here() const { return static_cast<std::uint32_t>(states_.size()); }

    std::uint32_t emit(Pattern::Kind kind, char byte = 0) {
        states_.push_back({kind, byte, 0, 0});
        return here() - 1;
    }

    // Up to the pattern's end or, inside braces, to the comma or brace that ends an alternative.
    bool sequence(int depth) {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (depth > 0 && (c == ',' || c == '}')) return true;
            ++at_;
            switch (c) {
                case '*':
                    if (states_.empty() || states_.back().kind != Pattern::Kind::star) {
                        emit(Pattern::Kind::star);
                    }
                    break;
                case '?':
                    emit(Pattern::Kind::any);
                    break;
                case '{':
                    if (!alternatives(depth + 1)) return false;
                    break;
                default:
                    emit(Pattern::Kind::byte, c);
            }
        }
        return true;
    }

    // fork A jump fork B jump ... C end: a fork leads into its alternative and to the next one.
    bool alternatives(int depth) {
        if (depth > deepest) return false;
        std::vector<std::uint32_t> jumps;
        for (;;) {
            const auto fork = emit(Pattern::Kind::fork);
            states_[fork].next = here();
            if (!sequence(depth)) return false;
            const bool more = at_ < text_.size() && text_[at_] == ',';
            if (at_ < text_.size()) ++at_;
            jumps.push_back(emit(Pattern::Kind::jump));
            states_[fork].other = here();
            if (!more) {
                states_[fork].other = states_[fork].next;  // the last one leads nowhere else
                break;
            }
        }
        for (const auto jump : jumps) states_[jump].next = here();
        return true;
    }

    std::string_view text_;
    std::vector<Pattern::State>& states_;
    std::size_t at_ = 0;
};

std::optional<Pattern> Pattern::parse(std::string_view text) {
    if (text.size() > longest) return std::nullopt;
    Pattern pattern;
    if (!PatternParser(text, pattern.states_).parse()) return std::nullopt;
    return pattern;
}

bool Pattern::matches(std::string_view name, Steps& steps) const {
    std::vector<char> now(states_.size(), 0);
    std::vector<char> next(states_.size(), 0);
    const std::size_t last = states_.size() - 1;
    now[0] = 1;
    for (std::size_t i = 0; i <= name.size(); ++i) {
        if (!steps.take(states_.size())) return false;
        bool alive = false;
        for (std::size_t at = 0; at < last; ++at) {
            if (now[at] == 0) continue;
            now[at] = 0;
            const auto& state = states_[at];
            switch (state.kind) {
                case Kind::jump:
                    now[state.next] = 1;
                    break;
                case Kind::fork:
                    now[state.next] = now[state.other] = 1;
                    break;
                case Kind::star:
                    now[at + 1] = 1;
                    next[at] = 1;
                    alive = true;
                    break;
                case Kind::byte:
                    if (i == name.size() || name[i] != state.byte) break;
                    [[fallthrough]];
                case Kind::any:
                    next[at + 1] = 1;
                    alive = true;
                    break;
                case Kind::end:
                    break;
            }
        }
        if (i == name.size()) return now[last] != 0;
        if (!alive) return false;
        now[last] = 0;
        now.swap(next);
    }
    return false;
}

bool Pattern::is_plain(std::string_view text) { return text.find_first_of("*?{") == text.npos; }

NameFilter::NameFilter(std::string_view option)
    : text_(option), pattern_(option.empty() ? std::nullopt : Pattern::parse(option)) {}

bool NameFilter::contains(std::string_view name, Steps& steps) const {
    if (text_.empty()) return false;
    if (!pattern_ || name.find(text_) != name.npos) return true;
    return pattern_->matches(name, steps) || steps.exhausted();
}

bool hidden(std::string_view option, std::string_view name, Steps& steps) {
    return NameFilter(option).contains(name, steps);
}

namespace {

bool is_dots(std::string_view part) { return part == "." || part == ".."; }

// "./../x" -> "x": dots lead to a place and are no name for a pattern such as .* to match.
std::string_view without_leading_dots(std::string_view typed) {
    while (is_dots(typed.substr(0, typed.find('/'))))
        typed.remove_prefix(std::min(typed.find('/'), typed.size() - 1) + 1);
    return typed;
}

}  // namespace

bool denied(std::string_view option, std::string_view typed, std::string_view normalised_path,
            Steps& steps) {
    const NameFilter filter(option);
    if (filter.empty()) return false;
    // Where the home is, is no name either, for a pattern such as *~ to match.
    if (typed == "~" || typed.starts_with("~/"))
        typed.remove_prefix(std::min<std::size_t>(typed.size(), 2));
    const auto name = without_leading_dots(typed);
    if ((!name.empty() && filter.contains(name, steps)) || filter.contains(normalised_path, steps))
        return true;
    for (const auto part : base::split(typed, '/')) {
        if (!part.empty() && !is_dots(part) && filter.contains(part, steps)) return true;
    }
    const auto last = normalised_path.substr(normalised_path.rfind('/') + 1);
    return !last.empty() && filter.contains(last, steps);
}

bool permitted(std::string_view option, std::string_view normalised_path, Steps& steps) {
    if (option.empty()) return true;
    const auto last = normalised_path.substr(normalised_path.rfind('/') + 1);
    if (last.find(option) != last.npos) return true;
    const auto pattern = Pattern::parse(option);
    return pattern && pattern->matches(last, steps);
}

}  // namespace ftp
