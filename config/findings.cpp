// SPDX-License-Identifier: MIT
// Problems with their places; runs in the supervisor.
#include "config/findings.hpp"

#include "config/ini_file.hpp"

#include <utility>

namespace config {
namespace {

std::size_t index_of(std::string_view option) {
    return static_cast<std::size_t>(find_option(option) - option_table().data());
}

}  // namespace

Findings::Findings(Loaded& loaded)
    : loaded_(loaded),
      options_(loaded.configuration.options),
      without_root_(without_root(options_)),
      configuration_(loaded.configuration),
      problems_(loaded.problems),
      misread_(option_table().size()) {
    for (const auto& problem : problems_) {
        if (problem.severity == Severity::error && find_option(problem.option) != nullptr)
            misread_[index_of(problem.option)] = true;
    }
}

void Findings::error(const std::string& option, std::string what, std::string remedy) {
    add(Severity::error, option, std::move(what), std::move(remedy));
}

void Findings::warning(const std::string& option, std::string what, std::string remedy) {
    add(Severity::warning, option, std::move(what), std::move(remedy));
}

void Findings::add(Severity severity, const std::string& option, std::string what,
                   std::string remedy) {
    if (!known(option)) return;
    problems_.push_back(
        at_option(configuration_, severity, option, std::move(what), std::move(remedy)));
}

void Findings::setting(Severity severity, const char* section, const char* key, std::string what,
                       std::string remedy) {
    problems_.push_back(
        at_setting(configuration_, severity, section, key, std::move(what), std::move(remedy)));
}

const std::string& Findings::origin(std::string_view option) const {
    return configuration_.origins[index_of(option)];
}

bool Findings::known(std::string_view option) const {
    return loaded_.options_whole || (!origin(option).empty() && !misread_[index_of(option)]);
}

bool Findings::local() const {
    return options_.local_enable || !configuration_.tenants.empty() || !loaded_.native_whole ||
           !known("local_enable");
}

bool Findings::has_certificate() const {
    return !options_.rsa_cert_file.empty() || !options_.dsa_cert_file.empty() ||
           !configuration_.native.certificates.empty();
}

Problem at_option(const Configuration& configuration, Severity severity, std::string option,
                  std::string what, std::string remedy) {
    const auto& origin = configuration.origins[index_of(option)];
    const auto place = origin.empty() ? "default of " + option : origin;
    return at(place, severity, std::move(option), std::move(what), std::move(remedy));
}

}  // namespace config
