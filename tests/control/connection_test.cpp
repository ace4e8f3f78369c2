// SPDX-License-Identifier: MIT
// Lines in, replies out, deadlines, and that the last reply arrives.
#include "control/connection.hpp"

#include "tests/control/line_client.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using control::Came;
using control::Connection;
using testing_support::LineClient;
using namespace std::chrono_literals;

struct Pair {
    base::Fd server;
    base::Fd client;
};

// Real TCP: only there does a close with unread input lose what was sent.
Pair connected() {
    const base::Fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
    Pair pair;
    pair.client = base::Fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    EXPECT_EQ(::connect(pair.client.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    pair.server = base::Fd{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    return pair;
}

struct Conversation {
    explicit Conversation(Pair pair = connected(), std::string_view unread = {})
        : server(std::move(pair.server), unread), client(std::move(pair.client)) {}
    Came next() { return server.wait(line, -1, 5s); }

    Connection server;
    LineClient client;
    ftp::Line line;
};

TEST(Connection, ReadsCommandsAsTheyCome) {
    Conversation talk;
    talk.client.send("noop\r\n\r\nRETR a b\r\nQU");
    ASSERT_EQ(talk.next(), Came::line);
    EXPECT_EQ(talk.line.verb, "NOOP");
    ASSERT_EQ(talk.next(), Came::line);
    EXPECT_EQ(talk.line.argument, "a b");
    talk.client.send("IT\n");
    ASSERT_EQ(talk.next(), Came::line);
    EXPECT_EQ(talk.line.verb, "QUIT");
}

TEST(Connection, StartsWithWhatAnotherProcessLeftUnread) {
    Conversation talk(connected(), "SYST\r\nPW");
    ASSERT_EQ(talk.next(), Came::line);
    EXPECT_EQ(talk.line.verb, "SYST");
    talk.client.send("D\r\n");
    ASSERT_EQ(talk.next(), Came::line);
    EXPECT_EQ(talk.line.verb, "PWD");
}

TEST(Connection, AnswersWhatWasSentBeforeTheClientStopped) {
    Conversation talk;
    talk.client.send("NOOP\r\n");
    talk.client.send_no_more();
    EXPECT_EQ(talk.next(), Came::line);
    EXPECT_EQ(talk.next(), Came::closed);
}

TEST(Connection, NoticesALineThatIsTooLong) {
    Conversation talk;
    talk.client.send(std::string(5000, 'x'));
    EXPECT_EQ(talk.next(), Came::too_long);
}

TEST(Connection, GivesUpWaitingAtItsDeadline) {
    Conversation talk;
    talk.client.send("unfinished");
    EXPECT_EQ(talk.server.wait(talk.line, -1, 50ms), Came::timeout);
}

// As TLS when the client sends nothing but new keys: there is always more to read.
TEST(Connection, GivesUpWaitingHoweverMuchComesThatIsNoLine) {
    struct Endless : control::Layer {
        ssize_t receive(std::span<char>) override { return errno = EAGAIN, -1; }
        ssize_t send(std::string_view bytes) override { return static_cast<ssize_t>(bytes.size()); }
        bool flushed() override { return true; }
        [[nodiscard]] bool pending() const override { return false; }
        void say_goodbye() override {}
    };
    Conversation talk;
    talk.server.use(std::make_unique<Endless>());
    talk.client.send("never read");
    EXPECT_EQ(talk.server.wait(talk.line, -1, 50ms), Came::timeout);
}

TEST(Connection, PutsTheChannelBeforeCommandsThatWait) {
    Conversation talk;
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const base::Fd channel{ends[0]};
    const base::Fd supervisor{ends[1]};
    talk.client.send("NOOP\r\n");
    EXPECT_EQ(talk.server.wait(talk.line, channel.get(), 5s), Came::line);
    talk.client.send("NOOP\r\n");
    ASSERT_EQ(::write(supervisor.get(), "x", 1), 1);
    EXPECT_EQ(talk.server.wait(talk.line, channel.get(), 5s), Came::channel);
}

TEST(Connection, KeepsAnUrgentByteInItsPlace) {
    Conversation talk;
    ASSERT_EQ(::send(talk.client.fd(), "\xFF\xF4\xFF", 3, MSG_OOB), 3);
    talk.client.send(
        "\xF2"
        "ABOR\r\n");
    ASSERT_EQ(talk.next(), Came::line);
    EXPECT_EQ(talk.line.verb, "ABOR");
}

TEST(Connection, LastReplyArrivesThoughTheClientGoesOnSending) {
    Conversation talk;
    talk.client.send(std::string(200'000, 'x'));
    std::thread closing([&] {
        EXPECT_EQ(talk.next(), Came::too_long);
        talk.server.reply(ftp::reply::line_too_long);
        talk.server.close();
    });
    EXPECT_EQ(talk.client.reply(), "500 Input line too long.");
    EXPECT_EQ(talk.client.reply(), "(end)");
    talk.client.hang_up();
    closing.join();
}

TEST(Connection, ReplyToOneWhoIsGoneFailsAndHarmsNobody) {
    Conversation talk;
    talk.client.hang_up();
    for (int i = 0; i < 1000 && talk.server.reply(ftp::reply::noop_ok); ++i) continue;
    EXPECT_TRUE(talk.server.broken());
    EXPECT_EQ(talk.next(), Came::closed);
}

TEST(Connection, RecordsCommandsAndRepliesButNoPassword) {
    Conversation talk;
    std::string seen;
    talk.server.record_to([&](ipc::Event event, std::string_view text) {
        seen += event == ipc::Event::command ? '<' : '>';
        (seen += text) += '\n';
    });
    talk.server.record(ftp::parse_line("pass secret"));
    talk.server.record(ftp::parse_line("retr x"));
    talk.server.reply(ftp::with_message({250, "Done."}, "one\ntwo\n"));
    EXPECT_EQ(seen, "<PASS <password>\n<RETR x\n>250-one\n>250-two\n>250 Done.\n");
}

TEST(Connection, IsAbandonedOnlyWhenNothingIsLeftToAnswer) {
    Conversation talk;
    EXPECT_FALSE(talk.server.abandoned());
    talk.client.send("NOOP\r\n");
    talk.client.hang_up();
    EXPECT_FALSE(talk.server.abandoned());
    EXPECT_EQ(talk.next(), Came::line);
    EXPECT_TRUE(talk.server.abandoned());
}

}  // namespace
