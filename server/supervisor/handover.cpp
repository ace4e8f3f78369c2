// SPDX-License-Identifier: MIT
// Connections from one server to another; runs in the supervisor, as root.
#include "supervisor/handover.hpp"

#include "base/log.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace supervisor {

namespace asio = boost::asio;
using base::Error;
using base::Fd;
using base::Result;

namespace {

constexpr int backlog = 128;
// Who has connected and says nothing is no server.
constexpr std::size_t most_guests = 128;
constexpr std::chrono::seconds patience_with_guests{5};
// Then whoever wants to hand over serves the client alone.
constexpr int patience_for_answer = 5000;  // milliseconds
constexpr char connection_word = 'c';
constexpr char taken_word = '+';

Result<sockaddr_un> unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return Error{"the path of the handover socket is too long: " + path};
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

Fd connected(const sockaddr_un& address) {
    Fd socket{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (::connect(socket.get(), generic(address), sizeof address) < 0) socket.close();
    return socket;
}

bool is_of_root(const Fd& socket) {
    ucred who{};
    socklen_t size = sizeof who;
    return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
           who.uid == ::geteuid();
}

// What came with the one byte, if it is one descriptor and nothing else.
Fd received_connection(int socket) {
    char word = 0;
    alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))];
    iovec content{&word, sizeof word};
    msghdr message{};
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const auto got = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    std::vector<Fd> descriptors;
    for (auto* each = CMSG_FIRSTHDR(&message); got > 0 && each != nullptr;
         each = CMSG_NXTHDR(&message, each)) {
        if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
        for (std::size_t at = 0; CMSG_LEN(at + sizeof(int)) <= each->cmsg_len; at += sizeof(int)) {
            int number = -1;
            std::memcpy(&number, CMSG_DATA(each) + at, sizeof number);
            descriptors.emplace_back(number);
        }
    }
    const bool whole = got == 1 && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    if (!whole || word != connection_word || descriptors.size() != 1) return {};
    return std::move(descriptors.front());
}

// A TCP connection, with its two ends.
bool is_connection(const Fd& socket, ipc::Address& peer, ipc::Address& local) {
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM)
        return false;
    socklen_t peer_size = sizeof peer;
    socklen_t local_size = sizeof local;
    if (::getpeername(socket.get(), &peer.any, &peer_size) < 0 ||
        ::getsockname(socket.get(), &local.any, &local_size) < 0)
        return false;
    return peer.any.sa_family == AF_INET || peer.any.sa_family == AF_INET6;
}

}  // namespace

struct Handover::State : std::enable_shared_from_this<State> {
    struct Guest {
        Guest(asio::io_context& io, Fd from) : socket(io, from.release()), timer(io) {}
        asio::posix::stream_descriptor socket;
        asio::steady_timer timer;
    };

    State(asio::io_context& loop, Fd listening, Listener::OnConnection to_call)
        : io(loop), socket(io, listening.release()), on_connection(std::move(to_call)) {}

    asio::io_context& io;
    asio::posix::stream_descriptor socket;
    Listener::OnConnection on_connection;
    std::size_t guests = 0;
    bool closed = false;

    void wait() {
        socket.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](boost::system::error_code error) {
                              if (!error && !self->closed) self->accept();
                          });
    }

    void accept() {
        Fd from{::accept4(socket.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
        if (from && is_of_root(from) && guests < most_guests) expect(std::move(from));
        wait();
    }

    void expect(Fd from) {
        ++guests;
        const auto guest = std::make_shared<Guest>(io, std::move(from));
        guest->timer.expires_after(patience_with_guests);
        guest->timer.async_wait([guest](boost::system::error_code error) {
            boost::system::error_code ignored;
            if (!error) guest->socket.close(ignored);
        });
        guest->socket.async_wait(
            asio::posix::stream_descriptor::wait_read,
            [self = shared_from_this(), guest](boost::system::error_code error) {
                --self->guests;
                guest->timer.cancel();
                if (!error && !self->closed) self->take(guest->socket.native_handle());
            });
    }

    // Told before it is served: who did not hear of it serves the client alone.
    void take(int from) const {
        auto connection = received_connection(from);
        ipc::Address peer{};
        ipc::Address local{};
        if (!connection || !is_connection(connection, peer, local)) return;
        if (::send(from, &taken_word, 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1) return;
        (void)::fcntl(connection.get(), F_SETFL, O_NONBLOCK);
        on_connection(std::move(connection), peer, local);
    }
};

Result<Fd> Handover::bind(const std::string& path) {
    TRY(const auto address, unix_address(path));
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0) {
        if (!S_ISSOCK(status.st_mode))
            return Error{"handover: " + path + " is there and is no socket"};
        if (connected(address)) return Error{"handover: another server listens at " + path};
        if (errno != ECONNREFUSED) return base::system_error("handover: " + path);
        (void)::unlink(path.c_str());
    }
    Fd socket{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) return base::system_error("handover: socket");
    // What bind(2) makes has this mode from the first moment on.
    if (::fchmod(socket.get(), 0600) < 0 ||
        ::bind(socket.get(), generic(address), sizeof address) < 0 ||
        ::listen(socket.get(), backlog) < 0)
        return base::system_error("handover: could not listen at " + path);
    return socket;
}

Handover::Handover(asio::io_context& io, std::string path, Fd socket,
                   Listener::OnConnection on_connection)
    : path_(std::move(path)),
      state_(std::make_shared<State>(io, std::move(socket), std::move(on_connection))) {
    struct stat status {};
    if (::lstat(path_.c_str(), &status) == 0) {
        device_ = status.st_dev;
        inode_ = status.st_ino;
    }
    state_->wait();
}

Handover::~Handover() {
    struct stat status {};
    if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_)
        (void)::unlink(path_.c_str());
    state_->closed = true;
    boost::system::error_code ignored;
    state_->socket.close(ignored);
}

bool hand_over(const std::string& path, int connection) {
    const auto address = unix_address(path);
    if (!address) return false;
    const auto server = connected(address.value());
    if (!server || !is_of_root(server)) return false;
    char word = connection_word;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof connection)] = {};
    iovec content{&word, sizeof word};
    msghdr message{};
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    auto* descriptor = CMSG_FIRSTHDR(&message);
    descriptor->cmsg_level = SOL_SOCKET;
    descriptor->cmsg_type = SCM_RIGHTS;
    descriptor->cmsg_len = CMSG_LEN(sizeof connection);
    std::memcpy(CMSG_DATA(descriptor), &connection, sizeof connection);
    if (::sendmsg(server.get(), &message, MSG_NOSIGNAL) != 1) return false;
    pollfd wanted{server.get(), POLLIN, 0};
    while (::poll(&wanted, 1, patience_for_answer) < 0 && errno == EINTR) {
    }
    // From here on it can take the connection no more; it may have in the last moment.
    (void)::shutdown(server.get(), SHUT_RD);
    char answer = 0;
    return ::recv(server.get(), &answer, 1, MSG_DONTWAIT) == 1 && answer == taken_word;
}

}  // namespace supervisor
