// SPDX-License-Identifier: MIT
// The bytes that a server signs, from their fields and back; runs in greeters, sessions and the
// signer.
#include "tls/to_be_signed.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace tls {

using base::Error;
using base::Result;
using std::string_view_literals::operator""sv;

namespace {

// RFC 8446 4.4.3: 64 blanks, this and its NUL byte, the hash.
constexpr std::size_t blanks = 64;
constexpr auto context = "TLS 1.3, server CertificateVerify\0"sv;
constexpr std::size_t before_hash = blanks + context.size();

// RFC 8422 5.4: the randoms, "named_curve", the curve's number, the point with its length.
constexpr unsigned char named_curve = 3;
constexpr std::size_t before_point = 2 * ipc::random_size + 4;

bool starts_as_certificate_verify(std::span<const unsigned char> bytes) {
    return bytes.size() >= before_hash &&
           std::all_of(bytes.begin(), bytes.begin() + blanks, [](auto c) { return c == ' '; }) &&
           std::memcmp(bytes.data() + blanks, context.data(), context.size()) == 0;
}

// SHA-256 or SHA-384, the hashes of TLS 1.3's cipher suites.
bool valid(const CertificateVerify& verify) {
    return verify.hash.size() == 32 || verify.hash.size() == 48;
}

bool valid(const ServerKeyExchange& exchange) {
    const auto* curve = exchange_curve(exchange.curve);
    return curve != nullptr && exchange.point.size() == curve->point_size &&
           (!curve->uncompressed || exchange.point.front() == 4);
}

// In its place: g++ 12 sees uninitialised memory in moves of variants.
template <typename Kind>
Result<Content> made(Kind kind) {
    return Result<Content>{std::in_place_type<Content>, std::move(kind)};
}

Result<Content> parse_server_key_exchange(std::span<const unsigned char> bytes) {
    if (bytes.size() < before_point) return Error{"too short to be a ServerKeyExchange", EINVAL};
    ServerKeyExchange exchange;
    const auto randoms = bytes.begin();
    std::copy_n(randoms, ipc::random_size, exchange.client_random.begin());
    std::copy_n(randoms + ipc::random_size, ipc::random_size, exchange.server_random.begin());
    const auto rest = bytes.subspan(2 * ipc::random_size);
    exchange.curve = static_cast<std::uint16_t>(rest[1] << 8 | rest[2]);
    const auto point = bytes.subspan(before_point);
    exchange.point.assign(point.begin(), point.end());
    if (rest[0] != named_curve || rest[3] != point.size() || !valid(exchange))
        return Error{"neither a CertificateVerify nor a ServerKeyExchange of known curve", EINVAL};
    return made(std::move(exchange));
}

void append(Bytes& out, std::span<const unsigned char> bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

struct Builder {
    Result<Bytes> operator()(const CertificateVerify& verify) const {
        if (!valid(verify)) return Error{"no hash of a TLS 1.3 handshake", EINVAL};
        Bytes out(blanks, ' ');
        append(out, {reinterpret_cast<const unsigned char*>(context.data()), context.size()});
        append(out, verify.hash);
        return out;
    }
    Result<Bytes> operator()(const ServerKeyExchange& exchange) const {
        if (!valid(exchange)) return Error{"no point of a known curve", EINVAL};
        Bytes out;
        append(out, exchange.client_random);
        append(out, exchange.server_random);
        const auto high = static_cast<unsigned char>(exchange.curve >> 8);
        const auto low = static_cast<unsigned char>(exchange.curve & 0xFF);
        const auto size = static_cast<unsigned char>(exchange.point.size());
        append(out, std::array{named_curve, high, low, size});
        append(out, exchange.point);
        return out;
    }
};

std::string_view text(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

}  // namespace

Result<Content> parse_content(std::span<const unsigned char> bytes) {
    if (!starts_as_certificate_verify(bytes)) return parse_server_key_exchange(bytes);
    const auto hash = bytes.subspan(before_hash);
    CertificateVerify verify{{hash.begin(), hash.end()}};
    if (!valid(verify)) return Error{"no hash of a TLS 1.3 handshake", EINVAL};
    return made(std::move(verify));
}

Result<Bytes> bytes_of(const Content& content) { return std::visit(Builder{}, content); }

ipc::ToSign to_message(const ToBeSigned& what) {
    ipc::ToSign message{};
    std::copy(what.key.begin(), what.key.end(), message.key);
    message.scheme = static_cast<std::uint16_t>(what.scheme);
    if (const auto* verify = std::get_if<CertificateVerify>(&what.content)) {
        message.kind = ipc::Handshake::certificate_verify;
        message.hash.assign(text(verify->hash));
        return message;
    }
    const auto& exchange = std::get<ServerKeyExchange>(what.content);
    message.kind = ipc::Handshake::server_key_exchange;
    std::copy(exchange.client_random.begin(), exchange.client_random.end(), message.client_random);
    std::copy(exchange.server_random.begin(), exchange.server_random.end(), message.server_random);
    message.curve = exchange.curve;
    message.point.assign(text(exchange.point));
    return message;
}

Result<ToBeSigned> from_message(const ipc::ToSign& message) {
    if (!message.hash.valid() || !message.point.valid())
        return Error{"a length that is not true", EINVAL};
    ToBeSigned what;
    std::copy(std::begin(message.key), std::end(message.key), what.key.begin());
    what.scheme = static_cast<Scheme>(message.scheme);
    if (facts_of(what.scheme) == nullptr) return Error{"no such scheme", EINVAL};
    switch (message.kind) {
        case ipc::Handshake::certificate_verify:
            what.content = CertificateVerify{bytes(message.hash.view())};
            return what;
        case ipc::Handshake::server_key_exchange: {
            ServerKeyExchange exchange;
            std::copy(std::begin(message.client_random), std::end(message.client_random),
                      exchange.client_random.begin());
            std::copy(std::begin(message.server_random), std::end(message.server_random),
                      exchange.server_random.begin());
            exchange.curve = message.curve;
            exchange.point = bytes(message.point.view());
            what.content = std::move(exchange);
            return what;
        }
    }
    return Error{"no such handshake message", EINVAL};
}

}  // namespace tls
