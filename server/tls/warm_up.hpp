// SPDX-License-Identifier: MIT
// Handshakes of the spawner with itself: what OpenSSL looks up or makes when it is first asked for
// (algorithms, locks, tables) is then there before the fork, and no child does it again.
#pragma once

#include "base/result.hpp"
#include "tls/context.hpp"

namespace tls {

// With a key and a certificate that are for this alone.
[[nodiscard]] base::Result<void> warm_up(Settings settings);

}  // namespace tls
