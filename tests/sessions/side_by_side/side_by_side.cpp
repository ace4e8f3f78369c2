// SPDX-License-Identifier: MIT
// The same conversation with vsftpd and with jailftpd.
#include "tests/sessions/side_by_side/side_by_side.hpp"

#include "tests/sessions/paths.hpp"
#include "tests/sessions/required.hpp"
#include "tests/sessions/syslog.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <regex>
#include <type_traits>

#include <fcntl.h>
#include <sys/stat.h>

namespace sessions {

namespace fs = std::filesystem;

// ----- steps

namespace {

constexpr std::chrono::milliseconds a_while{3000};  // as long as what is to wait is watched
constexpr std::uint16_t ephemeral = 32768;          // from here on the kernel chooses

// Against writers, by whomever.
bool is_locked(const fs::path& path) {
    const base::Fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    struct flock lock {};
    lock.l_type = F_WRLCK;
    return ::fcntl(file.get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

// What changes from run to run: ports (but for 50001, which configurations pin), and the hour of
// files that were made just now.
std::string steady(std::string text) {
    static const std::regex passive(
        R"(^(227 [^(]*\([0-9]+,[0-9]+,[0-9]+,[0-9]+),(?!195,81\))[0-9]+,[0-9]+)");
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

const std::string no_handshake = "(no handshake)";

// What the handshake came to, and whom the server says it is.
std::string agreed(const Secure& ftp) {
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(ftp.control())),
                              NID_commonName, name, sizeof name);
    return std::string(SSL_get_version(ftp.control())) + ' ' + SSL_get_cipher_name(ftp.control()) +
           ' ' + name;
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
Step soon(std::string line) { return {Step::Kind::soon, std::move(line)}; }
Step elsewhere(std::string address) { return {Step::Kind::elsewhere, std::move(address)}; }
Step called(std::string line) { return {Step::Kind::called, std::move(line)}; }
Step foreign(std::string address, std::string line) {
    return {Step::Kind::foreign, std::move(line), std::move(address)};
}
Step aborted(std::string line) { return {Step::Kind::aborted, std::move(line)}; }
Step uploading(std::string command, std::string file) {
    return {Step::Kind::uploading, std::move(command), std::move(file)};
}
Step secure(std::string line) { return {Step::Kind::secure, std::move(line)}; }
Step clear(std::string line) { return {Step::Kind::clear, std::move(line)}; }
Step clear(std::string line, std::string content) {
    return {Step::Kind::exposed, std::move(line), std::move(content)};
}
Step connect() { return {Step::Kind::connect, "(connect)"}; }

Step Step::but(const Difference& difference, std::string ours, const char* with) && {
    apart_ = {&difference, with};
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
            if (kind_ == Kind::stalled) {
                const auto soon = ftp->reply(a_while);
                data.close();
                return text + '\n' + soon + (soon == "(nothing)" ? '\n' + ftp->reply() : "");
            }
            data.write(content_);
            data.reset();
            return text + '\n' + ftp->reply();
        }
        case Kind::meanwhile:
            return Conversation(server).greeting;
        case Kind::raw:
            ftp->send(line_);
            return steady(ftp->reply());
        case Kind::hear:
            return steady(ftp->reply());
        case Kind::soon:
            if (!line_.empty()) ftp->send(line_ + "\r\n");
            return ftp->reply(a_while);
        case Kind::elsewhere: {
            const auto socket = connect_to({line_, server.port()});
            char bytes[256] = "(refused)";
            if (socket) (void)::recv(socket.get(), bytes, sizeof bytes - 1, 0);
            return bytes;
        }
        case Kind::called: {
            auto data = ftp->open(Conversation::Mode::active);
            auto text = ftp->say(line_);
            const auto port = data.peer().port();
            text += port < ephemeral ? " from port " + std::to_string(port) : " from some port";
            return text + '\n' + data.read_all() + ftp->reply();
        }
        case Kind::foreign: {
            Data data{connect_to({server.address(), ftp->passive_port()}, content_)};
            auto text = ftp->say(line_);
            return text.starts_with('1') ? text + '\n' + data.read_all() + ftp->reply() : text;
        }
        case Kind::aborted: {
            auto data = ftp->open();
            auto text = ftp->say(line_);
            ftp->send_urgent("\377\364\377\362");
            ftp->send("ABOR\r\n");
            (void)data.read_all();
            text += '\n' + ftp->reply() + '\n';
            return text + ftp->reply();
        }
        case Kind::uploading: {
            auto data = ftp->open();
            auto text = ftp->say(line_ + content_);
            text += is_locked(home_of(alice) / content_) ? " (locked)\n" : " (not locked)\n";
            data.close();
            return text + ftp->reply();
        }
        case Kind::connect:
            ftp = std::make_unique<Conversation>(server);
            return ftp->greeting;
        case Kind::secure:
        case Kind::clear:
        case Kind::exposed:
            break;
    }
    return "(only with TLS)";
}

std::string Step::take(std::unique_ptr<Secure>& ftp, const Server&) const {
    const bool clear = ftp->control() == nullptr;
    switch (kind_) {
        case Kind::say:
            return steady(ftp->say(line_));
        case Kind::hear:
            return steady(ftp->reply());
        case Kind::secure: {
            auto text = ftp->say(line_);
            if (!text.starts_with("234")) return text;
            return text + '\n' + (ftp->shake().empty() ? agreed(*ftp) : no_handshake);
        }
        case Kind::receive:
        case Kind::clear: {
            const bool plain = clear || kind_ == Kind::clear;
            const auto came = plain ? ftp->receive_clear(line_) : ftp->receive(line_);
            return steady(ftp->began + '\n' + came + ftp->done);
        }
        case Kind::send:
            ftp->transmit(line_, content_);
            return steady(ftp->began + '\n' + ftp->done);
        case Kind::exposed:
            ftp->transmit_clear(line_, content_);
            return steady(ftp->began + '\n' + ftp->done);
        default:
            return "(not with TLS)";
    }
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

// Everything in people's homes that they could see of it, and what files are beside them.
Lines disk() {
    Lines all;
    for (const auto& entry : fs::directory_iterator(place())) {
        if (entry.is_regular_file())
            all.push_back(entry.path().filename().string() + ": " + octal(mode_of(entry.path())));
    }
    const auto folder = place("home");
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
    Lines syslog;
    std::string errors;
};

const std::string no_server = "(no server)";

const std::string over = "(over)";

// Whatever comes after it comes of the connection's end.
bool is_over(const std::string& answer) {
    return answer.find("500 OOPS") != answer.npos || answer.ends_with(no_handshake) ||
           answer == over;
}

std::string placed(std::string line) {
    constexpr std::string_view word = "PLACE";
    if (const auto at = line.find(word); at != line.npos)
        line.replace(at, word.size(), place().string());
    return line;
}

// "<91>Nov 23 22:50:48 vsftpd[136]: [alice] ...": what is of the facility FTP, without what is
// never the same.
Lines transfers_and_logins(const std::string& syslog) {
    static const std::regex line(R"(^(<(?:8[89]|9[0-5])>).{16}(vsftpd)\[\d+\](.*))");
    static const std::regex rate(R"([0-9]+\.[0-9]{2}Kbyte/sec)");
    Lines all;
    for (const auto& each : lines_of(syslog)) {
        if (std::smatch parts; std::regex_match(each, parts, line))
            all.push_back(std::regex_replace(parts[1].str() + parts[2].str() + parts[3].str(), rate,
                                             "R Kbyte/sec"));
    }
    return all;
}

template <typename Client>
std::vector<std::string> answers_to(const Talk& talk, std::unique_ptr<Client> ftp,
                                    const Server& server) {
    std::vector<std::string> answers = {ftp->greeting};
    if (talk.as != nullptr && !is_over(answers.back())) answers.push_back(ftp->login(*talk.as));
    for (const auto& step : talk.steps) {
        if (is_over(answers.back()) && !step.begins()) {
            answers.push_back(over);
            continue;
        }
        answers.push_back(step.take(ftp, server));
    }
    // QUIT, so that everything has been written when both have ended.
    ftp->send("QUIT\r\n");
    if constexpr (std::is_same_v<Client, Secure>) {  // and its records have been passed on
        if (ftp->control() != nullptr && ftp->reply().starts_with("221")) (void)ftp->reply();
    }
    return answers;
}

std::vector<std::string> answers_to(const Talk& talk, const Server& server) {
    if (!talk.client) return answers_to(talk, std::make_unique<Conversation>(server), server);
    auto habits = *talk.client;
    if (!habits.certificate.empty()) habits.certificate = content_of(placed(habits.certificate));
    return answers_to(talk, std::make_unique<Secure>(server, habits), server);
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
    std::optional<Syslog> syslog;  // PAM writes there, too, and waits when nobody reads
    if (talk.syslog) syslog.emplace();
    Server server(lines, {.program = program,
                          .address = talk.address,
                          .cleanly = false,
                          .may_fail = true,
                          .environment = talk.environment,
                          .as = talk.launched_by});
    if (!server.running()) {
        held.answers = {no_server};
        held.errors = server.errors();
        return held;
    }
    held.answers = answers_to(talk, server);
    // It may see what is wrong only after it has begun to listen.
    const auto& first = held.answers.front();
    if (talk.client && (first == "(reset)" || first == "(end)")) held.answers = {no_server};
    server.signal(SIGTERM);
    server.wait();
    eventually([] { return processes("ftpd").empty(); }, std::chrono::seconds(3));
    held.disk = disk();
    held.log = lines_of(server.log());
    held.xferlog = lines_of(server.xferlog());
    if (syslog) held.syslog = transfers_and_logins(syslog->said());
    held.errors = server.errors();
    return held;
}

// "Mon Nov 23 22:50:48 2026 [pid 136] ..., 6652.48Kbyte/sec" without what is never the same.
void without_times(Lines& lines) {
    static const std::regex date(R"(^[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d \d{4} )");
    static const std::regex seconds(R"(^DATE \d+)");
    static const std::regex pid(R"(\[pid \d+\])");
    static const std::regex rate(R"([0-9]+\.[0-9]{2}Kbyte/sec)");
    static const std::regex zero(R"(\b0\.00Kbyte/sec)");
    static const std::regex content(R"(, [1-9][0-9]* bytes, )");
    for (auto& line : lines) {
        EXPECT_TRUE(std::regex_search(line, date)) << "no date: " << line;
        line = std::regex_replace(line, date, "DATE ");
        line = std::regex_replace(line, seconds, "DATE S");
        line = std::regex_replace(line, pid, "[pid N]");
        // A few bytes may take so long on a busy machine that their rate is 0.00, too.
        if (!std::regex_search(line, zero) || std::regex_search(line, content))
            line = std::regex_replace(line, rate, "R Kbyte/sec");
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
    const std::size_t before = talk.as != nullptr ? 2 : 1;
    bool meant = false;  // the last difference was
    for (std::size_t i = 0; i < std::max(theirs.answers.size(), ours.answers.size()); ++i) {
        const auto& their = i < theirs.answers.size() ? theirs.answers[i] : over;
        const auto& our = i < ours.answers.size() ? ours.answers[i] : over;
        const auto said =
            std::string(label(talk, i)) + "\n  vsftpd:   " + their + "\n  jailftpd: " + our;
        // One may go on where the other does not.
        if (their == over || our == over) {
            if (their != our && !meant) ADD_FAILURE() << said << theirs.errors << ours.errors;
            continue;
        }
        const auto* step = i < before ? nullptr : &talk.steps[i - before];
        const auto apart = i == 0 ? talk.greeting : step != nullptr ? step->apart() : talk.login;
        const auto* difference = apart.at(talk.value);
        const bool same = as_vsftpd(our, their) == their;
        if (same && difference != nullptr)
            ADD_FAILURE() << said << "\n  no longer different: " << difference->name();
        if (!same && difference == nullptr) ADD_FAILURE() << said;
        if (difference != nullptr && step != nullptr && !step->ours().empty() &&
            our != step->ours())
            ADD_FAILURE() << said << "\n  meant:    " << step->ours();
        meant = difference != nullptr;
    }
}

// What one has and the other has not.
std::string not_in_both(const Lines& theirs, const Lines& ours) {
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
    if (!text.empty() || theirs == ours) return text;
    const auto apart = std::mismatch(theirs.begin(), theirs.end(), ours.begin());
    return "  the order\n  vsftpd:   " + *apart.first + "\n  jailftpd: " + *apart.second + '\n';
}

void compare_lines(const Lines& theirs, const Lines& ours, const Difference* difference,
                   const char* what) {
    const auto text = not_in_both(theirs, ours);
    if (difference == nullptr && !text.empty()) ADD_FAILURE() << what << '\n' << text;
    if (difference != nullptr && text.empty())
        ADD_FAILURE() << what << ": no longer different, " << difference->name();
}

}  // namespace

void PrintTo(const Talk& talk, std::ostream* out) { *out << talk.name; }

void WithReference::SetUp() {
    if (!path_of(Program::vsftpd).empty()) return;
    const auto why = content_of(reference_path("missing"));
    skip_or_fail("no vsftpd to compare with: " + why);
}

std::string compare(const Talk& talk) {
    auto theirs = hold(talk, Program::vsftpd);
    auto ours = hold(talk, Program::jailftpd);
    if (talk.value.empty() && ours.answers.front() == no_server)
        ADD_FAILURE() << "the server does not start: " << ours.errors;
    for (auto* lines : {&theirs.log, &ours.log, &theirs.xferlog, &ours.xferlog})
        without_times(*lines);
    compare_answers(talk, theirs, ours);
    if (theirs.answers.front() == no_server || ours.answers.front() == no_server)
        return theirs.answers.front() + theirs.errors;
    const testing::ScopedTrace said(__FILE__, __LINE__, "jailftpd said: " + ours.errors);
    const auto& value = talk.value;
    compare_lines(theirs.disk, ours.disk, talk.disk.at(value), "files");
    compare_lines(theirs.log, ours.log, talk.logs.at(value), "vsftpd.log");
    compare_lines(theirs.xferlog, ours.xferlog, talk.xferlog.at(value), "xferlog");
    compare_lines(theirs.syslog, ours.syslog, talk.in_syslog.at(value), "syslog");
    std::string all;
    for (const auto* lines :
         {&theirs.answers, &theirs.disk, &theirs.log, &theirs.xferlog, &theirs.syslog}) {
        for (const auto& line : *lines) all += line + '\n';
    }
    return all;
}

std::string name_of(const testing::TestParamInfo<Talk>& talk) { return talk.param.name; }

}  // namespace sessions
