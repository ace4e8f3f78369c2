// SPDX-License-Identifier: MIT
// Files of /etc/pam.d; runs in the authenticator and its children.
#include "authenticator/pam_stack.hpp"

#include "base/text.hpp"
#include "config/name_list.hpp"

#include <algorithm>
#include <cerrno>

namespace authenticator {
namespace {

constexpr int deepest = 8;
constexpr std::size_t largest_service = 1 << 20;
constexpr std::size_t longest_line = 1000;  // PAM's own bound is a little more

constexpr std::string_view phases[] = {"auth", "account", "password", "session"};

// Words between blanks; one in brackets keeps its blanks.
std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    line = line.substr(0, line.find('#'));
    for (;;) {
        line = base::trim(line);
        if (line.empty()) return words;
        const bool bracket = line.front() == '[';
        auto end = bracket ? line.find(']') : line.find_first_of(" \t");
        if (end == line.npos) end = line.size();
        if (bracket) {
            words.emplace_back(line.substr(1, end - 1));
            end = std::min(end + 1, line.size());
        } else {
            words.emplace_back(line.substr(0, end));
        }
        line.remove_prefix(end);
    }
}

// As PAM names the file; looked_for: every one that was tried.
base::Result<std::string> read_service(const std::string& service, const PamFolders& folders,
                                       std::vector<std::string>& looked_for) {
    const auto read = [&](const std::string& path) {
        looked_for.push_back(path);
        return config::read_file(path, largest_service);
    };
    if (service.front() == '/') return read(service);
    for (const auto& folder : folders) {
        auto content = read(folder + '/' + service);
        if (content) return content;
    }
    return base::system_error(service, ENOENT);
}

// PAM and we could read these in two ways.
bool is_doubtful(std::string_view content) {
    if (content.find_first_of(std::string_view("\\\0", 2)) != content.npos) return true;
    const auto lines = base::split(content, '\n');
    return std::any_of(lines.begin(), lines.end(),
                       [](std::string_view line) { return line.size() > longest_line; });
}

// "-auth" is "auth" whose module may be missing.
std::string phase_of(std::string_view word) {
    if (word.starts_with('-')) word.remove_prefix(1);
    return base::lower(word);
}

bool is_phase(std::string_view phase) {
    return std::find(std::begin(phases), std::end(phases), phase) != std::end(phases);
}

// Only the lines of one phase, unless that is empty.
void add(PamStack& stack, const std::string& service, const PamFolders& folders,
         const std::string& only, int depth) {
    auto content = depth > deepest || service.empty() ? base::system_error(service, ELOOP)
                                                      : read_service(service, folders, stack.files);
    if (!content || is_doubtful(content.value())) stack.plain = false;
    if (!content) return;
    for (auto at = content.value().find("\\\n"); at != std::string::npos;
         at = content.value().find("\\\n", at))
        content.value().replace(at, 2, " ");
    for (const auto line : base::split(content.value(), '\n')) {
        auto words = words_of(line);
        if (words.size() >= 2 && words[0] == "@include") {
            add(stack, words[1], folders, only, depth + 1);
            continue;
        }
        const auto phase = words.empty() ? std::string{} : phase_of(words[0]);
        if (words.size() >= 3 && !is_phase(phase)) stack.plain = false;
        if (!only.empty() && is_phase(phase) && phase != only) continue;
        if (words.size() >= 3 && (words[1] == "include" || words[1] == "substack")) {
            add(stack, words[2], folders, phase, depth + 1);
        } else if (words.size() >= 3) {
            const auto slash = words[2].rfind('/');
            stack.modules.push_back(
                {slash == std::string::npos ? words[2] : words[2].substr(slash + 1),
                 {words.begin() + 3, words.end()},
                 base::lower(words[0]),
                 base::lower(words[1]),
                 words[2]});
        } else if (!words.empty()) {
            stack.plain = false;
        }
    }
}

}  // namespace

std::string_view PamModule::argument(std::string_view wanted) const {
    for (const std::string_view each : arguments) {
        if (each.starts_with(wanted) && each.substr(wanted.size()).starts_with('='))
            return each.substr(wanted.size() + 1);
    }
    return {};
}

const PamFolders& pam_folders() {
    static const PamFolders folders = {"/etc/pam.d", "/usr/lib/pam.d"};
    return folders;
}

bool has_pam_service(const std::string& service, const PamFolders& folders) {
    std::vector<std::string> looked_for;
    return !service.empty() && service.find('/') == std::string::npos &&
           read_service(base::lower(service), folders, looked_for);
}

PamStack read_pam_stack(const std::string& service, const PamFolders& folders) {
    PamStack stack;
    stack.plain = service.find('/') == std::string::npos;
    if (!stack.plain) return stack;
    const bool there = has_pam_service(service, folders);
    add(stack, there ? base::lower(service) : "other", folders, {}, 0);
    // As soon as there is one of this name, it is another stack.
    if (!there) stack.plain = false;
    return stack;
}

std::vector<PamModule> pam_stack(const std::string& service, const PamFolders& folders) {
    return read_pam_stack(service, folders).modules;
}

}  // namespace authenticator
