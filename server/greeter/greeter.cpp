// SPDX-License-Identifier: MIT
// The commands before login, as a table; runs as nopriv_user in an empty root.
#include "greeter/greeter.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "base/title.hpp"
#include "config/name_list.hpp"
#include "control/address.hpp"
#include "control/announced.hpp"
#include "control/connection.hpp"
#include "ftp/features.hpp"
#include "ftp/replies.hpp"
#include "greeter/proof.hpp"
#include "greeter/tls_end.hpp"
#include "tls/library.hpp"
#include "tls/warm_up.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <poll.h>
#include <string.h>

namespace greeter {
namespace {

namespace reply = ftp::reply;
using control::Came;
using Clock = std::chrono::steady_clock;

constexpr std::size_t largest_banner = 100'000;
// As vsftpd 3.0.4: one more command that has no place before login ends the connection.
constexpr unsigned most_errors = 10;

struct Prepared {
    std::string banner;  // of banner_file
    std::optional<config::NameList> user_list;
    std::string problem;              // that ends every connection
    std::optional<tls::Context> tls;  // with ssl_enable
    bool ccc = false;                 // [tls] ccc
    std::string cert_username_field;  // [tls]; empty: certificates log in nobody
};

// RFC 4217 and what older clients say; the second half means protected data as well.
constexpr std::string_view auth_types[] = {"TLS", "TLS-C", "SSL", "TLS-P"};
constexpr std::string_view auth_types_with_data[] = {"SSL", "TLS-P"};

Prepared& prepared() {
    static Prepared instance;
    return instance;
}

class Greeter {
  public:
    Greeter(ipc::Channel channel, const config::Options& options, control::Connection& client,
            std::string peer)
        : channel_(std::move(channel)),
          options_(options),
          client_(client),
          peer_(std::move(peer)),
          signatures_(channel_) {
        if (options_.log_ftp_protocol)
            client_.record_to([this](auto event, auto text) { record(event, text); });
    }

    void serve();

  private:
    // What follows a command.
    enum class Then : unsigned char { next_command, close, left, relay };

    struct Command {
        std::string_view verb;
        Then (Greeter::*handler)(std::string& argument);
    };
    static const Command commands[];

    Then user(std::string& name);
    Then pass(std::string& password);
    Then quit(std::string&);
    Then feat(std::string&);
    Then opts(std::string& argument);
    Then host(std::string& name);
    Then clnt(std::string&);
    Then auth(std::string& type);
    Then pbsz(std::string&);
    Then prot(std::string& level);

    Then carry_out(ftp::Line& line);
    Then say(const ftp::Reply& reply, Then then = Then::next_command) {
        return client_.reply(reply) ? then : Then::close;
    }
    Then failed(const ftp::Reply& reply);
    [[nodiscard]] bool secure() const { return tls_ != nullptr; }
    Then start_tls();
    [[nodiscard]] bool shake(tls::Stream& stream);
    void fill(ipc::TlsRecord& record);
    Then hand_over(ipc::Message message);
    enum class By : unsigned char { password, nothing, certificate };
    Then authenticate(By means, std::string_view password = {});
    [[nodiscard]] bool has_certificate() const;
    [[nodiscard]] bool send_proof();
    Then await_answer(const std::string& rest);
    Then refused(const ipc::LoginRefused& refusal);
    bool pause(std::chrono::seconds time);
    const ftp::Fixed* stop_requested();
    void record(ipc::Event event, std::string_view text);
    [[nodiscard]] ftp::Reply greeting() const;

    ipc::Channel channel_;
    const config::Options& options_;
    control::Connection& client_;
    std::string peer_;
    Signatures signatures_;
    TlsEnd* tls_ = nullptr;  // client_'s
    base::Fd session_;       // after the login
    tls::TicketKey ticket_key_{};
    bool data_private_ = false;  // PROT P
    bool proof_sent_ = false;
    std::string not_certified_;  // the last user whose certificate it is not
    std::optional<std::string> user_;
    bool anonymous_ = false;
    unsigned errors_ = 0;
    unsigned failures_ = 0;
};

// clang-format off
const Greeter::Command Greeter::commands[] = {
    {"USER", &Greeter::user},
    {"PASS", &Greeter::pass},
    {"QUIT", &Greeter::quit},
    {"FEAT", &Greeter::feat},
    {"OPTS", &Greeter::opts},
    {"HOST", &Greeter::host},
    {"CLNT", &Greeter::clnt},
    {"AUTH", &Greeter::auth},  // clients try it unasked, so it is no mistake
    {"PBSZ", &Greeter::pbsz},
    {"PROT", &Greeter::prot},
};
// clang-format on

ftp::Reply Greeter::greeting() const {
    if (!prepared().banner.empty()) return ftp::with_message({220, ""}, prepared().banner);
    if (!options_.ftpd_banner.empty()) return {220, options_.ftpd_banner};
    return {220, "(jailftpd " JAILFTPD_VERSION ")"};
}

void Greeter::record(ipc::Event event, std::string_view text) {
    ipc::Record line{};
    line.event = event;
    line.path.assign(text);
    (void)channel_.send_waiting(line);
}

void Greeter::serve() {
    ftp::Line line;
    // The options may be this connection's own.
    const std::string problem = options_.local_enable || options_.anonymous_enable
                                    ? prepared().problem
                                    : "vsftpd: both local and anonymous access disabled!";
    if (!problem.empty()) record(ipc::Event::fatal, problem);
    auto then = options_.ssl_enable && options_.implicit_ssl ? start_tls() : Then::next_command;
    if (then == Then::next_command)
        then = problem.empty() ? say(greeting()) : say(reply::oops(problem), Then::close);
    while (then == Then::next_command) {
        switch (client_.wait(line, channel_.fd(),
                             std::chrono::seconds(options_.idle_session_timeout))) {
            case Came::line:
                client_.record(line);
                then = carry_out(line);
                break;
            case Came::channel:
                if (const auto* why = stop_requested()) then = say(*why, Then::close);
                break;
            case Came::timeout:
                then = say(reply::timeout, Then::close);
                break;
            case Came::too_long:
                then = say(reply::line_too_long, Then::close);
                break;
            case Came::closed:
                then = Then::close;
                break;
        }
    }
    ftp::wipe(line.argument);
    // Not where the login was answered: this lasts, and what the login needed does not.
    if (then == Then::relay) {
        relay(tls_->stream(), client_.fd(), std::move(session_), prepared().ccc);
        then = Then::close;
    }
    // Whoever has left is the session's client now: nothing may be sent or shut down.
    if (then == Then::close) client_.close();
}

Greeter::Then Greeter::carry_out(ftp::Line& line) {
    if (control::is_http(line.verb)) return say(reply::http_refused, Then::close);
    for (const auto& command : commands) {
        if (command.verb == line.verb) return (this->*command.handler)(line.argument);
    }
    if (++errors_ > most_errors) return say(reply::too_many_errors, Then::close);
    return say(reply::please_login);
}

// The order of the checks is vsftpd's.
Greeter::Then Greeter::user(std::string& name) {
    user_.reset();
    anonymous_ = options_.anonymous_enable && (base::equal_ignoring_case(name, "anonymous") ||
                                               base::equal_ignoring_case(name, "ftp"));
    if (!anonymous_ && !options_.local_enable) return say(reply::anonymous_only);
    if (anonymous_ && secure() && !options_.allow_anon_ssl && !options_.force_anon_logins_ssl)
        return say(reply::anonymous_without_tls);
    if (options_.ssl_enable && !secure()) {
        if (anonymous_ && options_.force_anon_logins_ssl)
            return say(reply::anonymous_needs_tls, Then::close);
        if (!anonymous_ && options_.force_local_logins_ssl)
            return say(reply::local_needs_tls, Then::close);
    }
    const auto& list = prepared().user_list;
    // A list for this connection alone that was not there to read: nobody is on the right side.
    const bool no_list = options_.local_enable && !list;
    // Without local users vsftpd reads no list, so nobody is on it.
    const bool listed = list && options_.local_enable && list->contains(name);
    if (options_.userlist_enable && (no_list || listed == options_.userlist_deny)) {
        if (options_.userlist_log)
            record(ipc::Event::refused, name);
        else
            record(ipc::Event::warning, "user " + base::quoted(name) + " refused by userlist_file");
        if (!pause(std::chrono::seconds(options_.delay_failed_login))) return Then::close;
        return failed(reply::login_denied);
    }
    user_ = name;
    if (anonymous_ && options_.no_anon_password) return authenticate(By::nothing);
    // RFC 2228: whose certificate is this user's need give no password.
    if (!anonymous_ && has_certificate() && name != not_certified_)
        return authenticate(By::certificate);
    return say(reply::specify_password);
}

Greeter::Then Greeter::pass(std::string& password) {
    if (!user_ || user_->empty()) {
        ftp::wipe(password);
        return say(reply::login_first);
    }
    const auto then = authenticate(By::password, password);
    ftp::wipe(password);
    return then;
}

Greeter::Then Greeter::quit(std::string&) { return say(reply::goodbye, Then::close); }

Greeter::Then Greeter::feat(std::string&) {
    auto on = control::announced(options_);
    on.ccc = on.ssl && prepared().ccc;
    return say(ftp::features(on));
}

// Other options are the session's, which would not know of them.
Greeter::Then Greeter::opts(std::string& argument) {
    const auto option = ftp::parse_opts(argument);
    const bool utf8 = std::holds_alternative<ftp::OptsUtf8>(option);
    return say(utf8 ? reply::utf8_always : reply::option_not_understood);
}

// One host only, by whatever name (RFC 7151, 3.1: an unknown one may be taken for the default).
Greeter::Then Greeter::host(std::string& name) {
    if (name.empty() || name.find(' ') != name.npos) return say(reply::bad_argument);
    return say(user_ ? reply::host_too_late : reply::host_ok);
}

Greeter::Then Greeter::clnt(std::string&) { return say(reply::client_noted); }

// ----- TLS

Greeter::Then Greeter::auth(std::string& type) {
    if (!options_.ssl_enable || secure() || !prepared().tls) return say(reply::please_login);
    const auto wanted = base::upper(type);
    const auto is_one_of = [&](const auto& types) {
        return std::find(std::begin(types), std::end(types), wanted) != std::end(types);
    };
    if (!is_one_of(auth_types)) return say(reply::unknown_auth);
    if (!client_.reply(reply::auth_proceed)) return Then::close;
    data_private_ = is_one_of(auth_types_with_data);
    return start_tls();
}

Greeter::Then Greeter::pbsz(std::string&) {
    if (!options_.ssl_enable) return say(reply::please_login);
    return say(secure() ? reply::pbsz_ok : reply::pbsz_needs_tls);
}

Greeter::Then Greeter::prot(std::string& level) {
    if (!options_.ssl_enable) return say(reply::please_login);
    if (!secure()) return say(reply::prot_needs_tls);
    const auto& answer = ftp::reply::protection(level);
    if (answer.code == reply::prot_private.code)
        data_private_ = answer.text == reply::prot_private.text;
    return say(answer);
}

// Nothing is ever said in clear text from here on: a client whose handshake fails sees the end of
// the connection.
Greeter::Then Greeter::start_tls() {
    // What came ahead of the handshake was not protected, whoever has sent it.
    client_.lines().drop();
    auto& context = *prepared().tls;
    // Now, for most connections that are forked need no random number.
    const auto reseeded = tls::reseed_after_fork();
    auto key = reseeded ? tls::new_ticket_key() : base::Result<tls::TicketKey>{reseeded.error()};
    const auto ready = key ? context.use_ticket_key(key.value()) : base::Result<void>{key.error()};
    auto stream = tls::Stream::over(context, client_.fd());
    if (!ready || !stream) {
        record(ipc::Event::warning, "no TLS: " + (ready ? stream.error() : ready.error()).text());
        return Then::close;
    }
    ticket_key_ = key.value();
    OPENSSL_cleanse(key.value().data(), key.value().size());
    if (!prepared().cert_username_field.empty()) stream.value().keep_transcript();
    context.sign_with([this](const tls::ToBeSigned& what) { return signatures_.ask(what); });
    if (!shake(stream.value())) return Then::close;
    if (options_.debug_ssl) record(ipc::Event::debug, stream.value().description());
    auto end = std::make_unique<TlsEnd>(std::move(stream.value()));
    tls_ = end.get();
    client_.use(std::move(end));
    if (const auto& stop = signatures_.stop())
        return say(stop->too_slow != 0 ? reply::timeout : reply::shutting_down, Then::close);
    return Then::next_command;
}

bool Greeter::shake(tls::Stream& stream) {
    const auto failed = [this](const std::string& why) {
        record(ipc::Event::warning, "TLS handshake failed: " + why);
        return false;
    };
    const bool for_ever = options_.idle_session_timeout == 0;
    const auto deadline = Clock::now() + std::chrono::seconds(options_.idle_session_timeout);
    for (;;) {
        const auto step = stream.shake();
        if (step == tls::Step::done) return true;
        if (step == tls::Step::closed || step == tls::Step::cut)
            return failed("the client hung up");
        if (step == tls::Step::failed) return failed(stream.reason());
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (!for_ever && left.count() <= 0) return failed("timeout");
        const short events = step == tls::Step::wait_to_read ? POLLIN : POLLOUT;
        pollfd wanted[] = {{client_.fd(), events, 0}, {channel_.fd(), POLLIN, 0}};
        const auto most = std::min<std::int64_t>(left.count(), 3'600'000);
        if (::poll(wanted, 2, for_ever ? -1 : static_cast<int>(most)) < 0 && errno != EINTR)
            return failed("poll");
        if (wanted[1].revents != 0 && stop_requested() != nullptr) return false;
    }
}

// What the session needs for its data connections.
void Greeter::fill(ipc::TlsRecord& record) {
    if (!secure()) return;
    static_assert(sizeof record.ticket_key == sizeof ticket_key_);
    record.encrypted = 1;
    record.data_private = data_private_ ? 1 : 0;
    std::copy(ticket_key_.begin(), ticket_key_.end(), record.ticket_key);
    auto session = tls::serialise_session(tls_->stream().get());
    if (!session) return;
    auto& bytes = session.value();
    if (bytes.size() <= ipc::longest_session)
        record.session.assign({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    OPENSSL_cleanse(bytes.data(), bytes.size());
}

// Without TLS the session has the connection now.
Greeter::Then Greeter::hand_over(ipc::Message message) {
    if (!secure()) return Then::left;
    if (message.descriptors.size() != 1) return Then::close;
    OPENSSL_cleanse(ticket_key_.data(), ticket_key_.size());
    tls_->stream().forget_transcript();
    base::title::set("jailftpd: " + base::escaped(*user_) + ' ' + peer_ + " [greeter]");
    session_ = std::move(message.descriptors.front());
    return Then::relay;
}

// ----- logging in

Greeter::Then Greeter::failed(const ftp::Reply& reply) {
    user_.reset();
    ++failures_;
    return say(reply, failures_ >= options_.max_login_fails ? Then::close : Then::next_command);
}

bool Greeter::has_certificate() const {
    return secure() && !tls_->stream().proof().empty() && !user_->empty() &&
           user_->size() <= ipc::longest_name;
}

// Once: what it proves does not change any more.
bool Greeter::send_proof() {
    if (std::exchange(proof_sent_, true)) return true;
    for (auto rest = tls_->stream().proof(); !rest.empty();) {
        const auto size = std::min(rest.size(), ipc::longest_proof_part);
        ipc::ProofPart part{};
        part.bytes.assign({reinterpret_cast<const char*>(rest.data()), size});
        if (!channel_.send_waiting(part)) return false;
        rest = rest.subspan(size);
    }
    return true;
}

Greeter::Then Greeter::authenticate(By means, std::string_view password) {
    if (means == By::certificate && !send_proof()) return say(reply::shutting_down, Then::close);
    auto rest = client_.lines().take_rest();
    ipc::Authenticate request{};
    request.anonymous = anonymous_ ? 1 : 0;
    request.has_password = means == By::password ? 1 : 0;
    request.by_certificate = means == By::certificate ? 1 : 0;
    request.user.assign(*user_);
    request.password.assign(password);
    request.too_long =
        user_->size() > ipc::longest_name || password.size() > ipc::longest_name ? 1 : 0;
    request.unread.assign(rest);
    fill(request.tls);
    const int descriptors[] = {client_.fd()};
    const auto sent =
        secure() ? channel_.send_waiting(request) : channel_.send_waiting(request, descriptors);
    ::explicit_bzero(&request, sizeof request);
    const auto then = sent ? await_answer(rest) : say(reply::shutting_down, Then::close);
    ftp::wipe(rest);
    return then;
}

// The client's further input stays in the socket, because it may be the session's.
Greeter::Then Greeter::await_answer(const std::string& rest) {
    bool watch_client = true;
    for (;;) {
        pollfd wanted[] = {{channel_.fd(), POLLIN, 0},
                           {watch_client ? client_.fd() : -1, POLLRDHUP, 0}};
        if (::poll(wanted, 2, -1) < 0 && errno != EINTR) return Then::close;
        if (wanted[0].revents != 0) {
            auto message = channel_.receive();
            if (!message) {
                if (message.error().number == EAGAIN) continue;
                return say(reply::shutting_down, Then::close);
            }
            if (message.value().as<ipc::LoginAccepted>() != nullptr)
                return hand_over(std::move(message.value()));
            if (const auto* stop = message.value().as<ipc::Stop>())
                return say(stop->too_slow != 0 ? reply::timeout : reply::shutting_down,
                           Then::close);
            if (const auto* refusal = message.value().as<ipc::LoginRefused>()) {
                client_.lines().feed(rest);
                return refused(*refusal);
            }
            continue;
        }
        // With commands on the way it is only half a hang-up: they are answered first.
        if (wanted[1].revents != 0) {
            if (rest.empty() && client_.abandoned()) return Then::close;
            watch_client = false;
        }
    }
}

Greeter::Then Greeter::refused(const ipc::LoginRefused& refusal) {
    const std::string text{refusal.text.view()};
    switch (refusal.refusal) {
        case ipc::Refusal::fatal:
            return say(reply::oops(text), Then::close);
        case ipc::Refusal::unavailable:
            return say({421, text}, Then::close);
        case ipc::Refusal::needs_password:
            not_certified_ = *user_;
            if (refusal.close_after == 0) return say(reply::specify_password);
            break;
        case ipc::Refusal::denied:
        case ipc::Refusal::incorrect:
            break;
    }
    const auto then = failed(refusal.refusal == ipc::Refusal::denied ? reply::login_denied
                                                                     : reply::login_incorrect);
    return refusal.close_after != 0 ? Then::close : then;
}

// False when there is nobody to go on for.
bool Greeter::pause(std::chrono::seconds time) {
    const auto deadline = Clock::now() + time;
    bool watch_client = true;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) return true;
        pollfd wanted[] = {{channel_.fd(), POLLIN, 0},
                           {watch_client ? client_.fd() : -1, POLLRDHUP, 0}};
        const auto most = std::min<std::int64_t>(left.count(), 3'600'000);
        if (::poll(wanted, 2, static_cast<int>(most)) < 0 && errno != EINTR) return false;
        if (wanted[0].revents != 0) {
            if (const auto* why = stop_requested()) {
                (void)say(*why);
                return false;
            }
        }
        if (wanted[1].revents != 0) {
            if (client_.abandoned()) return false;
            watch_client = false;
        }
    }
}

// What to say then; nullptr: go on. Also when the supervisor is gone.
const ftp::Fixed* Greeter::stop_requested() {
    auto message = channel_.receive();
    if (!message) return message.error().number != EAGAIN ? &reply::shutting_down : nullptr;
    const auto* stop = message.value().as<ipc::Stop>();
    if (stop == nullptr) return nullptr;
    return stop->too_slow != 0 ? &reply::timeout : &reply::shutting_down;
}

}  // namespace

base::Result<void> prepare(const config::Options& options) {
    prepared() = {};
    if (!options.banner_file.empty()) {
        auto text = config::read_file(options.banner_file, largest_banner);
        if (text) {
            prepared().banner = std::move(text.value());
        } else {
            base::log::warning("banner_file: " + text.error().text());
        }
    }
    // As vsftpd: for no other is it read. But a connection may have these options of its own.
    const bool needed = options.userlist_enable && options.local_enable;
    if (!needed && !options.tcp_wrappers) return base::success();
    auto list = config::NameList::read(options.userlist_file);
    if (list) {
        prepared().user_list = std::move(list.value());
    } else if (needed) {
        // Nobody is let in, and each is told; it may be there again for the next connection.
        prepared().problem = "cannot read user list file:" + options.userlist_file;
        base::log::error(prepared().problem + " (" + list.error().text() + ")");
    }
    return base::success();
}

base::Result<void> prepare_tls(const config::Configuration& configuration,
                               std::vector<ipc::Certificate> certificates) {
    tls::prepare();
    TRY(const auto settings, tls::settings_of(configuration));
    auto all = std::make_shared<const tls::Certificates>(std::move(certificates));
    TRY(auto context, tls::Context::create(settings, std::move(all), tls::Purpose::control));
    prepared().tls.emplace(std::move(context));
    prepared().ccc = configuration.native.ccc;
    prepared().cert_username_field = configuration.native.cert_username_field;
    // Without it handshakes take longer, no more than that.
    if (auto warm = tls::warm_up(settings); !warm) base::log::info("TLS: " + warm.error().text());
    return base::success();
}

int run(ipc::Channel channel, const config::Options& options) {
    auto message = channel.wait();
    if (!message || message.value().as<ipc::Stop>() != nullptr) return 0;  // was not needed
    if (message.value().as<ipc::ProofPart>() != nullptr && prepared().tls)
        return look_at_proof(std::move(channel), std::move(message.value()), *prepared().tls,
                             prepared().cert_username_field);
    const auto* connection = message.value().as<ipc::Connection>();
    auto& descriptors = message.value().descriptors;
    if (connection == nullptr || descriptors.size() != 1) return 2;
    auto own = options;
    if (!config::apply_overrides(own, connection->overrides.view())) return 2;
    own.local_enable = own.local_enable || connection->has_tenants != 0;
    if (prepared().tls && !prepared().cert_username_field.empty()) {
        tls::Nonce nonce;
        std::copy(std::begin(connection->nonce), std::end(connection->nonce), nonce.begin());
        if (!prepared().tls->use_nonce(nonce)) return 2;
    }
    auto peer = control::to_text(connection->peer);
    base::title::set("jailftpd: " + peer + " [greeter]");
    control::Connection client(std::move(descriptors.front()));
    Greeter(std::move(channel), own, client, std::move(peer)).serve();
    return 0;
}

}  // namespace greeter
