// SPDX-License-Identifier: MIT
// Messages for the administrator (not vsftpd.log: that is supervisor/records). The supervisor writes them
// to standard error; every process started by it inherits that descriptor or sends its words to it.
#pragma once

#include <string_view>

namespace base::log {

enum class Level { debug, info, warning, error };

// To standard error, one line each, with "<N>" in front when it is a journal stream (sd-daemon(3)).
void start(Level least);

// Never throws, never waits for more than one write(2).
void write(Level level, std::string_view message);

inline void debug(std::string_view message) { write(Level::debug, message); }
inline void info(std::string_view message) { write(Level::info, message); }
inline void warning(std::string_view message) { write(Level::warning, message); }
inline void error(std::string_view message) { write(Level::error, message); }

}  // namespace base::log
