// SPDX-License-Identifier: MIT
// The loops that move bytes, over real connections on loopback.
#include "session/transfer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace std::chrono_literals;
using session::End;
using session::Terms;
using Clock = std::chrono::steady_clock;

namespace {

class Quiet : public session::Watch {
  public:
    [[nodiscard]] int fd() const override { return -1; }
    [[nodiscard]] bool on_readable() override { return true; }
};

// Says no as soon as something can be read.
class Abort : public session::Watch {
  public:
    explicit Abort(int descriptor) : descriptor_(descriptor) {}
    [[nodiscard]] int fd() const override { return descriptor_; }
    [[nodiscard]] bool on_readable() override { return false; }

  private:
    int descriptor_;
};

struct Ends {
    base::Fd client;
    base::Fd server;
};

Ends connection() {
    ::signal(SIGPIPE, SIG_IGN);  // as in every process of the server
    const base::Fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener.get(), any, size), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    ::getsockname(listener.get(), any, &size);
    base::Fd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    EXPECT_EQ(::connect(client.get(), any, size), 0);
    base::Fd server{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    return {std::move(client), std::move(server)};
}

std::string digits(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('0' + i * 7 % 61);
    return text;
}

base::Fd file(std::string_view content = {}) {
    base::Fd made{::memfd_create("file", MFD_CLOEXEC)};
    EXPECT_EQ(::write(made.get(), content.data(), content.size()),
              static_cast<ssize_t>(content.size()));
    return made;
}

std::string content_of(const base::Fd& of) {
    struct stat status {};
    ::fstat(of.get(), &status);
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    EXPECT_EQ(::pread(of.get(), text.data(), text.size(), 0), status.st_size);
    return text;
}

std::string read_all(const base::Fd& from) {
    std::string all;
    std::string piece(65536, '\0');
    for (ssize_t count = 0; (count = ::recv(from.get(), piece.data(), piece.size(), 0)) > 0;)
        all.append(piece, 0, static_cast<std::size_t>(count));
    return all;
}

void write_all(const base::Fd& to, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

void reset(base::Fd& socket) {
    const linger now{1, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket.close();
}

Terms terms(std::uint64_t rate = 0, std::chrono::seconds timeout = 20s) {
    Terms result;
    result.rate = rate;
    result.timeout = timeout;
    return result;
}

}  // namespace

// ----- downloads

TEST(SendFile, SendsAllOfIt) {
    const auto text = digits(5'000'000);
    for (const bool by_kernel : {true, false}) {
        auto ends = connection();
        std::string got;
        std::thread client([&] { got = read_all(ends.client); });
        auto wanted = terms();
        wanted.sendfile = by_kernel;
        Quiet quiet;
        const auto sent =
            session::send_file(file(text), 0, text.size(), ends.server, wanted, quiet);
        ends.server.close();
        client.join();
        EXPECT_EQ(sent.end, End::complete);
        EXPECT_EQ(sent.bytes, text.size());
        EXPECT_EQ(got, text);
    }
}

TEST(SendFile, SendsAPart) {
    auto ends = connection();
    Quiet quiet;
    const auto sent = session::send_file(file("0123456789"), 4, 3, ends.server, terms(), quiet);
    ends.server.close();
    EXPECT_EQ(sent.end, End::complete);
    EXPECT_EQ(read_all(ends.client), "456");
}

TEST(SendFile, ConvertsLineEnds) {
    auto ends = connection();
    auto wanted = terms();
    wanted.ascii = true;
    Quiet quiet;
    const auto sent =
        session::send_file(file("a\nb\r\nc"), 0, std::nullopt, ends.server, wanted, quiet);
    ends.server.close();
    EXPECT_EQ(sent.end, End::complete);
    EXPECT_EQ(read_all(ends.client), "a\r\nb\r\nc");
}

TEST(SendFile, NoticesAFileThatShrinks) {
    auto ends = connection();
    const auto shrinking = file(digits(20'000'000));
    std::thread client([&] {
        std::string some(100'000, '\0');
        (void)::recv(ends.client.get(), some.data(), some.size(), MSG_WAITALL);
        EXPECT_EQ(::ftruncate(shrinking.get(), 1000), 0);
        (void)read_all(ends.client);
    });
    Quiet quiet;
    const auto sent = session::send_file(shrinking, 0, 20'000'000, ends.server, terms(), quiet);
    ends.server.close();
    client.join();
    EXPECT_EQ(sent.end, End::shrank);
}

TEST(SendFile, IsNotCompleteWhenTheClientResets) {
    auto ends = connection();
    std::thread client([&] {
        std::string some(100'000, '\0');
        (void)::recv(ends.client.get(), some.data(), some.size(), MSG_WAITALL);
        reset(ends.client);
    });
    Quiet quiet;
    const auto sent =
        session::send_file(file(digits(20'000'000)), 0, std::nullopt, ends.server, terms(), quiet);
    client.join();
    EXPECT_EQ(sent.end, End::network);
}

TEST(SendFile, IsCompleteWhenTheClientHadEverythingBeforeItReset) {
    auto ends = connection();
    write_all(ends.server, "all");
    std::string all(3, '\0');
    EXPECT_EQ(::recv(ends.client.get(), all.data(), all.size(), MSG_WAITALL), 3);
    reset(ends.client);
    Quiet quiet;
    const auto sent = session::send_file(file(), 0, std::nullopt, ends.server, terms(), quiet);
    EXPECT_EQ(sent.end, End::complete);
}

TEST(SendFile, WaitsUntilTheClientsHostHasTheLastByte) {
    auto ends = connection();
    const int small = 4096;
    ::setsockopt(ends.client.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    Quiet quiet;
    // It fits into our socket's buffer, but not into that of a client that does not read.
    const auto sent = session::send_file(file(digits(1'000'000)), 0, std::nullopt, ends.server,
                                         terms(0, 1s), quiet);
    EXPECT_EQ(sent.end, End::timeout);
}

TEST(SendFile, TimesOutWhenNothingMoves) {
    auto ends = connection();
    Quiet quiet;
    const auto start = Clock::now();
    const auto sent = session::send_file(file(digits(50'000'000)), 0, std::nullopt, ends.server,
                                         terms(0, 1s), quiet);
    EXPECT_EQ(sent.end, End::timeout);
    EXPECT_GE(Clock::now() - start, 900ms);
}

TEST(SendFile, EndsWhenTheWatchSaysSo) {
    auto ends = connection();
    auto control = connection();
    write_all(control.client, "ABOR\r\n");
    Abort abort(control.server.get());
    const auto sent =
        session::send_file(file(digits(50'000'000)), 0, std::nullopt, ends.server, terms(), abort);
    EXPECT_EQ(sent.end, End::aborted);
}

// ----- uploads

TEST(ReceiveFile, StoresAllOfIt) {
    for (const std::size_t size : {0U, 1U, 1000U, 262'144U, 262'145U, 7'000'001U}) {
        const auto text = digits(size);
        auto ends = connection();
        std::thread client([&] {
            write_all(ends.client, text);
            ends.client.close();
        });
        const auto to = file();
        Quiet quiet;
        const auto got = session::receive_file(to, 0, ends.server, terms(), quiet);
        client.join();
        EXPECT_EQ(got.end, End::complete) << size;
        EXPECT_EQ(got.bytes, size);
        EXPECT_EQ(content_of(to), text);
    }
}

TEST(ReceiveFile, StartsWhereItIsTold) {
    auto ends = connection();
    write_all(ends.client, "xyz");
    ends.client.close();
    const auto to = file("0123456789");
    Quiet quiet;
    EXPECT_EQ(session::receive_file(to, 4, ends.server, terms(), quiet).end, End::complete);
    EXPECT_EQ(content_of(to), "0123xyz789");
}

TEST(ReceiveFile, ConvertsLineEnds) {
    auto ends = connection();
    write_all(ends.client, "a\r\nb\rc\r");
    ends.client.close();
    const auto to = file();
    auto wanted = terms();
    wanted.ascii = true;
    Quiet quiet;
    EXPECT_EQ(session::receive_file(to, 0, ends.server, wanted, quiet).end, End::complete);
    EXPECT_EQ(content_of(to), "a\nb\rc\r");
}

TEST(ReceiveFile, IsNotCompleteWhenTheClientResets) {
    for (const std::size_t size : {10U, 5'000'000U}) {
        auto ends = connection();
        std::thread client([&] {
            write_all(ends.client, digits(size));
            std::this_thread::sleep_for(100ms);
            reset(ends.client);
        });
        Quiet quiet;
        const auto got = session::receive_file(file(), 0, ends.server, terms(), quiet);
        client.join();
        EXPECT_EQ(got.end, End::network) << size;
    }
}

TEST(ReceiveFile, TellsThatThereIsNoRoom) {
    const base::Fd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    for (const std::size_t size : {10U, 5'000'000U}) {
        auto ends = connection();
        std::thread client([&] {
            write_all(ends.client, digits(size));
            ends.client.close();
        });
        Quiet quiet;
        const auto got = session::receive_file(full, 0, ends.server, terms(), quiet);
        reset(ends.server);
        client.join();
        EXPECT_EQ(got.end, End::no_space) << size;
        EXPECT_EQ(got.bytes, 0U);
    }
}

TEST(ReceiveFile, TimesOutWhenNothingComes) {
    auto ends = connection();
    Quiet quiet;
    EXPECT_EQ(session::receive_file(file(), 0, ends.server, terms(0, 1s), quiet).end, End::timeout);
}

// ----- rates

TEST(Rate, IsKeptOnAverageAndWithoutBursts) {
    auto ends = connection();
    const auto text = digits(1'000'000);
    std::size_t largest = 0;
    std::size_t all = 0;
    Clock::duration taken{};
    std::thread client([&] {
        const auto start = Clock::now();
        std::string piece(1 << 20, '\0');
        for (ssize_t count = 0;
             (count = ::recv(ends.client.get(), piece.data(), piece.size(), 0)) > 0;) {
            largest = std::max(largest, static_cast<std::size_t>(count));
            all += static_cast<std::size_t>(count);
        }
        taken = Clock::now() - start;
    });
    Quiet quiet;
    const auto sent =
        session::send_file(file(text), 0, std::nullopt, ends.server, terms(500'000), quiet);
    ends.server.close();
    client.join();
    EXPECT_EQ(sent.end, End::complete);
    EXPECT_EQ(all, text.size());
    EXPECT_LE(largest, 2U * 65536U);  // two steps, should this thread have slept over one
    const double rate = 1e6 / std::chrono::duration<double>(taken).count();
    EXPECT_NEAR(rate, 500'000, 50'000);
}

TEST(Rate, StepsHaveTheSizeOfTransChunkSize) {
    auto ends = connection();
    auto wanted = terms(200'000);
    wanted.chunk = 2000;
    std::size_t pieces = 0;
    std::thread client([&] {
        std::string piece(1 << 20, '\0');
        while (::recv(ends.client.get(), piece.data(), piece.size(), 0) > 0) ++pieces;
    });
    Quiet quiet;
    EXPECT_EQ(
        session::send_file(file(digits(100'000)), 0, std::nullopt, ends.server, wanted, quiet).end,
        End::complete);
    ends.server.close();
    client.join();
    EXPECT_GT(pieces, 20U);
}

// ----- listings

TEST(LineSender, CollectsWhatIsSmall) {
    auto ends = connection();
    Quiet quiet;
    session::LineSender sender(ends.server, terms(), quiet);
    EXPECT_TRUE(sender.send("one\r\n"));
    EXPECT_TRUE(sender.send("two\r\n"));
    EXPECT_EQ(sender.finish().end, End::complete);
    ends.server.close();
    EXPECT_EQ(read_all(ends.client), "one\r\ntwo\r\n");
}

TEST(LineSender, SaysWhenNobodyTakesThem) {
    auto ends = connection();
    reset(ends.client);
    Quiet quiet;
    session::LineSender sender(ends.server, terms(), quiet);
    const std::string lines(200'000, 'x');
    bool going = true;
    for (int i = 0; i < 10 && going; ++i) going = sender.send(lines);
    EXPECT_FALSE(going);
    EXPECT_EQ(sender.finish().end, End::network);
}
