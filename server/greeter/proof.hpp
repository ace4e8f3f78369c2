// SPDX-License-Identifier: MIT
// Another client's certificate, looked at for the supervisor by a greeter that has no client of its
// own; it ends with the answer.
#pragma once

#include "ipc/channel.hpp"
#include "tls/context.hpp"

#include <string_view>

namespace greeter {

// first: a ProofPart. The result is the exit code.
[[nodiscard]] int look_at_proof(ipc::Channel channel, ipc::Message first,
                                const tls::Context& context, std::string_view field);

}  // namespace greeter
