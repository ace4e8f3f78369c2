// SPDX-License-Identifier: MIT
// A real server process on loopback for the length of a test.
#include "tests/sessions/server.hpp"

#include "tests/sessions/paths.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <regex>
#include <sstream>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sessions {

namespace fs = std::filesystem;

namespace {

std::uint16_t next_port() {
    static std::uint16_t last = 2120;
    return ++last;
}

bool accepts(const std::string& address, std::uint16_t port) {
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_in);
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
    } else {
        ::inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        size = sizeof(sockaddr_in6);
    }
    // Looking for a listening socket does not count as a connection in the server.
    const base::Fd probe{::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const int on = 1;
    ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return ::bind(probe.get(), reinterpret_cast<sockaddr*>(&storage), size) < 0 &&
           errno == EADDRINUSE;
}

std::string matching_line(const std::string& text, const std::regex& expression) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (std::regex_search(line, expression)) return line;
    }
    return {};
}

std::vector<std::string> usual_lines(const Setup& setup, const fs::path& folder) {
    std::vector<std::string> lines = {
        "listen=YES",
        "listen_address=" + setup.address,
        "listen_port=" + std::to_string(setup.port),
        "anonymous_enable=NO",
        "local_enable=YES",
        "write_enable=YES",
        "local_umask=022",
        "xferlog_enable=YES",
        "dual_log_enable=YES",
        "vsftpd_log_file=" + (folder / "vsftpd.log").string(),
        "xferlog_file=" + (folder / "xferlog").string(),
        "delay_failed_login=0",
        "secure_chroot_dir=/run/vsftpd/empty",
    };
    if (setup.address.find(':') != setup.address.npos) {
        lines[0] = "listen_ipv6=YES";
        lines[1] = "listen_address6=" + setup.address;
    }
    return lines;
}

}  // namespace

std::string path_of(Program program) {
    if (program == Program::jailftpd) {
        const auto* other = std::getenv("JAILFTPD_SERVER");
        return other != nullptr ? other : built_server().string();
    }
    const auto path = reference_path("usr/sbin/vsftpd");
    return fs::exists(path) ? path.string() : std::string{};
}

fs::path tenant_home(const std::string& name) { return place("tenants") / name; }

std::string tenant(const std::string& name, const std::string& password, const Lines& more) {
    const auto home = tenant_home(name);
    make_folder(home);
    make_folder(home / "files", virtual_user.uid);
    auto text = "[tenant " + name + "]\npassword = " + hash_of(password) +
                "\nhome = " + home.string() + "\n";
    for (const auto& line : more) text += line + '\n';
    return text;
}

Server::Server(const Lines& lines, Setup setup) : setup_(std::move(setup)) {
    // A fixture is made even for a test that is skipped.
    if (testing::Test::IsSkipped() || testing::Test::HasFatalFailure()) return;
    // To see whether a test itself is right: what it says should mostly hold for vsftpd as well.
    if (std::getenv("JAILFTPD_TRY_REFERENCE") != nullptr) setup_.program = Program::vsftpd;
    if (setup_.port == 0) setup_.port = next_port();
    folder_ = place("server") / std::to_string(setup_.port);
    fs::create_directories(folder_);
    write_config(lines);
    if (!setup_.ini.empty()) rewrite_ini(setup_.ini);
    start();
    const bool settled =
        eventually([this] { return accepts(setup_.address, setup_.port) || !running(); });
    if (!settled || (!running() && !setup_.may_fail))
        ADD_FAILURE() << "the server does not accept connections; it said:\n" << errors();
}

void Server::write_config(const Lines& lines) const {
    std::string text;
    if (setup_.own_lines)
        for (const auto& line : usual_lines(setup_, folder_)) text += line + '\n';
    for (const auto& line : lines) text += line + '\n';
    write_file(config_file(), text);
}

void Server::rewrite(const Lines& lines) const { write_config(lines); }

void Server::rewrite_ini(std::string_view content) const {
    write_file(folder_ / "jailftpd.ini", content);
}

void Server::start() {
    const auto program = path_of(setup_.program);
    std::vector<std::string> words = {program, config_file()};
    if (setup_.program == Program::jailftpd) {
        words.push_back("--ini");
        words.push_back(folder_ / "jailftpd.ini");
        if (!fs::exists(words.back())) write_file(words.back(), "");
    }
    words.insert(words.end(), setup_.arguments.begin(), setup_.arguments.end());
    for (const auto& each : {folder_, config_file(), folder_ / "jailftpd.ini"}) {
        if (setup_.as != 0 && ::chown(each.c_str(), setup_.as, setup_.as) < 0 && errno != ENOENT)
            throw std::system_error(errno, std::generic_category(), "chown");
    }
    pid_ = ::fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ > 0) return;

    // vsftpd speaks to the administrator on descriptor 0.
    const int said = ::open((folder_ / "stderr").c_str(), O_RDWR | O_CREAT | O_APPEND, 0644);
    const int nothing = ::open("/dev/null", O_RDWR);
    ::dup2(setup_.program == Program::vsftpd ? said : nothing, 0);
    ::dup2(said, 1);
    ::dup2(said, 2);
    ::close_range(3, ~0U, 0);
    ::signal(SIGPIPE, SIG_DFL);
    for (const auto& variable : setup_.environment) ::putenv(const_cast<char*>(variable.c_str()));
    if (setup_.program == Program::vsftpd) {
        const auto library = fs::path(program).parent_path().parent_path().parent_path();
        ::setenv("LD_LIBRARY_PATH",
                 ((library / "lib/x86_64-linux-gnu").string() + ":" +
                  (library / "usr/lib/x86_64-linux-gnu").string())
                     .c_str(),
                 1);
    }
    if (setup_.before) setup_.before();
    if (setup_.as != 0 && ::geteuid() != setup_.as &&
        (::setgroups(0, nullptr) < 0 || ::setgid(setup_.as) < 0 || ::setuid(setup_.as) < 0))
        ::_exit(126);
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv(program.c_str(), arguments.data());
    ::_exit(127);
}

Server::~Server() {
    if (pid_ < 0) return;
    if (!waited_for_) {
        signal(SIGTERM);
        if (wait() < 0 && !waited_for_) {
            ADD_FAILURE() << "the server did not end after SIGTERM:\n"
                          << described(sessions::processes()) << errors();
            ::kill(pid_, SIGKILL);
            wait();
        } else if (setup_.program == Program::jailftpd && setup_.cleanly) {
            EXPECT_EQ(status_, 0) << errors();
        }
    }
    const auto ours = [this] {
        auto left = sessions::processes();
        std::erase_if(left, [this](const auto& each) {
            return setup_.program == Program::jailftpd &&
                   each.title.find("jailftpd") == each.title.npos;
        });
        return left;
    };
    if (setup_.program == Program::jailftpd && setup_.cleanly) {
        const bool alone = eventually([&] { return ours().empty(); }, std::chrono::seconds(5));
        EXPECT_TRUE(alone) << "left behind:\n" << described(ours());
    }
    if (testing::Test::HasFailure()) {
        std::fprintf(stderr,
                     "---- standard error of the server on port %d\n%s---- its log\n%s----\n",
                     setup_.port, errors().c_str(), log().c_str());
    }
}

bool Server::running() const {
    return !waited_for_ && ::kill(pid_, 0) == 0 && [this] {
        siginfo_t info{};
        return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               info.si_pid == 0;
    }();
}

std::string Server::url() const {
    const bool v6 = setup_.address.find(':') != setup_.address.npos;
    return "ftp://" + (v6 ? "[" + setup_.address + "]" : setup_.address) + ":" +
           std::to_string(setup_.port);
}

void Server::signal(int number) const {
    if (!waited_for_) ::kill(pid_, number);
}

int Server::wait(std::chrono::milliseconds patience) {
    if (waited_for_) return status_;
    eventually([this] { return !running(); }, patience);
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return -1;
    waited_for_ = true;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return status_;
}

std::string Server::errors() const {
    const auto text = content_of(folder_ / "stderr");
    return text == "(none)" ? std::string{} : text;
}

std::string Server::log() const {
    const auto text = content_of(log_file());
    return text == "(none)" ? std::string{} : text;
}

std::string Server::xferlog() const {
    const auto text = content_of(xferlog_file());
    return text == "(none)" ? std::string{} : text;
}

std::string Server::logged(const std::string& expression) const {
    const std::regex wanted(expression);
    std::string line;
    const bool there = eventually([&] { return !(line = matching_line(log(), wanted)).empty(); });
    EXPECT_TRUE(there) << "no line in vsftpd.log matches " << expression << "\n" << log();
    return line;
}

std::string Server::complained(const std::string& expression) const {
    const std::regex wanted(expression);
    std::string line;
    const bool there =
        eventually([&] { return !(line = matching_line(errors(), wanted)).empty(); });
    EXPECT_TRUE(there) << "no line on standard error matches " << expression << "\n" << errors();
    return line;
}

std::vector<Process> Server::processes(std::string_view kind) const {
    auto all = sessions::processes(kind);
    std::erase_if(all, [](const auto& each) { return !each.title.starts_with("jailftpd"); });
    return all;
}

pid_t Server::process(std::string_view kind) const {
    const bool one = eventually([&] { return processes(kind).size() == 1; });
    EXPECT_TRUE(one) << "not exactly one " << kind << ":\n" << described(sessions::processes());
    const auto all = processes(kind);
    return all.empty() ? -1 : all.front().pid;
}

}  // namespace sessions
