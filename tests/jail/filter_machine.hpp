// SPDX-License-Identifier: MIT
// Runs a system call filter as the kernel does, without a process that would die of it: for other
// architectures, too.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <linux/filter.h>

namespace filter_machine {

struct Request {
    std::uint32_t architecture = 0;  // AUDIT_ARCH_...
    std::uint32_t number = 0;
    std::array<std::uint64_t, 6> arguments{};
};

// SECCOMP_RET_...; a program that is no filter throws.
[[nodiscard]] std::uint32_t run(std::span<const sock_filter> program, const Request& request);

}  // namespace filter_machine
