// SPDX-License-Identifier: MIT
// Certificates as bytes, and how long they last.
#include "ipc/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

using ipc::Certificate;

std::vector<Certificate> two() {
    Certificate first;
    first.file = "/etc/ssl/server.pem";
    first.key.fill(0xAB);
    first.not_after = 4102444800;  // beyond 32 bits
    first.names = {"ftp.example.com", "*.example.org"};
    first.chain = "-----BEGIN CERTIFICATE-----\n";
    Certificate second;
    second.by_name_only = true;
    second.not_after = -1;
    return {first, second};
}

TEST(CertificatesAsBytes, ComeOutAsTheyWentIn) {
    const auto in = two();
    const auto parsed = ipc::parse_certificates(ipc::serialise(in));
    ASSERT_TRUE(parsed);
    const auto& out = parsed.value();
    ASSERT_EQ(out.size(), in.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
        EXPECT_EQ(out[i].file, in[i].file);
        EXPECT_EQ(out[i].key, in[i].key);
        EXPECT_EQ(out[i].not_after, in[i].not_after);
        EXPECT_EQ(out[i].by_name_only, in[i].by_name_only);
        EXPECT_EQ(out[i].names, in[i].names);
        EXPECT_EQ(out[i].chain, in[i].chain);
    }
}

TEST(CertificatesAsBytes, MayBeNone) {
    const auto parsed = ipc::parse_certificates(ipc::serialise({}));
    ASSERT_TRUE(parsed);
    EXPECT_THAT(parsed.value(), testing::IsEmpty());
}

TEST(CertificatesAsBytes, AreRefusedWhereverTheyAreCutOff) {
    const auto bytes = ipc::serialise(two());
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(ipc::parse_certificates(std::string_view(bytes).substr(0, size))) << size;
    EXPECT_FALSE(ipc::parse_certificates(bytes + '\0')) << "with something behind it";
}

TEST(CertificatesAsBytes, AreRefusedInAnotherVersion) {
    auto bytes = ipc::serialise(two());
    bytes[0] = 2;
    EXPECT_FALSE(ipc::parse_certificates(bytes));
}

TEST(CertificatesAsBytes, MakeNoRoomForWhatIsNotThere) {
    auto bytes = ipc::serialise({Certificate{}});
    const auto names = bytes.size() - 8;  // their number, then the length of the chain
    for (const std::size_t at : {std::size_t{4}, names}) {
        auto changed = bytes;
        std::memset(changed.data() + at, 0xFF, 4);
        EXPECT_FALSE(ipc::parse_certificates(changed)) << at;
    }
}

TEST(DaysLeft, AreWholeDays) {
    constexpr std::int64_t now = 1751371200;
    constexpr std::int64_t day = 86400;
    struct Case {
        std::int64_t seconds;
        std::int64_t days;
    };
    constexpr Case cases[] = {{14 * day, 14}, {14 * day - 1, 13}, {day, 1},   {day - 1, 0},
                              {0, 0},         {-1, -1},           {-day, -1}, {-day - 1, -2}};
    for (const auto& c : cases) {
        Certificate certificate;
        certificate.not_after = now + c.seconds;
        EXPECT_EQ(ipc::days_left(certificate, now), c.days) << c.seconds;
    }
}

}  // namespace
