// SPDX-License-Identifier: MIT
// One client from accept to the end; runs in the supervisor, as root. Every byte that a greeter or
// session sends is taken for an attacker's.
#include "supervisor/client.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "broker/address.hpp"
#include "jail/live_state.hpp"
#include "jail/plans.hpp"
#include "supervisor/accounts.hpp"
#include "supervisor/children.hpp"
#include "supervisor/helper_pool.hpp"
#include "supervisor/logins.hpp"
#include "supervisor/signer_client.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

namespace supervisor {

using base::Fd;
using namespace std::chrono_literals;

namespace {

// A greeter or session reads its channel at once; one that lets this many messages wait is up to
// something.
constexpr std::size_t most_unread = 16;
// Descriptors in one message: the control connection, and an upload that is given away.
constexpr std::size_t most_from_greeter = 1;
constexpr std::size_t most_from_giver = 1;
// What a process may have said, or have us say, in the administrator's log.
constexpr int most_warnings = 100;
// For a process that sends more than it may (broker/permissions.cpp).
constexpr std::chrono::milliseconds breather = 100ms;
// How long a process may live on after its channel has ended or its task is done.
constexpr std::chrono::seconds last_moments = 5s;
// Answers to failed logins come at multiples of this after the attempt began, so that the time does
// not tell which check failed.
constexpr std::chrono::milliseconds failure_grid = 500ms;

std::uint64_t cookie(int socket) {
    std::uint64_t value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(socket, SOL_SOCKET, SO_COOKIE, &value, &size) < 0) return 0;
    return value;
}

std::vector<Fd> list(Fd first) {
    std::vector<Fd> result;
    result.push_back(std::move(first));
    return result;
}

}  // namespace

Client::Client(Services& services, std::uint64_t id, Fd control, const ipc::Address& peer,
               const ipc::Address& local,
               std::shared_ptr<const config::Configuration> configuration)
    : services_(services),
      id_(id),
      control_(std::move(control)),
      peer_(peer),
      local_(local),
      peer_text_(broker::to_text(peer)),
      cookie_(cookie(control_.get())),
      configuration_(std::move(configuration)),
      options_(configuration_, &configuration_->options),
      delay_(services.io),
      login_deadline_(services.io) {}

Client::~Client() = default;

void Client::Wipe::operator()(ipc::TlsRecord* record) const {
    ::explicit_bzero(record, sizeof *record);
    delete record;
}

std::string Client::description() const {
    const auto who = user_.empty() ? std::string("a client") : base::quoted(user_);
    return who + " from " + peer_text_ + " (session " + std::to_string(id_) + ")";
}

std::vector<std::uint64_t> Client::processes() const {
    std::vector<std::uint64_t> ids;
    if (greeter_) ids.push_back(greeter_->id);
    if (certificate_ && certificate_->process()) ids.push_back(*certificate_->process());
    if (session_) ids.push_back(session_->id);
    return ids;
}

pid_t Client::pid() const {
    const auto known = session_   ? services_.children.pid(session_->id)
                       : greeter_ ? services_.children.pid(greeter_->id)
                                  : 0;
    return known != 0 ? known : ::getpid();
}

Entry Client::entry(Entry::Kind kind) const {
    Entry made;
    made.kind = kind;
    made.time = std::chrono::system_clock::now();
    made.pid = pid();
    made.session = id_;
    made.user = user_;
    made.client = peer_text_;
    made.anonymous = account_ == ipc::Account::anonymous;
    made.guest = guest_;
    made.shown_password = shown_password_;
    if (by_certificate_) made.certificate = certificate_->subject();
    return made;
}

void Client::start() {
    if (const auto most = configuration_->native.login_time; most > 0) {
        login_deadline_.expires_after(std::chrono::seconds(most));
        login_deadline_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
            auto self = weak.lock();
            if (!error && self) self->too_slow();
        });
    }
    if (options_->tcp_wrappers) return ask_wrappers();
    greet();
}

void Client::ask_wrappers() {
    state_ = State::wrapping;
    Fd copy{::fcntl(control_.get(), F_DUPFD_CLOEXEC, 0)};
    if (!copy) return wrapped(nullptr);
    wrap_ = services_.wrappers.ask(
        ipc::Wrap{}, peer_,
        [weak = weak_from_this()](ipc::Message* message) {
            if (auto self = weak.lock())
                self->wrapped(message != nullptr ? message->as<ipc::Wrapped>() : nullptr);
        },
        std::move(copy));
}

// What nobody can say is not allowed.
void Client::wrapped(const ipc::Wrapped* answer) {
    wrap_ = 0;
    if (state_ != State::wrapping) return;
    const bool sound = answer != nullptr && answer->client_text.valid() && answer->reason.valid() &&
                       answer->overrides.valid();
    if (!sound || answer->allowed == 0) {
        if (!sound)
            base::log::error(description() + " is turned away: tcp_wrappers gave no answer");
        services_.records.write(entry(Entry::Kind::refused_by_rule));
        turn_away(control_, "421 Service not available.\r\n");
        return finish();
    }
    auto own = *options_;
    overrides_ = answer->overrides.view();
    std::string trouble(answer->client_text.view());
    if (trouble.empty() && !config::apply_overrides(own, overrides_))
        trouble = "bad options for one connection";
    if (!trouble.empty()) {
        base::log::error(description() + ": " + base::escaped(answer->reason.view()));
        turn_away(control_, "500 OOPS: " + trouble + "\r\n");
        died(trouble);
        return finish();
    }
    if (!overrides_.empty()) options_ = std::make_shared<const config::Options>(std::move(own));
    state_ = State::greeting;
    greet();
}

void Client::greet() {
    auto child = services_.children.take(ipc::Child::greeter);
    if (!child) {
        base::log::error("cannot serve " + description() + ": " + child.error().text());
        turn_away(control_, "421 Service not available, please try later.\r\n");
        return finish();
    }
    services_.owns(child.value().id, *this);
    signer_ = services_.signer();
    greeter_.emplace(
        Process{child.value().id, AsyncChannel{services_.io, std::move(child.value().channel),
                                               most_unread, most_from_greeter}});
    greeter_->channel.start(
        [weak = weak_from_this()](ipc::Message message) {
            if (auto self = weak.lock()) self->on_greeter(std::move(message));
        },
        [weak = weak_from_this()](const base::Error& error) {
            auto self = weak.lock();
            if (self && !self->spoke_nonsense(error)) self->on_greeter_closed();
        });

    auto entry_made = entry(Entry::Kind::connect);
    services_.records.write(entry_made);

    ipc::Connection connection{};
    connection.peer = peer_;
    connection.local = local_;
    connection.clients = static_cast<std::uint32_t>(services_.connections());
    connection.has_tenants = configuration_->tenants.empty() ? 0 : 1;
    if (!configuration_->native.cert_username_field.empty()) {
        expect_certificate();
        std::memcpy(connection.nonce, certificate_->nonce(), sizeof connection.nonce);
    }
    connection.overrides.assign(overrides_);
    Fd copy{::fcntl(control_.get(), F_DUPFD_CLOEXEC, 0)};
    if (!copy || !greeter_->channel.send(connection, list(std::move(copy)))) return finish();
    // Kept only while it is not sure that the greeter exists: its death must be the connection's
    // end.
    if (services_.children.pid(greeter_->id) != 0) return control_.close();
    delay_.expires_after(1s);
    delay_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        auto self = weak.lock();
        if (!error && self && self->state_ == State::greeting) self->control_.close();
    });
}

void Client::expect_certificate() {
    certificate_ = std::make_shared<ClientCertificate>(
        services_.io,
        ClientCertificate::Callbacks{
            [this]() -> base::Result<ChildProcess> {
                TRY(auto child, services_.children.take(ipc::Child::greeter));
                services_.owns(child.id, *this);
                services_.children.end_within(child.id, last_moments);
                return child;
            },
            [this](const std::string& what) { base::log::warning(description() + ": " + what); },
            [weak = weak_from_this()](std::string_view what) {
                if (auto self = weak.lock()) self->misbehaved(what);
            }});
}

void Client::child_failed(std::uint64_t child, const base::Error& error) {
    if (state_ == State::finished) return;
    if (certificate_ && certificate_->process() == child) return certificate_->end();
    base::log::error("cannot serve " + description() + ": " + error.text());
    if (greeter_ && greeter_->id == child && control_)
        turn_away(control_, "421 Service not available, please try later.\r\n");
    finish();
}

// Never waits: what does not fit into the socket's buffer at once was not going to be read.
void Client::turn_away(const Fd& control, std::string_view text) const {
    if (options_->ssl_enable && options_->implicit_ssl) return;  // it expects TLS
    (void)::send(control.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Client::stop(std::uint32_t grace_seconds) {
    stopping_ = true;
    grace_ = grace_seconds;
    const ipc::Stop message{grace_seconds, 0};
    if (session_) {
        if (!session_->channel.send(message)) not_taken();
    } else if (greeter_) {
        if (!greeter_->channel.send(message)) finish();
    } else {
        turn_away(control_, "421 Service not available.\r\n");
        finish();
    }
}

void Client::kill() {
    if (session_) services_.children.kill(session_->id);
    finish();
}

// [limits] login_time. The greeter says so, but it need not be asked twice.
void Client::too_slow() {
    if (state_ == State::entering || state_ == State::in_session || state_ == State::finished)
        return;
    base::log::info(description() + " did not log in within " +
                    std::to_string(configuration_->native.login_time) + " s (login_time)");
    if (!greeter_) turn_away(control_, "421 Timeout.\r\n");
    if (!greeter_ || !greeter_->channel.send(ipc::Stop{0, 1})) return finish();
    login_deadline_.expires_after(last_moments);
    login_deadline_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        auto self = weak.lock();
        if (!error && self) self->finish();
    });
}

void Client::finish() {
    if (state_ == State::finished || std::exchange(finishing_, true)) return;
    // What it has done until now is in the log, whoever of its processes was the first to go.
    if (session_) session_->channel.drain();
    state_ = State::finished;
    delay_.cancel();
    login_deadline_.cancel();
    if (std::exchange(counted_account_, false)) services_.accounts.leave(user_);
    if (wrap_ != 0) services_.wrappers.cancel(wrap_);
    if (attempt_ != 0) services_.logins.cancel(attempt_);
    if (question_ != 0) services_.helpers.cancel(question_);
    data_.reset();
    control_.close();
    login_session_.close();
    handed_over_.reset();
    signer_.reset();
    session_signer_.reset();
    if (certificate_) certificate_->close();
    for (auto* process : {&greeter_, &session_}) {
        if (!*process) continue;
        (*process)->channel.close();
        // Gone at once when it is well-behaved; a process that was taken over need not be.
        services_.children.end_within((*process)->id, last_moments);
    }
    services_.finished(id_);
}

// A message that could not be sent: the session does not read, or it has ended, which its channel
// tells soon, once its last records have been read.
void Client::not_taken() {
    if (session_->channel.is_full()) return misbehaved("does not read its answers");
    services_.children.kill(session_->id);
}

void Client::misbehaved(std::string_view what) {
    base::log::error("the process of " + description() + " " + std::string(what) + ", it is ended");
    for (auto* process : {&greeter_, &session_}) {
        if (*process) services_.children.kill((*process)->id);
    }
    finish();
}

// What ended a channel is not its end.
bool Client::spoke_nonsense(const base::Error& error) {
    if (error.number != EPROTO || state_ == State::finished) return false;
    misbehaved("sent what is no message, or descriptors that nobody asked it for");
    return true;
}

bool Client::permitted(const ipc::Message& message, broker::Phase phase) {
    switch (permissions_.check(message.type(), phase, broker::Permissions::Clock::now(),
                               message.descriptors.size())) {
        case broker::Verdict::allowed:
            return true;
        case broker::Verdict::too_often: {
            // No deed goes unrecorded: the process waits with its next one instead.
            auto& process = phase == broker::Phase::before_login ? greeter_ : session_;
            if (process) process->channel.pause(breather);
            return true;
        }
        case broker::Verdict::misplaced:
            break;
    }
    misbehaved("sent a request that it may not make");
    return false;
}

void Client::on_greeter(ipc::Message message) {
    if (!permitted(message, broker::Phase::before_login)) return;
    if (message.as<ipc::Authenticate>() != nullptr) return authenticate(std::move(message));
    if (const auto* record = message.as<ipc::Record>()) return log(*record);
    if (const auto* request = message.as<ipc::Sign>()) return sign(*request, false);
    const auto* part = message.as<ipc::ProofPart>();
    if (part != nullptr && state_ == State::greeting && certificate_)
        return certificate_->show(*part);
    misbehaved("sent a malformed request");
}

// Safe: the signer makes nothing but what a TLS server signs in a handshake, and a handshake signs
// once: there is one on the control connection, and one on each data connection that need not
// resume it.
void Client::sign(const ipc::Sign& request, bool for_session) {
    const bool may = for_session ? std::exchange(session_may_sign_, false)
                                 : !std::exchange(greeter_signed_, true);
    const auto& signer = for_session ? session_signer_ : signer_;
    if (!signer || !may) return misbehaved("asks for a signature that it may not have");
    signer->ask(request.what, [weak = weak_from_this(), for_session,
                               asked = request](const ipc::SignedFor& said) {
        auto self = weak.lock();
        if (!self || self->state_ == State::finished) return;
        if (self->certificate_ && !for_session && said.number == 0)
            self->certificate_->was_signed(asked.what);
        auto& process = for_session ? self->session_ : self->greeter_;
        if (process &&
            !process->channel.send(ipc::Signed{asked.sequence, said.number, said.signature}))
            self->finish();
    });
}

void Client::on_greeter_closed() {
    // It was never there: its spawner died. Where it may have begun to speak TLS, nothing in clear
    // text may follow.
    if (state_ == State::greeting && control_ && !options_->ssl_enable &&
        services_.children.pid(greeter_->id) == 0)
        turn_away(control_, "421 Service not available, please try later.\r\n");
    // The session has the client, or with TLS sees its end, and has yet to say what became of its
    // transfer.
    if (state_ == State::entering || state_ == State::in_session) {
        services_.children.end_within(greeter_->id, last_moments);
        greeter_.reset();
        return;
    }
    finish();
}

// Safe: the socket must be the one that was accepted for this client, and nothing else in the
// request is believed; whether name and password are right is for the authenticator to say. With
// TLS no socket comes, and what does come is for the session alone.
void Client::authenticate(ipc::Message message) {
    const auto& request = *message.as<ipc::Authenticate>();
    const bool encrypted = request.tls.encrypted != 0;
    const bool own_socket = message.descriptors.size() == 1 && cookie_ != 0 &&
                            cookie(message.descriptors.front().get()) == cookie_;
    if (state_ != State::greeting || !request.user.valid() || !request.password.valid() ||
        !request.unread.valid() || !request.tls.session.valid() ||
        (encrypted ? !options_->ssl_enable || !message.descriptors.empty() : !own_socket))
        return misbehaved("sent a malformed request");
    const bool by_certificate = request.by_certificate != 0;
    if (by_certificate && (request.has_password != 0 || request.anonymous != 0 || !certificate_ ||
                           !certificate_->is_shown()))
        return misbehaved("asks for a login by a certificate that it has not shown");
    if (request.anonymous != 0 ? !options_->anonymous_enable
                               : !options_->local_enable && configuration_->tenants.empty())
        return misbehaved("asks for a kind of login that is off");

    // One that was turned away after all is nobody any more.
    if (std::exchange(counted_account_, false)) services_.accounts.leave(user_);
    state_ = State::checking;
    delay_.cancel();
    if (encrypted) {
        control_.close();
        handed_over_.reset(new ipc::TlsRecord(request.tls));
    } else {
        control_ = std::move(message.descriptors.front());
        handed_over_.reset();
    }
    unread_ = request.unread.view();
    user_ = request.user.view();
    account_ = request.anonymous != 0 ? ipc::Account::anonymous : ipc::Account::system;
    attempt_started_ = std::chrono::steady_clock::now();
    by_certificate_ = by_certificate;

    ipc::Login login{};
    login.account = account_;
    login.has_password = request.has_password;
    login.by_certificate = by_certificate ? 1 : 0;
    login.peer = peer_;
    // A name that was cut could be somebody else's: a blank one is nobody's.
    login.user.assign(request.too_long != 0 ? std::string_view{} : request.user.view());
    login.password.assign(request.password.view());
    login.overrides.assign(overrides_);
    if (by_certificate) {
        certificate_->look([weak = weak_from_this(), login]() mutable {
            auto self = weak.lock();
            if (!self || self->state_ != State::checking) return;
            login.names.assign(self->certificate_->names());
            self->attempt(login);
        });
        return;
    }
    attempt(login);
    ::explicit_bzero(&login, sizeof login);
}

void Client::attempt(const ipc::Login& login) {
    attempt_ = services_.logins.attempt(
        login,
        [weak = weak_from_this()](const ipc::LoginAnswer& answer, std::vector<Fd> descriptors) {
            if (auto self = weak.lock()) self->answered(answer, std::move(descriptors));
        });
}

// RFC 4217, 4: as if there were no certificate. That costs nothing once, for clients that show
// everybody the one that they have; more of it are guesses, as wrong passwords are.
void Client::ask_for_password(const ipc::LoginAnswer& answer) {
    if (std::exchange(was_asked_, true)) return wrong(answer, ipc::Refusal::needs_password);
    base::log::info(description() +
                    " is asked for a password: " + base::escaped(answer.reason.view()));
    state_ = State::greeting;
    ipc::LoginRefused refused{};
    refused.refusal = ipc::Refusal::needs_password;
    if (!greeter_->channel.send(refused)) finish();
}

void Client::wrong(const ipc::LoginAnswer& answer, ipc::Refusal refusal) {
    ++failures_;
    log_login(Entry::Kind::login, false, answer.reason.view());
    refuse_after_delay(refusal, {}, failures_ >= options_->max_login_fails);
}

void Client::answered(const ipc::LoginAnswer& answer, std::vector<Fd> descriptors) {
    attempt_ = 0;
    if (state_ != State::checking) return;
    switch (answer.outcome) {
        case ipc::Outcome::wrong:
            return wrong(answer, ipc::Refusal::incorrect);
        case ipc::Outcome::needs_password:
            return ask_for_password(answer);
        case ipc::Outcome::broken:
            log_login(Entry::Kind::login, false, answer.reason.view());
            base::log::error("login of " + description() +
                             " failed: " + base::escaped(answer.reason.view()));
            return refuse_after_delay(ipc::Refusal::fatal, std::string(answer.client_text.view()),
                                      true);
        case ipc::Outcome::admitted:
            if (descriptors.size() != 2 + answer.binds && descriptors.size() != 3 + answer.binds)
                break;
            user_ = answer.user.view();
            if (account_ != ipc::Account::anonymous) {
                const auto most = configuration_->native.sessions_per_account;
                if (!services_.accounts.enter(user_, most)) {
                    log_login(Entry::Kind::login, false,
                              "the account has " + std::to_string(most) +
                                  " sessions already (sessions_per_account)");
                    return refuse_after_delay(ipc::Refusal::unavailable,
                                              "There are too many sessions of your account.", true);
                }
                counted_account_ = true;
            }
            if (descriptors.size() == 3 + answer.binds) {
                login_session_ = std::move(descriptors.back());
                descriptors.pop_back();
            }
            guest_ = answer.guest != 0;
            shown_password_ = answer.shown_password.view();
            grants_ = answer.grants;
            state_ = State::delayed;
            if (options_->delay_successful_login == 0) return enter(answer, std::move(descriptors));
            delay_.expires_after(std::chrono::seconds(options_->delay_successful_login));
            delay_.async_wait([weak = weak_from_this(), answer,
                               jail = std::make_shared<std::vector<Fd>>(std::move(descriptors))](
                                  boost::system::error_code error) {
                auto self = weak.lock();
                if (error || !self || self->state_ != State::delayed) return;
                self->enter(answer, std::move(*jail));
            });
            return;
    }
    base::log::error("a login answer makes no sense");
    refuse_after_delay(ipc::Refusal::fatal, "login service unavailable, please try later", true);
}

void Client::refuse_after_delay(ipc::Refusal refusal, std::string text, bool close_after) {
    state_ = State::delayed;
    control_.close();  // the greeter has its own
    login_session_.close();
    if (refusal == ipc::Refusal::fatal) died(text);
    auto due = attempt_started_;
    if (refusal == ipc::Refusal::incorrect || refusal == ipc::Refusal::needs_password) {
        const auto passed = std::chrono::steady_clock::now() - attempt_started_;
        const auto steps = passed / failure_grid + 1;
        due += std::max<std::chrono::steady_clock::duration>(
            std::chrono::seconds(options_->delay_failed_login), steps * failure_grid);
    }
    delay_.expires_at(due);
    delay_.async_wait([weak = weak_from_this(), refusal, text = std::move(text),
                       close_after](boost::system::error_code error) {
        auto self = weak.lock();
        if (error || !self || self->state_ != State::delayed) return;
        self->state_ = State::greeting;
        ipc::LoginRefused refused{};
        refused.refusal = refusal;
        refused.close_after = close_after ? 1 : 0;
        refused.text.assign(text);
        if (!self->greeter_->channel.send(refused)) self->finish();
    });
}

base::Result<ChildProcess> Client::take_session(const ipc::Cgroup& wanted) {
    if (wanted.name.view().empty()) return services_.children.take(ipc::Child::session);
    TRY(auto leaf, services_.cgroups.enter(wanted));
    const bool own = static_cast<bool>(leaf);
    auto child = services_.children.take(ipc::Child::session, std::move(leaf));
    if (!own) return child;
    if (child) {
        cgroup_ = wanted.name.view();
    } else {
        services_.cgroups.leave(std::string(wanted.name.view()));
    }
    return child;
}

void Client::enter(const ipc::LoginAnswer& answer, std::vector<Fd> descriptors) {
    Fd for_greeter;
    if (handed_over_) {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
            base::log::error("cannot serve " + description() + ": " +
                             base::system_error("socketpair").text());
            return refuse_after_delay(ipc::Refusal::unavailable,
                                      "Service not available, please try later.", true);
        }
        control_ = Fd{ends[0]};
        for_greeter = Fd{ends[1]};
    }
    auto child = take_session(answer.cgroup);
    if (!child) {
        base::log::error("cannot serve " + description() + ": " + child.error().text());
        return refuse_after_delay(ipc::Refusal::unavailable,
                                  "Service not available, please try later.", true);
    }
    services_.owns(child.value().id, *this);
    if (!std::exchange(logged_in_, true)) services_.logged_in(*this);
    login_deadline_.cancel();
    state_ = State::entering;
    // Its own options may be newer than this client's: a reload came in between.
    session_signer_ = services_.signer();
    reuse_required_ = services_.ssl_reuse_required();
    session_.emplace(Process{
        child.value().id, AsyncChannel{services_.io, std::move(child.value().channel), most_unread,
                                       grants_.give_away != 0 ? most_from_giver : 0}});
    session_->channel.start(
        [weak = weak_from_this()](ipc::Message message) {
            if (auto self = weak.lock()) self->on_session(std::move(message));
        },
        [weak = weak_from_this()](const base::Error& error) {
            auto self = weak.lock();
            if (self && !self->spoke_nonsense(error)) self->on_session_closed();
        });
    data_.emplace(services_.io, peer_, local_, answer.data,
                  broker::DataSockets::Callbacks{
                      services_.pasv_address,
                      [this](const ipc::Listening& listening) {
                          if (!session_->channel.send(listening)) not_taken();
                      },
                      [this](const ipc::DataConnected& data, Fd socket) {
                          connected(data, std::move(socket));
                      },
                      [this](const ipc::DataFailed& failed) {
                          if (!session_->channel.send(failed)) not_taken();
                      },
                      [this](const std::string& why) { warn(why); },
                      [this](std::uint32_t ports) { permissions_.charge(ports); },
                      [this] { return !session_->channel.is_behind(); }, services_.connections});

    ipc::Enter message{};
    message.peer = peer_;
    message.local = local_;
    message.clients = static_cast<std::uint32_t>(services_.connections());
    message.unread.assign(unread_);
    encrypted_ = handed_over_ != nullptr;
    if (encrypted_) message.tls = *handed_over_;
    handed_over_.reset();
    // Root and admission in front of it, binds behind it.
    descriptors.insert(descriptors.begin() + 2, std::move(control_));
    if (counted_account_ && configuration_->native.shared_rates) {
        if (auto clock = services_.accounts.shared_clock(user_))
            descriptors.push_back(std::move(clock));
    }
    const bool taken = session_->channel.send(message, std::move(descriptors));
    ::explicit_bzero(&message.tls, sizeof message.tls);
    if (!taken) return misbehaved("does not take its client");
    unread_.clear();
    if (encrypted_) {
        if (!greeter_ ||
            !greeter_->channel.send(ipc::LoginAccepted{}, list(std::move(for_greeter))))
            return finish();
    } else if (greeter_) {
        (void)greeter_->channel.send(
            ipc::LoginAccepted{});  // it may be gone: the session has the client
        services_.children.end_within(greeter_->id, last_moments);
    }
    log_login(Entry::Kind::login, true, {});
    if (stopping_) stop(grace_);
}

void Client::connected(const ipc::DataConnected& connected, Fd socket) {
    session_may_sign_ = encrypted_ && !reuse_required_;
    if (!session_->channel.send(connected, list(std::move(socket)))) return not_taken();
    // With nothing to ask before its next transfer it only sends its record of this one.
    const bool asks = connected.next_port == 0 || session_may_sign_ || grants_.names != 0 ||
                      grants_.homes != 0 || grants_.give_away != 0;
    if (asks) return session_->channel.wake();
    services_.busy.served(session_->channel);
}

void Client::on_session(ipc::Message message) {
    const bool jailed = state_ == State::in_session;
    const bool is_record =
        message.as<ipc::Record>() != nullptr || message.as<ipc::ShortRecord>() != nullptr;
    if (finishing_ && !is_record) return;
    if (!permitted(message, jailed ? broker::Phase::after_login : broker::Phase::entering)) return;
    if (const auto* said = message.as<ipc::Entered>()) return entered(*said);
    if (const auto* record = message.as<ipc::Record>()) return log(*record);
    if (const auto* record = message.as<ipc::ShortRecord>()) return log(*record);
    if (const auto* passive = message.as<ipc::PassiveOpen>()) return data_->passive_open(*passive);
    if (const auto* over = message.as<ipc::PassiveClose>()) return data_->passive_close(*over);
    if (const auto* active = message.as<ipc::ActiveOpen>()) return data_->active_open(*active);
    if (const auto* name = message.as<ipc::NameOf>()) {
        if (grants_.names == 0) return misbehaved("asks for what its options do not give it");
        return pass_on<ipc::NameOf, ipc::Named>(*name);
    }
    if (const auto* home = message.as<ipc::HomeOf>()) {
        if (grants_.homes == 0 || !home->user.valid())
            return misbehaved("asks for what its options do not give it");
        return pass_on<ipc::HomeOf, ipc::HomeTold>(*home);
    }
    if (const auto* request = message.as<ipc::Sign>()) return sign(*request, true);
    if (message.as<ipc::GiveAway>() != nullptr) return give_away(std::move(message));
    misbehaved("sent a malformed request");
}

// Safe: what is asked is only looked up, by a helper, and one at a time.
template <typename Q, typename Answer>
void Client::pass_on(const Q& question, Fd descriptor) {
    if (question_ != 0) return misbehaved("asks before it was answered");
    question_ = services_.helpers.ask(
        question, peer_,
        [weak = weak_from_this(), id = question.id](ipc::Message* message) {
            auto self = weak.lock();
            if (!self || self->state_ != State::in_session) return;
            self->question_ = 0;
            const auto* said = message != nullptr ? message->as<Answer>() : nullptr;
            Answer answer = said != nullptr ? *said : Answer{};
            answer.id = id;
            if (!self->session_->channel.send(answer)) self->not_taken();
        },
        std::move(descriptor));
}

// Safe: the helper gives away nothing but a regular file with one link that the session owns, has
// open for writing, and that lies on its jail's file system.
void Client::give_away(ipc::Message message) {
    if (grants_.give_away == 0 || message.descriptors.size() != 1)
        return misbehaved("asks for what its options do not give it");
    if (question_ != 0) return misbehaved("asks before it was answered");
    ipc::ChangeOwner question{};
    std::copy(std::begin(grants_.devices), std::end(grants_.devices), question.devices);
    question.owner = grants_.uid;
    question.new_owner = grants_.new_owner;
    question.new_mode = grants_.new_mode;
    question_ = services_.helpers.ask(
        question, peer_,
        [weak = weak_from_this()](ipc::Message* said) {
            auto self = weak.lock();
            if (!self || self->state_ != State::in_session) return;
            self->question_ = 0;
            const auto* changed = said != nullptr ? said->as<ipc::OwnerChanged>() : nullptr;
            const ipc::GivenAway answer{changed != nullptr ? changed->number : EIO};
            if (!self->session_->channel.send(answer)) self->not_taken();
        },
        std::move(message.descriptors.front()));
}

void Client::entered(const ipc::Entered& message) {
    if (!message.step.valid()) return misbehaved("sent a malformed request");
    if (message.number == 0 && message.step.view().empty()) {
        state_ = State::in_session;
        if (base::log::wanted(base::log::Level::debug)) log_live_state();
        return;
    }
    auto what = std::string(message.step.view());
    if (message.number != 0) what += std::string(": ") + std::strerror(message.number);
    base::log::error("the jail of " + description() +
                     " could not be entered: " + base::escaped(what));
    died(what == jail::writable_root_step
             ? "vsftpd: refusing to run with writable root inside chroot()"
             : what);
}

// [log] level = debug: the jail as the kernel has it, not as it was planned.
void Client::log_live_state() const {
    const auto process = services_.children.pid(session_->id);
    const auto live = process > 0 ? jail::live_state(process)
                                  : base::Result<std::string>(base::Error{"it has ended"});
    base::log::debug("the jail of " + description() + ": " +
                     (live ? live.value() : live.error().text()));
}

void Client::on_session_closed() { finish(); }

void Client::log_login(Entry::Kind kind, bool success, std::string_view reason,
                       std::string_view remark) {
    services_.busy.hear();
    auto made = entry(kind);
    made.success = success;
    made.reason = reason;
    made.remark = remark;
    services_.records.write(made);
    if (!success)
        base::log::info("login of " + description() + " refused: " + base::escaped(reason));
}

// log_die: what ends a session with "500 OOPS".
void Client::died(std::string_view text) {
    if (!options_->log_die) return;
    auto made = entry(Entry::Kind::died);
    made.reason = text;
    services_.records.write(made);
}

// What it says, or makes us say.
void Client::warn(std::string_view what) {
    if (warnings_ < most_warnings)
        base::log::warning(description() + ": " + std::string(what));
    else if (warnings_ == most_warnings)
        base::log::warning(description() + ": its further warnings are not logged");
    warnings_ = std::min(warnings_ + 1, most_warnings + 1);
}

template <typename Record>
void Client::log(const Record& record) {
    if (!record.path.valid() || !record.second.valid())
        return misbehaved("sent a malformed record");
    services_.busy.hear();  // who did something before is logged before
    if (record.event == ipc::Event::warning) return warn(base::escaped(record.path.view()));
    // Nobody forges failed logins where the options want none of these.
    const bool lists_users = options_->userlist_enable && options_->userlist_log;
    if (record.event == ipc::Event::refused && state_ == State::greeting && lists_users) {
        user_ = record.path.view();
        const auto* why = options_->userlist_deny ? "User is in the deny user list."
                                                  : "User is not in the allow user list.";
        log_login(Entry::Kind::login, false, why, why);
        user_.clear();
        return;
    }
    if (record.event == ipc::Event::fatal) return died(record.path.view());
    const auto kind = kind_of(record.event);
    if (!kind) return misbehaved("sent a malformed record");
    auto made = entry(*kind);
    made.success = record.success != 0;
    made.path = record.path.view();
    // Of a transfer it is why it failed.
    (is_transfer(*kind) ? made.reason : made.second) = record.second.view();
    made.bytes = record.bytes;
    made.has_size = record.has_size != 0;
    made.duration = std::chrono::microseconds(record.microseconds);
    made.ascii = record.ascii != 0;
    services_.records.write(made);
}

}  // namespace supervisor
