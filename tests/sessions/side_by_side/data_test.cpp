// SPDX-License-Identifier: MIT
// Side by side with vsftpd: how data connections are asked for.
#include "tests/sessions/side_by_side/side_by_side.hpp"

using namespace sessions;

namespace {

class SideBySideData : public SideBySide {};

}  // namespace

TEST_P(SideBySideData, IsTheSame) { compare(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    All, SideBySideData,
    testing::Values(
        Talk{.name = "Passive",
             .steps = {say("PASV"), say("PASV x"), say("P@SW"), say("EPSV"), say("EPSV 1"),
                       say("EPSV 2"), say("EPSV 3"), say("EPSV x"), say("epsv all"), say("PASV"),
                       say("P@SW").but(different::old_spellings, "550 Permission denied."),
                       say("PORT 127,0,0,1,200,10"), say("EPRT |1|127.0.0.1|51210|"), say("EPSV"),
                       say("EPSV ALL")}},
        Talk{.name = "PassiveOverIpv6",
             .steps = {say("PASV").but(different::pasv_over_ipv6), say("EPSV"), say("EPSV 1"),
                       say("EPSV 2"), say("EPSV 3")},
             .address = "::1"},
        Talk{
            .name = "Port",
            .steps = {say("PORT 127,0,0,1,200,10"), say("PORT"), say("PORT x"),
                      say("PORT 127,0,0,1"), say("PORT 127,0,0,1,200"),
                      say("PORT 127,0,0,1,200,10,5"),
                      say("PORT 127,0,0,1,200,10x")
                          .but(different::no_numbers, "500 Illegal PORT command."),
                      say("PORT 127,0,0,1,256,10"), say("PORT 127,0,0,300,200,10"),
                      say("PORT 127,0,0,1,3,255"), say("PORT 127,0,0,1,4,0"),
                      say("PORT 127,0,0,2,200,10"), say("PORT 192,0,2,1,200,10"),
                      say("PORT 127.0.0.1.200.10"), say("PORT -1,0,0,1,200,10"),
                      say("PORT 127,0,0,1,200, 10")
                          .but(different::no_numbers, "500 Illegal PORT command."),
                      say("PORT 0,0,0,0,0,0"), say("PORT 127,0,0,1,,10"), say("RETR files/a.txt")}},
        Talk{.name = "Eprt",
             .steps =
                 {say("EPRT |1|127.0.0.1|51210|"),
                  say("EPRT").but(different::no_numbers, "500 Bad EPRT command."), say("EPRT x"),
                  say("EPRT |"), say("EPRT |1|127.0.0.1|51210"), say("EPRT |1|127.0.0.1|80|"),
                  say("EPRT |2|::1|51210|"), say("EPRT |3|127.0.0.1|51210|"),
                  say("EPRT |1|127.0.0.2|51210|"), say("EPRT |1|nonsense|51210|"),
                  say("EPRT |1||51210|"), say("EPRT |1|127.0.0.1|99999|"),
                  say("EPRT |1|127.0.0.1|x|").but(different::no_numbers, "500 Bad EPRT command."),
                  say("EPRT |1|127.0.0.1|51210|x"), say("EPRT !1!127.0.0.1!51210!"),
                  say("EPRT ||127.0.0.1|51210|"), say("EPRT |1|127.0.0.1|51210||")}},
        Talk{.name = "EprtOverIpv6",
             .steps = {say("EPRT |2|::1|51210|"), say("EPRT |2|::2|51210|"),
                       say("EPRT |2|::1|1023|"), say("EPRT |1|127.0.0.1|51210|"),
                       say("EPRT |2|127.0.0.1|51210|")
                           .but(different::no_numbers, "500 Bad EPRT command."),
                       say("PORT 127,0,0,1,200,10"), say("EPRT |3|::1|51210|"),
                       say("EPRT |2||51210|").but(different::no_numbers, "500 Bad EPRT command.")},
             .address = "::1"},
        Talk{.name = "NobodyListens",
             .steps = {say("PORT 127,0,0,1,200,10"), say("RETR files/a.txt"),
                       say("PORT 127,0,0,1,200,10"), say("LIST"), say("PORT 127,0,0,1,200,10"),
                       say("STOR files/new"), say("LIST")},
             .disk = &different::early_changes},
        Talk{.name = "NobodyConnects",
             .options = {"accept_timeout=1"},
             .steps = {say("PASV"), say("RETR files/a.txt"), say("PASV"), say("STOR files/new"),
                       say("PASV"), say("LIST"), say("RETR files/a.txt")},
             .disk = &different::early_changes},
        Talk{.name = "NothingAskedFor",
             .steps = {say("RETR files/a.txt"), say("STOR files/x"), say("APPE files/x"),
                       say("STOU"), say("LIST"), say("NLST"), say("RETR files/nothing")}},
        Talk{.name = "RefusalsKeepThePort",
             .steps = {say("CWD files"), retry("RETR nothing", "RETR a.txt"),
                       retry("STOR closed/x", "LIST dir"), retry("RETR dir", "NLST dir"),
                       retry("SIZE nothing", "RETR a.txt")}}),
    name_of);
