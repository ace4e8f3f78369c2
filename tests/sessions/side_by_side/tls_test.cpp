// SPDX-License-Identifier: MIT
// Side by side with vsftpd: AUTH, PBSZ, PROT and what belongs to them, in whatever order.
#include "tests/sessions/side_by_side/over_tls.hpp"

using namespace sessions;

namespace {

class SideBySideTls : public SideBySide {};

Talk named(const char* name, Talk talk) {
    talk.name = name;
    return talk;
}

// With the session, before the upload is undone and logged.
Talk ended_by_vsftpd(Talk talk) {
    talk.disk = talk.logs = talk.xferlog = &different::tls_data;
    return talk;
}

const Lines unforced = {"force_local_logins_ssl=NO", "force_local_data_ssl=NO"};
const Lines data_forced = {"force_local_logins_ssl=NO", "force_local_data_ssl=YES"};

}  // namespace

TEST_P(SideBySideTls, IsTheSame) { compare(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    All, SideBySideTls,
    testing::Values(
        Talk{.name = "WithoutTlsThereIsNone",
             .steps = {say("PBSZ 0"),
                       say("PROT P"),
                       say("PROT"),
                       say("CCC"),
                       say("AUTH TLS"),
                       say("AUTH"),
                       say("USER alice"),
                       say("AUTH SSL"),
                       say("PBSZ"),
                       say("PROT C"),
                       say("PASS wonderland"),
                       say("PBSZ 0"),
                       say("PBSZ"),
                       say("PROT P"),
                       say("PROT E"),
                       say("PROT"),
                       say("CCC"),
                       say("AUTH TLS"),
                       say("AUTH"),
                       say("REIN"),
                       say("ADAT x"),
                       say("MIC x"),
                       say("CONF x"),
                       say("ENC x")},
             .as = nullptr},
        named("BeforeAuth", over_tls({}, {say("PBSZ 0"), say("PBSZ"), say("PROT P"), say("PROT C"),
                                          say("PROT E"), say("PROT"), say("CCC"), say("REIN"),
                                          say("ADAT x"), say("STAT"), say("USER alice"), hear()})),
        named("OddArgumentsOfAuth",
              over_tls({}, {say("AUTH"), say("AUTH "), say("AUTH NONSENSE"),
                            say("AUTH KERBEROS_V4"), say("AUTH GSSAPI"), say("AUTH TLS now"),
                            say("AUTH  TLS"), say("AUTH TLS-"), say("AUTHTLS"), say("AUTH\tTLS"),
                            secure("auth tls-c"), say("USER alice")})),
        named("AuthSslProtectsData",
              over_tls({},
                       {secure("AUTH SSL"), say("USER alice"), say("PASS wonderland"), say("STAT"),
                        receive("NLST files"), say("PROT C"), clear("NLST files")})),
        named("AuthTlsPProtectsData",
              over_tls(unforced, {secure("AUTH TLS-P"), say("USER alice"), say("PASS wonderland"),
                                  receive("NLST files"), say("PROT C"), clear("NLST files")})),
        named("AuthTlsCDoesNot",
              over_tls(unforced,
                       {secure("AUTH TLS-C"), say("USER alice"), say("PASS wonderland"),
                        say("STAT"), clear("NLST files"), say("PROT P"), receive("NLST files")})),
        named("BetweenUserAndPass",
              over_tls(unforced,
                       {say("USER alice"), secure("AUTH TLS"), say("PASS wonderland"), say("PWD"),
                        say("USER bob"), say("PASS builder"), say("USER alice")})),
        named("OfTlsBetweenUserAndPass",
              over_tls({},
                       {secure("AUTH TLS"), say("USER alice"), say("AUTH TLS"), say("PBSZ 0"),
                        say("PROT P"), say("NOOP"), say("CCC"), say("FEAT").but(different::modern),
                        say("PASS wonderland"), receive("NLST files")})),
        named("AuthTwice",
              over_tls({}, {secure("AUTH TLS"), say("AUTH TLS"), say("AUTH SSL"), say("AUTH"),
                            say("AUTH NONSENSE"), say("USER alice"), say("PASS wonderland"),
                            say("AUTH TLS"), say("AUTH SSL"), say("AUTH"), say("PWD")})),
        named("OddArgumentsBeforeLogin",
              over_tls({},
                       {secure("AUTH TLS"), say("PROT P"),        say("PBSZ"),
                        say("PBSZ 1024"),   say("PBSZ -1"),       say("PBSZ many"),
                        say("PBSZ 0 0"),    say("PROT"),          say("PROT S"),
                        say("PROT E"),      say("PROT X"),        say("PROT p"),
                        say("PROT c"),      say("prot s"),        say("PROT P P"),
                        say("PROT CLEAR"),  say("PROT  P"),       say("PBSZ 99999999999999999999"),
                        say("REIN"),        say("CCC"),           say("STAT"),
                        say("ADAT x"),      say("USER alice"),    say("PASS wonderland"),
                        say("STAT"),        receive("NLST files")})),
        named("OddArgumentsAfterLogin",
              over_tls({}, {secure("AUTH TLS"),   say("USER alice"), say("PASS wonderland"),
                            say("PROT P"),        say("PBSZ"),       say("PBSZ 1024"),
                            say("PBSZ -1"),       say("PBSZ many"),  say("PROT"),
                            say("PROT S"),        say("PROT E"),     say("PROT X"),
                            say("PROT p"),        say("STAT"),       say("PROT c"),
                            say("STAT"),          say("PROT P P"),   say("PROT CLEAR"),
                            say("ADAT x"),        say("MIC x"),      say("ENC x"),
                            say("CONF x"),        say("REIN"),       say("PROT P"),
                            receive("NLST files")})),
        named("CccIsNotForThem",
              over_tls({}, securely(alice,
                                    {say("CCC").but(different::ccc, "534 CCC is not allowed here."),
                                     say("PWD"), receive("NLST files")}))),
        named("CccWithoutTls", over_tls(unforced, {say("USER alice"), say("PASS wonderland"),
                                                   say("CCC").but(different::ccc), say("PWD")})),
        named("InClearThroughout",
              over_tls(unforced, {say("USER alice"), say("PASS wonderland"), say("STAT"),
                                  say("PBSZ 0"), say("PROT P"), say("PROT C"), say("PROT"),
                                  say("AUTH TLS"), say("AUTH"), clear("NLST files"),
                                  clear("STOR files/new", "content"), clear("RETR files/new")})),
        named("InClearWhereDataAreForced",
              over_tls(data_forced,
                       {say("USER alice"), say("PASS wonderland"), say("PROT P"),
                        clear("NLST files"), clear("LIST"), clear("STOR files/new", "content"),
                        clear("APPE files/a.txt", "more"), clear("STOU", "content"),
                        clear("RETR files/a.txt"), clear("RETR nowhere"), say("PWD")})),
        named("ClearDataWhereTheyAreForced",
              over_tls({}, {secure("AUTH TLS"), say("USER alice"), say("PASS wonderland"),
                            clear("NLST files"), clear("LIST"), clear("STOR files/new", "content"),
                            clear("APPE files/a.txt", "more"), clear("STOU", "content"),
                            clear("RETR files/a.txt"), clear("RETR nowhere"), say("REST 4"),
                            clear("RETR files/a.txt"), say("PROT P"), receive("RETR files/a.txt"),
                            say("NLST"), say("STOR files/new")})),
        named("ClearDataWhereTheyAreProtected",
              ended_by_vsftpd(over_tls(
                  unforced,
                  securely(alice, {clear("STOR files/new", "content that is no handshake")
                                       .but(different::tls_data,
                                            "150 Ok to send data.\n522 SSL connection failed"),
                                   say("NOOP").but(different::tls_data, "200 NOOP ok.")})))),
        named("WithoutDataConnection",
              over_tls({}, securely(alice, {say("NLST"), say("STOR files/new"), say("RETR nowhere"),
                                            say("RETR files/a.txt"), say("REST 4"),
                                            say("RETR files/a.txt"), receive("RETR files/a.txt"),
                                            say("REST 4"), say("STOR files/new"),
                                            receive("RETR files/a.txt"), say("REST 4"), say("STOU"),
                                            receive("RETR files/a.txt"), say("PROT C"), say("NLST"),
                                            say("RETR files/a.txt")}))),
        named("ActiveData",
              over_tls({}, securely(alice, {say("PORT 127,0,0,1,0,21"), say("PORT 9,9,9,9,9,9"),
                                            say("EPRT |1|127.0.0.1|21|"), say("NLST")}))),
        named("Implicit",
              over_tls({"implicit_ssl=YES"},
                       {say("AUTH TLS"), say("AUTH SSL"), say("AUTH"), say("PBSZ 1"), say("PROT S"),
                        say("PROT"), say("CCC"), say("USER alice"), say("AUTH TLS"),
                        say("PASS wonderland"), say("AUTH TLS"), say("PBSZ 0"), say("PROT E"),
                        clear("NLST files"), clear("STOR files/new", "content"), say("PROT P"),
                        receive("NLST files"), say("REIN"), say("USER bob")},
                       implicit())),
        named("ImplicitUnforced",
              over_tls({"implicit_ssl=YES", unforced[0], unforced[1]},
                       {say("USER alice"), say("PASS wonderland"), clear("NLST files"),
                        say("PROT P"), receive("NLST files"), say("PROT C"),
                        clear("RETR files/a.txt")},
                       implicit())),
        named("ImplicitWithoutSsl",
              Talk{.options = {"implicit_ssl=YES"},
                   .steps = {say("AUTH TLS"), say("PBSZ 0"), say("USER alice")},
                   .as = nullptr}),
        named("LinesBehindAuth",
              over_tls({}, {secure("AUTH TLS\r\nUSER alice")
                                .but(different::behind_auth,
                                     "234 Proceed with negotiation.\n"
                                     "TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384 one")}))),
    name_of);
