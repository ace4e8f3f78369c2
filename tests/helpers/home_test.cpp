// SPDX-License-Identifier: MIT
// Homes, opened for users who may have prepared them.
#include "helpers/home.hpp"

#include "tests/helpers/people.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using base::Fd;
using helpers::Decision;
using helpers::Home;
using helpers::open_home;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr uid_t ann = 31001;
constexpr uid_t bob = 31005;
constexpr gid_t users = 31002;
constexpr gid_t web = 31003;
const jail::Identity her{ann, users, {web}};

std::string where(const Fd& directory) {
    return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(directory.get()));
}

Decision jailed_in(std::string first, std::string second = {}, std::string start = {}) {
    Decision decision;
    decision.jailed = true;
    decision.first = std::move(first);
    decision.second = std::move(second);
    decision.start = std::move(start);
    return decision;
}

Decision starting_in(std::string first, std::string second = {}, std::string start = {}) {
    auto decision = jailed_in(std::move(first), std::move(second), std::move(start));
    decision.jailed = false;
    decision.second_may_fail = true;
    return decision;
}

struct OpenHome : testing::Test {
    observed::Directory top;
    std::string home;

    void SetUp() override {
        NEEDS_ROOT();
        people::are({{"ann", ann, users, "", {}}});
        home = top.directory("ann", ann, 0700);
    }

    void TearDown() override {
        if (::geteuid() != 0) return;
        const observed::Facts facts(::getpid());
        EXPECT_EQ(facts.status("Uid"), "0 0 0 0") << "not root again";
        EXPECT_EQ(facts.status("Gid"), "0 0 0 0") << "not root again";
    }

    static Home opened(const Decision& decision) {
        auto result = open_home(decision, her);
        if (!result) {
            ADD_FAILURE() << result.error().reason;
            return {};
        }
        EXPECT_NE(::fcntl(result.value().root.get(), F_GETFL) & O_PATH, 0);
        EXPECT_NE(::fcntl(result.value().root.get(), F_GETFD) & FD_CLOEXEC, 0);
        return std::move(result.value());
    }

    static helpers::NoHome refused(const Decision& decision) {
        auto result = open_home(decision, her);
        if (result) {
            ADD_FAILURE() << "opened " << where(result.value().root);
            return {};
        }
        return result.error();
    }
};

// ----- the way there

TEST_F(OpenHome, IsTheRootOfAJail) {
    const auto result = opened(jailed_in(home));
    EXPECT_EQ(where(result.root), home);
    EXPECT_EQ(result.root_path, home);
    EXPECT_EQ(result.start, "/");
}

TEST_F(OpenHome, IsTheStartOfOneWhoIsNotJailed) {
    const auto result = opened(starting_in(home));
    EXPECT_EQ(where(result.root), "/");
    EXPECT_EQ(result.root_path, "/");
    EXPECT_EQ(result.start, home);
}

TEST_F(OpenHome, GoesOnToLocalRoot) {
    const auto inside = top.directory("ann/files", ann);
    const auto elsewhere = top.directory("srv");
    for (const auto* path : {"files", "./files", "files/", "../ann/files"})
        EXPECT_EQ(where(opened(jailed_in(home, path)).root), inside) << path;
    EXPECT_EQ(where(opened(jailed_in(home, elsewhere)).root), elsewhere);
    EXPECT_EQ(where(opened(jailed_in(home, "..")).root), top.path());
    EXPECT_EQ(opened(jailed_in(home, "../ann/files")).root_path, inside);
    EXPECT_EQ(opened(starting_in(home, "files")).start, inside);
    EXPECT_EQ(opened(starting_in(home, elsewhere)).start, elsewhere);
}

TEST_F(OpenHome, NeedsLocalRootForAJailOnly) {
    const auto missing = refused(jailed_in(home, "missing"));
    EXPECT_EQ(missing.path, "missing");
    EXPECT_THAT(missing.reason, HasSubstr(home + "/missing: No such file or directory"));
    EXPECT_EQ(opened(starting_in(home, "missing")).start, home);
    top.directory("ann/closed", bob, 0700);
    EXPECT_EQ(opened(starting_in(home, "closed")).start, home);
    EXPECT_EQ(refused(jailed_in(home, "closed")).path, "closed");
}

TEST_F(OpenHome, AsksForTheHomeEvenWhereLocalRootIsElsewhere) {
    const auto elsewhere = top.directory("srv");
    for (const auto& decision :
         {jailed_in(top.path("missing"), elsewhere), starting_in(top.path("missing"), elsewhere)})
        EXPECT_EQ(refused(decision).path, top.path("missing"));
}

// ----- where in the jail to start

TEST_F(OpenHome, StartsBehindTheDots) {
    top.directory("ann/in", ann);
    top.directory("ann/in/deep", ann);
    for (const auto* start : {"in/deep", "/in/deep", "in/../in/deep", "../../in/deep"})
        EXPECT_EQ(opened(jailed_in(home, {}, start)).start, "/in/deep") << start;
    EXPECT_EQ(opened(jailed_in(home, {}, ".")).start, "/");
    EXPECT_EQ(opened(jailed_in(home, "in", "deep")).start, "/deep");
    EXPECT_EQ(opened(starting_in(home, {}, "in/deep")).start, home + "/in/deep");
}

TEST_F(OpenHome, StartsAtTheTopWhereTheDotsLeadNowhere) {
    top.directory("ann/closed", bob, 0700);
    top.file("ann/file");
    for (const auto* start : {"missing", "closed", "file", "missing/../.."}) {
        EXPECT_EQ(opened(jailed_in(home, {}, start)).start, "/") << start;
        EXPECT_EQ(opened(starting_in(home, {}, start)).start, home) << start;
    }
}

TEST_F(OpenHome, NeverStartsOutsideTheJail) {
    top.directory("outside");
    top.directory("ann/etc", ann);
    top.link("ann/up", "../outside", ann);
    top.link("ann/absolute", top.path("outside"), ann);
    top.link("ann/to-etc", "/etc", ann);  // of the jail
    top.link("ann/magic", "/proc/self/root", ann);
    EXPECT_EQ(opened(jailed_in(home, {}, "up")).start, "/");
    EXPECT_EQ(opened(jailed_in(home, {}, "absolute")).start, "/");
    EXPECT_EQ(opened(jailed_in(home, {}, "to-etc")).start, "/etc");
    EXPECT_EQ(opened(jailed_in(home, {}, "magic")).start, "/");
    EXPECT_EQ(opened(jailed_in(home, {}, "../../../..")).start, "/");
}

TEST_F(OpenHome, TakesTheHostsRootForAJailIfItMust) {
    const auto result = opened(jailed_in("/", {}, "usr"));
    EXPECT_EQ(where(result.root), "/");
    EXPECT_EQ(result.start, "/usr");
    EXPECT_EQ(opened(jailed_in("/")).start, "/");
}

// ----- links

TEST_F(OpenHome, RefusesALinkThatTheUserPlantedInPlaceOfTheHome) {
    top.directory("shared", 0, 0777);
    const auto planted = top.link("shared/ann", "/etc", ann);
    const auto no = refused(jailed_in(planted));
    EXPECT_EQ(no.path, planted);
    EXPECT_THAT(no.reason,
                AllOf(HasSubstr(planted + " is a symbolic link that its user could have made"),
                      HasSubstr("name the directory that it leads to"),
                      HasSubstr("make the link root's in a directory of root's")));
}

TEST_F(OpenHome, RefusesALinkThatTheUserPlantedOnTheWay) {
    top.link("ann/ftp", "/", ann);
    EXPECT_THAT(refused(jailed_in(home + "/ftp/etc")).reason,
                HasSubstr(home + "/ftp is a symbolic"));
    EXPECT_THAT(refused(jailed_in(home, "ftp")).reason, HasSubstr("is a symbolic link"));
    EXPECT_THAT(refused(jailed_in(home, home + "/ftp")).reason, HasSubstr("is a symbolic link"));
    EXPECT_EQ(refused(jailed_in(home, "ftp/etc")).path, "ftp/etc");
    // Root's link in her directory: she may have put something else in its place.
    top.link("ann/roots", "/etc");
    EXPECT_THAT(refused(jailed_in(home, "roots")).reason, HasSubstr("is a symbolic link"));
}

TEST_F(OpenHome, FollowsTheAdministratorsLink) {
    const auto data = top.directory("data");
    const auto real = top.directory("data/ann", ann, 0700);
    const auto link = top.link("link", "data/ann");
    const auto result = opened(jailed_in(link));
    EXPECT_EQ(where(result.root), real);
    EXPECT_EQ(result.root_path, real) << "told is where it is";
    top.link("all", data);
    EXPECT_EQ(where(opened(jailed_in(top.path("all/ann"))).root), real);
}

TEST_F(OpenHome, FollowsEveryLinkForOneWhoIsNotJailed) {
    top.link("ann/usr", "/usr", ann);
    EXPECT_EQ(opened(starting_in(home + "/usr")).start, "/usr");
    EXPECT_EQ(opened(starting_in(home, "usr")).start, "/usr");
    EXPECT_EQ(opened(starting_in(home, {}, "usr")).start, "/usr");
}

// ----- rights, and how a refusal is told

TEST_F(OpenHome, IsEnteredWithTheUsersOwnRights) {
    const auto closed = top.directory("closed", bob, 0700);
    const auto behind = top.directory("closed/ann", ann);
    for (const auto& decision : {jailed_in(behind), starting_in(behind), jailed_in(home, behind)}) {
        const auto no = refused(decision);
        EXPECT_EQ(no.path, behind);
        EXPECT_THAT(
            no.reason,
            AllOf(StartsWith("cannot enter the directory " + behind),
                  HasSubstr("Permission denied"),
                  HasSubstr(closed + " is closed to uid 31001 (owner uid 31005; group gid 0; "
                                     "mode 0700)"),
                  HasSubstr("give the right to pass (x)")));
    }
    for (const auto& decision : {jailed_in(closed), starting_in(closed)})
        EXPECT_THAT(refused(decision).reason, HasSubstr(closed + " is closed to uid 31001"));
}

TEST_F(OpenHome, NamesTheOwnerWhereHeHasAName) {
    const auto mine = top.directory("mine", ann, 0600);
    EXPECT_THAT(refused(jailed_in(mine)).reason,
                HasSubstr("owner ann, uid 31001; group gid 0; mode 0600"));
}

TEST_F(OpenHome, NeedsTheRightToPassAndNoOther) {
    const auto passable = top.directory("passable", 0, 0711);
    EXPECT_EQ(where(opened(jailed_in(passable)).root), passable);
    EXPECT_EQ(opened(starting_in(passable)).start, passable);
    const auto readable = top.directory("readable", 0, 0744);
    EXPECT_THAT(refused(jailed_in(readable)).reason, HasSubstr("mode 0744"));
    EXPECT_THAT(refused(starting_in(readable)).reason, HasSubstr("mode 0744"));
}

TEST_F(OpenHome, KnowsAllTheUsersGroups) {
    for (const auto group : {users, web}) {
        const auto name = std::to_string(group);
        const auto open = top.directory(name, bob, 0710, group);
        EXPECT_EQ(where(opened(jailed_in(open)).root), open);
    }
    // Not the groups of this process.
    EXPECT_THAT(refused(jailed_in(top.directory("roots", bob, 0770, 0))).reason,
                HasSubstr("is closed to uid 31001"));
}

TEST_F(OpenHome, TellsWhatToDoAboutAMissingOne) {
    const auto no = refused(jailed_in(top.path("nowhere/ann")));
    EXPECT_EQ(no.path, top.path("nowhere/ann"));
    EXPECT_THAT(no.reason, AllOf(HasSubstr(top.path("nowhere") + ": No such file or directory"),
                                 HasSubstr("create it for uid 31001")));
    EXPECT_THAT(refused(jailed_in(top.file("file"))).reason, HasSubstr("must be a directory"));
    EXPECT_THAT(refused(starting_in(top.path("file"))).reason, HasSubstr("must be a directory"));
}

TEST_F(OpenHome, NeedsAnAbsoluteOneOrNothingGoes) {
    for (const auto& decision : {jailed_in(""), starting_in("")})
        EXPECT_THAT(refused(decision).reason, HasSubstr("no home directory"));
    for (const auto& decision : {jailed_in("etc"), starting_in("etc"), jailed_in("../etc")})
        EXPECT_THAT(refused(decision).reason, HasSubstr("is not absolute"));
}

TEST_F(OpenHome, IsRefusedToAnImpossibleIdentity) {
    const jail::Identity impossible{static_cast<uid_t>(-1), users, {}};
    EXPECT_FALSE(open_home(jailed_in(top.path()), impossible));
    EXPECT_FALSE(open_home(starting_in(top.path()), impossible));
}

TEST_F(OpenHome, LeavesNoDescriptorBehind) {
    const auto count = [] { return observed::Facts(::getpid()).descriptors().size(); };
    top.link("ann/planted", "/etc", ann);
    const auto before = count();
    for (int i = 0; i < 20; ++i) {
        (void)opened(jailed_in(home, {}, "missing"));
        (void)opened(starting_in(home, "missing"));
        (void)refused(jailed_in(home, "planted"));
    }
    EXPECT_EQ(count(), before);
}

// ----- a root that its user may write to

struct WritableRoot : OpenHome {
    static std::string hint(const std::string& path, bool option_helps = true) {
        return writable_root_hint(opened(jailed_in(path)), her, option_helps);
    }
};

TEST_F(WritableRoot, IsDescribedWithItsTwoWaysOut) {
    EXPECT_EQ(hint(home), "the root directory " + home +
                              " (owner ann, uid 31001; group gid 0; mode 0700) is writable for uid "
                              "31001: take that right away (chmod a-w " +
                              home +
                              ") and give the user a directory in it to write to, or set "
                              "allow_writeable_chroot=YES");
    EXPECT_THAT(hint(home, false), Not(HasSubstr("allow_writeable_chroot")));
}

TEST_F(WritableRoot, IsWhatTheUserMayWriteToByWhateverRight) {
    EXPECT_NE(hint(top.directory("group", bob, 0775, web)), "");
    EXPECT_NE(hint(top.directory("everybody", bob, 0777)), "");
    EXPECT_EQ(hint(top.directory("bobs", bob, 0755, users)), "");
    EXPECT_EQ(hint(top.directory("roots")), "");
    // vsftpd too: who owns it could change that, but it is what administrators are told to do.
    EXPECT_EQ(hint(top.directory("locked", ann, 0555)), "");
}

}  // namespace
