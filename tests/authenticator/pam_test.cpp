// SPDX-License-Identifier: MIT
// PAM transactions and what the administrator is told of them, with services and accounts of the
// sandbox.
#include "authenticator/pam.hpp"

#include "authenticator/attempt.hpp"
#include "authenticator/hash.hpp"
#include "ipc/admission.hpp"
#include "jail/capabilities.hpp"
#include "tests/authenticator/sandboxed.hpp"
#include "tests/jail/observed.hpp"

#include <crypt.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <grp.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using authenticator::check_with_pam;
using authenticator::PamAnswer;
using authenticator::Secret;
using observed::Process;
using sandboxed::service;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

PamAnswer asked(const std::string& service, const std::string& name, std::string_view password) {
    const Secret secret(password);
    return check_with_pam(service, name, &secret, "192.0.2.7");
}

struct Pam : testing::Test {
    void SetUp() override {
        NEEDS_SANDBOX();
        sessions::refurnish();
    }
};

// ----- transactions

TEST_F(Pam, AcceptsASystemUser) {
    const auto answer = asked("vsftpd", "alice", "wonderland");
    EXPECT_TRUE(answer.accepted) << answer.phase << answer.error;
    EXPECT_EQ(answer.name, "alice");
    EXPECT_THAT(answer.groups, IsEmpty());
}

// Somebody else has seen to that.
TEST_F(Pam, LeavesAuthenticationOutWithoutAPassword) {
    const auto without = [](const char* name) {
        return check_with_pam("vsftpd", name, nullptr, "192.0.2.7");
    };
    EXPECT_TRUE(without("alice").accepted);
    EXPECT_EQ(without("expired").phase, "account");
    service("never", "auth fail=7");
    EXPECT_FALSE(asked("never", "alice", "wonderland").accepted);
    EXPECT_TRUE(check_with_pam("never", "alice", nullptr, "192.0.2.7").accepted);
}

TEST_F(Pam, HasObjectionsThatPasswordsDoNotChange) {
    EXPECT_EQ(authenticator::objection("vsftpd", "alice"), "");
    EXPECT_EQ(authenticator::objection("vsftpd", "expired"), "") << "which the account phase sees";
    EXPECT_THAT(authenticator::objection("vsftpd", "denied"), HasSubstr("/etc/ftpusers"));
    EXPECT_THAT(authenticator::objection("vsftpd", "noshell"), HasSubstr("/etc/shells"));
    sessions::write_file("/etc/pam.d/lenient",
                         "auth sufficient pam_shells.so\nauth optional pam_shells.so\n"
                         "account required pam_shells.so\n");
    EXPECT_EQ(authenticator::objection("lenient", "noshell"), "");
    sessions::write_file("/etc/pam.d/strict", "auth [success=ok default=die] pam_shells.so\n");
    EXPECT_THAT(authenticator::objection("strict", "noshell"), HasSubstr("/etc/shells"));
}

TEST_F(Pam, SaysInWhichPhaseItRefuses) {
    for (const auto& [name, password, phase] :
         {std::tuple{"alice", "looking-glass", "authentication"},
          {"stranger", "secret", "authentication"},
          {"locked", "secret", "authentication"},
          {"noshell", "secret", "authentication"},
          {"denied", "secret", "authentication"},
          {"expired", "secret", "account"}}) {
        const auto answer = asked("vsftpd", name, password);
        EXPECT_FALSE(answer.accepted) << name;
        EXPECT_EQ(answer.phase, phase) << name;
        EXPECT_NE(answer.error, "") << name;
    }
    sessions::write_file("/etc/pam.d/no-credentials",
                         "auth required pam_permit.so\nauth required " PAM_TOLD
                         " setcred fail=17\naccount required pam_permit.so\n");
    const auto answer = asked("no-credentials", "alice", "x");
    EXPECT_FALSE(answer.accepted);
    EXPECT_EQ(answer.phase, "credentials");
}

TEST_F(Pam, IsToldWhoAsks) {
    const auto items = sessions::place("items").string();
    service("items", "auth items=" + items);
    EXPECT_TRUE(asked("items", "alice", "x").accepted);
    EXPECT_EQ(sessions::content_of(items), "items\nalice\nftp\n192.0.2.7\nalice\n");
}

TEST_F(Pam, GetsThePasswordAndNothingElse) {
    service("password", "auth password=wonder");
    EXPECT_TRUE(asked("password", "alice", "wonder").accepted);
    EXPECT_FALSE(asked("password", "alice", "wonderland").accepted);
    // What would be typed visibly is a question that nobody can answer.
    service("question", "auth ask");
    EXPECT_FALSE(asked("question", "alice", "x").accepted);
}

TEST_F(Pam, PassesOnWhatModulesSay) {
    service("talkative", "auth say=hello fail=7");
    const auto answer = asked("talkative", "alice", "x");
    EXPECT_FALSE(answer.accepted);
    EXPECT_THAT(answer.messages, ElementsAre("hello", "and more"));
}

TEST_F(Pam, MayChangeTheName) {
    service("rename", "auth rename=bob");
    EXPECT_EQ(asked("rename", "alice", "x").name, "bob");
    sessions::write_file("/etc/pam.d/rename",
                         "auth required pam_permit.so\nauth optional " PAM_TOLD
                         " setcred rename=bob\naccount required pam_permit.so\n");
    EXPECT_EQ(asked("rename", "alice", "x").name, "bob");
}

TEST_F(Pam, MayAddGroups) {
    sessions::write_file("/etc/pam.d/groups",
                         "auth required pam_permit.so\nauth optional " PAM_TOLD
                         " setcred group=31003\naccount required pam_permit.so\n");
    const gid_t of_the_supervisor[] = {0, 4};
    ASSERT_EQ(::setgroups(2, of_the_supervisor), 0);
    EXPECT_THAT(asked("groups", "alice", "x").groups, ElementsAre(31003));
}

// Where they cannot be told apart from the supervisor's own, none are.
TEST_F(Pam, NeverAddsTheSupervisorsGroups) {
    service("groups", "");
    const Process process([](int) -> base::Result<void> {
        const gid_t of_the_supervisor[] = {0, 4};
        if (::setgroups(2, of_the_supervisor) < 0) return base::system_error("setgroups");
        const int without_setgid[] = {CAP_DAC_OVERRIDE, CAP_SETUID};
        TRY(jail::keep_capabilities(without_setgid));
        const auto answer = asked("groups", "alice", "x");
        if (!answer.accepted) return base::Error{"refused", 0};
        if (!answer.groups.empty()) return base::Error{"more groups", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

// The supervisor delays failures; a module's delay would hold up others.
TEST_F(Pam, DoesNotWaitAfterAFailure) {
    service("slow", "auth delay=5 fail=7");
    sessions::write_file("/etc/pam.d/slow-unix",
                         "auth required pam_faildelay.so delay=5000000\n"
                         "auth required pam_unix.so\naccount required pam_permit.so\n");
    const auto before = std::chrono::steady_clock::now();
    EXPECT_FALSE(asked("slow", "alice", "x").accepted);
    EXPECT_FALSE(asked("slow-unix", "alice", "x").accepted);
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(4));
}

// A module that looks at files as the user makes the kernel forget this.
TEST_F(Pam, LeavesItsProcessTiedToItsParent) {
    service("as-user", "auth fsuid=2001");
    const Process process([](int) -> base::Result<void> {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)::prctl(PR_SET_DUMPABLE, 0);
        if (!asked("as-user", "alice", "x").accepted) return base::Error{"refused", 0};
        int signal = 0;
        (void)::prctl(PR_GET_PDEATHSIG, &signal);
        if (signal != SIGKILL) return base::Error{"would outlive its parent", 0};
        if (::prctl(PR_GET_DUMPABLE) != 0) return base::Error{"could be dumped", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST_F(Pam, HoldsModulesWithoutAskingThemAnything) {
    service("hangs", "auth hang");
    const authenticator::HeldModules held("hangs");
    EXPECT_EQ(held.error(), "");
    std::ifstream maps("/proc/self/maps");
    const std::string all{std::istreambuf_iterator<char>(maps), {}};
    EXPECT_THAT(all, HasSubstr("pam_told"));
}

// ----- whole attempts

struct PamAttempt : Pam {
    config::Configuration configuration;
    config::Options& options = configuration.options;

    void SetUp() override {
        Pam::SetUp();
        options.local_enable = true;
        configuration.native.mounts = false;  // which containers forbid
        options.guest_username = "virtual";
    }

    // In a child of its own, as it is meant to be.
    ipc::LoginAnswer answer(const std::string& user, const std::string& password) {
        ipc::Login login{};
        login.has_password = 1;
        login.account = ipc::Account::system;
        login.peer.any.sa_family = AF_INET;
        login.user.assign(user);
        login.password.assign(password);
        std::vector<base::Fd> descriptors;
        authenticator::Lasting lasting;
        const auto result = authenticator::attempt(configuration, costs, login,
                                                   jail::detached_mount, descriptors, lasting);
        admission = descriptors.size() == 2
                        ? ipc::parse_admission(ipc::read_sealed(descriptors[1]).value()).value()
                        : ipc::Admission{};
        return result;
    }
    std::string reason(const std::string& user, const std::string& password) {
        const auto given = answer(user, password);
        EXPECT_EQ(given.outcome, ipc::Outcome::wrong);
        return std::string(given.reason.view());
    }

    authenticator::Costs costs;
    ipc::Admission admission;
};

TEST_F(PamAttempt, AdmitsASystemUserWithAllGroups) {
    ASSERT_EQ(answer("alice", "wonderland").outcome, ipc::Outcome::admitted);
    EXPECT_EQ(admission.uid, sessions::alice.uid);
    EXPECT_THAT(admission.groups,
                testing::UnorderedElementsAre(sessions::alice.uid, sessions::team, sessions::web));
    EXPECT_EQ(admission.start, sessions::home_of(sessions::alice).string());
}

TEST_F(PamAttempt, GoesOnWithTheNameThatPamChose) {
    service("vsftpd", "auth rename=bob");
    const auto given = answer("alice", "x");
    ASSERT_EQ(given.outcome, ipc::Outcome::admitted);
    EXPECT_EQ(given.user.view(), "bob");
    EXPECT_EQ(admission.user, "bob");
    EXPECT_EQ(admission.uid, sessions::bob.uid);
}

TEST_F(PamAttempt, DoesNotTrustTheNameThatPamChose) {
    options.guest_enable = true;
    service("vsftpd", "auth rename=" + std::string(129, 'x'));
    auto given = answer("alice", "x");
    EXPECT_EQ(given.outcome, ipc::Outcome::broken);
    EXPECT_THAT(std::string(given.reason.view()), HasSubstr("user name too long"));
    options.user_sub_token = "$USER";
    options.local_root = "/srv/$USER";
    service("vsftpd", "auth rename=../../etc");
    given = answer("alice", "x");
    EXPECT_EQ(given.outcome, ipc::Outcome::broken);
    EXPECT_THAT(std::string(given.reason.view()), HasSubstr("user_sub_token"));
    options.guest_enable = false;
    options.local_root.clear();
    service("vsftpd", "auth rename=root");
    EXPECT_EQ(answer("alice", "x").outcome, ipc::Outcome::wrong);
}

TEST_F(PamAttempt, NeverAdmitsRoot) {
    service("vsftpd", "");
    const auto given = answer("root", "x");
    EXPECT_EQ(given.outcome, ipc::Outcome::wrong);
    EXPECT_EQ(given.client_text.view(), "");
    EXPECT_THAT(std::string(given.reason.view()), HasSubstr("uid 0"));
}

TEST_F(PamAttempt, NeedsNoEntryForGuests) {
    service("vsftpd", "");
    EXPECT_EQ(answer("stranger", "x").outcome, ipc::Outcome::broken);
    options.guest_enable = true;
    ASSERT_EQ(answer("stranger", "x").outcome, ipc::Outcome::admitted);
    EXPECT_EQ(admission.user, "stranger");
    EXPECT_EQ(admission.uid, sessions::virtual_user.uid);
}

TEST_F(PamAttempt, PrefersTenants) {
    config::Tenant tenant;
    tenant.name = "alice";
    tenant.password = sessions::hash_of("tenants");
    tenant.home = sessions::home_of(sessions::bob);
    tenant.uid = tenant.gid = sessions::virtual_user.uid;
    configuration.tenants = {tenant};
    EXPECT_EQ(answer("alice", "wonderland").outcome, ipc::Outcome::wrong);
    ASSERT_EQ(answer("alice", "tenants").outcome, ipc::Outcome::admitted);
    EXPECT_EQ(admission.uid, sessions::virtual_user.uid);
    EXPECT_EQ(answer("bob", "builder").outcome, ipc::Outcome::admitted);
}

// ----- what the administrator is told

TEST_F(PamAttempt, ExplainsARefusal) {
    EXPECT_EQ(reason("alice", "looking-glass"),
              "wrong password (PAM service vsftpd, authentication: Authentication failure)");
    EXPECT_THAT(reason("stranger", "secret"), StartsWith("unknown user"));
    EXPECT_THAT(reason("locked", "secret"), StartsWith("its password is locked (PAM service"));
    EXPECT_THAT(reason("expired", "secret"),
                AllOf(StartsWith("the account expired "), HasSubstr(" days ago")));
    EXPECT_THAT(reason("noshell", "secret"),
                StartsWith("its shell /usr/sbin/nologin is not in /etc/shells (pam_shells)"));
    EXPECT_THAT(reason("denied", "secret"),
                StartsWith("the name is in /etc/ftpusers (pam_listfile)"));
}

// These files are all there is: the sandbox's /etc is the test's own.
TEST_F(PamAttempt, ExplainsPasswordsThatAreTooOld) {
    const auto shadow = sessions::content_of("/etc/shadow");
    const auto hash = sessions::hash_of("wonderland");
    const auto alices = [&](const std::string& ages) {
        auto text = shadow;
        const auto begin = text.find("alice:");
        text.replace(begin, text.find('\n', begin) - begin, "alice:" + hash + ":" + ages);
        sessions::write_file("/etc/shadow", text);
    };
    alices("0:0:99999:7:::");
    EXPECT_THAT(reason("alice", "wonderland"),
                StartsWith("its password must be changed before the next login"));
    alices("10000:0:90:7:::");
    EXPECT_THAT(reason("alice", "wonderland"), StartsWith("its password is older than 90 days"));
}

TEST_F(PamAttempt, ExplainsLists) {
    sessions::write_file(
        "/etc/pam.d/vsftpd",
        "auth required pam_listfile.so item=user sense=allow file=/etc/ftpallowed\n"
        "@include common-auth\n@include common-account\n");
    EXPECT_THAT(reason("alice", "wonderland"),
                AllOf(StartsWith("/etc/ftpallowed: No such file"), HasSubstr("(pam_listfile)")));
    sessions::write_file("/etc/ftpallowed", "bob\n");
    EXPECT_THAT(reason("alice", "wonderland"),
                StartsWith("the name is not in /etc/ftpallowed (pam_listfile)"));
}

// Debian's service overlooks a list that is not there, so it explains nothing.
TEST_F(PamAttempt, BlamesNoMissingListThatIsOverlooked) {
    fs::remove("/etc/ftpusers");
    EXPECT_EQ(answer("alice", "wonderland").outcome, ipc::Outcome::admitted);
    EXPECT_THAT(reason("alice", "looking-glass"), StartsWith("wrong password (PAM"));
}

TEST_F(PamAttempt, ExplainsNologin) {
    const auto file = sessions::place("closed-for-today").string();
    sessions::write_file("/etc/pam.d/vsftpd",
                         "auth required pam_permit.so\n"
                         "account required pam_nologin.so file=" +
                             file + "\naccount required pam_permit.so\n");
    EXPECT_EQ(answer("alice", "x").outcome, ipc::Outcome::admitted);
    sessions::write_file(file, "come back tomorrow\n");
    EXPECT_THAT(reason("alice", "x"), StartsWith(file + " exists (pam_nologin)"));
    sessions::write_file("/etc/pam.d/vsftpd",
                         "auth required pam_permit.so\n"
                         "account required pam_nologin.so\n");
    sessions::write_file("/etc/nologin", "come back tomorrow\n");
    EXPECT_THAT(reason("alice", "x"), AllOf(StartsWith("/etc/nologin exists (pam_nologin)"),
                                            HasSubstr("come back tomorrow")));
}

TEST_F(PamAttempt, SaysThatThereIsNoSuchService) {
    options.pam_service_name = "missing";
    EXPECT_THAT(reason("alice", "wonderland"),
                HasSubstr("there is no PAM service missing, so \"other\" decides"));
}

TEST_F(PamAttempt, QuotesWhatModulesSay) {
    service("vsftpd", "auth say=hello fail=7");
    EXPECT_THAT(reason("alice", "x"), HasSubstr("\"hello\"; \"and more\" (PAM service"));
}

TEST_F(PamAttempt, CallsNobodyUnknownAmongGuests) {
    options.guest_enable = true;
    service("vsftpd", "auth fail=7");
    EXPECT_THAT(reason("stranger", "x"), StartsWith("wrong password or unknown user (PAM"));
}

// ----- what failures cost

std::chrono::microseconds cpu_time() {
    std::chrono::microseconds total{0};
    for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage usage{};
        ::getrusage(who, &usage);
        for (const auto& each : {usage.ru_utime, usage.ru_stime})
            total += std::chrono::seconds(each.tv_sec) + std::chrono::microseconds(each.tv_usec);
    }
    return total;
}

// With hashes that are dear enough to show, by the CPU time of each: a busy machine does not
// matter.
TEST_F(PamAttempt, CostsTheSameWhateverIsWrong) {
    auto shadow = sessions::content_of("/etc/shadow");
    const auto cheap = sessions::hash_of("secret");
    crypt_data data{};
    const std::string dear = ::crypt_r("secret", "$6$rounds=60000$jailftpdtest$", &data);
    for (auto at = shadow.find("$6$"); at != shadow.npos; at = shadow.find("$6$", at + 1))
        shadow.replace(at, cheap.size(), dear);
    sessions::write_file("/etc/shadow", shadow);
    costs = authenticator::measure_costs(configuration);
    ASSERT_THAT(costs.system, StartsWith("$6$rounds=60000$"));
    const auto cost = [&](const char* name) {
        const auto before = cpu_time();
        EXPECT_EQ(answer(name, "wrong").outcome, ipc::Outcome::wrong);
        return static_cast<double>((cpu_time() - before).count());
    };
    for (int i = 0; i < 3; ++i) (void)cost("alice");  // learns
    for (const auto* name : {"stranger", "locked", "expired", "noshell", "denied", "root", "a b"}) {
        // In turns, and the least of each: what else runs may slow a processor's other half down.
        std::vector<double> usual;
        std::vector<double> this_one;
        for (int i = 0; i < 5; ++i) {
            usual.push_back(cost("alice"));
            this_one.push_back(cost(name));
        }
        const auto ratio = *std::min_element(this_one.begin(), this_one.end()) /
                           *std::min_element(usual.begin(), usual.end());
        EXPECT_GT(ratio, 0.6) << name;
        EXPECT_LT(ratio, 1.6) << name;
    }
}

}  // namespace
