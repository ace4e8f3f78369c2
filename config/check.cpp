// SPDX-License-Identifier: MIT
// The start-up checks: what vsftpd tells only to its clients, or not at all; runs in the
// supervisor.
#include "base/text.hpp"
#include "config/cert_users.hpp"
#include "config/findings.hpp"
#include "config/load.hpp"
#include "config/name_list.hpp"
#include "config/pairs.hpp"
#include "config/places.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pwd.h>

namespace config {
namespace {

// It is loaded by those alone who use it.
bool has_wrappers() {
    void* library = ::dlopen("libwrap.so.0", RTLD_LAZY | RTLD_LOCAL);
    if (library != nullptr) ::dlclose(library);
    return library != nullptr;
}

// Whether hosts.allow or hosts.deny say anything. What cannot be read may.
bool has_wrapper_rules() {
    for (const auto* path : {"/etc/hosts.allow", "/etc/hosts.deny"}) {
        const auto content = read_file(path, 10 << 20);
        if (!content && content.error().number == ENOENT) continue;
        if (!content) return true;
        for (const auto line : base::split(content.value(), '\n')) {
            const auto text = base::trim(line);
            if (!text.empty() && !text.starts_with('#')) return true;
        }
    }
    return false;
}

// What is wrong with the range of passive ports, without a place.
Problems of_ports(const Options& o) {
    Problems problems;
    const auto say = [&](const char* option, std::string what, std::string remedy) {
        problems.push_back(at({}, Severity::warning, option, std::move(what), std::move(remedy)));
    };
    if (o.pasv_max_port != 0 && o.pasv_max_port < 1024)
        say("pasv_max_port", "pasv_max_port is below 1024",
            "passive ports start at 1024, so it does not count: the highest port is 65535");
    else if (o.pasv_max_port != 0 && o.pasv_min_port > o.pasv_max_port)
        say("pasv_max_port",
            "pasv_min_port (" + std::to_string(o.pasv_min_port) + ") is above pasv_max_port (" +
                std::to_string(o.pasv_max_port) + ")",
            "then pasv_max_port does not count, as with vsftpd: the highest port is 65535");
    if (o.pasv_min_port != 0 && o.pasv_min_port < 1024)
        say("pasv_min_port", "pasv_min_port is below 1024", "passive ports start at 1024");
    return problems;
}

class Checker : Findings {
  public:
    using Findings::error;

    explicit Checker(Loaded& loaded) : Findings(loaded) {}

    // Before the other checks, for which what is off then does not count.
    void rights(Options& options) {
        if (options.run_as_launching_user && !without_root_)
            warning("run_as_launching_user",
                    "run_as_launching_user=YES has no effect when root starts the server",
                    "sessions never run as root: each is its user, anonymous ones ftp_username");
        if (options.tcp_wrappers && !has_wrappers() && !has_wrapper_rules()) {
            options.tcp_wrappers = false;
            warning("tcp_wrappers", "tcp_wrappers=YES has no effect without libwrap.so.0",
                    "there is no rule in hosts.allow and hosts.deny yet; for those to come install "
                    "it (Debian: libwrap0)");
        }
        // As with vsftpd, where each handshake fails then.
        if (options.ssl_enable && !has_certificate() && !needs_tls()) {
            options.ssl_enable = false;
            warning("ssl_enable", "ssl_enable=YES has no effect without a certificate",
                    "name one (rsa_cert_file); clients can log in without TLS");
        }
        if (!without_root_) return;
        for (const auto& each : needs_root()) {
            const std::string name(each.option);
            if (options.*each.field)
                warning(name, name + "=YES has no effect without root", std::string(each.reason));
        }
        do_without_root(options);
    }

    void contradictions() {
        const auto& o = options_;
        if (o.listen && o.listen_ipv6)
            error("listen_ipv6", "run two copies of vsftpd for IPv4 and IPv6",
                  "listen and listen_ipv6 exclude each other; listen_ipv6=YES alone serves both");
        if (!o.anonymous_enable && !local())
            warning("local_enable", "vsftpd: both local and anonymous access disabled!",
                    "nobody can log in; set local_enable=YES or anonymous_enable=YES, or name "
                    "tenants in jailftpd.ini");
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
        if (o.userlist_enable && !o.userlist_deny && !local())
            warning("userlist_deny", "userlist_deny=NO lets nobody in without local users",
                    "as with vsftpd the list is read for them alone, so that nobody is on it; set "
                    "userlist_enable=NO");
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
        const auto severity = [](bool used) { return used ? Severity::error : Severity::warning; };
        if (!options_.listen_address.empty() &&
            ::inet_pton(AF_INET, options_.listen_address.c_str(), &v4) != 1)
            add(severity(options_.listen), "listen_address",
                "bad listen_address: " + options_.listen_address,
                "a numeric IPv4 address, such as 192.0.2.1");
        if (!options_.listen_address6.empty() &&
            ::inet_pton(AF_INET6, options_.listen_address6.c_str(), &v6) != 1)
            add(severity(options_.listen_ipv6), "listen_address6",
                "bad listen_address6: " + options_.listen_address6,
                "a numeric IPv6 address, such as 2001:db8::1");
        if (!options_.pasv_addr_resolve && !valid_pasv_address(options_.pasv_address))
            warning("pasv_address", "invalid pasv_address: " + options_.pasv_address,
                    "PASV tells the address that the client came to; right is a numeric IPv4 "
                    "address without quotes, or a name with pasv_addr_resolve=YES");
    }

    void users(Nobody& found) {
        if (without_root_) {
            if (options_.anonymous_enable && !options_.anon_root.starts_with('/'))
                user("ftp_username", options_.ftp_username);
            return;
        }
        if (options_.anonymous_enable) user("ftp_username", options_.ftp_username);
        if (options_.guest_enable) user("guest_username", options_.guest_username);
        if (options_.anonymous_enable) not_root("ftp_username", options_.ftp_username);
        if (options_.guest_enable) not_root("guest_username", options_.guest_username);
        if (options_.chown_uploads) user("chown_username", options_.chown_username);
        const auto* nobody = ::getpwnam(options_.nopriv_user.c_str());
        if (nobody == nullptr)
            error("nopriv_user", "cannot locate user entry:" + options_.nopriv_user,
                  "make the user, or name one that exists (nobody)");
        else if (nobody->pw_uid == 0)
            error("nopriv_user", "nopriv_user must not be root", "nopriv_user=nobody");
        else
            found = {nobody->pw_uid, nobody->pw_gid};
    }

    // What is set may contradict what could not be read.
    void contradicting_pairs() {
        if (!loaded_.options_whole) return;
        for (const auto& each : pairs()) {
            const std::string option(each.option);
            if (!origin(option).empty() && each.is_wrong(options_))
                warning(option, std::string(each.what), std::string(each.remedy));
        }
    }

    // Of jailftpd.ini, beside others or vsftpd.conf.
    void settings() {
        const auto& o = options_;
        const auto& n = configuration_.native;
        if (!loaded_.native_whole) return;
        if (o.max_clients != 0 && n.before_login > o.max_clients)
            setting(Severity::warning, "limits", "before_login",
                    "before_login above max_clients has no effect", "less than max_clients, or 0");
        if (o.max_per_ip != 0 && n.before_login_per_ip > o.max_per_ip)
            setting(Severity::warning, "limits", "before_login_per_ip",
                    "before_login_per_ip above max_per_ip has no effect",
                    "less than max_per_ip, or 0");
        if (n.writable_root == "safe" && (!n.mounts || !o.isolate))
            setting(Severity::warning, "jail", "writable_root",
                    "writable_root = safe has no effect without a mount namespace",
                    "mounts = yes in [jail] and isolate=YES");
    }

    void tenants() {
        if (without_root_) return;  // their uid has been looked at
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

    // Who may log in without a password: what is half said would let in nobody, or is a mistake.
    void client_certificates() {
        const auto& field = configuration_.native.cert_username_field;
        const auto with_names =
            std::find_if(configuration_.tenants.begin(), configuration_.tenants.end(),
                         [](const Tenant& each) { return !each.certificates.empty(); });
        const bool tenants_name_some = with_names != configuration_.tenants.end();
        if (field.empty()) {
            constexpr const char* remedy =
                "set cert_username_field in [tls] to what is named: commonName, subject, ...";
            if (!configuration_.native.cert_username_map.empty())
                setting(Severity::error, "tls", "cert_username_map",
                        "cert_username_map says nothing without cert_username_field", remedy);
            if (tenants_name_some && loaded_.native_whole)
                problems_.push_back(at(with_names->place, Severity::error, "certificate",
                                       "tenant " + with_names->name +
                                           " has a certificate, and cert_username_field is empty",
                                       remedy));
            return;
        }
        const auto& o = options_;
        const auto needs = [this](const char* option, const char* what, const char* remedy) {
            if (known(option)) setting(Severity::error, "tls", "cert_username_field", what, remedy);
        };
        if (!o.ssl_enable)
            return needs("ssl_enable", "cert_username_field needs TLS",
                         "set ssl_enable=YES in vsftpd.conf");
        if (!o.ssl_tlsv13)
            needs("ssl_tlsv13",
                  "cert_username_field needs TLS 1.3: in older handshakes nothing "
                  "that could be checked elsewhere proves whose the certificate is",
                  "set ssl_tlsv1_3=YES in vsftpd.conf");
        if (!o.ssl_request_cert && !o.require_cert)
            needs("ssl_request_cert",
                  "cert_username_field has no effect: no client is asked for a certificate",
                  "set ssl_request_cert=YES (or require_cert=YES) in vsftpd.conf");
        if (o.ca_certs_file.empty())
            needs("ca_certs_file",
                  "cert_username_field has no effect: there is no issuer to believe",
                  "set ca_certs_file in vsftpd.conf to the certificates of those who issue the "
                  "clients'");
        if (field == "subject" && configuration_.native.cert_username_map.empty() &&
            !tenants_name_some && loaded_.native_whole)
            setting(Severity::error, "tls", "cert_username_field",
                    "no account's name is a whole subject",
                    "say in cert_username_map whose it is, or in [tenant NAME] with "
                    "certificate = CN=...");
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
            const std::string name(info.name);
            if (is_refused(name)) continue;
            warning(name, name + '=' + value_text(options_, info) + " has no effect",
                    std::string(instead_of(info)));
        }
    }

  private:
    // By those that can log in.
    [[nodiscard]] bool needs_tls() const {
        const auto& o = options_;
        return o.implicit_ssl ||
               (local() && (o.force_local_logins_ssl || o.force_local_data_ssl)) ||
               (o.anonymous_enable && (o.force_anon_logins_ssl || o.force_anon_data_ssl));
    }

    // One word of it is enough.
    [[nodiscard]] bool is_refused(const std::string& option) const {
        return std::any_of(problems_.begin(), problems_.end(), [&](const Problem& problem) {
            return problem.severity == Severity::error && problem.option == option;
        });
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

    void not_root(const char* option, const std::string& name) {
        const auto* entry = ::getpwnam(name.c_str());
        if (entry != nullptr && entry->pw_uid == 0)
            warning(option, std::string(option) + '=' + name + " is root, as whom nobody is served",
                    "logins that need it are refused; name a user who owns nothing else");
    }
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

void check(Loaded& loaded) {
    loaded.configuration.files_stamp = stamp_of_files(loaded.configuration.options);
    loaded.configuration.certificates_stamp = stamp_of_certificates(loaded.configuration);
    Checker checker(loaded);
    checker.rights(loaded.configuration.options);
    checker.contradictions();
    checker.ports();
    checker.addresses();
    resolve(loaded, checker);
    checker.users(loaded.configuration.nobody);
    look_at_places(loaded);
    checker.settings();
    checker.tenants();
    checker.client_certificates();
    read_cert_map(loaded.configuration, loaded.problems);
    checker.command_lists();
    checker.contradicting_pairs();
    checker.without_effect();
}

}  // namespace config
