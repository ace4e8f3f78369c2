// SPDX-License-Identifier: MIT
// A small FTP client for tests: one conversation, line by line, with every byte under control.
#pragma once

#include "base/fd.hpp"
#include "tests/sessions/server.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

namespace sessions {

inline constexpr std::chrono::seconds patience{15};  // only a failure takes as long

// A TCP address of the sandbox.
class Endpoint {
  public:
    Endpoint(const std::string& address, std::uint16_t port);
    [[nodiscard]] bool ipv6() const { return storage_.ss_family == AF_INET6; }
    [[nodiscard]] std::string address() const;
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage_);
    }
    [[nodiscard]] socklen_t size() const { return size_; }
    // Of a socket.
    static Endpoint local(int socket);
    static Endpoint remote(int socket);

  private:
    Endpoint() = default;
    sockaddr_storage storage_{};
    socklen_t size_ = 0;
};

// A connected socket; from: the source address, "" for any. Empty Fd when refused.
[[nodiscard]] base::Fd connect_to(const Endpoint& to, const std::string& from = "");
[[nodiscard]] base::Fd listen_at(const Endpoint& here);

// One data connection: connected, or (active mode) still listening.
class Data {
  public:
    Data() = default;
    explicit Data(base::Fd socket, bool listening = false)
        : socket_(std::move(socket)), listening_(listening) {}

    std::string read_all();              // to the end of the stream
    std::string read(std::size_t most);  // as much as is there, "" at the end
    bool write(std::string_view bytes);  // false when the other side has closed
    void close() { socket_.close(); }
    void reset();  // closes with RST
    void send_no_more();
    [[nodiscard]] int fd();  // accepts first
    [[nodiscard]] Endpoint peer() { return Endpoint::remote(fd()); }
    [[nodiscard]] explicit operator bool() const { return static_cast<bool>(socket_); }

  private:
    void accept();
    base::Fd socket_;
    bool listening_ = false;
};

class Conversation {
  public:
    enum class Mode { passive, extended_passive, active, extended_active };

    // Connects and reads the greeting.
    explicit Conversation(const Server& server, const std::string& from = "");
    // And logs in, and asks for binary transfers; a test fails when that does not work.
    Conversation(const Server& server, const Account& account);

    // Replies are whole, their lines separated by LF, without CR. "(end)" when the server has
    // closed, "(reset)" when it has done so harshly, "(nothing)" when it says nothing.
    std::string say(std::string_view line);
    std::string reply(std::chrono::milliseconds how_long = patience);
    std::string login(const Account& account) { return login(account.name, account.password); }
    std::string login(std::string_view user, std::string_view password);
    bool ended();  // the next thing that comes is the end of the stream

    void send(std::string_view bytes);
    void send_urgent(std::string_view bytes);  // the last byte is the urgent one
    void hang_up() { socket_.close(); }
    void send_no_more();
    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] Endpoint here() const { return Endpoint::local(socket_.get()); }

    // Asks for a data connection in the given way and makes it, as far as a client does.
    Data open(Mode mode);
    Data open() { return open(mode); }
    [[nodiscard]] std::uint16_t passive_port();  // PASV or EPSV without connecting

    // Whole transfers; the replies are in began and done ("" when it never began).
    std::string retrieve(std::string_view name) { return receive("RETR " + std::string(name)); }
    std::string receive(std::string_view command);
    std::string list(std::string_view command = "LIST") { return receive(command); }
    std::string store(std::string_view name, std::string_view content) {
        return transmit("STOR " + std::string(name), content);
    }
    std::string transmit(std::string_view command, std::string_view content);  // the last reply

    std::string greeting;
    std::string began;
    std::string done;
    Mode mode = Mode::passive;

  private:
    std::string next_line(std::chrono::steady_clock::time_point end);

    base::Fd socket_;
    std::string address_;
    std::string received_;
};

[[nodiscard]] std::vector<std::string> lines_of(std::string_view text);

}  // namespace sessions
