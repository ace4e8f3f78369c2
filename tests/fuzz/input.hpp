// SPDX-License-Identifier: MIT
// What all fuzz targets share: the input cut into pieces, and a check that ends the run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace fuzz {

// Holds whatever the input is, or a bug has been found.
#define HOLDS(...) ::fuzz::holds((__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

inline void holds(bool condition, const char* text, const char* file, int line) {
    if (condition) return;
    std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
    std::abort();
}

class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size)
        : rest_(reinterpret_cast<const char*>(data), size) {}

    // Up to the separator, which is taken too; everything when there is none.
    std::string_view until(char separator) {
        const auto end = rest_.find(separator);
        const auto piece = rest_.substr(0, end);
        rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
        return piece;
    }
    std::string_view take(std::size_t most) {
        const auto piece = rest_.substr(0, most);
        rest_.remove_prefix(piece.size());
        return piece;
    }
    std::uint8_t byte() {
        const auto piece = take(1);
        return piece.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(piece.front());
    }
    std::string_view rest() const { return rest_; }

  private:
    std::string_view rest_;
};

}  // namespace fuzz
