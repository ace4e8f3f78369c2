// SPDX-License-Identifier: MIT
// Starts the processes that the supervisor execs; runs as root.
#include "supervisor/roles.hpp"

#include "base/log.hpp"

#include <climits>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <unistd.h>

namespace supervisor {
namespace {

// The C library may look at these before main; everything else in the environment stays here.
constexpr const char* kept_variables[] = {
    "TZ",           "JOURNAL_STREAM", base::log::syslog_variable,
    "ASAN_OPTIONS", "UBSAN_OPTIONS",  "LSAN_OPTIONS"};

std::vector<std::string> environment() {
    std::vector<std::string> variables;
    for (const auto* name : kept_variables) {
        if (const auto* value = std::getenv(name))
            variables.push_back(std::string(name) + '=' + value);
    }
    // Functions of libraries are looked up now, not by each child that is forked later.
    variables.emplace_back("LD_BIND_NOW=1");
    // Room for the process's title, which is written over arguments and environment.
    variables.push_back("JAILFTPD_TITLE_ROOM=" + std::string(256, '-'));
    return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

// A number above the fixed ones, so that placing one descriptor cannot overwrite the other.
base::Result<base::Fd> duplicate(int descriptor) {
    base::Fd copy{::fcntl(descriptor, F_DUPFD_CLOEXEC, certificates_descriptor + 1)};
    if (!copy) return base::system_error("cannot duplicate a descriptor");
    return copy;
}

constexpr const char* program = "/proc/self/exe";

// The smaller programs that a spawner can be (cells_main.cpp), where they were beside this one when
// this one started: one of a later version would not understand what it is told.
base::Fd open_beside(const char* suffix) {
    std::string path(PATH_MAX, '\0');
    const auto length = ::readlink(program, path.data(), path.size());
    if (length <= 0) return {};
    path.resize(static_cast<std::size_t>(length));
    path += suffix;
    const base::Fd file{::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    if (!file) return {};
    struct stat its {};
    struct stat own {};
    if (::fstat(file.get(), &its) < 0 || ::stat(program, &own) < 0 || its.st_uid != own.st_uid ||
        its.st_gid != own.st_gid || its.st_mode != own.st_mode) {
        base::log::warning(path + " is not used: its owner or mode is not that of jailftpd itself");
        return {};
    }
    auto above = duplicate(file.get());
    return above ? std::move(above.value()) : base::Fd{};
}

std::string program_of(std::string_view process, const base::Fd& certificates) {
    static const auto cells = open_beside("-cells");
    static const auto cells_with_tls = open_beside("-cells-tls");
    const auto& own = certificates ? cells_with_tls : cells;
    if (process != "spawner" || !own) return program;
    return "/proc/self/fd/" + std::to_string(own.get());
}

}  // namespace

base::Result<Started> start_process(std::string_view name, const base::Fd& configuration,
                                    const base::Fd& certificates) {
    TRY(auto ends, ipc::Channel::pair());
    TRY(auto channel, duplicate(ends.second.fd()));
    TRY(auto memory, duplicate(configuration.get()));
    base::Fd public_parts;
    if (certificates) {
        TRY(public_parts, duplicate(certificates.get()));
    }

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, channel.get(), channel_descriptor);
    ::posix_spawn_file_actions_adddup2(&actions, memory.get(), configuration_descriptor);
    if (public_parts)
        ::posix_spawn_file_actions_adddup2(&actions, public_parts.get(), certificates_descriptor);
    // Nobody will look at that terminal any more.
    if (std::getenv(base::log::syslog_variable) != nullptr)
        ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    std::vector<std::string> arguments{"jailftpd: " + std::string(name),
                                       "--process=" + std::string(name)};
    auto variables = environment();
    const auto file = program_of(name, certificates);
    pid_t pid = -1;
    const int number = ::posix_spawn(&pid, file.c_str(), &actions, &attributes,
                                     pointers(arguments).data(), pointers(variables).data());
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    if (number != 0)
        return base::system_error("cannot start the " + std::string(name) + " (" + file + ')',
                                  number);
    return Started{pid, std::move(ends.first)};
}

}  // namespace supervisor
