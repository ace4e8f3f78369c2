// SPDX-License-Identifier: MIT
// Looking at files and folders, without a trace; runs in the supervisor.
#include "config/places.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "config/findings.hpp"
#include "config/listen.hpp"
#include "config/name_list.hpp"
#include "config/user_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace config {
namespace {

// Of user_config_dir, so many are looked at before a start.
constexpr std::size_t most_user_files = 1000;

bool is_directory(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool can_write(const passwd& user, const struct stat& status) {
    const mode_t bit = status.st_uid == user.pw_uid   ? S_IWUSR
                       : status.st_gid == user.pw_gid ? S_IWGRP
                                                      : S_IWOTH;
    return (status.st_mode & bit) != 0;
}

// As PAM looks for it; without the folder it is in pam.conf, if anywhere.
bool has_pam_service(const std::string& name) {
    if (!is_directory("/etc/pam.d")) return true;
    constexpr const char* folders[] = {"/etc/pam.d/", "/usr/lib/pam.d/", "/usr/etc/pam.d/"};
    return std::any_of(std::begin(folders), std::end(folders), [&](const char* folder) {
        return ::access((folder + base::lower(name)).c_str(), F_OK) == 0;
    });
}

// Why no log can be written there; empty: it can. Nothing is made: --check-config and a reload
// that fails leave no trace.
std::string why_no_log(const std::string& path) {
    if (path.empty()) return std::strerror(ENOENT);
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

// Why a file cannot be read, without reading it (a key stays where it is); empty: it can. An
// ordinary user who asks for --check-config does not know what root can.
std::string why_unreadable(const std::string& path) {
    const base::Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (!file) return errno == EACCES && ::geteuid() != 0 ? "" : std::strerror(errno);
    struct stat status {};
    if (::fstat(file.get(), &status) < 0) return std::strerror(errno);
    if (S_ISDIR(status.st_mode)) return std::strerror(EISDIR);
    return S_ISREG(status.st_mode) ? "" : "it is no regular file";
}

class Places : Findings {
  public:
    explicit Places(Loaded& loaded) : Findings(loaded) {}

    void look() {
        files();
        certificates();
        user_files();
        trust();
        logs();
        settings();
        binds();
    }

  private:
    void files() {
        const auto& o = options_;
        if (!o.banner_file.empty()) file("banner_file", o.banner_file, "banner file");
        if (o.userlist_enable && local()) {
            file("userlist_file", o.userlist_file, "user list file");
            const auto list = read_file(o.userlist_file, 10 << 20);
            if (!o.userlist_deny && list && base::trim(list.value()).empty())
                warning("userlist_file", "userlist_file=" + o.userlist_file + " names nobody",
                        "with userlist_deny=NO nobody else can log in: one name a line");
        }
        // Others can log in without it.
        if (o.chroot_list_enable && o.local_enable)
            file("chroot_list_file", o.chroot_list_file, "chroot() list file",
                 o.anonymous_enable || !configuration_.tenants.empty() ? Severity::warning
                                                                       : Severity::error);
        if (o.anonymous_enable && o.deny_email_enable)
            file("banned_email_file", o.banned_email_file, "anon e-mail list file");
        if (o.anonymous_enable && o.secure_email_list_enable)
            file("email_password_file", o.email_password_file, "email passwords file");
        struct stat status {};
        if (::stat(o.user_config_dir.c_str(), &status) == 0 && !S_ISDIR(status.st_mode))
            error("user_config_dir", "user_config_dir=" + o.user_config_dir + " is no directory",
                  "a directory with a file for each user who has options of his own");
        else
            directory("user_config_dir", o.user_config_dir, "no user has options of his own");
        if (!origin("secure_chroot_dir").empty()) directory_of_nothing();
        if (o.anonymous_enable) anonymous_root();
        if (o.user_sub_token.empty() && o.local_root.starts_with('/'))
            directory("local_root", o.local_root, "logins that need it will fail");
        if (o.local_enable && !without_root_ && !has_pam_service(o.pam_service_name))
            warning("pam_service_name", "there is no PAM service " + o.pam_service_name,
                    "PAM takes the service other, which mostly lets nobody in: name a file of "
                    "/etc/pam.d");
    }

    // Whether they fit together only the signer sees: keys are not for this process.
    void certificates() {
        const auto& o = options_;
        if (!o.ssl_enable) return;
        const auto look = [this](const char* option, const std::string& path, const char* failed) {
            if (path.empty()) return;
            const auto reason = why_unreadable(path);
            if (!reason.empty()) error(option, failed + path, reason);
        };
        look("rsa_cert_file", o.rsa_cert_file, "SSL: cannot load RSA certificate: ");
        look("rsa_private_key_file", o.rsa_private_key_file, "SSL: cannot load RSA private key: ");
        look("dsa_cert_file", o.dsa_cert_file, "SSL: cannot load DSA certificate: ");
        look("dsa_private_key_file", o.dsa_private_key_file, "SSL: cannot load DSA private key: ");
        if (o.ssl_request_cert || o.require_cert)
            look("ca_certs_file", o.ca_certs_file, "SSL: could not load verify file: ");
        if (!o.ssl_tlsv1 && !o.ssl_tlsv11 && !o.ssl_tlsv12 && !o.ssl_tlsv13)
            error("ssl_tlsv12", "SSL: no version of TLS is enabled",
                  "set ssl_tlsv12=YES or ssl_tlsv13=YES");
        if (!has_certificate())
            error("rsa_cert_file", "SSL: there is no certificate",
                  "name one, or set ssl_enable=NO; clients are forced to use TLS (force_*_ssl)");
    }

    // As each login will; an error there ends nobody else's.
    void user_files() {
        std::vector<std::string> names;
        std::error_code none;
        const auto& folder = options_.user_config_dir;
        for (std::filesystem::directory_iterator each(folder, none), end;
             !folder.empty() && !none && each != end && names.size() < most_user_files;
             each.increment(none)) {
            const auto name = each->path().filename().string();
            if (!name.starts_with('.') && !is_directory(each->path().string()))
                names.push_back(name);
        }
        std::sort(names.begin(), names.end());
        for (const auto& name : names) {
            for (auto problem : read_user_file(folder, name, ::geteuid()).problems) {
                problem.severity = Severity::warning;
                problems_.push_back(std::move(problem));
            }
        }
    }

    // Whoever can write to these decides who logs in and what he may do; whoever can read a key
    // can be this server.
    void trust() {
        const auto& o = options_;
        trusted("user_config_dir", o.user_config_dir);
        trusted("banner_file", o.banner_file);
        if (o.userlist_enable) trusted("userlist_file", o.userlist_file);
        if (o.chroot_list_enable) trusted("chroot_list_file", o.chroot_list_file);
        if (o.deny_email_enable) trusted("banned_email_file", o.banned_email_file);
        if (o.secure_email_list_enable) trusted("email_password_file", o.email_password_file);
        if (!o.ssl_enable) return;
        trusted("ca_certs_file", o.ca_certs_file);
        trusted("rsa_cert_file", o.rsa_cert_file);
        trusted("dsa_cert_file", o.dsa_cert_file);
        secret("rsa_private_key_file", o.rsa_private_key_file, "rsa_cert_file", o.rsa_cert_file);
        secret("dsa_private_key_file", o.dsa_private_key_file, "dsa_cert_file", o.dsa_cert_file);
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
            setting(Severity::error, "log", "json", "failed to open JSON log file:" + json,
                    std::move(reason));
    }

    // Of jailftpd.ini.
    void settings() {
        const auto& n = configuration_.native;
        if (!loaded_.native_whole) return;
        if (options_.ssl_enable && !n.certificates.empty() && !is_directory(n.certificates))
            setting(Severity::warning, "tls", "certificates", n.certificates + " is no directory",
                    "a directory of HOST.pem files; as it is, all clients get rsa_cert_file");
        if (!n.handover.empty()) handover(n.handover);
    }

    // What is not there now may be mounted before the first login.
    void binds() {
        const auto look = [this](const std::string& place, const std::string& whose,
                                 const Confinement& confinement) {
            for (const auto& bind : confinement.binds) {
                struct stat status {};
                const bool there = ::stat(bind.source.c_str(), &status) == 0;
                if (there && S_ISDIR(status.st_mode)) continue;
                problems_.push_back(at(place, Severity::warning, "bind",
                                       whose + ": " + bind.source + " cannot be bound: " +
                                           std::strerror(there ? ENOTDIR : errno),
                                       "without it there is no login for " + whose));
            }
        };
        for (const auto& group : configuration_.groups)
            look(group.place, "group " + group.name, group.confinement);
        for (const auto& tenant : configuration_.tenants)
            look(tenant.place, "tenant " + tenant.name, tenant.confinement);
    }

    // Whoever listens makes the socket; a server of inetd's does without.
    void handover(const std::string& path) {
        const auto severity = is_standalone(configuration_) ? Severity::error : Severity::warning;
        struct stat status {};
        if (::lstat(path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode))
            return setting(severity, "server", "handover", path + " is there and is no socket",
                           "remove it, or name another place");
        if (const auto folder = path.substr(0, path.rfind('/') + 1); !is_directory(folder))
            setting(severity, "server", "handover", folder + " is no directory",
                    "the folder must be there, the socket in it is made");
    }

    // As vsftpd, which looks when they log in.
    void anonymous_root() {
        const auto& o = options_;
        const auto* user = ::getpwnam(o.ftp_username.c_str());
        if (user == nullptr) return;  // said already, or not needed
        std::string folder = user->pw_dir;
        if (!o.anon_root.empty())
            folder = o.anon_root.starts_with('/') ? o.anon_root : folder + '/' + o.anon_root;
        const auto* option = o.anon_root.empty() ? "ftp_username" : "anon_root";
        struct stat status {};
        if (::stat(folder.c_str(), &status) < 0 || !S_ISDIR(status.st_mode))
            return warning(option, folder + ", the root of anonymous users, is no directory",
                           "anonymous logins will fail; set anon_root");
        if (without_root_ || !can_write(*user, status)) return;
        warning(option, folder + ", the root of anonymous users, is writable for them",
                "anonymous logins will be refused; chown root and chmod go-w, and let them write "
                "to a folder in it");
    }

    // Used only where processes cannot have an empty root of their own.
    void directory_of_nothing() {
        const auto& path = options_.secure_chroot_dir;
        const auto* nobody = ::getpwnam(options_.nopriv_user.c_str());
        struct stat status {};
        const auto warn = [&](std::string what) {
            warning("secure_chroot_dir", std::move(what),
                    "where mount namespaces are forbidden there is no start without an empty "
                    "directory of root's");
        };
        if (::stat(path.c_str(), &status) < 0) return;  // it is made where the service starts
        if (!S_ISDIR(status.st_mode)) return warn("secure_chroot_dir=" + path + " is no directory");
        if (nobody != nullptr && can_write(*nobody, status))
            warn("secure_chroot_dir=" + path + " is writable for nopriv_user");
    }

    void trusted(const char* option, const std::string& path) {
        struct stat status {};
        if (path.empty() || ::stat(path.c_str(), &status) < 0) return;
        if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return;  // /dev/null
        const bool group = (status.st_mode & S_IWGRP) != 0 && status.st_gid != 0;
        if (status.st_uid != 0 && status.st_uid != ::geteuid())
            warning(option, path + " belongs to uid " + std::to_string(status.st_uid),
                    "its owner decides what it says; chown root " + path);
        else if (group || (status.st_mode & S_IWOTH) != 0)
            warning(option, "others than its owner may write to " + path, "chmod go-w " + path);
    }

    // The key is in its own file, or in the certificate's.
    void secret(const char* option, const std::string& path, const char* other,
                const std::string& certificate) {
        const auto& file = path.empty() ? certificate : path;
        if (!path.empty()) trusted(option, path);
        struct stat status {};
        if (::stat(file.c_str(), &status) < 0 || (status.st_mode & S_IROTH) == 0) return;
        warning(path.empty() ? other : option, "everybody may read the private key in " + file,
                "chmod 600 " + file);
    }

    void log(const char* option, const std::string& path, const char* failed) {
        const auto reason = why_no_log(path);
        if (!reason.empty()) error(option, failed + path, reason);
    }

    void file(const char* option, const std::string& path, const char* what,
              Severity severity = Severity::error) {
        auto content = read_file(path, 10 << 20);
        if (content) return;
        add(severity, option, "cannot read " + std::string(what) + ':' + path,
            content.error().number != 0 ? std::strerror(content.error().number)
                                        : content.error().what);
    }

    // Only a word of warning: it may be mounted later, and vsftpd looks at it at each login, too.
    void directory(const char* option, const std::string& path, const char* consequence) {
        struct stat status {};
        if (path.empty() || (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode))) return;
        warning(option, std::string(option) + '=' + path + " is no directory", consequence);
    }
};

}  // namespace

void look_at_places(Loaded& loaded) { Places(loaded).look(); }

}  // namespace config
