// SPDX-License-Identifier: MIT
// The language between the processes: any datagram is refused or read within its bounds.
#include "input.hpp"
#include "ipc/channel.hpp"
#include "ipc/requests.hpp"

#include <span>

namespace {

template <std::size_t N>
void look(const ipc::Text<N>& text) {
    HOLDS(text.view().size() <= N);
    HOLDS(text.valid() ? text.view().size() == text.length : text.view().empty());
    // Read every byte, so that the sanitizers see what is not there.
    unsigned sum = 0;
    for (const char c : text.view()) sum += static_cast<unsigned char>(c);
    HOLDS(sum <= 255 * N);
}

template <typename M>
void look(const ipc::Message& message) {
    const auto* body = message.as<M>();
    HOLDS(body == nullptr || message.type() == M::type);
    if (body == nullptr) return;
    if constexpr (requires { body->user; }) look(body->user);
    if constexpr (requires { body->password; }) look(body->password);
    if constexpr (requires { body->unread; }) look(body->unread);
    if constexpr (requires { body->text; }) look(body->text);
    if constexpr (requires { body->client_text; }) look(body->client_text);
    if constexpr (requires { body->reason; }) look(body->reason);
    if constexpr (requires { body->step; }) look(body->step);
    if constexpr (requires { body->path; }) look(body->path);
    if constexpr (requires { body->second; }) look(body->second);
    if constexpr (requires { body->signature; }) look(body->signature);
    if constexpr (requires { body->error; }) look(body->error);
    if constexpr (requires { body->overrides; }) look(body->overrides);
    if constexpr (requires { body->name; }) look(body->name);
    if constexpr (requires { body->what; }) {
        look(body->what.hash);
        look(body->what.point);
    }
}

template <typename... M>
void look_as(const ipc::Message& message) {
    (look<M>(message), ...);
}

void everything(std::span<const std::byte> datagram) {
    auto parsed = ipc::parse(datagram, {});
    if (!parsed) return;
    HOLDS(datagram.size() >= sizeof(ipc::Header));
    look_as<ipc::Spawn, ipc::Kill, ipc::Spawned, ipc::Exited, ipc::Connection, ipc::LoginRefused,
            ipc::LoginAccepted, ipc::Authenticate, ipc::Login, ipc::LoginAnswer, ipc::Enter,
            ipc::Entered, ipc::PassiveOpen, ipc::Listening, ipc::PassiveClose, ipc::ActiveOpen,
            ipc::DataConnected, ipc::DataFailed, ipc::GiveAway, ipc::GivenAway, ipc::Record,
            ipc::ShortRecord, ipc::Stop, ipc::Sign, ipc::Signed, ipc::SignFor, ipc::SignedFor,
            ipc::SignerReady, ipc::NameOf, ipc::Named, ipc::HomeOf, ipc::HomeTold, ipc::ChangeOwner,
            ipc::OwnerChanged, ipc::Resolve, ipc::Resolved, ipc::Wrap, ipc::Wrapped>(
        parsed.value());
}

// A well-formed header of each kind in front of the bytes, so that the bodies are reached at once.
template <typename M>
void with_header(std::string_view bytes) {
    std::vector<std::byte> datagram(sizeof(ipc::Header) + sizeof(M));
    const ipc::Header header{ipc::version, M::type, sizeof(M)};
    std::memcpy(datagram.data(), &header, sizeof header);
    std::memcpy(datagram.data() + sizeof header, bytes.data(), std::min(bytes.size(), sizeof(M)));
    const auto parsed = ipc::parse(datagram, {});
    HOLDS(parsed && parsed.value().template as<M>() != nullptr);
    everything(datagram);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    everything(std::as_bytes(std::span(data, size)));
    fuzz::Input input(data, size);
    switch (input.byte() % 12) {
        case 0:
            with_header<ipc::Authenticate>(input.rest());
            break;
        case 1:
            with_header<ipc::Record>(input.rest());
            break;
        case 2:
            with_header<ipc::LoginAnswer>(input.rest());
            break;
        case 3:
            with_header<ipc::Enter>(input.rest());
            break;
        case 4:
            with_header<ipc::Entered>(input.rest());
            break;
        case 5:
            with_header<ipc::LoginRefused>(input.rest());
            break;
        case 6:
            with_header<ipc::Login>(input.rest());
            break;
        case 7:
            with_header<ipc::SignFor>(input.rest());
            break;
        case 8:
            with_header<ipc::SignedFor>(input.rest());
            break;
        case 9:
            with_header<ipc::HomeOf>(input.rest());
            break;
        case 10:
            with_header<ipc::Wrapped>(input.rest());
            break;
        default:
            with_header<ipc::ActiveOpen>(input.rest());
            break;
    }
    return 0;
}
