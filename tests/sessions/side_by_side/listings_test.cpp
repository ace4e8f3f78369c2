// SPDX-License-Identifier: MIT
// Side by side with vsftpd: listings, byte by byte.
#include "tests/sessions/side_by_side/side_by_side.hpp"

using namespace sessions;

namespace {

class SideBySideListings : public SideBySide {};

const std::string nothing_there = "550 Failed to open directory. (No such file or directory)\n";
const std::string forbidden = "550 Failed to open directory. (Permission denied)\n";
const std::string only_a = "150 Here comes the directory listing.\na.txt\r\n226 Directory send OK.";
const std::string only_symlink =
    "150 Here comes the directory listing.\nsymlink\r\n226 Directory send OK.";

}  // namespace

TEST_P(SideBySideListings, AreTheSame) { compare(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    All, SideBySideListings,
    testing::Values(
        Talk{.name = "Folders",
             .steps = {receive("LIST files"), say("CWD files"), receive("LIST"), receive("NLST"),
                       receive("LIST dir"), receive("NLST dir"), receive("LIST dir/"),
                       receive("NLST dir/"), receive("LIST empty"), receive("NLST empty"),
                       receive("LIST link"), receive("NLST link/"), receive("LIST two words"),
                       receive("NLST .."), receive("NLST ."), receive("NLST ./dir"),
                       receive("LIST ~/files/dir"), receive("LIST dir/sub")}},
        Talk{.name = "Options",
             .steps = {say("CWD files"),
                       receive("LIST -a"),
                       receive("LIST -l"),
                       receive("LIST -al"),
                       receive("LIST -la dir"),
                       receive("NLST -a"),
                       receive("NLST -l"),
                       receive("NLST -la dir"),
                       receive("LIST -r"),
                       receive("LIST -t"),
                       receive("LIST -tr"),
                       receive("NLST -t"),
                       receive("LIST -F"),
                       receive("NLST -F"),
                       receive("LIST -R"),
                       receive("NLST -R"),
                       receive("LIST -1"),
                       receive("LIST -d dir"),
                       receive("LIST --"),
                       receive("LIST -"),
                       receive("NLST -aF dir"),
                       receive("LIST -X dir"),
                       receive("LIST -U").but(different::unsorted),
                       receive("LIST -a -t").but(different::missing, nothing_there),
                       receive("LIST dir -a").but(different::missing, nothing_there),
                       receive("LIST  -a").but(different::missing, nothing_there),
                       receive("LIST -a  dir").but(different::missing, nothing_there)}},
        Talk{.name = "Patterns",
             .steps = {say("CWD files"),
                       receive("LIST *.dat"),
                       receive("NLST b*.txt"),
                       receive("NLST *"),
                       receive("NLST {b,c}.txt"),
                       receive("NLST {b.txt,c*}"),
                       receive("NLST dir/*"),
                       receive("LIST dir/*"),
                       receive("NLST .d*"),
                       receive("NLST -a *"),
                       receive("NLST *nothing*"),
                       receive("LIST b.txt"),
                       receive("NLST b.txt"),
                       receive("LIST dir/inner.txt"),
                       receive("NLST dir/inner.txt"),
                       receive("NLST {a"),
                       receive("NLST {}"),
                       receive("LIST name with*"),
                       receive("NLST ./*.dat"),
                       receive("NLST ?")}},
        Talk{.name = "PatternsAndLinks",
             .steps = {say("CWD files"), receive("NLST a.t?t").but(different::patterns, only_a),
                       receive("NLST a.txt").but(different::patterns, only_a),
                       receive("NLST sym*").but(different::patterns, only_symlink),
                       receive("NLST symlink").but(different::patterns, only_symlink),
                       receive("NLST {,a}.txt").but(different::patterns, only_a)}},
        Talk{.name = "WhatIsNotThere",
             .steps = {say("CWD files"),
                       receive("LIST nothing").but(different::missing, nothing_there),
                       receive("NLST nothing").but(different::missing, nothing_there),
                       receive("LIST nowhere/x").but(different::missing, nothing_there),
                       receive("NLST nowhere/*").but(different::missing, nothing_there),
                       receive("NLST a}").but(different::missing, nothing_there),
                       receive("LIST closed").but(different::missing, forbidden),
                       receive("LIST closed/").but(different::missing, forbidden),
                       receive("NLST closed").but(different::missing, forbidden),
                       receive("NLST closed/x").but(different::missing, forbidden),
                       receive("LIST broken"),
                       say("STAT nothing")
                           .but(different::missing,
                                "550 Failed to open directory. (No such file or directory)"),
                       say("STAT nowhere/x")
                           .but(different::missing,
                                "550 Failed to open directory. (No such file or directory)"),
                       say("STAT closed")
                           .but(different::missing,
                                "550 Failed to open directory. (Permission denied)")}},
        Talk{.name = "OverTheControlConnection",
             .steps = {say("CWD files"), say("STAT ."), say("STAT dir"), say("STAT b.txt"),
                       say("STAT b*.txt"), say("STAT -r dir"), say("STAT name with blanks"),
                       say("STAT link"), say("STAT empty")}},
        Talk{.name = "InAJail",
             .options = {"chroot_local_user=YES"},
             .steps = {receive("LIST"), receive("LIST -a"), receive("LIST /files"),
                       receive("NLST /files"), receive("NLST ../../files"), receive("LIST /"),
                       receive("NLST /files/dir/*")}},
        Talk{.name = "LocalTime",
             .options = {"use_localtime=YES"},
             .steps = {receive("LIST files")},
             .environment = {"TZ=XST-3"}},
        Talk{.name = "LocalTimeWest",
             .options = {"use_localtime=YES"},
             .steps = {receive("LIST files")},
             .environment = {"TZ=XST11"}},
        Talk{.name = "HiddenFiles",
             .options = {"hide_file={b.txt,empty}"},
             .steps = {say("CWD files"), receive("LIST"), receive("NLST -a"),
                       receive("NLST b*.txt"), receive("LIST empty"), say("STAT .")}},
        Talk{.name = "HiddenFilesAndLinks",
             .options = {"hide_file=dir"},
             .steps = {say("CWD files"), receive("NLST -a").but(different::patterns)}},
        Talk{.name = "WideNumbers",
             .steps = {receive("LIST files/wide")},
             .furnish =
                 [] {
                     make_folder(home_of(alice) / "files/wide", 123456789);
                     write_file(home_of(alice) / "files/wide/f", "x", 123456789);
                     std::filesystem::resize_file(home_of(alice) / "files/wide/f", 12345678901);
                 }}),
    name_of);
