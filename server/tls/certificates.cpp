// SPDX-License-Identifier: MIT
// Reading and choosing certificates; runs in the signer, the spawner and its children.
#include "tls/certificates.hpp"

#include "base/text.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

namespace tls {

using base::Error;
using base::Result;

namespace {

using Names = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;

// Never asks anybody.
int no_passphrase(char*, int, int, void*) { return -1; }

X509Certificate empty_certificate() { return X509Certificate{X509_new_ex(library(), nullptr)}; }

// The next one in the text; none at its end.
Result<X509Certificate> next_certificate(BIO* text) {
    auto certificate = empty_certificate();
    auto* place = certificate.get();
    if (place == nullptr) return openssl_error("no certificate");
    if (PEM_read_bio_X509_AUX(text, &place, &no_passphrase, nullptr) != nullptr) return certificate;
    (void)certificate.release();  // OpenSSL may have freed it
    certificate.reset(place);
    const auto code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE)
        return Error{openssl_reason()};
    ERR_clear_error();
    return X509Certificate{};
}

void add_name(std::vector<std::string>& names, const ASN1_STRING* text) {
    const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(text));
    std::string name(bytes, static_cast<std::size_t>(ASN1_STRING_length(text)));
    if (!name.empty() && name.find('\0') == name.npos) names.push_back(base::lower(name));
}

// "": it is no text that could be a name.
std::string name_of(const ASN1_STRING* text) {
    unsigned char* bytes = nullptr;
    const int size = ASN1_STRING_to_UTF8(&bytes, text);
    const OpenSslBytes owner{bytes};
    if (size <= 0) return {};
    std::string name(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    const bool plain = std::none_of(name.begin(), name.end(),
                                    [](unsigned char c) { return c < ' ' || c == 0x7F; });
    return plain ? name : std::string{};
}

std::string common_name(X509* certificate) {
    const auto* holder = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(holder, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(holder, NID_commonName, at) >= 0) return {};
    return name_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(holder, at)));
}

std::string alternative_name(const GENERAL_NAME* name, std::string_view field) {
    if (name->type == GEN_EMAIL && field == "rfc822Name") return name_of(name->d.rfc822Name);
    if (name->type == GEN_DNS && field == "dNSName") return base::lower(name_of(name->d.dNSName));
    const bool principal = name->type == GEN_OTHERNAME && field == "userPrincipalName" &&
                           OBJ_obj2nid(name->d.otherName->type_id) == NID_ms_upn &&
                           name->d.otherName->value->type == V_ASN1_UTF8STRING;
    return principal ? name_of(name->d.otherName->value->value.utf8string) : std::string{};
}

std::string without_final_dot(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    return base::lower(name);
}

}  // namespace

Result<KeyId> key_id(const EVP_PKEY* key) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    const OpenSslBytes bytes{der};
    KeyId id{};
    std::size_t written = 0;
    if (size <= 0 || EVP_Q_digest(library(), "SHA256", nullptr, der, static_cast<std::size_t>(size),
                                  id.data(), &written) != 1)
        return openssl_error("cannot read the public key");
    return id;
}

Result<Chain> read_chain(std::string_view pem) {
    const auto text = reading(pem);
    Chain chain;
    TRY(chain.own, next_certificate(text.get()));
    if (!chain.own) return Error{"no certificate in it"};
    for (;;) {
        TRY(auto next, next_certificate(text.get()));
        if (!next) return chain;
        chain.others.push_back(std::move(next));
    }
}

Result<std::string> to_pem(const Chain& chain) {
    const Bio out{BIO_new(BIO_s_mem())};
    bool written = out && PEM_write_bio_X509(out.get(), chain.own.get()) == 1;
    for (const auto& each : chain.others)
        written = written && PEM_write_bio_X509(out.get(), each.get()) == 1;
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &bytes);
    if (!written || size <= 0) return openssl_error("cannot write a certificate");
    return std::string(bytes, static_cast<std::size_t>(size));
}

Result<KeyType> key_type(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "RSA") == 1) {
        if (static_cast<std::size_t>(EVP_PKEY_get_size(key)) > ipc::longest_signature)
            return Error{"RSA keys of more than 8192 bits are not supported", ENOTSUP};
        return KeyType::rsa;
    }
    if (EVP_PKEY_is_a(key, "ED25519") == 1) return KeyType::ed25519;
    if (EVP_PKEY_is_a(key, "EC") == 1) {
        char curve[64] = "";
        if (EVP_PKEY_get_group_name(key, curve, sizeof curve, nullptr) == 1 &&
            key_curve(curve) != nullptr)
            return KeyType::ec;
        return Error{"EC keys on other curves than P-256, P-384 and P-521 are not supported",
                     ENOTSUP};
    }
    const auto* name = EVP_PKEY_get0_type_name(key);
    return Error{std::string(name == nullptr ? "unknown" : name) + " keys are not supported",
                 ENOTSUP};
}

std::vector<std::string> host_names(X509* certificate) {
    std::vector<std::string> found;
    const Names names{static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const auto* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_DNS) add_name(found, name->d.dNSName);
    }
    if (!found.empty()) return found;
    const auto* holder = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(holder, NID_commonName, -1);
    if (at >= 0) add_name(found, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(holder, at)));
    return found;
}

std::string subject(X509* certificate) {
    const Bio out{BIO_new(BIO_s_mem())};
    constexpr auto form = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
    X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, form);
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &bytes);
    return size <= 0 ? std::string{} : std::string(bytes, static_cast<std::size_t>(size));
}

std::vector<std::string> names_in(X509* certificate, std::string_view field) {
    std::vector<std::string> found;
    if (field == "commonName") found.push_back(common_name(certificate));
    if (field == "subject") found.push_back(subject(certificate));
    const Names names{static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i)
        found.push_back(alternative_name(sk_GENERAL_NAME_value(names.get(), i), field));
    std::erase(found, "");
    return found;
}

Result<std::int64_t> not_after(X509* certificate) {
    std::tm time{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1)
        return openssl_error("the certificate has no end of validity");
    return std::int64_t{::timegm(&time)};
}

Result<ipc::Certificate> describe(const Chain& chain, std::string file) {
    ipc::Certificate described;
    const auto* key = X509_get0_pubkey(chain.own.get());
    if (key == nullptr) return openssl_error("the certificate has no public key");
    TRY(key_type(key));
    TRY(described.key, key_id(key));
    TRY(described.not_after, not_after(chain.own.get()));
    TRY(described.chain, to_pem(chain));
    described.names = host_names(chain.own.get());
    described.file = std::move(file);
    return described;
}

Certificates::Certificates(std::vector<ipc::Certificate> all) : all_(std::move(all)) {
    for (const auto& each : all_) {
        if (!each.by_name_only) without_name_.push_back(&each);
        for (const auto& name : each.names) {
            auto& of_name = by_name_[without_final_dot(name)];
            if (of_name.empty() || of_name.back() != &each) of_name.push_back(&each);
        }
    }
}

const std::vector<const ipc::Certificate*>& Certificates::for_name(std::string_view name) const {
    static const std::vector<const ipc::Certificate*> none;
    const auto wanted = without_final_dot(name);
    auto found = by_name_.find(wanted);
    if (found == by_name_.end()) {
        const auto dot = wanted.find('.');
        if (dot == wanted.npos || dot == 0) return none;
        found = by_name_.find("*" + wanted.substr(dot));
    }
    return found == by_name_.end() ? none : found->second;
}

}  // namespace tls
