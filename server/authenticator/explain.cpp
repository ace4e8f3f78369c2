// SPDX-License-Identifier: MIT
// Why PAM refused somebody, as far as the system's files tell; runs in the authenticator's
// children, after the decision, and decides nothing.
#include "authenticator/hash.hpp"
#include "authenticator/pam.hpp"
#include "authenticator/pam_stack.hpp"
#include "config/name_list.hpp"

#include <security/pam_appl.h>

#include <algorithm>
#include <ctime>

#include <pwd.h>
#include <shadow.h>
#include <unistd.h>

namespace authenticator {
namespace {

constexpr long seconds_a_day = 86400;

bool has_valid_shell(const passwd& entry) {
    const std::string_view shell = entry.pw_shell[0] != '\0' ? entry.pw_shell : "/bin/sh";
    bool found = false;
    ::setusershell();
    while (const char* each = ::getusershell()) {
        if (shell == each) found = true;
    }
    ::endusershell();
    return found;
}

std::string about_list(const PamModule& module, const std::string& name) {
    const std::string file(module.argument("file"));
    if (module.argument("item") != "user" || file.empty()) return {};
    const auto list = config::NameList::read(file);
    if (!list)
        return module.argument("onerr") == "succeed" ? std::string{}
                                                     : list.error().text() + " (pam_listfile)";
    const bool listed = list.value().contains(name);
    if (module.argument("sense") == "deny")
        return listed ? "the name is in " + file + " (pam_listfile)" : std::string{};
    return listed ? std::string{} : "the name is not in " + file + " (pam_listfile)";
}

std::vector<std::string> nologin_files(const PamModule& module) {
    const auto file = module.argument("file");
    if (!file.empty()) return {std::string(file)};
    return {"/etc/nologin", "/var/run/nologin"};
}

std::vector<std::string> about_stack(const std::vector<PamModule>& stack, const std::string& name,
                                     const passwd* entry) {
    std::vector<std::string> facts;
    for (const auto& module : stack) {
        if (module.name == "pam_shells.so" && entry != nullptr && !has_valid_shell(*entry))
            facts.push_back(std::string("its shell ") + entry->pw_shell +
                            " is not in /etc/shells (pam_shells)");
        if (module.name == "pam_listfile.so") facts.push_back(about_list(module, name));
        if (module.name == "pam_nologin.so") {
            for (const auto& file : nologin_files(module)) {
                if (::access(file.c_str(), F_OK) == 0)
                    facts.push_back(file + " exists (pam_nologin)");
            }
        }
    }
    std::erase(facts, "");
    // Some stacks ask the same module in two phases.
    std::vector<std::string> once;
    for (auto& fact : facts) {
        if (std::find(once.begin(), once.end(), fact) == once.end())
            once.push_back(std::move(fact));
    }
    return once;
}

std::vector<std::string> about_shadow(const std::string& name) {
    std::vector<std::string> facts;
    const auto* entry = ::getspnam(name.c_str());
    if (entry == nullptr) return facts;
    const long today = static_cast<long>(std::time(nullptr)) / seconds_a_day;
    const std::string_view hash = entry->sp_pwdp;
    if (hash.starts_with('!') || hash.starts_with('*'))
        facts.emplace_back("its password is locked");
    if (entry->sp_expire > 0 && today >= entry->sp_expire)
        facts.push_back("the account expired " + std::to_string(today - entry->sp_expire) +
                        " days ago");
    if (entry->sp_lstchg == 0) {
        facts.emplace_back("its password must be changed before the next login");
    } else if (entry->sp_max >= 0 && entry->sp_lstchg > 0 &&
               today > entry->sp_lstchg + entry->sp_max) {
        facts.push_back("its password is older than " + std::to_string(entry->sp_max) + " days");
    }
    return facts;
}

std::string joined(const std::vector<std::string>& texts) {
    std::string result;
    for (const auto& text : texts) result += (result.empty() ? "" : "; ") + text;
    return result;
}

}  // namespace

std::string explain(const PamAnswer& answer, const std::string& service, const std::string& name,
                    bool virtual_users) {
    const auto* entry = ::getpwnam(name.c_str());
    auto facts = about_stack(pam_stack(service), name, entry);
    if (entry == nullptr && !virtual_users) facts.insert(facts.begin(), "unknown user");
    if (entry != nullptr) {
        for (auto& fact : about_shadow(name)) facts.push_back(std::move(fact));
    }
    if (facts.empty() && answer.code == PAM_AUTH_ERR && answer.phase == "authentication")
        facts.emplace_back(virtual_users ? "wrong password or unknown user" : "wrong password");
    if (!has_pam_service(service))
        facts.push_back("there is no PAM service " + service + ", so \"other\" decides");
    for (const auto& message : answer.messages) facts.push_back("\"" + message + "\"");
    auto text = "PAM service " + service + ", " + answer.phase + ": " + answer.error;
    if (!facts.empty()) text = joined(facts) + " (" + text + ')';
    return text;
}

std::string objection(const std::string& service, const std::string& name) {
    auto stack = pam_stack(service);
    std::erase_if(stack, [](const PamModule& each) {
        return (each.phase != "auth" && each.phase != "-auth") || each.control == "sufficient" ||
               each.control == "optional";
    });
    return joined(about_stack(stack, name, ::getpwnam(name.c_str())));
}

}  // namespace authenticator
