// SPDX-License-Identifier: MIT
// Bytes of the control connection -> verb and argument; runs in greeter and session.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ftp {

inline constexpr std::size_t longest_line = 4096;  // its terminator included

// One command. The verb is in upper case; the argument keeps blanks beyond the one that separates
// the two and never contains NUL or the terminator. (A NUL received stands for LF, as replies send
// LF as NUL.)
struct Line {
    std::string verb;
    std::string argument;
};

// A line without its LF; what telnet put in front of the command is dropped.
[[nodiscard]] Line parse_line(std::string_view line);

// Overwrites the text, for one that was a password, and empties it.
void wipe(std::string& text);

// Collects what the client sends and cuts it into commands. Never holds more than one line of the
// longest kind, so what is unread can always be handed to another process. Empty lines are skipped.
// Bytes are wiped when they have been read.
class LineReader {
  public:
    enum class Reading { nothing, line, too_long };  // too_long: no way on, close after the reply

    LineReader() = default;
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;
    ~LineReader();

    // Where to receive to, and how much came. Never empty while next() answers `nothing`.
    [[nodiscard]] std::span<char> space();
    void received(std::size_t bytes);

    // The same for bytes that are already somewhere; returns how many found room.
    std::size_t feed(std::string_view bytes);

    // Takes the next command out. The strings in `line` are reused.
    [[nodiscard]] Reading next(Line& line);

    // The same, but leaves it in place: a running transfer looks whether the next one is for it.
    [[nodiscard]] Reading peek(Line& line);

    // What has not been read yet, to be handed over; it is gone from here.
    [[nodiscard]] std::string take_rest();

    // Forgets it: what was sent before a TLS handshake is not trusted after it.
    void drop();

    [[nodiscard]] bool empty() const { return begin_ == end_; }

  private:
    [[nodiscard]] Reading find(std::string_view& line, std::size_t& length);
    void consume(std::size_t bytes);

    std::array<char, longest_line> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace ftp
