// SPDX-License-Identifier: MIT
// Virtual paths: text only, nothing is looked up. Runs in the session, and in what reads
// configurations.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ftp {

inline constexpr std::size_t longest_path = 4096;      // PATH_MAX, a NUL included
inline constexpr std::size_t longest_component = 255;  // NAME_MAX

// What a client's argument means, beginning with "/": "~" and "~/x" are below home, relative ones
// below cwd.
// "." and ".." are left in, because only the file system knows what is above a symbolic link's
// target.
[[nodiscard]] std::string absolute(std::string_view cwd, std::string_view argument,
                                   std::string_view home);

// "ann" of "~ann" and "~ann/x" (tilde_user_enable); nothing for "~" and all else.
[[nodiscard]] std::optional<std::string_view> tilde_user(std::string_view argument);

// Without ".", "..", doubled and trailing slashes, always beginning with "/"; ".." never climbs
// above "/".
[[nodiscard]] std::string normalised(std::string_view path);

// normalised(absolute(...))
[[nodiscard]] std::string join(std::string_view cwd, std::string_view argument,
                               std::string_view home);

// Short enough for the kernel, as a whole and in each part, and free of NUL.
[[nodiscard]] bool fits(std::string_view path);

// Where an object is made, removed or renamed: "/a/b/" -> "/a" and "b" (the parent keeps its ".."
// and links; trailing slashes do not count). Nothing for "/", and when the last part is "." or
// "..".
struct Place {
    std::string parent;  // beginning with "/"
    std::string name;    // without "/"
    bool slash = false;  // there was a trailing slash: only a directory is meant
};
[[nodiscard]] std::optional<Place> place(std::string_view absolute_path);

// In double quotes, those inside doubled, for 257.
[[nodiscard]] std::string quoted(std::string_view path);

}  // namespace ftp
