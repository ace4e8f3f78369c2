// SPDX-License-Identifier: MIT
// OpenSSL writes to memory, from where one send(2) takes many records; it reads many with one
// read(2) by itself (read-ahead).
#include "tls/stream.hpp"

#include <openssl/err.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include <sys/socket.h>

namespace tls {

using base::Result;

struct Stream::Out {
    std::vector<char> bytes;
    std::size_t sent = 0;
};

namespace {

using Buffer = std::vector<char>;

int append(BIO* bio, const char* bytes, std::size_t size, std::size_t* written) {
    auto& buffer = *static_cast<Buffer*>(BIO_get_data(bio));
    buffer.insert(buffer.end(), bytes, bytes + size);
    *written = size;
    return 1;
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
}

const BIO_METHOD* to_memory() {
    static const BIO_METHOD* const instance = [] {
        auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "records");
        if (made == nullptr || BIO_meth_set_write_ex(made, &append) != 1 ||
            BIO_meth_set_ctrl(made, &control) != 1 || BIO_meth_set_create(made, &create) != 1)
            throw std::runtime_error(openssl_error("no BIO").text());
        return made;
    }();
    return instance;
}

}  // namespace

Stream::Stream(Ssl ssl, std::unique_ptr<Out> out, int socket)
    : out_(std::move(out)), ssl_(std::move(ssl)), socket_(socket) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept {
    ssl_ = std::move(other.ssl_);
    out_ = std::move(other.out_);
    socket_ = other.socket_;
    reason_ = std::move(other.reason_);
    not_resumed_ = other.not_resumed_;
    drained_ = other.drained_;
    return *this;
}
Stream::~Stream() = default;

Result<Stream> Stream::over(const Context& context, int socket) {
    TRY(auto ssl, context.connection());
    auto out = std::make_unique<Out>();
    auto* reading = BIO_new_socket(socket, BIO_NOCLOSE);
    auto* writing = BIO_new(to_memory());
    if (reading == nullptr || writing == nullptr) {
        BIO_free(reading);
        BIO_free(writing);
        return openssl_error("no TLS connection");
    }
    BIO_set_data(writing, &out->bytes);
    SSL_set0_rbio(ssl.get(), reading);
    SSL_set0_wbio(ssl.get(), writing);
    return Stream(std::move(ssl), std::move(out), socket);
}

Step Stream::outcome(int result) {
    const int number = errno;
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_NONE:
            return Step::done;
        case SSL_ERROR_WANT_READ:
            return Step::wait_to_read;
        case SSL_ERROR_WANT_WRITE:
            return Step::wait_to_write;
        case SSL_ERROR_ZERO_RETURN:
            return Step::closed;
        case SSL_ERROR_SYSCALL:
            if (number == 0) return reason_ = "the client hung up", Step::cut;
            reason_ = std::strerror(number);
            return Step::failed;
        default:
            break;
    }
    const int code = ERR_GET_REASON(ERR_peek_error());
    not_resumed_ = code == SSL_R_CALLBACK_FAILED || code == SSL_R_CERT_CB_ERROR;
    reason_ = openssl_reason();
    return code == SSL_R_UNEXPECTED_EOF_WHILE_READING ? Step::cut : Step::failed;
}

Step Stream::shake() {
    if (const auto sent = flush(); sent != Step::done) return sent;
    ERR_clear_error();
    errno = 0;
    const auto step = outcome(SSL_do_handshake(ssl_.get()));
    const auto sent = flush();  // of an alert as well
    if (step != Step::done && step != Step::wait_to_read) return step;
    return sent == Step::done ? step : sent;
}

Step Stream::read(std::span<char> space, std::size_t& got) {
    ERR_clear_error();
    errno = 0;
    const auto step = outcome(SSL_read_ex(ssl_.get(), space.data(), space.size(), &got));
    drained_ = step != Step::done;
    return step;
}

bool Stream::pending() const { return !drained_ && SSL_has_pending(ssl_.get()) == 1; }

bool Stream::write(std::string_view bytes) {
    ERR_clear_error();
    while (!bytes.empty()) {
        std::size_t written = 0;
        errno = 0;
        if (outcome(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written)) != Step::done)
            return false;
        bytes.remove_prefix(written);
    }
    return true;
}

void Stream::say_goodbye() {
    ERR_clear_error();
    // Not after an error, when OpenSSL no longer knows what may be sent.
    (void)SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

Step Stream::flush() {
    auto& out = *out_;
    while (out.sent < out.bytes.size()) {
        const auto count = ::send(socket_, out.bytes.data() + out.sent, out.bytes.size() - out.sent,
                                  MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0) {
            out.sent += static_cast<std::size_t>(count);
        } else if (errno == EAGAIN) {
            return Step::wait_to_write;
        } else if (errno != EINTR) {
            if (reason_.empty()) reason_ = std::strerror(errno);
            return Step::failed;
        }
    }
    out.bytes.clear();
    out.sent = 0;
    return Step::done;
}

std::size_t Stream::unsent() const { return out_->bytes.size() - out_->sent; }

void Stream::offer_ticket() {
    if (SSL_version(ssl_.get()) >= TLS1_3_VERSION) (void)SSL_new_session_ticket(ssl_.get());
}

std::string Stream::description() const {
    std::string text = "SSL version: ";
    text += SSL_get_version(ssl_.get());
    text += ", SSL cipher: ";
    text += SSL_get_cipher_name(ssl_.get());
    text += SSL_session_reused(ssl_.get()) == 1 ? ", reused" : ", not reused";
    const bool certificate = SSL_get0_peer_certificate(ssl_.get()) != nullptr;
    return text + (certificate ? ", CERT PRESENTED" : ", no cert");
}

}  // namespace tls
