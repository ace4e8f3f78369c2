// SPDX-License-Identifier: MIT
// The words that ps(1) shows for a process; used in every process.
#pragma once

#include <string_view>

namespace base::title {

// First thing in main: moves arguments and environment elsewhere (argv and environ point to the
// copies), so that their place can be written over. That place is as large as they were at exec:
// whoever executes a process with an empty environment should put a variable of some hundred bytes
// into it.
void prepare(int argc, char** argv, char** envp);

// "jailftpd: ann 192.0.2.7 [session]"; cut where the room ends. Control bytes become "?". Works in
// forked children too; does nothing before prepare().
void set(std::string_view title);

}  // namespace base::title
