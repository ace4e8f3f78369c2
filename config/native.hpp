// SPDX-License-Identifier: MIT
// What vsftpd.conf has no word for: the settings of jailftpd.ini as fields, and the table that
// describes them; used in every process that has the whole configuration.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace config {

namespace native_types {
using Number = std::uint32_t;
using Seconds = std::uint32_t;
using Switch = bool;
using Path = std::string;
using User = std::string;
using Level = std::string;
using Root = std::string;
using Words = std::string;
using Field = std::string;
using Layers = std::string;
using Addresses = std::string;
}  // namespace native_types

struct Native {
#define SETTING(section, key, kind, field, fallback, help) native_types::kind field = fallback;
#include "config/native.def"
#undef SETTING

    bool operator==(const Native&) const = default;
};

enum class NativeKind : std::uint8_t {
    Number,
    Seconds,
    Switch,
    Path,
    User,
    Level,
    Root,
    Words,
    Field,
    Layers,
    Addresses,
};

struct NativeInfo {
    std::string_view section;
    std::string_view key;
    NativeKind kind;
    std::string_view help;
    std::variant<bool Native::*, std::uint32_t Native::*, std::string Native::*> field;
};

// What cert_username_field may be: an attribute of the subject, all of it (RFC 2253), or a kind of
// subjectAltName.
inline constexpr std::string_view certificate_fields[] = {"commonName", "subject", "rfc822Name",
                                                          "dNSName", "userPrincipalName"};

// In the order of native.def.
[[nodiscard]] std::span<const NativeInfo> native_table();
[[nodiscard]] const NativeInfo* find_native(std::string_view section, std::string_view key);

// The error says what would be right.
[[nodiscard]] base::Result<void> set_native(Native& native, const NativeInfo& info,
                                            const std::string& value);
[[nodiscard]] std::string value_text(const Native& native, const NativeInfo& info);

}  // namespace config
