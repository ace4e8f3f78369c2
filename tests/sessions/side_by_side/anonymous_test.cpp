// SPDX-License-Identifier: MIT
// Side by side with vsftpd: what anonymous users and guests may do.
#include "tests/sessions/side_by_side/side_by_side.hpp"

using namespace sessions;

namespace {

class SideBySideAnonymous : public SideBySide {};

}  // namespace

void sessions::furnish_public() {
    const auto home = home_of(ftp_user);
    write_file(home / "readme", "public");
    write_file(home / "private", "p", 0, 0600);
    write_file(home / "unreadable", "u", ftp_user.uid, 0640);
    write_file(home / "incoming/old", "old", ftp_user.uid);
    write_file(home / "incoming/group", "g", ftp_user.uid, 0640);
    make_folder(home / "incoming/folder", ftp_user.uid);
    make_folder(home / "closed", ftp_user.uid, 0750);
    write_file(home / "closed/inside", "i", ftp_user.uid);
    set_times(home);
}

Steps sessions::visit() {
    return {
        say("PWD"),
        say("TYPE I"),
        receive("NLST"),
        receive("RETR readme"),
        receive("RETR private"),
        receive("RETR unreadable"),
        receive("NLST closed")
            .but(different::missing, "550 Failed to open directory. (Permission denied)\n"),
        say("CWD closed"),
        say("CWD /incoming"),
        receive("RETR group"),
        say("SIZE group"),
        say("MDTM group"),
        send("STOR new", "new"),
        send("STOR new", "again"),
        send("STOR old", "x"),
        send("APPE old", "x"),
        say("MKD d"),
        say("RMD folder"),
        say("DELE old"),
        say("RNFR old"),
        say("RNTO other"),
        say("SITE HELP"),
        say("SITE CHMOD 777 old"),
        say("SITE UMASK"),
        say("MDTM 20200101000000 old"),
        say("STAT"),
        say("STAT /"),
    };
}

TEST_P(SideBySideAnonymous, IsTheSame) { compare(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    All, SideBySideAnonymous,
    testing::Values(
        Talk{.name = "WithoutWriteEnable",
             .options = {"anonymous_enable=YES", "write_enable=NO", "anon_upload_enable=YES",
                         "anon_mkdir_write_enable=YES", "anon_other_write_enable=YES"},
             .steps = visit(),
             .as = &anonymous,
             .furnish = furnish_public},
        Talk{.name = "DoesEverything",
             .options = {"anonymous_enable=YES", "anon_upload_enable=YES",
                         "anon_mkdir_write_enable=YES", "anon_other_write_enable=YES",
                         "anon_umask=022", "anon_max_rate=1000000"},
             .steps = visit(),
             .as = &anonymous,
             .furnish = furnish_public},
        Talk{.name = "OtherRoot",
             .options = {"anonymous_enable=YES", "anon_root=incoming"},
             .steps = {say("PWD"), receive("NLST"), say("CWD .."), receive("NLST")},
             .as = &anonymous,
             .furnish =
                 [] {
                     furnish_public();
                     make_folder(home_of(ftp_user) / "incoming");
                 }},
        Talk{.name = "Guest",
             .options = {"guest_enable=YES", "guest_username=ftp", "anon_upload_enable=YES"},
             .steps = visit(),
             .furnish = furnish_public},
        Talk{.name = "GuestWithLocalRights",
             .options = {"guest_enable=YES", "guest_username=ftp", "virtual_use_local_privs=YES",
                         "chroot_local_user=YES"},
             .steps = {receive("NLST closed"), receive("RETR unreadable"), say("CWD incoming"),
                       say("TYPE I"), send("STOR old", "x"), send("APPE old", "x"), say("MKD d"),
                       say("RMD folder"), say("RNFR old"), say("RNTO other"), say("SITE HELP"),
                       say("SITE CHMOD 777 other"), say("DELE group"), say("STAT")},
             .furnish = furnish_public}),
    name_of);
