// SPDX-License-Identifier: MIT
// What ps shows of a process; used in every process.
#pragma once

#include <string_view>

namespace base::title {

// Early in main, once: finds the room that arguments and environment take. The environment is
// copied first, so that getenv keeps working. Who execs one of our processes gives it room by a
// long variable.
void prepare(int argc, char** argv);

// "jailftpd: ann 192.0.2.7 [session]"; cut to the room there is. Works in forked children as well.
void set(std::string_view title);

}  // namespace base::title
