// SPDX-License-Identifier: MIT
// Messages for the administrator (not vsftpd.log: that is supervisor/records). The supervisor
// writes them to standard error; every process started by it inherits that descriptor or sends its
// words to it.
#pragma once

#include <string_view>

namespace base::log {

enum class Level { debug, info, warning, error };

// To standard error, one line each, with "<N>" in front when it is a journal stream (sd-daemon(3)).
void start(Level least);

// From now on a thread writes, so that a reader who does not read stops nobody: what does not fit
// into its queue is lost, the oldest first. For the supervisor, which has no children by fork.
void write_in_a_thread();

// To syslog from now on, and so do the processes that are started later: standard error is a
// terminal that will be somebody else's (background=YES).
void use_syslog();
inline constexpr const char* syslog_variable = "JAILFTPD_SYSLOG";  // in their environment

// Waits until the thread has written what there is, if there is one.
void finish();

// Would such a message be written? For those that cost something to make.
[[nodiscard]] bool wanted(Level level);

// Never throws, never waits for more than one write(2).
void write(Level level, std::string_view message);

inline void debug(std::string_view message) { write(Level::debug, message); }
inline void info(std::string_view message) { write(Level::info, message); }
inline void warning(std::string_view message) { write(Level::warning, message); }
inline void error(std::string_view message) { write(Level::error, message); }

}  // namespace base::log
