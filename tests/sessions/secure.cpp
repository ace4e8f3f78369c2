// SPDX-License-Identifier: MIT
// A small FTPS client for tests.
#include "tests/sessions/secure.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <cctype>
#include <stdexcept>

#include <sys/socket.h>
#include <sys/time.h>

namespace sessions {

namespace {

void require(bool condition) {
    if (!condition) throw std::runtime_error(tls::openssl_reason());
}

void be_patient(int socket) {
    timeval time{};
    time.tv_sec = patience.count();
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

}  // namespace

Secure::Secure(const Server& server, Habits habits)
    : habits_(std::move(habits)),
      address_(server.address()),
      socket_(connect_to(Endpoint(address_, server.port()))),
      context_(SSL_CTX_new(TLS_client_method())) {
    be_patient(socket_.get());
    auto* context = context_.get();
    SSL_CTX_set_ex_data(context, 0, this);
    SSL_CTX_set_min_proto_version(context, habits_.version);
    SSL_CTX_set_max_proto_version(context, habits_.version);
    // What OpenSSL does not trust any more.
    if (habits_.version < TLS1_2_VERSION) SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, &keep_session);
    if (!habits_.tickets) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    if (!habits_.certificate.empty()) {
        const auto certificate = tls::reading(habits_.certificate);
        const auto key = tls::reading(habits_.certificate);
        const tls::X509Certificate x{
            PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr)};
        const tls::Key k{PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr)};
        require(SSL_CTX_use_certificate(context, x.get()) == 1 &&
                SSL_CTX_use_PrivateKey(context, k.get()) == 1);
    }
    const bool ready = !habits_.auth.empty() || shake().empty();
    greeting = ready ? reply() : "(no handshake)";
}

Secure::Secure(const Server& server, const Account& account, Habits habits)
    : Secure(server, std::move(habits)) {
    if (!habits_.auth.empty()) {
        EXPECT_EQ(say(habits_.auth), "234 Proceed with negotiation.");
        EXPECT_EQ(shake(), "");
    }
    EXPECT_EQ(login(account), "230 Login successful.");
    EXPECT_EQ(say("PBSZ 0"), "200 PBSZ set to 0.");
    EXPECT_EQ(say("PROT P"), "200 PROT now Private.");
    EXPECT_EQ(say("TYPE I"), "200 Switching to Binary mode.");
}

int Secure::keep_session(SSL* connection, SSL_SESSION* session) {
    auto& self = *static_cast<Secure*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), 0));
    if (self.said_goodbye_) return 0;
    if (self.ssl_ && connection != self.ssl_.get()) return 0;  // a data connection has none to give
    self.sessions_.emplace_back(SSL_SESSION_dup(session));
    return 0;
}

tls::Ssl Secure::connection(int socket, SSL_SESSION* session) {
    tls::Ssl made{SSL_new(context_.get())};
    SSL_set_connect_state(made.get());
    SSL_set_fd(made.get(), socket);
    if (!habits_.protocols.empty())
        SSL_set_alpn_protos(made.get(),
                            reinterpret_cast<const unsigned char*>(habits_.protocols.data()),
                            static_cast<unsigned>(habits_.protocols.size()));
    if (!habits_.server_name.empty())
        SSL_set_tlsext_host_name(made.get(), habits_.server_name.c_str());
    if (session != nullptr) {
        const tls::SslSession copy{SSL_SESSION_dup(session)};
        require(SSL_set_session(made.get(), copy.get()) == 1);
    }
    return made;
}

std::string Secure::shake() {
    ERR_clear_error();
    auto made = connection(socket_.get(), nullptr);
    if (SSL_do_handshake(made.get()) != 1) return tls::openssl_reason();
    ssl_ = std::move(made);
    return "";
}

void Secure::go_clear(bool goodbye) {
    if (goodbye) (void)SSL_shutdown(ssl_.get());
    // The server's goodbye comes right behind its answer.
    char byte = 0;
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), &byte, 1, &got);
    EXPECT_EQ(SSL_get_error(ssl_.get(), result), SSL_ERROR_ZERO_RETURN);
    said_goodbye_ = std::move(ssl_);  // its session is resumed by data connections
}

void Secure::send_clear(std::string_view bytes) {
    EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
}

void Secure::send(std::string_view bytes) {
    if (!ssl_) {  // the server may have closed: the next reply tells
        (void)::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        return;
    }
    std::size_t written = 0;
    ERR_clear_error();
    (void)SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
}

std::string Secure::next_line() {
    for (;;) {
        const auto end = received_.find('\n');
        if (end != received_.npos) {
            auto line = received_.substr(0, end);
            received_.erase(0, end + 1);
            if (line.ends_with('\r')) line.pop_back();
            return line;
        }
        char bytes[4096];
        std::size_t got = 0;
        if (ssl_) {
            ERR_clear_error();
            errno = 0;
            const int result = SSL_read_ex(ssl_.get(), bytes, sizeof bytes, &got);
            if (result != 1) {
                const int kind = SSL_get_error(ssl_.get(), result);
                if (kind == SSL_ERROR_ZERO_RETURN) return "(end)";
                if (kind == SSL_ERROR_WANT_READ) return "(nothing)";
                return "(" + tls::openssl_reason() + ")";
            }
        } else {
            const auto count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
            if (count == 0) return "(end)";
            if (count < 0) return errno == EAGAIN ? "(nothing)" : "(reset)";
            got = static_cast<std::size_t>(count);
        }
        received_.append(bytes, got);
    }
}

std::string Secure::reply() {
    auto line = next_line();
    std::string text = line;
    const auto is_last = [&](const std::string& each) {
        return each.starts_with('(') || (each.size() > 3 && each[3] == ' ' &&
                                         std::isdigit(static_cast<unsigned char>(each[0])) != 0);
    };
    while (!is_last(line)) {
        line = next_line();
        (text += '\n') += line;
    }
    return text;
}

std::string Secure::say(std::string_view line) {
    send(std::string(line) + "\r\n");
    return reply();
}

std::string Secure::login(const Account& account) {
    const auto asked = say("USER " + account.name);
    return asked.starts_with("331 ") ? say("PASS " + account.password) : asked;
}

base::Fd Secure::open() {
    const auto answer = say("EPSV");
    const auto bars = answer.find("(|||");
    if (bars == answer.npos) {
        ADD_FAILURE() << answer;
        return base::Fd{};
    }
    auto data = connect_to(
        Endpoint(address_, static_cast<std::uint16_t>(std::atoi(answer.c_str() + bars + 4))));
    be_patient(data.get());
    return data;
}

tls::Ssl Secure::shake_data(int socket) {
    SSL_SESSION* session = nullptr;
    if (!sessions_.empty() && habits_.resume != Habits::Resume::never)
        session = habits_.resume == Habits::Resume::first ? sessions_.front().get()
                                                          : sessions_.back().get();
    auto made = connection(socket, session);
    if (habits_.resume == Habits::Resume::once && !sessions_.empty()) sessions_.pop_back();
    ERR_clear_error();
    trouble.clear();
    if (SSL_do_handshake(made.get()) != 1) trouble = tls::openssl_reason();
    resumed = SSL_session_reused(made.get()) == 1;
    if (habits_.new_keys && trouble.empty() &&
        (SSL_key_update(made.get(), SSL_KEY_UPDATE_REQUESTED) != 1 ||
         SSL_do_handshake(made.get()) != 1))
        trouble = tls::openssl_reason();
    return made;
}

std::string Secure::receive(std::string_view command) {
    auto data = open();
    began = say(command);
    done.clear();
    if (!began.starts_with("1")) return "(refused)";
    const auto stream = shake_data(data.get());
    std::string content;
    std::vector<char> bytes(65536);
    std::size_t got = 0;
    while (trouble.empty() && SSL_read_ex(stream.get(), bytes.data(), bytes.size(), &got) == 1)
        content.append(bytes.data(), got);
    const int kind = SSL_get_error(stream.get(), 0);
    if (trouble.empty() && kind != SSL_ERROR_ZERO_RETURN) trouble = tls::openssl_reason();
    if (habits_.goodbye) (void)SSL_shutdown(stream.get());
    if (habits_.leaves) data.close();
    done = reply();
    return content;
}

void Secure::send_in_one_piece(SSL* stream, std::string_view content) {
    auto* records = BIO_new(BIO_s_mem());
    SSL_set0_wbio(stream, records);
    for (const auto part :
         {content.substr(0, content.size() / 2), content.substr(content.size() / 2)}) {
        std::size_t written = 0;
        if (SSL_write_ex(stream, part.data(), part.size(), &written) != 1 ||
            SSL_key_update(stream, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 ||
            SSL_do_handshake(stream) != 1)
            trouble = tls::openssl_reason();
    }
    (void)SSL_shutdown(stream);
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(records, &bytes) - static_cast<long>(habits_.withheld);
    if (::send(SSL_get_fd(stream), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL) != size)
        trouble = "not sent in one piece";
}

std::string Secure::transmit(std::string_view command, std::string_view content) {
    auto data = open();
    began = say(command);
    done.clear();
    if (!began.starts_with("1")) return began;
    const auto stream = shake_data(data.get());
    if (habits_.one_piece) {
        send_in_one_piece(stream.get(), content);
        if (habits_.withheld > 0) data.close();
        return done = reply();
    }
    std::size_t written = 0;
    while (trouble.empty() && !content.empty()) {
        if (SSL_write_ex(stream.get(), content.data(), content.size(), &written) != 1) {
            trouble = tls::openssl_reason();
            break;
        }
        content.remove_prefix(written);
    }
    if (habits_.goodbye) (void)SSL_shutdown(stream.get());
    data.close();
    return done = reply();
}

std::string Secure::receive_clear(std::string_view command) {
    Data data{open()};
    began = say(command);
    done.clear();
    if (!began.starts_with('1')) return {};
    auto content = data.read_all();
    data.close();
    done = reply();
    return content;
}

std::string Secure::transmit_clear(std::string_view command, std::string_view content) {
    Data data{open()};
    began = say(command);
    done.clear();
    if (!began.starts_with('1')) return began;
    data.write(content);
    data.close();
    return done = reply();
}

}  // namespace sessions
