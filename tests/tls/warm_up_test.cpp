// SPDX-License-Identifier: MIT
// That all handshakes of the warm-up succeed, whatever the settings demand of real clients.
#include "tls/warm_up.hpp"

#include "tests/tls/handshake.hpp"

#include <gtest/gtest.h>

namespace {

void expect_warm(const tls::Settings& settings) {
    tls::prepare();
    const auto warm = tls::warm_up(settings);
    EXPECT_TRUE(warm) << warm.error().text();
}

TEST(WarmUp, TalksInEveryVersion) { expect_warm(handshake::settings()); }

TEST(WarmUp, LeavesOutVersionsThatAreOff) {
    auto settings = handshake::settings();
    settings.tlsv12 = false;
    settings.tlsv1 = settings.tlsv11 = false;
    expect_warm(settings);
    settings.tlsv12 = true;
    settings.tlsv13 = false;
    expect_warm(settings);
}

TEST(WarmUp, NeedsNoCertificateOrNameOfTheClient) {
    auto settings = handshake::settings();
    settings.request_cert = settings.require_cert = settings.validate_cert = true;
    settings.sni_hostname = "ftp.example";
    expect_warm(settings);
}

TEST(WarmUp, HasTheCiphersOfRsaCertificatesInTheirPlace) {
    auto settings = handshake::settings();
    settings.ciphers = "ECDHE-RSA-AES256-GCM-SHA384";  // vsftpd's usual one
    expect_warm(settings);
}

TEST(WarmUp, SaysWhenItCannot) {
    auto settings = handshake::settings();
    settings.ciphersuites = "TLS_NONSENSE";
    EXPECT_FALSE(tls::warm_up(settings));
}

}  // namespace
