// SPDX-License-Identifier: MIT
// vsftpd.log, xferlog, syslog and the JSON log; runs in the supervisor, as root. Only its thread
// writes them, from a bounded queue: the event loop never waits for a disk or for syslogd.
#pragma once

#include "config/configuration.hpp"
#include "supervisor/record_lines.hpp"

#include <cstddef>
#include <memory>
#include <thread>

namespace supervisor {

class Records {
  public:
    // Bytes that may wait in the queue. What comes when it is full is lost, counted and told.
    static constexpr std::size_t most_queued = std::size_t{8} << 20;

    // Starts the thread, in which all signals are blocked.
    explicit Records(const config::Configuration& configuration);
    ~Records();
    Records(const Records&) = delete;
    Records& operator=(const Records&) = delete;

    void write(Entry entry);
    // The files may have been moved: what their paths name now is opened.
    void reopen();
    void reconfigure(const config::Configuration& configuration);
    // Writes what is queued. Gives up after a few seconds, when the thread hangs in a system call.
    void stop();

  private:
    struct Queue;

    std::shared_ptr<Queue> queue_;  // shared with the thread, which may be left behind
    std::thread thread_;
};

}  // namespace supervisor
