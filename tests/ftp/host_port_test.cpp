// SPDX-License-Identifier: MIT
// PORT, EPRT, EPSV, 227 and 229.
#include "ftp/host_port.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include <arpa/inet.h>

namespace {

std::string shown(const ftp::Endpoint& endpoint) {
    char text[INET6_ADDRSTRLEN] = {};
    inet_ntop(endpoint.ipv6 ? AF_INET6 : AF_INET, endpoint.address.data(), text, sizeof text);
    return std::string(text) + " " + std::to_string(endpoint.port);
}

struct Case {
    std::string_view argument;
    std::string_view meaning;
};

TEST(Port, TakesSixBytes) {
    // clang-format off
    constexpr Case cases[] = {
        {"127,0,0,1,4,1",          "127.0.0.1 1025"},
        {"192,0,2,7,255,255",      "192.0.2.7 65535"},
        {"0,0,0,0,0,0",            "0.0.0.0 0"},
        {" 127,0,0,1,4,1 ",        "127.0.0.1 1025"},
        {"010,0,0,1,4,1",          "10.0.0.1 1025"},
        {"",                       "-"},
        {"127,0,0,1,4",            "-"},
        {"127,0,0,1,4,1,",         "-"},
        {"127,0,0,1,4,1,9",        "-"},
        {"127,0,0,256,4,1",        "-"},
        {"127,0,0,-1,4,1",         "-"},
        {"127,0,0,+1,4,1",         "-"},
        {"127,0,0,,4,1",           "-"},
        {"127,0,0, 1,4,1",         "-"},
        {"127.0.0.1,4,1",          "-"},
        {"a,b,c,d,e,f",            "-"},
        {"99999999999999999999,0,0,1,4,1", "-"},
    };
    // clang-format on
    for (const auto& c : cases) {
        const auto result = ftp::parse_port(c.argument);
        EXPECT_EQ(result ? shown(*result) : "-", c.meaning) << c.argument;
    }
}

std::string eprt(std::string_view argument, bool ipv6_usable) {
    const auto result = ftp::parse_eprt(argument, ipv6_usable);
    if (const auto* problem = std::get_if<ftp::EprtProblem>(&result)) {
        return *problem == ftp::EprtProblem::syntax ? "syntax" : "protocol";
    }
    return shown(std::get<ftp::Endpoint>(result));
}

TEST(Eprt, TakesBothFamiliesAndTellsTheProblemsApart) {
    // clang-format off
    constexpr Case cases[] = {
        {"|1|127.0.0.1|1025|",        "127.0.0.1 1025"},
        {"|2|::1|1025|",              "::1 1025"},
        {"|2|2001:db8::7|65535|",     "2001:db8::7 65535"},
        {"|1|127.0.0.1|1025",         "127.0.0.1 1025"},   // as vsftpd
        {"|3|127.0.0.1|1025|",        "protocol"},
        {"|0|127.0.0.1|1025|",        "protocol"},
        {"||127.0.0.1|1025|",         "protocol"},
        {"|x|127.0.0.1|1025|",        "protocol"},
        {"",                          "syntax"},
        {"1|127.0.0.1|1025|",         "syntax"},
        {"!1!127.0.0.1!1025!",        "syntax"},
        {"|1|127.0.0.1|1025|x",       "syntax"},
        {"|1|127.0.0.1|1025||",       "syntax"},
        {"|1|127.0.0.1||",            "syntax"},
        {"|1|127.0.0.1|",             "syntax"},
        {"|1",                        "syntax"},
        {"|1|127.0.0.1|65536|",       "syntax"},
        {"|1|127.0.0.1|-1|",          "syntax"},
        {"|1|localhost|1025|",        "syntax"},
        {"|1|::1|1025|",              "syntax"},
        {"|2|127.0.0.1|1025|",        "syntax"},
        {"|2|::1%lo|1025|",           "syntax"},
        {"|2|0000:0000:0000:0000:0000:0000:0000:0000:0000:0000|1|", "syntax"},
    };
    // clang-format on
    for (const auto& c : cases) EXPECT_EQ(eprt(c.argument, true), c.meaning) << c.argument;
    EXPECT_EQ(eprt("|2|::1|1025|", false), "protocol");
    EXPECT_EQ(eprt("|1|127.0.0.1|1025|", false), "127.0.0.1 1025");
}

TEST(Epsv, KnowsItsArguments) {
    EXPECT_EQ(ftp::parse_epsv(""), ftp::Epsv::any);
    EXPECT_EQ(ftp::parse_epsv(" "), ftp::Epsv::any);
    EXPECT_EQ(ftp::parse_epsv("1"), ftp::Epsv::ipv4);
    EXPECT_EQ(ftp::parse_epsv("2"), ftp::Epsv::ipv6);
    EXPECT_EQ(ftp::parse_epsv("ALL"), ftp::Epsv::all);
    EXPECT_EQ(ftp::parse_epsv("all"), ftp::Epsv::all);
    for (const auto* bad : {"3", "0", "-1", "x", "1 2", "ALL x"}) {
        EXPECT_EQ(ftp::parse_epsv(bad), ftp::Epsv::bad) << bad;
    }
}

TEST(PassiveText, HasTheAddressAndThePortAsBytes) {
    in_addr address{};
    inet_pton(AF_INET, "192.0.2.200", &address);
    EXPECT_EQ(ftp::passive_text(address, 50001), "Entering Passive Mode (192,0,2,200,195,81).");
    EXPECT_EQ(ftp::passive_text(in_addr{}, 1), "Entering Passive Mode (0,0,0,0,0,1).");
}

TEST(PassiveText, OfEpsvEndsWithoutAFullStop) {
    EXPECT_EQ(ftp::extended_passive_text(50001), "Entering Extended Passive Mode (|||50001|)");
}

TEST(Endpoint, BecomesASocketAddress) {
    const auto port = ftp::parse_port("192,0,2,7,4,1").value();
    const auto v4 = ftp::to_v4(port);
    EXPECT_EQ(v4.sin_family, AF_INET);
    EXPECT_EQ(ntohs(v4.sin_port), 1025);
    EXPECT_EQ(ntohl(v4.sin_addr.s_addr), 0xC0000207U);

    const auto mapped = ftp::to_v6(port);
    EXPECT_TRUE(IN6_IS_ADDR_V4MAPPED(&mapped.sin6_addr));
    EXPECT_EQ(ntohs(mapped.sin6_port), 1025);

    const auto v6 = ftp::to_v6(std::get<ftp::Endpoint>(ftp::parse_eprt("|2|::1|21|", true)));
    EXPECT_TRUE(IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr));
}

}  // namespace
