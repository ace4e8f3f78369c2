// SPDX-License-Identifier: MIT
// The test's end of a session: its client and its supervisor.
#include "tests/commands/conversation.hpp"

#include "session/session.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace testing_support {
namespace {

namespace fs = std::filesystem;

ipc::Address loopback(std::uint16_t port = 0) {
    ipc::Address address{};
    address.v4.sin_family = AF_INET;
    address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.v4.sin_port = htons(port);
    return address;
}

// Real TCP, because a session sets options of it.
std::pair<base::Fd, base::Fd> connection() {
    const base::Fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto address = loopback();
    socklen_t size = sizeof address.v4;
    EXPECT_EQ(::bind(listener.get(), &address.any, size), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    ::getsockname(listener.get(), &address.any, &size);
    base::Fd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    EXPECT_EQ(::connect(client.get(), &address.any, size), 0);
    base::Fd server{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    return {std::move(client), std::move(server)};
}

const char* word(ipc::Event event) {
    switch (event) {
        case ipc::Event::download:
            return "DOWNLOAD";
        case ipc::Event::upload:
            return "UPLOAD";
        case ipc::Event::mkdir:
            return "MKDIR";
        case ipc::Event::rmdir:
            return "RMDIR";
        case ipc::Event::rename:
            return "RENAME";
        case ipc::Event::chmod:
            return "CHMOD";
        case ipc::Event::remove:
            return "DELETE";
        default:
            return nullptr;
    }
}

}  // namespace

// ----- Home

Home::Home() {
    std::string name = testing::TempDir() + "jail-XXXXXX";
    path_ = ::mkdtemp(name.data());
    ::chmod(path_.c_str(), 0755);
    fs::create_directory(path_ + "/home");
    // The root of the jail is the administrator's, and what is in it the user's.
    ::chmod((path_ + "/home").c_str(), 0755);
    if (::geteuid() == 0) make_folder("mine");
}

Home::~Home() { fs::remove_all(path_); }

std::string Home::path(const std::string& name) const { return path_ + "/home/" + name; }

void Home::store(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    ::chmod(path(name).c_str(), 0644);
    EXPECT_EQ(::chown(path(name).c_str(), uid, gid), 0);
}

void Home::make_folder(const std::string& name) const {
    fs::create_directory(path(name));
    ::chmod(path(name).c_str(), 0755);
    EXPECT_EQ(::chown(path(name).c_str(), uid, gid), 0);
}

void Home::link(const std::string& name, const std::string& target) const {
    EXPECT_EQ(::symlink(target.c_str(), path(name).c_str()), 0);
}

std::string Home::content(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    if (!file) return "(none)";
    return {std::istreambuf_iterator<char>(file), {}};
}

bool Home::exists(const std::string& name) const {
    struct stat status {};
    return ::lstat(path(name).c_str(), &status) == 0;
}

mode_t Home::mode(const std::string& name) const {
    struct stat status {};
    return ::stat(path(name).c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

// ----- FakeSupervisor

FakeSupervisor::FakeSupervisor(ipc::Channel channel) : channel_(std::move(channel)) {
    wake_ = base::Fd{::eventfd(0, EFD_CLOEXEC)};
    thread_ = std::thread([this] { serve(); });
}

FakeSupervisor::~FakeSupervisor() { die(); }

void FakeSupervisor::die() {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(wake_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
    thread_.join();
    channel_.close();
}

void FakeSupervisor::stop() { EXPECT_TRUE(channel_.send(ipc::Stop{30, 0})); }

void FakeSupervisor::serve() {
    for (;;) {
        pollfd wanted[] = {{wake_.get(), POLLIN, 0},
                           {channel_.fd(), POLLIN, 0},
                           {listener_ ? listener_.get() : -1, POLLIN, 0}};
        if (::poll(wanted, 3, -1) < 0) continue;
        if (wanted[0].revents != 0) return;
        if (wanted[2].revents != 0) {
            base::Fd data{
                ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
            listener_.close();
            const int descriptors[] = {data.get()};
            // A session whose client has left by now does not hear it.
            const auto sent = channel_.send(ipc::DataConnected{sequence_, 0, 0}, descriptors);
            EXPECT_TRUE(sent || sent.error().number == EPIPE) << "it does not listen";
        }
        if (wanted[1].revents != 0) {
            auto message = channel_.receive();
            if (message) {
                answer(message.value());
            } else if (message.error().number != EAGAIN) {
                return;
            }
        }
    }
}

void FakeSupervisor::answer(const ipc::Message& message) {
    if (const auto* wanted = message.as<ipc::PassiveOpen>()) {
        sequence_ = wanted->sequence;
        if (no_ports) {
            EXPECT_TRUE(channel_.send(ipc::Listening{sequence_, 0, 0, {}}));
            return;
        }
        listener_ = base::Fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        auto address = loopback();
        socklen_t size = sizeof address.v4;
        EXPECT_EQ(::bind(listener_.get(), &address.any, size), 0);
        EXPECT_EQ(::listen(listener_.get(), 1), 0);
        ::getsockname(listener_.get(), &address.any, &size);
        EXPECT_TRUE(channel_.send(
            ipc::Listening{sequence_, ntohs(address.v4.sin_port), 0, address.v4.sin_addr}));
    } else if (message.as<ipc::PassiveClose>() != nullptr) {
        listener_.close();
    } else if (const auto* active = message.as<ipc::ActiveOpen>()) {
        base::Fd data{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        if (::connect(data.get(), &active->target.any, sizeof active->target.v4) < 0) {
            EXPECT_TRUE(
                channel_.send(ipc::DataFailed{active->sequence, ipc::DataFailure::refused}));
            return;
        }
        const int descriptors[] = {data.get()};
        EXPECT_TRUE(channel_.send(ipc::DataConnected{active->sequence, 0, 0}, descriptors));
    } else if (const auto* entered = message.as<ipc::Entered>()) {
        const std::lock_guard lock(mutex_);
        entered_.push_back(*entered);
        heard_.notify_all();
    } else if (const auto* record = message.as<ipc::Record>()) {
        take(*record);
    } else if (const auto* brief = message.as<ipc::ShortRecord>()) {
        take(ipc::record_as<ipc::Record>(*brief));
    }
}

void FakeSupervisor::take(const ipc::Record& record) {
    const std::lock_guard lock(mutex_);
    heard_.notify_all();
    if (record.event == ipc::Event::warning) warnings_.emplace_back(record.path.view());
    const auto* what = word(record.event);
    if (what == nullptr) return;
    std::string line = record.success != 0 ? "OK " : "FAIL ";
    (line += what) += ' ';
    line += record.path.view();
    if (!record.second.view().empty()) (line += ' ') += record.second.view();
    if (record.has_size != 0) (line += ' ') += std::to_string(record.bytes);
    records_.push_back(line);
}

// What has come once there is so much of it.
template <typename List>
List FakeSupervisor::first(const List& list, std::size_t count) {
    std::unique_lock lock(mutex_);
    const auto enough = [&] { return list.size() >= count; };
    if (!heard_.wait_for(lock, std::chrono::milliseconds(patience), enough))
        ADD_FAILURE() << "the session said too little";
    return list;
}

ipc::Entered FakeSupervisor::entered() {
    const auto all = first(entered_, 1);
    return all.empty() ? ipc::Entered{} : all.front();
}

Records FakeSupervisor::records(std::size_t count) { return first(records_, count); }

std::vector<std::string> FakeSupervisor::warnings(std::size_t count) {
    return first(warnings_, count);
}

// ----- Conversation

LoggedIn ann() {
    LoggedIn who;
    who.options.write_enable = true;
    who.options.local_umask = 022;
    who.admission.user = "ann";
    who.admission.uid = Home::uid;
    who.admission.gid = Home::gid;
    who.admission.jailed = true;
    who.admission.root = "/home/ann";
    who.admission.start = "/";
    who.admission.home = "/";
    return who;
}

Conversation::Conversation(const Home& home, LoggedIn who)
    : Conversation(home, std::move(who), connection()) {}

Conversation::Conversation(const Home& home, LoggedIn who, std::pair<base::Fd, base::Fd> control)
    : client(std::move(control.first)) {
    auto channels = ipc::Channel::pair();
    pid_ = ::fork();
    if (pid_ == 0) {
        client.hang_up();
        channels.value().first.close();
        control.second.close();
        ::signal(SIGPIPE, SIG_IGN);
        config::Configuration configuration;
        configuration.options = who.options;
        if (!session::prepare(configuration)) ::_exit(99);
        ::_exit(session::run(std::move(channels.value().second), who.options));
    }
    channels.value().second.close();
    ipc::Enter enter{};
    enter.peer = loopback(40000);
    enter.local = loopback(21);
    enter.clients = 7;
    enter.unread.assign(who.unread);
    const base::Fd root{::open(home.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    auto admission = ipc::sealed(ipc::serialise(who.admission), "admission");
    const int descriptors[] = {root.get(), admission.value().get(), control.second.get()};
    EXPECT_TRUE(channels.value().first.send(enter, descriptors));
    supervisor = std::make_unique<FakeSupervisor>(std::move(channels.value().first));
    control.second.close();
    greeting = client.reply();
}

Conversation::~Conversation() {
    client.hang_up();
    supervisor->die();
    (void)exit_code();
}

int Conversation::exit_code() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(std::exchange(pid_, 0), &status, 0) < 0) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

base::Fd Conversation::passive() {
    const auto answer = say("EPSV");
    const auto bars = answer.find("(|||");
    if (bars == answer.npos) {
        ADD_FAILURE() << answer;
        return base::Fd{};
    }
    const auto address = loopback(static_cast<std::uint16_t>(std::atoi(answer.c_str() + bars + 4)));
    base::Fd data{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    EXPECT_EQ(::connect(data.get(), &address.any, sizeof address.v4), 0);
    return data;
}

std::string Conversation::retrieve(std::string_view command) {
    const auto data = passive();
    replies_ = say(command);
    if (!replies_.starts_with("1")) return "(refused)";
    std::string content;
    char bytes[65536];
    for (;;) {
        pollfd wanted{data.get(), POLLIN, 0};
        if (::poll(&wanted, 1, patience) <= 0) return "(nothing came)";
        const auto count = ::recv(data.get(), bytes, sizeof bytes, 0);
        if (count <= 0) break;
        content.append(bytes, static_cast<std::size_t>(count));
    }
    (replies_ += '\n') += client.reply();
    return content;
}

void Conversation::store(std::string_view command, std::string_view content) {
    auto data = passive();
    replies_ = say(command);
    if (!replies_.starts_with("1")) return;
    while (!content.empty()) {
        const auto count = ::send(data.get(), content.data(), content.size(), MSG_NOSIGNAL);
        if (count <= 0) break;
        content.remove_prefix(static_cast<std::size_t>(count));
    }
    data.close();
    (replies_ += '\n') += client.reply();
}

}  // namespace testing_support
