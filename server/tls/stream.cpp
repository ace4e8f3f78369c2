// SPDX-License-Identifier: MIT
// OpenSSL writes to memory, from where one send(2) takes many records; it reads several with one
// read(2) by itself (read-ahead), and those of an upload from Batches.
#include "tls/stream.hpp"

#include "tls/batches.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace tls {

using base::Result;

// Records, or with kernel TLS what will be in them.
struct Stream::Out {
    std::vector<char> bytes;
    std::size_t sent = 0;
};

namespace {

using Buffer = std::vector<char>;

// More than any batch with what OpenSSL adds. A client that asks for new keys again and again and
// takes no answer ends here, not with all of our memory.
constexpr std::size_t most_unsent = std::size_t{1} << 20;

int append(BIO* bio, const char* bytes, std::size_t size, std::size_t* written) {
    auto& buffer = *static_cast<Buffer*>(BIO_get_data(bio));
    if (buffer.size() + size > most_unsent) {
        errno = ENOBUFS;
        return 0;
    }
    buffer.insert(buffer.end(), bytes, bytes + size);
    *written = size;
    return 1;
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* to_memory() {
    static const BIO_METHOD* const instance = new_bio_method("records", nullptr, &append, &control);
    return instance;
}

// A client that does not send without delay (lftp, Python's ftplib) holds back the end of its
// handshake, and what follows that, until the beginning has been acknowledged: with nothing to send
// we would let it wait for 40 ms each.
void acknowledge_at_once(int socket) {
    const int yes = 1;
    (void)::setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
}

}  // namespace

Stream::Stream(Ssl ssl, std::unique_ptr<Out> out, int socket, Use use)
    : out_(std::move(out)), ssl_(std::move(ssl)), socket_(socket), use_(use) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept {
    ssl_ = std::move(other.ssl_);
    out_ = std::move(other.out_);
    in_ = std::move(other.in_);
    transcript_ = std::move(other.transcript_);
    socket_ = other.socket_;
    use_ = other.use_;
    reason_ = std::move(other.reason_);
    not_resumed_ = other.not_resumed_;
    by_kernel_ = other.by_kernel_;
    goodbye_ = other.goodbye_;
    clear_ = other.clear_;
    client_clear_ = other.client_clear_;
    drained_ = other.drained_;
    reset_ = other.reset_;
    return *this;
}
Stream::~Stream() = default;

Result<Stream> Stream::over(const Context& context, int socket, Use use) {
    TRY(auto ssl, context.connection());
    auto out = std::make_unique<Out>();
    auto* reading = BIO_new_socket(socket, BIO_NOCLOSE);
    const bool by_kernel = (SSL_get_options(ssl.get()) & SSL_OP_ENABLE_KTLS) != 0;
    if (by_kernel && use == Use::sending && reading != nullptr) {
        // It is for the kernel to take over in the midst of the handshake, from a socket alone.
        BIO_up_ref(reading);
        SSL_set0_rbio(ssl.get(), reading);
        SSL_set0_wbio(ssl.get(), reading);
        return Stream(std::move(ssl), std::move(out), socket, use);
    }
    auto* writing = BIO_new(to_memory());
    if (reading == nullptr || writing == nullptr) {
        BIO_free(reading);
        BIO_free(writing);
        return openssl_error("no TLS connection");
    }
    BIO_set_data(writing, &out->bytes);
    SSL_set0_rbio(ssl.get(), reading);
    SSL_set0_wbio(ssl.get(), writing);
    Stream stream(std::move(ssl), std::move(out), socket, use);
    if (use == Use::receiving && !by_kernel && !stream.read_batches())
        return openssl_error("no TLS connection");
    return stream;
}

// Between two records: OpenSSL must hold nothing.
bool Stream::read_batches() {
    in_ = std::make_unique<Batches>(socket_);
    auto* reading = in_->bio();
    if (reading == nullptr) return false;
    SSL_set0_rbio(ssl_.get(), reading);
    SSL_set_read_ahead(ssl_.get(), 0);
    // The kernel could not take over what is in there.
    SSL_clear_options(ssl_.get(), SSL_OP_ENABLE_KTLS);
    return true;
}

void Stream::keep_transcript() {
    transcript_ = std::make_unique<Transcript>();
    transcript_->listen(ssl_.get());
}

void Stream::forget_transcript() {
    if (transcript_) transcript_->forget(ssl_.get());
    transcript_.reset();
}

Span Stream::proof() const {
    const bool good = transcript_ && SSL_version(ssl_.get()) == TLS1_3_VERSION &&
                      SSL_get_verify_result(ssl_.get()) == X509_V_OK;
    return good ? transcript_->messages() : Span{};
}

// After a handshake in which the kernel might have taken over: not every cipher is the kernel's.
bool Stream::choose_ways() {
    if ((SSL_get_options(ssl_.get()) & SSL_OP_ENABLE_KTLS) == 0) return true;
    if (BIO_get_ktls_recv(SSL_get_rbio(ssl_.get())) == 0) {
        if (use_ != Use::receiving)
            SSL_set_read_ahead(ssl_.get(), 1);
        else if (!read_batches())
            return false;
    }
    if (SSL_get_rbio(ssl_.get()) != SSL_get_wbio(ssl_.get())) return true;
    by_kernel_ = BIO_get_ktls_send(SSL_get_wbio(ssl_.get())) != 0;
    if (by_kernel_) return true;
    auto* writing = BIO_new(to_memory());
    if (writing == nullptr) return false;
    BIO_set_data(writing, &out_->bytes);
    SSL_set0_wbio(ssl_.get(), writing);
    return true;
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
    if (step == Step::done && !choose_ways()) {
        reason_ = "out of memory";
        return Step::failed;
    }
    const auto sent = flush();  // of an alert as well
    acknowledge_at_once(socket_);
    if (step != Step::done && step != Step::wait_to_read) return step;
    return sent == Step::done ? step : sent;
}

Step Stream::read(std::span<char> space, std::size_t& got) {
    if (client_is_clear()) return read_clear(space, got);
    if (in_ && space.size() >= Batches::large) in_->expect_much();
    ERR_clear_error();
    errno = 0;
    auto step = outcome(SSL_read_ex(ssl_.get(), space.data(), space.size(), &got));
    if (step == Step::cut && (reset_ || amid_a_record())) {
        step = Step::failed;
        reason_ = reset_ ? std::strerror(ECONNRESET) : "the client hung up amid a record";
    }
    // After new keys it comes back although there may be more.
    drained_ = step != Step::done && BIO_ctrl_pending(SSL_get_rbio(ssl_.get())) == 0;
    // OpenSSL answers by itself: renegotiation and nonsense with alerts, new keys with new keys.
    (void)flush();
    if (step != Step::closed || !clear_) return step;
    client_clear_ = true;
    return read_clear(space, got);
}

bool Stream::amid_a_record() const {
    return SSL_has_pending(ssl_.get()) != 0 ||
           std::string_view(SSL_rstate_string(ssl_.get())) != "RH";
}

// Some clients (curl) say no goodbye of their own. Between two records a byte that starts none is
// the first in clear text; no command begins with one that does.
bool Stream::client_is_clear() {
    if (!clear_ || client_clear_) return client_clear_;
    unsigned char first = 0;
    if (!amid_a_record() && ::recv(socket_, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
        client_clear_ = first < SSL3_RT_CHANGE_CIPHER_SPEC || first > SSL3_RT_APPLICATION_DATA;
    return client_clear_;
}

Step Stream::read_clear(std::span<char> space, std::size_t& got) {
    const auto count = ::recv(socket_, space.data(), space.size(), MSG_DONTWAIT);
    got = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    if (count > 0) return Step::done;
    drained_ = true;
    if (count == 0) return Step::closed;
    if (errno == EAGAIN || errno == EINTR) return Step::wait_to_read;
    reason_ = std::strerror(errno);
    return Step::failed;
}

bool Stream::pending() const {
    return !drained_ &&
           (SSL_has_pending(ssl_.get()) == 1 || BIO_ctrl_pending(SSL_get_rbio(ssl_.get())) > 0);
}

bool Stream::write(std::string_view bytes) {
    if (clear_ || by_kernel_) {
        out_->bytes.insert(out_->bytes.end(), bytes.begin(), bytes.end());
        return true;
    }
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

void Stream::go_clear() {
    say_goodbye();
    clear_ = true;
}

void Stream::say_goodbye() {
    if (clear_ || (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) != 0) return;
    if (by_kernel_) {
        goodbye_ = true;
        return;
    }
    ERR_clear_error();
    // Not after an error, when OpenSSL no longer knows what may be sent.
    (void)SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

Step Stream::send_file(int file, off_t offset, std::size_t most, std::size_t& sent) {
    ERR_clear_error();
    errno = 0;
    const auto count = SSL_sendfile(ssl_.get(), file, offset, most, 0);
    sent = static_cast<std::size_t>(std::max<ossl_ssize_t>(count, 0));
    if (count >= 0) return Step::done;
    const bool later = errno == EAGAIN || errno == EINTR || errno == EBUSY;
    if (later) errno = EAGAIN;
    return later ? Step::wait_to_write : Step::failed;
}

Step Stream::flush_to_kernel() {
    auto& out = *out_;
    ERR_clear_error();
    while (out.sent < out.bytes.size()) {
        std::size_t written = 0;
        errno = 0;
        const auto step = outcome(SSL_write_ex(ssl_.get(), out.bytes.data() + out.sent,
                                               out.bytes.size() - out.sent, &written));
        if (step != Step::done) return step;
        out.sent += written;
    }
    out.bytes.clear();
    out.sent = 0;
    if (!goodbye_) return Step::done;
    const int result = SSL_shutdown(ssl_.get());
    if (result < 0 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_WRITE)
        return Step::wait_to_write;
    goodbye_ = false;
    ERR_clear_error();
    return Step::done;
}

Step Stream::flush(bool ends) {
    if (by_kernel_) return flush_to_kernel();
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (ends ? MSG_MORE : 0);
    auto& out = *out_;
    while (out.sent < out.bytes.size()) {
        const auto count =
            ::send(socket_, out.bytes.data() + out.sent, out.bytes.size() - out.sent, flags);
        if (count >= 0) {
            out.sent += static_cast<std::size_t>(count);
        } else if (errno == EAGAIN) {
            return Step::wait_to_write;
        } else if (errno != EINTR) {
            // The kernel says it once, and to whoever asks first: what is read then just ends.
            if (errno == ECONNRESET) reset_ = true;
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
    if (by_kernel_) text += ", encrypted by the kernel";
    if (BIO_get_ktls_recv(SSL_get_rbio(ssl_.get())) != 0) text += ", decrypted by the kernel";
    const bool certificate = SSL_get0_peer_certificate(ssl_.get()) != nullptr;
    return text + (certificate ? ", CERT PRESENTED" : ", no cert");
}

}  // namespace tls
