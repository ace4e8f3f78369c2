// SPDX-License-Identifier: MIT
// Options one by one: what each changes, seen from a client, the logs, /proc or the kernel (whole
// sessions).
#include "tests/sessions/conversation.hpp"
#include "tests/sessions/syslog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <iterator>
#include <sstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sessions;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto welcome = "230 Login successful.";

}  // namespace

// ----- log_die

TEST(LogDie, TellsSyslogWhatEndedASession) {
    make_folder(home_of(bob), bob.uid);
    Syslog syslog;
    Server server({"log_die=YES", "chroot_local_user=YES"});
    const auto oops = "500 OOPS: vsftpd: refusing to run with writable root inside chroot()";
    EXPECT_EQ(Conversation(server).login(bob), oops);
    EXPECT_TRUE(syslog.says("vsftpd["));
    EXPECT_TRUE(syslog.says(
        "[bob] OOPS: Client \"127.0.0.1\", \"vsftpd: refusing to run with writable root inside "
        "chroot()\""))
        << syslog.said();
    EXPECT_THAT(syslog.said(), StartsWith("<92>")) << "facility FTP, a warning";
    EXPECT_THAT(server.log(), Not(HasSubstr("OOPS")));
}

TEST(LogDie, TellsSyslogWhyALoginWasBroken) {
    Syslog syslog;
    Server server({"log_die=YES"});
    EXPECT_THAT(Conversation(server).login(homeless), StartsWith("500 OOPS: cannot change"));
    EXPECT_TRUE(syslog.says("OOPS: Client \"127.0.0.1\", \"cannot change directory:"));
}

TEST(LogDie, SaysNothingUnlessItIsOn) {
    make_folder(home_of(bob), bob.uid);
    Syslog syslog;
    Server server({"chroot_local_user=YES"});
    EXPECT_THAT(Conversation(server).login(bob), StartsWith("500 OOPS"));
    EXPECT_EQ(Conversation(server).login(alice), welcome);
    EXPECT_THAT(syslog.said(), IsEmpty());
}

// ----- reverse_lookup_enable

class ReverseLookupEnable : public testing::Test {
  protected:
    void SetUp() override {
        write_file("/etc/hosts",
                   "127.0.0.1 localhost\n127.0.0.2 near.example.org near\n"
                   "127.0.0.9 liar.example.org\n127.0.0.4 liar.example.org\n");
        write_file("/etc/host.conf", "multi off\n");  // a name has one address
        // Writes down what PAM was told.
        write_file(place("told"),
                   "#!/bin/sh\necho \"$PAM_RHOST\" >" + place("host").string() + "\n", 0, 0755);
        write_file("/etc/pam.d/vsftpd", "auth optional pam_exec.so quiet " +
                                            place("told").string() +
                                            "\nauth required pam_unix.so nodelay\n"
                                            "account required pam_permit.so\n");
    }
    void TearDown() override {
        write_file("/etc/hosts", "127.0.0.1 localhost\n");
        std::filesystem::remove("/etc/host.conf");
    }

    static std::string told(const Server& server, const std::string& from) {
        Conversation ftp(server, from);
        EXPECT_EQ(ftp.login(alice), welcome);
        return content_of(place("host"));
    }
};

TEST_F(ReverseLookupEnable, GivesPamTheNameOfTheClient) {
    Server server({"reverse_lookup_enable=YES"});
    EXPECT_EQ(told(server, "127.0.0.2"), "near.example.org\n");
    EXPECT_EQ(told(server, "127.0.0.3"), "127.0.0.3\n") << "it has no name";
}

TEST_F(ReverseLookupEnable, GivesPamTheAddressOtherwise) {
    Server server;
    EXPECT_EQ(told(server, "127.0.0.2"), "127.0.0.2\n");
}

// Its address says that it is liar.example.org, which has another one.
TEST_F(ReverseLookupEnable, BelievesNoNameThatDoesNotLeadBack) {
    Server server({"reverse_lookup_enable=YES"});
    EXPECT_EQ(told(server, "127.0.0.4"), "127.0.0.4\n");
}

// ----- listening at several addresses ([server] listen)

namespace {

std::string greeting_at(const std::string& address, std::uint16_t port) {
    const auto socket = connect_to({address, port});
    if (!socket) return "(refused)";
    const timeval limit{patience.count(), 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char bytes[256];
    const auto count = ::recv(socket.get(), bytes, sizeof bytes, 0);
    return {bytes, count > 0 ? static_cast<std::size_t>(count) : 0};
}

std::string listening_at(const std::string& addresses) {
    return "[server]\nlisten = " + addresses + "\n";
}

}  // namespace

TEST(ServerListen, AddsAddressesOfBothFamilies) {
    Server server({}, {.ini = listening_at("127.0.0.2:3201, [::1]:3202 127.0.0.3:3203")});
    EXPECT_THAT(Conversation(server).greeting, StartsWith("220"));
    for (const auto& [address, port] :
         {std::pair{"127.0.0.2", 3201}, {"::1", 3202}, {"127.0.0.3", 3203}})
        EXPECT_THAT(greeting_at(address, static_cast<std::uint16_t>(port)), StartsWith("220"))
            << address;
    EXPECT_EQ(greeting_at("127.0.0.2", 3203), "(refused)");
}

TEST(ServerListen, IsEnoughByItself) {
    Server server({"listen=NO"}, {.ini = listening_at("127.0.0.1:3204"), .port = 3204});
    EXPECT_THAT(Conversation(server).greeting, StartsWith("220"));
    EXPECT_FALSE(server.processes("LISTENER").empty());
}

TEST(ServerListen, TakesAnyAddressOfEachFamilyBesideTheOther) {
    Server server({"listen=NO"}, {.ini = listening_at("0.0.0.0:3205 [::]:3205"), .port = 3205});
    EXPECT_THAT(greeting_at("127.0.0.1", 3205), StartsWith("220"));
    EXPECT_THAT(greeting_at("::1", 3205), StartsWith("220"));
}

TEST(ServerListen, CountsClientsOfAllAddressesTogether) {
    Server server({"max_per_ip=1"}, {.ini = listening_at("127.0.0.2:3206")});
    Conversation first(server);
    EXPECT_THAT(greeting_at("127.0.0.2", 3206), StartsWith("421 There are too many connections"));
}

TEST(ServerListen, StopsAStartWhereItCannotListen) {
    const auto taken = listen_at({"127.0.0.1", 3207});
    const auto path = place("x.conf");
    write_file(path, "listen=NO\nlocal_enable=YES\nanonymous_enable=NO\n");
    write_file(place("x.ini"), listening_at("127.0.0.2:3207 127.0.0.1:3207"));
    const auto ran = run({path_of(Program::jailftpd), path, "--ini", place("x.ini")});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("could not bind listening IPv4 socket to 127.0.0.1:3207"));
    write_file(place("x.ini"), listening_at("127.0.0.1"));
    const auto wrong = run({path_of(Program::jailftpd), path, "--ini", place("x.ini")});
    EXPECT_EQ(wrong.status, 2);
    EXPECT_THAT(wrong.err, HasSubstr("x.ini:2: error: \"127.0.0.1\" is no address with a port"));
}

TEST(ServerListen, ChangesOnReloadWhatHasChangedAndNothingElse) {
    Server server({}, {.ini = listening_at("127.0.0.2:3208 127.0.0.3:3208")});
    // Who waits at a place that stays is served there: its socket is the same one.
    const auto inode = [](const std::string& address) {
        std::istringstream lines(content_of("/proc/net/tcp"));
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words(line);
            std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
            if (fields.size() > 9 && fields[1] == address && fields[3] == "0A") return fields[9];
        }
        return std::string("(none)");
    };
    const auto before = inode("0200007F:0C88");
    ASSERT_NE(before, "(none)");
    server.rewrite_ini(listening_at("127.0.0.2:3208 127.0.0.4:3208"));
    server.signal(SIGHUP);
    server.complained("configuration reloaded");
    EXPECT_THAT(greeting_at("127.0.0.4", 3208), StartsWith("220"));
    EXPECT_EQ(greeting_at("127.0.0.3", 3208), "(refused)");
    EXPECT_EQ(inode("0200007F:0C88"), before);
    EXPECT_THAT(greeting_at("127.0.0.2", 3208), StartsWith("220"));
}

// 0.0.0.0 and an address of its own exclude each other, but not for the moment of the change.
TEST(ServerListen, MayNarrowAndWidenOnReload) {
    Server server({"listen=NO"}, {.ini = listening_at("0.0.0.0:3209"), .port = 3209});
    for (const auto* next : {"127.0.0.2:3209 127.0.0.1:3209", "0.0.0.0:3209", "[::1]:3209"}) {
        server.rewrite_ini(listening_at(next));
        server.signal(SIGHUP);
        const std::string address = std::string(next).starts_with("[") ? "::1" : "127.0.0.2";
        EXPECT_TRUE(eventually([&] { return greeting_at(address, 3209).starts_with("220"); }))
            << next;
        const std::string other = address == "::1" ? "127.0.0.2" : "127.0.0.3";
        const bool wide = std::string(next).starts_with("0.0.0.0");
        EXPECT_TRUE(eventually([&] { return greeting_at(other, 3209).starts_with("220") == wide; }))
            << next;
    }
}

TEST(ServerListen, StaysAsItWasWhenTheNewOneCannotBe) {
    const auto taken = listen_at({"127.0.0.5", 3210});
    Server server({}, {.ini = listening_at("127.0.0.2:3210")});
    server.rewrite_ini(listening_at("127.0.0.4:3210 127.0.0.5:3210"));
    server.signal(SIGHUP);
    server.complained("reload failed: could not bind listening IPv4 socket to 127.0.0.5:3210");
    EXPECT_THAT(greeting_at("127.0.0.2", 3210), StartsWith("220"));
    EXPECT_EQ(greeting_at("127.0.0.4", 3210), "(refused)");
}

// ----- inetd's connections for the server that runs ([server] handover)

namespace {

// A server that inetd starts: its end of a connection on descriptor 0.
class Inetd {
  public:
    Inetd(const std::string& ini, std::uint16_t port, const std::string& lines = {}) : port_(port) {
        write_file(place("inetd.conf"),
                   "local_enable=YES\nanonymous_enable=NO\nxferlog_enable=NO\n"
                   "ftpd_banner=by inetd\nsecure_chroot_dir=/run/vsftpd/empty\n" +
                       lines);
        write_file(place("inetd.ini"), ini);
        listener_ = listen_at({"127.0.0.1", port});
    }
    // The client's end; the server's exit code is status() later.
    base::Fd start() {
        auto mine = connect_to({"127.0.0.1", port_});
        const timeval limit{patience.count(), 0};
        ::setsockopt(mine.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        const base::Fd accepted{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(accepted.get(), 0);
            ::dup2(accepted.get(), 1);
            ::execl(path_of(Program::jailftpd).c_str(), "jailftpd", place("inetd.conf").c_str(),
                    "--ini", place("inetd.ini").c_str(), nullptr);
            ::_exit(127);
        }
        return mine;
    }
    // -1: it still runs.
    [[nodiscard]] int status(std::chrono::milliseconds how_long = patience) const {
        int status = 0;
        if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, how_long))
            return -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    static std::string line_of(const base::Fd& socket) {
        std::string line;
        char byte = 0;
        while (::recv(socket.get(), &byte, 1, 0) == 1 && byte != '\n') line += byte;
        return line;
    }

  private:
    std::uint16_t port_;
    base::Fd listener_;
    pid_t pid_ = -1;
};

std::string handover_at(const std::string& path) { return "[server]\nhandover = " + path + "\n"; }

}  // namespace

TEST(ServerHandover, GivesInetdsConnectionToTheServerThatRuns) {
    const auto path = place("handover").string();
    Server server({"ftpd_banner=by the daemon", "max_per_ip=1"}, {.ini = handover_at(path)});
    EXPECT_EQ(mode_of(path), 0600U);
    EXPECT_EQ(owner_of(path), 0U);
    Inetd inetd(handover_at(path), 3301);
    auto client = inetd.start();
    EXPECT_EQ(inetd.status(), 0);
    EXPECT_EQ(Inetd::line_of(client), "220 by the daemon\r");
    server.logged("CONNECT: Client \"127\\.0\\.0\\.1\"");
    // And it counts.
    const auto another = inetd.start();
    EXPECT_EQ(inetd.status(), 0);
    EXPECT_THAT(Inetd::line_of(another), StartsWith("421 There are too many connections"));
    client.close();
    EXPECT_TRUE(eventually([&] { return Conversation(server).greeting.starts_with("220"); }));
}

TEST(ServerHandover, ServesAWholeSession) {
    const auto path = place("handover").string();
    Server server({}, {.ini = handover_at(path)});
    Inetd inetd(handover_at(path), 3302);
    const auto client = inetd.start();
    EXPECT_EQ(inetd.status(), 0);
    EXPECT_THAT(Inetd::line_of(client), StartsWith("220"));
    const auto say = [&](const std::string& line) {
        (void)::send(client.get(), (line + "\r\n").data(), line.size() + 2, MSG_NOSIGNAL);
        return Inetd::line_of(client);
    };
    EXPECT_THAT(say("USER alice"), StartsWith("331"));
    EXPECT_THAT(say("PASS wonderland"), StartsWith("230"));
    EXPECT_THAT(say("QUIT"), StartsWith("221"));
    EXPECT_EQ(Inetd::line_of(client), "") << "and nobody holds the connection";
}

TEST(ServerHandover, LeavesItToInetdsServerWhereNoneRuns) {
    const auto path = place("handover").string();
    Inetd inetd(handover_at(path), 3303);
    {
        const auto client = inetd.start();
        EXPECT_EQ(Inetd::line_of(client), "220 by inetd\r");
    }
    EXPECT_EQ(inetd.status(), 0);
    // Nor where somebody listens who does not answer.
    sockaddr_un here{};
    here.sun_family = AF_UNIX;
    path.copy(here.sun_path, sizeof here.sun_path - 1);
    const base::Fd silent{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    ASSERT_EQ(::bind(silent.get(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    ASSERT_EQ(::listen(silent.get(), 1), 0);
    {
        const auto client = inetd.start();
        EXPECT_EQ(Inetd::line_of(client), "220 by inetd\r");
    }
    EXPECT_EQ(inetd.status(), 0);
}

TEST(ServerHandover, ReplacesWhatADeadServerLeftAndNothingElse) {
    const auto path = place("handover").string();
    {
        Server server({}, {.ini = handover_at(path), .cleanly = false});
        server.signal(SIGKILL);
        server.wait();
        EXPECT_TRUE(eventually([] { return processes("jailftpd").empty(); }));
    }
    EXPECT_TRUE(std::filesystem::exists(path));
    {
        Server server({}, {.ini = handover_at(path)});
        // While it runs, no other takes its place.
        write_file(place("x.conf"),
                   "listen=YES\nlisten_port=3304\nlocal_enable=YES\nanonymous_enable=NO\n");
        write_file(place("x.ini"), handover_at(path));
        const auto ran =
            run({path_of(Program::jailftpd), place("x.conf"), "--ini", place("x.ini")});
        EXPECT_EQ(ran.status, 2);
        EXPECT_THAT(ran.err, HasSubstr("another server listens at " + path));
    }
    EXPECT_FALSE(std::filesystem::exists(path)) << "an orderly end takes it along";
    write_file(path, "precious");
    const auto ran = run({path_of(Program::jailftpd), place("x.conf"), "--ini", place("x.ini")});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr(path + " is there and is no socket"));
    EXPECT_EQ(content_of(path), "precious");
}

TEST(ServerHandover, MovesOnReload) {
    const auto before = place("before").string();
    const auto after = place("after").string();
    Server server({"ftpd_banner=by the daemon"}, {.ini = handover_at(before)});
    server.rewrite_ini(handover_at(after));
    server.signal(SIGHUP);
    server.complained("configuration reloaded");
    EXPECT_FALSE(std::filesystem::exists(before));
    Inetd inetd(handover_at(after), 3305);
    const auto client = inetd.start();
    EXPECT_EQ(Inetd::line_of(client), "220 by the daemon\r");
    EXPECT_EQ(inetd.status(), 0);
    server.rewrite_ini("");
    server.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(after); }));
}

// Whoever connects says something malformed, or is not root.
TEST(ServerHandover, TakesNothingButConnections) {
    const auto path = place("handover").string();
    Server server({}, {.ini = handover_at(path)});
    sockaddr_un there{};
    there.sun_family = AF_UNIX;
    path.copy(there.sun_path, sizeof there.sun_path - 1);
    const auto connected = [&] {
        base::Fd socket{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
        EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&there), sizeof there), 0);
        const timeval limit{patience.count(), 0};
        ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        return socket;
    };
    const auto answer = [&](const base::Fd& socket) {
        char byte = 0;
        return ::recv(socket.get(), &byte, 1, 0);
    };
    const auto send_descriptor = [](const base::Fd& socket, int descriptor, std::string word) {
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
        iovec content{word.data(), word.size()};
        msghdr message{};
        message.msg_iov = &content;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        auto* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof descriptor);
        std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
        return ::sendmsg(socket.get(), &message, MSG_NOSIGNAL);
    };
    { Conversation one(server, alice); }  // and its spares are there
    std::size_t before = 0;
    eventually([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        return std::exchange(before, descriptors_of(server.pid())) == before && before > 0;
    });
    {
        const auto guest = connected();
        EXPECT_EQ(::send(guest.get(), "c", 1, MSG_NOSIGNAL), 1);
        EXPECT_EQ(answer(guest), 0) << "no descriptor";
    }
    const base::Fd file{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    const auto listening = listen_at({"127.0.0.1", 3306});
    for (const int wrong : {file.get(), listening.get()}) {
        const auto guest = connected();
        EXPECT_EQ(send_descriptor(guest, wrong, "c"), 1);
        EXPECT_EQ(answer(guest), 0) << "no connection";
    }
    {
        const auto mine = connect_to({"127.0.0.1", 3306});
        const auto guest = connected();
        EXPECT_EQ(send_descriptor(guest, mine.get(), "cc"), 2);
        EXPECT_EQ(answer(guest), 0) << "another word";
    }
    EXPECT_TRUE(eventually([&] { return descriptors_of(server.pid()) <= before; }))
        << before << " before, now " << descriptors_of(server.pid());
    EXPECT_EQ(Conversation(server).login(alice), welcome);
}

// ----- inetd and tcp_wrappers

TEST(TcpWrappersForInetd, TurnAClientAwayOrLetItIn) {
    Inetd inetd("", 3307, "tcp_wrappers=YES\n");
    write_file("/etc/hosts.deny", "vsftpd: 127.0.0.1\n");
    {
        const auto client = inetd.start();
        EXPECT_EQ(Inetd::line_of(client), "421 Service not available.\r");
        EXPECT_EQ(inetd.status(), 0);
    }
    std::filesystem::remove("/etc/hosts.deny");
    {
        const auto client = inetd.start();
        EXPECT_EQ(Inetd::line_of(client), "220 by inetd\r");
    }
    EXPECT_EQ(inetd.status(), 0);
    EXPECT_TRUE(eventually([] { return processes("jailftpd").empty(); })) << described(processes());
}
