// SPDX-License-Identifier: MIT
// Configuration files from the field, served: whoever could log in with vsftpd can here, into the
// same folder, jailed or not, with the same rights. JAILFTPD_CORPUS is the folder; skipped without
// it.
#include "base/text.hpp"
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>

using namespace sessions;

namespace fs = std::filesystem;

namespace {

fs::path corpus() {
    if (const auto* named = std::getenv("JAILFTPD_CORPUS")) return fs::path(named) / "vsftpd-conf";
    return fs::path(JAILFTPD_SOURCE).parent_path() / "shared" / "corpus" / "vsftpd-conf";
}

const Account tester{"tester", 2200, "testpw"};

// A file, and what was seen when vsftpd served it with everything that it names in place: "PASS:
// 230 Login successful. | PWD: 257 "/" is the current directory | ...".
struct Row {
    std::string file;
    std::string seen;
};

std::vector<Row> rows() {
    std::vector<Row> all;
    std::ifstream manifest(corpus() / "MANIFEST.tsv");
    std::string line;
    std::getline(manifest, line);  // the titles
    while (std::getline(manifest, line)) {
        const auto cells = base::split(line, '\t');
        if (cells.size() > 8) all.push_back({std::string(cells[0]), std::string(cells[8])});
    }
    return all;
}

// ----- a machine with everything that a file names

// Folders and files of the host that the sandbox must not make are below its own place instead.
const std::set<std::string_view> folders = {"local_root", "anon_root", "user_config_dir"};
const std::set<std::string_view> lists = {"userlist_file", "chroot_list_file", "banned_email_file",
                                          "banner_file"};
const std::set<std::string_view> users = {"guest_username", "ftp_username", "chown_username",
                                          "nopriv_user"};

std::map<std::string, std::string> settings_of(const std::string& text) {
    std::map<std::string, std::string> settings;
    for (const auto& line : lines_of(text)) {
        const auto equals = line.find('=');
        if (line.starts_with('#') || equals == line.npos) continue;
        settings[std::string(base::trim(line.substr(0, equals)))] = line.substr(equals + 1);
    }
    return settings;
}

bool yes(const std::map<std::string, std::string>& settings, const std::string& option) {
    const auto found = settings.find(option);
    return found != settings.end() && (base::upper(base::trim(found->second)) == "YES" ||
                                       base::upper(base::trim(found->second)) == "TRUE");
}

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

// Who owned the folders the manifest does not tell, but what could be made there.
bool folders_were_own(const Row& row) {
    return row.seen.find("created") != row.seen.npos ||
           row.seen.find("writable root") != row.seen.npos;
}

// A path of the file in the sandbox, with the login name in it.
std::string moved(std::string path, const std::map<std::string, std::string>& settings) {
    const auto token = settings.find("user_sub_token");
    if (token != settings.end()) {
        if (const auto at = path.find(token->second); at != path.npos)
            path.replace(at, token->second.size(), tester.name);
    }
    return place().string() + path;
}

void furnish_list(const std::string& path, bool with_tester) {
    make_folder(fs::path(path).parent_path());
    write_file(path, with_tester ? "tester\n" : "somebody-else\n");
}

// The text of the file with its paths moved into the sandbox; makes what is there.
Lines furnished(const Row& row) {
    const auto text = content_of(corpus() / row.file);
    const auto settings = settings_of(text);
    add_account(tester, home_of(tester));
    make_folder(home_of(tester), tester.uid);
    const bool guests = yes(settings, "guest_enable");
    auto owner = guests ? ftp_user.uid : tester.uid;
    uid_t next = 2300;
    for (const auto& [option, value] : settings) {
        if (users.count(option) == 0 || value.empty()) continue;
        const Account account{std::string(base::trim(value)), next++, "!"};
        const auto uid = add_account(account, home_of(account));
        if (!guests || option != "guest_username") continue;
        owner = uid;
        make_folder(home_of(account), folders_were_own(row) ? owner : 0);
    }
    // Where nothing else is named; the tester is in the user list when it lists who may.
    const bool allowed = settings.count("userlist_deny") != 0 && !yes(settings, "userlist_deny");
    furnish_list("/etc/vsftpd.user_list", allowed);
    furnish_list("/etc/vsftpd.chroot_list", false);
    Lines lines;
    for (auto line : lines_of(text)) {
        const auto equals = line.find('=');
        const auto option = std::string(base::trim(line.substr(0, equals)));
        const auto value = equals == line.npos ? std::string{} : line.substr(equals + 1);
        if (value.starts_with('/') && folders.count(option) != 0) {
            make_folder(moved(value, settings), folders_were_own(row) ? owner : 0);
            line = option + "=" + place().string() + value;
        } else if (value.starts_with('/') && lists.count(option) != 0) {
            furnish_list(place().string() + value, allowed && option == "userlist_file");
            line = option + "=" + place().string() + value;
        }
        lines.push_back(line);
    }
    return lines;
}

// What was seen depended on the machine: homes of system users, a name service, a banner's text.
const std::set<std::string> of_another_machine = {"060.conf", "085.conf", "087.conf", "111.conf"};

// With vsftpd the listener starts and the clients are told, or something else happens than what
// was written. Here the start is refused, and this is said to the administrator.
const std::map<std::string, std::string> refused = {
    {"070.conf", "pasv_min_port (21010) is above pasv_max_port (21000)"},
    {"082.conf", "\"PASV_MIN_PORT\" is no number for: pasv_min_port"},
    {"122.conf", "vsftpd: both local and anonymous access disabled!"},
    {"127.conf", "\"changeme\" is no number for: pasv_min_port"},
    {"128.conf", "pasv_min_port (47470) is above pasv_max_port (47400)"},
};

// guest_username=root: nobody is served as root.
const std::set<std::string> as_root = {"048.conf"};

// ----- a session

std::uint16_t next_port() {
    static std::uint16_t last = 4000;
    return ++last;
}

// What the file must not decide on this machine. There is no TLS here, which the file would only be
// warned about; the reference would want its certificate.
std::vector<std::string> overrides(std::uint16_t port) {
    const auto folder = place("server") / std::to_string(port);
    return {
        "-olisten=YES",
        "-olisten_ipv6=NO",
        "-olisten_address=127.0.0.1",
        "-olisten_port=" + std::to_string(port),
        "-obackground=NO",
        "-ovsftpd_log_file=" + (folder / "vsftpd.log").string(),
        "-oxferlog_file=" + (folder / "xferlog").string(),
        "-opam_service_name=vsftpd",
        "-osecure_chroot_dir=/run/vsftpd/empty",
        "-opasv_addr_resolve=NO",
        "-opasv_address=",
        "-otcp_wrappers=NO",
        "-ossl_enable=NO",
    };
}

std::string first_line(const std::string& reply) { return reply.substr(0, reply.find('\n')); }

// The same words as in the manifest.
std::string session(const Server& server) {
    std::string seen;
    const auto add = [&](const std::string& what, const std::string& reply) {
        seen += (seen.empty() ? "" : " | ") + what + ": " + reply;
    };
    Conversation ftp(server);
    add("greeting", first_line(ftp.greeting));
    if (!ftp.greeting.starts_with("220")) return seen;
    const auto user = ftp.say("USER tester");
    const bool anonymous = user.starts_with("530 This FTP server is anonymous only.");
    if (anonymous) {
        add("USER", user);
        seen += " || as anonymous";
        const auto name = ftp.say("USER ftp");
        if (!name.starts_with("331")) return seen + ": USER: " + first_line(name);
    } else if (!user.starts_with("331")) {
        add("USER", user);
        return seen;
    }
    const auto pass = ftp.say(anonymous ? "PASS me@here" : "PASS " + tester.password);
    seen += (anonymous ? ": " : " | ") + ("PASS: " + first_line(pass));
    if (!pass.starts_with("230")) return seen;
    add("PWD", ftp.say("PWD"));
    add("STOR-allowed(MKD d)", ftp.say("MKD d"));
    add("CWD /etc", first_line(ftp.say("CWD /etc")));
    return seen;
}

}  // namespace

// Without what differs in every reply.
std::string normalised(std::string seen) {
    static const std::regex version(R"(\((vsFTPd|jailftpd) [0-9.]+\))");
    static const std::regex reason(R"( \([A-Z][a-z ]+\)( \||$))");
    seen = std::regex_replace(seen, version, "(VERSION)");
    seen = std::regex_replace(seen, reason, "$1");
    const auto prefix = place().string();
    for (std::size_t at = 0; (at = seen.find(prefix)) != seen.npos;) seen.erase(at, prefix.size());
    return seen;
}

TEST(Corpus, IsServedAsByVsftpd) {
    if (!fs::exists(corpus() / "MANIFEST.tsv")) GTEST_SKIP() << "no corpus at " << corpus();
    std::size_t served = 0;
    for (const auto& row : rows()) {
        const bool in_clear = row.seen.find("TLS") == row.seen.npos;
        if (row.seen.empty() || !in_clear || of_another_machine.count(row.file) != 0) continue;
        if (refused.count(row.file) != 0) continue;
        SCOPED_TRACE(row.file);
        refurnish();
        const auto port = next_port();
        Server server(
            furnished(row),
            {.arguments = overrides(port), .own_lines = false, .port = port, .cleanly = false});
        const auto seen = session(server);
        if (as_root.count(row.file) != 0)
            EXPECT_THAT(seen, testing::HasSubstr("PASS: 500 OOPS: refusing to run as root"));
        else
            EXPECT_EQ(normalised(seen), normalised(row.seen));
        ++served;
    }
    EXPECT_GT(served, 80U);
}

TEST(Corpus, SaysAtStartWhatVsftpdTellsNobody) {
    if (!fs::exists(corpus() / "MANIFEST.tsv")) GTEST_SKIP() << "no corpus at " << corpus();
    for (const auto& row : rows()) {
        const auto found = refused.find(row.file);
        if (found == refused.end()) continue;
        SCOPED_TRACE(row.file);
        refurnish();
        std::string text;
        for (const auto& line : furnished(row)) text += line + '\n';
        write_file(place("file.conf"), text);
        const auto port = next_port();
        std::vector<std::string> command = {path_of(Program::jailftpd), place("file.conf"), "--ini",
                                            place("none.ini")};
        for (const auto& setting : overrides(port)) command.push_back(setting);
        make_folder(place("server") / std::to_string(port));
        write_file(place("none.ini"), "");
        const auto ran = run(command);
        EXPECT_EQ(ran.status, 2);
        EXPECT_THAT(ran.err, testing::HasSubstr(found->second));
    }
}
