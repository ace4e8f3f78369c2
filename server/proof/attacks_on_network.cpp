// SPDX-License-Identifier: MIT
// Attacks on the host's network, with new sockets and with one that was handed over; run in a
// jailed process.
#include "base/fd.hpp"
#include "proof/attack.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

namespace proof {

using base::Error;
using base::Fd;
using base::Result;

namespace {

union Address {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
};

Address loopback(std::uint16_t port) {
    Address address{};
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(port);
    address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

Result<Fd> new_socket(int family, int type, int protocol = 0) {
    Fd made{::socket(family, type | SOCK_CLOEXEC, protocol)};
    if (!made) return base::system_error("socket");
    return made;
}

Result<void> connect_to(int socket, const Address& address, socklen_t size) {
    TRY(checked(::connect(socket, &address.any, size), "connect"));
    return base::success();
}

// ----- new sockets

Result<void> connect_by_ipv4(const Scene& scene) {
    TRY(const auto socket, new_socket(AF_INET, SOCK_STREAM));
    return connect_to(socket.get(), loopback(scene.tcp_port), sizeof(sockaddr_in));
}

Result<void> connect_by_ipv6(const Scene& scene) {
    TRY(const auto socket, new_socket(AF_INET6, SOCK_STREAM));
    Address address{};
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(scene.tcp6_port);
    address.v6.sin6_addr = IN6ADDR_LOOPBACK_INIT;
    return connect_to(socket.get(), address, sizeof address.v6);
}

Result<void> send_a_datagram(const Scene& scene) {
    TRY(const auto socket, new_socket(AF_INET, SOCK_DGRAM));
    const auto address = loopback(scene.udp_port);
    TRY(checked(::sendto(socket.get(), "x", 1, MSG_DONTWAIT, &address.any, sizeof address.v4),
                "sendto"));
    return base::success();
}

// Where somebody listens already: in a network of its own it could.
Result<void> listen_on_the_host(const Scene& scene) {
    TRY(const auto socket, new_socket(AF_INET, SOCK_STREAM));
    const auto address = loopback(scene.tcp_port);
    if (::bind(socket.get(), &address.any, sizeof address.v4) == 0)
        return Error{"not the host's port", 0};
    if (errno == EADDRINUSE) return base::success();
    return base::system_error("bind");
}

Result<void> connect_by_path(const Scene& scene) {
    TRY(const auto socket, new_socket(AF_UNIX, SOCK_STREAM));
    Address address{};
    address.local.sun_family = AF_UNIX;
    std::strncpy(address.local.sun_path, scene.socket.c_str(), sizeof address.local.sun_path - 1);
    return connect_to(socket.get(), address, sizeof address.local);
}

Result<void> connect_without_a_path(const Scene& scene) {
    TRY(const auto socket, new_socket(AF_UNIX, SOCK_STREAM));
    Address address{};
    address.local.sun_family = AF_UNIX;
    const auto& name = scene.abstract_name;
    std::memcpy(address.local.sun_path + 1, name.data(), name.size());
    return connect_to(socket.get(), address,
                      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size()));
}

// An interface that is up: in the empty network none is.
Result<void> look_at_interfaces(int socket) {
    for (int index = 1; index < 64; ++index) {
        ifreq request{};
        request.ifr_ifindex = index;
        if (::ioctl(socket, SIOCGIFNAME, &request) < 0) {
            if (errno == ENODEV) continue;
            return base::system_error("ioctl");
        }
        TRY(checked(::ioctl(socket, SIOCGIFFLAGS, &request), "ioctl"));
        if ((request.ifr_flags & IFF_UP) != 0) return base::success();
    }
    return Error{"no interface is up", ENODEV};
}

Result<void> see_interfaces(const Scene&) {
    TRY(const auto socket, new_socket(AF_INET, SOCK_DGRAM));
    return look_at_interfaces(socket.get());
}

Result<void> speak_to_netlink(const Scene&) {
    TRY(const auto socket, new_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    struct {
        nlmsghdr header;
        rtgenmsg body;
    } request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = RTM_GETADDR;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    TRY(checked(::send(socket.get(), &request, sizeof request, 0), "send"));
    char answer[8192];
    const auto length = ::recv(socket.get(), answer, sizeof answer, 0);
    TRY(checked(length, "recv"));
    const auto* first = reinterpret_cast<const nlmsghdr*>(answer);
    if (first->nlmsg_type != RTM_NEWADDR) return Error{"no address is there", ENODEV};
    return base::success();
}

Result<void> send_raw_packets(const Scene&) {
    TRY(new_socket(AF_PACKET, SOCK_RAW));
    return base::success();
}

Result<void> send_raw_ip(const Scene&) {
    TRY(new_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    return base::success();
}

Result<void> speak_to_the_machine(const Scene&) {
    TRY(new_socket(AF_VSOCK, SOCK_STREAM));
    return base::success();
}

Result<void> use_kernel_crypto(const Scene&) {
    TRY(new_socket(AF_ALG, SOCK_SEQPACKET));
    return base::success();
}

Result<void> make_a_pair(const Scene&) {
    int ends[2];
    TRY(checked(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair"));
    return base::success();
}

bool has_ipv6(const Scene& scene) { return scene.tcp6_port != 0; }

// ----- the handed socket

Result<void> free_it(const Scene& scene) {
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    TRY(checked(::connect(scene.handed_socket, &nobody, sizeof nobody), "connect"));
    return base::success();
}

Result<void> connect_it_elsewhere(const Scene& scene) {
    return connect_to(scene.handed_socket, loopback(scene.tcp_port), sizeof(sockaddr_in));
}

// Once it is free, sending connects as well.
Result<void> send_it_elsewhere(const Scene& scene, int flags) {
    const auto address = loopback(scene.tcp_port);
    TRY(checked(::sendto(scene.handed_socket, "x", 1, flags | MSG_NOSIGNAL, &address.any,
                         sizeof address.v4),
                "sendto"));
    return base::success();
}

Result<void> send_with_an_address(const Scene& scene) {
    return send_it_elsewhere(scene, MSG_DONTWAIT);
}

Result<void> send_fast_open(const Scene& scene) { return send_it_elsewhere(scene, MSG_FASTOPEN); }

Result<void> send_message_fast_open(const Scene& scene) {
    auto address = loopback(scene.tcp_port);
    char byte = 'x';
    iovec part{&byte, 1};
    msghdr message{};
    message.msg_name = &address.any;
    message.msg_namelen = sizeof address.v4;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    TRY(checked(::sendmsg(scene.handed_socket, &message, MSG_FASTOPEN | MSG_NOSIGNAL), "sendmsg"));
    return base::success();
}

Result<void> listen_with_it(const Scene& scene) {
    TRY(checked(::listen(scene.handed_socket, 1), "listen"));
    return base::success();
}

Result<void> bind_it(const Scene& scene) {
    const auto address = loopback(0);
    TRY(checked(::bind(scene.handed_socket, &address.any, sizeof address.v4), "bind"));
    return base::success();
}

Result<void> see_interfaces_by_it(const Scene& scene) {
    return look_at_interfaces(scene.handed_socket);
}

// Unlike loopback's own, this address is the host's and not its client's.
Result<void> see_addresses_by_it(const Scene& scene) {
    char space[4096];
    ifconf request{};
    request.ifc_len = sizeof space;
    request.ifc_buf = space;
    TRY(checked(::ioctl(scene.handed_socket, SIOCGIFCONF, &request), "ioctl"));
    return base::success();
}

Result<void> filter_it(const Scene& scene) {
    sock_filter all{BPF_RET | BPF_K, 0, 0, 0xffffffff};
    const sock_fprog program{1, &all};
    TRY(checked(
        ::setsockopt(scene.handed_socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program),
        "setsockopt"));
    return base::success();
}

Result<void> set_ip_options(const Scene& scene) {
    const int value = 1;
    TRY(checked(::setsockopt(scene.handed_socket, IPPROTO_IP, IP_TTL, &value, sizeof value),
                "setsockopt"));
    return base::success();
}

Result<void> look_into_tcp(const Scene& scene) {
    char info[512];
    socklen_t size = sizeof info;
    constexpr int tcp_info = 11;
    TRY(checked(::getsockopt(scene.handed_socket, IPPROTO_TCP, tcp_info, info, &size),
                "getsockopt"));
    return base::success();
}

// clang-format off
constexpr Attack on_network[] = {
    {"connect to the host (IPv4)",                connect_by_ipv4},
    {"connect to the host (IPv6)",                connect_by_ipv6,         has_ipv6},
    {"send the host a datagram",                  send_a_datagram},
    {"listen at a port of the host",              listen_on_the_host},
    {"connect to a UNIX socket of the host",      connect_by_path},
    {"connect to an abstract UNIX socket",        connect_without_a_path},
    {"see the host's interfaces",                 see_interfaces},
    {"see the host's addresses (netlink)",        speak_to_netlink},
    {"send raw packets",                          send_raw_packets},
    {"send raw IP",                               send_raw_ip},
    {"speak to the machine's host (vsock)",       speak_to_the_machine},
    {"use the kernel's crypto (AF_ALG)",          use_kernel_crypto},
    {"make a pair of sockets",                    make_a_pair},
};

constexpr Attack by_handed_socket[] = {
    {"free it (AF_UNSPEC)",                       free_it},
    {"connect it elsewhere, once it is free",     connect_it_elsewhere,   nullptr, nullptr, 0, true},
    {"send with another address",                 send_with_an_address,   nullptr, nullptr, 0, true},
    {"connect it by sending (MSG_FASTOPEN)",      send_fast_open,         nullptr, nullptr, 0, true},
    {"the same by sendmsg",                       send_message_fast_open, nullptr, nullptr, 0, true},
    {"bind it",                                   bind_it,                nullptr, nullptr, 0, true},
    {"listen with it",                            listen_with_it,         nullptr, nullptr, 0, true},
    {"see the host's interfaces by it",           see_interfaces_by_it},
    {"see the host's addresses by it",            see_addresses_by_it},
    {"put a filter on it",                        filter_it},
    {"set IP options on it",                      set_ip_options},
    {"read the kernel's knowledge of it",         look_into_tcp},
};
// clang-format on

}  // namespace

std::span<const Attack> attacks_on_network() { return on_network; }
std::span<const Attack> attacks_by_handed_socket() { return by_handed_socket; }

}  // namespace proof
