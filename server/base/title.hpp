// SPDX-License-Identifier: MIT
// What ps shows of a process; used in every process.
#pragma once

#include <string_view>

namespace base::title {

// Early in main, once: takes over the room of arguments and environment. Both are copied first, so
// argv and getenv keep working. Who execs one of our processes gives it room by a long variable.
void prepare(int argc, char** argv);

// "jailftpd: ann 192.0.2.7 [session]"; cut to the room there is, control bytes as "?". Works in
// forked children as well, and does nothing before prepare().
void set(std::string_view title);

}  // namespace base::title
