// SPDX-License-Identifier: MIT
// Reading keys and certificates, and signing; the signer only.
#include "signer/keys.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "tls/certificates.hpp"
#include "tls/signatures.hpp"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <span>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

namespace signer {

using base::Error;
using base::Result;
using base::system_error;

namespace {

constexpr std::size_t largest_file = 1 << 20;

// A key's text: in one buffer that never moves, wiped in the end.
class SecretText {
  public:
    SecretText() { bytes_.reserve(largest_file + 1); }
    ~SecretText() { ::explicit_bzero(bytes_.data(), bytes_.capacity()); }
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;

    Result<void> read(const base::Fd& file) {
        bytes_.clear();
        for (;;) {
            const auto used = bytes_.size();
            bytes_.resize(std::min(used + 16384, largest_file + 1));
            const auto got = ::read(file.get(), bytes_.data() + used, bytes_.size() - used);
            bytes_.resize(used + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return system_error("cannot read it");
            if (bytes_.size() > largest_file) return Error{"the file is too large"};
            if (got == 0) return base::success();
        }
    }
    [[nodiscard]] std::string_view view() const { return bytes_; }

  private:
    std::string bytes_;
};

Result<void> read_file(const std::string& path, SecretText& text) {
    const base::Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (!file) return system_error(path);
    if (auto read = text.read(file); !read)
        return Error{path + ": " + read.error().what, read.error().number};
    return base::success();
}

// Asked for when the key is encrypted.
int note_passphrase(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

Result<tls::Key> read_key(std::string_view pem) {
    const auto text = tls::reading(pem);
    bool encrypted = false;
    tls::Key key{PEM_read_bio_PrivateKey_ex(text.get(), nullptr, &note_passphrase, &encrypted,
                                            tls::library(), nullptr)};
    if (key) return key;
    const auto reason = tls::openssl_reason();
    if (encrypted) return Error{"the key is encrypted, and there is nobody to ask for the phrase"};
    // What OpenSSL says of text in which it finds nothing of use.
    if (reason.starts_with("unsupported") || reason == "no start line")
        return Error{"no key in it"};
    return Error{reason};
}

struct Pair {
    tls::Chain chain;
    tls::Key key;
};

// vsftpd's words, and then the file and the reason. A file with both is read once: it may be
// replaced at any time, and two halves do not fit.
Result<Pair> read_pair(const Source& source) {
    SecretText text;
    std::string_view has;
    const auto load = [&](const char* what, const std::string& path,
                          const auto& parse) -> std::decay_t<decltype(parse(std::string_view{}))> {
        const auto failed = "SSL: cannot load " + source.kind + ' ' + what + ": ";
        if (auto read = path == has ? Result<void>{base::success()} : read_file(path, text); !read)
            return Error{failed + read.error().what, read.error().number};
        has = path;
        auto parsed = parse(text.view());
        if (!parsed) return Error{failed + path + ": " + parsed.error().text()};
        return parsed;
    };
    const auto& key_file = source.key_file.empty() ? source.certificate_file : source.key_file;
    TRY(auto chain, load("certificate", source.certificate_file, &tls::read_chain));
    TRY(auto key, load("private key", key_file, &read_key));
    if (X509_check_private_key(chain.own.get(), key.get()) == 1)
        return Pair{std::move(chain), std::move(key)};
    ERR_clear_error();
    return Error{"SSL: cannot load " + source.kind + " private key: " + key_file +
                 ": the key does not fit the certificate in " + source.certificate_file};
}

// ----- signing

// A ServerKeyExchange has no mark of its own and begins with 64 bytes that the asker chose: room
// for a small certificate that this key would seem to have issued. Honest randoms look like this
// once in millions of handshakes.
bool is_der(std::span<const unsigned char> bytes) {
    const auto* place = bytes.data();
    const auto* const end = place + bytes.size();
    const auto next = [&](long& length) {
        int tag = 0;
        int kind = 0;
        const int result = ASN1_get_object(&place, &length, &tag, &kind, end - place);
        if ((result & 1) != 0) length = end - place;  // of unsaid length
        return (result & 0x80) == 0;
    };
    const bool starts = !bytes.empty() && (bytes[0] == (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED) ||
                                           bytes[0] == (V_ASN1_SET | V_ASN1_CONSTRUCTED));
    long length = 0;
    bool fits = starts && next(length) && length == end - place;
    while (fits && place < end) {
        fits = next(length);
        if (fits) place += length;
    }
    ERR_clear_error();
    return fits;
}

Result<tls::Bytes> sign_bytes(EVP_PKEY* key, const tls::SchemeFacts& facts,
                              const tls::Bytes& bytes) {
    const tls::DigestContext signing{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* padding = nullptr;
    bool ready = signing && EVP_DigestSignInit_ex(signing.get(), &padding, facts.digest,
                                                  tls::library(), nullptr, key, nullptr) == 1;
    ready = ready && tls::set_padding(padding, facts);
    tls::Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
    auto size = signature.size();
    if (!ready ||
        EVP_DigestSign(signing.get(), signature.data(), &size, bytes.data(), bytes.size()) != 1)
        return Error{tls::openssl_reason(), EIO};
    signature.resize(size);
    return signature;
}

}  // namespace

Sources sources_of(const config::Options& options) {
    Sources sources;
    sources.legacy = options.ssl_tlsv1 || options.ssl_tlsv11;
    if (!options.rsa_cert_file.empty())
        sources.fallback.push_back({"RSA", options.rsa_cert_file, options.rsa_private_key_file});
    if (!options.dsa_cert_file.empty())
        sources.fallback.push_back({"DSA", options.dsa_cert_file, options.dsa_private_key_file});
    return sources;
}

Result<Keys> Keys::load(const Sources& sources, std::vector<std::string>& warnings) {
    Keys keys;
    keys.legacy_ = sources.legacy;
    for (const auto& each : sources.fallback) {
        auto added = keys.add(each, false, {});
        if (added) continue;
        if (added.error().number != ENOTSUP) return added.error();
        // A DSA certificate beside another one is of no use to any client, with vsftpd as well.
        if (sources.fallback.size() == 1) return Error{added.error().what};
        warnings.push_back(added.error().what + "; it is ignored");
    }
    if (!sources.directory.empty()) keys.add_directory(sources.directory, warnings);
    if (keys.certificates_.empty()) return Error{"SSL: there is no certificate"};
    return keys;
}

Result<void> Keys::add(const Source& source, bool by_name_only, std::string name) {
    TRY(auto pair, read_pair(source));
    auto described = tls::describe(pair.chain, source.certificate_file);
    if (!described)
        return Error{"SSL: cannot load " + source.kind +
                         " certificate: " + source.certificate_file + ": " + described.error().what,
                     described.error().number};
    auto& certificate = described.value();
    certificate.by_name_only = by_name_only;
    if (!name.empty()) certificate.names.push_back(std::move(name));
    keys_.insert_or_assign(certificate.key, std::move(pair.key));
    certificates_.push_back(std::move(certificate));
    return base::success();
}

void Keys::add_directory(const std::string& directory, std::vector<std::string>& warnings) {
    constexpr std::string_view ending = ".pem";
    const std::unique_ptr<DIR, decltype([](DIR* open) { (void)::closedir(open); })> stream{
        ::opendir(directory.c_str())};
    if (!stream) {
        warnings.push_back(system_error("SSL: " + directory).text());
        return;
    }
    std::vector<std::string> names;
    while (const auto* entry = ::readdir(stream.get())) {
        const std::string_view name = entry->d_name;
        if (name.ends_with(ending) && !name.starts_with('.')) names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
        auto host = base::lower(std::string_view(name).substr(0, name.size() - ending.size()));
        std::string path = directory;
        path += '/';
        path += name;
        auto added = add({"host", std::move(path), {}}, true, std::move(host));
        if (!added) warnings.push_back(added.error().text());
    }
}

Result<tls::Bytes> Keys::sign(const tls::ToBeSigned& what) const {
    const auto key = keys_.find(what.key);
    if (key == keys_.end()) return Error{"no such key", ENOKEY};
    const auto* facts = tls::facts_of(what.scheme);
    const bool tls13 = std::holds_alternative<tls::CertificateVerify>(what.content);
    if (facts == nullptr || (facts->legacy && !legacy_) ||
        !tls::fits(*facts, key->second.get(), tls13))
        return Error{"not a scheme for this key", EINVAL};
    TRY(const auto bytes, tls::bytes_of(what.content));
    if (is_der(bytes)) return Error{"this might be a certificate", EINVAL};
    return sign_bytes(key->second.get(), *facts, bytes);
}

}  // namespace signer
