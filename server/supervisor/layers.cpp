// SPDX-License-Identifier: MIT
// Layers that are wanted, and those that there are; runs in the supervisor, as root.
#include "supervisor/layers.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace supervisor {

using base::Error;

namespace {

struct Row {
    const char* key;  // in [jail]
    bool config::Native::*wanted;
    const char* layer;              // jail::probe()'s name for it
    bool config::Options::*option;  // of vsftpd.conf that it needs as well; null: none
};

// clang-format off
constexpr Row rows[] = {
    // key           setting                        layer            option
    {"pid",          &config::Native::pid,          "pid",           &config::Options::isolate},
    {"ipc",          &config::Native::ipc,          "ipc",           &config::Options::isolate},
    {"uts",          &config::Native::uts,          "uts",           &config::Options::isolate},
    {"cgroup",       &config::Native::cgroup,       "cgroup",        &config::Options::isolate},
    {"mounts",       &config::Native::mounts,       "mounts",        &config::Options::isolate},
    {"network",      &config::Native::network,      "empty network", &config::Options::isolate_network},
    {"landlock",     &config::Native::landlock,     "landlock",      nullptr},
    {"system_calls", &config::Native::system_calls, "system calls",  nullptr},
    {"no_symlinks",  &config::Native::no_symlinks,  "nosymfollow",   nullptr},
};
// clang-format on

bool is_required(const config::Native& native, std::string_view key) {
    if (native.isolate_required == "yes") return key != "no_symlinks";
    const auto words = base::split(native.isolate_required, ' ');
    return std::find(words.begin(), words.end(), key) != words.end();
}

}  // namespace

base::Result<void> settle(config::Configuration& configuration,
                          std::span<const jail::Layer> layers) {
    auto& native = configuration.native;
    for (const auto& row : rows) {
        const bool option = row.option == nullptr || configuration.options.*row.option;
        const auto* layer = jail::find(layers, row.layer);
        const bool works = layer != nullptr && layer->works();
        const auto reason = layer == nullptr ? std::string("unknown here") : layer->why;
        const std::string key = row.key;
        if (is_required(native, key) && !(works && option && native.*row.wanted))
            return Error{"isolate_required demands " + key + ", but " +
                         (!works ? "this host does not allow it (" + reason + ')'
                                 : std::string("it is switched off"))};
        if (key == "system_calls" && native.system_calls && !works)
            return Error{"system call filters do not work here (" + reason +
                         "), and nothing else confines the sockets of a session; set "
                         "system_calls = no in [jail] to do without"};
        if (!works || !option) native.*row.wanted = false;
    }
    if (native.no_symlinks && !native.mounts)
        return Error{"no_symlinks needs mounts, which are switched off or not allowed here"};
    return base::success();
}

std::vector<std::string> remarks(const config::Configuration& configuration,
                                 std::span<const jail::Layer> layers) {
    std::vector<std::string> lines;
    if (auto missing = jail::missing(layers); !missing.empty())
        lines.push_back("this host lacks layers of isolation: " + missing);
    if (!configuration.options.seccomp_sandbox && configuration.native.system_calls)
        lines.emplace_back(
            "seccomp_sandbox=NO is about vsftpd's filter; that of jailftpd stays on (system_calls "
            "= no in [jail] of jailftpd.ini would switch it off)");
    if (!configuration.native.system_calls)
        lines.emplace_back(
            "there is no system call filter (system_calls = no in [jail]): a "
            "session that is taken over can use the network");
    return lines;
}

}  // namespace supervisor
