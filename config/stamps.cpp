// SPDX-License-Identifier: MIT
// What shows that files have changed since they were read; runs in the supervisor.
#include "config/load.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

#include <sys/stat.h>

namespace config {
namespace {

std::uint64_t stamp_of(const std::vector<std::string>& paths) {
    std::string facts;
    for (const auto& path : paths) {
        facts += path + ';';
        struct stat status {};
        if (path.empty() || ::stat(path.c_str(), &status) < 0) {
            facts += "none;";
            continue;
        }
        for (const auto number :
             {static_cast<std::int64_t>(status.st_dev), static_cast<std::int64_t>(status.st_ino),
              static_cast<std::int64_t>(status.st_size), std::int64_t{status.st_mtim.tv_sec},
              std::int64_t{status.st_mtim.tv_nsec}, std::int64_t{status.st_ctim.tv_sec},
              std::int64_t{status.st_ctim.tv_nsec}})
            facts += std::to_string(number) + ';';
    }
    return std::hash<std::string>{}(facts) | 1U;
}

}  // namespace

std::uint64_t stamp_of_files(const Options& options) {
    return stamp_of({options.userlist_file, options.banner_file});
}

std::uint64_t stamp_of_certificates(const Configuration& configuration) {
    const auto& options = configuration.options;
    std::vector<std::string> paths{options.rsa_cert_file, options.rsa_private_key_file,
                                   options.dsa_cert_file, options.dsa_private_key_file,
                                   options.ca_certs_file};
    if (const auto& folder = configuration.native.certificates; !folder.empty()) {
        const auto own = paths.size();
        std::error_code none;
        for (std::filesystem::directory_iterator each(folder, none), end; !none && each != end;
             each.increment(none))
            paths.push_back(each->path().string());
        std::sort(paths.begin() + static_cast<std::ptrdiff_t>(own), paths.end());
    }
    return stamp_of(paths);
}

}  // namespace config
