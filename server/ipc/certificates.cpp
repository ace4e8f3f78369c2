// SPDX-License-Identifier: MIT
// Certificates as bytes; runs in the signer, the supervisor and the spawner.
#include "ipc/certificates.hpp"

#include "ipc/codec.hpp"

#include <cerrno>

namespace ipc {

using base::Error;
using base::Result;

namespace {

constexpr std::uint32_t format = 1;

// Two lengths, a number, a flag and a count: no certificate takes less.
constexpr std::size_t least_size = key_id_size + 24;

void put_certificate(std::string& out, const Certificate& c) {
    put(out, std::string_view(c.file));
    out.append(reinterpret_cast<const char*>(c.key.data()), c.key.size());
    put(out, c.not_after);
    put(out, std::uint32_t{c.by_name_only});
    put(out, static_cast<std::uint32_t>(c.names.size()));
    for (const auto& name : c.names) put(out, std::string_view(name));
    put(out, std::string_view(c.chain));
}

Certificate read_certificate(Reader& in) {
    Certificate c;
    c.file = in.text();
    for (auto& byte : c.key) byte = in.number<std::uint8_t>();
    c.not_after = in.number<std::int64_t>();
    c.by_name_only = in.flag();
    c.names.resize(in.count(sizeof(std::uint32_t)));
    for (auto& name : c.names) name = in.text();
    c.chain = in.text();
    return c;
}

}  // namespace

std::int64_t days_left(const Certificate& certificate, std::int64_t now) {
    constexpr std::int64_t day = 86400;
    const auto seconds = certificate.not_after - now;
    return seconds >= 0 ? seconds / day : -((-seconds + day - 1) / day);
}

std::string serialise(const std::vector<Certificate>& certificates) {
    std::string out;
    put(out, format);
    put(out, static_cast<std::uint32_t>(certificates.size()));
    for (const auto& each : certificates) put_certificate(out, each);
    return out;
}

Result<std::vector<Certificate>> parse_certificates(std::string_view bytes) {
    Reader in(bytes);
    if (in.number() != format) return Error{"certificates of another version", EPROTO};
    std::vector<Certificate> certificates(in.count(least_size));
    for (auto& each : certificates) each = read_certificate(in);
    if (!in.complete()) return Error{"malformed certificates", EPROTO};
    return certificates;
}

}  // namespace ipc
