// SPDX-License-Identifier: MIT
// The settings that sections of tenants and groups have in common; runs in the supervisor.
#include "config/confinement.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>

namespace config {

using base::Error;
using base::Result;

namespace {

constexpr std::string_view keys[] = {"bind",      "read_only",  "memory",
                                     "processes", "cpu_weight", "io_weight"};
constexpr std::string_view help[] = {
    "SOURCE:TARGET or SOURCE:TARGET:rw; a folder of the host, seen at TARGET in the jail",
    "yes: nothing in the home can be changed",
    "bytes, with K, M or G behind them, for all sessions of an account together; 0: no limit",
    "a number, for all sessions of an account together; 0: no limit",
    "1 to 10000, others have 100",
    "1 to 10000, others have 100"};

// Absolute, below "/", with no part that could mean another directory.
bool is_plain_path(std::string_view path) {
    if (!path.starts_with('/')) return false;
    bool below = false;
    for (const auto part : base::split(path, '/')) {
        if (part == "." || part == "..") return false;
        below = below || !part.empty();
    }
    return below;
}

std::string without_slashes(std::string_view path) {
    std::string plain;
    for (const auto part : base::split(path, '/')) {
        if (!part.empty()) (plain += '/') += part;
    }
    return plain;
}

std::optional<std::uint64_t> to_bytes(std::string_view text) {
    int shift = 0;
    if (!text.empty()) {
        const auto unit = std::string_view("KMG").find(text.back());
        if (unit != std::string_view::npos) {
            shift = 10 * static_cast<int>(unit + 1);
            text.remove_suffix(1);
        }
    }
    const auto number = base::to_number<std::uint64_t>(text);
    if (!number || *number > std::numeric_limits<std::uint64_t>::max() >> shift)
        return std::nullopt;
    return *number << shift;
}

Result<bool> to_switch(std::string_view key, const std::string& value) {
    const auto word = base::lower(value);
    if (word == "yes" || word == "true" || word == "1" || word == "on") return true;
    if (word == "no" || word == "false" || word == "0" || word == "off") return false;
    return Error{std::string(key) + " is yes or no"};
}

Result<void> add_bind(Confinement& confinement, const std::string& value) {
    TRY(auto bind, to_bind(value));
    for (const auto& other : confinement.binds) {
        if (other.target == bind.target) return Error{"two folders are bound to " + bind.target};
    }
    if (confinement.binds.size() == most_binds)
        return Error{"more than " + std::to_string(most_binds) + " binds"};
    confinement.binds.push_back(std::move(bind));
    return base::success();
}

}  // namespace

std::span<const std::string_view> confinement_keys() { return keys; }

std::string confinement_help(std::string_view key) {
    const auto found = std::find(std::begin(keys), std::end(keys), key);
    return std::string(found == std::end(keys) ? "" : help[found - std::begin(keys)]);
}

Result<Bind> to_bind(std::string_view text) {
    const auto parts = base::split(text, ':');
    if (parts.size() != 2 && parts.size() != 3)
        return Error{"bind is SOURCE:TARGET, or with :ro or :rw behind it"};
    Bind bind;
    if (!is_plain_path(parts[0]))
        return Error{"a bind's source is an absolute path without \".\" and \"..\""};
    if (!is_plain_path(parts[1]))
        return Error{"a bind's target is an absolute path without \".\" and \"..\", and not \"/\""};
    bind.source = without_slashes(parts[0]);
    bind.target = without_slashes(parts[1]);
    if (parts.size() == 2) return bind;
    for (const auto word : base::split(parts[2], ',')) {
        if (word == "rw") {
            bind.writable = true;
        } else if (word == "ro") {
            bind.writable = false;
        } else if (word == "nosymfollow") {
            bind.no_links = true;
        } else {
            return Error{"a bind has ro, rw and nosymfollow behind its target, with commas"};
        }
    }
    return bind;
}

std::string to_text(const Bind& bind) {
    return bind.source + ':' + bind.target + (bind.writable ? ":rw" : ":ro") +
           (bind.no_links ? ",nosymfollow" : "");
}

Result<void> set_confinement(Confinement& confinement, std::string_view key,
                             const std::string& value) {
    if (key == "bind") return add_bind(confinement, value);
    if (key == "read_only") {
        TRY(confinement.read_only, to_switch(key, value));
        return base::success();
    }
    if (key == "memory") {
        const auto bytes = to_bytes(value);
        if (!bytes) return Error{"memory is a number of bytes, with K, M or G behind it"};
        confinement.memory = *bytes;
        return base::success();
    }
    const auto number = base::to_number<std::uint32_t>(value);
    const bool weight = key != "processes";
    if (!number || (weight && (*number < 1 || *number > 10000)))
        return Error{std::string(key) + (weight ? " is a number from 1 to 10000" : " is a number")};
    (weight ? key == "cpu_weight" ? confinement.cpu_weight : confinement.io_weight
            : confinement.processes) = *number;
    return base::success();
}

}  // namespace config
