// SPDX-License-Identifier: MIT
// A password for as long as it is needed, with a NUL at its end for C; used in the authenticator's
// children.
#pragma once

#include "ipc/requests.hpp"

#include <cstring>
#include <string_view>

namespace authenticator {

class Secret {
  public:
    explicit Secret(std::string_view text) {
        length_ = text.size() < sizeof bytes_ ? text.size() : sizeof bytes_ - 1;
        std::memcpy(bytes_, text.data(), length_);
    }
    ~Secret() { ::explicit_bzero(bytes_, sizeof bytes_); }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;

    [[nodiscard]] const char* c_str() const { return bytes_; }
    // C would read only a part of it.
    [[nodiscard]] bool has_nul() const { return std::strlen(bytes_) != length_; }

  private:
    char bytes_[ipc::longest_name + 1] = {};
    std::size_t length_ = 0;
};

}  // namespace authenticator
