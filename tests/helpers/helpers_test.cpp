// SPDX-License-Identifier: MIT
// Anonymous logins, and the process that answers them as the supervisor would ask it.
#include "helpers/helpers.hpp"

#include "tests/helpers/people.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using config::Configuration;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uid_t ftp = 31006;
constexpr int patience = 20000;  // milliseconds; only a broken helper takes that long

ipc::Login anonymous_with(std::string_view password, bool has_password = true) {
    ipc::Login login{};
    login.id = 5;
    login.account = ipc::Account::anonymous;
    login.has_password = has_password ? 1 : 0;
    login.user.assign("anonymous");
    login.password.assign(password);
    return login;
}

struct Anonymous : testing::Test {
    observed::Directory top;
    Configuration configuration;
    config::Options& options = configuration.options;

    void SetUp() override {
        NEEDS_ROOT();
        people::are({{"ftp", ftp, ftp, top.directory("ftp"), {}}});
        configuration.native.mounts = false;  // which containers forbid
    }
    std::string list(std::string_view name, std::string_view content) {
        std::ofstream(top.path(name)) << content;
        return top.path(name);
    }
    ipc::LoginAnswer answer(std::string_view password, bool has_password = true) {
        std::vector<base::Fd> descriptors;
        auto result = helpers::anonymous_login(configuration,
                                               anonymous_with(password, has_password), descriptors);
        EXPECT_EQ(descriptors.size(), result.outcome == ipc::Outcome::admitted ? 2U : 0U);
        return result;
    }
    ipc::Outcome outcome(std::string_view password, bool has_password = true) {
        return answer(password, has_password).outcome;
    }
};

TEST_F(Anonymous, IsAdmittedWithAnyPassword) {
    const auto result = answer("me@here");
    EXPECT_EQ(result.outcome, ipc::Outcome::admitted);
    EXPECT_EQ(result.id, 5U);
    EXPECT_EQ(result.account, ipc::Account::anonymous);
    EXPECT_EQ(result.user.view(), "ftp");
    EXPECT_EQ(result.guest, 0U);
}

TEST_F(Anonymous, IsShownWithItsPassword) {
    EXPECT_EQ(answer("me@here").shown_password.view(), "me@here");
    EXPECT_EQ(answer(" a b ").shown_password.view(), "_a_b_");
    EXPECT_EQ(answer("").shown_password.view(), "?");
    options.no_anon_password = true;
    EXPECT_EQ(answer("", false).shown_password.view(), "<no_password>");
}

TEST_F(Anonymous, IsRefusedWhenOff) {
    options.anonymous_enable = false;
    const auto result = answer("me@here");
    EXPECT_EQ(result.outcome, ipc::Outcome::wrong);
    EXPECT_EQ(result.reason.view(), "anonymous_enable=NO");
    EXPECT_EQ(result.client_text.view(), "");
}

TEST_F(Anonymous, NeedsAPasswordUnlessToldOtherwise) {
    EXPECT_EQ(outcome("", false), ipc::Outcome::wrong);
    EXPECT_EQ(outcome("", true), ipc::Outcome::admitted);
    options.no_anon_password = true;
    EXPECT_EQ(outcome("", false), ipc::Outcome::admitted);
}

TEST_F(Anonymous, IsRefusedWithABannedAddress) {
    options.deny_email_enable = true;
    options.banned_email_file = list("banned", "mozilla@example.com\n\n#x\n");
    EXPECT_EQ(outcome("mozilla@example.com"), ipc::Outcome::wrong);
    EXPECT_THAT(std::string(answer("#x").reason.view()), HasSubstr(options.banned_email_file));
    EXPECT_EQ(outcome("Mozilla@example.com"), ipc::Outcome::admitted);
    EXPECT_EQ(outcome(""), ipc::Outcome::admitted);
    options.banned_email_file = top.path("missing");
    const auto result = answer("me@here");
    EXPECT_EQ(result.outcome, ipc::Outcome::broken);
    EXPECT_EQ(result.client_text.view(),
              "cannot read anon e-mail list file:" + options.banned_email_file);
}

TEST_F(Anonymous, NeedsAnAllowedAddressWhereThereIsAList) {
    options.secure_email_list_enable = true;
    options.email_password_file = list("allowed", "sesame\n<no password>\n");
    EXPECT_EQ(outcome("sesame"), ipc::Outcome::admitted);
    for (const auto* no : {"", "sesam", "sesame\n", "sesame\n<no password>", "SESAME"})
        EXPECT_EQ(outcome(no), ipc::Outcome::wrong) << no;
    options.no_anon_password = true;
    EXPECT_EQ(outcome("", false), ipc::Outcome::admitted) << "vsftpd fakes this password";
    // Both lists: banned comes first.
    options.deny_email_enable = true;
    options.banned_email_file = list("banned", "sesame\n");
    EXPECT_EQ(outcome("sesame"), ipc::Outcome::wrong);
    options.deny_email_enable = false;
    options.email_password_file = top.path("missing");
    EXPECT_EQ(answer("sesame").client_text.view(),
              "cannot read email passwords file:" + options.email_password_file);
}

// ----- the process

class Helper {
  public:
    explicit Helper(const Configuration& configuration) {
        auto ends = ipc::Channel::pair();
        channel = std::move(ends.value().first);
        pid_ = ::fork();
        if (pid_ == 0) {
            channel.close();
            const gid_t many[] = {0, 4, 24};
            (void)::setgroups(3, many);
            ::_exit(helpers::run(std::move(ends.value().second), configuration));
        }
    }
    ~Helper() {
        channel.close();
        if (pid_ > 0) (void)status();
    }
    Helper(const Helper&) = delete;
    Helper& operator=(const Helper&) = delete;

    // -1: it did not answer.
    int outcome(const ipc::Login& login) {
        EXPECT_TRUE(channel.send(login));
        const auto message = channel.wait(patience);
        const auto* answer = message ? message.value().as<ipc::LoginAnswer>() : nullptr;
        if (answer == nullptr) return -1;
        EXPECT_EQ(answer->id, login.id);
        EXPECT_EQ(message.value().descriptors.size(),
                  answer->outcome == ipc::Outcome::admitted ? 2U : 0U);
        return static_cast<int>(answer->outcome);
    }

    [[nodiscard]] observed::Facts facts() const { return observed::Facts(pid_); }

    // Of its exit, which must be at hand.
    int status() {
        int result = 0;
        ::waitpid(pid_, &result, 0);
        pid_ = -1;
        return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
    }

    ipc::Channel channel;

  private:
    pid_t pid_ = -1;
};

constexpr int admitted = static_cast<int>(ipc::Outcome::admitted);
constexpr int wrong = static_cast<int>(ipc::Outcome::wrong);
constexpr int broken = static_cast<int>(ipc::Outcome::broken);

struct HelperProcess : Anonymous {};

TEST_F(HelperProcess, AnswersOneAfterTheOther) {
    Helper helper(configuration);
    for (std::uint64_t id = 1; id <= 50; ++id) {
        auto login = anonymous_with("me@here");
        login.id = id;
        EXPECT_EQ(helper.outcome(login), admitted);
    }
    EXPECT_EQ(helper.outcome(anonymous_with("", false)), wrong);
    EXPECT_EQ(helper.outcome(anonymous_with("me@here")), admitted);
}

TEST_F(HelperProcess, HasFewRights) {
    const auto number = [](const std::string& text) { return std::stoull(text, nullptr, 16); };
    for (const bool mounts : {false, true}) {
        configuration.native.mounts = mounts;
        Helper helper(configuration);
        ASSERT_EQ(helper.outcome(anonymous_with("", false)), wrong);
        const auto facts = helper.facts();
        // CAP_DAC_READ_SEARCH, CAP_SETGID, CAP_SETUID; for mounts CAP_SYS_ADMIN, where it is had.
        const auto expected =
            number(observed::Facts(::getpid()).status("CapPrm")) & (mounts ? 0x2000c4U : 0xc4U);
        for (const auto* set : {"CapPrm", "CapEff", "CapBnd"})
            EXPECT_EQ(number(facts.status(set)), expected) << set;
        for (const auto* set : {"CapInh", "CapAmb"}) EXPECT_EQ(number(facts.status(set)), 0U);
        EXPECT_EQ(facts.status("NoNewPrivs"), "1");
        EXPECT_EQ(facts.limit("Max core file size"), "0 0");
    }
}

TEST_F(HelperProcess, IsItselfAgainAfterEachLogin) {
    Helper helper(configuration);
    // By the answer to one that brings no descriptors, those of the one before are closed.
    ASSERT_EQ(helper.outcome(anonymous_with("", false)), wrong);
    const auto descriptors = helper.facts().descriptors();
    for (int i = 0; i < 50; ++i) ASSERT_EQ(helper.outcome(anonymous_with("me@here")), admitted);
    ASSERT_EQ(helper.outcome(anonymous_with("", false)), wrong);
    EXPECT_EQ(helper.facts().descriptors(), descriptors);
    EXPECT_EQ(helper.facts().status("Uid"), "0 0 0 0");
    EXPECT_EQ(helper.facts().status("Gid"), "0 0 0 0");
    EXPECT_EQ(helper.facts().status("Groups"), "0 4 24");
}

// Its right to read everything is not the user's.
TEST_F(HelperProcess, OpensHomesWithTheUsersRights) {
    const auto closed = top.directory("closed", 0, 0700);
    top.directory("closed/ftp", ftp);
    people::are({{"ftp", ftp, ftp, closed + "/ftp", {}}});
    Helper helper(configuration);
    EXPECT_EQ(helper.outcome(anonymous_with("me@here")), broken);
}

// What the administrator hides from others is still read.
TEST_F(HelperProcess, ReadsTheAdministratorsLists) {
    options.deny_email_enable = true;
    top.directory("private", 31099, 0700);
    std::ofstream(top.path("private/banned")) << "me@here\n";
    options.banned_email_file = top.path("private/banned");
    Helper helper(configuration);
    EXPECT_EQ(helper.outcome(anonymous_with("me@here")), wrong);
    EXPECT_EQ(helper.outcome(anonymous_with("you@there")), admitted);
}

TEST_F(HelperProcess, EndsWithItsChannel) {
    Helper helper(configuration);
    ASSERT_EQ(helper.outcome(anonymous_with("me@here")), admitted);
    helper.channel.close();
    EXPECT_EQ(helper.status(), 0);
}

TEST_F(HelperProcess, EndsWhenToldTo) {
    Helper helper(configuration);
    ASSERT_TRUE(helper.channel.send(ipc::Stop{}));
    EXPECT_EQ(helper.status(), 0);
}

TEST_F(HelperProcess, EndsAtWhatItDoesNotKnow) {
    auto a_users = anonymous_with("me@here");
    a_users.account = ipc::Account::system;
    auto malformed = anonymous_with("me@here");
    malformed.password.length = 1000;
    auto malformed_name = anonymous_with("me@here");
    malformed_name.user.length = 0xFFFFFFFF;
    for (const auto& login : {a_users, malformed, malformed_name}) {
        Helper helper(configuration);
        ASSERT_TRUE(helper.channel.send(login));
        EXPECT_EQ(helper.status(), 2);
    }
    Helper helper(configuration);
    ASSERT_TRUE(helper.channel.send(ipc::PassiveOpen{}));
    EXPECT_EQ(helper.status(), 2);
}

TEST_F(HelperProcess, DoesNotStartWithoutTheRightToGiveUpRights) {
    auto ends = ipc::Channel::pair();
    const pid_t pid = ::fork();
    if (pid == 0) {
        (void)::setgroups(0, nullptr);
        if (::setuid(ftp) < 0) ::_exit(9);
        ::_exit(helpers::run(std::move(ends.value().second), configuration));
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 2);
}

}  // namespace
