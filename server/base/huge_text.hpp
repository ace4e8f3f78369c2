// SPDX-License-Identifier: MIT
// The program's code in huge pages; runs in the spawner.
#pragma once

namespace base {

// Puts a copy of this program's code in the place of what is mapped from its file, where the kernel
// gives huge pages for it and nobody forbids that (vm.memfd_noexec, SELinux); else all stays as it
// is. A fork then copies an entry for each 2 MiB, and a child asks for no page of it: a tenth
// of what a login costs. Only for programs whose segments are 2 MiB apart.
void text_into_huge_pages();

}  // namespace base
