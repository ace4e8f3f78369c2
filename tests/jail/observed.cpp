// SPDX-License-Identifier: MIT
// A process that goes into a jail while a test looks at it from outside, through /proc.
#include "tests/jail/observed.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace observed {

namespace fs = std::filesystem;

namespace {

// Without root there are no owners to choose; tests that depend on them skip themselves.
void give(const std::string& path, uid_t owner, gid_t group) {
    if (::geteuid() == 0) {
        EXPECT_EQ(::lchown(path.c_str(), owner, group), 0);
    }
}

}  // namespace

std::string Facts::text(std::string_view name) const {
    std::ifstream file(folder_ / name);
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
}

std::string Facts::status(std::string_view field) const {
    std::istringstream lines(text("status"));
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(std::string(field) + ":")) continue;
        std::istringstream words(line.substr(field.size() + 1));
        std::string result;
        for (std::string word; words >> word;) result += (result.empty() ? "" : " ") + word;
        return result;
    }
    return "no such field";
}

std::string Facts::link(std::string_view name) const {
    std::error_code error;
    const auto target = fs::read_symlink(folder_ / name, error);
    return error ? error.message() : target.string();
}

std::map<int, std::string> Facts::descriptors() const {
    std::map<int, std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_ / "fd")) {
        std::error_code closed_meanwhile;
        const auto target = fs::read_symlink(entry.path(), closed_meanwhile);
        if (!closed_meanwhile) all[std::stoi(entry.path().filename())] = target;
    }
    return all;
}

std::string Facts::limit(std::string_view name) const {
    std::istringstream lines(text("limits"));
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(name)) continue;
        std::istringstream words(line.substr(name.size()));
        std::string soft;
        std::string hard;
        words >> soft >> hard;
        return soft + ' ' + hard;
    }
    return "no such limit";
}

uid_t Facts::owner() const {
    struct stat status {};
    return ::stat((folder_ / "status").c_str(), &status) == 0 ? status.st_uid
                                                              : static_cast<uid_t>(-1);
}

pid_t Facts::session() const {
    // After the name in brackets: state, parent, group, session.
    const auto all = text("stat");
    std::istringstream words(all.substr(all.rfind(')') + 1));
    std::string skipped;
    pid_t session = 0;
    words >> skipped >> skipped >> skipped >> session;
    return session;
}

Process::Process(const Action& action, const jail::Isolation& isolation, int cgroup) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) throw std::bad_alloc();
    end_ = base::Fd(ends[0]);
    base::Fd theirs(ends[1]);
    const auto pid = jail::clone_cell(isolation, cgroup);
    if (!pid) {
        error_ = pid.error().text();
        return;
    }
    pid_ = pid.value();
    if (pid_ == 0) {
        end_.close();
        const auto result = action(theirs.get());
        const auto report = result ? std::string("+") : "-" + result.error().text();
        (void)!::send(theirs.get(), report.data(), report.size(), MSG_NOSIGNAL);
        char ignored;
        (void)!::recv(theirs.get(), &ignored, 1, 0);  // until the test is done
        ::_exit(0);
    }
    theirs.close();
    char report[2048];
    const auto length = ::read(end_.get(), report, sizeof report);
    if (length <= 0)
        error_ = "the process died";
    else if (report[0] == '-')
        error_ = std::string(report + 1, static_cast<std::size_t>(length) - 1);
}

Process::~Process() {
    end_.close();
    if (pid_ <= 0) return;
    signal(SIGKILL);
    (void)::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
    if (pid_ > 0) (void)::kill(pid_, number);
}

int Process::end() {
    int status = -1;
    if (pid_ > 0) (void)::waitpid(std::exchange(pid_, -1), &status, 0);
    return status;
}

bool mounts_allowed() {
    const Process process([](int) -> base::Result<void> {
        if (::unshare(CLONE_NEWNS) < 0 ||
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
            ::mount("none", "/tmp", "tmpfs", 0, nullptr) < 0)
            return base::system_error("mount");
        return base::success();
    });
    return !process.error();
}

Directory::Directory() {
    std::string name = "/tmp/jail-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::bad_alloc();
    path_ = name;
    ::chmod(name.c_str(), 0755);
}

Directory::~Directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::string Directory::path(std::string_view name) const {
    return name.empty() ? path_.string() : (path_ / name).string();
}

std::string Directory::directory(std::string_view name, uid_t owner, mode_t mode,
                                 gid_t group) const {
    const auto result = path(name);
    EXPECT_EQ(::mkdir(result.c_str(), mode), 0);
    give(result, owner, group);
    EXPECT_EQ(::chmod(result.c_str(), mode), 0);
    return result;
}

std::string Directory::file(std::string_view name) const {
    const auto result = path(name);
    std::ofstream(result) << "text\n";
    return result;
}

std::string Directory::link(std::string_view name, const std::string& target, uid_t owner) const {
    const auto result = path(name);
    EXPECT_EQ(::symlink(target.c_str(), result.c_str()), 0);
    give(result, owner, owner);
    return result;
}

}  // namespace observed
