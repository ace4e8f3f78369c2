// SPDX-License-Identifier: MIT
// Process titles, written over arguments and environment; runs in every process.
#include "base/title.hpp"

#include <cstdlib>
#include <cstring>

#include <sys/prctl.h>
#include <unistd.h>

namespace base::title {
namespace {

char* room = nullptr;
std::size_t room_size = 0;

}  // namespace

void prepare(int argc, char** argv) {
    if (argc == 0 || room != nullptr) return;
    char* end = argv[argc - 1] + std::strlen(argv[argc - 1]) + 1;
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
        if (*variable == end) end += std::strlen(*variable) + 1;
        // Never freed: getenv's callers keep pointers into it.
        if (char* copy = ::strdup(*variable)) *variable = copy;
    }
    room = argv[0];
    room_size = static_cast<std::size_t>(end - argv[0]);
    // exec of /proc/self/exe made it "exe".
    (void)::prctl(PR_SET_NAME, "jailftpd", 0, 0, 0);
}

void set(std::string_view title) {
    if (room_size < 2) return;
    const auto length = title.size() < room_size - 1 ? title.size() : room_size - 1;
    std::memcpy(room, title.data(), length);
    std::memset(room + length, 0, room_size - length);
}

}  // namespace base::title
