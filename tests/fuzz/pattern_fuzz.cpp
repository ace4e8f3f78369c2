// SPDX-License-Identifier: MIT
// Wildcards: the promised number of steps, and the same answer as backtracking gives.
#include "ftp/path.hpp"
#include "ftp/pattern.hpp"
#include "input.hpp"

namespace {

// -1: would take too long to know.
int backtracking(std::string_view pattern, std::string_view name, int& budget) {
    if (--budget < 0) return -1;
    if (pattern.empty()) return name.empty() ? 1 : 0;
    if (pattern[0] == '*') {
        const int without = backtracking(pattern.substr(1), name, budget);
        if (without != 0 || name.empty()) return without;
        return backtracking(pattern, name.substr(1), budget);
    }
    if (name.empty() || (pattern[0] != '?' && pattern[0] != name[0])) return 0;
    return backtracking(pattern.substr(1), name.substr(1), budget);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const auto text = input.until('\n');
    const auto name = input.rest();

    const auto pattern = ftp::Pattern::parse(text);
    ftp::Steps steps;
    if (pattern) {
        const auto before = steps.left();
        const bool match = pattern->matches(name, steps);
        if (!steps.exhausted()) {
            HOLDS(before - steps.left() <= (name.size() + 1) * pattern->size());
            HOLDS(pattern->size() <= 4 * text.size() + 2);
            if (text.find('{') == text.npos) {
                int budget = 2000;
                const int expected = backtracking(text, name, budget);
                HOLDS(expected < 0 || (expected == 1) == match);
            }
            if (ftp::Pattern::is_plain(text)) HOLDS(match == (text == name));
        } else {
            HOLDS(!match);
        }
    }

    // Protecting options err on the side of refusing.
    ftp::Steps few(100);
    if (ftp::hidden(text, name, steps) && !steps.exhausted()) HOLDS(ftp::hidden(text, name, few));
    const auto path = ftp::join("/", name, "/");
    ftp::Steps more;
    // A name that is refused is refused however it is reached. ("~" alone reaches the home.)
    const auto last = path.substr(path.rfind('/') + 1);
    if (!last.empty() && ftp::hidden(text, last, more) && !more.exhausted()) {
        for (const auto& typed : {last, "./" + last, "/" + last, last + "/", "x/../" + last}) {
            if (typed == "~" || typed == "~/") continue;
            HOLDS(ftp::denied(text, typed, ftp::join("/", typed, "/"), more));
        }
    }
    ftp::Steps none(0);
    HOLDS(text.empty() || !ftp::permitted(text, path, none) || path.find(text) != path.npos);
    return 0;
}
