// SPDX-License-Identifier: MIT
// Layers that are wanted, and those that there are; runs in the supervisor, as root.
#include "supervisor/layers.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "jail/identity.hpp"
#include "supervisor/cgroups.hpp"

#include <algorithm>
#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace supervisor {

using base::Error;

namespace {

struct Row {
    const char* key;  // in [jail]
    bool config::Native::*wanted;
    const char* layer;              // jail::probe()'s name for it
    bool config::Options::*option;  // of vsftpd.conf that it needs as well; null: none
    bool is_of_namespaces;          // without root it needs users
};

// clang-format off
constexpr Row rows[] = {
    // key           setting                        layer            option                             namespace
    {"users",        &config::Native::users,        "users",         nullptr,                           false},
    {"pid",          &config::Native::pid,          "pid",           &config::Options::isolate,         true},
    {"ipc",          &config::Native::ipc,          "ipc",           &config::Options::isolate,         true},
    {"uts",          &config::Native::uts,          "uts",           &config::Options::isolate,         true},
    {"cgroup",       &config::Native::cgroup,       "cgroup",        &config::Options::isolate,         true},
    {"mounts",       &config::Native::mounts,       "mounts",        &config::Options::isolate,         true},
    {"network",      &config::Native::network,      "empty network", &config::Options::isolate_network, true},
    {"landlock",     &config::Native::landlock,     "landlock",      nullptr,                           false},
    {"system_calls", &config::Native::system_calls, "system calls",  nullptr,                           false},
    {"no_symlinks",  &config::Native::no_symlinks,  "nosymfollow",   nullptr,                           true},
};
// clang-format on

// What root has to be able to do to make jails, and by which capabilities; jail::probe() tries it
// for root alone.
struct Right {
    const char* layer;
    const char* needs;
};
// clang-format off
constexpr Right rights[] = {
    {"chroot",       "CAP_SYS_CHROOT"},
    {"identity",     "CAP_SETUID and CAP_SETGID"},
    {"bounding set", "CAP_SETPCAP"},
    {"signals",      "CAP_KILL"},
};
// clang-format on

base::Result<void> check_rights(std::span<const jail::Layer> layers) {
    std::string lacking;
    std::string needs;
    for (const auto& right : rights) {
        const auto* layer = jail::find(layers, right.layer);
        if (layer == nullptr || layer->works()) continue;
        lacking += (lacking.empty() ? "" : "; ") + layer->why;
        needs += (needs.empty() ? "" : ", ") + std::string(right.needs);
    }
    if (lacking.empty()) return base::success();
    return Error{"root lacks rights here without which no session can be confined (" + lacking +
                 "): give the container or service " + needs +
                 ", or start it as an ordinary user with run_as_launching_user=YES"};
}

// Then not even trying and doing without is possible, here or in a process that is made later.
base::Result<void> check_survival(std::span<const jail::Layer> layers) {
    std::string deadly;
    for (const auto& layer : layers) {
        if (layer.deadly) deadly += (deadly.empty() ? "" : ", ") + std::string(layer.name);
    }
    if (deadly.empty()) return base::success();
    return Error{"the system call filter of a container or service ends processes for trying " +
                 deadly + "; let it answer with an error (SystemCallErrorNumber=EPERM), or allow " +
                 "what that takes"};
}

std::string why_not(std::span<const jail::Layer> layers, std::string_view name) {
    const auto* layer = jail::find(layers, name);
    return layer == nullptr || layer->works() ? std::string{} : " (" + layer->why + ')';
}

// What accounts are to be limited in and cannot be; empty: nothing.
std::string limits_missing(const config::Configuration& configuration,
                           std::span<const jail::Layer> layers) {
    if (controllers(configuration).empty()) return {};
    if (::geteuid() != 0) return "limits of accounts take root";
    if (const auto* layer = jail::find(layers, "cgroups"); layer != nullptr && !layer->works())
        return "there are no limits of accounts without cgroups of version 2 (" + layer->why + ')';
    const auto missing = missing_controllers(configuration);
    if (missing.empty()) return {};
    return "the cgroup that this was started in has no controllers for limits of accounts: " +
           missing + " (under systemd, Delegate=yes gives them)";
}

// Root gives sessions their users' own; empty: none.
std::string groups_that_stay() {
    if (::geteuid() == 0) return {};
    const auto own = jail::own_identity();
    if (!own) return {};
    std::string text;
    for (const auto group : own.value().groups) {
        if (group != own.value().gid) text += (text.empty() ? "" : ", ") + std::to_string(group);
    }
    return text;
}

std::string who_needs_mounts(const config::Configuration& configuration) {
    for (const auto& group : configuration.groups) {
        if (group.confinement.needs_mounts()) return "group " + group.name;
    }
    for (const auto& tenant : configuration.tenants) {
        if (tenant.confinement.needs_mounts()) return "tenant " + tenant.name;
    }
    return {};
}

}  // namespace

base::Result<void> kernel_tls() {
#ifdef JAILFTPD_OPENSSL_WITHOUT_KTLS
    return Error{"OpenSSL was built without it"};
#else
    // Root's question loads the module; a socket that is not connected then is all that is wrong.
    const base::Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!socket) return base::system_error("socket");
    constexpr char name[] = "tls";
    if (::setsockopt(socket.get(), IPPROTO_TCP, TCP_ULP, name, sizeof name) == 0 ||
        errno == ENOTCONN)
        return base::success();
    return base::system_error("the kernel has no module tls");
#endif
}

bool is_required(const config::Native& native, std::string_view key) {
    if (native.isolate_required == "yes")
        return key != "no_symlinks" && (key != "users" || ::geteuid() != 0);
    const auto words = base::split(native.isolate_required, ' ');
    return std::find(words.begin(), words.end(), key) != words.end();
}

base::Result<void> settle(config::Configuration& configuration,
                          std::span<const jail::Layer> layers) {
    auto& native = configuration.native;
    const bool is_root = ::geteuid() == 0;
    TRY(check_survival(layers));
    if (is_root) {
        TRY(check_rights(layers));
    }
    const bool landlock_wanted = native.landlock;
    for (const auto& row : rows) {
        const bool option = (row.option == nullptr || configuration.options.*row.option) &&
                            (is_root || native.users || !row.is_of_namespaces);
        const auto* layer = jail::find(layers, row.layer);
        const bool works = layer != nullptr && layer->works();
        const auto reason = layer == nullptr ? std::string("it is not for root") : layer->why;
        const std::string key = row.key;
        if (is_required(native, key) && !(works && option && native.*row.wanted))
            return Error{"isolate_required demands " + key + ", but " +
                         (!works ? "this host does not allow it (" + reason + ')'
                                 : std::string("it is switched off"))};
        if (key == "system_calls" && native.system_calls && !works)
            return Error{"system call filters do not work here (" + reason +
                         "; is the call seccomp forbidden by a filter?), and nothing else confines "
                         "the sockets of a session; set "
                         "system_calls = no in [jail] to do without"};
        if (!works || !option) native.*row.wanted = false;
    }
    native.kernel_tls = native.kernel_tls && configuration.options.ssl_enable && kernel_tls();
    if (native.no_symlinks && !native.mounts)
        return Error{"no_symlinks needs mounts, which are switched off or not allowed here"};
    if (const auto missing = limits_missing(configuration, layers);
        !missing.empty() && is_required(native, "limits"))
        return Error{"isolate_required demands limits, but " + missing};
    if (!native.mounts) {
        if (auto who = who_needs_mounts(configuration); !who.empty())
            return Error{who +
                         " has bind or read_only, which need mounts, and these are switched "
                         "off or not allowed here" +
                         why_not(layers, "mounts")};
    }
    if (!is_root && !native.users && landlock_wanted && !native.landlock)
        return Error{"neither user namespaces" + why_not(layers, "users") + " nor Landlock" +
                     why_not(layers, "landlock") +
                     " work here, and nothing else keeps a session that was taken over from the "
                     "launching user's files; set landlock = no in [jail] to do without"};
    return base::success();
}

std::string about_kernel_tls(const config::Configuration& configuration) {
    if (configuration.native.kernel_tls) return "kernel TLS: in use for data connections";
    const auto possible = kernel_tls();
    return "kernel TLS: not in use (" +
           (possible ? "kernel = no in [tls]" : possible.error().text()) + ')';
}

std::vector<std::string> remarks(const config::Configuration& configuration,
                                 std::span<const jail::Layer> layers) {
    std::vector<std::string> lines;
    if (auto missing = jail::missing(layers); !missing.empty())
        lines.push_back("this host lacks layers of isolation: " + missing);
    if (auto missing = limits_missing(configuration, layers); !missing.empty())
        lines.push_back(std::move(missing));
    if (!configuration.native.system_calls)
        lines.emplace_back(
            "there is no system call filter (system_calls = no in [jail]): a "
            "session that is taken over can use the network");
    if (::geteuid() != 0 && !configuration.native.users)
        lines.emplace_back(
            std::string("there is no user namespace: sessions stay in the root directory of the "
                        "host and are kept in theirs by ") +
            (configuration.native.landlock ? "Landlock and the system call filter"
                                           : "their own care alone (landlock = no in [jail])"));
    if (auto groups = groups_that_stay(); !groups.empty())
        lines.push_back("sessions have all groups of the user who started this (gid " + groups +
                        "): without root none can be given up");
    return lines;
}

}  // namespace supervisor
