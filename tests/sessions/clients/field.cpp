// SPDX-License-Identifier: MIT
// A vsftpd.conf from the field, on a machine with everything that it names.
#include "tests/sessions/clients/field.hpp"

#include "base/text.hpp"
#include "config/conf_file.hpp"
#include "tests/sessions/conversation.hpp"
#include "tests/sessions/secure.hpp"
#include "tests/tls/authority.hpp"

#include <algorithm>
#include <cstring>
#include <regex>
#include <sstream>

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sessions {

namespace fs = std::filesystem;
using config::Kind;
using config::Options;

config::Options options_of(const std::string& text, config::Problems& problems) {
    Options options;
    config::parse_conf(text, "field", problems, [&](const config::Setting& setting) {
        config::apply(setting, "field", options, problems);
    });
    return options;
}

config::Options options_of(const std::string& text) {
    config::Problems ignored;
    return options_of(text, ignored);
}

// ----- a machine with everything that a file names

namespace {

// Returns its uid, which is another where there is such a user already.
uid_t add_account(const Account& account, const std::string& home) {
    const auto known = content_of("/etc/passwd");
    for (const auto& line : lines_of(known)) {
        if (line.starts_with(account.name + ":"))
            return static_cast<uid_t>(
                std::stoul(line.substr(line.find(':', line.find(':') + 1) + 1)));
    }
    const auto id = std::to_string(account.uid);
    write_file("/etc/passwd",
               known + account.name + ":x:" + id + ":" + id + "::" + home + ":/bin/sh\n");
    write_file("/etc/shadow", content_of("/etc/shadow") + account.name + ":" +
                                  hash_of(account.password) + ":19000:0:99999:7:::\n");
    return account.uid;
}

// A path of the file in the sandbox; what a container's first process writes to is a file here.
std::string moved(const std::string& path) {
    return path.starts_with('/') && path != "/dev/null" ? place().string() + path : path;
}

// A folder of the file as a login finds it: with the user's name in it, or below his home.
fs::path folder_for(std::string path, const std::string& token, const fs::path& home) {
    if (const auto at = token.empty() ? path.npos : path.find(token); at != path.npos)
        path.replace(at, token.size(), tester.name);
    return path.starts_with('/') ? fs::path(moved(path)) : home / path;
}

// Something to read, and somewhere to write.
void fill(const fs::path& folder, uid_t owner, const char* writable) {
    write_file(folder / "hello.txt", noise(3000), 0);
    make_folder(folder / writable, owner);
}

// One certificate for all runs: making keys takes time.
const authority::Made& site() {
    static const auto made = [] {
        authority::Wanted wanted;
        wanted.key = "RSA:2048";
        return authority::make(wanted);
    }();
    return made;
}

void furnish_file(const config::OptionInfo& info, const Options& options, const fs::path& path) {
    const auto make = [&](const std::string& content) {
        fs::create_directories(path.parent_path());
        if (!content.empty()) write_file(path, content);
    };
    const auto name = info.name;
    if (name.ends_with("_dir")) return make_folder(path);
    if (name.ends_with("_log_file") || name == "xferlog_file") return make("");
    if (name == "userlist_file")
        return make(options.userlist_deny ? "somebody-else\n" : "tester\nftp\n");
    if (name == "email_password_file") return make("me@here\n");
    if (name == "banner_file") return make("A banner\nof two lines\n");
    if (name.ends_with("_cert_file") || name.ends_with("_private_key_file") ||
        name == "ca_certs_file")
        return make(site().certificate + site().key);
    return make("somebody-else\n");
}

uid_t furnish_user(const std::string& name) {
    const auto passwd = content_of("/etc/passwd");
    const auto users = std::count(passwd.begin(), passwd.end(), '\n');
    const Account account{name, 2300 + static_cast<uid_t>(users), "!"};
    return add_account(account, home_of(account));
}

void furnish_users(const Options& options) {
    for (const auto* name : {&options.guest_username, &options.ftp_username,
                             &options.chown_username, &options.nopriv_user})
        if (!name->empty()) furnish_user(*name);
}

// Where local users start: their own where nobody minds that, or else root's.
void furnish_start(const Options& options) {
    const bool guest = options.guest_enable;
    const auto user = guest ? options.guest_username : tester.name;
    const auto home = home_of({user, 0, {}});
    const auto owner = guest ? furnish_user(user) : tester.uid;
    const auto start = options.local_root.empty()
                           ? home
                           : folder_for(options.local_root, options.user_sub_token, home);
    make_folder(home);
    make_folder(start, options.allow_writeable_chroot ? owner : 0);
    fill(start, owner, "files");
    if (!options.anonymous_enable) return;
    const auto own_home = home_of({options.ftp_username, 0, {}});
    const auto anonymous = options.anon_root.empty() ? home_of({options.ftp_username, 0, {}})
                                                     : folder_for(options.anon_root, {}, own_home);
    make_folder(own_home);
    make_folder(anonymous);
    fill(anonymous, furnish_user(options.ftp_username), "incoming");
}

void furnish_service(const std::string& name) {
    const auto file = fs::path("/etc/pam.d") / fs::path(name).filename();
    if (!name.empty() && !fs::exists(file)) write_file(file, content_of("/etc/pam.d/vsftpd"));
}

std::string moved_line(const std::string& line, const Options& options) {
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == line.npos) return line;
    const auto name = base::trim(std::string_view(line).substr(0, equals));
    const auto value = std::string(base::trim(std::string_view(line).substr(equals + 1)));
    const auto* info = config::find_option(name);
    if (info == nullptr || value.empty()) return line;
    const auto with = [&](const std::string& other) { return std::string(name) + '=' + other; };
    if (name == "listen_address") return with("127.0.0.1");
    if (name == "listen_address6") return with("::1");
    if (info->kind != Kind::Path) return line;
    if (!name.ends_with("_root")) furnish_file(*info, options, moved(value));
    return moved(value) == value ? line : with(moved(value));
}

}  // namespace

Lines furnished(const std::string& text) {
    const auto options = options_of(text);
    // Homes outside are not for tests to write into; nobody's may serve anonymous users.
    auto passwd = content_of("/etc/passwd");
    for (const auto& [name, home] : {std::pair{"root", "/root"}, {"nobody", "/nonexistent"}})
        passwd.replace(passwd.find(std::string(":") + home + ':') + 1, std::strlen(home),
                       home_of({name, 0, {}}).string());
    write_file("/etc/passwd", passwd);
    add_account(tester, home_of(tester));
    make_folder(home_of(tester), tester.uid);
    furnish_users(options);
    furnish_start(options);
    furnish_service(options.pam_service_name);
    write_file("/etc/hosts", "127.0.0.1 localhost\n192.0.2.7 " + options.pasv_address + '\n');
    Lines lines;
    // What has a place by itself.
    const Options defaults;
    for (const auto& info : config::option_table()) {
        if (info.kind != Kind::Path || !is_default(options, info)) continue;
        const auto path = value_text(defaults, info);
        if (path.starts_with("/etc/") || path.starts_with("/var/"))
            furnish_file(info, options, path);
    }
    if (options.ssl_enable && options.rsa_cert_file == defaults.rsa_cert_file)
        lines.push_back(moved_line("rsa_cert_file=" + defaults.rsa_cert_file, options));
    for (const auto& line : lines_of(text)) lines.push_back(moved_line(line, options));
    return lines;
}

namespace {

// A server of one connection for each that comes, as the field's inetd starts them: the process
// that returns has it as descriptor 0.
void be_inetd(std::uint16_t port) {
    const auto listener = listen_at({"127.0.0.1", port});
    ::signal(SIGCHLD, SIG_IGN);
    for (;;) {
        const base::Fd client{::accept(listener.get(), nullptr, nullptr)};
        if (!client || ::fork() != 0) continue;
        ::signal(SIGCHLD, SIG_DFL);
        ::dup2(client.get(), 0);
        return;
    }
}

}  // namespace

Setup setup_for(const Options& options, Program program) {
    const auto port = static_cast<std::uint16_t>(options.listen_port);
    Setup setup;
    setup.program = program;
    setup.arguments = {"-obackground=NO"};
    // With its own filter the reference dies on this system's C library.
    if (program == Program::vsftpd) setup.arguments.emplace_back("-oseccomp_sandbox=NO");
    setup.own_lines = false;
    setup.port = port;
    if (options.listen_ipv6 && !options.listen_address6.empty()) setup.address = "::1";
    setup.cleanly = false;
    if (!options.listen && !options.listen_ipv6) setup.before = [port] { be_inetd(port); };
    return setup;
}

// ----- clients

namespace {

// Without what differs in every reply.
std::string steady(std::string text) {
    static const std::regex version(R"(\((vsFTPd|jailftpd) [0-9.]+\))");
    static const std::regex reason(R"( \([A-Z][a-z ]+\)(\n|$))");
    static const std::regex passive(R"(\(([0-9,]+),[0-9]+,[0-9]+\)\.$)");
    text = std::regex_replace(text, version, "(VERSION)");
    text = std::regex_replace(text, reason, "$1");
    return std::regex_replace(text, passive, "($1,P,P).");
}

std::string names_in(const std::string& listing) {
    std::string names;
    for (const auto& line : lines_of(listing)) names += ' ' + line.substr(line.rfind(' ') + 1);
    return names;
}

// What became of an upload: owner, mode, size. It is gone then, for the next client.
std::string upload(const std::string& name) {
    for (const auto& entry : fs::recursive_directory_iterator(place())) {
        if (entry.path().filename() != name) continue;
        struct stat status {};
        ::lstat(entry.path().c_str(), &status);
        std::ostringstream text;
        text << name << ": uid " << status.st_uid << ", mode " << std::oct << status.st_mode
             << ", size " << std::dec << status.st_size;
        fs::remove(entry.path());
        return text.str();
    }
    return name + ": none";
}

void in_other_ways(Conversation& ftp) { ftp.mode = Conversation::Mode::extended_passive; }
void in_other_ways(Secure&) {}

template <class Client>
class Visit {
  public:
    Visit(Client& ftp, const Options& options, Lines& seen)
        : ftp_(ftp), options_(options), seen_(seen) {}

    // After the login.
    void look_around(const std::string& folder) {
        say("PWD");
        say("TYPE I");
        const auto came = ftp_.retrieve("hello.txt");
        add("RETR", began_and_done() + (came == noise(3000) ? " whole" : " nothing"));
        if (options_.pasv_enable) in_other_ways(ftp_);
        for (const auto& name : {std::string("up.one"), folder + "/up.two"}) {
            ftp_.store(name, "0123456789");
            add("STOR " + name, began_and_done());
        }
        const auto names = names_in(ftp_.receive("LIST"));
        add("LIST", began_and_done() + names);
        say("SIZE hello.txt");
        say("REST 100");
        const auto rest = ftp_.retrieve("hello.txt");
        add("RETR the rest",
            began_and_done() + (rest == noise(3000).substr(100) ? " whole" : " nothing"));
        ftp_.store(folder + "/up.three", "0123456789");
        for (const auto* verb : {"SITE CHMOD 640 ", "RNFR "}) say(verb + folder + "/up.three");
        say("RNTO " + folder + "/up.four");
        say("DELE " + folder + "/up.four");
        say("MKD " + folder + "/d");
        say("CWD /etc");
        say("QUIT");
        for (const auto* name : {"up.one", "up.two"}) seen_.push_back(upload(name));
    }

    std::string say(const std::string& line) {
        const auto reply = steady(ftp_.say(line));
        add(line, reply);
        return reply;
    }

    void add(const std::string& what, const std::string& reply) {
        seen_.push_back(what + ": " + steady(reply));
    }

  private:
    [[nodiscard]] std::string began_and_done() const {
        return steady(ftp_.began) + " | " + steady(ftp_.done);
    }

    Client& ftp_;
    const Options& options_;
    Lines& seen_;
};

// Of an address that is none, or 0.0.0.0, vsftpd makes something that nobody can connect to.
bool tells_an_address(const Options& options) {
    in_addr address{};
    return options.pasv_enable &&
           (options.pasv_address.empty() ||
            (::inet_aton(options.pasv_address.c_str(), &address) != 0 && address.s_addr != 0));
}

struct Login {
    std::string user;
    std::string password;
    std::string folder;  // in which there may be uploads
};

template <class Client>
void visit(Client& ftp, const Options& options, const Login& login, bool private_data,
           Lines& seen) {
    Visit<Client> all(ftp, options, seen);
    auto reply = all.say("USER " + login.user);
    if (reply.starts_with("331")) reply = all.say("PASS " + login.password);
    if (!reply.starts_with("230")) return;
    if (private_data) {
        all.say("PBSZ 0");
        all.say("PROT P");
    }
    if (tells_an_address(options)) all.say("PASV");
    all.look_around(login.folder);
}

// The last client counts for max_per_ip and max_clients until the server has noticed its end.
void wait_for_its_turn() {
    const auto nobody_is_served = [] {
        auto all = processes("ftpd");
        std::erase_if(all, [](const auto& each) {
            return each.title.starts_with("jailftpd") &&
                   each.title.find("127.0.0.1") == std::string::npos;
        });
        return all.size() <= 1;  // vsftpd's listener, if it has one
    };
    eventually(nobody_is_served, std::chrono::seconds(5));
}

void visit_in_clear(const Server& server, const Options& options, const Login& login, Lines& seen) {
    wait_for_its_turn();
    Conversation ftp(server);
    seen.push_back("greeting: " + steady(ftp.greeting));
    if (!ftp.greeting.starts_with("220")) return;
    if (!options.pasv_enable) ftp.mode = Conversation::Mode::active;
    // An address that is none ends a session of vsftpd's.
    else if (!config::valid_pasv_address(options.pasv_address))
        ftp.mode = Conversation::Mode::extended_passive;
    visit(ftp, options, login, false, seen);
}

void visit_in_private(const Server& server, const Options& options, const Login& login, int version,
                      Lines& seen) {
    Habits habits;
    habits.version = version;
    if (options.implicit_ssl) habits.auth.clear();
    if (options.require_cert || options.ssl_request_cert)
        habits.certificate = site().certificate + site().key;
    wait_for_its_turn();
    Secure ftp(server, habits);
    seen.push_back("greeting: " + steady(ftp.greeting));
    if (!ftp.greeting.starts_with("220")) return;
    if (!options.implicit_ssl) {
        seen.push_back("AUTH TLS: " + ftp.say("AUTH TLS"));
        const auto trouble = ftp.shake();
        if (!trouble.empty()) return seen.push_back("handshake: " + trouble);
    }
    visit(ftp, options, login, true, seen);
}

Lines seen_as(const Server& server, const Options& options, const Login& login, bool in_private,
              bool in_clear) {
    Lines seen;
    if (in_clear) visit_in_clear(server, options, login, seen);
    if (!in_private) return seen;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
        visit_in_private(server, options, login, version, seen);
    return seen;
}

}  // namespace

Expected expected_of_local(const Options& o) {
    Expected all;
    all.login = o.local_enable;
    all.download = all.login && o.download_enable;
    const bool as_anonymous = o.guest_enable && !o.virtual_use_local_privs;
    all.upload = all.login && o.write_enable && (!as_anonymous || o.anon_upload_enable);
    return all;
}

Expected expected_of_anonymous(const Options& o) {
    Expected all;
    all.login = o.anonymous_enable &&
                (!o.ssl_enable || !o.implicit_ssl || o.allow_anon_ssl || o.force_anon_logins_ssl);
    all.download = all.login && o.download_enable;
    all.upload = all.login && o.write_enable && o.anon_upload_enable;
    return all;
}

Seen seen_by_clients(const Server& server, const Options& o) {
    Seen seen;
    const bool local_private = o.ssl_enable && o.pasv_enable;
    if (o.local_enable)
        seen.of_local = seen_as(server, o, {tester.name, tester.password, "files"}, local_private,
                                !(o.ssl_enable && o.implicit_ssl));
    if (o.anonymous_enable)
        seen.of_anonymous = seen_as(server, o, {"ftp", "me@here", "incoming"},
                                    o.ssl_enable && (o.force_anon_logins_ssl || o.implicit_ssl),
                                    !(o.ssl_enable && o.implicit_ssl));
    return seen;
}

}  // namespace sessions
