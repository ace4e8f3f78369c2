// SPDX-License-Identifier: MIT
// Hashes of passwords; runs in the authenticator and its children.
#include "authenticator/hash.hpp"

#include "base/text.hpp"
#include "config/name_list.hpp"

#include <crypt.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

namespace authenticator {
namespace {

// What crypt_r works in is wiped: it holds the password.
struct Wipe {
    void operator()(crypt_data* data) const {
        ::explicit_bzero(data, sizeof *data);
        delete data;
    }
};

std::string hash_of(const Secret& password, const std::string& setting) {
    const std::unique_ptr<crypt_data, Wipe> data(new crypt_data{});
    const char* hash = ::crypt_r(password.c_str(), setting.c_str(), data.get());
    // It says "*0" or "*1" for what it cannot do.
    return hash == nullptr || hash[0] == '*' ? std::string{} : std::string(hash);
}

// However much of it is right, it takes the same time.
bool equal(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
    return difference == 0;
}

// Where salt and hash begin: after "$y$j9T$", "$6$", "$6$rounds=9999$", "$2b$12$".
std::size_t method_end(std::string_view hash) {
    if (!hash.starts_with('$')) return 0;
    const auto method = hash.find('$', 1);
    if (method == hash.npos) return 0;
    const auto name = hash.substr(1, method - 1);
    const auto rest = hash.substr(method + 1);
    const bool has_cost = name == "y" || name == "gy" || name == "7" || name.starts_with('2') ||
                          rest.starts_with("rounds=");
    if (!has_cost) return method + 1;
    const auto cost = rest.find('$');
    return cost == rest.npos ? 0 : method + 1 + cost + 1;
}

}  // namespace

Match match(const Secret& password, const std::string& hash) {
    if (hash.empty() || hash.front() == '!' || hash.front() == '*') return Match::locked;
    auto made = hash_of(password, hash);
    if (made.empty()) return Match::impossible;
    const bool same = equal(made, hash);
    ::explicit_bzero(made.data(), made.size());
    return same ? Match::yes : Match::no;
}

std::string setting_of(std::string_view hash) {
    if (method_end(hash) == 0) return {};
    constexpr std::size_t bcrypt_setting = 29;
    if (hash.starts_with("$2")) return std::string(hash.substr(0, bcrypt_setting));
    return std::string(hash.substr(0, hash.rfind('$') + 1));
}

std::string usual_setting(const std::vector<std::string>& hashes) {
    struct Group {
        std::size_t members = 0;
        std::string setting;
    };
    std::map<std::string_view, Group> by_method;
    for (const auto& hash : hashes) {
        const auto end = method_end(hash);
        if (end == 0) continue;
        auto& group = by_method[std::string_view(hash).substr(0, end)];
        if (++group.members == 1) group.setting = setting_of(hash);
    }
    std::vector<Group> groups;
    for (auto& [method, group] : by_method) groups.push_back(std::move(group));
    std::stable_sort(groups.begin(), groups.end(),
                     [](const Group& a, const Group& b) { return a.members > b.members; });
    for (const auto& group : groups) {
        // One that costs nothing would tell who does not exist.
        if (!hash_of(Secret("any"), group.setting).empty()) return group.setting;
    }
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    const char* made =
        ::crypt_gensalt_rn(nullptr, 0, nullptr, 0, setting, static_cast<int>(sizeof setting));
    return made == nullptr ? std::string("$6$jailftpd$") : std::string(made);
}

std::vector<std::string> system_hashes(const char* path) {
    std::vector<std::string> hashes;
    auto content = config::read_file(path, std::size_t{64} << 20);
    if (!content) return hashes;
    for (const auto line : base::split(content.value(), '\n')) {
        const auto fields = base::split(line, ':');
        if (fields.size() > 1 && fields[1].starts_with('$')) hashes.emplace_back(fields[1]);
    }
    ::explicit_bzero(content.value().data(), content.value().size());
    return hashes;
}

void burn(const Secret& password, const std::string& setting) {
    auto made = hash_of(password, setting);
    ::explicit_bzero(made.data(), made.size());
}

}  // namespace authenticator
