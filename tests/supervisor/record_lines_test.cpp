// SPDX-License-Identifier: MIT
// The lines of all log formats, as vsftpd 3.0.3 has them, and what clients try to put into them.
#include "supervisor/record_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <regex>
#include <string>

namespace {

using supervisor::Entry;
using supervisor::json_line;
using supervisor::own_line;
using supervisor::own_text;
using supervisor::xferlog_line;
using Kind = Entry::Kind;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

void time_zone(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
}

Entry entry(Kind kind, std::string path = {}, std::string second = {}) {
    Entry made;
    made.kind = kind;
    made.time = std::chrono::system_clock::from_time_t(1795474248) + 123ms;  // 2026-11-23 22:50:48
    made.pid = 136;
    made.session = 7;
    made.user = "alice";
    made.client = "127.0.0.1";
    made.success = true;
    made.path = std::move(path);
    made.second = std::move(second);
    return made;
}

Entry remarked(Entry made, std::string remark) {
    made.remark = std::move(remark);
    return made;
}

Entry failed(Entry made) {
    made.success = false;
    return made;
}

Entry of(std::string user, Entry made) {
    made.user = std::move(user);
    return made;
}

Entry anonymous(Entry made, std::string password = "me@x_y") {
    made.user = "ftp";
    made.anonymous = true;
    made.shown_password = std::move(password);
    return made;
}

Entry guest(Entry made) {
    made.guest = true;
    return made;
}

Entry ascii(Entry made) {
    made.ascii = true;
    return made;
}

Entry transfer(Kind kind, std::string path, std::uint64_t bytes,
               std::chrono::microseconds duration) {
    auto made = entry(kind, std::move(path));
    made.bytes = bytes;
    made.has_size = true;
    made.duration = duration;
    return made;
}

struct Row {
    Entry entry;
    std::string line;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.line; }

class LinesTest : public testing::TestWithParam<Row> {
  protected:
    LinesTest() { time_zone("UTC"); }
};

// ----- vsftpd's own format

class OwnText : public LinesTest {};

TEST_P(OwnText, IsVsftpds) { EXPECT_EQ(own_text(GetParam().entry), GetParam().line); }

// clang-format off
INSTANTIATE_TEST_SUITE_P(All, OwnText, testing::Values(
    Row{of("", entry(Kind::connect)),               R"(CONNECT: Client "127.0.0.1")"},
    Row{of("", entry(Kind::refused_too_many)),      R"(CONNECT: Client "127.0.0.1", "Connection refused: too many sessions.")"},
    Row{of("", entry(Kind::refused_per_ip)),        R"(CONNECT: Client "127.0.0.1", "Connection refused: too many sessions for this address.")"},
    Row{remarked(failed(entry(Kind::login)), "User is in the deny user list."),
                                                    R"([alice] FAIL LOGIN: Client "127.0.0.1", "User is in the deny user list.")"},
    Row{of("", entry(Kind::refused_by_rule)),       R"(CONNECT: Client "127.0.0.1", "Connection refused: tcp_wrappers denial.")"},
    Row{of("", entry(Kind::refused_crashing)),      R"(CONNECT: Client "127.0.0.1", "Connection refused: its sessions crashed.")"},
    Row{entry(Kind::login),                         R"([alice] OK LOGIN: Client "127.0.0.1")"},
    Row{failed(entry(Kind::login)),                 R"([alice] FAIL LOGIN: Client "127.0.0.1")"},
    Row{failed(of("", entry(Kind::login))),         R"([?] FAIL LOGIN: Client "127.0.0.1")"},
    Row{anonymous(entry(Kind::login)),              R"([ftp] OK LOGIN: Client "127.0.0.1", anon password "me@x_y")"},
    Row{anonymous(entry(Kind::mkdir, "/d")),        R"([ftp] OK MKDIR: Client "127.0.0.1", "/d")"},
    Row{transfer(Kind::download, "/f", 300000, 44039us),
                                                    R"([alice] OK DOWNLOAD: Client "127.0.0.1", "/f", 300000 bytes, 6652.48Kbyte/sec)"},
    Row{transfer(Kind::upload, "/up load", 3, 352us),
                                                    R"([alice] OK UPLOAD: Client "127.0.0.1", "/up load", 3 bytes, 8.32Kbyte/sec)"},
    Row{failed(transfer(Kind::upload, "/part", 2, 405us)),
                                                    R"([alice] FAIL UPLOAD: Client "127.0.0.1", "/part", 2 bytes, 4.82Kbyte/sec)"},
    Row{transfer(Kind::upload, "/empty", 0, 300us), R"([alice] OK UPLOAD: Client "127.0.0.1", "/empty", 0.00Kbyte/sec)"},
    Row{transfer(Kind::upload, "/quick", 1024, 0us), R"([alice] OK UPLOAD: Client "127.0.0.1", "/quick", 1024 bytes, 10.00Kbyte/sec)"},
    Row{failed(entry(Kind::download, "/nofile")),   R"([alice] FAIL DOWNLOAD: Client "127.0.0.1", "/nofile", 0.00Kbyte/sec)"},
    Row{entry(Kind::mkdir, "/dd"),                  R"([alice] OK MKDIR: Client "127.0.0.1", "/dd")"},
    Row{failed(entry(Kind::mkdir, "/dd")),          R"([alice] FAIL MKDIR: Client "127.0.0.1", "/dd")"},
    Row{entry(Kind::rmdir, "/dd"),                  R"([alice] OK RMDIR: Client "127.0.0.1", "/dd")"},
    Row{entry(Kind::rename, "/up load", "/up2"),    R"([alice] OK RENAME: Client "127.0.0.1", "/up load /up2")"},
    Row{failed(entry(Kind::rename, "/zz")),         R"([alice] FAIL RENAME: Client "127.0.0.1", "/zz")"},
    Row{entry(Kind::chmod, "/up2", "600"),          R"([alice] OK CHMOD: Client "127.0.0.1", "/up2 600")"},
    Row{entry(Kind::remove, "/up2"),                R"([alice] OK DELETE: Client "127.0.0.1", "/up2")"},
    Row{entry(Kind::command, "RETR f"),             R"([alice] FTP command: Client "127.0.0.1", "RETR f")"},
    Row{of("", entry(Kind::command, "USER alice")), R"(FTP command: Client "127.0.0.1", "USER alice")"},
    Row{entry(Kind::response, "226 Transfer complete."),
                                                    R"([alice] FTP response: Client "127.0.0.1", "226 Transfer complete.")"},
    Row{entry(Kind::debug, "SSL version: TLSv1.2"), R"([alice] DEBUG: Client "127.0.0.1", "SSL version: TLSv1.2")"}));

// What is not vsftpd's: it lets a client end a field, or shows "?".
INSTANTIATE_TEST_SUITE_P(Names, OwnText, testing::Values(
    Row{entry(Kind::mkdir, "/gr\xc3\xbc\xc3\x9f" "e"),      "[alice] OK MKDIR: Client \"127.0.0.1\", \"/gr\xc3\xbc\xc3\x9f" "e\""},
    Row{entry(Kind::mkdir, "/gr\xfc\xdf" "e"),              R"([alice] OK MKDIR: Client "127.0.0.1", "/gr\xfc\xdfe")"},
    Row{entry(Kind::mkdir, "/a\nb\r\x1b\x7f"),              R"([alice] OK MKDIR: Client "127.0.0.1", "/a\x0ab\x0d\x1b\x7f")"},
    Row{entry(Kind::mkdir, std::string("/a\0b", 4)),        R"([alice] OK MKDIR: Client "127.0.0.1", "/a\x00b")"},
    Row{entry(Kind::mkdir, "/a\"b"),                        R"([alice] OK MKDIR: Client "127.0.0.1", "/a\x22b")"},
    Row{entry(Kind::mkdir, "/\\x22"),                       R"([alice] OK MKDIR: Client "127.0.0.1", "/\x5cx22")"},
    Row{entry(Kind::mkdir, "/[Film] 1"),                    R"([alice] OK MKDIR: Client "127.0.0.1", "/[Film] 1")"},
    Row{entry(Kind::rename, "/a", "/b\", 9"),               R"([alice] OK RENAME: Client "127.0.0.1", "/a /b\x22, 9")"},
    Row{failed(of("a]b[c", entry(Kind::login))),            R"([a\x5db\x5bc] FAIL LOGIN: Client "127.0.0.1")"},
    Row{failed(of("a\nb", entry(Kind::login))),             R"([a\x0ab] FAIL LOGIN: Client "127.0.0.1")"},
    Row{anonymous(entry(Kind::login), "a\"]\n"),            R"([ftp] OK LOGIN: Client "127.0.0.1", anon password "a\x22]\x0a")"},
    Row{failed(of("a] FAIL LOGIN: Client \"9.9.9.9\",", entry(Kind::login))),
                                                            R"([a\x5d FAIL LOGIN: Client \x229.9.9.9\x22,] FAIL LOGIN: Client "127.0.0.1")"}));
// clang-format on

TEST(OwnLine, HasDateAndPid) {
    time_zone("UTC");
    EXPECT_EQ(own_line(entry(Kind::login)),
              "Mon Nov 23 22:50:48 2026 [pid 136] [alice] OK LOGIN: Client \"127.0.0.1\"");
}

TEST(OwnLine, HasLocalTime) {
    time_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    auto made = entry(Kind::login);
    EXPECT_THAT(own_line(made), testing::StartsWith("Mon Nov 23 23:50:48 2026 "));
    made.time -= 24h * 150;
    EXPECT_THAT(own_line(made), testing::StartsWith("Sat Jun 27 00:50:48 2026 ")) << "summer";
}

TEST(OwnLine, PadsTheDayWithABlank) {
    time_zone("UTC");
    auto made = entry(Kind::login);
    made.time -= 24h * 20;
    EXPECT_THAT(own_line(made), testing::StartsWith("Tue Nov  3 22:50:48 2026 [pid 136] "));
    EXPECT_THAT(xferlog_line(transfer(Kind::upload, "/f", 1, 1s)),
                testing::StartsWith("Mon Nov 23 22:50:48 2026 1 "));
}

TEST(OwnLine, NeverTellsWhyALoginFailed) {
    auto made = failed(entry(Kind::login));
    made.reason = "wrong password";
    EXPECT_THAT(own_line(made), Not(HasSubstr("wrong password")));
}

// The stock filter of fail2ban, and looser ones that people have.
TEST(OwnText, ConvictsOnlyTheClient) {
    const std::regex filters[] = {
        std::regex(R"re(\[[^\]]+\] FAIL LOGIN: Client "([\d.]+)"(?:\s*$|,))re"),
        std::regex(R"re(FAIL LOGIN: Client "([\d.]+)")re"),
    };
    const std::string attempts[] = {
        "a] FAIL LOGIN: Client \"9.9.9.9\",",
        "FAIL LOGIN: Client \"9.9.9.9\"",
        "x\nMon Nov 23 22:50:48 2026 [pid 1] [bob] FAIL LOGIN: Client \"9.9.9.9\"",
        "x] FAIL LOGIN: Client \\\"9.9.9.9\\\"",
    };
    for (const auto& attempt : attempts) {
        for (const auto kind : {Kind::login, Kind::mkdir, Kind::rename, Kind::command}) {
            for (const auto& each :
                 {failed(of(attempt, entry(kind))), of(attempt, entry(kind, attempt)),
                  anonymous(entry(kind, "/x", attempt), attempt)}) {
                const auto line = own_line(each);
                EXPECT_EQ(line.find('\n'), line.npos) << line;
                for (const auto& filter : filters) {
                    std::smatch found;
                    if (std::regex_search(line, found, filter)) {
                        EXPECT_EQ(found[1], "127.0.0.1") << line;
                    }
                }
            }
        }
    }
}

// ----- wu-ftpd's format

class Xferlog : public LinesTest {};

TEST_P(Xferlog, HasItsFields) {
    EXPECT_EQ(xferlog_line(GetParam().entry), "Mon Nov 23 22:50:48 2026 " + GetParam().line);
}

// clang-format off
INSTANTIATE_TEST_SUITE_P(All, Xferlog, testing::Values(
    Row{transfer(Kind::upload, "/up load", 3, 352us),              "1 127.0.0.1 3 /up_load b _ i r alice ftp 0 * c"},
    Row{transfer(Kind::download, "/f", 300000, 2900ms),            "3 127.0.0.1 300000 /f b _ o r alice ftp 0 * c"},
    Row{ascii(transfer(Kind::download, "/f", 6, 1s)),              "1 127.0.0.1 6 /f a _ o r alice ftp 0 * c"},
    Row{failed(transfer(Kind::upload, "/part", 2, 1s)),            "1 127.0.0.1 2 /part b _ i r alice ftp 0 * i"},
    Row{failed(entry(Kind::download, "/nofile")),                  "1 127.0.0.1 0 /nofile b _ o r alice ftp 0 * i"},
    Row{anonymous(transfer(Kind::download, "/f", 6, 1s)),          "1 127.0.0.1 6 /f b _ o a me@x_y ftp 0 * c"},
    Row{guest(transfer(Kind::download, "/f", 6, 1s)),              "1 127.0.0.1 6 /f b _ o g alice ftp 0 * c"},
    // What would make two fields or lines of one.
    Row{transfer(Kind::upload, "/a\tb\nc d\"", 3, 1s),             R"(1 127.0.0.1 3 /a\x09b\x0ac_d" b _ i r alice ftp 0 * c)"},
    Row{transfer(Kind::upload, "/\xc3\xbc\xfc", 3, 1s),            "1 127.0.0.1 3 /\xc3\xbc\\xfc b _ i r alice ftp 0 * c"},
    Row{transfer(Kind::upload, "", 3, 1s),                         "1 127.0.0.1 3 ? b _ i r alice ftp 0 * c"},
    Row{of("a b", transfer(Kind::upload, "/f", 3, 1s)),            "1 127.0.0.1 3 /f b _ i r a_b ftp 0 * c"},
    Row{anonymous(transfer(Kind::upload, "/f", 3, 1s), "a b ftp 0 * i"),
                                                                   "1 127.0.0.1 3 /f b _ i a a_b_ftp_0_*_i ftp 0 * c"},
    Row{anonymous(transfer(Kind::upload, "/f", 3, 1s), ""),        "1 127.0.0.1 3 /f b _ i a ? ftp 0 * c"}));
// clang-format on

// ----- JSON

class Json : public LinesTest {};

TEST_P(Json, IsOneObject) {
    EXPECT_EQ(json_line(GetParam().entry),
              R"({"time":"2026-11-23T22:50:48.123Z",)" + GetParam().line + '}');
}

Entry with_reason(Entry made, std::string reason) {
    made.reason = std::move(reason);
    return made;
}

Entry without_session(Entry made) {
    made.session = 0;
    return made;
}

// clang-format off
INSTANTIATE_TEST_SUITE_P(All, Json, testing::Values(
    Row{of("", entry(Kind::connect)),                R"("event":"connect","session":7,"pid":136,"client":"127.0.0.1")"},
    Row{without_session(of("", entry(Kind::refused_per_ip))),
                                                     R"("event":"refused","pid":136,"client":"127.0.0.1","reason":"Connection refused: too many sessions for this address.")"},
    Row{with_reason(failed(entry(Kind::login)), "wrong \"password\""),
                                                     R"("event":"login","session":7,"pid":136,"user":"alice","account":"user","client":"127.0.0.1","success":false,"reason":"wrong \"password\"")"},
    Row{anonymous(entry(Kind::login)),               R"("event":"login","session":7,"pid":136,"user":"ftp","account":"anonymous","client":"127.0.0.1","anon_password":"me@x_y","success":true)"},
    Row{guest(transfer(Kind::upload, "/up load", 3, 1500ms)),
                                                     R"("event":"upload","session":7,"pid":136,"user":"alice","account":"guest","client":"127.0.0.1","path":"/up load","bytes":3,"duration":1.500000,"type":"binary","success":true)"},
    Row{entry(Kind::rename, "/a", "/b"),             R"("event":"rename","session":7,"pid":136,"user":"alice","account":"user","client":"127.0.0.1","path":"/a","second":"/b","success":true)"},
    Row{entry(Kind::chmod, "/a", "600"),             R"("event":"chmod","session":7,"pid":136,"user":"alice","account":"user","client":"127.0.0.1","path":"/a","mode":"600","success":true)"},
    Row{entry(Kind::command, "RETR f"),              R"("event":"command","session":7,"pid":136,"user":"alice","account":"user","client":"127.0.0.1","text":"RETR f")"},
    // Names as they are, and what is no text.
    Row{entry(Kind::mkdir, "/gr\xc3\xbc\\\"\n\x7f"), "\"event\":\"mkdir\",\"session\":7,\"pid\":136,\"user\":\"alice\",\"account\":\"user\",\"client\":\"127.0.0.1\",\"path\":\"/gr\xc3\xbc\\\\\\\"\\u000a\\u007f\",\"success\":true"},
    Row{entry(Kind::mkdir, "/a\xfc" "b\xc3"),        R"("event":"mkdir","session":7,"pid":136,"user":"alice","account":"user","client":"127.0.0.1","path":"/a\ufffdb\ufffd","path_hex":"2f61fc62c3","success":true)"}));
// clang-format on

TEST(JsonTime, IsUtcWhateverTheZone) {
    time_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    EXPECT_THAT(json_line(entry(Kind::login)), HasSubstr("\"2026-11-23T22:50:48.123Z\""));
}

// ----- events

TEST(KindOf, KnowsEveryEventThatIsLoggedHere) {
    const auto last = static_cast<std::uint32_t>(ipc::Event::warning);
    for (std::uint32_t number = 0; number < 100; ++number) {
        const auto event = static_cast<ipc::Event>(number);
        const bool known = number >= 1 && number < last && event != ipc::Event::refused;
        EXPECT_EQ(supervisor::kind_of(event).has_value(), known) << number;
    }
    EXPECT_EQ(supervisor::kind_of(ipc::Event::remove), Kind::remove);
}

}  // namespace
