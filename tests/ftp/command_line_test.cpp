// SPDX-License-Identifier: MIT
// Command lines: what a client may send, and what it means.
#include "ftp/command_line.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::string_literals;
using Reading = ftp::LineReader::Reading;

struct LineCase {
    std::string sent;  // without its LF
    std::string verb;
    std::string argument;
};

void PrintTo(const LineCase& c, std::ostream* out) { *out << testing::PrintToString(c.sent); }

class ParseLine : public testing::TestWithParam<LineCase> {};

TEST_P(ParseLine, GivesVerbAndArgument) {
    const auto line = ftp::parse_line(GetParam().sent);
    EXPECT_EQ(line.verb, GetParam().verb);
    EXPECT_EQ(line.argument, GetParam().argument);
}

// clang-format off
INSTANTIATE_TEST_SUITE_P(Lines, ParseLine, testing::Values(
    //       sent                            verb       argument
    LineCase{"NOOP\r",                       "NOOP",    ""},
    LineCase{"NOOP",                         "NOOP",    ""},
    LineCase{"NOOP\r\r\r",                   "NOOP",    ""},
    LineCase{"noop\r",                       "NOOP",    ""},
    LineCase{"ReTr File\r",                  "RETR",    "File"},
    LineCase{"CWD  two blanks\r",            "CWD",     " two blanks"},
    LineCase{"CWD trailing \r",              "CWD",     "trailing "},
    LineCase{"CWD \r",                       "CWD",     ""},
    LineCase{" \r",                          "",        ""},
    LineCase{" NOOP\r",                      "",        "NOOP"},
    LineCase{"CWD\ttab\r",                   "CWD\tTAB", ""},
    LineCase{"DELE a\rb\r",                  "DELE",    "a\rb"},
    LineCase{"DELE a\0b\r"s,                 "DELE",    "a\nb"},
    LineCase{"DE\0LE x\r"s,                  "DE\nLE",  "x"},
    LineCase{"DELE \xC3\xBC\r",              "DELE",    "\xC3\xBC"},
    LineCase{"DELE \xFF\xFF.txt\r",          "DELE",    "\xFF.txt"},
    LineCase{"DELE \xFF\xFF\xFF\xFF\r",      "DELE",    "\xFF\xFF"},
    LineCase{"DELE \xFF.txt\r",              "DELE",    "\xFF.txt"},
    LineCase{"\xC3\xA4 x\r",                 "\xC3\xA4", "x"},
    // telnet in front: IAC IP IAC DM, with the urgent byte's place lost, DM alone, options, a lone IAC
    LineCase{"ABOR\r",                       "ABOR",    ""},
    LineCase{"\xFF\xF4\xFF\xF2" "ABOR\r",    "ABOR",    ""},
    LineCase{"\xFF\xF4\xFF" "ABOR\r",        "ABOR",    ""},
    LineCase{"\xF2" "ABOR\r",                "ABOR",    ""},
    LineCase{"\xFF\xF4\xF2" "ABOR\r",        "ABOR",    ""},
    LineCase{"\xF2\xFF\xF4\xFF\xF2" "abor",  "ABOR",    ""},
    LineCase{"\xFF\xFB\x18NOOP\r",           "NOOP",    ""},
    LineCase{"\xFF\xFD\x01\xFF\xFE\x03STAT", "STAT",    ""},
    LineCase{"\xFF\xFA\x18\x01xterm\xFF\xF0" "NOOP", "NOOP", ""},
    LineCase{"\xFF\xFF" "NOOP\r",            "NOOP",    ""}));
// clang-format on

TEST(ParseLine, NeverLeavesNulInAnArgument) {
    for (int byte = 0; byte < 256; ++byte) {
        const auto text = "X a"s + static_cast<char>(byte) + '\0' + static_cast<char>(byte);
        EXPECT_EQ(ftp::parse_line(text).argument.find('\0'), std::string::npos) << byte;
    }
}

std::vector<std::string> commands(ftp::LineReader& reader) {
    std::vector<std::string> all;
    ftp::Line line;
    while (reader.next(line) == Reading::line) all.push_back(line.verb + ':' + line.argument);
    return all;
}

TEST(LineReader, WaitsForTheLineFeed) {
    ftp::LineReader reader;
    ftp::Line line;
    EXPECT_EQ(reader.feed("NOO"), 3U);
    EXPECT_EQ(reader.next(line), Reading::nothing);
    reader.feed("P\r");
    EXPECT_EQ(reader.next(line), Reading::nothing);
    reader.feed("\n");
    EXPECT_EQ(reader.next(line), Reading::line);
    EXPECT_EQ(line.verb, "NOOP");
    EXPECT_EQ(reader.next(line), Reading::nothing);
}

TEST(LineReader, CutsWhatWasPipelined) {
    ftp::LineReader reader;
    reader.feed("USER a\r\nPASS b c\nPWD\r\nSYS");
    EXPECT_EQ(commands(reader), (std::vector<std::string>{"USER:a", "PASS:b c", "PWD:"}));
    reader.feed("T\r\n");
    EXPECT_EQ(commands(reader), (std::vector<std::string>{"SYST:"}));
    EXPECT_TRUE(reader.empty());
}

TEST(LineReader, SkipsEmptyLinesButNotBlankOnes) {
    ftp::LineReader reader;
    reader.feed("\r\n\n\r\r\n\xFF\xF1\r\n \r\nNOOP\r\n");
    EXPECT_EQ(commands(reader), (std::vector<std::string>{":", "NOOP:"}));
}

TEST(LineReader, TakesLinesOfExactlyTheLimit) {
    ftp::LineReader reader;
    ftp::Line line;
    const auto longest = "CWD " + std::string(ftp::longest_line - 6, 'x') + "\r\n";
    ASSERT_EQ(longest.size(), ftp::longest_line);
    EXPECT_EQ(reader.feed(longest), longest.size());
    ASSERT_EQ(reader.next(line), Reading::line);
    EXPECT_EQ(line.argument.size(), ftp::longest_line - 6);
    EXPECT_EQ(reader.space().size(), ftp::longest_line);
}

TEST(LineReader, RefusesOneByteMore) {
    ftp::LineReader reader;
    ftp::Line line;
    const auto longer = "CWD " + std::string(ftp::longest_line - 5, 'x') + "\r\n";
    EXPECT_EQ(reader.feed(longer), ftp::longest_line);
    EXPECT_TRUE(reader.space().empty());
    EXPECT_EQ(reader.next(line), Reading::too_long);
    EXPECT_EQ(reader.next(line), Reading::too_long);
}

TEST(LineReader, AlwaysHasRoomWhileItWaits) {
    ftp::LineReader reader;
    ftp::Line line;
    std::size_t received = 0;
    for (int i = 0; i < 5000; ++i) {
        const std::string text =
            "NOOP " + std::string(static_cast<std::size_t>(i % 97), 'y') + "\r\n";
        std::string_view rest = text;
        while (!rest.empty()) {
            const auto count = reader.feed(rest.substr(0, 13));
            ASSERT_GT(count, 0U);
            rest.remove_prefix(count);
        }
        while (reader.next(line) == Reading::line) ++received;
    }
    EXPECT_EQ(received, 5000U);
}

TEST(LineReader, PeeksWithoutTaking) {
    ftp::LineReader reader;
    ftp::Line line;
    reader.feed("\r\nNOOP\r\nABOR\r\n");
    EXPECT_EQ(reader.peek(line), Reading::line);
    EXPECT_EQ(line.verb, "NOOP");
    EXPECT_EQ(commands(reader), (std::vector<std::string>{"NOOP:", "ABOR:"}));
}

TEST(LineReader, HandsOverWhatIsUnread) {
    ftp::LineReader greeter;
    ftp::LineReader session;
    ftp::Line line;
    greeter.feed("PASS secret\r\nPWD\r\nCWD half");
    ASSERT_EQ(greeter.next(line), Reading::line);
    const auto rest = greeter.take_rest();
    EXPECT_EQ(rest, "PWD\r\nCWD half");
    EXPECT_TRUE(greeter.empty());
    EXPECT_EQ(session.feed(rest), rest.size());
    session.feed(" way\r\n");
    EXPECT_EQ(commands(session), (std::vector<std::string>{"PWD:", "CWD:half way"}));
}

TEST(LineReader, DropsWhatCameBeforeATlsHandshake) {
    ftp::LineReader reader;
    reader.feed("USER injected\r\n");
    reader.drop();
    EXPECT_TRUE(commands(reader).empty());
}

TEST(LineReader, KeepsNothingOfAPasswordThatWasRead) {
    ftp::LineReader reader;
    ftp::Line line;
    reader.feed("PASS geheim\r\n");
    ASSERT_EQ(reader.next(line), Reading::line);
    const auto room = reader.space();
    EXPECT_EQ(std::string_view(room.data(), room.size()).find("geheim"), std::string_view::npos);
}

TEST(Wipe, LeavesNoByteBehind) {
    std::string password = "a password that needs the heap, so that its bytes can be looked at";
    const char* bytes = password.data();
    const auto length = password.size();
    ftp::wipe(password);
    EXPECT_TRUE(password.empty());
    EXPECT_EQ(std::string(bytes + 1, length - 1), std::string(length - 1, '\0'));
}

}  // namespace
