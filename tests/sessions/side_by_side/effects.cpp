// SPDX-License-Identifier: MIT
// What the options of vsftpd.conf change, as a table.
#include "tests/sessions/side_by_side/effects.hpp"

#include "tests/sessions/side_by_side/over_tls.hpp"

#include <filesystem>

#include <sys/socket.h>

namespace sessions {

namespace {

namespace fs = std::filesystem;

const Lines off_on = {"NO", "YES"};
const Lines two_files = {"PLACE/one", "PLACE/two"};
const Lines no_logs = {"xferlog_enable=NO", "dual_log_enable=NO"};

fs::path files() { return home_of(alice) / "files"; }

Lines visitors(const Lines& more = {}) {
    Lines lines = {"anonymous_enable=YES"};
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
}

// ----- files to furnish

// Lists of names: the first has alice, the second bob.
void two_lists() {
    write_file(place("one"), "alice\n");
    write_file(place("two"), "bob\n");
}

void two_email_lists() {
    write_file(place("one"), "me@here\n");
    write_file(place("two"), "you@there\n");
}

void two_banners() {
    write_file(place("one"), "Hello\nthere\n");
    write_file(place("two"), "Bye\n");
}

void messages() {
    write_file(home_of(alice) / ".message", "Welcome home\n");
    write_file(files() / ".message", "one\ntwo\n\n250 not the end");
    write_file(files() / "dir/.message", "dir\n");
}

// As in the field: the launching user's folder, with somebody else's files in it.
void launched_folder() {
    const auto pub = place("pub");
    make_folder(pub, alice.uid);
    write_file(pub / "readme", "public", alice.uid);
    write_file(pub / "private", "p", 0, 0600);
    make_folder(pub / "incoming", alice.uid);
    write_file(pub / "incoming/old", "old", alice.uid);
    set_times(pub);
}

void strict_service() {
    write_file("/etc/pam.d/strict", "auth required pam_deny.so\naccount required pam_permit.so\n");
}

void a_name_for_an_address() {
    write_file("/etc/hosts", "127.0.0.1 localhost\n192.0.2.7 ftp.example\n");
}

void huge_file() {
    write_file(files() / "huge", "", alice.uid);
    fs::resize_file(files() / "huge", 64 << 20);
}

// A full queue of connections: the kernel leaves further attempts without an answer.
void full_queue() {
    static base::Fd listener;
    static base::Fd first;
    first.close();
    listener.close();
    listener = listen_at({"127.0.0.1", 5140});
    (void)::listen(listener.get(), 0);
    first = connect_to({"127.0.0.1", 5140});
}

void furnish_visitors_certificates() {
    furnish_public();
    certificates();
}

// ----- scripts

Steps login_as(const Account& account, Steps more = {}) {
    Steps steps = {say("USER " + account.name), say("PASS " + account.password)};
    steps.insert(steps.end(), more.begin(), more.end());
    return steps;
}

const Steps where = {say("PWD"), say("CWD .."), say("PWD")};

const Steps some_deeds = {say("CWD files"),       say("TYPE I"),          send("STOR up", "abc"),
                          receive("RETR up"),     receive("RETR secret"), say("MKD made"),
                          send("STOR empty", ""), say("DELE up")};

const Steps writing = {say("CWD files"),
                       say("TYPE I"),
                       send("STOR new", "x"),
                       send("APPE a.txt", "x"),
                       send("STOU", "x"),
                       say("DELE b.txt"),
                       say("MKD made"),
                       say("RMD empty"),
                       say("RNFR c.dat"),
                       say("RNTO d.dat"),
                       say("SITE CHMOD 600 dos.txt"),
                       say("SITE HELP"),
                       say("MDTM 20200101000000 zero")};

const Steps launched = {
    say("PWD").but(different::launching_user, "257 \"/\" is the current directory", "YES"),
    say("TYPE I"),
    receive("NLST"),
    receive("LIST incoming"),
    receive("LIST").but(different::launching_user, "", "YES"),
    receive("RETR readme"),
    receive("RETR private"),
    say("SIZE readme"),
    say("MDTM readme"),
    say("CWD incoming"),
    send("STOR new", "new"),
    receive("RETR new"),
    send("STOR old", "x"),
    say("MKD d").but(different::launching_user, "257 \"/incoming/d\" created", "YES"),
    say("RMD d"),
    say("DELE new"),
    say("USER alice"),
    say("CWD /etc").but(different::launching_user, "", "YES"),
};

const std::string text = "one\ntwo\r\nthree\rfour\n\nend";

Talk visiting(const Lines& more, Steps steps) {
    return {.options = visitors(more),
            .steps = std::move(steps),
            .as = &anonymous,
            .furnish = furnish_public};
}

// ----- the options

std::vector<Effect> logins_and_places() {
    return {
        {"anonymous_enable", off_on, {.steps = login_as(anonymous, where), .as = nullptr}},
        {"local_enable",
         off_on,
         {.options = visitors(), .steps = login_as(alice, where), .as = nullptr}},
        {"no_anon_password",
         off_on,
         {.options = visitors(),
          .steps = {say("USER anonymous"), say("PWD"), say("PASS x")},
          .as = nullptr}},
        {"deny_email_enable",
         off_on,
         {.options = visitors({"banned_email_file=PLACE/one"}),
          .steps = login_as(anonymous),
          .as = nullptr,
          .furnish = two_email_lists}},
        {"banned_email_file",
         two_files,
         {.options = visitors({"deny_email_enable=YES"}),
          .steps = login_as(anonymous),
          .as = nullptr,
          .furnish = two_email_lists}},
        {"secure_email_list_enable",
         off_on,
         {.options = visitors({"email_password_file=PLACE/two"}),
          .steps = login_as(anonymous),
          .as = nullptr,
          .furnish = two_email_lists}},
        {"email_password_file",
         two_files,
         {.options = visitors({"secure_email_list_enable=YES"}),
          .steps = login_as(anonymous),
          .as = nullptr,
          .furnish = two_email_lists}},
        {"userlist_enable",
         off_on,
         {.options = {"userlist_file=PLACE/one"},
          .steps = login_as(alice),
          .as = nullptr,
          .furnish = two_lists}},
        {"userlist_deny",
         off_on,
         {.options = {"userlist_enable=YES", "userlist_file=PLACE/one"},
          .steps = {say("USER bob"), say("USER alice"), say("PASS wonderland")},
          .as = nullptr,
          .furnish = two_lists}},
        {"userlist_file",
         two_files,
         {.options = {"userlist_enable=YES"},
          .steps = login_as(alice),
          .as = nullptr,
          .furnish = two_lists}},
        {"pam_service_name",
         {"vsftpd", "strict"},
         {.steps = login_as(alice), .as = nullptr, .furnish = strict_service}},
        {"tcp_wrappers",
         off_on,
         {.as = nullptr, .furnish = [] { write_file("/etc/hosts.deny", "vsftpd: 127.0.0.1\n"); }}},
        {"ftp_username", {"ftp", "virtual"}, visiting({}, {receive("NLST"), say("PWD")})},
        {"anon_root",
         {"incoming", "PLACE/home/bob"},
         {.options = visitors(),
          .steps = {receive("NLST"), say("CWD files"), say("PWD")},
          .as = &anonymous,
          .furnish = [] { make_folder(home_of(ftp_user) / "incoming"); }}},
        {"guest_enable",
         off_on,
         {.options = {"guest_username=virtual"},
          .steps = {say("PWD"), say("MKD files/d"), say("SITE HELP"), say("USER alice"),
                    receive("LIST")}}},
        {"guest_username",
         {"virtual", "ftp"},
         {.options = {"guest_enable=YES"}, .steps = {say("PWD"), receive("LIST")}}},
        {"virtual_use_local_privs",
         off_on,
         {.options = {"guest_enable=YES", "guest_username=virtual"},
          .steps = {say("PWD"), say("CWD files"), say("MKD d"), say("SITE HELP"), say("USER alice"),
                    send("STOR f", "x"), receive("LIST")}}},
        {"chroot_local_user", off_on, {.steps = where}},
        {"chroot_list_enable",
         off_on,
         {.options = {"chroot_list_file=PLACE/one"}, .steps = where, .furnish = two_lists}},
        {"chroot_list_file",
         two_files,
         {.options = {"chroot_list_enable=YES"}, .steps = where, .furnish = two_lists}},
        {"passwd_chroot_enable",
         off_on,
         {.options = {"chroot_local_user=YES"},
          .steps = {say("PWD"), say("CWD /"), say("PWD")},
          .as = &dotted}},
        {"allow_writeable_chroot",
         off_on,
         {.options = {"chroot_local_user=YES"},
          .steps = {say("MKD d"), say("PWD")},
          .furnish = [] { make_folder(home_of(alice), alice.uid); }}},
        {"local_root",
         {"files", "PLACE/home/bob"},
         {.options = {"chroot_local_user=YES", "allow_writeable_chroot=YES"},
          .steps = {say("PWD"), receive("LIST")}}},
        {"user_sub_token",
         {"$USER", "$NAME"},
         {.options = {"local_root=PLACE/home/$USER/files"}, .steps = {say("PWD")}}},
        {"user_config_dir",
         {"PLACE/users", "PLACE/none"},
         {.steps = {say("MKD files/d"), say("STAT")},
          .furnish =
              [] {
                  make_folder(place("users"));
                  write_file(place("users/alice"),
                             "write_enable=NO\nlocal_max_rate=4711\nidle_session_timeout=77\n");
              }}},
        {"run_as_launching_user",
         off_on,
         {.options = visitors({"local_enable=YES", "anon_root=PLACE/pub", "anon_upload_enable=YES",
                               "anon_mkdir_write_enable=YES", "anon_other_write_enable=YES",
                               "anon_umask=022", "chown_uploads=YES", "chown_username=bob",
                               "connect_from_port_20=YES"}),
          .steps = launched,
          .as = &anonymous,
          .furnish = launched_folder,
          .logs = {&different::launching_user, "YES"},
          .xferlog = {&different::launching_user, "YES"},
          .launched_by = alice.uid}},
    };
}

std::vector<Effect> rights() {
    const Lines uploads = {"anon_upload_enable=YES"};
    const Lines all_rights = {"anon_upload_enable=YES", "anon_mkdir_write_enable=YES"};
    return {
        {"write_enable",
         off_on,
         {.steps = writing,
          .logs = {&different::stou, "YES"},
          .xferlog = {&different::stou, "YES"}}},
        {"download_enable", off_on, {.steps = some_deeds}},
        {"dirlist_enable",
         off_on,
         {.steps = {receive("LIST"), receive("NLST"), say("STAT ."), say("STAT")}}},
        {"chmod_enable",
         off_on,
         {.steps = {say("SITE HELP"), say("SITE CHMOD 600 files/a.txt"), say("SITE UMASK")}}},
        {"mdtm_write",
         off_on,
         {.steps = {say("CWD files"), say("MDTM 20200229235959 a.txt"), say("MDTM a.txt")}}},
        {"tilde_user_enable",
         off_on,
         {.steps = {say("CWD ~bob"), say("PWD"), receive("LIST ~/files/dir"),
                    say("SIZE ~alice/files/a.txt"),
                    receive("RETR ~alice/files/a.txt").but(different::paths, "", "YES"),
                    say("SIZE ~bob/nothing"), say("MKD ~"), say("CWD ~nobody-at-all")}}},
        {"cmds_allowed",
         {"USER,PASS,PWD,CWD,QUIT,FEAT", "SIZE,PASV,NLST"},
         {.steps = {say("PWD"), say("SIZE files/a.txt"), say("NONSENSE"), say("XPWD"),
                    say("PASV")}}},
        {"cmds_denied",
         {"SITE,MKD,NONSENSE", "PWD,SIZE"},
         {.steps = {say("PWD"), say("SITE HELP"), say("SIZE files/a.txt"), say("NONSENSE"),
                    say("MKD files/d"), say("XMKD files/e")}}},
        {"deny_file",
         {"{*.dat,secret}", "*.txt"},
         {.steps = {say("CWD files"), receive("RETR a.txt"), receive("RETR c.dat"),
                    say("DELE b.txt"), say("DELE c.dat"), receive("NLST"), receive("LIST *.dat"),
                    send("STOR new.txt", "x"), say("MKD new.dat")}}},
        {"hide_file",
         {"{b.txt,empty}", "{*.dat,secret}"},
         {.steps = {say("CWD files"), receive("LIST"), receive("NLST -a"), receive("NLST b*.txt"),
                    receive("RETR b.txt"), say("SIZE c.dat")}}},
        {"upload_file",
         {"*.txt", "{*.dat,new}"},
         {.steps = {say("CWD files"), send("STOR new", "x"), send("STOR new.txt", "x"),
                    send("STOR new.dat", "x"), send("STOR ./other.txt", "x"), send("APPE x", "x"),
                    send("APPE x.txt", "x"), send("STOU s.txt", "x"), send("STOU s", "x"),
                    receive("RETR b.txt"), say("MKD d"), say("RNFR a.txt"), say("RNTO a.dat")},
          .logs = &different::stou,
          .xferlog = &different::stou}},
        {"download_file",
         {"*.txt", "{*.dat,zero}"},
         {.steps = {say("CWD files"), receive("RETR a.txt"), receive("RETR c.dat"),
                    receive("RETR zero"), receive("RETR ./b.txt"), receive("RETR dir/inner.txt"),
                    receive("RETR nothing.txt"), say("SIZE c.dat"), send("STOR x.bin", "x")},
          .logs = &different::paths,
          .xferlog = &different::paths}},
        {"anon_upload_enable", off_on, visiting({}, visit())},
        {"anon_mkdir_write_enable", off_on, visiting({}, visit())},
        {"anon_other_write_enable", off_on, visiting(all_rights, visit())},
        {"anon_world_readable_only", off_on,
         visiting({}, {receive("NLST closed")
                           .but(different::missing,
                                "550 Failed to open directory. (Permission denied)\n", "YES"),
                       receive("RETR unreadable"), receive("RETR private"),
                       receive("RETR incoming/group"), receive("LIST")})},
        {"chown_uploads", off_on,
         visiting({"anon_upload_enable=YES", "chown_username=bob", "anon_umask=022"},
                  {send("STOR incoming/new", "x"), send("STOU incoming/u", "x"),
                   receive("LIST incoming"), receive("RETR incoming/new")})},
        {"chown_username",
         {"root", "bob"},
         visiting({"anon_upload_enable=YES", "chown_uploads=YES"},
                  {send("STOR incoming/new", "x"), receive("LIST incoming")})},
        {"chown_upload_mode",
         {"0600", "0644", "644"},
         visiting({"anon_upload_enable=YES", "chown_uploads=YES"},
                  {send("STOR incoming/new", "x"), receive("LIST incoming")})},
        {"anon_umask",
         {"077", "022", "22"},
         visiting(all_rights, {send("STOR incoming/new", "x"), say("MKD incoming/d")})},
        {"local_umask",
         {"077", "027", "22"},
         {.steps = {say("CWD files"), send("STOR new", "x"), send("APPE appended", "x"),
                    say("MKD folder"), say("SITE UMASK"), say("SITE UMASK 0"),
                    send("STOR open", "x")}}},
        {"file_open_mode",
         {"0666", "0777", "640"},
         {.steps = {say("CWD files"), send("STOR new", "x"), send("APPE appended", "x"),
                    say("MKD folder")}}},
    };
}

std::vector<Effect> transfers_and_listings() {
    return {
        {"ascii_upload_enable",
         off_on,
         {.steps = {say("CWD files"), say("TYPE A"), send("STOR t", text), send("APPE a.txt", text),
                    say("TYPE I"), receive("RETR t")}}},
        {"ascii_download_enable",
         off_on,
         {.steps = {say("CWD files"), say("TYPE A"), receive("RETR b.txt"), receive("RETR dos.txt"),
                    say("SIZE b.txt").but(different::text_sizes, "213 17", "YES"), say("TYPE I"),
                    receive("RETR b.txt")}}},
        {"async_abor_enable",
         off_on,
         {.options = no_logs,
          .steps = {say("TYPE I"),
                    aborted("RETR files/huge")
                        .but(different::abor,
                             "150 Opening BINARY mode data connection for files/huge (67108864 "
                             "bytes).\n426 Failure writing network stream.\n226 ABOR successful.",
                             "NO"),
                    say("NOOP")},
          .furnish = huge_file}},
        {"lock_upload_files",
         off_on,
         {.steps = {uploading("STOR ", "files/new"), uploading("APPE ", "files/a.txt")}}},
        {"delete_failed_uploads",
         off_on,
         {.steps = {say("CWD files"), say("TYPE I"), broken("STOR new", "abc"), receive("NLST")}}},
        {"use_localtime",
         off_on,
         {.steps = {receive("LIST files"), say("MDTM files/dir/inner.txt")
                                               .but(different::utc, "213 20100101000000", "YES")},
          .environment = {"TZ=XST-3"}}},
        {"hide_ids", off_on, {.steps = {receive("LIST files"), say("STAT files/a.txt")}}},
        {"text_userdb_names", off_on, {.steps = {receive("LIST files"), say("STAT files/a.txt")}}},
        {"force_dot_files",
         off_on,
         {.steps = {receive("LIST files/dir"), receive("NLST files/dir"), receive("NLST files/d*"),
                    say("STAT files/dir")}}},
        {"ls_recurse_enable",
         off_on,
         {.steps = {say("CWD files"), receive("LIST -R dir"), receive("NLST -R dir"),
                    receive("LIST -aR dir"), receive("NLST -R"), receive("LIST -R two*"),
                    receive("NLST -lR dir"), receive("LIST -RF dir"), say("STAT -R dir")}}},
        {"utf8_filesystem",
         off_on,
         {.steps = {say("FEAT").but(different::modern), say("OPTS UTF8 ON"),
                    receive("NLST files")}}},
        {"dirmessage_enable",
         off_on,
         {.steps = {say("PWD"), say("CWD files"), say("CWD dir"), say("CWD .."), say("CWD dir"),
                    say("CDUP"), say("CWD empty")},
          .furnish = messages}},
        {"message_file",
         {".message", "a.txt"},
         {.options = {"dirmessage_enable=YES"}, .steps = {say("CWD files")}, .furnish = messages}},
        {"ftpd_banner", {"Hello (you) there", "  Bye  "}, {.as = nullptr}},
        {"banner_file",
         two_files,
         {.options = {"ftpd_banner=not this"}, .as = nullptr, .furnish = two_banners}},
    };
}

std::vector<Effect> connections() {
    return {
        {"listen", {"YES", "NO"}, {}},
        {"listen_ipv6", {"YES", "NO"}, {.address = "::1"}},
        {"listen_address", {"127.0.0.1", "0.0.0.0"}, {.steps = {elsewhere("127.0.0.2")}}},
        {"pasv_enable",
         off_on,
         {.steps = {say("PASV"),
                    say("P@SW").but(different::old_spellings, "550 Permission denied.", "NO"),
                    say("EPSV"), say("FEAT").but(different::modern),
                    say("PORT 127,0,0,1,200,10")}}},
        {"port_enable",
         off_on,
         {.steps = {say("PORT 127,0,0,1,200,10"), say("EPRT |1|127.0.0.1|51210|"),
                    say("FEAT").but(different::modern), say("PASV")}}},
        {"port_promiscuous",
         off_on,
         {.steps = {say("PORT 127,0,0,2,200,10"), say("PORT 127,0,0,1,0,20"),
                    say("EPRT |1|192.0.2.1|51210|")}}},
        {"pasv_promiscuous",
         off_on,
         {.steps = {foreign("127.0.0.2", "RETR files/a.txt"), say("NOOP"),
                    foreign("127.0.0.1", "RETR files/a.txt")}}},
        {"pasv_address", {"192.0.2.7", "192.0.2.8"}, {.steps = {say("PASV"), say("EPSV")}}},
        {"pasv_addr_resolve",
         off_on,
         {.options = {"pasv_address=ftp.example"},
          .steps = {say("PASV").but(different::no_address, "", "NO"),
                    say("EPSV").but(different::no_address, "", "NO")},
          .furnish = a_name_for_an_address}},
        {"pasv_min_port",
         {"5001", "50001"},
         {.options = {"pasv_max_port=50001"}, .steps = {say("PASV"), say("EPSV")}}},
        {"pasv_max_port",
         {"0", "50001"},
         {.options = {"pasv_min_port=50001"}, .steps = {say("PASV"), say("EPSV")}}},
        {"connect_from_port_20", off_on, {.steps = {called("RETR files/a.txt"), called("NLST")}}},
        {"ftp_data_port",
         {"20", "2020"},
         {.options = {"connect_from_port_20=YES"}, .steps = {called("RETR files/a.txt")}}},
        {"one_process_model",
         off_on,
         {.options = visitors(), .greeting = {&different::at_start, "YES"}}},
        {"ftp_enable", off_on, {.greeting = {&different::at_start, "NO"}}},
        {"http_enable", off_on, {.greeting = {&different::at_start, "YES"}}},
        {"secure_chroot_dir",
         {"/run/vsftpd/empty", "/nowhere/at/all"},
         {.greeting = {&different::empty_root, "/nowhere/at/all"},
          .logs = {&different::empty_root, "/nowhere/at/all"}}},
    };
}

std::vector<Effect> limits() {
    return {
        {"max_clients", {"0", "1"}, {.steps = {meanwhile(), say("NOOP")}}},
        {"max_per_ip", {"0", "1"}, {.steps = {meanwhile(), say("NOOP")}}},
        {"max_login_fails",
         {"1", "2"},
         {.steps = {say("USER alice"), say("PASS wrong"), soon()}, .as = nullptr}},
        {"delay_failed_login",
         {"0", "4"},
         {.steps = {say("USER alice"), soon("PASS wrong"), say("NOOP")}, .as = nullptr}},
        {"delay_successful_login",
         {"0", "4"},
         {.steps = {say("USER alice"), soon("PASS wonderland"), say("NOOP")}, .as = nullptr}},
        {"idle_session_timeout", {"1", "300"}, {.steps = {soon()}}},
        {"data_connection_timeout", {"1", "300"}, {.steps = {stalled("STOR files/new")}}},
        {"accept_timeout", {"1", "4"}, {.steps = {say("PASV"), soon("LIST"), say("PWD")}}},
        {"connect_timeout",
         {"1", "4"},
         {.steps = {say("PORT 127,0,0,1,20,20"), soon("LIST"), say("PWD")}, .furnish = full_queue}},
        {"local_max_rate",
         {"0", "1000000"},
         {.steps = {say("STAT"), say("TYPE I"), receive("RETR files/c.dat")}}},
        {"anon_max_rate", {"0", "1000000"}, visiting({}, {say("STAT"), receive("RETR readme")})},
    };
}

Habits without_session() {
    auto habits = tls_1_2();
    habits.resume = Habits::Resume::never;
    return habits;
}

Habits without_goodbye() {
    auto habits = tls_1_2();
    habits.goodbye = false;
    return habits;
}

Habits leaving() {
    auto habits = without_goodbye();
    habits.leaves = true;
    return habits;
}

// With that value, what TLS adds to vsftpd's log is not all the same.
Talk logging(Talk talk, const char* with) {
    talk.logs = {&different::tls_log, with};
    return talk;
}

Talk visiting_over_tls(const Lines& more, Steps steps) {
    auto talk = over_tls(visitors(more), std::move(steps));
    talk.furnish = furnish_visitors_certificates;
    return talk;
}

std::vector<Effect> tls() {
    const Steps shaking = {secure("AUTH TLS"), say("USER alice")};
    const Lines pems = {"PLACE/one.pem", "PLACE/two.pem"};
    const Lines curves = {"ssl_ciphers=ECDHE-ECDSA-AES128-GCM-SHA256"};
    return {
        {"ssl_enable",
         off_on,
         {.options = {"rsa_cert_file=PLACE/one.pem"},
          .steps = {say("FEAT").but(different::modern), secure("AUTH TLS"), say("USER alice"),
                    say("PASS wonderland"), say("PBSZ 0"), say("PROT P"), receive("NLST files"),
                    say("TYPE I"), receive("RETR files/c.dat"), say("STAT")},
          .as = nullptr,
          .furnish = certificates,
          .client = tls_1_2()}},
        {"implicit_ssl", off_on,
         over_tls({},
                  {say("AUTH TLS"), say("USER alice"), say("PASS wonderland"), say("STAT"),
                   say("PBSZ 0"), say("PROT P"), receive("NLST files")},
                  implicit())},
        {"allow_anon_ssl", off_on,
         visiting_over_tls({}, securely(anonymous, {say("PWD"), say("STAT")}))},
        {"force_local_logins_ssl", off_on, over_tls({}, {say("USER alice")})},
        {"force_anon_logins_ssl", off_on, visiting_over_tls({}, {say("USER ftp")})},
        {"force_local_data_ssl", off_on,
         over_tls({}, securely(alice, {say("PROT C"), clear("NLST files"), say("PROT P"),
                                       receive("NLST files")}))},
        {"force_anon_data_ssl", off_on,
         visiting_over_tls({"allow_anon_ssl=YES"},
                           securely(anonymous, {say("PROT C"), clear("NLST"), say("PROT P"),
                                                receive("NLST"), receive("RETR readme")}))},
        {"ssl_tlsv1", off_on,
         over_tls({}, {say("FEAT").but(different::modern), secure("AUTH TLS")})},
        {"ssl_sslv2", off_on,
         over_tls({}, {say("FEAT").but(different::modern), secure("AUTH SSL")})},
        {"ssl_sslv3", off_on,
         over_tls({}, {say("FEAT").but(different::modern), secure("AUTH SSL")})},
        {"ssl_ciphers",
         {"ECDHE-RSA-AES128-GCM-SHA256", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"},
         over_tls({}, {secure("AUTH TLS")
                           .but(different::key_exchange,
                                "234 Proceed with negotiation.\n"
                                "TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384 one",
                                "AES256-GCM-SHA384")})},
        {"rsa_cert_file",
         pems,
         {.options = {"ssl_enable=YES"},
          .steps = shaking,
          .as = nullptr,
          .furnish = certificates,
          .client = tls_1_2()}},
        {"rsa_private_key_file",
         pems,
         {.options = {"ssl_enable=YES", "rsa_cert_file=PLACE/one.crt"},
          .steps = shaking,
          .as = nullptr,
          .furnish = certificates,
          .client = tls_1_2()}},
        {"dsa_cert_file", {"PLACE/three.pem", "PLACE/four.pem"}, over_tls(curves, shaking)},
        {"dsa_private_key_file",
         {"PLACE/three.pem", "PLACE/four.pem"},
         over_tls({curves.front(), "dsa_cert_file=PLACE/three.crt"}, shaking)},
        {"ssl_request_cert", off_on,
         logging(over_tls({"debug_ssl=YES"}, shaking, tls_1_2("PLACE/client.pem")), "YES")},
        {"require_cert", off_on, over_tls({}, shaking)},
        {"validate_cert", off_on,
         over_tls({"ca_certs_file=PLACE/two.pem"}, shaking, tls_1_2("PLACE/client.pem"))},
        {"ca_certs_file",
         {"PLACE/issuer.pem", "PLACE/two.pem"},
         over_tls({"require_cert=YES", "validate_cert=YES"}, shaking, tls_1_2("PLACE/client.pem"))},
        {"require_ssl_reuse", off_on,
         logging(over_tls(
                     {},
                     securely(alice, {receive("NLST files"),
                                      say("NOOP").but(different::tls_data, "200 NOOP ok.", "YES")}),
                     without_session()),
                 "YES")},
        {"strict_ssl_read_eof", off_on,
         logging(over_tls({},
                          securely(alice,
                                   {say("TYPE I"), send("STOR files/new", "content"), say("NOOP")}),
                          without_goodbye()),
                 "NO")},
        {"strict_ssl_write_shutdown", off_on,
         over_tls({}, securely(alice, {receive("NLST files")}), leaving())},
        {"debug_ssl", off_on,
         logging(over_tls({}, securely(alice, {receive("NLST files"), say("TYPE I"),
                                               receive("RETR files/c.dat"), say("NOOP")})),
                 "YES")},
    };
}

std::vector<Effect> logs() {
    return {
        {"xferlog_enable", off_on, {.options = {"dual_log_enable=NO"}, .steps = some_deeds}},
        {"xferlog_std_format",
         off_on,
         {.options = {"xferlog_enable=YES", "dual_log_enable=NO"}, .steps = some_deeds}},
        {"dual_log_enable", off_on, {.options = {"xferlog_enable=NO"}, .steps = some_deeds}},
        {"vsftpd_log_file", two_files, {.steps = some_deeds}},
        {"xferlog_file", two_files, {.steps = some_deeds}},
        {"syslog_enable",
         off_on,
         {.steps = {say("USER alice"), say("PASS wrong"), say("USER alice"), say("PASS wonderland"),
                    send("STOR files/up", "abc"), say("DELE files/up")},
          .as = nullptr,
          .syslog = true,
          .in_syslog = {&different::syslog_connect, "YES"}}},
        {"log_ftp_protocol",
         off_on,
         {.steps = {say("SYST"), say("USER alice"), say("PASS wrong"), say("USER alice"),
                    say("PASS wonderland"), say("PWD"), say("SIZE files/a.txt"),
                    receive("RETR files/a.txt"), say("STAT")},
          .as = nullptr,
          .logs = {&different::protocol_log, "YES"}}},
    };
}

}  // namespace

std::vector<Effect> effects() {
    std::vector<Effect> all;
    for (const auto& some : {logins_and_places(), rights(), transfers_and_listings(), connections(),
                             limits(), tls(), logs()})
        all.insert(all.end(), some.begin(), some.end());
    return all;
}

}  // namespace sessions
