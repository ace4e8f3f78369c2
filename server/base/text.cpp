// SPDX-License-Identifier: MIT
// Small string tools; runs in every process.
#include "base/text.hpp"

#include <algorithm>

namespace base {
namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";

char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Length of the well-formed UTF-8 sequence (two bytes or more) at the start of text, else 0.
// Overlong forms, surrogates and what lies above U+10FFFF are not well-formed; nor, for us, are the
// C1 control characters U+0080..U+009F, which terminals obey, and what ends a line or turns the
// order of letters: U+2028..U+202E and U+2066..U+2069.
std::size_t utf8_sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto lead = byte(0);
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return 0;
    }
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) > 0x9F) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;
    if (lead == 0xC2 && byte(1) < 0xA0) return 0;
    if (lead == 0xE2 && byte(1) == 0x80 && byte(2) >= 0xA8 && byte(2) <= 0xAE) return 0;
    if (lead == 0xE2 && byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9) return 0;
    return length;
}

}  // namespace

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> pieces;
    for (;;) {
        const auto end = text.find(separator);
        pieces.push_back(text.substr(0, end));
        if (end == text.npos) return pieces;
        text.remove_prefix(end + 1);
    }
}

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), to_upper);
    return result;
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), to_lower);
    return result;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return to_upper(x) == to_upper(y); });
}

std::string escaped(std::string_view text, std::string_view also) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text.front());
        std::size_t plain = 0;
        if (byte >= 0x80) {
            plain = utf8_sequence(text);
        } else if (byte >= 0x20 && byte != 0x7F && byte != '\\' &&
                   also.find(text.front()) == also.npos) {
            plain = 1;
        }
        if (plain == 0) {
            result += "\\x";
            result += digits[byte >> 4];
            result += digits[byte & 15];
            plain = 1;
        } else {
            result += text.substr(0, plain);
        }
        text.remove_prefix(plain);
    }
    return result;
}

std::string quoted(std::string_view text) { return '"' + escaped(text, "\"") + '"'; }

}  // namespace base
