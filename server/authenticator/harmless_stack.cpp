// SPDX-License-Identifier: MIT
// The modules that change nothing in a process, and files that may not change meanwhile; runs in
// the authenticator and its children.
#include "authenticator/harmless_stack.hpp"

#include "base/text.hpp"
#include "config/name_list.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string_view>
#include <utility>

namespace authenticator {
namespace {

// In the phases of a login: they read files, and pam_unix and pam_faillock may write one. Not among
// them, though it would not be seen afterwards: pam_userdb, which leaves passwords that it has read
// in the memory.
constexpr std::string_view harmless[] = {
    "pam_deny.so",      "pam_faildelay.so",  "pam_faillock.so",  "pam_listfile.so",
    "pam_nologin.so",   "pam_permit.so",     "pam_securetty.so", "pam_shells.so",
    "pam_localuser.so", "pam_succeed_if.so", "pam_unix.so",      "pam_warn.so",
};
// It sets inheritable capabilities, of which nobody here has any, unless somebody is given some.
constexpr std::string_view of_capabilities = "pam_cap.so";

constexpr std::size_t largest_file = 1 << 20;

bool is_of(const PamModule& module, std::string_view phase) {
    return module.phase == phase ||
           (module.phase.starts_with('-') && module.phase.substr(1) == phase);
}

bool has_phase(const PamStack& stack, std::string_view phase) {
    return std::any_of(stack.modules.begin(), stack.modules.end(),
                       [&](const PamModule& each) { return is_of(each, phase); });
}

bool same_time(const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool same_file(const struct stat& a, const struct stat& b) {
    return a.st_ino != 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino &&
           a.st_size == b.st_size && same_time(a.st_mtim, b.st_mtim) &&
           same_time(a.st_ctim, b.st_ctim);
}

// Empty: it is not there. Inode 0, which no file has: that cannot be told.
std::optional<struct stat> status_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) return status;
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return std::optional<struct stat>(std::in_place);
}

}  // namespace

HarmlessStack::HarmlessStack(std::string service, PamFolders folders, std::string capabilities,
                             std::time_t tick)
    : service_(std::move(service)),
      folders_(std::move(folders)),
      capabilities_(std::move(capabilities)),
      tick_(tick) {
    look();
}

void HarmlessStack::look_again() {
    if (too_new_ || !unchanged()) look();
}

void HarmlessStack::look() {
    const auto begun = std::time(nullptr);
    const auto stack = read_pam_stack(service_, folders_);
    harmless_ = is_harmless(stack);
    too_new_ = false;
    files_.clear();
    auto paths = stack.files;
    if (harmless_) paths.push_back(capabilities_);
    for (const auto& path : paths) {
        files_.push_back({path, status_of(path)});
        const auto& status = files_.back().status;
        too_new_ = too_new_ || (status && status->st_ctim.tv_sec + tick_ > begun);
    }
    // What was asked is of what was read.
    too_new_ = too_new_ || read_pam_stack(service_, folders_) != stack;
    if (too_new_) harmless_ = false;
}

bool HarmlessStack::unchanged() const {
    return std::all_of(files_.begin(), files_.end(), [](const File& each) {
        const auto now = status_of(each.path);
        return now.has_value() == each.status.has_value() &&
               (!now || same_file(*now, *each.status));
    });
}

// A phase that the service lacks is that of "other", which is not looked at.
bool HarmlessStack::is_harmless(const PamStack& stack) const {
    if (!stack.plain || !has_phase(stack, "auth") || !has_phase(stack, "account")) return false;
    return std::all_of(stack.modules.begin(), stack.modules.end(), [&](const PamModule& each) {
        if (!is_of(each, "auth") && !is_of(each, "account")) return true;
        // By its name alone: a path may lead to anybody's.
        if (each.file == of_capabilities) return each.arguments.empty() && gives_no_capabilities();
        return std::find(std::begin(harmless), std::end(harmless), each.file) != std::end(harmless);
    });
}

// Debian's file says "none *".
bool HarmlessStack::gives_no_capabilities() const {
    const auto content = config::read_file(capabilities_, largest_file);
    if (!content) return content.error().number == ENOENT;
    const auto lines = base::split(content.value(), '\n');
    return std::all_of(lines.begin(), lines.end(), [](std::string_view line) {
        line = base::trim(line);
        return line.empty() || line.starts_with('#') || line.starts_with("none ") ||
               line.starts_with("none\t");
    });
}

}  // namespace authenticator
