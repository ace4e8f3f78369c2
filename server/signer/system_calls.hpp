// SPDX-License-Identifier: MIT
// What a signer may ask of the kernel: to talk on descriptors that it has, and memory.
#pragma once

#include "base/result.hpp"

namespace signer {

// From now on anything else ends the process (SIGSYS), since nothing else can be but an attack.
// Needs no_new_privs.
[[nodiscard]] base::Result<void> allow_signing_only();

}  // namespace signer
