// SPDX-License-Identifier: MIT
// cert_username_map; runs in the supervisor, and is_certificate_of() in the authenticator's
// children.
#include "config/cert_users.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "config/ini_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace config {
namespace {

constexpr std::size_t largest_map = 64 << 20;

base::Result<std::string> read_trusted(const std::string& path) {
    const base::Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (!file) return base::system_error("cannot read it");
    struct stat status {};
    if (::fstat(file.get(), &status) < 0) return base::system_error("cannot read it");
    if (!S_ISREG(status.st_mode)) return base::Error{"not a regular file"};
    if (status.st_uid != 0 && status.st_uid != ::geteuid())
        return base::Error{"the file belongs to uid " + std::to_string(status.st_uid)};
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return base::Error{"others than its owner may write to the file"};
    std::string content;
    char buffer[16384];
    for (;;) {
        const auto got = ::read(file.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return base::system_error("cannot read it");
        if (got == 0) return content;
        content.append(buffer, static_cast<std::size_t>(got));
        if (content.size() > largest_map) return base::Error{"the file is too large"};
    }
}

}  // namespace

void parse_cert_map(std::string_view content, const std::string& path, Configuration& configuration,
                    Problems& problems) {
    std::size_t number = 0;
    for (auto line : base::split(content, '\n')) {
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        line = base::trim(line);
        if (line.empty() || line.front() == '#') continue;
        const auto end = std::min(line.find_first_of(" \t"), line.size());
        const auto account = line.substr(0, end);
        const auto name = base::trim(line.substr(end));
        const auto refuse = [&](std::string what) {
            problems.push_back({Severity::error, path, number, "cert_username_map", std::move(what),
                                "ACCOUNT NAME: an account, and what is in its certificate"});
        };
        if (!valid_user_name(account)) {
            refuse("\"" + std::string(account) + "\" is no name for an account");
        } else if (name.empty()) {
            refuse("nothing stands behind the account " + std::string(account));
        } else if (name.find('\0') != name.npos) {
            refuse("the line holds a NUL byte");
        } else {
            configuration.cert_map.push_back({std::string(account), std::string(name)});
        }
    }
}

void read_cert_map(Configuration& configuration, Problems& problems) {
    const auto& path = configuration.native.cert_username_map;
    if (path.empty()) return;
    const auto content = read_trusted(path);
    if (content) return parse_cert_map(content.value(), path, configuration, problems);
    problems.push_back({Severity::error, path, 0, "cert_username_map", content.error().text(),
                        "it decides who may log in: a regular file of root's, chmod go-w"});
}

std::vector<std::string> certificate_names(const Configuration& configuration,
                                           std::string_view account) {
    const auto* tenant = find_tenant(configuration, account);
    if (tenant != nullptr && !tenant->certificates.empty()) return tenant->certificates;
    if (configuration.native.cert_username_map.empty()) return {std::string(account)};
    std::vector<std::string> names;
    for (const auto& each : configuration.cert_map) {
        if (each.account == account) names.push_back(each.name);
    }
    return names;
}

bool is_certificate_of(const Configuration& configuration, std::string_view name,
                       std::string_view account) {
    const auto names = certificate_names(configuration, account);
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace config
