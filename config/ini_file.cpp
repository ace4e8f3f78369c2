// SPDX-License-Identifier: MIT
// jailftpd.ini and the tenants' files; runs in the supervisor.
#include "config/ini_file.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "config/conf_file.hpp"
#include "config/confinement.hpp"

#include <ini.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace config {
namespace {

constexpr std::size_t largest_ini_file = 64 << 20;
// Debian's inih reads lines into 200 bytes: LF and NUL leave so many.
constexpr std::size_t longest_ini_line = 198;
// It also cuts the names of sections.
constexpr std::size_t longest_section = 49;
constexpr std::string_view all_blanks = " \t\r\v\f";

// A hash that is cut short or has a blank in it would never match; whoever wrote it should know.
bool is_hash(std::string_view value) {
    const bool printable = std::all_of(value.begin(), value.end(), [](char c) {
        return c > ' ' && c < 0x7F && std::string_view(":;*!\\").find(c) == std::string_view::npos;
    });
    if (!printable) return false;
    const auto fields = base::split(value, '$');  // "", method, ..., hash
    if (fields.size() < 4 || !fields[0].empty()) return false;
    const auto method = fields[1];
    const auto last = fields.back().size();
    if (method == "2b" || method == "2y" || method == "2a") return value.size() == 60;
    if (method == "6") return last == 86;
    if (method == "5") return last == 43;
    if (method == "y" || method == "gy" || method == "7") return last == 43;
    return false;
}

// "alice" of "tenant alice", with any blanks in between; none for other sections.
std::optional<std::string> named(std::string_view section, std::string_view word) {
    if (!section.starts_with(word)) return std::nullopt;
    return std::string(base::trim(section.substr(word.size())));
}
std::optional<std::string> tenant_of(std::string_view section) { return named(section, "tenant "); }
std::optional<std::string> group_of_section(std::string_view section) {
    return named(section, "group ");
}

class IniReader {
  public:
    IniReader(const std::string& path, bool tenants_only, Configuration& configuration,
              Problems& problems)
        : path_(path),
          tenants_only_(tenants_only),
          configuration_(configuration),
          problems_(problems) {}

    void read(bool must_exist) {
        std::string content;
        if (!load(must_exist, content)) return;
        blank_unsafe_lines(content);
        const int unread = ::ini_parse_string(
            content.c_str(),
            [](void* self, const char* section, const char* name, const char* value) {
                static_cast<IniReader*>(self)->entry(section, name, value);
                return 1;
            },
            this);
        ::explicit_bzero(content.data(), content.size());
        // What it will not read has been refused above; this is the second lock on the same door.
        section_.clear();
        if (unread != 0)
            error(static_cast<std::size_t>(std::max(unread, 0)), "the line is malformed", {});
        for (const auto& [name, place] : tenants_) is_complete(name, place);
        // Nothing more is said of a tenant that is only half known.
        std::erase_if(configuration_.tenants, [&](const Tenant& tenant) {
            const auto found = tenants_.find(tenant.name);
            return found != tenants_.end() && wrong_.contains(found->second.section);
        });
    }

  private:
    struct Place {
        std::string section;
        std::size_t line;
        std::size_t index;  // in configuration_.tenants
    };

    bool load(bool must_exist, std::string& content) {
        const base::Fd file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
        if (!file) {
            if (errno == ENOENT && !must_exist) return false;
            return error(0, "cannot read " + path_, std::strerror(errno)), false;
        }
        struct stat status {};
        if (::fstat(file.get(), &status) < 0)
            return error(0, "cannot read " + path_, std::strerror(errno)), false;
        if (!S_ISREG(status.st_mode)) return error(0, "not a regular file", {}), false;
        if (status.st_uid != 0 && status.st_uid != ::geteuid())
            return error(0, "the file belongs to uid " + std::to_string(status.st_uid),
                         "it decides who may log in, so it must belong to root"),
                   false;
        if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
            return error(0, "others than its owner may write to the file", "chmod go-w " + path_),
                   false;
        char buffer[16384];
        for (;;) {
            const auto got = ::read(file.get(), buffer, sizeof buffer);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return error(0, "cannot read " + path_, std::strerror(errno)), false;
            if (got == 0) return true;
            content.append(buffer, static_cast<std::size_t>(got));
            if (content.size() > largest_ini_file)
                return error(0, "the file is too large", {}), false;
        }
    }

    // inih bends some lines in silence; those are refused here and not shown to it. Notes the line
    // of each entry that is left.
    void blank_unsafe_lines(std::string& content) {
        std::size_t number = 0;
        for (std::size_t start = 0; start < content.size();) {
            const auto end = std::min(content.find('\n', start), content.size());
            auto line = std::string_view(content).substr(start, end - start);
            if (++number == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
            if (!line_is_safe(line, number)) {
                const auto first = content.begin() + static_cast<std::ptrdiff_t>(start);
                std::fill_n(first, end - start, ' ');
            }
            start = end + 1;
        }
    }

    bool line_is_safe(std::string_view line, std::size_t number) {
        const auto text = base::trim(line);
        if (text.starts_with('[')) {
            section_ = text;
            skipping_ = true;  // what stands below a section that is refused
        }
        const auto refuse = [&](std::string what, std::string remedy) {
            error(number, std::move(what), std::move(remedy));
            unclear_.insert(section_);
            return false;
        };
        if (line.find('\0') != line.npos) return refuse("the line holds a NUL byte", {});
        if (line.size() > longest_ini_line)
            return refuse("the line is longer than " + std::to_string(longest_ini_line) + " bytes",
                          "it would be cut; make it shorter");
        if (text.empty() || text.front() == ';' || text.front() == '#') return true;
        if (all_blanks.find(line.front()) != all_blanks.npos)
            return refuse("the line starts with a blank",
                          "it would continue the line before; remove the blank");
        if (text.front() == '[') {
            if (text.back() != ']' || text.find(']') != text.size() - 1)
                return refuse("a section is [NAME] and nothing else on its line", {});
            section_ = text.substr(1, text.size() - 2);
            if (!sections_.insert(section_).second)
                return refuse("section [" + section_ + "] is here twice",
                              "put all of it into one section");
            skipping_ = !start_section(section_, number);
            return !skipping_;
        }
        const auto separator = text.find_first_of("=:");
        if (separator == text.npos || text[separator] != '=' || separator == 0)
            return refuse("neither a [section] nor NAME = VALUE", {});
        for (std::size_t at = 1; at < text.size(); ++at) {
            if (text[at] == ';' && all_blanks.find(text[at - 1]) != all_blanks.npos)
                return refuse("a comment after a value", "put it on a line of its own");
        }
        if (skipping_) return false;
        entry_lines_.push_back(number);
        return true;
    }

    bool start_section(const std::string& name, std::size_t line) {
        const auto before = problems_.size();
        begin_section(name, line);
        return problems_.size() == before;
    }

    void begin_section(const std::string& name, std::size_t line) {
        if (name.size() > longest_section)
            return error(
                line,
                "the section's name is longer than " + std::to_string(longest_section) + " bytes",
                {});
        if (const auto tenant = tenant_of(name)) return start_tenant(*tenant, name, line);
        if (tenants_only_)
            return error(line, "only [tenant NAME] sections may stand in a file of tenants_dir",
                         {});
        if (const auto group = group_of_section(name)) return start_group(*group, name, line);
        std::vector<std::string_view> known{"tenant", "group"};
        std::string all;
        for (const auto& each : native_table()) {
            if (each.section == name) return;
            if (known.back() == each.section) continue;
            known.push_back(each.section);
            all += '[' + std::string(each.section) + "], ";
        }
        error(line, "unknown section [" + name + "]",
              near(base::split(base::trim(name), ' ').front(), known,
                   "there are " + all + "[group NAME] and [tenant NAME]"));
    }

    void start_tenant(const std::string& name, const std::string& section, std::size_t line) {
        if (!valid_user_name(name))
            return error(line, "\"" + name + "\" is no name for a tenant",
                         "letters, digits, and _ . - @ after the first one");
        if (!tenants_.try_emplace(name, Place{section, line, configuration_.tenants.size()}).second)
            return error(line, "tenant " + name + " is here twice",
                         "put all of it into one section");
        Tenant made;
        made.name = name;
        made.uid = static_cast<uid_t>(-1);
        made.gid = static_cast<gid_t>(-1);
        made.place = at_line(line);
        configuration_.tenants.push_back(std::move(made));
    }

    void start_group(const std::string& name, const std::string& section, std::size_t line) {
        const auto gid = group_of(name, line);
        if (!gid) return;
        for (const auto& other : configuration_.groups) {
            if (other.gid == *gid)
                return error(line, "group " + name + " is here twice",
                             "put all of it into one section");
        }
        groups_[section] = configuration_.groups.size();
        configuration_.groups.push_back({name, *gid, {}, at_line(line)});
    }

    [[nodiscard]] std::string at_line(std::size_t line) const {
        return path_ + ':' + std::to_string(line);
    }

    static std::string near(std::string_view name, std::span<const std::string_view> known,
                            std::string otherwise) {
        const auto meant = similar(name, known);
        if (meant.empty() || meant == name) return otherwise;
        return "did you mean " + std::string(meant) + "?";
    }

    void entry(const std::string& section, const std::string& name, const std::string& value) {
        const auto line = next_entry_ < entry_lines_.size() ? entry_lines_[next_entry_] : 0;
        ++next_entry_;
        section_ = section;
        const bool is_of_accounts = tenant_of(section) || group_of_section(section);
        const bool may_come_again =
            (is_of_accounts && name == "bind") || (tenant_of(section) && name == "certificate");
        if (!keys_.insert(section + '\n' + name).second && !may_come_again)
            return error(line, name + " is here twice in [" + section + "]", "remove one of them");
        if (group_of_section(section)) return group_entry(section, name, value, line);
        if (const auto tenant = tenant_of(section)) return tenant_entry(*tenant, name, value, line);
        if (!section.empty()) return native_entry(section, name, value, line);
        error(line, name + " stands outside of any section",
              "put it below [server] or [tenant NAME]");
    }

    void native_entry(const std::string& section, const std::string& name, const std::string& value,
                      std::size_t line) {
        if (const auto* info = find_native(section, name)) {
            const auto set = set_native(configuration_.native, *info, value);
            if (!set) error(line, set.error().what, std::string(info->help));
            auto& origins = configuration_.native_origins;
            origins.resize(native_table().size());
            origins[static_cast<std::size_t>(info - native_table().data())] = at_line(line);
            return;
        }
        std::vector<std::string_view> known;
        std::string all;
        for (const auto& each : native_table()) {
            if (each.section != section) continue;
            known.push_back(each.key);
            all += (all.empty() ? "there are " : ", ") + std::string(each.key);
        }
        error(line, "unknown key " + name + " in [" + section + "]", near(name, known, all));
    }

    void group_entry(const std::string& section, const std::string& name, const std::string& value,
                     std::size_t line) {
        const auto found = groups_.find(section);
        if (found == groups_.end()) return error(line, name + " belongs to no group", {});
        auto& group = configuration_.groups[found->second];
        if (confinement_entry(group.confinement, name, value, line)) return;
        std::string all;
        for (const auto key : confinement_keys())
            all += (all.empty() ? "" : ", ") + std::string(key);
        error(line, "unknown key " + name + " in [" + section + "]",
              near(name, confinement_keys(), "there are " + all));
    }

    // False: it is no key of these.
    bool confinement_entry(Confinement& confinement, const std::string& name,
                           const std::string& value, std::size_t line) {
        const auto keys = confinement_keys();
        if (std::find(keys.begin(), keys.end(), name) == keys.end()) return false;
        if (const auto set = set_confinement(confinement, name, value); !set)
            error(line, set.error().what, confinement_help(name));
        return true;
    }

    void tenant_entry(const std::string& owner, const std::string& name, const std::string& value,
                      std::size_t line) {
        const auto found = tenants_.find(owner);
        // What stands in a section that has been refused does not come here.
        if (found == tenants_.end())
            return error(line, name + " belongs to no tenant", "put it below [tenant NAME]");
        auto& tenant = configuration_.tenants[found->second.index];
        if (confinement_entry(tenant.confinement, name, value, line)) return;
        if (name == "password") return password(tenant, value, line);
        if (name == "certificate") {
            if (value.empty())
                return error(line, "certificate is what cert_username_field names in it", {});
            return tenant.certificates.push_back(value);
        }
        if (name == "home") {
            const auto parts = base::split(value, '/');
            if (!value.starts_with('/') || std::count(parts.begin(), parts.end(), "..") != 0)
                return error(line, "home must be an absolute path without \"..\"", {});
            tenant.home = value;
        } else if (name == "uid") {
            const auto number = base::to_number<uid_t>(value);
            const auto* entry = number ? nullptr : ::getpwnam(value.c_str());
            if ((!number && entry == nullptr) || number == static_cast<uid_t>(-1))
                return error(line, "no user " + value, "a number or a user's name");
            tenant.uid = number ? *number : entry->pw_uid;
            if (tenant.uid == 0) error(line, "a tenant cannot be root", "give it a uid of its own");
        } else if (name == "gid") {
            if (const auto group = group_of(value, line)) tenant.gid = *group;
        } else if (name == "groups") {
            std::string list = value;
            std::replace(list.begin(), list.end(), ',', ' ');
            for (const auto each : base::split(list, ' ')) {
                if (each.empty()) continue;
                if (const auto group = group_of(std::string(each), line))
                    tenant.groups.push_back(*group);
            }
        } else {
            override_entry(tenant, name, value, line);
        }
    }

    std::optional<gid_t> group_of(const std::string& text, std::size_t line) {
        const auto number = base::to_number<gid_t>(text);
        if (number && *number != static_cast<gid_t>(-1)) return *number;
        if (const auto* entry = ::getgrnam(text.c_str())) return entry->gr_gid;
        error(line, "no group " + text, "a number or a group's name");
        return std::nullopt;
    }

    void password(Tenant& tenant, const std::string& value, std::size_t line) {
        const bool locked = value.starts_with('!') || value.starts_with('*');
        const bool hash = is_hash(value);
        // Not shown: it may be a password that somebody uses elsewhere.
        if (!locked && !hash)
            return error(line, "the password of tenant " + tenant.name + " is no crypt(3) hash",
                         "make one with \"jailftpd passwd\" (yescrypt, sha512, bcrypt)");
        tenant.password = value;
    }

    void override_entry(Tenant& tenant, const std::string& name, const std::string& value,
                        std::size_t line) {
        const auto* info = find_option(name);
        if (info == nullptr) {
            std::vector<std::string_view> known = {"password", "home",   "uid",
                                                   "gid",      "groups", "certificate"};
            for (const auto key : confinement_keys()) known.push_back(key);
            for (const auto& each : option_table()) known.push_back(each.name);
            unclear_.insert(section_);
            return error(line, "unknown key " + name + " in [tenant " + tenant.name + "]",
                         near(name, known,
                              "there are password, home, uid, gid, groups, certificate, those of "
                              "[group NAME], and options of vsftpd.conf"));
        }
        if (info->scope != Scope::per_user)
            return error(line, name + " cannot be set for one tenant",
                         "set it in vsftpd.conf for all");
        Options scratch;
        if (set_option(scratch, *info, value) != ValueProblem::none ||
            !valid_pasv_address(scratch.pasv_address))
            return error(line, "\"" + value + "\" is no value for " + name,
                         "as in vsftpd.conf; the default is " + value_text(Options{}, *info));
        if (info->effect != Effect::now && !is_default(scratch, *info))
            problems_.push_back({Severity::warning, path_, line, name, name + " has no effect",
                                 std::string(instead_of(*info))});
        warn_of_decimal({info, value, line}, path_, scratch, problems_);
        tenant.overrides += std::string(info->name) + '=' + value_text(scratch, *info) + '\0';
        tenant.override_places.push_back(at_line(line));
    }

    // What is missing may be what could not be read.
    void is_complete(const std::string& name, const Place& place) {
        if (unclear_.contains(place.section)) return;
        section_ = place.section;
        if (!keys_.contains(section_ + "\npassword"))
            error(place.line, "tenant " + name + " has no password",
                  "password = HASH, made by \"jailftpd passwd\"; password = ! locks the account");
        if (!keys_.contains(section_ + "\nhome"))
            error(place.line, "tenant " + name + " has no home", "home = /absolute/path");
    }

    void error(std::size_t line, std::string what, std::string remedy) {
        wrong_.insert(section_);
        problems_.push_back({Severity::error, path_, line, {}, std::move(what), std::move(remedy)});
    }

    const std::string& path_;
    bool tenants_only_;
    Configuration& configuration_;
    Problems& problems_;
    std::set<std::string> sections_;
    std::set<std::string> keys_;
    std::map<std::string, Place> tenants_;
    std::map<std::string, std::size_t> groups_;  // by section: in configuration_.groups
    std::string section_;                        // that is being read
    bool skipping_ = false;                      // it has been refused as a whole
    std::set<std::string> wrong_;                // sections with errors
    // Of these, those that may mean to say more than was understood.
    std::set<std::string> unclear_;
    std::vector<std::size_t> entry_lines_;
    std::size_t next_entry_ = 0;
};

void read_tenants_dir(Configuration& configuration, Problems& problems) {
    const auto& path = configuration.native.tenants_dir;
    std::vector<std::string> names;
    struct stat status {};
    const auto refuse = [&](std::string what, std::string remedy) {
        problems.push_back(at_setting(configuration, Severity::error, "server", "tenants_dir",
                                      std::move(what), std::move(remedy)));
    };
    if (::stat(path.c_str(), &status) == 0) {
        if (status.st_uid != 0 && status.st_uid != ::geteuid())
            return refuse(
                "tenants_dir " + path + " belongs to uid " + std::to_string(status.st_uid),
                "it decides who may log in, so it must belong to root");
        if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
            return refuse("others than its owner may write to tenants_dir " + path,
                          "chmod go-w " + path);
    }
    if (auto* directory = ::opendir(path.c_str())) {
        while (const auto* entry = ::readdir(directory)) {
            const std::string name = entry->d_name;
            if (name.ends_with(".ini") && !name.starts_with('.'))
                names.push_back(path + '/' + name);
        }
        ::closedir(directory);
    } else {
        refuse("cannot read tenants_dir " + path, std::strerror(errno));
    }
    std::sort(names.begin(), names.end());
    for (const auto& name : names) read_ini_file(name, true, true, configuration, problems);
}

// Without root there is one uid for all. Whoever set others meant to part tenants by them.
void take_own_identity(Tenant& tenant, Problems& problems) {
    const auto is = [](auto wanted, auto own) {
        return wanted == static_cast<decltype(wanted)>(-1) || wanted == own;
    };
    if (!is(tenant.uid, ::geteuid()) || !is(tenant.gid, ::getegid()) || !tenant.groups.empty())
        problems.push_back(at(tenant.place, Severity::error, "run_as_launching_user",
                              "tenant " + tenant.name +
                                  " has a uid, gid or groups of its own, and without root there "
                                  "is one uid for all (" +
                                  std::to_string(::geteuid()) + ')',
                              "leave uid, gid and groups out, or start as root"));
    tenant.uid = ::geteuid();
    tenant.gid = ::getegid();
}

}  // namespace

bool valid_user_name(std::string_view name) {
    constexpr std::size_t longest = 128;
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    if (name.empty() || name.size() > longest) return false;
    if (!letter(name.front()) && name.front() != '_' && name.front() != '.') return false;
    if (name == "." || name == "..") return false;
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return c > ' ' && c < 0x7F && c != '/'; });
}

Problem at_setting(const Configuration& configuration, Severity severity, std::string_view section,
                   std::string_view key, std::string what, std::string remedy) {
    const auto& origins = configuration.native_origins;
    const auto row = static_cast<std::size_t>(find_native(section, key) - native_table().data());
    const auto place = row < origins.size() ? origins[row] : std::string{};
    return at(place.empty() ? "default of " + std::string(key) : place, severity, std::string(key),
              std::move(what), std::move(remedy));
}

void read_ini_file(const std::string& path, bool must_exist, bool tenants_only,
                   Configuration& configuration, Problems& problems) {
    IniReader(path, tenants_only, configuration, problems).read(must_exist);
}

void finish_tenants(Configuration& configuration, Problems& problems) {
    if (!configuration.native.tenants_dir.empty()) read_tenants_dir(configuration, problems);
    auto& tenants = configuration.tenants;
    if (tenants.empty()) return;
    std::sort(tenants.begin(), tenants.end(),
              [](const Tenant& a, const Tenant& b) { return a.name < b.name; });
    const auto twice =
        std::adjacent_find(tenants.begin(), tenants.end(),
                           [](const Tenant& a, const Tenant& b) { return a.name == b.name; });
    if (twice != tenants.end())
        problems.push_back(at(std::next(twice)->place, Severity::error, {},
                              "tenant " + twice->name + " is in two files", "remove one of them"));
    if (without_root(configuration.options)) {
        for (auto& tenant : tenants) take_own_identity(tenant, problems);
        return;
    }
    const auto* guest = ::getpwnam(configuration.native.guest_user.c_str());
    for (auto& tenant : tenants) {
        if (tenant.uid == static_cast<uid_t>(-1)) {
            if (guest == nullptr || guest->pw_uid == 0) {
                problems.push_back(
                    at(tenant.place, Severity::error, {},
                       "tenant " + tenant.name + " has no uid and guest_user does not exist",
                       "uid = NUMBER, or guest_user = NAME in [server]"));
                continue;
            }
            tenant.uid = guest->pw_uid;
            if (tenant.gid == static_cast<gid_t>(-1)) tenant.gid = guest->pw_gid;
        }
        // A uid without a gid: the user's own group if there is such a user, else the group of that
        // number.
        if (tenant.gid == static_cast<gid_t>(-1)) {
            const auto* entry = ::getpwuid(tenant.uid);
            tenant.gid = entry != nullptr ? entry->pw_gid : static_cast<gid_t>(tenant.uid);
        }
    }
}

}  // namespace config
