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

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

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
    bool ccc = false;
};

Prepared& prepared() {
    static Prepared instance;
    return instance;
}

// How long 150 waits for a handshake that the client has begun ahead of it: enough for a way there
// and back.
constexpr milliseconds head_start{500};

bool waits(tls::Step step) {
    return step == tls::Step::wait_to_read || step == tls::Step::wait_to_write;
}

// A batch of records is written at once; without this its end waits for what comes behind it or for
// the client's acknowledgement, and all that follows is cut at other places.
void send_without_delay(const base::Fd& socket) {
    const int yes = 1;
    (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

bool has_input(const base::Fd& socket) {
    pollfd wanted{socket.get(), POLLIN, 0};
    return ::poll(&wanted, 1, 0) > 0;
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
    prepared().ccc = configuration.native.ccc;
    TRY(auto context,
        tls::Context::create(settings, std::move(all),
                             reuse ? tls::Purpose::resumed_data : tls::Purpose::data));
    (reuse ? prepared().resumed : prepared().full).emplace(std::move(context));
    return base::success();
}

bool DataTls::may_clear_control() { return prepared().ccc; }

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
    DataTls made(*context, options, broker);
    made.secrets_ = std::make_unique<Secrets>();
    static_assert(sizeof record.ticket_key == sizeof made.secrets_->key);
    std::copy(std::begin(record.ticket_key), std::end(record.ticket_key),
              made.secrets_->key.begin());
    const auto session = record.session.view();
    made.secrets_->session.assign(session.begin(), session.end());
    return made;
}

DataTls::Secrets::~Secrets() {
    OPENSSL_cleanse(key.data(), key.size());
    OPENSSL_cleanse(session.data(), session.size());
}

Result<void> DataTls::get_ready() {
    if (!secrets_) return base::success();
    TRY(tls::reseed_after_fork());
    TRY(context_->use_ticket_key(secrets_->key));
    if (!secrets_->session.empty()) {
        TRY(context_->resume(secrets_->session));
        client_ = certificate_in(secrets_->session);
    }
    if (!reuse_required_)
        context_->sign_with(
            [broker = broker_](const tls::ToBeSigned& what) { return broker->sign(what); });
    secrets_.reset();
    return base::success();
}

// Once the client has done its part of `step`, as far as it goes until then; nothing when the
// client no longer wants it.
std::optional<tls::Step> DataTls::go_on(tls::Stream& stream, tls::Step step, const base::Fd& data,
                                        Watch& watch, Deadline deadline) {
    const auto begun = Clock::now();
    while (waits(step)) {
        if (watch.gone())
            deadline = std::min(deadline.value_or(Clock::time_point::max()), begun + last_patience);
        std::int64_t most = -1;
        if (deadline) most = std::chrono::ceil<milliseconds>(*deadline - Clock::now()).count();
        if (deadline && most <= 0) return step;
        const short events = step == tls::Step::wait_to_read ? POLLIN : POLLOUT;
        std::array<pollfd, 2> wanted{{{data.get(), events, 0}, {watch.fd(), POLLIN, 0}}};
        (void)::poll(wanted.data(), wanted.size(),
                     static_cast<int>(std::min<std::int64_t>(most, 3'600'000)));
        if (wanted[1].revents != 0 && !watch.on_readable()) return std::nullopt;
        if (wanted[0].revents != 0) step = stream.shake();
    }
    return step;
}

DataTls::Shaken DataTls::shake(const base::Fd& data, Watch& watch, tls::Stream::Use use,
                               const std::function<void()>& start) {
    const auto ready = get_ready();
    auto stream =
        ready ? tls::Stream::over(*context_, data.get(), use) : Result<tls::Stream>(ready.error());
    if (!stream) {
        tell(ipc::Event::warning, "no TLS on the data connection: " + stream.error().text());
        return ftp::Reply(reply::data_tls_failed);
    }
    send_without_delay(data);
    const auto now = Clock::now();
    std::optional<tls::Step> step = tls::Step::wait_to_read;
    if (start && has_input(data))
        step = go_on(stream.value(), stream.value().shake(), data, watch, now + head_start);
    if (start && step && (waits(*step) || *step == tls::Step::done)) start();
    if (step && waits(*step))
        step = go_on(stream.value(), *step, data, watch,
                     patience_.count() > 0 ? Deadline(now + patience_) : std::nullopt);
    if (!step) return ftp::Reply(reply::data_tls_failed);
    if (waits(*step)) {
        tell(ipc::Event::warning, "TLS handshake on the data connection: timeout");
        return ftp::Reply(reply::data_tls_failed);
    }
    if (*step != tls::Step::done) return failed(stream.value());
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
