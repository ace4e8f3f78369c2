// SPDX-License-Identifier: MIT
// What a greeter shows of a client's certificate: whatever the messages are, nobody proves to be
// whom no certificate names. All that the greeter can have signed is signed: the server's hash, and
// with the client's key its own.
#include "input.hpp"
#include "tls/certificates.hpp"
#include "tls/client_proof.hpp"

#include <openssl/ssl3.h>

#include <memory>
#include <vector>

namespace {

using tls::Bytes;

// The issuer that is believed; here it is the server as well.
constexpr const char* issuer =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBETCBxKADAgECAgEBMAUGAytlcDARMQ8wDQYDVQQDDAZpc3N1ZXIwIBcNMjAw\n"
    "MTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBExDzANBgNVBAMMBmlzc3VlcjAq\n"
    "MAUGAytlcAMhAIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29coz8wPTAP\n"
    "BgNVHRMBAf8EBTADAQH/MAsGA1UdDwQEAwICBDAdBgNVHQ4EFgQUmtGeDxbu9xTL\n"
    "kMbxldvOZulFgPkwBQYDK2VwA0EA5A5BS4850qOGqmnatx7tkH7SCxX20K9JLXvX\n"
    "MPrmcUwnwJUuMi9jwQLvMrxQXwWy+2PcXB0/adP/3r12iShhDg==\n"
    "-----END CERTIFICATE-----\n";

// Of the certificate in the seeds, which names "ann".
const tls::Key& clients_key() {
    static const tls::Key key = [] {
        const Bytes secret(32, 7);
        return tls::Key{EVP_PKEY_new_raw_private_key_ex(tls::library(), "ED25519", nullptr,
                                                        secret.data(), secret.size())};
    }();
    return key;
}

const tls::Chain& server() {
    static const auto chain = tls::read_chain(issuer);
    return chain.value();
}

const tls::Context& context() {
    static const auto made = [] {
        tls::Settings settings;
        settings.ciphers = "DEFAULT";
        settings.request_cert = true;
        settings.ca_certificates = issuer;
        std::vector<ipc::Certificate> own;
        own.push_back(tls::describe(server(), "server").value());
        return tls::Context::create(settings,
                                    std::make_shared<const tls::Certificates>(std::move(own)),
                                    tls::Purpose::control);
    }();
    return made.value();
}

void append(Bytes& to, std::size_t number, int size) {
    while (size-- > 0) to.push_back(static_cast<unsigned char>(number >> 8 * size));
}

Bytes vector(tls::Span bytes, int size_of_length) {
    Bytes made;
    append(made, bytes.size(), size_of_length);
    made.insert(made.end(), bytes.begin(), bytes.end());
    return made;
}

void append(Bytes& to, unsigned char type, tls::Span body) {
    to.push_back(type);
    const auto bytes = vector(body, 3);
    to.insert(to.end(), bytes.begin(), bytes.end());
}

Bytes certificate_request() {
    Bytes extension;
    append(extension, tls::nonce_extension, 2);
    const auto nonce = vector(tls::Nonce{}, 2);
    extension.insert(extension.end(), nonce.begin(), nonce.end());
    Bytes body{0};
    const auto all = vector(extension, 2);
    body.insert(body.end(), all.begin(), all.end());
    return body;
}

Bytes servers_certificate() {
    unsigned char* der = nullptr;
    const int size = i2d_X509(server().own.get(), &der);
    const tls::OpenSslBytes owner{der};
    auto entry = vector({der, static_cast<std::size_t>(size)}, 3);
    append(entry, 0, 2);
    Bytes body{0};
    const auto all = vector(entry, 3);
    body.insert(body.end(), all.begin(), all.end());
    return body;
}

Bytes sha256(tls::Span bytes) {
    Bytes hash(32);
    HOLDS(EVP_Q_digest(tls::library(), "SHA256", nullptr, bytes.data(), bytes.size(), hash.data(),
                       nullptr) == 1);
    return hash;
}

// Up to the server's Certificate.
Bytes first_messages() {
    Bytes made;
    append(made, SSL3_MT_CLIENT_HELLO, Bytes(40, 'c'));
    append(made, SSL3_MT_SERVER_HELLO, Bytes(40, 's'));
    append(made, SSL3_MT_ENCRYPTED_EXTENSIONS, Bytes(2));
    append(made, SSL3_MT_CERTIFICATE_REQUEST, certificate_request());
    append(made, SSL3_MT_CERTIFICATE, servers_certificate());
    return made;
}

// A whole proof with this for the client's certificates, signed with the client's key.
Bytes proof_with(tls::Span certificates) {
    auto made = first_messages();
    append(made, SSL3_MT_CERTIFICATE_VERIFY, Bytes(68, 'v'));
    append(made, SSL3_MT_FINISHED, Bytes(32, 'f'));
    append(made, SSL3_MT_CERTIFICATE, certificates);
    constexpr std::string_view what{"TLS 1.3, client CertificateVerify\0", 34};
    Bytes content(64, ' ');
    content.insert(content.end(), what.begin(), what.end());
    const auto hash = sha256(made);
    content.insert(content.end(), hash.begin(), hash.end());
    Bytes signature(64);
    auto size = signature.size();
    const tls::DigestContext signing{EVP_MD_CTX_new()};
    HOLDS(EVP_DigestSignInit_ex(signing.get(), nullptr, nullptr, tls::library(), nullptr,
                                clients_key().get(), nullptr) == 1 &&
          EVP_DigestSign(signing.get(), signature.data(), &size, content.data(), content.size()) ==
              1);
    Bytes verify;
    append(verify, static_cast<unsigned>(tls::Scheme::ed25519), 2);
    const auto last = vector(signature, 2);
    verify.insert(verify.end(), last.begin(), last.end());
    append(made, SSL3_MT_CERTIFICATE_VERIFY, verify);
    return made;
}

// Of the first five messages.
Bytes signed_hash(tls::Span messages) {
    std::size_t at = 0;
    for (int i = 0; i < 5 && at + 4 <= messages.size(); ++i)
        at += 4U + (std::size_t{messages[at + 1]} << 16U | std::size_t{messages[at + 2]} << 8U |
                    messages[at + 3]);
    return sha256(messages.first(std::min(at, messages.size())));
}

// The first certificate, whoever has issued it.
void read_names(tls::Span certificates) {
    if (certificates.size() < 7) return;
    const auto* at = certificates.data() + 7;
    const tls::X509Certificate read{
        d2i_X509(nullptr, &at, static_cast<long>(certificates.size() - 7))};
    for (const auto* field :
         {"commonName", "subject", "rfc822Name", "dNSName", "userPrincipalName"}) {
        for (const auto& name :
             read ? tls::names_in(read.get(), field) : std::vector<std::string>{})
            HOLDS(!name.empty() && name.find('\0') == name.npos);
    }
}

}  // namespace

// The first byte says whether all of it is the greeter's, or the client's certificates alone.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const tls::Span rest{data + 1, size - 1};
    const bool whole = data[0] == 0;
    if (!whole) read_names(rest);
    const auto messages = whole ? Bytes(rest.begin(), rest.end()) : proof_with(rest);
    const tls::SignedHandshake known{
        {}, tls::key_id(X509_get0_pubkey(server().own.get())).value(), signed_hash(messages)};
    const auto proven = tls::prove(messages, known, context());
    HOLDS(!proven || (!whole && tls::subject(proven.value().get()) == "CN=ann"));
    return 0;
}
