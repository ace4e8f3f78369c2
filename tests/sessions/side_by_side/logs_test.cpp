// SPDX-License-Identifier: MIT
// Side by side with vsftpd: which log files are written, line by line.
#include "tests/sessions/side_by_side/side_by_side.hpp"

using namespace sessions;

namespace {

class SideBySideLogs : public SideBySide {};

const Steps deeds = {
    say("USER alice"),
    say("PASS wrong"),
    say("USER nobody-at-all"),
    say("PASS wrong"),
    say("USER alice"),
    say("PASS wonderland"),
    say("CWD files"),
    say("TYPE I"),
    send("STOR up load", "abc"),
    send("STOR empty.txt", ""),
    receive("RETR up load"),
    receive("RETR zero"),
    receive("RETR nothing"),
    receive("RETR dir"),
    receive("RETR secret"),
    send("STOR closed/x", "x"),
    send("APPE up load", "def"),
    receive("LIST"),
    say("TYPE A"),
    receive("RETR up load"),
    send("STOR text", "x"),
    say("MKD dd"),
    say("MKD dd"),
    say("RMD dd"),
    say("RMD dd"),
    say("RNFR up load"),
    say("RNTO up2"),
    say("RNFR up2"),
    say("RNTO nowhere/x"),
    say("RNFR nothing"),
    say("SITE CHMOD 600 up2"),
    say("SITE CHMOD 600 nothing"),
    say("DELE up2"),
    say("DELE up2"),
    say("MDTM 20200101000000 text"),
};

Lines with(Lines more) {
    more.insert(more.begin(), {"xferlog_enable=NO", "dual_log_enable=NO"});
    return more;
}

}  // namespace

TEST_P(SideBySideLogs, AreTheSame) { compare(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    All, SideBySideLogs,
    testing::Values(
        Talk{.name = "None", .options = with({}), .steps = deeds, .as = nullptr},
        Talk{.name = "Own", .options = with({"xferlog_enable=YES"}), .steps = deeds, .as = nullptr},
        Talk{.name = "Wu",
             .options = with({"xferlog_enable=YES", "xferlog_std_format=YES"}),
             .steps = deeds,
             .as = nullptr},
        Talk{.name = "StdFormatAlone",
             .options = with({"xferlog_std_format=YES"}),
             .steps = deeds,
             .as = nullptr},
        Talk{.name = "Both",
             .options = with({"dual_log_enable=YES", "chroot_local_user=YES"}),
             .steps = deeds,
             .as = nullptr},
        Talk{.name = "Protocol",
             .options = with({"xferlog_enable=YES", "log_ftp_protocol=YES"}),
             .steps = {say("SYST"), say("USER alice"), say("PASS wrong"), say("USER alice"),
                       say("PASS wonderland"), say("PWD"), say("NOOP x"), say("nonsense"),
                       say("SIZE files/a.txt"), receive("RETR files/a.txt"), say("STAT"),
                       say("QUIT"), hear()},
             .as = nullptr,
             .logs = &different::protocol_log},
        Talk{.name = "Anonymous",
             .options = {"anonymous_enable=YES", "anon_upload_enable=YES"},
             .steps = {say("USER ftp"), say("PASS me @ here"), say("CWD incoming"), say("TYPE I"),
                       send("STOR f", "abc"), send("STOR f", "x"), receive("RETR f"), connect(),
                       say("USER ftp"), say("PASS")},
             .as = nullptr},
        Talk{.name = "Guest",
             .options = {"guest_enable=YES", "guest_username=virtual", "anon_upload_enable=YES"},
             .steps = {say("CWD files"), say("TYPE I"), send("STOR f", "abc"), receive("RETR f")}}),
    name_of);
