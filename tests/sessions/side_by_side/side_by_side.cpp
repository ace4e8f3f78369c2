// SPDX-License-Identifier: MIT
// The same conversation with vsftpd and with jailftpd.
#include "tests/sessions/side_by_side/side_by_side.hpp"

#include "tests/sessions/required.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <regex>

#include <fcntl.h>
#include <sys/stat.h>

namespace sessions {

namespace fs = std::filesystem;

// ----- steps

namespace {

// What changes from run to run: ports, and the hour of files that were made just now.
std::string steady(std::string text) {
    static const std::regex passive(R"(^(227 [^(]*\([0-9]+,[0-9]+,[0-9]+,[0-9]+),[0-9]+,[0-9]+)");
    static const std::regex extended(R"(^(229 [^(]*)\(\|\|\|[0-9]+\|)");
    text = std::regex_replace(text, passive, "$1,P,P");
    text = std::regex_replace(text, extended, "$1(|||P|");
    const auto now = std::time(nullptr);
    for (int minute = -3; minute <= 1; ++minute) {
        const auto then = now + minute * 60;
        std::tm parts{};
        ::gmtime_r(&then, &parts);
        char shown[32];
        std::strftime(shown, sizeof shown, "%b %d %H:%M", &parts);
        for (std::size_t at = 0; (at = text.find(shown, at)) != text.npos;)
            text.replace(at, std::string_view(shown).size(), "Just now ...");
    }
    return text;
}

}  // namespace

Step say(std::string line) { return {Step::Kind::say, std::move(line)}; }
Step receive(std::string line) { return {Step::Kind::receive, std::move(line)}; }
Step send(std::string line, std::string content) {
    return {Step::Kind::send, std::move(line), std::move(content)};
}
Step retry(std::string refused, std::string line) {
    return {Step::Kind::retry, std::move(line), std::move(refused)};
}
Step broken(std::string line, std::string content) {
    return {Step::Kind::broken, std::move(line), std::move(content)};
}
Step stalled(std::string line) { return {Step::Kind::stalled, std::move(line)}; }
Step meanwhile() { return {Step::Kind::meanwhile, "(another client)"}; }
Step raw(std::string bytes) { return {Step::Kind::raw, std::move(bytes)}; }
Step hear() { return {Step::Kind::hear, {}}; }
Step connect() { return {Step::Kind::connect, "(connect)"}; }

Step Step::but(const Difference& difference, std::string ours) && {
    difference_ = &difference;
    ours_ = std::move(ours);
    return std::move(*this);
}

std::string Step::take(std::unique_ptr<Conversation>& ftp, const Server& server) const {
    switch (kind_) {
        case Kind::say:
            return steady(ftp->say(line_));
        case Kind::receive: {
            const auto came = ftp->receive(line_);
            return steady(ftp->began + '\n' + came + ftp->done);
        }
        case Kind::retry: {
            auto data = ftp->open();
            auto text = ftp->say(content_) + '\n' + ftp->say(line_) + '\n';
            return steady(text + data.read_all() + ftp->reply());
        }
        case Kind::send:
            ftp->transmit(line_, content_);
            return steady(ftp->began + '\n' + ftp->done);
        case Kind::broken:
        case Kind::stalled: {
            auto data = ftp->open();
            auto text = ftp->say(line_);
            if (kind_ == Kind::broken) {
                data.write(content_);
                data.reset();
            }
            return text + '\n' + ftp->reply();
        }
        case Kind::meanwhile:
            return Conversation(server).greeting;
        case Kind::raw:
            ftp->send(line_);
            return steady(ftp->reply());
        case Kind::hear:
            return steady(ftp->reply());
        case Kind::connect:
            ftp = std::make_unique<Conversation>(server);
            return ftp->greeting;
    }
    return {};
}

// ----- files

namespace {

void set_time(const fs::path& path, time_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

constexpr time_t day = 86400;
constexpr time_t y2010 = 1'262'304'000;  // 1 January 2010

// One moment for both runs.
time_t start_of_tests() {
    static const time_t then = std::time(nullptr);
    return then;
}

std::string octal(mode_t mode) {
    std::array<char, 16> text{};
    (void)std::snprintf(text.data(), text.size(), "%o", mode);
    return text.data();
}

// Everything below a folder that the client could see of it.
Lines disk(const fs::path& folder) {
    Lines all;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        struct stat status {};
        ::lstat(entry.path().c_str(), &status);
        auto text = fs::relative(entry.path(), folder).string() + ": " + octal(status.st_mode) +
                    " " + std::to_string(status.st_uid) + ":" + std::to_string(status.st_gid);
        if (S_ISLNK(status.st_mode)) text += " -> " + fs::read_symlink(entry.path()).string();
        if (S_ISREG(status.st_mode)) {
            const bool recent = status.st_mtime >= start_of_tests() - 60;
            text += " " + std::to_string(status.st_size) + " bytes, " +
                    (recent ? "new" : std::to_string(status.st_mtime)) + ", \"" +
                    (status.st_size < 200 ? content_of(entry.path()) : "...") + '"';
        }
        all.push_back(std::move(text));
    }
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace

void set_times(const fs::path& folder) {
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        set_time(entry.path(), y2010);
}

void furnish_files() {
    const auto files = home_of(alice) / "files";
    make_folder(files / "dir/sub", alice.uid);
    make_folder(files / "dir", alice.uid, 0750);
    make_folder(files / "empty", alice.uid);
    make_folder(files / "closed", 0, 0700);
    make_folder(files / "two words", alice.uid);
    write_file(files / "a.txt", "0123456789", alice.uid);
    write_file(files / "b.txt", "one\ntwo\nthree\n", alice.uid, 0640);
    write_file(files / "c.dat", std::string(70'000, 'c'), alice.uid, 0755);
    write_file(files / "dos.txt", "one\r\ntwo\r\n", alice.uid);
    write_file(files / "zero", "", alice.uid);
    write_file(files / "secret", "s", 0, 0600);
    write_file(files / "readonly", "r", 0, 0644);
    write_file(files / ".dot", "d", alice.uid);
    write_file(files / "-dash", "-", alice.uid);
    write_file(files / "name with blanks", "nwb", alice.uid);
    write_file(files / "quo\"te", "q", alice.uid);
    write_file(files /
                   "gr\xc3\xbc\xc3\x9f"
                   "e",
               "g", alice.uid);
    write_file(files / "dir/inner.txt", "inner", alice.uid);
    write_file(files / "dir/.hidden", "h", alice.uid);
    write_file(files / "dir/sub/leaf", "leaf", alice.uid, 0600);
    fs::create_symlink("dir", files / "link");
    fs::create_symlink("a.txt", files / "symlink");
    fs::create_symlink("nowhere", files / "broken");
    set_times(home_of(alice));
    auto when = y2010;  // and on from there
    const char* in_order[] = {"quo\"te",
                              "name with blanks",
                              "gr\xc3\xbc\xc3\x9f"
                              "e",
                              "dir",
                              "empty",
                              "closed",
                              "two words",
                              "a.txt",
                              "b.txt",
                              "c.dat",
                              "dos.txt",
                              "zero",
                              "secret",
                              "readonly",
                              ".dot",
                              "-dash",
                              "symlink",
                              "link",
                              "broken"};
    for (const auto* name : in_order) set_time(files / name, when += 100 * day + 3661);
    set_time(files / "c.dat", start_of_tests() - 40 * day);
    set_time(files / "zero", start_of_tests() - 200 * day);
    set_time(files / "secret", start_of_tests() + 10 * day);
}

// ----- the comparison

namespace {

struct Held {
    std::vector<std::string> answers;  // the greeting, the login, then the steps'
    Lines disk;
    Lines log;
    Lines xferlog;
    std::string errors;
};

std::string placed(std::string line) {
    constexpr std::string_view word = "PLACE";
    if (const auto at = line.find(word); at != line.npos)
        line.replace(at, word.size(), place().string());
    return line;
}

Held hold(const Talk& talk, Program program) {
    refurnish();
    furnish_files();
    if (talk.furnish) talk.furnish();
    auto lines = talk.options;
    for (auto& line : lines) line = placed(std::move(line));
    // With its own filter the reference dies on this system's C library.
    lines.insert(lines.begin(), "seccomp_sandbox=NO");
    Held held;
    Server server(lines, {.program = program,
                          .address = talk.address,
                          .cleanly = false,
                          .environment = talk.environment});
    if (!server.running()) {
        held.answers = {"(no server)"};
        return held;
    }
    auto ftp = std::make_unique<Conversation>(server);
    held.answers.push_back(ftp->greeting);
    if (talk.as != nullptr) held.answers.push_back(ftp->login(*talk.as));
    for (const auto& step : talk.steps) held.answers.push_back(step.take(ftp, server));
    // QUIT, so that everything has been written when both have ended.
    ftp->send("QUIT\r\n");
    ftp.reset();
    server.signal(SIGTERM);
    server.wait();
    eventually([] { return processes("ftpd").empty(); }, std::chrono::seconds(3));
    held.disk = disk(home_of(alice));
    held.log = lines_of(server.log());
    held.xferlog = lines_of(server.xferlog());
    held.errors = server.errors();
    return held;
}

// "Mon Nov 23 22:50:48 2026 [pid 136] ..., 6652.48Kbyte/sec" without what is never the same.
void without_times(Lines& lines) {
    static const std::regex date(R"(^[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d \d{4} )");
    static const std::regex pid(R"(\[pid \d+\])");
    static const std::regex rate(R"([0-9]+\.[0-9]{2}Kbyte/sec)");
    static const std::regex zero(R"(\b0\.00Kbyte/sec)");
    for (auto& line : lines) {
        EXPECT_TRUE(std::regex_search(line, date)) << "no date: " << line;
        line = std::regex_replace(line, date, "DATE ");
        line = std::regex_replace(line, pid, "[pid N]");
        if (!std::regex_search(line, zero)) line = std::regex_replace(line, rate, "R Kbyte/sec");
    }
}

// Ours, with what is different everywhere taken back.
std::string as_vsftpd(std::string ours, const std::string& theirs) {
    static const std::regex version(R"(\(jailftpd [0-9.]+\))");
    static const std::regex status(R"(     jailftpd - secure, fast, stable)");
    ours = std::regex_replace(ours, version, "(vsFTPd 3.0.3)");
    ours = std::regex_replace(ours, status, "     vsFTPd 3.0.3 - secure, fast, stable");
    // "550 Failed to open file. (No such file or directory)"
    static const std::regex reason(R"(([45][0-9]{2} [^(\n]*\.) \([A-Z][^()\n]*\)(\n|$))");
    const auto bare = std::regex_replace(ours, reason, "$1$2");
    return bare == theirs ? bare : ours;
}

const char* label(const Talk& talk, std::size_t answer) {
    if (answer == 0) return "(greeting)";
    const std::size_t before = talk.as != nullptr ? 2 : 1;
    if (answer < before) return "(login)";
    return talk.steps[answer - before].line().c_str();
}

void compare_answers(const Talk& talk, const Held& theirs, const Held& ours) {
    ASSERT_EQ(theirs.answers.size(), ours.answers.size());
    const std::size_t before = talk.as != nullptr ? 2 : 1;
    for (std::size_t i = 0; i < ours.answers.size(); ++i) {
        const auto answer = as_vsftpd(ours.answers[i], theirs.answers[i]);
        const auto* step = i < before ? nullptr : &talk.steps[i - before];
        const auto both = "  vsftpd:   " + theirs.answers[i] + "\n  jailftpd: " + ours.answers[i];
        if (i == 0 && talk.greeting != nullptr) {
            EXPECT_NE(answer, theirs.answers[i]) << "no longer different: greeting";
            continue;
        }
        if (step == nullptr || step->difference() == nullptr) {
            if (answer != theirs.answers[i]) ADD_FAILURE() << label(talk, i) << '\n' << both;
            continue;
        }
        if (!step->ours().empty()) {
            EXPECT_EQ(ours.answers[i], step->ours()) << label(talk, i) << '\n' << both;
        }
        EXPECT_NE(answer, theirs.answers[i])
            << label(talk, i) << ": no longer different, " << step->difference()->name();
    }
}

// What one has and the other has not.
std::string apart(const Lines& theirs, const Lines& ours) {
    std::string text;
    const auto add = [&](const Lines& some, const Lines& others, const char* title) {
        for (const auto& line : some) {
            if (std::count(some.begin(), some.end(), line) !=
                std::count(others.begin(), others.end(), line))
                text += title + line + '\n';
        }
    };
    add(theirs, ours, "  vsftpd:   ");
    add(ours, theirs, "  jailftpd: ");
    if (text.empty() && theirs != ours) text = "the order";
    return text;
}

void compare_lines(const Lines& theirs, const Lines& ours, const Difference* difference,
                   const char* what) {
    const auto text = apart(theirs, ours);
    if (difference == nullptr && !text.empty()) ADD_FAILURE() << what << '\n' << text;
    if (difference != nullptr && text.empty())
        ADD_FAILURE() << what << ": no longer different, " << difference->name();
}

}  // namespace

void PrintTo(const Talk& talk, std::ostream* out) { *out << talk.name; }

void SideBySide::SetUp() {
    if (!path_of(Program::vsftpd).empty()) return;
    const auto why = content_of(fs::path(JAILFTPD_REFERENCE) / "missing");
    skip_or_fail("no vsftpd to compare with: " + why);
}

void compare(const Talk& talk) {
    auto theirs = hold(talk, Program::vsftpd);
    auto ours = hold(talk, Program::jailftpd);
    compare_answers(talk, theirs, ours);
    compare_lines(theirs.disk, ours.disk, talk.disk, "files");
    for (auto* lines : {&theirs.log, &ours.log, &theirs.xferlog, &ours.xferlog})
        without_times(*lines);
    compare_lines(theirs.log, ours.log, talk.logs, "vsftpd.log");
    compare_lines(theirs.xferlog, ours.xferlog, talk.xferlog, "xferlog");
}

std::string name_of(const testing::TestParamInfo<Talk>& talk) { return talk.param.name; }

}  // namespace sessions
