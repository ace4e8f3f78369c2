// SPDX-License-Identifier: MIT
// Settings of jailftpd.ini, each by its row; runs in the supervisor.
#include "config/native.hpp"

#include "base/text.hpp"
#include "config/listen.hpp"

#include <algorithm>
#include <iterator>

#include <pwd.h>

namespace config {

using base::Error;

namespace {

constexpr NativeInfo table[] = {
#define SETTING(section, key, kind, field, fallback, help) \
    {#section, #key, NativeKind::kind, help, &Native::field},
#include "config/native.def"
#undef SETTING
};

constexpr std::uint32_t a_day = 86400;

base::Result<std::uint32_t> number_of(const NativeInfo& info, const std::string& value) {
    const bool seconds = info.kind == NativeKind::Seconds;
    const auto number = base::to_number<std::uint32_t>(value);
    const std::string name(info.key);
    if (seconds && (!number || *number > a_day))
        return Error{name + " is a number of seconds up to 86400"};
    if (!number) return Error{name + " is a number"};
    return *number;
}

base::Result<void> check_layers(const std::string& name, const std::string& value) {
    if (value == "yes" || value == "no") return base::success();
    std::string all;
    for (const auto& each : table) {
        if (each.section == "jail" && each.kind == NativeKind::Switch)
            all += (all.empty() ? "" : ", ") + std::string(each.key);
    }
    for (const auto word : base::split(value, ' ')) {
        const auto* info = find_native("jail", word);
        if (!word.empty() && word != "limits" &&
            (info == nullptr || info->kind != NativeKind::Switch))
            return Error{name + " is yes, no, or some of " + all + ", limits"};
    }
    return base::success();
}

base::Result<void> check_text(const NativeInfo& info, const std::string& value) {
    const std::string name(info.key);
    switch (info.kind) {
        case NativeKind::Path:
            if (!value.empty() && !value.starts_with('/'))
                return Error{name + " must be an absolute path"};
            break;
        case NativeKind::User: {
            const auto* entry = ::getpwnam(value.c_str());
            if (entry == nullptr || entry->pw_uid == 0)
                return Error{name + ' ' + value + " does not exist or is root"};
            break;
        }
        case NativeKind::Level:
            if (value != "debug" && value != "info" && value != "warning" && value != "error")
                return Error{name + " is debug, info, warning or error"};
            break;
        case NativeKind::Root:
            if (value != "refuse" && value != "safe") return Error{name + " is refuse or safe"};
            break;
        case NativeKind::Field:
            if (!value.empty() &&
                std::find(std::begin(certificate_fields), std::end(certificate_fields), value) ==
                    std::end(certificate_fields))
                return Error{name +
                             " is commonName, subject, rfc822Name, dNSName or userPrincipalName"};
            break;
        case NativeKind::Layers:
            return check_layers(name, value);
        case NativeKind::Addresses:
            if (const auto addresses = listen_addresses(value); !addresses)
                return addresses.error();
            break;
        default:
            break;
    }
    return base::success();
}

}  // namespace

std::span<const NativeInfo> native_table() { return table; }

const NativeInfo* find_native(std::string_view section, std::string_view key) {
    const auto* found = std::find_if(std::begin(table), std::end(table), [&](const auto& each) {
        return each.section == section && each.key == key;
    });
    return found == std::end(table) ? nullptr : found;
}

base::Result<void> set_native(Native& native, const NativeInfo& info, const std::string& value) {
    if (const auto* flag = std::get_if<bool Native::*>(&info.field)) {
        const auto word = base::lower(value);
        const bool yes = word == "yes" || word == "true" || word == "1" || word == "on";
        if (!yes && word != "no" && word != "false" && word != "0" && word != "off")
            return Error{std::string(info.key) + " is yes or no"};
        native.*(*flag) = yes;
    } else if (const auto* number = std::get_if<std::uint32_t Native::*>(&info.field)) {
        TRY(native.*(*number), number_of(info, value));
    } else {
        TRY(check_text(info, value));
        native.*(std::get<std::string Native::*>(info.field)) = value;
    }
    return base::success();
}

std::string value_text(const Native& native, const NativeInfo& info) {
    if (const auto* flag = std::get_if<bool Native::*>(&info.field))
        return native.*(*flag) ? "yes" : "no";
    if (const auto* number = std::get_if<std::uint32_t Native::*>(&info.field))
        return std::to_string(native.*(*number));
    return native.*(std::get<std::string Native::*>(info.field));
}

}  // namespace config
