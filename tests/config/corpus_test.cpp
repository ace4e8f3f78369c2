// SPDX-License-Identifier: MIT
// Configuration files from the field, with the verdict that vsftpd 3.0.3 gave on each: ours is the
// same, but for the differences named here. JAILFTPD_CORPUS is the folder; skipped without it.
#include "base/text.hpp"
#include "config/conf_file.hpp"
#include "problems.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace {

namespace fs = std::filesystem;
using config::Severity;

fs::path corpus() {
    if (const auto* named = std::getenv("JAILFTPD_CORPUS")) return named;
    return fs::path(JAILFTPD_SOURCE).parent_path() / "shared" / "corpus";
}

std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream content;
    content << file.rdbuf();
    return std::move(content).str();
}

std::vector<std::vector<std::string>> table(const fs::path& path) {
    std::vector<std::vector<std::string>> rows;
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);  // the titles
    while (std::getline(file, line)) {
        std::vector<std::string> row;
        for (const auto cell : base::split(line, '\t')) row.emplace_back(cell);
        rows.push_back(std::move(row));
    }
    return rows;
}

// "500 OOPS: bad bool value in config file for: X (exit 2)" -> X
std::string blamed(std::string verdict) {
    constexpr std::string_view exit = " (exit 2)";
    if (verdict.ends_with(exit)) verdict.resize(verdict.size() - exit.size());
    constexpr std::string_view before = "config file";
    auto at = verdict.find(before);
    at = verdict.find(": ", at);
    return at == verdict.npos ? std::string{} : std::string(base::trim(verdict.substr(at + 2)));
}

config::Problems problems_of(std::string_view content) {
    config::Problems problems;
    config::Options options;
    config::parse_conf(content, "corpus", problems, [&](const config::Setting& setting) {
        config::apply(setting, "corpus", options, problems);
    });
    return problems;
}

// Known here, unknown to Debian's build: Red Hat's, and the names in the 3.0.5 manual.
const std::set<std::string> of_other_builds = {"reverse_lookup_enable", "ssl_tlsv1_1",
                                               "ssl_tlsv1_2", "userlist_log"};

// YES and NO with blanks or a CR around them are taken here, with a warning.
bool only_blanks_are_wrong(std::string_view content, std::string_view option) {
    for (const auto line : base::split(content, '\n')) {
        const auto text = base::trim(line);
        if (!text.starts_with(option)) continue;
        const auto equals = text.find('=');
        if (equals == text.npos || base::trim(text.substr(0, equals)) != option) continue;
        config::Options scratch;
        if (config::set_option(scratch, *config::find_option(option),
                               base::trim(text.substr(equals + 1))) != config::ValueProblem::none)
            return false;
    }
    return true;
}

TEST(Corpus, EveryFileGetsTheVerdictOfVsftpd) {
    const auto folder = corpus() / "vsftpd-conf";
    if (!fs::exists(folder / "MANIFEST.tsv")) GTEST_SKIP() << "no corpus at " << folder;
    std::size_t files = 0;
    std::size_t refused = 0;
    for (const auto& row : table(folder / "MANIFEST.tsv")) {
        ASSERT_GT(row.size(), 5U);
        SCOPED_TRACE(row[0]);
        const auto& verdict = row[5];
        const auto content = content_of(folder / row[0]);
        ASSERT_FALSE(content.empty());
        const auto problems = problems_of(content);
        ++files;
        if (verdict == "OK") {
            EXPECT_FALSE(config::any_error(problems))
                << testing::PrintToString(test::texts(problems));
            continue;
        }
        const auto option = blamed(verdict);
        const bool bool_value = verdict.find("bad bool") != verdict.npos;
        if (of_other_builds.count(option) != 0 ||
            (bool_value && only_blanks_are_wrong(content, option))) {
            EXPECT_FALSE(test::blames(problems, Severity::error, option))
                << testing::PrintToString(test::texts(problems));
            continue;
        }
        ++refused;
        EXPECT_TRUE(test::blames(problems, Severity::error, option))
            << option << ": " << testing::PrintToString(test::texts(problems));
    }
    EXPECT_GT(files, 100U);
    EXPECT_GT(refused, 0U);
}

// b'write_enable=YES \n' -> the bytes.
std::string unquoted(std::string_view literal) {
    literal.remove_prefix(2);
    literal.remove_suffix(1);
    std::string bytes;
    for (std::size_t i = 0; i < literal.size(); ++i) {
        if (literal[i] != '\\') {
            bytes += literal[i];
            continue;
        }
        switch (literal[++i]) {
            case 'n':
                bytes += '\n';
                break;
            case 'r':
                bytes += '\r';
                break;
            case 't':
                bytes += '\t';
                break;
            case 'x':
                bytes +=
                    static_cast<char>(*base::to_number<unsigned>(literal.substr(i + 1, 2), 16));
                i += 2;
                break;
            default:
                bytes += literal[i];
        }
    }
    return bytes;
}

// Taken with a warning where vsftpd stops or crashes.
const std::set<std::string> better = {
    "write_enable=YES \n",
    "write_enable=YES\t\n",
    "write_enable =YES\n",
    "write_enable= YES\n",
    "write_enable = YES\n",
    "ftpd_banner =hi\n",
    "write_enable=YES\r\n",
    "\xEF\xBB\xBFwrite_enable=YES\n",
    "\xEF\xBB\xBF# x\nwrite_enable=YES\n",
    "ftpd_banner=   \n",
    "ftpd_banner=\r\n",
};

TEST(Corpus, EveryExperimentGetsTheVerdictOfVsftpd) {
    const auto file = corpus() / "PARSER-QUIRKS.tsv";
    if (!fs::exists(file)) GTEST_SKIP() << "no corpus at " << file;
    std::size_t experiments = 0;
    std::set<std::string> seen;
    for (const auto& row : table(file)) {
        ASSERT_GT(row.size(), 2U);
        // What is about arguments and files as a whole is tested elsewhere; long lines are cut
        // here.
        if (!row[1].starts_with("b'") && !row[1].starts_with("b\"")) continue;
        if (row[0].find("bytes of comments") != row[0].npos || row[0].starts_with("200 KB") ||
            row[0].starts_with("line of"))
            continue;
        ++experiments;
        const auto content = unquoted(row[1]);
        SCOPED_TRACE(row[0] + ": " + row[1]);
        const auto problems = problems_of(content);
        seen.insert(content);
        if (better.count(content) != 0) {
            EXPECT_NE(row[2].substr(0, 2), "OK");
            EXPECT_FALSE(config::any_error(problems));
            EXPECT_FALSE(problems.empty());
        } else if (row[2] == "OK" || row[2].starts_with("listens")) {
            EXPECT_FALSE(config::any_error(problems))
                << testing::PrintToString(test::texts(problems));
        } else {
            EXPECT_TRUE(test::blames(problems, Severity::error, blamed(row[2])))
                << testing::PrintToString(test::texts(problems));
        }
    }
    EXPECT_GT(experiments, 80U);
    for (const auto& each : better) EXPECT_EQ(seen.count(each), 1U) << each;
}

}  // namespace
