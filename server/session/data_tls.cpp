// SPDX-License-Identifier: MIT
// TLS of data connections; runs in the session.
#include "session/data_tls.hpp"

#include "tls/library.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <poll.h>

namespace session {

namespace reply = ftp::reply;
using base::Result;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

// The same for all sessions of a spawner; a session has one of them.
struct Prepared {
    std::optional<tls::Context> resumed;  // require_ssl_reuse
    std::optional<tls::Context> full;     // without
};

Prepared& prepared() {
    static Prepared instance;
    return instance;
}

tls::X509Certificate certificate_in(std::span<const unsigned char> session) {
    const auto* bytes = session.data();
    const tls::SslSession read{d2i_SSL_SESSION(nullptr, &bytes, static_cast<long>(session.size()))};
    auto* certificate = read ? SSL_SESSION_get0_peer(read.get()) : nullptr;
    if (certificate != nullptr) X509_up_ref(certificate);
    return tls::X509Certificate{certificate};
}

}  // namespace

Result<void> prepare_tls(const config::Configuration& configuration,
                         std::vector<ipc::Certificate> certificates) {
    tls::prepare();
    TRY(const auto settings, tls::settings_of(configuration));
    auto all = std::make_shared<const tls::Certificates>(std::move(certificates));
    const bool reuse = configuration.options.require_ssl_reuse;
    TRY(auto context,
        tls::Context::create(settings, std::move(all),
                             reuse ? tls::Purpose::resumed_data : tls::Purpose::data));
    (reuse ? prepared().resumed : prepared().full).emplace(std::move(context));
    return base::success();
}

bool DataTls::wake() {
    if (!prepared().resumed && !prepared().full) return true;
    return static_cast<bool>(tls::reseed_after_fork());
}

DataTls::DataTls(tls::Context& context, const config::Options& options, BrokerClient& broker)
    : context_(&context),
      broker_(&broker),
      reuse_required_(options.require_ssl_reuse),
      debug_(options.debug_ssl),
      patience_(options.accept_timeout) {}

Result<DataTls> DataTls::with(const ipc::TlsRecord& record, const config::Options& options,
                              BrokerClient& broker) {
    auto& context = options.require_ssl_reuse ? prepared().resumed : prepared().full;
    if (!context || !record.session.valid()) return base::Error{"TLS was not prepared"};
    tls::TicketKey key{};
    static_assert(sizeof record.ticket_key == sizeof key);
    std::copy(std::begin(record.ticket_key), std::end(record.ticket_key), key.begin());
    const auto used = context->use_ticket_key(key);
    OPENSSL_cleanse(key.data(), key.size());
    TRY(used);
    DataTls made(*context, options, broker);
    const auto bytes = record.session.view();
    const std::span session{reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
    if (!session.empty()) {
        TRY(context->resume(session));
        made.client_ = certificate_in(session);
    }
    if (!options.require_ssl_reuse)
        context->sign_with([&broker](const tls::ToBeSigned& what) { return broker.sign(what); });
    return made;
}

DataTls::Shaken DataTls::shake(const base::Fd& data, Watch& watch) {
    auto stream = tls::Stream::over(*context_, data.get());
    if (!stream) {
        tell(ipc::Event::warning, "no TLS on the data connection: " + stream.error().text());
        return ftp::Reply(reply::data_tls_failed);
    }
    const auto deadline = Clock::now() + patience_;
    for (;;) {
        const auto step = stream.value().shake();
        if (step == tls::Step::done) break;
        if (step != tls::Step::wait_to_read && step != tls::Step::wait_to_write)
            return failed(stream.value());
        const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
        const bool for_ever = patience_.count() == 0;
        if (!for_ever && left.count() <= 0) {
            tell(ipc::Event::warning, "TLS handshake on the data connection: timeout");
            return ftp::Reply(reply::data_tls_failed);
        }
        const short events = step == tls::Step::wait_to_read ? POLLIN : POLLOUT;
        std::array<pollfd, 2> wanted{{{data.get(), events, 0}, {watch.fd(), POLLIN, 0}}};
        const auto most = std::min<std::int64_t>(left.count(), 3'600'000);
        (void)::poll(wanted.data(), wanted.size(), for_ever ? -1 : static_cast<int>(most));
        if (wanted[1].revents != 0 && (!watch.on_readable() || watch.gone()))
            return ftp::Reply(reply::data_tls_failed);
    }
    if (debug_) tell(ipc::Event::debug, stream.value().description());
    if (same_client(stream.value())) return std::move(stream.value());
    tell(
        ipc::Event::warning,
        "a data connection with another client certificate than the control connection's: refused");
    return ftp::Reply(reply::data_tls_failed);
}

// A resumed session has the certificate of its first handshake.
bool DataTls::same_client(const tls::Stream& stream) const {
    if (!client_) return true;
    auto* certificate = SSL_get0_peer_certificate(stream.get());
    return certificate != nullptr && X509_cmp(certificate, client_.get()) == 0;
}

ftp::Reply DataTls::failed(const tls::Stream& stream) {
    if (reuse_required_ && stream.not_resumed()) {
        tell(ipc::Event::warning,
             "a data connection that does not resume the TLS session of the control connection: "
             "refused, as require_ssl_reuse=YES demands");
        return reply::data_tls_no_reuse;
    }
    tell(ipc::Event::warning, "TLS handshake on the data connection failed: " + stream.reason());
    return reply::data_tls_failed;
}

void DataTls::tell(ipc::Event event, std::string_view text) {
    ipc::Record line{};
    line.event = event;
    line.path.assign(text);
    broker_->record(line);
}

}  // namespace session
