// SPDX-License-Identifier: MIT
// Process titles, written over arguments and environment; runs in every process.
#include "base/title.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <sys/prctl.h>
#include <unistd.h>

namespace base::title {
namespace {

char* room = nullptr;
std::size_t room_size = 0;
std::size_t arguments_size = 0;

// Takes the text that starts where the last one ended, and leaves a copy of it in its place, which
// is never freed: getenv's callers keep pointers.
void take(char*& text, char*& end) {
    if (text != end) return;
    end += std::strlen(text) + 1;
    if (char* copy = ::strdup(text)) text = copy;
}

}  // namespace

void prepare(int argc, char** argv) {
    if (argc == 0 || room != nullptr) return;
    room = argv[0];
    char* end = room;
    for (int i = 0; i < argc; ++i) take(argv[i], end);
    arguments_size = static_cast<std::size_t>(end - room);
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable)
        take(*variable, end);
    room_size = static_cast<std::size_t>(end - room);
    ::program_invocation_name = argv[0];
    ::program_invocation_short_name = argv[0];
    // exec of /proc/self/exe made it "exe".
    (void)::prctl(PR_SET_NAME, "jailftpd", 0, 0, 0);
}

void set(std::string_view title) {
    if (room_size < 2) return;
    title = title.substr(0, room_size - 1);
    std::transform(title.begin(), title.end(), room, [](char each) {
        const auto byte = static_cast<unsigned char>(each);
        return byte < 0x20 || byte == 0x7f ? '?' : each;
    });
    std::memset(room + title.size(), 0, room_size - title.size());
    // Where the arguments no longer end in NUL, the kernel shows one text up to its own NUL and not
    // the row of empty arguments behind it.
    if (title.size() + 1 < arguments_size) room[arguments_size - 1] = '.';
}

}  // namespace base::title
