// SPDX-License-Identifier: MIT
// Numbers and texts as bytes, and a bounded reader for them; for what travels in sealed memory.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace ipc {

template <typename Number>
requires std::is_integral_v<Number>
void put(std::string& out, Number value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

inline void put(std::string& out, std::string_view text) {
    put(out, static_cast<std::uint32_t>(text.size()));
    out += text;
}

// Everything is checked; after a failure all that is read is zero and empty.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    template <typename Number = std::uint32_t>
    requires std::is_integral_v<Number> Number number() {
        Number value = 0;
        if (bytes_.size() < sizeof value) return fail(), value;
        std::memcpy(&value, bytes_.data(), sizeof value);
        bytes_.remove_prefix(sizeof value);
        return value;
    }

    bool flag() {
        const auto value = number();
        if (value > 1) fail();
        return value == 1;
    }

    // How many things follow, each of which takes so many bytes at least: no room is made for what
    // cannot be there.
    std::size_t count(std::size_t least_size) {
        const std::size_t value = number();
        if (value > bytes_.size() / least_size) return fail(), 0;
        return value;
    }

    std::string text() {
        const auto size = number();
        if (size > bytes_.size()) return fail(), std::string{};
        std::string value(bytes_.substr(0, size));
        bytes_.remove_prefix(size);
        return value;
    }

    [[nodiscard]] bool complete() const { return !failed_ && bytes_.empty(); }

  private:
    void fail() {
        failed_ = true;
        bytes_ = {};
    }

    std::string_view bytes_;
    bool failed_ = false;
};

}  // namespace ipc
