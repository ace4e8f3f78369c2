// SPDX-License-Identifier: MIT
// What Perl's Net::FTPSSL 0.42 says, scripted: protection asked for ahead of every transfer, data
// connections opened ahead of the command that is for them, closed behind a goodbye that it waits
// no answer to, and its ways around CCC.
#include "tests/sessions/clients/client.hpp"
#include "tests/sessions/secure.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>

#include <array>

using namespace sessions;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

struct Kind {
    std::string name;
    int version;
    bool implicit = false;
    bool ccc = false;
    bool reuse = true;     // ReuseSession: TLS 1.3 with each ticket once, or else a full handshake
    bool required = true;  // require_ssl_reuse
};
std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

class NetFtpssl {
  public:
    NetFtpssl(const Server& server, const Kind& kind)
        : kind_(kind), server_(server), ftp_(server, habits(kind)) {
        if (!kind.implicit) {
            EXPECT_EQ(ftp_.say("AUTH TLS"), "234 Proceed with negotiation.");
            EXPECT_EQ(ftp_.shake(), "");
        }
        EXPECT_EQ(ftp_.login(alice), "230 Login successful.");
        // What it is going to use must be in capitals in one of these.
        help_ = ftp_.say("HELP") + ftp_.say("FEAT");
        for (const auto* command : {" ALLO ", " DELE ", " NOOP ", " RNFR ", " RNTO ", " SIZE ",
                                    " STOR ", " FEAT ", " SITE", " MDTM", " MFMT"})
            EXPECT_THAT(help_, HasSubstr(command));
        EXPECT_THAT(ftp_.say("HELP SITE"), StartsWith("214 "));
        EXPECT_THAT(ftp_.say("SITE HELP"), StartsWith("214 "));
        EXPECT_THAT(ftp_.say("TYPE I"), StartsWith("200 "));
    }

    // The last command is to be refused: then nothing is left from before.
    void go_clear() {
        protect();
        EXPECT_THAT(ftp_.say("CCC"), StartsWith("200 "));
        ftp_.go_clear();
        clear_ = true;
        EXPECT_EQ(ftp_.say("NOOP"), "200 NOOP ok.");
        EXPECT_THAT(ftp_.say("xxxxNOOP"), StartsWith("500 "));
    }

    std::string put(const std::string& command, std::string_view content) {
        auto data = open();
        EXPECT_THAT(say("ALLO " + std::to_string(content.size())), StartsWith("202 "));
        EXPECT_THAT(say(command), StartsWith("150 "));
        const auto stream = shake(data.get());
        while (!content.empty()) {
            const auto piece = content.substr(0, 10240);
            if (SSL_write(stream.get(), piece.data(), static_cast<int>(piece.size())) <= 0) break;
            content.remove_prefix(piece.size());
        }
        return close(stream.get(), data);
    }

    std::string get(const std::string& command) {
        auto data = open();
        EXPECT_THAT(say(command), StartsWith("150 "));
        const auto stream = shake(data.get());
        std::string content;
        std::array<char, 10240> bytes{};
        std::size_t got = 0;
        while (SSL_read_ex(stream.get(), bytes.data(), bytes.size(), &got) == 1)
            content.append(bytes.data(), got);
        EXPECT_THAT(close(stream.get(), data), StartsWith("226 "));
        return content;
    }

    std::string say(std::string_view line) { return ftp_.say(line); }
    std::string reply() { return ftp_.reply(); }
    [[nodiscard]] int resumed() const { return resumed_; }

  private:
    static Habits habits(const Kind& kind) {
        Habits result;
        result.version = kind.version;
        if (kind.implicit) result.auth = "";
        return result;
    }

    void protect() {
        EXPECT_EQ(ftp_.say("PBSZ 0"), "200 PBSZ set to 0.");
        EXPECT_EQ(ftp_.say("PROT P"), "200 PROT now Private.");
    }

    base::Fd open() {
        if (!clear_) protect();
        const auto answer = say("PASV");
        std::array<int, 6> numbers{};
        EXPECT_EQ(std::sscanf(answer.c_str(), "227 Entering Passive Mode (%d,%d,%d,%d,%d,%d).",
                              &numbers[0], &numbers[1], &numbers[2], &numbers[3], &numbers[4],
                              &numbers[5]),
                  6)
            << answer;
        const auto port = static_cast<std::uint16_t>(numbers[4] * 256 + numbers[5]);
        return connect_to(Endpoint(server_.address(), port));
    }

    tls::Ssl shake(int socket) {
        tls::Ssl made{SSL_new(ftp_.context())};
        SSL_set_fd(made.get(), socket);
        auto& sessions = ftp_.sessions();
        if (kind_.reuse && !sessions.empty()) {
            const tls::SslSession session{SSL_SESSION_dup(sessions.back().get())};
            SSL_set_session(made.get(), session.get());
            if (kind_.version == TLS1_3_VERSION) sessions.pop_back();
        }
        EXPECT_EQ(SSL_connect(made.get()), 1) << tls::openssl_reason();
        resumed_ += SSL_session_reused(made.get());
        return made;
    }

    std::string close(SSL* stream, base::Fd& data) {
        (void)SSL_shutdown(stream);
        data.close();
        return ftp_.reply();
    }

    Kind kind_;
    const Server& server_;
    Secure ftp_;
    std::string help_;
    bool clear_ = false;
    int resumed_ = 0;
};

class Ftpssl : public testing::TestWithParam<Kind> {
  protected:
    const std::filesystem::path there = home_of(alice) / "files";
};

}  // namespace

TEST_P(Ftpssl, IsServed) {
    const auto& kind = GetParam();
    const auto made = authority::make({});
    const auto file = place("server.pem");
    write_file(file, made.certificate + made.key, 0, 0600);
    Server server({"ssl_enable=YES", "rsa_cert_file=" + file.string(), "chroot_local_user=YES",
                   std::string("implicit_ssl=") + (kind.implicit ? "YES" : "NO"),
                   std::string("require_ssl_reuse=") + (kind.required ? "YES" : "NO")},
                  {.ini = kind.ccc ? "[tls]\nccc = yes\n" : ""});
    NetFtpssl ftp(server, kind);
    if (kind.ccc) ftp.go_clear();
    const auto content = noise(large);
    EXPECT_EQ(ftp.say("CWD files"), "250 Directory successfully changed.");
    for (const auto& [name, bytes] : {std::pair<std::string, std::string>{"big", content},
                                      {"empty", ""},
                                      {"with blank", "content"}}) {
        EXPECT_EQ(ftp.put("STOR " + name, bytes), "226 Transfer complete.") << name;
        EXPECT_EQ(ftp.say("SIZE " + name), "213 " + std::to_string(bytes.size()));
        EXPECT_TRUE(ftp.get("RETR " + name) == bytes) << name;
    }
    // xput: under a name of its own, which becomes the file's when that is whole.
    EXPECT_EQ(ftp.put("STOR _tmp.host.1.tmp", content), "226 Transfer complete.");
    EXPECT_THAT(ftp.say("DELE big"), StartsWith("250 "));
    EXPECT_THAT(ftp.say("RNFR _tmp.host.1.tmp"), StartsWith("350 "));
    EXPECT_THAT(ftp.say("RNTO big"), StartsWith("250 "));
    EXPECT_EQ(ftp.put("APPE big", "more"), "226 Transfer complete.");
    EXPECT_THAT(ftp.say("MKD folder"), StartsWith("257 "));
    EXPECT_THAT(ftp.get("NLST"), HasSubstr("with blank\r\n"));
    EXPECT_THAT(ftp.get("LIST"), HasSubstr(" folder\r\n"));
    EXPECT_TRUE(content_of(there / "big") == content + "more");
    EXPECT_EQ(ftp.say("QUIT"), "221 Goodbye.");
    EXPECT_EQ(ftp.reply(), "(end)");
    EXPECT_EQ(ftp.resumed(), !kind.reuse ? 0 : kind.ccc && !kind.required ? 2 : 10);
}

// In clear text no new tickets can come: hence Ccc13.
INSTANTIATE_TEST_SUITE_P(
    Kinds, Ftpssl,
    testing::Values(
        Kind{.name = "Explicit12", .version = TLS1_2_VERSION},
        Kind{.name = "Explicit13", .version = TLS1_3_VERSION},
        Kind{.name = "Implicit13", .version = TLS1_3_VERSION, .implicit = true},
        Kind{.name = "Anew12", .version = TLS1_2_VERSION, .reuse = false, .required = false},
        Kind{.name = "Anew13", .version = TLS1_3_VERSION, .reuse = false, .required = false},
        Kind{.name = "Ccc12", .version = TLS1_2_VERSION, .ccc = true},
        Kind{.name = "Ccc13", .version = TLS1_3_VERSION, .ccc = true, .required = false}),
    [](const auto& each) { return each.param.name; });
