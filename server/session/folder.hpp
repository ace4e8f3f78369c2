// SPDX-License-Identifier: MIT
// The names in a folder and what the kernel tells of each; runs in the session.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ftp/listing.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace session {

// Many names at a time, straight from the kernel: a folder of a million needs no more memory here
// than an empty one.
class FolderReader {
  public:
    // From where its descriptor stands: of one just opened, the first name.
    explicit FolderReader(const base::Fd& folder);

    struct Name {
        std::string_view name;   // a NUL follows; good until the next call
        unsigned char type = 0;  // DT_DIR ...; DT_UNKNOWN where the file system does not say
    };
    // Nothing at the end. "." and ".." are among them.
    [[nodiscard]] base::Result<std::optional<Name>> next();

  private:
    const base::Fd& folder_;
    std::unique_ptr<std::byte[]> buffer_;
    std::size_t at_ = 0;
    std::size_t end_ = 0;
};

// The numbers of an entry, of the very thing (links are not followed). An empty `name` is the
// folder itself, or what an O_PATH descriptor was opened for. `wanted` are STATX_ bits.
[[nodiscard]] base::Result<void> look_at(const base::Fd& folder, const char* name, unsigned wanted,
                                         ftp::Entry& entry);

// Where a link leads; empty when that cannot be told.
[[nodiscard]] std::string link_target(const base::Fd& folder, const char* name);

}  // namespace session
