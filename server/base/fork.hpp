// SPDX-License-Identifier: MIT
// Cheap forks; runs in processes whose children do the work.
#pragma once

namespace base {

// Once, before the first fork and after all preparations: what a child then allocates lies behind
// what is there, instead of in gaps all over the heap, each of which would be a page to copy.
void prepare_to_fork();

// In a child that has done most of its work and will wait for long.
void shrink_heap();

}  // namespace base
