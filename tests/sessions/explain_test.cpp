// SPDX-License-Identifier: MIT
// jailftpd --explain-user: settings with their places, the jail with its steps.
#include "tests/sessions/conversation.hpp"
#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

using namespace sessions;
using testing::HasSubstr;
using testing::Not;

namespace {

class Explain : public testing::Test {
  protected:
    Ran explain(const std::string& user, const std::string& more = {},
                const std::string& ini = {}) {
        write_file(place("x.conf"),
                   "listen=YES\nlocal_enable=YES\nwrite_enable=YES\n"
                   "chroot_local_user=YES\nlisten_address=127.0.0.1\n" +
                       more);
        write_file(place("x.ini"), ini);
        return run({path_of(Program::jailftpd), place("x.conf"), "-olocal_max_rate=7", "--ini",
                    place("x.ini"), "--explain-user", user});
    }
};

// "name=value   # place" of a setting, the blanks made one.
std::string setting(const Ran& ran, const std::string& name) {
    std::smatch found;
    if (!std::regex_search(ran.out, found, std::regex("\n +(" + name + " ?=[^\n]*)")))
        return "none";
    return std::regex_replace(found[1].str(), std::regex(" +#"), " #");
}

std::string step(const Ran& ran, const std::string& name) {
    std::smatch found;
    if (!std::regex_search(ran.out, found, std::regex("\n +[0-9]+ +" + name + " +([^\n]*)")))
        return "none";
    return found[1];
}

}  // namespace

TEST_F(Explain, SaysWhereEverySettingComesFrom) {
    make_folder(place("users"));
    write_file(place("users/alice"), "# hers\nlocal_umask=022\n");
    const auto ran =
        explain("alice", "user_config_dir=" + place("users").string() + "\n", "[jail]\nuts = no\n");
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(setting(ran, "write_enable"),
              "write_enable=YES # " + place("x.conf").string() + ":3");
    EXPECT_EQ(setting(ran, "local_umask"),
              "local_umask=0022 # " + place("users/alice").string() + ":2");
    EXPECT_EQ(setting(ran, "local_max_rate"), "local_max_rate=7 # command line");
    EXPECT_EQ(setting(ran, "anon_umask"), "anon_umask=0077 # default");
    EXPECT_EQ(setting(ran, "uts"), "uts = no # " + place("x.ini").string() + ":2");
    EXPECT_EQ(setting(ran, "ipc"), "ipc = yes # default");
}

TEST_F(Explain, ShowsTheStepsOfASystemUsersJail) {
    const auto ran = explain("alice");
    EXPECT_THAT(ran.out, HasSubstr("alice is a system user."));
    EXPECT_EQ(step(ran, "groups, gid, uid"), "uid 2001, gid 2001, groups 2001, 3001, 3002");
    EXPECT_THAT(step(ran, "root directory"), HasSubstr(home_of(alice).string() + ","));
    EXPECT_EQ(step(ran, "start directory"), "/, or else the root");
    EXPECT_THAT(step(ran, "system calls"), HasSubstr("openat2"));
    EXPECT_LT(ran.out.find("groups, gid, uid"), ran.out.find("system calls   "));
}

// What the session would do, from the decision to the mount.
TEST_F(Explain, FollowsTheConfiguration) {
    write_file(place("list"), "bob\n");
    const auto list = "chroot_list_enable=YES\nchroot_list_file=" + place("list").string() + "\n";
    EXPECT_THAT(step(explain("bob", list), "root directory"), HasSubstr("not jailed"));
    EXPECT_THAT(step(explain("alice", list), "root directory"), HasSubstr(home_of(alice).string()));
    const auto plain = explain("alice", {}, "[jail]\nmounts = no\nlandlock = no\n");
    EXPECT_EQ(step(plain, "root directory"), home_of(alice).string() + ", by chroot");
    EXPECT_EQ(step(plain, "landlock"), "none");
    EXPECT_THAT(step(explain("alice", "write_enable=NO\n"), "system calls"),
                Not(HasSubstr("mkdirat")));
}

TEST_F(Explain, WarnsOfALoginThatEnds) {
    make_folder(home_of(alice), alice.uid);
    const auto ran = explain("alice");
    EXPECT_EQ(ran.status, 0);
    EXPECT_THAT(ran.out, HasSubstr("the login ends at the step \"root directory not writable\""));
    EXPECT_THAT(ran.out, HasSubstr("allow_writeable_chroot=YES"));
}

TEST_F(Explain, KnowsTenantsGuestsAndAnonymousUsers) {
    const auto tenants =
        tenant("carl", "sesame", {"uid = 2345", "gid = 2346", "local_umask = 002"});
    const auto carl = explain("carl", {}, tenants);
    EXPECT_THAT(carl.out, HasSubstr("carl is a tenant, " + place("x.ini").string() + ":1"));
    EXPECT_THAT(step(carl, "groups, gid, uid"), HasSubstr("uid 2345, gid 2346"));
    EXPECT_THAT(setting(carl, "local_umask"), HasSubstr(place("x.ini").string() + ":"));
    const auto guest = explain("anybody", "guest_enable=YES\nguest_username=virtual\n");
    EXPECT_THAT(guest.out, HasSubstr("anybody is a guest, who is virtual of the system."));
    EXPECT_THAT(step(guest, "groups, gid, uid"), HasSubstr("uid 2101"));
    const auto anonymous = explain("anonymous", "anonymous_enable=YES\n");
    EXPECT_THAT(anonymous.out, HasSubstr("an anonymous login, which is ftp"));
    EXPECT_THAT(step(anonymous, "groups, gid, uid"), HasSubstr("uid 2100"));
    EXPECT_EQ(step(anonymous, "umask"), "077");
}

TEST_F(Explain, ShowsWhoseCertificatesLogIn) {
    const auto shown = [](const Ran& ran) {
        const auto start = ran.out.find("\nClients' certificates that log in ");
        if (start == ran.out.npos) return "nothing" + ran.err;
        const auto end = ran.out.find("\n\n", start);
        const auto lines = ran.out.substr(start + 1, end - start - 1);
        return std::regex_replace(lines.substr(lines.find('\n') + 1), std::regex(" +#"), " #");
    };
    const auto own = authority::make({});
    const auto file = place("server.pem").string();
    write_file(file, own.certificate + own.key, 0, 0600);
    const auto tls = "ssl_enable=YES\nssl_request_cert=YES\nrsa_cert_file=" + file +
                     "\nca_certs_file=" + file + '\n';
    const std::string ini = "[tls]\ncert_username_field = commonName\n";
    EXPECT_EQ(shown(explain("alice")), "nothing");
    EXPECT_EQ(shown(explain("alice", tls, ini)), "  commonName = alice # the account's name");
    write_file(place("map"), "alice Alice Liddell\nbob Bob\nalice A. L.\n");
    const auto map = place("map").string();
    const auto with_map = ini + "cert_username_map = " + map + '\n' +
                          tenant("carl", "sesame", {"certificate = Carl C.", "uid = 2345"});
    EXPECT_EQ(shown(explain("alice", tls, with_map)),
              "  commonName = Alice Liddell # " + map + "\n  commonName = A. L. # " + map);
    EXPECT_EQ(shown(explain("denied", tls, with_map)), "  none in " + map);
    EXPECT_EQ(shown(explain("carl", tls, with_map)),
              "  commonName = Carl C. # " + place("x.ini").string() + ":4");
    EXPECT_EQ(shown(explain("anonymous", tls + "anonymous_enable=YES\n", with_map)), "nothing");
}

TEST_F(Explain, SaysWhyThereIsNothingToExplain) {
    const auto unknown = explain("nobody-of-this-name");
    EXPECT_EQ(unknown.status, 2);
    EXPECT_EQ(unknown.out, "");
    EXPECT_THAT(unknown.err, HasSubstr("unknown user nobody-of-this-name"));
    EXPECT_EQ(explain("root").status, 2);
    const auto lost = explain("homeless");
    EXPECT_EQ(lost.status, 2);
    EXPECT_THAT(lost.err, HasSubstr("cannot enter the directory"));
    write_file(place("deny"), "alice\n");
    const auto refused =
        explain("alice", "userlist_enable=YES\nuserlist_file=" + place("deny").string() + "\n");
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.err, HasSubstr("refused by " + place("deny").string()));
    EXPECT_EQ(explain("alice", "local_enable=NO\nanonymous_enable=YES\n").status, 2);
}

TEST_F(Explain, WorksForWhoStartsTheServerWithoutRoot) {
    make_folder(place("bobs"), bob.uid);
    write_file(place("bob.conf"),
               "listen=YES\nanonymous_enable=YES\nrun_as_launching_user=YES\nanon_root=" +
                   place("bobs").string() + "\n",
               bob.uid);
    const std::vector<std::string> command = {path_of(Program::jailftpd), place("bob.conf"),
                                              "--explain-user=anonymous"};
    const auto ran = run(command, {.input = {}, .as = bob.uid});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(step(ran, "uid and gid as at start"), HasSubstr("uid 2002"));
    EXPECT_EQ(run({path_of(Program::jailftpd), place("x.conf"), "--explain-user=alice"},
                  {.input = {}, .as = bob.uid})
                  .status,
              2);
}

TEST_F(Explain, LeavesNothingBehind) {
    EXPECT_EQ(explain("alice").status, 0);
    EXPECT_TRUE(processes().empty()) << described(processes());
}
