// SPDX-License-Identifier: MIT
// The sandbox of the whole sessions, for tests that need PAM and accounts of their own.
#pragma once

#include "tests/sessions/required.hpp"
#include "tests/sessions/sandbox.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace sandboxed {

// Why there is none; empty: all tests of this program run in it.
[[nodiscard]] const std::string& problem();

// A PAM service: for "auth" and "account" one line each with these words for pam_told.so; empty
// ones permit.
inline void service(const std::string& name, std::string_view auth, std::string_view account = {}) {
    const auto line = [](std::string_view type, std::string_view words) {
        return std::string(type) + " required " +
               (words.empty() ? "pam_permit.so" : PAM_TOLD " " + std::string(words)) + '\n';
    };
    sessions::write_file("/etc/pam.d/" + name, line("auth", auth) + line("account", account));
}

}  // namespace sandboxed

#define NEEDS_SANDBOX() \
    if (!sandboxed::problem().empty()) return sessions::skip_or_fail(sandboxed::problem())
