// SPDX-License-Identifier: MIT
// Checksums of files, and their size in TYPE A.
#include "session/hash.hpp"

#include "session/transfer.hpp"
#include "tests/session/jail.hpp"

#include <gtest/gtest.h>

#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace {

using ftp::HashAlgorithm;
using testing_support::Jail;
using testing_support::outcome;

class NoWatch : public session::Watch {
  public:
    [[nodiscard]] int fd() const override { return -1; }
    [[nodiscard]] bool on_readable() override { return false; }
};

// Something is to be read, and says that it is to stop.
class Impatient : public session::Watch {
  public:
    explicit Impatient(bool patient = false) : patient_(patient) {
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        reading_ = base::Fd{ends[0]};
        writing_ = base::Fd{ends[1]};
        EXPECT_EQ(::write(writing_.get(), "x", 1), 1);
    }
    [[nodiscard]] int fd() const override { return reading_.get(); }
    [[nodiscard]] bool on_readable() override { return ++asked, patient_; }
    int asked = 0;

  private:
    bool patient_;
    base::Fd reading_;
    base::Fd writing_;
};

class Hash : public testing::Test {
  protected:
    [[nodiscard]] base::Fd open(const std::string& content) const {
        jail.file("f", content);
        return base::Fd{::open(jail.path("f").c_str(), O_RDONLY | O_CLOEXEC)};
    }
    std::string of(const std::string& content, HashAlgorithm algorithm, std::uint64_t offset,
                   std::uint64_t length) {
        const auto result = session::digest(open(content), algorithm, offset, length, watch);
        return result ? result.value() : outcome(result);
    }
    std::string of(const std::string& content, HashAlgorithm algorithm) {
        return of(content, algorithm, 0, content.size());
    }
    Jail jail;
    NoWatch watch;
};

TEST_F(Hash, IsWhatEverybodyComputes) {
    EXPECT_EQ(of("abc", HashAlgorithm::sha256),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(of("abc", HashAlgorithm::sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(of("abc", HashAlgorithm::md5), "900150983cd24fb0d6963f7d28e17f72");
    EXPECT_EQ(of("123456789", HashAlgorithm::crc32), "cbf43926");
    EXPECT_EQ(of("", HashAlgorithm::md5), "d41d8cd98f00b204e9800998ecf8427e");
    EXPECT_EQ(of("", HashAlgorithm::crc32), "00000000");
}

TEST_F(Hash, OfMuchIsThatOfItsParts) {
    std::string million(1'000'000, 'a');
    EXPECT_EQ(of(million, HashAlgorithm::sha1), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    EXPECT_EQ(of(million, HashAlgorithm::crc32), "dc25bfbc");
}

// Byte by byte, whatever the length and where it begins.
TEST_F(Hash, CountsEveryByteInCrc) {
    const std::string content = "The quick brown fox jumps over the lazy dog";
    for (std::size_t from = 0; from < content.size(); ++from) {
        const auto part = content.substr(from);
        std::uint32_t crc = ~0U;
        for (const char c : part) {
            crc ^= static_cast<unsigned char>(c);
            for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0);
        }
        char text[9];
        (void)std::snprintf(text, sizeof text, "%08x", ~crc);
        EXPECT_EQ(of(content, HashAlgorithm::crc32, from, part.size()), text);
    }
}

TEST_F(Hash, IsOfTheRangeAlone) {
    EXPECT_EQ(of("xxabcxx", HashAlgorithm::md5, 2, 3), "900150983cd24fb0d6963f7d28e17f72");
    EXPECT_EQ(of("abc", HashAlgorithm::md5, 3, 0), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST_F(Hash, FailsWhenTheFileIsShorter) {
    EXPECT_EQ(of("abc", HashAlgorithm::md5, 0, 4), "EIO");
    EXPECT_EQ(of("abc", HashAlgorithm::crc32, 4, 1), "EIO");
}

TEST_F(Hash, EndsWhenNobodyWantsItAnyMore) {
    const auto file = open(std::string(3 << 20, 'x'));
    Impatient impatient;
    const auto ended = session::digest(file, HashAlgorithm::sha256, 0, 3 << 20, impatient);
    EXPECT_EQ(outcome(ended), "ECANCELED");
    EXPECT_EQ(impatient.asked, 1);
    Impatient patient(true);
    EXPECT_TRUE(session::digest(file, HashAlgorithm::sha256, 0, 3 << 20, patient));
    EXPECT_GT(patient.asked, 3) << "between any two chunks";
    Impatient again;
    EXPECT_EQ(outcome(session::ascii_size(file, again)), "ECANCELED");
}

// Only shutting down one's end right after the command is no going away from a small file.
TEST_F(Hash, EndsWhenTheClientHasGone) {
    class Gone : public Impatient {
      public:
        Gone() : Impatient(true) {}
        [[nodiscard]] bool gone() const override { return asked > 0; }
    };
    const auto file = open(std::string(3 << 20, 'x'));
    Gone gone;
    EXPECT_EQ(outcome(session::digest(file, HashAlgorithm::sha256, 0, 3 << 20, gone)), "ECANCELED");
    EXPECT_LE(gone.asked, 2);
    EXPECT_EQ(outcome(session::ascii_size(file, gone)), "ECANCELED");
    EXPECT_TRUE(session::digest(file, HashAlgorithm::sha256, 0, 1000, gone));
}

TEST_F(Hash, AsciiSizeIsThatOfADownload) {
    const auto size = [&](const std::string& content) {
        return session::ascii_size(open(content), watch).value();
    };
    EXPECT_EQ(size(""), 0U);
    EXPECT_EQ(size("a\nb\n"), 6U);
    EXPECT_EQ(size("a\r\nb\n"), 6U) << "CRLF stays";
    // A CR as the last byte of one chunk and its LF as the first of the next.
    EXPECT_EQ(size(std::string((512 << 10) - 1, 'x') + "\r\ny\n"), (512U << 10) + 4);
}

}  // namespace
