// SPDX-License-Identifier: MIT
// The limit: as little of an FTP server as serves the load, with as few system calls as moving the
// bytes takes and no protection at all: bench_limit PORT FOLDER CERTIFICATE KEY.
#include "stream.hpp"

#include <algorithm>
#include <csignal>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/wait.h>

namespace {

using bench::batch;
using bench::fail;
using bench::Stream;

int listening_at(std::uint16_t port) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = bench::loopback(port);
    const int on = 1;
    ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (made < 0 ||
        ::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(made, 128) != 0)
        fail("listen");
    return made;
}

int accept_at(int listening) {
    const int made = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    const int on = 1;
    ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return made;
}

// ----- files

void send_file(Stream& to, int file) {
    if (!to.encrypted()) {
        while (::sendfile(to.socket(), file, nullptr, 1 << 30) > 0) {
        }
        return;
    }
    static std::vector<char> buffer(batch);
    for (ssize_t got; (got = ::read(file, buffer.data(), buffer.size())) != 0;) {
        if (got < 0) fail("read file");
        to.write(buffer.data(), static_cast<int>(got));
        to.flush();
    }
}

void splice_file(int from, int file) {
    constexpr int room = 1 << 20;
    static int pipe[2] = {-1, -1};
    if (pipe[0] < 0 && (::pipe2(pipe, O_CLOEXEC) != 0 || ::fcntl(pipe[1], F_SETPIPE_SZ, room) < 0))
        fail("pipe");
    for (ssize_t got;
         (got = ::splice(from, nullptr, pipe[1], nullptr, room, SPLICE_F_MOVE)) != 0;) {
        if (got < 0) fail("splice from the socket");
        while (got > 0) {
            const auto written = ::splice(pipe[0], nullptr, file, nullptr,
                                          static_cast<std::size_t>(got), SPLICE_F_MOVE);
            if (written <= 0) fail("splice to the file");
            got -= written;
        }
    }
}

// Records arrive one by one; the file is written a batch at a time.
void receive_file(Stream& from, int file) {
    if (!from.encrypted()) return splice_file(from.socket(), file);
    static std::vector<char> buffer(batch);
    int filled = 0;
    for (int got = 1; got > 0;) {
        got = from.read(buffer.data() + filled, batch - filled);
        filled += got;
        if (filled < batch && got > 0) continue;
        if (::write(file, buffer.data(), static_cast<std::size_t>(filled)) != filled)
            fail("write file");
        filled = 0;
    }
}

void send_names(Stream& to, const std::string& path) {
    DIR* folder = ::opendir(path.c_str());
    if (folder == nullptr) fail(path);
    std::string lines;
    while (const auto* entry = ::readdir(folder)) {
        if (entry->d_name[0] != '.') lines.append(entry->d_name).append("\r\n");
        if (lines.size() < batch / 4) continue;
        to.write(lines.data(), static_cast<int>(lines.size()));
        lines.clear();
    }
    if (!lines.empty()) to.write(lines.data(), static_cast<int>(lines.size()));
    ::closedir(folder);
}

// ----- a client

class Client {
  public:
    Client(int socket, SSL_CTX* tls) : tls_(tls), control_(socket, Stream::control) {
        say("220");
        while (answer(read_line())) {
        }
    }

  private:
    void say(const std::string& code) {
        const auto line = code + " .\r\n";
        control_.write(line.data(), static_cast<int>(line.size()));
    }

    // One command is one read: the load waits for each reply.
    std::string read_line() {
        char line[1024];
        const int got = control_.read(line, sizeof line);
        return {line, static_cast<std::size_t>(std::max(got - 2, 0))};
    }

    bool answer(const std::string& line) {
        const auto verb = line.substr(0, line.find(' '));
        const auto path = line.size() > verb.size() + 1 ? line.substr(verb.size() + 1) : "";
        if (verb.empty()) return false;
        if (verb == "USER")
            say("331");
        else if (verb == "PASS")
            say("230");
        else if (verb == "TYPE" || verb == "PBSZ" || verb == "PROT")
            say("200");
        else if (verb == "EPSV")
            listen();
        else if (verb == "AUTH")
            say("234"), control_.accept_tls(tls_);
        else if (verb == "QUIT")
            return say("221"), false;
        else
            transfer(verb, path.starts_with('/') ? path.substr(1) : path);
        return true;
    }

    // One port for all transfers of a client.
    void listen() {
        if (listening_ < 0) {
            listening_ = listening_at(0);
            sockaddr_in address{};
            socklen_t size = sizeof address;
            ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
            port_ = "229 (|||" + std::to_string(ntohs(address.sin_port)) + "|)";
        }
        say(port_);
    }

    void transfer(const std::string& verb, const std::string& path) {
        const bool lists = verb == "MLSD" || verb == "NLST" || verb == "LIST";
        const int flags = verb == "STOR" ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY;
        const int file = lists ? -1 : ::open(path.c_str(), flags | O_CLOEXEC, 0644);
        if (!lists && file < 0) fail(line_of(verb, path));
        {
            Stream data(accept_at(listening_), Stream::data);
            say("150");
            if (control_.encrypted()) data.accept_tls(tls_);
            if (verb == "RETR")
                send_file(data, file);
            else if (verb == "STOR")
                receive_file(data, file);
            else
                send_names(data, path);
            data.finish();
        }
        if (file >= 0 && ::close(file) != 0) fail("close file");
        say("226");
    }

    static std::string line_of(const std::string& verb, const std::string& path) {
        return verb + ' ' + path;
    }

    SSL_CTX* tls_;
    Stream control_;
    int listening_ = -1;
    std::string port_;
};

bench::Context server_context(const char* certificate, const char* key) {
    auto made = bench::context(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(made.get(), certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(made.get(), key, SSL_FILETYPE_PEM) != 1)
        fail("certificate");
    SSL_CTX_set_num_tickets(made.get(), 1);
    SSL_CTX_set_session_id_context(made.get(), reinterpret_cast<const unsigned char*>("bench"), 5);
    return made;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) fail("usage: bench_limit PORT FOLDER CERTIFICATE KEY");
    std::signal(SIGCHLD, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    const auto tls = server_context(argv[3], argv[4]);
    const int listening = listening_at(static_cast<std::uint16_t>(std::atoi(argv[1])));
    if (::chdir(argv[2]) != 0) fail(argv[2]);
    for (;;) {
        const int accepted = accept_at(listening);
        if (accepted < 0) continue;
        if (::fork() == 0) {
            ::close(listening);
            Client(accepted, tls.get());
            ::_exit(0);
        }
        ::close(accepted);
    }
}
