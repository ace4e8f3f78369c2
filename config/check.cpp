// SPDX-License-Identifier: MIT
// The start-up checks: what vsftpd tells only to its clients, or not at all; runs in the
// supervisor.
#include "base/text.hpp"
#include "config/load.hpp"
#include "config/name_list.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace config {
namespace {

// It is loaded by those alone who use it.
bool has_wrappers() {
    void* library = ::dlopen("libwrap.so.0", RTLD_LAZY | RTLD_LOCAL);
    if (library != nullptr) ::dlclose(library);
    return library != nullptr;
}

std::size_t index_of(const OptionInfo& info) {
    return static_cast<std::size_t>(&info - option_table().data());
}

// What is wrong with the range of passive ports, without a place.
Problems of_ports(const Options& o) {
    Problems problems;
    const auto say = [&](Severity severity, const char* option, std::string what,
                         std::string remedy) {
        problems.push_back(at({}, severity, option, std::move(what), std::move(remedy)));
    };
    if (o.pasv_max_port != 0 && o.pasv_min_port > o.pasv_max_port)
        say(Severity::error, "pasv_max_port",
            "pasv_min_port (" + std::to_string(o.pasv_min_port) + ") is above pasv_max_port (" +
                std::to_string(o.pasv_max_port) + ")",
            "vsftpd would silently use any port");
    if (o.pasv_max_port != 0 && o.pasv_max_port < 1024)
        say(Severity::error, "pasv_max_port", "pasv_max_port is below 1024",
            "passive ports start at 1024");
    else if (o.pasv_min_port != 0 && o.pasv_min_port < 1024)
        say(Severity::warning, "pasv_min_port", "pasv_min_port is below 1024",
            "passive ports start at 1024");
    return problems;
}

// Why no log can be written there; empty: it can. Nothing is made: --check-config and a reload
// that fails leave no trace.
std::string why_no_log(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) {
        if (S_ISDIR(status.st_mode)) return std::strerror(EISDIR);
        return ::access(path.c_str(), W_OK) < 0 ? std::strerror(errno) : "";
    }
    if (errno != ENOENT) return std::strerror(errno);
    const auto slash = path.rfind('/');
    const auto folder = slash == path.npos ? std::string(".") : path.substr(0, slash + 1);
    if (::access(folder.c_str(), W_OK | X_OK) == 0) return {};
    const auto* reason = std::strerror(errno);
    return folder + ": " + reason;
}

class Checker {
  public:
    explicit Checker(Loaded& loaded)
        : loaded_(loaded),
          options_(loaded.configuration.options),
          configuration_(loaded.configuration),
          problems_(loaded.problems) {
        for (const auto& problem : problems_) {
            const auto* info = find_option(problem.option);
            if (info != nullptr && problem.severity == Severity::error)
                misread_[index_of(*info)] = true;
        }
    }

    void error(const std::string& option, std::string what, std::string remedy) {
        add(Severity::error, option, std::move(what), std::move(remedy));
    }
    void warning(const std::string& option, std::string what, std::string remedy) {
        add(Severity::warning, option, std::move(what), std::move(remedy));
    }

    void contradictions() {
        const auto& o = options_;
        if (o.listen && o.listen_ipv6)
            error("listen_ipv6", "run two copies of vsftpd for IPv4 and IPv6",
                  "listen and listen_ipv6 exclude each other; listen_ipv6=YES alone serves both");
        if (!o.anonymous_enable && !local())
            error("local_enable", "vsftpd: both local and anonymous access disabled!",
                  "set local_enable=YES or anonymous_enable=YES, or name tenants in jailftpd.ini");
        if (o.one_process_model && o.local_enable)
            error("one_process_model", "vsftpd: security: 'one_process_model' is anonymous only",
                  "set local_enable=NO or one_process_model=NO");
        if (!o.ftp_enable && !o.http_enable)
            error("ftp_enable", "vsftpd: both FTP and HTTP disabled!", "set ftp_enable=YES");
        else if (!o.ftp_enable)
            error("ftp_enable", "this server speaks FTP only, ftp_enable=NO leaves nothing",
                  "set ftp_enable=YES");
        if (o.http_enable)
            error("http_enable", "this server speaks FTP only, http_enable=YES cannot be served",
                  "set http_enable=NO");
        if (o.tcp_wrappers && !has_wrappers())
            error("tcp_wrappers",
                  "tcp_wrappers is set to YES but no tcp wrapper support compiled in",
                  "install libwrap.so.0 (Debian: libwrap0), or set tcp_wrappers=NO");
        if (o.run_as_launching_user)
            error("run_as_launching_user", "run_as_launching_user has no effect in this version",
                  "start as root");
        if (o.guest_enable && !local())
            warning("guest_enable", "guest_enable=YES has no effect without local_enable=YES",
                    "guests log in as local users do");
    }

    void ports() {
        if (!known("pasv_min_port") || !known("pasv_max_port")) return;
        for (const auto& each : of_ports(options_))
            add(each.severity, each.option, each.what, each.remedy);
    }

    void addresses() {
        in_addr v4{};
        in6_addr v6{};
        if (!options_.listen_address.empty() &&
            ::inet_pton(AF_INET, options_.listen_address.c_str(), &v4) != 1)
            error("listen_address", "bad listen_address: " + options_.listen_address,
                  "a numeric IPv4 address, such as 192.0.2.1");
        if (!options_.listen_address6.empty() &&
            ::inet_pton(AF_INET6, options_.listen_address6.c_str(), &v6) != 1)
            error("listen_address6", "bad listen_address6: " + options_.listen_address6,
                  "a numeric IPv6 address, such as 2001:db8::1");
        if (!options_.pasv_addr_resolve && !valid_pasv_address(options_.pasv_address))
            error("pasv_address", "invalid pasv_address: " + options_.pasv_address,
                  "a numeric IPv4 address without quotes, or a name with pasv_addr_resolve=YES");
    }

    void users() {
        if (options_.anonymous_enable) user("ftp_username", options_.ftp_username);
        if (options_.guest_enable) user("guest_username", options_.guest_username);
        if (options_.chown_uploads) user("chown_username", options_.chown_username);
        errno = 0;
        if (::getpwnam(options_.nopriv_user.c_str()) == nullptr)
            error("nopriv_user", "cannot locate user entry:" + options_.nopriv_user,
                  "make the user, or name one that exists (nobody)");
        else if (::getpwnam(options_.nopriv_user.c_str())->pw_uid == 0)
            error("nopriv_user", "nopriv_user must not be root", "nopriv_user=nobody");
    }

    void files() {
        const auto& o = options_;
        if (!o.banner_file.empty()) file("banner_file", o.banner_file, "banner file");
        if (o.userlist_enable && local()) file("userlist_file", o.userlist_file, "user list file");
        if (o.chroot_list_enable && local())
            file("chroot_list_file", o.chroot_list_file, "chroot() list file");
        if (o.anonymous_enable && o.deny_email_enable)
            file("banned_email_file", o.banned_email_file, "anon e-mail list file");
        if (o.anonymous_enable && o.secure_email_list_enable)
            file("email_password_file", o.email_password_file, "email passwords file");
        directory("user_config_dir", o.user_config_dir);
        if (o.anonymous_enable) directory("anon_root", o.anon_root);
        if (o.user_sub_token.empty() && o.local_root.starts_with('/'))
            directory("local_root", o.local_root);
    }

    // The same choice of files as vsftpd: which formats are written decides.
    void logs() {
        const auto& o = options_;
        const bool own = o.dual_log_enable || (o.xferlog_enable && !o.xferlog_std_format);
        const bool std_format = o.dual_log_enable || (o.xferlog_enable && o.xferlog_std_format);
        if (own && !o.syslog_enable)
            log("vsftpd_log_file", o.vsftpd_log_file, "failed to open vsftpd log file:");
        if (std_format) log("xferlog_file", o.xferlog_file, "failed to open xferlog log file:");
        const auto& json = configuration_.native.json_log;
        if (json.empty()) return;
        if (auto reason = why_no_log(json); !reason.empty())
            problems_.push_back({Severity::error, loaded_.ini_file, 0, "json",
                                 "failed to open JSON log file:" + json, std::move(reason)});
    }

    void tenants() {
        const auto* nobody = ::getpwnam(options_.nopriv_user.c_str());
        const auto nobody_uid = nobody == nullptr ? static_cast<uid_t>(-1) : nobody->pw_uid;
        std::string shared;
        for (const auto& tenant : configuration_.tenants) {
            if (options_.anonymous_enable && (base::equal_ignoring_case(tenant.name, "ftp") ||
                                              base::equal_ignoring_case(tenant.name, "anonymous")))
                warning("anonymous_enable",
                        "tenant " + tenant.name + " cannot log in: the name means anonymous",
                        "set anonymous_enable=NO or rename the tenant");
            if (shared.empty() && tenant.uid == nobody_uid) shared = tenant.name;
            groups(tenant);
            ports(tenant);
        }
        // guest_user may be what could not be read.
        if (!shared.empty() && loaded_.native_whole)
            warning("nopriv_user",
                    "tenant " + shared + " has the uid of nopriv_user (" + options_.nopriv_user +
                        "), which processes before login run as",
                    "give tenants a uid of their own: guest_user in [server], or uid");
    }

    // A name in small letters or with a blank matches no command, so it forbids nothing.
    void command_lists() {
        for (const auto& [option, list] : {std::pair{"cmds_allowed", &options_.cmds_allowed},
                                           std::pair{"cmds_denied", &options_.cmds_denied}}) {
            for (const auto name : base::split(*list, ',')) {
                if (name == base::upper(base::trim(name))) continue;
                warning(option, "\"" + std::string(name) + "\" is no command, so it has no effect",
                        "capital letters and no blanks: " + base::upper(base::trim(name)));
            }
        }
    }

    // Options for TLS say nothing while it is off, with vsftpd as well.
    void without_effect() {
        for (const auto& info : option_table()) {
            if (info.effect == Effect::now || is_default(options_, info)) continue;
            if (!options_.ssl_enable && is_about_tls(info.name)) continue;
            if (refused_[index_of(info)]) continue;
            const std::string name(info.name);
            const bool later = info.effect == Effect::later;
            warning(name,
                    name + '=' + value_text(options_, info) + " has no effect" +
                        (later ? " in this version" : ""),
                    std::string(instead_of(info)));
        }
    }

  private:
    // Also when it may be meant.
    [[nodiscard]] bool local() const {
        return options_.local_enable || !configuration_.tenants.empty() || !loaded_.native_whole ||
               !known("local_enable");
    }

    void groups(const Tenant& tenant) {
        const auto warn = [&](const char* key, std::string what) {
            problems_.push_back(at(tenant.place, Severity::warning, key, std::move(what),
                                   "root's group opens files that are nobody else's"));
        };
        if (tenant.gid == 0) warn("gid", "tenant " + tenant.name + " has the gid 0");
        if (std::find(tenant.groups.begin(), tenant.groups.end(), gid_t{0}) != tenant.groups.end())
            warn("groups", "tenant " + tenant.name + " is in the group with the gid 0");
    }

    // With what the tenant has of its own; what all have is said once.
    void ports(const Tenant& tenant) {
        if (!loaded_.options_whole) return;
        auto own = options_;
        if (!apply_overrides(own, tenant.overrides)) return;
        if (own.pasv_min_port == options_.pasv_min_port &&
            own.pasv_max_port == options_.pasv_max_port)
            return;
        for (const auto& each : of_ports(own))
            problems_.push_back(at(tenant.place, each.severity, each.option,
                                   "tenant " + tenant.name + ": " + each.what, each.remedy));
    }

    [[nodiscard]] static bool is_about_tls(std::string_view option) {
        return option != "ssl_enable" &&
               (option.find("ssl") != option.npos || option.find("cert") != option.npos ||
                option.ends_with("_param_file") || option.ends_with("_private_key_file"));
    }

    void user(const char* option, const std::string& name) {
        if (::getpwnam(name.c_str()) != nullptr) return;
        error(option,
              "vsftpd: cannot locate user specified in '" + std::string(option) + "':" + name,
              "make the user, or name one that exists");
    }

    void log(const char* option, const std::string& path, const char* failed) {
        const auto reason = why_no_log(path);
        if (!reason.empty()) error(option, failed + path, reason);
    }

    void file(const char* option, const std::string& path, const char* what) {
        auto content = read_file(path, 10 << 20);
        if (content) return;
        error(option, "cannot read " + std::string(what) + ':' + path,
              content.error().number != 0 ? std::strerror(content.error().number)
                                          : content.error().what);
    }

    // Only a word of warning: it may be mounted later, and vsftpd looks at it at each login, too.
    void directory(const char* option, const std::string& path) {
        struct stat status {};
        if (path.empty() || (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode))) return;
        warning(option, std::string(option) + '=' + path + " is no directory",
                "logins that need it will fail");
    }

    [[nodiscard]] const std::string& origin(std::string_view option) const {
        const auto* info = find_option(option);
        return configuration_.origins[index_of(*info)];
    }

    // After an error only what was set without one is.
    [[nodiscard]] bool known(std::string_view option) const {
        return loaded_.options_whole ||
               (!origin(option).empty() && !misread_[index_of(*find_option(option))]);
    }

    // Nothing is said of what may be meant otherwise.
    void add(Severity severity, const std::string& option, std::string what, std::string remedy) {
        if (!known(option)) return;
        // Where the option was set is where to look.
        const auto& set = origin(option);
        if (severity == Severity::error) refused_[index_of(*find_option(option))] = true;
        problems_.push_back(at(set.empty() ? "default of " + option : set, severity, option,
                               std::move(what), std::move(remedy)));
    }

    const Loaded& loaded_;
    const Options& options_;
    const Configuration& configuration_;
    Problems& problems_;
    // By index in option_table(): named in an error already, by these checks or by load().
    std::vector<bool> refused_ = std::vector<bool>(option_table().size());
    std::vector<bool> misread_ = std::vector<bool>(option_table().size());
};

// pasv_address becomes the number that a name stands for, for this generation: vsftpd forgets to do
// this on reload.
void resolve(Loaded& loaded, Checker& checker) {
    auto& options = loaded.configuration.options;
    if (!options.pasv_addr_resolve || options.pasv_address.empty()) return;
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(options.pasv_address.c_str(), nullptr, &hints, &found);
    char text[INET_ADDRSTRLEN] = "";
    if (failed == 0) {
        sockaddr_in address{};
        std::memcpy(&address, found->ai_addr, sizeof address);
        ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
        ::freeaddrinfo(found);
        loaded.configuration.pasv_host = std::exchange(options.pasv_address, text);
        return;
    }
    checker.error("pasv_address", "cannot resolve host:" + options.pasv_address,
                  ::gai_strerror(failed));
}

}  // namespace

std::uint64_t stamp_of_files(const Options& options) {
    std::string facts;
    for (const auto* path : {&options.userlist_file, &options.banner_file}) {
        struct stat status {};
        if (path->empty() || ::stat(path->c_str(), &status) < 0) {
            facts += "none;";
            continue;
        }
        for (const auto number :
             {static_cast<std::int64_t>(status.st_dev), static_cast<std::int64_t>(status.st_ino),
              static_cast<std::int64_t>(status.st_size), std::int64_t{status.st_mtim.tv_sec},
              std::int64_t{status.st_mtim.tv_nsec}, std::int64_t{status.st_ctim.tv_sec},
              std::int64_t{status.st_ctim.tv_nsec}})
            facts += std::to_string(number) + ';';
    }
    return std::hash<std::string>{}(facts) | 1U;
}

void check(Loaded& loaded) {
    loaded.configuration.files_stamp = stamp_of_files(loaded.configuration.options);
    Checker checker(loaded);
    checker.contradictions();
    checker.ports();
    checker.addresses();
    resolve(loaded, checker);
    checker.users();
    checker.files();
    checker.logs();
    checker.tenants();
    checker.command_lists();
    checker.without_effect();
}

}  // namespace config
