// SPDX-License-Identifier: MIT
// Admissions as bytes, and sealed memory; runs in the authenticator, the helpers and sessions.
#include "ipc/admission.hpp"

#include "ipc/codec.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipc {

using base::Error;
using base::Fd;
using base::Result;
using base::system_error;

namespace {

constexpr std::uint32_t format = 5;
constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
constexpr unsigned no_exec = 0x0008U;  // MFD_NOEXEC_SEAL; C libraries learn it later than kernels

// The fields, in the order in which they travel; for reading and writing alike.
template <typename A>
auto flags_of(A& a) {
    return std::array{&a.anonymous,
                      &a.guest,
                      &a.anonymous_rights,
                      &a.jailed,
                      &a.writable_root_allowed,
                      &a.start_may_fail,
                      &a.root_is_mount,
                      &a.root_read_only,
                      &a.by_certificate};
}

template <typename A>
auto texts_of(A& a) {
    return std::array{&a.user,
                      &a.root,
                      &a.start,
                      &a.home,
                      &a.password_shown,
                      &a.overrides,
                      &a.writable_root_hint};
}

bool has_nul(const std::string& text) { return text.find('\0') != text.npos; }

}  // namespace

std::string serialise(const Admission& a) {
    std::string out;
    put(out, format);
    put(out, static_cast<std::uint32_t>(a.uid));
    put(out, static_cast<std::uint32_t>(a.gid));
    put(out, static_cast<std::uint32_t>(a.groups.size()));
    for (const auto group : a.groups) put(out, static_cast<std::uint32_t>(group));
    put(out, static_cast<std::uint32_t>(a.limits.size()));
    for (const auto& limit : a.limits) {
        put(out, static_cast<std::uint32_t>(limit.resource));
        put(out, limit.soft);
        put(out, limit.hard);
    }
    put(out, static_cast<std::uint32_t>(a.umask));
    for (const bool* flag : flags_of(a)) put(out, *flag ? 1U : 0U);
    for (const auto* text : texts_of(a)) put(out, std::string_view(*text));
    put(out, static_cast<std::uint32_t>(a.binds.size()));
    for (const auto& bind : a.binds) {
        put(out, std::string_view(bind.target));
        put(out, bind.writable ? 1U : 0U);
    }
    return out;
}

Result<Admission> parse_admission(std::string_view bytes) {
    Reader in(bytes);
    Admission a;
    if (in.number() != format) return Error{"admission of another version", EPROTO};
    a.uid = in.number();
    a.gid = in.number();
    a.groups.resize(in.count(sizeof(std::uint32_t)));
    for (auto& group : a.groups) group = in.number();
    a.limits.resize(in.count(sizeof(std::uint32_t) + 2 * sizeof(std::uint64_t)));
    for (auto& limit : a.limits) {
        limit.resource = static_cast<std::int32_t>(in.number());
        limit.soft = in.number<std::uint64_t>();
        limit.hard = in.number<std::uint64_t>();
    }
    a.umask = in.number() & 0777;
    for (bool* flag : flags_of(a)) *flag = in.flag();
    for (auto* text : texts_of(a)) *text = in.text();
    a.binds.resize(in.count(2 * sizeof(std::uint32_t)));
    for (auto& bind : a.binds) {
        bind.target = in.text();
        bind.writable = in.flag();
    }
    if (!in.complete()) return Error{"malformed admission", EPROTO};
    // These become paths, which C would cut there.
    const bool in_bind = std::any_of(a.binds.begin(), a.binds.end(),
                                     [](const Bind& bind) { return has_nul(bind.target); });
    if (in_bind || has_nul(a.root) || has_nul(a.start) || has_nul(a.home))
        return Error{"an admission with a NUL byte in a path", EPROTO};
    return a;
}

Result<Fd> sealed(std::string_view bytes, const char* name) {
    constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    Fd memory{::memfd_create(name, flags | no_exec)};
    // Kernels before 6.3 do not know that these bytes are no program.
    if (!memory && errno == EINVAL) memory = Fd{::memfd_create(name, flags)};
    if (!memory) return system_error("memfd_create");
    while (!bytes.empty()) {
        const auto written = ::write(memory.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return system_error("cannot fill a memfd");
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fcntl(memory.get(), F_ADD_SEALS, seals) < 0) return system_error("cannot seal a memfd");
    return memory;
}

Result<std::string> read_sealed(const Fd& memory, std::size_t limit) {
    const int present = ::fcntl(memory.get(), F_GET_SEALS);
    if (present < 0 || (present & seals) != seals) return Error{"not a sealed memfd", EPROTO};
    struct stat status {};
    if (::fstat(memory.get(), &status) < 0) return system_error("fstat");
    if (static_cast<std::uint64_t>(status.st_size) > limit)
        return Error{"a memfd that is too large", EPROTO};
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto got = ::pread(memory.get(), bytes.data() + done, bytes.size() - done,
                                 static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return system_error("cannot read a memfd", got < 0 ? errno : EIO);
        done += static_cast<std::size_t>(got);
    }
    return bytes;
}

}  // namespace ipc
