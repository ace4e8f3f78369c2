// SPDX-License-Identifier: MIT
// The settings that sections of tenants and groups have in common; runs in the supervisor.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"

#include <span>
#include <string>
#include <string_view>

namespace config {

[[nodiscard]] std::span<const std::string_view> confinement_keys();
[[nodiscard]] std::string confinement_help(std::string_view key);

// The error says what would be right. A bind is added to those that are there.
[[nodiscard]] base::Result<void> set_confinement(Confinement& confinement, std::string_view key,
                                                 const std::string& value);

// SOURCE:TARGET[:ro|rw][,nosymfollow]
[[nodiscard]] base::Result<Bind> to_bind(std::string_view text);
[[nodiscard]] std::string to_text(const Bind& bind);

}  // namespace config
