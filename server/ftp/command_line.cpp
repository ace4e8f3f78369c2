// SPDX-License-Identifier: MIT
// Bytes of the control connection -> verb and argument; runs in greeter and session.
#include "ftp/command_line.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstring>

#include <strings.h>

namespace ftp {
namespace {

// Telnet (RFC 854), as far as clients send it.
constexpr char interpret_as_command = '\xFF';
constexpr char subnegotiation = '\xFA';
constexpr char end_of_subnegotiation = '\xF0';
constexpr char will = '\xFB';
constexpr char dont = '\xFE';

bool between(char c, char low, char high) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= static_cast<unsigned char>(low) && byte <= static_cast<unsigned char>(high);
}

// How many bytes of telnet the line begins with. Verbs are ASCII, so that nothing from 0xF0 on can
// be one: ABOR may come behind IAC IP IAC DM or, where the urgent byte was sent alone, behind DM.
std::size_t telnet_prefix(std::string_view line) {
    std::size_t at = 0;
    while (at < line.size() && between(line[at], end_of_subnegotiation, interpret_as_command)) {
        const auto command = at + 1;
        if (command == line.size() || line[at] != interpret_as_command) {
            at = command;
            continue;
        }
        if (line[command] == subnegotiation) {
            constexpr std::string_view end{"\xFF\xF0", 2};
            const auto last = line.find(end, command);
            at = last == line.npos ? line.size() : last + end.size();
        } else if (between(line[command], will, dont)) {
            at = std::min(command + 2, line.size());  // with the option they speak of
        } else if (between(line[command], end_of_subnegotiation, interpret_as_command)) {
            at = command + 1;
        } else {
            at = command;  // a lone IAC
        }
    }
    return at;
}

// IAC IAC is one byte 0xFF; a single one is left alone, for clients that know nothing of telnet.
// NUL is how LF travels inside a name.
void unescape(std::string_view argument, std::string& result) {
    result.reserve(argument.size());  // one buffer only: it may be a password
    for (std::size_t i = 0; i < argument.size(); ++i) {
        const char byte = argument[i];
        if (byte == interpret_as_command && i + 1 < argument.size() && argument[i + 1] == byte) ++i;
        result += byte == '\0' ? '\n' : byte;
    }
}

void parse_into(Line& result, std::string_view line) {
    while (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(telnet_prefix(line));
    const auto blank = line.find(' ');
    result.verb = base::upper(line.substr(0, blank));
    std::replace(result.verb.begin(), result.verb.end(), '\0', '\n');
    result.argument.clear();
    if (blank != line.npos) unescape(line.substr(blank + 1), result.argument);
}

}  // namespace

Line parse_line(std::string_view line) {
    Line result;
    parse_into(result, line);
    return result;
}

void wipe(std::string& text) {
    ::explicit_bzero(text.data(), text.size());
    text.clear();
}

LineReader::~LineReader() { drop(); }

std::span<char> LineReader::space() {
    if (begin_ > 0) {
        std::copy(buffer_.data() + begin_, buffer_.data() + end_, buffer_.data());
        const auto kept = end_ - begin_;
        ::explicit_bzero(buffer_.data() + kept, end_ - kept);
        begin_ = 0;
        end_ = kept;
    }
    return std::span(buffer_).subspan(end_);
}

void LineReader::received(std::size_t bytes) { end_ += std::min(bytes, buffer_.size() - end_); }

std::size_t LineReader::feed(std::string_view bytes) {
    const auto room = space();
    const auto count = std::min(room.size(), bytes.size());
    std::copy_n(bytes.data(), count, room.data());
    received(count);
    return count;
}

// The next line that is not empty, without its LF, and how many bytes it takes with it.
LineReader::Reading LineReader::find(std::string_view& line, std::size_t& length) {
    for (;;) {
        const std::string_view unread{buffer_.data() + begin_, end_ - begin_};
        const auto end = unread.find('\n');
        if (end == unread.npos) {
            return unread.size() == buffer_.size() ? Reading::too_long : Reading::nothing;
        }
        length = end + 1;
        line = unread.substr(0, end);
        while (line.ends_with('\r')) line.remove_suffix(1);
        if (line.size() > telnet_prefix(line)) return Reading::line;
        consume(length);
    }
}

void LineReader::consume(std::size_t bytes) {
    ::explicit_bzero(buffer_.data() + begin_, bytes);
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
}

LineReader::Reading LineReader::peek(Line& line) {
    std::string_view text;
    std::size_t length = 0;
    const auto reading = find(text, length);
    if (reading == Reading::line) parse_into(line, text);
    return reading;
}

LineReader::Reading LineReader::next(Line& line) {
    std::string_view text;
    std::size_t length = 0;
    const auto reading = find(text, length);
    if (reading == Reading::line) {
        parse_into(line, text);
        consume(length);
    }
    return reading;
}

std::string LineReader::take_rest() {
    std::string rest{buffer_.data() + begin_, end_ - begin_};
    drop();
    return rest;
}

void LineReader::drop() {
    ::explicit_bzero(buffer_.data(), end_);
    begin_ = end_ = 0;
}

}  // namespace ftp
