// SPDX-License-Identifier: MIT
// Counts the hashes that are made in this process, whoever makes them: the modules of PAM call
// crypt_r of the C library, and the program's function comes before the library's.
#pragma once

namespace authenticator {

// Since the process began, without those that were refused at no cost.
[[nodiscard]] int hashes_made();

// Is told the setting of each, if there is one.
extern void (*hash_observer)(const char* setting);

}  // namespace authenticator
