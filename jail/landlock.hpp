// SPDX-License-Identifier: MIT
// Landlock: what the kernel lets a process do with files, whatever their permissions say; runs in
// the process that is to be jailed. Descriptors that are open already keep what they can do.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "jail/rights.hpp"

#include <span>

namespace jail {

// The kernel's version of it; 0: none. What an older version does not know it does not forbid.
[[nodiscard]] int landlock_version();

// Version 1 forbids every rename from one directory to another, and cannot be told otherwise. An
// account that may rename goes without Landlock there: vsftpd's clients rename so, and the other
// layers stand.
[[nodiscard]] bool landlock_suits(const FileRights& rights, int version);

struct Ground {
    base::Fd folder;
    FileRights rights;
};

// From here on: below these directories reading and what `rights` say, elsewhere nothing; no file
// is executed, no device, socket or FIFO made; no TCP port bound or connected to; no abstract
// socket of, and no signal to, a process outside. Needs no_new_privs.
[[nodiscard]] base::Result<void> restrict_to(std::span<const Ground> grounds);

// The same with no files at all.
[[nodiscard]] base::Result<void> restrict_to_nothing();

}  // namespace jail
