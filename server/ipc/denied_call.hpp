// SPDX-License-Identifier: MIT
// A jailed process tells that it was denied a system call; runs in greeters and sessions, inside a
// signal handler.
#pragma once

namespace ipc {

// A warning for the administrator's log, through the channel of that number. Allocates nothing and
// never waits; what does not fit into the channel is not told.
void report_denied_call(int channel, const char* call, bool for_its_arguments);

}  // namespace ipc
