// SPDX-License-Identifier: MIT
// Configuration files from the field, served: on a machine with everything that they name each lets
// in whom it says, and downloads and uploads come of it as they do with vsftpd. JAILFTPD_CORPUS is
// the folder; skipped without it.
#include "base/text.hpp"
#include "tests/sessions/clients/field.hpp"
#include "tests/sessions/conversation.hpp"
#include "tests/sessions/paths.hpp"
#include "tests/sessions/required.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

using namespace sessions;
using testing::HasSubstr;

namespace fs = std::filesystem;

namespace {

fs::path corpus() {
    if (const auto* named = std::getenv("JAILFTPD_CORPUS")) return fs::path(named) / "vsftpd-conf";
    return source_path("..") / "shared" / "corpus" / "vsftpd-conf";
}

std::vector<std::vector<std::string_view>> rows(const std::string& manifest) {
    std::vector<std::vector<std::string_view>> all;
    for (const auto line : base::split(manifest, '\n')) {
        auto cells = base::split(line, '\t');
        if (cells.size() > 8) all.push_back(std::move(cells));
    }
    return all;
}

// Those that Debian's vsftpd takes, or the others.
std::vector<std::string> files(bool taken = true) {
    std::vector<std::string> all;
    const auto manifest = content_of(corpus() / "MANIFEST.tsv");
    for (const auto& row : rows(manifest))
        if (row[0].ends_with(".conf") && (row[5] == "OK") == taken) all.emplace_back(row[0]);
    return all;
}

// What it then did, with everything that the file names in place.
std::string seen_with_vsftpd(const std::string& file) {
    const auto manifest = content_of(corpus() / "MANIFEST.tsv");
    for (const auto& row : rows(manifest))
        if (row[0] == file) return std::string(row[8]);
    return {};
}

// With these vsftpd does not start, or serves nobody. Here the start is refused, and the
// administrator is told.
const std::map<std::string, std::string> for_nobody = {
    {"087.conf", "cannot resolve host:[SERVER IP]"},
};

// Taken, but hardly meant.
const std::map<std::string, std::string> with_a_warning = {
    {"070.conf", "pasv_min_port (21010) is above pasv_max_port (21000)"},
    {"082.conf", "\"PASV_MIN_PORT\" is no number for: pasv_min_port"},
    {"107.conf", "invalid pasv_address: $REAL_IP"},
    {"122.conf", "vsftpd: both local and anonymous access disabled!"},
    {"127.conf", "\"changeme\" is no number for: pasv_max_port"},
    {"128.conf", "pasv_min_port (47470) is above pasv_max_port (47400)"},
};

// guest_username=root: nobody is served as root.
const std::set<std::string> as_root = {"048.conf"};

// run_as_launching_user=YES by root: vsftpd writes an error in clear into the TLS stream.
const std::set<std::string> not_by_vsftpd = {"059.conf"};

std::string all_of(const Lines& lines) {
    std::string text;
    for (const auto& line : lines) text += line + '\n';
    return text;
}

struct Served {
    Seen seen;
    std::string errors;
};

Served serve(const std::string& text, Program program) {
    const auto options = options_of(text);
    refurnish();
    Served served;
    {
        Server server(furnished(text), setup_for(options, program));
        if (server.running()) served.seen = seen_by_clients(server, options);
        served.errors = server.errors();
    }
    eventually([] { return processes("ftpd").empty(); }, std::chrono::seconds(3));
    return served;
}

// Some line that starts and goes on like this.
bool has(const Lines& seen, std::string_view start, std::string_view rest) {
    return std::any_of(seen.begin(), seen.end(), [&](const auto& line) {
        return line.starts_with(start) && line.find(rest) != line.npos;
    });
}

void expect(const Lines& seen, const Expected& expected, const std::string& folder) {
    const bool in = has(seen, "PASS", ": 230 ") || has(seen, "USER", ": 230 ");
    EXPECT_EQ(in, expected.login) << all_of(seen);
    EXPECT_EQ(has(seen, "RETR", "226 Transfer complete. whole"), expected.download) << all_of(seen);
    EXPECT_EQ(has(seen, "STOR " + folder, "226 Transfer complete."), expected.upload)
        << all_of(seen);
}

// Not what is known to be different, nor the listener's: of that one file cannot have two.
bool may_be_added(const std::string& line) {
    for (const auto* start : {"#", "listen", "run_as", "pasv_addr", "text_userdb", "user_sub_token",
                              "guest_username=root", "deny_file", "implicit_ssl"})
        if (line.starts_with(start)) return false;
    return line.find('=') < line.size() - 1;
}

// The files in as many parts as may be tested side by side.
constexpr std::size_t parts = 16;

class CorpusSideBySide : public testing::TestWithParam<std::size_t> {};

}  // namespace

TEST_P(CorpusSideBySide, LetsInAndTransfersAsVsftpdDoes) {
    if (!fs::exists(corpus() / "MANIFEST.tsv")) GTEST_SKIP() << "no corpus at " << corpus();
    const auto all = files();
    EXPECT_GT(all.size(), 100U);
    const bool reference = !path_of(Program::vsftpd).empty();
    for (std::size_t i = GetParam(); i < all.size(); i += parts) {
        const auto& file = all[i];
        if (for_nobody.count(file) != 0) continue;
        SCOPED_TRACE(file);
        const auto text = content_of(corpus() / file);
        const auto options = options_of(text);
        const auto ours = serve(text, Program::jailftpd);
        const auto warned = with_a_warning.find(file);
        if (warned != with_a_warning.end()) {
            EXPECT_THAT(ours.errors, HasSubstr(": warning: " + warned->second));
        }
        if (as_root.count(file) != 0) {
            EXPECT_THAT(all_of(ours.seen.of_local),
                        HasSubstr("PASS testpw: 500 OOPS: refusing to run as root"));
            continue;
        }
        expect(ours.seen.of_local, expected_of_local(options), "files");
        expect(ours.seen.of_anonymous, expected_of_anonymous(options), "incoming");
        if (!reference || not_by_vsftpd.count(file) != 0) continue;
        const auto theirs = serve(text, Program::vsftpd);
        EXPECT_EQ(all_of(ours.seen.of_local), all_of(theirs.seen.of_local));
        EXPECT_EQ(all_of(ours.seen.of_anonymous), all_of(theirs.seen.of_anonymous));
    }
}

INSTANTIATE_TEST_SUITE_P(Part, CorpusSideBySide, testing::Range(std::size_t{0}, parts));

// One file with a few lines of others, the same ones in every run: options meet that nobody put
// together yet.
TEST_P(CorpusSideBySide, LetsInAndTransfersWithLinesOfOthersAsVsftpdDoes) {
    if (!fs::exists(corpus() / "MANIFEST.tsv")) GTEST_SKIP() << "no corpus at " << corpus();
    if (path_of(Program::vsftpd).empty()) return skip_or_fail("no vsftpd to compare with");
    const auto all = files();
    std::mt19937 generator(static_cast<unsigned>(GetParam()));
    const auto any = [&generator](const auto& list) { return list[generator() % list.size()]; };
    for (int served = 0; served < 4;) {
        const auto file = any(all);
        if (for_nobody.count(file) + as_root.count(file) + not_by_vsftpd.count(file) != 0) continue;
        auto text = content_of(corpus() / file) + '\n';
        for (int more = 0; more < 10; ++more) {
            const auto line = any(lines_of(content_of(corpus() / any(all))));
            if (may_be_added(line)) text += line + '\n';
        }
        const auto options = options_of(text);
        if (options.one_process_model || (!options.local_enable && !options.anonymous_enable))
            continue;
        ++served;
        SCOPED_TRACE(file + " and more:\n" + text);
        const auto ours = serve(text, Program::jailftpd).seen;
        const auto theirs = serve(text, Program::vsftpd).seen;
        EXPECT_EQ(all_of(ours.of_local), all_of(theirs.of_local));
        EXPECT_EQ(all_of(ours.of_anonymous), all_of(theirs.of_anonymous));
    }
}

// With options of Red Hat's build, or blanks behind YES and NO.
TEST(Corpus, IsServedAlsoWhereOnlyOtherBuildsTakeIt) {
    if (!fs::exists(corpus() / "MANIFEST.tsv")) GTEST_SKIP() << "no corpus at " << corpus();
    int taken = 0;
    for (const auto& file : files(false)) {
        SCOPED_TRACE(file);
        const auto text = content_of(corpus() / file);
        config::Problems problems;
        const auto options = options_of(text, problems);
        if (config::any_error(problems)) continue;
        ++taken;
        const auto ours = serve(text, Program::jailftpd).seen;
        expect(ours.of_local, expected_of_local(options), "files");
        expect(ours.of_anonymous, expected_of_anonymous(options), "incoming");
    }
    EXPECT_GT(taken, 3);
}

TEST(Corpus, IsRefusedAtStartWhereVsftpdServesNobody) {
    if (!fs::exists(corpus() / "MANIFEST.tsv")) GTEST_SKIP() << "no corpus at " << corpus();
    for (const auto& [file, reason] : for_nobody) {
        SCOPED_TRACE(file);
        const auto text = content_of(corpus() / file);
        refurnish();
        write_file(place("file.conf"), all_of(furnished(text)));
        write_file(place("none.ini"), "");
        const auto ran = run({path_of(Program::jailftpd), place("file.conf"), "--ini",
                              place("none.ini"), "-obackground=NO", "-olisten=YES"});
        EXPECT_EQ(ran.status, 2);
        EXPECT_THAT(ran.err, HasSubstr(reason));
        EXPECT_THAT(seen_with_vsftpd(file), HasSubstr("500 OOPS: " + reason));
    }
}
