// SPDX-License-Identifier: MIT
// jailftpd.ini and the tenants' files: what is taken, and what nobody gets in by.
#include "config/ini_file.hpp"

#include "config/options.hpp"
#include "folder.hpp"
#include "problems.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pwd.h>

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view yescrypt =
    "$y$j9T$MSZjiK4tX0dZ1BrSHvkLh.$yVz3VF1Ivzr5hEKJfAYWHoNf8/E2iS4fGeXpzAvFNU1";
constexpr std::string_view bcrypt = "$2b$05$abcdefghijklmnopqrstuuMDFEpRDlIqE5ZcLZ7vYtz2Kd6MxDLtG";
constexpr std::string_view sha512 =
    "$6$saltstring$zw6YcBRuwlGueZoWIkK6CRJbQmJbhVf1zPxCfDBsJpbBlxfJ610F8Vp0i93QFh0Amo"
    "Ye0z/GrJISxBfRQSsGe1";

struct Loaded {
    config::Configuration configuration;
    config::Problems problems;
};

Loaded load_file(const std::string& path, bool tenants_only = false, bool must_exist = true) {
    Loaded loaded;
    config::read_ini_file(path, must_exist, tenants_only, loaded.configuration, loaded.problems);
    config::finish_tenants(loaded.configuration, loaded.problems);
    return loaded;
}

Loaded load(std::string_view content) {
    const test::Folder folder;
    return load_file(folder.write("jailftpd.ini", content));
}

std::string tenant(std::string_view name, std::string_view more = {}) {
    return "[tenant " + std::string(name) + "]\npassword = " + std::string(sha512) +
           "\nhome = /srv/" + std::string(name) + "\nuid = 1234\n" + std::string(more);
}

TEST(IniFile, HoldsServerLogAndTenants) {
    const auto loaded = load(
        "; a comment\n"
        "# another\n"
        "[server]\n"
        "grace = 5\n"
        "guest_user=nobody\n"
        "\n"
        "[log]\n"
        "json = /var/log/jailftpd.json\n"
        "level = debug\n" +
        tenant("carl") + "[tenant alice]\npassword=" + std::string(yescrypt) +
        "\nhome=/srv/my files\nuid = 2000\ngid = 2001\ngroups = 5, 6 7\nwrite_enable = "
        "YES\nlocal_umask = 022\n");
    EXPECT_THAT(test::texts(loaded.problems), IsEmpty());
    const auto& configuration = loaded.configuration;
    EXPECT_EQ(configuration.native.grace, 5U);
    EXPECT_EQ(configuration.native.guest_user, "nobody");
    EXPECT_EQ(configuration.native.json_log, "/var/log/jailftpd.json");
    EXPECT_EQ(configuration.native.log_level, "debug");
    ASSERT_EQ(configuration.tenants.size(), 2U);
    const auto& alice = configuration.tenants[0];
    EXPECT_EQ(alice.name, "alice");
    EXPECT_EQ(alice.password, yescrypt);
    EXPECT_EQ(alice.home, "/srv/my files");
    EXPECT_EQ(alice.uid, 2000U);
    EXPECT_EQ(alice.gid, 2001U);
    EXPECT_EQ(alice.groups, (std::vector<gid_t>{5, 6, 7}));
    config::Options options;
    ASSERT_TRUE(config::apply_overrides(options, alice.overrides));
    EXPECT_TRUE(options.write_enable);
    EXPECT_EQ(options.local_umask, 022U);
    EXPECT_EQ(configuration.tenants[1].name, "carl");
    EXPECT_EQ(configuration.tenants[1].overrides, "");
}

TEST(IniFile, HoldsWhatTenantsAndGroupsHaveBesidesTheirHomes) {
    const auto loaded = load(
        "[group root]\nbind = /srv/a:/a\nbind = /srv//b/:/x/b/:rw\nread_only = yes\n"
        "memory = 64M\nprocesses = 10\ncpu_weight = 50\nio_weight = 10000\n" +
        tenant("alice", "bind = /srv/c:/c:ro,nosymfollow\n"));
    EXPECT_THAT(test::texts(loaded.problems), IsEmpty());
    const auto& configuration = loaded.configuration;
    ASSERT_EQ(configuration.groups.size(), 1U);
    const auto& root = configuration.groups.front();
    EXPECT_EQ(root.name, "root");
    EXPECT_EQ(root.gid, 0U);
    const config::Confinement expected{
        .binds = {{"/srv/a", "/a", false, false}, {"/srv/b", "/x/b", true, false}},
        .read_only = true,
        .memory = 64 << 20,
        .processes = 10,
        .cpu_weight = 50,
        .io_weight = 10000};
    EXPECT_EQ(root.confinement, expected);
    ASSERT_EQ(configuration.tenants.size(), 1U);
    const std::vector<config::Bind> alices{{"/srv/c", "/c", false, true}};
    EXPECT_EQ(configuration.tenants.front().confinement.binds, alices);
}

TEST(IniFile, TakesNoBindOrLimitThatIsUnclear) {
    for (const auto* wrong : {"bind = /srv/a",
                              "bind = srv:/a",
                              "bind = /srv:a",
                              "bind = /srv:/",
                              "bind = /:/a",
                              "bind = /srv/../etc:/a",
                              "bind = /srv:/a/../../b",
                              "bind = /srv:/./a",
                              "bind = /srv:/a:wr",
                              "bind = /srv:/a:",
                              "bind = /srv:/a:ro:rw",
                              "bind =",
                              "bind = /srv:/a\nbind = /etc:/a",
                              "read_only = perhaps",
                              "memory = 1T",
                              "memory = -1",
                              "memory = 99999999999999999999",
                              "memory = 99999999999999999G",
                              "processes = many",
                              "cpu_weight = 0",
                              "cpu_weight = 10001",
                              "io_weight = 0"}) {
        EXPECT_THAT(test::texts(load(tenant("alice", std::string(wrong) + '\n')).problems),
                    testing::SizeIs(1))
            << wrong;
        EXPECT_THAT(test::texts(load(std::string("[group root]\n") + wrong + '\n').problems),
                    testing::SizeIs(1))
            << wrong;
    }
    std::string nine;
    for (int i = 0; i < 9; ++i) nine += "bind = /srv:/" + std::to_string(i) + '\n';
    EXPECT_THAT(test::texts(load(tenant("alice", nine)).problems),
                ElementsAre(HasSubstr("more than 8 binds")));
}

TEST(IniFile, KnowsAGroupByItsNumberAndTakesItOnce) {
    EXPECT_THAT(test::texts(load("[group nobodys]\n").problems),
                ElementsAre(HasSubstr("no group nobodys")));
    EXPECT_THAT(test::texts(load("[group root]\n[group 0]\n").problems),
                ElementsAre(HasSubstr("group 0 is here twice")));
    EXPECT_THAT(test::texts(load("[group root]\nwrite_enable = YES\n").problems),
                ElementsAre(HasSubstr("unknown key write_enable in [group root]")));
}

// However the blanks around its name are.
TEST(IniFile, HoldsATenantWhoseNameHasBlanksAround) {
    for (const auto* section : {"[tenant alice]", "[tenant  alice]", "[tenant \talice ]"}) {
        const auto loaded = load(std::string(section) + "\npassword = " + std::string(yescrypt) +
                                 "\nhome = /srv\nuid = 2000\n");
        SCOPED_TRACE(section);
        EXPECT_THAT(test::texts(loaded.problems), IsEmpty());
        ASSERT_EQ(loaded.configuration.tenants.size(), 1U);
        EXPECT_EQ(loaded.configuration.tenants[0].name, "alice");
        EXPECT_EQ(loaded.configuration.tenants[0].password, yescrypt);
        EXPECT_EQ(loaded.configuration.tenants[0].uid, 2000U);
    }
}

TEST(IniFile, MayBeAbsentWhereItIsTheDefault) {
    EXPECT_THAT(load_file("/nonexistent/x.ini", false, false).problems, IsEmpty());
    EXPECT_THAT(test::texts(load_file("/nonexistent/x.ini").problems),
                ElementsAre("/nonexistent/x.ini: error: cannot read /nonexistent/x.ini (No such "
                            "file or directory)"));
}

TEST(IniFile, MayHaveABomAndDosLines) {
    const auto loaded = load("\xEF\xBB\xBF[server]\r\ngrace = 5\r\n\r\n[log]\r\nlevel = error\r\n");
    EXPECT_THAT(test::texts(loaded.problems), IsEmpty());
    EXPECT_EQ(loaded.configuration.native.grace, 5U);
    EXPECT_EQ(loaded.configuration.native.log_level, "error");
}

struct Wrong {
    std::string text;
    std::string message;  // from the line number on
};

TEST(IniFile, NamesTheLineOfWhatIsWrong) {
    const Wrong cases[] = {
        // What inih would change in silence.
        {"[server]\ngrace = 5 ; note\n", ":2: error: a comment after a value"},
        {"[server]\ngrace = 5\t;note\n", ":2: error: a comment after a value"},
        {"[server]\ngrace = 5\v;note\n", ":2: error: a comment after a value"},
        {"[server]\ngrace ;x = 5\n", ":2: error: a comment after a value"},
        {"[server]\ngrace = ;\n", ":2: error: a comment after a value"},
        {"[server]\ngrace = 5\n  6\n", ":3: error: the line starts with a blank"},
        {"[server]\n grace = 5\n", ":2: error: the line starts with a blank"},
        {"[server]\ngrace: 5\n", ":2: error: neither a [section] nor NAME = VALUE"},
        {"[server]\ngr:ace = 5\n", ":2: error: neither a [section] nor NAME = VALUE"},
        {"[server]\ngrace\n", ":2: error: neither a [section] nor NAME = VALUE"},
        {"[server]\n= 5\n", ":2: error: neither a [section] nor NAME = VALUE"},
        {"[log]\njson = /" + std::string(191, 'x') + "\n",
         ":2: error: the line is longer than 198 bytes (it would be cut; make it shorter)"},
        {"# " + std::string(300, 'x') + "\n", ":1: error: the line is longer than 198 bytes"},
        {std::string("[server]\ngrace = 5\0\n", 20), ":2: error: the line holds a NUL byte"},
        {"[server] x\n", ":1: error: a section is [NAME] and nothing else on its line"},
        {"[server\n", ":1: error: a section is [NAME] and nothing else on its line"},
        {"[tenant " + std::string(43, 'a') + "]\n",
         ":1: error: the section's name is longer than 49 bytes"},
        // What nobody here knows.
        {"[servre]\n", ":1: error: unknown section [servre] (did you mean server?)"},
        {"[tennant ann]\n", ":1: error: unknown section [tennant ann] (did you mean tenant?)"},
        {"[prison]\n", ":1: error: unknown section [prison] (there are [server], [log], "},
        {"[]\n", ":1: error: unknown section []"},
        {"[tenant]\n", ":1: error: unknown section [tenant]"},
        {"grace = 5\n", ":1: error: grace stands outside of any section"},
        {"[server]\ngrase = 5\n", ":2: error: unknown key grase in [server] (did you mean grace?)"},
        {"[server]\nxyz = 5\n",
         ":2: error: unknown key xyz in [server] (there are grace, guest_user, tenants_dir, "},
        {"[log]\njsno = /x\n", ":2: error: unknown key jsno in [log] (did you mean json?)"},
        // Twice.
        {"[server]\ngrace = 5\ngrace = 5\n", ":3: error: grace is here twice in [server]"},
        {"[server]\n[log]\n[server]\n", ":3: error: section [server] is here twice"},
        {tenant("a") + tenant("a"), ":5: error: section [tenant a] is here twice"},
        {tenant("a") + tenant(" a"), ":5: error: tenant a is here twice"},
        // Values.
        {"[server]\ngrace = soon\n", ":2: error: grace is a number of seconds up to 86400"},
        {"[server]\ngrace = -1\n", ":2: error: grace is a number of seconds up to 86400"},
        {"[server]\ngrace = 86401\n", ":2: error: grace is a number of seconds up to 86400"},
        {"[server]\nguest_user = root\n", ":2: error: guest_user root does not exist or is root"},
        {"[server]\nguest_user = no-such-user\n",
         ":2: error: guest_user no-such-user does not exist or is root"},
        {"[server]\ntenants_dir = here\n", ":2: error: tenants_dir must be an absolute path"},
        {"[log]\njson = log\n", ":2: error: json must be an absolute path"},
        {"[log]\nlevel = loud\n", ":2: error: level is debug, info, warning or error"},
        // Tenants.
        {"[tenant ../x]\n", ":1: error: \"../x\" is no name for a tenant"},
        {"[tenant a b]\n", ":1: error: \"a b\" is no name for a tenant"},
        {"[tenant -x]\n", ":1: error: \"-x\" is no name for a tenant"},
        {"[tenant \xc3\xa4]\n", ":1: error: "},
        {"[tenant a]\nhome = /srv\n", ":1: error: tenant a has no password"},
        {"[tenant a]\npassword = " + std::string(bcrypt) + "\n", ":1: error: tenant a has no home"},
        {"[tenant a]\nhome = srv\n", ":2: error: home must be an absolute path"},
        {"[tenant a]\nhome = /srv/../etc\n", ":2: error: home must be an absolute path"},
        {"[tenant a]\nuid = 4294967295\n", ":2: error: no user 4294967295"},
        {"[tenant a]\nuid = no-such-user\n", ":2: error: no user no-such-user"},
        {tenant("a", "gid = no-such-group\n"), ":5: error: no group no-such-group"},
        {tenant("a", "groups = 5 no-such-group\n"), ":5: error: no group no-such-group"},
        {tenant("a", "gid = 4294967295\n"), ":5: error: no group 4294967295"},
        {tenant("a", "write_enabel = YES\n"),
         ":5: error: unknown key write_enabel in [tenant a] (did you mean write_enable?)"},
        {tenant("a", "pasword = x\n"),
         ":5: error: unknown key pasword in [tenant a] (did you mean password?)"},
        {tenant("a", "shoe_size = 43\n"), ":5: error: unknown key shoe_size in [tenant a] (there"},
        {tenant("a", "max_clients = 5\n"),
         ":5: error: max_clients cannot be set for one tenant (set it in vsftpd.conf for all)"},
        {tenant("a", "write_enable = on\n"), ":5: error: \"on\" is no value for write_enable"},
        {tenant("a", "pasv_address = here\n"), ":5: error: \"here\" is no value for pasv_address"},
        {tenant("a", "local_max_rate = 5k\n"), ":5: error: \"5k\" is no value for local_max_rate"},
    };
    for (const auto& each : cases) {
        const auto loaded = load(each.text);
        SCOPED_TRACE(each.text);
        EXPECT_TRUE(config::any_error(loaded.problems));
        EXPECT_THAT(test::texts(loaded.problems),
                    testing::Contains(HasSubstr("jailftpd.ini" + each.message)));
    }
}

TEST(IniFile, NamesTheLineOfARootTenant) {
    for (const auto* uid : {"0", "root", "00"}) {
        const auto loaded = load("[tenant a]\npassword = " + std::string(sha512) +
                                 "\nhome = /srv\nuid = " + uid + "\n");
        EXPECT_THAT(test::texts(loaded.problems),
                    ElementsAre(HasSubstr(":4: error: a tenant cannot be root")));
    }
}

TEST(IniFile, TakesTheLongestLineThatInihLeavesWhole) {
    const std::string path = "/" + std::string(198 - 8, 'x');
    const auto loaded = load("[log]\njson = " + path + "\nlevel = error\n");
    EXPECT_THAT(test::texts(loaded.problems), IsEmpty());
    EXPECT_EQ(loaded.configuration.native.json_log, path);
    EXPECT_EQ(loaded.configuration.native.log_level, "error");
}

TEST(IniFile, KeepsAValueWithASemicolon) {
    const auto loaded = load(tenant("a", "hide_file = {a;b}\n"));
    EXPECT_THAT(test::texts(loaded.problems), IsEmpty());
    EXPECT_EQ(loaded.configuration.tenants.at(0).overrides, std::string("hide_file={a;b}\0", 16));
}

TEST(IniFile, ReportsAllProblemsAtOnce) {
    const auto loaded =
        load("[server]\ngrace = x\nwhat = y\n[tenant a]\npassword = sesame\nuid = 0\n");
    EXPECT_EQ(test::errors(loaded.problems).size(), 5U)
        << testing::PrintToString(test::texts(loaded.problems));
}

// What cannot be read may be what seems to be missing.
TEST(IniFile, ReportsNoProblemThatFollowsFromAnother) {
    for (const auto* line : {"pasword = x", "password: x", " password = x", "password = x ; y"}) {
        const auto loaded = load("[tenant a]\nhome = /srv\n" + std::string(line) + '\n');
        EXPECT_EQ(loaded.problems.size(), 1U)
            << testing::PrintToString(test::texts(loaded.problems));
    }
    const auto loaded = load("[tennant a]\npassword = !\nhome = /srv\nuid = 0\n");
    EXPECT_THAT(test::texts(loaded.problems), ElementsAre(HasSubstr(":1: error: unknown section")));
}

// Nobody is let in by a file with an error; the others' sections are read to say more of them.
TEST(IniFile, KeepsTheTenantsWithoutErrors) {
    const auto loaded =
        load(tenant("a") + " gid = 5\n" + tenant("b") + tenant("c", "gid = 5 ; five\n") +
             tenant("d", "shoe_size = 43\n") + "[tenant e\nuid = 0\n" + tenant("f"));
    std::vector<std::string> names;
    for (const auto& each : loaded.configuration.tenants) names.push_back(each.name);
    EXPECT_THAT(names, ElementsAre("b", "f"));
    EXPECT_EQ(loaded.problems.size(), 4U) << testing::PrintToString(test::texts(loaded.problems));
}

TEST(IniFile, WarnsOfAMaskThatIsDecimal) {
    EXPECT_THAT(
        test::texts(load(tenant("a", "local_umask = 22\n")).problems),
        ElementsAre(HasSubstr("jailftpd.ini:5: warning: local_umask=22 is a decimal number, "
                              "so it means 0026 (write local_umask=022 if")));
    EXPECT_THAT(test::texts(load(tenant("a", "local_umask = 022\n")).problems), IsEmpty());
}

TEST(TenantPassword, IsAHashOrALock) {
    for (const auto& good : {std::string(yescrypt), std::string(bcrypt), std::string(sha512),
                             std::string("!"), std::string("*"), "!" + std::string(sha512)}) {
        const auto loaded = load("[tenant a]\npassword = " + good + "\nhome = /srv\nuid = 9\n");
        EXPECT_THAT(test::texts(loaded.problems), IsEmpty()) << good;
        ASSERT_EQ(loaded.configuration.tenants.size(), 1U);
        EXPECT_EQ(loaded.configuration.tenants[0].password, good);
    }
}

// And it is not shown: it may be somebody's password elsewhere.
TEST(TenantPassword, IsNeverPlainOrCutShort) {
    for (const auto& bad :
         {std::string("correct-horse-battery-staple"), std::string("$6$"),
          std::string(sha512.substr(0, sha512.size() - 1)),
          std::string(bcrypt.substr(0, bcrypt.size() - 1)), std::string(yescrypt) + "x",
          std::string("$1$abcdefgh$0123456789"), std::string("abJnggxhB/yWI"), std::string("")}) {
        const auto loaded = load("[tenant a]\npassword = " + bad + "\nhome = /srv\nuid = 9\n");
        ASSERT_EQ(loaded.problems.size(), 1U) << bad;
        const auto text = config::to_text(loaded.problems[0]);
        EXPECT_THAT(text, HasSubstr(":2: error: the password of tenant a is no crypt(3) hash"));
        EXPECT_TRUE(bad.empty() || text.find(bad) == text.npos) << text;
    }
}

TEST(TenantUid, IsTheGuestsWithoutOne) {
    const auto* nobody = ::getpwnam("nobody");
    if (nobody == nullptr) GTEST_SKIP() << "no user nobody here";
    const auto uid = nobody->pw_uid;
    const auto gid = nobody->pw_gid;
    const auto loaded = load("[tenant a]\npassword = " + std::string(sha512) + "\nhome = /srv\n");
    EXPECT_THAT(test::texts(loaded.problems), IsEmpty());
    EXPECT_EQ(loaded.configuration.tenants.at(0).uid, uid);
    EXPECT_EQ(loaded.configuration.tenants.at(0).gid, gid);
}

TEST(TenantUid, MayBeAName) {
    const auto* nobody = ::getpwnam("nobody");
    if (nobody == nullptr) GTEST_SKIP() << "no user nobody here";
    const auto uid = nobody->pw_uid;
    const auto loaded =
        load("[tenant a]\npassword = " + std::string(sha512) + "\nhome = /srv\nuid = nobody\n");
    EXPECT_EQ(loaded.configuration.tenants.at(0).uid, uid);
}

TEST(TenantGid, IsTheUidsWhenNothingElseIsSaid) {
    const auto loaded =
        load("[tenant a]\npassword = " + std::string(sha512) + "\nhome = /srv\nuid = 3999999\n");
    EXPECT_EQ(loaded.configuration.tenants.at(0).gid, 3999999U);
}

TEST(IniFile, MustBeWritableByItsOwnerAlone) {
    const test::Folder folder;
    for (const mode_t mode : {0664, 0646, 0666}) {
        const auto loaded = load_file(folder.write("a.ini", tenant("a"), mode));
        EXPECT_THAT(
            test::texts(loaded.problems),
            ElementsAre(folder.path("a.ini") +
                        ": error: others than its owner may write to the file (chmod go-w " +
                        folder.path("a.ini") + ")"));
        EXPECT_THAT(loaded.configuration.tenants, IsEmpty());
    }
    EXPECT_THAT(test::texts(load_file(folder.write("a.ini", tenant("a"), 0640)).problems),
                IsEmpty());
}

TEST(IniFile, MustBelongToRootOrUs) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
    const test::Folder folder;
    const auto file = folder.write("a.ini", tenant("a"));
    ASSERT_EQ(::chown(file.c_str(), 1, 1), 0);
    EXPECT_THAT(test::errors(load_file(file).problems), ElementsAre("the file belongs to uid 1"));
}

TEST(IniFile, MustBeARegularFile) {
    const test::Folder folder;
    EXPECT_THAT(test::errors(load_file(folder.path()).problems), ElementsAre("not a regular file"));
    ASSERT_EQ(::mkfifo(folder.path("fifo").c_str(), 0600), 0);
    EXPECT_THAT(test::errors(load_file(folder.path("fifo")).problems),
                ElementsAre("not a regular file"));
}

struct TenantsDir {
    test::Folder folder;
    Loaded load() const {
        return load_file(folder.write("jailftpd.ini",
                                      "[server]\ntenants_dir = " + folder.path("tenants") + "\n"));
    }
};

TEST(TenantsDir, GathersTenantsOfAllItsFiles) {
    const TenantsDir dir;
    dir.folder.write("tenants/b.ini", tenant("bob") + tenant("zoe"), 0600);
    dir.folder.write("tenants/a.ini", tenant("carl"), 0600);
    dir.folder.write("tenants/a.ini.bak", "nonsense");
    dir.folder.write("tenants/.hidden.ini", "nonsense");
    const auto loaded = dir.load();
    EXPECT_THAT(test::texts(loaded.problems), IsEmpty());
    std::vector<std::string> names;
    for (const auto& each : loaded.configuration.tenants) names.push_back(each.name);
    EXPECT_THAT(names, ElementsAre("bob", "carl", "zoe"));
}

TEST(TenantsDir, HoldsTenantsAlone) {
    const TenantsDir dir;
    dir.folder.write("tenants/a.ini", "[server]\ngrace = 1\n");
    EXPECT_THAT(test::texts(dir.load().problems),
                ElementsAre(dir.folder.path("tenants/a.ini") +
                            ":1: error: only [tenant NAME] sections may stand in a file of "
                            "tenants_dir"));
}

TEST(TenantsDir, HasEachTenantOnce) {
    const TenantsDir dir;
    dir.folder.write("tenants/a.ini", tenant("bob"));
    dir.folder.write("tenants/b.ini", tenant("bob"));
    EXPECT_THAT(test::errors(dir.load().problems), ElementsAre("tenant bob is in two files"));
}

TEST(TenantsDir, MustBeWritableByItsOwnerAlone) {
    const TenantsDir dir;
    dir.folder.write("tenants/a.ini", tenant("bob"));
    ASSERT_EQ(::chmod(dir.folder.path("tenants").c_str(), 0775), 0);
    const auto loaded = dir.load();
    EXPECT_THAT(test::errors(loaded.problems),
                ElementsAre("others than its owner may write to tenants_dir " +
                            dir.folder.path("tenants")));
    EXPECT_THAT(loaded.configuration.tenants, IsEmpty());
}

TEST(TenantsDir, MustBeThere) {
    const TenantsDir dir;
    EXPECT_THAT(test::errors(dir.load().problems),
                ElementsAre(HasSubstr("cannot read tenants_dir")));
}

TEST(TenantsDir, ChecksEveryFile) {
    const TenantsDir dir;
    dir.folder.write("tenants/a.ini", tenant("bob"));
    dir.folder.write("tenants/b.ini", tenant("carl"), 0666);
    EXPECT_TRUE(config::any_error(dir.load().problems));
}

// Looking through all tenants for each line would take minutes here.
TEST(TenantsDir, MayHoldThousands) {
    const TenantsDir dir;
    std::string content;
    for (int i = 0; i < 20000; ++i) content += tenant("t" + std::to_string(i));
    dir.folder.write("tenants/all.ini", content);
    const auto loaded = dir.load();
    EXPECT_THAT(test::texts(loaded.problems), IsEmpty());
    EXPECT_EQ(loaded.configuration.tenants.size(), 20000U);
    EXPECT_NE(config::find_tenant(loaded.configuration, "t19999"), nullptr);
}

TEST(ValidUserName, IsVsftpdsAndNoPath) {
    for (const auto* good : {"ann", "a", "_x", ".x", "9", "ann.smith@example.org", "a-b+c$"})
        EXPECT_TRUE(config::valid_user_name(good)) << good;
    for (const auto* bad :
         {"", ".", "..", "-a", "@a", "$a", "a b", "a/b", "/a", "a\n", "a\x7f", "\xc3\xa4", "a\t"})
        EXPECT_FALSE(config::valid_user_name(bad)) << bad;
    EXPECT_TRUE(config::valid_user_name(std::string(128, 'a')));
    EXPECT_FALSE(config::valid_user_name(std::string(129, 'a')));
    EXPECT_FALSE(config::valid_user_name(std::string_view("a\0b", 3)));
}

}  // namespace
