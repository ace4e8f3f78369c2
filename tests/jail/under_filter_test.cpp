// SPDX-License-Identifier: MIT
// What the C library and OpenSSL do must work under a session's filter, without one denied call.
#include "jail/capabilities.hpp"
#include "jail/system_calls.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using base::Error;
using base::Fd;
using base::Result;
using observed::Process;

std::array<char, 200> denied;

void note(const char* call, bool) {
    std::strncat(denied.data(), call, denied.size() - std::strlen(denied.data()) - 2);
    std::strcat(denied.data(), " ");
}

// Carries out an action in a child under the filter; every call that is denied is an error.
std::optional<std::string> under(const jail::Calls& calls,
                                 const std::function<Result<void>()>& action) {
    const auto filter = jail::SystemCallFilter::compile(calls);
    if (!filter) return filter.error().text();
    const Process process([&](int) -> Result<void> {
        TRY(jail::forbid_new_privileges());
        TRY(jail::answer_denied_calls(note));
        TRY(filter.value().install());
        const auto result = action();
        if (denied[0] != 0) return Error{std::string("denied: ") + denied.data(), 0};
        return result;
    });
    return process.error();
}

constexpr jail::Calls before_login{};
constexpr jail::Calls reading{true, jail::read_only, false};
constexpr jail::Calls writing{true, jail::read_write, false};

// ----- the C library

Result<void> use_memory_and_text() {
    std::vector<std::unique_ptr<std::string>> all;
    for (std::size_t size = 1; size < (64U << 20); size *= 3) {
        all.push_back(std::make_unique<std::string>(size, 'x'));
        all.back()->append(size, 'y');
    }
    std::vector<int> numbers(1'000'000);
    for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = static_cast<int>(i * 7919 % 104729);
    std::sort(numbers.begin(), numbers.end());
    std::stable_sort(numbers.begin(), numbers.end(), std::greater<>());
    char text[400];
    (void)std::snprintf(text, sizeof text, "%f %Lg %s %300d", 1.5, 2.5L, "x", 3);
    std::once_flag once;
    std::call_once(once, [] {});
    static const std::string initialised = text;
    return base::success();
}

Result<void> use_time() {
    const auto now = std::time(nullptr);
    std::tm parts{};
    char text[100];
    if (::localtime_r(&now, &parts) == nullptr || ::gmtime_r(&now, &parts) == nullptr ||
        std::strftime(text, sizeof text, "%c %Z", &parts) == 0 || std::mktime(&parts) == -1)
        return Error{"time", 0};
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    pollfd none{-1, 0, 0};
    return ::poll(&none, 1, 1) == 0 ? Result<void>(base::success()) : base::system_error("poll");
}

TEST(UnderFilter, TheCLibraryWorks) {
    // Without TZ the C library looks at /etc/localtime again and again.
    ::setenv("TZ", ":/etc/localtime", 1);
    ::tzset();
    for (const auto& calls : {before_login, reading, writing}) {
        EXPECT_EQ(under(calls, use_memory_and_text), std::nullopt);
        EXPECT_EQ(under(calls, use_time), std::nullopt);
    }
}

// ----- files, with the calls that the C library makes of these functions

Result<void> expect(bool good, const char* what) {
    if (good) return base::success();
    return base::system_error(what);
}

Result<void> read_files(const std::string& folder) {
    const Fd file{::open((folder + "/file").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    const Fd place{::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    struct stat status {};
    struct statx more {};
    struct statvfs space {};
    char buffer[100];
    TRY(expect(::fstat(file.get(), &status) == 0, "fstat"));
    TRY(expect(::fstatat(place.get(), "file", &status, AT_SYMLINK_NOFOLLOW) == 0, "fstatat"));
    TRY(expect(::statx(place.get(), "file", 0, STATX_ALL, &more) == 0, "statx"));
    TRY(expect(::fstatvfs(file.get(), &space) == 0, "fstatvfs"));
    TRY(expect(::read(file.get(), buffer, sizeof buffer) == 5, "read"));
    TRY(expect(::pread(file.get(), buffer, sizeof buffer, 2) == 3, "pread"));
    TRY(expect(::lseek(file.get(), 0, SEEK_SET) == 0, "lseek"));
    TRY(expect(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL) == 0, "fadvise"));
    TRY(expect(::readlinkat(place.get(), "link", buffer, sizeof buffer) == 4, "readlinkat"));
    struct flock whole {};
    whole.l_type = F_RDLCK;
    TRY(expect(::fcntl(file.get(), F_OFD_SETLK, &whole) == 0, "F_OFD_SETLK"));
    TRY(expect(::fcntl(file.get(), F_SETFL, 0) == 0, "F_SETFL"));
    DIR* stream = ::opendir(folder.c_str());
    TRY(expect(stream != nullptr, "opendir"));
    int entries = 0;
    while (::readdir(stream) != nullptr) ++entries;
    ::rewinddir(stream);
    ::closedir(stream);
    return expect(entries == 4, "readdir");
}

Result<void> write_files(const std::string& folder) {
    const Fd place{::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    const Fd file{::openat(place.get(), "new", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    const timespec times[2] = {{0, UTIME_OMIT}, {1'000'000, 0}};
    ::umask(022);
    TRY(expect(::write(file.get(), "text", 4) == 4, "write"));
    TRY(expect(::ftruncate(file.get(), 2) == 0, "ftruncate"));
    TRY(expect(::fsync(file.get()) == 0 && ::syncfs(file.get()) == 0, "fsync"));
    TRY(expect(::fchmod(file.get(), 0640) == 0, "fchmod"));
    TRY(expect(::fchmodat(place.get(), "new", 0600, 0) == 0, "fchmodat"));
    TRY(expect(::utimensat(place.get(), "new", times, AT_SYMLINK_NOFOLLOW) == 0, "utimensat"));
    TRY(expect(::futimens(file.get(), times) == 0, "futimens"));
    TRY(expect(::mkdirat(place.get(), "made", 0700) == 0, "mkdirat"));
    TRY(expect(::renameat(place.get(), "new", place.get(), "made/name") == 0, "renameat"));
    TRY(expect(::unlinkat(place.get(), "made/name", 0) == 0, "unlinkat"));
    return expect(::unlinkat(place.get(), "made", AT_REMOVEDIR) == 0, "rmdir");
}

TEST(UnderFilter, FilesAreReadAndWritten) {
    const observed::Directory directory;
    directory.file("file");
    directory.link("link", "file");
    const auto folder = directory.path();
    EXPECT_EQ(under(reading, [&] { return read_files(folder); }), std::nullopt);
    EXPECT_EQ(under(writing, [&] { return read_files(folder); }), std::nullopt);
    EXPECT_EQ(under(writing, [&] { return write_files(folder); }), std::nullopt);
}

struct Pair {
    Fd ours;
    Fd theirs;

    // TCP over loopback, as the broker would hand it over.
    Pair() {
        const Fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(listener.get(), generic, size), 0);
        EXPECT_EQ(::listen(listener.get(), 1), 0);
        EXPECT_EQ(::getsockname(listener.get(), generic, &size), 0);
        ours = Fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        EXPECT_EQ(::connect(ours.get(), generic, size), 0);
        theirs = Fd{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    }
};

Result<void> transfer(const std::string& folder, const Fd& socket) {
    const int on = 1;
    TRY(expect(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0,
               "TCP_NODELAY"));
    const Fd file{::open((folder + "/file").c_str(), O_RDONLY | O_CLOEXEC)};
    off_t offset = 0;
    TRY(expect(::sendfile(socket.get(), file.get(), &offset, 5) == 5, "sendfile"));
    TRY(expect(::send(socket.get(), "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1, "send"));
    int left = 0;
    TRY(expect(::ioctl(socket.get(), SIOCOUTQ, &left) == 0, "SIOCOUTQ"));
    TRY(expect(::ioctl(socket.get(), FIONREAD, &left) == 0, "FIONREAD"));
    int error = 0;
    socklen_t size = sizeof error;
    TRY(expect(::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0, "SO_ERROR"));
    return expect(::shutdown(socket.get(), SHUT_WR) == 0, "shutdown");
}

Result<void> upload(const std::string& folder, const Fd& socket) {
    const Fd file{::open((folder + "/up").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    std::array<int, 2> ends{};
    TRY(expect(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0, "pipe2"));
    TRY(expect(::fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) > 0, "F_SETPIPE_SZ"));
    TRY(expect(::splice(socket.get(), nullptr, ends[1], nullptr, 4, SPLICE_F_MOVE) == 4, "splice"));
    return expect(::splice(ends[0], nullptr, file.get(), nullptr, 4, SPLICE_F_MOVE) == 4, "splice");
}

TEST(UnderFilter, BytesAreTransferred) {
    const observed::Directory directory;
    directory.file("file");
    const auto folder = directory.path();
    const Pair pair;
    EXPECT_EQ(under(reading, [&] { return transfer(folder, pair.theirs); }), std::nullopt);
    ASSERT_EQ(::send(pair.ours.get(), "four", 4, MSG_NOSIGNAL), 4);
    EXPECT_EQ(under(writing, [&] { return upload(folder, pair.theirs); }), std::nullopt);
}

TEST(UnderFilter, AbortStillEndsTheProcess) {
    const auto filter = jail::SystemCallFilter::compile(writing);
    ASSERT_TRUE(filter);
    Process process([&](int) -> Result<void> {
        TRY(jail::forbid_new_privileges());
        TRY(jail::answer_denied_calls(nullptr));
        TRY(filter.value().install());
        std::abort();
    });
    EXPECT_EQ(process.error(), "the process died");
    EXPECT_TRUE(WIFSIGNALED(process.end()));
}

// ----- OpenSSL

void prepare_openssl() {
    unsigned char byte = 0;
    (void)RAND_bytes(&byte, 1);
    for (const auto* digest : {EVP_sha256(), EVP_sha1(), EVP_md5()}) {
        unsigned char result[EVP_MAX_MD_SIZE];
        (void)EVP_Digest("", 0, result, nullptr, digest, nullptr);
    }
}

Result<void> use_digests_and_random_numbers() {
    std::vector<unsigned char> data(100'000);
    if (RAND_bytes(data.data(), static_cast<int>(data.size())) != 1 ||
        RAND_priv_bytes(data.data(), 100) != 1)
        return Error{"random numbers", 0};
    for (const auto* digest : {EVP_sha256(), EVP_sha1(), EVP_md5()}) {
        unsigned char result[EVP_MAX_MD_SIZE];
        if (EVP_Digest(data.data(), data.size(), result, nullptr, digest, nullptr) != 1)
            return Error{"digest", 0};
    }
    return base::success();
}

TEST(UnderFilter, OpensslCountsAndDrawsNumbers) {
    prepare_openssl();
    for (const auto& calls : {before_login, reading, writing})
        EXPECT_EQ(under(calls, use_digests_and_random_numbers), std::nullopt);
}

template <auto function>
struct Free {
    template <typename Thing>
    void operator()(Thing* thing) const {
        function(thing);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Tls = std::unique_ptr<SSL, Free<SSL_free>>;

Context server_context(int version) {
    const Key key{EVP_EC_gen("P-256")};
    const Certificate certificate{X509_new()};
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    Context context{SSL_CTX_new(TLS_server_method())};
    SSL_CTX_use_certificate(context.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), key.get());
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    SSL_CTX_set_options(context.get(), SSL_OP_ENABLE_KTLS);
    return context;
}

// The other end, with no filter: says "ping", hears "pong".
std::string talk(const Fd& socket) {
    const Context context{SSL_CTX_new(TLS_client_method())};
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    const Tls tls{SSL_new(context.get())};
    SSL_set_fd(tls.get(), socket.get());
    if (SSL_connect(tls.get()) != 1) return "no handshake";
    SSL_write(tls.get(), "ping", 4);
    char answer[10];
    const int length = SSL_read(tls.get(), answer, sizeof answer);
    SSL_shutdown(tls.get());
    return {answer, static_cast<std::size_t>(std::max(length, 0))};
}

Result<void> serve(const Context& context, const Fd& socket) {
    const Tls tls{SSL_new(context.get())};
    SSL_set_fd(tls.get(), socket.get());
    char said[10];
    if (SSL_accept(tls.get()) != 1 || SSL_read(tls.get(), said, sizeof said) != 4 ||
        SSL_write(tls.get(), "pong", 4) != 4)
        return Error{ERR_error_string(ERR_get_error(), nullptr), 0};
    SSL_shutdown(tls.get());
    return base::success();
}

TEST(UnderFilter, TlsIsSpoken) {
    prepare_openssl();
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        for (const auto& base : {before_login, reading, writing}) {
            auto calls = base;
            calls.tls = calls.kernel_tls = true;
            const auto context = server_context(version);
            const Pair pair;
            // No thread: what it locks would stay locked in a child that is forked meanwhile.
            const pid_t client = ::fork();
            ASSERT_GE(client, 0);
            if (client == 0) ::_exit(talk(pair.ours) == "pong" ? 0 : 1);
            EXPECT_EQ(under(calls, [&] { return serve(context, pair.theirs); }), std::nullopt);
            ::shutdown(pair.theirs.get(), SHUT_RDWR);
            int status = -1;
            ASSERT_EQ(::waitpid(client, &status, 0), client);
            EXPECT_EQ(status, 0) << "no pong";
        }
    }
}

#ifdef JAILFTPD_SANITIZED
TEST(UnderFilter, SanitizersSayWhatTheyFound) {
    const auto filter = jail::SystemCallFilter::compile(before_login);
    ASSERT_TRUE(filter);
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const Fd in{ends[0]};
    Fd out{ends[1]};
    Process process([&](int) -> Result<void> {
        ::dup2(out.get(), STDERR_FILENO);
        TRY(jail::forbid_new_privileges());
        TRY(jail::answer_denied_calls(nullptr));
        TRY(filter.value().install());
        const auto freed = std::make_unique<std::vector<char>>(10);
        const char* data = freed->data();
        freed->clear();
        freed->shrink_to_fit();
        return Error{"read on", *const_cast<const volatile char*>(data)};
    });
    EXPECT_EQ(process.error(), "the process died");
    out.close();
    std::string said;
    char buffer[4096];
    for (ssize_t length = 0; (length = ::read(in.get(), buffer, sizeof buffer)) > 0;)
        said.append(buffer, static_cast<std::size_t>(length));
    EXPECT_THAT(said, testing::HasSubstr("heap-use-after-free"));
    EXPECT_TRUE(WIFEXITED(process.end()));
}
#endif

}  // namespace
