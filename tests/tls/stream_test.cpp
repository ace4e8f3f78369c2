// SPDX-License-Identifier: MIT
// A stream between two ends of a socket pair, with a client that does not play along.
#include "tls/stream.hpp"

#include "base/fd.hpp"
#include "tests/tls/handshake.hpp"
#include "tests/tls/site.hpp"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <thread>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace {

using tls::Step;

// A client of TLS 1.3 that has shaken hands, and that nothing keeps from asking for new keys again
// and again (RFC 8446 4.6.3).
class Stream : public testing::Test {
  protected:
    void SetUp() override {
        int ends[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        ours_ = base::Fd(ends[0]);
        theirs_ = base::Fd(ends[1]);
        auto made = tls::Stream::over(server_, ours_.get());
        ASSERT_TRUE(made);
        stream.emplace(std::move(made.value()));

        ASSERT_EQ(SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION), 1);
        client_.reset(SSL_new(context_.get()));
        SSL_set_fd(client_.get(), theirs_.get());
        SSL_set_connect_state(client_.get());
        auto step = Step::wait_to_read;
        for (int i = 0; i < 10 && step != Step::done; ++i) {
            (void)SSL_do_handshake(client_.get());
            step = stream->shake();
        }
        ASSERT_EQ(step, Step::done);
    }

    [[nodiscard]] bool ask_for_new_keys(int answer) {
        return SSL_key_update(client_.get(), answer) == 1 && SSL_do_handshake(client_.get()) == 1;
    }
    // In one piece, for a socket holds few small ones.
    void send_new_keys(int times) {
        auto* records = BIO_new(BIO_s_mem());
        SSL_set0_wbio(client_.get(), records);
        for (int i = 0; i < times; ++i) ASSERT_TRUE(ask_for_new_keys(SSL_KEY_UPDATE_NOT_REQUESTED));
        char* bytes = nullptr;
        const auto size = BIO_get_mem_data(records, &bytes);
        ASSERT_EQ(::send(theirs_.get(), bytes, static_cast<std::size_t>(size), 0), size);
    }
    [[nodiscard]] int waiting() const {
        int bytes = 0;
        return ::ioctl(ours_.get(), FIONREAD, &bytes) == 0 ? bytes : -1;
    }

    std::optional<tls::Stream> stream;
    std::array<char, 64> space{};
    std::size_t got = 0;

  private:
    const site::Site site_;
    const tls::Context server_ = site_.context(handshake::settings());
    base::Fd ours_;
    base::Fd theirs_;
    const tls::SslContext context_{SSL_CTX_new(TLS_client_method())};
    tls::Ssl client_;
};

// Each takes an answer.
TEST_F(Stream, EndsWithAClientThatAsksForNewKeysAndTakesNone) {
    auto step = Step::wait_to_read;
    for (int i = 0; i < 200'000 && step == Step::wait_to_read; ++i) {
        ASSERT_TRUE(ask_for_new_keys(SSL_KEY_UPDATE_REQUESTED));
        step = stream->read(space, got);
    }
    EXPECT_EQ(step, Step::failed);
    EXPECT_EQ(stream->reason(), "No buffer space available");
    EXPECT_LE(stream->unsent(), std::size_t{1} << 20);
}

// These take none, and so no end of its own.
TEST_F(Stream, ComesBackAmidNewKeysWithoutEnd) {
    send_new_keys(1500);
    const auto before = waiting();
    ASSERT_GT(before, 2 * SSL3_RT_MAX_PLAIN_LENGTH);
    EXPECT_EQ(stream->read(space, got), Step::wait_to_read);
    EXPECT_GT(waiting(), 0);
    EXPECT_LT(waiting(), before);
}

// Clients with Nagle's algorithm wait for it.
TEST(TcpStream, AcknowledgesHandshakesAtOnce) {
    const site::Site site;
    const auto context = site.context(handshake::settings());
    const base::Fd listening{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listening.get(), generic, size), 0);
    ASSERT_EQ(::listen(listening.get(), 1), 0);
    ASSERT_EQ(::getsockname(listening.get(), generic, &size), 0);
    const base::Fd theirs{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ASSERT_EQ(::connect(theirs.get(), generic, size), 0);
    const base::Fd ours{::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    auto stream = tls::Stream::over(context, ours.get());
    ASSERT_TRUE(stream);

    const tls::SslContext of_client{SSL_CTX_new(TLS_client_method())};
    const tls::Ssl client{SSL_new(of_client.get())};
    SSL_set_fd(client.get(), theirs.get());
    std::thread shaking([&] { EXPECT_EQ(SSL_connect(client.get()), 1); });
    auto step = Step::wait_to_read;
    for (int i = 0; i < 1000 && step != Step::done; ++i) {
        pollfd wanted{ours.get(), POLLIN, 0};
        (void)::poll(&wanted, 1, 10'000);
        step = stream.value().shake();
        int at_once = 0;
        socklen_t length = sizeof at_once;
        ASSERT_EQ(::getsockopt(ours.get(), IPPROTO_TCP, TCP_QUICKACK, &at_once, &length), 0);
        EXPECT_EQ(at_once, 1);
    }
    EXPECT_EQ(step, Step::done);
    shaking.join();
}

}  // namespace
