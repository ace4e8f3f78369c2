// SPDX-License-Identifier: MIT
// jailftpd.ini and tenants' files: whoever is let in has a complete, valid record.
#include "config/ini_file.hpp"
#include "input.hpp"

#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace {

// The reader takes paths, since it checks owner and mode: one file, written anew for each input.
const std::string& path_of_file() {
    static const std::string path = [] {
        std::string name = "/tmp/ini-fuzz-XXXXXX";
        const int file = ::mkstemp(name.data());
        HOLDS(file >= 0);
        ::close(file);
        std::atexit([] { ::unlink(path_of_file().c_str()); });
        return name;
    }();
    return path;
}

void write_file(std::string_view content) {
    const int file = ::open(path_of_file().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
    HOLDS(file >= 0);
    HOLDS(::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    ::close(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const bool tenants_only = (input.byte() & 1) != 0;
    write_file(input.rest());
    config::Configuration configuration;
    config::Problems problems;
    config::read_ini_file(path_of_file(), true, tenants_only, configuration, problems);
    configuration.native.tenants_dir.clear();  // not the host's files
    config::finish_tenants(configuration, problems);
    for (const auto& problem : problems) {
        HOLDS(config::to_text(problem).find('\n') == std::string::npos);
    }
    if (config::any_error(problems)) return 0;
    for (const auto& tenant : configuration.tenants) {
        HOLDS(config::valid_user_name(tenant.name));
        HOLDS(tenant.name.find('/') == std::string::npos);
        HOLDS(!tenant.password.empty());
        HOLDS(tenant.home.starts_with('/'));
        HOLDS(config::find_tenant(configuration, tenant.name) == &tenant);
    }
    return 0;
}
