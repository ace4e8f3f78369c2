// SPDX-License-Identifier: MIT
// Small string tools without opinions; used in every process.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace base {

// Without blanks, TABs, CR, LF, VT and FF at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);

// The pieces between separators; always at least one, pieces may be empty.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

// ASCII only, whatever the locale.
[[nodiscard]] std::string upper(std::string_view text);
[[nodiscard]] std::string lower(std::string_view text);
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

// The whole text must be a number that fits; no sign for unsigned types, no blanks.
template <typename Number>
[[nodiscard]] std::optional<Number> to_number(std::string_view text, int radix = 10) {
    Number number{};
    const auto end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, number, radix);
    if (error != std::errc{} || last != end || text.empty()) return std::nullopt;
    return number;
}

// For messages: control bytes, DEL and backslashes as \xNN; with `also` further bytes to escape.
// UTF-8 passes; bytes that are not UTF-8 are escaped, and so are characters that would split a line
// or show it in another order.
[[nodiscard]] std::string escaped(std::string_view text, std::string_view also = {});

// In double quotes, with escaped() applied to quotes as well: safe to log whatever the network
// sent.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace base
