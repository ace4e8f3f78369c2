// SPDX-License-Identifier: MIT
// The load: one client or many of an FTP server on loopback, with few system calls of its own. It
// prints its figures as "name value" lines and ends by itself, whatever the server does. Before and
// after the work it says "ready" and waits for a line, so that logging in is not measured with it.
#include "stream.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>

namespace {

using bench::batch;
using bench::fail;
using Clock = std::chrono::steady_clock;

[[noreturn]] void usage() {
    std::fputs(
        "usage: bench_load [--tls] [--user NAME --password WORD] PORT WORK\n"
        "  transfer retr|stor PATH BYTES STREAMS   one file a stream; N follows PATH when "
        "uploading\n"
        "  small retr|stor|mlsd|list|nlst PATH COUNT   with EPSV, one after the other\n"
        "  login COUNT         one after the other\n"
        "  burst COUNT ROUNDS  connect at once, each until its 220\n"
        "  idle COUNT          log in and stay\n"
        "  list mlsd|list|nlst PATH   one listing\n",
        stderr);
    std::exit(2);
}

struct Account {
    std::uint16_t port = 0;
    std::string user = "anonymous";
    std::string password = "bench@";
    SSL_CTX* tls = nullptr;
};

double microseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

void print(const char* name, double value) { std::printf("%s %.1f\n", name, value); }

void wait_for_a_line() {
    std::puts("ready 1");
    std::fflush(stdout);
    (void)std::getchar();
}

class Control {
  public:
    explicit Control(const Account& of)
        : account_(of), stream_(bench::connect_to(of.port), bench::Stream::control) {
        expect("220");
        if (of.tls != nullptr) {
            ask("AUTH TLS", "234");
            stream_.connect_tls(of.tls);
        }
        // Pure-FTPd asks anonymous clients for no password.
        if (ask("USER " + of.user, "").starts_with("331")) ask("PASS " + of.password, "230");
    }

    void prepare_transfers() {
        ask("TYPE I", "200");
        if (account_.tls == nullptr) return;
        ask("PBSZ 0", "200");
        ask("PROT P", "200");
    }

    // code: the reply's beginning.
    std::string ask(const std::string& command, std::string_view code) {
        const auto line = command + "\r\n";
        stream_.write(line.data(), static_cast<int>(line.size()));
        return expect(code);
    }

    std::string expect(std::string_view code) {
        for (;;) {
            const auto line = read_line();
            if (line.size() < 4 || line[3] != ' ') continue;  // a line inside a longer reply
            if (line.find_first_not_of("0123456789") != 3) continue;
            if (!line.starts_with(code)) fail("expected " + std::string(code) + ", got " + line);
            return line;
        }
    }

    std::uint16_t passive_port() {
        const auto reply = ask("EPSV", "229");
        const auto bars = reply.find("|||");
        unsigned port = 0;
        if (bars != std::string::npos)
            std::from_chars(reply.data() + bars + 3, reply.data() + reply.size(), port);
        if (port == 0 || port > 65535) fail("no port in " + reply);
        return static_cast<std::uint16_t>(port);
    }

    // TLS of a data connection begins after the reply, and resumes this control connection's.
    void begin(bench::Stream& data, const std::string& command) {
        ask(command, "1");
        if (stream_.encrypted()) data.connect_tls(account_.tls, stream_.session());
    }

  private:
    std::string read_line() {
        std::size_t end;
        while ((end = unread_.find("\r\n")) == std::string::npos) {
            char more[512];
            const int got = stream_.read(more, sizeof more);
            if (got == 0) fail("the server hung up");
            unread_.append(more, static_cast<std::size_t>(got));
        }
        auto line = unread_.substr(0, end);
        unread_.erase(0, end + 2);
        return line;
    }

    Account account_;
    bench::Stream stream_;
    std::string unread_;
};

// ----- files

// What is received in clear text is dropped in the kernel, so that the load costs little.
long long receive(bench::Stream& from, std::vector<char>& buffer) {
    long long bytes = 0;
    for (ssize_t got = 1; got > 0; bytes += got) {
        got = from.encrypted() ? from.read(buffer.data(), batch)
                               : ::recv(from.socket(), nullptr, 1 << 30, MSG_TRUNC);
        if (got < 0) fail("recv");
    }
    return bytes;
}

void send(bench::Stream& to, int file, std::vector<char>& buffer, long long bytes) {
    while (bytes > 0) {
        if (!to.encrypted()) {
            off_t start = 0;  // the same batch again and again
            const auto sent =
                ::sendfile(to.socket(), file, &start,
                           static_cast<std::size_t>(std::min<long long>(bytes, batch)));
            if (sent <= 0) fail("sendfile");
            bytes -= sent;
            continue;
        }
        const int part = static_cast<int>(std::min<long long>(bytes, batch));
        to.write(buffer.data(), part);
        to.flush();
        bytes -= part;
    }
    to.finish();
    to.wait_for_end();
}

int batch_in_memory(const std::vector<char>& bytes) {
    const int file = ::memfd_create("bench", MFD_CLOEXEC);
    if (file < 0 || ::write(file, bytes.data(), bytes.size()) != batch) fail("memfd");
    return file;
}

// One transfer: the data connection's cipher.
std::string transfer(Control& control, const std::string& command, int file, long long bytes) {
    thread_local std::vector<char> buffer(batch, 'x');
    std::string cipher;
    {
        bench::Stream data(bench::connect_to(control.passive_port()), bench::Stream::data);
        control.begin(data, command);
        cipher = data.cipher();
        if (file >= 0) {
            send(data, file, buffer, bytes);
        } else {
            const auto got = receive(data, buffer);
            if (bytes >= 0 && got != bytes) fail("the download has another size");
            data.finish();
        }
    }
    control.expect("2");
    return cipher;
}

void transfer_large(const Account& account, bool upload, const std::string& path, long long bytes,
                    int streams) {
    const int file = upload ? batch_in_memory(std::vector<char>(batch, 'x')) : -1;
    std::vector<std::unique_ptr<Control>> controls;
    for (int n = 0; n < streams; ++n) {
        controls.push_back(std::make_unique<Control>(account));
        controls.back()->prepare_transfers();
    }
    wait_for_a_line();
    const auto start = Clock::now();
    std::vector<std::thread> threads;
    std::vector<std::string> ciphers(controls.size());
    for (std::size_t n = 0; n < controls.size(); ++n) {
        const auto command = upload ? "STOR " + path + std::to_string(n) : "RETR " + path;
        threads.emplace_back([&controls, &ciphers, n, command, file, bytes] {
            ciphers[n] = transfer(*controls[n], command, file, bytes);
        });
    }
    for (auto& thread : threads) thread.join();
    print("clock", microseconds_since(start));
    std::printf("cipher %s\n", ciphers[0].c_str());
    wait_for_a_line();
    for (auto& control : controls) control->ask("QUIT", "221");
}

std::string upper(std::string verb) {
    for (char& each : verb) each = static_cast<char>(each & ~0x20);
    return verb;
}

// Uploads go to new files: N follows the path.
void transfer_small(const Account& account, const std::string& verb, const std::string& path,
                    int count) {
    constexpr long long size = 4096;
    const bool upload = verb == "stor";
    const int file = upload ? batch_in_memory(std::vector<char>(batch, 'x')) : -1;
    const long long bytes = upload || verb == "retr" ? size : -1;
    Control control(account);
    control.prepare_transfers();
    std::string cipher;
    wait_for_a_line();
    const auto start = Clock::now();
    for (int n = 0; n < count; ++n)
        cipher = transfer(control, upper(verb) + ' ' + path + (upload ? std::to_string(n) : ""),
                          file, bytes);
    print("clock", microseconds_since(start));
    std::printf("cipher %s\n", cipher.c_str());
    wait_for_a_line();
    control.ask("QUIT", "221");
}

void list(const Account& account, const std::string& verb, const std::string& path) {
    std::vector<char> buffer(batch);
    Control control(account);
    control.prepare_transfers();
    wait_for_a_line();
    {
        bench::Stream data(bench::connect_to(control.passive_port()), bench::Stream::data);
        const auto start = Clock::now();
        control.begin(data, upper(verb) + ' ' + path);
        const int got = data.read(buffer.data(), batch);
        print("first_byte", microseconds_since(start));
        const auto bytes = got + receive(data, buffer);
        print("clock", microseconds_since(start));
        print("bytes", static_cast<double>(bytes));
        data.finish();
    }
    control.expect("2");
    wait_for_a_line();
    control.ask("QUIT", "221");
}

// ----- connections

void log_in_and_out(const Account& account, int count) {
    std::vector<double> times;
    wait_for_a_line();
    const auto start = Clock::now();
    for (int n = 0; n < count; ++n) {
        const auto each = Clock::now();
        Control control(account);
        times.push_back(microseconds_since(each));
        control.ask("QUIT", "221");
    }
    print("clock", microseconds_since(start));
    std::sort(times.begin(), times.end());
    print("median", times[times.size() / 2]);
    print("p99", times[times.size() * 99 / 100]);
    wait_for_a_line();
}

void stay(const Account& account, int count) {
    std::vector<std::unique_ptr<Control>> controls;
    controls.reserve(static_cast<std::size_t>(count));
    wait_for_a_line();
    const auto start = Clock::now();
    for (int n = 0; n < count; ++n) controls.push_back(std::make_unique<Control>(account));
    print("clock", microseconds_since(start));
    wait_for_a_line();
}

// Microseconds from the first connect() until each of them had its first byte.
std::vector<double> banners(std::uint16_t port, int count) {
    const int poll = ::epoll_create1(EPOLL_CLOEXEC);
    const auto address = bench::loopback(port);
    std::vector<int> sockets;
    std::vector<double> times;
    const auto start = Clock::now();
    for (int n = 0; n < count; ++n) {
        const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        epoll_event event{.events = EPOLLIN | EPOLLONESHOT, .data = {.fd = made}};
        if (made < 0 ||
            (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
             errno != EINPROGRESS) ||
            ::epoll_ctl(poll, EPOLL_CTL_ADD, made, &event) != 0)
            fail("connect");
        sockets.push_back(made);
    }
    while (times.size() < sockets.size()) {
        epoll_event events[64];
        const int ready = ::epoll_wait(poll, events, 64, 30'000);
        if (ready <= 0) fail("no banner in 30 s");
        const auto now = microseconds_since(start);
        for (int n = 0; n < ready; ++n) {
            char first = 0;
            if (::read(events[n].data.fd, &first, 1) != 1 || first != '2') fail("banner");
            times.push_back(now);
        }
    }
    for (const int each : sockets) ::close(each);
    ::close(poll);
    return times;
}

void connect_at_once(const Account& account, int count, int rounds) {
    std::vector<double> all;
    wait_for_a_line();
    for (int n = 0; n < rounds; ++n) {
        const auto times = banners(account.port, count);
        all.insert(all.end(), times.begin(), times.end());
        std::this_thread::sleep_for(
            std::chrono::milliseconds(500));  // the server is done with them
    }
    std::sort(all.begin(), all.end());
    print("median", all[all.size() / 2]);
    print("p99", all[all.size() * 99 / 100]);
    print("clock", all.back());
    wait_for_a_line();
}

// ----- the command line

int keep_session(SSL* tls, SSL_SESSION* newest) {
    static_cast<bench::Stream*>(SSL_get_app_data(tls))->keep(newest);
    return 1;  // ours now
}

bench::Context client_context() {
    auto made = bench::context(TLS_client_method());
    SSL_CTX_set_min_proto_version(made.get(), TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(made.get(), keep_session);
    SSL_CTX_set_read_ahead(made.get(), 1);
    return made;
}

void as_many_descriptors_as_possible() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void run(const Account& account, const std::vector<std::string>& work) {
    const auto number = [&work](std::size_t n) { return std::atoi(work[n].c_str()); };
    const auto is = [&work](const char* name, std::size_t words) {
        return work[0] == name && work.size() == words;
    };
    if (is("transfer", 5))
        return transfer_large(account, work[1] == "stor", work[2], std::atoll(work[3].c_str()),
                              number(4));
    if (is("small", 4)) return transfer_small(account, work[1], work[2], number(3));
    if (is("login", 2)) return log_in_and_out(account, number(1));
    if (is("burst", 3)) return connect_at_once(account, number(1), number(2));
    if (is("idle", 2)) return stay(account, number(1));
    if (is("list", 3)) return list(account, work[1], work[2]);
    usage();
}

}  // namespace

int main(int argc, char** argv) {
    constexpr unsigned longest = 900;  // seconds
    ::alarm(longest);
    as_many_descriptors_as_possible();
    bench::Context tls(nullptr, &SSL_CTX_free);
    Account account;
    int at = 1;
    for (; at + 1 < argc && std::strncmp(argv[at], "--", 2) == 0; ++at) {
        const std::string_view option = argv[at];
        if (option == "--tls")
            tls = client_context();
        else if (option == "--user")
            account.user = argv[++at];
        else if (option == "--password")
            account.password = argv[++at];
        else
            usage();
    }
    if (at + 2 > argc) usage();
    account.tls = tls.get();
    account.port = static_cast<std::uint16_t>(std::atoi(argv[at]));
    run(account, {argv + at + 1, argv + argc});
}
