// SPDX-License-Identifier: MIT
// Answers of the supervisor's that cross a session's next request: none is taken for another's.
#include "session/broker_client.hpp"

#include "session/transfer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>
#include <variant>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using session::BrokerClient;

constexpr std::chrono::seconds patience{5};

class Nobody : public session::Watch {
    [[nodiscard]] int fd() const override { return -1; }
    [[nodiscard]] bool on_readable() override { return true; }
};

// Told apart by what they are.
base::Fd connection(const char* device) { return base::Fd{::open(device, O_RDONLY | O_CLOEXEC)}; }

bool is(const BrokerClient::Connected& connected, const char* device) {
    const auto* socket = std::get_if<base::Fd>(&connected);
    struct stat one {};
    struct stat other {};
    return socket != nullptr && ::fstat(socket->get(), &one) == 0 && ::stat(device, &other) == 0 &&
           one.st_rdev == other.st_rdev;
}

class AnswersThatCross : public testing::Test {
  protected:
    AnswersThatCross() : AnswersThatCross(ipc::Channel::pair().value()) {}
    explicit AnswersThatCross(std::pair<ipc::Channel, ipc::Channel> ends)
        : broker(std::move(ends.first)), client(std::move(ends.second)) {}

    template <typename Request>
    Request asked() {
        const auto message = broker.wait(5000);
        const auto* request = message ? message.value().as<Request>() : nullptr;
        EXPECT_NE(request, nullptr);
        return request != nullptr ? *request : Request{};
    }
    void connect(std::uint32_t sequence, std::uint16_t next_port, const char* device) {
        const auto socket = connection(device);
        const int numbers[] = {socket.get()};
        ASSERT_TRUE(broker.send(ipc::DataConnected{sequence, next_port, 0}, numbers));
    }

    // PASV and a transfer; the broker listens ahead then, for the number behind this one's.
    std::uint32_t transfer() {
        std::uint32_t sequence = 0;
        std::thread supervisor([&] {
            sequence = asked<ipc::PassiveOpen>().sequence;
            EXPECT_TRUE(broker.send(ipc::Listening{sequence, 40001, 0, {}}));
            connect(sequence, 40002, "/dev/null");
        });
        const auto listening = client.listen();
        EXPECT_TRUE(listening && listening.value().port == 40001);
        EXPECT_TRUE(is(client.accepted(patience, nobody), "/dev/null"));
        supervisor.join();
        EXPECT_TRUE(client.listens_ahead());
        return sequence;
    }

    ipc::Channel broker;
    BrokerClient client;
    Nobody nobody;
};

}  // namespace

TEST_F(AnswersThatCross, APortAheadIsTheNextOnes) {
    const auto sequence = transfer();
    const auto next = client.listen();
    ASSERT_TRUE(next);
    EXPECT_EQ(next.value().port, 40002);
    connect(sequence + 1, 0, "/dev/zero");
    EXPECT_TRUE(is(client.accepted(patience, nobody), "/dev/zero"));
}

// Somebody came to the port ahead in the moment when the client wanted to be connected to.
TEST_F(AnswersThatCross, AnActiveConnectionIsNobodyElses) {
    for (const bool fails : {false, true}) {
        const auto sequence = transfer();
        if (fails)
            ASSERT_TRUE(broker.send(ipc::DataFailed{sequence + 1, ipc::DataFailure::wrong_peer}));
        else
            connect(sequence + 1, 40003, "/dev/zero");
        std::thread supervisor([&] { connect(asked<ipc::ActiveOpen>().sequence, 0, "/dev/full"); });
        EXPECT_TRUE(is(client.connect({}, nobody), "/dev/full")) << fails;
        supervisor.join();
        EXPECT_FALSE(client.listens_ahead());
    }
}

// And in the moment when the session stopped to listen: the port behind it is closed as well.
TEST_F(AnswersThatCross, AClosedPortIsNotTold) {
    const auto sequence = transfer();
    connect(sequence + 1, 40003, "/dev/zero");
    client.stop_listening();
    (void)asked<ipc::PassiveClose>();
    while (client.receive() && !client.stopping()) {
        pollfd more{client.fd(), POLLIN, 0};
        if (::poll(&more, 1, 0) <= 0) break;
    }
    EXPECT_FALSE(client.listens_ahead());
    std::thread supervisor([&] {
        const auto request = asked<ipc::PassiveOpen>();
        EXPECT_TRUE(broker.send(ipc::Listening{request.sequence, 40004, 0, {}}));
        connect(request.sequence, 0, "/dev/full");
    });
    const auto next = client.listen();
    EXPECT_TRUE(next && next.value().port == 40004);
    EXPECT_TRUE(is(client.accepted(patience, nobody), "/dev/full"));
    supervisor.join();
}

// The client has connected and takes its time for the command.
TEST_F(AnswersThatCross, AConnectionIsKeptWhenTheNextPortIsClosed) {
    std::uint32_t sequence = 0;
    std::thread supervisor([&] {
        sequence = asked<ipc::PassiveOpen>().sequence;
        EXPECT_TRUE(broker.send(ipc::Listening{sequence, 40001, 0, {}}));
        connect(sequence, 40002, "/dev/null");
    });
    ASSERT_TRUE(client.listen());
    supervisor.join();
    EXPECT_TRUE(client.receive());
    EXPECT_TRUE(client.listens_ahead());
    client.stop_listening_ahead();
    (void)asked<ipc::PassiveClose>();
    EXPECT_FALSE(client.listens_ahead());
    connect(sequence + 1, 40003, "/dev/zero");  // has crossed it
    EXPECT_TRUE(client.receive());
    EXPECT_FALSE(client.listens_ahead());
    EXPECT_TRUE(is(client.accepted(patience, nobody), "/dev/null"));
}
