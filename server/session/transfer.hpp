// SPDX-License-Identifier: MIT
// Moves bytes between files and the data connection, with an eye on the control connection; runs in
// the session.
#pragma once

#include "base/fd.hpp"
#include "tls/stream.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace session {

class SharedClock;

// The control connection while a transfer runs.
class Watch {
  public:
    virtual ~Watch() = default;
    // What to poll for input; -1 when nothing from there is wanted now.
    [[nodiscard]] virtual int fd() const = 0;
    // False: the transfer is to be abandoned.
    [[nodiscard]] virtual bool on_readable() = 0;
    // From now on bytes move; what the client has said already may be for the transfer. False as
    // above.
    [[nodiscard]] virtual bool started() { return true; }
    // The client has closed it. What it has on the way may still come, but nobody waits for long.
    [[nodiscard]] virtual bool gone() const { return false; }
};
// How long a transfer, or the handshake ahead of it, may stand still then.
inline constexpr std::chrono::seconds last_patience{5};

struct Terms {
    bool ascii = false;                  // convert line ends
    std::uint64_t rate = 0;              // bytes a second; 0: as fast as it goes
    const SharedClock* clock = nullptr;  // the rate is for all who share it
    std::uint32_t chunk = 0;             // trans_chunk_size
    std::chrono::seconds timeout{};      // data_connection_timeout; 0: none
    bool sendfile = true;
    bool append = false;                 // uploads: each write at what is the file's end then
    tls::Stream* tls = nullptr;          // of the data connection; null: clear text
    bool strict_read_eof = true;         // strict_ssl_read_eof
    bool strict_write_shutdown = false;  // strict_ssl_write_shutdown
};

enum class End {
    complete,
    network,   // the data connection broke
    cut,       // an upload over TLS that ended without goodbye: nobody knows whether it is whole
    file,      // reading or writing the file failed
    no_space,  // ENOSPC, EDQUOT, EFBIG
    shrank,    // the file became shorter while it was sent, or what was stored has been cut off
    timeout,   // no byte for data_connection_timeout
    aborted,   // the watch said so
};

struct Transferred {
    End end = End::complete;
    int number = 0;  // errno of the file's failure, if it has one
    std::uint64_t bytes = 0;
    std::chrono::microseconds time{};

    // The file, with what the kernel said of it.
    void fail(int error_number);
};

// From `offset` as many bytes as `length` says, and nothing less is complete; without it, to the
// end of the file, wherever that is.
[[nodiscard]] Transferred send_file(const base::Fd& file, std::uint64_t offset,
                                    std::optional<std::uint64_t> length, const base::Fd& data,
                                    const Terms& terms, Watch& watch);

// To `offset` on (the file position is set), until the client closes.
[[nodiscard]] Transferred receive_file(const base::Fd& file, std::uint64_t offset,
                                       const base::Fd& data, const Terms& terms, Watch& watch);

// Listings, piece by piece; small ones are collected.
class LineSender {
  public:
    LineSender(const base::Fd& data, const Terms& terms, Watch& watch);
    ~LineSender();
    LineSender(const LineSender&) = delete;
    LineSender& operator=(const LineSender&) = delete;
    bool send(std::string_view lines);  // false: no use to go on
    [[nodiscard]] Transferred finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace session
