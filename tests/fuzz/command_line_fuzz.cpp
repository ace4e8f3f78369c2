// SPDX-License-Identifier: MIT
// The control connection: any bytes in any pieces are cut into the same commands.
#include "ftp/command_line.hpp"
#include "input.hpp"

#include <string>
#include <vector>

namespace {

using Reading = ftp::LineReader::Reading;

struct Outcome {
    std::vector<std::string> commands;
    bool too_long = false;
    std::string rest;

    bool operator==(const Outcome&) const = default;
};

// `piece`: how many bytes arrive at once; then the rest goes to a second reader, as to another
// process.
Outcome read(std::string_view bytes, std::size_t piece) {
    ftp::LineReader reader;
    ftp::Line line;
    ftp::Line peeked;
    Outcome outcome;
    while (!outcome.too_long) {
        for (;;) {
            const auto ahead = reader.peek(peeked);
            const auto reading = reader.next(line);
            HOLDS(ahead == reading);
            if (reading == Reading::too_long) outcome.too_long = true;
            if (reading != Reading::line) break;
            HOLDS(peeked.verb == line.verb && peeked.argument == line.argument);
            HOLDS(line.verb.find_first_of(std::string_view("\0 ", 2)) == std::string::npos);
            HOLDS(line.argument.find('\0') == std::string::npos);
            HOLDS(line.verb.size() + line.argument.size() < ftp::longest_line);
            for (const char c : line.verb) HOLDS(c < 'a' || c > 'z');
            outcome.commands.push_back(line.verb + ' ' + line.argument);
        }
        if (outcome.too_long || bytes.empty()) break;
        const auto fed = reader.feed(bytes.substr(0, piece));
        HOLDS(fed > 0);
        bytes.remove_prefix(fed);
    }
    outcome.rest = reader.take_rest();
    HOLDS(outcome.rest.size() <= ftp::longest_line);
    HOLDS(reader.empty());
    ftp::LineReader second;
    HOLDS(second.feed(outcome.rest) == outcome.rest.size());
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const std::size_t piece = input.byte() + std::size_t{1};
    const auto whole = read(input.rest(), ftp::longest_line);
    const auto pieces = read(input.rest(), piece);
    HOLDS(whole.commands == pieces.commands);
    HOLDS(whole.too_long == pieces.too_long);
    if (!whole.too_long) HOLDS(whole.rest == pieces.rest);
    return 0;
}
