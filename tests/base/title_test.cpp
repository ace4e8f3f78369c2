// SPDX-License-Identifier: MIT
// Process titles, as ps reads them.
#include "base/title.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// main's argv, which GoogleTest keeps to itself: the texts stand one after the other.
std::vector<char*> arguments() {
    const auto all = contents("/proc/self/cmdline");
    std::vector<char*> result;
    char* next = ::program_invocation_name;
    for (auto left = std::count(all.begin(), all.end(), '\0'); left > 0; --left) {
        result.push_back(next);
        next += std::strlen(next) + 1;
    }
    result.push_back(nullptr);
    return result;
}

// What stands in /proc/PID/`file` of a child that has just done something.
std::string seen(const std::string& file, const std::function<void()>& action) {
    int done[2];
    int end[2];
    if (::pipe(done) < 0 || ::pipe(end) < 0) return "no pipe";
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::close(end[1]);
        action();
        (void)!::write(done[1], "+", 1);
        char ignored;
        (void)!::read(end[0], &ignored, 1);
        ::_exit(0);
    }
    ::close(done[1]);
    ::close(end[0]);
    char ignored;
    const auto length = ::read(done[0], &ignored, 1);
    const auto result = contents("/proc/" + std::to_string(pid) + "/" + file);
    ::close(end[1]);
    ::close(done[0]);
    ::waitpid(pid, nullptr, 0);
    return length == 1 ? result : "the child died";
}

void prepare() {
    auto argv = arguments();
    base::title::prepare(static_cast<int>(argv.size()) - 1, argv.data());
}

std::string title(const std::string& text) {
    return seen("cmdline", [&] {
        prepare();
        base::title::set(text);
    });
}

TEST(Title, IsAllThatPsShows) {
    EXPECT_EQ(title("j"), std::string("j\0", 2));
    EXPECT_EQ(title("jailftpd: ann 192.0.2.7 [session]"),
              std::string("jailftpd: ann 192.0.2.7 [session]") + '\0');
}

TEST(Title, MayBeLongerThanTheArgumentsWere) {
    const auto arguments_length = contents("/proc/self/cmdline").size();
    for (auto length = arguments_length - 3; length < arguments_length + 3; ++length) {
        const std::string text(length, 'x');
        EXPECT_EQ(title(text), text + '\0') << length;
    }
}

TEST(Title, IsCutWhereItsRoomEnds) {
    const auto shown = title(std::string(1 << 20, 'x'));
    EXPECT_GT(shown.size(), contents("/proc/self/cmdline").size());
    EXPECT_LE(shown.size(), 1U << 20);
    EXPECT_EQ(shown.find_first_not_of('x'), shown.size() - 1);
}

TEST(Title, ReplacesALongerOne) {
    EXPECT_EQ(seen("cmdline",
                   [] {
                       prepare();
                       base::title::set(std::string(1000, 'x'));
                       base::title::set("short");
                   }),
              std::string("short\0", 6));
}

TEST(Title, ShowsNoControlBytes) { EXPECT_EQ(title("a\nb\033[c"), std::string("a?b?[c\0", 7)); }

TEST(Title, IsEachChildsOwn) {
    const auto shown = seen("cmdline", [] {
        prepare();
        base::title::set("parent");
        if (::fork() == 0) {
            base::title::set("child");
            ::_exit(0);
        }
    });
    EXPECT_EQ(shown, std::string("parent\0", 7));
}

TEST(Title, LeavesArgumentsAndEnvironmentReadable) {
    const auto shown = seen("comm", [] {
        auto argv = arguments();
        const std::string first = argv[0];
        const std::string path = ::getenv("PATH");
        base::title::prepare(static_cast<int>(argv.size()) - 1, argv.data());
        base::title::set(std::string(1 << 20, 'x'));
        if (argv[0] != first || ::getenv("PATH") != path) ::_exit(1);
    });
    EXPECT_EQ(shown, "jailftpd\n");  // and the name is not that of the file that was executed
}

TEST(Title, DoesNothingBeforeItHasRoom) {
    const auto before = contents("/proc/self/cmdline");
    base::title::set("title");
    EXPECT_EQ(contents("/proc/self/cmdline"), before);
}

}  // namespace
