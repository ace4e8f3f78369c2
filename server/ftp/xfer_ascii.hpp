// SPDX-License-Identifier: MIT
// TYPE A: line ends between the network (CRLF) and Unix (LF), chunk by chunk; runs in the session.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ftp {

// Upload: CRLF becomes LF, a lone CR stays.
class FromNetwork {
  public:
    // Appends to `out`; a CR at the chunk's end waits for the next one.
    void convert(std::string_view chunk, std::string& out);
    void finish(std::string& out);

  private:
    bool carriage_return_ = false;
};

// Download: LF becomes CRLF, CRLF stays.
class ToNetwork {
  public:
    void convert(std::string_view chunk, std::string& out);

  private:
    bool after_carriage_return_ = false;
};

// How long a download would be: SIZE in TYPE A.
class NetworkSize {
  public:
    void count(std::string_view chunk);
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  private:
    std::uint64_t bytes_ = 0;
    bool after_carriage_return_ = false;
};

}  // namespace ftp
