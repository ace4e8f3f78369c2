// SPDX-License-Identifier: MIT
// Conversations with a client that knows TLS, side by side.
#pragma once

#include "tests/sessions/side_by_side/side_by_side.hpp"

namespace sessions {

// Certificates for servers: two with RSA, two with elliptic curves, each with its name; and a
// client's with whose issued it. Their keys are in files of their own, too.
void certificates();

// A client that knows TLS 1.2; its certificate is a file. And one that starts with the handshake.
[[nodiscard]] Habits tls_1_2(const char* certificate = "");
[[nodiscard]] Habits implicit();

// AUTH TLS, the login and PROT P before the rest.
[[nodiscard]] Steps securely(const Account& account, Steps more = {});

// With TLS switched on, and these options.
[[nodiscard]] Talk over_tls(const Lines& more, Steps steps, Habits habits = tls_1_2());

}  // namespace sessions
