// SPDX-License-Identifier: MIT
// What may be signed, byte for byte, and what may not.
#include "tls/to_be_signed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace {

using tls::Bytes;
using tls::CertificateVerify;
using tls::Content;
using tls::Scheme;
using tls::ServerKeyExchange;
using tls::ToBeSigned;

Bytes bytes(const std::string& text) { return {text.begin(), text.end()}; }

const std::string words = "TLS 1.3, server CertificateVerify";
const std::string blanks(64, ' ');

std::string verify(std::size_t hash) {
    return blanks + words + std::string(1, '\0') + std::string(hash, 'h');
}

// The curve's number, the length that is said, and the point.
std::string exchange(char curve, char length, const std::string& point, char type = 3) {
    return std::string(32, 'c') + std::string(32, 's') + type + '\0' + curve + length + point;
}

std::string point(std::size_t size, char first = 4) {
    return std::string(1, first) + std::string(size - 1, 'p');
}

TEST(Bytes, OfACertificateVerifyAreThoseOfTheRfc) {
    const auto built = tls::bytes_of(CertificateVerify{Bytes(32, 'h')});
    ASSERT_TRUE(built);
    EXPECT_EQ(built.value(), bytes(verify(32)));
}

TEST(Bytes, OfAServerKeyExchangeAreThoseOfTheRfc) {
    ServerKeyExchange fields;
    fields.client_random.fill('c');
    fields.server_random.fill('s');
    fields.curve = 29;
    fields.point = Bytes(32, 'p');
    const auto built = tls::bytes_of(fields);
    ASSERT_TRUE(built);
    EXPECT_EQ(built.value(), bytes(exchange(29, 32, std::string(32, 'p'))));
}

TEST(WhatMayBeSigned, IsTakenApartAndPutTogetherAgain) {
    const std::string cases[] = {
        verify(32),
        verify(48),
        exchange(23, 65, point(65)),
        exchange(24, 97, point(97)),
        exchange(25, static_cast<char>(133), point(133)),
        exchange(29, 32, std::string(32, 'x')),
        exchange(30, 56, std::string(56, 'x')),
        // randoms that look like the beginning of the other kind
        blanks + '\3' + '\0' + '\x1d' + ' ' + std::string(32, 'T'),
    };
    for (const auto& each : cases) {
        const auto content = tls::parse_content(bytes(each));
        ASSERT_TRUE(content) << each;
        const auto again = tls::bytes_of(content.value());
        ASSERT_TRUE(again);
        EXPECT_EQ(again.value(), bytes(each));

        const ToBeSigned what{{1, 2, 3}, Scheme::rsa_pss_rsae_sha256, content.value()};
        const auto back = tls::from_message(tls::to_message(what));
        ASSERT_TRUE(back);
        EXPECT_EQ(back.value().key, what.key);
        EXPECT_EQ(back.value().scheme, what.scheme);
        EXPECT_EQ(back.value().content, what.content);
    }
}

TEST(WhatMayBeSigned, IsNothingElse) {
    auto client_words = verify(32);
    client_words.replace(64, words.size(), "TLS 1.3, client CertificateVerify");
    auto no_nul = verify(32);
    no_nul[64 + words.size()] = ' ';
    const std::string cases[] = {
        "",
        "anything",
        std::string(32, 'h'),
        verify(0),
        verify(20),
        verify(31),
        verify(33),
        verify(47),
        verify(49),
        verify(64),
        client_words,
        no_nul,
        blanks + blanks + verify(32),
        verify(32).substr(1),
        exchange(23, 64, point(64)),
        exchange(23, 65, point(66)),
        exchange(23, 65, point(65)) + "x",
        exchange(23, 65, point(65, 3)),
        exchange(23, 65, point(65, 0)),
        exchange(23, 33, point(33, 2)),  // compressed
        exchange(23, 65, point(65), 1),  // a curve of the server's own making
        exchange(23, 65, point(65), 2),
        exchange(26, 65, point(65)),  // brainpool
        exchange(0, 32, std::string(32, 'x')),
        exchange(29, 31, std::string(31, 'x')),
        exchange(29, 33, std::string(33, 'x')),
        exchange(29, 0, ""),
        exchange(23, 65, point(65)).substr(0, 67),
    };
    for (const auto& each : cases)
        EXPECT_FALSE(tls::parse_content(bytes(each))) << testing::PrintToString(each);
}

TEST(WhatMayBeSigned, IsRefusedByTheBuilderAsWell) {
    for (const std::size_t size : {0U, 31U, 33U, 64U})
        EXPECT_FALSE(tls::bytes_of(CertificateVerify{Bytes(size)})) << size;
    ServerKeyExchange fields;
    fields.curve = 23;
    fields.point = bytes(point(65));
    EXPECT_TRUE(tls::bytes_of(fields));
    for (const auto curve : {0, 22, 24, 26, 29, 256, 0x1700, 0xFFFF}) {
        auto changed = fields;
        changed.curve = static_cast<std::uint16_t>(curve);
        EXPECT_FALSE(tls::bytes_of(changed)) << curve;
    }
    fields.point.front() = 6;
    EXPECT_FALSE(tls::bytes_of(fields));
    fields.point.clear();
    EXPECT_FALSE(tls::bytes_of(fields));
}

TEST(Messages, ThatSayWhatCannotBeAreRefused) {
    const ToBeSigned what{{}, Scheme::ed25519, CertificateVerify{Bytes(32)}};
    const auto good = tls::to_message(what);
    ASSERT_TRUE(tls::from_message(good));
    const auto refused = [&](auto change) {
        auto message = good;
        change(message);
        const auto parsed = tls::from_message(message);
        return !parsed && parsed.error().number == EINVAL;
    };
    EXPECT_TRUE(refused([](auto& m) { m.hash.length = ipc::longest_hash + 1; }));
    EXPECT_TRUE(refused([](auto& m) { m.point.length = 0xFFFFFFFF; }));
    EXPECT_TRUE(refused([](auto& m) { m.kind = ipc::Handshake{0}; }));
    EXPECT_TRUE(refused([](auto& m) { m.kind = ipc::Handshake{3}; }));
    for (const int scheme : {0, 0x0201, 0x0301, 0x0401 - 1, 0x0808, 0x0809, 0xFFFF})
        EXPECT_TRUE(refused([&](auto& m) { m.scheme = static_cast<std::uint16_t>(scheme); }))
            << scheme;
}

}  // namespace
