// SPDX-License-Identifier: MIT
// HASH: digests of files; runs in the session.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ftp/features.hpp"

#include <cstdint>
#include <string>

namespace session {

class Watch;

// Lower-case hexadecimal digits of `length` bytes from `offset`. ECANCELED when the watch ends it,
// EIO when the file is shorter.
[[nodiscard]] base::Result<std::string> digest(const base::Fd& file, ftp::HashAlgorithm algorithm,
                                               std::uint64_t offset, std::uint64_t length,
                                               Watch& watch);

// How many bytes a download in TYPE A would have.
[[nodiscard]] base::Result<std::uint64_t> ascii_size(const base::Fd& file, Watch& watch);

}  // namespace session
