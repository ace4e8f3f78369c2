// SPDX-License-Identifier: MIT
// Channels between two processes, one of which may be hostile.
#include "ipc/channel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using base::Fd;
using ipc::Channel;

std::size_t open_descriptors() {
    std::size_t count = 0;
    auto* directory = ::opendir("/proc/self/fd");
    while (::readdir(directory) != nullptr) ++count;
    ::closedir(directory);
    return count;
}

struct Channels : testing::Test {
    Channel ours, theirs;

    void SetUp() override {
        auto ends = Channel::pair();
        ASSERT_TRUE(ends);
        ours = std::move(ends.value().first);
        theirs = std::move(ends.value().second);
    }

    // What a hostile peer sends: any bytes, any number of descriptors.
    void send_raw(const std::string& bytes, std::size_t descriptors = 0) const {
        std::vector<int> numbers(descriptors, 0);
        std::vector<char> control(CMSG_SPACE(sizeof(int) * descriptors));
        iovec part{const_cast<char*>(bytes.data()), bytes.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        if (descriptors > 0) {
            message.msg_control = control.data();
            message.msg_controllen = control.size();
            auto* rights = CMSG_FIRSTHDR(&message);
            rights->cmsg_level = SOL_SOCKET;
            rights->cmsg_type = SCM_RIGHTS;
            rights->cmsg_len = CMSG_LEN(sizeof(int) * descriptors);
            std::memcpy(CMSG_DATA(rights), numbers.data(), sizeof(int) * descriptors);
        }
        ASSERT_EQ(::sendmsg(theirs.fd(), &message, 0), static_cast<ssize_t>(bytes.size()));
    }

    template <typename M>
    static std::string datagram(const M& body, ipc::Header header) {
        std::string bytes(sizeof header + sizeof body, '\0');
        std::memcpy(bytes.data(), &header, sizeof header);
        std::memcpy(bytes.data() + sizeof header, &body, sizeof body);
        return bytes;
    }

    int error() { return ours.receive().error().number; }
};

const ipc::Stop stop{30, 0};
const ipc::Header good{ipc::version, ipc::Type::stop, sizeof(ipc::Stop)};

TEST_F(Channels, CarryMessages) {
    ASSERT_TRUE(ours.send(stop));
    const auto message = theirs.receive();
    ASSERT_TRUE(message);
    EXPECT_EQ(message.value().type(), ipc::Type::stop);
    ASSERT_NE(message.value().as<ipc::Stop>(), nullptr);
    EXPECT_EQ(message.value().as<ipc::Stop>()->grace, 30U);
    EXPECT_EQ(message.value().as<ipc::Spawn>(), nullptr) << "of another type";
    EXPECT_THAT(message.value().descriptors, testing::IsEmpty());
}

TEST_F(Channels, KeepMessagesApartAndInOrder) {
    for (std::uint32_t each = 1; each <= 3; ++each) ASSERT_TRUE(ours.send(ipc::Stop{each, 0}));
    for (std::uint32_t each = 1; each <= 3; ++each)
        EXPECT_EQ(theirs.receive().value().as<ipc::Stop>()->grace, each);
}

TEST_F(Channels, NeitherSurviveExecNorBlock) {
    EXPECT_NE(::fcntl(ours.fd(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_NE(::fcntl(theirs.fd(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(error(), EAGAIN);
    base::Result<void> sent = base::success();
    while (sent) sent = ours.send(stop);
    EXPECT_EQ(sent.error().number, EAGAIN);
}

TEST_F(Channels, PassDescriptors) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    {
        const Fd reading{ends[0]}, writing{ends[1]};
        const std::array numbers{reading.get(), writing.get()};
        ASSERT_TRUE(ours.send(stop, numbers));
    }
    auto message = theirs.receive();
    ASSERT_TRUE(message);
    auto& passed = message.value().descriptors;
    ASSERT_EQ(passed.size(), 2U);
    EXPECT_NE(::fcntl(passed[0].get(), F_GETFD) & FD_CLOEXEC, 0);
    ASSERT_EQ(::write(passed[1].get(), "x", 1), 1);
    char byte = 0;
    EXPECT_EQ(::read(passed[0].get(), &byte, 1), 1);
    EXPECT_EQ(byte, 'x');
}

TEST_F(Channels, CloseDescriptorsThatNobodyTakes) {
    const auto before = open_descriptors();
    send_raw(datagram(stop, good), 3);
    {
        const auto message = ours.receive();
        EXPECT_EQ(message.value().descriptors.size(), 3U);
        EXPECT_EQ(open_descriptors(), before + 3);
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Channels, SendNoMoreDescriptorsThanTheOtherSideTakes) {
    const std::vector<int> many(ipc::most_descriptors + 1, 0);
    EXPECT_EQ(ours.send(stop, many).error().number, E2BIG);
}

TEST_F(Channels, RefuseTooManyDescriptorsAndKeepNone) {
    const auto before = open_descriptors();
    send_raw(datagram(stop, good), ipc::most_descriptors + 3);
    EXPECT_EQ(error(), EPROTO);
    EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Channels, TakeNoMoreDescriptorsThanAreExpected) {
    const auto before = open_descriptors();
    for (const std::size_t most : {0, 1, 2}) {
        send_raw(datagram(stop, good), most);
        EXPECT_EQ(ours.receive(most).value().descriptors.size(), most);
        send_raw(datagram(stop, good), most + 1);
        const auto message = ours.receive(most);
        EXPECT_EQ(message ? 0 : message.error().number, EPROTO) << most;
        EXPECT_EQ(open_descriptors(), before);
    }
}

TEST_F(Channels, CloseWhatCameWithAMalformedMessage) {
    const auto before = open_descriptors();
    send_raw("x", 2);
    EXPECT_EQ(error(), EPROTO);
    EXPECT_EQ(open_descriptors(), before);
}

// The kernel tells of that ahead of what the peer had sent.
TEST_F(Channels, BringTheLastWordsOfAPeerThatHasNotReadOurs) {
    const auto say = [](Channel& end, std::uint32_t word) {
        return end.send(ipc::Stop{word, 0}).has_value();
    };
    ASSERT_TRUE(say(ours, 0));
    for (const std::uint32_t word : {1U, 2U}) ASSERT_TRUE(say(theirs, word));
    theirs = Channel{Fd{}};
    for (const std::uint32_t word : {1U, 2U}) {
        const auto said = ours.receive();
        ASSERT_TRUE(said) << said.error().text();
        EXPECT_EQ(said.value().as<ipc::Stop>()->grace, word);
    }
    const auto gone = ours.receive();
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().number, ECONNRESET);
}

TEST_F(Channels, NoticeThatThePeerIsGone) {
    ASSERT_TRUE(theirs.send(stop));
    theirs.close();
    EXPECT_TRUE(ours.receive()) << "what it said before still counts";
    EXPECT_EQ(error(), ECONNRESET);
    EXPECT_EQ(ours.wait(-1).error().number, ECONNRESET);
    EXPECT_EQ(ours.send(stop).error().number, EPIPE) << "and no signal";
}

TEST_F(Channels, RefuseOtherVersions) {
    send_raw(datagram(stop, {ipc::version + 1, ipc::Type::stop, sizeof(ipc::Stop)}));
    EXPECT_EQ(error(), EPROTO);
}

TEST_F(Channels, RefuseSizesThatAreNotTrue) {
    for (const std::uint32_t size : {0U, 3U, 5U, 0xFFFFFFFFU}) {
        send_raw(datagram(stop, {ipc::version, ipc::Type::stop, size}));
        EXPECT_EQ(error(), EPROTO) << size;
    }
    const auto whole = datagram(stop, good);
    for (std::size_t size = 1; size < whole.size(); ++size) {
        send_raw(whole.substr(0, size));
        EXPECT_EQ(error(), EPROTO) << size;
    }
    send_raw(whole);
    EXPECT_TRUE(ours.receive());
}

TEST_F(Channels, RefuseMessagesThatAreTooLarge) {
    const auto size = static_cast<std::uint32_t>(ipc::largest_message + 1);
    std::string bytes(sizeof(ipc::Header) + size, '\0');
    const ipc::Header header{ipc::version, ipc::Type::stop, size};
    std::memcpy(bytes.data(), &header, sizeof header);
    send_raw(bytes);
    EXPECT_EQ(error(), EPROTO);
    send_raw(datagram(stop, good));
    EXPECT_TRUE(ours.receive()) << "the next one is read from its own start";
}

TEST_F(Channels, DoNotTakeAStructOfAnotherSizeForOneOfTheirs) {
    send_raw(datagram(ipc::Spawn{}, {ipc::version, ipc::Type::stop, sizeof(ipc::Spawn)}));
    const auto message = ours.receive();
    ASSERT_TRUE(message);
    EXPECT_EQ(message.value().as<ipc::Stop>(), nullptr);
}

TEST_F(Channels, WaitNoLongerThanTheyAreTold) {
    EXPECT_EQ(ours.wait(1).error().number, ETIMEDOUT);
    ASSERT_TRUE(theirs.send(stop));
    EXPECT_TRUE(ours.wait(0));
}

TEST_F(Channels, WaitUntilAMessageFits) {
    while (ours.send(ipc::Stop{1, 0})) {
    }
    std::thread reader([&] {
        while (theirs.wait(10000).value().as<ipc::Stop>()->grace == 1) {
        }
    });
    EXPECT_TRUE(ours.send_waiting(ipc::Stop{2, 0}));
    reader.join();
}

TEST_F(Channels, CarryWhatIsToBeSignedWithoutAByteMore) {
    ipc::SignFor request{};
    request.id = 7;
    request.what.key[31] = 0xFF;
    request.what.kind = ipc::Handshake::certificate_verify;
    request.what.hash.assign(std::string(32, 'h'));
    ASSERT_TRUE(ours.send(request));
    const auto message = theirs.receive();
    ASSERT_TRUE(message);
    EXPECT_EQ(message.value().as<ipc::Sign>(), nullptr) << "that is another hop";
    const auto* arrived = message.value().as<ipc::SignFor>();
    ASSERT_NE(arrived, nullptr);
    EXPECT_EQ(std::memcmp(arrived, &request, sizeof request), 0);
}

// The kernel counts a user's descriptors on their way over all processes of that user
// (ETOOMANYREFS, unix(7)).
TEST_F(Channels, WaitWhileTheirUsersDescriptorsAreOnTheirWay) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        constexpr uid_t nobody = 65534;
        if (::geteuid() == 0 && ::setresuid(nobody, nobody, nobody) != 0) ::_exit(2);
        constexpr rlimit few{16, 16};
        if (::setrlimit(RLIMIT_NOFILE, &few) != 0) ::_exit(3);
        const std::array one{ours.fd()};
        int number = 0;
        for (int i = 0; i < 100 && number == 0; ++i) {
            const auto sent = ours.send(ipc::Stop{}, one);
            if (!sent) number = sent.error().number;
        }
        if (number != ETOOMANYREFS) ::_exit(4);
        std::thread reader([this] {
            ::usleep(20'000);
            while (theirs.receive()) {
            }
        });
        const bool sent = static_cast<bool>(ours.send_waiting(ipc::Stop{}, one));
        reader.join();
        ::_exit(sent ? 0 : 5);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "exit code " << WEXITSTATUS(status);
}

TEST(Numbers, OfSigningDoNotChange) {
    EXPECT_EQ(static_cast<int>(ipc::Sign::type), 32);
    EXPECT_EQ(static_cast<int>(ipc::Signed::type), 33);
    EXPECT_EQ(static_cast<int>(ipc::SignFor::type), 45);
    EXPECT_EQ(static_cast<int>(ipc::SignedFor::type), 46);
    EXPECT_EQ(static_cast<int>(ipc::SignerReady::type), 47);
}

TEST(Signatures, OfTheLargestKeyFitIntoAMessage) {
    EXPECT_EQ(ipc::longest_signature * 8, 8192U);
    EXPECT_LE(sizeof(ipc::SignedFor) + sizeof(ipc::Header), ipc::largest_message);
}

TEST(Text, IsCutByTheSenderAndNeverReadBeyondItsEnd) {
    ipc::Text<4> text{};
    text.assign("12345");
    EXPECT_EQ(text.view(), "1234");
    text.assign("");
    EXPECT_EQ(text.view(), "");
    text.length = 5;
    EXPECT_FALSE(text.valid());
    EXPECT_EQ(text.view(), "");
}

}  // namespace
