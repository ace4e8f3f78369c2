// SPDX-License-Identifier: MIT
// What the program and its libraries never write to, in huge pages; runs in the spawner.
#pragma once

namespace base {

// Puts a copy of this program's code and constants, and of all whole huge pages of its libraries
// that nobody writes to (nearly all that libcrypto has), in the place of what is mapped from their
// files, where the kernel gives huge pages for it and nobody forbids that (vm.memfd_noexec,
// SELinux); else all stays as it is. A fork then copies no entry of it, and a child asks for it
// once for each 2 MiB: of the CPU of a login a tenth for the code and nearly as much again for the
// rest. Only for programs whose segments are 2 MiB apart.
void text_into_huge_pages();

}  // namespace base
