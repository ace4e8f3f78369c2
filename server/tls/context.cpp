// SPDX-License-Identifier: MIT
// SSL_CTX from the options, and its callbacks; made in the spawner, used in its children, tried by
// the signer.
#include "tls/context.hpp"

#include "base/text.hpp"
#include "config/name_list.hpp"

#include <openssl/err.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace tls {

using base::Error;
using base::Result;

namespace {

// Whatever ssl_ciphers says. kRSA: a taken-over greeter could have old recordings decrypted, and
// there is no forward secrecy. kDHE: its parameters are of the server's own making, which the
// signer cannot check. The rest needs no certificate and none of our options could set it up.
constexpr const char* never = ":!kRSA:!kDHE:!PSK:!SRP:!aNULL:!eNULL";

constexpr std::string_view rsa_prefix = "ECDHE-RSA-";
constexpr std::string_view ec_prefix = "ECDHE-ECDSA-";

// As long as TLS 1.3 allows: a ticket is for this control connection, however long that lasts.
constexpr long ticket_lifetime = 7L * 86400;

constexpr std::size_t control_tickets = 2;  // with the handshake; more when they are used up

constexpr std::size_t largest_ca_file = 16 << 20;

constexpr unsigned char session_context[] = "jailftpd";

// RFC 7301; the second one is what some clients say on data connections.
constexpr std::string_view protocols[] = {"ftp", "ftp-data"};

struct Version {
    bool Settings::*wanted;
    int number;
    std::uint64_t off;
};

constexpr Version versions[] = {
    {&Settings::tlsv1, TLS1_VERSION, SSL_OP_NO_TLSv1},
    {&Settings::tlsv11, TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
    {&Settings::tlsv12, TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
    {&Settings::tlsv13, TLS1_3_VERSION, SSL_OP_NO_TLSv1_3},
};

// Newer libraries compress certificates, which few clients ask for and nothing here can read.
#ifdef SSL_OP_NO_TX_CERTIFICATE_COMPRESSION
constexpr std::uint64_t uncompressed =
    SSL_OP_NO_TX_CERTIFICATE_COMPRESSION | SSL_OP_NO_RX_CERTIFICATE_COMPRESSION;
#else
constexpr std::uint64_t uncompressed = 0;
#endif

// Options are bits of 64, macros of OpenSSL's mix types.
constexpr std::uint64_t always = uncompressed | SSL_OP_NO_SSLv3 | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_PRIORITIZE_CHACHA |
                                 SSL_OP_NO_TICKET;  // until there is a key for them

constexpr long modes = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER;
// A read comes back once its buffer is used up, whatever was in it: a client that sends nothing but
// new keys does not keep us from the clock.
constexpr long no_modes = SSL_MODE_AUTO_RETRY;

int add_nonce(SSL*, unsigned int, unsigned int, const unsigned char** bytes, std::size_t* size,
              X509*, std::size_t, int*, void* nonce) {
    const auto& own = *static_cast<const Nonce*>(nonce);
    *bytes = own.data();
    *size = own.size();
    return 1;
}

int accept_any_certificate(int, X509_STORE_CTX*) { return 1; }

// For one connection or for all: the functions differ by the first letters of their names only.
struct ForAll {
    SSL_CTX* target;
    [[nodiscard]] bool own(X509* x) const { return SSL_CTX_use_certificate(target, x) == 1; }
    [[nodiscard]] bool key(EVP_PKEY* k) const { return SSL_CTX_use_PrivateKey(target, k) == 1; }
    [[nodiscard]] bool other(X509* x) const { return SSL_CTX_add1_chain_cert(target, x) == 1; }
};

struct ForOne {
    SSL* target;
    [[nodiscard]] bool own(X509* x) const { return SSL_use_certificate(target, x) == 1; }
    [[nodiscard]] bool key(EVP_PKEY* k) const { return SSL_use_PrivateKey(target, k) == 1; }
    [[nodiscard]] bool other(X509* x) const { return SSL_add1_chain_cert(target, x) == 1; }
};

template <typename Target>
Result<void> use(const Target& target, const ipc::Certificate& certificate,
                 const std::shared_ptr<const SignFunction>& sign) {
    TRY(const auto chain, read_chain(certificate.chain));
    TRY(const auto key, remote_key(chain.own.get(), sign));
    bool used = target.own(chain.own.get()) && target.key(key.get());
    for (const auto& each : chain.others) used = used && target.other(each.get());
    if (!used) return openssl_error("SSL: cannot use certificate " + certificate.file);
    return base::success();
}

std::string with_ec_twins(std::string_view list) {
    std::string result;
    for (const auto cipher : base::split(list, ':')) {
        if (!result.empty()) result += ':';
        if (cipher.starts_with(rsa_prefix)) {
            result += ec_prefix;
            result += cipher.substr(rsa_prefix.size());
            result += ':';
        }
        result += cipher;
    }
    return result;
}

}  // namespace

struct Context::State {
    SslContext ssl;
    std::shared_ptr<const Certificates> certificates;
    std::shared_ptr<SignFunction> sign = std::make_shared<SignFunction>();
    Purpose purpose = Purpose::control;
    std::string sni_hostname;
    Bytes session;  // resumable by its ID
    Nonce nonce{};
    std::string warning;

    Result<void> set_up(const Settings& settings);

  private:
    Result<void> set_versions(const Settings& settings);
    Result<void> set_ciphers(const Settings& settings);
    void leave_out_old_versions(const Settings& settings);
    Result<void> set_client_certificates(const Settings& settings);
    Result<void> set_own_certificates();
    void set_resumption();
    void set_buffers(const Settings& settings);

    static int check_hello(SSL* connection, int* alert, void* self);
    static int choose_certificate(SSL* connection, void* self);
    static int choose_protocol(SSL* connection, const unsigned char** chosen, unsigned char* length,
                               const unsigned char* offered, unsigned int size, void* self);
    static SSL_SESSION* find_session(SSL* connection, const unsigned char* id, int size,
                                     int* shared);
    static int allow(const SSL* connection, const SSL_CTX* context, int operation, int bits, int id,
                     void* other, void* self);

    using SecurityCheck = int (*)(const SSL*, const SSL_CTX*, int, int, int, void*, void*);
    SecurityCheck usual_ = nullptr;
};

Result<void> Context::State::set_up(const Settings& settings) {
    ssl.reset(SSL_CTX_new_ex(library(), nullptr, TLS_server_method()));
    if (!ssl) return openssl_error("SSL: could not allocate SSL context");
    SSL_CTX_set_ex_data(ssl.get(), 0, this);
    sni_hostname = settings.sni_hostname;
    TRY(set_versions(settings));
    TRY(set_ciphers(settings));
    leave_out_old_versions(settings);
    TRY(set_client_certificates(settings));
    TRY(set_own_certificates());
    set_resumption();
    set_buffers(settings);
    SSL_CTX_set_alpn_select_cb(ssl.get(), &choose_protocol, this);
    SSL_CTX_set_tlsext_servername_callback(ssl.get(), &check_hello);
    SSL_CTX_set_tlsext_servername_arg(ssl.get(), this);
    return base::success();
}

Result<void> Context::State::set_versions(const Settings& settings) {
    SSL_CTX_set_options(ssl.get(), always);
    int least = 0;
    for (const auto& each : versions) {
        if (!(settings.*each.wanted))
            SSL_CTX_set_options(ssl.get(), each.off);
        else if (least == 0)
            least = each.number;
    }
    if (least == 0) return Error{"SSL: no version of TLS is enabled"};
    if (SSL_CTX_set_min_proto_version(ssl.get(), least) != 1)
        return openssl_error("SSL: could not set the versions of TLS");
    if (least >= TLS1_2_VERSION) return base::success();
    // Both need SHA-1, which the usual security level forbids everywhere: allow() makes room for
    // just that.
    usual_ = SSL_CTX_get_security_callback(ssl.get());
    SSL_CTX_set_security_callback(ssl.get(), &allow);
    SSL_CTX_set0_security_ex_data(ssl.get(), this);
    return base::success();
}

Result<void> Context::State::set_ciphers(const Settings& settings) {
    const auto set = [this](const std::string& list) {
        ERR_clear_error();
        return SSL_CTX_set_cipher_list(ssl.get(), list.c_str()) == 1;
    };
    const auto wanted = offered_ciphers(settings.ciphers);
    if (!set(wanted)) {
        const auto why = openssl_reason();
        if (!set(settings.ciphers)) return Error{"SSL: could not set cipher list: " + why};
        const auto usual = config::Options{}.ssl_ciphers;
        if (!set(offered_ciphers(usual))) return openssl_error("SSL: could not set cipher list");
        warning = "ssl_ciphers=" + settings.ciphers +
                  " names nothing but key exchanges without forward secrecy or with parameters of "
                  "the server's (RSA, DHE), which are never offered: " +
                  usual + " is used instead";
    }
    if (!settings.ciphersuites.empty() &&
        SSL_CTX_set_ciphersuites(ssl.get(), settings.ciphersuites.c_str()) != 1)
        return openssl_error("SSL: could not set TLS 1.3 cipher suites");
    return base::success();
}

// OpenSSL refuses every handshake when there is a gap in the versions (ssl_tlsv1=YES alone, the
// commonest setting there is) and no cipher for those below it, as in vsftpd's default list.
void Context::State::leave_out_old_versions(const Settings& settings) {
    if (!settings.tlsv1 && !settings.tlsv11) return;
    if (!settings.tlsv12 && !settings.tlsv13) return;
    const auto* ciphers = SSL_CTX_get_ciphers(ssl.get());
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
        const std::string_view since = SSL_CIPHER_get_version(sk_SSL_CIPHER_value(ciphers, i));
        if (since != "TLSv1.2" && since != "TLSv1.3") return;
    }
    SSL_CTX_set_options(ssl.get(), SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1);
    if (warning.empty())
        warning = "TLS 1.0 and 1.1 are not offered: ssl_ciphers=" + settings.ciphers +
                  " has no cipher for them (HIGH has)";
}

Result<void> Context::State::set_client_certificates(const Settings& settings) {
    if (!settings.request_cert && !settings.require_cert) return base::success();
    const int fail = settings.require_cert ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(ssl.get(), SSL_VERIFY_PEER | fail,
                       settings.validate_cert ? nullptr : &accept_any_certificate);
    if (settings.ca_certificates.empty()) return base::success();
    auto issuers = read_chain(settings.ca_certificates);
    if (!issuers) return Error{"SSL: could not load verify file: " + issuers.error().text()};
    issuers.value().others.push_back(std::move(issuers.value().own));
    auto* store = SSL_CTX_get_cert_store(ssl.get());
    for (const auto& each : issuers.value().others) {
        if (X509_STORE_add_cert(store, each.get()) != 1 ||
            SSL_CTX_add_client_CA(ssl.get(), each.get()) != 1)
            return openssl_error("SSL: could not load verify file");
    }
    return base::success();
}

Result<void> Context::State::set_own_certificates() {
    for (const auto* each : certificates->without_name()) {
        TRY(use(ForAll{ssl.get()}, *each, sign));
    }
    SSL_CTX_set_cert_cb(ssl.get(), &choose_certificate, this);
    return base::success();
}

void Context::State::set_resumption() {
    SSL_CTX_set_num_tickets(ssl.get(), 0);
    SSL_CTX_set_timeout(ssl.get(), ticket_lifetime);
    SSL_CTX_set_session_id_context(ssl.get(), session_context, sizeof session_context - 1);
    SSL_CTX_set_session_cache_mode(ssl.get(), SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_get_cb(ssl.get(), &find_session);
}

void Context::State::set_buffers(const Settings& settings) {
    SSL_CTX_set_mode(ssl.get(), modes);
    SSL_CTX_clear_mode(ssl.get(), no_modes);
    if (purpose == Purpose::control) {
        SSL_CTX_set_read_ahead(ssl.get(), settings.may_go_clear ? 0 : 1);
        // Idle for most of the time, and passwords come along.
        SSL_CTX_set_mode(ssl.get(), SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_options(ssl.get(), SSL_OP_CLEANSE_PLAINTEXT);
        // A client that sends no more is answered, with a goodbye or without; an error, as OpenSSL
        // has it, would be the end of both ways.
        SSL_CTX_set_options(ssl.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    } else if (settings.by_kernel) {
        // What was read ahead of the keys, the kernel cannot decrypt any more.
        SSL_CTX_set_options(ssl.get(), SSL_OP_ENABLE_KTLS);
    } else {
        SSL_CTX_set_read_ahead(ssl.get(), 1);
    }
}

// Called once the client's words are read, whether it named a server or not, and a session was
// found or not.
int Context::State::check_hello(SSL* connection, int* alert, void* self) {
    const auto& state = *static_cast<const State*>(self);
    if (state.purpose == Purpose::resumed_data) {
        if (SSL_session_reused(connection) == 1) return SSL_TLSEXT_ERR_OK;
        *alert = SSL_AD_HANDSHAKE_FAILURE;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    // The name on a data connection says nothing that the control connection's did not.
    if (state.sni_hostname.empty() || state.purpose != Purpose::control) return SSL_TLSEXT_ERR_OK;
    const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
    if (name != nullptr && base::equal_ignoring_case(name, state.sni_hostname))
        return SSL_TLSEXT_ERR_OK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Not called when a session is resumed.
int Context::State::choose_certificate(SSL* connection, void* self) {
    const auto& state = *static_cast<const State*>(self);
    if (state.purpose == Purpose::resumed_data) return 0;
    const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return 1;
    const auto& of_name = state.certificates->for_name(name);
    if (of_name.empty()) return 1;
    SSL_certs_clear(connection);
    for (const auto* each : of_name) {
        if (!use(ForOne{connection}, *each, state.sign)) return 0;
    }
    return 1;
}

// A client that says which protocol it speaks must say FTP: a browser that was led here by others
// does not (ALPACA).
int Context::State::choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length,
                                    const unsigned char* offered, unsigned int size, void* self) {
    const auto& state = *static_cast<const State*>(self);
    const auto known = std::span(protocols).first(state.purpose == Purpose::control ? 1 : 2);
    for (unsigned int at = 0; at < size; at += 1U + offered[at]) {
        const std::string_view name(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
        if (std::find(known.begin(), known.end(), name) == known.end()) continue;
        *chosen = offered + at + 1;
        *length = offered[at];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Read anew each time: OpenSSL spoils a session whose connection ended badly.
SSL_SESSION* Context::State::find_session(SSL* connection, const unsigned char* id, int size,
                                          int* shared) {
    *shared = 0;
    const auto& state =
        *static_cast<const State*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), 0));
    const auto* bytes = state.session.data();
    if (state.session.empty()) return nullptr;
    SslSession session{d2i_SSL_SESSION(nullptr, &bytes, static_cast<long>(state.session.size()))};
    if (!session) return nullptr;
    unsigned int length = 0;
    const auto* own = SSL_SESSION_get_id(session.get(), &length);
    if (length == 0 || static_cast<int>(length) != size || CRYPTO_memcmp(own, id, length) != 0)
        return nullptr;
    return session.release();
}

int Context::State::allow(const SSL* connection, const SSL_CTX* context, int operation, int bits,
                          int id, void* other, void* self) {
    const auto& state = *static_cast<const State*>(self);
    const auto old = [](int version) {
        return version == TLS1_VERSION || version == TLS1_1_VERSION;
    };
    // Which versions there are is set elsewhere.
    if (operation == SSL_SECOP_VERSION && old(id)) return 1;
    const bool signature = operation == SSL_SECOP_SIGALG_SUPPORTED ||
                           operation == SSL_SECOP_SIGALG_SHARED ||
                           operation == SSL_SECOP_SIGALG_CHECK;
    if (signature && connection != nullptr && old(SSL_version(connection)) &&
        (id == NID_sha1 || id == NID_md5_sha1))
        return 1;
    return state.usual_(connection, context, operation, bits, id, other, nullptr);
}

Result<Settings> settings_of(const config::Options& options) {
    Settings settings;
    settings.tlsv1 = options.ssl_tlsv1;
    settings.tlsv11 = options.ssl_tlsv11;
    settings.tlsv12 = options.ssl_tlsv12;
    settings.tlsv13 = options.ssl_tlsv13;
    // As with vsftpd, an unset one leaves OpenSSL its own.
    settings.ciphers = options.ssl_ciphers.empty() ? "DEFAULT" : options.ssl_ciphers;
    settings.request_cert = options.ssl_request_cert;
    settings.require_cert = options.require_cert;
    settings.validate_cert = options.validate_cert;
    settings.sni_hostname = options.ssl_sni_hostname;
    if (options.ca_certs_file.empty() || (!options.ssl_request_cert && !options.require_cert))
        return settings;
    auto content = config::read_file(options.ca_certs_file, largest_ca_file);
    if (!content)
        return Error{"SSL: could not load verify file: " + content.error().what,
                     content.error().number};
    settings.ca_certificates = std::move(content.value());
    return settings;
}

Result<Settings> settings_of(const config::Configuration& configuration) {
    TRY(auto settings, settings_of(configuration.options));
    settings.ciphersuites = configuration.native.ciphersuites;
    settings.by_kernel = configuration.native.kernel_tls;
    settings.may_go_clear = configuration.native.ccc;
    return settings;
}

std::string offered_ciphers(std::string_view ssl_ciphers) {
    return with_ec_twins(ssl_ciphers) + never;
}

Result<TicketKey> new_ticket_key() {
    TicketKey key{};
    if (RAND_priv_bytes_ex(library(), key.data(), key.size(), 0) != 1)
        return openssl_error("no random numbers");
    return key;
}

Result<Context> Context::create(const Settings& settings,
                                std::shared_ptr<const Certificates> certificates, Purpose purpose) {
    auto state = std::make_unique<State>();
    state->certificates = std::move(certificates);
    state->purpose = purpose;
    TRY(state->set_up(settings));
    return Context(std::move(state));
}

Context::Context(std::unique_ptr<State> state) : state_(std::move(state)) {}
Context::Context(Context&&) noexcept = default;
Context& Context::operator=(Context&&) noexcept = default;
Context::~Context() = default;

void Context::sign_with(SignFunction sign) { *state_->sign = std::move(sign); }

Result<void> Context::use_ticket_key(const TicketKey& key) {
    TicketKey copy = key;  // OpenSSL takes it as not const
    const bool set =
        SSL_CTX_set_tlsext_ticket_keys(state_->ssl.get(), copy.data(), copy.size()) == 1;
    OPENSSL_cleanse(copy.data(), copy.size());
    if (!set) return openssl_error("cannot set the ticket key");
    SSL_CTX_clear_options(state_->ssl.get(), SSL_OP_NO_TICKET);
    // Unread ones on a data connection would make a reset of the end of an upload.
    SSL_CTX_set_num_tickets(state_->ssl.get(),
                            state_->purpose == Purpose::control ? control_tickets : 0);
    return base::success();
}

Result<void> Context::use_nonce(const Nonce& nonce) {
    state_->nonce = nonce;
    if (SSL_CTX_add_custom_ext(state_->ssl.get(), nonce_extension,
                               SSL_EXT_TLS1_3_CERTIFICATE_REQUEST, &add_nonce, nullptr,
                               &state_->nonce, nullptr, nullptr) != 1)
        return openssl_error("cannot set the nonce");
    return base::success();
}

Result<void> Context::resume(std::span<const unsigned char> session) {
    const auto* bytes = session.data();
    const SslSession read{d2i_SSL_SESSION(nullptr, &bytes, static_cast<long>(session.size()))};
    if (!read) return openssl_error("no TLS session");
    state_->session.assign(session.begin(), session.end());
    return base::success();
}

Result<Ssl> Context::connection() const {
    Ssl made{SSL_new(state_->ssl.get())};
    if (!made) return openssl_error("no TLS connection");
    SSL_set_accept_state(made.get());
    return made;
}

SSL_CTX* Context::get() const { return state_->ssl.get(); }
const Certificates& Context::certificates() const { return *state_->certificates; }
const std::string& Context::warning() const { return state_->warning; }

Result<Bytes> serialise_session(const SSL* connection) {
    auto* session = SSL_get_session(connection);
    const int size = session == nullptr ? 0 : i2d_SSL_SESSION(session, nullptr);
    if (size <= 0) return openssl_error("no TLS session");
    Bytes bytes(static_cast<std::size_t>(size));
    auto* place = bytes.data();
    (void)i2d_SSL_SESSION(session, &place);
    return bytes;
}

}  // namespace tls
