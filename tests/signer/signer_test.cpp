// SPDX-License-Identifier: MIT
// The real process: what it is allowed, what it answers, and who has the keys while clients shake
// hands.
#include "signer/signer.hpp"

#include "ipc/admission.hpp"
#include "signer/system_calls.hpp"
#include "tests/jail/observed.hpp"
#include "tests/tls/handshake.hpp"
#include "tests/tls/site.hpp"
#include "tls/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using authority::Wanted;
using observed::Directory;
using observed::Facts;
using observed::Process;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::StartsWith;

constexpr int patience = 20000;  // milliseconds; only a broken signer takes that long

// Files of keys and certificates, made by another process: this one never sees a key.
struct Made {
    explicit Made(const std::vector<std::string>& kinds) {
        const Process maker([&](int) -> base::Result<void> {
            for (const auto& kind : kinds) {
                Wanted wanted;
                wanted.key = kind;
                wanted.common_name = kind;
                const auto made = authority::make(wanted);
                site::write(directory.path(kind), made.certificate + made.key);
            }
            return base::success();
        });
        EXPECT_EQ(maker.error(), std::nullopt);
        for (const auto& kind : kinds)
            sources.fallback.push_back({"RSA", directory.path(kind), {}});
    }
    Directory directory;
    signer::Sources sources;
};

// The signer, seen as the supervisor sees it.
class Signer {
  public:
    explicit Signer(const signer::Sources& sources, const config::Options& options = {}) {
        auto ends = ipc::Channel::pair();
        channel = std::move(ends.value().first);
        pid_ = ::fork();
        if (pid_ == 0) {
            channel.close();
            config::Configuration configuration;
            configuration.options = options;
            ::_exit(signer::run(std::move(ends.value().second), configuration, sources));
        }
    }
    ~Signer() {
        channel.close();
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Signer(const Signer&) = delete;
    Signer& operator=(const Signer&) = delete;

    // Its error; "ready" without one, and then the certificates are there.
    std::string ready() {
        auto message = channel.wait(patience);
        if (!message) return message.error().text();
        const auto* answer = message.value().as<ipc::SignerReady>();
        if (answer == nullptr || !answer->error.valid()) return "something else";
        if (!answer->error.view().empty()) return std::string(answer->error.view());
        if (message.value().descriptors.size() != 1) return "without certificates";
        const auto bytes = ipc::read_sealed(message.value().descriptors.front());
        auto parsed = ipc::parse_certificates(bytes.value());
        if (!parsed) return parsed.error().text();
        certificates = std::move(parsed.value());
        return "ready";
    }

    base::Result<ipc::SignedFor> ask(const ipc::ToSign& what) {
        ipc::SignFor request{};
        request.id = ++last_id_;
        request.what = what;
        TRY(channel.send_waiting(request));
        return hear();
    }

    base::Result<ipc::SignedFor> hear() {
        TRY(auto message, channel.wait(patience));
        const auto* answer = message.as<ipc::SignedFor>();
        if (answer == nullptr || !answer->signature.valid())
            return base::Error{"not an answer", EPROTO};
        return *answer;
    }

    // How it ended, as its parent sees it.
    int wait() {
        int status = -1;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return status;
    }

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] Facts facts() const { return Facts(pid_); }

    ipc::Channel channel;
    std::vector<ipc::Certificate> certificates;

  private:
    pid_t pid_ = -1;
    std::uint64_t last_id_ = 0;
};

struct SignerTest : testing::Test {
    void SetUp() override {
        NEEDS_ROOT();
        if (::getpwnam("nobody") == nullptr) GTEST_SKIP() << "needs the user nobody";
    }
    static const Made& usual() {
        static const Made instance({"EC:prime256v1"});
        return instance;
    }
};

ipc::ToSign good_request(const Signer& signer) {
    return tls::to_message({signer.certificates.front().key, tls::Scheme::ecdsa_secp256r1_sha256,
                            tls::CertificateVerify{tls::Bytes(32, 'h')}});
}

// ----- the process

TEST_F(SignerTest, HasNothingButItsChannel) {
    Signer signer(usual().sources);
    ASSERT_EQ(signer.ready(), "ready");
    const auto facts = signer.facts();
    const auto* nobody = ::getpwnam("nobody");
    const auto uid = std::to_string(nobody->pw_uid);
    const auto gid = std::to_string(nobody->pw_gid);
    EXPECT_EQ(facts.status("Uid"), uid + ' ' + uid + ' ' + uid + ' ' + uid);
    EXPECT_EQ(facts.status("Gid"), gid + ' ' + gid + ' ' + gid + ' ' + gid);
    EXPECT_EQ(facts.status("Groups"), "");
    for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
        EXPECT_EQ(facts.status(set), "0000000000000000") << set;
    EXPECT_EQ(facts.status("NoNewPrivs"), "1");
    EXPECT_EQ(facts.status("Seccomp"), "2");
    EXPECT_EQ(facts.owner(), 0U) << "dumpable";
    EXPECT_EQ(facts.limit("Max core file size"), "0 0");
    EXPECT_EQ(facts.limit("Max file size"), "0 0");
    EXPECT_EQ(facts.limit("Max processes"), "0 0");
    EXPECT_EQ(facts.session(), signer.pid());
    ASSERT_TRUE(signer.ask(good_request(signer)));  // the certificates' descriptor is gone by now
    auto open = facts.descriptors();
    const int channel = open.rbegin()->first;
    EXPECT_THAT(open, ElementsAre(Key(0), Key(1), Key(2), Key(channel)));
    EXPECT_THAT(open[channel], StartsWith("socket:"));
}

TEST_F(SignerTest, StandsInAnEmptyRoot) {
    Signer signer(usual().sources);
    ASSERT_EQ(signer.ready(), "ready");
    EXPECT_TRUE(std::filesystem::is_empty("/proc/" + std::to_string(signer.pid()) + "/root/"));
}

TEST_F(SignerTest, LocksItsMemory) {
#ifdef JAILFTPD_SANITIZED
    GTEST_SKIP() << "the sanitizers lock nothing";
#endif
    const Process lockable([](int) -> base::Result<void> {
        if (::mlockall(MCL_CURRENT) < 0) return base::system_error("mlockall");
        return base::success();
    });
    if (lockable.error()) GTEST_SKIP() << "memory cannot be locked here";
    Signer signer(usual().sources);
    ASSERT_EQ(signer.ready(), "ready");
    EXPECT_NE(signer.facts().status("VmLck"), "0 kB");
}

TEST_F(SignerTest, EndsWithItsChannelOrWhenToldAndByNoOtherSignal) {
    for (const bool told : {false, true}) {
        Signer signer(usual().sources);
        ASSERT_EQ(signer.ready(), "ready");
        for (const int each : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT})
            ASSERT_EQ(::kill(signer.pid(), each), 0);
        ASSERT_TRUE(signer.ask(good_request(signer)));
        if (told)
            ASSERT_TRUE(signer.channel.send(ipc::Stop{}));
        else
            signer.channel.close();
        const int status = signer.wait();
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    }
}

TEST_F(SignerTest, SaysWhatIsWrongAndEnds) {
    struct Case {
        std::function<void(signer::Sources&, config::Options&)> change;
        const char* error;
    };
    const Case cases[] = {
        {[](auto& sources, auto&) { sources.fallback.front().certificate_file = "/no/such"; },
         "SSL: cannot load RSA certificate: /no/such: No such file or directory"},
        {[](auto&, auto& options) { options.ssl_ciphers = "NONE"; },
         "SSL: could not set cipher list"},
        {[](auto&, auto& options) { options.ca_certs_file = "/no/such"; },
         "SSL: could not load verify file"},
        {[](auto&, auto& options) { options.ssl_tlsv12 = options.ssl_tlsv13 = false; },
         "SSL: no version of TLS is enabled"},
        {[](auto&, auto& options) { options.nopriv_user = "no-such-user"; },
         "cannot locate user entry:no-such-user"},
        {[](auto&, auto& options) { options.nopriv_user = "root"; },
         "signer: groups, gid, uid: will not run as root"},
    };
    for (const auto& c : cases) {
        auto sources = usual().sources;
        config::Options options;
        c.change(sources, options);
        Signer signer(sources, options);
        EXPECT_THAT(signer.ready(), StartsWith(c.error));
        const int status = signer.wait();
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 2) << c.error;
    }
}

TEST_F(SignerTest, RefusesWeakCertificatesAtStart) {
    const Made weak({"RSA:512"});
    Signer signer(weak.sources);
    EXPECT_THAT(signer.ready(), HasSubstr(weak.sources.fallback.front().certificate_file));
}

// ----- requests

TEST_F(SignerTest, AnswersEachRequestByItsNumber) {
    Signer signer(usual().sources);
    ASSERT_EQ(signer.ready(), "ready");
    for (std::uint64_t id = 100; id < 110; ++id) {
        ipc::SignFor request{};
        request.id = id;
        request.what = good_request(signer);
        if (id % 2 == 1) request.what.scheme = 0;
        ASSERT_TRUE(signer.channel.send_waiting(request));
    }
    for (std::uint64_t id = 100; id < 110; ++id) {
        const auto answer = signer.hear();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer.value().id, id);
        EXPECT_EQ(answer.value().number, id % 2 == 1 ? EINVAL : 0);
        EXPECT_EQ(answer.value().signature.view().empty(), id % 2 == 1);
    }
}

TEST_F(SignerTest, AnswersHostileFieldsWithAnErrorAndLives) {
    Signer signer(usual().sources);
    ASSERT_EQ(signer.ready(), "ready");
    struct Case {
        std::function<void(ipc::ToSign&)> change;
        int number;
    };
    const Case cases[] = {
        {[](auto& m) { m.hash.length = 0xFFFFFFFF; }, EINVAL},
        {[](auto& m) { m.hash.length = 49; }, EINVAL},
        {[](auto& m) { m.hash.length = 0; }, EINVAL},
        {[](auto& m) { m.hash.length = 31; }, EINVAL},
        {[](auto& m) { m.point.length = 137; }, EINVAL},
        {[](auto& m) { m.kind = ipc::Handshake{7}; }, EINVAL},
        {[](auto& m) { m.kind = ipc::Handshake::server_key_exchange; }, EINVAL},
        {[](auto& m) { m.scheme = 0x0401; }, EINVAL},
        {[](auto& m) { m.scheme = 0x0203; }, EINVAL},
        {[](auto& m) { m.key[0] ^= 1; }, ENOKEY},
        {[](auto& m) { std::memset(&m, 0xFF, sizeof m); }, EINVAL},
        {[](auto& m) { std::memset(&m, 0, sizeof m); }, EINVAL},
    };
    for (const auto& c : cases) {
        auto what = good_request(signer);
        c.change(what);
        const auto answer = signer.ask(what);
        ASSERT_TRUE(answer) << answer.error().text();
        EXPECT_EQ(answer.value().number, c.number);
        EXPECT_THAT(answer.value().signature.view(), IsEmpty());
    }
    const auto answer = signer.ask(good_request(signer));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer.value().number, 0);
}

TEST_F(SignerTest, DoesNotAnswerWhatNoSupervisorSends) {
    const base::Fd spare(::open("/dev/null", O_RDWR | O_CLOEXEC));
    const std::array one{spare.get()};
    const std::function<base::Result<void>(ipc::Channel&)> nonsense[] = {
        [](auto& channel) { return channel.send(ipc::Sign{}); },
        [](auto& channel) { return channel.send(ipc::SignerReady{}); },
        [](auto& channel) { return channel.send(ipc::Spawn{}); },
        [&](auto& channel) { return channel.send(ipc::SignFor{}, one); },
        [](auto& channel) -> base::Result<void> {
            if (::send(channel.fd(), "?", 1, 0) < 0) return base::system_error("send");
            return base::success();
        },
    };
    for (const auto& each : nonsense) {
        Signer signer(usual().sources);
        ASSERT_EQ(signer.ready(), "ready");
        ASSERT_TRUE(each(signer.channel));
        const int status = signer.wait();
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 2) << status;
    }
}

TEST_F(SignerTest, SignsAsLongAsItIsAsked) {
    Signer signer(usual().sources);
    ASSERT_EQ(signer.ready(), "ready");
    for (int i = 0; i < 2000; ++i) {
        const auto answer = signer.ask(good_request(signer));
        ASSERT_TRUE(answer) << i << ": " << answer.error().text();
        ASSERT_EQ(answer.value().number, 0) << i;
    }
}

// ----- system calls

// How a process ended that was allowed to sign only and then did this.
int after(const std::function<void()>& action) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || !signer::allow_signing_only())
            ::_exit(3);
        action();
        ::_exit(0);
    }
    int status = -1;
    ::waitpid(pid, &status, 0);
    return status;
}

TEST(SystemCalls, ThatAreNotOnTheListEndTheProcess) {
#ifdef JAILFTPD_SANITIZED
    GTEST_SKIP() << "the sanitizers need more of them";
#endif
    struct Case {
        const char* name;
        std::function<void()> call;
    };
    char* const nothing[] = {nullptr};
    const Case cases[] = {
        {"open", [] { (void)::open("/etc/passwd", O_RDONLY); }},
        {"socket", [] { (void)::socket(AF_INET, SOCK_STREAM, 0); }},
        {"connect", [] { (void)::connect(0, nullptr, 0); }},
        {"fork", [] { (void)::fork(); }},
        {"exec", [&] { (void)::execve("/bin/true", nothing, nothing); }},
        {"kill", [] { (void)::kill(::getppid(), 0); }},
        {"ptrace", [] { (void)::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
        {"prctl", [] { (void)::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); }},
        {"setuid", [] { (void)!::setuid(0); }},
        {"memfd_create", [] { (void)::memfd_create("x", 0); }},
        {"dup", [] { (void)!::dup(0); }},
        {"chdir", [] { (void)!::chdir("/"); }},
        {"executable memory",
         [] {
             (void)::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         }},
        {"memory made executable",
         [] {
             auto* page =
                 ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
             (void)::mprotect(page, 4096, PROT_READ | PROT_EXEC);
         }},
    };
    for (const auto& c : cases) {
        const int status = after(c.call);
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << c.name << ": " << status;
    }
}

TEST(SystemCalls, OfMemoryAndMessagesAreOnTheList) {
    auto ends = ipc::Channel::pair();
    const int status = after([&] {
        const std::vector<char> large(std::size_t{16} << 20, 'x');
        (void)ends.value().first.send(ipc::Stop{});
        (void)ends.value().second.wait(1000);
        ends.value().first.close();
    });
    EXPECT_EQ(status, 0);
}

// ----- handshakes with the key elsewhere

// As a greeter has it done, without a supervisor in between.
tls::SignFunction asking(Signer& signer) {
    return [&signer](const tls::ToBeSigned& what) -> base::Result<tls::Bytes> {
        TRY(const auto answer, signer.ask(tls::to_message(what)));
        if (answer.number != 0) return base::system_error("the signer", answer.number);
        const auto bytes = answer.signature.view();
        return tls::Bytes(bytes.begin(), bytes.end());
    };
}

base::Result<void> shake_hands(Signer& signer, const config::Options& options) {
    TRY(const auto settings, tls::settings_of(options));
    TRY(auto context,
        tls::Context::create(settings, std::make_shared<tls::Certificates>(signer.certificates),
                             tls::Purpose::control));
    context.sign_with(asking(signer));
    TRY(const auto key, tls::new_ticket_key());
    TRY(context.use_ticket_key(key));
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        for (const auto* schemes : {"rsa_pss_rsae_sha256:RSA+SHA256", "ECDSA+SHA256", "ed25519"}) {
            handshake::Client client;
            client.least = client.most = version;
            client.schemes = schemes;
            handshake::Pair pair(context, client);
            if (!pair.shake()) return base::Error{schemes + (": " + pair.server_error())};
            if (pair.to_client("220 hello") != "220 hello") return base::Error{"not said"};
        }
    }
    return base::success();
}

TEST_F(SignerTest, SignsHandshakesOfAllKindsOfKeysInAllVersions) {
    const Made made({"RSA:2048", "EC:prime256v1", "ED25519"});
    Signer signer(made.sources);
    ASSERT_EQ(signer.ready(), "ready");
    const auto shaken = shake_hands(signer, {});
    EXPECT_TRUE(shaken) << shaken.error().text();
}

// The numbers that nobody else may have.
std::vector<tls::Bytes> secrets(const std::string& pem) {
    const auto text = tls::reading(pem);
    const tls::Key key{PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, nullptr)};
    std::vector<tls::Bytes> numbers;
    for (const auto* name :
         {OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
          OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
          OSSL_PKEY_PARAM_RSA_COEFFICIENT1, OSSL_PKEY_PARAM_PRIV_KEY}) {
        BIGNUM* taken = nullptr;
        if (EVP_PKEY_get_bn_param(key.get(), name, &taken) != 1) continue;
        tls::Bytes bytes(static_cast<std::size_t>(BN_num_bytes(taken)));
        BN_bn2bin(taken, bytes.data());
        BN_free(taken);
        numbers.push_back(std::move(bytes));
    }
    std::size_t size = 32;
    tls::Bytes raw(size);
    if (EVP_PKEY_is_a(key.get(), "ED25519") == 1 &&
        EVP_PKEY_get_raw_private_key(key.get(), raw.data(), &size) == 1)
        numbers.push_back(std::move(raw));
    return numbers;
}

// Pieces of the number, as it is written and backwards, as in memory: half a copy is one too many.
std::vector<std::string> pieces(const tls::Bytes& number) {
    constexpr std::size_t length = 16;
    std::vector<std::string> all;
    auto text = std::string(number.begin(), number.end());
    for (int order = 0; order < 2; ++order) {
        for (const auto at : {std::size_t{0}, text.size() / 2 - length / 2, text.size() - length})
            all.push_back(text.substr(at, length));
        std::reverse(text.begin(), text.end());
    }
    return all;
}

// Everything that the process can read, piece by piece of its address space.
class Memory {
  public:
    explicit Memory(pid_t pid) {
        std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
        const base::Fd memory{
            ::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC)};
        for (std::string line; std::getline(maps, line);) {
            unsigned long first = 0;
            unsigned long last = 0;
            char readable = '-';
            if (std::sscanf(line.c_str(), "%lx-%lx %c", &first, &last, &readable) != 3 ||
                readable != 'r')
                continue;
            std::string region(last - first, '\0');
            const auto got =
                ::pread(memory.get(), region.data(), region.size(), static_cast<off_t>(first));
            if (got > 0) regions_.push_back(region.substr(0, static_cast<std::size_t>(got)));
        }
    }
    [[nodiscard]] bool contains(const std::string& text) const {
        return std::any_of(regions_.begin(), regions_.end(), [&](const auto& region) {
            return ::memmem(region.data(), region.size(), text.data(), text.size()) != nullptr;
        });
    }
    [[nodiscard]] bool empty() const { return regions_.empty(); }

  private:
    std::vector<std::string> regions_;
};

bool contains_any(const Memory& memory, const tls::Bytes& number) {
    const auto all = pieces(number);
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& piece) { return memory.contains(piece); });
}

TEST_F(SignerTest, AloneHasTheNumbersOfTheKeys) {
#ifdef JAILFTPD_SANITIZED
    GTEST_SKIP() << "the sanitizers' memory is terabytes";
#endif
    const Made made({"RSA:2048", "EC:prime256v1", "ED25519"});
    Signer signer(made.sources);
    // Both processes are made and have done their work before this one looks at a key.
    const Process greeter([&](int) -> base::Result<void> {
        if (const auto word = signer.ready(); word != "ready") return base::Error{word};
        return shake_hands(signer, {});
    });
    ASSERT_EQ(greeter.error(), std::nullopt);
    const Memory of_greeter(greeter.pid());
    const Memory of_signer(signer.pid());
    ASSERT_FALSE(of_greeter.empty());
    ASSERT_FALSE(of_signer.empty());
    std::size_t numbers = 0;
    for (const auto& source : made.sources.fallback) {
        for (const auto& number : secrets(site::read(source.certificate_file))) {
            ++numbers;
            EXPECT_FALSE(contains_any(of_greeter, number)) << source.certificate_file;
            EXPECT_TRUE(contains_any(of_signer, number)) << source.certificate_file;
        }
    }
    EXPECT_EQ(numbers, 8U) << "six of RSA, one of each curve";
}

}  // namespace
