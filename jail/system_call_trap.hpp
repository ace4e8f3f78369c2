// SPDX-License-Identifier: MIT
// What a filtered process hears when it asks for a call that is not on its list: an error and not
// its death, and the name of the call goes to the log once. Runs in the process that is jailed.
#pragma once

#include "base/result.hpp"

#include <bitset>
#include <cstddef>
#include <string>

namespace jail {

// More than any architecture of ours has.
inline constexpr std::size_t most_calls = 1024;

// Called inside a signal handler, which may have interrupted anything, malloc included: it may
// make system calls of the list and little else. for_its_arguments: the call is on the list, but
// not with these.
using DeniedCall = void (*)(const char* call, bool for_its_arguments);

// Denied calls return ENOSYS from now on, so that libraries take another way; EPERM where it was
// the arguments. report (may be null) hears of each call once in this process.
[[nodiscard]] base::Result<void> answer_denied_calls(DeniedCall report);

// For the handler, which cannot ask libseccomp: the names, of this machine's calls; once, before
// the fork. And what the filter that is being installed has on its list.
void prepare_call_names();
void remember_listed_calls(const std::bitset<most_calls>& listed);

// The name of a call on this machine, or its number in words.
[[nodiscard]] std::string call_name(int number);

}  // namespace jail
