// SPDX-License-Identifier: MIT
// The handlers of command_table.cpp; each takes the argument and returns the last reply. Run in the
// session.
#pragma once

#include "ftp/replies.hpp"

#include <string_view>

namespace session {
struct Session;
}

namespace session::commands {

using ftp::Reply;

// data.cpp
Reply port(Session& session, std::string_view argument);
Reply eprt(Session& session, std::string_view argument);
Reply pasv(Session& session, std::string_view);
Reply epsv(Session& session, std::string_view argument);
Reply type(Session& session, std::string_view argument);
Reply mode(Session& session, std::string_view argument);
Reply stru(Session& session, std::string_view argument);
Reply rest(Session& session, std::string_view argument);
Reply rang(Session& session, std::string_view argument);
Reply allo(Session& session, std::string_view);
Reply abor(Session& session, std::string_view);
Reply ccc(Session& session, std::string_view);
Reply pbsz(Session& session, std::string_view);
Reply prot(Session& session, std::string_view);

// transfer.cpp
Reply retr(Session& session, std::string_view path);
Reply stor(Session& session, std::string_view path);
Reply appe(Session& session, std::string_view path);
Reply stou(Session& session, std::string_view path);

// listing.cpp
Reply list(Session& session, std::string_view argument);
Reply nlst(Session& session, std::string_view argument);
Reply mlsd(Session& session, std::string_view path);
Reply mlst(Session& session, std::string_view path);
Reply stat_path(Session& session, std::string_view argument);  // STAT with an argument

// files.cpp
Reply pwd(Session& session, std::string_view);
Reply cwd(Session& session, std::string_view path);
Reply cdup(Session& session, std::string_view);
Reply mkd(Session& session, std::string_view path);
Reply rmd(Session& session, std::string_view path);
Reply dele(Session& session, std::string_view path);
Reply rnfr(Session& session, std::string_view path);
Reply rnto(Session& session, std::string_view path);
Reply size(Session& session, std::string_view path);
Reply mdtm(Session& session, std::string_view argument);
Reply mfmt(Session& session, std::string_view argument);
Reply mff(Session& session, std::string_view argument);
Reply hash(Session& session, std::string_view path);
Reply xcrc(Session& session, std::string_view path);
Reply xmd5(Session& session, std::string_view path);
Reply xsha1(Session& session, std::string_view path);
Reply xsha256(Session& session, std::string_view path);
Reply avbl(Session& session, std::string_view path);

// site.cpp
Reply site(Session& session, std::string_view argument);

// info.cpp
Reply feat(Session& session, std::string_view);
Reply help(Session& session, std::string_view topic);
Reply syst(Session& session, std::string_view);
Reply noop(Session& session, std::string_view);
Reply stat(Session& session, std::string_view argument);
Reply opts(Session& session, std::string_view argument);
Reply clnt(Session& session, std::string_view);
Reply host(Session& session, std::string_view);
Reply user(Session& session, std::string_view name);
Reply pass(Session& session, std::string_view);
Reply quit(Session& session, std::string_view);
Reply rein(Session& session, std::string_view);
Reply acct(Session& session, std::string_view);
Reply smnt(Session& session, std::string_view);

}  // namespace session::commands
