// SPDX-License-Identifier: MIT
// Bad input for every option of options.def and every setting of native.def: the value that is
// malformed, the file that is missing or somebody else's, the pair that contradicts itself. Each
// problem names file, line and option, and says what would be right. A new option whose kind or
// row is missing here fails.
#include "config/load.hpp"
#include "config/native.hpp"
#include "config/options.hpp"
#include "config/pairs.hpp"
#include "folder.hpp"
#include "problems.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include <pwd.h>

namespace {

using config::Kind;
using config::NativeKind;
using config::Severity;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto error = Severity::error;
constexpr auto warning = Severity::warning;

// What somebody who starts with a good file writes last, in the line that is looked at.
struct Written {
    std::string before;  // other lines
    std::string line;
    std::string ini;
};

class BadValues : public testing::Test {
  protected:
    void SetUp() override {
        if (::getpwnam("nobody") == nullptr) GTEST_SKIP() << "no user nobody here";
        for (const auto* name : {"list", "cert.pem"}) folder.write(name, "ann\n", 0600);
        folder.write("empty", "");
        folder.write("open", "ann\n", 0666);
        folder.write("key.pem", "a key\n", 0644);
        std::filesystem::create_directory(folder.path("dir"));
        folder.write("users/ann", "write_enabel=YES\n");
        folder.write("open.dir/.keep", "");
        std::filesystem::permissions(folder.path("open.dir"), std::filesystem::perms::all);
        theirs_ = ::geteuid() == 0 && ::chown(folder.write("theirs", "ann\n").c_str(), 1, 1) == 0;
    }

    // @ is the folder above.
    [[nodiscard]] std::string placed(std::string text) const {
        for (auto at = text.find('@'); at != text.npos; at = text.find('@'))
            text.replace(at, 1, folder.path() + '/');
        return text;
    }

    config::Loaded load(const Written& written) const {
        const auto file =
            folder.write("v.conf", placed("listen=YES\nanonymous_enable=NO\nlocal_enable=YES\n" +
                                          written.before + written.line + '\n'));
        const auto ini = folder.write("j.ini", placed(written.ini));
        auto loaded = config::load(
            config::parse_command_line({"-opam_service_name=other", "--ini", ini, file}, {})
                .value());
        config::check(loaded);
        return loaded;
    }

    // There is one of that severity that has all that an administrator needs, in the last line.
    void expect(const Written& written, Severity severity, std::string_view option,
                const std::string& what) const {
        const auto loaded = load(written);
        const auto lines = placed(written.before);
        const auto line =
            4U + static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
        const auto found = std::find_if(
            loaded.problems.begin(), loaded.problems.end(), [&](const config::Problem& each) {
                return each.severity == severity && each.option == option &&
                       each.what.find(placed(what)) != std::string::npos;
            });
        ASSERT_NE(found, loaded.problems.end())
            << written.line << ": nothing is said of " << option << ": " << what
            << testing::PrintToString(test::texts(loaded.problems));
        EXPECT_FALSE(found->remedy.empty()) << written.line << ": what would be right?";
        EXPECT_EQ(found->file, folder.path("v.conf")) << written.line;
        EXPECT_EQ(found->line, line) << written.line;
        // vsftpd starts and serves with what is a warning; of an error nothing else follows.
        EXPECT_EQ(test::errors(loaded.problems).size(), severity == error ? 1U : 0U)
            << written.line << testing::PrintToString(test::texts(loaded.problems));
    }

    test::Folder folder;
    bool theirs_ = false;
};

struct Malformed {
    const char* value;
    Severity severity;
    const char* what;
};

// clang-format off
const std::vector<Malformed> numbers = {
    {"",                     error,   "missing value in config file for: "},
    {"many",                 warning, "\"many\" is no number for: "},
    {"5 apples",             warning, "what follows the number is ignored: "},
    {"-1",                   warning, "-1 is out of range for: "},
    {"99999999999999999999", warning, "99999999999999999999 is out of range for: "},
};

const std::map<Kind, std::vector<Malformed>> malformed = {
    {Kind::Flag,    {{"",        error,   "missing value in config file for: "},
                     {"maybe",   error,   "bad bool value in config file for: "},
                     {"YES # x", error,   "bad bool value in config file for: "},
                     {"YES ",    warning, "blanks or a CR around the name or value of "}}},
    {Kind::Count,   numbers},
    {Kind::Seconds, numbers},
    {Kind::Octal,   numbers},
    {Kind::Port,    numbers},
    {Kind::Text,    {{"  ",      warning, "is only blanks"}}},
    {Kind::Path,    {{"  ",      warning, "is only blanks"},
                     {"/x # y",  warning, "what looks like a comment is part of the value of "},
                     {"\"/x\"",  warning, "the quotes are part of the value of "}}},
};
// clang-format on

TEST_F(BadValues, OfEachKindAreNamed) {
    // Whatever follows from them is another matter, so only the words about the line itself count.
    for (const auto& info : config::option_table()) {
        ASSERT_TRUE(malformed.contains(info.kind)) << info.name << ": no values of its kind here";
        for (const auto& each : malformed.at(info.kind)) {
            const std::string name(info.name);
            const auto loaded = load({"", name + '=' + each.value, ""});
            const bool said = std::any_of(
                loaded.problems.begin(), loaded.problems.end(),
                [&](const config::Problem& problem) {
                    return problem.severity == each.severity && problem.option == name &&
                           problem.file == folder.path("v.conf") && problem.line == 4 &&
                           !problem.remedy.empty() &&
                           problem.what.find(each.what) != std::string::npos &&
                           problem.what.find(name) != std::string::npos;
                });
            EXPECT_TRUE(said) << name << '=' << each.value << ": "
                              << testing::PrintToString(test::texts(loaded.problems));
        }
    }
}

TEST_F(BadValues, OfAMaskInDecimalAreNamed) {
    for (const auto& info : config::option_table()) {
        if (info.kind != Kind::Octal) continue;
        const std::string name(info.name);
        expect({"", name + "=22", ""}, warning, name, name + "=22 is a decimal number");
    }
}

// ----- what a value names

struct Row {
    const char* option;
    Written written;
    Severity severity;
    const char* what;
};

const std::string anonymous = "anonymous_enable=YES\nftp_username=nobody\nanon_root=/\n";
const std::string tls = "ssl_enable=YES\nrsa_cert_file=@cert.pem\n";

// clang-format off
const std::vector<Row> rows = {
    // users
    {"ftp_username",   {"anonymous_enable=YES\n", "ftp_username=no-such-user", ""}, error, "cannot locate user specified in 'ftp_username':no-such-user"},
    {"ftp_username",   {"anonymous_enable=YES\nanon_root=/\n", "ftp_username=root", ""}, warning, "ftp_username=root is root"},
    {"ftp_username",   {"anonymous_enable=YES\n", "ftp_username=nobody", ""}, warning, "the root of anonymous users, is no directory"},
    {"guest_username", {"guest_enable=YES\n", "guest_username=no-such-user", ""}, error, "cannot locate user specified in 'guest_username':no-such-user"},
    {"guest_username", {"guest_enable=YES\n", "guest_username=root", ""}, warning, "guest_username=root is root"},
    {"chown_username", {"chown_uploads=YES\n", "chown_username=no-such-user", ""}, error, "cannot locate user specified in 'chown_username':no-such-user"},
    {"nopriv_user",    {"", "nopriv_user=no-such-user", ""}, error, "cannot locate user entry:no-such-user"},
    {"nopriv_user",    {"", "nopriv_user=root", ""}, error, "nopriv_user must not be root"},

    // addresses
    {"listen_address",  {"", "listen_address=localhost", ""}, error, "bad listen_address: localhost"},
    {"listen_address",  {"listen=NO\n", "listen_address=localhost", ""}, warning, "bad listen_address: localhost"},
    {"listen_address6", {"", "listen_address6=192.0.2.1", ""}, warning, "bad listen_address6: 192.0.2.1"},
    {"listen_address6", {"listen=NO\nlisten_ipv6=YES\n", "listen_address6=192.0.2.1", ""}, error, "bad listen_address6: 192.0.2.1"},
    {"pasv_address",    {"", "pasv_address=\"192.0.2.1\"", ""}, warning, "invalid pasv_address: \"192.0.2.1\""},
    {"pasv_address",    {"", "pasv_address=ftp.example.org", ""}, warning, "invalid pasv_address: ftp.example.org"},
    {"pasv_address",    {"pasv_addr_resolve=YES\n", "pasv_address=a..b", ""}, error, "cannot resolve host:a..b"},

    // lists of commands
    {"cmds_allowed", {"", "cmds_allowed=PASV, RETR", ""}, warning, "\" RETR\" is no command"},
    {"cmds_denied",  {"", "cmds_denied=dele", ""}, warning, "\"dele\" is no command"},

    // lists of people, and the greeting: missing, a folder, another's, anybody's
    {"userlist_file",       {"userlist_enable=YES\n", "userlist_file=@missing", ""}, error, "cannot read user list file:@missing"},
    {"userlist_file",       {"userlist_enable=YES\n", "userlist_file=@dir", ""}, error, "cannot read user list file:@dir"},
    {"userlist_file",       {"userlist_enable=YES\n", "userlist_file=@theirs", ""}, warning, "@theirs belongs to uid 1"},
    {"userlist_file",       {"userlist_enable=YES\n", "userlist_file=@open", ""}, warning, "others than its owner may write to @open"},
    {"userlist_file",       {"userlist_enable=YES\nuserlist_deny=NO\n", "userlist_file=@empty", ""}, warning, "userlist_file=@empty names nobody"},
    {"chroot_list_file",    {"chroot_list_enable=YES\n", "chroot_list_file=@missing", ""}, error, "cannot read chroot() list file:@missing"},
    {"chroot_list_file",    {anonymous + "chroot_list_enable=YES\n", "chroot_list_file=@dir", ""}, warning, "cannot read chroot() list file:@dir"},
    {"chroot_list_file",    {"chroot_list_enable=YES\n", "chroot_list_file=@theirs", ""}, warning, "@theirs belongs to uid 1"},
    {"chroot_list_file",    {"chroot_list_enable=YES\n", "chroot_list_file=@open", ""}, warning, "others than its owner may write to @open"},
    {"banned_email_file",   {anonymous + "deny_email_enable=YES\n", "banned_email_file=@missing", ""}, error, "cannot read anon e-mail list file:@missing"},
    {"banned_email_file",   {anonymous + "deny_email_enable=YES\n", "banned_email_file=@dir", ""}, error, "cannot read anon e-mail list file:@dir"},
    {"banned_email_file",   {anonymous + "deny_email_enable=YES\n", "banned_email_file=@theirs", ""}, warning, "@theirs belongs to uid 1"},
    {"banned_email_file",   {anonymous + "deny_email_enable=YES\n", "banned_email_file=@open", ""}, warning, "others than its owner may write to @open"},
    {"email_password_file", {anonymous + "secure_email_list_enable=YES\n", "email_password_file=@missing", ""}, error, "cannot read email passwords file:@missing"},
    {"email_password_file", {anonymous + "secure_email_list_enable=YES\n", "email_password_file=@dir", ""}, error, "cannot read email passwords file:@dir"},
    {"email_password_file", {anonymous + "secure_email_list_enable=YES\n", "email_password_file=@theirs", ""}, warning, "@theirs belongs to uid 1"},
    {"email_password_file", {anonymous + "secure_email_list_enable=YES\n", "email_password_file=@open", ""}, warning, "others than its owner may write to @open"},
    {"banner_file",         {"", "banner_file=@missing", ""}, error, "cannot read banner file:@missing"},
    {"banner_file",         {"", "banner_file=@dir", ""}, error, "cannot read banner file:@dir"},
    {"banner_file",         {"", "banner_file=@theirs", ""}, warning, "@theirs belongs to uid 1"},
    {"banner_file",         {"", "banner_file=@open", ""}, warning, "others than its owner may write to @open"},

    // logs
    {"vsftpd_log_file", {"xferlog_enable=YES\n", "vsftpd_log_file=", ""}, error, "failed to open vsftpd log file:"},
    {"vsftpd_log_file", {"xferlog_enable=YES\n", "vsftpd_log_file=@missing/log", ""}, error, "failed to open vsftpd log file:@missing/log"},
    {"vsftpd_log_file", {"xferlog_enable=YES\n", "vsftpd_log_file=@dir", ""}, error, "failed to open vsftpd log file:@dir"},
    {"xferlog_file",    {"xferlog_enable=YES\nxferlog_std_format=YES\n", "xferlog_file=@missing/log", ""}, error, "failed to open xferlog log file:@missing/log"},
    {"xferlog_file",    {"xferlog_enable=YES\nxferlog_std_format=YES\n", "xferlog_file=@dir", ""}, error, "failed to open xferlog log file:@dir"},

    {"xferlog_file",    {"dual_log_enable=YES\nvsftpd_log_file=/dev/null\n", "xferlog_file=@dir", ""}, error, "failed to open xferlog log file:@dir"},

    // folders
    {"anon_root",         {"anonymous_enable=YES\nftp_username=nobody\n", "anon_root=@missing", ""}, warning, "@missing, the root of anonymous users, is no directory"},
    {"anon_root",         {"anonymous_enable=YES\nftp_username=nobody\n", "anon_root=@list", ""}, warning, "@list, the root of anonymous users, is no directory"},
    {"anon_root",         {"anonymous_enable=YES\nftp_username=nobody\n", "anon_root=@open.dir", ""}, warning, "@open.dir, the root of anonymous users, is writable for them"},
    {"local_root",        {"", "local_root=@missing", ""}, warning, "local_root=@missing is no directory"},
    {"local_root",        {"", "local_root=@list", ""}, warning, "local_root=@list is no directory"},
    {"user_config_dir",   {"", "user_config_dir=@missing", ""}, warning, "user_config_dir=@missing is no directory"},
    {"user_config_dir",   {"", "user_config_dir=@list", ""}, error, "user_config_dir=@list is no directory"},
    {"user_config_dir",   {"", "user_config_dir=@open.dir", ""}, warning, "others than its owner may write to @open.dir"},
    {"secure_chroot_dir", {"", "secure_chroot_dir=@list", ""}, warning, "secure_chroot_dir=@list is no directory"},
    {"secure_chroot_dir", {"", "secure_chroot_dir=@open.dir", ""}, warning, "secure_chroot_dir=@open.dir is writable for nopriv_user"},

    // certificates and keys
    {"rsa_cert_file",        {"ssl_enable=YES\n", "rsa_cert_file=@missing", ""}, error, "SSL: cannot load RSA certificate: @missing"},
    {"rsa_cert_file",        {"ssl_enable=YES\n", "rsa_cert_file=@dir", ""}, error, "SSL: cannot load RSA certificate: @dir"},
    {"rsa_cert_file",        {"ssl_enable=YES\n", "rsa_cert_file=@theirs", ""}, warning, "@theirs belongs to uid 1"},
    {"rsa_cert_file",        {"ssl_enable=YES\n", "rsa_cert_file=@key.pem", ""}, warning, "everybody may read the private key in @key.pem"},
    {"rsa_private_key_file", {tls, "rsa_private_key_file=@missing", ""}, error, "SSL: cannot load RSA private key: @missing"},
    {"rsa_private_key_file", {tls, "rsa_private_key_file=@dir", ""}, error, "SSL: cannot load RSA private key: @dir"},
    {"rsa_private_key_file", {tls, "rsa_private_key_file=@theirs", ""}, warning, "@theirs belongs to uid 1"},
    {"rsa_private_key_file", {tls, "rsa_private_key_file=@key.pem", ""}, warning, "everybody may read the private key in @key.pem"},
    {"rsa_private_key_file", {tls, "rsa_private_key_file=@open", ""}, warning, "others than its owner may write to @open"},
    {"dsa_cert_file",        {tls, "dsa_cert_file=@missing", ""}, error, "SSL: cannot load DSA certificate: @missing"},
    {"dsa_cert_file",        {tls, "dsa_cert_file=@theirs", ""}, warning, "@theirs belongs to uid 1"},
    {"dsa_private_key_file", {tls + "dsa_cert_file=@cert.pem\n", "dsa_private_key_file=@missing", ""}, error, "SSL: cannot load DSA private key: @missing"},
    {"dsa_private_key_file", {tls + "dsa_cert_file=@cert.pem\n", "dsa_private_key_file=@key.pem", ""}, warning, "everybody may read the private key in @key.pem"},
    {"ca_certs_file",        {tls, "ca_certs_file=@missing", ""}, error, "SSL: could not load verify file: @missing"},
    {"ca_certs_file",        {tls, "ca_certs_file=@dir", ""}, error, "SSL: could not load verify file: @dir"},
    {"ca_certs_file",        {tls, "ca_certs_file=@open", ""}, warning, "others than its owner may write to @open"},
    {"dh_param_file",        {tls, "dh_param_file=@missing", ""}, warning, "dh_param_file=@missing has no effect"},
    {"ecdh_param_file",      {tls, "ecdh_param_file=@missing", ""}, warning, "ecdh_param_file=@missing has no effect"},
};

// Of these every text is right here.
const std::map<std::string_view, std::string_view> any_text = {
    {"message_file",     "a name that is looked for in each folder"},
    {"ftpd_banner",      "words"},
    {"pam_service_name", "see PamServiceName below: what there is depends on the host"},
    {"hide_file",        "a pattern; what is none matches itself"},
    {"deny_file",        "a pattern; what is none matches itself"},
    {"upload_file",      "a pattern; what is none matches itself"},
    {"download_file",    "a pattern; what is none matches itself"},
    {"user_sub_token",   "words"},
    {"ssl_ciphers",      "OpenSSL judges it: tests of the signer and of whole sessions"},
    {"ssl_sni_hostname", "a name that clients give; none is wrong in itself"},
};

const std::vector<Row> contradictions = {
    {"listen_ipv6",            {"", "listen_ipv6=YES", ""}, error, "run two copies of vsftpd for IPv4 and IPv6"},
    {"local_enable",           {"", "local_enable=NO", ""}, warning, "both local and anonymous access disabled"},
    {"one_process_model",      {"", "one_process_model=YES", ""}, error, "'one_process_model' is anonymous only"},
    {"ftp_enable",             {"", "ftp_enable=NO", ""}, error, "both FTP and HTTP disabled"},
    {"http_enable",            {"", "http_enable=YES", ""}, error, "this server speaks FTP only"},
    {"guest_enable",           {anonymous + "local_enable=NO\nguest_username=nobody\n", "guest_enable=YES", ""}, warning, "guest_enable=YES has no effect without local_enable=YES"},
    {"pasv_max_port",          {"pasv_min_port=6000\n", "pasv_max_port=5999", ""}, warning, "pasv_min_port (6000) is above pasv_max_port (5999)"},
    {"pasv_max_port",          {"", "pasv_max_port=20", ""}, warning, "pasv_max_port is below 1024"},
    {"pasv_min_port",          {"", "pasv_min_port=20", ""}, warning, "pasv_min_port is below 1024"},
    {"ssl_tlsv12",             {tls + "ssl_tlsv13=NO\n", "ssl_tlsv12=NO", ""}, error, "SSL: no version of TLS is enabled"},
    {"implicit_ssl",           {"", "implicit_ssl=YES", ""}, warning, "implicit_ssl=YES has no effect without ssl_enable=YES"},
    {"require_cert",           {"", "require_cert=YES", ""}, warning, "require_cert=YES has no effect without ssl_enable=YES"},
    {"force_anon_logins_ssl",  {"", "force_anon_logins_ssl=YES", ""}, warning, "force_anon_logins_ssl=YES has no effect without"},
    {"force_anon_data_ssl",    {"", "force_anon_data_ssl=YES", ""}, warning, "force_anon_data_ssl=YES has no effect without"},
    {"force_local_logins_ssl", {"", "force_local_logins_ssl=YES", ""}, warning, "force_local_logins_ssl=YES has no effect without"},
    {"force_local_data_ssl",   {"", "force_local_data_ssl=YES", ""}, warning, "force_local_data_ssl=YES has no effect without"},
    {"require_cert",           {tls, "require_cert=YES", ""}, warning, "require_cert=YES without validate_cert=YES takes any"},
    {"validate_cert",          {tls, "validate_cert=YES", ""}, warning, "validate_cert=YES without ca_certs_file"},
    {"force_anon_data_ssl",    {tls + anonymous, "force_anon_data_ssl=YES", ""}, warning, "force_anon_data_ssl=YES needs a TLS that"},
    {"userlist_deny",          {"", "userlist_deny=NO", ""}, warning, "userlist_deny=NO has no effect without userlist_enable=YES"},
    {"no_anon_password",       {anonymous + "deny_email_enable=YES\nbanned_email_file=@list\n", "no_anon_password=YES", ""}, warning, "deny_email_enable=YES bans nobody"},
    {"no_anon_password",       {anonymous + "secure_email_list_enable=YES\nemail_password_file=@list\n", "no_anon_password=YES", ""}, warning, "so none is in email_password_file"},
    {"pasv_enable",            {"port_enable=NO\n", "pasv_enable=NO", ""}, warning, "leave no way to transfer anything"},
    {"anon_upload_enable",     {anonymous, "anon_upload_enable=YES", ""}, warning, "anon_upload_enable=YES has no effect without write_enable=YES"},
    {"anon_mkdir_write_enable",{anonymous, "anon_mkdir_write_enable=YES", ""}, warning, "anon_mkdir_write_enable=YES has no effect without"},
    {"anon_other_write_enable",{anonymous, "anon_other_write_enable=YES", ""}, warning, "anon_other_write_enable=YES has no effect without"},
    {"virtual_use_local_privs",{"", "virtual_use_local_privs=YES", ""}, warning, "virtual_use_local_privs=YES has no effect without guest_enable=YES"},
    {"max_per_ip",             {"max_clients=5\n", "max_per_ip=6", ""}, warning, "max_per_ip above max_clients has no effect"},
    {"connect_from_port_20",   {"ftp_data_port=0\n", "connect_from_port_20=YES", ""}, warning, "connect_from_port_20=YES has no effect with ftp_data_port=0"},
    {"xferlog_std_format",     {"", "xferlog_std_format=YES", ""}, warning, "xferlog_std_format=YES has no effect without xferlog_enable=YES"},
    {"log_ftp_protocol",       {"", "log_ftp_protocol=YES", ""}, warning, "log_ftp_protocol=YES has no effect without a log"},
};
// clang-format on

TEST_F(BadValues, NameWhatIsMissingOrSomebodyElses) {
    for (const auto& each : rows) {
        if (each.written.line.find("theirs") != std::string::npos && !theirs_) continue;
        expect(each.written, each.severity, each.option, each.what);
    }
}

TEST_F(BadValues, HaveARowForEachTextAndPath) {
    std::set<std::string_view> seen;
    for (const auto& each : rows) seen.insert(each.option);
    for (const auto& info : config::option_table()) {
        if (info.kind != Kind::Text && info.kind != Kind::Path) continue;
        EXPECT_NE(seen.contains(info.name), any_text.contains(info.name))
            << info.name << ": say in rows what is wrong, or in any_text why nothing is";
    }
}

TEST_F(BadValues, NamePairsThatContradict) {
    std::set<std::string> seen;
    for (const auto& each : contradictions) {
        expect(each.written, each.severity, each.option, each.what);
        seen.insert(each.what);
    }
    for (const auto& pair : config::pairs()) {
        const bool has_row = std::any_of(seen.begin(), seen.end(), [&](const std::string& what) {
            return pair.what.find(what) != std::string_view::npos;
        });
        EXPECT_TRUE(has_row) << pair.what;
    }
}

// What puts each of them right, so that nothing more is said.
TEST_F(BadValues, NamePairsOnlyWhereTheyContradict) {
    const std::string own_log = "xferlog_enable=YES\nvsftpd_log_file=@list\nxferlog_file=@list\n";
    const std::map<std::string, std::string> mended = {
        {"implicit_ssl=YES has", tls},
        {"require_cert=YES has", tls + "validate_cert=YES\nca_certs_file=@list\n"},
        {"force_anon_logins_ssl=YES has", tls},
        {"force_anon_data_ssl=YES has", tls},
        {"force_local_logins_ssl=YES has", tls},
        {"force_local_data_ssl=YES has", tls},
        {"require_cert=YES without", "validate_cert=YES\nca_certs_file=@list\n"},
        {"validate_cert=YES without", "ca_certs_file=@list\n"},
        {"force_anon_data_ssl=YES needs", "allow_anon_ssl=YES\n"},
        {"userlist_deny=NO has", "userlist_enable=YES\nuserlist_file=@list\n"},
        {"so deny_email_enable=YES bans nobody", "deny_email_enable=NO\n"},
        {"so none is in email_password_file", "secure_email_list_enable=NO\n"},
        {"leave no way", "port_enable=YES\n"},
        {"anon_upload_enable=YES has", "write_enable=YES\n"},
        {"anon_mkdir_write_enable=YES has", "write_enable=YES\n"},
        {"anon_other_write_enable=YES has", "write_enable=YES\n"},
        {"virtual_use_local_privs=YES has", "guest_enable=YES\nguest_username=nobody\n"},
        {"max_per_ip above", "max_clients=6\n"},
        {"connect_from_port_20=YES has", "ftp_data_port=20\n"},
        {"xferlog_std_format=YES has", own_log},
        {"log_ftp_protocol=YES has", own_log},
    };
    for (const auto& pair : config::pairs()) {
        const auto mend = std::find_if(mended.begin(), mended.end(), [&](const auto& each) {
            return pair.what.find(each.first) != std::string_view::npos;
        });
        ASSERT_NE(mend, mended.end()) << pair.what << ": what puts it right?";
        const auto row = std::find_if(
            contradictions.begin(), contradictions.end(),
            [&](const Row& each) { return pair.what.find(each.what) != std::string_view::npos; });
        ASSERT_NE(row, contradictions.end()) << pair.what;
        auto written = row->written;
        written.before += mend->second;
        EXPECT_THAT(test::texts(load(written).problems), IsEmpty()) << pair.what;
    }
}

// Nobody wrote the default, so there is nothing to mend.
TEST_F(BadValues, AreNotSeenInDefaults) {
    EXPECT_THAT(test::texts(load({"", "max_clients=5", ""}).problems), IsEmpty());
    EXPECT_THAT(test::texts(load({"", "write_enable=YES", ""}).problems), IsEmpty());
}

TEST_F(BadValues, OfADefaultNameIt) {
    EXPECT_THAT(test::texts(load({"", "ssl_enable=YES", ""}).problems),
                testing::ElementsAre(testing::StartsWith(
                    "default of rsa_cert_file: error: SSL: cannot load RSA certificate: ")));
}

TEST_F(BadValues, AreSeenInFilesOfUsers) {
    const auto loaded = load({"", "user_config_dir=@users", ""});
    EXPECT_THAT(test::texts(loaded.problems),
                testing::ElementsAre(folder.path("users/ann") +
                                     ":1: warning: unrecognised variable in config file: "
                                     "write_enabel (did you mean write_enable?)"));
}

TEST_F(BadValues, AreSeenInTheOwnerOfAUsersFile) {
    if (!theirs_) GTEST_SKIP() << "needs root to give a file away";
    ASSERT_EQ(::chown(folder.write("users/ann", "write_enable=YES\n").c_str(), 1, 1), 0);
    EXPECT_THAT(test::texts(load({"", "user_config_dir=@users", ""}).problems),
                testing::ElementsAre(folder.path("users/ann") +
                                     ": warning: config file not owned by correct user, or not a "
                                     "file (it belongs to uid 1 and must belong to uid 0)"));
}

TEST(PamServiceName, IsLookedForWherePamLooks) {
    if (!std::filesystem::is_directory("/etc/pam.d")) GTEST_SKIP() << "no /etc/pam.d here";
    const test::Folder folder;
    const auto file = folder.write("v.conf",
                                   "listen=YES\nanonymous_enable=NO\nlocal_enable=YES\n"
                                   "pam_service_name=no-such-service\n");
    auto loaded = config::load(
        config::parse_command_line({"--ini", folder.write("j.ini", ""), file}, {}).value());
    config::check(loaded);
    EXPECT_THAT(test::texts(loaded.problems),
                testing::ElementsAre(HasSubstr(
                    file + ":4: warning: there is no PAM service no-such-service (PAM takes")));
}

// ----- jailftpd.ini

TEST_F(BadValues, OfSettingsNameWhatIsMissingOrContradicts) {
    struct {
        const char* before;
        const char* section;
        const char* line;
        Severity severity;
        const char* what;
    } const cases[] = {
        {"", "log", "json = @missing/log", error, "failed to open JSON log file:@missing/log"},
        {"", "server", "tenants_dir = @missing", error, "cannot read tenants_dir @missing"},
        {"", "server", "tenants_dir = @open.dir", error, "may write to tenants_dir @open.dir"},
        {"", "server", "handover = @list", error, "@list is there and is no socket"},
        {"", "server", "handover = @missing/socket", error, "@missing/ is no directory"},
        {"listen=NO\n", "server", "handover = @list", warning, "@list is there and is no socket"},
        {"ssl_enable=YES\nrsa_cert_file=@cert.pem\n", "tls", "certificates = @list", warning,
         "@list is no directory"},
        {"", "tls", "cert_username_field = commonName", error, "cert_username_field needs TLS"},
        {"", "tls", "cert_username_map = @empty", error, "cert_username_map says nothing without"},
        {"", "limits", "before_login = 3000", warning, "before_login above max_clients"},
        {"", "limits", "before_login_per_ip = 60", warning, "before_login_per_ip above max_per_ip"},
        {"isolate=NO\n", "jail", "writable_root = safe", warning, "writable_root = safe has no"},
    };
    for (const auto& each : cases) {
        const auto loaded = load({each.before, "write_enable=YES",
                                  '[' + std::string(each.section) + "]\n" + each.line + '\n'});
        const auto texts = test::texts(loaded.problems);
        ASSERT_EQ(texts.size(), 1U) << each.line << testing::PrintToString(texts);
        EXPECT_EQ(loaded.problems[0].severity, each.severity) << each.line;
        EXPECT_THAT(texts[0], testing::StartsWith(folder.path("j.ini") + ":2: "));
        EXPECT_THAT(texts[0], HasSubstr(placed(each.what)));
        EXPECT_FALSE(loaded.problems[0].remedy.empty()) << each.line;
    }
}

const std::map<NativeKind, std::vector<const char*>> malformed_native = {
    {NativeKind::Number, {"", "many", "-1", "5 apples", "99999999999999999999"}},
    {NativeKind::Seconds, {"", "soon", "-1", "86401", "5s"}},
    {NativeKind::Switch, {"", "maybe", "2"}},
    {NativeKind::Path, {"here", "../x"}},
    {NativeKind::User, {"", "no-such-user", "root"}},
    {NativeKind::Level, {"", "loud"}},
    {NativeKind::Root, {"", "yes"}},
    {NativeKind::Words, {}},
    {NativeKind::Field, {"uid", "commonname"}},
    {NativeKind::Layers, {"perhaps", "mounts no-such-layer"}},
    {NativeKind::Addresses, {"here", "192.0.2.1", "192.0.2.1:99999", "[::1"}},
};

TEST_F(BadValues, OfEachKindOfSettingAreNamed) {
    for (const auto& info : config::native_table()) {
        ASSERT_TRUE(malformed_native.contains(info.kind)) << info.key << ": no values of its kind";
        for (const auto* value : malformed_native.at(info.kind)) {
            const auto loaded = load({"", "max_clients=5",
                                      '[' + std::string(info.section) + "]\n" +
                                          std::string(info.key) + " = " + value + '\n'});
            const auto texts = test::texts(loaded.problems);
            ASSERT_FALSE(texts.empty()) << info.key << " = " << value << " is taken";
            EXPECT_THAT(texts.front(), testing::StartsWith(folder.path("j.ini") + ":2: error: "));
            EXPECT_THAT(texts.front(), HasSubstr(std::string(info.key)));
            EXPECT_FALSE(loaded.problems.front().remedy.empty()) << info.key << " = " << value;
        }
    }
}

}  // namespace
