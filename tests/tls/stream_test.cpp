// SPDX-License-Identifier: MIT
// A stream between two ends of a socket pair, with a client that does not play along.
#include "tls/stream.hpp"

#include "base/fd.hpp"
#include "tests/tls/handshake.hpp"
#include "tests/tls/site.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace {

using tls::Purpose;
using tls::Step;

void by_tcp(base::Fd& ours, base::Fd& theirs) {
    const base::Fd listening{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listening.get(), generic, size), 0);
    ASSERT_EQ(::listen(listening.get(), 1), 0);
    ASSERT_EQ(::getsockname(listening.get(), generic, &size), 0);
    theirs = base::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(theirs.get(), generic, size), 0);
    ours = base::Fd(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    ASSERT_TRUE(ours);
}

// A client of TLS 1.3 that has shaken hands, and that nothing keeps from asking for new keys again
// and again (RFC 8446 4.6.3).
class Stream : public testing::Test {
  protected:
    void SetUp() override {
        connect();
        start(tls::Stream::Use::any, Purpose::control);
    }

    void connect() {
        int ends[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        ours_ = base::Fd(ends[0]);
        theirs_ = base::Fd(ends[1]);
    }
    void connect_by_tcp() {
        by_tcp(ours_, theirs_);
        ASSERT_EQ(::fcntl(theirs_.get(), F_SETFL, O_NONBLOCK), 0);
    }

    void start(tls::Stream::Use use, Purpose purpose) {
        server_.emplace(site_.context(handshake::settings(), purpose));
        auto made = tls::Stream::over(*server_, ours_.get(), use);
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
    std::string records_of(const std::function<void()>& write) {
        auto* records = BIO_new(BIO_s_mem());
        SSL_set0_wbio(client_.get(), records);
        write();
        char* bytes = nullptr;
        const auto size = BIO_get_mem_data(records, &bytes);
        return {bytes, static_cast<std::size_t>(size)};
    }
    std::size_t send_some(std::string_view records) {
        const auto sent = ::send(theirs_.get(), records.data(), records.size(), 0);
        return static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    }
    // In one piece, for a socket holds few small ones.
    void send_in_one(const std::function<void()>& write) {
        const auto records = records_of(write);
        ASSERT_EQ(send_some(records), records.size());
    }
    void hang_up() { theirs_.close(); }
    void reset() {
        const linger at_once{1, 0};
        ASSERT_EQ(::setsockopt(theirs_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
        theirs_.close();
    }
    void send_new_keys(int times) {
        send_in_one([&] {
            for (int i = 0; i < times; ++i)
                ASSERT_TRUE(ask_for_new_keys(SSL_KEY_UPDATE_NOT_REQUESTED));
        });
    }
    void write(std::string_view bytes) {
        ASSERT_EQ(SSL_write(client_.get(), bytes.data(), static_cast<int>(bytes.size())),
                  static_cast<int>(bytes.size()));
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
    std::optional<tls::Context> server_;
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

// An upload: read in batches, which grow where there is room for much.
class ReceivingStream : public Stream {
  protected:
    void SetUp() override {
        connect();
        start(tls::Stream::Use::receiving, Purpose::data);
    }

    // What is there, and no more than that.
    std::string all_of_it(std::size_t most) {
        std::string all;
        for (int waits = 0; waits < 5;) {
            last = stream->read(std::span(room).first(most), got);
            if (last == Step::done)
                all.append(room.data(), got);
            else if (last != Step::wait_to_read || !stream->pending())
                break;
            else
                ++waits;
        }
        EXPECT_FALSE(stream->pending());
        EXPECT_EQ(waiting(), 0);
        return all;
    }
    Step last = Step::done;

    std::vector<char> room = std::vector<char>(256 << 10);
};

// Of clients' programs each makes records of its own size; packets and batches end within them, and
// before there is room for much the batches are small.
TEST_F(ReceivingStream, LosesNothingWhateverSizesRecordsHave) {
    std::mt19937 random(1);
    for (const std::size_t size : {1, 100, 1000, 4000, 4096, 9000, 16384}) {
        std::string sent;
        const auto records = records_of([&] {
            while (sent.size() < std::min<std::size_t>(size * 1000, 1'500'000)) {
                sent.append(size, static_cast<char>('a' + random() % 26));
                write(std::string_view(sent).substr(sent.size() - size));
            }
        });
        std::string received;
        for (std::string_view rest = records; !rest.empty();) {
            rest.remove_prefix(send_some(rest.substr(0, 1 + random() % 300'000)));
            // At first as an upload that may be small.
            received += all_of_it(received.size() < 50'000 ? 1000 : room.size());
        }
        EXPECT_TRUE(sent == received) << sent.size() << " sent, " << received.size() << " received";
    }
}

TEST_F(ReceivingStream, FailsAmidARecord) {
    const auto records = records_of([&] { write("whole"), write("part"); });
    (void)send_some(std::string_view(records).substr(0, records.size() - 2));
    hang_up();
    EXPECT_EQ(all_of_it(room.size()), "whole");
    EXPECT_EQ(last, Step::failed);
}

TEST_F(ReceivingStream, IsCutBetweenRecords) {
    (void)send_some(records_of([&] { write("whole"); }));
    hang_up();
    EXPECT_EQ(all_of_it(room.size()), "whole");
    EXPECT_EQ(last, Step::cut);
}

// The kernel says so once, behind the bytes that came before.
TEST_F(ReceivingStream, ThatIsResetIsNotCut) {
    for (const std::size_t withheld : {0, 2, 6000}) {
        SetUp();
        const auto records = records_of([&] { write("whole"), write(std::string(9000, 'p')); });
        (void)send_some(std::string_view(records).substr(0, records.size() - withheld));
        ASSERT_TRUE(stream->write("unread"));
        ASSERT_EQ(stream->flush(), Step::done);
        hang_up();
        EXPECT_EQ(all_of_it(room.size()).substr(0, 5), "whole");
        EXPECT_EQ(last, Step::failed) << withheld;
        EXPECT_EQ(stream->reason(), "Connection reset by peer");
    }
}

// OpenSSL answers in the midst of reading, renegotiation with an alert for one.
TEST_F(ReceivingStream, ThatIsResetIsNotCutThoughAnAnswerHasFoundOut) {
    connect_by_tcp();
    start(tls::Stream::Use::receiving, Purpose::data);
    (void)send_some(records_of([&] { write("whole"); }));
    reset();
    ASSERT_TRUE(stream->write("an answer"));
    ASSERT_EQ(stream->flush(), Step::failed);
    EXPECT_EQ(all_of_it(room.size()), "whole");
    EXPECT_EQ(last, Step::failed);
    EXPECT_EQ(stream->reason(), "Connection reset by peer");
}

// OpenSSL comes back after them, when the socket has nothing more to say.
TEST_F(ReceivingStream, HasWhatComesBehindNewKeys) {
    send_in_one([&] {
        write("before");
        ASSERT_TRUE(ask_for_new_keys(SSL_KEY_UPDATE_NOT_REQUESTED));
        ASSERT_TRUE(ask_for_new_keys(SSL_KEY_UPDATE_REQUESTED));
        write(" and behind");
    });
    EXPECT_EQ(all_of_it(room.size()), "before and behind");
}

TEST_F(ReceivingStream, ComesBackAmidNewKeysWithoutEnd) {
    send_new_keys(1500);
    EXPECT_EQ(stream->read(room, got), Step::wait_to_read);
    EXPECT_TRUE(stream->pending());
}

// Clients with Nagle's algorithm wait for it.
TEST(TcpStream, AcknowledgesHandshakesAtOnce) {
    const site::Site site;
    const auto context = site.context(handshake::settings());
    base::Fd ours;
    base::Fd theirs;
    by_tcp(ours, theirs);
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
