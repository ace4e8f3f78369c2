// SPDX-License-Identifier: MIT
// Resource limits of a jailed process, soft and hard at once.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <span>

namespace jail {

enum class Resource {
    core_size,
    processes,
    open_files,
    file_size,
    address_space,  // not with the sanitizers, which map terabytes
    locked_memory,
    message_queues,
};

struct Limit {
    Resource resource;
    std::uint64_t value;
};

// A limit that is lower already stays as it is: nothing is ever raised.
[[nodiscard]] base::Result<void> limit(std::span<const Limit> limits);

}  // namespace jail
