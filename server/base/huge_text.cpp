// SPDX-License-Identifier: MIT
// The program's code in huge pages; runs in the spawner.
#include "base/huge_text.hpp"

#include "base/fd.hpp"

#include <cstddef>
#include <cstdint>

#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25  // Linux 6.1
#endif

namespace base {
namespace {

constexpr std::uintptr_t huge = 2 << 20;

struct Area {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
};

std::uintptr_t down(std::uintptr_t address, std::uintptr_t unit) { return address & ~(unit - 1); }
std::uintptr_t up(std::uintptr_t address, std::uintptr_t unit) {
    return down(address + unit - 1, unit);
}

void* pointer(std::uintptr_t address) { return reinterpret_cast<void*>(address); }

int find_text(dl_phdr_info* object, std::size_t, void* found) {
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
        const auto begin = object->dlpi_addr + segment.p_vaddr;
        *static_cast<Area*>(found) = {begin, begin + segment.p_memsz};
    }
    return 1;  // the program itself comes first, and is all that is asked for
}

// What lies around the code up to the next huge page must be nobody's.
bool reserve(std::uintptr_t begin, std::uintptr_t end) {
    if (begin == end) return true;
    constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    return ::mmap(pointer(begin), end - begin, PROT_NONE, flags, -1, 0) == pointer(begin);
}

}  // namespace

void text_into_huge_pages() {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    if (page != 4096) return;  // others have huge pages of another size
    Area text;
    ::dl_iterate_phdr(find_text, &text);
    text = {down(text.begin, page), up(text.end, page)};
    const Area place{down(text.begin, huge), up(text.end, huge)};
    if (!reserve(place.begin, text.begin) || !reserve(text.end, place.end)) return;

    // Of a file, so that nothing is writable that then becomes code (MemoryDenyWriteExecute= of
    // systemd forbids it), nor is written to later on.
    const auto size = place.end - place.begin;
    const Fd file{::memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    constexpr int for_ever = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    const auto length = text.end - text.begin;
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(size)) < 0 ||
        ::pwrite(file.get(), pointer(text.begin), length,
                 static_cast<off_t>(text.begin - place.begin)) != static_cast<ssize_t>(length) ||
        ::fcntl(file.get(), F_ADD_SEALS, for_ever) < 0)
        return;
    void* room = ::mmap(nullptr, size + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return;
    const auto begin = reinterpret_cast<std::uintptr_t>(room);
    auto* const copy = pointer(up(begin, huge));
    // At once and as a whole, for this is what is running.
    if (::mmap(copy, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, file.get(), 0) == copy &&
        ::madvise(copy, size, MADV_COLLAPSE) == 0)
        (void)::mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, pointer(place.begin));
    (void)::munmap(room, size + huge);
}

}  // namespace base
