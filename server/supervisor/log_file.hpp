// SPDX-License-Identifier: MIT
// A log file that may be moved, full, locked or gone at any time; runs in the supervisor's thread
// for logs, as root. Whatever happens to it is said once, and tried again.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace supervisor {

class LogFile {
  public:
    using Clock = std::chrono::steady_clock;
    // The line that stands for so many lost ones; without it they are only told to the
    // administrator.
    using LostLine = std::function<std::string(std::uint64_t)>;

    static constexpr std::size_t most_waiting = std::size_t{1} << 20;
    static constexpr Clock::duration retry_interval = std::chrono::seconds(1);
    static constexpr Clock::duration look_interval = std::chrono::seconds(1);

    LogFile(std::string path, bool lock, LostLine lost_line);

    // Without its newline. It waits for flush(), or does that itself when the room is used up; what
    // still has none is lost and counted.
    void add(std::string_view line);

    // Opens the file where it is not open or has been moved, and appends all that waits with one
    // write(2). Does nothing within retry_interval of a failure, unless it is the last try.
    void flush(Clock::time_point now, bool last_try = false);
    // When flush() is to be called although nothing was added.
    [[nodiscard]] std::optional<Clock::time_point> due() const;

    // Closes it, so that flush() opens what the path names then.
    void reopen();
    // The last try, and word of what was lost in the end.
    void finish();

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    [[nodiscard]] bool moved() const;
    [[nodiscard]] base::Result<void> open();
    [[nodiscard]] base::Result<void> append();
    [[nodiscard]] bool wait_for_lock();
    void unlock();
    void written(std::size_t bytes);
    void failed(const base::Error& error, Clock::time_point now);
    void works();
    void report_lost();

    std::string path_;
    bool lock_;
    LostLine lost_line_;

    base::Fd file_;
    bool regular_ = false;
    dev_t device_ = 0;
    ino_t number_ = 0;
    Clock::time_point next_look_{};

    std::string waiting_;   // whole lines, newlines included
    std::size_t torn_ = 0;  // so much of the first line is in the file already
    std::uint64_t lost_ = 0;
    bool failing_ = false;
    bool lock_refused_ = false;
    Clock::time_point next_try_{};
};

}  // namespace supervisor
