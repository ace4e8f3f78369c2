// SPDX-License-Identifier: MIT
// The table of attacks, and what they have in common; runs in a process that stands in a jail.
#include "proof/attack.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace proof {

using base::Error;
using base::Fd;
using base::Result;

std::span<const Chapter> chapters() {
    // clang-format off
    static const Chapter all[] = {
        {Group::beneath,    "A client's paths, as the session follows them (whatever the layers)",
                                          attacks_by_paths()},
        {Group::files,      "Files, by a process that was taken over",
                                          attacks_on_files()},
        {Group::privileges, "Rights",     attacks_on_privileges()},
        {Group::processes,  "Processes",  attacks_on_processes()},
        {Group::network,    "Network",    attacks_on_network()},
        {Group::handed,     "A socket that was handed over (only the system call filter confines it)",
                                          attacks_by_handed_socket()},
        {Group::kernel,     "The kernel", attacks_on_kernel()},
    };
    // clang-format on
    return all;
}

Result<int> checked(long result, const char* what) {
    if (result < 0) return base::system_error(what);
    return static_cast<int>(result);
}

Result<void> expect_token(const Scene& scene, const Fd& file) {
    char content[64];
    const auto length = ::read(file.get(), content, sizeof content);
    if (length < 0) return base::system_error("read");
    if (std::string_view(content, static_cast<std::size_t>(length)) != scene.token)
        return Error{"another file is there", EBADF};
    return base::success();
}

Result<void> read_token(const Scene& scene, int folder, const std::string& path) {
    const Fd file{::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!file) return base::system_error("open");
    return expect_token(scene, file);
}

Result<void> read_token(const Scene& scene, const std::string& path) {
    return read_token(scene, AT_FDCWD, path);
}

}  // namespace proof
