// SPDX-License-Identifier: MIT
// A small FTP client for tests.
#include "tests/sessions/conversation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

namespace sessions {

using Clock = std::chrono::steady_clock;

namespace {

bool readable_within(int socket, std::chrono::milliseconds time) {
    pollfd wanted{socket, POLLIN, 0};
    return ::poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(time.count(), 0))) > 0;
}

// The numbers in "227 ... (h,h,h,h,p,p)." or "229 ... (|||p|)".
std::vector<int> numbers_in_brackets(const std::string& text) {
    std::vector<int> numbers;
    bool open = false;
    for (auto at = text.find('('); at < text.size() && text[at] != ')'; ++at) {
        if (std::isdigit(static_cast<unsigned char>(text[at])) == 0) {
            open = false;
            continue;
        }
        if (!open) numbers.push_back(0);
        open = true;
        numbers.back() = numbers.back() * 10 + (text[at] - '0');
    }
    return numbers;
}

}  // namespace

Endpoint::Endpoint(const std::string& address, std::uint16_t port) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage_);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage_);
    if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        size_ = sizeof *v4;
    } else if (::inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        size_ = sizeof *v6;
    } else {
        throw std::invalid_argument("no address: " + address);
    }
}

Endpoint Endpoint::local(int socket) {
    Endpoint result;
    result.size_ = sizeof result.storage_;
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&result.storage_), &result.size_);
    return result;
}

Endpoint Endpoint::remote(int socket) {
    Endpoint result;
    result.size_ = sizeof result.storage_;
    ::getpeername(socket, reinterpret_cast<sockaddr*>(&result.storage_), &result.size_);
    return result;
}

std::string Endpoint::address() const {
    char text[INET6_ADDRSTRLEN] = "";
    if (ipv6())
        ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, text,
                    sizeof text);
    else
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, text,
                    sizeof text);
    return text;
}

std::uint16_t Endpoint::port() const {
    return ntohs(ipv6() ? reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port
                        : reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
}

base::Fd connect_to(const Endpoint& to, const std::string& from) {
    base::Fd socket{::socket(to.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!from.empty()) {
        const Endpoint here(from, 0);
        if (::bind(socket.get(), here.get(), here.size()) < 0)
            throw std::system_error(errno, std::generic_category(), "bind to " + from);
    }
    const timeval limit{patience.count(), 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket.get(), to.get(), to.size()) < 0) return {};
    return socket;
}

base::Fd listen_at(const Endpoint& here) {
    base::Fd socket{::socket(here.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket.get(), here.get(), here.size()) < 0 || ::listen(socket.get(), 8) < 0)
        throw std::system_error(errno, std::generic_category(), "listen");
    return socket;
}

// ----- data

void Data::accept() {
    if (!listening_) return;
    listening_ = false;
    if (!readable_within(socket_.get(), patience)) {
        ADD_FAILURE() << "the server did not connect";
        return;
    }
    socket_ = base::Fd{::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
}

int Data::fd() {
    accept();
    return socket_.get();
}

std::string Data::read(std::size_t most) {
    accept();
    if (!readable_within(socket_.get(), patience)) {
        ADD_FAILURE() << "nothing came on the data connection";
        return {};
    }
    std::string bytes(most, '\0');
    const auto count = ::recv(socket_.get(), bytes.data(), most, 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
}

std::string Data::read_all() {
    std::string all;
    for (;;) {
        const auto part = read(1 << 18);
        if (part.empty()) return all;
        all += part;
    }
}

bool Data::write(std::string_view bytes) {
    accept();
    while (!bytes.empty()) {
        const auto count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

void Data::reset() {
    accept();
    const linger hard{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    socket_.close();
}

void Data::send_no_more() {
    accept();
    ::shutdown(socket_.get(), SHUT_WR);
}

// ----- control

Conversation::Conversation(const Server& server, const std::string& from)
    : address_(server.address()) {
    if (testing::Test::IsSkipped()) return;  // as for servers
    socket_ = connect_to({server.address(), server.port()}, from);
    greeting = socket_ ? reply() : "(refused)";
}

Conversation::Conversation(const Server& server, const Account& account) : Conversation(server) {
    if (testing::Test::IsSkipped()) return;
    const auto answer = login(account);
    EXPECT_TRUE(answer.starts_with("230")) << account.name << " is not let in: " << answer;
    say("TYPE I");
}

void Conversation::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

void Conversation::send_urgent(std::string_view bytes) {
    (void)::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_OOB);
}

void Conversation::send_no_more() { ::shutdown(socket_.get(), SHUT_WR); }

std::string Conversation::next_line(Clock::time_point end) {
    for (;;) {
        const auto found = received_.find('\n');
        if (found != received_.npos) {
            auto line = received_.substr(0, found);
            received_.erase(0, found + 1);
            if (line.ends_with('\r'))
                line.pop_back();
            else
                ADD_FAILURE() << "a reply line ends without CR: " << line;
            return line;
        }
        if (!socket_) return "(refused)";
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
        if (!readable_within(socket_.get(), left)) return "(nothing)";
        char bytes[65536];
        const auto count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
        if (count <= 0) return count == 0 ? "(end)" : "(reset)";
        received_.append(bytes, static_cast<std::size_t>(count));
    }
}

std::string Conversation::reply(std::chrono::milliseconds how_long) {
    const auto end = Clock::now() + how_long;
    std::string whole;
    std::string code;
    for (;;) {
        const auto line = next_line(end);
        if (!whole.empty()) whole += '\n';
        whole += line;
        if (line == "(end)" || line == "(reset)" || line == "(nothing)" || line == "(refused)")
            return whole;
        const bool numbered =
            line.size() >= 4 && std::all_of(line.begin(), line.begin() + 3,
                                            [](unsigned char c) { return std::isdigit(c) != 0; });
        if (numbered && line[3] == '-' && code.empty()) code = line.substr(0, 3);
        if (numbered && line[3] == ' ' && (code.empty() || line.starts_with(code))) return whole;
    }
}

std::string Conversation::say(std::string_view line) {
    send(std::string(line) + "\r\n");
    return reply();
}

std::string Conversation::login(std::string_view user, std::string_view password) {
    const auto answer = say("USER " + std::string(user));
    if (!answer.starts_with("331")) return answer;
    return say("PASS " + std::string(password));
}

bool Conversation::ended() {
    const auto next = reply();
    if (next == "(end)" || next == "(reset)") return true;
    ADD_FAILURE() << "the connection goes on: " << next;
    return false;
}

std::uint16_t Conversation::passive_port() {
    const bool extended = mode == Mode::extended_passive;
    const auto answer = say(extended ? "EPSV" : "PASV");
    const auto numbers = numbers_in_brackets(answer);
    if (extended && answer.starts_with("229") && numbers.size() == 1)
        return static_cast<std::uint16_t>(numbers[0]);
    if (!extended && answer.starts_with("227") && numbers.size() == 6)
        return static_cast<std::uint16_t>(numbers[4] * 256 + numbers[5]);
    ADD_FAILURE() << "no passive port: " << answer;
    return 0;
}

Data Conversation::open(Mode how) {
    if (how == Mode::passive || how == Mode::extended_passive) {
        const auto before = std::exchange(mode, how);
        const auto port = passive_port();
        mode = before;
        if (port == 0) return {};
        auto socket = connect_to({address_, port});
        EXPECT_TRUE(socket) << "cannot connect to passive port " << port;
        return Data(std::move(socket));
    }
    const auto local = here();
    auto listener = listen_at({local.address(), 0});
    const auto port = Endpoint::local(listener.get()).port();
    std::string command;
    if (how == Mode::active) {
        auto numbers = local.address();
        std::replace(numbers.begin(), numbers.end(), '.', ',');
        command =
            "PORT " + numbers + ',' + std::to_string(port / 256) + ',' + std::to_string(port % 256);
    } else {
        command = std::string("EPRT |") + (local.ipv6() ? '2' : '1') + '|' + local.address() + '|' +
                  std::to_string(port) + '|';
    }
    const auto answer = say(command);
    EXPECT_TRUE(answer.starts_with("200")) << command << ": " << answer;
    return Data(std::move(listener), true);
}

std::string Conversation::receive(std::string_view command) {
    done.clear();
    auto data = open();
    began = say(command);
    if (!began.starts_with('1')) return {};
    auto content = data.read_all();
    data.close();
    done = reply();
    return content;
}

std::string Conversation::transmit(std::string_view command, std::string_view content) {
    done.clear();
    auto data = open();
    began = say(command);
    if (!began.starts_with('1')) return began;
    data.write(content);
    data.close();
    return done = reply();
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        auto line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.emplace_back(line);
        if (end == text.npos) break;
        text.remove_prefix(end + 1);
    }
    return lines;
}

}  // namespace sessions
