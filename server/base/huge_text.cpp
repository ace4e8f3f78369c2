// SPDX-License-Identifier: MIT
// What the program and its libraries never write to, in huge pages; runs in the spawner.
#include "base/huge_text.hpp"

#include "base/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25  // Linux 6.1
#endif

namespace base {
namespace {

constexpr std::uintptr_t page = 4096;  // others have huge pages of another size
constexpr std::uintptr_t huge = 2 << 20;

struct Area {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    int protection = PROT_READ | PROT_EXEC;
};

std::uintptr_t down(std::uintptr_t address, std::uintptr_t unit) { return address & ~(unit - 1); }
std::uintptr_t up(std::uintptr_t address, std::uintptr_t unit) {
    return down(address + unit - 1, unit);
}

void* pointer(std::uintptr_t address) { return reinterpret_cast<void*>(address); }

// The segments of the program to which nobody writes: its code and its constants.
std::vector<Area> constant_segments_of(const dl_phdr_info& program) {
    std::vector<Area> found;
    for (int i = 0; i < program.dlpi_phnum; ++i) {
        const auto& segment = program.dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
        const auto begin = program.dlpi_addr + segment.p_vaddr;
        const int code = (segment.p_flags & PF_X) != 0 ? PROT_EXEC : 0;
        found.push_back({down(begin, page), up(begin + segment.p_memsz, page), PROT_READ | code});
    }
    return found;
}

// The whole huge pages in what a library never writes to. Its segments lie side by side, so its
// constants and tables in there become executable with its code, as linkers had them for decades;
// nothing becomes writable.
Area constant_part_of(const dl_phdr_info& library) {
    Area found;
    for (int i = 0; i < library.dlpi_phnum; ++i) {
        const auto& segment = library.dlpi_phdr[i];
        if (segment.p_type != PT_LOAD) continue;
        if ((segment.p_flags & PF_W) != 0) break;
        const auto begin = down(library.dlpi_addr + segment.p_vaddr, page);
        if (found.begin == 0) found = {begin, begin};
        if (begin != found.end) break;
        found.end = up(library.dlpi_addr + segment.p_vaddr + segment.p_memsz, page);
    }
    return {up(found.begin, huge), down(found.end, huge)};
}

// What lies around a segment up to the next huge page must be nobody's.
bool reserve(std::uintptr_t begin, std::uintptr_t end) {
    if (begin == end) return true;
    constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    return ::mmap(pointer(begin), end - begin, PROT_NONE, flags, -1, 0) == pointer(begin);
}

// The place: whole huge pages around the content, and all of it replaced.
void replace(const Area& content, const Area& place) {
    // Of a file, so that nothing is writable that then becomes code (MemoryDenyWriteExecute= of
    // systemd forbids it), nor is written to later on.
    const auto size = place.end - place.begin;
    const Fd file{::memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    constexpr int for_ever = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    const auto length = content.end - content.begin;
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(size)) < 0 ||
        ::pwrite(file.get(), pointer(content.begin), length,
                 static_cast<off_t>(content.begin - place.begin)) != static_cast<ssize_t>(length) ||
        ::fcntl(file.get(), F_ADD_SEALS, for_ever) < 0)
        return;
    void* room = ::mmap(nullptr, size + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return;
    const auto begin = reinterpret_cast<std::uintptr_t>(room);
    auto* const copy = pointer(up(begin, huge));
    // At once and as a whole, for this is what is running.
    if (::mmap(copy, size, content.protection, MAP_PRIVATE | MAP_FIXED, file.get(), 0) == copy &&
        ::madvise(copy, size, MADV_COLLAPSE) == 0)
        (void)::mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, pointer(place.begin));
    (void)::munmap(room, size + huge);
}

struct Found {
    bool any = false;
    std::vector<Area> program;    // its segments; it comes first
    std::vector<Area> libraries;  // what of them can be replaced as it stands
};

int find(dl_phdr_info* object, std::size_t, void* result) {
    auto& found = *static_cast<Found*>(result);
    if (!std::exchange(found.any, true)) {
        found.program = constant_segments_of(*object);
        return 0;
    }
    const auto part = constant_part_of(*object);
    if (part.begin < part.end) found.libraries.push_back(part);
    return 0;
}

}  // namespace

void text_into_huge_pages() {
    if (static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE)) != page) return;
    // Nothing is replaced while the list of what is loaded is walked.
    Found found;
    ::dl_iterate_phdr(find, &found);
    for (const auto& each : found.program) {
        const Area place{down(each.begin, huge), up(each.end, huge)};
        if (reserve(place.begin, each.begin) && reserve(each.end, place.end)) replace(each, place);
    }
    for (const auto& part : found.libraries) replace(part, part);
}

}  // namespace base
