// SPDX-License-Identifier: MIT
// Side by side with vsftpd: whole configurations as sites have them, and odd values in them.
#include "tests/sessions/side_by_side/side_by_side.hpp"

#include <filesystem>

using namespace sessions;

namespace {

namespace fs = std::filesystem;

class SideBySideSites : public SideBySide {};

// What a user does in a day.
const Steps day = {
    say("SYST"),
    say("PWD"),
    say("TYPE I"),
    receive("LIST"),
    say("CWD files"),
    say("PWD"),
    send("STOR new", "abc"),
    send("APPE new", "def"),
    receive("RETR new"),
    say("SIZE new"),
    say("MKD made"),
    say("RNFR new"),
    say("RNTO made/moved"),
    say("SITE CHMOD 640 made/moved"),
    receive("LIST -a"),
    say("DELE made/moved"),
    say("RMD made"),
    receive("RETR a.txt"),
    receive("NLST"),
    receive("LIST z*"),
    say("CDUP"),
    send("STOR at_the_root", "x"),
    say("CWD /etc"),
    say("PWD"),
    say("NONSENSE"),
};

Steps as(const Account& account, Steps more = {say("PWD")}) {
    Steps steps = {connect(), say("USER " + account.name), say("PASS " + account.password)};
    steps.insert(steps.end(), more.begin(), more.end());
    return steps;
}

Steps both(Steps one, const Steps& two) {
    one.insert(one.end(), two.begin(), two.end());
    return one;
}

Steps all_log_in() {
    return both(both(as(alice), as(bob)), both(as(denied), both(as(anonymous), as(no_shell))));
}

// Virtual users, whom a module of PAM's knows and nobody else.
const Account walter{"walter", 0, "virtually"};
const Account wendy{"wendy", 0, "really"};
void virtual_users() {
    write_file(place("virtual"), "walter\nwendy\n");
    write_file(
        "/etc/pam.d/virtual",
        "auth required pam_listfile.so item=user sense=allow file=" + place("virtual").string() +
            "\nauth required pam_permit.so\n" + "account required pam_permit.so\n");
    for (const auto* name : {"walter", "wendy"}) {
        make_folder(place("home/sites") / name, virtual_user.uid);
        make_folder(place("home/sites") / name / "files", virtual_user.uid);
        write_file(place("home/sites") / name / "files/a.txt", "0123456789", virtual_user.uid);
    }
    set_times(place("home/sites"));
}

Lines with_virtual(const Lines& more) {
    Lines lines = {"guest_enable=YES", "guest_username=virtual", "pam_service_name=virtual",
                   "user_sub_token=$USER", "local_root=PLACE/home/sites/$USER"};
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
}

Steps virtual_day(const Steps& steps) {
    return both(as(walter, steps), both(as(wendy), both(as(alice), as(virtual_user))));
}

void writable_home() {
    make_folder(home_of(alice), alice.uid);
    make_folder(home_of(bob), bob.uid);
}

std::function<void()> list(const std::string& content) {
    return [content] { write_file(place("list"), content); };
}

std::function<void()> user_file(const std::string& content) {
    return [content] {
        make_folder(place("users"));
        write_file(place("users/alice"), content);
    };
}

void messages() {
    write_file(home_of(alice) / ".message", "Welcome\n");
    write_file(home_of(alice) / "files/.message", "one\ntwo");
    write_file(home_of(ftp_user) / ".message", "Hello\n");
    write_file("/etc/motd", "the host's\n");
}

std::vector<Talk> panels() {
    return {
        {.name = "Debian",
         .options = {"dirmessage_enable=YES", "use_localtime=YES", "xferlog_enable=YES",
                     "connect_from_port_20=YES", "secure_chroot_dir=/var/run/vsftpd/empty",
                     "pam_service_name=vsftpd", "ssl_enable=NO", "dual_log_enable=NO"},
         .steps = day},
        {.name = "RedHat",
         .options = {"anonymous_enable=YES", "dirmessage_enable=YES", "xferlog_std_format=YES",
                     "connect_from_port_20=YES", "userlist_enable=YES", "tcp_wrappers=YES",
                     "dual_log_enable=NO", "userlist_file=PLACE/list"},
         .steps = both(day, all_log_in()),
         .furnish = list("# If userlist_deny=NO, only allow users in this file\nroot\nbin\nbob\n")},
        {.name = "Hestia",
         .options = {"anonymous_enable=NO",
                     "local_umask=002",
                     "dirmessage_enable=YES",
                     "force_dot_files=YES",
                     "ascii_upload_enable=YES",
                     "ascii_download_enable=YES",
                     "chroot_local_user=YES",
                     "allow_writeable_chroot=YES",
                     "seccomp_sandbox=NO",
                     "xferlog_std_format=YES",
                     "pasv_enable=YES",
                     "pasv_promiscuous=YES",
                     "pasv_min_port=12000",
                     "pasv_max_port=12100",
                     "max_per_ip=10",
                     "max_clients=100",
                     "use_localtime=YES",
                     "setproctitle_enable=YES",
                     "hide_ids=NO",
                     "ftpd_banner=Welcome"},
         .steps = day,
         .furnish = writable_home},
        {.name = "DockerVirtual",
         .options = with_virtual({"virtual_use_local_privs=YES", "chroot_local_user=YES",
                                  "allow_writeable_chroot=YES", "hide_ids=YES", "port_enable=YES",
                                  "connect_from_port_20=YES", "ftp_data_port=20",
                                  "file_open_mode=0666", "local_umask=077", "pasv_promiscuous=NO"}),
         .steps = virtual_day(day),
         .as = nullptr,
         .furnish = virtual_users},
        {.name = "VirtualAsAnonymous",
         .options = with_virtual({"chroot_local_user=YES", "allow_writeable_chroot=YES",
                                  "anon_upload_enable=YES", "anon_mkdir_write_enable=YES",
                                  "anon_other_write_enable=YES", "anon_umask=022"}),
         .steps = virtual_day(day),
         .as = nullptr,
         .furnish = virtual_users},
        {.name = "VirtualWritableRoot",
         .options = with_virtual({"chroot_local_user=YES"}),
         .steps = virtual_day(day),
         .as = nullptr,
         .furnish = virtual_users},
        {.name = "VirtualNotLocked",
         .options = with_virtual({"virtual_use_local_privs=YES"}),
         .steps = virtual_day({say("PWD"), say("CWD .."), say("PWD"), say("CWD /etc")}),
         .as = nullptr,
         .furnish = virtual_users},
        {.name = "VirtualChrootList",
         .options = with_virtual({"virtual_use_local_privs=YES", "chroot_list_enable=YES",
                                  "chroot_list_file=PLACE/list", "allow_writeable_chroot=YES"}),
         .steps = virtual_day({say("PWD"), say("CWD .."), say("PWD")}),
         .as = nullptr,
         .furnish =
             [] {
                 virtual_users();
                 write_file(place("list"), "walter\nvirtual\n");
             }},
        {.name = "VirtualWithFiles",
         .options =
             with_virtual({"user_config_dir=PLACE/users", "allow_writeable_chroot=YES",
                           "hide_ids=YES", "userlist_enable=YES", "userlist_file=PLACE/list"}),
         .steps = virtual_day(day),
         .as = nullptr,
         .furnish =
             [] {
                 virtual_users();
                 make_folder(place("users"));
                 write_file(place("list"), "root\n");
                 write_file(place("users/walter"),
                            "local_root=PLACE\nvirtual_use_local_privs=YES\nanon_umask=027\n"
                            "local_umask=007\nwrite_enable=YES\n");
                 auto text = content_of(place("users/walter"));
                 text.replace(text.find("PLACE"), 5, place("home/sites/walter/files").string());
                 write_file(place("users/walter"), text);
                 write_file(place("users/wendy"), "guest_username=alice\n");
             }},
        {.name = "VirtualMixedWithLocal",
         .options = {"user_config_dir=PLACE/users", "chroot_local_user=YES",
                     "allow_writeable_chroot=YES"},
         .steps = both(day, both(as(bob), as(virtual_user))),
         .furnish =
             user_file("guest_enable=YES\nguest_username=virtual\nanon_upload_enable=YES\n")},
        {.name = "RaspberryPi",
         .options = {"user_sub_token=$USER", "local_root=PLACE/home/$USER/files",
                     "chroot_local_user=YES", "pasv_min_port=40000", "pasv_max_port=50000",
                     "userlist_enable=YES", "userlist_file=PLACE/list", "userlist_deny=NO"},
         .steps = {say("PWD"), say("CWD dir"), send("STOR x", "x"), receive("LIST")},
         .furnish =
             [] {
                 make_folder(home_of(alice) / "files", 0, 0555);
                 write_file(place("list"), "alice\n");
             }},
        {.name = "Wiki",
         .options =
             {"cmds_allowed=ABOR,CWD,LIST,MDTM,MKD,NLST,PASS,PASV,PORT,PWD,QUIT,RETR,RMD,RNFR,"
              "RNTO,SIZE,STOR,TYPE,USER,ACCT,APPE,CDUP,HELP,MODE,NOOP,REIN,STAT,STOU,STRU,SYST",
              "dual_log_enable=NO", "xferlog_std_format=YES", "local_max_rate=5000000"},
         .steps = day},
        {.name = "DropBox",
         .options = {"anonymous_enable=YES", "local_enable=NO", "anon_upload_enable=YES",
                     "anon_mkdir_write_enable=YES", "anon_umask=073", "chown_uploads=YES",
                     "chown_username=bob", "chown_upload_mode=0640", "no_anon_password=YES",
                     "dirlist_enable=YES", "download_enable=NO", "hide_ids=YES",
                     "ftpd_banner=Drop it", "anon_max_rate=30000000"},
         .steps = both({say("USER anonymous")}, visit()),
         .as = nullptr,
         .furnish = furnish_public},
        {.name = "Mirror",
         .options = {"anonymous_enable=YES", "local_enable=NO", "write_enable=NO",
                     "no_anon_password=YES", "anon_root=PLACE/home/ftp", "hide_ids=YES",
                     "ls_recurse_enable=YES", "dirmessage_enable=YES", "max_clients=200",
                     "max_per_ip=4"},
         .steps = both({say("USER ftp"), receive("LIST -R").but(different::recursion),
                        receive("NLST -R").but(different::recursion)},
                       visit()),
         .as = nullptr,
         .furnish =
             [] {
                 furnish_public();
                 messages();
             }},
        {.name = "EmailListMirror",
         .options = {"anonymous_enable=YES", "secure_email_list_enable=YES",
                     "email_password_file=PLACE/list", "deny_email_enable=YES",
                     "banned_email_file=PLACE/list"},
         .steps = {say("USER ftp"), say("PASS me@here"), say("USER ftp"), say("PASS ME@HERE"),
                   say("USER ftp"), say("PASS other")},
         .as = nullptr,
         .furnish = list("me@here\n")},
        {.name = "AnonymousAndLocal",
         .options = {"anonymous_enable=YES", "anon_root=PLACE/home/ftp/incoming",
                     "chroot_local_user=YES", "local_root=PLACE/home/alice"},
         .steps = all_log_in(),
         .as = nullptr,
         .furnish = [] { make_folder(home_of(ftp_user) / "incoming"); }},
        {.name = "OtherAnonymousUser",
         .options = {"anonymous_enable=YES", "ftp_username=bob", "anon_upload_enable=YES",
                     "nopriv_user=ftp"},
         .steps = both(as(anonymous, {say("PWD"), receive("LIST"), say("CWD files"),
                                      send("STOR x", "x"), receive("RETR x")}),
                       as(bob)),
         .as = nullptr},
        {.name = "GuestsAndAnonymous",
         .options = {"anonymous_enable=YES", "guest_enable=YES", "guest_username=bob",
                     "anon_umask=027", "anon_upload_enable=YES"},
         .steps = all_log_in(),
         .as = nullptr},
        {.name = "GuestIsHimself",
         .options = {"guest_enable=YES", "guest_username=alice", "anon_upload_enable=YES"},
         .steps = day},
    };
}

std::vector<Talk> lists() {
    const Lines deny = {"userlist_enable=YES", "userlist_file=PLACE/list", "max_login_fails=9"};
    const Lines allow = {"userlist_enable=YES", "userlist_file=PLACE/list", "userlist_deny=NO",
                         "max_login_fails=9", "anonymous_enable=YES"};
    const Lines frees = {"chroot_local_user=YES", "chroot_list_enable=YES",
                         "chroot_list_file=PLACE/list"};
    const auto some = [](const char* name, const Lines& options, const std::string& content) {
        return Talk{.name = name,
                    .options = options,
                    .steps = all_log_in(),
                    .as = nullptr,
                    .furnish = list(content)};
    };
    return {
        some("ListOfDos", deny, "alice\r\nbob\r\n"),
        some("ListOfDosAllows", allow, "alice\r\nbob\r\nftp\r\n"),
        some("ListWithBlanks", allow, "alice \n bob\nanonymous\n"),
        some("ListWithoutEnd", allow, "ftp\n\n\nalice"),
        some("ListInCapitals", deny, "ALICE\nBob\nFTP\n"),
        some("ListWithComments", deny, "#alice\nbob # not him\n"),
        some("ListOfAnonymous", allow, "anonymous\n"),
        some("ListFrees", frees, "bob\n"),
        some("ListFreesDos", frees, "bob\r\n"),
        some("ListFreesDosEnd", frees, "alice\r\nbob"),
        some("ListBoth",
             {"userlist_enable=YES", "userlist_file=PLACE/list", "userlist_deny=NO",
              "chroot_list_enable=YES", "chroot_list_file=PLACE/list"},
             "alice\n"),
        Talk{.name = "UserListDefaultPlace",
             .options = {"userlist_enable=YES", "userlist_deny=NO"},
             .steps = all_log_in(),
             .as = nullptr,
             .furnish = [] { write_file("/etc/vsftpd.user_list", "bob\n"); }},
        Talk{.name = "EmailsOfDos",
             .options = {"anonymous_enable=YES", "deny_email_enable=YES",
                         "banned_email_file=PLACE/list"},
             .steps = all_log_in(),
             .as = nullptr,
             .furnish = list("me@here\r\n")},
        Talk{.name = "UserListBeforeAnonymousOnly",
             .options = {"anonymous_enable=YES", "local_enable=NO", "userlist_enable=YES",
                         "userlist_file=PLACE/list"},
             .steps = all_log_in(),
             .as = nullptr,
             .furnish = list("alice\nftp\n")},
    };
}

std::vector<Talk> user_files() {
    const auto some = [](const char* name, const std::string& content, Steps steps = day) {
        return Talk{.name = name,
                    .options = {"user_config_dir=PLACE/users"},
                    .steps = std::move(steps),
                    .furnish = user_file(content)};
    };
    const auto refused = [](const char* name, const std::string& content) {
        return Talk{.name = name,
                    .options = {"user_config_dir=PLACE/users"},
                    .steps = as(bob),
                    .furnish = user_file(content),
                    .logs = &different::no_session};
    };
    return {
        some("FileEmpty", ""),
        some("FileOfComments", "# nothing\n\n   \n\t\n"),
        refused("FileUnknown", "no_such_option=YES\n"),
        refused("FileBadBool", "write_enable=maybe\n"),
        refused("FileNoValue", "write_enable\n"),
        some("FileRoot", "local_root=files/dir\nwrite_enable=NO\n", {say("PWD"), receive("LIST")}),
        some("FileRootMissing", "local_root=/none\n", {say("PWD")}),
        some("FileCommands", "cmds_allowed=PWD,QUIT,TYPE,CWD,PASV,LIST,STOR\n"),
        some("FileDenied", "cmds_denied=STOR,DELE\n"),
        some("FileNumbers", "local_umask=0\nfile_open_mode=0777\nlocal_max_rate=0x10\n"),
        some("FileUsedUp",
             "chroot_local_user=YES\nlocal_enable=NO\nftpd_banner=x\nmax_clients=1\n"
             "userlist_enable=YES\nxferlog_enable=NO\npam_service_name=none\n"),
        some("FileHides", "hide_file={*.dat,dos*}\ndeny_file={b.txt,*.dat}\n"),
        some("FilePorts", "pasv_enable=NO\n",
             {say("PASV"), say("EPSV"), say("PORT 127,0,0,1,9,9")}),
        some("FileListing", "hide_ids=YES\nforce_dot_files=YES\nuse_localtime=YES\n"),
        some("FileAddress", "pasv_address=192.0.2.9\n", {say("PASV"), say("EPSV")}),
        refused("FileGuest", "guest_enable=YES\nguest_username=virtual\nlocal_root=/none\n"),
        refused("FileNobody", "guest_enable=YES\nguest_username=nobody-at-all\n"),
        some("FileTwice", "write_enable=NO\nwrite_enable=YES\nwrite_enable=no\n"),
        Talk{.name = "FileOfSomebody",
             .options = {"user_config_dir=PLACE/users"},
             .steps = {say("PWD")},
             .furnish =
                 [] {
                     make_folder(place("users"));
                     write_file(place("users/alice"), "write_enable=NO\n", alice.uid);
                 },
             .logs = &different::no_session},
        Talk{.name = "FileIsAFolder",
             .options = {"user_config_dir=PLACE/users"},
             .steps = {say("PWD")},
             .furnish = [] { make_folder(place("users/alice")); },
             .logs = &different::no_session},
        Talk{.name = "FileIsALink",
             .options = {"user_config_dir=PLACE/users"},
             .steps = {say("MKD files/d")},
             .furnish =
                 [] {
                     make_folder(place("users"));
                     write_file(place("common"), "write_enable=NO\n");
                     fs::create_symlink(place("common"), place("users/alice"));
                 }},
        Talk{.name = "FileIsABrokenLink",
             .options = {"user_config_dir=PLACE/users"},
             .steps = {say("MKD files/d")},
             .furnish =
                 [] {
                     make_folder(place("users"));
                     fs::create_symlink(place("none"), place("users/alice"));
                 }},
        Talk{.name = "FilesDirMissing",
             .options = {"user_config_dir=PLACE/none"},
             .steps = {say("MKD files/d")}},
        Talk{.name = "FileOfAnonymous",
             .options = {"user_config_dir=PLACE/users", "anonymous_enable=YES"},
             .steps = both(both({say("USER anonymous"), say("PASS x")}, visit()),
                           as(anonymous, {receive("LIST"), receive("RETR readme")})),
             .as = nullptr,
             .furnish =
                 [] {
                     furnish_public();
                     make_folder(place("users"));
                     write_file(place("users/ftp"),
                                "anon_upload_enable=YES\nanon_umask=022\ndownload_enable=NO\n");
                     write_file(place("users/anonymous"), "dirlist_enable=NO\n");
                 }},
    };
}

std::vector<Talk> numbers() {
    const auto some = [](const char* name, const Lines& options, Steps steps = day) {
        return Talk{.name = name, .options = options, .steps = std::move(steps)};
    };
    const Steps failing = {say("USER alice"), say("PASS wrong"), say("USER alice"),
                           say("PASS wrong"), say("USER alice"), say("PASS wrong")};
    const Steps ports = {say("PASV"), say("EPSV"), say("PASV")};
    return {
        some("UmaskDecimal", {"local_umask=22"}),
        some("UmaskOctal", {"local_umask=0022"}),
        some("UmaskOddOctal", {"local_umask=028"}),
        some("UmaskHex", {"local_umask=0x12"}),
        some("UmaskNegative", {"local_umask=-1"}),
        some("UmaskLarge", {"local_umask=07777"}),
        some("UmaskWords", {"local_umask=none"}),
        some("ModeDecimal", {"file_open_mode=777", "local_umask=0"}),
        some("ModeSticky", {"file_open_mode=07777", "local_umask=0"}),
        some("ModeNone", {"file_open_mode=0", "local_umask=0"}),
        some("ModeNoOwner", {"file_open_mode=0066", "local_umask=0"}),
        some("IdleZero", {"idle_session_timeout=0", "data_connection_timeout=0"}),
        some("IdleNegative", {"idle_session_timeout=-1", "data_connection_timeout=-1"}),
        some("TimeoutsZero", {"accept_timeout=0", "connect_timeout=0"}),
        some("ClientsNegative", {"max_clients=-1", "max_per_ip=-1"}),
        some("ClientsHuge", {"max_clients=99999999999", "max_per_ip=4294967296"}),
        some("RateNegative", {"local_max_rate=-1"}),
        some("RateWithUnit", {"local_max_rate=900K"}, {say("STAT")}),
        some("ChunkOne", {"trans_chunk_size=1", "local_max_rate=90000000"}),
        some("ChunkHuge", {"trans_chunk_size=99999999"}),
        some("PortsOne", {"pasv_min_port=50001", "pasv_max_port=50001"}, ports),
        some("PortsLow", {"pasv_min_port=1", "pasv_max_port=50001"}, {say("EPSV")}),
        some("PortsHigh", {"pasv_min_port=65600", "pasv_max_port=70000"}, {say("EPSV")}),
        Talk{
            .name = "FailsNone", .options = {"max_login_fails=0"}, .steps = failing, .as = nullptr},
        Talk{.name = "FailsMany",
             .options = {"max_login_fails=-1"},
             .steps = failing,
             .as = nullptr},
    };
}

std::vector<Talk> empty_values() {
    const auto some = [](const char* name, const Lines& options, Steps steps = day) {
        return Talk{.name = name, .options = options, .steps = std::move(steps)};
    };
    return {
        some("EmptyBanner", {"ftpd_banner=", "banner_file="}, {say("PWD")}),
        some("EmptyPlaces", {"local_root=", "anon_root=", "user_config_dir=", "user_sub_token="}),
        some("EmptyPatterns", {"hide_file=", "deny_file=", "upload_file=", "download_file=",
                               "cmds_allowed=", "cmds_denied="}),
        some("EmptyService", {"pam_service_name="}, {}),
        some("EmptyMessage", {"message_file=", "dirmessage_enable=YES"}),
        some("EmptyAddress", {"pasv_address=", "pasv_addr_resolve=YES"}),
        some("EmptyUsers", {"guest_username=", "ftp_username=", "chown_username="}),
    };
}

std::vector<Talk> texts() {
    const auto banner = [](const char* name, const std::string& text) {
        return Talk{.name = name,
                    .options = {"ftpd_banner=" + text},
                    .steps = {say("USER alice")},
                    .as = nullptr};
    };
    const auto file = [](const char* name, const std::string& content) {
        return Talk{.name = name,
                    .options = {"banner_file=PLACE/list"},
                    .steps = {say("USER alice")},
                    .as = nullptr,
                    .furnish = list(content)};
    };
    const auto patterns = [](const char* name, const Lines& options) {
        return Talk{.name = name,
                    .options = options,
                    .steps = both(day, {say("CWD ~"), say("CWD files"), receive("LIST"),
                                        receive("NLST -a"), say("CWD .."), say("CWD files"),
                                        say("CWD dir"), receive("RETR inner.txt")}),
                    .as = &alice};
    };
    return {
        banner("BannerUtf8", "Gr\xc3\xbc\xc3\x9f dich \xe2\x9c\x93"),
        banner("BannerLatin", "Gr\xfc\xdf \xff dich"),
        banner("BannerPercent", "100% %s %d %n \\n \\t \"quoted\" 'x' # no comment"),
        banner("BannerLong", std::string(3000, 'x')),
        banner("BannerNumber", "220-not more"),
        banner("BannerEquals", "a=b=c"),
        file("BannerFileEmpty", ""),
        file("BannerFileBlank", "\n"),
        file("BannerFileWithoutEnd", "one\ntwo"),
        file("BannerFileNul", std::string("a\0b\nc\n", 6)),
        file("BannerFileLatin", "\xff\xfe\n\x1b[1mbold\n"),
        file("BannerFileLong", std::string(9000, 'y') + "\nend\n"),
        patterns("DenyHidden", {"deny_file={.*,*.exe}"}),
        patterns("DenyQuoted", {"deny_file=\"{*.txt,*.dat}\""}),
        patterns("DenyBlanks", {"deny_file={ *.txt , *.dat }"}),
        patterns("DenyPaths", {"deny_file={/etc*,files/a*}"}),
        patterns("DenyClass", {"deny_file=[ab].txt"}),
        patterns("DenyNothing", {"deny_file={}"}),
        patterns("DenyMarks", {"deny_file=?.txt"}),
        patterns("HideDots", {"hide_file=.*", "force_dot_files=YES"}),
        patterns("UploadPictures", {"upload_file={*.jpg,*.png}", "download_file=*.txt"}),
        {.name = "DenyAll",
         .options = {"deny_file=*"},
         .steps = {say("CWD .."), say("CDUP"), say("CWD files"), say("CWD ."), say("PWD")}},
        {.name = "NamesInJails",
         .options = {"text_userdb_names=YES", "chroot_local_user=YES"},
         .steps = {receive("LIST").but(different::names_in_jails), say("CWD files"),
                   receive("LIST -a dir").but(different::names_in_jails)}},
        {.name = "MessageAbsolute",
         .options = {"dirmessage_enable=YES", "message_file=/etc/motd"},
         .steps = {say("CWD files")},
         .furnish = messages},
        {.name = "MessageJailed",
         .options = {"dirmessage_enable=YES", "message_file=/etc/motd", "chroot_local_user=YES"},
         .steps = {say("CWD files")},
         .furnish = messages},
        {.name = "MessageAbove",
         .options = {"dirmessage_enable=YES", "message_file=../bob/.message"},
         .steps = {say("CWD files")},
         .furnish =
             [] {
                 messages();
                 write_file(home_of(bob) / ".message", "bob's\n");
             }},
        {.name = "MessageUnreadable",
         .options = {"dirmessage_enable=YES"},
         .steps = {say("CWD files"), say("CWD /")},
         .furnish =
             [] {
                 write_file(home_of(alice) / ".message", "secret\n", 0, 0600);
                 make_folder(home_of(alice) / "files/.message");
             }},
        {.name = "MessageLong",
         .options = {"dirmessage_enable=YES"},
         .steps = {say("CWD files")},
         .furnish =
             [] {
                 write_file(home_of(alice) / ".message", std::string(6000, 'm') + "\nend\n");
                 write_file(home_of(alice) / "files/.message", std::string("a\0b\nc\xff\n", 7));
             }},
    };
}

std::vector<Talk> places() {
    const auto some = [](const char* name, const Lines& options, Steps steps = {say("PWD")}) {
        return Talk{.name = name, .options = options, .steps = std::move(steps)};
    };
    const auto refused = [](const char* name, const std::string& place) {
        return Talk{.name = name,
                    .options = {"local_root=" + place, "chroot_local_user=YES"},
                    .steps = as(alice),
                    .logs = &different::no_session};
    };
    const Steps around = {say("PWD"), receive("LIST"), say("CWD .."),
                          say("PWD"), say("CWD ~"),    say("PWD")};
    return {
        some("RootRelative", {"local_root=files"}, around),
        some("RootRelativeJailed",
             {"local_root=files", "chroot_local_user=YES", "allow_writeable_chroot=YES"}, around),
        some("RootDots",
             {"local_root=files/../files/./dir/", "chroot_local_user=YES",
              "allow_writeable_chroot=YES"},
             around),
        refused("RootIsAFile", "files/a.txt"),
        Talk{.name = "RootIsALink",
             .options = {"local_root=files/link", "chroot_local_user=YES",
                         "allow_writeable_chroot=YES"},
             .login = &different::planted_links,
             .logs = &different::no_session},
        some("RootIsALinkFree", {"local_root=files/link"}, around),
        refused("RootClosed", "files/closed"),
        some("RootClosedFree", {"local_root=files/closed"}, around),
        refused("RootTilde", "~/files"),
        some("RootOfRoot", {"local_root=/", "chroot_local_user=YES"},
             {say("PWD"), say("CWD /etc")}),
        some("TokenTwice", {"user_sub_token=$USER", "local_root=PLACE/home/$USER/../$USER/files"},
             around),
        Talk{.name = "TokenOfOneLetter",
             .options = {"user_sub_token=a", "local_root=a"},
             .logs = &different::no_session},
        Talk{.name = "TokenInHome",
             .options = {"user_sub_token=home"},
             .logs = &different::no_session},
        Talk{.name = "DottedWithRoot",
             .options = {"passwd_chroot_enable=YES", "chroot_local_user=YES",
                         "local_root=PLACE/home/alice"},
             .steps = around,
             .as = &dotted},
        Talk{.name = "DottedOnList",
             .options = {"passwd_chroot_enable=YES", "chroot_list_enable=YES",
                         "chroot_list_file=PLACE/list"},
             .steps = around,
             .as = &dotted,
             .furnish = list("dotted\n")},
        Talk{.name = "DottedOff",
             .options = {"chroot_local_user=YES"},
             .steps = around,
             .as = &dotted},
        Talk{.name = "DottedGuest",
             .options = {"passwd_chroot_enable=YES", "guest_enable=YES", "guest_username=dotted",
                         "chroot_local_user=YES"},
             .steps = around},
        Talk{.name = "TildeJailed",
             .options = {"tilde_user_enable=YES", "chroot_local_user=YES"},
             .steps = {say("CWD ~bob"), say("CWD ~"),
                       say("CWD ~alice")
                           .but(different::names_in_jails, "250 Directory successfully changed."),
                       say("PWD")}},
        Talk{.name = "AnonymousRootRelative",
             .options = {"anonymous_enable=YES", "anon_root=incoming/folder"},
             .steps = {say("PWD"), send("STOR x", "x")},
             .as = &anonymous,
             .furnish =
                 [] {
                     furnish_public();
                     make_folder(home_of(ftp_user) / "incoming/folder");
                 }},
        Talk{.name = "AnonymousRootMissing",
             .options = {"anonymous_enable=YES", "anon_root=/none"},
             .as = &anonymous,
             .logs = &different::no_session},
        Talk{.name = "AnonymousRootWithToken",
             .options = {"anonymous_enable=YES", "anon_root=PLACE/home/$USER",
                         "user_sub_token=$USER"},
             .as = &anonymous,
             .logs = &different::no_session},
        Talk{.name = "ServiceMissing",
             .options = {"pam_service_name=no-such-service"},
             .steps = {say("PWD")}},
        Talk{.name = "ServiceIsAPath",
             .options = {"pam_service_name=/etc/pam.d/vsftpd"},
             .steps = {say("PWD")}},
        Talk{.name = "ServiceUp",
             .options = {"pam_service_name=../pam.d/vsftpd"},
             .steps = {say("PWD")}},
        Talk{.name = "NoprivIsAUser", .options = {"nopriv_user=bob"}, .steps = day},
    };
}

std::vector<Talk> logs_and_wires() {
    const auto log = [](const char* name, const Lines& options) {
        return Talk{.name = name, .options = options, .steps = both(day, all_log_in())};
    };
    return {
        log("LogsInOne", {"vsftpd_log_file=PLACE/log", "xferlog_file=PLACE/log"}),
        log("LogsStd", {"xferlog_enable=YES", "xferlog_std_format=YES", "dual_log_enable=NO"}),
        log("LogsDualAlone", {"xferlog_enable=NO", "dual_log_enable=YES"}),
        log("LogsStdAndDual", {"xferlog_enable=YES", "xferlog_std_format=YES"}),
        log("LogsOff", {"xferlog_enable=NO", "dual_log_enable=NO"}),
        log("LogsNull", {"vsftpd_log_file=/dev/null", "xferlog_file=/dev/null"}),
        log("LogsXferOnly", {"xferlog_enable=YES", "xferlog_file=PLACE/x", "xferlog_std_format=YES",
                             "vsftpd_log_file=PLACE/v", "dual_log_enable=NO"}),
        log("LogsNoLock", {"no_log_lock=YES"}),
        {.name = "Ipv6",
         .options = {"anonymous_enable=YES", "anon_upload_enable=YES"},
         .steps = {say("EPSV 2"), say("EPSV 1"), say("EPSV ALL"), say("EPRT |2|::1|5000|")},
         .address = "::1"},
        {.name = "PassiveOff",
         .options = {"pasv_enable=NO"},
         .steps = {say("PASV"), say("EPSV"), called("RETR files/a.txt"), called("LIST files")}},
        {.name = "ActiveOff",
         .options = {"port_enable=NO"},
         .steps = {say("PORT 127,0,0,1,200,1"), receive("LIST files")}},
        {.name = "Ascii",
         .options = {"ascii_upload_enable=YES", "ascii_download_enable=YES"},
         .steps = {say("CWD files"), say("TYPE A"), send("STOR t", "a\r\nb\rc\n\r\r\n"),
                   receive("RETR t"), receive("RETR dos.txt"), say("TYPE I"), receive("RETR t")}},
        {.name = "Wrappers",
         .options = {"tcp_wrappers=YES"},
         .steps = {elsewhere("127.0.0.2"), say("PWD")},
         .furnish = [] { write_file("/etc/hosts.deny", "vsftpd: 10.\n"); }},
        {.name = "WrappersDeny",
         .options = {"tcp_wrappers=YES"},
         .steps = {},
         .as = nullptr,
         .furnish = [] { write_file("/etc/hosts.deny", "ALL: ALL\n"); }},
        {.name = "WrappersLoad",
         .options = {"tcp_wrappers=YES"},
         .steps = {say("USER alice"), say("PASS wonderland"), say("MKD files/d"), say("STAT")},
         .as = nullptr,
         .furnish =
             [] {
                 write_file(place("load"),
                            "write_enable=NO\nlocal_max_rate=4711\nftpd_banner=Hi\n"
                            "idle_session_timeout=33\n");
                 write_file("/etc/hosts.allow", "vsftpd: 127.0.0.1: setenv VSFTPD_LOAD_CONF " +
                                                    place("load").string() + "\n");
             }},
        {.name = "WrappersLoadMissing",
         .options = {"tcp_wrappers=YES"},
         .steps = {say("USER alice")},
         .as = nullptr,
         .furnish =
             [] {
                 write_file("/etc/hosts.allow", "vsftpd: ALL: setenv VSFTPD_LOAD_CONF /none\n");
             }},
        {.name = "NamesAndLocalTime",
         .options = {"text_userdb_names=YES", "use_localtime=YES", "force_dot_files=YES",
                     "ls_recurse_enable=YES"},
         .steps = {receive("LIST -lR files/dir"), receive("LIST -t files"),
                   receive("NLST -F files"), say("STAT files")},
         .environment = {"TZ=XST-3:30"}},
        {.name = "Session",
         .options = {"session_support=YES", "setproctitle_enable=YES", "use_sendfile=NO",
                     "lock_upload_files=NO", "mdtm_write=NO", "chmod_enable=NO",
                     "async_abor_enable=NO"},
         .steps = both(day, {say("MDTM 20200101000000 files/a.txt"), say("SITE HELP")})},
        {.name = "ReadOnly",
         .options = {"write_enable=NO", "delete_failed_uploads=YES", "chroot_local_user=YES"},
         .steps = day,
         .furnish = writable_home},
        {.name = "DirlistOff",
         .options = {"dirlist_enable=NO", "download_enable=NO"},
         .steps = day},
        {.name = "DenyCommandsLower", .options = {"cmds_denied=stor,dele, mkd ,RMD"}, .steps = day},
        {.name = "AllowCommandsBlanks",
         .options = {"cmds_allowed=USER, PASS, PWD, QUIT, TYPE"},
         .steps = {say("PWD"), say("TYPE I"), say("QUIT ")}},
        {.name = "CaseOfWords",
         .options = {"write_enable=yes", "chroot_local_user=True", "hide_ids=1",
                     "dirlist_enable=TRUE", "download_enable=yEs", "chmod_enable=0"},
         .steps = day},
        {.name = "Indented", .options = {"  hide_ids=YES", "\tlocal_umask=027"}, .steps = day},
    };
}

std::vector<Talk> rights() {
    const Lines guests = {"guest_enable=YES", "guest_username=ftp"};
    const auto guest = [&](const char* name, Lines more) {
        more.insert(more.begin(), guests.begin(), guests.end());
        return Talk{.name = name, .options = more, .steps = visit(), .furnish = furnish_public};
    };
    const auto visitor = [&](const char* name, Lines more) {
        more.insert(more.begin(), "anonymous_enable=YES");
        return Talk{.name = name,
                    .options = more,
                    .steps = visit(),
                    .as = &anonymous,
                    .furnish = furnish_public};
    };
    const auto commands = [](const char* name, const char* option) {
        return Talk{
            .name = name,
            .options = {option},
            .steps = {say("PWD"), say("USER alice"), say("PASS x"), say("NOOP"), say("QUIT")}};
    };
    return {
        guest("GuestRates", {"anon_max_rate=1000000", "local_max_rate=2000000"}),
        {.name = "GuestReadsAll",
         .options = {"guest_enable=YES", "guest_username=ftp", "anon_world_readable_only=NO"},
         .steps = {receive("NLST closed"), receive("RETR unreadable"), receive("RETR private")},
         .furnish = furnish_public},
        {.name = "GuestLocalRates",
         .options = {"guest_enable=YES", "guest_username=ftp", "anon_max_rate=1000000",
                     "local_max_rate=2000000", "virtual_use_local_privs=YES"},
         .steps = {say("STAT"), receive("NLST closed"), receive("RETR unreadable")},
         .furnish = furnish_public},
        guest("GuestGivesAway", {"chown_uploads=YES", "chown_username=bob",
                                 "anon_upload_enable=YES", "chown_upload_mode=0644"}),
        guest("GuestOthers", {"anon_other_write_enable=YES", "anon_umask=0077"}),
        visitor("VisitorOthers", {"anon_other_write_enable=YES"}),
        visitor("VisitorFolders", {"anon_mkdir_write_enable=YES", "anon_umask=0777"}),
        visitor("VisitorGivesAwayAll",
                {"anon_upload_enable=YES", "chown_uploads=YES", "chown_upload_mode=07777",
                 "file_open_mode=0777", "anon_umask=000"}),
        visitor("VisitorHides",
                {"hide_file={readme,old}", "deny_file={*.exe,private}", "anon_upload_enable=YES"}),
        visitor("VisitorCommands",
                {"cmds_denied=SITE,DELE,STAT,SIZE", "anon_other_write_enable=YES"}),
        visitor("VisitorLogs",
                {"xferlog_std_format=YES", "dual_log_enable=NO", "anon_upload_enable=YES"}),
        commands("CommandsQuitOnly", "cmds_allowed=QUIT"),
        commands("CommandsNoQuit", "cmds_denied=QUIT"),
        commands("CommandsNoUser", "cmds_denied=USER,PASS,FEAT"),
        commands("CommandsLower", "cmds_allowed=pwd,quit"),
        commands("CommandsTrailing", "cmds_allowed=PWD,QUIT,"),
        {.name = "BrokenUploads",
         .options = {"delete_failed_uploads=YES", "ascii_upload_enable=YES"},
         .steps = {say("CWD files"), say("TYPE A"), broken("STOR t1", "abc"), say("TYPE I"),
                   broken("STOR t2", "abc"), say("REST 2"), send("STOR a.txt", "XY"),
                   receive("RETR a.txt"), say("REST 5"), receive("RETR a.txt")}},
        {.name = "LoadedBanner",
         .options = {"tcp_wrappers=YES", "anonymous_enable=YES"},
         .steps = both({say("USER ftp"), say("PASS me@here"), say("STAT"), say("PWD")}, as(alice)),
         .as = nullptr,
         .furnish =
             [] {
                 write_file(place("load"), "local_enable=NO\nanon_max_rate=777\n");
                 write_file("/etc/hosts.allow", "vsftpd: ALL: setenv VSFTPD_LOAD_CONF " +
                                                    place("load").string() + "\n");
             }},
    };
}

std::vector<Talk> sites() {
    std::vector<Talk> all;
    for (const auto& some : {panels(), lists(), user_files(), numbers(), empty_values(), texts(),
                             rights(), places(), logs_and_wires()})
        all.insert(all.end(), some.begin(), some.end());
    return all;
}

}  // namespace

TEST_P(SideBySideSites, AreServedTheSame) { compare(GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, SideBySideSites, testing::ValuesIn(sites()), name_of);
