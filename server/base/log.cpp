// SPDX-License-Identifier: MIT
// The only includer of spdlog; runs in the supervisor and in the processes that it execs.
#include "base/log.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

namespace base::log {
namespace {

// How long a reader of standard error may keep a thread that has nothing else to do; others do not
// wait for one at all.
constexpr int patience = 1000;  // milliseconds

std::atomic<bool> in_a_thread{false};

// One write(2) a line: lines of several processes never mix, and a closed pipe ends nobody
// (SIGPIPE is ignored everywhere). What its reader does not take is lost: nobody waits for it.
class StandardError final : public spdlog::sinks::base_sink<std::mutex> {
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        // A pipe that can be written to takes as much as this without waiting (pipe(7)).
        if (line.size() > PIPE_BUF) {
            line.resize(PIPE_BUF);
            line[PIPE_BUF - 1] = '\n';
        }
        pollfd wanted{STDERR_FILENO, POLLOUT, 0};
        if (::poll(&wanted, 1, in_a_thread && !stuck_ ? patience : 0) <= 0) {
            stuck_ = true;
            return;
        }
        stuck_ = false;
        [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    }
    void flush_() override {}
    bool stuck_ = false;
};

class Syslog final : public spdlog::sinks::base_sink<std::mutex> {
    void sink_it_(const spdlog::details::log_msg& message) override {
        const int priority = message.level >= spdlog::level::err    ? LOG_ERR
                             : message.level >= spdlog::level::warn ? LOG_WARNING
                             : message.level >= spdlog::level::info ? LOG_INFO
                                                                    : LOG_DEBUG;
        ::syslog(LOG_DAEMON | priority, "%.*s", static_cast<int>(message.payload.size()),
                 message.payload.data());
    }
    void flush_() override {}
};

class JournalPriority final : public spdlog::custom_flag_formatter {
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& line) override {
        const char digit = message.level >= spdlog::level::err    ? '3'
                           : message.level >= spdlog::level::warn ? '4'
                           : message.level >= spdlog::level::info ? '6'
                                                                  : '7';
        line.push_back('<');
        line.push_back(digit);
        line.push_back('>');
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<JournalPriority>();
    }
};

spdlog::level::level_enum spdlog_level(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warning:
            return spdlog::level::warn;
        case Level::error:
            break;
    }
    return spdlog::level::err;
}

std::shared_ptr<spdlog::details::thread_pool>& thread() {
    static std::shared_ptr<spdlog::details::thread_pool> instance;
    return instance;
}

std::shared_ptr<spdlog::logger>& logger() {
    static std::shared_ptr<spdlog::logger> instance = [] {
        auto made = std::make_shared<spdlog::logger>("jailftpd", std::make_shared<StandardError>());
        made->set_pattern("jailftpd: %l: %v");
        return made;
    }();
    return instance;
}

// The variable names the journal's stream; after a redirection standard error is another file.
bool is_journal() {
    const char* variable = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    if (variable == nullptr || ::fstat(STDERR_FILENO, &status) < 0) return false;
    return variable == std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino);
}

}  // namespace

void start(Level least) {
    if (is_journal()) {
        auto formatter = std::make_unique<spdlog::pattern_formatter>();
        formatter->add_flag<JournalPriority>('*').set_pattern("%*%v");
        logger()->set_formatter(std::move(formatter));
    }
    logger()->set_level(spdlog_level(least));
    if (std::getenv(syslog_variable) != nullptr) use_syslog();
}

void use_syslog() {
    ::openlog("jailftpd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
    logger()->sinks() = {std::make_shared<Syslog>()};
    (void)::setenv(syslog_variable, "1", 1);
}

void write_in_a_thread() {
    constexpr std::size_t most_waiting = 8192;
    const auto level = logger()->level();
    in_a_thread = true;
    thread() = std::make_shared<spdlog::details::thread_pool>(most_waiting, 1, [] {
        sigset_t all;
        sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are the loop's
    });
    const auto& sinks = logger()->sinks();
    logger() =
        std::make_shared<spdlog::async_logger>("jailftpd", sinks.begin(), sinks.end(), thread(),
                                               spdlog::async_overflow_policy::overrun_oldest);
    logger()->set_level(level);
}

void finish() {
    if (!thread()) return;
    const auto& sinks = logger()->sinks();
    auto direct = std::make_shared<spdlog::logger>("jailftpd", sinks.begin(), sinks.end());
    direct->set_level(logger()->level());
    logger() = std::move(direct);
    thread().reset();  // its destructor writes what is left
}

bool wanted(Level level) { return logger()->should_log(spdlog_level(level)); }

void write(Level level, std::string_view message) {
    logger()->log(spdlog_level(level), spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace base::log
