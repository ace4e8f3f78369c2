// SPDX-License-Identifier: MIT
// A client and a server of every version of TLS, through a pair of sockets; runs in the spawner.
#include "tls/warm_up.hpp"

#include "base/fd.hpp"
#include "tls/certificates.hpp"
#include "tls/stream.hpp"

#include <openssl/err.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

namespace tls {

using base::Error;
using base::Result;

namespace {

constexpr long lifetime = 3600;
constexpr int most_steps = 10;  // of a handshake

Result<ipc::Certificate> certificate_of(EVP_PKEY* key) {
    Chain chain;
    chain.own.reset(X509_new_ex(library(), nullptr));
    auto* made = chain.own.get();
    if (made == nullptr || X509_gmtime_adj(X509_getm_notBefore(made), 0) == nullptr ||
        X509_gmtime_adj(X509_getm_notAfter(made), lifetime) == nullptr ||
        X509_set_pubkey(made, key) != 1 || X509_sign(made, key, EVP_sha256()) <= 0)
        return openssl_error("no certificate");
    return describe(chain, "");
}

Result<Bytes> sign(EVP_PKEY* key, const ToBeSigned& what) {
    TRY(const auto bytes, bytes_of(what.content));
    const DigestContext context{EVP_MD_CTX_new()};
    Bytes signature(ipc::longest_signature);
    auto size = signature.size();
    if (EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", library(), nullptr, key, nullptr) !=
            1 ||
        EVP_DigestSign(context.get(), signature.data(), &size, bytes.data(), bytes.size()) != 1)
        return openssl_error("no signature");
    signature.resize(size);
    return signature;
}

Result<Context> server_of(const Settings& settings, EVP_PKEY* key) {
    TRY(auto certificate, certificate_of(key));
    auto all =
        std::make_shared<const Certificates>(std::vector<ipc::Certificate>{std::move(certificate)});
    TRY(auto server, Context::create(settings, std::move(all), Purpose::control));
    TRY(const auto tickets, new_ticket_key());
    TRY(server.use_ticket_key(tickets));
    server.sign_with([key](const ToBeSigned& what) { return sign(key, what); });
    return server;
}

// The session, which the next connection may resume.
Result<SslSession> talk(const Context& server, SSL_CTX* client_context, SSL_SESSION* resumed) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return base::system_error("socketpair");
    const base::Fd servers{ends[0]};
    const base::Fd clients{ends[1]};
    const Ssl client{SSL_new(client_context)};
    if (!client || SSL_set_fd(client.get(), clients.get()) != 1)
        return openssl_error("no client of TLS");
    if (resumed != nullptr) SSL_set_session(client.get(), resumed);
    TRY(auto stream, Stream::over(server, servers.get()));
    bool done = false;
    for (int i = 0; i < most_steps && !done; ++i) {
        const bool connected = SSL_connect(client.get()) == 1;
        done = stream.shake() == Step::done && connected;
    }
    if (!done) return Error{"no handshake: " + stream.reason()};

    // Tickets come with the first bytes.
    char bytes[64] = "220";
    std::size_t size = 0;
    const bool heard = stream.write(bytes) && stream.flush() == Step::done &&
                       SSL_read_ex(client.get(), bytes, sizeof bytes, &size) == 1 &&
                       SSL_write_ex(client.get(), bytes, size, &size) == 1 &&
                       stream.read(bytes, size) == Step::done;
    if (!heard) return openssl_error("no words over TLS");
    TRY(const auto record, serialise_session(stream.get()));
    const auto* first = record.data();
    const SslSession read{d2i_SSL_SESSION(nullptr, &first, static_cast<long>(record.size()))};
    (void)SSL_shutdown(client.get());  // or it could not be resumed
    return SslSession{SSL_get1_session(client.get())};
}

}  // namespace

Result<void> warm_up(Settings settings) {
    settings.request_cert = settings.require_cert = false;
    settings.sni_hostname.clear();
    const Key key{EVP_PKEY_Q_keygen(library(), nullptr, "EC", "P-256")};
    const SslContext client{SSL_CTX_new_ex(library(), nullptr, TLS_client_method())};
    if (!key || !client) return openssl_error("no client of TLS");
    TRY(const auto server, server_of(settings, key.get()));
    for (const auto& [wanted, version] :
         {std::pair(settings.tlsv12, TLS1_2_VERSION), std::pair(settings.tlsv13, TLS1_3_VERSION)}) {
        if (!wanted) continue;
        SSL_CTX_set_max_proto_version(client.get(), version);
        TRY(const auto session, talk(server, client.get(), nullptr));
        TRY(talk(server, client.get(), session.get()));
    }
    ERR_clear_error();
    return base::success();
}

}  // namespace tls
