// SPDX-License-Identifier: MIT
// Options one by one: what each changes, seen from a client, the logs, /proc or the kernel (whole
// sessions).
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
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
