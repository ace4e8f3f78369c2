// SPDX-License-Identifier: MIT
// jailftpd passwd: a command of its own, with its caller's rights.
#include "authenticator/password_tool.hpp"

#include "base/fd.hpp"
#include "ipc/requests.hpp"

#include <crypt.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace authenticator {

using base::Error;
using base::Fd;
using base::Result;
using base::system_error;

namespace {

constexpr int failure = 2;
constexpr char interrupt = 3;  // ^C: with ISIG off it comes as a byte

struct Method {
    std::string_view name;
    const char* prefix;
    unsigned long cost;  // 0: the C library's own
};
// clang-format off
constexpr Method methods[] = {
    {"yescrypt", "$y$",  0},
    {"sha512",   "$6$",  0},
    {"bcrypt",   "$2b$", 12},
};
// clang-format on

constexpr const char* usage =
    "usage: jailftpd passwd [--method yescrypt|sha512|bcrypt]\n"
    "Asks for a password, or reads one line of standard input, and prints its crypt(3) hash\n"
    "for \"password =\" in a [tenant NAME] section.\n";

void wipe(std::string& text) {
    text.resize(text.capacity());
    ::explicit_bzero(text.data(), text.size());
    text.clear();
}

struct Wiped : std::string {
    // Never grows while it is filled, so that no copy stays behind.
    Wiped() { reserve(4096); }
    ~Wiped() { wipe(*this); }
    Wiped(const Wiped&) = delete;
    Wiped& operator=(const Wiped&) = delete;
};

// The terminal as it was, also after ^C: the signal comes once the echo is back.
class Silence {
  public:
    explicit Silence(int terminal) : terminal_(terminal) {
        sigset_t signals;
        ::sigemptyset(&signals);
        for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP})
            ::sigaddset(&signals, each);
        (void)::sigprocmask(SIG_BLOCK, &signals, &old_signals_);
        if (::tcgetattr(terminal_, &old_) < 0) return;
        auto silent = old_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL | ISIG);
        silent.c_cc[VEOL] = interrupt;  // as the end of a line it comes at once
        changed_ = ::tcsetattr(terminal_, TCSAFLUSH, &silent) == 0;
    }
    ~Silence() {
        if (changed_) (void)::tcsetattr(terminal_, TCSAFLUSH, &old_);
        (void)::sigprocmask(SIG_SETMASK, &old_signals_, nullptr);
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;
    explicit operator bool() const { return changed_; }

  private:
    int terminal_;
    termios old_{};
    sigset_t old_signals_{};
    bool changed_ = false;
};

// One line without its LF (or CR LF).
Result<void> read_line(int input, Wiped& line) {
    line.clear();
    for (;;) {
        char byte = 0;
        const auto got = ::read(input, &byte, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error("cannot read the password");
        if (got == 0 && line.empty()) return Error{"no password was given"};
        if (got == 0 || byte == '\n') break;
        if (byte == interrupt && ::isatty(input) == 1) return Error{"interrupted"};
        if (line.size() == line.capacity()) return Error{"the password is too long"};
        line.push_back(byte);
    }
    if (line.ends_with('\r')) line.pop_back();
    return base::success();
}

void say(int terminal, std::string_view text) {
    [[maybe_unused]] const auto written = ::write(terminal, text.data(), text.size());
}

Result<void> ask(int terminal, Wiped& password) {
    Wiped again;
    const Silence silence(terminal);
    if (!silence) return system_error("cannot switch the terminal's echo off");
    say(terminal, "Password: ");
    auto read = read_line(terminal, password);
    say(terminal, "\n");
    if (!read) return read;
    say(terminal, "Again: ");
    read = read_line(terminal, again);
    say(terminal, "\n");
    if (!read) return read;
    if (password != again) return Error{"the two passwords are not the same"};
    return base::success();
}

Result<void> get(Wiped& password) {
    if (::isatty(STDIN_FILENO) != 1) return read_line(STDIN_FILENO, password);
    const Fd terminal{::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
    return ask(terminal ? terminal.get() : STDIN_FILENO, password);
}

Result<const Method*> find_method(std::string_view name) {
    const auto* found = std::find_if(std::begin(methods), std::end(methods),
                                     [&](const Method& each) { return each.name == name; });
    if (found == std::end(methods))
        return Error{"there is no method " + std::string(name) +
                     ", but yescrypt, sha512 and bcrypt"};
    return found;
}

Result<std::string> run(std::string_view method) {
    TRY(find_method(method));  // before the trouble of typing
    Wiped password;
    TRY(get(password));
    if (password.empty()) return Error{"an empty password lets everybody in"};
    if (password.size() > ipc::longest_name)
        return Error{"a password has at most " + std::to_string(ipc::longest_name) +
                     " bytes over FTP"};
    const auto outside = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; };
    if (std::any_of(password.begin(), password.end(), outside))
        return Error{"a password has no control characters"};
    return make_hash(method, password);
}

}  // namespace

Result<std::string> make_hash(std::string_view method, const std::string& password) {
    TRY(const auto* found, find_method(method));
    constexpr std::size_t longest_of_bcrypt = 72;
    if (found->name == "bcrypt" && password.size() > longest_of_bcrypt)
        return Error{"bcrypt looks at 72 bytes of a password only"};
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (::crypt_gensalt_rn(found->prefix, found->cost, nullptr, 0, setting,
                           static_cast<int>(sizeof setting)) == nullptr)
        return system_error("the C library cannot make a salt for " + std::string(method));
    const auto data = std::make_unique<crypt_data>();
    const char* made = ::crypt_r(password.c_str(), setting, data.get());
    std::string hash = made == nullptr ? "*" : made;
    ::explicit_bzero(data.get(), sizeof(crypt_data));
    if (hash.starts_with('*'))
        return system_error("the C library cannot make a " + std::string(method) + " hash");
    return hash;
}

int passwd_main(const std::vector<std::string_view>& arguments) {
    std::string_view method = "yescrypt";
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const auto word = arguments[i];
        if (word == "--help" || word == "-h") {
            (void)std::fputs(usage, stdout);
            return 0;
        }
        if (word.starts_with("--method=")) {
            method = word.substr(std::strlen("--method="));
        } else if (word == "--method" && i + 1 < arguments.size()) {
            method = arguments[++i];
        } else {
            (void)std::fputs(usage, stderr);
            return failure;
        }
    }
    const auto hash = run(method);
    if (!hash) {
        (void)std::fprintf(stderr, "jailftpd passwd: %s\n", hash.error().text().c_str());
        return failure;
    }
    return std::printf("%s\n", hash.value().c_str()) < 0 || std::fflush(stdout) != 0 ? failure : 0;
}

}  // namespace authenticator
