// SPDX-License-Identifier: MIT
// FEAT and OPTS (RFC 2389); runs in greeter and session.
#include "ftp/features.hpp"

#include "base/text.hpp"
#include "ftp/cmds_list.hpp"

namespace ftp {
namespace {

struct AlgorithmName {
    HashAlgorithm algorithm;
    std::string_view name;
};

constexpr AlgorithmName algorithms[] = {
    {HashAlgorithm::sha256, "SHA-256"},
    {HashAlgorithm::sha1, "SHA-1"},
    {HashAlgorithm::md5, "MD5"},
    {HashAlgorithm::crc32, "CRC32"},
};

// "SHA-256*;SHA-1;MD5;CRC32", an asterisk behind the one in force.
std::string hash_names(HashAlgorithm chosen) {
    std::string names;
    for (const auto& row : algorithms) {
        if (!names.empty()) names += ';';
        names += row.name;
        if (row.algorithm == chosen) names += '*';
    }
    return names;
}

}  // namespace

std::string_view name(HashAlgorithm algorithm) {
    for (const auto& row : algorithms) {
        if (row.algorithm == algorithm) return row.name;
    }
    return {};
}

std::optional<HashAlgorithm> parse_hash(std::string_view text) {
    for (const auto& row : algorithms) {
        if (base::equal_ignoring_case(text, row.name)) return row.algorithm;
    }
    return std::nullopt;
}

Reply features(const Switches& on) {
    const auto allowed = [&](std::string_view verb) {
        return command_allowed(on.cmds_allowed, on.cmds_denied, verb);
    };
    const struct {
        std::string_view verb;  // not announced when cmds_allowed or cmds_denied refuse it
        bool works;
        std::string line;
    } table[] = {
        {"", on.ssl && on.auth_ssl, "AUTH SSL"},
        {"", on.ssl, "AUTH TLS"},
        {"AVBL", on.avbl, "AVBL"},
        {"CCC", on.ccc, "CCC"},
        {"CLNT", true, "CLNT"},
        {"EPRT", on.port, "EPRT"},
        {"EPSV", on.pasv, "EPSV"},
        {"HASH", on.download, "HASH " + hash_names(on.hash)},
        {"HOST", on.host, "HOST"},
        {"MDTM", true, "MDTM"},
        {"MFF", on.set_facts, "MFF modify;UNIX.mode;"},
        {"MFMT", on.set_times, "MFMT"},
        {"MLST", on.dirlist && allowed("MLSD"), "MLST " + fact_features(on.facts)},
        {"PASV", on.pasv, "PASV"},
        {"PBSZ", on.ssl, "PBSZ"},
        {"PROT", on.ssl, "PROT"},
        {"RANG", on.download, "RANG STREAM"},
        {"REST", true, "REST STREAM"},
        {"SIZE", true, "SIZE"},
        {"", true, "TVFS"},
        {"", true, "UTF8"},
    };
    Reply reply{211, "End"};
    reply.numbered = false;
    reply.before.emplace_back("Features:");
    for (const auto& row : table) {
        if (row.works && (row.verb.empty() || allowed(row.verb)))
            reply.before.push_back(' ' + row.line);
    }
    return reply;
}

Opts parse_opts(std::string_view argument) {
    const auto blank = argument.find(' ');
    const auto option = argument.substr(0, blank);
    const auto value =
        base::trim(blank == argument.npos ? std::string_view{} : argument.substr(blank + 1));
    if (base::equal_ignoring_case(option, "UTF8") && base::equal_ignoring_case(value, "ON")) {
        return OptsUtf8{};
    }
    if (base::equal_ignoring_case(option, "MLST")) return OptsMlst{parse_facts(value)};
    if (base::equal_ignoring_case(option, "HASH")) {
        const auto algorithm = parse_hash(value);
        if (algorithm || value.empty()) return OptsHash{algorithm};
    }
    return OptsUnknown{};
}

}  // namespace ftp
