// SPDX-License-Identifier: MIT
// Reads files for HASH, the X commands of older clients and SIZE in TYPE A; runs in the session.
#include "session/hash.hpp"

#include "ftp/xfer_ascii.hpp"
#include "session/transfer.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace session {

using base::Error;
using base::Fd;
using base::Result;
using base::system_error;

namespace {

constexpr std::size_t chunk_size = 512 << 10;

// ----- CRC-32, as in zip (OpenSSL has none)

using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

// The first table is for one byte, each further one for a byte that has one more behind it, so that
// eight bytes are taken in one go.
constexpr CrcTables make_crc_tables() {
    CrcTables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        auto value = byte;
        for (int bit = 0; bit < 8; ++bit)
            value = (value & 1) != 0 ? (value >> 1) ^ 0xEDB88320U : value >> 1;
        tables[0][byte] = value;
    }
    for (std::size_t table = 1; table < tables.size(); ++table) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const auto before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}

constexpr CrcTables crc_tables = make_crc_tables();

class Crc32 {
  public:
    void update(std::span<const unsigned char> bytes) {
        for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
            std::uint32_t mixed = 0;
            for (std::size_t at = 0; at < 4; ++at)
                mixed ^= crc_tables[7 - at][(bytes[at] ^ (state_ >> (8 * at))) & 0xFF];
            for (std::size_t at = 4; at < 8; ++at) mixed ^= crc_tables[7 - at][bytes[at]];
            state_ = mixed;
        }
        for (const auto byte : bytes)
            state_ = (state_ >> 8) ^ crc_tables[0][(state_ ^ byte) & 0xFF];
    }
    [[nodiscard]] std::array<unsigned char, 4> result() const {
        const auto value = ~state_;
        const auto byte = [&](int shift) { return static_cast<unsigned char>(value >> shift); };
        return {byte(24), byte(16), byte(8), byte(0)};
    }

  private:
    std::uint32_t state_ = ~0U;
};

// ----- the others

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

const EVP_MD* openssl_digest(ftp::HashAlgorithm algorithm) {
    switch (algorithm) {
        case ftp::HashAlgorithm::sha256:
            return EVP_sha256();
        case ftp::HashAlgorithm::sha1:
            return EVP_sha1();
        case ftp::HashAlgorithm::md5:
            return EVP_md5();
        case ftp::HashAlgorithm::crc32:
            return nullptr;
    }
    return nullptr;
}

std::string hexadecimal(std::span<const unsigned char> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const auto byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 0xF];
    }
    return text;
}

// ----- reading

bool wanted_still(Watch& watch) {
    pollfd control{watch.fd(), POLLIN, 0};
    if (control.fd < 0 || ::poll(&control, 1, 0) <= 0) return true;
    return watch.on_readable();
}

// Whoever shuts down his end right after the command still gets the answer for a small file.
bool in_vain(const Watch& watch, std::uint64_t done) { return done > 0 && watch.gone(); }

// Up to `length` bytes from `offset` go to `take`, as many as there are; the result is how many.
template <typename Take>
Result<std::uint64_t> read_all(const Fd& file, std::uint64_t offset, std::uint64_t length,
                               Watch& watch, Take take) {
    (void)::posix_fadvise(file.get(), static_cast<off_t>(offset), 0, POSIX_FADV_SEQUENTIAL);
    std::vector<unsigned char> buffer(std::min<std::uint64_t>(length, chunk_size));
    std::uint64_t done = 0;
    while (done < length) {
        if (!wanted_still(watch) || in_vain(watch, done))
            return Error{"no longer wanted", ECANCELED};
        const auto most = std::min<std::uint64_t>(buffer.size(), length - done);
        const auto count =
            ::pread(file.get(), buffer.data(), most, static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error("read");
        if (count == 0) break;
        take(std::span(buffer.data(), static_cast<std::size_t>(count)));
        done += static_cast<std::uint64_t>(count);
    }
    return done;
}

template <typename Take>
Result<void> read_exactly(const Fd& file, std::uint64_t offset, std::uint64_t length, Watch& watch,
                          Take take) {
    TRY(const auto done, read_all(file, offset, length, watch, take));
    if (done < length) return Error{"the file is shorter than it was", EIO};
    return base::success();
}

}  // namespace

Result<std::string> digest(const Fd& file, ftp::HashAlgorithm algorithm, std::uint64_t offset,
                           std::uint64_t length, Watch& watch) {
    if (algorithm == ftp::HashAlgorithm::crc32) {
        Crc32 crc;
        TRY(read_exactly(file, offset, length, watch, [&](auto bytes) { crc.update(bytes); }));
        return hexadecimal(crc.result());
    }
    const Context context{EVP_MD_CTX_new()};
    // An administrator's OpenSSL may know no MD5.
    if (!context || EVP_DigestInit_ex(context.get(), openssl_digest(algorithm), nullptr) != 1)
        return Error{"OpenSSL", EOPNOTSUPP};
    bool counted = true;
    TRY(read_exactly(file, offset, length, watch, [&](auto bytes) {
        counted = counted && EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1;
    }));
    std::array<unsigned char, EVP_MAX_MD_SIZE> result{};
    unsigned size = 0;
    if (!counted || EVP_DigestFinal_ex(context.get(), result.data(), &size) != 1)
        return Error{"OpenSSL", EOPNOTSUPP};
    return hexadecimal(std::span(result.data(), size));
}

Result<std::uint64_t> ascii_size(const Fd& file, Watch& watch) {
    constexpr auto all = static_cast<std::uint64_t>(INT64_MAX);
    ftp::NetworkSize size;
    TRY(read_all(file, 0, all, watch, [&](std::span<const unsigned char> bytes) {
        size.count({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }));
    return size.bytes();
}

}  // namespace session
