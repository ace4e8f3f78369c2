// SPDX-License-Identifier: MIT
// Messages with descriptors over a SOCK_SEQPACKET pair; runs in every process.
#include "ipc/channel.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace ipc {

using base::Error;
using base::Fd;
using base::Result;
using base::system_error;

Message::~Message() {
    if (!bytes_.empty()) ::explicit_bzero(bytes_.data(), bytes_.size());
}

Result<Message> parse(std::span<const std::byte> datagram, std::vector<Fd> descriptors) {
    Header header{};
    if (datagram.size() < sizeof(Header)) return Error{"message without a header", EPROTO};
    std::memcpy(&header, datagram.data(), sizeof(Header));
    if (header.version != version) return Error{"message of another version", EPROTO};
    if (header.size != datagram.size() - sizeof(Header))
        return Error{"message of wrong size", EPROTO};
    Message message;
    message.type_ = header.type;
    message.size_ = header.size;
    const auto body = datagram.subspan(sizeof(Header));
    message.bytes_.assign(body.begin(), body.end());
    message.descriptors = std::move(descriptors);
    return message;
}

Result<std::pair<Channel, Channel>> Channel::pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return system_error("socketpair");
    return std::pair{Channel{Fd{ends[0]}}, Channel{Fd{ends[1]}}};
}

Result<void> Channel::send_bytes(Type type, std::span<const std::byte> bytes,
                                 std::span<const int> descriptors) {
    Header header{version, type, static_cast<std::uint32_t>(bytes.size())};
    iovec parts[2] = {{&header, sizeof header},
                      {const_cast<std::byte*>(bytes.data()), bytes.size()}};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * most_descriptors)> control{};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    if (!descriptors.empty()) {
        if (descriptors.size() > most_descriptors) return Error{"too many descriptors", E2BIG};
        message.msg_control = control.data();
        message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
        auto* rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
        std::memcpy(CMSG_DATA(rights), descriptors.data(), sizeof(int) * descriptors.size());
    }
    while (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        if (errno != EINTR) return system_error("sendmsg");
    }
    return base::success();
}

Result<Message> Channel::receive(std::size_t most) {
    // Static: one thread a process reads channels, and 16 KiB are too much for each call's stack
    // frame.
    alignas(Header) static thread_local std::array<std::byte, sizeof(Header) + largest_message>
        buffer;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * most_descriptors)> control{};
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    // More than the peer may send never get numbers here: to close one is to wait for what its file
    // system (one of the user's own, or one that hangs) makes of that. Without the padding, in
    // which there is room for another.
    if (most > 0) {
        message.msg_control = control.data();
        message.msg_controllen = CMSG_LEN(sizeof(int) * std::min(most, most_descriptors));
    }
    ssize_t length = 0;
    bool told = false;
    do {
        length = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        // A peer that has gone without reading all of ours: the kernel says so once, ahead of what
        // it had sent before.
    } while (length < 0 && (errno == EINTR || (errno == ECONNRESET && !std::exchange(told, true))));
    if (length < 0) return system_error("recvmsg");

    std::vector<Fd> descriptors;
    for (auto* part_of = CMSG_FIRSTHDR(&message); part_of != nullptr;
         part_of = CMSG_NXTHDR(&message, part_of)) {
        if (part_of->cmsg_level != SOL_SOCKET || part_of->cmsg_type != SCM_RIGHTS) continue;
        const auto count = (part_of->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int number = -1;
            std::memcpy(&number, CMSG_DATA(part_of) + i * sizeof(int), sizeof(int));
            descriptors.emplace_back(number);
        }
    }
    if (length == 0) return Error{"the peer is gone", ECONNRESET};
    const auto used = std::span{buffer}.first(static_cast<std::size_t>(length));
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        ::explicit_bzero(used.data(), used.size());
        return Error{"message too large", EPROTO};
    }
    auto parsed = parse(used, std::move(descriptors));
    ::explicit_bzero(used.data(), used.size());
    return parsed;
}

Result<Message> Channel::wait(int milliseconds) {
    for (;;) {
        auto message = receive();
        if (message || message.error().number != EAGAIN) return message;
        pollfd readable{socket_.get(), POLLIN, 0};
        const int ready = ::poll(&readable, 1, milliseconds);
        if (ready == 0) return Error{"no answer", ETIMEDOUT};
        if (ready < 0 && errno != EINTR) return system_error("poll");
    }
}

// Nothing tells when others' descriptors have arrived.
void Channel::breathe(int milliseconds) { (void)::poll(nullptr, 0, milliseconds); }

Result<void> Channel::wait_writable() {
    pollfd writable{socket_.get(), POLLOUT, 0};
    if (::poll(&writable, 1, -1) < 0 && errno != EINTR) return system_error("poll");
    return base::success();
}

}  // namespace ipc
