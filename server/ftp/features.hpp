// SPDX-License-Identifier: MIT
// FEAT and OPTS (RFC 2389); runs in greeter and session.
#pragma once

#include "ftp/listing.hpp"
#include "ftp/replies.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ftp {

enum class HashAlgorithm { sha256, sha1, md5, crc32 };
[[nodiscard]] std::string_view name(HashAlgorithm algorithm);                  // "SHA-256"
[[nodiscard]] std::optional<HashAlgorithm> parse_hash(std::string_view name);  // any case

// Only what works here and now is announced: clients use at once what they are told.
struct Switches {
    bool ssl = false;                 // ssl_enable: AUTH TLS, PBSZ, PROT
    bool auth_ssl = false;            // ssl_sslv2 or ssl_sslv3: the old AUTH SSL line as well
    bool ccc = false;                 // ssl_enable and [tls] ccc: CCC
    bool port = true;                 // port_enable: EPRT
    bool pasv = true;                 // pasv_enable: EPSV, PASV
    bool download = true;             // download_enable: HASH, RANG
    bool dirlist = true;              // dirlist_enable: MLST
    bool set_times = true;            // write_enable and mdtm_write: MFMT
    bool set_facts = true;            // write_enable, mdtm_write and chmod_enable: MFF
    bool host = true;                 // HOST
    bool avbl = true;                 // AVBL
    std::string_view cmds_allowed{};  // lines of commands that these refuse are left out
    std::string_view cmds_denied{};
    Facts facts = all_facts;  // what OPTS chose
    HashAlgorithm hash = HashAlgorithm::sha256;
};

// "211-Features:", one line each, "211 End".
[[nodiscard]] Reply features(const Switches& switches);

// OPTS UTF8 ON | OPTS MLST facts | OPTS HASH [name] | something else.
struct OptsUtf8 {};
struct OptsMlst {
    Facts facts;
};
struct OptsHash {
    std::optional<HashAlgorithm> algorithm;  // none: asks for the one in force
};
struct OptsUnknown {};
using Opts = std::variant<OptsUnknown, OptsUtf8, OptsMlst, OptsHash>;
[[nodiscard]] Opts parse_opts(std::string_view argument);

}  // namespace ftp
