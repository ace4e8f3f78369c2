// SPDX-License-Identifier: MIT
// Options one by one: what each changes, seen from a client, the logs, /proc or the kernel (whole
// sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <sstream>

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

using namespace sessions;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto welcome = "230 Login successful.";

// What is sent to syslog.
class Syslog {
  public:
    Syslog() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un here{};
        here.sun_family = AF_UNIX;
        std::string("/dev/log").copy(here.sun_path, sizeof here.sun_path - 1);
        ::unlink("/dev/log");
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    }
    ~Syslog() { ::unlink("/dev/log"); }

    // All of it so far.
    const std::string& said() {
        char bytes[8192];
        for (;;) {
            const auto count = ::recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
            if (count <= 0) return text_;
            text_ += std::string(bytes, static_cast<std::size_t>(count)) + '\n';
        }
    }
    bool says(std::string_view what) {
        return eventually([&] { return said().find(what) != std::string::npos; });
    }

  private:
    base::Fd socket_;
    std::string text_;
};

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

class ReverseLookup : public testing::Test {
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

TEST_F(ReverseLookup, GivesPamTheNameOfTheClient) {
    Server server({"reverse_lookup_enable=YES"});
    EXPECT_EQ(told(server, "127.0.0.2"), "near.example.org\n");
    EXPECT_EQ(told(server, "127.0.0.3"), "127.0.0.3\n") << "it has no name";
}

TEST_F(ReverseLookup, GivesPamTheAddressOtherwise) {
    Server server;
    EXPECT_EQ(told(server, "127.0.0.2"), "127.0.0.2\n");
}

// Its address says that it is liar.example.org, which has another one.
TEST_F(ReverseLookup, BelievesNoNameThatDoesNotLeadBack) {
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

TEST(ListenSetting, AddsAddressesOfBothFamilies) {
    Server server({}, {.ini = listening_at("127.0.0.2:3201, [::1]:3202 127.0.0.3:3203")});
    EXPECT_THAT(Conversation(server).greeting, StartsWith("220"));
    for (const auto& [address, port] :
         {std::pair{"127.0.0.2", 3201}, {"::1", 3202}, {"127.0.0.3", 3203}})
        EXPECT_THAT(greeting_at(address, static_cast<std::uint16_t>(port)), StartsWith("220"))
            << address;
    EXPECT_EQ(greeting_at("127.0.0.2", 3203), "(refused)");
}

TEST(ListenSetting, IsEnoughByItself) {
    Server server({"listen=NO"}, {.ini = listening_at("127.0.0.1:3204"), .port = 3204});
    EXPECT_THAT(Conversation(server).greeting, StartsWith("220"));
    EXPECT_FALSE(server.processes("LISTENER").empty());
}

TEST(ListenSetting, TakesAnyAddressOfEachFamilyBesideTheOther) {
    Server server({"listen=NO"}, {.ini = listening_at("0.0.0.0:3205 [::]:3205"), .port = 3205});
    EXPECT_THAT(greeting_at("127.0.0.1", 3205), StartsWith("220"));
    EXPECT_THAT(greeting_at("::1", 3205), StartsWith("220"));
}

TEST(ListenSetting, CountsClientsOfAllAddressesTogether) {
    Server server({"max_per_ip=1"}, {.ini = listening_at("127.0.0.2:3206")});
    Conversation first(server);
    EXPECT_THAT(greeting_at("127.0.0.2", 3206), StartsWith("421 There are too many connections"));
}

TEST(ListenSetting, StopsAStartWhereItCannotListen) {
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

TEST(ListenSetting, ChangesOnReloadWhatHasChangedAndNothingElse) {
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
TEST(ListenSetting, MayNarrowAndWidenOnReload) {
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

TEST(ListenSetting, StaysAsItWasWhenTheNewOneCannotBe) {
    const auto taken = listen_at({"127.0.0.5", 3210});
    Server server({}, {.ini = listening_at("127.0.0.2:3210")});
    server.rewrite_ini(listening_at("127.0.0.4:3210 127.0.0.5:3210"));
    server.signal(SIGHUP);
    server.complained("reload failed: could not bind listening IPv4 socket to 127.0.0.5:3210");
    EXPECT_THAT(greeting_at("127.0.0.2", 3210), StartsWith("220"));
    EXPECT_EQ(greeting_at("127.0.0.4", 3210), "(refused)");
}
