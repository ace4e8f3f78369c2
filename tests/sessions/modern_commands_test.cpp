// SPDX-License-Identifier: MIT
// What today's clients use and vsftpd lacks: facts, checksums, ranges, hosts (whole sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <fcntl.h>
#include <sys/stat.h>

using namespace sessions;
using testing::AnyOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

std::string digest(const char* algorithm, std::string_view content) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(content.data(), content.size(), bytes, &size, EVP_get_digestbyname(algorithm), nullptr);
    std::string hex;
    for (unsigned at = 0; at < size; ++at) {
        constexpr char digits[] = "0123456789abcdef";
        hex += digits[bytes[at] >> 4];
        hex += digits[bytes[at] & 15];
    }
    return hex;
}

class Modern : public testing::Test {
  protected:
    void SetUp() override {
        if (std::getenv("JAILFTPD_TRY_REFERENCE") != nullptr) GTEST_SKIP();
        write_file(files / "f", content, alice.uid);
        make_folder(files / "d", alice.uid);
        const timespec times[2] = {{1583020799, 0}, {1583020799, 0}};
        ::utimensat(AT_FDCWD, (files / "f").c_str(), times, 0);
    }
    const std::string content = noise(100'000);
    const std::filesystem::path files = home_of(alice) / "files";
    Server server{{"chroot_local_user=YES"}};
    Conversation ftp{server, alice};
};

// The facts of one name in an MLSD listing.
std::string facts_of(const std::string& listing, const std::string& name) {
    for (const auto& line : lines_of(listing))
        if (line.ends_with(" " + name)) return line.substr(0, line.size() - name.size() - 1);
    return "(none)";
}

std::string unique_of(const std::string& listing, const std::string& name) {
    const auto facts = facts_of(listing, name);
    const auto begin = facts.find("unique=");
    return begin == facts.npos ? "(none)" : facts.substr(begin, facts.find(';', begin) - begin);
}

}  // namespace

TEST_F(Modern, MlstTellsTheFactsOfOneName) {
    const auto lines = lines_of(ftp.say("MLST files/f"));
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_THAT(lines[0], StartsWith("250-"));
    EXPECT_THAT(lines[1], StartsWith(" "));
    for (const auto* fact : {"type=file;", "size=100000;", "modify=20200229235959;", "UNIX.mode=0644;"})
        EXPECT_THAT(lines[1], HasSubstr(fact));
    EXPECT_THAT(lines[1], testing::EndsWith("files/f"));
    EXPECT_EQ(lines[2].substr(0, 4), "250 ");
    EXPECT_THAT(ftp.say("MLST nothing"), StartsWith("550"));
    EXPECT_THAT(ftp.say("MLST"), HasSubstr("type=dir;")) << "the current folder";
}

TEST_F(Modern, MlsdShowsTheFolderAbove) {
    const auto root = ftp.list("MLSD /");
    const auto own = unique_of(root, ".");
    EXPECT_THAT(own, StartsWith("unique="));
    EXPECT_EQ(unique_of(root, ".."), own) << "nothing is above the root";
    EXPECT_EQ(unique_of(ftp.list("MLSD files"), ".."), own);
    EXPECT_EQ(unique_of(ftp.list("MLSD files/d"), ".."), unique_of(root, "files"));
}

TEST_F(Modern, MlsdTellsTheFactsOfAll) {
    const auto listing = ftp.list("MLSD files");
    EXPECT_EQ(ftp.done, "226 Directory send OK.");
    EXPECT_THAT(facts_of(listing, "f"), HasSubstr("type=file;"));
    EXPECT_THAT(facts_of(listing, "d"), HasSubstr("type=dir;"));
    EXPECT_THAT(facts_of(listing, "f"), ContainsRegex("perm=[a-z]*r"));
    EXPECT_THAT(facts_of(listing, "f"), ContainsRegex("unique=[^;]+;"));
    ftp.list("MLSD files/f");
    EXPECT_THAT(ftp.began, AnyOf(StartsWith("501"), StartsWith("550")));
    ftp.list("MLSD nothing");
    EXPECT_THAT(ftp.began, StartsWith("550"));
}

TEST_F(Modern, OptsMlstChoosesFacts) {
    EXPECT_THAT(ftp.say("OPTS MLST type;size;"), ContainsRegex("^200 MLST OPTS [tT]ype;[sS]ize;$"));
    const auto facts = facts_of(ftp.list("MLSD files"), "f");
    EXPECT_THAT(facts, HasSubstr("size=100000;"));
    EXPECT_THAT(facts, Not(HasSubstr("modify=")));
    EXPECT_THAT(ftp.say("FEAT"), ContainsRegex("MLST type\\*;size\\*;modify;"));
}

TEST_F(Modern, HashTellsChecksums) {
    const std::pair<const char*, const char*> algorithms[] = {
        {"SHA-256", "SHA256"}, {"SHA-1", "SHA1"}, {"MD5", "MD5"}};
    for (const auto& [name, known] : algorithms) {
        EXPECT_EQ(ftp.say(std::string("OPTS HASH ") + name), std::string("200 ") + name);
        const auto answer = ftp.say("HASH files/f");
        EXPECT_THAT(answer, StartsWith(std::string("213 ") + name + " 0-"));
        EXPECT_THAT(answer, HasSubstr(digest(known, content)));
    }
    EXPECT_EQ(ftp.say("OPTS HASH CRC32"), "200 CRC32");
    write_file(files / "digits", "123456789", alice.uid);
    EXPECT_THAT(ftp.say("HASH files/digits"), ContainsRegex("[cC][bB][fF]43926"));
    EXPECT_THAT(ftp.say("OPTS HASH XYZZY"), StartsWith("50"));
    EXPECT_THAT(ftp.say("HASH nothing"), StartsWith("550"));
    EXPECT_THAT(ftp.say("HASH files/d"), StartsWith("55"));
}

TEST_F(Modern, HashTellsTheChecksumOfARange) {
    EXPECT_THAT(ftp.say("RANG 100 199"), StartsWith("350"));
    EXPECT_THAT(ftp.say("HASH files/f"), HasSubstr(digest("SHA256", content.substr(100, 100))));
}

TEST_F(Modern, MffSetsTimeAndMode) {
    EXPECT_THAT(ftp.say("MFF Modify=20210304050607;UNIX.mode=0640; files/f"), StartsWith("213 "));
    EXPECT_EQ(ftp.say("MDTM files/f"), "213 20210304050607");
    EXPECT_EQ(mode_of(files / "f"), 0640U);
    EXPECT_THAT(ftp.say("MFF UNIX.owner=0; files/f"), StartsWith("504"));
}

TEST_F(Modern, AvblTellsTheRoomThereIs) {
    EXPECT_THAT(ftp.say("AVBL"), ContainsRegex("^213 [0-9]+$"));
    EXPECT_THAT(ftp.say("AVBL files"), ContainsRegex("^213 [0-9]+$"));
    EXPECT_THAT(ftp.say("AVBL nothing"), StartsWith("550"));
}

TEST_F(Modern, ClntIsNoted) { EXPECT_THAT(ftp.say("CLNT FileZilla 3.63"), StartsWith("200")); }

TEST_F(Modern, HostComesBeforeTheLogin) {
    EXPECT_THAT(ftp.say("HOST ftp.example.org"), StartsWith("503"));
    Conversation other(server);
    EXPECT_THAT(other.say("HOST ftp.example.org"), AnyOf(StartsWith("220"), StartsWith("504")));
    EXPECT_EQ(other.login(bob), "230 Login successful.");
}

TEST_F(Modern, ChecksumsAnswerDuringNothingElse) {
    EXPECT_THAT(ftp.say("XSHA256 files/f"), HasSubstr(digest("SHA256", content)));
    EXPECT_THAT(ftp.say("XMD5 files/f"), HasSubstr(digest("MD5", content)));
}

// What FileZilla sends for a session of its own.
TEST_F(Modern, AFileZillaLikeSessionWorks) {
    Conversation zilla(server);
    EXPECT_EQ(zilla.say("AUTH TLS"), "530 Please login with USER and PASS.");
    EXPECT_EQ(zilla.login(alice), "230 Login successful.");
    for (const auto& [line, code] : {std::pair{"SYST", "215"}, {"FEAT", "211"}, {"CLNT FileZilla", "200"},
                                     {"OPTS UTF8 ON", "200"}, {"PWD", "257"}, {"TYPE I", "200"},
                                     {"OPTS MLST type;size;modify;perm;unix.mode;unix.owner;unix.group;", "200"}})
        EXPECT_THAT(zilla.say(line), StartsWith(code)) << line;
    zilla.mode = Conversation::Mode::extended_passive;
    EXPECT_THAT(zilla.list("MLSD"), HasSubstr(" files\r\n"));
    zilla.say("CWD files");
    EXPECT_EQ(zilla.store("up.bin", content.substr(0, 40'000)), "226 Transfer complete.");
    zilla.say("REST 40000");
    EXPECT_EQ(zilla.store("up.bin", content.substr(40'000)), "226 Transfer complete.");
    EXPECT_THAT(zilla.say("MFMT 20200101000000 up.bin"), StartsWith("213"));
    EXPECT_THAT(zilla.say("MDTM up.bin"), StartsWith("213 20200101000000"));
    zilla.say("REST 99000");
    EXPECT_TRUE(zilla.retrieve("up.bin") == content.substr(99'000));
    EXPECT_TRUE(content_of(files / "up.bin") == content);
}
