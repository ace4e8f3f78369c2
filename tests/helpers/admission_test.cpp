// SPDX-License-Identifier: MIT
// What accounts get: identity, options of their own, jail, and the message that carries it all.
#include "helpers/admission.hpp"

#include "tests/helpers/people.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using config::Configuration;
using helpers::Account;
using helpers::Admitted;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr uid_t ann = 31001;
constexpr uid_t guests = 31005;
constexpr uid_t ftp = 31006;
constexpr gid_t users = 31002;
constexpr gid_t web = 31003;

std::string where(const base::Fd& directory) {
    return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(directory.get()));
}

config::Options in_force(const Configuration& configuration, const Admitted& admitted) {
    auto options = configuration.options;
    EXPECT_TRUE(config::apply_overrides(options, admitted.admission.overrides));
    return options;
}

struct Admission : testing::Test {
    observed::Directory top;
    Configuration configuration;
    config::Options& options = configuration.options;
    config::Tenant tenant;

    void SetUp() override {
        NEEDS_ROOT();
        people::cannot_be_asked(0);
        people::are({{"ann", ann, users, top.directory("ann", ann, 0755), {web, 31020}},
                     {"guests", guests, guests, top.directory("guests", 0), {31021}},
                     {"ftp", ftp, ftp, top.directory("ftp", 0), {}},
                     {"root", 0, 0, "/root", {}},
                     {"toor", 0, users, "/root", {}},
                     {"nowhere", ann, users, top.path("missing"), {}},
                     {"nobody-at-all", static_cast<uid_t>(-1), users, "/", {}}});
        tenant = {"carl", "!", top.directory("carl", 0), ann, users, {web}, ""};
        options.guest_username = "guests";
        options.local_enable = true;
        configuration.native.mounts = false;  // which containers forbid
    }
    void TearDown() override {
        people::cannot_be_asked(0);
        helpers::remember_users_for(0s);
    }

    static Account account(std::string name) {
        Account made;
        made.name = std::move(name);
        return made;
    }
    [[nodiscard]] Account tenants_account() const {
        Account made;
        made.kind = Account::Kind::tenant;
        made.name = tenant.name;
        made.tenant = &tenant;
        return made;
    }
    static Account anonymous() {
        Account made;
        made.kind = Account::Kind::anonymous;
        made.name = "ftp";
        made.password_shown = "me@here";
        return made;
    }

    [[nodiscard]] Admitted admitted(const Account& account) const {
        auto result = helpers::admit(configuration, account);
        if (!result) {
            ADD_FAILURE() << result.error().reason;
            return {};
        }
        return std::move(result.value());
    }
    [[nodiscard]] helpers::Refusal refused(const Account& account) const {
        auto result = helpers::admit(configuration, account);
        if (result) {
            ADD_FAILURE() << "admitted as uid " << result.value().admission.uid;
            return {};
        }
        return result.error();
    }

    // user_config_dir/NAME.
    std::string own_file(const std::string& name, std::string_view content) {
        options.user_config_dir = top.path("users");
        std::filesystem::create_directory(options.user_config_dir);
        const auto path = options.user_config_dir + '/' + name;
        std::ofstream(path) << content;
        return path;
    }
    std::string list(std::string_view content) {
        const auto path = top.path("list");
        std::ofstream(path) << content;
        return path;
    }
};

// ----- whom it runs as

TEST_F(Admission, MakesALocalUserHimself) {
    const auto result = admitted(account("ann"));
    const auto& admission = result.admission;
    EXPECT_EQ(admission.user, "ann");
    EXPECT_EQ(admission.uid, ann);
    EXPECT_EQ(admission.gid, users);
    EXPECT_THAT(admission.groups, UnorderedElementsAre(users, web, 31020));
    EXPECT_FALSE(admission.anonymous);
    EXPECT_FALSE(admission.guest);
    EXPECT_FALSE(admission.anonymous_rights);
    EXPECT_FALSE(admission.jailed);
    EXPECT_FALSE(admission.start_may_fail);
    EXPECT_EQ(admission.start, top.path("ann"));
    EXPECT_EQ(admission.home, top.path("ann"));
    EXPECT_EQ(admission.overrides, "");
    EXPECT_EQ(admission.writable_root_hint, "") << "no jail, no check";
    EXPECT_EQ(where(result.root), "/");
    EXPECT_THAT(result.warnings, IsEmpty());
}

TEST_F(Admission, AddsTheGroupsThatPamAdded) {
    auto with_more = account("ann");
    with_more.more_groups = {web, 31030};
    EXPECT_THAT(admitted(with_more).admission.groups,
                UnorderedElementsAre(users, web, 31020, 31030));
    options.guest_enable = true;
    EXPECT_THAT(admitted(with_more).admission.groups, UnorderedElementsAre(guests, 31021))
        << "they are the login name's, not the guest's";
}

TEST_F(Admission, FindsRoomForManyGroups) {
    std::vector<gid_t> many;
    for (gid_t each = 40000; each < 40300; ++each) many.push_back(each);
    people::are({{"ann", ann, users, top.path("ann"), many}});
    EXPECT_EQ(admitted(account("ann")).admission.groups.size(), 301U);
}

TEST_F(Admission, NeedsAnEntryInTheUserDatabase) {
    const auto unknown = refused(account("stranger"));
    EXPECT_EQ(unknown.client_text, "cannot locate user entry:stranger");
    EXPECT_THAT(unknown.reason, HasSubstr("no such entry"));
    EXPECT_FALSE(unknown.is_wrong);
    people::cannot_be_asked(EIO);
    EXPECT_THAT(refused(account("ann")).reason, HasSubstr("Input/output error"));
}

TEST_F(Admission, IsNothingForRoot) {
    for (const auto* name : {"root", "toor"}) {
        const auto no = refused(account(name));
        EXPECT_TRUE(no.is_wrong) << "the client must not learn that the password was right";
        EXPECT_THAT(no.reason, HasSubstr("has uid 0"));
    }
    options.guest_enable = true;
    options.guest_username = "root";
    EXPECT_THAT(refused(account("ann")).client_text, "refusing to run as root");
    options.ftp_username = "toor";
    EXPECT_THAT(refused(anonymous()).client_text, "refusing to run as root");
    tenant.uid = 0;
    EXPECT_THAT(refused(tenants_account()).client_text, "refusing to run as root");
}

TEST_F(Admission, IsNothingForAnImpossibleUid) { (void)refused(account("nobody-at-all")); }

TEST_F(Admission, NeedsANameThatFits) {
    options.guest_enable = true;  // no entry of that name is needed
    (void)admitted(account(std::string(128, 'x')));
    EXPECT_EQ(refused(account(std::string(129, 'x'))).client_text, "user name too long");
    EXPECT_EQ(refused(account("")).client_text, "no user name");
}

TEST_F(Admission, MakesAGuestTheGuestUser) {
    options.guest_enable = true;
    const auto result = admitted(account("virtual"));
    const auto& admission = result.admission;
    EXPECT_EQ(admission.user, "virtual");
    EXPECT_EQ(admission.uid, guests);
    EXPECT_TRUE(admission.guest);
    EXPECT_FALSE(admission.anonymous);
    EXPECT_TRUE(admission.anonymous_rights);
    EXPECT_TRUE(admission.jailed);
    EXPECT_TRUE(admission.start_may_fail);
    EXPECT_EQ(where(result.root), top.path("guests"));
    EXPECT_EQ(admission.root, top.path("guests"));
    EXPECT_EQ(admission.start, "/");
    EXPECT_EQ(admission.home, "/");
    options.guest_username = "stranger";
    EXPECT_EQ(refused(account("virtual")).client_text, "cannot locate user entry:stranger");
}

TEST_F(Admission, GivesGuestsLocalRightsIfToldTo) {
    options.guest_enable = true;
    options.virtual_use_local_privs = true;
    const auto result = admitted(account("virtual"));
    EXPECT_TRUE(result.admission.guest);
    EXPECT_FALSE(result.admission.anonymous_rights);
    EXPECT_FALSE(result.admission.jailed);
    EXPECT_EQ(result.admission.start, top.path("guests"));
}

TEST_F(Admission, GivesEachGuestADirectoryByHisName) {
    options.guest_enable = true;
    options.user_sub_token = "$USER";
    options.local_root = top.directory("sites") + "/$USER";
    const auto site = top.directory("sites/virtual");
    EXPECT_EQ(where(admitted(account("virtual")).root), site);
    for (const auto* name : {"..", "../ann", ".", "virtual/.."}) {
        const auto no = refused(account(name));
        EXPECT_THAT(no.reason,
                    AllOf(StartsWith("cannot change directory"), HasSubstr("user_sub_token")))
            << name;
    }
}

// ----- tenants

TEST_F(Admission, JailsATenantInItsHome) {
    options.local_root = "/srv";  // for system users
    options.guest_enable = true;
    const auto result = admitted(tenants_account());
    const auto& admission = result.admission;
    EXPECT_EQ(admission.user, "carl");
    EXPECT_EQ(admission.uid, ann);
    EXPECT_EQ(admission.gid, users);
    EXPECT_THAT(admission.groups, ElementsAre(web));
    EXPECT_TRUE(admission.jailed);
    EXPECT_FALSE(admission.guest);
    EXPECT_FALSE(admission.anonymous_rights);
    EXPECT_EQ(where(result.root), top.path("carl"));
}

TEST_F(Admission, TakesATenantsOwnLocalRoot) {
    const auto files = top.directory("carl/files", ann);
    tenant.overrides = std::string("local_root=files\0", 17);
    EXPECT_EQ(where(admitted(tenants_account()).root), files);
    tenant.overrides.clear();
    own_file("carl", "local_root=files\n");
    EXPECT_EQ(where(admitted(tenants_account()).root), files);
}

TEST_F(Admission, PutsATenantsRecordAboveItsFile) {
    own_file("carl", "local_umask=027\nwrite_enable=YES\n");
    tenant.overrides = std::string("local_umask=022\0", 16);
    const auto now = in_force(configuration, admitted(tenants_account()));
    EXPECT_EQ(now.local_umask, 022U);
    EXPECT_TRUE(now.write_enable);
    tenant.overrides = std::string("local_umask=x\0", 14);
    EXPECT_EQ(refused(tenants_account()).client_text, "bad options for one user");
}

// ----- anonymous

TEST_F(Admission, JailsAnonymousInItsHome) {
    options.local_root = "/srv";
    options.allow_writeable_chroot = true;
    const auto result = admitted(anonymous());
    const auto& admission = result.admission;
    EXPECT_EQ(admission.user, "ftp");
    EXPECT_EQ(admission.uid, ftp);
    EXPECT_TRUE(admission.anonymous);
    EXPECT_TRUE(admission.anonymous_rights);
    EXPECT_TRUE(admission.jailed);
    EXPECT_FALSE(admission.writable_root_allowed);
    EXPECT_EQ(admission.password_shown, "me@here");
    EXPECT_EQ(where(result.root), top.path("ftp"));
}

TEST_F(Admission, GoesOnToAnonRoot) {
    const auto pub = top.directory("ftp/pub");
    options.anon_root = "pub";
    EXPECT_EQ(where(admitted(anonymous()).root), pub);
    options.anon_root = top.directory("srv");
    EXPECT_EQ(where(admitted(anonymous()).root), options.anon_root);
    options.anon_root = "/missing";
    EXPECT_EQ(refused(anonymous()).client_text, "cannot change directory:/missing");
    options.anon_root.clear();
    own_file("ftp", "anon_root=pub\n");
    EXPECT_EQ(where(admitted(anonymous()).root), pub) << "the file of ftp_username";
}

TEST_F(Admission, NeedsFtpUsername) {
    options.ftp_username = "stranger";
    EXPECT_EQ(refused(anonymous()).client_text,
              "vsftpd: cannot locate user specified in 'ftp_username':stranger");
}

TEST_F(Admission, RemembersTheUsersThatOptionsNameForAWhile) {
    options.guest_enable = true;
    const auto both_admitted = [&] {
        return admitted(anonymous()).admission.uid == ftp &&
               admitted(account("virtual")).admission.uid == guests;
    };
    EXPECT_TRUE(both_admitted());
    people::cannot_be_asked(EIO);
    EXPECT_NE(refused(anonymous()).reason, "") << "by itself nothing is remembered";
    people::cannot_be_asked(0);
    helpers::remember_users_for(24h);
    EXPECT_EQ(admitted(anonymous()).admission.groups, (std::vector<gid_t>{ftp}));
    people::cannot_be_asked(EIO);
    EXPECT_EQ(admitted(anonymous()).admission.groups, (std::vector<gid_t>{ftp}));
    EXPECT_NE(refused(account("virtual")).reason, "") << "another user";
    options.guest_enable = false;
    EXPECT_NE(refused(account("ann")).reason, "") << "a name that clients give";
    helpers::remember_users_for(0s);
    EXPECT_NE(refused(anonymous()).reason, "") << "the time is over";
}

// ----- the list

TEST_F(Admission, AsksTheListForSystemUsersAlone) {
    options.chroot_list_enable = true;
    options.chroot_list_file = list("ann\nvirtual\n");
    EXPECT_TRUE(admitted(account("ann")).admission.jailed);
    options.chroot_local_user = true;
    EXPECT_FALSE(admitted(account("ann")).admission.jailed);
    options.guest_enable = true;
    options.virtual_use_local_privs = true;
    EXPECT_FALSE(admitted(account("virtual")).admission.jailed) << "listed by the login name";
    EXPECT_TRUE(admitted(account("guests")).admission.jailed);

    options.chroot_list_file = top.path("missing");
    const auto no = refused(account("ann"));
    EXPECT_EQ(no.client_text, "could not read chroot() list file:" + top.path("missing"));
    EXPECT_THAT(no.reason, HasSubstr("No such file or directory"));
    (void)admitted(tenants_account());
    (void)admitted(anonymous());
}

// ----- options of one's own

TEST_F(Admission, ReadsTheUsersFile) {
    const auto files = top.directory("ann/files", ann);
    own_file("ann",
             "local_root=files\nlocal_umask=022\nwrite_enable=YES\npasv_min_port=50000\n"
             "pasv_max_port=50010\npasv_enable=NO\n");
    const auto result = admitted(account("ann"));
    EXPECT_EQ(result.admission.start, files);
    EXPECT_EQ(in_force(configuration, result).local_umask, 022U);
    EXPECT_TRUE(in_force(configuration, result).write_enable);
    EXPECT_EQ(result.data.pasv_min_port, 50000);
    EXPECT_EQ(result.data.pasv_max_port, 50010);
    EXPECT_EQ(result.data.pasv_enable, 0);
    EXPECT_THAT(result.warnings, IsEmpty());
}

TEST_F(Admission, LetsTheUsersFileMakeAGuestOfHim) {
    own_file("ann", "guest_enable=YES\n");
    const auto result = admitted(account("ann"));
    EXPECT_TRUE(result.admission.guest);
    EXPECT_TRUE(result.admission.jailed);
    EXPECT_EQ(result.admission.uid, guests);
}

TEST_F(Admission, WarnsOfOptionsWithoutEffectForOne) {
    const auto path = own_file("ann", "chroot_local_user=YES\nlisten_port=2121\nlocal_umask=022\n");
    const auto result = admitted(account("ann"));
    EXPECT_FALSE(result.admission.jailed);
    EXPECT_EQ(in_force(configuration, result).listen_port, 21U);
    EXPECT_EQ(in_force(configuration, result).local_umask, 022U);
    EXPECT_THAT(result.warnings,
                ElementsAre(AllOf(StartsWith(path + ":1: "), HasSubstr("chroot_list_file")),
                            StartsWith(path + ":2: warning: listen_port has no effect")));
}

TEST_F(Admission, WarnsOfPortsThatContradictEachOther) {
    options.pasv_min_port = 40000;
    options.pasv_max_port = 40100;
    own_file("ann", "pasv_min_port=50000\n");
    EXPECT_THAT(admitted(account("ann")).warnings,
                ElementsAre("pasv_min_port of user ann is above pasv_max_port, which then does "
                            "not count"));
    own_file("ann", "pasv_min_port=40050\n");
    EXPECT_THAT(admitted(account("ann")).warnings, IsEmpty());
}

TEST_F(Admission, EndsWithAFileThatIsWrong) {
    const auto path = own_file("ann", "local_umask=022\nwrite_enalbe=YES\n");
    auto no = refused(account("ann"));
    EXPECT_EQ(no.client_text, "unrecognised variable in config file: write_enalbe");
    EXPECT_THAT(no.reason, AllOf(StartsWith(path + ":2: error: "), HasSubstr("write_enable")));
    EXPECT_FALSE(no.is_wrong);

    own_file("ann", "write_enable=perhaps\n");
    EXPECT_EQ(refused(account("ann")).client_text,
              "bad bool value in config file for: write_enable");

    own_file("ann", "write_enable=YES\n");
    (void)admitted(account("ann"));
    ASSERT_EQ(::chown(path.c_str(), ann, users), 0);
    no = refused(account("ann"));
    EXPECT_EQ(no.client_text, "config file not owned by correct user, or not a file");
    EXPECT_THAT(no.reason, HasSubstr("must belong to uid 0"));
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);
    EXPECT_THAT(refused(account("ann")).reason, HasSubstr("must be a regular file"));
    std::filesystem::remove(path);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_THAT(refused(account("ann")).reason, HasSubstr("must be a regular file"));
}

TEST_F(Admission, LooksForNoFileOutsideTheDirectory) {
    options.guest_enable = true;
    own_file("virtual", "local_umask=022\n");
    top.directory("users/sub");
    own_file("sub/virtual", "local_umask=011\n");
    std::ofstream(top.path("outside")) << "local_umask=033\n";
    for (const auto* name : {"../outside", "sub/virtual", "./virtual", ".", "..", "/etc/passwd"})
        EXPECT_EQ(admitted(account(name)).admission.overrides, "") << name;
    EXPECT_NE(admitted(account("virtual")).admission.overrides, "");
    EXPECT_EQ(admitted(account(std::string("virtual\0", 8))).admission.overrides, "");
}

// ----- homes

TEST_F(Admission, TellsClientAndAdministratorOfAHomeThatIsNotThere) {
    const auto no = refused(account("nowhere"));
    EXPECT_EQ(no.client_text, "cannot change directory:" + top.path("missing"));
    EXPECT_THAT(no.reason, HasSubstr("create it for uid 31001"));
    EXPECT_FALSE(no.is_wrong);
}

TEST_F(Admission, HintsAtAWritableRoot) {
    options.chroot_local_user = true;
    const auto refusing = admitted(account("ann")).admission;
    EXPECT_TRUE(refusing.jailed);
    EXPECT_FALSE(refusing.writable_root_allowed);
    EXPECT_THAT(refusing.writable_root_hint,
                AllOf(HasSubstr(top.path("ann")), EndsWith("allow_writeable_chroot=YES")));
    options.allow_writeable_chroot = true;
    EXPECT_TRUE(admitted(account("ann")).admission.writable_root_allowed);
    EXPECT_EQ(admitted(account("ann")).admission.writable_root_hint, "");
    // Anonymous gets no way out that does not exist.
    ASSERT_EQ(::chown(top.path("ftp").c_str(), ftp, ftp), 0);
    EXPECT_THAT(admitted(anonymous()).admission.writable_root_hint,
                AllOf(HasSubstr(top.path("ftp")), EndsWith("to write to")));
    own_file("ann", "allow_writeable_chroot=NO\n");
    EXPECT_FALSE(admitted(account("ann")).admission.writable_root_allowed);
}

// ----- homes as mounts

struct MountedAdmission : Admission {
    void SetUp() override {
        Admission::SetUp();
        NEEDS_MOUNTS();
        configuration.native.mounts = true;
    }
    static bool is(const base::Fd& directory, const std::string& path) {
        struct stat a {};
        struct stat b {};
        return ::fstat(directory.get(), &a) == 0 && ::stat(path.c_str(), &b) == 0 &&
               a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    }
};

TEST_F(MountedAdmission, GivesAJailItsHomeAsAMount) {
    const auto result = admitted(tenants_account());
    EXPECT_TRUE(result.admission.root_is_mount);
    EXPECT_TRUE(is(result.root, tenant.home));
    EXPECT_EQ(result.admission.root, tenant.home) << "told is where it is on the host";
    options.isolate = false;
    EXPECT_FALSE(admitted(tenants_account()).admission.root_is_mount);
}

TEST_F(MountedAdmission, GivesOneWhoIsNotJailedTheHost) {
    const auto result = admitted(account("ann"));
    EXPECT_FALSE(result.admission.root_is_mount);
    EXPECT_EQ(where(result.root), "/");
    EXPECT_TRUE(is(result.root, "/"));
}

TEST_F(MountedAdmission, MayCallAWritableRootSafe) {
    options.chroot_local_user = true;
    EXPECT_FALSE(admitted(account("ann")).admission.writable_root_allowed);
    configuration.native.writable_root = "safe";
    EXPECT_TRUE(admitted(account("ann")).admission.writable_root_allowed);
    EXPECT_EQ(admitted(account("ann")).admission.writable_root_hint, "");
    configuration.native.mounts = false;
    EXPECT_FALSE(admitted(account("ann")).admission.writable_root_allowed);
    EXPECT_NE(admitted(account("ann")).admission.writable_root_hint, "");
}

// ----- what the broker may do

TEST(DataPolicy, SaysWhatTheOptionsSay) {
    config::Options options;
    options.pasv_max_port = 65535;
    options.connect_from_port_20 = true;
    options.ftp_data_port = 2020;
    options.pasv_promiscuous = true;
    options.port_enable = false;
    options.accept_timeout = 7;
    options.connect_timeout = 0;
    const auto policy = helpers::data_policy(options);
    EXPECT_EQ(policy.pasv_min_port, 5001);
    EXPECT_EQ(policy.pasv_max_port, 65535);
    EXPECT_EQ(policy.source_port, 2020);
    EXPECT_EQ(policy.pasv_promiscuous, 1);
    EXPECT_EQ(policy.port_promiscuous, 0);
    EXPECT_EQ(policy.pasv_enable, 1);
    EXPECT_EQ(policy.port_enable, 0);
    EXPECT_EQ(policy.accept_timeout, 7U);
    EXPECT_EQ(policy.connect_timeout, 0U);
    options.connect_from_port_20 = false;
    EXPECT_EQ(helpers::data_policy(options).source_port, 0);
}

// ----- the answer

struct Answer : Admission {
    ipc::Login login{};
    std::vector<base::Fd> descriptors;

    void SetUp() override {
        Admission::SetUp();
        login.id = 77;
        login.account = ipc::Account::system;
    }
};

TEST_F(Answer, CarriesAnAdmissionThere) {
    options.guest_enable = true;
    own_file("virtual", "local_umask=022\npasv_min_port=2000\n");
    const auto expected = admitted(account("virtual")).admission;
    const auto answer = helpers::to_answer(
        login, account("virtual"), helpers::admit(configuration, account("virtual")), descriptors);
    EXPECT_EQ(answer.id, 77U);
    EXPECT_EQ(answer.outcome, ipc::Outcome::admitted);
    EXPECT_EQ(answer.account, ipc::Account::system);
    EXPECT_EQ(answer.guest, 1U);
    EXPECT_EQ(answer.user.view(), "virtual");
    EXPECT_EQ(answer.data.pasv_min_port, 2000);
    EXPECT_EQ(answer.reason.view(), "");
    ASSERT_EQ(descriptors.size(), 2U);
    EXPECT_EQ(where(descriptors[0]), top.path("guests"));
    const auto bytes = ipc::read_sealed(descriptors[1]);
    ASSERT_TRUE(bytes) << bytes.error().text();
    const auto read = ipc::parse_admission(bytes.value());
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(ipc::serialise(read.value()), ipc::serialise(expected));
    EXPECT_LT(::pwrite(descriptors[1].get(), "x", 1, 0), 0) << "nobody can change it";
}

TEST_F(Answer, TellsAWrongOneNothing) {
    helpers::Refusal refusal{"secret of the administrator", "wrong password", true};
    const auto answer = helpers::to_answer(login, account("ann"), refusal, descriptors);
    EXPECT_EQ(answer.outcome, ipc::Outcome::wrong);
    EXPECT_EQ(answer.client_text.view(), "");
    EXPECT_EQ(answer.reason.view(), "wrong password");
    EXPECT_EQ(answer.user.view(), "ann");
    EXPECT_THAT(descriptors, IsEmpty());
}

TEST_F(Answer, TellsABrokenOneWhatItMay) {
    const std::string long_text(2000, 'x');
    helpers::Refusal refusal{long_text, long_text, false};
    const auto answer = helpers::to_answer(login, account("ann"), refusal, descriptors);
    EXPECT_EQ(answer.outcome, ipc::Outcome::broken);
    EXPECT_EQ(answer.client_text.view(), long_text.substr(0, 512));
    EXPECT_EQ(answer.reason.view(), long_text.substr(0, 512));
    EXPECT_THAT(descriptors, IsEmpty());
}

}  // namespace
