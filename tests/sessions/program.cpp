// SPDX-License-Identifier: MIT
// Programs run by tests.
#include "tests/sessions/program.hpp"

#include "tests/sessions/sandbox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sessions {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
    const auto end = Clock::now() + patience;
    for (auto pause = std::chrono::milliseconds(1);;
         pause = std::min(pause * 2, std::chrono::milliseconds(20))) {
        if (condition()) return true;
        if (Clock::now() > end) return false;
        std::this_thread::sleep_for(pause);
    }
}

std::string program_path(std::string_view name) {
    for (const auto* folder : {"/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"}) {
        const auto path = fs::path(folder) / name;
        if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return {};
}

Ran run(const std::vector<std::string>& command, const RunWith& with) {
    int input[2];
    int output[2];
    int errors[2];
    if (::pipe2(input, O_CLOEXEC) < 0 || ::pipe2(output, O_CLOEXEC) < 0 ||
        ::pipe2(errors, O_CLOEXEC) < 0)
        throw std::system_error(errno, std::generic_category(), "pipe");
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(input[0], 0);
        ::dup2(output[1], 1);
        ::dup2(errors[1], 2);
        ::signal(SIGPIPE, SIG_DFL);
        ::setsid();
        if (with.before) with.before();
        if (with.as != 0 &&
            (::setgroups(0, nullptr) < 0 || ::setgid(with.as) < 0 || ::setuid(with.as) < 0))
            ::_exit(126);
        for (const auto& variable : with.environment) ::putenv(const_cast<char*>(variable.c_str()));
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    base::Fd to_it{input[1]};
    base::Fd from_it{output[0]};
    base::Fd complaints{errors[0]};
    for (const int end : {input[0], output[1], errors[1]}) ::close(end);
    (void)::fcntl(to_it.get(), F_SETFL, O_NONBLOCK);

    Ran result;
    std::string_view left = with.input;
    if (left.empty()) to_it.close();
    const auto deadline = Clock::now() + with.patience;
    while (from_it || complaints) {
        pollfd waits[] = {
            {to_it.get(), POLLOUT, 0}, {from_it.get(), POLLIN, 0}, {complaints.get(), POLLIN, 0}};
        const auto time =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        if (time.count() <= 0) break;
        if (::poll(waits, 3, static_cast<int>(time.count())) <= 0) continue;
        if (waits[0].revents != 0) {
            const auto count = ::write(to_it.get(), left.data(), left.size());
            if (count > 0) left.remove_prefix(static_cast<std::size_t>(count));
            if (count < 0 || left.empty()) to_it.close();
        }
        const auto take = [](pollfd& wait, base::Fd& from, std::string& to) {
            if (wait.revents == 0) return;
            char bytes[65536];
            const auto count = ::read(from.get(), bytes, sizeof bytes);
            if (count > 0)
                to.append(bytes, static_cast<std::size_t>(count));
            else
                from.close();
        };
        take(waits[1], from_it, result.out);
        take(waits[2], complaints, result.err);
    }
    const bool late = Clock::now() >= deadline;
    if (late) ::kill(-pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (late) return result;
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}

std::vector<Process> processes() {
    std::vector<Process> all;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != name.npos) continue;
        Process process{};
        process.pid = std::stoi(name);
        if (process.pid == 1 || process.pid == ::getpid()) continue;
        std::ifstream arguments(entry.path() / "cmdline", std::ios::binary);
        std::ifstream numbers(entry.path() / "stat");
        std::stringstream title;
        title << arguments.rdbuf();
        process.title = title.str();
        std::replace(process.title.begin(), process.title.end(), '\0', ' ');
        while (process.title.ends_with(' ')) process.title.pop_back();
        std::string line;
        if (!std::getline(numbers, line)) continue;  // gone meanwhile
        std::istringstream rest(line.substr(line.rfind(')') + 1));
        rest >> process.state >> process.parent;
        if (process.title.empty())
            process.title = line.substr(line.find('('), line.rfind(')') + 1 - line.find('('));
        all.push_back(process);
    }
    return all;
}

std::vector<Process> processes(std::string_view title_part) {
    auto all = processes();
    std::erase_if(all, [&](const auto& each) {
        return each.title.find(title_part) == each.title.npos || each.state == 'Z';
    });
    return all;
}

std::string described(const std::vector<Process>& list) {
    std::string text;
    for (const auto& each : list)
        text += "  " + std::to_string(each.pid) + " (parent " + std::to_string(each.parent) + ") " +
                each.state + " " + each.title + "\n";
    return text;
}

std::size_t descriptors_of(pid_t pid) {
    std::error_code error;
    std::size_t count = 0;
    for (fs::directory_iterator each("/proc/" + std::to_string(pid) + "/fd", error), end;
         !error && each != end; each.increment(error))
        ++count;
    return count;
}

}  // namespace sessions
