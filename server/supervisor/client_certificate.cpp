// SPDX-License-Identifier: MIT
// Bytes of one greeter's for another one, and what that one says of them.
#include "supervisor/client_certificate.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include <sys/random.h>

namespace supervisor {
namespace {

// More than the parts of the longest proof.
constexpr std::size_t most_unread = 16;
// Of one certificate.
constexpr int most_warnings = 4;

}  // namespace

ClientCertificate::ClientCertificate(boost::asio::io_context& io, Callbacks callbacks)
    : io_(io), callbacks_(std::move(callbacks)) {
    if (::getrandom(known_.nonce, sizeof known_.nonce, 0) != sizeof known_.nonce)
        throw std::runtime_error("getrandom");
}

void ClientCertificate::was_signed(const ipc::ToSign& what) {
    if (what.kind != ipc::Handshake::certificate_verify) return;
    std::copy(std::begin(what.key), std::end(what.key), known_.key);
    known_.hash = what.hash;
    signed_ = true;
}

// Safe: these bytes go to a process that has no rights, no client and nothing to lose; and whatever
// they are, that process compares them with this connection's nonce, and with what the signer has
// signed for it (tls/client_proof.hpp).
void ClientCertificate::show(const ipc::ProofPart& part) {
    if (looked_at_ || !part.bytes.valid() || part.bytes.length == 0)
        return callbacks_.misbehaved("sent a malformed request");
    shown_ += part.bytes.length;
    if (shown_ > ipc::longest_proof)
        return callbacks_.misbehaved("shows a certificate without end");
    if (!process_ && !names_) start();
    if (!names_ && !channel_->send(part)) end();
}

void ClientCertificate::start() {
    auto child = callbacks_.take();
    if (!child) {
        callbacks_.warn("nothing can look at the client's certificate: " + child.error().text());
        names_.emplace();
        return;
    }
    process_ = child.value().id;
    channel_.emplace(io_, std::move(child.value().channel), most_unread, 0);
    channel_->start(
        [weak = weak_from_this()](const ipc::Message& message) {
            if (auto self = weak.lock()) self->on_message(message);
        },
        [weak = weak_from_this()](const base::Error&) {
            if (auto self = weak.lock()) self->end();
        });
}

void ClientCertificate::look(std::function<void()> then) {
    looked_at_ = true;
    if (names_) return then();
    then_ = std::move(then);
    if (!channel_->send(known_)) end();
}

void ClientCertificate::on_message(const ipc::Message& message) {
    const auto* record = message.as<ipc::Record>();
    if (record != nullptr && record->event == ipc::Event::warning && record->path.valid()) {
        if (++warnings_ > most_warnings) return callbacks_.misbehaved("warns without end");
        return callbacks_.warn(base::escaped(record->path.view()));
    }
    const auto* said = message.as<ipc::Proven>();
    if (said == nullptr || !said->refusal.valid() || !said->subject.valid() ||
        !said->names.valid() || !then_)
        return callbacks_.misbehaved("says of the client's certificate what makes no sense");
    const auto refusal = said->refusal.view();
    if (!refusal.empty())
        callbacks_.warn("the client's certificate is not taken: " + base::escaped(refusal));
    names_ = refusal.empty() ? said->names.view() : std::string_view{};
    subject_ = base::escaped(said->subject.view());
    end();
}

void ClientCertificate::end() {
    close();
    if (!names_) {
        names_.emplace();
        callbacks_.warn(
            "the process that looked at the client's certificate has ended without a "
            "word");
    }
    if (const auto then = std::exchange(then_, nullptr)) then();
}

void ClientCertificate::close() { channel_.reset(); }

}  // namespace supervisor
