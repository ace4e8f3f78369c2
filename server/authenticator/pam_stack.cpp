// SPDX-License-Identifier: MIT
// Files of /etc/pam.d; runs in the authenticator's children.
#include "authenticator/pam_stack.hpp"

#include "base/text.hpp"
#include "config/name_list.hpp"

#include <algorithm>
#include <cerrno>

namespace authenticator {
namespace {

constexpr int deepest = 8;
constexpr std::size_t largest_service = 1 << 20;

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

// As PAM names the file.
base::Result<std::string> read_service(const std::string& service, const PamFolders& folders) {
    if (service.front() == '/') return config::read_file(service, largest_service);
    for (const auto& folder : folders) {
        auto content = config::read_file(folder + '/' + service, largest_service);
        if (content) return content;
    }
    return base::system_error(service, ENOENT);
}

void add(std::vector<PamModule>& stack, const std::string& service, const PamFolders& folders,
         int depth) {
    if (depth > deepest || service.empty()) return;
    auto content = read_service(service, folders);
    if (!content) return;
    for (auto at = content.value().find("\\\n"); at != std::string::npos;
         at = content.value().find("\\\n", at))
        content.value().replace(at, 2, " ");
    for (const auto line : base::split(content.value(), '\n')) {
        auto words = words_of(line);
        if (words.size() >= 2 && words[0] == "@include") {
            add(stack, words[1], folders, depth + 1);
        } else if (words.size() >= 3 && (words[1] == "include" || words[1] == "substack")) {
            add(stack, words[2], folders, depth + 1);
        } else if (words.size() >= 3) {
            const auto slash = words[2].rfind('/');
            stack.push_back({slash == std::string::npos ? words[2] : words[2].substr(slash + 1),
                             {words.begin() + 3, words.end()},
                             base::lower(words[0]),
                             base::lower(words[1])});
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
    return !service.empty() && service.find('/') == std::string::npos &&
           read_service(base::lower(service), folders);
}

std::vector<PamModule> pam_stack(const std::string& service, const PamFolders& folders) {
    std::vector<PamModule> stack;
    if (service.find('/') != std::string::npos) return stack;
    add(stack, has_pam_service(service, folders) ? base::lower(service) : "other", folders, 0);
    return stack;
}

}  // namespace authenticator
