// SPDX-License-Identifier: MIT
// FEAT and OPTS.
#include "ftp/features.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace {

bool announces(const ftp::Switches& switches, std::string_view verb) {
    const auto reply = ftp::features(switches);
    return std::any_of(reply.before.begin(), reply.before.end(), [&](const std::string& line) {
        return line.starts_with(' ' + std::string(verb)) &&
               (line.size() == verb.size() + 1 || line[verb.size() + 1] == ' ');
    });
}

TEST(Features, AreAlphabeticAndIndented) {
    ftp::Switches all;
    all.ssl = all.auth_ssl = true;
    EXPECT_EQ(ftp::wire(ftp::features(all)),
              "211-Features:\r\n"
              " AUTH SSL\r\n"
              " AUTH TLS\r\n"
              " AVBL\r\n"
              " CLNT\r\n"
              " EPRT\r\n"
              " EPSV\r\n"
              " HASH SHA-256*;SHA-1;MD5;CRC32\r\n"
              " HOST\r\n"
              " MDTM\r\n"
              " MFF modify;UNIX.mode;\r\n"
              " MFMT\r\n"
              " MLST type*;size*;modify*;perm*;unique*;UNIX.mode*;UNIX.owner*;UNIX.group*;\r\n"
              " PASV\r\n"
              " PBSZ\r\n"
              " PROT\r\n"
              " RANG STREAM\r\n"
              " REST STREAM\r\n"
              " SIZE\r\n"
              " TVFS\r\n"
              " UTF8\r\n"
              "211 End\r\n");
}

TEST(Features, NameOnlyWhatWorks) {
    ftp::Switches off;
    off.port = off.pasv = off.download = off.dirlist = off.set_times = off.set_facts = false;
    off.host = off.avbl = false;
    EXPECT_EQ(ftp::wire(ftp::features(off)),
              "211-Features:\r\n CLNT\r\n MDTM\r\n REST STREAM\r\n SIZE\r\n TVFS\r\n UTF8\r\n"
              "211 End\r\n");
}

TEST(Features, LeaveOutCommandsThatAreRefused) {
    ftp::Switches some;
    some.cmds_denied = "EPSV,MLSD,SIZE";
    EXPECT_FALSE(announces(some, "EPSV"));
    EXPECT_FALSE(announces(some, "MLST"));  // it stands for MLSD as well
    EXPECT_FALSE(announces(some, "SIZE"));
    EXPECT_TRUE(announces(some, "PASV"));
    some = {};
    some.cmds_allowed = "PASV,RETR";
    EXPECT_TRUE(announces(some, "PASV"));
    EXPECT_FALSE(announces(some, "REST"));
    EXPECT_TRUE(announces(some, "UTF8"));
}

TEST(Features, ShowWhatOptsChose) {
    ftp::Switches chosen;
    chosen.hash = ftp::HashAlgorithm::md5;
    chosen.facts = ftp::fact_type;
    EXPECT_TRUE(announces(chosen, "HASH SHA-256;SHA-1;MD5*;CRC32"));
    EXPECT_TRUE(
        announces(chosen, "MLST type*;size;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;"));
}

std::string opts(std::string_view argument) {
    const auto result = ftp::parse_opts(argument);
    if (std::holds_alternative<ftp::OptsUtf8>(result)) return "utf8";
    if (const auto* mlst = std::get_if<ftp::OptsMlst>(&result)) {
        return "mlst " + ftp::fact_names(mlst->facts);
    }
    if (const auto* hash = std::get_if<ftp::OptsHash>(&result)) {
        return "hash " + (hash->algorithm ? std::string(ftp::name(*hash->algorithm)) : "?");
    }
    return "unknown";
}

TEST(Opts, AreUnderstoodInAnyCase) {
    // clang-format off
    constexpr const char* cases[][2] = {
        {"UTF8 ON",              "utf8"},
        {"utf8 on",              "utf8"},
        {"UTF8 OFF",             "unknown"},
        {"UTF8",                 "unknown"},
        {"UTF8 ONE",             "unknown"},
        {"",                     "unknown"},
        {"MLST type;size;",      "mlst type;size;"},
        {"mlst Size;Bogus;",     "mlst size;"},
        {"MLST",                 "mlst "},
        {"HASH",                 "hash ?"},
        {"HASH sha-1",           "hash SHA-1"},
        {"HASH CRC32",           "hash CRC32"},
        {"HASH SHA-3",           "unknown"},
        {"MODE Z LEVEL 9",       "unknown"},
    };
    // clang-format on
    for (const auto& c : cases) EXPECT_EQ(opts(c[0]), c[1]) << c[0];
}

TEST(HashAlgorithm, IsNamedAndFound) {
    using ftp::HashAlgorithm;
    for (const auto algorithm :
         {HashAlgorithm::sha256, HashAlgorithm::sha1, HashAlgorithm::md5, HashAlgorithm::crc32}) {
        EXPECT_EQ(ftp::parse_hash(ftp::name(algorithm)), algorithm);
    }
    EXPECT_EQ(ftp::parse_hash(""), std::nullopt);
}

}  // namespace
