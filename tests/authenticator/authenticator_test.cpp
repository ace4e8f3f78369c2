// SPDX-License-Identifier: MIT
// The template process and its children, asked as the supervisor asks them.
#include "authenticator/authenticator.hpp"

#include "ipc/admission.hpp"
#include "jail/capabilities.hpp"
#include "tests/authenticator/sandboxed.hpp"
#include "tests/jail/observed.hpp"

#include <crypt.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using authenticator::Bounds;
using config::Configuration;
using ipc::Outcome;
using observed::Facts;
using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::Each;
using testing::Eq;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr int patience = 30000;  // milliseconds; only a broken authenticator takes that long

template <typename Condition>
bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

std::vector<pid_t> children_of(pid_t pid) {
    std::istringstream words(Facts(pid).text("task/" + std::to_string(pid) + "/children"));
    std::vector<pid_t> all;
    for (pid_t child = 0; words >> child;) all.push_back(child);
    return all;
}

// It has one right.
bool is_mounter(pid_t pid) { return Facts(pid).status("CapPrm") == "0000000000200000"; }

// Of all of a process's memory that can be written to.
int times_in_memory(pid_t pid, const std::string& text) {
    std::istringstream maps(Facts(pid).text("maps"));
    std::ifstream memory("/proc/" + std::to_string(pid) + "/mem", std::ios::binary);
    EXPECT_TRUE(memory);
    int seen = 0;
    for (std::string line; std::getline(maps, line);) {
        unsigned long long first = 0;
        unsigned long long last = 0;
        char rights[5] = "";
        if (std::sscanf(line.c_str(), "%llx-%llx %4s", &first, &last, rights) != 3) continue;
        // A sanitizer's shadow is terabytes.
        if (rights[1] != 'w' || last - first > (256U << 20)) continue;
        std::string bytes(last - first, '\0');
        memory.clear();
        memory.seekg(static_cast<std::streamoff>(first));
        memory.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        if (bytes.find(text) != bytes.npos) ++seen;
    }
    return seen;
}

// What came for one attempt.
struct Came {
    Outcome outcome{};
    std::string user;
    std::string client_text;
    std::string reason;
    std::optional<ipc::Admission> admission;
    std::shared_ptr<base::Fd> session{};  // session_support: open until it is closed
};

class Authenticator {
  public:
    explicit Authenticator(const Configuration& configuration, const Bounds& bounds = {})
        : session_support(configuration.options.session_support) {
        // Whatever it leaves behind becomes the test's.
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        auto ends = ipc::Channel::pair();
        channel = std::move(ends.value().first);
        pid_ = ::fork();
        if (pid_ == 0) {
            channel.close();
            ::_exit(authenticator::run(std::move(ends.value().second), configuration, bounds));
        }
    }
    ~Authenticator() {
        channel.close();
        if (pid_ > 0) (void)status();
        EXPECT_TRUE(nothing_is_left());
    }
    Authenticator(const Authenticator&) = delete;
    Authenticator& operator=(const Authenticator&) = delete;

    static ipc::Login login(std::uint64_t id, std::string_view user, std::string_view password,
                            const char* from = "192.0.2.1") {
        ipc::Login made{};
        made.id = id;
        made.account = ipc::Account::system;
        made.has_password = 1;
        made.peer.v4.sin_family = AF_INET;
        ::inet_pton(AF_INET, from, &made.peer.v4.sin_addr);
        made.user.assign(user);
        made.password.assign(password);
        return made;
    }

    std::uint64_t send(std::string_view user, std::string_view password,
                       const char* from = "192.0.2.1") {
        const auto attempt = login(++last_, user, password, from);
        // As the supervisor, which goes on reading: else both might wait for the other's room.
        for (auto sent = channel.send(attempt); !sent; sent = channel.send(attempt)) {
            pollfd ready{channel.fd(), POLLIN | POLLOUT, 0};
            if (sent.error().number != EAGAIN || ::poll(&ready, 1, patience) != 1 ||
                ((ready.revents & POLLIN) != 0 && !receive())) {
                ADD_FAILURE() << "not sent: " << sent.error().text();
                break;
            }
        }
        return attempt.id;
    }

    // The answer to this one; those to others that come before are kept.
    Came answer_to(std::uint64_t id) {
        while (came.count(id) == 0) {
            if (!receive()) {
                ADD_FAILURE() << "no answer to " << id;
                return {};
            }
        }
        return came.at(id);
    }
    Came ask(std::string_view user, std::string_view password, const char* from = "192.0.2.1") {
        return answer_to(send(user, password, from));
    }
    bool receive() {
        auto message = channel.wait(patience);
        const auto* answer = message ? message.value().as<ipc::LoginAnswer>() : nullptr;
        if (answer == nullptr) return false;
        EXPECT_TRUE(answer->id >= 1 && answer->id <= last_ && came.count(answer->id) == 0)
            << "a second answer to " << answer->id;
        Came one{answer->outcome,
                 std::string(answer->user.view()),
                 std::string(answer->client_text.view()),
                 std::string(answer->reason.view()),
                 {}};
        auto descriptors = std::move(message.value().descriptors);
        const auto expected = session_support ? 3U : 2U;
        EXPECT_EQ(descriptors.size(), answer->outcome == Outcome::admitted ? expected : 0U);
        if (descriptors.size() >= 2)
            one.admission = ipc::parse_admission(ipc::read_sealed(descriptors[1]).value()).value();
        if (descriptors.size() == 3)
            one.session = std::make_shared<base::Fd>(std::move(descriptors[2]));
        came[answer->id] = std::move(one);
        return true;
    }

    [[nodiscard]] pid_t pid() const { return pid_; }
    // Of attempts.
    [[nodiscard]] std::vector<pid_t> children() const {
        auto all = children_of(pid_);
        std::erase_if(all, is_mounter);
        return all;
    }
    [[nodiscard]] std::vector<pid_t> mounters() const {
        auto all = children_of(pid_);
        std::erase_if(all, [](pid_t each) { return !is_mounter(each); });
        return all;
    }
    // Waits for it.
    [[nodiscard]] pid_t child() const {
        EXPECT_TRUE(eventually([this] { return children().size() == 1; }));
        const auto all = children();
        return all.empty() ? -1 : all.front();
    }

    // Of its exit, which must be at hand; 1000 and more: a signal.
    int status() {
        int result = 0;
        ::waitpid(std::exchange(pid_, -1), &result, 0);
        return WIFEXITED(result) ? WEXITSTATUS(result) : 1000 + WTERMSIG(result);
    }
    static bool nothing_is_left() {
        return eventually([] { return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD; });
    }

    ipc::Channel channel;
    std::map<std::uint64_t, Came> came;
    bool session_support;

  private:
    pid_t pid_ = -1;
    std::uint64_t last_ = 0;
};

struct Process : testing::Test {
    observed::Directory top;
    Configuration configuration;

    void SetUp() override {
        NEEDS_ROOT();
        const auto tenant = [&](const std::string& name, const std::string& hash) {
            return config::Tenant{name, hash, top.path("home"), 31001, 31002, {}, {}};
        };
        top.directory("home");
        configuration.options.local_enable = false;
        configuration.native.mounts = false;  // which containers forbid
        configuration.tenants = {
            tenant("alice", sessions::hash_of("wonderland")),
            tenant("bob", sessions::hash_of("builder")),
            tenant("locked", "!" + sessions::hash_of("secret")),
            // Whoever checks this one is busy for hours.
            tenant("slow", "$6$rounds=999999999$salt$" + std::string(86, 'x')),
        };
    }
};

// ----- answers

TEST_F(Process, AnswersRightAndWrong) {
    Authenticator authenticator(configuration);
    const auto right = authenticator.ask("alice", "wonderland");
    EXPECT_EQ(right.outcome, Outcome::admitted) << right.reason;
    EXPECT_EQ(right.user, "alice");
    ASSERT_TRUE(right.admission);
    EXPECT_EQ(right.admission->user, "alice");
    for (const auto& [user, password] : {std::pair{"alice", "builder"},
                                         {"stranger", "wonderland"},
                                         {"locked", "secret"},
                                         {"", ""}}) {
        const auto wrong = authenticator.ask(user, password);
        EXPECT_EQ(wrong.outcome, Outcome::wrong) << user;
        EXPECT_EQ(wrong.client_text, "");
        EXPECT_NE(wrong.reason, "");
    }
    EXPECT_EQ(authenticator.ask("bob", "builder").outcome, Outcome::admitted);
}

TEST_F(Process, AnswersManyAtOnceEachItsOwn) {
    Authenticator authenticator(configuration, {.for_another = 1s});
    const auto idle = [&] { return authenticator.children().empty(); };
    (void)authenticator.ask("alice", "wonderland");
    EXPECT_TRUE(eventually(idle));
    const auto before = Facts(authenticator.pid()).descriptors();
    std::map<std::uint64_t, Outcome> expected;
    for (int i = 0; i < 300; ++i) {
        const auto from = "192.0.2." + std::to_string(i % 50);
        const bool right = i % 3 != 0;
        const auto id = authenticator.send(i % 2 == 0 ? "alice" : "bob",
                                           !right       ? "wrong"
                                           : i % 2 == 0 ? "wonderland"
                                                        : "builder",
                                           from.c_str());
        expected[id] = right ? Outcome::admitted : Outcome::wrong;
    }
    for (const auto& [id, outcome] : expected)
        EXPECT_EQ(authenticator.answer_to(id).outcome, outcome) << id;
    EXPECT_TRUE(eventually(idle));
    EXPECT_EQ(Facts(authenticator.pid()).descriptors(), before);
}

// ----- children that stay

TEST_F(Process, LetsAChildStayThatHasAdmittedSomebody) {
    Authenticator authenticator(configuration);
    EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
    const auto child = authenticator.child();
    const auto right = authenticator.ask("bob", "builder");
    EXPECT_EQ(right.outcome, Outcome::admitted);
    EXPECT_EQ(right.user, "bob");
    EXPECT_THAT(authenticator.children(), testing::ElementsAre(child));
}

TEST_F(Process, EndsAChildThatHasRefusedSomebody) {
    Authenticator authenticator(configuration);
    EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
    const auto child = authenticator.child();
    EXPECT_EQ(authenticator.ask("alice", "builder").outcome, Outcome::wrong);
    EXPECT_TRUE(eventually([&] { return authenticator.children().empty(); }));
    EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
    EXPECT_NE(authenticator.child(), child);
}

TEST_F(Process, EndsAChildThatNobodyWants) {
    Authenticator authenticator(configuration, {.for_another = 1s});
    EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
    EXPECT_NE(authenticator.child(), -1);
    EXPECT_TRUE(eventually([&] { return authenticator.children().empty(); }));
}

TEST_F(Process, MissesNoChildThatStayedAndDied) {
    Authenticator authenticator(configuration);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
        const auto child = authenticator.child();
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        EXPECT_TRUE(eventually([&] { return authenticator.children().empty(); }));
    }
}

// One that has stayed hears of no other's connection.
TEST_F(Process, ForksWhileThoseThatStayAreBusy) {
    Authenticator authenticator(configuration);
    EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
    const auto child = authenticator.child();
    authenticator.send("slow", "x");
    EXPECT_EQ(authenticator.ask("bob", "builder").outcome, Outcome::admitted);
    EXPECT_THAT(authenticator.children(), AllOf(SizeIs(2), Contains(child)));
}

// ----- children that do not end well

TEST_F(Process, AnswersForAChildThatWasKilled) {
    Authenticator authenticator(configuration);
    const auto id = authenticator.send("slow", "x");
    ASSERT_EQ(::kill(authenticator.child(), SIGKILL), 0);
    const auto broken = authenticator.answer_to(id);
    EXPECT_EQ(broken.outcome, Outcome::broken);
    EXPECT_EQ(broken.user, "slow");
    EXPECT_EQ(broken.client_text, "login service unavailable, please try later");
    EXPECT_EQ(broken.reason, "the process that checked the password was ended by signal 9");
    EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
}

TEST_F(Process, EndsAnAttemptThatTakesTooLong) {
    Authenticator authenticator(configuration, {.for_an_attempt = 1s});
    const auto before = std::chrono::steady_clock::now();
    const auto slow = authenticator.send("slow", "x");
    EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
    const auto broken = authenticator.answer_to(slow);
    EXPECT_GE(std::chrono::steady_clock::now() - before, 900ms);
    EXPECT_EQ(broken.outcome, Outcome::broken);
    EXPECT_THAT(broken.reason, HasSubstr("took too long and was ended"));
    EXPECT_TRUE(eventually([&] { return authenticator.children().empty(); }));
}

TEST_F(Process, AnswersThoseWhoseTurnDoesNotCome) {
    Authenticator authenticator(configuration, {.most_running = 1, .for_an_answer = 1s});
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 5; ++i) ids.push_back(authenticator.send("slow", "x"));
    for (const auto id : ids) {
        const auto broken = authenticator.answer_to(id);
        EXPECT_EQ(broken.outcome, Outcome::broken);
        EXPECT_THAT(broken.reason, AnyOf(HasSubstr("its turn did not come in time"),
                                         HasSubstr("took too long and was ended")));
    }
    EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
}

// ----- turns

TEST_F(Process, RunsNoMoreThanItMay) {
    Authenticator authenticator(configuration, {.most_running = 3});
    for (const auto* from : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"})
        authenticator.send("slow", "x", from);
    EXPECT_TRUE(eventually([&] { return authenticator.children().size() == 3; }));
    for (int i = 0; i < 20; ++i) {
        EXPECT_LE(authenticator.children().size(), 3U);
        std::this_thread::sleep_for(5ms);
    }
}

TEST_F(Process, LetsNobodyWaitForAnothersThousand) {
    Authenticator authenticator(configuration, {.most_running = 4});
    for (int i = 0; i < 1000; ++i) authenticator.send("slow", "x", "192.0.2.66");
    const auto before = std::chrono::steady_clock::now();
    for (const auto* from : {"192.0.2.1", "192.0.2.2", "192.0.2.3"})
        EXPECT_EQ(authenticator.ask("alice", "wonderland", from).outcome, Outcome::admitted);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
    EXPECT_THAT(authenticator.came, SizeIs(3)) << "the thousand still wait";
    EXPECT_TRUE(eventually([&] { return authenticator.children().size() == 2; }))
        << "half of all turns for one source";
}

TEST_F(Process, LetsNobodyTakeAllPlaces) {
    Authenticator authenticator(configuration, {.most_running = 2, .most_waiting = 5});
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 20; ++i) ids.push_back(authenticator.send("slow", "x", "192.0.2.66"));
    EXPECT_EQ(authenticator.ask("alice", "wonderland", "192.0.2.1").outcome, Outcome::admitted);
    // One runs, four or five wait, one of them may have given its place up.
    EXPECT_GE(authenticator.came.size(), 1U + 14U);
    for (const auto& [id, one] : authenticator.came) {
        if (one.user != "slow") continue;
        EXPECT_EQ(one.outcome, Outcome::broken);
        EXPECT_EQ(one.reason, "too many attempts wait for a turn");
        EXPECT_NE(id, ids.front());
    }
}

// ----- ends

TEST_F(Process, EndsWithItsChannelAndLeavesNobodyBehind) {
    Authenticator authenticator(configuration);
    for (int i = 0; i < 6; ++i) authenticator.send("slow", "x");
    EXPECT_TRUE(eventually([&] { return authenticator.children().size() == 6; }));
    authenticator.channel.close();
    EXPECT_EQ(authenticator.status(), 0);
    EXPECT_TRUE(Authenticator::nothing_is_left());
}

TEST_F(Process, TakesItsChildrenAlongWhenItIsKilled) {
    Authenticator authenticator(configuration);
    for (int i = 0; i < 3; ++i) authenticator.send("slow", "x");
    EXPECT_TRUE(eventually([&] { return authenticator.children().size() == 3; }));
    ASSERT_EQ(::kill(authenticator.pid(), SIGKILL), 0);
    EXPECT_EQ(authenticator.status(), 1000 + SIGKILL);
    EXPECT_TRUE(Authenticator::nothing_is_left());
}

TEST_F(Process, AnswersWhatWasAskedBeforeTheLastQuestion) {
    for (const bool told : {false, true}) {
        Authenticator authenticator(configuration, {.most_running = 2});
        std::vector<std::uint64_t> ids;
        for (int i = 0; i < 20; ++i) ids.push_back(authenticator.send("alice", "wonderland"));
        if (told)
            EXPECT_TRUE(authenticator.channel.send(ipc::Stop{}));
        else
            ASSERT_EQ(::shutdown(authenticator.channel.fd(), SHUT_WR), 0);
        for (const auto id : ids) EXPECT_EQ(authenticator.answer_to(id).outcome, Outcome::admitted);
        EXPECT_EQ(authenticator.status(), 0);
    }
}

TEST_F(Process, EndsAtWhatItDoesNotKnow) {
    auto anonymous = Authenticator::login(1, "alice", "wonderland");
    anonymous.account = ipc::Account::anonymous;
    auto malformed = Authenticator::login(1, "alice", "wonderland");
    malformed.user.length = 129;
    auto malformed_password = Authenticator::login(1, "alice", "wonderland");
    malformed_password.password.length = 0xFFFFFFFF;
    for (const auto& login : {anonymous, malformed, malformed_password}) {
        Authenticator authenticator(configuration);
        EXPECT_TRUE(authenticator.channel.send(login));
        EXPECT_EQ(authenticator.status(), 2);
    }
    Authenticator authenticator(configuration);
    EXPECT_TRUE(authenticator.channel.send(ipc::PassiveOpen{}));
    EXPECT_EQ(authenticator.status(), 2);
}

// ----- rights

TEST_F(Process, AndItsChildrenHaveTheRightsThatModulesNeed) {
    const auto number = [](const std::string& text) { return std::stoull(text, nullptr, 16); };
    const auto ours = number(Facts(::getpid()).status("CapPrm"));
    // CAP_CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, KILL, SETGID, SETUID;
    // NET_BIND_SERVICE, IPC_LOCK; SYS_RESOURCE; AUDIT_WRITE. A container may have fewer.
    constexpr auto for_modules = 0x210044ffU;
    // And for those that open sessions: SYS_ADMIN, SYS_NICE, AUDIT_CONTROL.
    constexpr auto for_sessions = 0x40a00000U;
    for (const bool sessions : {false, true}) {
        configuration.options.session_support = sessions;
        const auto rights = ours & (for_modules | (sessions ? for_sessions : 0));
        Authenticator authenticator(configuration);
        authenticator.send("slow", "x");
        for (const auto pid : {authenticator.child(), authenticator.pid()}) {
            const Facts facts(pid);
            for (const auto* set : {"CapPrm", "CapEff", "CapBnd"})
                EXPECT_EQ(number(facts.status(set)), rights) << set;
            for (const auto* set : {"CapInh", "CapAmb"}) EXPECT_EQ(number(facts.status(set)), 0U);
            EXPECT_EQ(facts.limit("Max core file size"), "0 0");
        }
    }
}

// Who mounts homes runs nobody's code, and has no other right.
TEST_F(Process, HasAnotherThatMounts) {
    if (!jail::has_capability(CAP_SYS_ADMIN)) GTEST_SKIP() << "it takes CAP_SYS_ADMIN";
    configuration.native.mounts = true;
    Authenticator authenticator(configuration);
    EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
    ASSERT_THAT(authenticator.mounters(), SizeIs(1));
    const Facts facts(authenticator.mounters().front());
    for (const auto* set : {"CapPrm", "CapEff", "CapBnd"})
        EXPECT_EQ(facts.status(set), "0000000000200000") << set;
    EXPECT_EQ(facts.status("NoNewPrivs"), "1");
    EXPECT_EQ(facts.limit("Max processes"), "0 0");
    const auto sockets = [&] {
        std::size_t count = 0;
        for (const auto& [number, name] : facts.descriptors()) count += name.starts_with("socket:");
        return count;
    };
    // It may still have the end of the one that it has answered.
    EXPECT_TRUE(eventually([&] { return sockets() == 1; }));
}

TEST_F(Process, EndsWhenTheMounterDoes) {
    if (!jail::has_capability(CAP_SYS_ADMIN)) GTEST_SKIP() << "it takes CAP_SYS_ADMIN";
    configuration.native.mounts = true;
    Authenticator authenticator(configuration);
    EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
    const auto mounters = authenticator.mounters();
    ASSERT_THAT(mounters, SizeIs(1));
    ::kill(mounters.front(), SIGKILL);
    EXPECT_EQ(authenticator.status(), 2);
}

TEST_F(Process, GivesAChildOneChannelToItselfAndNoOther) {
    configuration.native.mounts = false;  // the mounter's is everybody's
    Authenticator authenticator(configuration);
    authenticator.send("slow", "x", "192.0.2.1");
    authenticator.send("slow", "x", "192.0.2.2");
    EXPECT_TRUE(eventually([&] { return authenticator.children().size() == 2; }));
    std::vector<std::string> seen;
    for (const auto child : authenticator.children()) {
        const auto sockets = [&] {
            std::vector<std::string> all;
            for (const auto& [number, name] : Facts(child).descriptors()) {
                if (name.starts_with("socket:") || name.find("signalfd") != name.npos)
                    all.push_back(name);
            }
            return all;
        };
        EXPECT_TRUE(eventually([&] { return sockets().size() == 1; }));
        for (const auto& name : sockets()) {
            EXPECT_THAT(seen, Not(Contains(name)));
            seen.push_back(name);
        }
        EXPECT_EQ(Facts(child).session(), child);
    }
}

TEST_F(Process, DoesNotStartWithoutTheRightToGiveUpRights) {
    auto ends = ipc::Channel::pair();
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (::setuid(31001) < 0) ::_exit(9);
        ::_exit(authenticator::run(std::move(ends.value().second), configuration));
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 2);
}

// ----- with modules that behave as badly as they can

struct ProcessWithPam : testing::Test {
    Configuration configuration;

    void SetUp() override {
        NEEDS_SANDBOX();
        sessions::refurnish();
        configuration.options.local_enable = true;
        configuration.native.mounts = false;
        sandboxed::service("vsftpd", "auth password=wonderland");
    }
    Came ask_when(std::string_view auth, const Bounds& bounds = {}) {
        sandboxed::service("vsftpd", auth);
        Authenticator authenticator(configuration, bounds);
        const auto answer = authenticator.ask("alice", "wonderland");
        // And the next one is none the worse for it, with the service mended meanwhile.
        sandboxed::service("vsftpd", "auth password=wonderland");
        EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
        EXPECT_TRUE(eventually([&] { return authenticator.children().empty(); }));
        return answer;
    }
};

TEST_F(ProcessWithPam, AdmitsSystemUsers) {
    Authenticator authenticator(configuration);
    const auto right = authenticator.ask("alice", "wonderland");
    ASSERT_EQ(right.outcome, Outcome::admitted);
    EXPECT_EQ(right.admission->uid, sessions::alice.uid);
    EXPECT_EQ(authenticator.ask("alice", "looking-glass").outcome, Outcome::wrong);
    EXPECT_EQ(authenticator.ask("stranger", "wonderland").outcome, Outcome::broken);
}

TEST_F(ProcessWithPam, SurvivesAModuleThatCrashes) {
    const auto broken = ask_when("auth abort");
    EXPECT_EQ(broken.outcome, Outcome::broken);
    EXPECT_EQ(broken.reason, "the process that checked the password was ended by signal 6");
}

// Status 0 too: only an answer is an answer.
TEST_F(ProcessWithPam, SurvivesAModuleThatEndsTheProcess) {
    for (const auto* status : {"0", "7"}) {
        const auto broken = ask_when(std::string("auth exit=") + status);
        EXPECT_EQ(broken.outcome, Outcome::broken);
        EXPECT_EQ(
            broken.reason,
            std::string("the process that checked the password exited with status ") + status);
    }
}

// At once: no answer can come any more, and nobody waits for it with full force.
TEST_F(ProcessWithPam, NoticesAModuleThatClosesEverything) {
    const auto before = std::chrono::steady_clock::now();
    const auto broken = ask_when("auth close hang");
    EXPECT_EQ(broken.outcome, Outcome::broken);
    EXPECT_EQ(broken.reason, "the process that checked the password was ended by signal 9");
    EXPECT_LT(std::chrono::steady_clock::now() - before, 20s);
}

// The test is told of everything that is left: Authenticator's end says so.
TEST_F(ProcessWithPam, EndsWhatAModuleHasStarted) {
    EXPECT_THAT(ask_when("auth start start hang", {.for_an_attempt = 1s}).reason,
                HasSubstr("took too long and was ended"));
    EXPECT_THAT(ask_when("auth start start abort").reason, HasSubstr("signal 6"));
    EXPECT_THAT(ask_when("auth start exit=3").reason, HasSubstr("status 3"));
}

TEST_F(ProcessWithPam, TakesChildrenAlongThatActedAsTheirUser) {
    const auto there = sessions::place("there").string();
    sandboxed::service("vsftpd", "auth fsuid=2001", "account items=" + there + " hang");
    Authenticator authenticator(configuration);
    authenticator.send("alice", "wonderland");
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(there); }));
    ASSERT_EQ(::kill(authenticator.pid(), SIGKILL), 0);
    EXPECT_EQ(authenticator.status(), 1000 + SIGKILL);
    EXPECT_TRUE(Authenticator::nothing_is_left());
}

// ----- sessions

struct WithSessions : ProcessWithPam {
    std::string opened;
    std::string closed;

    void SetUp() override {
        ProcessWithPam::SetUp();
        configuration.options.session_support = true;
        opened = sessions::place("opened").string();
        closed = sessions::place("closed").string();
        rules("open items=" + opened);
    }
    void rules(const std::string& open) const {
        sandboxed::service("vsftpd", "auth password=wonderland");
        const auto line = "session required " PAM_TOLD " ";
        sessions::write_file("/etc/pam.d/vsftpd", sessions::content_of("/etc/pam.d/vsftpd") + line +
                                                      open + "\n" + line + "close items=" + closed +
                                                      "\n");
    }
    [[nodiscard]] static bool there(const std::string& path) {
        return std::filesystem::exists(path);
    }
};

TEST_F(WithSessions, OpensOneUntilItsDescriptorIsClosed) {
    Authenticator authenticator(configuration);
    const auto right = authenticator.ask("alice", "wonderland");
    ASSERT_EQ(right.outcome, Outcome::admitted) << right.reason;
    EXPECT_EQ(sessions::content_of(opened), "vsftpd\nalice\nftp\n192.0.2.1\nalice\n");
    EXPECT_FALSE(there(closed));
    EXPECT_EQ(authenticator.children().size(), 1U);
    right.session->close();
    EXPECT_TRUE(eventually([&] { return authenticator.children().empty(); }));
    EXPECT_TRUE(there(closed));
}

TEST_F(WithSessions, OpensNoneForAWrongPasswordAndNoneWhenNotAsked) {
    {
        Authenticator authenticator(configuration);
        EXPECT_EQ(authenticator.ask("alice", "looking-glass").outcome, Outcome::wrong);
    }
    configuration.options.session_support = false;
    Authenticator authenticator(configuration);
    EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
    EXPECT_FALSE(there(opened));
}

// Those that only wait for their end take nobody's turn, and no deadline ends them.
TEST_F(WithSessions, CountsThemNotAsAttempts) {
    Authenticator authenticator(configuration, {.most_running = 1, .for_an_attempt = 1s});
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
    std::this_thread::sleep_for(1500ms);
    EXPECT_EQ(authenticator.children().size(), 5U);
    EXPECT_FALSE(there(closed));
    authenticator.came.clear();
}

TEST_F(WithSessions, ClosesThemEvenWhenItsTemplateIsKilled) {
    Authenticator authenticator(configuration);
    auto right = authenticator.ask("alice", "wonderland");
    authenticator.came.clear();
    const auto child = authenticator.child();
    ASSERT_EQ(::kill(authenticator.pid(), SIGKILL), 0);
    EXPECT_EQ(authenticator.status(), 1000 + SIGKILL);
    EXPECT_EQ(::kill(child, 0), 0) << "it lasts";
    EXPECT_FALSE(there(closed));
    right.session->close();
    EXPECT_TRUE(Authenticator::nothing_is_left());
    EXPECT_TRUE(there(closed));
}

// As after a reload.
TEST_F(WithSessions, OutliveATemplateThatIsNeededNoMore) {
    Authenticator authenticator(configuration);
    auto right = authenticator.ask("alice", "wonderland");
    authenticator.came.clear();
    authenticator.channel.close();
    EXPECT_EQ(authenticator.status(), 0);
    EXPECT_FALSE(there(closed));
    right.session->close();
    EXPECT_TRUE(Authenticator::nothing_is_left());
    EXPECT_TRUE(there(closed));
}

TEST_F(WithSessions, RefuseALoginWhenTheyCannotBeOpened) {
    rules("open fail=14");
    Authenticator authenticator(configuration);
    const auto wrong = authenticator.ask("alice", "wonderland");
    EXPECT_EQ(wrong.outcome, Outcome::wrong);
    EXPECT_THAT(wrong.reason, HasSubstr("PAM service vsftpd, session"));
    EXPECT_FALSE(there(closed));
}

TEST_F(WithSessions, AreClosedAtOnceWhenTheLoginFailsAfterAll) {
    std::filesystem::remove_all(sessions::home_of(sessions::alice));
    Authenticator authenticator(configuration);
    EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::broken);
    EXPECT_TRUE(there(opened));
    EXPECT_TRUE(eventually([&] { return there(closed); }));
}

TEST_F(WithSessions, SayWhatHoldsForTheUsersSession) {
    rules("open umask=027 fsize=4096 group=31003");
    Authenticator authenticator(configuration);
    const auto right = authenticator.ask("alice", "wonderland");
    ASSERT_EQ(right.outcome, Outcome::admitted) << right.reason;
    EXPECT_EQ(right.admission->umask, 027U);
    EXPECT_THAT(right.admission->limits,
                testing::ElementsAre(ipc::Limit{RLIMIT_FSIZE, 4096, 4096}));
    EXPECT_THAT(right.admission->groups, Contains(31003U));
    authenticator.came.clear();
}

TEST_F(WithSessions, KeepNoPassword) {
#ifdef JAILFTPD_SANITIZED
    GTEST_SKIP() << "AddressSanitizer keeps what was freed, so memory tells nothing";
#endif
    sandboxed::service("vsftpd", "");
    sessions::write_file("/etc/pam.d/vsftpd", sessions::content_of("/etc/pam.d/vsftpd") +
                                                  "session required pam_permit.so\n");
    Authenticator authenticator(configuration);
    // One that the process cannot have had before.
    const auto password = "a-" + std::to_string(authenticator.pid()) + "-secret";
    const auto right = authenticator.ask("alice", password);
    ASSERT_EQ(right.outcome, Outcome::admitted);
    EXPECT_EQ(times_in_memory(authenticator.child(), password), 0);
    authenticator.came.clear();
}

// ----- children that stay, with PAM

struct WithHarmlessModules : ProcessWithPam {
    void SetUp() override {
        ProcessWithPam::SetUp();
        sessions::write_file("/etc/pam.d/vsftpd",
                             "auth required pam_unix.so\n"
                             "account required pam_unix.so\n");
        std::this_thread::sleep_for(3100ms);  // files are not believed while they are new
    }
    // What a failure costs: with its end the first child tells how many hashes there were.
    static void learn(Authenticator& authenticator) {
        EXPECT_EQ(authenticator.ask("bob", sessions::bob.password).outcome, Outcome::admitted);
        EXPECT_TRUE(eventually([&] { return authenticator.children().empty(); }));
    }
};

TEST_F(WithHarmlessModules, LetsAChildStay) {
    Authenticator authenticator(configuration);
    learn(authenticator);
    EXPECT_EQ(authenticator.ask("alice", sessions::alice.password).outcome, Outcome::admitted);
    const auto child = authenticator.child();
    const auto right = authenticator.ask("bob", sessions::bob.password);
    ASSERT_EQ(right.outcome, Outcome::admitted) << right.reason;
    EXPECT_EQ(right.admission->uid, sessions::bob.uid);
    EXPECT_THAT(authenticator.children(), testing::ElementsAre(child));
    EXPECT_EQ(Facts(child).status("Groups"), "");

    // What is known of a service is known of these files alone.
    sandboxed::service("vsftpd", "");
    EXPECT_EQ(authenticator.ask("alice", sessions::alice.password).outcome, Outcome::admitted);
    EXPECT_TRUE(eventually([&] { return authenticator.children().empty(); }));
}

TEST_F(WithHarmlessModules, LetsNoneStayWithOthers) {
    sandboxed::service("vsftpd", "auth password=wonderland");
    std::this_thread::sleep_for(3100ms);
    Authenticator authenticator(configuration, {.for_another = 1h});
    EXPECT_EQ(authenticator.ask("alice", "wonderland").outcome, Outcome::admitted);
    EXPECT_TRUE(eventually([&] { return authenticator.children().empty(); }));
}

TEST_F(WithHarmlessModules, KeepsNoPassword) {
#ifdef JAILFTPD_SANITIZED
    GTEST_SKIP() << "AddressSanitizer keeps what was freed, so memory tells nothing";
#endif
    Authenticator authenticator(configuration);
    learn(authenticator);
    // One that the process cannot have had before.
    const auto password = "a-" + std::to_string(authenticator.pid()) + "-secret";
    auto shadow = sessions::content_of("/etc/shadow");
    const auto at = shadow.find(':', shadow.find("alice:")) + 1;
    shadow.replace(at, shadow.find(':', at) - at, sessions::hash_of(password));
    sessions::write_file("/etc/shadow", shadow);
    ASSERT_EQ(authenticator.ask("alice", password).outcome, Outcome::admitted);
    const auto child = authenticator.child();
    EXPECT_EQ(times_in_memory(child, password), 0);
    ASSERT_EQ(authenticator.ask("alice", password).outcome, Outcome::admitted);
    ASSERT_EQ(authenticator.child(), child);
    EXPECT_EQ(times_in_memory(child, password), 0);
}

// pam_unix makes more than one hash for a name that exists; unknown ones cost as much before long.
TEST_F(ProcessWithPam, LearnsWhatAFailureCosts) {
    auto shadow = sessions::content_of("/etc/shadow");
    const auto cheap = sessions::hash_of("secret");
    crypt_data data{};
    const std::string dear = ::crypt_r("secret", "$6$rounds=30000$jailftpdtest$", &data);
    for (auto at = shadow.find("$6$"); at != shadow.npos; at = shadow.find("$6$", at + 1))
        shadow.replace(at, cheap.size(), dear);
    sessions::write_file("/etc/shadow", shadow);
    sessions::write_file("/etc/pam.d/vsftpd",
                         "auth required pam_unix.so\nauth required pam_unix.so\n"
                         "account required pam_permit.so\n");
    Authenticator authenticator(configuration);
    const auto cost_of_some = [&](const char* name) {
        const auto cpu_time = [&] {
            const auto all = Facts(authenticator.pid()).text("stat");
            std::istringstream words(all.substr(all.rfind(')') + 1));
            std::string skipped;
            for (int i = 0; i < 13; ++i) words >> skipped;
            double of_children = 0;
            double in_system = 0;
            words >> of_children >> in_system;
            return of_children + in_system;
        };
        const auto before = cpu_time();
        for (int i = 0; i < 5; ++i)
            EXPECT_EQ(authenticator.ask(name, "wrong").outcome, Outcome::wrong);
        EXPECT_TRUE(eventually([&] { return authenticator.children().empty(); }));
        return cpu_time() - before;
    };
    (void)cost_of_some("alice");
    // In turns, and the least of each: what else runs may slow a processor's other half down.
    std::vector<double> known;
    std::vector<double> unknown;
    for (int i = 0; i < 3; ++i) {
        known.push_back(cost_of_some("alice"));
        unknown.push_back(cost_of_some("stranger"));
    }
    const auto ratio = *std::min_element(unknown.begin(), unknown.end()) /
                       *std::min_element(known.begin(), known.end());
    EXPECT_GT(ratio, 0.6);
    EXPECT_LT(ratio, 1.6);
}

}  // namespace
