// SPDX-License-Identifier: MIT
// Handshakes (RFC 8446) as messages, their hashes and signatures; runs in greeters.
#include "tls/client_proof.hpp"

#include "tls/certificates.hpp"
#include "tls/issued.hpp"
#include "tls/signatures.hpp"

#include <openssl/err.h>
#include <openssl/ssl3.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace tls {

using base::Error;
using base::Result;
using std::string_view_literals::operator""sv;

namespace {

constexpr std::size_t most_messages = 11;  // with a HelloRetryRequest
constexpr std::size_t most_certificates = 16;

// RFC 8446 4.4.1: the first message of a handshake whose ClientHello came twice is replaced by one
// of this type that holds its hash.
constexpr unsigned char message_hash = 254;

// RFC 8446 4.4.3
constexpr std::size_t blanks = 64;
constexpr auto clients_context = "TLS 1.3, client CertificateVerify\0"sv;

Error malformed() { return Error{"the handshake is malformed"}; }

// Big-endian numbers, and vectors behind their length; everything is checked, and after a failure
// all that is read is zero and empty.
class Reader {
  public:
    explicit Reader(Span bytes) : bytes_(bytes) {}

    std::size_t number(std::size_t size) {
        std::size_t value = 0;
        for (const auto byte : take(size)) value = value << 8U | byte;
        return value;
    }
    Span vector(std::size_t size_of_length) { return take(number(size_of_length)); }

    [[nodiscard]] std::size_t left() const { return bytes_.size(); }
    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] bool complete() const { return !failed_ && bytes_.empty(); }

  private:
    Span take(std::size_t size) {
        if (size > bytes_.size()) {
            failed_ = true;
            bytes_ = {};
            return {};
        }
        const auto taken = bytes_.first(size);
        bytes_ = bytes_.subspan(size);
        return taken;
    }

    Span bytes_;
    bool failed_ = false;
};

struct Message {
    std::size_t type = 0;
    Span body;
    std::size_t end = 0;  // its last byte's place in the handshake, and one
};

enum Place : std::size_t {
    client_hello,
    server_hello,
    encrypted_extensions,
    certificate_request,
    servers_certificate,
    servers_verify,
    servers_finished,
    clients_certificate,
    clients_verify,
    places,
};

constexpr std::array<std::size_t, places> types{SSL3_MT_CLIENT_HELLO,
                                                SSL3_MT_SERVER_HELLO,
                                                SSL3_MT_ENCRYPTED_EXTENSIONS,
                                                SSL3_MT_CERTIFICATE_REQUEST,
                                                SSL3_MT_CERTIFICATE,
                                                SSL3_MT_CERTIFICATE_VERIFY,
                                                SSL3_MT_FINISHED,
                                                SSL3_MT_CERTIFICATE,
                                                SSL3_MT_CERTIFICATE_VERIFY};

// A full handshake of TLS 1.3, as far as it goes with the client's proof at its end; nothing else.
class Handshake {
  public:
    static Result<Handshake> read(Span all, std::size_t hash_size) {
        Handshake made(all, hash_size == 32 ? "SHA256" : "SHA384");
        std::vector<Message> found;
        Reader in(all);
        while (in.left() > 0) {
            if (found.size() == most_messages) return malformed();
            Message message;
            message.type = in.number(1);
            message.body = in.vector(3);
            message.end = all.size() - in.left();
            if (in.failed()) return malformed();
            found.push_back(message);
        }
        const bool twice = found.size() == most_messages;
        if (twice && (found[0].type != types[client_hello] || found[1].type != types[server_hello]))
            return malformed();
        if (twice) made.first_end_ = found[0].end;
        found.erase(found.begin(), found.begin() + (twice ? 2 : 0));
        if (!std::equal(found.begin(), found.end(), types.begin(), types.end(),
                        [](const Message& each, std::size_t type) { return each.type == type; }))
            return Error{"not a full handshake of TLS 1.3 with a client's certificate"};
        std::copy(found.begin(), found.end(), made.messages_.begin());
        return made;
    }

    [[nodiscard]] Span body(Place place) const { return messages_[place].body; }

    // Of everything up to the end of that message.
    [[nodiscard]] Result<Bytes> hash(Place place) const {
        const auto said = all_.first(messages_[place].end);
        if (first_end_ == 0) return digest(said);
        TRY(const auto first, digest(said.first(first_end_)));
        Bytes replaced{message_hash, 0, 0, static_cast<unsigned char>(first.size())};
        replaced.insert(replaced.end(), first.begin(), first.end());
        const auto rest = said.subspan(first_end_);
        replaced.insert(replaced.end(), rest.begin(), rest.end());
        return digest(replaced);
    }

  private:
    Handshake(Span all, const char* digest_name) : all_(all), digest_name_(digest_name) {}

    [[nodiscard]] Result<Bytes> digest(Span bytes) const {
        Bytes made(EVP_MAX_MD_SIZE);
        std::size_t size = 0;
        if (EVP_Q_digest(library(), digest_name_, nullptr, bytes.data(), bytes.size(), made.data(),
                         &size) != 1)
            return openssl_error("no hash");
        made.resize(size);
        return made;
    }

    Span all_;
    const char* digest_name_;
    std::size_t first_end_ = 0;  // of the first of two ClientHellos; 0: there is one
    std::array<Message, places> messages_;
};

// The body of a CertificateRequest.
Result<void> check_nonce(Span body, const Nonce& wanted) {
    Reader in(body);
    (void)in.vector(1);  // context
    Reader extensions(in.vector(2));
    std::vector<Span> found;
    while (extensions.left() > 0) {
        const bool ours = extensions.number(2) == nonce_extension;
        const auto bytes = extensions.vector(2);
        if (ours) found.push_back(bytes);
    }
    if (!in.complete() || extensions.failed()) return malformed();
    if (found.size() != 1 ||
        !std::equal(found[0].begin(), found[0].end(), wanted.begin(), wanted.end()))
        return Error{"the client has not shown it to this connection"};
    return base::success();
}

// The body of a Certificate (RFC 8446 4.4.2): DER, the peer's own one first.
Result<std::vector<Span>> certificates_in(Span body) {
    Reader in(body);
    const auto context = in.vector(1);
    Reader list(in.vector(3));
    if (!in.complete() || !context.empty()) return malformed();
    std::vector<Span> all;
    while (list.left() > 0) {
        all.push_back(list.vector(3));
        (void)list.vector(2);  // extensions
        if (list.failed() || all.size() > most_certificates) return malformed();
    }
    if (all.empty()) return malformed();
    return all;
}

bool is(Span der, const ipc::Certificate& certificate) {
    const auto chain = read_chain(certificate.chain);
    unsigned char* own = nullptr;
    const int size = chain ? i2d_X509(chain.value().own.get(), &own) : 0;
    const OpenSslBytes owner{own};
    return size > 0 && std::equal(der.begin(), der.end(), own, own + size);
}

// What is said of the server: the handshake is the one that supervisor and signer know. Whether its
// signature is right the client has found out before it made its own. After a reload that has
// brought another certificate, a password is asked for.
Result<void> check_server(const Handshake& handshake, const SignedHandshake& known,
                          const Certificates& own) {
    TRY(const auto hash, handshake.hash(servers_certificate));
    if (hash != known.hash) return Error{"it is the handshake of another connection"};
    TRY(check_nonce(handshake.body(certificate_request), known.nonce));
    TRY(const auto shown, certificates_in(handshake.body(servers_certificate)));
    if (std::none_of(own.all().begin(), own.all().end(), [&](const auto& each) {
            return each.key == known.key && is(shown.front(), each);
        }))
        return Error{"it is a handshake with another server"};
    return base::success();
}

Result<void> check_client(const Handshake& handshake, X509* certificate) {
    TRY(const auto hash, handshake.hash(clients_certificate));
    Bytes content;
    content.reserve(blanks + clients_context.size() + hash.size());
    content.assign(blanks, ' ');
    content.insert(content.end(), clients_context.begin(), clients_context.end());
    content.insert(content.end(), hash.begin(), hash.end());
    Reader in(handshake.body(clients_verify));
    const auto scheme = static_cast<std::uint16_t>(in.number(2));
    const auto signature = in.vector(2);
    auto* key = X509_get0_pubkey(certificate);
    if (!in.complete() || key == nullptr) return malformed();
    return check_signature(key, scheme, content, signature);
}

// As OpenSSL does in a handshake with validate_cert.
Result<void> check_issuers(const Chain& chain, SSL_CTX* context) {
    using Others = Owned<STACK_OF(X509), [](STACK_OF(X509) * all) { sk_X509_free(all); }>;
    using Check = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;
    const Others others{sk_X509_new_null()};
    const Check check{X509_STORE_CTX_new_ex(library(), nullptr)};
    bool ready = others && check;
    for (const auto& each : chain.others)
        ready = ready && sk_X509_push(others.get(), each.get()) > 0;
    ready = ready && X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(context),
                                         chain.own.get(), others.get()) == 1;
    ready = ready && X509_STORE_CTX_set_default(check.get(), "ssl_client") == 1;
    if (!ready) return openssl_error("cannot look at the issuers");
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(check.get()),
                                     SSL_CTX_get_security_level(context));
    const bool right = X509_verify_cert(check.get()) == 1;
    ERR_clear_error();
    if (right) return base::success();
    return Error{X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()))};
}

}  // namespace

void Transcript::listen(SSL* connection) {
    SSL_set_msg_callback(connection, &hear);
    SSL_set_msg_callback_arg(connection, this);
}

void Transcript::forget(SSL* connection) {
    SSL_set_msg_callback(connection, nullptr);
    bytes_ = {};
    complete_ = false;
}

void Transcript::hear(int sent, int, int type, const void* bytes, std::size_t size, SSL*,
                      void* self) {
    auto& transcript = *static_cast<Transcript*>(self);
    const auto* first = static_cast<const unsigned char*>(bytes);
    if (type != SSL3_RT_HANDSHAKE || size == 0 || transcript.complete_ || transcript.too_large_)
        return;
    if (transcript.bytes_.size() + size > ipc::longest_proof) {
        transcript.too_large_ = true;
        transcript.bytes_ = {};
        return;
    }
    transcript.bytes_.insert(transcript.bytes_.end(), first, first + size);
    transcript.complete_ = sent == 0 && first[0] == SSL3_MT_CERTIFICATE_VERIFY;
}

Result<X509Certificate> prove(Span messages, const SignedHandshake& known, const Context& context) {
    if (known.hash.size() != 32 && known.hash.size() != 48)
        return Error{"nothing was signed for this connection"};
    TRY(const auto handshake, Handshake::read(messages, known.hash.size()));
    TRY(check_server(handshake, known, context.certificates()));
    TRY(const auto shown, certificates_in(handshake.body(clients_certificate)));
    TRY(auto chain, read_issued(shown, SSL_CTX_get_cert_store(context.get())));
    TRY(check_client(handshake, chain.own.get()));
    TRY(check_issuers(chain, context.get()));
    return std::move(chain.own);
}

}  // namespace tls
