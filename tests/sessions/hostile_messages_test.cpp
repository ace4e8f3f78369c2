// SPDX-License-Identifier: MIT
// Live greeters and sessions say to the supervisor what code could say that an attacker has brought
// in: each is ended for it, and nobody else notices.
#include "server/ipc/requests.hpp"
#include "tests/jail/observed.hpp"
#include "tests/sessions/conversation.hpp"
#include "tests/sessions/injector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace sessions;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

constexpr int channel = STDERR_FILENO + 1;  // everybody's

template <typename T>
std::string bytes_of(const T& value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string datagram(ipc::Type type, const std::string& body) {
    return bytes_of(ipc::Header{ipc::version, type, static_cast<std::uint32_t>(body.size())}) +
           body;
}

template <typename M>
std::string datagram(const M& message) {
    return datagram(M::type, bytes_of(message));
}

// What sendmsg(2) said.
long say(Injector& injector, const std::string& bytes, const std::vector<int>& descriptors = {}) {
    const auto room = descriptors.empty() ? 0 : CMSG_SPACE(sizeof(int) * descriptors.size());
    const auto size = sizeof(msghdr) + sizeof(iovec) + room + bytes.size();
    const auto place = injector.put(std::string(size, '\0'));
    const auto at = [place](std::size_t offset) {
        return reinterpret_cast<void*>(place + static_cast<long>(offset));
    };
    std::string control(room, '\0');
    msghdr message{};
    message.msg_iov = static_cast<iovec*>(at(sizeof(msghdr)));
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        message.msg_control = at(sizeof(msghdr) + sizeof(iovec));
        message.msg_controllen = room;
        cmsghdr rights{CMSG_LEN(sizeof(int) * descriptors.size()), SOL_SOCKET, SCM_RIGHTS};
        std::memcpy(control.data(), &rights, sizeof rights);
        std::memcpy(control.data() + CMSG_LEN(0), descriptors.data(),
                    sizeof(int) * descriptors.size());
    }
    const iovec part{at(sizeof(msghdr) + sizeof(iovec) + room), bytes.size()};
    (void)injector.put(bytes_of(message) + bytes_of(part) + control + bytes);
    return injector.ask(SYS_sendmsg, {channel, place, MSG_DONTWAIT}).result;
}

class HostileMessages : public testing::Test {
  protected:
    void SetUp() override {
#ifdef JAILFTPD_SANITIZED
        GTEST_SKIP() << "the injector's calls do not look the same there";
#endif
    }

    // Each from an address of its own: the server shuts out who crashes processes.
    std::string next_address() { return "127.2.0." + std::to_string(++clients_); }

    void expect_end(const Server& server, bool logged_in, const std::string& bytes,
                    const std::vector<int>& descriptors = {}) {
        const auto from = next_address();
        Conversation ftp(server, from);
        if (logged_in) {
            ASSERT_EQ(ftp.login(alice), "230 Login successful.");
        }
        const auto pid =
            server.process(logged_in ? "alice " + from + " [session]" : from + " [greeter]");
        {
            Injector injector(pid);
            ASSERT_EQ(injector.trouble(), "");
            // Or it has been killed by the time that it would know.
            EXPECT_THAT(say(injector, bytes, descriptors),
                        testing::AnyOf(static_cast<long>(bytes.size()), 0));
        }
        EXPECT_TRUE(eventually([&] { return server.processes(from).empty(); }));
    }

  private:
    int clients_ = 0;
};

// With a body of any size: that it may not be asked for is found out first.
std::vector<ipc::Type> all_types_but(const std::set<int>& allowed) {
    std::vector<ipc::Type> types;
    for (int each = 0; each < 100; ++each) {
        if (!allowed.contains(each)) types.push_back(static_cast<ipc::Type>(each));
    }
    types.push_back(static_cast<ipc::Type>(0xffff));
    return types;
}

int number(ipc::Type type) { return static_cast<int>(type); }

std::size_t descriptors_of(const Server& server) {
    return observed::Facts(server.pid()).descriptors().size();
}

const Lines lines = {"chroot_local_user=YES", "max_per_ip=0"};

}  // namespace

TEST_F(HostileMessages, ThatAreNotASessionsToSayEndIt) {
    const Server server(lines);
    Conversation other(server, alice);
    for (const auto type :
         all_types_but({number(ipc::Type::sign), number(ipc::Type::passive_open),
                        number(ipc::Type::passive_close), number(ipc::Type::active_open),
                        number(ipc::Type::give_away), number(ipc::Type::record),
                        number(ipc::Type::short_record), number(ipc::Type::name_of),
                        number(ipc::Type::home_of)})) {
        SCOPED_TRACE(number(type));
        expect_end(server, true, datagram(type, "body"));
    }
    server.complained("sent a request that it may not make, it is ended");
    EXPECT_THAT(other.say("PWD"), StartsWith("257"));
}

TEST_F(HostileMessages, ThatAreNotAGreetersToSayEndIt) {
    const Server server(lines);
    Conversation other(server, alice);
    for (const auto type :
         all_types_but({number(ipc::Type::authenticate), number(ipc::Type::sign),
                        number(ipc::Type::proof_part), number(ipc::Type::record)})) {
        SCOPED_TRACE(number(type));
        expect_end(server, false, datagram(type, "body"));
    }
    server.complained("sent a request that it may not make, it is ended");
    EXPECT_THAT(other.say("PWD"), StartsWith("257"));
}

TEST_F(HostileMessages, WhoseBodyIsNotTheirsEndIt) {
    const Server server(lines);
    for (const auto type : {ipc::Type::sign, ipc::Type::passive_open, ipc::Type::passive_close,
                            ipc::Type::active_open, ipc::Type::record, ipc::Type::short_record,
                            ipc::Type::name_of, ipc::Type::home_of}) {
        SCOPED_TRACE(number(type));
        expect_end(server, true, datagram(type, ""));
        expect_end(server, true, datagram(type, std::string(8000, '\xff')));
    }
    server.complained("sent a malformed request, it is ended");
    for (const auto type :
         {ipc::Type::authenticate, ipc::Type::sign, ipc::Type::proof_part, ipc::Type::record})
        expect_end(server, false, datagram(type, "\xff"));
}

TEST_F(HostileMessages, ThatAreNoneEndIt) {
    const Server server(lines);
    const ipc::PassiveOpen open{1};
    const auto good = datagram(open);
    auto other_version = good;
    other_version[0] = '\x7f';
    for (const auto& bytes : {std::string("x"), good.substr(0, good.size() - 1), good + "more",
                              other_version, std::string(20'000, '\x01')}) {
        SCOPED_TRACE(bytes.size());
        expect_end(server, true, bytes);
        expect_end(server, false, bytes);
    }
    server.complained("sent what is no message, or descriptors that nobody asked it for");
}

// A length that lies would have the supervisor read past the message.
TEST_F(HostileMessages, WhoseTextsAreLongerThanTheyAreEndIt) {
    const Server server(lines);
    ipc::Record record{};
    record.event = ipc::Event::upload;
    for (const auto length : {ipc::longest_path + 1, std::size_t{0xffffffff}}) {
        record.path.length = static_cast<std::uint32_t>(length);
        expect_end(server, true, datagram(record));
        expect_end(server, false, datagram(record));
    }
    ipc::Authenticate login{};
    login.user.length = 0x7fffffff;
    expect_end(server, false, datagram(login), {0});
    server.complained("sent a malformed re(quest|cord), it is ended");
}

// To close one is to wait for its file system, which may be one of the user's own making.
TEST_F(HostileMessages, WithDescriptorsEndIt) {
    const Server server(lines);
    Conversation other(server, alice);
    const auto before = descriptors_of(server);
    const auto record = datagram(ipc::Record{});
    const auto open = datagram(ipc::PassiveOpen{1});
    for (const std::size_t count : {1, 2, 12, 100}) {
        SCOPED_TRACE(count);
        expect_end(server, true, open, std::vector<int>(count, channel));
        expect_end(server, true, record, std::vector<int>(count, 0));
        expect_end(server, false, record, std::vector<int>(std::min<std::size_t>(count, 16), 0));
    }
    server.complained("sent what is no message, or descriptors that nobody asked it for");
    EXPECT_TRUE(eventually([&] { return descriptors_of(server) <= before; }))
        << descriptors_of(server) << " now, " << before << " at first";
    EXPECT_THAT(other.say("PWD"), StartsWith("257"));
}

// Another's socket would be logged in with a name and a password of the attacker's.
TEST_F(HostileMessages, WithAnotherSocketThanTheClientsAreNoLogin) {
    const Server server(lines);
    ipc::Authenticate login{};
    login.user.assign(alice.name);
    login.password.assign(alice.password);
    login.has_password = 1;
    expect_end(server, false, datagram(login), {channel});
    expect_end(server, false, datagram(login), {0});
    expect_end(server, false, datagram(login));
    server.complained("sent a malformed request, it is ended");
    EXPECT_THAT(server.log(), testing::Not(HasSubstr("OK LOGIN")));
}

// Its answers are not kept without end.
TEST_F(HostileMessages, WithoutAnEarForTheAnswersEndIt) {
    const Server server(lines);
    Conversation other(server, alice);
    const auto from = next_address();
    Conversation ftp(server, from);
    ASSERT_EQ(ftp.login(alice), "230 Login successful.");
    const auto open = datagram(ipc::PassiveOpen{1});
    {
        Injector injector(server.process("alice " + from + " [session]"));
        ASSERT_EQ(injector.trouble(), "");
        for (int i = 0; i < 20'000; ++i) {
            const auto sent = say(injector, open);
            if (sent <= 0 && sent != -EAGAIN) break;  // it has been ended
        }
    }
    server.complained("does not read its answers, it is ended");
    EXPECT_TRUE(eventually([&] { return server.processes(from).empty(); }));
    EXPECT_THAT(other.say("PWD"), StartsWith("257"));
    EXPECT_THAT(other.list(), testing::Not(testing::IsEmpty()));
}

TEST_F(HostileMessages, DoNotFillTheAdministratorsLog) {
    const Server server(lines);
    const auto from = next_address();
    Conversation ftp(server, from);
    ASSERT_EQ(ftp.login(alice), "230 Login successful.");
    ipc::Record record{};
    record.event = ipc::Event::warning;
    record.path.assign("all is well\nJan  1 00:00:00 jailftpd: \x1b[2J FAIL LOGIN");
    {
        Injector injector(server.process("alice " + from + " [session]"));
        ASSERT_EQ(injector.trouble(), "");
        for (int i = 0; i < 300; ++i) {
            EXPECT_TRUE(eventually([&] { return say(injector, datagram(record)) > 0; }));
        }
    }
    server.complained("its further warnings are not logged");
    EXPECT_THAT(ftp.say("PWD"), StartsWith("257"));
    const auto said = lines_of(server.errors());
    const auto forged = std::count_if(said.begin(), said.end(), [](const std::string& line) {
        return line.find("all is well") != line.npos;
    });
    EXPECT_EQ(forged, 100);
    for (const auto& line : said) {
        EXPECT_THAT(line, testing::Not(StartsWith("Jan")));
        EXPECT_EQ(line.find('\x1b'), line.npos);
    }
}

// One line each, whatever is in the names.
TEST_F(HostileMessages, ForgeNoLineOfTheLogs) {
    const Server server({"chroot_local_user=YES", "xferlog_enable=YES", "dual_log_enable=YES"});
    Conversation ftp(server, alice);
    ipc::Record record{};
    record.event = ipc::Event::upload;
    record.success = 1;
    record.path.assign(
        "/a\nThu Jan  1 00:00:00 1970 1 9.9.9.9 1 /forged b _ o r root ftp 0 * c\r\x1b[2J\"");
    {
        Injector injector(server.process("alice 127.0.0.1 [session]"));
        ASSERT_EQ(injector.trouble(), "");
        ASSERT_GT(say(injector, datagram(record)), 0);
    }
    server.logged("OK UPLOAD");
    for (const auto& text : {server.log(), server.xferlog()}) {
        ASSERT_THAT(text, HasSubstr("forged"));
        for (const auto& line : lines_of(text)) {
            EXPECT_EQ(line.find_first_of("\r\x1b"), line.npos) << line;
            EXPECT_THAT(line, testing::Not(StartsWith("Thu Jan  1 00:00:00 1970")));
        }
    }
    EXPECT_THAT(ftp.say("PWD"), StartsWith("257"));
}
