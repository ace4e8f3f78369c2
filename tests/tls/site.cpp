// SPDX-License-Identifier: MIT
// What an administrator has set up: certificates and keys in files, read as the signer reads them.
#include "tests/tls/site.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace site {

void write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
}

std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

Site::Site(const std::vector<authority::Wanted>& fallback,
           const std::vector<std::pair<std::string, authority::Wanted>>& hosts) {
    const observed::Directory directory;
    signer::Sources sources;
    sources.legacy = true;
    for (const auto& each : fallback) {
        const auto path = directory.path("fallback" + std::to_string(sources.fallback.size()));
        const auto made = authority::make(each);
        write(path, made.key + made.certificate);
        sources.fallback.push_back({"RSA", path, {}});
    }
    if (!hosts.empty()) sources.directory = directory.directory("hosts");
    for (const auto& [name, wanted] : hosts) {
        const auto made = authority::make(wanted);
        write(directory.path("hosts/" + name + ".pem"), made.certificate + made.key);
    }
    std::vector<std::string> warnings;
    auto loaded = signer::Keys::load(sources, warnings);
    if (!loaded) throw std::runtime_error(loaded.error().text());
    for (const auto& each : warnings) ADD_FAILURE() << each;
    keys_ = std::make_shared<signer::Keys>(std::move(loaded.value()));
    certificates_ = std::make_shared<const tls::Certificates>(keys_->certificates());
}

tls::Context Site::context(const tls::Settings& settings, tls::Purpose purpose) const {
    auto made = tls::Context::create(settings, certificates_, purpose);
    if (!made) throw std::runtime_error(made.error().text());
    made.value().sign_with([keys = keys_, asked = asked_](const tls::ToBeSigned& what) {
        asked->push_back(what);
        return keys->sign(what);
    });
    return std::move(made.value());
}

}  // namespace site
